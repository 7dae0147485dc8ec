"""Which way up a picture is shown, and where it says it was taken. Read on request only: nothing of it is kept."""

from __future__ import annotations

import io
import math
from fractions import Fraction

from PIL import Image

from app.media import heif
from app.media.decode import content, open_picture
from app.media.errors import decoding
from app.media.sniff import SNIFF_BYTES, sniff
from app.media.types import MediaType, Source

_GPS_IFD = 0x8825
_NORTH_SOUTH, _LATITUDE, _EAST_WEST, _LONGITUDE = 1, 2, 3, 4
"""Tags of the GPS directory (CIPA DC-008, 4.6.6)."""
_TURNS = ((1, 6, 3, 8), (2, 7, 4, 5))
"""EXIF orientations (CIPA DC-008, 4.6.5.1.5), each a quarter further clockwise than the one before: plain, and mirrored."""


def turned(orientation: int, quarters: int) -> int:
    """The EXIF orientation that shows the picture of `orientation` so many quarters further clockwise."""
    circle = next((circle for circle in _TURNS if orientation in circle), _TURNS[0])
    at = circle.index(orientation) if orientation in circle else 0
    return circle[(at + quarters) % 4]


def location(source: Source) -> tuple[float, float] | None:
    """Degrees north and east that a picture carries in its EXIF block; None where it says none, or nonsense. Raises MediaDamaged."""
    data = content(source)
    with decoding("picture"):
        said = (_exif_of_heic(data) if sniff(data[:SNIFF_BYTES]) is MediaType.HEIC else _exif(data)).get_ifd(_GPS_IFD)
    north = _degrees(said.get(_LATITUDE), said.get(_NORTH_SOUTH), "S", 90)
    east = _degrees(said.get(_LONGITUDE), said.get(_EAST_WEST), "W", 180)
    return None if north is None or east is None else (north, east)


def _exif(data: bytes) -> Image.Exif:
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP", "AVIF")) as picture:
        return picture.getexif()


def _exif_of_heic(data: bytes) -> Image.Exif:
    """Without the decoder where the file is plain enough."""
    described, exif = heif.describe(data), Image.Exif()
    exif.load(described.exif if described else open_picture(data, MediaType.HEIC).info["exif"])
    return exif


def _degrees(value: object, side: object, negative: str, most: int) -> float | None:
    """From degrees, minutes and seconds."""
    if not isinstance(value, tuple) or len(value) != 3 or not isinstance(side, str):
        return None
    try:
        degrees, minutes, seconds = (float(Fraction(part) if isinstance(part, str) else part) for part in value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    found = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(found) or not 0 <= found <= most:
        return None
    return -found if side[:1].upper() == negative else found
