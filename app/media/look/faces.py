"""Faces: YuNet at several sizes and turns, and CenterFace, which sees what it misses (dark, turned, cut). For the worker only.

YuNet: github.com/opencv/opencv_zoo, models/face_detection_yunet. CenterFace: github.com/Star-Clouds/CenterFace (arXiv 1911.03599). The
sizes and thresholds were chosen by measuring: no single size finds both the small and the large faces of a 12-megapixel photo.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.media.look.boxes import Box, overlap
from app.media.look.models import NotAvailable, Weights, load
from app.media.look.types import Kind, Region

Pixels = NDArray[np.uint8]
"""Height x width x 3, blue first, upright."""

_TURN_SIZE, _CENTER_SIZE = 1280, 1280
_TILE = 1600
_OVERLAP = 128
"""Tiles share this many pixels: larger faces than these are found in the whole picture, scaled down."""
_SURELY_SMALL = 32
_SAME, _INSIDE = 0.3, 0.8
MAX_FACES = 500


@dataclass(frozen=True, slots=True)
class _Pass:
    """YuNet once over the picture scaled to this long edge, and the score from which a face counts there."""

    long_edge: int
    threshold: float
    turns: int = 0


_PASSES = (_Pass(640, 0.45), _Pass(1600, 0.5))
_TURNED = tuple(_Pass(_TURN_SIZE, 0.7, turns) for turns in (1, 2, 3))
_FULL_THRESHOLD = 0.6
_CENTER_THRESHOLD = 0.3


@dataclass(frozen=True, slots=True)
class _Face:
    left: float
    top: float
    right: float
    bottom: float
    score: float
    sure: bool

    def box(self) -> Box:
        return Box(round(self.left), round(self.top), round(self.right), round(self.bottom))


class FaceFinder:
    """Both detectors, loaded. Raises NotAvailable from the start when either is missing: half a look must not pass for a whole one."""

    def __init__(self, folder: Traversable | None = None) -> None:
        yunet = np.frombuffer(load(Weights.YUNET, folder), np.uint8)
        center = np.frombuffer(load(Weights.CENTERFACE, folder), np.uint8)
        try:
            self._yunet = cv2.FaceDetectorYN.create("onnx", yunet, np.empty(0, np.uint8), (320, 320), 0.3, 0.3, 5000)
            self._center = cv2.dnn.readNetFromONNX(center)
        except cv2.error as error:
            raise NotAvailable("The finder of faces does not work with this version of OpenCV.") from error

    def find(self, pixels: Pixels) -> tuple[Region, ...]:
        """Every face found, the surest first, each once."""
        height, width = pixels.shape[:2]
        regions = []
        for face in _each_once(sorted(self._all(pixels), key=lambda face: -face.score)):
            box = face.box().within(width, height)
            if box.area:
                large = min(box.width, box.height) >= _SURELY_SMALL
                regions.append(Region(Kind.FACE, box, round(min(face.score, 1.0), 3), face.sure and large))
        return tuple(regions[:MAX_FACES])

    def _all(self, pixels: Pixels) -> Iterator[_Face]:
        longest = max(pixels.shape[:2])
        for each in (*_PASSES, *_TURNED):
            if each.turns or each.long_edge <= _PASSES[0].long_edge or longest > _PASSES[0].long_edge:
                yield from self._scaled(pixels, each)
        if longest > _TILE:
            for left, top, tile in _tiles(pixels):
                for face in self._yunet_on(tile, _FULL_THRESHOLD):
                    yield _Face(face.left + left, face.top + top, face.right + left, face.bottom + top, face.score, face.sure)
        yield from self._centerface(pixels)

    def _scaled(self, pixels: Pixels, each: _Pass) -> Iterator[_Face]:
        small = _fitted(pixels, each.long_edge)
        factor = pixels.shape[1] / small.shape[1]
        for face in self._yunet_on(np.ascontiguousarray(np.rot90(small, each.turns)), each.threshold):
            left, top, right, bottom = _turned_back(face, small.shape[1], small.shape[0], each.turns)
            yield _Face(left * factor, top * factor, right * factor, bottom * factor, face.score, face.sure)

    def _yunet_on(self, pixels: Pixels, threshold: float) -> Iterator[_Face]:
        self._yunet.setInputSize((pixels.shape[1], pixels.shape[0]))
        self._yunet.setScoreThreshold(threshold)
        rows: Any = self._yunet.detect(pixels)[1]
        for row in () if rows is None else rows:
            left, top, width, height, score = (float(row[index]) for index in (0, 1, 2, 3, 14))
            if np.isfinite((left, top, width, height, score)).all() and width > 0 and height > 0:  # tiny pictures give nonsense
                yield _Face(left, top, left + width, top + height, score, score >= threshold + 0.1)

    def _centerface(self, pixels: Pixels) -> Iterator[_Face]:
        """Its net halves the picture five times; at a quarter of the size it gives a map of scores, log sizes and offsets of centres."""
        small = _fitted(pixels, _CENTER_SIZE)
        height, width = (-(-side // 32) * 32 for side in small.shape[:2])
        self._center.setInput(cv2.dnn.blobFromImage(small, 1.0, (width, height)))
        heat, sizes, offsets, _ = self._center.forward(("537", "538", "539", "540"))
        across, down = pixels.shape[1] / width, pixels.shape[0] / height
        rows, columns = np.nonzero(heat[0, 0] > _CENTER_THRESHOLD)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            score = float(heat[0, 0, row, column])
            half_height, half_width = (2 * float(value) for value in np.exp(np.minimum(sizes[0, :, row, column], 8.0)))
            y, x = (4 * (place + float(offset) + 0.5) for place, offset in zip((row, column), offsets[0, :, row, column], strict=True))
            yield _Face(
                (x - half_width) * across,
                (y - half_height) * down,
                (x + half_width) * across,
                (y + half_height) * down,
                score,
                score >= _CENTER_THRESHOLD + 0.1,
            )


def _fitted(pixels: Pixels, long_edge: int) -> Pixels:
    """Scaled down to this long edge; never up."""
    height, width = pixels.shape[:2]
    factor = long_edge / max(height, width)
    if factor >= 1:
        return pixels
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _tiles(pixels: Pixels) -> Iterator[tuple[int, int, Pixels]]:
    """Even, overlapping tiles of the picture at full size, with where each begins: a sixth of the memory, in the same time."""
    height, width = pixels.shape[:2]
    across, down = -(-width // _TILE), -(-height // _TILE)
    tile_width, tile_height = min(width, width // across + _OVERLAP), min(height, height // down + _OVERLAP)
    for row in range(down):
        for column in range(across):
            left = column * (width - tile_width) // max(1, across - 1)
            top = row * (height - tile_height) // max(1, down - 1)
            yield left, top, np.ascontiguousarray(pixels[top : top + tile_height, left : left + tile_width])


def _turned_back(face: _Face, width: int, height: int, turns: int) -> tuple[float, float, float, float]:
    """Where a face of the picture turned `turns` quarters against the clock lies in the picture of this size."""
    left, top, right, bottom = face.left, face.top, face.right, face.bottom
    if turns == 1:
        return width - bottom, left, width - top, right
    if turns == 2:
        return width - right, height - bottom, width - left, height - top
    if turns == 3:
        return top, height - right, bottom, height - left
    return left, top, right, bottom


def _each_once(faces: list[_Face]) -> list[_Face]:
    """Without those that overlap a surer one, or lie inside it (cheeks and hair of large faces at full size)."""
    kept: list[tuple[_Face, Box]] = []
    for face in faces:
        box = face.box()
        if not any(overlap(box, other) > _SAME or box.shared(other) > _INSIDE * box.area for _, other in kept):
            kept.append((face, box))
    return [face for face, _ in kept]
