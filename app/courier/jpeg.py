"""What a JPEG tells about itself besides the picture: a walk over its markers. Reads bytes, decodes nothing, trusts nothing.

Markers and segments: ITU-T T.81 annex B. EXIF is TIFF inside APP1 (CIPA DC-008), XMP has its own APP1 signature (Adobe XMP
specification part 3), ICC profiles use APP2, Photoshop/IPTC blocks APP13.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_MAX_SEGMENTS = 1000
_MAX_TAGS = 1000
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
_SIGNATURES = (
    (0xE1, b"http://ns.adobe.com/", "XMP"),
    (0xE2, b"ICC_PROFILE\x00", "colour profile"),
    (0xE2, b"MPF\x00", "further pictures (MPF)"),
    (0xED, b"Photoshop 3.0\x00", "IPTC/Photoshop"),
    (0xE0, b"JFIF\x00", ""),
    (0xE0, b"JFXX\x00", "JFXX thumbnail"),
    (0xEE, b"Adobe", ""),
)
# Tags of the first directory worth naming: TIFF 6.0 and EXIF 2.32.
_TAGS = {
    0x010F: "maker",
    0x0110: "model",
    0x0112: "orientation",
    0x0131: "software",
    0x0132: "date",
    0x013B: "artist",
    0x8769: "camera settings",
    0x8825: "GPS",
}


@dataclass(frozen=True, slots=True)
class JpegFacts:
    """`metadata` names what was found besides the picture; empty is what a shaped picture should show. Sizes in pixels, 0 if unknown."""

    is_jpeg: bool
    width: int
    height: int
    metadata: tuple[str, ...]


def look(data: bytes) -> JpegFacts:
    """Walk the markers of `data`; whatever it is, this returns."""
    if data[:2] != b"\xff\xd8":
        return JpegFacts(False, 0, 0, ())
    width = height = 0
    found: list[str] = []
    position = 2
    for _ in range(_MAX_SEGMENTS):
        while data[position : position + 2] == b"\xff\xff":
            position += 1
        if position + 2 > len(data) or data[position] != 0xFF:
            break
        marker = data[position + 1]
        position += 2
        if marker in _BARE:
            continue
        if marker == 0xD9:
            break
        length = int.from_bytes(data[position : position + 2], "big")
        segment = data[position + 2 : position + max(length, 2)]
        if marker in _FRAMES and len(segment) >= 5:
            height, width = struct.unpack_from(">HH", segment, 1)
        found += _named(marker, segment)
        position += max(length, 2)
        if marker == 0xDA:
            position = _after_scan(data, position)
    tail = data.rfind(b"\xff\xd9")
    if 0 <= tail < len(data) - 2:
        found.append(f"{len(data) - tail - 2} bytes after the picture")
    return JpegFacts(True, width, height, tuple(dict.fromkeys(found)))


def _after_scan(data: bytes, position: int) -> int:
    """Return where the entropy-coded data end: the next marker that is neither stuffing nor a restart."""
    while (position := data.find(b"\xff", position)) >= 0:
        if position + 1 < len(data) and data[position + 1] not in (0x00, 0xFF, *range(0xD0, 0xD8)):
            return position
        position += 1
    return len(data)


def _named(marker: int, segment: bytes) -> list[str]:
    if marker == 0xFE:
        return ["comment"]
    if not 0xE0 <= marker <= 0xEF:
        return []
    if marker == 0xE1 and segment.startswith(b"Exif\x00"):
        return ["EXIF", *(f"EXIF {tag}" for tag in _exif_tags(segment[6:]))]
    for wanted, signature, name in _SIGNATURES:
        if marker == wanted and segment.startswith(signature):
            return [name] if name else []
    return [f"application data (APP{marker - 0xE0})"]


def _exif_tags(tiff: bytes) -> list[str]:
    """Names of the known tags in the first directory."""
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return []
    start = struct.unpack_from(order + "I", tiff, 4)[0]
    if start + 2 > len(tiff):
        return []
    count = min(struct.unpack_from(order + "H", tiff, start)[0], _MAX_TAGS, (len(tiff) - start - 2) // 12)
    tags = (struct.unpack_from(order + "H", tiff, start + 2 + 12 * index)[0] for index in range(count))
    return [_TAGS[tag] for tag in tags if tag in _TAGS]
