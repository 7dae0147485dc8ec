"""The finders on real pictures, and what they find after covering: nothing.

The pictures are free (resources/samples/SOURCES.md); pages and codes are drawn here, so the truth about them is exact.
"""

from __future__ import annotations

import io
from importlib import resources
from typing import Any

import numpy as np
import pytest
import zxingcpp
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

from app.media.look import faces as facing
from app.media.look.boxes import Box, overlap
from app.media.look.codes import CodeFinder
from app.media.look.cover import Edit, covers_for, still_seen
from app.media.look.faces import FaceFinder
from app.media.look.text import TextFinder
from app.media.look.types import Findings, Kind, Region
from app.media.shape import shape

ASTRONAUT = Box(224, 79, 337, 218)
"""The face in halo/2-astronaut.jpg, from hairline to chin."""
HOPPER = Box(183, 110, 355, 335)


def sample(name: str) -> Image.Image:
    return Image.open(io.BytesIO((resources.files("resources") / "samples" / name).read_bytes())).convert("RGB")


def pixels(picture: Image.Image) -> Any:
    return np.ascontiguousarray(np.asarray(picture.convert("RGB"))[..., ::-1])


def leaving(make: Any, picture: Image.Image, regions: tuple[Region, ...], *kinds: Kind) -> tuple[Image.Image, list[Box]]:
    """The picture as it would leave, with everything of these kinds covered, and where it is."""
    edit = Edit(covers_for(Findings(*picture.size, regions), kinds))
    assert edit
    shaped = shape(make.encode(picture), "image/jpeg", 1, edit=edit)
    return Image.open(io.BytesIO(shaped.jpeg)).convert("RGB"), [Box(*place) for place in shaped.covered]


def covered(make: Any, picture: Image.Image, regions: tuple[Region, ...], *kinds: Kind) -> Image.Image:
    return leaving(make, picture, regions, *kinds)[0]


@pytest.fixture(scope="module")
def faces() -> FaceFinder:
    return FaceFinder()


@pytest.fixture(scope="module")
def text() -> TextFinder:
    return TextFinder()


def best(regions: tuple[Region, ...], truth: Box) -> float:
    return max((overlap(region.box, truth) for region in regions), default=0.0)


@pytest.mark.parametrize(("name", "truth"), [("halo/2-astronaut.jpg", ASTRONAUT), ("faces/hopper.jpg", HOPPER)])
def test_a_face_is_found_and_not_found_again_once_covered(make: Any, faces: FaceFinder, name: str, truth: Box) -> None:
    picture = sample(name)
    found = faces.find(pixels(picture))
    assert best(found, truth) > 0.6
    assert found[0].kind is Kind.FACE
    assert found[0].sure
    after = faces.find(pixels(covered(make, picture, found, Kind.FACE)))
    assert not after


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turned_faces(faces: FaceFinder, turns: int) -> None:
    picture = sample("halo/2-astronaut.jpg").transpose(
        {1: Image.Transpose.ROTATE_90, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_270}[turns]
    )
    width, height = 640, 480
    box = ASTRONAUT
    truth = {
        1: Box(box.top, width - box.right, box.bottom, width - box.left),
        2: Box(width - box.right, height - box.bottom, width - box.left, height - box.top),
        3: Box(height - box.bottom, box.left, height - box.top, box.right),
    }[turns]
    assert best(faces.find(pixels(picture)), truth) > 0.5


def test_faces_in_the_dark_out_of_focus_and_in_grey(faces: FaceFinder) -> None:
    picture = sample("halo/2-astronaut.jpg")
    for changed in (
        ImageEnhance.Brightness(picture).enhance(0.25),
        picture.filter(ImageFilter.GaussianBlur(4)),
        picture.convert("L").convert("RGB"),
    ):
        assert best(faces.find(pixels(changed)), ASTRONAUT) > 0.5


@pytest.mark.parametrize("side", [24, 90, 800])
def test_faces_of_any_size_in_a_large_photo(make: Any, faces: FaceFinder, side: int) -> None:
    """In the middle, where the borders of the tiles are. Gone once covered."""
    scale = side / ASTRONAUT.width
    person = sample("halo/2-astronaut.jpg").resize((round(640 * scale), round(480 * scale)), Image.Resampling.LANCZOS)
    photo = Image.new("RGB", (1640, 1800), (96, 104, 110))
    at = (820 - round(ASTRONAUT.left * scale), 900 - round(ASTRONAUT.top * scale))
    photo.paste(person, at)
    found = faces.find(pixels(photo))
    assert best(found, ASTRONAUT.scaled(scale, scale).moved(*at)) > 0.4
    assert [region.sure for region in found if overlap(region.box, ASTRONAUT.scaled(scale, scale).moved(*at)) > 0.4] == [side >= 32]
    assert not faces.find(pixels(covered(make, photo, found, Kind.FACE)))


def test_each_face_once_and_every_face(faces: FaceFinder) -> None:
    photo = Image.new("RGB", (1280, 480), "grey")
    for column in range(4):
        photo.paste(sample("halo/2-astronaut.jpg").crop((160, 20, 400, 300)), (320 * column + 20, 60))
    found = faces.find(pixels(photo))
    assert [sum(overlap(region.box, ASTRONAUT.moved(320 * column + 20 - 160, 40)) > 0.3 for region in found) for column in range(4)] == [
        1
    ] * 4


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (31, 33), (2000, 5)])
def test_pictures_of_any_shape(faces: FaceFinder, text: TextFinder, size: tuple[int, int]) -> None:
    for colour in ("black", "white"):
        blank = pixels(Image.new("RGB", size, colour))
        assert faces.find(blank) == ()
        assert text.find(blank) == ()
        assert CodeFinder().find(blank) == ()


def test_nonsense_from_a_net_is_no_face(monkeypatch: pytest.MonkeyPatch) -> None:
    finder = FaceFinder()

    class Mad:
        def setInputSize(self, size: object) -> None: ...
        def setScoreThreshold(self, score: object) -> None: ...
        def detect(self, shown: object) -> object:
            nan, big = float("nan"), 1e30
            rows = [
                [nan, 0, 9, 9, 0.9],
                [0, 0, float("inf"), 9, 0.9],
                [0, 0, 0, 9, 0.9],
                [0, 0, 9, -9, 0.9],
                [0, 0, 9, 9, nan],
                [big, 0, 9, 9, 1],
            ]
            return 1, np.array([[*row[:4], *[0] * 10, row[4]] for row in rows], np.float32)

    monkeypatch.setattr(finder, "_yunet", Mad())
    assert finder.find(pixels(Image.new("RGB", (200, 100)))) == ()
    assert facing.MAX_FACES < 2000


LINES = (
    "Dear Ms Example,",
    "thank you for your letter of",
    "the third. Your number is",
    "00-1234-5678, and the sum is",
    "1,250.40 in all.",
    "Dr A. Sample",
)


def page(width: int, height: int, size: int, at: tuple[int, int] = (60, 60)) -> tuple[Image.Image, list[Box]]:
    """A letter on a grey desk, with the boxes of its words."""
    picture = Image.new("RGB", (width, height), (120, 110, 100))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size)
    draw.rectangle((at[0] - size, at[1] - size, at[0] + 18 * size, at[1] + 13 * size), fill="white")
    words = []
    for row, line in enumerate(LINES):
        x: float = at[0]
        for word in line.split():
            left, top, right, bottom = draw.textbbox((x, at[1] + 2 * size * row), word, font=font)
            draw.text((x, at[1] + 2 * size * row), word, font=font, fill="black")
            words.append(Box(round(left), round(top), round(right), round(bottom)))
            x = right + size / 3
    return picture, words


def hidden(words: list[Box], regions: tuple[Region, ...]) -> float:
    """The part of the words of which a region takes at least 80 %."""
    return sum(any(word.shared(region.box) >= 0.8 * word.area for region in regions) for word in words) / len(words)


@pytest.mark.parametrize(("size", "width", "height"), [(14, 480, 360), (20, 640, 480)])
def test_a_letter_is_found_as_one_document(make: Any, text: TextFinder, size: int, width: int, height: int) -> None:
    picture, words = page(width, height, size)
    found = text.find(pixels(picture))
    assert hidden(words, found) >= 0.95
    documents = [region for region in found if region.kind is Kind.DOCUMENT]
    assert len(documents) == 1
    assert documents[0].lines >= 5
    assert documents[0].sure
    gone, places = leaving(make, picture, found, Kind.TEXT, Kind.DOCUMENT)
    assert still_seen(Findings(*gone.size, text.find(pixels(gone))), places) == ()


def test_one_line_is_text_and_no_document(text: TextFinder) -> None:
    picture = Image.new("RGB", (800, 400), (40, 90, 60))
    ImageDraw.Draw(picture).text((100, 150), "Main Street 12", font=ImageFont.load_default(40), fill="white")
    found = text.find(pixels(picture))
    assert [region.kind for region in found] == [Kind.TEXT]
    assert found[0].box.shared(Box(100, 150, 400, 190)) > 0.9 * 300 * 30


def test_a_sign_larger_than_any_line(text: TextFinder) -> None:
    picture = Image.new("RGB", (800, 600), (160, 20, 20))
    ImageDraw.Draw(picture).text((125, 175), "STOP", font=ImageFont.load_default(210), fill="white")
    word = Box(*map(round, ImageDraw.Draw(picture).textbbox((125, 175), "STOP", font=ImageFont.load_default(210))))
    assert hidden([word], text.find(pixels(picture))) == 1


def test_wood_and_fur_are_no_text(text: TextFinder) -> None:
    for name in ("halo/1-coffee.jpg", "halo/4-cat.jpg"):
        picture = sample(name)
        area = picture.width * picture.height
        assert sum(region.box.area for region in text.find(pixels(picture))) < 0.1 * area


def code(content: str, side: int, kind: Any = zxingcpp.BarcodeFormat.QRCode) -> Image.Image:
    return (
        Image.fromarray(np.asarray(zxingcpp.create_barcode(content, kind).to_image(scale=4)))
        .convert("RGB")
        .resize((side, side), Image.Resampling.NEAREST)
    )


@pytest.mark.parametrize(
    ("content", "note"),
    [
        ("WIFI:T:WPA;S:home;P:secret;;", "QR code: Wi-Fi login"),
        ("https://example.org/?token=secret", "QR code: web address"),
        ("BEGIN:VCARD\nFN:Secret Person\nEND:VCARD", "QR code: contact"),
        ("just secret words", "QR code"),
    ],
)
def test_codes_are_found_named_and_dead_once_covered(make: Any, content: str, note: str) -> None:
    picture = Image.new("RGB", (1200, 900), "white")
    picture.paste(code(content, 200), (700, 300))
    (found,) = CodeFinder().find(pixels(picture))
    assert (found.kind, found.note) == (Kind.CODE, note)
    assert "secret" not in repr(found).lower()
    assert best((found,), Box(700, 300, 900, 500)) > 0.5
    assert CodeFinder().find(pixels(covered(make, picture, (found,), Kind.CODE))) == ()


def test_several_codes_of_several_kinds() -> None:
    picture = Image.new("RGB", (1200, 900), "white")
    picture.paste(code("one", 200), (50, 50))
    picture.paste(code("two", 200).rotate(90), (500, 400))
    picture.paste(code("three", 200, zxingcpp.BarcodeFormat.DataMatrix), (900, 600))
    assert sorted(region.note for region in CodeFinder().find(pixels(picture))) == ["QR code", "QR code", "code"]
