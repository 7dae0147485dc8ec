"""HEIC: decoded by a process of its own, which may fall over a hostile file without taking anything along."""

from __future__ import annotations

import io
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from app.media import heic, heif
from app.media.errors import MediaDamaged, MediaTooLarge
from app.media.inspect import glance, inspect
from app.media.place import location
from app.media.shape import shape
from app.media.thumbs import thumbnails
from app.media.types import MediaType

SAMPLE = (Path(__file__).parent / "samples/glasses.heic").read_bytes()
"""64 x 48 pixels stored, turned upright by its container (to 48 x 64): red, green, blue and white corners."""


def test_its_facts_are_read() -> None:
    facts = inspect(SAMPLE)
    assert (facts.media_type, facts.width, facts.height, facts.orientation) == (MediaType.HEIC, 48, 64, 1)
    assert facts.taken_at == datetime(2026, 5, 12, 12, 3, 9, tzinfo=UTC)
    assert facts.has_location


def test_its_facts_are_had_without_decoding_it(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = inspect(SAMPLE)
    monkeypatch.setattr(heic, "decode", None)
    assert glance(SAMPLE, (160, 320)) == (decoded, ())
    for cut in (1, 100, 600):
        with pytest.raises(MediaDamaged):
            glance(SAMPLE[:-cut], (160, 320))
    huge = bytearray(SAMPLE)
    for name in (b"ispe", b"clap"):
        at = huge.index(name) + (8 if name == b"ispe" else 4)
        huge[at : at + 2] = b"\x7f\xff"
        at += 4 if name == b"ispe" else 8
        huge[at : at + 2] = b"\x7f\xff"
    with pytest.raises(MediaTooLarge):
        glance(bytes(huge), (160, 320))


@pytest.mark.parametrize("plain", [True, False])
def test_where_it_was_taken_is_told(monkeypatch: pytest.MonkeyPatch, plain: bool) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 30.0, 36.0), 3: "W", 4: (8.0, 15.0, 0.0)})
    described = heif.Described(48, 64, exif.tobytes()) if plain else None
    monkeypatch.setattr(heif, "describe", lambda _data: described)
    monkeypatch.setattr(heic, "decode", lambda _data: (Image.new("RGB", (48, 64)), b"" if plain else exif.tobytes()))
    assert location(SAMPLE) == pytest.approx((47.51, -8.25))


def test_what_is_not_plain_is_left_to_the_decoder() -> None:
    """Every byte changed, and every length: an answer or none, and never more than the file could say."""
    for at in range(len(SAMPLE)):
        changed = bytearray(SAMPLE)
        changed[at] ^= 0xFF
        for data in (bytes(changed), SAMPLE[:at]):
            described = heif.describe(data)
            assert described is None or len(described.exif) <= len(SAMPLE)
    # of no bytes each, 65,535 parts: they would be counted for long
    body = b"\x01\0\0\0" + b"\0\0" + b"\xff\xff" + b"\0\0\0\0\0\0\xff\xff" * 4
    with pytest.raises(ValueError, match=r"^$"):
        heif._content(1, SAMPLE, {b"iloc": body})


def test_it_is_shown_upright_and_shaped_without_its_metadata() -> None:
    shaped = shape(SAMPLE, "image/heic", 1)
    with Image.open(io.BytesIO(shaped.jpeg)) as picture:
        assert picture.size == (48, 64)
        assert picture.getpixel((40, 8)) == pytest.approx((200, 30, 30), abs=12)  # the red corner went from the left to the right
    assert "location" in shaped.removed
    assert b"Ray-Ban" not in shaped.jpeg
    with Image.open(io.BytesIO(thumbnails(SAMPLE, "image/heic", 1, (32,))[0].jpeg)) as small:
        assert small.size == (24, 32)


def test_a_file_that_ends_the_decoder_is_a_damaged_picture() -> None:
    """The type of the metadata item is no text any more: pi-heif 1.4 ends its process over that."""
    at = SAMPLE.index(b"Exif")
    with pytest.raises(MediaDamaged):
        inspect(SAMPLE[:at] + b"\xc5xif" + SAMPLE[at + 4 :].replace(b"infe", b"inf\xe5"))
    with pytest.raises(MediaDamaged):
        inspect(SAMPLE[: len(SAMPLE) // 2])


def test_the_decoder_reaches_no_network() -> None:
    """What `main` gives up first, in the process that it would decode in."""
    code = "import app.media.heic as h, socket; h.confine(); socket.socket()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)
    assert sys.platform != "linux" or "PermissionError" in done.stderr


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"RGB1",
        heic._HEADER.pack(b"RGB1", 2, 2, 0) + bytes(11),
        heic._HEADER.pack(b"RGB1", 2, 2, 0) + bytes(13),
        heic._HEADER.pack(b"RGB1", 0, 2, 0),
        heic._HEADER.pack(b"RGB1", 1 << 31, 1 << 31, 0),
        heic._HEADER.pack(b"RGB0", 2, 2, 0) + bytes(12),
        heic._HEADER.pack(b"RGB1", 2, 2, 1 << 30) + bytes(12),
    ],
)
def test_a_strange_answer_is_no_picture(answer: bytes) -> None:
    with pytest.raises(MediaDamaged):
        heic._parse(answer)


def test_an_answer_is_taken_as_it_is() -> None:
    picture, exif = heic._parse(heic._HEADER.pack(b"RGB1", 1, 2, 3) + b"abc" + bytes(range(6)))
    assert (picture.tobytes(), exif) == (bytes(range(6)), b"abc")
    with pytest.raises(MediaTooLarge):
        heic._parse(b"LONG")


def test_a_decoder_that_cannot_be_started_or_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heic, "command", lambda: ["/nonexistent"])
    with pytest.raises(MediaDamaged):
        heic.decode(SAMPLE)
    monkeypatch.setattr(heic, "command", lambda: [sys.executable, "-c", "import threading; threading.Event().wait()"])
    monkeypatch.setattr(heic, "SECONDS", 0.2)
    with pytest.raises(MediaDamaged):
        heic.decode(SAMPLE)
