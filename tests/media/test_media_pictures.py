"""Thumbnails, pictures shaped for sending, and the samples of simulated glasses."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.media import shape as shaping
from app.media.errors import MediaDamaged, MediaUnsupported
from app.media.inspect import inspect
from app.media.jpeg import walk
from app.media.samples import clip, pictures
from app.media.shape import MetadataLeft, check_clean, shape
from app.media.thumbs import thumbnails
from ble.sim.catalogue import FAMILIES


def size_of(jpeg: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(jpeg)).size


@pytest.mark.parametrize("orientation", range(1, 9))
def test_thumbnails_and_shapes_are_upright(make: Any, orientation: int) -> None:
    data = make.jpeg(640, 480, orientation=orientation)
    thumb = thumbnails(data, "image/jpeg", orientation, (160,))[0]
    assert make.names(thumb.jpeg) == make.upright
    assert size_of(thumb.jpeg) == (160, 120)
    shaped = shape(data, "image/jpeg", orientation, long_edge=320)
    assert make.names(shaped.jpeg) == make.upright
    assert size_of(shaped.jpeg) == (shaped.width, shaped.height) == (320, 240)


def test_tall_and_tiny_pictures_keep_their_shape(make: Any) -> None:
    assert size_of(thumbnails(make.jpeg(300, 900), "image/jpeg", 1, (160,))[0].jpeg) == (53, 160)
    assert size_of(thumbnails(make.jpeg(20, 10), "image/jpeg", 1, (160,))[0].jpeg) == (20, 10)
    assert size_of(thumbnails(make.jpeg(4000, 2), "image/jpeg", 1, (160,))[0].jpeg) == (160, 1)
    assert size_of(thumbnails(make.jpeg(40, 10), "image/jpeg", 6, (160,))[0].jpeg) == (10, 40)


def test_several_sizes_from_one_decoding(make: Any) -> None:
    small, large = thumbnails(make.jpeg(640, 480), "image/jpeg", 1, (160, 320))
    assert size_of(small.jpeg) == (160, 120)
    assert size_of(large.jpeg) == (320, 240)
    assert small.colour == large.colour


def test_the_average_colour(make: Any) -> None:
    for colour in (0xFF0000, 0x00FF00, 0x0000FF, 0x804020, 0x000000):
        rgb = tuple(colour.to_bytes(3, "big"))
        assert thumbnails(make.encode(Image.new("RGB", (50, 50), rgb), "PNG"), "image/png", 1, (160,))[0].colour == colour


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_jpegs_in_other_colours(make: Any, mode: str) -> None:
    picture = Image.new("RGB", (64, 48), (200, 200, 200)).convert(mode)
    colour = thumbnails(make.encode(picture), "image/jpeg", 1, (160,))[0].colour
    assert all(abs(part - 200) < 4 for part in colour.to_bytes(3, "big"))


def test_sixteen_bits_and_transparency(make: Any) -> None:
    grey = Image.new("I;16", (20, 20), 0x8000)
    assert thumbnails(make.encode(grey, "PNG"), "image/png", 1, (160,))[0].colour == 0x808080
    clear = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    for kind in ("PNG", "WEBP"):
        assert (
            thumbnails(make.encode(clear, kind, **({"lossless": True} if kind == "WEBP" else {})), f"image/{kind.lower()}", 1, (160,))[
                0
            ].colour
            == 0xFFFFFF
        )
    palette = Image.new("P", (20, 20), 0)
    palette.putpalette([0, 0, 255])
    assert thumbnails(make.encode(palette, "GIF", transparency=0), "image/gif", 1, (160,))[0].colour == 0xFFFFFF
    assert thumbnails(make.encode(palette, "GIF"), "image/gif", 1, (160,))[0].colour == 0x0000FF


def test_no_metadata_in_what_is_made(make: Any) -> None:
    data = make.traced_jpeg()
    for made in (thumbnails(data, "image/jpeg", 1, (160,))[0].jpeg, shape(data, "image/jpeg", 1).jpeg):
        assert inspect(made).traces == ()
        check_clean(made)
        assert b"SN-778899" not in made


def test_what_was_removed_is_said_in_plain_words(make: Any) -> None:
    removed = shape(make.traced_jpeg(), "image/jpeg", 1).removed
    assert {"location", "camera serial number", "embedded thumbnail", "date and time", "camera make and model"} <= set(removed)
    assert shape(make.jpeg(), "image/jpeg", 1).removed == ()


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("WEBP", {"quality": 90}), ("GIF", {"comment": b"hello"})])
def test_other_pictures_are_shaped_too(make: Any, kind: str, options: dict[str, Any]) -> None:
    shaped = shape(make.encode(make.corners(200, 100), kind, **options), f"image/{kind.lower()}", 3, long_edge=100)
    assert (shaped.width, shaped.height) == (100, 50)
    assert shaped.removed == (("description or comment",) if options.get("comment") else ())


def test_nothing_is_made_larger(make: Any) -> None:
    shaped = shape(make.jpeg(100, 50), "image/jpeg", 8)
    assert (shaped.width, shaped.height) == (50, 100)


def test_a_large_picture_ends_at_the_long_edge(make: Any) -> None:
    shaped = shape(make.jpeg(2000, 1500), "image/jpeg", 1)
    assert (shaped.width, shaped.height) == (1568, 1176)


@pytest.mark.parametrize("media_type", ["video/mp4", "audio/wav", "text/plain"])
def test_what_cannot_be_shaped_is_said(make: Any, media_type: str) -> None:
    with pytest.raises(MediaUnsupported):
        shape(make.jpeg(), media_type, 1)


@pytest.mark.parametrize("media_type", ["audio/wav", "nonsense"])
def test_what_has_no_thumbnail_is_said(make: Any, media_type: str) -> None:
    with pytest.raises(MediaUnsupported):
        thumbnails(make.jpeg(), media_type, 1, (160,))


def test_bytes_of_another_type_than_stated_are_damaged(make: Any) -> None:
    for stated, data in (("image/jpeg", make.encode(make.corners(), "PNG")), ("image/png", make.jpeg()), ("video/mp4", make.jpeg())):
        with pytest.raises(MediaDamaged):
            thumbnails(data, stated, 1, (160,))


def test_damaged_pictures_make_neither(make: Any) -> None:
    data = make.jpeg(640, 480)
    for broken in (b"", data[:-2], data[: len(data) // 2], io.BytesIO(data[:1000])):
        with pytest.raises(MediaDamaged):
            thumbnails(broken, "image/jpeg", 1, (160,))
        with pytest.raises(MediaDamaged):
            shape(broken if isinstance(broken, bytes) else broken.getvalue(), "image/jpeg", 1)


@pytest.mark.parametrize(
    "extra",
    [(0xE1, b"Exif\x00\x00"), (0xE0, b"JFXX\x00\x10"), (0xE0, b"JFIF\x00" + bytes(12)), (0xFE, b"hello"), (0xEE, b"Adobe" + bytes(7))],
)
def test_a_result_with_anything_extra_is_thrown_away(make: Any, extra: tuple[int, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    clean = make.jpeg()
    check_clean(clean)
    tainted = clean[:2] + make.segment(*extra) + clean[2:]
    with pytest.raises(MetadataLeft):
        check_clean(tainted)
    monkeypatch.setattr(shaping, "encode_jpeg", lambda picture, quality: tainted)
    with pytest.raises(MetadataLeft):
        shape(make.jpeg(), "image/jpeg", 1)


def test_a_result_with_a_tail_is_thrown_away(make: Any) -> None:
    with pytest.raises(MetadataLeft):
        check_clean(make.jpeg() + b"\x00")


ROOT = Path(__file__).parents[2]
PEAK = """
import resource, sys
from app.media.errors import MediaDamaged
from app.media.inspect import inspect
from app.media.thumbs import thumbnails
small, data = (bytes.fromhex(line) for line in sys.stdin)
inspect(small); thumbnails(small, "image/jpeg", 1, (320,))  # decoders are loaded now
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    {call}
except MediaDamaged:
    print("refused")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def peak_growth(call: str, small: bytes, data: bytes) -> tuple[int, bool]:
    """Memory in KiB that `call` needs at its peak, in a process of its own, and whether it was refused."""
    fed = f"{small.hex()}\n{data.hex()}"
    done = subprocess.run(
        [sys.executable, "-c", PEAK.format(call=call)], input=fed, capture_output=True, text=True, check=True, timeout=50, cwd=ROOT
    )
    return int(done.stdout.split()[-1]), "refused" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak as Linux counts it")
def test_memory_stays_within_bounds(make: Any) -> None:
    """A full decoding of 12 million pixels takes 36 MB, the scaled one 2; a bomb of 4 thousand million takes none at all."""
    large = make.encode(Image.new("RGB", (4000, 3000), "teal"))
    growth, refused = peak_growth("thumbnails(data, 'image/jpeg', 1, (320,))", make.jpeg(), large)
    assert growth < 16_000
    assert not refused
    at = large.index(b"\xff\xc0") + 5
    for bomb in (large[:at] + b"\xff\xff\xff\xff" + large[at + 4 :], make.png_of_size(65_000, 65_000)):
        growth, refused = peak_growth("inspect(data)", make.jpeg(), bomb)
        assert growth < 4_000
        assert refused


def test_nothing_is_ever_written_to_disk(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins
    import os
    import tempfile

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a file was opened for writing")

    for data, media_type in ((make.jpeg(), "image/jpeg"), (make.encode(make.corners(), "WEBP"), "image/webp"), (make.clip(), "video/mp4")):
        with monkeypatch.context() as patch:
            patch.setattr(tempfile, "mkstemp", refuse)
            patch.setattr(builtins, "open", refuse)
            patch.setattr(os, "open", refuse)
            inspect(data)
            thumbnails(data, media_type, 1, (160,))


@pytest.mark.parametrize(
    ("family", "size", "largest", "orientation"), [("omi-glass", (640, 480), 40_000, 3), ("openglass", (800, 600), 65_000, 8)]
)
def test_samples_are_what_the_glasses_deliver(family: str, size: tuple[int, int], largest: int, orientation: int) -> None:
    samples = pictures(family)
    assert 4 <= len(samples) <= 6
    assert len(set(samples)) == len(samples)
    for data in samples:
        facts = inspect(data)
        assert (facts.width, facts.height) == size
        assert facts.traces == ()
        assert 8_000 < len(data) < largest
        assert walk(data, 10**7).end == len(data)
        shown = shape(data, "image/jpeg", orientation)
        assert (shown.width, shown.height) == (size if orientation == 3 else size[::-1])


def test_omi_samples_are_upside_down() -> None:
    """The launch: the sky is darker than the lamps on the ground, so the ground lies on top as delivered."""
    launch = Image.open(io.BytesIO(pictures("omi-glass")[4])).convert("L")
    top = launch.crop((0, 0, 640, 80)).resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    bottom = launch.crop((0, 400, 640, 480)).resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    assert isinstance(top, int)
    assert isinstance(bottom, int)
    assert top > bottom


def test_the_sample_clip(make: Any) -> None:
    data = clip()
    facts = inspect(data)
    assert len(data) < 300_000
    assert facts.duration_ms == pytest.approx(3000, abs=100)
    assert size_of(thumbnails(data, "video/mp4", 1, (320,))[0].jpeg) == (320, 240)


def test_every_simulated_family_has_something_to_see() -> None:
    for family, _ in FAMILIES:
        assert pictures(family)
        assert all(inspect(picture).kind.value == "photo" for picture in pictures(family))
