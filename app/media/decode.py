"""Pixels out of pictures: one careful door to Pillow. Everything stays in memory."""

from __future__ import annotations

import io
from typing import BinaryIO

from PIL import Image, ImageFile
from PIL.AvifImagePlugin import AvifImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from app.media import heic, jpeg
from app.media.boxes import check_whole
from app.media.errors import EMPTY, MediaDamaged, MediaTooLarge, MediaUnsupported, decoding
from app.media.types import MediaType, Source

PIXEL_LIMIT = 80_000_000
"""Six times what camera glasses take (12 million), and below Pillow's own alarm at 89 million, which only warns."""
PICTURE_BYTES = 64 * 1024 * 1024
"""Largest picture file that is read into memory."""

_DECODERS: dict[MediaType, type[ImageFile.ImageFile]] = {
    MediaType.JPEG: JpegImageFile,
    MediaType.PNG: PngImageFile,
    MediaType.GIF: GifImageFile,
    MediaType.WEBP: WebPImageFile,
    MediaType.AVIF: AvifImageFile,
}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def content(source: Source, limit: int = PICTURE_BYTES) -> bytes:
    """All bytes of `source`; MediaDamaged when it is empty or longer than `limit`."""
    data = source if isinstance(source, bytes) else _read(source, limit)
    if not data:
        raise MediaDamaged(EMPTY)
    if len(data) > limit:
        raise MediaTooLarge
    return data


def _read(file: BinaryIO, limit: int) -> bytes:
    file.seek(0)
    return file.read(limit + 1)


def media_type_of(text: str) -> MediaType:
    """The type named `text`; MediaUnsupported for one that is not among ours."""
    try:
        return MediaType(text)
    except ValueError as error:
        raise MediaUnsupported("Eyelid does not know this kind of file.", "", "You can still export it.") from error


def open_picture(data: bytes, media_type: MediaType) -> Image.Image:
    """Open a picture of exactly this type, without decoding it yet where the type allows that.

    JPEGs are walked from start to end first, and reach Pillow without their metadata. Raises MediaDamaged; MediaUnsupported for types
    that are no pictures.
    """
    if media_type is MediaType.HEIC:
        return _heic(data)
    decoder = _DECODERS.get(media_type)
    if decoder is None:
        raise MediaUnsupported(
            "Eyelid cannot show this kind of picture yet.",
            f"It is of the type {media_type}.",
            "Export it to look at it in another program.",
        )
    if media_type is MediaType.JPEG:
        data = jpeg.bare(data, jpeg.walk(data, PIXEL_LIMIT))
    else:
        check_whole(io.BytesIO(data), media_type)
    if media_type is MediaType.WEBP:
        _check_webp_canvas(data)
    with decoding("picture"):
        picture = decoder(io.BytesIO(data))
    if picture.width * picture.height > PIXEL_LIMIT:
        raise MediaTooLarge(noun="picture")
    return picture


def _heic(data: bytes) -> Image.Image:
    check_whole(io.BytesIO(data), MediaType.HEIC)
    picture, exif = heic.decode(data)
    picture.info["exif"] = exif
    return picture


def _check_webp_canvas(data: bytes) -> None:
    """Read the canvas size before libwebp allocates it (RFC 9649, sections 2.5 to 2.7)."""
    kind, width, height = data[12:16], 0, 0
    if kind == b"VP8X":
        width, height = 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    elif kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b"VP8 ":
        width, height = int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF
    if not width or not height:
        raise MediaDamaged("It holds no picture.", noun="picture")
    if width * height > PIXEL_LIMIT:
        raise MediaTooLarge(noun="picture")


def to_rgb(picture: Image.Image) -> Image.Image:
    """Decode (if not done yet) to 8-bit RGB; transparent parts turn white."""
    with decoding("picture"):
        picture.load()
        if picture.mode.startswith("I"):  # 16 bits a sample: keep the upper eight
            picture = picture.convert("I").point(lambda value: value / 256).convert("L")
        if picture.has_transparency_data:
            picture = picture.convert("RGBA")
            rgb = Image.new("RGB", picture.size, "white")
            rgb.paste(picture, mask=picture.getchannel("A"))
        else:
            rgb = picture if picture.mode == "RGB" else picture.convert("RGB")  # a copy of a large picture costs as much again
        return rgb


def fit(width: int, height: int, long_edge: int) -> tuple[int, int]:
    """The size with this long edge and the same shape; never larger than it was, never below one pixel."""
    longest = max(width, height)
    if longest <= long_edge:
        return width, height
    return max(1, round(width * long_edge / longest)), max(1, round(height * long_edge / longest))


def upright(picture: Image.Image, orientation: int) -> Image.Image:
    """Turn by EXIF `orientation`; values outside 1 to 8 leave the picture as it is."""
    turn = _TURNS.get(orientation)
    return picture if turn is None else picture.transpose(turn)


def encode_jpeg(picture: Image.Image, quality: int, *, smallest: bool = True) -> bytes:
    """A baseline JPEG of an RGB picture: JFIF header, tables, pixels, nothing else. Not the `smallest`: 4 % longer in half the time."""
    out = io.BytesIO()
    picture.info = {}  # Pillow would write a comment it found there
    picture.save(out, "JPEG", quality=quality, optimize=smallest)
    return out.getvalue()
