"""What ends an import for all of its files at once: the drive they are on is gone, or that of the vault is full.

Without it, each of thousands would be told to be missing. Blocking, and cheap; asked only about files that could not be taken in.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from app.errors import Explanation

LEAST = 8 * 1024 * 1024
"""Bytes free on the vault's drive below which it counts as full: about one photo, and what the index needs for it."""
SEVERAL = 5
"""Files in a row that fail before it is the drive: one alone may lie on a bad spot of it."""
_FAULTS = frozenset({errno.EIO, errno.ENXIO, errno.ENODEV, errno.ENOTCONN, errno.ESTALE})
"""What reading says while a drive that was pulled out, or a phone that went to sleep, is still shown."""
_GONE = Explanation(
    "The drive or folder is not there any more.", "It was pulled out, or moved, while files were read.", "Connect it again, then go on."
)
_FAILING = Explanation("The drive can't be read any more.", "Several files in a row could not be read.", "Connect it again, then go on.")
_FULL = Explanation("The vault's disk is full.", "Not even a photo has room there.", "Free some space, then go on.")


class Obstacles:
    """Knows the places that files come from as they were when it was made, and how many of them failed in a row."""

    def __init__(self, paths: Iterable[Path], vault: Path) -> None:
        """`paths`: what a person named; `vault`: its folder."""
        self._vault = vault
        self._failed = 0
        self._devices = {place: _device(place) for place in map(_place, paths)}

    def in_the_way(self, path: Path) -> Explanation | None:
        """What keeps also other files from coming in, after the one at `path` could not."""
        above = (place for place in self._devices if path.is_relative_to(place))
        if any(self._devices[place] is not None and _device(place) != self._devices[place] for place in above):
            return _GONE
        self._failed = self._failed + 1 if _fails(path) else 0
        if self._failed >= SEVERAL:
            return _FAILING
        try:
            return _FULL if shutil.disk_usage(self._vault).free < LEAST else None
        except OSError:
            return None


def _place(path: Path) -> Path:
    """The folder that is there as long as its drive is."""
    try:
        return path if path.is_dir() else path.resolve().parent
    except (OSError, ValueError):
        return path


def _device(place: Path) -> int | None:
    """The drive it is on: where a drive was mounted, the empty folder below it may stay."""
    try:
        return place.stat().st_dev
    except (OSError, ValueError):
        return None


def _fails(path: Path) -> bool:
    """Whether reading a file of that drive fails as no sound drive does, at its beginning or its end."""
    try:
        with path.open("rb", buffering=0) as file:
            file.read(1)
            file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
            file.read(1)
    except (OSError, ValueError) as error:
        return isinstance(error, OSError) and error.errno in _FAULTS
    return False
