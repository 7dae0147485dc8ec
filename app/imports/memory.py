"""What was imported before, so that a run that was cut off goes on instead of reading everything again.

It holds item ids under keyed names of path, size and time: no name of a file in the clear. It is no authority on what is in the vault; a
damaged or lost one, or one that can't be written because the disk is full, costs reading the files once more, and never an import.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

from app.imports.types import Source
from app.keyed_file import KeyedFile, Rows
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

    def __init__(self, path: Path, vault: str) -> None:
        """`vault`: its id. What one that was erased since had taken in was never taken in by this one."""
        self._vault = vault
        self._file = KeyedFile(path, FORMAT, _STATEMENTS)

    def item(self, source: Source) -> ItemId | None:
        """Under which id this very file was taken in, if it was."""
        rows = self._run("SELECT item FROM files WHERE name = ?", source)
        return ItemId(rows[0][0]) if rows else None

    def taken_at(self, source: Source) -> datetime | None:
        """When this very file was taken in (UTC), if it was; not for one whose bytes were in the vault already."""
        rows = self._run("SELECT at FROM taken WHERE name = ?", source)
        return datetime.fromtimestamp(rows[0][0], UTC) if rows else None

    def remember(self, source: Source, item: ItemId, *, taken: bool = False) -> None:
        """This file is in the vault as `item`; `taken`: it is the one that was taken in, now."""
        self._run("INSERT OR REPLACE INTO files VALUES (?, ?)", source, item)
        if taken:
            self._run("INSERT OR REPLACE INTO taken VALUES (?, ?)", source, time.time())

    def _run(self, statement: str, source: Source, *values: object) -> Rows:
        """Carry out one statement whose first value is the file's name; nothing is found where the memory is of no use."""
        with contextlib.suppress(sqlite3.Error, OSError):
            text = f"{self._vault}\0{source.path}\0{source.size}\0{source.modified_ns}"
            return self._file.run(statement, self._file.name(text.encode("utf-8", "surrogateescape")), *values)
        return []

    def close(self) -> None:
        """For good."""
        self._file.close()
