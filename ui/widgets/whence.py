"""Where an imported capture is from: what it was recognised as, how sure that is and why; what nobody here can know; what belongs to it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QWidget

from app.imports.desk import ARCHIVE, META_AI
from app.imports.families import family
from app.imports.packing import IMPORTED
from app.imports.recognise import in_words
from app.imports.types import Confidence
from app.vault.types import RECOVERED, ItemId, ItemKind, ItemMeta
from ui.context import Context
from ui.i18n import said as tr_core
from ui.i18n import tr
from ui.widgets.badge import Badge
from ui.widgets.banner import announce
from ui.widgets.basics import button, clear_layout, column, dress, label, noted


def camera_of(meta: ItemMeta) -> str:
    """The name of the glasses or camera that made it; empty where that is not known."""
    origin = meta.new.origin
    nameless = {IMPORTED, RECOVERED, ARCHIVE}
    recognised = meta.new.recognised is not None or origin.family not in nameless
    return (origin.name or ("" if origin.family in nameless else origin.family)) if recognised else ""


def came_from(meta: ItemMeta) -> str:
    """What stands behind "From"."""
    return camera_of(meta) or tr_core(meta.new.origin.name) or tr("Unknown glasses or camera")


class Whence(QWidget):
    """For imports only; empty for what came from glasses that were paired. `terms_asked` wants what is known of Meta AI."""

    terms_asked = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._parts = column(gap=6)
        self.setLayout(self._parts)
        self.hide()

    def show_meta(self, meta: ItemMeta) -> None:
        self.clear()
        found = meta.new.recognised
        if found is None:
            return
        theme, add = self._context.theme, self._parts.addWidget
        add(label(tr("Recognised as"), "lead", wrap=True))
        name = came_from(meta)
        if found.confidence == Confidence.STRONG.value:
            add(Badge(theme, "glasses", tr("{name}, the file says so", name=name), "good"))
        elif found.confidence == Confidence.LIKELY.value:
            add(Badge(theme, "question", tr("{name}, likely", name=name), "warn"))
        else:
            add(Badge(theme, "camera", tr("No glasses that are known here")))
        for sign, text in found.signs:
            add(label(tr_core(in_words(sign, text)), "small", wrap=True, select=True))
        if not found.signs:
            add(label(tr("Nothing in the file, its name or its folder says what made it."), "small", wrap=True))
        made_by = family(meta.new.origin.family)
        if made_by is not None and made_by.from_meta:
            self._unknowable(meta)
        self.show()

    def _unknowable(self, meta: ItemMeta) -> None:
        """What left from the phone is not known here, unless Meta's archive said so."""
        theme = self._context.theme
        if not any(share.destination == META_AI for share in meta.shares):
            text = tr("Eyelid can't know whether this was shared with Meta AI from the phone.")
            self._parts.addLayout(noted(theme, "question", "warn", text))
        if any(known.id == META_AI for known in self._context.services.sharing.cards()):
            terms = button(theme, tr("What Meta AI may do with it"), self.terms_asked.emit, icon="info", role="link")
            self._parts.addWidget(terms)

    def clear(self) -> None:
        self.hide()
        clear_layout(self._parts)


class PartnerButton(QPushButton):
    """On a still leads to the clip that was taken with it, and back; hidden where there is none. `opened` carries the other item."""

    opened = Signal(str)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._item: ItemId | None = None
        self.partner: ItemId | None = None
        self.setAutoDefault(False)
        self.clicked.connect(lambda _on=False: self.opened.emit(self.partner) if self.partner else None)
        self.hide()

    def show_meta(self, meta: ItemMeta) -> None:
        """Look for what belongs to this capture."""
        if meta.id != self._item:
            self.clear()
        self._item = meta.id
        if meta.new.group:
            self._context.tasks.start(self._finding(meta), key="viewer-partner")

    async def _finding(self, meta: ItemMeta) -> None:
        partner = await self._context.services.library.partner(meta.id)
        if self._item != meta.id:
            return
        new, self.partner = partner != self.partner, partner
        still = meta.new.kind is ItemKind.PHOTO
        text = tr("Play the clip") if still else tr("Show the photo")
        self.setText(text)
        self.setAccessibleName(text)
        help = tr("A photo and a clip were taken together. Each is kept, shared and deleted on its own.")
        self.setToolTip(help)
        self.setAccessibleDescription(help)
        dress(self._context.theme, self, "play" if still else "photo")
        self.setVisible(partner is not None)
        if partner is not None and new:
            announce(self, help)

    def after_trash(self) -> str:
        """What is said when the capture shown was moved to the trash."""
        if self.partner:
            return tr("The capture was moved to the trash. What was taken together with it stays.")
        return tr("The capture was moved to the trash.")

    def clear(self) -> None:
        self._context.tasks.cancel("viewer-partner")
        self._item = self.partner = None
        self.hide()
