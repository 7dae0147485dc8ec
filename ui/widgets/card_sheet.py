"""One policy card in full: each statement with its quotation, where it was read and when, and what differs by place."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QWidget

from app.sharing.card_schema import STATEMENTS
from app.sharing.compare import QUESTIONS
from app.sharing.regions import REGION_NAMES
from app.sharing.types import PolicyCard, PolicyClass, RegionTerms, Statement
from ui import words
from ui.i18n import said as tr_core
from ui.i18n import sense, tr
from ui.theme import Theme
from ui.tokens import GRID
from ui.widgets.badge import policy_badge
from ui.widgets.basics import Part, column, frame, label, noted, row, rule
from ui.widgets.sheet import Sheet


class CardSheet(Sheet):
    """For reading. `digest` is that of a request, where the sheet was opened from one."""

    def __init__(self, parent: QWidget, theme: Theme, card: PolicyCard, *, digest: str = "") -> None:
        super().__init__(parent, tr_core(card.title), wide=theme.scaled(84 * GRID))
        self.body.addLayout(row(policy_badge(theme, card.policy_class), label(tr_core(card.company), tone="muted"), None))
        for text in (card.forbids, card.forbids_people):
            if text:
                self.body.addLayout(noted(theme, "ban", "bad", tr_core(text)))
        if card.expired:
            self.body.addLayout(noted(theme, "warning", "warn", too_old(card)))
        for name in STATEMENTS:
            self.body.addWidget(_said(tr_core(QUESTIONS[name]), getattr(card, name)))
        for terms in card.regions:
            self.body.addWidget(_region(terms))
        for note in card.notes:
            self.body.addLayout(noted(theme, "info", "muted", tr_core(note)))
        if digest:
            self.body.addWidget(label(tr("SHA-256 of the request: {digest}", digest=digest), "small", wrap=True, select=True))
        if any(sense(getattr(card, name).quote) for name in STATEMENTS):
            said = tr("Translations of quotations are Eyelid's; what counts is the original.")
            self.body.addWidget(label(said, "small", wrap=True))
        self.body.addWidget(label(tr("This describes what was read; it is no legal advice."), "small", wrap=True))
        self.body.addStretch(1)
        self.closes()


def too_old(card: PolicyCard) -> str:
    """Why a card counts as the worst case."""
    return tr(
        "Its terms were read on {date}. That is too long ago to rely on, so they count as the worst.", date=words.short_day(card.read_on)
    )


def _said(question: str, statement: Statement) -> QFrame:
    parts: list[Part] = [label(question, "strong", wrap=True), label(tr_core(statement.text), wrap=True, select=True)]
    if statement.quote:
        parts.append(label(tr("“{quote}”", quote=statement.quote), tone="muted", wrap=True, select=True))
        if meant := sense(statement.quote):
            parts.append(label(tr("Translated: “{quote}”", quote=meant), tone="muted", wrap=True, select=True))
    source = tr("{source}; read on {date}", source=tr_core(statement.source), date=words.short_day(statement.read_on))
    parts.append(label(source, "small", wrap=True, select=True))
    return frame("well", column(*parts, gap=4, margins=(2 * GRID, GRID + 2, 2 * GRID, GRID + 2)))


def _region(terms: RegionTerms) -> QFrame:
    """What a card says otherwise for one group of places."""
    name = tr_core(REGION_NAMES[terms.region])
    parts: list[Part] = [rule(), label(tr("In this place: {place}", place=name), "lead", wrap=True)]
    parts += [label(tr_core(text), wrap=True) for text in (terms.forbids, terms.note) if text]
    if terms.policy_class is not None:
        parts.append(label(words.policy(terms.policy_class), "strong"))
    parts += [_said(tr_core(QUESTIONS[name]), statement) for name, statement in terms.statements]
    return frame("plain", column(*parts, gap=GRID))


def counts_as(card: PolicyCard, *, leaves: bool = True) -> PolicyClass:
    """The class that counts: terms that are too old are taken as the worst, where anything leaves at all."""
    return PolicyClass.TRAINS if card.expired and leaves else card.policy_class
