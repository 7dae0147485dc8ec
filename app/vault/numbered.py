"""The vault's numbered records, as other rooms keep them: receipts and terms.

Owns nothing: it is one more part of `Vault`, kept apart so that each can be read at once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

from app.vault.session import Session
from app.vault.store import ObjectStore


class Numbered:
    """What `Vault` inherits; it says how each attribute comes to be."""

    _store: ObjectStore
    _writing: threading.RLock

    def _open(self) -> Session:
        raise NotImplementedError

    def seal_record(self, folder: str, number: int, data: bytes) -> None:
        """Write `<folder>/<number>.age` for good; works while locked. `data` is at most 1 MiB. Raises RecordExists, TooLarge, OSError."""
        with self._writing:
            self._store.records.put(folder, number, data)

    def records(self, folder: str) -> Iterator[tuple[int, bytes]]:
        """Yield each record opened, in order of number. Raises VaultLocked, ObjectDamaged."""
        session = self._open()
        for number in self._store.records.numbers(folder):
            yield number, self._store.records.open(folder, number, session.identity)

    def last_record(self, folder: str) -> tuple[int, bytes] | None:
        """The record with the highest number, opened; None where there is none. Raises VaultLocked, ObjectDamaged."""
        session, numbers = self._open(), self._store.records.numbers(folder)
        return (numbers[-1], self._store.records.open(folder, numbers[-1], session.identity)) if numbers else None

    def branches(self, folder: str) -> Iterator[tuple[int, bytes]]:
        """Yield each record whose number another computer took too, opened; not in `records`. Raises VaultLocked, ObjectDamaged."""
        session = self._open()
        for number, path in self._store.records.branches(folder):
            yield number, self._store.records.open_at(path, session.identity)
