"""What happens to what I send: every place beside every other, in plain words. For reading; nothing can be sent from here."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QIcon, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from app import settings as declared
from app.sharing.compare import READING_ONLY
from app.sharing.types import PolicyCard, PolicyClass
from ui import words
from ui.context import Context
from ui.dialogs import read
from ui.i18n import said as tr_core
from ui.i18n import tr
from ui.theme import Theme, set_role
from ui.tokens import GRID, TYPE
from ui.widgets.badge import POLICY_LOOK
from ui.widgets.basics import button, column, frame, label, row
from ui.widgets.card_sheet import CardSheet
from ui.widgets.chips import ChipRow
from ui.widgets.page import Page, scrolled
from ui.widgets.region import RegionBox

Index = QModelIndex | QPersistentModelIndex
_ONLY = {
    "all": frozenset(PolicyClass),
    "here": frozenset({PolicyClass.LOCAL, PolicyClass.MIRROR}),
    "kept": frozenset({PolicyClass.KEPT}),
    "trains": frozenset({PolicyClass.TRAINS}),
}
"""The classes that each chip shows."""
LEAST = 20 * GRID
"""The table is at least so tall; where that does not fit below the chips, the page scrolls."""
_WRAP = int(Qt.TextFlag.TextWordWrap)
_COLUMNS = ("", "trains", "retention", "people", "faces", "deletion")


def headings() -> tuple[str, ...]:
    return (
        tr("Where"),
        tr("May it train AI?"),
        tr("How long is it kept?"),
        tr("May people look?"),
        tr("What about faces?"),
        tr("Can I have it deleted?"),
    )


class CardsModel(QAbstractTableModel):
    """A row a card, a column a question."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._cards: tuple[PolicyCard, ...] = ()

    def show(self, cards: Sequence[PolicyCard]) -> None:
        self.beginResetModel()
        self._cards = tuple(cards)
        self.endResetModel()

    def card(self, row: int) -> PolicyCard:
        return self._cards[row]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        return 0 if parent.isValid() else len(self._cards)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(_COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return headings()[section]
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter) | _WRAP
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        card, column_ = self._cards[index.row()], index.column()
        icon, tone = POLICY_LOOK[card.policy_class]
        if role == Qt.ItemDataRole.DisplayRole:
            return _cell(card, column_)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return _cell(card, 0) if not column_ else f"{card.title}. {headings()[column_]} {_cell(card, column_)}"
        if role == Qt.ItemDataRole.DecorationRole and not column_:
            return self._theme.icon(icon, tone, size=self._theme.scaled(20))
        if role == Qt.ItemDataRole.ForegroundRole and not column_:
            return self._theme.colour(tone)
        return None


def _cell(card: PolicyCard, column_: int) -> str:
    if column_:
        return tr_core(getattr(card, _COLUMNS[column_]).text)
    parts = [tr_core(card.title), words.policy(card.policy_class)]
    if card.id in READING_ONLY:
        parts.append(tr("for reading only: Eyelid never sends there"))
    return "\n".join(parts)


class ComparePage(Page):
    """`left` goes back to where one came from."""

    left = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__(tr("What happens to what I send"), scrolls=True)
        self._context = context
        theme = context.theme
        self.title.setWordWrap(True)
        self.head.setStretchFactor(self.title, 2)
        self.leads_back(theme, tr("Back"), self.left.emit)
        self._only = _ONLY["all"]
        self.more = button(theme, tr("What its terms say…"), self.open_chosen, icon="info")
        self.acts.addWidget(self.more)
        said = tr(
            "What stays on this computer comes first, what may be used to train AI last. Words of the terms, with the day they were read, "
            "are one step away. Terms change: what was read more than 180 days ago counts as the worst."
        )
        self.region = RegionBox()
        self.region.picked.connect(self._moved)
        self.model = CardsModel(theme, self)
        self.table = _Table(theme)
        self.table.setModel(self.model)
        self.table.activated.connect(lambda _index: self.open_chosen())
        self.table.setMinimumHeight(theme.scaled(LEAST))
        whole = column(label(said, tone="muted", wrap=True), self._chips(), self.table, gap=2 * GRID)
        whole.setStretch(2, 1)
        self.body.addWidget(scrolled(whole), 1)

    def _chips(self) -> ChipRow:
        here = label(tr("As it counts for"), tone="muted")
        here.setBuddy(self.region)
        offered = (
            ("all", tr("All")),
            ("here", tr("Stays here")),
            ("kept", tr("Kept for a while")),
            ("trains", tr("May be used for training")),
        )
        place = frame("plain", row(here, self.region))
        return ChipRow([(key, text, tr("Show only: {what}", what=text)) for key, text in offered], self._filter, place)

    def entered(self) -> None:
        self.region.show_code(self._context.services.settings.get(declared.REGION))
        self._show()
        self.table.setFocus()

    def _filter(self, key: str) -> None:
        self._only = _ONLY[key]
        self._show()

    def _show(self) -> None:
        cards = self._context.services.sharing.cards()
        self.model.show([card for card in cards if card.policy_class in self._only])
        self.table.fit()
        self.table.selectRow(0)

    def _moved(self, code: str) -> None:
        self._context.services.settings.set(declared.REGION, code)
        self._show()

    def open_chosen(self) -> None:
        """Show all that is known of the chosen row."""
        rows = self.table.selectionModel().selectedRows()
        if rows:
            sheet = CardSheet(self.window(), self._context.theme, self.model.card(rows[0].row()))
            self._context.tasks.start(read(sheet), key="card")

    def forget(self) -> None:
        self._context.tasks.cancel("card")


class _Words(QStyledItemDelegate):
    """Wrapped words with room around them; in the first column the name, and below it the class in its colour, beside its icon."""

    PAD = GRID + 4

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def _lines(self, index: Index) -> list[tuple[str, QFont, QColor]]:
        theme, text = self._theme, str(index.data() or "")
        if index.column():
            return [(text, theme.font(), theme.colour("text"))]
        name, said, *more = text.split("\n")
        tone = index.data(Qt.ItemDataRole.ForegroundRole)
        shown = [(name, theme.font(bold=True), theme.colour("text")), (said, theme.font(TYPE.small, bold=True), tone)]
        return shown + [(line, theme.font(TYPE.small), theme.colour("muted")) for line in more]

    def _room(self, index: Index, wide: int) -> int:
        return wide - 2 * self.PAD - (0 if index.column() else self._theme.scaled(20) + GRID)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        view = option.widget
        wide = view.columnWidth(index.column()) if isinstance(view, QTableView) else option.rect.width()
        room = QRect(0, 0, self._room(index, wide), 1 << 14)
        tall = sum(QFontMetrics(font).boundingRect(room, _WRAP, text).height() + 2 for text, font, _ in self._lines(index))
        return QSize(wide, tall + 2 * self.PAD)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        plain = QStyleOptionViewItem(option)
        self.initStyleOption(plain, index)
        plain.text, plain.icon = "", QIcon()
        style = option.widget.style() if option.widget is not None else QApplication.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, plain, painter, option.widget)
        room = QRect(option.rect).adjusted(self.PAD, self.PAD, -self.PAD, 0)
        painter.save()
        if not index.column():
            sign_size = self._theme.scaled(20)
            sign = QStyle.alignedRect(option.direction, Qt.AlignmentFlag.AlignLeft, QSize(sign_size, sign_size), room)
            sign.moveTop(room.top())
            index.data(Qt.ItemDataRole.DecorationRole).paint(painter, sign)
            room = QStyle.visualRect(option.direction, room, room.adjusted(sign_size + GRID, 0, 0, 0))
        for text, font, colour in self._lines(index):
            painter.setFont(font)
            painter.setPen(colour)
            tall = painter.fontMetrics().boundingRect(QRect(0, 0, room.width(), 1 << 14), _WRAP, text).height()
            align = QStyle.visualAlignment(option.direction, Qt.AlignmentFlag.AlignLeft)
            painter.drawText(QRect(room.left(), room.top(), room.width(), tall), _WRAP | align, text)
            room.setTop(room.top() + tall + 2)
        painter.restore()


class _Table(QTableView):
    """Rows as tall as their words; the first column for names, the rest in equal parts."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName(tr("Every place, and what it does with what it is sent"))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setWordWrap(True)
        self.setTextElideMode(Qt.TextElideMode.ElideNone)
        self.setIconSize(QSize(20, 20))
        set_role(self, "reading")
        self.setItemDelegate(_Words(theme, self))
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setAccessibleName(tr("Columns of the comparison"))
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)

    def fit(self) -> None:
        """Share the width out, then make each row as tall as it needs."""
        count = self.model().columnCount() if self.model() is not None else 0
        if not count:
            return
        room, first = self.viewport().width(), self._theme.scaled(27 * GRID)
        each = max(self._theme.scaled(20 * GRID), (room - first) // (count - 1))
        for number in range(count):
            self.setColumnWidth(number, each if number else first)
        header, pad = self.horizontalHeader(), 2 * GRID + 4
        room_for_words = QRect(0, 0, each - pad, each)
        tallest = max(header.fontMetrics().boundingRect(room_for_words, _WRAP, text).height() for text in headings())
        header.setFixedHeight(tallest + pad)
        self.resizeRowsToContents()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.fit()
