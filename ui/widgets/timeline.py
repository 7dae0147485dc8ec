"""The grid of captures: a list view in icon mode with a delegate of our own, filling the width with whole columns."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QPainter, QPainterPath, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.library.types import Tile
from app.vault.types import ItemId, ItemKind
from ui import words
from ui.i18n import tr
from ui.models.thumbs import Thumbs
from ui.models.timeline import TILE, TimelineModel
from ui.theme import Theme, set_role
from ui.tokens import GRID, TYPE

WISHED = 22 * GRID
"""Width of a tile with its gap that the grid aims at."""

GAP = 2 * GRID
ROUND = 10.0

RING = 4
"""Room for the focus ring before and above a picture."""

Index = QModelIndex | QPersistentModelIndex


class TileDelegate(QStyledItemDelegate):
    """Draws one tile: picture (or its average colour until it is there), time, and the private-or-shared badge with its word."""

    def __init__(self, theme: Theme, thumbs: Thumbs, view: TimelineView) -> None:
        super().__init__(view)
        self._theme = theme
        self._thumbs = thumbs
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return self._view.gridSize()

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        tile: Tile | None = index.data(TILE)
        if tile is None:
            return
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        edge = self._view.edge
        picture = QRect(option.rect.left() + RING, option.rect.top() + RING, edge, edge)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hover = bool(option.state & QStyle.StateFlag.State_MouseOver)
        focus = bool(option.state & QStyle.StateFlag.State_HasFocus)
        self._picture(painter, picture, tile)
        self._marks(painter, picture, tile)
        self._frame(painter, picture, selected=selected, hover=hover, focus=focus)
        self._caption(painter, picture, tile, first=self._first_of_day(index, tile))
        painter.restore()

    def _picture(self, painter: QPainter, at: QRect, tile: Tile) -> None:
        path = QPainterPath()
        path.addRoundedRect(QRectF(at), ROUND, ROUND)
        painter.save()
        painter.setClipPath(path)
        pixmap = self._thumbs.get(tile.id)
        if pixmap is not None:
            painter.drawPixmap(at, pixmap)
        else:
            painter.fillRect(at, QColor(tile.colour & 0xFFFFFF) if tile.colour > 0 else self._theme.colour("pressed"))
            if tile.kind is not ItemKind.PHOTO or not tile.intact:
                self._middle_icon(painter, at, "broken" if not tile.intact else tile.kind.value)
        painter.restore()
        painter.setPen(QPen(QColor(127, 127, 127, 60), 1))
        painter.drawPath(path)

    def _middle_icon(self, painter: QPainter, at: QRect, name: str) -> None:
        size = self._theme.scaled(32)
        icon = self._theme.pixmap(name, "muted", size, self._view.devicePixelRatioF())
        painter.drawPixmap(at.center().x() - size // 2, at.center().y() - size // 2, icon)

    def _marks(self, painter: QPainter, at: QRect, tile: Tile) -> None:
        """Favourite star and length, on dark discs so that they can be read on any picture."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 150))
        ratio = self._view.devicePixelRatioF()
        if tile.favourite:
            painter.drawEllipse(at.left() + 8, at.bottom() - 31, 24, 24)
            painter.drawPixmap(at.left() + 12, at.bottom() - 27, self._theme.on_picture("star-full", 16, ratio))
        if tile.duration_ms:
            text = words.duration(tile.duration_ms)
            font = self._theme.font(TYPE.small, bold=True)
            width = QFontMetrics(font).horizontalAdvance(text) + 16
            pill = QRect(at.right() - width - 7, at.bottom() - 31, width, 24)
            painter.drawRoundedRect(pill, 12, 12)
            painter.setFont(font)
            painter.setPen(Qt.GlobalColor.white)
            painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, text)

    def _frame(self, painter: QPainter, at: QRect, *, selected: bool, hover: bool, focus: bool) -> None:
        colour = self._theme.colour
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if hover and not selected:
            painter.setPen(QPen(colour("control"), 2))
            painter.drawRoundedRect(QRectF(at).adjusted(1, 1, -1, -1), ROUND - 1, ROUND - 1)
        if selected:
            painter.setPen(QPen(colour("surface"), 3))
            painter.drawRoundedRect(QRectF(at).adjusted(3.5, 3.5, -3.5, -3.5), ROUND - 4, ROUND - 4)
            painter.setPen(QPen(colour("accent"), 4))
            painter.drawRoundedRect(QRectF(at).adjusted(1, 1, -1, -1), ROUND - 1, ROUND - 1)
            disc = QRect(at.right() - 32, at.top() + 9, 24, 24)
            painter.setPen(QPen(colour("surface"), 2))
            painter.setBrush(colour("accent"))
            painter.drawEllipse(disc)
            tick = self._theme.pixmap("check", "on_accent", 16, self._view.devicePixelRatioF())
            painter.drawPixmap(disc.left() + 4, disc.top() + 4, tick)
        if focus and self._view.hasFocus() and self._view.keyboard_used:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colour("focus"), 2))
            painter.drawRoundedRect(QRectF(at).adjusted(-3, -3, 3, 3), ROUND + 3, ROUND + 3)

    def _first_of_day(self, index: Index, tile: Tile) -> bool:
        if index.row() == 0:
            return True
        before: Tile = index.sibling(index.row() - 1, 0).data(TILE)
        return words.local(before.taken_at).date() != words.local(tile.taken_at).date()

    def _caption(self, painter: QPainter, at: QRect, tile: Tile, *, first: bool) -> None:
        """Time and status; the first capture of a day says its day louder."""
        theme = self._theme
        font = theme.font(TYPE.small, bold=first)
        line = QFontMetrics(font).height()
        top = QRect(at.left(), at.bottom() + 7, at.width(), line)
        painter.setFont(font)
        painter.setPen(theme.colour("text"))
        when = QFontMetrics(font).elidedText(words.title_when(tile.taken_at), Qt.TextElideMode.ElideRight, at.width())
        painter.drawText(top, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, when)
        shared = bool(tile.shared_with)
        tone = "sent" if shared else "muted"
        size = theme.scaled(16)
        second = QRect(at.left(), top.bottom() + 3, at.width(), max(size, line))
        icon = theme.pixmap("sent" if shared else "private", tone, size, self._view.devicePixelRatioF())
        painter.drawPixmap(second.left(), second.center().y() - size // 2 + 1, icon)
        font = theme.font(TYPE.small, bold=shared)
        painter.setFont(font)
        painter.setPen(theme.colour(tone))
        text = QFontMetrics(font).elidedText(words.status(tile.shared_with), Qt.TextElideMode.ElideRight, at.width() - size - 5)
        painter.drawText(second.adjusted(size + 5, 0, 0, 0), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)


class TimelineView(QListView):
    """Enter, Space or a double click open; Delete trashes; Ctrl+A, Shift and the rubber band select.

    `top_changed` tells the item in the first visible row, for the day shown above the grid.
    """

    opened = Signal(str)
    trash_asked = Signal()
    top_changed = Signal(object)

    def __init__(self, theme: Theme, thumbs: Thumbs, model: TimelineModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._thumbs = thumbs
        self._timeline = model
        self.edge = WISHED - GAP
        self.keyboard_used = False
        self._old_value = 0
        set_role(self, "timeline")
        self.setModel(model)
        self.setItemDelegate(TileDelegate(theme, thumbs, self))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setSelectionRectVisible(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setMouseTracking(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName(tr("Captures, newest first"))
        self.verticalScrollBar().setSingleStep(5 * GRID)
        self.verticalScrollBar().rangeChanged.connect(lambda low, high: self.verticalScrollBar().setEnabled(high > low))
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        self.doubleClicked.connect(lambda index: self._open(index))
        thumbs.arrived.connect(self.viewport().update)
        theme.changed.connect(self.lay_out)
        self._look = QTimer(self, singleShot=True, interval=0)
        self._look.timeout.connect(self.look)
        for signal in (model.rowsInserted, model.rowsRemoved, model.modelReset, model.dataChanged):
            signal.connect(lambda *_: self._look.start())

    def chosen(self) -> list[Tile]:
        """The selected tiles in the order of the timeline."""
        rows = sorted(index.row() for index in self.selectedIndexes())
        return [self._timeline.tile(row) for row in rows]

    def lay_out(self) -> None:
        """Spread whole columns over the width."""
        width = max(1, self.viewport().width() - 1 + GAP - 2 * RING)
        columns = max(1, width // self._theme.scaled(WISHED))
        self.edge = width // columns - GAP
        line = QFontMetrics(self._theme.font(TYPE.small)).height()
        caption = 7 + line + 3 + max(self._theme.scaled(16), line)
        self.setGridSize(QSize(min(width // columns, (self.viewport().width() - 1) // columns), self.edge + caption + GAP + 4))
        self._look.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.lay_out()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.keyboard_used = True
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        if plain and event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not event.isAutoRepeat():
                self._open(self.currentIndex())
        elif plain and event.key() == Qt.Key.Key_Delete:
            self.trash_asked.emit()
        elif event.key() == Qt.Key.Key_Escape and self.selectionModel().hasSelection():
            self.clearSelection()
        else:
            super().keyPressEvent(event)

    def look(self) -> None:
        """Ask for the thumbnails in view and two rows beyond, those in view first."""
        first, last = self.visible_rows()
        if first is None or last is None:
            return
        columns = max(1, self.viewport().width() // max(1, self.gridSize().width()))
        spare = range(last + 1, min(self._timeline.rowCount(), last + 1 + 2 * columns))
        above = range(max(0, first - 2 * columns), first)
        items: list[ItemId] = [self._timeline.tile(row).id for row in (*range(first, last + 1), *spare, *above)]
        value = self.verticalScrollBar().value()
        near = abs(value - self._old_value) < self.viewport().height() // 2
        self._old_value = value
        self._thumbs.want(items, round(self.edge * self.devicePixelRatioF()), soon=near)
        self.top_changed.emit(self._timeline.tile(first))

    def visible_rows(self) -> tuple[int | None, int | None]:
        """First and last row that can be seen, by arithmetic on the uniform grid."""
        count, cell = self._timeline.rowCount(), self.gridSize()
        if not count or cell.height() <= 0:
            return None, None
        columns = max(1, self.viewport().width() // max(1, cell.width()))
        value = self.verticalScrollBar().value()
        first = min(count - 1, value // cell.height() * columns)
        last = min(count - 1, ((value + self.viewport().height()) // cell.height() + 1) * columns - 1)
        return first, last

    def _scrolled(self) -> None:
        self._look.start()

    def _open(self, index: QModelIndex) -> None:
        if index.isValid():
            self.opened.emit(self._timeline.tile(index.row()).id)
