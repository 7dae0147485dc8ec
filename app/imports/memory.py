"""What was imported before, so that a run that was cut off goes on instead of reading everything again.

It holds item ids under keyed names of path, size and time: no name of a file in the clear. It is no authority on what is in the vault; a
damaged or lost one costs reading the files once more.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import sqlite3
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.imports.types import Source
from app.vault.types import ItemId

FORMAT = 1


class ImportMemory:
    """Owns the file, which is opened at the first question. Thread-safe; blocking."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._guard = threading.Lock()
        self._opened: sqlite3.Connection | None = None
        self._salt = b""

    def _database(self) -> sqlite3.Connection:
        """To be called with the guard held."""
        if self._opened is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._opened = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
            try:
                self._begin(self._opened)
            except sqlite3.DatabaseError:
                self._opened.close()
                self._path.replace(self._path.with_name(f"{self._path.name}.damaged-{secrets.token_hex(4)}"))
                self._opened = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
                self._begin(self._opened)
        return self._opened

    def _begin(self, database: sqlite3.Connection) -> None:
        run = database.execute
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")  # what a power cut takes of it is found again by the files' digests
        run("CREATE TABLE IF NOT EXISTS about (format INTEGER, salt BLOB)")
        run("CREATE TABLE IF NOT EXISTS files (name BLOB PRIMARY KEY, item TEXT NOT NULL) WITHOUT ROWID")
        run("CREATE TABLE IF NOT EXISTS taken (name BLOB PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID")
        row = run("SELECT format, salt FROM about").fetchone()
        if row is None:
            row = (FORMAT, secrets.token_bytes(32))
            run("INSERT INTO about VALUES (?, ?)", row)
        if row[0] != FORMAT:
            raise sqlite3.DatabaseError("another format")
        self._salt = bytes(row[1])

    def _name(self, source: Source) -> bytes:
        text = f"{source.path}\0{source.size}\0{source.modified_ns}".encode("utf-8", "surrogateescape")
        return hashlib.blake2b(text, key=self._salt, digest_size=16).digest()

    def _of(self, source: Source, query: str) -> Any:
        with self._guard:
            row = self._database().execute(query, (self._name(source),)).fetchone()
        return row[0] if row else None

    def item(self, source: Source) -> ItemId | None:
        """Under which id this very file was taken in, if it was."""
        item = self._of(source, "SELECT item FROM files WHERE name = ?")
        return None if item is None else ItemId(item)

    def taken_at(self, source: Source) -> datetime | None:
        """When this very file was taken in (UTC), if it was; not for one whose bytes were in the vault already."""
        at = self._of(source, "SELECT at FROM taken WHERE name = ?")
        return None if at is None else datetime.fromtimestamp(at, UTC)

    def remember(self, source: Source, item: ItemId, *, taken: bool = False) -> None:
        """This file is in the vault as `item`; `taken`: it is the one that was taken in, now."""
        with self._guard, self._database() as database:
            name = self._name(source)
            database.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", (name, item))
            if taken:
                database.execute("INSERT OR REPLACE INTO taken VALUES (?, ?)", (name, time.time()))

    def close(self) -> None:
        """For good."""
        with self._guard, contextlib.suppress(sqlite3.Error):
            if self._opened is not None:
                self._opened.close()
