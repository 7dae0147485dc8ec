"""The box in which a destination is chosen: those that are ready first, each with what becomes of what is sent there, by icon and word."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QComboBox, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.sharing.types import Destination, PolicyClass
from ui import words
from ui.i18n import said as tr_core
from ui.i18n import tr
from ui.theme import Theme
from ui.tokens import GRID, TYPE
from ui.widgets.badge import POLICY_LOOK

Index = QModelIndex | QPersistentModelIndex
ID = Qt.ItemDataRole.UserRole
_SAID = Qt.ItemDataRole.UserRole + 1
_ICON = Qt.ItemDataRole.UserRole + 2
_TONE = Qt.ItemDataRole.UserRole + 3


class _Delegate(QStyledItemDelegate):
    """Name at the left, what becomes of it at the right."""

    def __init__(self, theme: Theme, box: QComboBox) -> None:
        super().__init__(box)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(super().sizeHint(option, index).width(), self._theme.px(TYPE.body) + 3 * GRID)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        plain = QStyleOptionViewItem(option)
        self.initStyleOption(plain, index)
        widget = option.widget
        super().paint(painter, option, index)
        said = str(index.data(_SAID) or "")
        if not said or widget is None:
            return
        painter.save()
        painter.setFont(self._theme.font(TYPE.small))
        painter.setPen(self._theme.colour(str(index.data(_TONE) or "muted")))
        room = QRect(option.rect).adjusted(GRID, 0, -2 * GRID, 0)
        align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(QStyle.visualRect(option.direction, option.rect, room), QStyle.visualAlignment(option.direction, align), said)
        painter.restore()


class DestinationBox(QComboBox):
    """`moved` tells that the person chose another one."""

    moved = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName(tr("Destination"))
        self.setMaxVisibleItems(16)
        self.setMinimumContentsLength(26)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContentsOnFirstShow)
        self.setItemDelegate(_Delegate(theme, self))
        self.currentIndexChanged.connect(lambda _index: self.moved.emit())
        theme.changed.connect(self._tint)

    def fill(
        self, destinations: Sequence[Destination], lacks: Mapping[str, str], class_of: Callable[[Destination], PolicyClass], chosen: str
    ) -> None:
        """Show these, the ready ones first; `lacks` says of the others what is missing. Keeps `chosen` where it is still there."""
        blocked = QSignalBlocker(self)  # the person has chosen nothing
        model = QStandardItemModel(self)
        ready = [each for each in destinations if not lacks.get(each.id)]
        others = [each for each in destinations if lacks.get(each.id)]
        for each in ready:
            model.appendRow(self._item(each, class_of(each), ""))
        if others:
            head = QStandardItem(tr("To be set up first"))
            head.setFlags(Qt.ItemFlag.NoItemFlags)
            model.appendRow(head)
        for each in others:
            model.appendRow(self._item(each, class_of(each), lacks[each.id]))
        self.setModel(model)
        self._tint()
        at = self.findData(chosen, ID)
        self.setCurrentIndex(at if at >= 0 else 0)
        blocked.unblock()

    def _tint(self) -> None:
        """Colours and sizes of the look in force."""
        theme, size = self._theme, self._theme.scaled(20)
        self.setIconSize(QSize(size, size))
        self.view().setMinimumWidth(min(theme.scaled(66 * GRID), 100 * GRID))
        for place in range(self.count()):
            if icon := self.itemData(place, _ICON):
                self.setItemIcon(place, theme.icon(icon, self.itemData(place, _TONE), size=size))
            else:  # the heading
                self.setItemData(place, theme.font(TYPE.small, bold=True), Qt.ItemDataRole.FontRole)
                self.setItemData(place, theme.colour("muted"), Qt.ItemDataRole.ForegroundRole)

    def _item(self, destination: Destination, of: PolicyClass, lacks: str) -> QStandardItem:
        icon, tone = POLICY_LOOK[of]
        item = QStandardItem(tr_core(destination.label))
        said = words.policy(of)
        item.setData(destination.id, ID)
        item.setData(said, _SAID)
        item.setData(icon, _ICON)
        item.setData(tone, _TONE)
        name = tr("{name}: {said}", name=tr_core(destination.label), said=said)
        item.setData(tr("{name}, {what}", name=name, what=lacks) if lacks else name, Qt.ItemDataRole.AccessibleTextRole)
        return item

    def choose(self, destination_id: str) -> None:
        """Choose a destination by its id; one that is not there changes nothing."""
        if (at := self.findData(destination_id, ID)) >= 0:
            self.setCurrentIndex(at)

    @property
    def chosen(self) -> str:
        """The id of the chosen destination; empty when there is none."""
        return str(self.currentData(ID) or "")
