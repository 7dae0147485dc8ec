"""What the sessions of all drivers have in common: a link that stands or is gone, news of it, photos held here, an order, and time.

No radio here: a driver hands in notifications and the loss of the link, and its session turns them into state and events. All of it lives
on the radio's loop; every method is quick, and none waits save those that are coroutines.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Generic, Protocol, TypeVar

from ble.errors import CameraSilent, GlassesError, ProtocolFault, Unsupported, link_lost
from ble.event_queue import EventQueue
from ble.types import (
    CaptureDamaged,
    CaptureOffered,
    CaptureProgress,
    DeviceInfo,
    GlassesEvent,
    GlassesStatus,
    LinkClosed,
    Offer,
    StatusChanged,
)

MOST_HELD = 64
MOST_HELD_BYTES = 64 << 20
"""Photos held for one link, and their bytes. What comes on top is told as damaged: those before it may be on their way to the vault."""
_PIECE = 64 * 1024
PROGRESS_SECONDS = 0.25
"""Between two tellings of the progress of a photo."""

Outcome = TypeVar("Outcome")
Outcome_co = TypeVar("Outcome_co", covariant=True)


class Session:
    """One link: whether it stands, and what is told of it."""

    def __init__(self, utc: Callable[[], datetime]) -> None:
        self.open = True
        """Whether the link stands."""
        self.info = DeviceInfo()
        self.status = GlassesStatus()
        self.events: EventQueue[GlassesEvent] = EventQueue((StatusChanged, CaptureProgress), (CaptureDamaged,))
        self._loop = asyncio.get_running_loop()
        self._utc = utc
        self._leaving = False

    def check(self) -> None:
        """Raises LinkLost when the link is gone."""
        if not self.open:
            raise link_lost()

    def leaves(self) -> None:
        """The link is about to be closed from this side."""
        self._leaving = True

    def ended(self) -> None:
        """The link is gone, for whatever reason; idempotent. Photos held here stay until they are released."""
        if not self.open:
            return
        self.open = False
        self._let_go()
        self.events.put(LinkClosed(wanted=self._leaving))
        self.events.close()

    def _let_go(self) -> None:
        """Give up everything that needs the link."""

    def change(self, status: GlassesStatus) -> None:
        """Keep `status`, and tell of it if it is any news."""
        if status != self.status:
            self.status = status
            self.events.put(StatusChanged(status))

    def battery(self, percent: int | None) -> None:
        """A reading; what is no percentage is none."""
        if self.open and percent is not None and 0 <= percent <= 100:
            self.change(replace(self.status, battery=percent, battery_at=self._utc()))

    def battery_notified(self, value: bytes) -> None:
        """One byte of percent (Battery Service 1.1, 3.1); anything else is no reading."""
        if len(value) == 1:
            self.battery(value[0])

    def received(self) -> None:
        """Count one more capture that came, or can be fetched."""
        self.change(replace(self.status, received=self.status.received + 1))

    def damaged(self, reason: str) -> None:
        """Count and tell a capture that can't be had."""
        self.events.put(CaptureDamaged(reason, self._utc()))
        self.change(replace(self.status, damaged=self.status.damaged + 1))

    def no_interval(self, on: bool) -> None:
        """`set_continuous` of glasses that can't: asking for none is always fine. Raises Unsupported, LinkLost."""
        self.check()
        if on:
            raise Unsupported(
                "These glasses take no photos at intervals.", "They take one when asked.", "Use their button, or ask for one."
            )
        self.change(replace(self.status, continuous=False))


class HoldingSession(Session):
    """And photos that are held here until they are released, since the glasses keep none of them."""

    def __init__(self, utc: Callable[[], datetime]) -> None:
        super().__init__(utc)
        self._held: dict[str, bytes] = {}

    def hold(self, offer: Offer, data: bytes) -> None:
        """Hold a photo that arrived whole, and offer it. Raises ProtocolFault when no more can be held, which is told as damaged."""
        if len(self._held) >= MOST_HELD or sum(map(len, self._held.values())) + len(data) > MOST_HELD_BYTES:
            reason = f"{len(self._held)} photos are already waiting to be stored"
            self.damaged(reason)
            raise arrived_damaged(reason)
        self._held[offer.id] = data
        self.events.put(CaptureOffered(replace(offer, size=len(data))))
        self.received()

    def holds(self, offer_id: str) -> bool:
        return offer_id in self._held

    async def pieces(self, offer_id: str, offset: int) -> AsyncIterator[bytes]:
        """The bytes of a held photo; after the link is gone, too. Raises ProtocolFault for one that was released or never offered."""
        data = self._held.get(offer_id)
        if data is None:
            raise ProtocolFault("This photo is no longer there.", "It was released, or never offered.", "Take the photo again.")
        for start in range(max(0, offset), len(data), _PIECE):
            yield data[start : start + _PIECE]

    def release(self, offer_id: str) -> None:
        self._held.pop(offer_id, None)


class Stream(Protocol[Outcome_co]):
    """What puts photos together from notifications: pure, and never raising, whatever it is fed."""

    @property
    def receiving(self) -> bool:
        """Whether a photo is on its way and still sound."""

    @property
    def received(self) -> int:
        """Bytes of the photo on its way."""

    @property
    def total(self) -> int | None:
        """Bytes it will have, if the glasses said so."""

    @property
    def heard(self) -> float:
        """When something of a photo last came."""

    @property
    def deadline(self) -> float | None:
        """When `tick` has something to do if nothing is fed until then."""

    def feed(self, value: bytes, now: float) -> tuple[Outcome_co, ...]:
        """One notification, as it came."""

    def tick(self, now: float) -> tuple[Outcome_co, ...]:
        """Let time pass."""


@dataclass(slots=True)
class Order:
    """A photo that was asked for. `name`: what sets it apart on the air, if anything does.

    Without a word for `silence` seconds it fails, and after `longest` whatever is heard; both count until it has `begun`.
    """

    name: str | int | None
    done: asyncio.Future[None]
    at: float
    heard: float
    silence: float
    longest: float
    begun: bool = False

    def deadline(self, heard: float) -> float | None:
        """When to give it up; `heard`: when something of any photo last came, for then the camera can't be blamed."""
        if self.begun or self.done.done():
            return None
        return min(max(self.heard, heard) + self.silence, self.at + self.longest)


class StreamSession(HoldingSession, Generic[Outcome]):
    """And photos that come in notifications, put together by a `Stream`; with one order at a time, and a clock."""

    def __init__(self, utc: Callable[[], datetime], stream: Stream[Outcome]) -> None:
        super().__init__(utc)
        self._stream = stream
        self._tell_at = -math.inf
        self._order: Order | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = math.inf
        self._quiet = asyncio.Event()

    def notified(self, value: bytes) -> None:
        """One notification of the photo stream."""
        if not self.open:
            return
        now = self._loop.time()
        outcomes = self._stream.feed(value, now)
        if outcomes or now >= self._tell_at:  # else one more part of a photo, as nearly all are; the timer was armed at its beginning
            self._take_in(outcomes)
            self._arm()

    def _take_in(self, outcomes: tuple[Outcome, ...]) -> None:
        for outcome in outcomes:
            self._take(outcome)
        received = self._stream.received
        if received:
            self.events.put(CaptureProgress(received, self._stream.total))
        self._tell_at = self._loop.time() + PROGRESS_SECONDS if received else -math.inf
        if not self._stream.receiving:
            self._quiet.set()

    def _take(self, outcome: Outcome) -> None:
        """Turn one outcome into state and events."""
        raise NotImplementedError

    def _let_go(self) -> None:
        self._disarm()
        self._fail_order(link_lost())
        self._quiet.set()

    # -- the order ------------------------------------------------------------------------------------------------------------------

    def _begin_order(self, name: str | int | None, silence: float, longest: float) -> asyncio.Future[None]:
        """Begin to wait for a photo; one asked for before is forgotten. The future fails with CameraSilent, LinkLost, ProtocolFault."""
        self.check()
        self.forget_order()
        now = self._loop.time()
        self._order = Order(name, self._loop.create_future(), now, now, silence, longest)
        self._arm()
        return self._order.done

    def forget_order(self) -> None:
        order, self._order = self._order, None
        if order is not None and not order.done.cancel() and not order.done.cancelled():
            order.done.exception()  # seen, in case the order itself failed and nobody waited for its photo

    @property
    def _order_begun(self) -> bool:
        return self._order is not None and self._order.begun

    def _arrived(self, offer: Offer, data: bytes, *, ordered: bool) -> None:
        """A photo is whole. `ordered`: it is the one that was asked for."""
        try:
            self.hold(offer, data)
        except ProtocolFault as error:
            if ordered:
                self._fail_order(error)
            return
        if ordered and self._order is not None and not self._order.done.done():
            self._order.done.set_result(None)

    def _spoilt(self, reason: str, *, ordered: bool) -> None:
        """A photo did not arrive whole."""
        self.damaged(reason)
        if ordered:
            self._fail_order(arrived_damaged(reason))

    def _fail_order(self, error: GlassesError) -> None:
        if self._order is not None and not self._order.done.done():
            self._order.done.set_exception(error)

    # -- time -----------------------------------------------------------------------------------------------------------------------

    async def until_quiet(self, longest: float) -> None:
        """Wait until no photo is under way, at most `longest` seconds."""
        try:
            async with asyncio.timeout(longest):
                while self.open and self._stream.receiving:
                    self._quiet.clear()
                    await self._quiet.wait()
        except TimeoutError:
            pass

    def _arm(self) -> None:
        """Be called again when the stream or the order may have something to give up. A timer that comes too early does no harm."""
        order = self._order.deadline(self._stream.heard) if self._order is not None else None
        due = min((at for at in (self._stream.deadline, order) if at is not None), default=math.inf)
        if self.open and due < self._due:
            self._disarm()
            self._due, self._timer = due, self._loop.call_at(due, self._tick)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._due = None, math.inf

    def _tick(self) -> None:
        now = max(self._loop.time(), self._due)  # a loop may call early, by the resolution of its clock
        self._disarm()
        self._take_in(self._stream.tick(now))
        deadline = self._order.deadline(self._stream.heard) if self._order is not None else None
        if deadline is not None and now >= deadline:
            self._fail_order(camera_silent())
        self._arm()


def utc_now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


def id_of_live_photo(taken_at: datetime, data: bytes) -> str:
    """What a photo is known by that the glasses neither keep nor name: when it came, and what it is."""
    return f"{taken_at:%Y%m%dT%H%M%S.%f}-{hashlib.sha256(data).hexdigest()[:16]}"


def camera_silent() -> CameraSilent:
    return CameraSilent(
        "The camera did not respond.", "The glasses took the order and sent no photo.", "Switch the glasses off and on again."
    )


def arrived_damaged(reason: str) -> ProtocolFault:
    return ProtocolFault("The photo arrived damaged.", f"Of the photo, {reason}.", "Take the photo again.")
