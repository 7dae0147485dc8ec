"""A small database whose entries go by names that nobody can read: hashed under a random key of the file's own.

For what the program remembers to save itself work, readable while the vault is locked. It is no authority on anything: a damaged one is put
aside and begun anew; one that a full disk or another process keeps from being used stays as it is.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Rows = list[tuple[Any, ...]]

_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
"""What SQLite says of a file that is none of ours; SQLITE_ERROR, of one that has other tables."""


class _OtherFormat(sqlite3.DatabaseError):
    """The file is of another version of ours."""


class KeyedFile:
    """Owns the file, which is made, for its owner only, at the first use. Thread-safe; blocking, so use it off the event loop."""

    def __init__(self, path: Path, version: int, statements: Sequence[str]) -> None:
        """`statements` prepare the connection and make what tables are missing; a file of another `version` counts as damaged."""
        self._path = path
        self._version = version
        self._statements = statements
        self._guard = threading.Lock()
        self._opened: sqlite3.Connection | None = None
        self._salt = b""

    @property
    def salt(self) -> bytes:
        """The key of its names, for `keyed`. Raises sqlite3.Error."""
        with self._open():
            return self._salt

    def name(self, text: bytes) -> bytes:
        """What an entry about `text` is called in this file."""
        return keyed(self.salt, text)

    def run(self, statement: str, *values: object) -> Rows:
        """Carry out one statement; what it found. What it changed is kept when the call returns. Raises sqlite3.Error."""
        with self._open() as database:
            return database.execute(statement, values).fetchall()

    def close(self) -> None:
        """For good."""
        with self._guard, contextlib.suppress(sqlite3.Error):
            if self._opened is not None:
                self._opened.close()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._guard:
            if self._opened is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                try:
                    self._opened = self._begin()
                except sqlite3.DatabaseError as error:
                    if not _is_damage(error):
                        raise
                    self._path.replace(self._path.with_name(f"{self._path.name}.damaged-{secrets.token_hex(4)}"))
                    self._opened = self._begin()
            yield self._opened

    def _begin(self) -> sqlite3.Connection:
        self._path.touch(0o600)
        database = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
        try:
            for statement in (*self._statements, "CREATE TABLE IF NOT EXISTS about (format INTEGER, salt BLOB)"):
                database.execute(statement)
            row = database.execute("SELECT format, salt FROM about").fetchone()
            if row is None:
                row = (self._version, secrets.token_bytes(32))
                database.execute("INSERT INTO about VALUES (?, ?)", row)
            if row[0] != self._version:
                raise _OtherFormat
        except BaseException:
            database.close()
            raise
        self._salt = bytes(row[1])
        return database


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    return isinstance(error, _OtherFormat) or error.sqlite_errorcode & 0xFF in _DAMAGE  # what is above tells the kind more exactly


def keyed(salt: bytes, text: bytes) -> bytes:
    """16 bytes for `text` that tell nothing of it to whoever lacks `salt`."""
    return hashlib.blake2b(text, key=salt, digest_size=16).digest()
