"""EXIF: a small bounded reader, and the lossless writer used when a picture is exported (CIPA DC-008, TIFF 6.0)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.media import clock
from app.media.errors import MediaDamaged

EXIF_HEADER = b"Exif\x00\x00"
_MAX_ENTRIES = 512
_MAX_TEXT = 4096
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}

ORIENTATION, EXIF_IFD, GPS_IFD = 0x0112, 0x8769, 0x8825
_WORDS: Mapping[str, frozenset[int]] = {
    "camera serial number": frozenset({0xA431, 0xA435, 0xC62F}),
    "camera make and model": frozenset({0x010F, 0x0110, 0xA433, 0xA434}),
    "date and time": frozenset(tag for each in clock.CLOCKS for tag in (each.time, each.offset, each.fraction)),
    "name of the owner": frozenset({0x013B, 0x8298, 0xA430, 0x9C9D}),
    "description or comment": frozenset({0x010E, 0x9286, 0x9C9B, 0x9C9C, 0x9C9E, 0x9C9F}),
    "name of the software": frozenset({0x0131}),
    "unique number of the picture": frozenset({0xA420}),
    "maker's own notes": frozenset({0x927C}),
}


_TAGS: Mapping[str, int] = {"make": 0x010F, "model": 0x0110, "software": 0x0131, "description": 0x010E, "comment": 0x9286}
_CHARSET = 8
"""Bytes before a UserComment that name its character set (CIPA DC-008, 4.6.6.5)."""
LONGEST_TAG = 200
"""Characters of a camera's own words that are kept."""
_PREVIEW_START, _PREVIEW_LENGTH = 0x0201, 0x0202
"""JPEGInterchangeFormat and its length, in the second directory (CIPA DC-008, 4.6.8)."""


@dataclass(frozen=True, slots=True)
class Exif:
    """What was read. `whole` is false when a part of it could not be; `orientation` is 1 to 8; `tags` as in `MediaFacts`.

    `preview` is what the camera put there as a small JPEG of the picture, unchecked; empty if there is none.
    """

    orientation: int = 1
    taken_at: datetime | None = None
    traces: tuple[str, ...] = ()
    whole: bool = True
    tags: tuple[tuple[str, str], ...] = ()
    preview: bytes = b""


@dataclass(slots=True)
class _Reader:
    """One walk over the directories of a TIFF block; every offset is checked before it is used."""

    data: bytes
    order: str
    whole: bool = True
    tags: dict[int, bytes] = field(default_factory=dict)

    def number(self, at: int, letter: str) -> int | None:
        size = struct.calcsize(letter)
        if at < 0 or at + size > len(self.data):
            self.whole = False
            return None
        value: int = struct.unpack_from(self.order + letter, self.data, at)[0]
        return value

    def directory(self, at: int) -> int:
        """Collect the entries of the directory at `at`; returns the offset of the next one, 0 for none."""
        count = self.number(at, "H")
        if count is None:
            return 0
        for index in range(min(count, _MAX_ENTRIES)):
            self._entry(at + 2 + 12 * index)
        self.whole = self.whole and count <= _MAX_ENTRIES
        return self.number(at + 2 + 12 * count, "I") or 0

    def _entry(self, at: int) -> None:
        tag, kind, count = self.number(at, "H"), self.number(at + 2, "H"), self.number(at + 4, "I")
        if tag is None or kind is None or count is None:
            return
        size = _SIZES.get(kind, 1) * count
        place = at + 8 if size <= 4 else self.number(at + 8, "I")
        if place is None or place + size > len(self.data):
            self.whole = False
            self.tags.setdefault(tag, b"")
            return
        self.tags.setdefault(tag, self.data[place : place + min(size, _MAX_TEXT)])

    def pointer(self, tag: int) -> int | None:
        raw = self.tags.get(tag, b"")
        return struct.unpack(self.order + "I", raw)[0] if len(raw) == 4 else None


def read(block: bytes) -> Exif:
    """Read a TIFF block, with or without the header `Exif\\0\\0`. Never raises: what cannot be read is said by `whole`."""
    tiff = block.removeprefix(EXIF_HEADER)
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(tiff[:4])
    if order is None:
        return Exif(whole=not tiff)
    reader = _Reader(tiff, order)
    first = reader.number(4, "I")
    thumbnail = reader.directory(first) if first is not None else 0
    sub = reader.pointer(EXIF_IFD)
    if sub is not None:
        reader.directory(sub)
    traces = [word for word, tags in _WORDS.items() if tags & reader.tags.keys()]
    if GPS_IFD in reader.tags:
        traces.insert(0, "location")
    if thumbnail:
        traces.append("embedded thumbnail")
    tags = tuple((name, text) for name, tag in _TAGS.items() if (text := _text(tag, reader.tags.get(tag, b""))))
    taken_at = clock.taken_at(reader.tags, _apart(tiff, order, reader.pointer(GPS_IFD)).tags, order)
    return Exif(_orientation(reader), taken_at, tuple(traces), reader.whole, tags, _preview(tiff, order, thumbnail))


def _apart(tiff: bytes, order: str, directory: int | None) -> _Reader:
    """A reader of its own for a directory whose tags have numbers that mean something else in the picture's own."""
    reader = _Reader(tiff, order)
    if directory:
        reader.directory(directory)
    return reader


def _preview(tiff: bytes, order: str, directory: int) -> bytes:
    reader = _apart(tiff, order, directory)
    start, length = reader.pointer(_PREVIEW_START), reader.pointer(_PREVIEW_LENGTH)
    return tiff[start : start + length] if start and length and start + length <= len(tiff) else b""


def _text(tag: int, raw: bytes) -> str:
    return printable((raw[_CHARSET:] if tag == _TAGS["comment"] else raw).partition(b"\0")[0].decode("utf-8", "replace"))


def printable(text: str) -> str:
    """A stranger's words as far as they can be shown: no line ends, no marks that turn the direction of writing, not endless."""
    return (text if text.isprintable() else "".join(filter(str.isprintable, text)))[:LONGEST_TAG].strip()


def printable_name(name: str) -> str:
    """The same for the name of a file, or its whole path; of a long one the end, which tells it from others."""
    return printable(name[-LONGEST_TAG:])


def _orientation(reader: _Reader) -> int:
    raw = reader.tags.get(ORIENTATION, b"")
    value = struct.unpack_from(reader.order + "H", raw)[0] if len(raw) >= 2 else 1
    return value if 1 <= value <= 8 else 1


def with_orientation(jpeg: bytes, orientation: int, taken_at: datetime) -> bytes:
    """Return `jpeg` with an EXIF block right after its start, so that other viewers show it upright and dated.

    Not one byte of the picture changes. `orientation` is EXIF 1 to 8; the time is written as the clock of `taken_at`'s own zone, with its
    offset. A picture that has EXIF already is returned as it is: its camera knew better. Raises MediaDamaged for what is no JPEG,
    ValueError for an orientation outside 1 to 8.
    """
    if not 1 <= orientation <= 8:
        raise ValueError(f"EXIF orientation {orientation}")
    if jpeg[:3] != b"\xff\xd8\xff":
        raise MediaDamaged("It does not begin as a JPEG picture does.", noun="picture")
    if _has_exif(jpeg):
        return jpeg
    payload = EXIF_HEADER + _block(orientation, taken_at)
    return jpeg[:2] + b"\xff\xe1" + (len(payload) + 2).to_bytes(2, "big") + payload + jpeg[2:]


def _has_exif(jpeg: bytes) -> bool:
    """Look through the segments before the first frame or scan."""
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF and (0xE0 <= jpeg[at + 1] <= 0xEF or jpeg[at + 1] == 0xFE):
        if jpeg[at + 1] == 0xE1 and jpeg[at + 4 : at + 10] == EXIF_HEADER:
            return True
        at += 2 + max(int.from_bytes(jpeg[at + 2 : at + 4], "big"), 2)
    return False


def _block(orientation: int, taken_at: datetime) -> bytes:
    """A big-endian TIFF block: IFD0 with orientation and the pointer, the Exif IFD with version, time and offset."""
    when = taken_at.strftime("%Y:%m:%d %H:%M:%S").encode("ascii") + b"\x00"
    offset = taken_at.strftime("%z")
    texts = [(clock.ORIGINAL.time, when)]
    if offset:
        texts.append((clock.ORIGINAL.offset, f"{offset[:3]}:{offset[3:5]}".encode("ascii") + b"\x00"))
    sub_at = 8 + 2 + 2 * 12 + 4
    text_at = sub_at + 2 + (1 + len(texts)) * 12 + 4
    main = struct.pack(">HHHIHH HHII I", 2, ORIENTATION, 3, 1, orientation, 0, EXIF_IFD, 4, 1, sub_at, 0)
    entries, tail = [struct.pack(">HHI4s", 0x9000, 7, 4, b"0232")], b""
    for tag, text in texts:
        entries.append(struct.pack(">HHII", tag, 2, len(text), text_at + len(tail)))
        tail += text
    return b"MM\x00*\x00\x00\x00\x08" + main + struct.pack(">H", len(entries)) + b"".join(entries) + b"\x00" * 4 + tail
