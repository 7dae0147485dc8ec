"""An on/off switch: a check box (and so one to a screen reader and to the keyboard) drawn as a switch."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, QVariantAnimation
from PySide6.QtGui import QPainter, QPaintEvent, QPen

from ui.theme import Theme
from ui.tokens import GRID, MOTION
from ui.widgets.toggling import ToggleBox

TRACK = QSize(36, 20)
"""Size at a text size of 100 %."""
EDGE = 3
"""Pixels around it for the focus ring."""


class Switch(ToggleBox):
    """The text stands behind the switch. Position and fill tell the state, not colour alone."""

    def __init__(self, theme: Theme, text: str) -> None:
        super().__init__(text)
        self._theme = theme
        self.setAccessibleName(text)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._slide = QVariantAnimation(self)
        self._slide.valueChanged.connect(lambda _value: self.update())
        self.toggled.connect(self._move)

    def _move(self, on: bool) -> None:
        """Let the knob slide, where it can be seen and motion is wanted."""
        self._slide.stop()
        self._slide.setStartValue(0.0 if on else 1.0)
        self._slide.setEndValue(1.0 if on else 0.0)
        time = self._theme.motion(MOTION.quick) if self.isVisible() else 0
        if time:
            self._slide.setDuration(time)
            self._slide.start()
        self.update()

    @property
    def _place(self) -> float:
        """Where the knob is: 0 off, 1 on."""
        if self._slide.state() == QVariantAnimation.State.Running:
            return float(self._slide.currentValue())
        return 1.0 if self.isChecked() else 0.0

    def sizeHint(self) -> QSize:
        text = self.fontMetrics().size(0, self.text())
        gap = GRID if self.text() else 0
        track = TRACK * self._scale
        return QSize(track.width() + gap + text.width() + 2 * EDGE, max(track.height(), text.height()) + 4 * EDGE)

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
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 2 * EDGE - 2, -1, 2 - 2 * EDGE), 12, 12)
        painter.setPen(colour("text" if alive else "muted"))
        scale, mirrored = self._scale, self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        beside = EDGE + round(TRACK.width() * scale) + GRID
        words = self.rect().adjusted(0, 0, -beside, 0) if mirrored else self.rect().adjusted(beside, 0, 0, 0)
        side = Qt.AlignmentFlag.AlignRight if mirrored else Qt.AlignmentFlag.AlignLeft
        painter.drawText(words, side | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextShowMnemonic, self.text())
        painter.translate(self.width() - EDGE if mirrored else EDGE, (self.height() - TRACK.height() * scale) / 2)
        painter.scale(-scale if mirrored else scale, scale)
        self._paint_track(painter, on=self.isChecked(), alive=alive)
        painter.end()

    def _paint_track(self, painter: QPainter, *, on: bool, alive: bool) -> None:
        colour = self._theme.colour
        painter.setPen(QPen(colour("accent" if on and alive else "control"), 2))
        painter.setBrush(colour("accent") if on and alive else colour("surface"))
        painter.drawRoundedRect(QRectF(1, 1, TRACK.width() - 2, TRACK.height() - 2), 9, 9)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour("on_accent") if on and alive else colour("control"))
        painter.drawEllipse(QRectF(4 + self._place * (TRACK.width() - 20), 4, 12, 12))
