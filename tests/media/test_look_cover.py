"""Covered is covered: solid in the file, and independent of what was there."""

from __future__ import annotations

import io
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from app.media import shape as shaping
from app.media.errors import MediaDamaged
from app.media.look import cover
from app.media.look.boxes import Box
from app.media.look.cover import BLOCK, CoverFailed, Edit, NothingLeft, check_solid, cover_of, covers_for, shows, still_seen
from app.media.look.types import Findings, Kind, Region
from app.media.shape import check_clean, shape


def noise(width: int, height: int, seed: int) -> Image.Image:
    return Image.frombytes("RGB", (width, height), random.Random(seed).randbytes(width * height * 3))


def png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=1)
    return out.getvalue()


def pixels(jpeg: bytes) -> Image.Image:
    return Image.open(io.BytesIO(jpeg)).convert("RGB")


def crop(picture: Image.Image, box: Box | tuple[int, int, int, int]) -> Image.Image:
    return picture.crop(box if isinstance(box, tuple) else (box.left, box.top, box.right, box.bottom))


boxes = st.builds(
    lambda left, top, width, height: Box(left, top, left + width, top + height),
    st.integers(-20, 170),
    st.integers(-20, 120),
    st.integers(1, 120),
    st.integers(1, 90),
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(boxes, min_size=1, max_size=4),
    st.one_of(st.none(), boxes),
    st.sampled_from([40, 77, 160, 1000]),
    st.integers(1, 8),
    st.sampled_from([30, 85, 100]),
)
def test_the_file_depends_on_no_pixel_that_was_covered_or_cut_off(
    covers: list[Box], keep: Box | None, long_edge: int, orientation: int, quality: int
) -> None:
    """Two pictures that differ only where it is covered, or outside of the crop, become the same file to the byte."""
    size = (140, 170) if orientation >= 5 else (170, 140)
    one, other = noise(*size, 1), noise(*size, 2)
    shown = (170, 140)
    hidden = Image.new("1", shown, 0 if keep is None else 1)
    if keep is not None:
        hidden.paste(0, (keep.left, keep.top, keep.right, keep.bottom))
    for box in covers:
        hidden.paste(1, (box.left, box.top, box.right, box.bottom))
    stored = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}.get(orientation)  # the turn that undoes what showing does
    mask = hidden if stored is None else hidden.transpose(Image.Transpose(stored))
    assert mask.size == size
    mixed = one.copy()
    mixed.paste(other, mask=mask)
    edit = Edit(tuple(covers), keep)
    if keep is not None and not keep.within(*shown).area:
        with pytest.raises(NothingLeft):
            shape(png(one), "image/png", orientation, edit=edit)
        return
    first = shape(png(one), "image/png", orientation, long_edge, quality, edit)
    second = shape(png(mixed), "image/png", orientation, long_edge, quality, edit)
    assert first == second
    check_clean(first.jpeg)


@settings(max_examples=40, deadline=None)
@given(st.lists(boxes, min_size=1, max_size=4), st.sampled_from([50, 100, 190, 1000]), st.sampled_from([10, 85, 100]))
def test_every_asked_pixel_is_of_one_colour_in_the_file(covers: list[Box], long_edge: int, quality: int) -> None:
    shaped = shape(png(noise(190, 140, 3)), "image/png", 1, long_edge, quality, Edit(tuple(covers)))
    made = pixels(shaped.jpeg)
    for box in covers:
        inside = box.within(190, 140)
        if not inside.area:
            continue
        asked = inside.scaled(made.width / 190, made.height / 140).within(*made.size)
        assert crop(made, asked).getcolors(1) == [(asked.area, cover.FILL)]


def test_the_rest_stays_as_it_was() -> None:
    """Blocks that a cover does not touch are the same as without it."""
    data = png(noise(320, 240, 4).resize((320, 240)))
    plain, covered = pixels(shape(data, "image/png", 1).jpeg), shape(data, "image/png", 1, edit=Edit((Box(100, 100, 150, 130),)))
    assert covered.covered == ((96, 96, 160, 144),)
    made = pixels(covered.jpeg)
    for box in ((0, 0, 320, 95), (0, 145, 320, 240), (0, 95, 95, 145), (161, 95, 320, 145)):
        assert crop(made, box).tobytes() == crop(plain, box).tobytes()


def test_covering_again_changes_no_covered_pixel() -> None:
    once = shape(png(noise(200, 200, 5)), "image/png", 1, edit=Edit((Box(30, 40, 90, 100),)))
    again = shape(once.jpeg, "image/jpeg", 1, edit=Edit(tuple(Box(*place) for place in once.covered)))
    assert set(once.covered) <= {(16, 32, 96, 112)}
    inner = (17, 33, 95, 111)
    assert crop(pixels(once.jpeg), inner).tobytes() == crop(pixels(again.jpeg), inner).tobytes()


def test_the_original_is_not_touched() -> None:
    data = png(noise(64, 64, 6))
    before = bytes(data)
    shape(data, "image/png", 1, edit=Edit((Box(0, 0, 64, 64),)))
    assert data == before


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_are_those_of_the_upright_picture(make: Any, orientation: int) -> None:
    data = make.jpeg(640, 480, orientation=orientation)
    shaped = shape(data, "image/jpeg", orientation, 320, edit=Edit((Box(320, 0, 640, 240),)))  # the green corner
    assert (shaped.width, shaped.height) == (320, 240)
    assert pixels(shaped.jpeg).getpixel((240, 60)) == (0, 0, 0)
    assert make.names(shaped.jpeg)[0] == "red"
    assert make.names(shaped.jpeg)[2:] == ("white", "blue")


def test_a_crop_keeps_its_own_part(make: Any) -> None:
    shaped = shape(make.jpeg(640, 480), "image/jpeg", 1, 100, edit=Edit(crop=Box(320, 240, 640, 480)))
    assert (shaped.width, shaped.height) == (100, 75)
    assert make.names(shaped.jpeg) == ("white",) * 4
    assert shaped.covered == ()
    beyond = shape(make.jpeg(640, 480), "image/jpeg", 1, edit=Edit(crop=Box(-50, -50, 320, 9999)))
    assert (beyond.width, beyond.height) == (320, 480)


def test_a_crop_never_shows_a_neighbour() -> None:
    """A scaler that may look beyond the crop would mix the white in at its edge."""
    picture = Image.new("RGB", (800, 800), "white")
    picture.paste((0, 0, 0), (200, 200, 600, 600))
    shaped = shape(png(picture), "image/png", 1, 50, edit=Edit(crop=Box(200, 200, 600, 600)))
    assert pixels(shaped.jpeg).getextrema() == ((0, 0),) * 3


def test_nothing_left_is_said(make: Any) -> None:
    for keep in (Box(700, 0, 800, 100), Box(5, 5, 5, 50), Box(50, 50, 10, 10)):
        with pytest.raises(NothingLeft):
            shape(make.jpeg(640, 480), "image/jpeg", 1, edit=Edit(crop=keep))


def test_covers_outside_of_the_picture_or_the_crop_are_harmless(make: Any) -> None:
    data = make.jpeg(640, 480)
    plain = shape(data, "image/jpeg", 1)
    assert shape(data, "image/jpeg", 1, edit=Edit((Box(640, 0, 700, 99), Box(9, 9, 9, 9)))).jpeg == plain.jpeg
    kept = shape(data, "image/jpeg", 1, edit=Edit((Box(0, 0, 100, 100),), Box(320, 240, 640, 480)))
    assert kept.covered == ()
    assert make.names(kept.jpeg) == ("white",) * 4


def test_an_empty_edit_is_none(make: Any) -> None:
    assert not Edit()
    assert shape(make.jpeg(), "image/jpeg", 1, edit=Edit()) == shape(make.jpeg(), "image/jpeg", 1)


def test_metadata_goes_here_too(make: Any) -> None:
    shaped = shape(make.traced_jpeg(), "image/jpeg", 1, edit=Edit((Box(0, 0, 9, 9),)))
    check_clean(shaped.jpeg)
    assert "location" in shaped.removed
    assert b"SN-778899" not in shaped.jpeg


def test_a_cover_that_is_not_solid_is_thrown_away(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    good = shape(make.jpeg(), "image/jpeg", 1, edit=Edit((Box(0, 0, 20, 20),)))
    check_solid(good.jpeg, [Box(*place) for place in good.covered])
    check_solid(b"", [])
    with pytest.raises(CoverFailed):
        check_solid(shape(png(noise(64, 64, 7)), "image/png", 1).jpeg, [Box(0, 0, 16, 16)])
    check_solid(good.jpeg, [Box(40, 40, 41, 41)])  # nothing but edge
    monkeypatch.setattr(cover, "_fill", lambda picture, box: None)
    with pytest.raises(CoverFailed):
        shape(png(noise(64, 64, 7)), "image/png", 1, edit=Edit((Box(0, 0, 20, 20),)))


def test_a_damaged_picture_is_not_covered_but_refused(make: Any) -> None:
    with pytest.raises(MediaDamaged):
        shape(make.jpeg()[:-9], "image/jpeg", 1, edit=Edit((Box(0, 0, 9, 9),)))


def test_one_decoding_and_one_encoding(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    for name in ("examine", "encode_jpeg"):
        real = getattr(shaping, name)
        monkeypatch.setattr(shaping, name, lambda *given, real=real, name=name: (calls.append(name), real(*given))[1])
    shape(make.jpeg(640, 480), "image/jpeg", 6, edit=Edit((Box(0, 0, 99, 99),), Box(0, 0, 300, 300)))
    assert calls == ["examine", "encode_jpeg"]


def test_the_cover_of_a_face_takes_in_hair_and_ears() -> None:
    face = Region(Kind.FACE, Box(100, 100, 180, 200), 0.9)
    assert cover_of(face) == Box(75, 75, 205, 225)
    assert cover_of(Region(Kind.TEXT, Box(10, 10, 110, 30), 0.9)) == Box(5, 5, 115, 35)
    assert cover_of(Region(Kind.CODE, Box(10, 10, 15, 15), 1)) == Box(8, 8, 17, 17)


def test_covers_are_of_the_kinds_asked_for_and_inside() -> None:
    face, near = Region(Kind.FACE, Box(0, 0, 40, 40), 0.9), Region(Kind.FACE, Box(5, 0, 45, 40), 0.5, sure=False)
    code = Region(Kind.CODE, Box(180, 80, 200, 100), 1)
    findings = Findings(200, 100, (face, near, code))
    assert covers_for(findings) == (Box(0, 0, 55, 50),)
    assert covers_for(findings, [Kind.CODE]) == (Box(178, 78, 200, 100),)
    assert covers_for(findings, [Kind.TEXT]) == ()
    assert len(covers_for(findings, list(Kind))) == 2


def test_text_under_a_cover_leaves_no_ringing_outside(make: Any) -> None:
    """On white paper, black capitals under a cover: outside of its blocks not one pixel differs from white paper."""
    page = Image.new("RGB", (320, 160), "white")
    draw = ImageDraw.Draw(page)
    for row in range(40, 100, 6):
        draw.line((90, row, 230, row), fill="black")
    shaped = shape(png(page), "image/png", 1, quality=30, edit=Edit((Box(88, 38, 232, 102),)))
    made = pixels(shaped.jpeg)
    ((left, top, right, bottom),) = shaped.covered
    assert (left % BLOCK, top % BLOCK) == (0, 0)
    for box in ((0, 0, 320, top - 1), (0, bottom + 1, 320, 160), (0, 0, left - 1, 160), (right + 1, 0, 320, 160)):
        assert crop(made, box).getextrema() == ((255, 255),) * 3


def test_what_is_seen_after_covering_but_not_on_the_cover() -> None:
    on, beside, half = (Region(Kind.TEXT, box, 0.9) for box in (Box(0, 0, 50, 50), Box(200, 0, 250, 50), Box(50, 0, 150, 50)))
    findings = Findings(300, 100, (on, beside, half))
    assert still_seen(findings, [Box(0, 0, 60, 60), Box(60, 0, 99, 60)]) == (beside, half)
    assert still_seen(findings, [Box(0, 0, 110, 60)]) == (beside,)
    assert still_seen(findings, []) == (on, beside, half)


def test_a_face_beside_its_cover_shows_and_a_neighbour_does_not() -> None:
    def seen(box: Box) -> Findings:
        return Findings(300, 200, (Region(Kind.FACE, box, 0.9), Region(Kind.TEXT, Box(40, 0, 80, 40), 0.9)))

    cover = [Box(0, 0, 60, 100)]
    assert shows(seen(Box(20, 0, 100, 100)), cover)
    assert not shows(seen(Box(55, 0, 155, 100)), cover), "a twentieth is a neighbour's"
    assert not shows(seen(Box(5, 5, 55, 95)), cover), "nothing of a face is on a cover"
    assert not shows(seen(Box(20, 0, 100, 100)), [])
    twice = [Box(0, 0, 60, 100), Box(10, 0, 60, 120)]
    assert shows(seen(Box(20, 0, 100, 100)), twice), "two covers of one half of a face hide that half only"
