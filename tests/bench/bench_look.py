"""How much the finders find on the pictures of this repository, and what looking and shaping cost. Prints tables.

    python tests/bench/bench_look.py [--runs 3] [--only recall|speed]

Few pictures, few people: these tables notice when the finders get worse, and say nothing of how fair they are. The truth about the
photographs was set by hand; pages are drawn here, so it is exact. A face counts as found when a box overlaps it by 0.3, or holds three
quarters of it with a fifth more on each side; a word or a line when four fifths of it are inside a found region. "False" are regions that
hold neither. Ratios are of processor time, which other work on the computer disturbs least.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

from app.media.look.boxes import Box, overlap
from app.media.look.codes import CodeFinder
from app.media.look.cover import Edit, covers_for
from app.media.look.faces import FaceFinder
from app.media.look.link import LookLink
from app.media.look.text import TextFinder
from app.media.look.types import Findings, Kind, Region
from app.media.shape import shape

LETTER = (
    *(Box(196, 4, 352, 22), Box(196, 20, 312, 36), Box(189, 55, 321, 73), Box(185, 94, 310, 113), Box(180, 134, 442, 158)),
    *(Box(178, 155, 454, 181), Box(174, 178, 465, 204), Box(171, 202, 436, 226), Box(168, 225, 486, 252), Box(165, 249, 222, 267)),
    *(Box(159, 300, 406, 325), Box(157, 328, 333, 350), Box(149, 384, 307, 409), Box(145, 414, 257, 437)),
)


@dataclass(frozen=True, slots=True)
class Truth:
    """One photograph of resources/samples, how it is shown upright, and what is on it: set by hand."""

    turn: Image.Transpose | None = None
    faces: tuple[Box, ...] = ()
    lines: tuple[Box, ...] = ()


PICTURES: Mapping[str, Truth] = MappingProxyType(
    {
        "halo/2-astronaut.jpg": Truth(faces=(Box(222, 85, 338, 222),), lines=(Box(352, 455, 405, 474), Box(180, 436, 258, 470))),
        "faces/hopper.jpg": Truth(faces=(Box(165, 130, 362, 335),), lines=(Box(108, 494, 162, 508),)),
        "openglass/5-camera.jpg": Truth(Image.Transpose.ROTATE_90, faces=(Box(225, 195, 318, 302),)),
        "halo/3-letter.jpg": Truth(lines=LETTER),
        "halo/1-coffee.jpg": Truth(),
        "halo/4-cat.jpg": Truth(),
        "halo/5-launch.jpg": Truth(),
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
    print("\nPhotographs, truth set by hand\n" + HEAD)
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
            print(one.row(f"  {name} {label}"))
    print(all_faces.row("all faces"))
    print(all_lines.row("all lines of text"))


def motion(picture: Image.Image, length: int) -> Image.Image:
    """Smeared sideways over `length` pixels."""
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1 / length
    import cv2

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


def photo() -> bytes:
    """A 12-megapixel JPEG with a person, a letter, a cup and a cat in it."""
    picture = Image.new("RGB", (4000, 3000))
    for index, name in enumerate(("halo/2-astronaut.jpg", "halo/3-letter.jpg", "halo/1-coffee.jpg", "halo/4-cat.jpg")):
        picture.paste(sample(name).resize((2000, 1500), Image.Resampling.LANCZOS), (2000 * (index % 2), 1500 * (index // 2)))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()


Cost = tuple[float, float]
"""Seconds that passed, and seconds of processors."""


def timed(work: Callable[[], object]) -> Cost:
    start, busy = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - busy


def processor_seconds(pid: int | None) -> float:
    """What a process has used so far; 0 where the system does not show it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return 0.0


async def looked(link: LookLink, data: bytes) -> tuple[Findings, Cost]:
    start, busy = time.perf_counter(), processor_seconds(link.pid)
    findings = await link.look(data, "image/jpeg", 1)
    return findings, (time.perf_counter() - start, processor_seconds(link.pid) - busy)


def median(costs: list[Cost]) -> Cost:
    return statistics.median(wall for wall, _ in costs), statistics.median(busy for _, busy in costs)


def memory(pid: int | None, line: str) -> str:
    try:
        found = next(each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith(line))
        return f"{int(found.split()[1]) / 1024:.0f} MiB"
    except (OSError, StopIteration):
        return "not known on this system"


async def speed(runs: int) -> None:
    data = photo()
    shown = pixels(Image.open(io.BytesIO(data)))
    finders = {"faces": FaceFinder(), "codes": CodeFinder(), "text": TextFinder()}
    for finder in finders.values():
        finder.find(shown)
    link = LookLink()
    findings, first = await looked(link, data)
    edit = Edit(covers_for(findings, list(Kind)))
    decode, worker, covered = "decode it (Pillow)", "look, by the worker", "shape, all that was found covered"
    work: dict[str, Callable[[], object]] = {
        decode: lambda: Image.open(io.BytesIO(data)).load(),
        **{f"the finder of {name} alone": lambda finder=finder: finder.find(shown) for name, finder in finders.items()},
        "shape": lambda: shape(data, "image/jpeg", 1),
        covered: lambda: shape(data, "image/jpeg", 1, edit=edit),
    }
    costs: dict[str, list[Cost]] = {name: [] for name in (*work, worker)}
    for _ in range(runs):
        for name, call in work.items():
            costs[name].append(timed(call))
        costs[worker].append((await looked(link, data))[1])
    rows = {name: median(each) for name, each in costs.items()}
    alone = rows["finders alone, together"] = added(rows[f"the finder of {name} alone"] for name in finders)
    rows["look and shape"] = added([rows[worker], rows[covered]])
    rows["look, the first time (starts the worker)"] = first
    print(f"\nOne photo of 12 megapixels, {len(data) / 1e6:.1f} MB; median of {runs}")
    print(f"{'':<44}{'seconds':>9}{'processor':>11}{'x decoding':>12}{'x finders':>11}")
    for name, (wall, busy) in rows.items():
        print(f"  {name:<42}{wall:>9.3f}{busy:>11.3f}{busy / rows[decode][1]:>12.1f}{busy / alone[1]:>11.2f}")
    print(f"  memory of the worker: {memory(link.pid, 'VmHWM')} at most, {memory(link.pid, 'VmRSS')} between pictures")
    print(f"  confined by the kernel: {link.confined}; found: {len(findings.regions)} regions; not checked: {len(findings.unchecked)}")
    await link.close()


def added(costs: Iterable[Cost]) -> Cost:
    costs = list(costs)
    return sum(wall for wall, _ in costs), sum(busy for _, busy in costs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=("recall", "speed"))
    arguments = parser.parse_args()
    if arguments.only != "speed":
        faces, text = FaceFinder(), TextFinder()
        photographs(faces, text)
        changed_faces(faces)
        pages(text)
    if arguments.only != "recall":
        asyncio.run(speed(arguments.runs))


if __name__ == "__main__":
    main()
