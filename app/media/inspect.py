"""What a file is, and whether it is whole: the check between receiving a capture and sealing it."""

from __future__ import annotations

import io
from dataclasses import replace

from PIL import Image

from app.media import exif, heif, jpeg
from app.media.boxes import check_whole
from app.media.decode import PIXEL_LIMIT, content, fit, open_picture, to_rgb
from app.media.errors import EMPTY, MediaDamaged, MediaTooLarge, MediaUnsupported, decoding
from app.media.sniff import SNIFF_BYTES, sniff
from app.media.thumbs import from_preview, rough_edge, smaller, thumbnails
from app.media.types import MediaFacts, MediaKind, MediaType, Source, Thumb


def inspect(source: Source) -> MediaFacts:
    """Find out all that Eyelid wants to know of a file, and prove that it decodes.

    Pictures are decoded whole; clips and sounds to their first frame. Raises MediaDamaged for what is not whole, and MediaUnsupported
    for what is no media type of ours. Bounded in pixels, bytes and time whatever the file says.
    """
    media_type = type_of(source)
    if media_type.kind is not MediaKind.PHOTO:
        return _inspect_film(source, media_type)
    return examine(content(source), media_type)[1]


def glance(source: Source, sizes: tuple[int, ...]) -> tuple[MediaFacts, tuple[Thumb, ...]]:
    """The facts, and the thumbnails that are had for next to nothing; the rest is for whoever has time to decode the picture.

    Of a JPEG, the structure is checked up to the coded picture, and that there is an end to it; the first of `sizes` is made from the
    preview that its camera embedded, if it did. Whether each coded byte makes sense is not found out. A HEIC says all that it is, but its
    preview needs the decoder. Everything else says too little without being decoded, so its thumbnails are all there. Raises as `inspect`
    does.
    """
    media_type = type_of(source)
    if media_type is MediaType.HEIC and (facts := _heic_facts(content(source))) is not None:
        return facts, ()
    if media_type is not MediaType.JPEG:
        return inspect_and_show(source, sizes)
    data = content(source)
    skeleton = jpeg.walk(data, PIXEL_LIMIT, to_the_first_scan=True)
    known, words = _jpeg_extras(data, skeleton)
    facts = _facts(MediaType.JPEG, (skeleton.width, skeleton.height), known, words)
    tile = from_preview(known.preview, (skeleton.width, skeleton.height), known.orientation, sizes[0])
    return facts, (tile,) if tile else ()


def _heic_facts(data: bytes) -> MediaFacts | None:
    """None where the file has to be decoded to know. Raises MediaDamaged, MediaTooLarge."""
    check_whole(io.BytesIO(data), MediaType.HEIC)
    described = heif.describe(data)
    if described is None:
        return None
    if described.width * described.height > PIXEL_LIMIT:
        raise MediaTooLarge(noun="picture")
    known = replace(exif.read(described.exif), orientation=1)  # the file's own turn is applied where it is decoded
    return _facts(MediaType.HEIC, (described.width, described.height), known, [])


def inspect_and_show(source: Source, sizes: tuple[int, ...]) -> tuple[MediaFacts, tuple[Thumb, ...]]:
    """The facts, and thumbnails of these sizes (empty ones of a sound), from one decoding where that is dear. Raises as `inspect` does."""
    media_type = type_of(source)
    if media_type.kind is MediaKind.PHOTO:
        picture, facts = examine(content(source), media_type, rough_edge(max(sizes)))
        return facts, smaller(picture, facts.orientation, sizes)
    facts = _inspect_film(source, media_type)
    if not media_type.can_be_shown:
        return facts, tuple(Thumb() for _ in sizes)
    return facts, thumbnails(source, media_type, facts.orientation, sizes)


def _inspect_film(source: Source, media_type: MediaType) -> MediaFacts:
    from app.media.film import inspect_film  # brings FFmpeg along, which a start without clips need not wait for

    return inspect_film(source, media_type)


def type_of(source: Source) -> MediaType:
    """What kind of file it begins as. Raises MediaDamaged for an empty one, MediaUnsupported."""
    head = _head(source)
    if not head:
        raise MediaDamaged(EMPTY)
    media_type = sniff(head)
    if media_type is None:
        raise MediaUnsupported(
            "Eyelid does not know this kind of file.",
            "It is no picture, video or sound of a common type.",
            "Check that you chose the right file.",
        )
    return media_type


def _head(source: Source) -> bytes:
    if isinstance(source, bytes):
        return source[:SNIFF_BYTES]
    source.seek(0)
    head = source.read(SNIFF_BYTES)
    source.seek(0)
    return head


def examine(data: bytes, media_type: MediaType, long_edge: int | None = None) -> tuple[Image.Image, MediaFacts]:
    """A picture of known type, decoded to its end (as stored, not turned), and its facts. Raises MediaDamaged, MediaUnsupported.

    With `long_edge` it may come smaller, but with no shorter one; every coded byte is gone through all the same.
    """
    picture = open_picture(data, media_type)
    size = picture.size
    if long_edge is not None:
        with decoding("picture"):
            picture.draft("RGB", fit(*size, long_edge))
    decoded = to_rgb(picture)
    known, words = _jpeg_extras(data, jpeg.walk(data, PIXEL_LIMIT)) if media_type is MediaType.JPEG else _other_extras(picture)
    return decoded, _facts(media_type, size, known, words)


def _facts(media_type: MediaType, size: tuple[int, int], known: exif.Exif, words: list[str]) -> MediaFacts:
    traces = [*known.traces, *words]
    if not known.whole:
        traces.append("metadata that could not be read")
    return MediaFacts(
        MediaKind.PHOTO,
        media_type,
        *size,
        known.orientation,
        known.taken_at,
        traces=tuple(dict.fromkeys(traces)),
        tags=known.tags,
    )


def _jpeg_extras(data: bytes, skeleton: jpeg.Skeleton) -> tuple[exif.Exif, list[str]]:
    """What its EXIF block says, and words for everything else a JPEG carries besides its picture."""
    block, words = b"", list[str]()
    for part in skeleton.segments:
        payload = data[part.start : part.end]
        if part.marker == jpeg.APP1 and payload.startswith(exif.EXIF_HEADER):
            block = block or payload
        elif part.marker == jpeg.COM or 0xE0 <= part.marker <= 0xEF:
            words += _segment_words(part.marker, payload)
    if len(data) > skeleton.end:
        words.append("bytes after the end of the picture")
    return exif.read(block), words


def _segment_words(marker: int, payload: bytes) -> list[str]:
    """What an application or comment segment holds; a bare JFIF or Adobe header says nothing of anybody."""
    if payload.startswith(b"http://ns.adobe.com/"):
        return _xmp_words(payload)
    if marker == jpeg.APP0 and payload.startswith(b"JFIF\x00") and len(payload) == 14:
        return []
    if marker == jpeg.APP14 and payload.startswith(b"Adobe"):
        return []
    known = {
        jpeg.COM: "description or comment",
        jpeg.APP0: "embedded thumbnail",
        0xED: "captions for the press (IPTC)",
    }
    if marker == 0xE2:
        return ["colour profile" if payload.startswith(b"ICC_PROFILE\x00") else "further pictures inside the file"]
    return [known.get(marker, "other data of the camera's maker")]


def _other_extras(picture: Image.Image) -> tuple[exif.Exif, list[str]]:
    """The same for PNG, WebP and GIF, from what Pillow set aside without reading it."""
    info = picture.info
    words = []
    for key in ("xmp", "XML:com.adobe.xmp"):
        raw = info.get(key, b"")
        words += _xmp_words(raw.encode("utf-8", "replace") if isinstance(raw, str) else raw)
    if info.get("icc_profile"):
        words.append("colour profile")
    if info.get("comment") or any(key != "XML:com.adobe.xmp" for key in getattr(picture, "text", {})):
        words.append("description or comment")
    block = info.get("exif", b"")
    return exif.read(block if isinstance(block, bytes) else b""), words


def _xmp_words(xmp: bytes) -> list[str]:
    """XMP is XML of any size and schema; looking for the names of what matters needs no XML parser on hostile bytes."""
    if not xmp:
        return []
    lower = xmp.lower()
    names = {"location": (b"gpslatitude", b"gpslongitude", b"gpscoordinates", b"<gps"), "camera serial number": (b"serialnumber",)}
    return [word for word, parts in names.items() if any(part in lower for part in parts)] + ["description in XMP"]
