"""Receipts as a table, newest first: one row for each time something was about to leave, however many lines the book has of it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QIcon

from app.sharing.receipt_views import ReceiptFilter
from app.sharing.types import Outcome, PolicyClass, Receipt, ReceiptKind
from ui import words
from ui.i18n import plural, tr
from ui.i18n import said as tr_core
from ui.theme import Theme
from ui.widgets.badge import POLICY_LOOK

Index = QModelIndex | QPersistentModelIndex
_SENT = (Outcome.ANSWERED, Outcome.CANCELLED, Outcome.FAILED, Outcome.INTENDED)


def headings() -> tuple[str, ...]:
    return (tr("No."), tr("When"), tr("To"), tr("What"), tr("How it ended"), tr("Terms"), tr("Bytes sent"))


class ReceiptsModel(QAbstractTableModel):
    """A row is what became of one parcel; `lines` gives all that the book says of it."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._rows: list[tuple[Receipt, ...]] = []

    def show(self, receipts: Sequence[Receipt], where: ReceiptFilter | None = None) -> None:
        """Show the sendings whose end fits `where`; all of them without."""
        parcels: dict[str, list[Receipt]] = {}
        for receipt in sorted(receipts, key=lambda receipt: receipt.number):
            parcels.setdefault(receipt.parcel_id, []).append(receipt)
        self.beginResetModel()
        rows = sorted((tuple(lines) for lines in parcels.values()), key=lambda lines: lines[-1].number, reverse=True)
        self._rows = [lines for lines in rows if where is None or where.fits(ending(lines))]
        self.endResetModel()

    def lines(self, row: int) -> tuple[Receipt, ...]:
        """Every line of the book about the parcel of this row, oldest first."""
        return self._rows[row]

    def receipt(self, row: int) -> Receipt:
        """How it ended; the line of intent only where the book has no ending."""
        return ending(self._rows[row])

    def row_of(self, number: int) -> int:
        """The row that has the line of this number; -1 when none has."""
        return next((row for row, lines in enumerate(self._rows) if any(line.number == number for line in lines)), -1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(headings())

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return headings()[section]
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        receipt = self.receipt(index.row())
        if role == Qt.ItemDataRole.DisplayRole:
            return _cells(receipt)[index.column()]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return tr("{name}: {value}", name=headings()[index.column()], value=_cells(receipt)[index.column()])
        if role == Qt.ItemDataRole.ToolTipRole:
            return tr_core(receipt.detail) or _cells(receipt)[index.column()]
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 4:
            if receipt.outcome not in _SENT or not receipt.bytes_sent:
                return self._icon("private", "muted")
            stayed = receipt.policy_class in (PolicyClass.LOCAL, PolicyClass.MIRROR)
            return self._icon("local" if stayed else "sent", "muted" if stayed else "sent")
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 5:
            return self._icon(*POLICY_LOOK[receipt.policy_class])
        return None

    def _icon(self, name: str, tone: str) -> QIcon:
        return self._theme.icon(name, tone, size=self._theme.scaled(16))


def _cells(receipt: Receipt) -> tuple[str, ...]:
    return (
        str(receipt.number),
        words.short_when(receipt.at),
        tr_core(receipt.company),
        what(receipt),
        words.outcome(receipt.outcome),
        words.policy(receipt.policy_class),
        words.size(receipt.bytes_sent) if receipt.bytes_sent else tr("none"),
    )


def ending(lines: Sequence[Receipt]) -> Receipt:
    """How a sending ended; the line of intent only where the book has no ending."""
    ends = [line for line in lines if line.outcome is not Outcome.INTENDED]
    return ends[-1] if ends else lines[-1]


def what(receipt: Receipt) -> str:
    """What a line is about, in a few words."""
    if receipt.kind is ReceiptKind.MODELS:
        return tr("models asked for, no picture")
    if receipt.kind is ReceiptKind.LIVE:
        return plural(receipt.frames, "live look, {count} frame", "live look, {count} frames")
    count = len(receipt.item_digests)
    return plural(count, "{count} picture", "{count} pictures") if count else tr("words alone")
