"""A row that wraps: for chips and buttons that must stay whole when the window is narrow or the text large."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget

from ui.tokens import GRID
from ui.widgets.basics import boxed


def flow(*widgets: QWidget) -> QWidget:
    """Such a row as a widget of its own, which can be hidden."""
    return boxed(FlowLayout(*widgets))


class FlowLayout(QLayout):
    """Lays its widgets side by side and goes on below when there is no room; hidden ones take none.

    `gap` is that between two side by side, `below` that between two lines (the same where nothing is said). `at_end` pushes each line to
    the far side. Mirrors from right to left.
    """

    def __init__(self, *widgets: QWidget, gap: int = GRID, below: int | None = None, at_end: bool = False) -> None:
        super().__init__()
        self._items: list[QLayoutItem] = []
        self._gap, self._below = gap, gap if below is None else below
        self._at_end = at_end
        self.setContentsMargins(0, 0, 0, 0)
        for widget in widgets:
            self.addWidget(widget)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._arrange(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._arrange(rect, move=True)

    def sizeHint(self) -> QSize:
        shown = self._shown()
        width = sum(item.sizeHint().width() + self._gap for item in shown) - self._gap
        return QSize(max(0, width), max((item.sizeHint().height() for item in shown), default=0))

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._shown():
            size = size.expandedTo(item.minimumSize())
        return size

    def _shown(self) -> list[QLayoutItem]:
        return [item for item in self._items if not item.isEmpty()]

    def _lines(self, width: int) -> list[list[QLayoutItem]]:
        lines: list[list[QLayoutItem]] = []
        used = 0
        for item in self._shown():
            wanted = item.sizeHint().width()
            if lines and used + self._gap + wanted <= width:
                lines[-1].append(item)
                used += self._gap + wanted
            else:
                lines.append([item])
                used = wanted
        return lines

    def _arrange(self, area: QRect, *, move: bool) -> int:
        """Place everything in `area`, nothing wider than that, and return the height used."""
        parent = self.parentWidget()
        mirrored = parent is not None and parent.layoutDirection() == Qt.LayoutDirection.RightToLeft
        y = area.top()
        for line in self._lines(area.width()):
            sizes = [item.sizeHint().boundedTo(QSize(max(1, area.width()), 1 << 20)) for item in line]
            height = max(size.height() for size in sizes)
            x = area.width() - sum(size.width() + self._gap for size in sizes) + self._gap if self._at_end else 0
            for item, size in zip(line, sizes, strict=True):
                if move:
                    left = area.left() + (area.width() - x - size.width() if mirrored else x)
                    item.setGeometry(QRect(QPoint(left, y + (height - size.height()) // 2), size))
                x += size.width() + self._gap
            y += height + self._below
        return max(0, y - self._below - area.top())
