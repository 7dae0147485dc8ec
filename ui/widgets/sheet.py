"""The frame of a dialog: a heading, a body that scrolls when the screen is small or the text large, and the buttons below it."""

from __future__ import annotations

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QPushButton, QWidget

from ui.i18n import tr
from ui.theme import set_role
from ui.tokens import GRID
from ui.widgets.basics import column, label, row, rule, scrolling

SIDE = 3 * GRID


class Sheet(QDialog):
    """`body` takes what is to be read or filled in, `foot` the buttons. `wide` is its width in pixels, where the screen has room."""

    def __init__(self, parent: QWidget, title: str, *, wide: int = 76 * GRID) -> None:
        super().__init__(parent)
        self._wide = wide
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.setModal(True)
        self.body = column(label(title, "title", wrap=True), gap=GRID + 4, margins=(SIDE, 2 * GRID + 4, SIDE, 2 * GRID))
        self.area = scrolling(self.body)
        self.foot = row(None, gap=GRID + 4, margins=(SIDE, GRID + 4, SIDE, 2 * GRID))
        whole = column(gap=0)
        whole.addWidget(self.area, 1)
        whole.addWidget(rule())
        whole.addLayout(self.foot)
        self.setLayout(whole)

    def choice(self, text: str, role: str = "choice") -> QPushButton:
        """Add a button to the foot, of the same look as the others there."""
        made = QPushButton(text)
        set_role(made, role)
        made.setAutoDefault(False)
        made.setAccessibleName(text)
        self.foot.addWidget(made)
        return made

    def closes(self) -> None:
        """For a sheet that is only read: one button, with the focus, and whatever key closes."""
        close = self.choice(tr("Close"))
        close.setDefault(True)
        close.clicked.connect(self.reject)
        close.setFocus()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.fit()

    def fit(self) -> None:
        """Show all of the body without scrolling wherever the screen is large enough."""
        room = self.screen().availableGeometry()
        wide = min(self._wide, room.width() - 4 * GRID)
        self.body.activate()
        tall = self.body.totalHeightForWidth(wide) if self.body.hasHeightForWidth() else self.body.sizeHint().height()
        foot = self.foot.sizeHint().height()
        self.resize(wide, min(room.height() - 8 * GRID, max(tall, 0) + foot + 4))
