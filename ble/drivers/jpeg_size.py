"""The dimensions a JPEG states, for telling a camera's own pictures from damaged or made-up ones. Pure; never raises."""

from __future__ import annotations

_NO_FRAME_HEADER = frozenset({0xC4, 0xC8, 0xCC})
"""Within C0 to CF these mark tables, not a frame (ITU-T T.81, table B.1)."""


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Width and height from the frame header, or None if there is none before the picture itself."""
    if data[:2] != b"\xff\xd8":
        return None
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in (0xD9, 0xDA):
            return None
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME_HEADER:
            return _size_in(data[at + 4 : at + 9])
        at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
    return None


def _size_in(header: bytes) -> tuple[int, int] | None:
    if len(header) < 5:
        return None
    return int.from_bytes(header[3:5], "big"), int.from_bytes(header[1:3], "big")
