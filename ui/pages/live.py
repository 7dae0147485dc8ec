"""A live look: one frame after another from the glasses, under a ceiling of frames and minutes that is fixed before anybody says yes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QPlainTextEdit, QWidget

from app import settings as declared
from app.events import LiveChanged
from app.glasses.types import GlassesView
from app.sharing.live_types import LiveDraft, LiveProposal, LiveView
from app.sharing.types import PolicyClass
from ble.types import Capability, LinkState
from ui import words
from ui.approval.decision import ARM_MS, DecisionDialog
from ui.approval.facts import FactsPart, class_of
from ui.context import Context
from ui.dialogs import opened, tell
from ui.i18n import plural, tr
from ui.i18n import said as tr_core
from ui.pages.setup import missing
from ui.theme import Theme
from ui.tokens import GRID
from ui.widgets.banner import Banners
from ui.widgets.basics import card, choice, column, hide_if, label, named, noted, row
from ui.widgets.chooser import DestinationBox
from ui.widgets.livebar import STOP_KEYS, LiveBar
from ui.widgets.sheet import Sheet

KEY = "live"
FRAMES, MINUTES, EVERY = (10, 30, 60, 120, 300), (1, 2, 5, 10), (2, 5, 10, 30, 60)


def able(views: Sequence[GlassesView]) -> list[GlassesView]:
    """The glasses that are connected and can shoot or stream when asked to."""
    wanted = (Capability.TAKE_PHOTO, Capability.CONTINUOUS_CAPTURE)
    return [view for view in views if view.state is LinkState.READY and view.capabilities and any(map(view.capabilities.can, wanted))]


class LiveSheet(Sheet):
    """What the person puts together; `draft` once it was accepted. Nothing has happened then."""

    def __init__(self, parent: QWidget, context: Context, views: Sequence[GlassesView], address: str) -> None:
        super().__init__(parent, tr("Live look"), wide=context.theme.scaled(72 * GRID))
        self._context = context
        self._make_controls(views, address)
        self._lay_out()
        keep, self.go = self.choice(tr("Cancel")), self.choice(tr("Review what would be sent…"))
        keep.clicked.connect(self.reject)
        keep.setDefault(True)
        self.go.clicked.connect(self.accept)
        self._check()

    def _make_controls(self, views: Sequence[GlassesView], address: str) -> None:
        self.glasses, self.question = QComboBox(), QPlainTextEdit()
        self.glasses.setAccessibleName(tr("Glasses"))
        for view in views:
            self.glasses.addItem(view.known.name, view.known.address)
        self.glasses.setCurrentIndex(max(0, self.glasses.findData(address)))
        self.question.setAccessibleName(tr("Your question to every frame"))
        self.question.setPlaceholderText(tr("What shall be said of each frame?"))
        self.question.setFixedHeight(9 * GRID)
        self.question.setTabChangesFocus(True)
        self.question.textChanged.connect(self._check)
        self.to = DestinationBox(self._context.theme)
        self.to.moved.connect(self._describe)
        self.frames = choice(tr("At most"), [(plural(n, "{count} frame", "{count} frames"), n) for n in FRAMES], 60)
        self.minutes = choice(tr("For at most"), [(plural(n, "{count} minute", "{count} minutes"), n) for n in MINUTES], 5)
        self.every = choice(tr("One every"), [(plural(n, "{count} second", "{count} seconds"), n) for n in EVERY], 5)
        self.cover = QCheckBox(tr("Cover the faces in every frame"))
        self.cover.setAccessibleName(self.cover.text())
        self.about = label("", tone="muted", wrap=True)

    def _lay_out(self) -> None:
        said = tr(
            "Frames go from the glasses to an assistant, one after another, each with your question. You set how many and for how long; "
            "it ends by itself, and you can stop it at any moment."
        )
        self.body.addWidget(label(said, tone="muted", wrap=True))
        self.body.addLayout(named(self.glasses.accessibleName(), self.glasses))
        self.body.addLayout(named(self.question.accessibleName(), self.question))
        self.body.addLayout(named(tr("Send to"), self.to))
        self.body.addWidget(self.about)
        limits = [named(box.accessibleName(), box) for box in (self.frames, self.minutes, self.every)]
        self.body.addLayout(row(*limits, None, gap=2 * GRID))
        self.body.addWidget(self.cover)
        self.body.addStretch(1)

    async def fill(self) -> None:
        """Offer the destinations that are ready."""
        sharing = self._context.services.sharing
        found = sharing.destinations()
        lacks = {each.id: await missing(self._context, each) for each in found}
        chosen = self._context.services.settings.get(declared.DESTINATION)
        ready = [each for each in found if not lacks[each.id]]
        self.to.fill(ready, {}, lambda each: sharing.card(each.id).policy_class, chosen)
        self._describe()

    def _describe(self) -> None:
        if not self.to.chosen:
            return
        known = self._context.services.sharing.card(self.to.chosen)
        self.about.setText(tr("Training: {text}", text=tr_core(known.trains.text)))
        self.cover.setChecked(known.may_train)

    def _check(self) -> None:
        self.go.setEnabled(bool(self.question.toPlainText().strip()))

    @property
    def draft(self) -> LiveDraft:
        return LiveDraft(
            str(self.glasses.currentData()),
            self.question.toPlainText().strip(),
            self.to.chosen,
            frames=int(self.frames.currentData()),
            minutes=int(self.minutes.currentData()),
            every=int(self.every.currentData()),
            cover_faces=self.cover.isChecked(),
        )


class LiveApproval(DecisionDialog):
    """The approval of a live look: no picture can be shown beforehand, so the ceilings are, and that is said."""

    def __init__(self, parent: QWidget, theme: Theme, proposal: LiveProposal, glasses: str, *, arm_ms: int = ARM_MS) -> None:
        super().__init__(parent, theme, arm_ms=arm_ms)
        self.proposal = proposal
        draft, to = proposal.draft, proposal.destination
        self._trains = class_of(to, proposal.card) is PolicyClass.TRAINS
        count = plural(draft.frames, "{count} frame", "{count} frames")
        title = tr("Send up to {frames} from {glasses} to {company}?", frames=count, glasses=glasses, company=tr_core(to.company))
        where = tr("{company} at {origin}, model {model}", company=tr_core(to.company), origin=to.origin, model=to.model or tr("no model"))
        self.recipient = label(where, wrap=True, select=True)
        self.top.addWidget(label(title, "title", wrap=True))
        (self.content if theme.large else self.top).addWidget(self.recipient)
        self.content.addWidget(self._ceilings(theme, proposal))
        self.facts_part = FactsPart(theme, to, proposal.card)
        self.facts_part.bystanders.setText(tr("People who come into view have not been asked."))
        self.content.addWidget(self.facts_part)
        self.check = QCheckBox(tr("I know who may come into view"))
        self.check.setAccessibleName(self.check.text())
        self.check.toggled.connect(self._update_send)
        hide_if(self.check, not self._trains)
        self.above.addLayout(self.facts_part.consequence)
        self.above.addWidget(self.check)
        self.content.addStretch(1)
        self.name(title, tr("Start, up to {frames} to {company}", frames=count, company=tr_core(to.company)))
        self.setAccessibleDescription(" ".join((where, *(fact.accessibleName() for fact in self.facts_part.facts))))

    def _ceilings(self, theme: Theme, proposal: LiveProposal) -> QWidget:
        draft = proposal.draft
        seconds = plural(draft.every, "one every second", "one every {count} seconds")
        most = plural(draft.minutes, "for {count} minute at most", "for {count} minutes at most")
        parts = column(label(tr("Up to this would leave"), "lead", wrap=True), gap=GRID)
        count = plural(draft.frames, "{count} frame", "{count} frames")
        parts.addWidget(label(tr("{frames}, {every}, {most}.", frames=count, every=seconds, most=most), wrap=True))
        parts.addWidget(label(tr("At most {size} in all.", size=words.size(proposal.most_bytes)), wrap=True))
        parts.addWidget(label(tr("Your question to every frame: “{text}”", text=draft.question), wrap=True, select=True))
        if proposal.cover_faces:
            said = tr("Faces are covered in every frame; one whose faces cannot be looked for is not sent. The finder misses some.")
            parts.addLayout(noted(theme, "check", "good", said))
        else:
            parts.addLayout(noted(theme, "warning", "warn", tr("Faces are not covered.")))
        keys = words.keys(STOP_KEYS)
        unseen = tr("You cannot see the frames beforehand. {keys} stops it at any moment, and so does the bar on top.", keys=keys)
        parts.addLayout(noted(theme, "info", "muted", unseen))
        for note in proposal.notes:
            parts.addLayout(noted(theme, "info", "warn", tr_core(note)))
        return card(parts)

    def hindrance(self, ripe: bool) -> tuple[bool, str]:
        unticked = self._trains and not self.check.isChecked()
        return unticked, tr("Tick the box above to start.") if ripe and unticked else ""


class LiveLook(QObject):
    """Owns the bar and the way to a live look; the core owns the look itself, and ends it by itself where it must."""

    def __init__(self, parent: QWidget, context: Context, banners: Banners) -> None:
        super().__init__(parent)
        self._parent = parent
        self._context = context
        self._banners = banners
        self._told = ""
        self.bar = LiveBar(context.theme)
        self.bar.stop_asked.connect(self.stop)
        context.services.events.subscribe(LiveChanged, self._changed)

    def begin(self, address: str = "") -> None:
        """Put one together for the glasses of this address, or for those that can."""
        if not self._context.tasks.running(KEY):
            self._context.tasks.start(self._beginning(address or ""), key=KEY)

    async def _beginning(self, address: str) -> None:
        views = able(self._context.services.glasses.known())
        if not views:
            said = tr("A live look needs glasses that are connected and take photos when asked to.")
            await tell(self._parent, tr("No glasses for a live look"), said)
            return
        sheet = LiveSheet(self._parent, self._context, views, address)
        await sheet.fill()
        await opened(sheet)
        if sheet.result() == QDialog.DialogCode.Accepted:
            name = sheet.glasses.currentText()
            await self._asking(sheet.draft, name)

    async def _asking(self, draft: LiveDraft, name: str) -> None:
        live = self._context.services.sharing.live
        proposal = await live.prepare(draft)
        try:
            dialog = await opened(LiveApproval(self._parent, self._context.theme, proposal, name))
        except asyncio.CancelledError:
            await live.refuse(proposal, "the window closed or locked before an answer")
            raise
        if dialog.result() != QDialog.DialogCode.Accepted:
            await live.refuse(proposal)
            self._banners.good(tr("Kept private. Nothing was sent."))
            return
        await live.start(proposal)

    def stop(self) -> None:
        """Stop whatever runs."""
        self._context.tasks.start(self._context.services.sharing.live.stop())

    def forget(self) -> None:
        """The vault locks: the core has ended it, and nothing of it stays on the screen."""
        self._context.tasks.cancel(KEY)
        self.bar.end()

    def _changed(self, event: LiveChanged) -> None:
        self.bar.show_view(event.view)
        if not event.view.running and self._told != event.view.id:
            self._told = event.view.id
            self._say_end(event.view)

    def _say_end(self, view: LiveView) -> None:
        count = plural(view.frames, "{count} frame", "{count} frames")
        ended = tr("The live look has ended. {why}", why=tr_core(view.why))
        sent = tr(
            "{frames}, {size} in all, went to {company}.",
            frames=count,
            size=words.size(view.bytes_sent),
            company=tr_core(view.destination.company),
        )
        receipt = tr("Receipt {number}.", number=view.receipt.number) if view.receipt is not None else ""
        self._banners.good(" ".join(part for part in (ended, sent, receipt) if part))
