"""What was imported before, so that a run that was cut off goes on instead of reading everything again.

It holds item ids under keyed names of path, size and time: no name of a file in the clear. It is no authority on what is in the vault; a
damaged or lost one costs reading the files once more.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from app.imports.types import Source
from app.keyed_file import KeyedFile
from app.vault.types import ItemId

FORMAT = 1
_STATEMENTS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",  # what a power cut takes of it is found again by the files' digests
    "CREATE TABLE IF NOT EXISTS files (name BLOB PRIMARY KEY, item TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS taken (name BLOB PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID",
)


class ImportMemory:
    """Owns the file, which is made at the first question. Thread-safe; blocking."""

    def __init__(self, path: Path) -> None:
        self._file = KeyedFile(path, FORMAT, _STATEMENTS)

    def _name(self, source: Source) -> bytes:
        return self._file.name(f"{source.path}\0{source.size}\0{source.modified_ns}".encode("utf-8", "surrogateescape"))

    def item(self, source: Source) -> ItemId | None:
        """Under which id this very file was taken in, if it was."""
        rows = self._file.run("SELECT item FROM files WHERE name = ?", self._name(source))
        return ItemId(rows[0][0]) if rows else None

    def taken_at(self, source: Source) -> datetime | None:
        """When this very file was taken in (UTC), if it was; not for one whose bytes were in the vault already."""
        rows = self._file.run("SELECT at FROM taken WHERE name = ?", self._name(source))
        return datetime.fromtimestamp(rows[0][0], UTC) if rows else None

    def remember(self, source: Source, item: ItemId, *, taken: bool = False) -> None:
        """This file is in the vault as `item`; `taken`: it is the one that was taken in, now."""
        name = self._name(source)
        self._file.run("INSERT OR REPLACE INTO files VALUES (?, ?)", name, item)
        if taken:
            self._file.run("INSERT OR REPLACE INTO taken VALUES (?, ?)", name, time.time())

    def close(self) -> None:
        """For good."""
        self._file.close()
