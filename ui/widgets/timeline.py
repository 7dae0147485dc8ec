"""The captures by day, as a person works with them: keyboard, mouse, and the pictures in view."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QModelIndex, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractItemView, QApplication, QWidget

from ui.i18n import tr
from ui.models.thumbs import Thumbs
from ui.models.timeline import TimelineModel
from ui.theme import Theme
from ui.widgets.daylist import DayList, Flag

Cursor = QAbstractItemView.CursorAction


class TimelineView(DayList):
    """Enter, Space or a double click open; Delete trashes; Ctrl+A, Shift, the rubber band, the tick of a tile and a day's heading select.

    `dragged_out`: somebody wants to carry the selection out of the window.
    """

    opened = Signal(str)
    trash_asked = Signal()
    dragged_out = Signal()

    def __init__(self, theme: Theme, thumbs: Thumbs, model: TimelineModel, parent: QWidget | None = None) -> None:
        super().__init__(theme, thumbs, model, parent)
        self._thumbs = thumbs
        self._old_value = 0
        self._carrying = False
        self.setMouseTracking(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName(tr("Captures, newest first"))
        self._look = QTimer(self, singleShot=True, interval=0)
        self._look.timeout.connect(self.look)
        self.verticalScrollBar().valueChanged.connect(lambda _value: self._look.start())
        self.laid_out_anew.connect(self._look.start)
        self.doubleClicked.connect(lambda index: self._open(index))

    # -- keyboard --------------------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self.keyboard_used:
            self.keyboard_used = True
            self.update(self.currentIndex())
        act = self._keys().get((event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier, Qt.Key(event.key())))
        if event.key() == Qt.Key.Key_Escape and self.selectionModel().hasSelection():
            self.clearSelection()
        elif act is None:
            QAbstractItemView.keyPressEvent(self, event)
        elif not event.isAutoRepeat() or event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            act()

    def _keys(self) -> dict[tuple[Qt.KeyboardModifier, Qt.Key], Callable[[], object]]:
        none, control = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
        shift = Qt.KeyboardModifier.ShiftModifier
        return {
            **{(none, key): lambda: self._open(self.currentIndex()) for key in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)},
            (none, Qt.Key.Key_Delete): self.trash_asked.emit,
            (control, Qt.Key.Key_Up): lambda: self._step_day(-1),
            (control, Qt.Key.Key_Down): lambda: self._step_day(1),
            (control | shift, Qt.Key.Key_A): self.select_current_day,
            (control, Qt.Key.Key_Plus): lambda: self.set_tile_size(self._size + 1),
            (control, Qt.Key.Key_Equal): lambda: self.set_tile_size(self._size + 1),
            (control, Qt.Key.Key_Minus): lambda: self.set_tile_size(self._size - 1),
        }

    def _step_day(self, by: int) -> None:
        """To the first capture of the day before or after in the list."""
        days = self._timeline.days()
        if days:
            row = max(0, self.currentIndex().row())
            number = self._grid.day_of(row)
            number = number if by < 0 and row > days[number].first else number + by
            self.go_to_row(days[max(0, min(len(days) - 1, number))].first)

    def select_current_day(self) -> None:
        """Add the whole day of the current capture to the selection."""
        if self._timeline.days():
            self.select_day(self._grid.day_of(max(0, self.currentIndex().row())), Flag.Select)

    def keyboardSearch(self, search: str) -> None:
        """Letters do not look for anything: that would walk over all captures, and there is a search field."""

    def moveCursor(self, action: Cursor, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        count = self._laid_out
        if not count:
            return QModelIndex()
        row = self.currentIndex().row()
        if row < 0:
            return self._timeline.index(0)
        on = -1 if self._grid.mirrored else 1
        steps: dict[Cursor, Callable[[], int]] = {
            Cursor.MoveLeft: lambda: row - on,
            Cursor.MoveRight: lambda: row + on,
            Cursor.MovePrevious: lambda: row - 1,
            Cursor.MoveNext: lambda: row + 1,
            Cursor.MoveUp: lambda: self._grid.up(row),
            Cursor.MoveDown: lambda: self._grid.down(row),
            Cursor.MoveHome: lambda: 0,
            Cursor.MoveEnd: lambda: count - 1,
            Cursor.MovePageUp: lambda: self._page(row, self._grid.up),
            Cursor.MovePageDown: lambda: self._page(row, self._grid.down),
        }
        return self._timeline.index(max(0, min(count - 1, steps[action]())))

    def _page(self, row: int, step: Callable[[int], int]) -> int:
        """As many lines as fit the view."""
        began = self._grid.box(row).y
        while (to := step(row)) != row and abs(self._grid.box(to).y - began) < self.viewport().height():
            row = to
        return row

    # -- mouse -----------------------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        point = event.position().toPoint()
        self._pressed = point + QPoint(0, self.verticalOffset())
        self.keyboard_used = False
        left, index, number = event.button() == Qt.MouseButton.LeftButton, self.indexAt(point), self._heading_at(point)
        many = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if left and number is not None:
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            self.select_day(number, Flag.Toggle if many or self._whole_day(number) else Flag.ClearAndSelect)
        elif left and index.isValid() and self._paint.disc_in(self._paint.picture_in(self.visualRect(index))).contains(point):
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            self.selectionModel().setCurrentIndex(index, Flag.Toggle)
        else:
            QAbstractItemView.mousePressEvent(self, event)
            self._carrying = left and index.isValid() and self.selectionModel().isSelected(index) and not event.modifiers()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer = event.position().toPoint()
        if self._carrying:
            away = (self._pointer + QPoint(0, self.verticalOffset()) - self._pressed).manhattanLength() if self._pressed else 0
            if away >= QApplication.startDragDistance():
                self.viewport().setCursor(Qt.CursorShape.DragCopyCursor)
        else:
            QAbstractItemView.mouseMoveEvent(self, event)
            heading = self._heading_at(self._pointer) is not None
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if heading else Qt.CursorShape.ArrowCursor)
        if self.state() == QAbstractItemView.State.DragSelectingState:
            self.viewport().update()
        self._light()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        out = self._carrying and not self.window().rect().contains(self.window().mapFromGlobal(event.globalPosition().toPoint()))
        self._carrying, self._pressed = False, None
        self.viewport().unsetCursor()
        if out:
            self.setState(QAbstractItemView.State.NoState)
            self.dragged_out.emit()
        else:
            QAbstractItemView.mouseReleaseEvent(self, event)
        self.viewport().update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier and event.angleDelta().y():
            self.set_tile_size(self._size + (1 if event.angleDelta().y() > 0 else -1))
            event.accept()
        else:
            QAbstractItemView.wheelEvent(self, event)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._pointer = None
            self._light()
        return QAbstractItemView.viewportEvent(self, event)

    # -- pictures --------------------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Ask for the thumbnails in view and two lines beyond, those in view first."""
        self.executeDelayedItemsLayout()
        rows = self.visible_rows()
        if not rows:
            return
        spare = 2 * self._grid.columns
        after, before = range(rows.stop, min(self._laid_out, rows.stop + spare)), range(max(0, rows.start - spare), rows.start)
        items = [self._timeline.tile(row).id for row in (*rows, *after, *before)]
        value, ratio = self.verticalOffset(), self.devicePixelRatioF()
        near = abs(value - self._old_value) < self.viewport().height() // 2
        self._old_value = value
        self._thumbs.want(items, round(self.edge * ratio), ratio=ratio, soon=near)
        top = self._timeline.tile(rows.start)
        self._anchor = (top.id, self._grid.box(rows.start).y - value)

    def _open(self, index: QModelIndex) -> None:
        if index.isValid():
            self.opened.emit(self._timeline.tile(index.row()).id)
