"""The worker's side: one picture at a time, each part by its finder, each result told as soon as it is there.

A finder that is missing, broken or out of memory says "not checked"; the others go on. Nothing of a picture outlives its turn.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Protocol

from PIL import Image

from app.media.decode import media_type_of, upright
from app.media.errors import MediaDamaged, MediaTooLarge, MediaUnsupported
from app.media.inspect import examine
from app.media.look.models import NotAvailable
from app.media.look.pipe import Done, Found, Look, encode, read
from app.media.look.types import Check, Part, Region
from app.media.types import MediaFacts

if TYPE_CHECKING:
    from app.media.look.faces import Pixels

LOOK_PIXELS = 16_000_000
"""Larger pictures are looked at scaled down to this many pixels, which bounds memory and time; places are given in the picture's own."""
KEEP_PIXELS = 2_000_000
"""A net holds on to what it computed last, hundreds of megabytes for a large picture: finders are kept after smaller ones only."""
_THREADS = 4


class Finder(Protocol):
    """What looks for one part in the pixels of an upright picture."""

    def find(self, pixels: Pixels) -> tuple[Region, ...]: ...


Makers = dict[Part, Callable[[], Finder]]


def _opencv() -> None:
    """Load it, held to a few threads: each has its own share of the address space that is allowed."""
    import cv2

    cv2.setNumThreads(min(_THREADS, os.cpu_count() or 1))


def _faces() -> Finder:
    _opencv()
    from app.media.look.faces import FaceFinder

    return FaceFinder()


def _text() -> Finder:
    _opencv()
    from app.media.look.text import TextFinder

    return TextFinder()


def _codes() -> Finder:
    _opencv()
    from app.media.look.codes import CodeFinder

    return CodeFinder()


def makers() -> Makers:
    """How each finder is made; importing OpenCV is part of it, so that its absence is an answer and no crash."""
    return {Part.FACES: _faces, Part.CODES: _codes, Part.TEXT: _text}


class Worker:
    """Owns the finders between pictures. `tell` is called with each result."""

    def __init__(self, tell: Callable[[Found | Done], None], making: Makers | None = None) -> None:
        self._tell = tell
        self._making = makers() if making is None else making
        self._finders: dict[Part, Finder] = {}

    def look(self, order: Look) -> None:
        """Answer one order with a Found for each part and a Done. Raises only what `tell` raises."""
        try:
            picture, facts = examine(order.body, media_type_of(order.media_type))
        except (MediaDamaged, MediaUnsupported, MemoryError) as error:
            reason = _unopened(error)
            for part in order.parts:
                self._tell(Found(Check(part, False, reason)))
        else:
            self._each(order, upright(picture, order.orientation), facts)
        self._tell(Done())

    def _each(self, order: Look, picture: Image.Image, facts: MediaFacts) -> None:
        width, height = picture.size
        pixels: Pixels | str | None = None
        for part in order.parts:
            if part is Part.METADATA:
                self._tell(Found(Check(part, True), width, height, traces=facts.traces))
                continue
            if pixels is None:
                pixels = _pixels(picture)
            found = Found(Check(part, False, pixels)) if isinstance(pixels, str) else self._one(part, pixels, width, height)
            self._tell(found)

    def _one(self, part: Part, pixels: Pixels, width: int, height: int) -> Found:
        try:
            finder = self._finders.pop(part, None) or self._making[part]()
            regions = finder.find(pixels)
            if pixels.shape[0] * pixels.shape[1] <= KEEP_PIXELS:
                self._finders[part] = finder
        except NotAvailable as error:
            return Found(Check(part, False, str(error)))
        except ImportError:
            return Found(Check(part, False, "A library that this needs is not installed."))
        except MemoryError:
            return Found(Check(part, False, "There was not enough memory."))
        except Exception:  # whatever a detector raises on a stranger's pixels; its text may quote them
            return Found(Check(part, False, "The finder failed on this picture."))
        across, down = width / pixels.shape[1], height / pixels.shape[0]
        return Found(Check(part, True), width, height, tuple(_at(region, across, down, width, height) for region in regions))


def _unopened(error: BaseException) -> str:
    if isinstance(error, MemoryError) or (isinstance(error, MediaDamaged) and error.for_want_of_memory):
        return "There was not enough memory."
    if isinstance(error, MediaUnsupported):
        return "This kind of file cannot be looked into."
    return "The picture is too large." if isinstance(error, MediaTooLarge) else "The picture is damaged."


def _pixels(picture: Image.Image) -> Pixels | str:
    """The pixels as the finders want them, blue first; or why there are none."""
    try:
        import numpy as np

        shrink = (LOOK_PIXELS / (picture.width * picture.height)) ** 0.5
        if shrink < 1:
            picture = picture.resize((max(1, int(picture.width * shrink)), max(1, int(picture.height * shrink))), Image.Resampling.BOX)
        return np.ascontiguousarray(np.asarray(picture, np.uint8)[..., ::-1])
    except ImportError:
        return "A library that this needs is not installed."
    except MemoryError:
        return "There was not enough memory."


def _at(region: Region, across: float, down: float, width: int, height: int) -> Region:
    box = region.box.scaled(across, down).within(width, height)
    return Region(region.kind, box, region.confidence, region.sure, region.lines, region.note)


def serve(incoming: IO[bytes], outgoing: IO[bytes], making: Makers | None = None) -> None:
    """Answer orders until the other side closes the pipe. Raises PipeError for what is no order."""

    def tell(message: Found | Done) -> None:
        outgoing.write(encode(message))
        outgoing.flush()

    worker = Worker(tell, making)
    while isinstance(message := read(incoming), Look):
        worker.look(message)
