"""Plain data of the vault: what is known of an item, and what others ask it for. No keys, no files."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType

ItemId = NewType("ItemId", str)
"""32 lower-case hex digits, random; also the name of the object's file."""


class LockState(enum.Enum):
    ABSENT = "absent"
    LOCKED = "locked"
    UNLOCKING = "unlocking"
    UNLOCKED = "unlocked"


class ItemKind(enum.Enum):
    PHOTO = "photo"
    VIDEO = "video"
    SOUND = "sound"
    OTHER = "other"


class SlotKind(enum.Enum):
    """How the identity is sealed in one key slot."""

    PASSPHRASE = "passphrase"
    KEYRING = "keyring"
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True)
class SlotInfo:
    """One key slot, as it may be shown while locked. `keyring` is the full class name of the keyring back end, for that kind only."""

    id: str
    kind: SlotKind
    created_at: datetime
    keyring: str = ""


@dataclass(frozen=True, slots=True)
class KeyringReport:
    """Whether this computer has a keyring that may hold a key: its class name, and one honest sentence."""

    trusted: bool
    name: str
    text: str


class NoticeKind(enum.Enum):
    """What differs from when this computer last saw the vault."""

    OLDER_STATE = "older state"
    MISSING = "missing"
    NOT_COMPARED = "not compared"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about the vault as a whole that must be said; `serious` ones stay until accepted. `count` is how many it concerns."""

    kind: NoticeKind
    serious: bool
    text: str
    count: int


@dataclass(frozen=True, slots=True)
class Origin:
    """How an item came: from which glasses (`address` is their identity), or by which import."""

    family: str
    address: str = ""
    name: str = ""
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Recognised:
    """Why an imported file is taken for one of these glasses: how sure ("strong", "likely"), and the signs, as (what, its text)."""

    confidence: str
    signs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Share:
    """One time the item, or something made from it, was sent. `leaves_computer` is false for the mirror and local servers."""

    destination: str
    company: str
    at: datetime
    receipt: int
    leaves_computer: bool


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question put to an assistant about the item, and its answer, kept sealed with it."""

    at: datetime
    destination: str
    question: str
    answer: str
    receipt: int


@dataclass(frozen=True, slots=True)
class NewItem:
    """What an importer knows of a capture when it hands over the bytes. Times are UTC; `orientation` is EXIF 1 to 8.

    `width` and `height` are in pixels as stored, before orientation; `duration_ms` is for video and sound. `recognised` is for imports;
    `group` is the same for files that belong together, as a still and its clip do ("" for one that is alone).
    """

    kind: ItemKind
    media_type: str
    taken_at: datetime
    origin: Origin
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None
    orientation: int = 1
    original_name: str = ""
    recognised: Recognised | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class ItemMeta:
    """All that is known of an item: the sealed meta file, parsed. Replaced whole, with `revision` one higher each time.

    `size` is in bytes, `sha256` is hex of the media as they came from the glasses. `exported`: when readable copies were written (UTC).
    """

    id: ItemId
    revision: int
    new: NewItem
    size: int
    sha256: str
    arrived_at: datetime
    note: str = ""
    favourite: bool = False
    albums: tuple[str, ...] = ()
    trashed_at: datetime | None = None
    shares: tuple[Share, ...] = ()
    exchanges: tuple[Exchange, ...] = field(default=())
    exported: tuple[datetime, ...] = ()


RECOVERED = "recovered"
"""Family of the origin of an item whose meta file is missing or damaged: all that is known is what the object itself tells."""


@dataclass(frozen=True, slots=True)
class ObjectFault:
    """One object that did not read back whole; `what` is a sentence."""

    id: ItemId
    what: str


@dataclass(frozen=True, slots=True)
class FileFault:
    """One file besides the captures' own (a key slot, a record) that is not as it should be; `file` is its name below the vault."""

    file: str
    what: str


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """`checked` counts captures, those of an interrupted run that went on (`resumed`) included. `notes` are no faults."""

    checked: int
    faults: tuple[ObjectFault, ...]
    files: tuple[FileFault, ...] = ()
    records: int = 0
    notes: tuple[str, ...] = ()
    resumed: int = 0

    @property
    def sound(self) -> bool:
        return not self.faults and not self.files
