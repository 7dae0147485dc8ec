"""Ask: chosen captures, a question, a destination, and a look at what would be sent. Nothing leaves without the approval dialog."""

from __future__ import annotations

import asyncio
from functools import partial

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QCheckBox, QComboBox, QFrame, QLabel, QPlainTextEdit, QScrollArea, QWidget

from app import settings as declared
from app.errors import Explanation
from app.library.types import ThumbSize
from app.sharing.errors import TermsForbid
from app.sharing.types import AnswerText, Destination, Draft, Ended, Outcome, Proposal, Receipt, Sending
from app.vault.types import ItemId
from ui import words
from ui.approval import approve
from ui.context import Context
from ui.i18n import plural, tr
from ui.models.thumbs import decode_cover
from ui.theme import set_role
from ui.tokens import GRID
from ui.widgets.badge import POLICY_LOOK, Badge
from ui.widgets.banner import Banners, announce
from ui.widgets.basics import button, card, clear_layout, column, frame, icon_label, label, row, tool
from ui.widgets.empty import Empty
from ui.widgets.page import Page, scrolled
from ui.widgets.progress import ProgressRow

EDGE = 96
LEAST_ANSWER = 16 * GRID
MOST_ANSWER = 64 * GRID
ANSWER_FRAME = 19 * GRID
"""Height of the answer's card without the answer: title, progress, how it ended."""

LONGEST_ANSWER = 200_000
"""Characters of an answer that are shown; a server may send without end."""


class AskPage(Page):
    """`choose_asked` goes to the captures to choose some."""

    choose_asked = Signal()

    def __init__(self, context: Context, banners: Banners) -> None:
        super().__init__(tr("Ask"), scrolls=True)
        self._context = context
        self._banners = banners
        self._items: list[ItemId] = []
        self._destinations: tuple[Destination, ...] = ()
        self._parcel = ""
        self._build()

    def _build(self) -> None:
        theme = self._context.theme
        choose = button(theme, tr("Choose captures…"), self.choose_asked.emit, icon="captures")
        hint = tr("Select captures, then press “Ask…”. Nothing is sent by choosing.")
        self._none = Empty(theme, "ask", tr("Choose what to ask about"), hint, choose)
        self._form = scrolled(column(self._draft_card(), self._answer_card(), None, gap=2 * GRID))
        self.body.addWidget(self._none, 1)
        self.body.addWidget(self._form, 1)
        self._arrange()

    def _make_shelf(self) -> QScrollArea:
        self._strip = row(gap=GRID)
        inner = QWidget()
        set_role(inner, "plain")
        inner.setLayout(self._strip)
        shelf = QScrollArea()
        shelf.setFrameShape(QFrame.Shape.NoFrame)
        shelf.setWidgetResizable(True)
        shelf.setWidget(inner)
        shelf.setFixedHeight(EDGE + 20)
        shelf.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        shelf.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return shelf

    def _draft_card(self) -> QFrame:
        theme = self._context.theme
        self._chosen = label("", "lead")
        others = button(theme, tr("Choose others…"), self.choose_asked.emit, role="quiet")
        self._question = QPlainTextEdit()
        self._question.setAccessibleName(tr("Your question"))
        self._question.setPlaceholderText(tr("What would you like to know?"))
        self._question.setFixedHeight(11 * GRID)
        self._question.setTabChangesFocus(True)
        self._question.textChanged.connect(self._check)
        self._to = QComboBox()
        self._to.setAccessibleName(tr("Destination"))
        self._to.setMinimumWidth(40 * GRID)
        self._to.setIconSize(QSize(20, 20))
        self._to.currentIndexChanged.connect(lambda _index: self._describe())
        self._class = Badge(theme, "mirror", "")
        self._about = label("", tone="muted", wrap=True)
        self._review = button(theme, tr("Review what would be sent…"), self.review, icon="eye", role="primary")
        self._review_hint = label(tr("Nothing is sent yet: you see the exact request first."), "small")
        asked, to = label(tr("Your question"), "strong"), label(tr("Send to"), "strong")
        asked.setBuddy(self._question)
        to.setBuddy(self._to)
        picked = row(self._to, self._class, None, gap=GRID + 4)
        head = row(self._chosen, None, others)
        send = column(row(self._review, None), self._review_hint, margins=(0, 4, 0, 0))
        return card(head, self._make_shelf(), asked, self._question, to, picked, self._about, self._people(), send)

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

    def _answer_card(self) -> QFrame:
        self.progress = ProgressRow(self._context.theme, self.cancel)
        self._answer = QPlainTextEdit()
        self._answer.setReadOnly(True)
        self._answer.setAccessibleName(tr("Answer"))
        self._answer.setFixedHeight(LEAST_ANSWER)
        self._answer.setTabChangesFocus(True)
        set_role(self._answer, "answer")
        self._ended = label("", tone="muted", wrap=True)
        self._result = card(label(tr("Answer"), "lead"), self.progress, self._answer, self._ended)
        return self._result

    # -- the draft -------------------------------------------------------------------------------------------------------------

    def entered(self) -> None:
        self._load_destinations()
        self._check()
        if self._items:
            self._question.setFocus()

    def take(self, items: tuple[ItemId, ...]) -> None:
        """Ask about `items` from now on; a question already written stays."""
        self._items = list(items)
        self._no_people.setChecked(False)
        self._answer.clear()
        self._ended.clear()
        self._arrange()

    def forget(self) -> None:
        for key in ("ask", "ask thumbs"):
            self._context.tasks.cancel(key)
        self._items = []
        self._question.clear()
        self._answer.clear()
        self._ended.clear()
        self.progress.end()
        self._to.clear()
        self._destinations = ()
        self._arrange()

    def _arrange(self) -> None:
        clear_layout(self._strip)
        self._none.setVisible(not self._items)
        self._form.setVisible(bool(self._items))
        self._result.setVisible(bool(self._answer.toPlainText() or self._ended.text()) or self.busy)
        self._chosen.setText(plural(len(self._items), "{count} capture", "{count} captures"))
        self._check()
        if self._items:
            self._context.tasks.start(self._fill_strip(tuple(self._items)), key="ask thumbs")

    async def _fill_strip(self, items: tuple[ItemId, ...]) -> None:
        for number, item in enumerate(items, 1):
            data = await self._context.services.library.thumbnail(item, ThumbSize.SMALL)
            picture = QLabel()
            picture.setFixedSize(EDGE, EDGE)
            picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
            set_role(picture, "well")
            picture.setAccessibleName(tr("Chosen capture {number}", number=number))
            if data:
                picture.setPixmap(QPixmap.fromImage(await asyncio.get_running_loop().run_in_executor(None, decode_cover, data, EDGE)))
            name = tr("Leave out capture {number}", number=number)
            remove = tool(self._context.theme, name, "close", partial(self._leave_out, item), on_picture=True)
            remove.setParent(picture)
            remove.ensurePolished()
            remove.move(EDGE - remove.sizeHint().width() - 4, 4)
            self._strip.addWidget(picture)
        self._strip.addStretch(1)

    def _leave_out(self, item: ItemId) -> None:
        self._items = [kept for kept in self._items if kept != item]
        self._arrange()

    def _load_destinations(self) -> None:
        sharing, theme = self._context.services.sharing, self._context.theme
        self._destinations = sharing.destinations()
        wished = (
            self._chosen_destination().id if self._to.currentIndex() >= 0 else self._context.services.settings.get(declared.DESTINATION)
        )
        self._to.blockSignals(True)
        self._to.clear()
        for destination in self._destinations:
            icon, tone = POLICY_LOOK[sharing.card(destination.id).policy_class]
            self._to.addItem(theme.icon(icon, tone), destination.label)
        ids = [destination.id for destination in self._destinations]
        self._to.setCurrentIndex(ids.index(wished) if wished in ids else 0)
        self._to.blockSignals(False)
        self._describe()

    def _chosen_destination(self) -> Destination:
        return self._destinations[max(0, self._to.currentIndex())]

    def _describe(self) -> None:
        if not self._destinations:
            return
        destination = self._chosen_destination()
        known = self._context.services.sharing.card(destination.id)
        icon, tone = POLICY_LOOK[known.policy_class]
        self._class.show_as(icon, words.policy(known.policy_class), tone)
        self._about.setText(tr("Training: {text}", text=known.trains.text))
        self._forbids.setText(known.forbids_people)
        self._no_people.setAccessibleDescription(known.forbids_people)
        self._no_people.setChecked(False)
        self._about_people.setVisible(bool(known.forbids_people))
        self._to.setAccessibleDescription(f"{words.policy(known.policy_class)}. {known.trains.text}")

    @property
    def busy(self) -> bool:
        return self._context.tasks.running("ask")

    def _check(self) -> None:
        off = self._context.services.settings.get(declared.AI_OFF)
        self._review.setEnabled(bool(self._items) and bool(self._question.toPlainText().strip()) and not self.busy and not off)
        said = tr("AI is switched off: nothing can be sent.") if off else tr("Nothing is sent yet: you see the exact request first.")
        self._review_hint.setText(said)

    def ai_switched(self) -> None:
        """The AI switch moved."""
        self._check()

    # -- the sending -----------------------------------------------------------------------------------------------------------

    def review(self) -> None:
        if self._review.isEnabled():
            no_people = self._no_people.isChecked() and not self._about_people.isHidden()
            draft = Draft(tuple(self._items), self._question.toPlainText().strip(), self._chosen_destination().id, no_people)
            self._review.setEnabled(False)
            self._context.tasks.start(self._asking(draft), key="ask", then=self._check)

    async def _asking(self, draft: Draft) -> None:
        sharing = self._context.services.sharing
        try:
            proposal = await sharing.prepare(draft)
            if not await self._approved(proposal):
                self._banners.good(tr("Kept private. Nothing was sent."))
                return
            approval = await sharing.approve(proposal)
            self._begin(proposal)
            async for event in sharing.send(proposal, approval):
                self._hear(event, proposal)
        except TermsForbid as error:
            self._banners.warn(Explanation(error.what, error.why, tr("Use the mirror or a local server instead.")))
        finally:
            self._parcel = ""
            self.progress.end()

    async def _approved(self, proposal: Proposal) -> bool:
        """The person's decision; whatever keeps it from being made is a refusal, and is written down as one."""
        try:
            yes = await approve(self.window(), self._context.theme, proposal)
        except asyncio.CancelledError:
            await self._context.services.sharing.refuse(proposal, "the window closed or locked before an answer")
            raise
        if not yes:
            await self._context.services.sharing.refuse(proposal)
        return yes

    def _begin(self, proposal: Proposal) -> None:
        self._parcel = proposal.parcel.id
        self._answer.clear()
        self._ended.clear()
        self._result.show()
        self.progress.begin(self._sending_words(proposal))
        self._make_room()

    def _make_room(self) -> None:
        """Give the answer all of the view but its own title and notes, and bring it there."""
        room = self._form.viewport().height() - ANSWER_FRAME
        self._answer.setFixedHeight(max(LEAST_ANSWER, self._context.theme.scaled(min(room, MOST_ANSWER))))
        QTimer.singleShot(0, self._result, self._bring_answer)

    def _bring_answer(self) -> None:
        bar = self._form.verticalScrollBar()
        bar.setValue(min(bar.maximum(), self._result.y()))

    def _sending_words(self, proposal: Proposal) -> str:
        return tr("Sending {size} to {company}…", size=words.size(proposal.size), company=proposal.parcel.destination.company)

    def _hear(self, event: Sending | AnswerText | Ended, proposal: Proposal) -> None:
        if isinstance(event, Sending):
            waiting = event.sent >= event.total
            said = tr("Waiting for {company}…", company=proposal.parcel.destination.company) if waiting else self._sending_words(proposal)
            self.progress.at(said, event.sent, None if waiting else event.total)
        elif isinstance(event, AnswerText):
            room = LONGEST_ANSWER - self._answer.document().characterCount()
            cursor = self._answer.textCursor()
            cursor.movePosition(cursor.MoveOperation.End)
            cursor.insertText(event.text[: max(0, room)])
        else:
            self._finish(event.receipt)

    def _finish(self, receipt: Receipt) -> None:
        sent = tr("{size} were sent to {origin}.", size=words.size(receipt.bytes_sent), origin=receipt.origin)
        said = " ".join(
            part for part in (f"{words.outcome(receipt.outcome)}.", sent, receipt.detail, tr("Receipt {n}.", n=receipt.number)) if part
        )
        self._ended.setText(said)
        set_role(self._ended, tone="muted" if receipt.outcome is Outcome.ANSWERED else "bad")
        announce(self, said)

    def cancel(self) -> None:
        """Stop the sending; the receipt says how much had already left."""
        if self._parcel:
            self._context.tasks.start(self._context.services.sharing.cancel(self._parcel))
