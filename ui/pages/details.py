"""The panel beside a picture: what is known of it, a note, and its history of shares and answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QPlainTextEdit, QPushButton, QVBoxLayout

from app.sharing.destinations import MIRROR
from app.vault.types import Exchange, ItemId, ItemKind, ItemMeta, Share
from ui import words
from ui.context import Context
from ui.i18n import said as tr_core
from ui.i18n import tr
from ui.tokens import GRID
from ui.widgets.banner import announce
from ui.widgets.basics import CARD, button, card, clear_layout, column, icon_label, label, row, rule, scrolling
from ui.widgets.page import GUTTER
from ui.widgets.whence import Whence, came_from, camera_of

WIDTH = 40 * GRID


def facts(meta: ItemMeta) -> list[tuple[str, str]]:
    """What is known of an item, as (name, value) in the order shown."""
    return [(name, value) for name, value in _known(meta, came_from(meta)) if value]


def _known(meta: ItemMeta, origin: str) -> list[tuple[str, str]]:
    new = meta.new
    return [
        (tr("Taken"), words.when(new.taken_at)),
        (tr("From"), tr("{name} (simulated)", name=origin) if new.origin.simulated else origin),
        (tr("Kind"), words.format_of(new)),
        (tr("Name"), new.original_name),
        (tr("Pixels"), tr("{width} × {height}", width=new.width, height=new.height) if new.width and new.height else ""),
        (tr("Length"), words.duration(new.duration_ms) if new.duration_ms else ""),
        (tr("Size"), words.size(meta.size)),
        (tr("Albums"), tr(", ").join(meta.albums)),
        (tr("Fingerprint"), meta.sha256),
    ]


def place(found: tuple[float, float] | None) -> str:
    """Degrees as people read them."""
    if found is None:
        return tr("This file does not say.")
    north, east = found
    across = tr("{degrees}° N", degrees=f"{north:.4f}") if north >= 0 else tr("{degrees}° S", degrees=f"{-north:.4f}")
    along = tr("{degrees}° E", degrees=f"{east:.4f}") if east >= 0 else tr("{degrees}° W", degrees=f"{-east:.4f}")
    return tr("{latitude}, {longitude}", latitude=across, longitude=along)


class DetailsPanel(QFrame):
    """Plain text throughout: answers are foreign words. Where a photo was taken is read, and shown, only when asked for.

    `receipt_asked` carries the number of a receipt to be shown.
    """

    receipt_asked = Signal(int)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._meta: ItemMeta | None = None
        self._place: QPushButton | None = None
        self.setAccessibleName(tr("Details"))
        self.whence = Whence(context)
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
        self._can_save(False)
        self._note.textChanged.connect(self._note_changed)
        self._history = QVBoxLayout()
        self._history.setSpacing(GRID)
        note = column(self._note, gap=GRID)
        note.addWidget(self._save, 0, Qt.AlignmentFlag.AlignRight)
        parts = (label(tr("Details"), "lead"), self._facts, self.whence, rule(), label(tr("Note"), "lead"), note, rule())
        told = column(*parts, label(tr("History"), "lead"), self._history, None, gap=GRID + 4, margins=(0, 0, GRID, 0))
        area = scrolling(told)
        inner = area.widget()
        assert inner is not None  # `told` is in it
        self._inner = inner
        self._inner.installEventFilter(self)
        self.setLayout(column(card(area)))
        self._resize()
        context.theme.changed.connect(self._resize)

    def _resize(self) -> None:
        """Wider with larger text; the picture keeps at least three fifths (the page's layout sees to it)."""
        self.setMaximumWidth(self._context.theme.scaled(WIDTH))
        self._keep_whole()

    def _keep_whole(self) -> None:
        """At least as wide as its longest word: it scrolls up and down only."""
        self.setMinimumWidth(max(30 * GRID, CARD[0] + CARD[2] + GUTTER + self._inner.minimumSizeHint().width()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """What is in it asks for another width."""
        if event.type() == QEvent.Type.LayoutRequest and watched is self._inner:
            self._keep_whole()
        return super().eventFilter(watched, event)

    def show_meta(self, meta: ItemMeta) -> None:
        """Show `meta`; a note that is being written is not overwritten by a change elsewhere."""
        same = self._meta is not None and self._meta.id == meta.id
        writing = same and self._save.isEnabled()
        self._meta = meta
        self._clear()
        for at, (name, value) in enumerate(facts(meta)):
            known = label(value, wrap=True, select=True)
            if len(value) == 64:
                known.setText(f"{value[:8]}…")
                known.setToolTip(tr("SHA-256: {digest}", digest=value))
            self._facts.addWidget(label(name, tone="muted"), 2 * at, 0, Qt.AlignmentFlag.AlignTop)
            self._facts.addWidget(known, *((2 * at + 1, 0, 1, 2) if self._context.theme.large else (2 * at, 1)))
        if meta.new.kind is ItemKind.PHOTO:
            self._offer_place(len(facts(meta)))
        self.whence.show_meta(meta)
        if not writing:
            self._note.setPlainText(meta.note)
            self._can_save(False)
        self._fill_history(meta)

    def _offer_place(self, at: int) -> None:
        self._facts.addWidget(label(tr("Location"), tone="muted"), 2 * at, 0, Qt.AlignmentFlag.AlignVCenter)
        show = button(self._context.theme, tr("Show"), self._show_place, role="inline", name=tr("Show where it was taken"))
        self._place = show
        self._facts.addWidget(show, *((2 * at + 1, 0, 1, 2) if self._context.theme.large else (2 * at, 1)))

    def _show_place(self) -> None:
        if self._meta is not None:
            self._context.tasks.start(self._reading_place(self._meta.id), key="viewer-place")

    async def _reading_place(self, item: ItemId) -> None:
        found = await self._context.services.library.location(item)
        if self._meta is None or self._meta.id != item or self._place is None:
            return
        said, old = label(place(found), wrap=True, select=True), self._place
        self._place = None
        self._facts.replaceWidget(old, said)
        old.hide()
        old.deleteLater()
        said.show()
        announce(self, said.text())

    def forget(self) -> None:
        self._meta = None
        self._context.tasks.cancel("viewer-place")
        self._clear()
        self._note.clear()
        self._can_save(False)

    def _clear(self) -> None:
        self._place = None
        self.whence.clear()
        clear_layout(self._facts)
        clear_layout(self._history)

    def _fill_history(self, meta: ItemMeta) -> None:
        """What happened to it, newest first: shares, questions, exports, its arrival, and the moment it was taken."""
        happened: list[tuple[datetime, Callable[[], object]]] = [(share.at, partial(self._tell_share, share)) for share in meta.shares]
        happened += [(exchange.at, partial(self._tell_exchange, exchange)) for exchange in meta.exchanges]
        told = tr("Exported, readable by other programs")
        happened += [(at, partial(self._event, "export", told, words.when(at))) for at in meta.exported]
        for _at, tell in sorted(happened, key=lambda one: one[0], reverse=True):
            tell()
        if not meta.shares and not meta.exchanges:
            self._history.addWidget(label(tr("Eyelid has never shown it to an assistant."), tone="muted", wrap=True))
        self._event("kept", tr("Sealed into the vault"), words.when(meta.arrived_at))
        origin = camera_of(meta)
        taken = tr("Taken with {name}", name=origin) if origin else tr("Taken")
        self._event("glasses", taken, words.when(meta.new.taken_at))

    def _event(self, icon: str, what: str, when: str, tone: str = "", more: QPushButton | None = None) -> None:
        """One thing that happened, and a way to know `more` of it."""
        line = row(gap=GRID)
        line.addWidget(icon_label(self._context.theme, icon, tone or "muted", 16), 0, Qt.AlignmentFlag.AlignTop)
        said = column(label(what, "strong", tone, wrap=True), label(when, "small", wrap=True), gap=2)
        if more is not None:
            said.addWidget(more, 0, Qt.AlignmentFlag.AlignLeft)
        line.addLayout(said, 1)
        self._history.addLayout(line)

    def _tell_share(self, share: Share) -> None:
        if not share.receipt:  # it left from the phone, and all that is known of it is what the company's own archive says
            said = tr(
                "{when}, as {company}'s archive says. There is no receipt.", when=words.when(share.at), company=tr_core(share.company)
            )
            self._event("sent", tr("Shared with {company}", company=tr_core(share.company)), said, "sent")
            return
        name = tr("Receipt {number}", number=share.receipt)
        show = button(self._context.theme, name, partial(self.receipt_asked.emit, share.receipt), role="inline")
        if share.leaves_computer:
            self._event("sent", tr("Sent to {company}", company=tr_core(share.company)), words.when(share.at), "sent", show)
        else:
            self._event(
                "mirror", tr("Shown to {company}, on this computer", company=tr_core(share.company)), words.when(share.at), more=show
            )

    def _tell_exchange(self, exchange: Exchange) -> None:
        self._event("ask", tr("You asked: {question}", question=exchange.question), words.when(exchange.at))
        said = tr_core(exchange.answer) if exchange.destination == MIRROR else exchange.answer
        self._history.addWidget(label(said, wrap=True, select=True))

    def _note_changed(self) -> None:
        self._can_save(self._meta is not None and self._note.toPlainText() != self._meta.note)

    def _can_save(self, changed: bool) -> None:
        self._save.setEnabled(changed)
        self._save.setHidden(not changed)

    def _save_note(self) -> None:
        if self._meta is not None:
            self._can_save(False)
            self._context.tasks.start(self._context.services.library.set_note(self._meta.id, self._note.toPlainText()))
