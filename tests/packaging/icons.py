"""The icon in the forms that Windows and macOS want, drawn from its SVG: `python tests/packaging/icons.py FOLDER` (make package)."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QBuffer, QIODevice, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

SVG = Path(__file__).resolve().parents[2] / "resources/icons/eyelid.svg"
WINDOWS = (16, 20, 24, 32, 40, 48, 64, 256)
MACOS = (32, 64, 128, 256, 512, 1024)
"""Edges in pixels, as learn.microsoft.com ("Construct your Windows app's icon") and Apple's iconset ask for; 16 goes by half of 32."""


def drawn(renderer: QSvgRenderer, edge: int) -> Image.Image:
    """The icon, `edge` pixels wide, drawn for that size and not scaled."""
    image = QImage(edge, edge, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return Image.open(io.BytesIO(bytes(buffer.data())))


def write(folder: Path) -> None:
    """`eyelid.ico` and `eyelid.icns` in `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    renderer = QSvgRenderer(str(SVG))
    for name, edges in (("eyelid.ico", WINDOWS), ("eyelid.icns", MACOS)):
        *smaller, largest = (drawn(renderer, edge) for edge in edges)
        largest.save(folder / name, sizes=[(edge, edge) for edge in edges] if name.endswith("ico") else None, append_images=smaller)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
