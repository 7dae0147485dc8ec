"""Tiles by day in one item view whose headings stick: layout, painting and selection. What is done with them is up to the subclass.

The layout is arithmetic over days (`ui.widgets.grid`), because QListView's own places every item and takes half a second for that at a
hundred thousand; everything of it that asks for places is answered here. To screen readers it is a list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from time import monotonic

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent, QColor, QPainter, QPaintEvent, QPen, QRegion, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from app.library.types import Tile
from app.vault.types import ItemId
from ui.models.thumbs import Thumbs
from ui.models.timeline import TimelineModel
from ui.theme import Theme, set_role
from ui.tokens import GRID
from ui.widgets.grid import Grid
from ui.widgets.tiles import GAP, RING, State, TilePainter

SIZES = (15 * GRID, 22 * GRID, 34 * GRID)
"""Widths of a tile with its gap that the grid aims at: small, medium, large."""

STILL_SECONDS = 1.0
"""Without a step for so long, scrolling is over."""

Index = QModelIndex | QPersistentModelIndex
Flag = QItemSelectionModel.SelectionFlag


class DayList(QListView):
    """`laid_out_anew` after each layout; `sized` when another tile size was chosen."""

    laid_out_anew = Signal()
    sized = Signal(int)

    def __init__(self, theme: Theme, thumbs: Thumbs, model: TimelineModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._timeline = model
        self._size = 1
        self._grid = Grid()
        self._paint = TilePainter(theme, thumbs, self.devicePixelRatioF)
        self._anchor: tuple[ItemId, int] | None = None
        self._pointer: QPoint | None = None
        self._lit = QRect()
        self._moved = -STILL_SECONDS
        self._pressed: QPoint | None = None
        self._chosen: list[tuple[int, int]] | None = None
        self.keyboard_used = False
        set_role(self, "timeline")
        self.setModel(model)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        bar = self.verticalScrollBar()
        bar.setSingleStep(5 * GRID)
        bar.rangeChanged.connect(lambda low, high: bar.setEnabled(high > low))
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # or nothing painted could be moved along when it scrolls
        thumbs.arrived.connect(self._pictures_came)
        theme.changed.connect(self.lay_out)

    # -- layout ----------------------------------------------------------------------------------------------------------------

    @property
    def edge(self) -> int:
        """Width and height of a picture."""
        return self._paint.edge

    @property
    def tile_size(self) -> int:
        """Which of `SIZES`."""
        return self._size

    def set_tile_size(self, size: int) -> None:
        size = max(0, min(len(SIZES) - 1, size))
        if size != self._size:
            self._size = size
            self.lay_out()
            self.sized.emit(size)

    def lay_out(self) -> None:
        """Everything anew: another width, size or look."""
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        width = max(1, self.viewport().width() + GAP - 2 * RING)
        columns = max(1, width // self._theme.scaled(SIZES[self._size]))
        self._paint.renew(width // columns - GAP, mirrored=mirrored)
        self._arrange(columns, width, mirrored)

    def doItemsLayout(self) -> None:
        """Rows came or went."""
        self._arrange(self._grid.columns, self._grid.width, self._grid.mirrored)

    def _arrange(self, columns: int, width: int, mirrored: bool) -> None:
        """Lay out the days; what was at the top of the view stays there, unless that was the newest capture."""
        left = self.viewport().width() - width // columns * columns if mirrored else 0
        self._grid = Grid(self._timeline.days(), width, columns, self._paint.cell, self._paint.head, mirrored, left)
        QAbstractItemView.doItemsLayout(self)
        bar, anchor = self.verticalScrollBar(), self._anchor
        if anchor is not None and bar.value() > 0 and (row := self._timeline.row_of(anchor[0])) is not None:
            bar.setValue(self._grid.box(row).y - anchor[1])
        self._lit = self._under_pointer()
        self.laid_out_anew.emit()

    def updateGeometries(self) -> None:
        bar, room = self.verticalScrollBar(), self.viewport().height()
        bar.setRange(0, max(0, self._grid.height - room))
        bar.setPageStep(max(1, room - self._paint.head))
        QAbstractItemView.updateGeometries(self)

    def resizeEvent(self, event: QResizeEvent) -> None:
        QAbstractItemView.resizeEvent(self, event)
        self.lay_out()

    def rowsInserted(self, parent: Index, first: int, last: int) -> None:
        self._chosen = None
        QAbstractItemView.rowsInserted(self, parent, first, last)
        self.scheduleDelayedItemsLayout()

    def rowsAboutToBeRemoved(self, parent: Index, first: int, last: int) -> None:
        self._chosen = None
        QAbstractItemView.rowsAboutToBeRemoved(self, parent, first, last)
        self.scheduleDelayedItemsLayout()

    def reset(self) -> None:
        self._chosen = None
        QAbstractItemView.reset(self)
        self._grid = replace(self._grid, days=())
        self.scheduleDelayedItemsLayout()

    def dataChanged(self, first: Index, last: Index, roles: Iterable[int] = ()) -> None:
        QAbstractItemView.dataChanged(self, first, last, list(roles))
        self.laid_out_anew.emit()

    def horizontalOffset(self) -> int:
        return 0

    def verticalOffset(self) -> int:
        return self.verticalScrollBar().value()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """What was painted moves along, but for the heading that sticks, what the pointer lights up, and a rubber band."""
        self._moved = monotonic()
        port = self.viewport()
        port.scroll(0, dy)
        port.update(0, 0, port.width(), self._grid.head + max(0, dy))
        self._lit.translate(0, dy)
        self._light()
        if self.state() == QAbstractItemView.State.DragSelectingState:
            port.update()

    @property
    def moving(self) -> bool:
        """Whether it is being scrolled."""
        return monotonic() - self._moved < STILL_SECONDS

    def visualRect(self, index: Index) -> QRect:
        if not index.isValid() or index.row() >= self._laid_out:
            return QRect()
        box = self._grid.box(index.row())
        return QRect(box.x, box.y - self.verticalOffset(), box.width, box.height)

    @property
    def _laid_out(self) -> int:
        """How many rows the layout knows of; the model may be ahead of it for a moment."""
        days = self._grid.days
        return days[-1].first + days[-1].count if days else 0

    def indexAt(self, point: QPoint) -> QModelIndex:
        if self._heading_at(point) is not None:
            return QModelIndex()
        row = self._grid.row_at(point.x(), point.y() + self.verticalOffset())
        return self._timeline.index(row) if row is not None else QModelIndex()

    def scrollTo(self, index: Index, hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible) -> None:
        if not index.isValid():
            return
        self.executeDelayedItemsLayout()
        box, bar, head = self._grid.box(index.row()), self.verticalScrollBar(), self._grid.head
        room = self.viewport().height()
        if hint == QAbstractItemView.ScrollHint.PositionAtCenter:
            bar.setValue(box.y - (room - box.height) // 2)
        elif hint == QAbstractItemView.ScrollHint.PositionAtTop or box.y - head < bar.value():
            bar.setValue(box.y - head)
        elif box.y + box.height > bar.value() + room:
            bar.setValue(box.y + box.height - room)

    def go_to_row(self, row: int) -> None:
        """Bring a tile, with its day's heading, to the top, and make it the current one."""
        index = self._timeline.index(row)
        self.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtTop)
        self.selectionModel().setCurrentIndex(index, Flag.NoUpdate)

    def visible_rows(self) -> range:
        """The rows that can be seen, by arithmetic."""
        return self._grid.rows(self.verticalOffset(), self.verticalOffset() + self.viewport().height())

    # -- painting --------------------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Only what is to be painted anew: after a step of the wheel, a line of tiles and the heading."""
        self.executeDelayedItemsLayout()
        painter, region = QPainter(self.viewport()), event.region()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(event.rect(), self._paint.ground)
        grid, offset = self._grid, self.verticalOffset()
        current = self.currentIndex().row() if self.hasFocus() and self.keyboard_used else -1
        hover = self._hover_row()
        rows = grid.rows(offset + event.rect().top(), offset + event.rect().bottom() + 1)
        chosen = self._selected_in(rows)
        for row in rows:
            box = grid.box(row)
            cell = QRect(box.x, box.y - offset, box.width, box.height)
            if region.intersects(cell):
                self._paint.tile(painter, cell, self._timeline.tile(row), State(row in chosen, row == hover, row == current))
        self._headings(painter, region)
        self._band(painter)
        painter.end()

    def _headings(self, painter: QPainter, region: QRegion) -> None:
        """Each day's, and the uppermost held at the top until the next one pushes it out."""
        grid, offset, room = self._grid, self.verticalOffset(), self.viewport().height()
        if not grid.days:
            return
        hover = self._heading_at(self._pointer) if self._pointer is not None else None
        for number in range(grid.day_at(offset), len(grid.days)):
            at = self._heading_rect(number)
            if at.top() >= room:
                break
            if region.intersects(at):
                stuck = grid.top(number) < offset
                self._paint.heading(painter, at, grid.days[number], stuck=stuck, hover=hover == number, whole=self._whole_day(number))

    def _heading_rect(self, number: int) -> QRect:
        return QRect(0, self._heading_y(number), self.viewport().width(), self._grid.head)

    def _heading_y(self, number: int) -> int:
        """Where a day's heading is in the view."""
        offset = self.verticalOffset()
        y = self._grid.top(number) - offset
        return y if y >= 0 else min(0, self._grid.top(number + 1) - offset - self._grid.head)

    def _heading_at(self, point: QPoint) -> int | None:
        grid = self._grid
        if not grid.days or not self.viewport().rect().contains(point):
            return None
        first = grid.day_at(self.verticalOffset())
        for number in (first, grid.day_at(point.y() + self.verticalOffset())):
            if 0 <= point.y() - self._heading_y(number) < grid.head:
                return number
        return None

    def _whole_day(self, number: int) -> bool:
        day = self._grid.days[number]
        return any(first <= day.first and last >= day.first + day.count - 1 for first, last in self.runs())

    def _selected_in(self, rows: range) -> set[int]:
        return {row for first, last in self.runs() for row in range(max(rows.start, first), min(rows.stop, last + 1))}

    def _hover_row(self) -> int:
        return self.indexAt(self._pointer).row() if self._pointer is not None else -1

    def _under_pointer(self) -> QRect:
        """Of the tile or heading that the pointer lights up."""
        if self._pointer is None:
            return QRect()
        number = self._heading_at(self._pointer)
        return self._heading_rect(number) if number is not None else self.visualRect(self.indexAt(self._pointer))

    def _light(self) -> None:
        """The pointer, or what is below it, moved: paint anew what it has left and what it has come to."""
        lit = self._under_pointer()
        if lit != self._lit:
            self.viewport().update(self._lit)
            self.viewport().update(lit)
            self._lit = lit

    def _pictures_came(self, items: Iterable[ItemId]) -> None:
        for item in items:
            if (row := self._timeline.row_of(item)) is not None:
                self.viewport().update(self.visualRect(self._timeline.index(row)))

    def _band(self, painter: QPainter) -> None:
        if self.state() != QAbstractItemView.State.DragSelectingState or self._pressed is None or self._pointer is None:
            return
        colour = QColor(self._theme.colour("accent"))
        painter.setPen(QPen(colour, 1))
        colour.setAlpha(40)
        painter.setBrush(colour)
        painter.drawRect(QRect(self._pressed - QPoint(0, self.verticalOffset()), self._pointer).normalized())

    # -- selection -------------------------------------------------------------------------------------------------------------

    def runs(self) -> list[tuple[int, int]]:
        """What is selected, as (first, last) row of each unbroken run, in order."""
        if self._chosen is None:
            selection = self.selectionModel().selection()
            found: list[tuple[int, int]] = []
            for first, last in sorted((part.top(), part.bottom()) for part in map(selection.at, range(selection.size()))):
                if found and first <= found[-1][1] + 1:
                    found[-1] = (found[-1][0], max(last, found[-1][1]))
                else:
                    found.append((first, last))
            self._chosen = found
        return self._chosen

    def count_chosen(self) -> int:
        return sum(last - first + 1 for first, last in self.runs())

    def chosen(self) -> Iterator[Tile]:
        """The selected tiles in the order of the timeline."""
        return (self._timeline.tile(row) for first, last in self.runs() for row in range(first, last + 1))

    def select_day(self, number: int, flags: Flag = Flag.ClearAndSelect) -> None:
        """Select the captures of a day (of those in the timeline), and go to the first of them."""
        day = self._timeline.days()[number]
        self._select([(day.first, day.first + day.count - 1)], flags)
        self.selectionModel().setCurrentIndex(self._timeline.index(day.first), Flag.NoUpdate)

    def selectAll(self) -> None:
        """As one run; Qt's own asks about each capture."""
        if count := self._timeline.rowCount():
            self._select([(0, count - 1)], Flag.ClearAndSelect)

    def _select(self, runs: Iterable[tuple[int, int]], flags: Flag) -> None:
        selection = QItemSelection()
        for first, last in runs:
            selection.select(self._timeline.index(first), self._timeline.index(last))
        self.selectionModel().select(selection, flags)

    def setSelection(self, rect: QRect, flags: Flag) -> None:
        """By area while a rubber band is drawn; else from one corner of `rect` to the other in the order of the timeline."""
        offset, grid = self.verticalOffset(), self._grid
        first, last = (grid.row_at(point.x(), point.y() + offset) for point in (rect.topLeft(), rect.bottomRight()))
        if first is not None and last is not None and self.state() != QAbstractItemView.State.DragSelectingState:
            self._select([(min(first, last), max(first, last))], flags)
        else:
            area = rect.normalized().translated(0, offset)
            self._select(grid.runs(area.left(), area.top(), area.right(), area.bottom()), flags)

    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:
        return QRegion(self.viewport().rect())

    def currentChanged(self, current: Index, previous: Index) -> None:
        QAbstractItemView.currentChanged(self, current, previous)
        self._tell(QAccessible.Event.Focus, current.row(), only=self.hasFocus())

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        self._chosen = None
        QAbstractItemView.selectionChanged(self, selected, deselected)
        for event, parts in ((QAccessible.Event.SelectionAdd, selected), (QAccessible.Event.SelectionRemove, deselected)):
            if not parts.isEmpty():
                self._tell(event, parts.first().top())
        self.viewport().update()

    def _tell(self, event: QAccessible.Event, row: int, *, only: bool = True) -> None:
        """Let a screen reader know."""
        if only and row >= 0 and QAccessible.isActive():
            said = QAccessibleEvent(self, event)
            said.setChild(row)
            QAccessible.updateAccessibility(said)

    def sizeHint(self) -> QSize:
        return QSize(60 * GRID, 40 * GRID)
