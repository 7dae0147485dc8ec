"""The frame of a page: a title, its actions, and a body on the grid."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from ui.theme import set_role
from ui.tokens import GRID, TARGET
from ui.widgets.basics import label

MARGIN = 3 * GRID


class Page(QWidget):
    """Pages are made once. `entered` is called when one comes to the front; `forget` must leave nothing of the vault in it."""

    def __init__(self, title: str) -> None:
        super().__init__()
        set_role(self, "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.title = label(title, "title")
        self.acts = QHBoxLayout()
        self.acts.setSpacing(GRID)
        self.head = head = QHBoxLayout()
        self.title.setMinimumHeight(TARGET + 4)
        head.addWidget(self.title)
        head.addStretch(0)
        head.addLayout(self.acts)
        self.body = QVBoxLayout()
        self.body.setSpacing(2 * GRID)
        self.whole = whole = QVBoxLayout(self)
        whole.setContentsMargins(MARGIN, 2 * GRID + 4, MARGIN, MARGIN)
        whole.setSpacing(2 * GRID)
        whole.addLayout(head)
        whole.addLayout(self.body, 1)
        self.setAccessibleName(title)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)

    def entered(self) -> None:
        """The page came to the front."""

    def forget(self) -> None:
        """The vault locks: drop every picture, name and text that came from it, now."""


def scrolled(content: QVBoxLayout, *, widest: int = 120 * GRID) -> QScrollArea:
    """A column that scrolls up and down and never grows wider than is good to read."""
    inner = QWidget()
    set_role(inner, "plain")
    inner.setMaximumWidth(widest)
    content.setContentsMargins(0, 0, GRID, 0)
    inner.setLayout(content)
    area = QScrollArea()
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(inner)
    return area
