"""Plain data of an import: what a file says of the camera that made it, what it is taken for, and what became of it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.errors import Explanation
from app.vault.types import ItemId


class Confidence(enum.Enum):
    """How sure it is which camera made a file. `STRONG`: the file's own words name it; `LIKELY`: names of file or folder fit; `NONE`."""

    STRONG = "strong"
    LIKELY = "likely"
    NONE = "none"


class Sign(enum.Enum):
    """What was looked at; the values are kept in the vault."""

    MAKE = "make"
    MODEL = "model"
    COMMENT = "comment"
    COPYRIGHT = "copyright"
    NAME = "file name"
    FOLDER = "folder"
    SIZE = "picture size"


@dataclass(frozen=True, slots=True)
class Clues:
    """All that recognition looks at. `folders` are the names of the folders above, nearest first; `size` is in pixels."""

    tags: tuple[tuple[str, str], ...] = ()
    name: str = ""
    folders: tuple[str, ...] = ()
    size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Camera:
    """What a file was recognised as. `family` is "" for a camera or glasses that nobody here knows; `signs` are the reasons."""

    family: str
    label: str
    confidence: Confidence
    signs: tuple[tuple[Sign, str], ...] = ()

    @property
    def glasses(self) -> bool:
        """Whether it is glasses that made it, as far as can be told."""
        return self.confidence is not Confidence.NONE


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was found. `folders` as in `Clues`; size in bytes, and with the time of its last change what tells later whether it is
    still the same."""

    path: Path
    folders: tuple[str, ...]
    size: int
    modified_ns: int


class Fate(enum.Enum):
    """What became of one file. `KNOWN`: the vault had the same bytes; `PASSED_OVER`: no capture, or not one of glasses where only those
    were wanted, or not complete by its name."""

    TAKEN = "taken"
    KNOWN = "already in the vault"
    PASSED_OVER = "passed over"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One file's end. `item` is for those the vault holds; `why` for those refused or passed over, and those in its trash."""

    path: Path
    fate: Fate
    item: ItemId | None = None
    camera: Camera | None = None
    taken_at: datetime | None = None
    why: Explanation | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is: files and bytes, done of what was found so far.

    `rate` is in bytes a second, over the last seconds; it and `seconds_left` are None while that can't be told.
    """

    done: int
    total: int
    bytes_done: int
    bytes_total: int
    seconds_left: float | None = None
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What became of an import. `stopped`: it ended before the last file; started again, it goes on where it was. `why`: what ended it,
    where no person did.
    """

    outcomes: tuple[Outcome, ...] = ()
    stopped: bool = False
    why: Explanation | None = None

    def count(self, fate: Fate) -> int:
        return sum(outcome.fate is fate for outcome in self.outcomes)
