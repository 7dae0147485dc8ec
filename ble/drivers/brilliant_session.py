"""What happens on one link to Frame or Halo: notifications in, events out, photos held, an order waited for.

No radio here: the driver hands in notifications and the loss of the link, and this turns them into state.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from ble.drivers import brilliant_profile as profile
from ble.drivers.brilliant_stream import AppStream, Battery, Begun, Flaw, Grown, Heard, Outcome, PhotoStream, Refused, Spoilt, Whole
from ble.errors import CameraSilent, GlassesError, LinkLost, ProtocolFault
from ble.event_queue import EventQueue
from ble.types import (
    CaptureDamaged,
    CaptureKind,
    CaptureOffered,
    CaptureProgress,
    GlassesEvent,
    GlassesStatus,
    LinkClosed,
    Offer,
    StatusChanged,
)

MOST_HELD = 64
MOST_HELD_BYTES = 64 << 20
PROGRESS_STEP = 4096
"""Bytes between two tellings of progress."""


@dataclass(slots=True)
class _Order:
    """A photo that was asked for. `token` is that of the command; None where the stream does not name it. `begun` once its photo came."""

    token: int | None
    done: asyncio.Future[None]
    at: float
    begun: bool = False

    def is_of(self, token: int | None) -> bool:
        return self.token is None or self.token == token


class BrilliantSession:
    """State of one link. Lives on the radio's loop; every method is quick and none waits, save `until_quiet`."""

    def __init__(self, utc: Callable[[], datetime], timing: profile.Timing) -> None:
        self._loop = asyncio.get_running_loop()
        self._utc = utc
        self._timing = timing
        self._model = profile.FRAME
        self._stream: PhotoStream = AppStream(self._model, timing=timing)
        self._listening = False
        self._held: dict[str, bytes] = {}
        self._taken_at = utc()
        self._told = 0
        self._order: _Order | None = None
        self._awaited: dict[tuple[int, int], asyncio.Future[None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._quiet = asyncio.Event()
        self._open = True
        self._leaving = False
        self.on_spoilt: Callable[[int], None] = lambda _: None
        """Called with its number when a photo is given up while the glasses still send it."""
        self.status = GlassesStatus()
        self.events: EventQueue[GlassesEvent] = EventQueue((StatusChanged, CaptureProgress), (CaptureDamaged,))

    def starts(self, model: profile.Model, stream: PhotoStream) -> None:
        """The camera program is about to run; photos may come from now on."""
        self._model = model
        self._stream = stream
        self._listening = True
        self._arm()

    # -- what the glasses say -------------------------------------------------------------------------------------------------------

    def packet(self, data: bytes) -> None:
        """A binary notification, without its data marker."""
        if self._open and self._listening:
            self._take_in(self._stream.feed(data, self._loop.time()))
            self._arm()

    def complaint(self, text: str) -> None:
        """The program ended in an error, or reports one the only way the stock stream has."""
        if self._order is not None:
            self._take_in((Refused(self._order.token, text),))

    def battery(self, percent: int) -> None:
        if self._open and 0 <= percent <= 100:
            self.change(replace(self.status, battery=percent, battery_at=self._utc()))

    def battery_notified(self, value: bytes) -> None:
        """One byte of percent (Battery Service 1.1, 3.1); anything else is no reading."""
        if len(value) == 1:
            self.battery(value[0])

    def ended(self) -> None:
        """The link is gone, for whatever reason; idempotent. The photos held stay until they are released."""
        if not self._open:
            return
        self._fail_order(link_lost())
        self._take_in(self._stream.lost())
        self._open = False
        if self._timer is not None:
            self._timer.cancel()
        for waiting in self._awaited.values():
            if not waiting.done():
                waiting.set_exception(link_lost())
        self._quiet.set()
        self.events.put(LinkClosed(wanted=self._leaving))
        self.events.close()

    # -- what the driver asks -------------------------------------------------------------------------------------------------------

    @property
    def receiving(self) -> bool:
        return self._stream.receiving

    def check_link(self) -> None:
        """Raises LinkLost when there is none."""
        if not self._open:
            raise link_lost()

    def change(self, status: GlassesStatus) -> None:
        self.status = status
        self.events.put(StatusChanged(status))

    def expect(self, code: int, token: int) -> asyncio.Future[None]:
        """Begin to wait for the app to say that it has a command. Forget it with `unexpect`."""
        self.check_link()
        return self._awaited.setdefault((code, token), self._loop.create_future())

    def unexpect(self, code: int, token: int) -> None:
        waiting = self._awaited.pop((code, token), None)
        if waiting is not None and not waiting.cancel() and not waiting.cancelled():
            waiting.exception()

    def order(self, token: int | None) -> None:
        """A photo is about to be asked for; one asked for before is forgotten. Raises LinkLost."""
        self.check_link()
        self.forget_order()
        self._order = _Order(token, self._loop.create_future(), self._loop.time())
        self._arm()

    async def ordered(self) -> None:
        """Wait for the photo that was asked for. Raises CameraSilent, LinkLost, ProtocolFault."""
        self.check_link()
        if self._order is not None:
            await self._order.done

    def forget_order(self) -> None:
        order, self._order = self._order, None
        if order is not None and not order.done.cancel() and not order.done.cancelled():
            order.done.exception()  # seen, in case the order itself failed and nobody waited for its photo

    def held(self, offer_id: str) -> bytes:
        """Raises ProtocolFault for an offer that was released or never made."""
        jpeg = self._held.get(offer_id)
        if jpeg is None:
            raise ProtocolFault("This photo is no longer there.", "It was released, or never offered.", "Take the photo again.")
        return jpeg

    def release(self, offer_id: str) -> None:
        self._held.pop(offer_id, None)

    def close_begins(self) -> bool:
        """Note that the link is about to be closed from this side; False if there is none."""
        self._leaving = True
        return self._open

    async def until_quiet(self, longest: float) -> None:
        """Wait until no photo is under way, at most `longest` seconds."""
        try:
            async with asyncio.timeout(longest):
                while self._open and self._stream.receiving:
                    self._quiet.clear()
                    await self._quiet.wait()
        except TimeoutError:
            pass

    # -- from outcomes to events ----------------------------------------------------------------------------------------------------

    def _take_in(self, outcomes: tuple[Outcome, ...]) -> None:
        for outcome in outcomes:
            match outcome:
                case Begun(token):
                    self._begun(token)
                case Grown(received):
                    self._grown(received)
                case Whole(jpeg):
                    self._whole(jpeg)
                case Spoilt(flaw):
                    self._spoilt(flaw.value, still_sent=flaw not in (Flaw.LINK_LOST, Flaw.GIVEN_UP))
                case Refused(token, reason):
                    self._refused(token, reason)
                case Heard(code, token):
                    self._has_heard(code, token)
                case Battery(percent):
                    self.battery(percent)
        if not self._stream.receiving:
            self._quiet.set()

    def _begun(self, token: int | None) -> None:
        self._taken_at = self._utc()
        self._told = 0
        if self._order is not None:
            self._order.begun = self._order.is_of(token)

    def _grown(self, received: int) -> None:
        if received - self._told >= PROGRESS_STEP:
            self._told = received
            self.events.put(CaptureProgress(received))

    def _whole(self, jpeg: bytes) -> None:
        if len(self._held) >= MOST_HELD or sum(map(len, self._held.values())) + len(jpeg) > MOST_HELD_BYTES:
            # Those already offered stay: whoever was told of them may be fetching them right now.
            self._spoilt(f"{len(self._held)} photos are already waiting to be stored", still_sent=False)
            return
        offer_id = f"{self._taken_at:%Y%m%dT%H%M%S.%f}-{hashlib.sha256(jpeg).hexdigest()[:16]}"
        self._held[offer_id] = jpeg
        offer = Offer(
            id=offer_id,
            kind=CaptureKind.PHOTO,
            media_type="image/jpeg",
            taken_at=self._taken_at,
            size=len(jpeg),
            orientation=self._model.orientation,
        )
        self.events.put(CaptureOffered(offer))
        self.change(replace(self.status, received=self.status.received + 1))
        if self._order is not None and self._order.begun and not self._order.done.done():
            self._order.done.set_result(None)

    def _spoilt(self, reason: str, *, still_sent: bool) -> None:
        self.events.put(CaptureDamaged(reason, self._utc()))
        self.change(replace(self.status, damaged=self.status.damaged + 1))
        if self._order is not None and self._order.begun:
            self._fail_order(ProtocolFault("The photo arrived damaged.", f"Of the photo, {reason}.", "Take the photo again."))
        if still_sent and self._stream.photo is not None:
            self.on_spoilt(self._stream.photo)

    def _refused(self, token: int | None, reason: str) -> None:
        order = self._order
        if order is not None and order.is_of(token):
            why = f"They said: {reason}." if reason else "They did not say why."
            self._fail_order(CameraSilent("The glasses could not take the photo.", why, "Try again."))

    def _has_heard(self, code: int, token: int) -> None:
        waiting = self._awaited.get((code, token))
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    # -- time -----------------------------------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        """Be called again when the stream or the order has something to give up. A timer that comes too early does no harm."""
        due = [at for at in (self._stream.deadline, self._order_deadline()) if at is not None]
        if not self._open or not due or (self._timer is not None and self._timer.when() <= min(due)):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(min(due), self._tick)

    def _tick(self) -> None:
        self._timer = None
        now = self._loop.time()
        self._take_in(self._stream.tick(now))
        deadline = self._order_deadline()
        if deadline is not None and now >= deadline:
            self._fail_order(_camera_silent())
        self._arm()

    def _order_deadline(self) -> float | None:
        """So much silence; while another photo is coming, the camera can't be blamed, but not for ever."""
        order = self._order
        if order is None or order.done.done() or order.begun:
            return None
        return min(max(order.at, self._stream.heard) + self._timing.first, order.at + self._timing.first + self._timing.longest)

    def _fail_order(self, error: GlassesError) -> None:
        if self._order is not None and not self._order.done.done():
            self._order.done.set_exception(error)


def link_lost() -> LinkLost:
    return LinkLost("The link to the glasses was lost.", "They may be out of range or switched off.", "Bring the glasses closer.")


def _camera_silent() -> CameraSilent:
    return CameraSilent(
        "The camera did not respond.",
        "The glasses took the order and sent no photo.",
        "Switch the glasses off and on again.",
    )
