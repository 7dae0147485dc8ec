"""The ingest ledger: how far each capture on each pair of glasses has come, kept across crashes and readable while the vault is locked.

It holds states, sizes and item ids under keyed names: no digests, no captures, and no address or name of a capture in the clear. It is no
authority on what is in the vault (the vault is); it saves fetching twice, and remembers what the wearer threw away.
"""

from __future__ import annotations

import enum
from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path

from app.keyed_file import KeyedFile, keyed
from app.vault.types import ItemId
from ble.types import Offer

FORMAT = 1
_STATEMENTS = (
    "PRAGMA synchronous = FULL",
    "PRAGMA secure_delete = ON",
    "CREATE TABLE IF NOT EXISTS captures (name BLOB PRIMARY KEY, state TEXT NOT NULL, offset INTEGER NOT NULL,"
    " item TEXT, attempts INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS by_item ON captures (item)",
)


class CaptureState(enum.Enum):
    """How far a capture has come. `DISCARDED`: it was in the vault, and the wearer deleted it there for good."""

    SEEN = "seen"
    TRANSFERRING = "transferring"
    CHECKED = "checked"
    SEALED = "sealed"
    RELEASED = "released"
    DAMAGED = "damaged"
    DISCARDED = "discarded"


SETTLED = frozenset({CaptureState.SEALED, CaptureState.RELEASED, CaptureState.DISCARDED})
"""Nothing more is to be fetched of a capture in one of these."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One capture. `offset` is in bytes; `attempts` counts how often its transfer was begun."""

    state: CaptureState
    offset: int = 0
    item: ItemId | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Settled:
    """What was settled of one pair's captures, at one moment: call it with an offer. Quick, and good for any thread."""

    address: str
    salt: bytes
    names: frozenset[bytes]

    def __call__(self, offer: Offer) -> bool:
        return _name(self.salt, self.address, offer) in self.names


def _name(salt: bytes, address: str, offer: Offer) -> bytes:
    return keyed(salt, f"{address}\0{offer.id}\0{offer.size}\0{offer.kind.value}".encode())


class Ledger:
    """Owns the file. Each change is on the disk when the call returns. Thread-safe; blocking, so use it off the event loop.

    It is only a memory of what was done: when a damaged one is put aside, at worst captures are fetched and recognised once more.
    """

    def __init__(self, path: Path) -> None:
        self._file = KeyedFile(path, FORMAT, _STATEMENTS)

    def _name(self, address: str, offer: Offer) -> bytes:
        return _name(self._file.salt, address, offer)

    def look(self, address: str, offer: Offer) -> Entry | None:
        """What is known of an offered capture."""
        rows = self._file.run("SELECT state, offset, item, attempts FROM captures WHERE name = ?", self._name(address, offer))
        return next((Entry(CaptureState(row[0]), row[1], ItemId(row[2]) if row[2] else None, row[3]) for row in rows), None)

    def settled(self, address: str, there: Container[ItemId]) -> Settled:
        """Of which captures nothing more is to be fetched; those whose item is not `there` (though the wearer kept it) are none of them."""
        names = (
            name
            for name, state, item in self._file.run("SELECT name, state, item FROM captures")
            if (known := CaptureState(state)) in SETTLED and (known is not CaptureState.SEALED or item is None or item in there)
        )
        return Settled(address, self._file.salt, frozenset(names))

    def note(self, address: str, offer: Offer, state: CaptureState, *, offset: int = 0, item: ItemId | None = None) -> None:
        """The capture is this far now."""
        begun = int(state is CaptureState.TRANSFERRING)
        self._file.run(
            "INSERT INTO captures VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET state = excluded.state,"
            " offset = excluded.offset, item = coalesce(excluded.item, item), attempts = attempts + ?",
            *(self._name(address, offer), state.value, offset, item, begun, begun),
        )

    def forget(self, address: str, offer: Offer) -> None:
        """Nothing needs to be remembered of this capture: the glasses will not offer it again."""
        self._file.run("DELETE FROM captures WHERE name = ?", self._name(address, offer))

    def discard(self, items: Iterable[ItemId]) -> None:
        """The wearer deleted these for good: the glasses' copies are not to be brought in again."""
        for item in items:
            self._file.run(
                "UPDATE captures SET state = ? WHERE item = ? AND state != ?",
                *(CaptureState.DISCARDED.value, item, CaptureState.RELEASED.value),
            )

    def close(self) -> None:
        """For good."""
        self._file.close()
