"""The picture as it may leave: upright, smaller, covered and cropped as asked, and with nothing in the file but the picture itself."""

from __future__ import annotations

from PIL import Image

from app.errors import EyelidError
from app.media import jpeg
from app.media.decode import PIXEL_LIMIT, content, encode_jpeg, fit, media_type_of, upright
from app.media.errors import MediaUnsupported, decoding
from app.media.inspect import examine
from app.media.look.boxes import Box
from app.media.look.cover import Edit, begin, check_solid, finish
from app.media.types import MediaKind, Shaped, Source

LONG_EDGE = 1568
"""What the vision documentation of Anthropic names as the largest edge that is not scaled down; others take it as well."""
QUALITY = 85
_GAP = 1.1
"""Large pictures are halved plainly before they are scaled finely, which takes half the time; the two differ by 45 dB and more on text."""


class MetadataLeft(EyelidError):
    """A derived picture still carries something besides the picture. It is thrown away."""

    def __init__(self) -> None:
        super().__init__(
            "The picture was not prepared.", "Something besides the picture was left in the file.", "Please report this: it is our fault."
        )


def shape(
    source: Source, media_type: str, orientation: int, long_edge: int = LONG_EDGE, quality: int = QUALITY, edit: Edit | None = None
) -> Shaped:
    """Derive an upright JPEG from a picture, decoded once and encoded once; the original is not touched.

    `edit` covers and crops; its boxes are in pixels of the upright original, as findings are. `removed` names in plain words what the
    original carried and the result does not. Raises MediaDamaged, MediaUnsupported (sounds, clips, types that are only kept), NothingLeft,
    MetadataLeft, CoverFailed.
    """
    kind = media_type_of(media_type)
    if kind.kind is not MediaKind.PHOTO:
        raise MediaUnsupported("Only pictures can be prepared for sending.", f"This is of the type {kind}.", "Choose a picture instead.")
    data = content(source)
    picture, facts = examine(data, kind)
    with decoding("picture"):
        shaped, covered = _edited(upright(picture, orientation), long_edge, edit) if edit else (_plain(picture, orientation, long_edge), ())
        result = encode_jpeg(shaped, quality)
        check_solid(result, covered)
    check_clean(result)
    places = tuple((box.left, box.top, box.right, box.bottom) for box in covered)
    return Shaped(result, shaped.width, shaped.height, facts.traces, places)


def _plain(picture: Image.Image, orientation: int, long_edge: int) -> Image.Image:
    return upright(_scaled(picture, long_edge), orientation)


def _edited(picture: Image.Image, long_edge: int, edit: Edit) -> tuple[Image.Image, tuple[Box, ...]]:
    """Turned first, because boxes are those of the upright picture; covered before scaling, and again after it."""
    small = _scaled(begin(picture, edit), long_edge)
    return small, finish(small, picture.size, edit)


def _scaled(picture: Image.Image, long_edge: int) -> Image.Image:
    size = fit(picture.width, picture.height, long_edge)
    return picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=_GAP)


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
