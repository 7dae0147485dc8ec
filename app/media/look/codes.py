"""QR and bar codes, by zxing-cpp (github.com/zxing-cpp/zxing-cpp). For the worker only.

What stands in a code is looked at to say what sort of thing it is, and goes no further than this file.
"""

from __future__ import annotations

import cv2
import zxingcpp

from app.media.look.boxes import Box
from app.media.look.faces import Pixels
from app.media.look.types import Kind, Region

MAX_CODES = 200
_STARTS = (
    ("wifi:", "Wi-Fi login"),
    ("http:", "web address"),
    ("https:", "web address"),
    ("begin:vcard", "contact"),
    ("mecard:", "contact"),
    ("otpauth:", "login secret"),
    ("geo:", "place"),
    ("mailto:", "mail address"),
    ("tel:", "phone number"),
    ("begin:vevent", "appointment"),
    ("bcd\n", "bank transfer"),
    ("spc\n", "bank transfer"),
)


class CodeFinder:
    """Every kind of code zxing-cpp reads: QR, Data Matrix, Aztec, PDF417 (boarding passes), and the striped ones."""

    def find(self, pixels: Pixels) -> tuple[Region, ...]:
        height, width = pixels.shape[:2]
        found = zxingcpp.read_barcodes(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY))
        regions = []
        for code in found[:MAX_CODES]:
            place = code.position
            corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
            across, down = [corner.x for corner in corners], [corner.y for corner in corners]
            box = Box(min(across), min(down), max(across) + 1, max(down) + 1).within(width, height)
            if box.area:
                regions.append(Region(Kind.CODE, box, 1.0, note=_note(str(code.format), code.text)))
        return tuple(regions)


def _note(name: str, text: str) -> str:
    shape = "QR code" if "QR" in name.upper() else "code"
    start = text.lstrip()[:32].lower()
    about = next((words for begin, words in _STARTS if start.startswith(begin)), "")
    return f"{shape}: {about}" if about else shape
