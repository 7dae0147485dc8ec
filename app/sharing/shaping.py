"""Pictures made to fit what a server takes: as large as is of use, smaller where its limits want that. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from app.assistants import Limits
from app.media.look.cover import Edit
from app.media.shape import LONG_EDGE, QUALITY, shape
from app.media.types import Shaped
from app.sharing.errors import NotReady

_STEPS = ((LONG_EDGE, QUALITY), (LONG_EDGE, 75), (1280, 75), (1024, 70), (768, 65), (512, 60))
"""Long edge and quality of a JPEG, tried in turn until it fits."""
_FRAME_OF_REQUEST = 8192
_BYTES_OF_CHARACTER = 6
"""The most that JSON makes of one character (RFC 8259, section 7: six for an escaped one)."""


@dataclass(frozen=True, slots=True)
class Space:
    """What one picture may take: pixels of its long edge, and bytes of its JPEG."""

    long_edge: int
    jpeg_bytes: int


def space_for(limits: Limits, pictures: int = 1, characters: int = 0) -> Space:
    """The space of each of so many pictures in one request that also holds so many characters of text. Base64 adds a third."""
    left = limits.body_bytes - _FRAME_OF_REQUEST - _BYTES_OF_CHARACTER * characters
    return Space(limits.long_edge, min(limits.picture_bytes, max(0, left) * 3 // 4 // max(1, pictures) - 3))


def frame_of(jpeg_bytes: int, characters: int) -> int:
    """The most bytes of a request that holds one JPEG of this size and so many characters of text."""
    return (jpeg_bytes + 2) // 3 * 4 + _FRAME_OF_REQUEST + _BYTES_OF_CHARACTER * characters


def fitted(data: bytes, media_type: str, orientation: int, space: Space, edit: Edit | None = None) -> Shaped:
    """The picture as it would go: upright, covered, small enough. Raises NotReady when nothing fits, and what `shape` raises."""
    for long_edge, quality in _STEPS:
        made = shape(data, media_type, orientation, min(long_edge, space.long_edge), quality, edit)
        if len(made.jpeg) <= space.jpeg_bytes:
            return made
    raise NotReady("This cannot be sent as it is.", "The pictures are more than this server takes at once.", "Choose fewer.")
