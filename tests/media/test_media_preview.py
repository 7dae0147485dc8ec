"""Pictures that few programs can read, made such that any can."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.media.errors import MediaDamaged
from app.media.inspect import inspect
from app.media.preview import preview
from app.media.types import MediaType

HEIC = (Path(__file__).parent / "samples/glasses.heic").read_bytes()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_what_every_screen_can_show_stays_as_it_is(make: Any, kind: str) -> None:
    data = make.encode(make.corners(), kind)
    assert preview(data) is data


def test_what_is_no_picture_stays_as_it_is() -> None:
    assert preview(b"") == b""
    assert preview(b"no picture") == b"no picture"


def test_heic_comes_as_upright_as_its_facts_say() -> None:
    shown = preview(HEIC)
    facts, before = inspect(shown), inspect(HEIC)
    assert facts.media_type is MediaType.JPEG
    assert (facts.width, facts.height, before.orientation) == (before.width, before.height, 1)
    assert facts.traces == ()


def test_avif_comes_as_stored_so_that_its_orientation_counts_once(make: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = make.encode(make.corners(), "AVIF", exif=exif)
    before = inspect(data)
    shown = preview(data)
    with Image.open(io.BytesIO(shown)) as picture:
        assert (picture.format, picture.size, dict(picture.getexif())) == ("JPEG", (before.width, before.height), {})
    assert before.orientation == 6
    assert make.names(shown) == make.upright, "Pillow stores it as it is and writes down how to turn it"


def test_what_cannot_be_decoded_is_said(make: Any) -> None:
    for data in (HEIC, make.encode(make.corners(), "AVIF")):
        with pytest.raises(MediaDamaged):
            preview(data[: len(data) // 2])
