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
PARTIAL = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".opdownload", ".filepart", ".!sync", ".stversions")
"""Endings that browsers, file managers and synchronisers give to what is not all there yet."""
_TRIVIA = frozenset({"thumbs.db", "desktop.ini", ".ds_store", ".nomedia"})
_FOLDERS_ABOVE = 3
"""Names of so many folders above a file may say where it comes from."""


class SourceRefused(EyelidError):
    """Something that was to be imported is no file that can be."""


class SourceChanged(SourceRefused):
    """A file became another while it was read."""

    def __init__(self) -> None:
        super().__init__("A file changed while it was read.", "Another program is writing to it.", "Import it again when that is done.")


def is_partial(name: str) -> bool:
    """Whether a file of this name is one that some program has not finished, or one that nobody means to import."""
    lower = name.lower()
    return lower.startswith((".", "~")) or lower.endswith((*PARTIAL, "~")) or lower in _TRIVIA


def find(paths: Iterable[Path]) -> Iterator[Source | Outcome]:
    """Yield each file below `paths`, folders in the order of their names; an outcome for what can't be a capture.

    A link that a person named themselves is followed once; links inside folders are not. Stops with a refusal after `MOST_FILES`.
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
        if named or not is_partial(path.name):
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
        if not is_partial(name):
            yield from _find(folder / name, depth - 1)


def _source(path: Path, status: os.stat_result) -> Source:
    folders = tuple(parent.name for parent in list(path.parents)[:_FOLDERS_ABOVE] if parent.name)
    return Source(path, folders, status.st_size, status.st_mtime_ns, status.st_ino)


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
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise SourceChanged
    if (status.st_size, status.st_mtime_ns, status.st_ino) != (source.size, source.modified_ns, source.inode):
        raise SourceChanged
