"""The book of receipts: append-only, each line sealed in the vault, chained to the one before, and signed. RECEIPTS.md is the format.

Owns the numbering and the chain. Runs on the vault's lane only, one call at a time. Never holds a picture, a question or a key.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.errors import EyelidError
from app.sharing.approval import now
from app.sharing.errors import ReceiptsDamaged
from app.sharing.types import Destination, Outcome, PolicyCard, PolicyClass, Proposal, Receipt, ReceiptKind
from app.vault.errors import RecordExists

FOLDER = "receipts"
FORMAT = "eyelid-receipts-1"
_PURPOSE = b"eyelid receipt 1\n"
_NOTHING = hashlib.sha256(b"").hexdigest()
_LATER: Mapping[str, object] = MappingProxyType({"kind": ReceiptKind.PARCEL.value, "grant": "", "request_id": "", "frames": 0})


class Records(Protocol):
    """What the book needs of the vault."""

    def subkey(self, label: str) -> bytes: ...
    def seal_record(self, folder: str, number: int, data: bytes) -> None: ...
    def records(self, folder: str) -> Iterator[tuple[int, bytes]]: ...
    def last_record(self, folder: str) -> tuple[int, bytes] | None: ...
    def branches(self, folder: str) -> Iterator[tuple[int, bytes]]: ...


@dataclass(frozen=True, slots=True)
class BookReport:
    """Whether the book is whole. Each fault is a sentence, and each note one about something that is no fault."""

    count: int
    faults: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        return not self.faults


@dataclass(frozen=True, slots=True)
class Ending:
    """What a line says besides what the proposal fixes."""

    outcome: Outcome
    detail: str = ""
    bytes_sent: int = 0
    http_status: int | None = None
    request_id: str = ""


class ReceiptBook:
    """Adds lines and reads them. Between a line of intent and its end the signing key is kept, so that a lock cannot lose the end."""

    def __init__(self, vault: Records, clock: Callable[[], datetime] = now) -> None:
        self._vault = vault
        self._clock = clock
        self._head: tuple[int, str] | None = None
        self._key: Ed25519PrivateKey | None = None
        self._open: set[str] = set()

    def add(self, proposal: Proposal, ending: Ending, grant: str = "") -> Receipt:
        """Write one line, durable when this returns. Raises VaultLocked, ReceiptsDamaged, and what writing a file may raise."""
        return self.add_line(dataclasses.replace(line_of(proposal), grant=grant), ending)

    def add_line(self, line: Receipt, ending: Ending) -> Receipt:
        """`add` for a line already drawn up: one that had to wait, or one of intent whose end was never written."""
        filled = dataclasses.replace(
            line,
            at=self._clock(),
            outcome=ending.outcome,
            detail=ending.detail,
            bytes_sent=ending.bytes_sent,
            http_status=ending.http_status,
            request_id=ending.request_id,
        )
        return self._append(filled)

    def _append(self, receipt: Receipt) -> Receipt:
        key = self._key or self._signing_key()
        try:
            receipt = self._write(receipt, key)
        except RecordExists:  # another computer's line came into the folder meanwhile: go on behind that one
            receipt = self._write(receipt, key)
        self._hold(receipt, key)
        return receipt

    def _write(self, receipt: Receipt, key: Ed25519PrivateKey) -> Receipt:
        number, previous = self._head or self._find_head(key)
        receipt = dataclasses.replace(receipt, number=number + 1, previous=previous, signature="")
        receipt = dataclasses.replace(receipt, signature=key.sign(_PURPOSE + _text(to_data(receipt, signed=False))).hex())
        data = _text(to_data(receipt))
        self._head = None
        self._vault.seal_record(FOLDER, receipt.number, data)
        self._head = (receipt.number, hashlib.sha256(data).hexdigest())
        return receipt

    def _hold(self, receipt: Receipt, key: Ed25519PrivateKey) -> None:
        if receipt.outcome is Outcome.INTENDED:
            self._open.add(receipt.parcel_id)
        else:
            self._open.discard(receipt.parcel_id)
        self._key = key if self._open else None

    def all(self) -> tuple[Receipt, ...]:
        """Every line, oldest first, those of another computer's branch after the line whose number they share.

        Each is of this vault's own hand: anybody who can write to the folder could seal one that claims something. Whether none is missing
        is for `verify`. Raises VaultLocked, ReceiptsDamaged and the vault's error for a damaged file.
        """
        public_key = self._signing_key().public_key()
        lines = sorted((*self._vault.records(FOLDER), *self._vault.branches(FOLDER)), key=lambda line: line[0])
        for number, data in lines:
            if fault := _line_fault(number, data, None, public_key):
                raise ReceiptsDamaged(f"Receipt {number}: {fault}")
        return tuple(from_data(data) for number, data in lines if number > 0)

    def verify(self, named: int = 0) -> BookReport:
        """Read and check the whole book. `named` is the highest number that anything outside the book speaks of. Raises VaultLocked."""
        public_key = self._signing_key().public_key()
        faults: list[str] = []
        records: list[tuple[int, bytes]] = []
        branches: list[tuple[int, bytes]] = []
        try:
            records.extend(self._vault.records(FOLDER))
            branches.extend(self._vault.branches(FOLDER))
        except EyelidError as error:
            faults.append(str(error))
        report = check(records, public_key, named=named if records else 0, branches=branches)
        if named and not records:
            faults.append(f"The whole book is missing: a capture speaks of receipt {named}.")
        return BookReport(report.count, (*faults, *report.faults), report.notes)

    def export(self) -> bytes:
        """The whole book as JSON that can be checked without Eyelid. Raises VaultLocked."""
        records = [data.decode("utf-8", "replace") for _, data in self._vault.records(FOLDER)]
        branches = [[number, data.decode("utf-8", "replace")] for number, data in self._vault.branches(FOLDER)]
        book = {"format": FORMAT, "public_key": self.public_key(), "records": records} | ({"branches": branches} if branches else {})
        return json.dumps(book, indent=1).encode()

    def public_key(self) -> str:
        """The key that all lines are signed with, in hex. Raises VaultLocked."""
        return self._signing_key().public_key().public_bytes_raw().hex()

    def _signing_key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._vault.subkey("receipts"))

    def _find_head(self, key: Ed25519PrivateKey) -> tuple[int, str]:
        """The last line's number and digest; begins the book where there is none."""
        public_key = key.public_key()
        last = self._vault.last_record(FOLDER)
        if last is None:
            last = (0, _text({"format": FORMAT, "public_key": public_key.public_bytes_raw().hex()}))
            self._vault.seal_record(FOLDER, *last)
        number, data = last
        # A forged or foreign last line must not be carried on as if it were ours. Gaps before it are for `verify` to tell.
        if fault := _line_fault(number, data, None, public_key):
            raise ReceiptsDamaged(f"Receipt {number}: {fault}")
        return number, hashlib.sha256(data).hexdigest()


def line_about(parcel_id: str, destination: Destination, card: PolicyCard, at: datetime) -> Receipt:
    """All that a line says of a place and its terms, before it has a number, a time, a content and an end."""
    return Receipt(
        number=0,
        at=at,
        parcel_id=parcel_id,
        outcome=Outcome.REFUSED,
        items=(),
        item_digests=(),
        destination=destination.label,
        company=destination.company,
        origin=destination.origin,
        model=destination.model,
        policy_card=card.id,
        policy_version=card.version,
        policy_class=card.policy_class,
        body_sha256=_NOTHING,
        body_size=0,
        bytes_sent=0,
        http_status=None,
        detail="",
        previous="",
        signature="",
    )


def line_of(proposal: Proposal) -> Receipt:
    """All that a line says of a proposal before it has a number, a time and an end."""
    parcel = proposal.parcel
    return dataclasses.replace(
        line_about(parcel.id, parcel.destination, parcel.card, parcel.created_at),
        items=parcel.draft.items,
        item_digests=tuple(hashlib.sha256(picture.jpeg).hexdigest() for picture in proposal.pictures),
        body_sha256=parcel.sha256,
        body_size=len(parcel.body),
    )


def check(
    records: Iterable[tuple[int, bytes]], public_key: Ed25519PublicKey, named: int = 0, branches: Iterable[tuple[int, bytes]] = ()
) -> BookReport:
    """Check numbers, chain and signatures of a book, wherever it came from.

    `branches` are lines whose number another computer took at the same time: each line must follow one of those before it.
    """
    faults: list[str] = []
    lines: dict[int, list[bytes]] = {}
    beside = list(branches)
    for number, data in sorted([*records, *beside], key=lambda line: line[0]):
        lines.setdefault(number, []).append(data)
    expected, before = 0, frozenset({""})
    for number, texts in lines.items():
        if number != expected:
            which = f"{expected}" if number == expected + 1 else f"{expected} to {number - 1}"
            faults.append(f"Missing from the book: {which}.")
            before = frozenset()
        faults += [f"Receipt {number}: {fault}" for data in texts if (fault := _line_fault(number, data, before, public_key))]
        expected, before = number + 1, frozenset(hashlib.sha256(data).hexdigest() for data in texts)
    count = max(expected - 1, 0)
    if named > count:
        faults.append(f"The end of the book is missing: a capture speaks of receipt {named}, the last one here is {count}.")
    return BookReport(count, tuple(faults), _notes(beside))


def _notes(branches: list[tuple[int, bytes]]) -> tuple[str, ...]:
    if not branches:
        return ()
    first = min(number for number, _ in branches)
    return (
        f"Two computers added receipts at the same time, from number {first} on: {len(branches)} stand beside another of their number.",
    )


def check_export(export: bytes) -> BookReport:
    """Check an exported book against the public key it names. Raises ValueError for what is no export at all."""
    public_key, records, branches = _exported(export)
    return check(records, public_key, branches=branches)


def _exported(export: bytes) -> tuple[Ed25519PublicKey, list[tuple[int, bytes]], list[tuple[int, bytes]]]:
    try:
        found = json.loads(export)
        public_key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(found["public_key"]))
        records = [(number, text.encode()) for number, text in enumerate(found["records"])]
        branches = [(int(number), str(text).encode()) for number, text in found.get("branches", ())]
    except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError("not an export of receipts") from error
    return public_key, records, branches


def continued(earlier: bytes, later: bytes) -> tuple[str, ...]:
    """What the export `earlier` has that `later` has not: a book only ever grows. Raises ValueError for what is no export."""
    _, records, branches = _exported(earlier)
    _, now, beside = _exported(later)
    kept = {*now, *beside}
    gone = [number for number, text in (*records, *branches) if (number, text) not in kept]
    return tuple(f"Receipt {number} of the earlier export is not in the book any more, or is another one." for number in gone)


def _line_fault(number: int, data: bytes, before: frozenset[str] | None, public_key: Ed25519PublicKey) -> str:
    """What is wrong with a line, or nothing. `before`: digests of the lines it may follow; None or none at all if they are not known."""
    if number == 0:
        first = _text({"format": FORMAT, "public_key": public_key.public_bytes_raw().hex()})
        return "" if data == first else "the book was begun by another vault."
    try:
        receipt = from_data(data)
        public_key.verify(bytes.fromhex(receipt.signature), _PURPOSE + _text(to_data(receipt, signed=False)))
    except (ValueError, TypeError, InvalidSignature):
        return "it was changed after it was signed."
    if receipt.number != number or (before and receipt.previous not in before):
        return "it does not follow the one before it."
    return "" if _text(to_data(receipt)) == data else "it is written in another form."


def to_data(receipt: Receipt, *, signed: bool = True) -> dict[str, Any]:
    """The receipt as plain values, as it is written and signed."""
    data = {each.name: getattr(receipt, each.name) for each in dataclasses.fields(receipt)}
    data |= {"at": receipt.at.isoformat(), "outcome": receipt.outcome.value, "policy_class": receipt.policy_class.value}
    # What came later than the first books is written only where it says something: older lines and their signatures stay good.
    data["kind"] = receipt.kind.value
    for name, usual in _LATER.items():
        if data[name] == usual:
            del data[name]
    if not signed:
        del data["signature"]
    return data


def from_data(data: bytes) -> Receipt:
    """The receipt that `data` holds; raises ValueError for anything else."""
    try:
        found = json.loads(data)
        found |= {
            "at": datetime.fromisoformat(found["at"]),
            "outcome": Outcome(found["outcome"]),
            "policy_class": PolicyClass(found["policy_class"]),
            "items": tuple(found["items"]),
            "item_digests": tuple(found["item_digests"]),
            "kind": ReceiptKind(found.get("kind", ReceiptKind.PARCEL.value)),
        }
        return Receipt(**found)
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("not a receipt") from error


def _text(data: dict[str, Any]) -> bytes:
    """Canonical JSON: keys in order, no spaces, ASCII."""
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()
