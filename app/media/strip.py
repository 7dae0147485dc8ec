"""A JPEG with nothing in the file but the picture, how it is turned, and when it was taken; not one coded byte of it changes.

Used when a picture is exported without location: coordinates hide in EXIF, XMP, IPTC, makers' notes, embedded previews and after the end of
the file, so nothing of all that is kept, rather than some of it looked through.
"""

from __future__ import annotations

from datetime import datetime

from app.media import exif, jpeg
from app.media.decode import PIXEL_LIMIT

_ICC = b"ICC_PROFILE\x00"
_JFIF = b"JFIF\x00"
_BARE_JFIF = 14
"""Bytes of a JFIF header without an embedded preview (ITU-T T.871)."""


def only_picture(data: bytes, orientation: int, taken_at: datetime) -> bytes:
    """Return the picture with orientation and time as its only metadata; a colour profile stays, being part of what it looks like.

    `orientation` (EXIF 1 to 8) is how the glasses are worn; a picture that says itself how it is turned is believed. Raises MediaDamaged
    for what is no whole JPEG.
    """
    skeleton = jpeg.walk(data, PIXEL_LIMIT)
    kept, at = [], 0
    for part in skeleton.segments:
        payload = data[part.start : part.end]
        if part.marker == jpeg.APP1 and payload.startswith(exif.EXIF_HEADER):
            said = exif.read(payload).orientation
            orientation = said if said != 1 else orientation
        if not _is_of_the_picture(part.marker, payload):
            kept.append(data[at : part.start - 4])
            at = part.end
    kept.append(data[at : skeleton.end])
    return exif.with_orientation(b"".join(kept), orientation, taken_at)


def _is_of_the_picture(marker: int, payload: bytes) -> bool:
    if marker == jpeg.COM:
        return False
    if not 0xE0 <= marker <= 0xEF:
        return True
    if marker == jpeg.APP0:
        return payload.startswith(_JFIF) and len(payload) == _BARE_JFIF
    return (marker == jpeg.APP14 and payload.startswith(b"Adobe")) or (marker == 0xE2 and payload.startswith(_ICC))
