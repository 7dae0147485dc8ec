"""A picture with boxes on it that can be chosen, drawn, moved and resized. Boxes are in pixels of the upright original."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.media.look.boxes import Box
from ui.i18n import tr
from ui.theme import Theme
from ui.widgets.marks import LEAST, Mark

HANDLE = 10
"""Size of the squares at the corners of the chosen box, in pixels of the screen; they can be caught from a little farther off."""

_STEPS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_SIDES = (("left", "top"), ("right", "top"), ("left", "bottom"), ("right", "bottom"))
"""Those that move with each corner, in the order of `_corners`."""
_WHOLE = ("left", "top", "right", "bottom")
"""All sides: the box moves as it is."""
_COVER = QColor(0, 0, 0)


class Canvas(QWidget):
    """`chosen` and `changed` carry the number of the box; that behind the last is the part to keep. `drawn` carries a new box."""

    chosen = Signal(int)
    changed = Signal(int, object)
    drawn = Signal(object)
    removed = Signal()

    def __init__(self, theme: Theme, image: QImage, size: tuple[int, int]) -> None:
        super().__init__()
        self._theme = theme
        self._image = image
        self._size = size
        self._marks: tuple[Mark, ...] = ()
        self._crop: Box | None = None
        self._current = -1
        self._grip: tuple[str, ...] | None = None
        self._from: QPointF | None = None
        self._before: Box | None = None
        self._fresh: Box | None = None
        self.setMinimumSize(320, 240)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName(tr("Picture with boxes"))
        self.setAccessibleDescription(
            tr("Page Up and Page Down choose a box, arrows move it, Shift and arrows change its size, Ctrl makes the steps small.")
        )

    def sizeHint(self) -> QSize:
        return QSize(*self._size).scaled(QSize(860, 620), Qt.AspectRatioMode.KeepAspectRatio)

    def show_marks(self, marks: Sequence[Mark], crop: Box | None, current: int) -> None:
        """Show these boxes, the one numbered `current` as chosen."""
        self._marks, self._crop, self._current = tuple(marks), crop, current
        self.update()

    # -- where things are ------------------------------------------------------------------------------------------------------

    def _area(self) -> QRectF:
        """Where the picture is painted."""
        size = QSize(*self._size).scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        return QRectF((self.width() - size.width()) / 2, (self.height() - size.height()) / 2, size.width(), size.height())

    def to_screen(self, box: Box) -> QRectF:
        area, (width, height) = self._area(), self._size
        across, down = area.width() / width, area.height() / height
        return QRectF(area.left() + box.left * across, area.top() + box.top * down, box.width * across, box.height * down)

    def _to_picture(self, point: QPointF) -> tuple[int, int]:
        area, (width, height) = self._area(), self._size
        x = (point.x() - area.left()) * width / max(1.0, area.width())
        y = (point.y() - area.top()) * height / max(1.0, area.height())
        return min(width, max(0, round(x))), min(height, max(0, round(y)))

    def _box(self, number: int) -> Box | None:
        if 0 <= number < len(self._marks):
            return self._marks[number].box
        return self._crop if number == len(self._marks) else None

    @property
    def _count(self) -> int:
        return len(self._marks) + (self._crop is not None)

    # -- painting --------------------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(self._area(), self._image)
        for number, mark in enumerate(self._marks):
            self._paint_mark(painter, mark, number == self._current)
        if self._crop is not None:
            self._paint_crop(painter)
        if self._fresh is not None:
            painter.fillRect(self.to_screen(self._fresh), _COVER)
        chosen = self._box(self._current)
        if chosen is not None:
            self._paint_handles(painter, self.to_screen(chosen))
        if self.hasFocus():
            painter.setPen(QPen(self._theme.colour("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))
        painter.end()

    def _paint_mark(self, painter: QPainter, mark: Mark, chosen: bool) -> None:
        place = self.to_screen(mark.box)
        if mark.covered:
            painter.fillRect(place, _COVER)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, wide in ((QColor("black"), 4), (QColor("white") if not chosen else self._theme.colour("warn_soft"), 2)):
            pen = QPen(colour, wide, Qt.PenStyle.SolidLine if mark.covered or chosen else Qt.PenStyle.DashLine)
            painter.setPen(pen)
            painter.drawRect(place)

    def _paint_crop(self, painter: QPainter) -> None:
        assert self._crop is not None
        outside, inside = QPainterPath(), QPainterPath()
        outside.addRect(self._area())
        inside.addRect(self.to_screen(self._crop))
        painter.fillPath(outside - inside, QColor(0, 0, 0, 170))
        painter.setPen(QPen(QColor("white"), 2))
        painter.drawRect(self.to_screen(self._crop))

    def _paint_handles(self, painter: QPainter, place: QRectF) -> None:
        painter.setPen(QPen(QColor("black"), 1))
        painter.setBrush(QColor("white"))
        for corner in _corners(place):
            painter.drawRect(QRectF(corner.x() - HANDLE / 2, corner.y() - HANDLE / 2, HANDLE, HANDLE))

    # -- by mouse --------------------------------------------------------------------------------------------------------------

    def _corner_at(self, point: QPointF) -> tuple[str, ...] | None:
        box = self._box(self._current)
        if box is None:
            return None
        corners = zip(_corners(self.to_screen(box)), _SIDES, strict=True)
        near = (sides for corner, sides in corners if (corner - point).manhattanLength() <= 2 * HANDLE)
        return next(near, None)

    def _hit(self, point: QPointF) -> int:
        """The box under `point`, the smallest first; the part to keep only at its edge."""
        inside = [number for number, mark in enumerate(self._marks) if self.to_screen(mark.box).contains(point)]
        if inside:
            return min(inside, key=lambda number: self._marks[number].box.area)
        if self._crop is not None:
            place = self.to_screen(self._crop)
            near, inner = place.adjusted(-HANDLE, -HANDLE, HANDLE, HANDLE), place.adjusted(HANDLE, HANDLE, -HANDLE, -HANDLE)
            if near.contains(point) and not inner.contains(point):
                return len(self._marks)
        return -1

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        point = event.position()
        self._grip = self._corner_at(point)
        if self._grip is None:
            hit = self._hit(point)
            if hit >= 0:
                self._current = hit
                self.chosen.emit(hit)
                self._grip = _WHOLE
        self._from, self._before = point, self._box(self._current)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._from is None:
            over = self._corner_at(event.position()) is not None or self._hit(event.position()) >= 0
            self.setCursor(Qt.CursorShape.SizeAllCursor if over else Qt.CursorShape.CrossCursor)
            return
        (x, y), (x0, y0) = self._to_picture(event.position()), self._to_picture(self._from)
        if self._grip is None:
            self._fresh = Box(min(x, x0), min(y, y0), max(x, x0), max(y, y0))
            self.update()
        elif self._before is not None:
            self._change(self._before, x - x0, y - y0, self._grip)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        fresh, self._fresh, self._from, self._grip = self._fresh, None, None, None
        if fresh is not None and min(fresh.width, fresh.height) >= LEAST:
            self.drawn.emit(fresh)
        self.update()

    # -- by keyboard -----------------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, keys = event.key(), event.modifiers()
        if key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp) and self._count:
            step = 1 if key == Qt.Key.Key_PageDown else -1
            self._current = (self._current + step) % self._count
            self.chosen.emit(self._current)
        elif key in _STEPS and (box := self._box(self._current)) is not None:
            size = 1 if keys & Qt.KeyboardModifier.ControlModifier else max(1, max(self._size) // 100)
            right, down = (each * size for each in _STEPS[Qt.Key(key)])
            grip = ("right", "bottom") if keys & Qt.KeyboardModifier.ShiftModifier else _WHOLE
            self._change(box, right, down, grip)
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit()
        else:
            super().keyPressEvent(event)

    def _change(self, box: Box, right: int, down: int, grip: tuple[str, ...]) -> None:
        """Move the sides of `grip` by so many pixels of the picture, within it and never smaller than can be seen."""
        width, height = self._size
        if grip == _WHOLE:
            right = min(max(right, -box.left), width - box.right)
            down = min(max(down, -box.top), height - box.bottom)
            self._emit(box.moved(right, down))
            return
        left, top, far, low = box.left, box.top, box.right, box.bottom
        if "left" in grip:
            left = min(max(0, left + right), far - LEAST)
        if "right" in grip:
            far = max(min(width, far + right), left + LEAST)
        if "top" in grip:
            top = min(max(0, top + down), low - LEAST)
        if "bottom" in grip:
            low = max(min(height, low + down), top + LEAST)
        self._emit(Box(left, top, far, low))

    def _emit(self, box: Box) -> None:
        if box != self._box(self._current):
            self.changed.emit(self._current, box)


def _corners(place: QRectF) -> tuple[QPointF, ...]:
    return place.topLeft(), place.topRight(), place.bottomLeft(), place.bottomRight()
