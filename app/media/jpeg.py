"""The skeleton of a JPEG file, read without decoding: markers, sizes, scans, and whether the end is there (ITU-T T.81, annex B)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.media.errors import EMPTY, ENDS_EARLY, MediaDamaged, MediaTooLarge

MAX_SCANS = 100
"""A progressive picture has about ten; thousands make a decoder work for minutes on a small file."""
MAX_SEGMENTS = 4096
"""A 16 MiB colour profile takes 256; more than this is no photograph."""

EOI, SOS, COM, APP0, APP1, APP14 = 0xD9, 0xDA, 0xFE, 0xE0, 0xE1, 0xEE
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
_END = bytes((0xFF, EOI))
_NOUN = "picture"


@dataclass(frozen=True, slots=True)
class Segment:
    """One marker segment: `start` is where its payload begins in the file and `end` where it ends, both after the length field."""

    marker: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Skeleton:
    """What the markers say. `end` is the offset after EOI; bytes may follow it."""

    width: int
    height: int
    segments: tuple[Segment, ...]
    scans: int
    end: int


def walk(data: bytes, max_pixels: int, *, to_the_first_scan: bool = False) -> Skeleton:
    """Walk all markers from SOI to EOI.

    `to_the_first_scan`: what comes after its start is only seen to end as a picture ends, where that is the end of the file; looking at
    each byte of 2 MB costs as much as sealing them. Raises MediaDamaged where the end is missing, a segment runs over the end, there is no
    frame or no scan, or the frame has no area or more than `max_pixels`.
    """
    if not data:
        raise MediaDamaged(EMPTY, noun=_NOUN)
    if data[:2] != b"\xff\xd8":
        raise MediaDamaged("It does not begin as a JPEG picture does.", noun=_NOUN)
    size: tuple[int, int] | None = None
    segments: list[Segment] = []
    scans, at = 0, 2
    while True:
        marker, at = _marker(data, at)
        if marker == EOI:
            break
        if marker in _ALONE:
            continue
        part = _segment(data, marker, at)
        segments.append(part)
        at = part.end
        if marker in _FRAMES:
            size = _frame_size(data[part.start : part.end], max_pixels)
        elif marker == SOS:
            scans += 1
            at = len(data) - len(_END) if to_the_first_scan and data.endswith(_END, at) else _end_of_scan(data, at)
        if scans > MAX_SCANS or len(segments) > MAX_SEGMENTS:
            raise MediaDamaged("It is built to keep a decoder busy, as no camera builds pictures.", noun=_NOUN)
    if size is None or not scans:
        raise MediaDamaged("It holds no picture.", noun=_NOUN)
    return Skeleton(*size, tuple(segments), scans, at)


def _marker(data: bytes, at: int) -> tuple[int, int]:
    """The marker at `at` and the offset after it; fill bytes 0xFF before it are allowed."""
    if at < len(data) and data[at] != 0xFF:
        raise MediaDamaged("Its parts do not follow one another as they should.", noun=_NOUN)
    while at < len(data) and data[at] == 0xFF:
        at += 1
    if at >= len(data):
        raise MediaDamaged(ENDS_EARLY, noun=_NOUN)
    return data[at], at + 1


def _segment(data: bytes, marker: int, at: int) -> Segment:
    length = int.from_bytes(data[at : at + 2], "big")
    if at + max(length, 2) > len(data):
        raise MediaDamaged(ENDS_EARLY, noun=_NOUN)
    if length < 2:
        raise MediaDamaged("One of its parts has an impossible length.", noun=_NOUN)
    return Segment(marker, at + 2, at + length)


def _frame_size(payload: bytes, max_pixels: int) -> tuple[int, int]:
    if len(payload) < 6:
        raise MediaDamaged("One of its parts has an impossible length.", noun=_NOUN)
    height, width = int.from_bytes(payload[1:3], "big"), int.from_bytes(payload[3:5], "big")
    if not width or not height:
        raise MediaDamaged("It says it has no width or no height.", noun=_NOUN)
    if width * height > max_pixels:
        raise MediaTooLarge(noun=_NOUN)
    return width, height


def _end_of_scan(data: bytes, at: int) -> int:
    """Skip entropy-coded data: up to the next marker that is neither a stuffed zero, a restart nor fill."""
    found = _NEXT_MARKER.search(data, at)
    if found is None:
        raise MediaDamaged(ENDS_EARLY, noun=_NOUN)
    return found.start()


def bare(data: bytes, skeleton: Skeleton) -> bytes:
    """Return the JPEG without metadata and without what follows its end, the coded picture untouched.

    Decoders are handed this, so that no other parser (EXIF, profiles, further pictures) ever sees hostile bytes. JFIF and Adobe
    segments stay: they say which colours are meant.
    """
    kept, at = [], 0
    for part in skeleton.segments:
        is_metadata = part.marker == COM or (APP0 < part.marker <= 0xEF and part.marker != APP14)
        if is_metadata:
            kept.append(data[at : part.start - 4])
            at = part.end
    kept.append(data[at : skeleton.end])
    return b"".join(kept)
