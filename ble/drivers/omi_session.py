"""What happens on one link to Omi Glass or OpenGlass: notifications in, events out, photos held, an order waited for.

No radio here: the driver hands in notifications and the loss of the link, and this turns them into state.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from ble.drivers import omi_profile as profile
from ble.drivers.omi_photo import Begun, Flaw, Grown, Outcome, PhotoAssembler, Spoilt, Whole
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
PROGRESS_STEP = 2048
"""Bytes between two tellings of progress."""
CAMERA_SECONDS = 5.0
"""How long a warm camera may take from the order to the first chunk."""
ORDER_SECONDS = 90.0
"""An order never waits longer than this, whatever keeps coming: a photo under way, and then ours."""

_EXIF_OF_TURNS = {0: 1, 1: 6, 2: 3, 3: 8}
"""EXIF orientation for quarter turns clockwise (CIPA DC-008, Orientation tag)."""
_EXIF_OLD_LAYOUT = {profile.FAMILY_OPENGLASS: 8, profile.FAMILY_OMI: 3}
"""OpenGlass's web client turns by 270 degrees (its `sources/modules/imaging.ts`), the Omi app turns pictures of old firmware by 180."""

_SMALL_LINK = "parts were cut short because this computer's Bluetooth carries only {size} bytes at a time"


@dataclass(slots=True)
class _Order:
    """A photo that was asked for. `begun` once its first chunk came; a photo already under way when asked is not it."""

    done: asyncio.Future[None]
    at: float
    begun: bool = False


class OmiSession:
    """State of one link. Lives on the radio's loop; every method is quick and none waits, save the two that say so."""

    def __init__(self, utc: Callable[[], datetime]) -> None:
        self._loop = asyncio.get_running_loop()
        self._utc = utc
        self._assembler = PhotoAssembler(self._loop.time())
        self._family = profile.FAMILY_OMI
        self._payload = 0
        self._held: dict[str, bytes] = {}
        self._taken_at = utc()
        self._orientation = 1
        self._told = 0
        self._order: _Order | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._quiet = asyncio.Event()
        self._open = True
        self._leaving = False
        self.status = GlassesStatus()
        self.events: EventQueue[GlassesEvent] = EventQueue((StatusChanged, CaptureProgress), (CaptureDamaged,))

    def starts(self, family: str, payload: int) -> None:
        """The glasses were recognised; photos may come from now on."""
        self._family = family
        self._payload = payload
        self._assembler = PhotoAssembler(self._loop.time())
        self._arm()

    # -- what the glasses say -------------------------------------------------------------------------------------------------------

    def photo_notified(self, chunk: bytes) -> None:
        if self._open:
            self._take_in(self._assembler.feed(chunk, self._loop.time()))
            self._arm()

    def battery_heard(self, value: bytes) -> None:
        """One byte of percent (Battery Service 1.1, 3.1); anything else is no reading."""
        if self._open and len(value) == 1 and value[0] <= 100:
            self.change(replace(self.status, battery=value[0], battery_at=self._utc()))

    def link_lost(self) -> None:
        """The link is gone, for whatever reason; idempotent."""
        self.ended()

    def ended(self) -> None:
        """Let go of everything that needs a link. The photos held stay until they are released."""
        if not self._open:
            return
        self._open = False
        if self._timer is not None:
            self._timer.cancel()
        self._fail_order(_link_lost())
        self._take_in(self._assembler.lost())
        self._quiet.set()
        self.events.put(LinkClosed(wanted=self._leaving))
        self.events.close()

    # -- what the driver asks -------------------------------------------------------------------------------------------------------

    def check_link(self) -> None:
        """Raises LinkLost when there is none."""
        if not self._open:
            raise _link_lost()

    def change(self, status: GlassesStatus) -> None:
        self.status = status
        self.events.put(StatusChanged(status))

    def order(self) -> asyncio.Future[None]:
        """Begin to wait for a photo about to be asked for. The future fails with CameraSilent, LinkLost or ProtocolFault."""
        self.check_link()
        self._order = _Order(self._loop.create_future(), self._loop.time())
        self._arm()
        return self._order.done

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
                while self._open and self._assembler.receiving:
                    self._quiet.clear()
                    await self._quiet.wait()
        except TimeoutError:
            pass

    # -- from outcomes to events ----------------------------------------------------------------------------------------------------

    def _take_in(self, outcomes: tuple[Outcome, ...]) -> None:
        for outcome in outcomes:
            match outcome:
                case Begun():
                    self._begun(outcome)
                case Grown():
                    self._grown(outcome.received)
                case Whole():
                    self._whole(outcome)
                case Spoilt():
                    self._spoilt(self._in_words(outcome.flaw))
        if not self._assembler.receiving:
            self._quiet.set()

    def _begun(self, begun: Begun) -> None:
        self._taken_at = self._utc()
        self._told = 0
        self._orientation = _EXIF_OLD_LAYOUT[self._family] if begun.turns is None else _EXIF_OF_TURNS[begun.turns]
        if self._order is not None:
            self._order.begun = True

    def _grown(self, received: int) -> None:
        if received - self._told >= PROGRESS_STEP:
            self._told = received
            self.events.put(CaptureProgress(received))

    def _whole(self, photo: Whole) -> None:
        if len(self._held) >= MOST_HELD or sum(map(len, self._held.values())) + len(photo.jpeg) > MOST_HELD_BYTES:
            # Those already offered stay: whoever was told of them may be fetching them right now.
            self._spoilt(f"{len(self._held)} photos are already waiting to be stored")
            return
        offer_id = f"{self._taken_at:%Y%m%dT%H%M%S.%f}-{hashlib.sha256(photo.jpeg).hexdigest()[:16]}"
        self._held[offer_id] = photo.jpeg
        offer = Offer(
            id=offer_id,
            kind=CaptureKind.PHOTO,
            media_type="image/jpeg",
            taken_at=self._taken_at,
            size=len(photo.jpeg),
            orientation=self._orientation,
        )
        self.events.put(CaptureOffered(offer))
        self.change(replace(self.status, received=self.status.received + 1))
        if self._order is not None and self._order.begun and not self._order.done.done():
            self._order.done.set_result(None)

    def _spoilt(self, reason: str) -> None:
        self.events.put(CaptureDamaged(reason, self._utc()))
        self.change(replace(self.status, damaged=self.status.damaged + 1))
        if self._order is not None and self._order.begun:
            self._fail_order(ProtocolFault("The photo arrived damaged.", f"Of the photo, {reason}.", "Take the photo again."))

    def _in_words(self, flaw: Flaw) -> str:
        if flaw is Flaw.CHUNK_SHORT and self._payload < profile.CHUNK_BYTES:
            return _SMALL_LINK.format(size=self._payload)
        return flaw.value

    # -- time -----------------------------------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        """Be called again when the assembler or the order has something to give up."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = [at for at in (self._assembler.deadline, self._order_deadline()) if at is not None]
        if self._open and due:
            self._timer = self._loop.call_at(min(due), self._tick)

    def _tick(self) -> None:
        now = self._loop.time()
        self._take_in(self._assembler.tick(now))
        deadline = self._order_deadline()
        if deadline is not None and now >= deadline:
            self._fail_order(_camera_silent())
        self._arm()

    def _order_deadline(self) -> float | None:
        """Five seconds of silence; while another photo is coming, the camera can't be blamed."""
        order = self._order
        if order is None or order.done.done() or order.begun:
            return None
        return min(max(order.at, self._assembler.heard) + CAMERA_SECONDS, order.at + ORDER_SECONDS)

    def _fail_order(self, error: GlassesError) -> None:
        if self._order is not None and not self._order.done.done():
            self._order.done.set_exception(error)


def _link_lost() -> LinkLost:
    return LinkLost("The link to the glasses was lost.", "They may be out of range or switched off.", "Bring the glasses closer.")


def _camera_silent() -> CameraSilent:
    return CameraSilent(
        "The camera did not respond.",
        "The glasses took the order and sent no photo; they say nothing about why.",
        "Switch the glasses off and on again.",
    )
