"""One sending as the book of receipts has it, and the provider's own way to have it deleted, ready to copy."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from app.sharing.types import Receipt
from ui import words
from ui.i18n import plural, tr
from ui.i18n import said as tr_core
from ui.models.receipts import ending, what
from ui.theme import Theme
from ui.tokens import GRID
from ui.widgets.badge import Badge, policy_badge
from ui.widgets.banner import announce
from ui.widgets.basics import button, column, label, row
from ui.widgets.sheet import Sheet
from ui.widgets.turns import AnswerView


class ReceiptSheet(Sheet):
    """`lines` are all that the book says of one sending, oldest first; `deletion` is what can be copied, empty where nothing left."""

    def __init__(self, parent: QWidget, theme: Theme, lines: Sequence[Receipt], deletion: str) -> None:
        numbers = [str(line.number) for line in lines]
        several = tr("Receipts {first} and {last}", first=", ".join(numbers[:-1]), last=numbers[-1])
        super().__init__(parent, several if len(numbers) > 1 else tr("Receipt {number}", number=numbers[0]), wide=theme.scaled(86 * GRID))
        receipt = ending(lines)
        left = bool(receipt.bytes_sent)
        state = Badge(theme, "sent" if left else "private", words.outcome(receipt.outcome), "sent" if left else "")
        self.body.addLayout(row(state, policy_badge(theme, receipt.policy_class), None))
        self.body.addLayout(self._facts(theme, lines, receipt))
        if left and deletion:
            self.body.addLayout(self._deletion(theme, deletion))
        self.body.addStretch(1)
        self.closes()

    @staticmethod
    def _facts(theme: Theme, lines: Sequence[Receipt], receipt: Receipt) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        for place, (name, value) in enumerate(facts(lines, receipt)):
            shown = label(value, wrap=True, select=True)
            shown.setAccessibleName(tr("{name}: {value}", name=name, value=value))
            title = label(name, tone="muted", wrap=theme.large)
            if theme.large:
                grid.addWidget(title, 2 * place, 0, 1, 2)
                grid.addWidget(shown, 2 * place + 1, 0, 1, 2)
            else:
                grid.addWidget(title, place, 0, Qt.AlignmentFlag.AlignTop)
                grid.addWidget(shown, place, 1)
        return grid

    def _deletion(self, theme: Theme, text: str) -> QVBoxLayout:
        self.letter = AnswerView(theme, tr_core(text))
        self.letter.setAccessibleName(tr("How to ask for deletion, ready to copy"))
        self.copied = button(theme, tr("Copy"), self.copy, icon="check", name=tr("Copy the text about deletion"))
        head = row(label(tr("Asking for deletion"), "lead"), None, self.copied)
        said = tr("What was sent cannot be recalled. This is the provider's own way to ask, with the data of this receipt.")
        return column(head, label(said, tone="muted", wrap=True), self.letter, gap=6)

    def copy(self) -> None:
        """Put the text about deletion on the clipboard."""
        QGuiApplication.clipboard().setText(self.letter.toPlainText())
        self.copied.setText(tr("Copied"))
        announce(self, tr("Copied"))


def facts(lines: Sequence[Receipt], receipt: Receipt) -> list[tuple[str, str]]:
    """What a receipt says, by name, in the order in which it is shown."""
    found = [
        (words.written(line.outcome), tr("receipt {number}, {when}", number=line.number, when=words.short_when(line.at))) for line in lines
    ]
    found += [
        (tr("To"), tr("{company}, {origin}", company=tr_core(receipt.company), origin=receipt.origin)),
        (tr("Model"), receipt.model or tr("no model")),
        (tr("What"), what(receipt)),
        (tr("Bytes sent"), tr("{sent} of {all}", sent=words.number(receipt.bytes_sent), all=words.number(receipt.body_size))),
        (tr("Server's answer"), "" if receipt.http_status is None else str(receipt.http_status)),
        (tr("Server's name for it"), receipt.request_id),
        (tr("Allowed by"), _allowed(receipt)),
        (tr("Terms"), tr("{card}, version {version}", card=receipt.policy_card, version=receipt.policy_version[:16])),
        (tr("SHA-256 of the request"), in_groups(receipt.body_sha256)),
        (
            plural(len(receipt.item_digests), "SHA-256 of the picture", "SHA-256 of the pictures"),
            "\n".join(map(in_groups, receipt.item_digests)),
        ),
        (tr("In words"), tr_core(receipt.detail)),
    ]
    return [(name, value) for name, value in found if value]


def in_groups(digest: str) -> str:
    """A digest in groups of eight, so that it can be compared by eye and goes on in the next line where it must."""
    return " ".join(digest[at : at + 8] for at in range(0, len(digest), 8))


def _allowed(receipt: Receipt) -> str:
    return tr("a permission given before ({name})", name=receipt.grant) if receipt.grant else tr("you, for this alone")
