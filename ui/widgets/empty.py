"""What a page shows when it has nothing yet: what will be here, and the next step."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from ui.theme import Theme
from ui.tokens import GRID
from ui.widgets.basics import dress, icon_label, label, row

WIDEST, WIDEST_LARGE = 52 * GRID, 64 * GRID
"""Pixels of a line of the hint, at a text size of 100 % and at any."""


class Empty(QWidget):
    """An icon, a sentence, a hint, and at most two buttons."""

    def __init__(self, theme: Theme, icon: str, title: str, hint: str, *buttons: QPushButton) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 6 * GRID)
        layout.setSpacing(GRID)
        self.title, self.hint = label(title, "title"), label(hint, tone="muted", wrap=True)
        self.title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.title.setWordWrap(True)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        layout.addStretch(1)
        self._theme = theme
        self._icon = icon_label(theme, icon, "control", 56)
        layout.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(self.title)
        layout.addLayout(row(None, self.hint, None))
        if buttons:
            layout.addSpacing(GRID)
            layout.addLayout(row(None, *buttons, None))
        layout.addStretch(1)

    def say(self, title: str, hint: str, *, icon: str = "") -> None:
        self.title.setText(title)
        self.hint.setText(hint)
        if icon:
            dress(self._theme, self._icon, icon, "control", size=56)
        self._balance()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._balance()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._balance()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Words and buttons first: without the icon where there is no room for it."""
        super().resizeEvent(event)
        left_out = self._icon.sizeHint().height() + GRID if self._icon.isHidden() else 0
        self._icon.setVisible(self.heightForWidth(event.size().width()) + left_out <= event.size().height())

    def _balance(self) -> None:
        """As narrow as the hint may be without another line, so that its lines are of one length and no word stands alone."""
        self.hint.ensurePolished()
        self.hint.setMinimumSize(0, 0)  # what is fixed would count in the measuring
        narrow, wide = 20 * GRID, min(self._theme.scaled(WIDEST), WIDEST_LARGE)
        lines = self.hint.heightForWidth(wide)
        while wide - narrow > 4:
            middle = (narrow + wide) // 2
            narrow, wide = (narrow, middle) if self.hint.heightForWidth(middle) <= lines else (middle, wide)
        self.hint.setFixedSize(wide, max(0, self.hint.heightForWidth(wide)))
