"""Numbered records of other rooms (receipts, terms): sealed once each, under a number that is used once, never replaced.

Owns the layout of their folders. What stands in a record is the business of who wrote it.
"""

from __future__ import annotations

import re
from pathlib import Path

from app.vault.age import Identity, seal
from app.vault.errors import RecordExists, TooLarge
from app.vault.files import PARTIAL, write_durably
from app.vault.sealed import HISTORY, QUARANTINE, SealedFolder

LARGEST_RECORD = 1 << 20
"""Bytes of plaintext of one record."""
_FOLDER = re.compile(r"[a-z]{1,32}")
_NOT_OURS = frozenset({"objects", "keys", HISTORY, QUARANTINE})
"""Folders that hold something else."""
_RECORD = re.compile(r"(0|[1-9][0-9]{0,15})\.age")
_BRANCH = re.compile(r"(0|[1-9][0-9]{0,15})\.([0-9a-f]{8})\.age")
"""A record whose number was taken twice, by two computers: set aside under a part of its own digest."""


class Records:
    """The records among the files of `sealed`."""

    def __init__(self, sealed: SealedFolder) -> None:
        self._sealed = sealed

    def put(self, folder: str, number: int, data: bytes) -> None:
        """Raises RecordExists, TooLarge, OSError, and then there is no such record."""
        if len(data) > LARGEST_RECORD:
            raise TooLarge("A record", LARGEST_RECORD)
        path, files = self._path(folder) / f"{number}.age", self._sealed.files
        if not _RECORD.fullmatch(path.name):
            raise ValueError("records are numbered from 0")
        files.make_folder(path.parent)
        if path.exists():
            raise RecordExists
        try:
            write_durably(files, path, seal(data, self._sealed.recipients))
        except Exception:
            self._sealed.undo(path)
            raise

    def folders(self) -> tuple[str, ...]:
        """The folders that hold records, by name."""
        names = (path.name for path in self._sealed.folder.iterdir() if path.is_dir())
        return tuple(sorted(name for name in names if _FOLDER.fullmatch(name) and name not in _NOT_OURS))

    def numbers(self, folder: str) -> tuple[int, ...]:
        """The numbers that are taken, rising."""
        return tuple(sorted(int(name.removesuffix(".age")) for name in self._names(folder) if _RECORD.fullmatch(name)))

    def branches(self, folder: str) -> tuple[tuple[int, Path], ...]:
        """Number and file of each record that was set aside because two computers took its number."""
        found = map(_BRANCH.fullmatch, sorted(self._names(folder)))
        return tuple((int(each[1]), self._path(folder) / each[0]) for each in found if each)

    def strays(self, folder: str) -> list[Path]:
        """The files among records that are none by their names."""
        known = (_RECORD, _BRANCH)
        every = (path for path in self._path(folder).iterdir() if path.is_file() and not path.name.endswith(PARTIAL))
        return [path for path in every if not any(shape.fullmatch(path.name) for shape in known)]

    def open(self, folder: str, number: int, identity: Identity) -> bytes:
        """Raises ItemMissing, ObjectDamaged, VaultTooNew."""
        return self.open_at(self._path(folder) / f"{number}.age", identity)

    def open_at(self, path: Path, identity: Identity) -> bytes:
        """As `open`, of a record that was set aside, or of another program's copy of one."""
        return self._sealed.open_small(path, LARGEST_RECORD, identity)

    def _names(self, folder: str) -> list[str]:
        path = self._path(folder)
        return [entry.name for entry in path.iterdir()] if path.is_dir() else []

    def _path(self, folder: str) -> Path:
        if not _FOLDER.fullmatch(folder) or folder in _NOT_OURS:
            raise ValueError("not a folder for records")
        return self._sealed.folder / folder
