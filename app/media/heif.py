"""What a HEIF file says of its picture, read without decoding it (ISO/IEC 23008-12; boxes as in ISO/IEC 14496-12, 8.11).

Decoding 12 megapixels takes a second in a process of its own; an import has to know size, time and camera of thousands. Bounded, and
strict: whatever is not plain is left to the decoder.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from app.media.exif import EXIF_HEADER

_MOST_BOXES = 4096
_MOST_PARTS = 64
_LARGEST_EXIF = 1 << 20
_QUARTERS = 3
"""The bits of an `irot` that count its quarter turns."""


@dataclass(frozen=True, slots=True)
class Described:
    """Width and height in pixels as the picture is shown, its turn applied, and its EXIF block (empty if it has none)."""

    width: int
    height: int
    exif: bytes


class _Odd(ValueError):
    """Not as plain as cameras write it."""


@dataclass(slots=True)
class _Cursor:
    """Reads big-endian numbers one after the other. Raises struct.error at the end."""

    data: bytes
    at: int = 0

    def number(self, size: int) -> int:
        """Of 1, 2, 4 or 8 bytes; 0 of none."""
        if not size:
            return 0
        (value,) = struct.unpack_from({1: ">B", 2: ">H", 4: ">I", 8: ">Q"}[size], self.data, self.at)
        self.at += size
        return int(value)


def describe(data: bytes) -> Described | None:
    """What the primary picture of a HEIF file is; None where only a decoder can tell. Never raises."""
    try:
        return _describe(data)
    except (struct.error, LookupError, _Odd):
        return None


def _describe(data: bytes) -> Described:
    meta = dict(_boxes(dict(_boxes(data))[b"meta"][4:]))
    primary = _versioned(meta[b"pitm"], {0: 2, 1: 4})[0]
    properties = dict(_boxes(meta[b"iprp"]))
    shapes = list(_boxes(properties[b"ipco"]))
    width = height = turns = 0
    for index in _properties_of(primary, properties[b"ipma"]):
        kind, body = shapes[index - 1] if 0 < index <= len(shapes) else (b"", b"")
        if kind == b"ispe":
            width, height = struct.unpack_from(">II", body, 4)
        elif kind == b"irot":
            turns = body[0] & _QUARTERS if body else 0
        elif kind == b"clap":
            width, height = _aperture(body, width, height)
    if not width or not height:
        raise _Odd
    upright = (height, width) if turns % 2 else (width, height)
    return Described(*upright, _exif(data, meta))


def _aperture(body: bytes, width: int, height: int) -> tuple[int, int]:
    """The size of the part that is to be seen: two fractions, which are whole where a camera cut its blocks off."""
    across, across_parts, down, down_parts = struct.unpack_from(">4I", body)
    if not across_parts or not down_parts or across % across_parts or down % down_parts:
        raise _Odd
    seen = across // across_parts, down // down_parts
    if seen[0] > width or seen[1] > height:
        raise _Odd
    return seen


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and content of each box that lies whole in `data`."""
    at = 0
    for _ in range(_MOST_BOXES):
        if at + 8 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, at)
        start = at + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, start)
            start += 8
        end = at + length if length else len(data)
        if end < start or end > len(data):
            raise _Odd
        yield kind, data[start:end] if kind != b"mdat" else b""
        at = end
    raise _Odd


def _versioned(body: bytes, sizes: dict[int, int]) -> tuple[int, _Cursor]:
    """The first number of a box that has a version, of so many bytes in each, and where it goes on."""
    cursor = _Cursor(body, 4)
    return cursor.number(sizes[min(body[0], max(sizes))] if body else 4), cursor


def _properties_of(item: int, body: bytes) -> list[int]:
    """The places in `ipco`, counted from 1, of what belongs to `item`."""
    count, cursor = _versioned(body, {0: 4})
    wide = body[3] & 1
    for _ in range(min(count, _MOST_BOXES)):
        owner = cursor.number(4 if body[0] else 2)
        places = [cursor.number(2 if wide else 1) & (0x7FFF if wide else 0x7F) for _ in range(cursor.number(1))]
        if owner == item:
            return places
    raise _Odd


def _exif(data: bytes, meta: dict[bytes, bytes]) -> bytes:
    """The content of the first item of the type Exif, which begins with the offset of its TIFF block."""
    items = (_Cursor(entry) for kind, entry in _boxes(_after_count(meta[b"iinf"])) if kind == b"infe")
    for entry in items:
        version = entry.number(1)
        entry.at = 4
        item = entry.number(4 if version == 3 else 2)
        entry.number(2)
        if version >= 2 and entry.data[entry.at : entry.at + 4] == b"Exif":
            content = _content(item, data, meta)
            skip = int.from_bytes(content[:4], "big") + 4
            return EXIF_HEADER + content[skip:] if skip <= len(content) else b""
    return b""


def _after_count(body: bytes) -> bytes:
    return body[6 if body[:1] == b"\0" else 8 :]


def _content(item: int, data: bytes, meta: dict[bytes, bytes]) -> bytes:
    """The bytes that `iloc` names for `item`."""
    body = meta[b"iloc"]
    version, cursor = body[0], _Cursor(body, 4)
    sizes = cursor.number(2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    for _ in range(min(cursor.number(2 if version < 2 else 4), _MOST_BOXES)):
        owner = cursor.number(2 if version < 2 else 4)
        method = cursor.number(2) & 15 if version else 0
        cursor.number(2)
        base, parts = cursor.number(base_size), b""
        source = {0: data, 1: meta.get(b"idat", b"")}.get(method)
        for part in range(cursor.number(2)):
            if part == _MOST_PARTS:  # they may be described in no bytes at all
                raise _Odd
            if version:
                cursor.number(index_size)
            start, length = base + cursor.number(offset_size), cursor.number(length_size)
            if owner == item:
                if source is None or len(parts) + length > _LARGEST_EXIF:
                    raise _Odd
                parts += source[start : start + length]
        if owner == item:
            return parts
    raise _Odd
