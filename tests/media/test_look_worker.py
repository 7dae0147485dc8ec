"""The worker: each finder on its own, and "not checked" whenever one could not look."""

from __future__ import annotations

import io
import shutil
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile

from app.media.look import worker
from app.media.look.boxes import Box
from app.media.look.models import NotAvailable, Weights, load
from app.media.look.pipe import Done, Found, Look, PipeError, encode, read
from app.media.look.types import Check, Findings, Kind, Part, Region, not_checked
from app.media.look.worker import LOOK_PIXELS, Makers, Worker, serve

ALL = tuple(Part)


class Fixed:
    """Finds the same each time, or raises; remembers the size it was shown."""

    def __init__(self, *found: Region | Exception) -> None:
        self._found = found
        self.shown: list[tuple[int, ...]] = []
        self.corner: tuple[int, ...] = ()

    def find(self, pixels: Any) -> tuple[Region, ...]:
        self.shown.append(pixels.shape)
        self.corner = tuple(int(value) for value in pixels[0, 0])
        for each in self._found:
            if isinstance(each, Exception):
                raise each
        return tuple(each for each in self._found if isinstance(each, Region))


def looked(order: Look, making: Makers) -> list[Found]:
    told: list[Found | Done] = []
    Worker(told.append, making).look(order)
    assert told.pop() == Done()
    return [each for each in told if isinstance(each, Found)]


def broken(error: Exception) -> Any:
    def make() -> Any:
        raise error

    return make


FACE = Region(Kind.FACE, Box(10, 20, 30, 40), 0.9)


def test_each_part_reports_in_order(make: Any) -> None:
    faces, codes, text = Fixed(FACE), Fixed(), Fixed(Region(Kind.DOCUMENT, Box(0, 0, 64, 48), 0.8, lines=4))
    found = looked(Look("image/jpeg", 1, ALL, make.jpeg()), {Part.FACES: lambda: faces, Part.CODES: lambda: codes, Part.TEXT: lambda: text})
    assert [each.check for each in found] == [Check(part, True) for part in ALL]
    assert {(each.width, each.height) for each in found} == {(64, 48)}
    assert [each.regions for each in found] == [(), (FACE,), (), (Region(Kind.DOCUMENT, Box(0, 0, 64, 48), 0.8, lines=4),)]
    assert faces.shown == [(48, 64, 3)]
    assert faces.corner[2] > 200 > 50 > faces.corner[0]  # the red corner, blue first


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_finders_see_it_upright(make: Any, orientation: int) -> None:
    faces = Fixed()
    looked(Look("image/jpeg", orientation, (Part.FACES,), make.jpeg(orientation=orientation)), {Part.FACES: lambda: faces})
    assert faces.shown == [(48, 64, 3)]
    assert faces.corner[2] > 200 > 50 > faces.corner[0]


def test_metadata_needs_no_finder(make: Any) -> None:
    (found,) = looked(Look("image/jpeg", 1, (Part.METADATA,), make.traced_jpeg()), {})
    assert found.check == Check(Part.METADATA, True)
    assert {"location", "camera serial number"} <= set(found.traces)
    assert read(io.BytesIO(encode(found))) == found  # each trace is of words that the pipe lets through


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (NotAvailable("A file of the program is missing."), "A file of the program is missing."),
        (ImportError("cv2"), "A library that this needs is not installed."),
        (MemoryError(), "There was not enough memory."),
        (ValueError("pixel 77 of the secret"), "The finder failed on this picture."),
    ],
)
def test_a_finder_that_cannot_look_says_so_and_the_others_go_on(make: Any, error: Exception, reason: str) -> None:
    for making in (broken(error), lambda: Fixed(error)):
        found = looked(Look("image/jpeg", 1, ALL, make.jpeg()), {Part.FACES: making, Part.CODES: Fixed, Part.TEXT: Fixed})
        assert [each.check.checked for each in found] == [True, False, True, True]
        assert found[1] == Found(Check(Part.FACES, False, reason))
        assert read(io.BytesIO(encode(found[1]))) == found[1]


def test_what_cannot_be_opened_is_not_checked_at_all(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = {
        "The picture is damaged.": ("image/jpeg", make.jpeg()[:-4]),
        "This kind of file cannot be looked into.": ("application/pdf", b"anything"),
        "The picture is too large.": ("image/png", make.png_of_size(65_000, 65_000)),
    }
    for reason, (media_type, data) in cases.items():
        assert looked(Look(media_type, 1, ALL, data), {}) == [Found(Check(part, False, reason)) for part in ALL]

    def hungry(*_: object) -> None:
        raise MemoryError

    wanted = [Found(Check(Part.TEXT, False, "There was not enough memory."))]
    with monkeypatch.context() as patch:
        patch.setattr(ImageFile.ImageFile, "load", hungry)  # inside the decoder, whose errors are turned into what people are told
        assert looked(Look("image/jpeg", 1, (Part.TEXT,), make.jpeg()), {}) == wanted
    monkeypatch.setattr(worker, "examine", hungry)
    assert looked(Look("image/jpeg", 1, (Part.TEXT,), make.jpeg()), {}) == wanted


def test_without_numpy_or_memory_for_pixels(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "ascontiguousarray", broken_call(MemoryError()))
    found = looked(Look("image/jpeg", 1, ALL, make.jpeg()), {})
    assert [each.check.reason for each in found] == ["", *["There was not enough memory."] * 3]
    monkeypatch.setitem(__import__("sys").modules, "numpy", None)
    found = looked(Look("image/jpeg", 1, ALL, make.jpeg()), {})
    assert [each.check.reason for each in found] == ["", *["A library that this needs is not installed."] * 3]


def broken_call(error: Exception) -> Any:
    def call(*_: object, **__: object) -> Any:
        raise error

    return call


def test_large_pictures_are_shown_smaller_and_placed_in_their_own_pixels(make: Any) -> None:
    faces = Fixed(Region(Kind.FACE, Box(0, 0, 100, 100), 0.9), Region(Kind.FACE, Box(3900, 2900, 4000, 3000), 0.9))
    (found,) = looked(Look("image/jpeg", 1, (Part.FACES,), make.jpeg(6000, 4000)), {Part.FACES: lambda: faces})
    height, width, _ = faces.shown[0]
    assert width * height <= LOOK_PIXELS
    assert width / height == pytest.approx(1.5, abs=0.01)
    assert (found.width, found.height) == (6000, 4000)
    assert found.regions[0].box == Box(0, 0, 123, 123)


def test_a_finder_is_kept_after_a_small_picture_and_let_go_after_a_large_one(make: Any) -> None:
    made: list[Fixed] = []

    def making() -> Fixed:
        made.append(Fixed())
        return made[-1]

    order = Look("image/jpeg", 1, (Part.FACES,), make.jpeg())
    a_worker = Worker(lambda _: None, {Part.FACES: making})
    a_worker.look(order)
    a_worker.look(order)
    assert [len(each.shown) for each in made] == [2]
    large = Look("image/jpeg", 1, (Part.FACES,), make.jpeg(2000, 1500))
    a_worker.look(large)
    a_worker.look(large)
    assert [len(each.shown) for each in made] == [3, 1]  # what saw a large picture is let go, with the memory it took


def test_serving_answers_each_order_and_ends_with_the_pipe(make: Any) -> None:
    order = Look("image/jpeg", 1, (Part.METADATA,), make.jpeg())
    out = io.BytesIO()
    serve(io.BytesIO(encode(order) * 2), out, {})
    out.seek(0)
    assert [type(read(out)) for _ in range(5)] == [Found, Done, Found, Done, type(None)]
    serve(io.BytesIO(encode(Done()) + encode(order)), out, {})  # no order: it stops
    with pytest.raises(PipeError):
        serve(io.BytesIO(b"\x00" * 8), out, {})


def folder_of_models(tmp_path: Path) -> Path:
    for weights in Weights:
        with resources.as_file(resources.files("resources") / "models" / weights.file) as source:
            shutil.copy(source, tmp_path / weights.file)
    return tmp_path


def test_the_weights_are_the_measured_ones() -> None:
    assert sum(len(load(weights)) for weights in Weights) == 17_466_701
    licences = {entry.name for entry in (resources.files("resources") / "models").iterdir()}
    assert {"SOURCES.md", "LICENSE.yunet", "LICENSE.centerface", "LICENSE.pp-ocr", *(weights.file for weights in Weights)} <= licences
    sources = (resources.files("resources") / "models" / "SOURCES.md").read_text("utf-8")
    assert all(weights.sha256 in sources and weights.file in sources for weights in Weights)


@pytest.mark.parametrize("weights", list(Weights))
def test_other_weights_are_not_used(make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weights: Weights) -> None:
    """One byte of a model changed, or the file gone: that part is not checked; the part with its own model is."""
    from app.media.look.faces import FaceFinder
    from app.media.look.text import TextFinder

    folder = folder_of_models(tmp_path)
    data = bytearray((folder / weights.file).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / weights.file).write_bytes(data)
    making: Makers = {Part.FACES: lambda: FaceFinder(folder), Part.TEXT: lambda: TextFinder(folder)}
    struck, spared = (Part.TEXT, Part.FACES) if weights is Weights.TEXT else (Part.FACES, Part.TEXT)
    order = Look("image/jpeg", 1, (Part.FACES, Part.TEXT), make.jpeg())
    checks = {each.check.part: each.check for each in looked(order, making)}
    assert checks[struck] == Check(struck, False, "A file of the program is damaged.")
    assert checks[spared].checked
    (folder / weights.file).unlink()
    checks = {each.check.part: each.check for each in looked(order, making)}
    assert checks[struck] == Check(struck, False, "A file of the program is missing.")


def test_weights_that_opencv_cannot_read(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.media.look import faces, text

    monkeypatch.setattr(faces, "load", lambda *_: b"no net")
    monkeypatch.setattr(text, "load", lambda *_: b"no net")
    found = looked(Look("image/jpeg", 1, (Part.FACES, Part.TEXT), make.jpeg()), worker.makers())
    assert [each.check.checked for each in found] == [False, False]
    assert all("OpenCV" in each.check.reason for each in found)


def test_findings_in_words() -> None:
    findings = Findings(
        10, 10, (FACE,), (Check(Part.METADATA, True), Check(Part.FACES, True), Check(Part.TEXT, False, "It took too long.")), ("location",)
    )
    assert findings.checked(Part.FACES)
    assert not findings.checked(Part.TEXT)
    assert not findings.checked(Part.CODES)
    assert findings.unchecked == not_checked([Part.TEXT], "It took too long.")
    assert findings.has_faces
    assert findings.has_location
    assert not findings.has_serial
    assert findings.of(Kind.FACE, Kind.CODE) == (FACE,)
    assert not Findings().has_faces


def test_png_and_others_are_looked_at_too(make: Any) -> None:
    clear = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    faces = Fixed()
    (found,) = looked(Look("image/png", 1, (Part.FACES,), make.encode(clear, "PNG")), {Part.FACES: lambda: faces})
    assert found.check.checked
    assert faces.corner == (255, 255, 255)
