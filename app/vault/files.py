"""The one way the vault writes to disk, so that a crash at any point leaves the old state or the new, and a test can make it crash there.

Owns the primitives and the order in which they are called. Knows nothing of keys or of what the bytes mean; never reads a file whole
unless it is asked for a small one.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.vault.errors import WriteFailed

PARTIAL = ".tmp"
"""Ends the name of every file that is not whole yet; whatever has it at start-up is a leftover."""
_NO_NONCE = bytes(12)
_EARLY = 1 << 20
"""Bytes after which the drive is asked to begin: the wait for it at the end of 20 MB becomes 1 to 3 ms instead of 12."""

_TRIES, _PAUSE = 50, 0.02
"""A second in all, on Windows."""


def patiently(change: Callable[[], object]) -> None:
    """Replace or remove a file. Windows refuses that while anybody has it open, a virus scanner for one: there it is tried for a second."""
    for _ in range(_TRIES if sys.platform == "win32" else 0):
        try:
            change()
            return
        except PermissionError:
            time.sleep(_PAUSE)
    change()


class Files:
    """The primitives. Each may fail with OSError; a test's subclass makes them fail or stop on purpose."""

    def make_folder(self, path: Path) -> None:
        """Create one folder, for its owner only, and make its name durable; no fault if it is there."""
        if not path.is_dir():
            path.mkdir(mode=0o700, exist_ok=True)
            self.sync_folder(path.parent)

    def create(self, path: Path) -> FileIO:
        """Open a new file for writing and reading, for its owner only; FileExistsError if the name is taken."""
        return FileIO(path, "xb+", opener=lambda name, flags: os.open(name, flags, 0o600))

    def write(self, file: FileIO, data: memoryview) -> None:
        while len(data):
            data = data[file.write(data) :]

    def begin_to_sync(self, file: FileIO, start: int, size: int) -> None:
        """Have the drive begin with a part of what was written, without waiting; a hint, where the system takes it."""
        if sys.platform == "linux":  # pragma: no branch
            with contextlib.suppress(OSError):  # it writes what is dirty before it forgets what it need not (posix_fadvise(2), notes)
                os.posix_fadvise(file.fileno(), start, size, os.POSIX_FADV_DONTNEED)

    def sync(self, file: FileIO) -> None:
        """Return when the drive says it has the content."""
        if sys.platform == "darwin":  # pragma: no cover  # os.fsync leaves it in the drive's cache there (fsync(2) of macOS)
            import fcntl

            fcntl.fcntl(file.fileno(), fcntl.F_FULLFSYNC)
        else:
            os.fsync(file.fileno())

    def open(self, path: Path) -> BinaryIO:
        return path.open("rb")

    def read_back(self, file: FileIO) -> BinaryIO:
        """Return `file` from its start, for the check after writing: past the system's cache where it lets us ask for that."""
        self.uncache(file)
        file.seek(0)
        return file

    def uncache(self, file: FileIO) -> None:
        """Have the system forget what it keeps of a file in memory; a hint, where it takes it."""
        if sys.platform == "linux":  # pragma: no branch
            with contextlib.suppress(OSError):
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def replace(self, source: Path, target: Path) -> None:
        patiently(lambda: source.replace(target))

    def remove(self, path: Path) -> None:
        patiently(lambda: path.unlink(missing_ok=True))

    def sync_folder(self, path: Path) -> None:
        """Make names in a folder durable. Windows has no such call, and needs none: NTFS journals names."""
        if sys.platform != "win32":  # pragma: no branch
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


class Draft:
    """A new file beside the one whose place it is to take: first `write`, then `settle`; without that, `drop` leaves nothing of it."""

    def __init__(self, files: Files, target: Path) -> None:
        self._files = files
        self._target = target
        self._partial = target.with_name(f"{target.name}.{secrets.token_hex(4)}{PARTIAL}")
        self._settled = False
        self.file = files.create(self._partial)

    def write(self, pieces: Iterable[bytes | memoryview]) -> None:
        """See `write_checked`."""
        write_checked(self._files, self.file, pieces)

    def settle(self) -> None:
        """Take the place, for good. Raises OSError, and then the old file is still there."""
        self.file.close()
        self._files.replace(self._partial, self._target)
        self._settled = True
        self._files.sync_folder(self._target.parent)

    def drop(self) -> None:
        """Remove it, unless it was settled."""
        self.file.close()
        if not self._settled:
            with contextlib.suppress(OSError):
                self._files.remove(self._partial)


def write_durably(files: Files, target: Path, pieces: Iterable[bytes | memoryview]) -> None:
    """Put `pieces` at `target`, in place of what was there, and return when they are there for good.

    Sealed temporary, fsync, read back and compare, rename, fsync of the folder. Raises OSError and WriteFailed, and then the old file is
    still there.
    """
    draft = Draft(files, target)
    try:
        draft.write(pieces)
        draft.settle()
    finally:
        draft.drop()


def write_checked(files: Files, file: FileIO, pieces: Iterable[bytes | memoryview]) -> None:
    """Write `pieces` to `file`, which is empty, have the drive take them, read them back and compare. Raises OSError, WriteFailed.

    The comparison is by marks of AES-GCM over each piece, under a key that is thrown away: it needs no secret of the vault, so it works
    while locked, and costs a tenth of SHA-256.
    """
    key, marks = AESGCM(secrets.token_bytes(16)), list[tuple[int, bytes]]()
    size = begun = 0
    for piece in pieces:
        files.write(file, memoryview(piece))
        marks.append((len(piece), _mark(key, piece)))
        size += len(piece)
        if size - begun >= _EARLY:
            files.begin_to_sync(file, begun, size - begun)
            begun = size
    files.sync(file)
    _compare(files.read_back(file), key, marks)
    files.uncache(file)  # nobody reads it soon: the next file gets its memory, and what others have there stays


def _mark(key: AESGCM, piece: bytes | memoryview) -> bytes:
    """16 bytes that differ if `piece` does. Nobody who knew the key could choose the bytes, so one nonce does for all."""
    return key.encrypt(_NO_NONCE, b"", piece)


def _compare(written: BinaryIO, key: AESGCM, marks: Sequence[tuple[int, bytes]]) -> None:
    """Raise WriteFailed unless the file consists of just these pieces."""
    place = memoryview(bytearray(max((size for size, _ in marks), default=0)))
    for size, mark in marks:
        got = 0
        while got < size and (more := written.readinto(place[got:size])):  # type: ignore[attr-defined]  # all files here have it
            got += more
        if _mark(key, place[:got]) != mark:
            raise WriteFailed
    if written.read(1):
        raise WriteFailed


def read_small(files: Files, path: Path, limit: int) -> bytes | None:
    """Return a file of at most `limit` bytes; None if it is longer. Raises OSError."""
    with files.open(path) as file:
        data = file.read(limit + 1)
    return None if len(data) > limit else data
