"""What stands on every page while bytes move: the bar of a sending, and that of a live look, each with a way to stop it."""

from __future__ import annotations

from datetime import UTC, datetime

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.sharing.live_types import LiveView
from ui import words
from ui.approval.pictures import picture_image
from ui.i18n import plural, tr
from ui.i18n import said as tr_core
from ui.theme import Theme, set_role
from ui.tokens import GRID
from ui.widgets.banner import announce
from ui.widgets.basics import button, column, frame, icon_label, label, picture_well, row
from ui.widgets.progress import Progress, meter, move
from ui.windows import Windows

LAST = QSize(96, 64)
"""Where the last frame stands."""
MOST_ANSWER = 200
"""Characters of an answer that the bar has room for."""
STOP_KEYS = "Ctrl+."
"""Stops a live look from anywhere in the program, dialogs included."""


class SendBar(Progress):
    """Hidden unless something is on its way. `stop_asked` wants it stopped."""

    stop_asked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setAccessibleName(tr("Sending"))
        set_role(self._what, "strong")
        line = row(icon_label(theme, "send", "sent"), gap=GRID + 4, margins=(GRID + 4, GRID, GRID + 4, GRID))
        line.addLayout(column(self._what, self._bar, gap=6), 1)
        self.stop = button(theme, tr("Cancel"), self.stop_asked.emit, name=tr("Cancel the sending"))
        line.addWidget(self.stop)
        _framed(self, line)

    def begin(self, what: str) -> None:
        super().begin(what)
        announce(self, what)


class LiveBar(QWidget):
    """A live look under way: how many frames of how many, the last one, how much has left, and Stop. `stop_asked` wants it stopped."""

    stop_asked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._view: LiveView | None = None
        self.last = picture_well(LAST)
        self.count, self.more = label("", "strong", wrap=True), label("", "small", wrap=True)
        self.answer = label("", wrap=True)
        self._bar = meter()
        self.stop = button(
            theme, tr("Stop ({keys})", keys=words.keys(STOP_KEYS)), self.stop_asked.emit, icon="ban", name=tr("Stop the live look")
        )
        line = row(icon_label(theme, "send", "sent"), self.last, gap=GRID + 4, margins=(GRID + 4, GRID, GRID + 4, GRID))
        line.addLayout(column(self.count, self.more, self._bar, self.answer, gap=4), 1)
        line.addWidget(self.stop, 0, Qt.AlignmentFlag.AlignTop)
        _framed(self, line)
        self._windows = Windows(self)
        self._clock = QTimer(self, interval=1000)
        self._clock.timeout.connect(self._say)
        self.hide()

    def show_view(self, view: LiveView) -> None:
        """Show how it goes; once it has ended the bar goes away."""
        before, self._view = self._view, view
        if not view.running:
            self.end()
            return
        if before is None or before.last is not view.last:
            self._show_last(view)
        self._say()
        if self.isHidden():
            self.show()
            self._clock.start()
            self._windows.watch()
            announce(self, self.count.text())

    def _show_last(self, view: LiveView) -> None:
        if view.last is None:
            self.last.setPixmap(QPixmap())
            return
        ratio = self.devicePixelRatioF()
        image = picture_image(view.last, round(LAST.width() * ratio))
        pixmap = QPixmap.fromImage(
            image.scaled(LAST * ratio, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
        )
        pixmap.setDevicePixelRatio(ratio)
        self.last.setPixmap(pixmap)
        self.last.setAccessibleName(tr("The last frame, as it was sent"))

    def _say(self) -> None:
        view = self._view
        if view is None:
            return
        left = max(0, round((view.ends_at - datetime.now(UTC)).total_seconds()))
        self.count.setText(
            tr(
                "Live look: {count} of {most} frames sent to {company}",
                count=view.frames,
                most=view.most_frames,
                company=tr_core(view.destination.company),
            )
        )
        parts = [
            tr("{size} so far", size=words.size(view.bytes_sent)),
            tr("ends by itself in {time}", time=words.duration(left * 1000)),
        ]
        if view.skipped:
            parts.append(plural(view.skipped, "{count} frame left out", "{count} frames left out"))
        self.more.setText(" · ".join(parts))
        move(self._bar, view.frames, view.most_frames)
        self._bar.setAccessibleName(self.count.text())
        self.answer.setText(_shortened(view.answer))
        self.answer.setVisible(bool(view.answer))
        self.setAccessibleName(f"{self.count.text()}. {self.more.text()}")

    def end(self) -> None:
        """Nothing goes any more; nothing of it stays on the screen."""
        self._view = None
        self._clock.stop()
        self._windows.leave()
        self.last.setPixmap(QPixmap())
        self.answer.setText("")
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Ctrl+. stops it, whichever window has the keyboard: an ordinary shortcut would be dead behind a dialog."""
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress:
            return False
        if event.key() == Qt.Key.Key_Period and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.stop_asked.emit()
            return True
        return False


def _framed(bar: QWidget, line: QHBoxLayout) -> None:
    """The look of a banner, with the room above it that banners have."""
    inner = frame("banner", line)
    set_role(inner, tone="sent")
    bar.setLayout(column(inner, margins=(0, 2 * GRID, 0, 0)))


def _shortened(answer: str) -> str:
    """The end of an answer in one paragraph: the end is what is new."""
    answer = " ".join(answer.split())
    return answer if len(answer) <= MOST_ANSWER else "…" + answer[-MOST_ANSWER:]
