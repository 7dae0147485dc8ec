"""Rectangles of whole pixels, and what is done with them before anything is covered. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

_TOGETHER = 1.25
"""Boxes become one when the one is no larger than this many times what they cover now."""


@dataclass(frozen=True, slots=True)
class Box:
    """Pixels `left` up to but without `right`, `top` up to but without `bottom`, of an upright picture. May be empty."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return max(0, self.right - self.left)

    @property
    def height(self) -> int:
        return max(0, self.bottom - self.top)

    @property
    def area(self) -> int:
        return self.width * self.height

    def within(self, width: int, height: int) -> Box:
        """The part of it that lies in a picture of this size; empty (of area 0) when none does."""
        return Box(max(0, self.left), max(0, self.top), min(width, self.right), min(height, self.bottom))

    def grown(self, by: int) -> Box:
        return Box(self.left - by, self.top - by, self.right + by, self.bottom + by)

    def moved(self, right: int, down: int) -> Box:
        return Box(self.left + right, self.top + down, self.right + right, self.bottom + down)

    def scaled(self, horizontally: float, vertically: float) -> Box:
        """The same box in a picture scaled by these factors, rounded outwards."""
        return Box(
            math.floor(self.left * horizontally),
            math.floor(self.top * vertically),
            math.ceil(self.right * horizontally),
            math.ceil(self.bottom * vertically),
        )

    def on_grid(self, step: int) -> Box:
        """Grown to whole squares of a grid of `step` pixels that begins at the top left of the picture."""
        return Box(self.left // step * step, self.top // step * step, -(-self.right // step) * step, -(-self.bottom // step) * step)

    def shared(self, other: Box) -> int:
        """Area that lies in both."""
        return Box(max(self.left, other.left), max(self.top, other.top), min(self.right, other.right), min(self.bottom, other.bottom)).area

    def around(self, other: Box) -> Box:
        """The smallest box that holds both."""
        return Box(min(self.left, other.left), min(self.top, other.top), max(self.right, other.right), max(self.bottom, other.bottom))


def overlap(one: Box, other: Box) -> float:
    """Shared area over the area that either covers, 0 to 1."""
    shared = one.shared(other)
    return shared / (one.area + other.area - shared) if shared else 0.0


def hidden(box: Box, by: Iterable[Box]) -> float:
    """The part of `box` (of some area) that the others cover together, 0 to 1; what two of them cover counts once."""
    edge = (box.left, box.top, box.right, box.bottom)
    parts = [Box(max(each.left, edge[0]), max(each.top, edge[1]), min(each.right, edge[2]), min(each.bottom, edge[3])) for each in by]
    parts = [part for part in parts if part.area]
    columns = sorted({side for part in parts for side in (part.left, part.right)})
    covered = 0
    for left, right in itertools.pairwise(columns):
        reached = box.top
        for part in sorted((part for part in parts if part.left <= left and right <= part.right), key=lambda part: part.top):
            covered += (right - left) * max(0, part.bottom - max(part.top, reached))
            reached = max(reached, part.bottom)
    return covered / box.area


def merged(boxes: Iterable[Box]) -> tuple[Box, ...]:
    """The same pixels (and a few between them) in fewer boxes, from the top down. Merging again changes nothing; empty ones are dropped."""
    rest = sorted((box for box in boxes if box.area), key=lambda box: (box.top, box.left, box.bottom, box.right))
    done: list[Box] = []
    while rest:
        box = rest.pop(0)
        partner = next((other for other in done if _belong_together(box, other)), None)
        if partner is None:
            done.append(box)
        else:  # the larger one may reach others now
            done.remove(partner)
            rest.insert(0, partner.around(box))
    return tuple(sorted(done, key=lambda box: (box.top, box.left, box.bottom, box.right)))


def _belong_together(one: Box, other: Box) -> bool:
    shared = one.shared(other)
    return bool(shared) and one.around(other).area <= _TOGETHER * (one.area + other.area - shared)
