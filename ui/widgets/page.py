"""The frame of a page: a title, its actions, and a body on the grid."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Self

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QHBoxLayout, QLayout, QScrollArea, QToolButton, QVBoxLayout, QWidget

from ui.theme import Theme, set_role
from ui.tokens import GRID, TARGET
from ui.widgets.basics import label, scrolling, tool
from ui.widgets.flow import FlowLayout

MARGIN = 3 * GRID

GUTTER = 12
"""Width of a scroll bar (see the style). Where a page scrolls, its bar stands in the margin, so that all right edges are in line."""

WIDEST = 160 * GRID
"""Cards and banners do not grow wider than is good to read."""


class Mirrored(QObject):
    """Keeps the margins of a layout as given from left to right, and the other way round from right to left, as Qt does not."""

    def __init__(self, widget: QWidget, layout: QLayout, margins: tuple[int, int, int, int]) -> None:
        super().__init__(widget)
        self._widget, self._layout = widget, layout
        widget.installEventFilter(self)
        self.set(margins)

    def set(self, margins: tuple[int, int, int, int]) -> None:
        """Left, top, right and bottom where text runs from left to right."""
        self._margins = margins
        left, top, right, bottom = margins
        if self._widget.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            left, right = right, left
        self._layout.setContentsMargins(left, top, right, bottom)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutDirectionChange:
            self.set(self._margins)
        return False


class Page(QWidget):
    """Pages are made once, part by part. `entered` when one comes to the front; `forget` must leave nothing of the vault in it."""

    def __init__(self, title: str, *, scrolls: bool = False) -> None:
        """`scrolls`: the body is made of `scrolled` columns, which bring the margins at the right and below along."""
        super().__init__()
        set_role(self, "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.title = label(title, "title")
        self.acts = FlowLayout(at_end=True)  # they go on below where large text leaves no room beside the title
        self.head = head = QHBoxLayout()
        self.title.setMinimumHeight(TARGET + 4)
        head.addWidget(self.title)
        head.addLayout(self.acts, 1)
        self.body = QVBoxLayout()
        self.body.setSpacing(2 * GRID)
        self.whole = whole = QVBoxLayout(self)
        whole.setSpacing(2 * GRID)
        self.margins = Mirrored(self, whole, (MARGIN, 2 * GRID + 4, 0, 0 if scrolls else MARGIN))
        self.head_margins = Mirrored(self, head, (0, 0, MARGIN, 0))
        self.body_margins = Mirrored(self, self.body, (0, 0, 0 if scrolls else MARGIN, 0))
        whole.addLayout(head)
        whole.addLayout(self.body, 1)
        self.setAccessibleName(title)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._rest = self.rest()

    def rest(self) -> Iterator[None]:
        """The larger parts of a page, each to be made in a turn of its own; nothing of a page is used before it is complete."""
        yield from ()

    def make_more(self) -> bool:
        """Make the next of its larger parts; False once it is complete."""
        return next(self._rest, self) is None

    def complete(self) -> Self:
        """Make all that is left of it."""
        while self.make_more():
            pass
        return self

    def leads_back(self, theme: Theme, name: str, leave: Callable[[], object], *, shortcut: str = "") -> QToolButton:
        """Put the way back before the title; returns its button."""
        back = tool(theme, name, "leave", leave, shortcut=shortcut)
        self.head.insertWidget(0, back)
        return back

    def entered(self) -> None:
        """The page came to the front."""

    def leave(self) -> None:
        """Another page comes to the front in its place."""

    def forget(self) -> None:
        """The vault locks: drop every picture, name and text that came from it, now."""


def scrolled(content: QVBoxLayout) -> QScrollArea:
    """A column that scrolls up and down and never grows wider than is good to read."""
    area = scrolling(content)
    inner = area.widget()
    assert inner is not None  # `content` is in it
    inner.setMaximumWidth(WIDEST + MARGIN - GUTTER)
    Mirrored(inner, content, (0, 0, MARGIN - GUTTER, MARGIN))
    area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
    bar = area.verticalScrollBar()
    bar.setEnabled(False)
    bar.rangeChanged.connect(lambda low, high: bar.setEnabled(high > low))
    return area
