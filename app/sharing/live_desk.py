"""What a front end asks of live looks: prepare, refuse or start, watch, stop. One at a time, and only from the person's own act."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from app.assistants import wire
from app.errors import EyelidError
from app.sharing import compare
from app.sharing.approval import LIFETIME
from app.sharing.errors import GateClosed, NotReady, SharingError
from app.sharing.live import SPACE, FrameSource, LiveLook, Tools
from app.sharing.live_lines import line_of_look
from app.sharing.live_types import MOST_FRAMES, MOST_MINUTES, SLOWEST, LiveDraft, LiveProposal, LiveView
from app.sharing.receipts import Ending
from app.sharing.shaping import frame_of, space_for
from app.sharing.terms import TermsBook
from app.sharing.types import Destination, Draft, Outcome, PolicyCard, Receipt
from app.vault.errors import VaultLocked
from app.vault.types import ItemId, LockState

Ready = Callable[[Draft], Awaitable[tuple[Destination, PolicyCard]]]
Now = Callable[[str], tuple[Destination | None, PolicyCard]]
Later = Callable[[Receipt, str], None]

_WHAT = "This live look cannot begin."
_ANY_ITEM = ItemId("0" * 32)


class LiveDesk:
    """Owns the look under way, and the one that waits for an answer."""

    def __init__(self, tools: Tools, terms: TermsBook, ready: Ready, now: Now, closed: Callable[[], bool], later: Later) -> None:
        """`ready` raises what keeps a draft from being sent, `now` says what counts now for a destination, `closed` whether AI is off.

        `later` takes the line of a refusal that the locked vault cannot take yet, and its reason.
        """
        self._tools = tools
        self._terms = terms
        self._ready = ready
        self._now = now
        self._off = closed
        self._later = later
        self._waiting: LiveProposal | None = None
        self._look: LiveLook | None = None
        self.source: FrameSource | None = None
        """Where frames come from; without one there are no live looks."""

    @property
    def view(self) -> LiveView | None:
        """The look under way, or else the last one since the vault was unlocked."""
        return self._look.view if self._look else None

    @property
    def running(self) -> bool:
        return self._look is not None and self._look.view.running

    def stands(self, look_id: str) -> bool:
        """Whether frames of this look may go; for the gate."""
        return self._look is not None and self._look.view.id == look_id and self._look.stands

    def under_way(self) -> frozenset[str]:
        """The look whose end is not written yet; safe from any thread."""
        look = self._look
        return frozenset({look.view.id}) if look is not None and look.view.running else frozenset()

    async def prepare(self, draft: LiveDraft) -> LiveProposal:
        """What is to be said yes to. Nothing leaves, and the glasses are not asked for anything.

        Raises NotReady, TermsForbid, DestinationError, GateClosed (AI is off), CourierGone, VaultLocked.
        """
        self._check(draft)
        self._source.check(draft.glasses)
        destination, card = await self._ready(Draft((_ANY_ITEM,), draft.question, draft.destination_id))
        changes = await self._tools.lanes.vault(self._terms.changes, card)
        form = wire(destination.wire)
        space = space_for(form.limits, 1, len(draft.question))
        frame = min(form.limits.body_bytes, frame_of(min(SPACE.jpeg_bytes, space.jpeg_bytes), len(draft.question)))
        covers = card.may_train if draft.cover_faces is None else draft.cover_faces
        notes = tuple(f"The terms have changed since you last sent something there. {compare.change_words(each)}" for each in changes)
        at = self._tools.clock()
        self._waiting = LiveProposal(secrets.token_hex(16), draft, destination, card, covers, frame, changes, notes, at)
        return self._waiting

    @property
    def _source(self) -> FrameSource:
        if self.source is None:
            raise NotReady(_WHAT, "There are no glasses here that take photos by themselves.", "Pair some first.")
        return self.source

    def _check(self, draft: LiveDraft) -> None:
        if self.running:
            raise NotReady(_WHAT, "Another one is under way.", "Stop it first.")
        if not (1 <= draft.frames <= MOST_FRAMES and 1 <= draft.minutes <= MOST_MINUTES and 1 <= draft.every <= SLOWEST):
            why = f"At most {MOST_FRAMES} frames in {MOST_MINUTES} minutes can go, one every 1 to {SLOWEST} seconds."
            raise NotReady(_WHAT, why, "Choose less.")

    async def refuse(self, proposal: LiveProposal, reason: str = "kept private") -> Receipt:
        """No: the receipt says so. Raises VaultLocked, and then the line waits for the next unlock."""
        waited = self._waiting is proposal
        if waited:
            self._waiting = None
        try:
            return await self._write(proposal, Ending(Outcome.REFUSED, reason))
        except VaultLocked:
            if waited:
                self._later(line_of_look(proposal), reason)
            raise

    async def _write(self, proposal: LiveProposal, ending: Ending) -> Receipt:
        receipt = await self._tools.lanes.vault(self._tools.book.add_line, line_of_look(proposal), ending)
        self._tools.written(receipt)
        return receipt

    async def start(self, proposal: LiveProposal) -> LiveView:
        """Yes: only ever from the person's own act. Raises GateClosed when what was looked at no longer stands, VaultLocked, NotReady."""
        waiting, self._waiting = self._waiting, None
        if waiting is not proposal or self.running:
            raise _late("What you looked at no longer stands.")
        try:
            return await self._begin(proposal)
        except VaultLocked:
            self._later(line_of_look(proposal), "the vault was locked")
            raise
        except SharingError as error:
            with contextlib.suppress(EyelidError, OSError):
                await self._write(proposal, Ending(Outcome.NOT_SENT, str(error)))
            raise

    async def _begin(self, proposal: LiveProposal) -> LiveView:
        source = self._source
        source.check(proposal.draft.glasses)
        # From here on there is one under way: another cannot begin, and whoever stops it is heard.
        before, self._look = self._look, LiveLook(proposal, self._tools)
        look = self._look
        try:
            await self._tools.lanes.vault(self._terms.remember, proposal.card, self._tools.clock())
            # Remembering the terms took time, in which much may have changed: the last look counts.
            self._last_look(proposal, self._tools.clock())
            if look.view.why:
                raise GateClosed("Nothing was sent.", look.view.why, "Start another one.")
            await look.begin(source)
        except BaseException:
            self._look = before
            look.drop()
            raise
        return look.view

    def _last_look(self, proposal: LiveProposal, now: datetime) -> None:
        if self._off():
            raise GateClosed("Nothing was sent.", "AI is switched off.", "Switch it on in the settings first.")
        if self._tools.vault.state is not LockState.UNLOCKED:
            raise VaultLocked
        if not timedelta() <= now - proposal.created_at < LIFETIME:
            raise _late("You looked at it too long ago.")
        if self._now(proposal.destination.id) != (proposal.destination, proposal.card):
            raise _late("The destination, or what is known of its terms, has changed.")

    async def stop(self, why: str = "Stopped by you.") -> None:
        """End the look under way, from anywhere and at any time; returns when its end is written. Without one: nothing."""
        look = self._look
        if look is not None:
            look.end(why)
            await look.ended.wait()

    async def close(self) -> None:
        """Eyelid ends: stop, and take what waited for an answer for a no."""
        waiting, self._waiting = self._waiting, None
        if waiting:
            with contextlib.suppress(EyelidError, OSError):
                await self._write(waiting, Ending(Outcome.REFUSED, "Eyelid ended before it was answered"))
        await self.stop("Eyelid ended.")

    def end(self, why: str) -> None:
        """As `stop`, without waiting."""
        if self._look is not None:
            self._look.end(why)

    def locked(self) -> None:
        """The vault has locked: end at once, show nothing any more, and take what waited for an answer for a no."""
        self.end("The vault was locked.")
        if self._look is not None:
            self._look.forget()
        waiting, self._waiting = self._waiting, None
        if waiting:
            self._later(line_of_look(waiting), "the vault was locked")


def _late(why: str) -> GateClosed:
    return GateClosed("Nothing was sent.", why, "Look at it again and decide anew.")
