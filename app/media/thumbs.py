"""Thumbnails: small, upright, without metadata, and the colour painted until they are there."""

from __future__ import annotations

import contextlib

from PIL import Image

from app.media import jpeg
from app.media.decode import content, encode_jpeg, fit, media_type_of, open_picture, to_rgb, upright
from app.media.errors import MediaDamaged, MediaUnsupported, decoding
from app.media.types import MediaKind, MediaType, Source, Thumb

QUALITY = 80
_PREVIEW_PIXELS = 640 * 480
"""Cameras embed 160 x 120 pixels (JEITA CP-3461, DCF), some a little more; decoding a larger one would cost what it is to save."""
_LEAST_LEFT = 0.7
"""Of an embedded preview without its bars: 16:9 in 4:3 leaves 0.75. What loses more shows another picture, or this one turned."""


def thumbnails(source: Source, media_type: str, orientation: int, sizes: tuple[int, ...]) -> tuple[Thumb, ...]:
    """Thumbnails with long edges of these pixels (smaller pictures stay as they are), from one decoding; of a clip, from its first frame.

    In the order asked for. `orientation` is EXIF 1 to 8. Raises MediaDamaged; MediaUnsupported for sounds and for types that are only kept.
    """
    return smaller(_rough(source, media_type_of(media_type), max(sizes)), orientation, sizes)


def smaller(rough: Image.Image, orientation: int, sizes: tuple[int, ...]) -> tuple[Thumb, ...]:
    """Thumbnails of a picture that was decoded already, as stored, at `rough_edge(max(sizes))` or more. Raises MediaDamaged."""
    with decoding("file"):
        made: dict[int, Image.Image] = {}
        for size in sorted(sizes, reverse=True):  # each from the next larger one, which is a fraction of the price
            made[size] = rough = rough.resize(fit(rough.width, rough.height, size), Image.Resampling.BICUBIC)
        colour = _average(rough)
        return tuple(Thumb(encode_jpeg(upright(made[size], orientation), QUALITY, smallest=False), colour) for size in sizes)


def from_preview(preview: bytes, shape: tuple[int, int], orientation: int, size: int) -> Thumb | None:
    """A thumbnail from the small picture that a camera embedded in one of `shape` (width and height as stored), in a millisecond at most.

    One that fits is taken as it is, without its metadata, and has no colour yet; another is turned and cut. None where there is none, or it
    is damaged, of another shape, or too small to serve: then the picture itself has to be decoded.
    """
    with contextlib.suppress(MediaDamaged), decoding("picture"):
        skeleton = jpeg.walk(preview, _PREVIEW_PIXELS)
        whole = skeleton.width, skeleton.height
        inner = _without_bars(*whole, shape)
        if max(inner) < size * 3 // 4 or inner[0] * inner[1] < _LEAST_LEFT * whole[0] * whole[1]:
            return None
        if orientation == 1 and inner == whole and max(whole) <= size:
            return Thumb(jpeg.bare(preview, skeleton))
        left, top = (whole[0] - inner[0]) // 2, (whole[1] - inner[1]) // 2
        picture = to_rgb(open_picture(preview, MediaType.JPEG)).crop((left, top, left + inner[0], top + inner[1]))
        return smaller(picture, orientation, (size,))[0]
    return None


def _without_bars(width: int, height: int, shape: tuple[int, int]) -> tuple[int, int]:
    """The size of its middle that has the proportions of `shape`: cameras fill the rest of 4:3 with black."""
    return min(width, max(1, round(height * shape[0] / shape[1]))), min(height, max(1, round(width * shape[1] / shape[0])))


def rough_edge(size: int) -> int:
    """The long edge in pixels that a thumbnail of `size` needs to be made from so as to look well."""
    return size * 3 // 2


def _rough(source: Source, media_type: MediaType, size: int) -> Image.Image:
    """Decoded not much larger than wanted: JPEG decoders scale by 8ths at a quarter of the price of a full decoding."""
    if not media_type.can_be_shown:
        raise MediaUnsupported("Eyelid has no picture to show of this file.", f"It is of the type {media_type}.")
    if media_type.kind is MediaKind.VIDEO:
        from app.media.film import poster  # brings FFmpeg along, which a start without clips need not wait for

        return poster(source, media_type, rough_edge(size))
    picture = open_picture(content(source), media_type)
    with decoding("picture"):
        picture.draft("RGB", fit(picture.width, picture.height, rough_edge(size)))
    return to_rgb(picture)


def _average(picture: Image.Image) -> int:
    """The average colour as 0xRRGGBB."""
    return int.from_bytes(picture.resize((1, 1), Image.Resampling.BOX).tobytes(), "big")
