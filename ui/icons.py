"""Our own line icons, tinted at run time so that one file serves every palette.

Each SVG draws with `currentColor`; the colour is put in before rendering, at the pixel ratio asked for. The cache is the owner's.
"""

from __future__ import annotations

from importlib import resources

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer


def svg(name: str) -> str:
    """The source of one icon of `resources/icons`; raises FileNotFoundError for an unknown name."""
    return (resources.files("resources") / "icons" / f"{name}.svg").read_text(encoding="utf-8")


DIRECTED = frozenset({"leave", "back", "forward", "export", "sent", "send"})
"""Icons that point along the text, and so the other way from right to left. (Those of players do not turn.)"""


def render(source: str, size: int, ratio: float = 1.0, gap: int = 0, *, turned: bool = False) -> QPixmap:
    """Draw an SVG as a pixmap of `size` logical pixels, with `gap` empty ones behind it (before it from right to left).

    `turned`: as in a mirror.
    """
    edge, extra = round(size * ratio), round(gap * ratio)
    pixmap = QPixmap(QSize(edge + extra, edge))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    if turned:
        painter.translate(edge + (2 * extra if QGuiApplication.isRightToLeft() else 0), 0)
        painter.scale(-1, 1)
    QSvgRenderer(QByteArray(source.encode())).render(painter, QRectF(extra if QGuiApplication.isRightToLeft() else 0, 0, edge, edge))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def app_icon() -> QIcon:
    """The eyelid, in the sizes window managers ask for."""
    source, icon = svg("eyelid"), QIcon()
    for size in (16, 24, 32, 48, 64, 128, 256):
        icon.addPixmap(render(source, size))
    return icon


class Icons:
    """Renders and keeps icons by name, colour, size and ratio; owned by the theme and emptied when it changes."""

    def __init__(self) -> None:
        self._pixmaps: dict[tuple[str, str, int, float, int], QPixmap] = {}
        self._sources: dict[str, str] = {}

    def clear(self) -> None:
        self._pixmaps.clear()

    def pixmap(self, name: str, colour: str, size: int = 20, ratio: float = 1.0, gap: int = 0) -> QPixmap:
        """`gap` adds that many empty pixels behind the icon, because styles put text too close to it."""
        key = (name, colour, size, ratio, gap)
        if key not in self._pixmaps:
            if name not in self._sources:
                self._sources[name] = svg(name)
            turned = name in DIRECTED and QGuiApplication.isRightToLeft()
            self._pixmaps[key] = render(self._sources[name].replace("currentColor", colour), size, ratio, gap, turned=turned)
        return self._pixmaps[key]

    def icon(self, name: str, colours: tuple[str, str, str], size: int, ratio: float, gap: int = 0) -> QIcon:
        """An icon of one size in three colours: plain, disabled, and checked (empty: as plain)."""
        plain, disabled, checked = colours
        icon = QIcon(self.pixmap(name, plain, size, ratio, gap))
        icon.addPixmap(self.pixmap(name, disabled, size, ratio, gap), QIcon.Mode.Disabled)
        if checked:
            icon.addPixmap(self.pixmap(name, checked, size, ratio, gap), QIcon.Mode.Normal, QIcon.State.On)
        return icon
