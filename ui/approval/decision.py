"""Two buttons of equal weight, and when the second one works. Every way out but a deliberate press of Send means "keep private"."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QBoxLayout, QDialog, QPushButton, QVBoxLayout, QWidget

from ui.i18n import tr
from ui.theme import Theme, set_role
from ui.tokens import GRID
from ui.widgets.basics import column, label, row, rule, scrolling

ARM_MS = 1000
"""How long Send stays dead after the pictures were painted, and after the window got the focus back."""

SIDE = 3 * GRID
WIDE = 122 * GRID
"""Fits a screen of 1024 pixels."""
_CHECK_MS = 30
_REFLEX_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space, Qt.Key.Key_Escape, Qt.Key.Key_Select)
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class DecisionDialog(QDialog):
    """Accepted means yes. Used once. Whoever inherits says what is shown, when all of it was on the screen, and what still hinders.

    `content` scrolls where there is too little room; what decides does not: `top` says what goes to whom, `above` stands over the buttons.
    """

    def __init__(self, parent: QWidget, theme: Theme, *, arm_ms: int = ARM_MS) -> None:
        super().__init__(parent)
        self.theme = theme
        self._pressed = False
        self._reasons_beside = True
        self._armed = QTimer(self, singleShot=True, interval=arm_ms)
        self._armed.timeout.connect(self._update_send)
        self._paint_check = QTimer(self, interval=_CHECK_MS)
        self._paint_check.timeout.connect(self._arm_when_painted)
        self.setModal(True)
        self.top = column(gap=6, margins=(SIDE, 2 * GRID + 4, SIDE, GRID))
        self.content = column(gap=GRID + 4, margins=(SIDE, 4, SIDE, GRID))
        self.above = column(gap=GRID)
        self._frame()
        self.installEventFilter(self)
        if (app := QApplication.instance()) is not None:
            app.aboutToQuit.connect(self.reject)

    # -- for whoever inherits --------------------------------------------------------------------------------------------------

    def seen(self) -> bool:
        """Whether all that has to be looked at has been on the screen; called every few milliseconds until it has."""
        return True

    def hindrance(self, ripe: bool) -> tuple[bool, str]:
        """Whether Send has to stay dead, and why, in words. `ripe` says that nothing else keeps it dead."""
        return False, ""

    def arrange(self, wide: int) -> None:
        """Lay out the content for this width; called whenever it is about to be measured."""

    # -- what is shown ---------------------------------------------------------------------------------------------------------

    def _frame(self) -> None:
        self._head = QWidget()  # made first, since it is read first
        self._head.setLayout(self.top)
        self.area = scrolling(self.content)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self._head)
        whole.addWidget(self.area, 1)
        whole.addWidget(rule())
        self._foot = self._buttons()
        whole.addWidget(self._foot)
        self.setMinimumSize(56 * GRID, 48 * GRID)

    def _buttons(self) -> QWidget:
        self.keep, self.send = QPushButton(tr("Keep private")), QPushButton("")
        for made in (self.keep, self.send):
            set_role(made, "choice")
            made.setAutoDefault(False)
        self.keep.setAccessibleName(self.keep.text())
        self.keep.setDefault(True)
        self.keep.clicked.connect(self.reject)
        self.send.clicked.connect(self._send_pressed)
        self.send.setEnabled(False)
        self.waiting = label("", "small", wrap=True)
        self.waiting.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.waiting.setMinimumWidth(14 * GRID)
        self._choices = row(None, gap=GRID + 4)
        for made in (self.keep, self.send):
            self._choices.addWidget(made, 0, Qt.AlignmentFlag.AlignRight)
        self._bar = row(gap=GRID + 4)
        self._bar.addWidget(self.waiting, 1)
        self._bar.addLayout(self._choices)
        box = QWidget()
        box.setLayout(column(self.above, self._bar, gap=GRID, margins=(SIDE, GRID + 4, SIDE, 2 * GRID)))
        return box

    def name(self, title: str, send: str) -> None:
        """The question in the title, and the deed on the button; both buttons stay equal."""
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.send.setText(send)
        self.send.setAccessibleName(send)
        for made in (self.keep, self.send):
            made.setMinimumSize(0, 0)
            made.setMaximumSize(1 << 20, 1 << 20)
            made.ensurePolished()
        wide = max(self.keep.sizeHint().width(), self.send.sizeHint().width())
        for made in (self.keep, self.send):
            made.setFixedSize(wide, max(self.keep.sizeHint().height(), self.send.sizeHint().height()))

    def fit(self) -> None:
        """Show the whole decision without scrolling wherever the screen is large enough."""
        room = self.screen().availableGeometry()
        both = 2 * self.send.width() + self._choices.spacing() + 2 * SIDE
        across = both + self.theme.scaled(24 * GRID)
        wide = min(room.width() - 4 * GRID, max(self.theme.scaled(WIDE), across))
        self._reasons_beside = across <= wide
        self._say_why(self.waiting.text())
        _turn(self._bar, across=self._reasons_beside)
        _turn(self._choices, across=both <= wide)
        self.arrange(wide)
        self.content.activate()
        head = max(self._head.heightForWidth(wide), self._head.minimumSizeHint().height())
        foot = max(self._foot.heightForWidth(wide), self._foot.minimumSizeHint().height())
        tall = max(self.content.totalHeightForWidth(wide), self.content.totalMinimumSize().height())
        # A bar that is there makes what it scrolls taller, and so would stay: it is put away for the measuring.
        self.area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.resize(wide, min(room.height() - 5 * GRID, head + tall + foot + 4))
        self.area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)

    def fit_soon(self) -> None:
        """`fit`, once what was changed has found its size."""
        QTimer.singleShot(0, self, self.fit)

    # -- how it is decided -----------------------------------------------------------------------------------------------------

    @property
    def armed(self) -> bool:
        return self.send.isEnabled()

    def wait_again(self) -> None:
        """Something else is shown now: it has to be seen first, and then the delay begins anew."""
        self._armed.stop()
        self._paint_check.start()
        self._update_send()

    def _send_pressed(self) -> None:
        if self.armed:
            self._pressed = True
            self.accept()

    def accept(self) -> None:
        """Only the Send button can accept; whatever else calls this keeps private."""
        if self._pressed:
            super().accept()
        else:
            self.reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.reject()
        super().closeEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.watch_keys()
        self.fit()
        self.fit_soon()
        self.keep.setFocus()
        self._paint_check.start()

    def watch_keys(self) -> None:
        """Look at every key press inside; called anew whenever there are new controls."""
        for child in self.findChildren(QWidget):
            child.installEventFilter(self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter keeps private wherever the focus is, Send included: sending takes Space or a click."""
        if event.key() in _ENTER:
            self.reject()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.WindowDeactivate and watched is self:
            self.wait_again()
        elif event.type() == QEvent.Type.WindowActivate and watched is self:
            self._paint_check.start()
        elif isinstance(event, QKeyEvent) and event.isAutoRepeat() and event.key() in _REFLEX_KEYS:
            return True
        elif isinstance(event, QKeyEvent) and event.key() in _ENTER and isinstance(watched, QAbstractButton) and watched.window() is self:
            # On some desktops (Qt's theme for GNOME) Enter would press the button that has the focus.
            if event.type() == QEvent.Type.KeyPress:
                self.reject()
            return True
        return super().eventFilter(watched, event)

    def _arm_when_painted(self) -> None:
        if self.seen() and self.isVisible() and self.isActiveWindow():
            self._paint_check.stop()
            self._armed.start()
            self._update_send()

    def _update_send(self) -> None:
        ripe = not self._armed.isActive() and not self._paint_check.isActive() and self.isActiveWindow()
        hindered, why = self.hindrance(ripe)
        self.send.setEnabled(ripe and not hindered)
        self._say_why(why)

    def _say_why(self, why: str) -> None:
        """Why Send is dead. Above the buttons it takes room only while there is something to say; they stay where they are."""
        self.waiting.setText(why)
        self.waiting.setVisible(self._reasons_beside or bool(why))


def _turn(line: QBoxLayout, *, across: bool) -> None:
    """Side by side, or one below the other where there is no room for that."""
    line.setDirection(QBoxLayout.Direction.LeftToRight if across else QBoxLayout.Direction.TopToBottom)
