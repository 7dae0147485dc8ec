"""Without location: nothing is left in the file but the picture, its orientation and its time, and the picture is bit for bit the same."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from app.media.errors import MediaDamaged
from app.media.inspect import inspect
from app.media.strip import only_picture

WHEN = datetime(2026, 5, 12, 14, 3, 12, tzinfo=UTC)


def pixels(jpeg: bytes) -> bytes:
    with Image.open(io.BytesIO(jpeg)) as picture:
        return picture.tobytes()


def test_every_place_where_a_location_can_hide_is_gone(make: Any) -> None:
    traced = make.traced_jpeg()
    extras = [
        (0xE1, b"http://ns.adobe.com/xap/1.0/\x00<x exif:GPSLatitude='52,30N'/>"),
        (0xED, b"Photoshop 3.0\x008BIM City Berlin"),
        (0xE2, b"FPXR\x00 further pictures"),
        (0xE5, b"maker"),
        (0xFE, b"taken in Berlin"),
        (0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x01\x01abc"),
    ]
    jpeg = traced[:2] + b"".join(make.segment(*extra) for extra in extras) + traced[2:] + traced
    assert inspect(jpeg).has_location
    clean = only_picture(jpeg, 1, WHEN)
    for word in (b"GPS", b"Berlin", b"FPXR", b"maker", b"Photoshop"):
        assert word not in clean
    facts = inspect(clean)
    assert not facts.has_location
    assert set(facts.traces) <= {"date and time", "colour profile"}
    assert facts.taken_at == WHEN
    assert pixels(clean) == pixels(jpeg)
    assert clean.endswith(b"\xff\xd9")


@pytest.mark.parametrize(("in_file", "worn", "expected"), [(6, 1, 6), (6, 3, 6), (1, 3, 3), (1, 1, 1)])
def test_orientation_stays(make: Any, in_file: int, worn: int, expected: int) -> None:
    said = Image.Exif()
    said[0x0112] = in_file
    assert inspect(only_picture(make.jpeg(exif=said.tobytes()), worn, WHEN)).orientation == expected


def test_the_colour_profile_stays(make: Any) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    clean = only_picture(make.jpeg(icc_profile=profile), 1, WHEN)
    with Image.open(io.BytesIO(clean)) as picture:
        assert picture.info["icc_profile"] == profile


@given(st.binary(max_size=300))
def test_what_is_no_jpeg_is_refused(data: bytes) -> None:
    for hostile in (data, b"\xff\xd8" + data):
        with pytest.raises(MediaDamaged):
            only_picture(hostile, 1, WHEN)
