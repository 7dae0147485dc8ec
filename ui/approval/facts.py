"""What is known of the recipient, always at the same place and in the same order: trains, kept, people; and what is said of bystanders."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from app.sharing.types import Destination, PolicyCard, PolicyClass
from ui import words
from ui.i18n import said as tr_core
from ui.i18n import tr
from ui.theme import Theme
from ui.tokens import GRID
from ui.widgets.badge import POLICY_LOOK
from ui.widgets.basics import button, card, column, hide_if, icon_label, label, row
from ui.widgets.card_sheet import CardSheet, counts_as
from ui.widgets.flow import FlowLayout


def leaves(destination: Destination, known: PolicyCard) -> bool:
    """Whether anything sent there leaves this computer, as far as is known."""
    return not destination.local or known.policy_class in (PolicyClass.TRAINS, PolicyClass.KEPT)


def class_of(destination: Destination, known: PolicyCard) -> PolicyClass:
    """The class that counts."""
    return counts_as(known, leaves=leaves(destination, known))


class FactsPart(QWidget):
    """The class with icon and word, the three facts, the bystanders, and the day the terms were read.

    `consequence`, with the warning in it, is for a place where it stays in view.
    """

    def __init__(self, theme: Theme, destination: Destination, known: PolicyCard) -> None:
        super().__init__()
        self._theme = theme
        self._known = known
        self._class = class_of(destination, known)
        self._leaves = leaves(destination, known)
        self.facts: list[QLabel] = []
        self.digest = ""
        self.consequence = self._consequence()
        self.setLayout(column(self._card()))

    def _card(self) -> QFrame:
        icon, tone = POLICY_LOOK[self._class]
        lines = column(gap=GRID)
        for sign, title, statement in (
            ("trains", tr("Training"), tr_core(self._known.trains.text)),
            ("kept", tr("Kept"), tr_core(self._known.retention.text)),
            ("people", tr("People"), tr_core(self._known.people.text)),
        ):
            text = label(statement, wrap=True)
            text.setAccessibleName(tr("{title}: {statement}", title=title, statement=statement))
            self.facts.append(text)
            line = row(gap=GRID + 4)
            line.addWidget(icon_label(self._theme, sign, tone), 0, Qt.AlignmentFlag.AlignTop)
            line.addLayout(column(label(title, "strong"), text, gap=0), 1)
            lines.addLayout(line)
        head = row(icon_label(self._theme, icon, tone), gap=GRID)
        head.addWidget(label(words.policy(self._class), "lead", tone, wrap=True), 1)
        return card(head, lines, self._terms(), None, gap=GRID + 4)

    def _consequence(self) -> QHBoxLayout:
        """What sending means, in one or two sentences; nothing where all of it stays here."""
        icon, tone = POLICY_LOOK[self._class]
        trains = self._class is PolicyClass.TRAINS
        self.warning = label(self._warning(), "strong", tone if trains else "", wrap=True)
        hide_if(self.warning, not self.warning.text())
        line = row(gap=GRID)
        if trains:
            line.addWidget(icon_label(self._theme, icon, tone), 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(self.warning, 1)
        return line

    def _warning(self) -> str:
        if self._class is PolicyClass.TRAINS:
            return tr("What you send may be used to train AI and be seen by people. It cannot be recalled once sent.")
        return tr("It cannot be recalled once sent.") if self._leaves else ""

    def _terms(self) -> QWidget:
        self.bystanders = label(tr("People in this picture have not been asked."), "strong", wrap=True)
        hide_if(self.bystanders, not self._leaves)
        read = tr("Terms read on {date}.", date=words.short_day(self._known.read_on))
        if self._known.expired:
            read = tr("{read} That is too long ago to rely on, so they count as the worst case.", read=read)
        self.terms = label(read, tone="muted", wrap=self._known.expired)
        more = button(self._theme, tr("What the terms say…"), self.show_terms, role="link")
        box = QWidget()
        box.setLayout(column(self.bystanders, FlowLayout(self.terms, more), gap=4))
        return box

    def without_pictures(self, none: bool) -> None:
        """Words alone go: nobody is in a picture then."""
        self.bystanders.setVisible(self._leaves and not none)

    def show_terms(self) -> None:
        sheet = CardSheet(self.window(), self._theme, self._known, digest=self.digest)
        sheet.finished.connect(sheet.deleteLater)
        sheet.open()
