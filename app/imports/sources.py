"""Files of other people's making, found and opened with care: no link is followed, nothing but a plain file is opened, and whoever changes
a file while it is read is noticed. Owns nothing; blocking.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from app.errors import Explanation, EyelidError, explain
from app.imports.types import Fate, Outcome, Source

MOST_FILES = 200_000
"""Files of one import; more is a mistake of somebody who chose a whole disk."""
DEEPEST = 40
"""Folders below one another."""
LARGEST = 4 * 1024**3
"""Bytes of one file: about half an hour of what glasses film."""
_PARTIAL = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".opdownload", ".filepart", ".!sync")
"""Endings that browsers, file managers and synchronisers give to what is not all there yet."""
_TRIVIA = frozenset({"thumbs.db", "desktop.ini"})
_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"Rar!", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")
"""How archives begin: ZIP, also an empty one, RAR, 7-Zip, gzip, bzip2, xz, Zstandard."""
_FOLDERS_ABOVE = 3
"""Names of so many folders above a file may say where it comes from."""
_UNFINISHED = Explanation(
    "Its name says that it is not complete.", "Another program has not finished it yet.", "Import it again when that is done."
)


class SourceRefused(EyelidError):
    """Something that was to be imported is no file that can be."""


class SourceChanged(SourceRefused):
    """A file became another while it was read."""

    def __init__(self) -> None:
        super().__init__("A file changed while it was read.", "Another program is writing to it.", "Import it again when that is done.")


def no_capture(head: bytes) -> Explanation:
    """What to say of a file that begins with `head` and is no picture, video or sound."""
    if not head:
        return Explanation("This file is empty.")
    if head.startswith(_ARCHIVES):
        action = "Unpack it, and import the folder. The archive that Meta makes of your data is chosen as Meta's archive."
        return Explanation("This is an archive.", "Archives are not opened here.", action)
    return Explanation("This is no picture, video or sound of a common kind.")


def _is_partial(name: str) -> bool:
    return name.lower().endswith(_PARTIAL)


def _is_unmeant(name: str) -> bool:
    """Hidden files, backups, and what systems leave in folders: nobody means to import them, nor to read a line about each."""
    return name.startswith((".", "~")) or name.endswith("~") or name.lower() in _TRIVIA


def find(paths: Iterable[Path]) -> Iterator[Source | Outcome]:
    """Yield each file below `paths`, folders in the order of their names; an outcome for what can't be a capture.

    A link that a person named themselves is followed once; links inside folders are not. Hidden files inside folders are left out, and
    those whose names say that they are not complete get an outcome, too. Stops with a refusal after `MOST_FILES`.
    """
    count = 0
    for path in paths:
        for found in _find(path, DEEPEST, named=True):
            count += 1
            if count > MOST_FILES:
                yield _refused(path, Explanation("There are too many files.", f"More than {MOST_FILES:,} were found.", "Choose a folder."))
                return
            yield found


def _find(path: Path, depth: int, *, named: bool = False) -> Iterator[Source | Outcome]:
    try:
        status = path.stat() if named else path.lstat()
    except (OSError, ValueError) as error:
        yield _refused(path, explain(error))
        return
    if stat.S_ISDIR(status.st_mode):
        yield from _inside(path, depth)
    elif stat.S_ISREG(status.st_mode):
        yield _source(path.resolve() if named else path, status)
    elif stat.S_ISLNK(status.st_mode):
        yield _refused(path, Explanation("This is a link to another place.", "Links are not followed.", "Import that place itself."))
    else:
        yield _refused(path, Explanation("This is no file.", "It is a pipe, a socket or a device.", "Choose files or folders."))


def _inside(folder: Path, depth: int) -> Iterator[Source | Outcome]:
    if depth == 0:
        yield _refused(folder, Explanation("This folder lies too deep.", "There are too many folders in one another.", "Import it itself."))
        return
    try:
        names = sorted(entry.name for entry in os.scandir(folder))
    except OSError as error:
        yield _refused(folder, explain(error))
        return
    for name in names:
        if _is_unmeant(name):
            continue
        if _is_partial(name):
            yield Outcome(folder / name, Fate.PASSED_OVER, why=_UNFINISHED)
        else:
            yield from _find(folder / name, depth - 1)


def _source(path: Path, status: os.stat_result) -> Source:
    folders = tuple(parent.name for parent in list(path.parents)[:_FOLDERS_ABOVE] if parent.name)
    return Source(path, folders, status.st_size, status.st_mtime_ns)


def _refused(path: Path, why: Explanation) -> Outcome:
    return Outcome(path, Fate.REFUSED, why=why)


@contextmanager
def opened(source: Source) -> Iterator[BinaryIO]:
    """The file, for reading. Raises SourceChanged when it is not, or at the end is no more, the one that was found; OSError."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(source.path, flags), "rb", buffering=0) as raw:
        _same(source, raw.fileno())
        yield raw
        _same(source, raw.fileno())


def _same(source: Source, descriptor: int) -> None:
    """Not by its number on the drive: phones, and other drives over FUSE, number their files anew whenever they like (use_ino, libfuse)."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or (status.st_size, status.st_mtime_ns) != (source.size, source.modified_ns):
        raise SourceChanged
