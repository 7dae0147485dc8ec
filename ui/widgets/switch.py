"""An on/off switch: a check box (and so one to a screen reader and to the keyboard) drawn as a switch."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox, QWidget

from ui.theme import Theme
from ui.tokens import GRID

TRACK = QSize(36, 20)
"""Size at a text size of 100 %."""


class Switch(QCheckBox):
    """The text stands to the right of the switch. Position and fill tell the state, not colour alone."""

    def __init__(self, theme: Theme, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._theme = theme
        self.setAccessibleName(text)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        text = self.fontMetrics().size(0, self.text())
        gap = GRID if self.text() else 0
        track = TRACK * self._scale
        return QSize(track.width() + gap + text.width() + 12, max(track.height(), text.height()) + 12)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def hitButton(self, pos: QPoint) -> bool:
        return self.rect().contains(pos)

    @property
    def _scale(self) -> float:
        return self._theme.scaled(100) / 100

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour, alive = self._theme.colour, self.isEnabled()
        if self.hasFocus():
            painter.setPen(QPen(colour("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        painter.setPen(colour("text" if alive else "muted"))
        words = self.rect().adjusted(6 + round(TRACK.width() * self._scale) + GRID, 0, 0, 0)
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextShowMnemonic, self.text())
        painter.translate(6, (self.height() - TRACK.height() * self._scale) / 2)
        painter.scale(self._scale, self._scale)
        self._paint_track(painter, on=self.isChecked(), alive=alive)
        painter.end()

    def _paint_track(self, painter: QPainter, *, on: bool, alive: bool) -> None:
        colour = self._theme.colour
        painter.setPen(QPen(colour("accent" if on and alive else "control"), 2))
        painter.setBrush(colour("accent") if on and alive else colour("surface"))
        painter.drawRoundedRect(QRectF(1, 1, TRACK.width() - 2, TRACK.height() - 2), 9, 9)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour("on_accent") if on and alive else colour("control"))
        painter.drawEllipse(QRectF(TRACK.width() - 16 if on else 4, 4, 12, 12))
