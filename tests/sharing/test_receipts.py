"""The book of receipts: chained, signed, and honest about what is missing or changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from app.sharing.errors import ReceiptsDamaged
from app.sharing.receipts import Ending, ReceiptBook, check, check_export, from_data, line_of
from app.sharing.types import Outcome, Proposal
from app.vault.errors import ObjectDamaged, RecordExists, VaultLocked
from app.vault.vault import Vault

Make = Callable[..., Proposal]
REFUSED = Ending(Outcome.REFUSED, "kept private")
INTENDED = Ending(Outcome.INTENDED)
ANSWERED = Ending(Outcome.ANSWERED, "", 100, 200)


class Shelf:
    """Records in memory, to be tampered with."""

    def __init__(self) -> None:
        self.kept: dict[int, bytes] = {}
        self.locked = False
        self.full = False
        self.secret = bytes(32)
        self.beside: list[tuple[int, bytes]] = []

    def subkey(self, label: str) -> bytes:
        assert label == "receipts"
        if self.locked:
            raise VaultLocked
        return self.secret

    def seal_record(self, folder: str, number: int, data: bytes) -> None:
        assert folder == "receipts"
        if self.full:
            raise OSError(28, "No space left on device")
        if number in self.kept:
            raise RecordExists
        self.kept[number] = data

    def records(self, folder: str) -> Iterator[tuple[int, bytes]]:
        if self.locked:
            raise VaultLocked
        for number in sorted(self.kept):
            if self.kept[number] == b"damaged":
                raise ObjectDamaged(f"receipts/{number}.age", "It was changed.")
            yield number, self.kept[number]

    def last_record(self, folder: str) -> tuple[int, bytes] | None:
        if self.locked:
            raise VaultLocked
        return max(self.kept.items(), default=None)

    def branches(self, folder: str) -> Iterator[tuple[int, bytes]]:
        assert folder == "receipts"
        if self.locked:
            raise VaultLocked
        yield from self.beside


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def filled(shelf: Shelf, any_proposal: Make, clock: Any) -> Shelf:
    book = ReceiptBook(shelf, clock)
    for number in range(4):
        book.add(any_proposal(f"question {number}"), REFUSED)
    return shelf


def test_lines_are_numbered_and_chained(shelf: Shelf, any_proposal: Make, clock: Any) -> None:
    book = ReceiptBook(shelf, clock)
    first = book.add(any_proposal(), INTENDED)
    clock.pass_(seconds=5)
    second = book.add(any_proposal(), ANSWERED)
    assert (first.number, second.number) == (1, 2)
    assert first.previous != second.previous
    assert (second.bytes_sent, second.http_status, second.at) == (100, 200, clock.now)
    assert book.all() == (first, second)
    assert book.verify(2) == book.verify()
    assert book.verify().sound


def test_a_line_says_what_without_the_picture_or_the_question(shelf: Shelf, any_proposal: Make) -> None:
    proposal = any_proposal("a question nobody else shall read")
    line = ReceiptBook(shelf).add(proposal, REFUSED)
    assert line.body_sha256 == proposal.parcel.sha256
    assert line.body_size == proposal.size
    assert len(line.item_digests) == 1
    assert (line.policy_card, line.policy_version, line.destination, line.model) == ("mirror", "v1", "Mirror", "mirror")
    assert b"nobody else" not in shelf.kept[1]


def test_another_day_goes_on_where_it_ended(filled: Shelf, any_proposal: Make) -> None:
    assert ReceiptBook(filled).add(any_proposal(), REFUSED).number == 5
    assert ReceiptBook(filled).verify().sound


def test_an_empty_book_is_sound(shelf: Shelf) -> None:
    assert ReceiptBook(shelf).all() == ()
    assert ReceiptBook(shelf).verify().sound


@given(st.data())
def test_any_changed_byte_is_found(data: st.DataObject) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    records = [(number, bytes(SAMPLE[number])) for number in sorted(SAMPLE)]
    which = data.draw(st.sampled_from(range(len(records))))
    number, line = records[which]
    at = data.draw(st.integers(0, len(line) - 1))
    to = data.draw(st.integers(0, 255).filter(lambda value: value != line[at]))
    records[which] = (number, line[:at] + bytes([to]) + line[at + 1 :])
    assert not check(records, key.public_key()).sound


SAMPLE: dict[int, bytes] = {}


@pytest.fixture(autouse=True)
def sample(any_proposal: Make) -> None:
    if not SAMPLE:
        shelf = Shelf()
        book = ReceiptBook(shelf)
        for outcome in (REFUSED, INTENDED, ANSWERED):
            book.add(any_proposal(), outcome)
        SAMPLE.update(shelf.kept)
    assert check(sorted(SAMPLE.items()), Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()).sound


TAMPER: list[tuple[Callable[[dict[int, bytes]], Any], str]] = [
    (lambda kept: kept.pop(0), "Missing from the book: 0."),
    (lambda kept: kept.pop(2), "Missing from the book: 2."),
    (lambda kept: (kept.pop(2), kept.pop(3)), "Missing from the book: 2 to 3."),
    (lambda kept: kept.pop(4), "The end of the book is missing: a capture speaks of receipt 4, the last one here is 3."),
    (lambda kept: kept.clear(), "The whole book is missing: a capture speaks of receipt 4."),
    (lambda kept: kept.update({2: kept[3], 3: kept[2]}), "Receipt 2: it does not follow"),
    (lambda kept: kept.update({2: kept[2].replace(b'"refused"', b'"not sent"')}), "Receipt 2: it was changed after it was signed."),
    (lambda kept: kept.update({2: b"{}"}), "Receipt 2: it was changed"),
    (lambda kept: kept.update({2: b"[]"}), "Receipt 2: it was changed"),
    (lambda kept: kept.update({2: b"\xff"}), "Receipt 2: it was changed"),
    (lambda kept: kept.update({2: kept[2] + b" "}), "Receipt 2: it is written in another form."),
    (lambda kept: kept.update({2: json.dumps(json.loads(kept[2]) | {"signature": 5}).encode()}), "Receipt 2: it was changed"),
    (lambda kept: kept.update({2: json.dumps(json.loads(kept[2]) | {"at": 5}).encode()}), "Receipt 2: it was changed"),
    (lambda kept: kept.update({0: b"{}"}), "Receipt 0: the book was begun by another vault."),
    (lambda kept: kept.update({3: b"damaged"}), "receipts/3.age is damaged"),
]


@pytest.mark.parametrize(("tamper", "said"), TAMPER, ids=range(len(TAMPER)))
def test_tampering_is_said(filled: Shelf, tamper: Callable[[dict[int, bytes]], Any], said: str) -> None:
    tamper(filled.kept)
    report = ReceiptBook(filled).verify(named=4)
    assert not report.sound
    assert any(said in fault for fault in report.faults), report.faults


def test_a_book_signed_by_another_key_is_not_ours(filled: Shelf, any_proposal: Make) -> None:
    """Sealing needs no secret, so somebody could write a whole book; the signatures are what they cannot make."""
    filled.secret = b"\x01" * 32
    report = ReceiptBook(filled).verify()
    assert len(report.faults) == 5
    with pytest.raises(ReceiptsDamaged):
        ReceiptBook(filled).add(any_proposal(), REFUSED)


def test_a_line_of_another_history_does_not_fit(filled: Shelf, any_proposal: Make) -> None:
    """A copy of the vault went its own way; its lines are signed with the same key, but do not follow on ours."""
    other = Shelf()
    book = ReceiptBook(other)
    for _ in range(3):
        book.add(any_proposal(), REFUSED)
    filled.kept[2] = other.kept[2]
    assert ReceiptBook(filled).verify().faults == (
        "Receipt 2: it does not follow the one before it.",
        "Receipt 3: it does not follow the one before it.",
    )


def test_a_gap_does_not_stop_the_book(filled: Shelf, any_proposal: Make) -> None:
    del filled.kept[2]
    assert ReceiptBook(filled).add(any_proposal(), REFUSED).number == 5
    assert ReceiptBook(filled).verify().faults == ("Missing from the book: 2.",)


def test_a_damaged_line_does_not_stop_the_book(filled: Shelf, any_proposal: Make) -> None:
    """It is for `verify` to tell; what is sent today has its receipt all the same."""
    filled.kept[2] = b"damaged"
    assert ReceiptBook(filled).add(any_proposal(), REFUSED).number == 5


def test_a_line_of_another_computer_that_comes_while_the_book_is_open_is_followed(shelf: Shelf, any_proposal: Make) -> None:
    here, there = ReceiptBook(shelf), ReceiptBook(shelf)
    for number, book in enumerate((here, there, there, here, there), 1):
        assert book.add(any_proposal(), ANSWERED).number == number
    assert here.verify().sound


def test_a_last_line_that_was_forged_stops_it(filled: Shelf, any_proposal: Make) -> None:
    filled.kept[9] = filled.kept[4]
    with pytest.raises(ReceiptsDamaged):
        ReceiptBook(filled).add(any_proposal(), REFUSED)


def test_a_damaged_line_is_told_when_listing(filled: Shelf) -> None:
    filled.kept[2] = b"{}"
    with pytest.raises(ReceiptsDamaged):
        ReceiptBook(filled).all()
    with pytest.raises(ValueError, match="not a receipt"):
        from_data(b"[" * 100_000)


@pytest.mark.parametrize("beside", [False, True])
def test_a_line_of_another_hand_is_never_listed_as_one_of_ours(filled: Shelf, any_proposal: Make, beside: bool) -> None:
    """Sealing needs no secret; a claim that something was shared, or that an open line ended, needs the vault's own key."""
    other = Shelf()
    other.secret = b"\x01" * 32
    for _ in range(2):
        ReceiptBook(other).add(any_proposal(), ANSWERED)
    if beside:
        filled.beside.append((2, other.kept[2]))
    else:
        filled.kept[2] = other.kept[2]
    with pytest.raises(ReceiptsDamaged, match="Receipt 2: it was changed"):
        ReceiptBook(filled).all()


def test_a_failed_write_leaves_the_chain_whole(shelf: Shelf, any_proposal: Make) -> None:
    book = ReceiptBook(shelf)
    book.add(any_proposal(), REFUSED)
    shelf.full = True
    with pytest.raises(OSError, match="space"):
        book.add(any_proposal(), REFUSED)
    shelf.full = False
    assert book.add(any_proposal(), REFUSED).number == 2
    assert book.verify().sound


def test_a_write_that_said_it_failed_but_did_not(shelf: Shelf, any_proposal: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    book = ReceiptBook(shelf)
    book.add(any_proposal(), REFUSED)
    write = shelf.seal_record

    def late(folder: str, number: int, data: bytes) -> None:
        write(folder, number, data)
        raise OSError

    monkeypatch.setattr(shelf, "seal_record", late)
    with pytest.raises(OSError):  # noqa: PT011  # any
        book.add(any_proposal(), REFUSED)
    monkeypatch.undo()
    assert book.add(any_proposal(), REFUSED).number == 3
    assert book.verify().sound


def test_a_lock_in_the_middle_of_a_sending_does_not_lose_its_end(shelf: Shelf, any_proposal: Make) -> None:
    book = ReceiptBook(shelf)
    one, two = any_proposal(), any_proposal()
    book.add(one, INTENDED)
    book.add(two, INTENDED)
    shelf.locked = True
    book.add(one, ANSWERED)
    book.add(two, ANSWERED)
    with pytest.raises(VaultLocked):
        book.add(any_proposal(), REFUSED)
    shelf.locked = False
    assert book.verify().sound
    assert book.verify().count == 4


def test_a_line_that_had_to_wait(shelf: Shelf, any_proposal: Make, clock: Any) -> None:
    proposal = any_proposal()
    line = line_of(proposal)
    clock.pass_(minutes=9)
    written = ReceiptBook(shelf, clock).add_line(line, REFUSED)
    assert (written.body_size, written.item_digests, written.at) == (proposal.size, line.item_digests, clock.now)


ENDLESS = json.dumps({"public_key": "00" * 32, "records": [], "branches": [[1e999, ""]]}).encode()


def test_the_export_can_be_checked_elsewhere(filled: Shelf) -> None:
    export = ReceiptBook(filled).export()
    assert check_export(export).sound
    assert check_export(export).count == 4
    assert not check_export(export.replace(b"kept private", b"sent to you ")).sound
    for nonsense in (b"", b"[]", b"{}", b'{"public_key":"00","records":[]}', b'{"public_key":5,"records":[]}', b"[" * 100_000, ENDLESS):
        with pytest.raises(ValueError):  # noqa: PT011  # of any wording
            check_export(nonsense)


def test_in_a_real_vault(vault: Vault, any_proposal: Make) -> None:
    book = ReceiptBook(vault)
    book.add(any_proposal(), REFUSED)
    book.add(any_proposal(), INTENDED)
    assert ReceiptBook(vault).verify().count == 2
    assert ReceiptBook(vault).verify().sound
    assert [line.outcome for line in book.all()] == [Outcome.REFUSED, Outcome.INTENDED]


def test_two_computers_that_took_the_same_numbers_lose_nothing(any_proposal: Make, clock: Any) -> None:
    one, other = Shelf(), Shelf()
    ReceiptBook(one, clock).add(any_proposal("before they parted"), REFUSED)
    other.kept = dict(one.kept)
    for shelf, texts in ((one, ["a", "b"]), (other, ["c"])):
        book = ReceiptBook(shelf, clock)
        for text in texts:
            clock.pass_(seconds=1)
            book.add(any_proposal(text), REFUSED)
    one.beside = [(2, one.kept[2])]
    one.kept[2] = other.kept[2]  # as a synchronising program may have it: number 3 follows a line that stands aside now
    book = ReceiptBook(one, clock)
    report = book.verify()
    assert report.sound
    assert "from number 2 on: 1 " in report.notes[0]
    assert [line.number for line in book.all()] == [1, 2, 2, 3]
    book.add(any_proposal("after"), REFUSED)
    assert book.verify().sound
    assert check_export(book.export()) == book.verify()
    one.beside = []
    assert not book.verify().sound
    one.beside = [(2, one.kept[3])]
    assert not book.verify().sound
