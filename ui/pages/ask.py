"""Ask: chosen captures, a question, a destination, and the conversation that came of it. Nothing leaves without an approval."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QFrame, QPlainTextEdit

from app import settings as declared
from app.sharing.types import Destination, Draft, PictureChoice, Proposal, Receipt
from app.vault.types import ItemId
from ui import words
from ui.context import Context
from ui.dialogs import opened
from ui.i18n import plural, tr
from ui.i18n import said as tr_core
from ui.pages.asking import Sender
from ui.pages.destinations import add_destination
from ui.pages.setup import SetUpSheet, missing
from ui.theme import set_role
from ui.tokens import GRID
from ui.widgets.badge import POLICY_LOOK, Badge
from ui.widgets.banner import Banners
from ui.widgets.basics import button, card, column, frame, icon_label, label, row
from ui.widgets.chooser import DestinationBox
from ui.widgets.empty import Empty
from ui.widgets.filmstrip import choose_frames
from ui.widgets.flow import FlowLayout
from ui.widgets.page import Page, scrolled
from ui.widgets.region import RegionCard
from ui.widgets.shelf import Shelf
from ui.widgets.turns import Conversation, Turn

WORDS, AGAIN, NEW = "words", "again", "new"
"""What goes with a further question: the words said so far; those and the pictures; the pictures alone."""


class AskPage(Page):
    """`choose_asked` goes to the captures to choose some, `compare_asked` to what becomes of what is sent, `receipt_asked` to a receipt."""

    choose_asked = Signal()
    compare_asked = Signal()
    live_asked = Signal()
    receipt_asked = Signal(int)

    def __init__(self, context: Context, banners: Banners) -> None:
        super().__init__(tr("Ask"), scrolls=True)
        self._context = context
        self._banners = banners
        self._items: list[ItemId] = []
        self._times: dict[ItemId, tuple[int, ...]] = {}
        self._destinations: tuple[Destination, ...] = ()
        self._lacks: dict[str, str] = {}
        self._draft: Draft | None = None
        self._turn: Turn | None = None
        self.sending = Sender(self, context, banners)
        self.sending.begun.connect(self._begun)
        self.sending.heard.connect(lambda text: self._turn.hear(text) if self._turn is not None else None)
        self.sending.ended.connect(self._ended)
        self.sending.over.connect(self._check)
        self._build()

    def _build(self) -> None:
        theme = self._context.theme
        self.live = button(theme, tr("Live look…"), self.live_asked.emit, icon="video")
        self.acts.addWidget(button(theme, tr("What happens to what I send"), self.compare_asked.emit, icon="info", role="quiet"))
        self.acts.addWidget(self.live)
        choose = button(theme, tr("Choose captures…"), self.choose_asked.emit, icon="captures", role="primary")
        hint = tr("Select captures, then press “Ask…”. Nothing is sent by choosing.")
        self._none = Empty(theme, "ask", tr("Choose what to ask about"), hint, choose)
        self.region = RegionCard(theme)
        self.region.answered.connect(self._placed)
        self.conversation = Conversation()
        self._column = column(self.region, self.conversation, None, gap=2 * GRID)
        self._form = scrolled(self._column)
        self.body.addWidget(self._none, 1)
        self.body.addWidget(self._form, 1)

    def rest(self) -> Iterator[None]:
        where, people = self._where(), self._people()
        yield
        self._column.insertWidget(2, self._draft_card(where, people))
        self._arrange()

    def _draft_card(self, where: QFrame, people: QFrame) -> QFrame:
        theme = self._context.theme
        self._chosen = label("", "lead")
        others = button(theme, tr("Choose others…"), self.choose_asked.emit, role="quiet")
        self.shelf = Shelf(self._context)
        self.shelf.left_out.connect(lambda item: self._leave_out(ItemId(item)))
        self.shelf.frames_asked.connect(lambda item: self._pick_frames(ItemId(item)))
        self._question = QPlainTextEdit()
        self._question.setAccessibleName(tr("Your question"))
        self._question.setPlaceholderText(tr("What would you like to know?"))
        self._question.setFixedHeight(theme.scaled(11 * GRID))
        self._question.setTabChangesFocus(True)
        self._question.textChanged.connect(self._check)
        asked = label(tr("Your question"), "strong")
        asked.setBuddy(self._question)
        self._review = button(theme, tr("Review what would be sent…"), self.review, icon="eye", role="primary")
        self._review_hint = label("", "small", wrap=True)
        head = frame("plain", FlowLayout(self._chosen, others, gap=2 * GRID))
        send = column(row(self._review, None), self._review_hint, margins=(0, 4, 0, 0))
        parts = (head, self.shelf, GRID, asked, self._question, self._going_on(), GRID, where, people, GRID, send)
        return card(*parts)

    def _going_on(self) -> QFrame:
        """Only in a conversation: what goes with a further question."""
        self._goes = QComboBox()
        self._goes.setAccessibleName(tr("What goes with this question"))
        for text, how in (
            (tr("The words so far, no picture"), WORDS),
            (tr("The words so far, and the pictures again"), AGAIN),
            (tr("Only this question and the pictures, as a new start"), NEW),
        ):
            self._goes.addItem(text, how)
        title = label(tr("What goes with it"), "strong")
        title.setBuddy(self._goes)
        self._goes_box = frame("plain", column(title, row(self._goes, None), gap=4))
        self._goes_box.hide()
        return self._goes_box

    def _where(self) -> QFrame:
        theme = self._context.theme
        self._to = DestinationBox(theme)
        self._to.moved.connect(self._moved)
        self._class = Badge(theme, "mirror", "")
        self._about = label("", tone="muted", wrap=True)
        self._lacking = label("", tone="warn", wrap=True)
        self._set_up = button(theme, tr("Set up…"), self.set_up, name=tr("Set up this destination"))
        add = button(theme, tr("Add a destination…"), self.add_destination, icon="plus", role="quiet")
        to = label(tr("Send to"), "strong")
        to.setBuddy(self._to)
        picked = frame("plain", FlowLayout(self._to, self._class, self._set_up, add, gap=GRID + 4))
        return frame("plain", column(to, picked, self._lacking, self._about, gap=6))

    def _people(self) -> QFrame:
        """Only where the terms forbid pictures of people: why, and what the person can say of these ones."""
        self._forbids = label("", wrap=True)
        self._no_people = QCheckBox(tr("Nobody is to be seen or named in this"))
        self._no_people.setAccessibleName(self._no_people.text())
        line = row(icon_label(self._context.theme, "people", "warn"), gap=GRID + 4, margins=(GRID + 4, GRID, GRID + 4, GRID))
        line.addLayout(column(self._forbids, self._no_people, gap=4), 1)
        self._about_people = frame("banner", line)
        set_role(self._about_people, tone="warn")
        return self._about_people

    # -- what it is about ------------------------------------------------------------------------------------------------------

    def entered(self) -> None:
        asked = self._context.memory.region_asked or bool(self._context.services.settings.get(declared.REGION))
        self.region.setVisible(not asked)
        self._show_destinations()
        if not self.conversation.turns:
            self._load_turns()
        self._context.tasks.start(self._find_lacking(), key="ask ready")
        self._check()
        if self._items:
            self._question.setFocus()
            self._context.tasks.start(self._context.services.sharing.warm())

    def take(self, items: tuple[ItemId, ...]) -> None:
        """Ask about `items` from now on; a question already written stays."""
        self._items = list(items)
        self._times = {}
        self._no_people.setChecked(False)
        self._arrange()
        self._load_turns()

    def forget(self) -> None:
        for key in ("ask thumbs", "ask ready", "ask turns", "ask sheet", "live"):
            self._context.tasks.cancel(key)
        self.sending.forget()
        self._items, self._times, self._draft, self._turn = [], {}, None, None
        self._question.clear()
        self.conversation.clear()
        self._to.clear()
        self._destinations = ()
        self._arrange()

    def _arrange(self) -> None:
        self.shelf.clear()
        self._none.setVisible(not self._items)
        self._form.setVisible(bool(self._items))
        self._chosen.setText(plural(len(self._items), "{count} capture", "{count} captures"))
        self._check()
        if self._items:
            self._context.tasks.start(self.shelf.fill(tuple(self._items), dict(self._times)), key="ask thumbs")

    def _leave_out(self, item: ItemId) -> None:
        first = self._items[:1]
        self._items = [kept for kept in self._items if kept != item]
        self._arrange()
        if first != self._items[:1]:
            self._load_turns()

    def _pick_frames(self, item: ItemId) -> None:
        self._context.tasks.start(self._picking(item), key="ask sheet")

    async def _picking(self, item: ItemId) -> None:
        usual = self._times.get(item) or tuple(frame.at_ms for frame in await self._context.services.sharing.filmstrip(item))
        if (times := await choose_frames(self.window(), self._context, item, usual)) and item in self._items:
            self._times[item] = times
            self._arrange()

    def _load_turns(self) -> None:
        """Show what was asked there about the first of the captures before; an answer still on its way is kept with its capture only."""
        self._turn = None
        self.conversation.clear()
        if self._items and self._destinations:
            self._context.tasks.start(self._loading_turns(self._items[0]), key="ask turns")
        self._show_goes()

    async def _loading_turns(self, item: ItemId) -> None:
        destination = self._chosen_destination()
        for exchange in await self._context.services.sharing.conversation(item, destination.id):
            turn = self._add_turn(exchange.question, destination.company, "")
            turn.keep(exchange.answer, exchange.receipt)
        self._show_goes(NEW)

    def _add_turn(self, question: str, company: str, carried: str) -> Turn:
        turn = self.conversation.add(Turn(self._context.theme, question, company, carried))
        turn.receipt_asked.connect(self.receipt_asked)
        return turn

    def _show_goes(self, how: str = "") -> None:
        self._goes_box.setVisible(any(turn.kept for turn in self.conversation.turns))
        if how:
            self._goes.setCurrentIndex(self._goes.findData(how))

    # -- where it goes ---------------------------------------------------------------------------------------------------------

    async def _find_lacking(self) -> None:
        """Which destinations can be used now; a keyring may take its time to say."""
        self._lacks = {each.id: await missing(self._context, each) for each in self._context.services.sharing.destinations()}
        self._show_destinations()

    def _show_destinations(self) -> None:
        sharing = self._context.services.sharing
        self._destinations = sharing.destinations()
        chosen = self._to.chosen or self._context.services.settings.get(declared.DESTINATION)
        lacks = {each.id: self._lacks.get(each.id, "" if each.model else tr("no model chosen yet")) for each in self._destinations}
        self._to.fill(self._destinations, lacks, lambda each: sharing.card(each.id).policy_class, chosen)
        self._describe()

    def _moved(self) -> None:
        self._no_people.setChecked(False)
        self._describe()
        self._load_turns()

    def _chosen_destination(self) -> Destination:
        chosen = self._to.chosen
        return next((each for each in self._destinations if each.id == chosen), self._destinations[0])

    def _describe(self) -> None:
        if not self._destinations:
            return
        destination = self._chosen_destination()
        known = self._context.services.sharing.card(destination.id)
        icon, tone = POLICY_LOOK[known.policy_class]
        self._class.show_as(icon, words.policy(known.policy_class), tone)
        about = tr("Training: {trains} Kept: {kept}", trains=tr_core(known.trains.text), kept=tr_core(known.retention.text))
        self._about.setText(about)
        lacks = self._lacks.get(destination.id, "" if destination.model else tr("no model chosen yet"))
        self._lacking.setText(tr("Not ready: {what}", what=lacks) if lacks else "")
        self._lacking.setVisible(bool(lacks))
        self._set_up.setVisible(bool(lacks))
        self._forbids.setText(tr_core(known.forbids_people))
        self._no_people.setAccessibleDescription(known.forbids_people)
        self._about_people.setVisible(bool(known.forbids_people))
        self._to.setAccessibleDescription(f"{words.policy(known.policy_class)}. {about}")
        self._check()

    def set_up(self) -> None:
        """Key and model of the chosen destination."""
        self._context.tasks.start(self._setting_up(self._chosen_destination()), key="ask sheet")

    async def _setting_up(self, destination: Destination) -> None:
        await opened(SetUpSheet(self.window(), self._context, destination))
        await self._find_lacking()

    def add_destination(self) -> None:
        self._context.tasks.start(self._adding(), key="ask sheet")

    async def _adding(self) -> None:
        made = await add_destination(self.window(), self._context)
        await self._find_lacking()
        if made is not None:
            self._to.choose(made.id)

    def _placed(self, code: str) -> None:
        """The person said where they are, or that they would rather not."""
        self._context.memory.region_asked = True
        if code:
            self._context.services.settings.set(declared.REGION, code)
        self.region.hide()
        self._describe()
        self._question.setFocus()

    @property
    def busy(self) -> bool:
        return self.sending.busy

    def _check(self) -> None:
        off = self._context.services.settings.get(declared.AI_OFF)
        ready = bool(self._destinations) and self._lacking.isHidden()
        asked = bool(self._items) and bool(self._question.toPlainText().strip())
        self._review.setEnabled(asked and ready and not self.busy and not off)
        self._to.setEnabled(not self.busy)
        self.live.setEnabled(not off)
        said = tr("AI is switched off: nothing can be sent.") if off else tr("Nothing is sent yet: you see the exact request first.")
        self._review_hint.setText(said)

    def ai_switched(self) -> None:
        """The AI switch moved."""
        self._check()

    # -- the sending -----------------------------------------------------------------------------------------------------------

    def review(self) -> None:
        """Show exactly what would be sent."""
        if self._review.isEnabled():
            self._send(self._drafted())

    def _drafted(self) -> Draft:
        """What the person put together, as it stands on the page."""
        how = NEW if self._goes_box.isHidden() else str(self._goes.currentData())
        items = () if how == WORDS else tuple(self._items)
        return Draft(
            items,
            self._question.toPlainText().strip(),
            self._chosen_destination().id,
            no_people=self._no_people.isChecked() and not self._about_people.isHidden(),
            earlier=() if how == NEW else tuple(turn.receipt for turn in self.conversation.turns if turn.kept),
            pictures=tuple(PictureChoice(item, at_ms) for item in items for at_ms in self._times.get(item, ())),
            about=self._items[0] if how == WORDS else None,
        )

    def _send(self, draft: Draft) -> None:
        self._draft = draft
        self._review.setEnabled(False)
        self.sending.ask(draft)

    def cancel(self) -> None:
        """Stop the sending; the receipt says how much had already left."""
        self.sending.cancel()

    def _begun(self, proposal: Proposal) -> None:
        count = len(proposal.pictures)
        carried = plural(count, "with {count} picture", "with {count} pictures") if count else tr("in words alone")
        turn = self._turn = self._add_turn(proposal.question, proposal.parcel.destination.company, carried)
        draft = replace(proposal.parcel.draft)
        turn.again.connect(lambda: self._send_again(draft))
        self._question.clear()
        QTimer.singleShot(0, turn, self._bring_turn)

    def _send_again(self, draft: Draft) -> None:
        """The same once more: a new request with an approval of its own."""
        if not self.busy:
            self._send(draft)

    def _bring_turn(self) -> None:
        if self._turn is not None:
            bar = self._form.verticalScrollBar()
            bar.setValue(min(bar.maximum(), self.conversation.y() + self._turn.y()))

    def _ended(self, receipt: Receipt) -> None:
        if self._turn is not None:
            self._turn.finish(receipt)
            self._show_goes(WORDS if self._turn.kept else "")
            self._bring_turn()
        self._turn = None
