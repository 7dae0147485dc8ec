"""One question on its way: the approval, the sending, the answer. Nothing here decides; the approval dialog or a standing grant does."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.errors import Explanation
from app.media.look.cover import Edit
from app.sharing.approval import Approval
from app.sharing.errors import TermsForbid
from app.sharing.grants import Grant, GrantRefused, GrantWish
from app.sharing.types import Draft, Ended, PictureChoice, Proposal, Sending
from ui import words
from ui.approval import Answer, Review
from ui.context import Context
from ui.i18n import plural, tr
from ui.i18n import said as tr_core
from ui.widgets.banner import Act, Banners
from ui.widgets.livebar import SendBar

KEY = "ask"


class Sender(QObject):
    """`begun` carries the proposal that goes, `heard` each piece of the answer, `ended` the receipt; `over` comes last, however it went."""

    begun = Signal(object)
    heard = Signal(str)
    ended = Signal(object)
    over = Signal()

    def __init__(self, parent: QWidget, context: Context, banners: Banners) -> None:
        super().__init__(parent)
        self._parent = parent
        self._context = context
        self._banners = banners
        self._parcel = ""
        self.bar = SendBar(context.theme)
        self.bar.stop_asked.connect(self.cancel)

    @property
    def busy(self) -> bool:
        return self._context.tasks.running(KEY)

    def ask(self, draft: Draft) -> None:
        """Show what `draft` would send; it goes if the person says so."""
        if not self.busy:
            self._context.tasks.start(self._asking(draft), key=KEY, then=self.over.emit)

    def cancel(self) -> None:
        """Stop the sending; the receipt says how much had already left."""
        if self._parcel:
            self._context.tasks.start(self._context.services.sharing.cancel(self._parcel))

    def forget(self) -> None:
        self._context.tasks.cancel(KEY)
        self.bar.end()

    async def _asking(self, draft: Draft) -> None:
        sharing = self._context.services.sharing
        try:
            answer = await self._decided(draft)
            proposal = answer.proposal
            if proposal is None or not answer.yes:
                return
            if answer.grant is not None:
                approval = await sharing.approve_under(proposal, answer.grant.id)
                self._say_grant(answer.grant, len(proposal.pictures))
            else:
                approval = await self._approved(proposal, answer.wish)
            self._begin(proposal)
            async for event in sharing.send(proposal, approval):
                if isinstance(event, Sending):
                    self._sent(event, proposal)
                elif isinstance(event, Ended):
                    self.ended.emit(event.receipt)
                else:
                    self.heard.emit(event.text)
        except TermsForbid as error:
            self._forbidden(error, draft)
        finally:
            self._parcel = ""
            self.bar.end()

    async def _approved(self, proposal: Proposal, wish: GrantWish | None) -> Approval:
        """The approval for what the person said yes to; a permission that cannot be given with it is a refusal of both."""
        sharing = self._context.services.sharing
        try:
            return await sharing.approve(proposal, wish)
        except GrantRefused:
            await sharing.refuse(proposal, "the permission that was to go with it cannot be given")
            raise

    async def _decided(self, draft: Draft) -> Answer:
        """The person's decision; whatever keeps it from being made is a refusal, and is written down as one."""
        sharing = self._context.services.sharing
        review = Review(self._parent.window(), self._context, draft)
        try:
            answer = await review.run()
        except BaseException as error:
            if review.proposal is not None:
                cut = isinstance(error, asyncio.CancelledError)
                await sharing.refuse(review.proposal, "the window closed or locked before an answer" if cut else "it came to no answer")
            raise
        if not answer.yes:
            if review.proposal is not None:
                await sharing.refuse(review.proposal)
            self._banners.good(tr("Kept private. Nothing was sent."))
        return answer

    # -- what is said while it goes --------------------------------------------------------------------------------------------

    def _begin(self, proposal: Proposal) -> None:
        self._parcel = proposal.parcel.id
        self.begun.emit(proposal)
        self.bar.begin(
            tr("Sending {size} to {company}…", size=words.size(proposal.size), company=tr_core(proposal.parcel.destination.company))
        )

    def _sent(self, event: Sending, proposal: Proposal) -> None:
        company, total = tr_core(proposal.parcel.destination.company), words.size(event.total)
        if event.sent >= event.total:
            self.bar.at(tr("{size} sent to {company}; waiting for the answer…", size=total, company=company), event.sent, None)
        else:
            said = tr("Sending {sent} of {total} to {company}…", sent=words.size(event.sent), total=total, company=company)
            self.bar.at(said, event.sent, event.total)

    def _say_grant(self, grant: Grant, count: int) -> None:
        """The quiet notice of what goes without being asked for."""
        company = tr_core(grant.destination.company)
        parts = [tr("Sent to {company} without asking, because you allowed it.", company=company)]
        if grant.ends_at is not None:
            parts.append(tr("It is allowed until {time}.", time=words.clock(grant.ends_at)))
        if grant.items_left is not None:
            left = max(0, grant.items_left - count)
            parts.append(plural(left, "{count} more photo may go.", "{count} more photos may go."))
        self._banners.good(" ".join(parts), (tr("Stop this"), lambda: self._revoke(grant)))

    def _revoke(self, grant: Grant) -> None:
        self._context.tasks.start(self._context.services.sharing.revoke(grant.id))

    def _forbidden(self, error: TermsForbid, draft: Draft) -> None:
        """Say why; where people in the picture are the reason, a copy with covered faces may do."""
        acts = (Act(tr("Cover the faces"), lambda: self._cover(draft)),) if draft.no_people and not _covered(draft) else ()
        self._banners.warn(Explanation(error.what, error.why, tr("Use the mirror or a local server instead.")), *acts)

    def _cover(self, draft: Draft) -> None:
        if not self.busy:
            self._context.tasks.start(self._covering(draft), key=KEY, then=self.over.emit)

    async def _covering(self, draft: Draft) -> None:
        sharing = self._context.services.sharing
        self._banners.good(tr("Looking for faces…"))
        choices = []
        for choice in draft.pictures or tuple(PictureChoice(item) for item in draft.items):
            findings = await sharing.look(choice.item, choice.at_ms)
            covers = sharing.advice(draft.destination_id, [findings]).covers[0]
            choices.append(replace(choice, edit=Edit((*choice.edit.covers, *covers), choice.edit.crop)))
        await self._asking(replace(draft, pictures=tuple(choices)))


def _covered(draft: Draft) -> bool:
    return any(choice.edit.covers for choice in draft.pictures)
