"""One encrypted SQLite file: opened, judged, thrown away when it is damaged or was made under another key, and made anew.

Owns the connection and its one lock. Every page, the journal included, is encrypted by SQLite3 Multiple Ciphers' AEGIS cipher
(utelle.github.io/SQLite3MultipleCiphers), under a key of 32 random bytes used as it is. Nothing in it is the only copy of anything.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import apsw

from app.vault.errors import VaultError, VaultLocked

_PARTS = ("", "-wal", "-shm", "-journal")
_DAMAGE = (apsw.CorruptError, apsw.NotADBError, apsw.FormatError, apsw.SchemaChangeError)

T = TypeVar("T")


class CacheTrouble(VaultError):
    """The cache could not be used (disk full, for example); nothing of the captures is touched."""

    def __init__(self, why: str) -> None:
        super().__init__("The index of the vault could not be used.", why, "Free some space on the disk, then lock and unlock the vault.")


class Database:
    """A connection that heals: `run` makes the file anew, calls `refill`, and tries once more when the file turns out damaged."""

    def __init__(self, path: Path, key: bytes, schema: str, version: int, refill: Callable[[apsw.Connection], None] | None = None) -> None:
        self._path = path
        self._key: bytearray | None = bytearray(key)
        self._schema = schema
        self._version = version
        self._refill = refill
        self._guard = threading.RLock()
        self._connection: apsw.Connection | None = None
        with self._guard:
            try:
                self._connection = self._open()
            except (apsw.Error, OSError):
                self._make_anew()

    def run(self, work: Callable[[apsw.Connection], T]) -> T:
        """Return `work(connection)`, one caller at a time. Raises VaultLocked after `close`, CacheTrouble."""
        with self._guard:
            try:
                return self._try(work)
            except _DAMAGE:
                self._make_anew()
                if self._refill is not None:
                    self._try(self._refill)
                return self._try(work)
            except apsw.Error as error:
                raise CacheTrouble(_why(error)) from None

    def change(self, work: Callable[[apsw.Connection], T]) -> T:
        """As `run`, in one transaction."""

        def inside(connection: apsw.Connection) -> T:
            with connection:
                result = work(connection)
            return result

        return self.run(inside)

    def make_anew(self) -> None:
        """Throw everything in it away. Raises VaultLocked after `close`, CacheTrouble."""
        with self._guard:
            if self._connection is None:
                raise VaultLocked
            self._make_anew()

    def close(self) -> None:
        """Close and forget the key; later calls raise VaultLocked."""
        with self._guard:
            if self._key is not None:
                self._key[:] = bytes(len(self._key))
                self._key = None
            self._drop()

    def _try(self, work: Callable[[apsw.Connection], T]) -> T:
        if self._connection is None:
            raise VaultLocked
        return work(self._connection)

    def _open(self) -> apsw.Connection:
        if self._key is None:
            raise VaultLocked
        self._path.touch(mode=0o600)
        connection = apsw.Connection(str(self._path))
        try:
            connection.execute("PRAGMA cipher = 'aegis'")
            connection.execute(f"PRAGMA key = 'raw:{self._key.hex()}'")
            connection.execute("PRAGMA temp_store = memory")
            connection.execute("PRAGMA locking_mode = exclusive")  # one process only; so WAL needs no shared-memory file
            connection.execute("PRAGMA journal_mode = wal")
            connection.execute("PRAGMA synchronous = normal")
            connection.execute("PRAGMA secure_delete = on")
            found = connection.pragma("user_version")
            if found == 0 and not connection.pragma("schema_version"):
                with connection:
                    connection.execute(self._schema)
                    connection.execute(f"PRAGMA user_version = {self._version:d}")
            elif found != self._version:
                raise apsw.SchemaChangeError("another version of the schema")
        except BaseException:
            connection.close(True)
            raise
        return connection

    def _make_anew(self) -> None:
        self._drop()
        try:
            for part in _PARTS:
                self._path.with_name(self._path.name + part).unlink(missing_ok=True)
            self._connection = self._open()
        except (apsw.Error, OSError) as error:
            raise CacheTrouble(_why(error)) from None

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(apsw.Error):
                connection.close(True)


def _why(error: apsw.Error | OSError) -> str:
    if isinstance(error, apsw.FullError):
        return "The disk is full."
    return f"The database said: {type(error).__name__}."
