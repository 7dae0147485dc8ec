"""The sharing desk: what a window or the command line asks of sharing. Prepare, then approve or refuse, then send.

Owns the gate, the approvals, and the proposals that wait for an answer. To be used on the loop it was made on.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import datetime
from typing import Any

from app.errors import EyelidError, explain
from app.events import EventHub, GrantsChanged, ItemsChanged, LiveChanged, ReceiptAdded, Trouble
from app.lanes import Lanes
from app.sharing import marks, parcel, servers
from app.sharing.approval import Approval, Approvals, now
from app.sharing.cards import CardBook
from app.sharing.courier_link import CourierLink
from app.sharing.destinations import MIRROR, DestinationBook
from app.sharing.errands import Errands
from app.sharing.errors import GateClosed, NotReady
from app.sharing.gate import Gate, Present
from app.sharing.grant_desk import GrantDesk
from app.sharing.grants import Grant, GrantEnded, Grants, GrantWish
from app.sharing.lines import BookLines
from app.sharing.live import Tools
from app.sharing.live_desk import LiveDesk
from app.sharing.look_desk import LookDesk
from app.sharing.looking import Looker, Looking, NoLooker
from app.sharing.proposal_maker import ProposalMaker
from app.sharing.receipt_desk import ReceiptDesk
from app.sharing.receipts import Ending, ReceiptBook, line_of
from app.sharing.terms import TermsBook
from app.sharing.types import (
    Destination,
    Draft,
    Outcome,
    PolicyCard,
    Proposal,
    Receipt,
    SendEvent,
)
from app.vault.errors import VaultLocked
from app.vault.types import Exchange, ItemId, LockState
from app.vault.vault import Vault


class SharingDesk(GrantDesk, LookDesk, ReceiptDesk):
    """One a vault. `approve` is only ever to be called from the person's own act."""

    def __init__(
        self,
        vault: Vault,
        lanes: Lanes,
        courier: CourierLink,
        events: EventHub,
        destinations: DestinationBook,
        cards: CardBook | None = None,
        clock: Callable[[], datetime] = now,
        looker: Looker | None = None,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        """Without a `looker`, nothing is ever checked for faces, and everything says so. `elapsed` is for `Grants`."""
        super().__init__(vault, lanes, ReceiptBook(vault, clock), self._card, clock)
        self._courier = courier
        self._events = events
        self._loop = asyncio.get_running_loop()
        self.book = destinations
        self._cards = cards or CardBook()
        self._approvals = Approvals(clock)
        self._grants = Grants(self._destination, self._card, clock, self._grants_changed, elapsed)
        self._terms = TermsBook(vault)
        self._region = ""
        self.looking = Looking(vault, lanes, looker or NoLooker())
        self._maker = ProposalMaker(vault, lanes, self.looking, self._terms, self._receipts, clock)
        present = Present(self._destination, self._card, destinations.keys.get, self._stands)
        self._gate = Gate(vault, lanes, courier, self._approvals, present, BookLines(self._receipts, lanes, self._after))
        self._errands = Errands(vault, lanes, courier, self._receipts, present, lambda: self.ai_off, self._written, clock)
        self._waiting: dict[str, Proposal] = {}
        self._unwritten: list[tuple[Receipt, str]] = []
        self.live = LiveDesk(self._live_tools(elapsed), self._terms, self._ready, self._now, lambda: self.ai_off, self._write_later)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False
        self._locks = 0
        destinations.on_change(self._grants.recheck)
        vault.on_state(self._vault_state)
        self._vault_state(vault.state)

    def _live_tools(self, elapsed: Callable[[], float]) -> Tools:
        return Tools(
            vault=self._vault,
            lanes=self._lanes,
            gate=self._gate,
            approvals=self._approvals,
            book=self._receipts,
            looking=self.looking,
            clock=self._clock,
            elapsed=elapsed,
            tell=lambda view: self._events.publish(LiveChanged(view)),
            written=self._written,
            changed=lambda items: self._events.publish(ItemsChanged(items)),
        )

    def _stands(self, name: str) -> bool:
        """Whether what was allowed under this name still is: a grant, or a live look."""
        return self._grants.stands(name) or self.live.stands(name)

    @property
    def region(self) -> str:
        """The code of the place whose terms count."""
        return self._region

    @region.setter
    def region(self, code: str) -> None:
        self._region = code
        self._grants.recheck()

    @property
    def ai_off(self) -> bool:
        """Whether the gate is closed whole."""
        return self._gate.ai_off

    @ai_off.setter
    def ai_off(self, off: bool) -> None:
        """Closing also withdraws every approval and every grant that stands, and stops what is on its way."""
        self._gate.ai_off = off
        if off:
            self._approvals.void_all()
            self._grants.void_all("AI was switched off.")
            self.live.end("AI was switched off.")
            self._spawn(self._stop_all())

    # -- the road of a parcel

    async def prepare(self, draft: Draft, instead_of: Proposal | None = None) -> Proposal:
        """Make the exact request of a draft, and what it shows. Nothing leaves.

        `instead_of` is what the person has just changed: it no longer stands, and is no refusal. Raises NotReady, TermsForbid, CoverFailed,
        NothingLeft, DestinationError, GateClosed (AI is off), CourierGone, VaultLocked and the errors of items and media.
        """
        destination, card = await self._ready(draft)
        locks = self._locks
        proposal = await self._maker.make(draft, destination, card)
        if locks != self._locks or self._vault.state is not LockState.UNLOCKED:
            raise VaultLocked  # what was made before a lock does not outlive it
        if instead_of is not None:
            self._waiting.pop(instead_of.parcel.id, None)
        self._waiting[proposal.parcel.id] = proposal
        return proposal

    async def _ready(self, draft: Draft) -> tuple[Destination, PolicyCard]:
        """Where a draft would go, and under which terms. Raises what keeps it from going there."""
        if self.ai_off:
            raise GateClosed("Nothing can be sent.", "AI is switched off.", "Switch it on in the settings first.")
        if draft.destination_id == MIRROR:
            await self._courier.ready()
        destination = self._known_or_mirror(draft.destination_id)
        card = self._card(destination.card_id, destination.model)
        parcel.check_draft(draft, destination, card)
        if destination.needs_key and not await self._lanes.work(self.book.keys.get, destination.id):
            raise NotReady("This cannot be sent as it is.", f"There is no key for {destination.label}.", "Enter one in the settings.")
        await servers.prove_local(self._errands, destination)
        await servers.prove_nothing_is_kept(self._errands, destination)
        return destination, card

    async def conversation(self, item: ItemId, destination_id: str) -> tuple[Exchange, ...]:
        """What was asked about `item` there before, oldest first: `Draft.earlier` takes the receipts of those to go on from."""
        return await self._maker.exchanges(item, self._known_or_mirror(destination_id))

    async def again(self, draft: Draft) -> str:
        """One line that says that captures of `draft` go to the same company again; empty when none does. Raises VaultLocked."""
        return await self._maker.again(draft.items, self._known_or_mirror(draft.destination_id))

    async def refuse(self, proposal: Proposal, reason: str = "kept private") -> Receipt:
        """Keep it private; the receipt says so. Raises VaultLocked: then the line is written at the next unlock.

        It is written also when whoever waits for it is called off, as a lock does more than once.
        """
        waited = self._waiting.pop(proposal.parcel.id, None) is not None
        writing = asyncio.ensure_future(self._refusing(line_of(proposal), reason, waited))
        self._tasks.add(writing)
        writing.add_done_callback(self._tasks.discard)
        return await asyncio.shield(writing)

    async def _refusing(self, line: Receipt, reason: str, waited: bool) -> Receipt:
        try:
            return await self._write_refusal(line, reason)
        except VaultLocked:
            if waited:
                self._unwritten.append((line, reason))
            raise

    def _write_later(self, line: Receipt, reason: str) -> None:
        self._unwritten.append((line, reason))

    async def _write_refusal(self, line: Receipt, reason: str) -> Receipt:
        receipt = await self._lanes.vault(self._receipts.add_line, line, Ending(Outcome.REFUSED, reason))
        self._events.publish(ReceiptAdded(receipt))
        return receipt

    async def approve(self, proposal: Proposal, wish: GrantWish | None = None) -> Approval:
        """Grant the approval: only ever from the person's own act. Raises GateClosed when the answer came too late.

        With `wish`, later ones like it may go without being asked for. Raises GrantRefused where that cannot be, and approves nothing.
        """
        wish = self._checked(proposal, wish)
        if self._waiting.get(proposal.parcel.id) is proposal and not self.ai_off and self._vault.state is LockState.UNLOCKED:
            await self._lanes.vault(self._terms.remember, proposal.parcel.card, self._clock())
        # Remembering the terms took time, in which the answer may have come too late.
        if self._waiting.pop(proposal.parcel.id, None) is not proposal or self.ai_off or self._vault.state is not LockState.UNLOCKED:
            raise GateClosed("Nothing was sent.", "What you looked at no longer stands.", "Look at it again and decide anew.")
        return self._approvals.grant(proposal, note=self._give(proposal, wish) if wish else "")

    def send(self, proposal: Proposal, approval: Approval) -> AsyncIterator[SendEvent]:
        """Send through the gate; see `Gate.send` for what is yielded and raised."""
        return self._gate.send(proposal, approval)

    async def cancel(self, parcel_id: str) -> None:
        """Stop a sending; its receipt says how many bytes had left."""
        await self._gate.cancel(parcel_id)

    async def close(self) -> None:
        """Stop what is on its way and write its end; to be called before the courier and the vault are closed."""
        self._closed = True
        self._approvals.void_all()
        self._grants.void_all("Eyelid ended.")
        waiting = tuple(self._waiting.values())
        self._waiting.clear()
        for proposal in waiting:
            with contextlib.suppress(EyelidError, OSError):
                await self._write_refusal(line_of(proposal), "Eyelid ended before it was answered")
        await self.live.close()
        await self._gate.close()
        await self._errands.close()
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))

    async def _after(self, proposal: Proposal, receipt: Receipt, answer: str) -> None:
        """Bytes left, or not: the receipt is there; now the items shall say so too."""
        self._events.publish(ReceiptAdded(receipt))
        if not receipt.bytes_sent:
            return
        try:
            about = proposal.parcel.draft.about
            changed = await self._lanes.vault(marks.mark, self._vault, receipt, proposal.question, answer, about)
        except (EyelidError, OSError):
            return  # locked meanwhile: `_catch_up` marks them from the receipt at the next unlock
        self._events.publish(ItemsChanged(changed))

    def _grants_changed(self, standing: tuple[Grant, ...], gone: tuple[GrantEnded, ...]) -> None:
        self._events.publish(GrantsChanged(standing, gone))

    def _vault_state(self, state: LockState) -> None:
        """Called by the vault, on whichever thread changed its state."""
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody is left to be told
            self._loop.call_soon_threadsafe(self._state_changed, state)

    def _state_changed(self, state: LockState) -> None:
        if self._closed:
            return
        if state is LockState.UNLOCKED:
            self._spawn(self._catch_up())
        elif state is LockState.LOCKED:
            self._locks += 1
            self._approvals.void_all()
            self._grants.void_all("The vault was locked.")
            self._unwritten += [(line_of(proposal), "the vault was locked") for proposal in self._waiting.values()]
            self._waiting.clear()
            self.live.locked()
            self._terms.forget()
            self._spawn(self.looking.forget())
            self._spawn(self._stop_all())

    async def _stop_all(self) -> None:
        await self._gate.cancel_all()
        await self._errands.cancel_all()

    def _written(self, receipt: Receipt) -> None:
        self._events.publish(ReceiptAdded(receipt))

    def _under_way(self) -> frozenset[str]:
        return self._gate.under_way() | self._errands.under_way() | self.live.under_way()

    async def _catch_up(self) -> None:
        """After an unlock: write refusals that had to wait, end lines of intent that a crash left open, mark items from receipts."""
        while self._unwritten:  # one that cannot be written now either waits on, and with it those behind
            waiting = self._unwritten.pop(0)  # at once: another unlock may be doing the same
            try:
                await self._write_refusal(*waiting)
            except BaseException:
                self._unwritten.insert(0, waiting)
                raise
        closed, changed = await self._lanes.vault(marks.catch_up, self._vault, self._receipts, self._under_way)
        for receipt in closed:
            self._events.publish(ReceiptAdded(receipt))
        if changed:
            self._events.publish(ItemsChanged(changed))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # nobody waits for it: tell the person instead of losing it
            self._events.publish(Trouble(explain(error)))
