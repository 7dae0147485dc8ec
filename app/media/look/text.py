"""Text: PP-OCR's detector, whose map of "here is text" becomes lines, and lines that stand together a document. For the worker only.

The net: github.com/PaddlePaddle/PaddleOCR (PP-OCRv6 small, detection). Nothing is read: only where text stands is found. The map is turned
into boxes as the paper on differentiable binarization says (arXiv 1911.08947): regions above a threshold, grown by area over circumference.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.media.look.boxes import Box
from app.media.look.faces import Pixels
from app.media.look.models import NotAvailable, Weights, load
from app.media.look.types import Kind, Region

_LONG_EDGE = 2016
"""Words from 12 pixels of a 12-megapixel photo on are found at this size; small pictures are enlarged, at most to twice theirs."""
_COARSE_EDGE = 224
_LARGE = 0.06
"""Lines higher than this part of the long edge are taken from a look at the coarse size alone: at full size the net takes the grain of wood
and fur for text, in patches as large as the picture."""
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_IS_TEXT, _LINE_SCORE = 0.3, 0.5
_UNCLIP = 1.6
_SMALLEST = 3
MAX_LINES = 1000
_DOCUMENT_LINES = 3
_SURE_SCORE, _SURE_SHARE = 0.6, 0.25
_FILLED = 0.12
"""A document's lines fill at least this part of its box; lines that only form a chain across the picture stay single."""


Heat = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Line:
    box: Box
    size: float
    score: float


class TextFinder:
    """The detector, loaded. Raises NotAvailable when its weights are missing or OpenCV cannot run them."""

    def __init__(self, folder: Traversable | None = None) -> None:
        weights = np.frombuffer(load(Weights.TEXT, folder), np.uint8)
        try:
            self._net = cv2.dnn.readNetFromONNX(weights)
        except cv2.error as error:
            raise NotAvailable("The finder of text does not work with this version of OpenCV.") from error

    def find(self, pixels: Pixels) -> tuple[Region, ...]:
        """Documents first, then single lines, from the top down."""
        lines = self._lines(pixels)
        return _regions(lines, pixels.shape[0] * pixels.shape[1]) if lines else ()

    def _lines(self, pixels: Pixels) -> list[_Line]:
        height, width = pixels.shape[:2]
        border = _LARGE * max(height, width)
        fine = _boxes(self._map(pixels, _LONG_EDGE), width, height)
        coarse = _boxes(self._map(pixels, _COARSE_EDGE), width, height)
        return [line for line in fine if line.size <= border] + [line for line in coarse if line.size > border]

    def _map(self, pixels: Pixels, long_edge: int) -> Heat:
        """How much each place looks like text, 0 to 1, at about this size: the net wants sides of whole 32s."""
        height, width = pixels.shape[:2]
        factor = min(2.0, long_edge / max(height, width))
        size = (max(32, round(width * factor / 32) * 32), max(32, round(height * factor / 32) * 32))
        small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
        self._net.setInput(np.ascontiguousarray(_normal(np.asarray(small)).transpose(2, 0, 1)[None]))
        heat: Heat = np.asarray(self._net.forward(), np.float32)[0, 0]
        return heat


def _normal(pixels: NDArray[Any]) -> Heat:
    """Pixels as the net was taught them: its own mean and deviation for each of the three colours."""
    values = pixels.astype(np.float32)
    values -= np.asarray(_MEAN, np.float32) * 255
    values /= np.asarray(_DEVIATION, np.float32) * 255
    return values


def _boxes(heat: Heat, width: int, height: int) -> list[_Line]:
    """The lines of a map of text, as boxes of a picture of this size, the largest first."""
    mask = cv2.dilate((heat > _IS_TEXT).astype(np.uint8), np.ones((2, 2), np.uint8))
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    across, down = width / heat.shape[1], height / heat.shape[0]
    lines = []
    for outline in sorted(outlines, key=cv2.contourArea, reverse=True)[:MAX_LINES]:
        centre, (wide, high), angle = cv2.minAreaRect(outline)
        if min(wide, high) < _SMALLEST:
            continue
        score = _mean_inside(heat, outline)
        if score < _LINE_SCORE:
            continue
        more = _UNCLIP * wide * high / (wide + high)  # on both sides together: twice area * ratio / circumference
        corners = cv2.boxPoints((centre, (wide + more, high + more), angle)) * (across, down)
        (left, top), (right, bottom) = np.floor(corners.min(0)), np.ceil(corners.max(0))
        box = Box(int(left), int(top), int(right), int(bottom)).within(width, height)
        if box.area:
            lines.append(_Line(box, (min(wide, high) + more) * min(across, down), score))
    return lines


def _mean_inside(heat: Heat, outline: Any) -> float:
    left, top, width, height = cv2.boundingRect(outline)
    inside = np.zeros((height, width), np.uint8)
    cv2.fillPoly(inside, [outline - (left, top)], (1,))
    return float(cv2.mean(heat[top : top + height, left : left + width], inside)[0])


def _regions(lines: list[_Line], area: int) -> tuple[Region, ...]:
    """`area`: of the whole picture. What takes a large part of it is rarely a single line."""
    documents, single = [], []
    for group in _groups(lines):
        hull = group[0].box
        for line in group:
            hull = hull.around(line.box)
        filled = sum(line.box.area for line in group) / hull.area
        score = round(sum(line.score for line in group) / len(group), 3)
        if len(group) >= _DOCUMENT_LINES and filled >= _FILLED:
            documents.append(Region(Kind.DOCUMENT, hull, score, lines=len(group)))
        else:
            for line in group:
                sure = line.score >= _SURE_SCORE and line.box.area <= _SURE_SHARE * area
                single.append(Region(Kind.TEXT, line.box, round(line.score, 3), sure, lines=1))
    return (*sorted(documents, key=lambda region: -region.box.area), *sorted(single, key=lambda region: (region.box.top, region.box.left)))


def _groups(lines: list[_Line]) -> list[list[_Line]]:
    """Lines that stand near one another, judged by their own height: one below another, or one after another."""
    edges = np.array([(line.box.left, line.box.top, line.box.right, line.box.bottom) for line in lines], np.float32)
    sizes = np.array([line.size for line in lines], np.float32)
    reach = 0.6 * np.minimum(sizes[:, None], sizes[None, :])
    apart_x = np.maximum(edges[:, None, 0], edges[None, :, 0]) - np.minimum(edges[:, None, 2], edges[None, :, 2])
    apart_y = np.maximum(edges[:, None, 1], edges[None, :, 1]) - np.minimum(edges[:, None, 3], edges[None, :, 3])
    near = (apart_x < 2 * reach) & (apart_y < 2 * reach)
    waiting, groups = set(range(len(lines))), []
    while waiting:
        first = waiting.pop()
        group, frontier = [first], [first]
        while frontier:
            found = [index for index in np.flatnonzero(near[frontier.pop()]).tolist() if index in waiting]
            waiting.difference_update(found)
            group += found
            frontier += found
        groups.append([lines[index] for index in sorted(group)])
    return groups
