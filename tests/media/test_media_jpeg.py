"""The skeleton of a JPEG: where it ends, how large it says it is, and what is left out for the decoder."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.media.decode import PIXEL_LIMIT
from app.media.errors import MediaDamaged
from app.media.jpeg import MAX_SCANS, MAX_SEGMENTS, bare, walk

FRAME = b"\xff\xc0\x00\x0b\x08\x00\x10\x00\x20\x01\x01\x11\x00"
SCAN = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"


def test_a_sound_picture_is_walked_to_its_end(make: Any) -> None:
    data = make.jpeg(64, 48)
    skeleton = walk(data + b"tail", PIXEL_LIMIT)
    assert (skeleton.width, skeleton.height, skeleton.scans, skeleton.end) == (64, 48, 1, len(data))


def test_progressive_pictures_have_several_scans(make: Any) -> None:
    assert walk(make.jpeg(progressive=True), PIXEL_LIMIT).scans > 1


def test_every_cut_is_noticed(make: Any) -> None:
    data = make.jpeg(32, 32, quality=30)
    for length in range(len(data)):
        with pytest.raises(MediaDamaged):
            walk(data[:length], PIXEL_LIMIT)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n", "does not begin"),
        (b"\xff\xd8\xff\xd9", "no picture"),
        (b"\xff\xd8" + FRAME + b"\xff\xd9", "no picture"),
        (b"\xff\xd8" + SCAN + b"\x00\xff\xd9", "no picture"),
        (b"\xff\xd8hello", "follow one another"),
        (b"\xff\xd8\xff\xff\xff", "ends too early"),
        (b"\xff\xd8\xff\xe0\xff\xff", "ends too early"),
        (b"\xff\xd8\xff\xe0\x00\x01\xff\xd9", "impossible length"),
        (b"\xff\xd8\xff\xc0\x00\x04\x08\x00", "impossible length"),
        (b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x00\x00\x20\x01\x01\x11\x00", "no width or no height"),
        (b"\xff\xd8\xff\xc0\x00\x0b\x08\xff\xff\xff\xff\x01\x01\x11\x00", "larger than any picture"),
        (b"\xff\xd8" + FRAME + SCAN + b"\x12\xff\x00\x34", "ends too early"),
        (b"\xff\xd8" + FRAME + (SCAN + b"\x00") * (MAX_SCANS + 1) + b"\xff\xd9", "decoder busy"),
        (b"\xff\xd8" + b"\xff\xfe\x00\x02" * (MAX_SEGMENTS + 1) + b"\xff\xd9", "decoder busy"),
    ],
)
def test_what_is_wrong_is_said(data: bytes, words: str) -> None:
    with pytest.raises(MediaDamaged) as caught:
        walk(data, PIXEL_LIMIT)
    assert words in caught.value.why
    assert caught.value.what == ("This picture is too large." if "larger" in words else "This picture is damaged.")


def test_fill_bytes_restarts_and_stuffing_are_no_ends() -> None:
    data = b"\xff\xd8\xff\xff" + FRAME[1:] + b"\xff\x01" + SCAN + b"\x12\xff\x00\x34\xff\xd0\x56\xff\xd7\x78\xff\xff\xd9"
    skeleton = walk(data, PIXEL_LIMIT)
    assert (skeleton.width, skeleton.height, skeleton.end) == (32, 16, len(data))


@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_damage_and_nothing_else(tail: bytes) -> None:
    for data in (tail, b"\xff\xd8" + tail, b"\xff\xd8" + FRAME + SCAN + tail):
        try:
            skeleton = walk(data, PIXEL_LIMIT)
        except MediaDamaged:
            continue
        assert skeleton.end <= len(data)
        walk(bare(data, skeleton), PIXEL_LIMIT)


def test_the_decoder_gets_the_same_picture_without_the_metadata(make: Any) -> None:
    data = make.traced_jpeg()
    stripped = bare(data, walk(data, PIXEL_LIMIT))
    for secret in (b"SN-778899", b"Exif", b"adobe.com", b"ICC_PROFILE", b"by hand", b"Photoshop", b"JFXX"):
        assert secret in data
        assert (secret in stripped) is (secret == b"JFXX")
    assert Image.open(io.BytesIO(stripped)).tobytes() == Image.open(io.BytesIO(data)).tobytes()


def test_the_adobe_segment_stays_because_it_names_the_colours(make: Any) -> None:
    data = make.encode(make.corners(mode="CMYK"))
    assert bare(data, walk(data, PIXEL_LIMIT)) == data
