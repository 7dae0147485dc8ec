"""The pictures of a parcel on the screen: each decoded from the very bytes that would go, with what can be done to it and its own tick."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QSize, Qt, Signal
from PySide6.QtGui import QImage, QImageReader, QMouseEvent, QPaintEvent, QPixmap
from PySide6.QtWidgets import QCheckBox, QFrame, QLabel, QScrollArea, QWidget

from app.sharing.types import Picture
from ui import words
from ui.dialogs import opened
from ui.i18n import plural, tr
from ui.theme import Theme, set_role
from ui.tokens import GRID
from ui.widgets.basics import button, column, hide_if, label, noted
from ui.widgets.flow import FlowLayout
from ui.widgets.sheet import Sheet

THUMB = 200
ALONE = 264
"""Long edges of a preview: one of several, and one alone."""
LARGEST = 1 << 14


def picture_image(picture: Picture, edge: int) -> QImage:
    """The picture as the parcel carries it, no larger than `edge`; null when it cannot be read."""
    buffer = QBuffer()
    buffer.setData(picture.jpeg)
    buffer.open(QBuffer.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    reader.setAutoTransform(False)
    size = reader.size()
    if size.isValid() and max(size.width(), size.height()) > edge:
        reader.setScaledSize(size.scaled(QSize(edge, edge), Qt.AspectRatioMode.KeepAspectRatio))
    return reader.read()


class PaintWatch(QLabel):
    """A label that knows whether its picture has been on the screen; a click on it is told."""

    clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.painted = False
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        set_role(self, "well")

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self.painted = self.painted or not self.pixmap().isNull()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.rect().contains(event.position().toPoint()):
            self.clicked.emit()


def facts(picture: Picture) -> str:
    """Size, time in the video, and what is covered, in words."""
    parts = [tr("{width} × {height}, {size}", width=picture.width, height=picture.height, size=words.size(len(picture.jpeg)))]
    if picture.at_ms is not None:
        parts.insert(0, tr("At {time}", time=words.duration(picture.at_ms)))
    if picture.covered:
        parts.append(plural(len(picture.covered), "{count} place covered", "{count} places covered"))
    return " · ".join(parts)


class Tile(QWidget):
    """One picture: `redact`, `leave_out` and `enlarge` ask for what they say; `ticked` tells that the tick moved."""

    redact = Signal()
    leave_out = Signal()
    enlarge = Signal()
    ticked = Signal()

    def __init__(self, theme: Theme, number: int, picture: Picture, *, edge: int, can_leave: bool, tick: bool) -> None:
        super().__init__()
        self._theme = theme
        self._edge = edge
        self.number = number
        self.picture = picture
        self.unreadable = False
        self.decoded = False
        self.shown = PaintWatch()
        said = facts(picture)
        size = QSize(picture.width, picture.height).scaled(QSize(edge, edge), Qt.AspectRatioMode.KeepAspectRatio)
        # Several stand in equal squares, so that what is below them is in one line.
        self.shown.setFixedSize(QSize(edge, edge) if can_leave else size.expandedTo(QSize(16, 16)))
        self.shown.setAccessibleName(tr("Photo {number} as it would be sent, {facts}", number=number, facts=said))
        self.shown.clicked.connect(self.enlarge)
        about = label(said, "small", wrap=True)
        acts = FlowLayout(gap=GRID + 4, below=0)
        for text, name, signal, wanted in (
            (tr("Full size…"), tr("Show photo {number} in full size", number=number), self.enlarge, True),
            (tr("Cover or crop…"), tr("Cover parts of photo {number}, or crop it", number=number), self.redact, True),
            (tr("Leave out"), tr("Leave out photo {number}", number=number), self.leave_out, can_leave),
        ):
            if wanted:
                acts.addWidget(button(theme, text, signal.emit, role="link", name=name))
        self.check = QCheckBox(tr("I checked who is in this picture"))
        self.check.setAccessibleName(tr("I checked who is in picture {number}", number=number))
        self.check.toggled.connect(lambda _on: self.ticked.emit())
        box = QWidget()
        box.setLayout(acts)
        parts = column(self.shown, about, box, gap=2)
        parts.addWidget(self.check)
        parts.addStretch(1)
        self.setLayout(parts)
        hide_if(self.check, not tick)
        self.check.ensurePolished()
        wide = max(edge, self.check.sizeHint().width() if tick else 0)
        self.setFixedWidth(wide)
        # A layout that wraps its words tells its height for a width only when asked.
        self.setMinimumHeight(parts.totalHeightForWidth(wide))

    @property
    def needs_tick(self) -> bool:
        return not self.check.isHidden() and not self.check.isChecked()

    def decode(self) -> None:
        """Put the picture up; some ten milliseconds of work."""
        ratio = self.devicePixelRatioF()
        image = picture_image(self.picture, round(self._edge * ratio))
        self.decoded = True
        self.unreadable = image.isNull()
        pixmap = QPixmap.fromImage(image)
        pixmap.setDevicePixelRatio(ratio)
        self.shown.setPixmap(pixmap)

    @property
    def painted(self) -> bool:
        return self.decoded and (self.shown.painted or self.unreadable)


class FullSize(Sheet):
    """One picture, pixel by pixel as it would go."""

    def __init__(self, parent: QWidget, theme: Theme, number: int, picture: Picture) -> None:
        super().__init__(parent, tr("Photo {number} as it would be sent", number=number), wide=min(picture.width + 7 * GRID, 160 * GRID))
        shown = QLabel()
        shown.setPixmap(QPixmap.fromImage(picture_image(picture, LARGEST)))
        shown.setAccessibleName(self.windowTitle())
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(shown)
        area.setAccessibleName(self.windowTitle())
        area.setMinimumHeight(min(picture.height + 4, 80 * GRID))
        self.body.addWidget(label(facts(picture), tone="muted", wrap=True))
        if picture.covered:
            said = tr("What is covered is solid in the file itself: nothing of it is left to be found.")
            self.body.addLayout(noted(theme, "check", "good", said))
        self.body.addWidget(area, 1)
        self.closes()


async def enlarge(parent: QWidget, theme: Theme, number: int, picture: Picture) -> None:
    await opened(FullSize(parent, theme, number, picture))


def shelf_of(tiles: list[Tile]) -> QWidget:
    """The tiles side by side, going on below when there is no room."""
    shelf = QWidget()
    shelf.setLayout(FlowLayout(*tiles, gap=2 * GRID))
    return shelf
