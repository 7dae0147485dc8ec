"""The gate: the one function through which anything reaches an assistant.

`Gate.send` spends the approval, checks everything again, writes the line of intent, and only then hands the parcel to the courier; then it
writes how it ended. Each sending is a task of the gate's own, so that a window that closes halfway cannot lose its end.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Protocol

from app.assistants import AnswerPart, AnswerReader, Fault, Finished, Text, WireError, faults, wire
from app.courier.pipe import Answer, End, Message, Progress, Send, Status
from app.courier.pipe import Ending as Carried
from app.lanes import Lanes
from app.sharing.approval import METHOD, Approval, Approvals, NotApproved
from app.sharing.errors import CourierGone, GateClosed
from app.sharing.lines import Lines
from app.sharing.receipts import Ending
from app.sharing.types import AnswerText, Destination, Ended, Outcome, PolicyCard, Proposal, SendEvent, Sending
from app.vault.types import LockState

MAX_ANSWER = 4 * 1024 * 1024
CONNECT_SECONDS, IDLE_SECONDS, TOTAL_SECONDS = 15.0, 180.0, 900.0
"""Patience with a server: to connect, between two signs of life (a local model may think long before its first word), and in all."""


class Carrier(Protocol):
    """What the gate needs of the courier's link."""

    def send(self, order: Send) -> AsyncIterator[Message]: ...
    async def cancel(self, parcel_id: str) -> None: ...


class Lockable(Protocol):
    """What the gate needs of the vault: whether it is open."""

    @property
    def state(self) -> LockState: ...


@dataclass(frozen=True, slots=True)
class Present:
    """What counts now, asked for anew at each sending: the destination (None when gone), its card, its key, and whether a grant stands."""

    destination: Callable[[str], Destination | None]
    card: Callable[[str, str], PolicyCard]
    key: Callable[[str], str]
    stands: Callable[[str], bool]


@dataclass(slots=True)
class _Journey:
    """One sending under way."""

    proposal: Proposal
    approval: Approval
    lines: Lines
    tell: Callable[[SendEvent], None]
    cancelled: bool = False
    status: int | None = None
    request_id: str = ""
    reader: AnswerReader | None = None
    fault: Fault | None = None
    finished: Finished | None = None
    answer: str = ""


class Gate:
    """Owns the sendings under way and the switch that closes it whole."""

    def __init__(self, vault: Lockable, lanes: Lanes, courier: Carrier, approvals: Approvals, present: Present, lines: Lines) -> None:
        """`lines` is what is written of each sending, unless one brings its own."""
        self._vault = vault
        self._lanes = lanes
        self._courier = courier
        self._approvals = approvals
        self._present = present
        self._lines = lines
        self._journeys: dict[str, _Journey] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self.ai_off = False

    async def send(self, proposal: Proposal, approval: Approval, lines: Lines | None = None) -> AsyncIterator[SendEvent]:
        """Send the parcel, once, if the approval is for exactly it. Yields progress and answer; the last event is Ended.

        Raises GateClosed (NotApproved and others) when nothing was sent because the gate did not let it through, and whatever kept the
        line of intent from being written. Leaving the iterator early stops the sending.
        """
        inbox: asyncio.Queue[SendEvent | Exception] = asyncio.Queue()
        journey = _Journey(proposal, approval, lines or self._lines, inbox.put_nowait)
        task = asyncio.create_task(self._guarded(journey, inbox))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            while True:
                event = await inbox.get()
                if isinstance(event, Exception):
                    raise event
                yield event
                if isinstance(event, Ended):
                    return
        finally:
            if not task.done():
                await self._stop(journey)

    async def cancel(self, parcel_id: str) -> None:
        """Stop a sending. Its receipt says how many bytes had left."""
        if journey := self._journeys.get(parcel_id):
            await self._stop(journey)

    async def cancel_under(self, grant: str) -> None:
        """Stop what is on its way under this grant."""
        for journey in tuple(self._journeys.values()):
            if journey.approval.grant == grant:
                await self._stop(journey)

    async def cancel_all(self) -> None:
        for journey in tuple(self._journeys.values()):
            await self._stop(journey)

    def under_way(self) -> frozenset[str]:
        """The parcels whose end is not written yet; safe from any thread."""
        return frozenset(tuple(self._journeys))

    async def close(self) -> None:
        """Stop every sending and wait until its end is written. Nothing is let through afterwards."""
        self._closed = True
        await self.cancel_all()
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))

    async def _stop(self, journey: _Journey) -> None:
        journey.cancelled = True
        await self._courier.cancel(journey.proposal.parcel.id)

    async def _guarded(self, journey: _Journey, inbox: asyncio.Queue[SendEvent | Exception]) -> None:
        parcel_id = journey.proposal.parcel.id
        try:
            if parcel_id in self._journeys:
                raise NotApproved("This parcel is on its way already.")
            self._journeys[parcel_id] = journey
            try:
                await self._make(journey)
            finally:
                del self._journeys[parcel_id]
        except Exception as error:
            inbox.put_nowait(error)

    async def _make(self, journey: _Journey) -> None:
        proposal, approval, lines = journey.proposal, journey.approval, journey.lines
        try:
            await self._lanes.work(self._approvals.spend, approval, proposal.parcel)
            await self._check(journey)
        except GateClosed as refusal:
            await lines.withheld(proposal, approval, Ending(Outcome.NOT_SENT, str(refusal)))
            raise
        # From here on the world may know: the line of intent is durable before the first byte, or there is no first byte.
        await lines.intend(proposal, approval)
        ending = await self._carry(journey)
        journey.tell(Ended(await lines.end(proposal, approval, ending, journey.answer)))

    async def _check(self, journey: _Journey) -> str:
        """Raise GateClosed unless all that was shown still holds; returns the key, read last."""
        parcel = journey.proposal.parcel
        destination = parcel.destination
        key = ""
        if destination.needs_key:
            key = await self._lanes.work(self._present.key, destination.id)
            if not key:
                raise _closed(f"There is no key for {destination.label}.", "Enter one in the settings of the destination.")
        if self._present.destination(destination.id) != destination:
            raise _closed("The destination has changed since you looked.", "Look at it again and decide anew.")
        if self._present.card(destination.card_id, destination.model) != parcel.card:
            raise _closed("What is known of the terms has changed since you looked.", "Look at it again and decide anew.")
        if self._closed:
            raise _closed("Eyelid is ending.", "Start it again.")
        if self.ai_off:
            raise _closed("AI is switched off.", "Switch it on in the settings first.")
        if self._vault.state is not LockState.UNLOCKED:
            raise _closed("The vault is locked.", "Unlock it, look again and decide anew.")
        if self._approvals.expired(journey.approval):
            raise NotApproved("The approval has expired.")
        if journey.approval.grant and not self._present.stands(journey.approval.grant):
            raise NotApproved("What you had allowed stands no longer.")
        return key

    async def _carry(self, journey: _Journey) -> Ending:
        """Hand the parcel over and follow it to its end. Never raises: the line of intent wants its end."""
        parcel = journey.proposal.parcel
        try:
            # Writing the intent took time, in which the vault may have been locked or AI switched off: the last look counts.
            key = await self._check(journey)
            form = wire(parcel.destination.wire)
            order = make_order(journey.proposal, journey.approval, form.headers(key))
            if journey.cancelled:
                return Ending(Outcome.CANCELLED, "Stopped before anything was sent.")
            async for message in self._courier.send(order):
                if isinstance(message, End):
                    return replace(self._ending(journey, message), request_id=journey.request_id)
                self._follow(journey, message)
        except (GateClosed, CourierGone, WireError) as error:
            return Ending(Outcome.NOT_SENT, str(error))
        except Exception as error:
            why = f"A fault inside Eyelid ({type(error).__name__})."
        else:
            why = "The courier fell silent."
        with contextlib.suppress(Exception):  # whatever it was: nobody follows the parcel any more, so it is stopped if it still can be
            await self._courier.cancel(parcel.id)
        return Ending(Outcome.FAILED, why, len(parcel.body), journey.status)  # all of it may have left

    def _follow(self, journey: _Journey, message: Message) -> None:
        parcel = journey.proposal.parcel
        if isinstance(message, Progress):
            journey.tell(Sending(message.sent, len(parcel.body)))
        elif isinstance(message, Status):
            journey.status, journey.request_id = message.code, message.request_id
            journey.reader = wire(parcel.destination.wire).reader(message.code)
        elif isinstance(message, Answer) and journey.reader is not None:
            self._read(journey, journey.reader.feed(message.body))

    def _read(self, journey: _Journey, parts: list[AnswerPart]) -> None:
        for part in parts:
            if isinstance(part, Text):
                journey.answer += part.text
                journey.tell(AnswerText(part.text))
            elif isinstance(part, Fault):
                journey.fault = part
            else:
                journey.finished = part

    def _ending(self, journey: _Journey, end: End) -> Ending:
        """What the receipt says of how the courier's work ended."""
        if end.ending is Carried.DONE and journey.reader is not None:
            self._read(journey, journey.reader.close())
            outcome = Outcome.ANSWERED if journey.finished and journey.fault is None else Outcome.FAILED
            return Ending(outcome, _words(end.status, journey), end.sent, end.status)
        if end.ending is Carried.CANCELLED or (journey.cancelled and end.ending is Carried.LOST):
            return Ending(Outcome.CANCELLED, _stopped(end.sent, len(journey.proposal.parcel.body)), end.sent, end.status)
        outcome = Outcome.FAILED if end.sent else Outcome.NOT_SENT
        return Ending(outcome, end.detail, end.sent, end.status)


def make_order(proposal: Proposal, approval: Approval, headers: tuple[tuple[str, str], ...]) -> Send:
    """The courier's order: what was approved, from the approval, beside what is to be done, from the parcel."""
    parcel = proposal.parcel
    destination = parcel.destination
    return Send(
        parcel_id=parcel.id,
        approval_id=approval.id,
        approved_sha256=approval.sha256,
        approved_size=approval.size,
        approved_origin=approval.origin,
        approved_method=approval.method,
        approved_path=approval.path,
        expires_at=approval.expires_at.timestamp(),
        origin=destination.origin,
        method=METHOD,
        path=destination.path,
        headers=headers,
        loopback_only=destination.local,
        max_answer=MAX_ANSWER,
        connect_timeout=CONNECT_SECONDS,
        idle_timeout=IDLE_SECONDS,
        total_timeout=TOTAL_SECONDS,
        body=parcel.body,
    )


def _words(status: int | None, journey: _Journey) -> str:
    """A sentence for a whole answer that is none, or that was cut; empty for a good one."""
    if journey.fault is not None:
        return faults.words(status or 0, journey.fault.code, journey.fault.what)
    return faults.ENDINGS.get(journey.finished.reason, "") if journey.finished else ""


def _stopped(sent: int, total: int) -> str:
    if not sent:
        return "Stopped before anything was sent."
    if sent >= total:
        return f"Stopped on request. All of {total} bytes had left by then."
    return f"Stopped on request. {sent} of {total} bytes had left by then."


def _closed(why: str, action: str) -> GateClosed:
    return GateClosed("Nothing was sent.", why, action)
