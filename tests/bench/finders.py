"""How much the finders find on the pictures of this repository, and how much of what they find is right. Prints tables.

    python tests/bench/finders.py

Few pictures, few people: these tables notice when the finders get worse, and say nothing of how fair they are. The truth about the
photographs was set by hand; pages and codes are drawn here, so it is exact. A face counts as found when a box overlaps it by 0.3, or holds
three quarters of it with a fifth more on each side; a word or a line when four fifths of it are inside a found region. "False" are regions
that hold neither. Where each photograph is from, and its licence: resources/samples/SOURCES.md.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import cv2
import numpy as np
import zxingcpp
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

from app.media.look.boxes import Box, overlap
from app.media.look.codes import CodeFinder
from app.media.look.cover import Edit, covers_for, still_seen
from app.media.look.faces import FaceFinder
from app.media.look.text import TextFinder
from app.media.look.types import Findings, Kind, Region
from app.media.shape import shape

CC0, PUBLIC = "CC0", "public domain"
LETTER = (
    *(Box(196, 4, 352, 22), Box(196, 20, 312, 36), Box(189, 55, 321, 73), Box(185, 94, 310, 113), Box(180, 134, 442, 158)),
    *(Box(178, 155, 454, 181), Box(174, 178, 465, 204), Box(171, 202, 436, 226), Box(168, 225, 486, 252), Box(165, 249, 222, 267)),
    *(Box(159, 300, 406, 325), Box(157, 328, 333, 350), Box(149, 384, 307, 409), Box(145, 414, 257, 437)),
)


@dataclass(frozen=True, slots=True)
class Truth:
    """One photograph of resources/samples and its licence, how it is shown upright, and what is on it: set by hand."""

    licence: str
    turn: Image.Transpose | None = None
    faces: tuple[Box, ...] = ()
    lines: tuple[Box, ...] = ()


PICTURES: Mapping[str, Truth] = MappingProxyType(
    {
        "halo/2-astronaut.jpg": Truth(PUBLIC, faces=(Box(222, 85, 338, 222),), lines=(Box(352, 455, 405, 474), Box(180, 436, 258, 470))),
        "faces/hopper.jpg": Truth(PUBLIC, faces=(Box(165, 130, 362, 335),), lines=(Box(108, 494, 162, 508),)),
        "openglass/5-camera.jpg": Truth(CC0, Image.Transpose.ROTATE_90, faces=(Box(225, 195, 318, 302),)),
        "halo/3-letter.jpg": Truth(CC0, lines=LETTER),
        "halo/1-coffee.jpg": Truth(CC0),
        "halo/4-cat.jpg": Truth(CC0),
        "halo/5-launch.jpg": Truth(PUBLIC),
    }
)


def sample(name: str) -> Image.Image:
    picture = Image.open(io.BytesIO((resources.files("resources") / "samples" / name).read_bytes())).convert("RGB")
    turn = PICTURES[name].turn
    return picture if turn is None else picture.transpose(turn)


def pixels(picture: Image.Image) -> Any:
    return np.ascontiguousarray(np.asarray(picture)[..., ::-1])


def is_face(region: Region, face: Box) -> bool:
    wide = Box(
        region.box.left - region.box.width // 5,
        region.box.top - region.box.height // 5,
        region.box.right + region.box.width // 5,
        region.box.bottom + region.box.height // 5,
    )
    return overlap(region.box, face) >= 0.3 or (wide.shared(face) >= 0.75 * face.area and region.box.area < 6 * face.area)


def is_text(region: Region, line: Box) -> bool:
    return region.box.shared(line) >= 0.8 * line.area


Same = Callable[[Region, Box], bool]


@dataclass(slots=True)
class Score:
    """Found of all there are, and boxes that hold none of them."""

    found: int = 0
    all: int = 0
    false: int = 0
    right: int = 0

    def add(self, regions: Iterable[Region], truth: Iterable[Box], same: Same) -> None:
        regions, truth = list(regions), list(truth)
        self.all += len(truth)
        self.found += sum(any(same(region, each) for region in regions) for each in truth)
        right = sum(any(same(region, each) or region.box.shared(each) > each.area / 2 for each in truth) for region in regions)
        self.right += right
        self.false += len(regions) - right

    def row(self, name: str) -> str:
        recall = f"{100 * self.found / self.all:5.0f} %" if self.all else "      -"
        precision = f"{100 * self.right / (self.right + self.false):5.0f} %" if self.right + self.false else "      -"
        return f"{name:<52}{self.found:>5}/{self.all:<5}{recall}{self.false:>8}{precision}"


HEAD = f"{'':<52}{'found':>8}   recall   false precision"


def photographs(faces: FaceFinder, text: TextFinder) -> None:
    print("\nPhotographs of resources/samples (sources: SOURCES.md there), truth set by hand\n" + HEAD)
    all_faces, all_lines = Score(), Score()
    for name, truth in PICTURES.items():
        shown = pixels(sample(name))
        for label, total, found, boxes, same in (
            ("faces", all_faces, faces.find(shown), truth.faces, is_face),
            ("lines", all_lines, text.find(shown), truth.lines, is_text),
        ):
            one = Score()
            one.add(found, boxes, same)
            total.add(found, boxes, same)
            print(one.row(f"  {name} {label} ({truth.licence})"))
    print(all_faces.row("all faces"))
    print(all_lines.row("all lines of text"))


def motion(picture: Image.Image, length: int) -> Image.Image:
    """Smeared sideways over `length` pixels."""
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1 / length
    return Image.fromarray(cv2.filter2D(np.asarray(picture), -1, kernel))


def photo_of(face: Image.Image, box: Box, height: int, frame: tuple[int, int]) -> tuple[Image.Image, Box]:
    """The person with a face of this height, in the middle of a plain frame."""
    scale = height / box.height
    person = face.resize((round(face.width * scale), round(face.height * scale)), Image.Resampling.LANCZOS)
    at = frame[0] // 2 - round(box.left * scale), frame[1] // 2 - round(box.top * scale)
    photo = Image.new("RGB", frame, (96, 104, 110))
    photo.paste(person, at)
    return photo, box.scaled(scale, scale).moved(*at)


def changed_faces(faces: FaceFinder) -> None:
    print("\nThe three faces, changed\n" + HEAD)
    people = [(sample(name), truth.faces[0]) for name, truth in PICTURES.items() if truth.faces]
    frame, large = (1280, 960), (4000, 3000)
    cases: dict[str, Callable[[Image.Image, Box], tuple[Image.Image, Box]]] = {
        **{f"{size} pixels high, in 1.2 megapixels": lambda p, b, s=size: photo_of(p, b, s, frame) for size in (48, 24, 12)},
        **{f"{size} pixels high, in 12 megapixels": lambda p, b, s=size: photo_of(p, b, s, large) for size in (1200, 200, 60, 30, 20)},
        "a quarter of the light": lambda p, b: (ImageEnhance.Brightness(p).enhance(0.25), b),
        "out of focus (7 % of the face)": lambda p, b: (p.filter(ImageFilter.GaussianBlur(b.height * 0.07)), b),
        "smeared (20 % of the face)": lambda p, b: (motion(p, b.height // 5), b),
        "turned by 90 degrees": lambda p, b: (
            p.transpose(Image.Transpose.ROTATE_90),
            Box(b.top, p.width - b.right, b.bottom, p.width - b.left),
        ),
        "turned by 180 degrees": lambda p, b: (
            p.transpose(Image.Transpose.ROTATE_180),
            Box(p.width - b.right, p.height - b.bottom, p.width - b.left, p.height - b.top),
        ),
    }
    total = Score()
    for name, change in cases.items():
        score = Score()
        for person, box in people:
            photo, truth = change(person, box)
            found = faces.find(pixels(photo))
            score.add(found, [truth], is_face)
            total.add(found, [truth], is_face)
        print(score.row(f"  {name}"))
    print(total.row("all of them"))


WORDS = (
    "the",
    "sum",
    "of",
    "1,250.40",
    "is",
    "due",
    "on",
    "4",
    "December",
    "at",
    "Harbour",
    "Street",
    "Clinic",
    "for",
    "Dr",
    "A.",
    "Sample",
)


def page(size: int, frame: tuple[int, int]) -> tuple[Image.Image, list[Box]]:
    """A sheet full of words whose capitals are about `size` pixels high, and their boxes."""
    font = ImageFont.load_default(round(size * 1.4))
    picture = Image.new("RGB", frame, (120, 110, 100))
    draw, boxes = ImageDraw.Draw(picture), []
    right, bottom = min(frame[0] - 80, 80 + 30 * size), min(frame[1] - 80, 80 + 30 * size)
    draw.rectangle((40, 40, right + 40, bottom + 40), fill=(240, 238, 230))
    x, y, count = 80.0, 80.0, 0
    while y + 2 * size < bottom:
        box = draw.textbbox((x, y), WORDS[count % len(WORDS)], font=font)
        if box[2] > right:
            x, y = 80.0, y + 2.2 * size
            continue
        draw.text((x, y), WORDS[count % len(WORDS)], font=font, fill=(30, 30, 40))
        boxes.append(Box(*map(round, box)))
        x, count = box[2] + size / 2, count + 1
    return picture, boxes


def pages(text: TextFinder) -> None:
    print("\nWords on a drawn page in 12 megapixels\n" + HEAD)
    changes: dict[str, Callable[[Image.Image], Image.Image]] = {
        "": lambda p: p,
        ", a quarter of the light": lambda p: ImageEnhance.Brightness(p).enhance(0.25),
        ", soft": lambda p: p.filter(ImageFilter.GaussianBlur(2)),
    }
    for size in (60, 30, 20, 14, 10):
        picture, boxes = page(size, (4000, 3000))
        for name, change in changes.items():
            score = Score()
            score.add(text.find(pixels(change(picture))), boxes, is_text)
            print(score.row(f"  capitals {size} pixels high{name}"))


def square(content: str, module: int) -> Image.Image:
    """A QR code of this many pixels a module, with its quiet border."""
    drawn = np.asarray(zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.QRCode).to_image(scale=1))
    small = Image.fromarray(np.pad(drawn, 4, constant_values=255)).convert("RGB")
    return small.resize((small.width * module, small.height * module), Image.Resampling.NEAREST)


def is_code(region: Region, code: Box) -> bool:
    return overlap(region.box, code) >= 0.3


def drawn_codes(codes: CodeFinder) -> None:
    print("\nQR codes in 12 megapixels, of grainy grey\n" + HEAD)
    grain = Image.effect_noise((4000, 3000), 24).convert("RGB")
    changes: dict[str, Callable[[Image.Image], Image.Image]] = {
        "": lambda p: p,
        ", a quarter of the light": lambda p: ImageEnhance.Brightness(p).enhance(0.25),
        ", soft": lambda p: p.filter(ImageFilter.GaussianBlur(1.5)),
    }
    for module in (8, 4, 3, 2):
        picture, boxes = grain.copy(), []
        for index, content in enumerate(
            ("WIFI:T:WPA;S:home;P:secret;;", "https://example.org/?a=1", "MECARD:N:A Sample;;", "A short note")
        ):
            code = square(content, module)
            at = 300 + 900 * index, 400 + 500 * index
            picture.paste(code, at)
            edge = 4 * module  # its quiet border is no part of it
            boxes.append(Box(at[0] + edge, at[1] + edge, at[0] + code.width - edge, at[1] + code.height - edge))
        for name, change in changes.items():
            score = Score()
            score.add(codes.find(pixels(change(picture))), boxes, is_code)
            print(score.row(f"  {module} pixels a module{name}"))


def again(shown: Image.Image, found: Iterable[Region], kinds: Iterable[Kind], find: Callable[[Any], Iterable[Region]]) -> tuple[int, int]:
    """Cover what was found, as for sending, and look at the finished JPEG: regions found before, and again beside the covers."""
    regions, out = tuple(found), io.BytesIO()
    shown.save(out, "PNG")
    edit = Edit(covers_for(Findings(*shown.size, regions), kinds))
    made = shape(out.getvalue(), "image/png", 1, edit=edit)  # raises CoverFailed unless every covered place has one colour
    places = [Box(*place) for place in made.covered]
    left = Findings(made.width, made.height, tuple(find(pixels(Image.open(io.BytesIO(made.jpeg))))))
    return len(regions), len(still_seen(left, places))


def once_covered(faces: FaceFinder, text: TextFinder, codes: CodeFinder) -> None:
    print("\nCovered as for sending, and looked at again; every covered place has one colour, or this would have stopped")
    code = Image.new("RGB", (800, 600), "white")
    code.paste(square("https://example.org/?a=1", 6), (200, 200))
    drawn = page(30, (1600, 1200))[0]
    rows: dict[str, tuple[list[Image.Image], tuple[Kind, ...], Callable[[Any], Iterable[Region]]]] = {
        "faces of the photographs": ([sample(name) for name, truth in PICTURES.items() if truth.faces], (Kind.FACE,), faces.find),
        "text of the letter and of a page": ([sample("halo/3-letter.jpg"), drawn], (Kind.TEXT, Kind.DOCUMENT), text.find),
        "a QR code": ([code], (Kind.CODE,), codes.find),
    }
    for name, (shown, kinds, find) in rows.items():
        counts = [again(picture, find(pixels(picture)), kinds, find) for picture in shown]
        print(f"  {name:<50}{sum(before for before, _ in counts):>5} found, {sum(after for _, after in counts)} found again")


def main() -> None:
    faces, text, codes = FaceFinder(), TextFinder(), CodeFinder()
    photographs(faces, text)
    changed_faces(faces)
    pages(text)
    drawn_codes(codes)
    once_covered(faces, text, codes)


if __name__ == "__main__":
    main()
