"""A picture as any screen can show it: of those that few decoders read, a JPEG is made, in memory only."""

from __future__ import annotations

from app.media.decode import content, encode_jpeg, open_picture, to_rgb
from app.media.errors import decoding
from app.media.sniff import SNIFF_BYTES, sniff
from app.media.types import MediaType

QUALITY = 92
_FEW_READ = frozenset({MediaType.HEIC, MediaType.AVIF})
"""Qt's own image formats (doc.qt.io, "Qt Image Formats") have neither."""


def preview(data: bytes) -> bytes:
    """A JPEG of a HEIC or AVIF picture, anything else as it is.

    As stored, so that the same orientation counts as for `data`; without metadata. Blocking, about a second for a picture of 12
    megapixels. Raises MediaDamaged.
    """
    media_type = sniff(data[:SNIFF_BYTES])
    if media_type not in _FEW_READ:
        return data
    picture = to_rgb(open_picture(content(data), media_type))
    with decoding("picture"):
        return encode_jpeg(picture, QUALITY)
