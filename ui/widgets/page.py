"""The frame of a page: a title, its actions, and a body on the grid."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from ui.theme import set_role
from ui.tokens import GRID, TARGET
from ui.widgets.basics import label

MARGIN = 3 * GRID

GUTTER = 12
"""Width of a scroll bar (see the style). Where a page scrolls, its bar stands in the margin, so that all right edges are in line."""

WIDEST = 160 * GRID
"""Cards and banners do not grow wider than is good to read."""


class Page(QWidget):
    """Pages are made once. `entered` is called when one comes to the front; `forget` must leave nothing of the vault in it."""

    def __init__(self, title: str, *, scrolls: bool = False) -> None:
        """`scrolls`: the body is made of `scrolled` columns, which bring the right margin along."""
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
        whole.setContentsMargins(MARGIN, 2 * GRID + 4, 0, MARGIN)
        whole.setSpacing(2 * GRID)
        head.setContentsMargins(0, 0, MARGIN, 0)
        self.body.setContentsMargins(0, 0, 0 if scrolls else MARGIN, 0)
        whole.addLayout(head)
        whole.addLayout(self.body, 1)
        self.setAccessibleName(title)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)

    def entered(self) -> None:
        """The page came to the front."""

    def forget(self) -> None:
        """The vault locks: drop every picture, name and text that came from it, now."""


def scrolled(content: QVBoxLayout) -> QScrollArea:
    """A column that scrolls up and down and never grows wider than is good to read."""
    inner = QWidget()
    set_role(inner, "plain")
    inner.setMaximumWidth(WIDEST + MARGIN - GUTTER)
    content.setContentsMargins(0, 0, MARGIN - GUTTER, 0)
    inner.setLayout(content)
    area = QScrollArea()
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
    bar = area.verticalScrollBar()
    bar.setEnabled(False)
    bar.rangeChanged.connect(lambda low, high: bar.setEnabled(high > low))
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(inner)
    return area
