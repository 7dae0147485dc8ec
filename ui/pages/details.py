"""The panel beside a picture: what is known of it, a note, and its history of shares and answers."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QPlainTextEdit, QScrollArea, QVBoxLayout, QWidget

from app.vault.types import ItemMeta
from ui import words
from ui.context import Context
from ui.i18n import tr
from ui.theme import set_role
from ui.tokens import GRID
from ui.widgets.basics import button, card, clear_layout, column, label, rule

WIDTH = 40 * GRID


def facts(meta: ItemMeta) -> list[tuple[str, str]]:
    """What is known of an item, as (name, value) in the order shown."""
    new = meta.new
    origin = new.origin.name or new.origin.family
    return [(name, value) for name, value in _known(meta, origin) if value]


def _known(meta: ItemMeta, origin: str) -> list[tuple[str, str]]:
    new = meta.new
    return [
        (tr("Taken"), words.when(new.taken_at)),
        (tr("Arrived"), words.when(meta.arrived_at)),
        (tr("From"), tr("{name} (simulated)", name=origin) if new.origin.simulated else origin),
        (tr("Kind"), new.media_type),
        (tr("Pixels"), tr("{width} × {height}", width=new.width, height=new.height) if new.width and new.height else ""),
        (tr("Length"), words.duration(new.duration_ms) if new.duration_ms else ""),
        (tr("Size"), words.size(meta.size)),
        (tr("Albums"), ", ".join(meta.albums)),
        (tr("SHA-256"), meta.sha256),
    ]


class DetailsPanel(QFrame):
    """Plain text throughout: answers are foreign words."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._meta: ItemMeta | None = None
        self.setAccessibleName(tr("Details"))
        self._resize()
        context.theme.changed.connect(self._resize)
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(2 * GRID)
        self._facts.setVerticalSpacing(GRID)
        self._facts.setColumnStretch(1, 1)
        self._note = QPlainTextEdit()
        self._note.setAccessibleName(tr("Note"))
        self._note.setPlaceholderText(tr("Your own words about this capture"))
        self._note.setFixedHeight(9 * GRID)
        self._note.setTabChangesFocus(True)
        self._save = button(context.theme, tr("Save note"), self._save_note)
        self._save.setEnabled(False)
        self._note.textChanged.connect(self._note_changed)
        self._history = QVBoxLayout()
        self._history.setSpacing(GRID)
        note = column(self._note, gap=GRID)
        note.addWidget(self._save, 0, Qt.AlignmentFlag.AlignRight)
        parts = (label(tr("Details"), "lead"), self._facts, rule(), label(tr("Note"), "lead"), note, rule())
        inner = QWidget()
        set_role(inner, "plain")
        inner.setLayout(column(*parts, label(tr("History"), "lead"), self._history, None, gap=GRID + 4, margins=(0, 0, GRID, 0)))
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inner)
        self.setLayout(column(card(area)))

    def _resize(self) -> None:
        """Wider with larger text; the picture keeps at least three fifths (the page's layout sees to it)."""
        self.setMaximumWidth(self._context.theme.scaled(WIDTH))
        self.setMinimumWidth(30 * GRID)

    def show_meta(self, meta: ItemMeta) -> None:
        """Show `meta`; a note that is being written is not overwritten by a change elsewhere."""
        same = self._meta is not None and self._meta.id == meta.id
        writing = same and self._save.isEnabled()
        self._meta = meta
        self._clear()
        for at, (name, value) in enumerate(facts(meta)):
            known = label(value, wrap=True, select=True)
            if len(value) == 64:
                known.setText(f"{value[:12]}…")
                known.setToolTip(value)
            self._facts.addWidget(label(name, tone="muted"), 2 * at, 0, Qt.AlignmentFlag.AlignTop)
            self._facts.addWidget(known, *((2 * at + 1, 0, 1, 2) if self._context.theme.large else (2 * at, 1)))
        if not writing:
            self._note.setPlainText(meta.note)
            self._save.setEnabled(False)
        self._fill_history(meta)

    def forget(self) -> None:
        self._meta = None
        self._clear()
        self._note.clear()
        self._save.setEnabled(False)

    def _clear(self) -> None:
        clear_layout(self._facts)
        clear_layout(self._history)

    def _fill_history(self, meta: ItemMeta) -> None:
        for share in sorted(meta.shares, key=lambda share: share.at, reverse=True):
            where = (
                tr("Sent to {company}", company=share.company)
                if share.leaves_computer
                else tr("Shown to {company}, on this computer", company=share.company)
            )
            line = tr("{when}, receipt {number}", when=words.when(share.at), number=share.receipt)
            self._history.addWidget(label(where, "strong", "sent" if share.leaves_computer else "", wrap=True))
            self._history.addWidget(label(line, "small", wrap=True))
        for exchange in sorted(meta.exchanges, key=lambda exchange: exchange.at, reverse=True):
            self._history.addWidget(label(tr("You asked: {question}", question=exchange.question), "strong", wrap=True, select=True))
            self._history.addWidget(label(exchange.answer, wrap=True, select=True))
        if not meta.shares and not meta.exchanges:
            self._history.addWidget(
                label(tr("Taken on the glasses, kept here. It has never been shown to an assistant."), tone="muted", wrap=True)
            )

    def _note_changed(self) -> None:
        self._save.setEnabled(self._meta is not None and self._note.toPlainText() != self._meta.note)

    def _save_note(self) -> None:
        if self._meta is not None:
            self._save.setEnabled(False)
            self._context.tasks.start(self._context.services.library.set_note(self._meta.id, self._note.toPlainText()))
