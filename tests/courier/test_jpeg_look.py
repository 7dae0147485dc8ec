"""The look at a JPEG's markers: finds what is there, and returns whatever it is given."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from app.courier.jpeg import JpegFacts, look


def jpeg(**options: object) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((60, 40)).convert("RGB").save(out, "JPEG", **options)
    return out.getvalue()


def with_segment(marker: int, payload: bytes) -> bytes:
    data = jpeg()
    return data[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload + data[2:]


def test_a_bare_picture() -> None:
    assert look(jpeg()) == JpegFacts(True, 60, 40, ())
    assert look(jpeg(progressive=True)) == JpegFacts(True, 60, 40, ())


def test_exif_with_a_place() -> None:
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    assert look(jpeg(exif=exif)).metadata == ("EXIF", "EXIF maker", "EXIF orientation", "EXIF GPS")


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_of_both_byte_orders(order: str) -> None:
    head = b"II*\x00" if order == "<" else b"MM\x00*"
    tiff = head + struct.pack(order + "IHHHII", 8, 1, 0x8825, 4, 1, 26)
    assert look(with_segment(0xE1, b"Exif\x00\x00" + tiff)).metadata == ("EXIF", "EXIF GPS")


@pytest.mark.parametrize(
    ("marker", "payload", "name"),
    [
        (0xE1, b"http://ns.adobe.com/xap/1.0/\x00<x/>", "XMP"),
        (0xE2, b"ICC_PROFILE\x00\x01\x01", "colour profile"),
        (0xE2, b"MPF\x00II", "further pictures (MPF)"),
        (0xED, b"Photoshop 3.0\x008BIM", "IPTC/Photoshop"),
        (0xE0, b"JFXX\x00\x10", "JFXX thumbnail"),
        (0xEB, b"odd", "application data (APP11)"),
        (0xFE, b"hello", "comment"),
    ],
)
def test_other_segments(marker: int, payload: bytes, name: str) -> None:
    assert look(with_segment(marker, payload)).metadata == (name,)


def test_known_segments_without_news_are_not_named() -> None:
    assert look(with_segment(0xEE, b"Adobe\x00d\x00\x00\x00\x00\x00")).metadata == ()


@pytest.mark.parametrize("tiff", [b"", b"II*\x00", b"XX*\x00" + bytes(20), b"II*\x00" + b"\xff" * 20, b"II*\x00\x08\x00\x00\x00\xff\xff"])
def test_broken_exif_is_exif_all_the_same(tiff: bytes) -> None:
    assert look(with_segment(0xE1, b"Exif\x00\x00" + tiff)).metadata[0] == "EXIF"


def test_markers_without_a_segment_are_stepped_over() -> None:
    data = jpeg()
    assert look(data[:2] + b"\xff\x01\xff\xff\xd0" + data[2:]) == look(data)
    assert look(b"\xff\xd8\xff\xd9\xff\xfe\x00\x02") == JpegFacts(True, 0, 0, ("4 bytes after the picture",))


def test_what_hides_behind_the_picture() -> None:
    assert look(jpeg() + b"hidden").metadata == ("6 bytes after the picture",)


def test_a_comment_behind_the_scan_is_found() -> None:
    data = jpeg()
    assert look(data[:-2] + b"\xff\xff\xfe\x00\x06left" + data[-2:]).metadata == ("comment",)


def test_what_is_no_jpeg() -> None:
    out = io.BytesIO()
    Image.new("RGB", (1, 1)).save(out, "PNG", pnginfo=PngImagePlugin.PngInfo())
    assert look(out.getvalue()) == JpegFacts(False, 0, 0, ())
    assert look(b"") == JpegFacts(False, 0, 0, ())


@given(st.binary(max_size=300))
def test_any_bytes_return(data: bytes) -> None:
    look(data)
    look(b"\xff\xd8" + data)


@given(st.data())
def test_damaged_pictures_return(data: st.DataObject) -> None:
    whole = bytearray(with_segment(0xE1, b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00" + bytes(12)))
    for _ in range(data.draw(st.integers(0, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    look(bytes(whole[: data.draw(st.integers(0, len(whole)))]))


def test_endless_markers_end() -> None:
    assert look(b"\xff\xd8" + b"\xff\xfe\x00\x02" * 5000).is_jpeg
