"""The picture as it may leave: upright, smaller, and with nothing in the file but the picture itself."""

from __future__ import annotations

from PIL import Image

from app.errors import EyelidError
from app.media import jpeg
from app.media.decode import PIXEL_LIMIT, content, encode_jpeg, fit, media_type_of, upright
from app.media.errors import MediaUnsupported, decoding
from app.media.inspect import examine
from app.media.types import MediaKind, Shaped, Source

LONG_EDGE = 1568
"""What the vision documentation of Anthropic names as the largest edge that is not scaled down; others take it as well."""
QUALITY = 85


class MetadataLeft(EyelidError):
    """A derived picture still carries something besides the picture. It is thrown away."""

    def __init__(self) -> None:
        super().__init__(
            "The picture was not prepared.", "Something besides the picture was left in the file.", "Please report this: it is our fault."
        )


def shape(source: Source, media_type: str, orientation: int, long_edge: int = LONG_EDGE, quality: int = QUALITY) -> Shaped:
    """Derive an upright JPEG from a picture; the original is not touched.

    `removed` names in plain words what the original carried and the result does not. Raises MediaDamaged, MediaUnsupported (sounds,
    clips, types that are only kept), MetadataLeft.
    """
    kind = media_type_of(media_type)
    if kind.kind is not MediaKind.PHOTO:
        raise MediaUnsupported("Only pictures can be prepared for sending.", f"This is of the type {kind}.", "Choose a picture instead.")
    data = content(source)
    picture, facts = examine(data, kind)
    with decoding("picture"):
        size = fit(picture.width, picture.height, long_edge)
        small = picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS)
        turned = upright(small, orientation)
        result = encode_jpeg(turned, quality)
    check_clean(result)
    return Shaped(result, turned.width, turned.height, facts.traces)


def check_clean(data: bytes) -> None:
    """Raise MetadataLeft unless `data` is one JPEG with a bare JFIF header, tables and pixels, and nothing before or after."""
    skeleton = jpeg.walk(data, PIXEL_LIMIT)
    for part in skeleton.segments:
        payload = data[part.start : part.end]
        bare_jfif = part.marker == jpeg.APP0 and payload.startswith(b"JFIF\x00") and len(payload) == 14
        is_extra = part.marker == jpeg.COM or 0xE0 <= part.marker <= 0xEF
        if is_extra and not bare_jfif:
            raise MetadataLeft
    if skeleton.end != len(data):
        raise MetadataLeft
