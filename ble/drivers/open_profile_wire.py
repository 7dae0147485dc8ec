"""The words of the open glasses profile: names, numbers, and how each message is packed and read. Pure; `ble/OPEN_PROFILE.md` is the text.

All integers are little-endian. Messages may grow at their end in later minor versions, so what is longer than known is read as far as
it is known. Reading never raises: what can't be read is None.
"""

from __future__ import annotations

import enum
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from ble.types import CaptureKind

FAMILY: Final = "open"
VERSION: Final = 1

SERVICE: Final = "eaca0001-19b9-4523-98c2-e81a6e1728bb"
FEATURES: Final = "eaca0002-19b9-4523-98c2-e81a6e1728bb"
CONTROL: Final = "eaca0003-19b9-4523-98c2-e81a6e1728bb"
CREDIT: Final = "eaca0004-19b9-4523-98c2-e81a6e1728bb"
DATA: Final = "eaca0005-19b9-4523-98c2-e81a6e1728bb"
STATUS: Final = "eaca0006-19b9-4523-98c2-e81a6e1728bb"

PAGE_BYTES: Final = 4096
"""Largest page of the list; it is sent without credit, so it is what a host must always have room for."""
WINDOWS_AHEAD: Final = 4
"""A read begins with credit for so many windows."""
MARK: Final = 0x80
"""Bit of the first byte of a data notification that tells a mark from a frame."""
HIGHEST_TAG: Final = 0x7F
UNKNOWN_FREE: Final = 0xFFFFFFFF

LONGEST_SOUND: Final = 600
"""Seconds of a voice note."""
LATEST_MS: Final = 4_102_444_800_000
"""The year 2100; a clock that shows more is wrong."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Feature(enum.IntFlag):
    """Bits of the features characteristic."""

    TAKE_PHOTO = 1 << 0
    CONTINUOUS_CAPTURE = 1 << 1
    BATTERY = 1 << 2
    STORAGE = 1 << 3
    RESUME = 1 << 4
    RELEASE = 1 << 5
    BONDING = 1 << 6
    MICROPHONE = 1 << 7
    VIDEO = 1 << 8


class Op(enum.IntEnum):
    """Requests to the control point."""

    LIST = 0x01
    READ = 0x02
    ABORT = 0x03
    ACKNOWLEDGE = 0x04
    RESTORE = 0x05
    SET_TIME = 0x06
    TAKE_PHOTO = 0x10
    CAPTURE_EVERY = 0x11
    RECORD_SOUND = 0x12


class Result(enum.IntEnum):
    """How a request ended. Unknown numbers count as FAILED."""

    OK = 0x01
    UNSUPPORTED = 0x02
    BAD_REQUEST = 0x03
    NO_SUCH_CAPTURE = 0x04
    BUSY = 0x05
    NOT_PERMITTED = 0x06
    STORAGE_FULL = 0x07
    CAMERA_FAILED = 0x08
    DIGEST_DIFFERS = 0x09
    BATTERY_LOW = 0x0A
    FAILED = 0x0B


class Trouble(enum.IntEnum):
    """Why the last capture that was ordered did not happen, in the status. Unknown numbers count as OTHER."""

    NONE = 0
    CAMERA = 1
    STORAGE_FULL = 2
    BATTERY_LOW = 3
    TOO_HOT = 4
    OTHER = 5


class StatusFlag(enum.IntFlag):
    """Bits of the status."""

    NONE = 0
    CONTINUOUS = 1 << 0
    RECORDING_VIDEO = 1 << 1
    MICROPHONE_ON = 1 << 2
    CHARGING = 1 << 3


class MarkFlag(enum.IntFlag):
    """Bits of a mark: it is the last of its transfer; the device can't go on."""

    NONE = 0
    LAST = 1 << 0
    FAILED = 1 << 1


PARAMETERS: Final[Mapping[Op, struct.Struct]] = MappingProxyType(
    {
        Op.LIST: struct.Struct("<IH"),  # after this id, at most so many records
        Op.READ: struct.Struct("<III"),  # id, offset, window
        Op.ABORT: struct.Struct("<B"),  # tag of the read
        Op.ACKNOWLEDGE: struct.Struct("<I8s"),  # id, first bytes of its SHA-256
        Op.RESTORE: struct.Struct("<I8s"),
        Op.SET_TIME: struct.Struct("<q"),  # ms since 1970, UTC
        Op.TAKE_PHOTO: struct.Struct("<"),
        Op.CAPTURE_EVERY: struct.Struct("<H"),  # seconds, 0: stop
        Op.RECORD_SOUND: struct.Struct("<H"),  # seconds, 0: stop
    }
)
ANSWERS: Final[Mapping[Op, struct.Struct]] = MappingProxyType(
    {
        Op.LIST: struct.Struct("<I"),  # records that remain after this page
        Op.READ: struct.Struct("<I"),  # size
        Op.TAKE_PHOTO: struct.Struct("<I"),  # id that the photo will have
        Op.RECORD_SOUND: struct.Struct("<I"),
    }
)
_NOTHING = struct.Struct("<")
_FEATURES = struct.Struct("<BBIHB")
_STATUS = struct.Struct("<BBHIIII")
_RECORD = struct.Struct("<BBBBIIq32s")
_FRAME_HEAD = struct.Struct("<BI")
_MARK = struct.Struct("<BIIB")
_CREDIT = struct.Struct("<BI")

FRAME_HEAD_BYTES: Final = _FRAME_HEAD.size
RECORD_BYTES: Final = _RECORD.size
DIGEST_HEAD_BYTES: Final = 8

MEDIA: Final[Mapping[int, tuple[CaptureKind, str]]] = MappingProxyType(
    {
        0x10: (CaptureKind.PHOTO, "image/jpeg"),
        0x11: (CaptureKind.PHOTO, "image/png"),
        0x12: (CaptureKind.PHOTO, "image/avif"),
        0x13: (CaptureKind.PHOTO, "image/heic"),
        0x20: (CaptureKind.VIDEO, "video/mp4"),
        0x21: (CaptureKind.VIDEO, "video/x-msvideo"),
        0x30: (CaptureKind.SOUND, "audio/ogg"),
        0x31: (CaptureKind.SOUND, "audio/wav"),
    }
)


@dataclass(frozen=True, slots=True)
class Features:
    """What the device is. `interval` is the time between two photos of continuous capture in seconds, 0 if it has none."""

    version: int
    minor: int
    features: Feature
    interval: int = 0
    pairing_open: bool = False

    def pack(self) -> bytes:
        return _FEATURES.pack(self.version, self.minor, self.features, self.interval, self.pairing_open)


def read_features(data: bytes) -> Features | None:
    if len(data) < _FEATURES.size:
        return None
    version, minor, bits, interval, flags = _FEATURES.unpack_from(data)
    known = Feature(bits & sum(Feature))
    return Features(version, minor, known, interval, bool(flags & 1))


@dataclass(frozen=True, slots=True)
class Status:
    """How the device does: 20 bytes, so that it fits the smallest link.

    `revision` changes whenever the list does; `newest` is the highest id in it. `trouble` says why the capture that was to become
    `failed` did not happen. `free_kib` None: not known.
    """

    flags: StatusFlag = StatusFlag.NONE
    trouble: Trouble = Trouble.NONE
    revision: int = 0
    captures: int = 0
    newest: int = 0
    failed: int = 0
    free_kib: int | None = None

    def pack(self) -> bytes:
        free = UNKNOWN_FREE if self.free_kib is None else self.free_kib
        return _STATUS.pack(self.flags, self.trouble, self.revision, self.captures, self.newest, self.failed, free)


def read_status(data: bytes) -> Status | None:
    if len(data) < _STATUS.size:
        return None
    flags, trouble, revision, captures, newest, failed, free = _STATUS.unpack_from(data)
    return Status(
        flags=StatusFlag(flags & sum(StatusFlag)),
        trouble=Trouble(trouble) if trouble in set(Trouble) else Trouble.OTHER,
        revision=revision,
        captures=captures,
        newest=newest,
        failed=failed,
        free_kib=None if free == UNKNOWN_FREE else free,
    )


@dataclass(frozen=True, slots=True)
class Record:
    """One capture in the list. `media` is a key of MEDIA, or one of a later version; `taken_ms` is since 1970 in UTC, 0 if not known."""

    id: int
    media: int
    size: int
    sha256: bytes
    taken_ms: int = 0
    orientation: int = 1

    def pack(self) -> bytes:
        return _RECORD.pack(RECORD_BYTES, self.media, self.orientation, 0, self.id, self.size, self.taken_ms, self.sha256)

    @property
    def taken_at(self) -> datetime | None:
        """UTC; None if the clock of the device was not set, or shows a time that can't be."""
        if not 0 < self.taken_ms <= LATEST_MS:
            return None
        return _EPOCH + timedelta(milliseconds=self.taken_ms)


def read_records(page: bytes) -> tuple[Record, ...] | None:
    """The records of one page; None if they do not fill it exactly, or one is shorter than a record is."""
    records = []
    at = 0
    while at < len(page):
        length = page[at]
        if length < RECORD_BYTES or at + length > len(page):
            return None
        _, media, orientation, _, number, size, taken, digest = _RECORD.unpack_from(page, at)
        records.append(Record(number, media, size, digest, taken, orientation if 1 <= orientation <= 8 else 1))
        at += length
    return tuple(records)


@dataclass(frozen=True, slots=True)
class Request:
    """`values` as in PARAMETERS. `tag` (1 to 127) is of the host's choosing; the answer, and what a read or list sends, carry it."""

    op: Op
    tag: int
    values: tuple[int | bytes, ...] = ()

    def pack(self) -> bytes:
        return bytes([self.op, self.tag]) + PARAMETERS[self.op].pack(*self.values)


def read_request(data: bytes) -> Request | None:
    if len(data) < 2 or data[0] not in set(Op) or not 1 <= data[1] <= HIGHEST_TAG:
        return None
    layout = PARAMETERS[Op(data[0])]
    if len(data) - 2 < layout.size:
        return None
    return Request(Op(data[0]), data[1], layout.unpack_from(data, 2))


@dataclass(frozen=True, slots=True)
class Answer:
    """The indication a request is answered with. `op` as in the request; `values` as in ANSWERS, empty unless `result` is OK."""

    op: int
    tag: int
    result: Result
    values: tuple[int, ...] = ()

    def pack(self) -> bytes:
        layout = ANSWERS.get(Op(self.op), _NOTHING) if self.op in set(Op) else _NOTHING
        return bytes([self.op | 0x80, self.tag, self.result]) + (layout.pack(*self.values) if self.result is Result.OK else b"")


def read_answer(data: bytes) -> Answer | None:
    if len(data) < 3 or not data[0] & 0x80:
        return None
    op, tag = data[0] & 0x7F, data[1]
    result = Result(data[2]) if data[2] in set(Result) else Result.FAILED
    layout = ANSWERS.get(Op(op), _NOTHING) if op in set(Op) else _NOTHING
    if result is not Result.OK:
        return Answer(op, tag, result)
    if len(data) - 3 < layout.size:
        return None
    return Answer(op, tag, result, layout.unpack_from(data, 3))


@dataclass(frozen=True, slots=True)
class Frame:
    """Bytes of a capture, or of a page of the list, and where in it they belong."""

    tag: int
    offset: int
    body: bytes

    def pack(self) -> bytes:
        return _FRAME_HEAD.pack(self.tag, self.offset) + self.body


@dataclass(frozen=True, slots=True)
class Mark:
    """The end of a window: `end` is the offset behind its last byte, `crc` the CRC-32 of its bytes."""

    tag: int
    end: int
    crc: int
    flags: MarkFlag = MarkFlag.NONE

    def pack(self) -> bytes:
        return _MARK.pack(self.tag | MARK, self.end, self.crc, self.flags)


def read_data(value: bytes) -> Frame | Mark | None:
    """A data notification; None if it is too short for what it says it is, or carries no bytes."""
    if not value:
        return None
    if value[0] & MARK:
        if len(value) < _MARK.size:
            return None
        first, end, crc, flags = _MARK.unpack_from(value)
        return Mark(first & HIGHEST_TAG, end, crc, MarkFlag(flags & sum(MarkFlag)))
    if len(value) <= FRAME_HEAD_BYTES:
        return None
    tag, offset = _FRAME_HEAD.unpack_from(value)
    return Frame(tag, offset, value[FRAME_HEAD_BYTES:])


def pack_credit(tag: int, up_to: int) -> bytes:
    """Leave to send the read `tag` up to the offset `up_to`, not included."""
    return _CREDIT.pack(tag, up_to)


def read_credit(data: bytes) -> tuple[int, int] | None:
    if len(data) < _CREDIT.size:
        return None
    tag, up_to = _CREDIT.unpack_from(data)
    return tag, up_to


def crc32(data: bytes | bytearray) -> int:
    """CRC-32 as in IEEE 802.3, zlib and PNG: polynomial 0x04C11DB7 reflected, initial value and final XOR 0xFFFFFFFF."""
    return zlib.crc32(data)
