"""The finders' weights: data files of the program, used only when they are exactly the ones that were measured.

Where each comes from, and its licence, stands in resources/models/SOURCES.md.
"""

from __future__ import annotations

import enum
import hashlib
from importlib import resources
from importlib.resources.abc import Traversable


class Weights(enum.Enum):
    """A file under resources/models and its SHA-256."""

    YUNET = ("face_detection_yunet_2023mar.onnx", "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4")
    CENTERFACE = ("centerface.onnx", "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc")
    TEXT = ("PP-OCRv6_det_small.onnx", "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f")

    @property
    def file(self) -> str:
        return self.value[0]

    @property
    def sha256(self) -> str:
        return self.value[1]


class NotAvailable(Exception):
    """A finder cannot work here. The text is a sentence for people."""


def load(weights: Weights, folder: Traversable | None = None) -> bytes:
    """The bytes of a weights file. Raises NotAvailable when it is missing, or is not the very file that was measured."""
    place = (folder or resources.files("resources") / "models") / weights.file
    try:
        data = place.read_bytes()
    except OSError as error:
        raise NotAvailable("A file of the program is missing.") from error
    if hashlib.sha256(data).hexdigest() != weights.sha256:
        raise NotAvailable("A file of the program is damaged.")
    return data
