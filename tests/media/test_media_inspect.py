"""The check between receiving and sealing: facts of what is whole, a sentence for what is not."""

from __future__ import annotations

import io
import warnings
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ImageFile

from app.errors import EyelidError
from app.media.errors import MediaDamaged, MediaUnsupported
from app.media.inspect import inspect
from app.media.types import MediaKind, MediaType


def test_a_plain_jpeg(make: Any) -> None:
    facts = inspect(make.jpeg(64, 48))
    assert (facts.kind, facts.media_type, facts.width, facts.height) == (MediaKind.PHOTO, "image/jpeg", 64, 48)
    assert (facts.orientation, facts.taken_at, facts.duration_ms, facts.traces) == (1, None, None, ())
    assert not facts.has_location
    assert not facts.has_serial


def test_a_jpeg_that_tells_on_its_wearer(make: Any) -> None:
    facts = inspect(make.traced_jpeg())
    assert facts.taken_at == datetime(2026, 11, 23, 12, 3, 12, tzinfo=UTC)
    assert facts.has_location
    assert facts.has_serial
    assert set(facts.traces) == {
        "location",
        "camera serial number",
        "camera make and model",
        "date and time",
        "name of the owner",
        "description or comment",
        "description in XMP",
        "captions for the press (IPTC)",
        "colour profile",
        "embedded thumbnail",
        "other data of the camera's maker",
        "bytes after the end of the picture",
    }


def test_location_in_xmp_alone_is_found(make: Any) -> None:
    xmp = b"<x:xmpmeta><rdf:Description exif:GPSLatitude='48,8N'/></x:xmpmeta>"
    for data in (make.jpeg(xmp=xmp), make.encode(make.corners(), "WEBP", xmp=xmp)):
        assert inspect(data).has_location


def test_further_pictures_inside_are_named(make: Any) -> None:
    data = make.jpeg()
    assert inspect(data[:2] + make.segment(0xE2, b"MPF\x00x") + data[2:]).traces == ("further pictures inside the file",)


def test_the_adobe_header_tells_nothing(make: Any) -> None:
    assert inspect(make.encode(make.corners(mode="CMYK"))).traces == ()


def test_exif_that_cannot_be_read_does_not_hide(make: Any) -> None:
    data = make.jpeg()
    facts = inspect(data[:2] + make.segment(0xE1, b"Exif\x00\x00nonsense") + data[2:])
    assert facts.traces == ("metadata that could not be read",)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_pngs_of_every_kind(make: Any, mode: str) -> None:
    picture = make.corners(mode="L").convert("I;16") if mode == "I;16" else make.corners(mode=mode)
    facts = inspect(make.encode(picture, "PNG"))
    assert (facts.media_type, facts.width, facts.height) == (MediaType.PNG, 64, 48)


def test_png_with_words_and_exif(make: Any) -> None:
    from PIL.PngImagePlugin import PngInfo

    words = PngInfo()
    words.add_text("Author", "somebody")
    words.add_itxt("XML:com.adobe.xmp", "<x exif:GPSLongitude='1E' aux:SerialNumber='7'/>")
    exif = make.corners().getexif()
    exif[0x0112] = 6
    facts = inspect(make.encode(make.corners(), "PNG", pnginfo=words, exif=exif))
    assert facts.orientation == 6
    assert set(facts.traces) == {"location", "camera serial number", "description in XMP", "description or comment"}


def test_gif_and_webp(make: Any) -> None:
    assert inspect(make.encode(make.corners(), "GIF", comment=b"hello")).traces == ("description or comment",)
    for options in ({"lossless": True}, {"quality": 60}, {"icc_profile": b"p" * 128}):
        facts = inspect(make.encode(make.corners(), "WEBP", **options))
        assert (facts.media_type, facts.width, facts.height) == (MediaType.WEBP, 64, 48)


def test_avif_is_a_picture_like_the_others(make: Any) -> None:
    facts = inspect(make.encode(make.corners(), "AVIF"))
    assert (facts.kind, facts.media_type, facts.width, facts.height) == (MediaKind.PHOTO, MediaType.AVIF, 64, 48)


def test_a_file_like_is_as_good_as_bytes(make: Any) -> None:
    data = make.traced_jpeg()
    file = io.BytesIO(data)
    file.seek(7)
    assert inspect(file) == inspect(data)


def test_every_cut_of_every_picture_is_noticed(make: Any) -> None:
    for data in (make.jpeg(32, 32, progressive=True), make.encode(make.corners(32, 32), "PNG"), make.encode(make.corners(32, 32), "WEBP")):
        for length in range(12, len(data) - 16, 7):
            with pytest.raises((MediaDamaged, MediaUnsupported)):
                inspect(data[:length])


def test_nothing_is_damaged_and_text_is_unsupported() -> None:
    for source in (b"", io.BytesIO(b"")):
        with pytest.raises(MediaDamaged, match="empty"):
            inspect(source)
    with pytest.raises(MediaUnsupported, match="does not know"):
        inspect(b"Dear diary")


def test_bombs_are_not_opened(make: Any) -> None:
    huge = make.jpeg(16, 16)
    at = huge.index(b"\xff\xc0") + 5
    for data in (
        huge[:at] + b"\xff\xff\xff\xff" + huge[at + 4 :],
        make.png_of_size(60_000, 60_000),
        b"GIF89a\xff\xff\xff\xff\x80\x00\x00" + bytes(6) + b",\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02\x02D\x01\x00;",
        b"RIFF\x16\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00" + bytes(4) + b"\xff\x3f\x00\xff\x3f\x00",
        b"RIFF\x11\x00\x00\x00WEBPVP8L\x05\x00\x00\x00\x2f\xff\xff\xff\x0f",
        b"RIFF\x16\x00\x00\x00WEBPVP8 \x0a\x00\x00\x00" + bytes(3) + b"\x9d\x01\x2a\xff\x3f\xff\x3f",
    ):
        with pytest.raises(MediaDamaged, match="larger than any picture"):
            inspect(data)


def test_a_webp_without_canvas_or_with_another_chunk_is_damaged() -> None:
    for data in (b"RIFF\x04\x00\x00\x00WEBP", b"RIFF\x08\x00\x00\x00WEBPJUNK"):
        with pytest.raises(MediaDamaged, match="no picture"):
            inspect(data)


def test_a_text_bomb_in_a_png_is_damage(make: Any) -> None:
    import zlib

    data = make.encode(make.corners(), "PNG")
    payload = b"Comment\x00\x00" + zlib.compress(bytes(80_000_000))
    chunk = len(payload).to_bytes(4, "big") + b"zTXt" + payload + zlib.crc32(b"zTXt" + payload).to_bytes(4, "big")
    at = data.index(b"IDAT") - 4
    with pytest.raises(MediaDamaged):
        inspect(data[:at] + chunk + data[at:])


def test_too_many_bytes_are_not_read(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    data = make.jpeg() + bytes(100)
    monkeypatch.setattr("app.media.decode.content.__defaults__", (len(data) - 1,))
    for source in (data, io.BytesIO(data)):
        with pytest.raises(MediaDamaged, match="larger"):
            inspect(source)


def test_pillow_is_told_not_to_invent_what_is_missing() -> None:
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_errors_that_explain_themselves_pass(make: Any) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise EyelidError("The sealed file is damaged.")

    for data in (make.jpeg(), make.clip()):
        with pytest.raises(EyelidError, match="sealed file"):
            inspect(Broken(data))


PREFIXES = st.sampled_from(
    [
        b"",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x10\x00\x00\x00\x10\x08\x02\x00\x00\x00",
        b"GIF89a\x10\x00\x10\x00",
        b"RIFF\x40\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00",
        b"\x00\x00\x00\x10ftypisom\x00\x00\x00\x00",
        b"\x1aE\xdf\xa3\x9fB\x82\x84webm",
        b"OggS\x00\x02",
        b"RIFF\xff\xff\xff\xffWAVEfmt ",
        b"RIFF\xff\xff\xff\xffAVI LIST",
        b"fLaC",
        b"ID3\x04\x00\x00",
        b"\xff\xf1\x50\x80",
    ]
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PREFIXES, st.binary(max_size=600))
def test_arbitrary_bytes_raise_nothing_else(prefix: bytes, tail: bytes) -> None:
    try:
        facts = inspect(prefix + tail)
    except (MediaDamaged, MediaUnsupported):
        return
    assert facts.media_type in MediaType


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_flipped_bytes_raise_nothing_else(make: Any, data: st.DataObject) -> None:
    sound = data.draw(st.sampled_from([make.traced_jpeg(), make.encode(make.corners(), "PNG"), make.encode(make.corners(), "WEBP")]))
    broken = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 6))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            inspect(bytes(broken))
        except (MediaDamaged, MediaUnsupported):
            pass


def test_a_png_of_endless_chunks_is_damage(make: Any) -> None:
    data = make.encode(make.corners(), "PNG")
    at = data.index(b"IDAT") - 4
    with pytest.raises(MediaDamaged):
        inspect(data[:at] + (bytes(4) + b"teXt" + bytes(4)) * 10_001 + data[at:])
