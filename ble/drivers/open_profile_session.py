"""What happens on one link to open glasses: their status and their list in, as state and events; captures offered, orders waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from ble.drivers.open_profile_link import OpenLink, refusal
from ble.drivers.open_profile_wire import MEDIA, Feature, Record, Result, Status, StatusFlag, Trouble, read_status
from ble.drivers.session import Session, camera_silent
from ble.errors import GlassesError, LinkLost, ProtocolFault, link_lost
from ble.types import CaptureKind, CaptureOffered, Offer

LARGEST_CAPTURE = 512 << 20
"""Bytes. Over this link it would take three hours; what claims to be larger is not offered."""
MOST_OFFERED = 16384
"""Captures offered on one link; more are left for the next."""
PHOTO_SECONDS = 20.0
"""From an order to the photo in the list."""
_LOOK_SECONDS = 1.0
"""Between two looks at the list when the first found nothing or failed."""
_MOST_LISTINGS = 3
"""How often in a row a list that makes no sense is asked for."""

_TROUBLES = {
    Trouble.NONE: Result.CAMERA_FAILED,
    Trouble.CAMERA: Result.CAMERA_FAILED,
    Trouble.STORAGE_FULL: Result.STORAGE_FULL,
    Trouble.BATTERY_LOW: Result.BATTERY_LOW,
}


@dataclass(frozen=True, slots=True)
class Held:
    """A capture on the glasses that was offered."""

    record: Record
    offer: Offer


class OpenSession(Session):
    """State of one link."""

    def __init__(self, link: OpenLink, utc: Callable[[], datetime]) -> None:
        super().__init__(utc)
        self.link = link
        self.microphone_on = False
        """Whether the glasses say that their microphone listens."""
        self._features = Feature(0)
        self._held: dict[str, Held] = {}
        self._last_id = 0
        self._device = Status()
        self._news = asyncio.Event()
        self._orders: dict[int, asyncio.Future[None]] = {}
        self._reader: asyncio.Task[None] | None = None

    def starts(self, features: Feature) -> None:
        """The glasses are ready: begin to offer what they hold."""
        self._features = features
        self._reader = asyncio.get_running_loop().create_task(self._keep_listed(), name="list of captures")

    # -- what the glasses say -------------------------------------------------------------------------------------------------------

    def status_notified(self, value: bytes) -> None:
        status = read_status(value)
        if status is None or not self.open:
            return
        self.microphone_on = bool(status.flags & StatusFlag.MICROPHONE_ON)
        if status.free_kib is not None and Feature.STORAGE in self._features:
            self.change(replace(self.status, storage_free=status.free_kib * 1024))
        self._device = status
        if status.newest > self._last_id:
            self._news.set()
        self._order_failed()

    def _let_go(self) -> None:
        self.link.lose()
        if self._reader is not None:
            self._reader.cancel()
        for order in self._orders.values():
            if not order.done():
                order.set_exception(link_lost())

    # -- what the driver asks -------------------------------------------------------------------------------------------------------

    def held(self, offer_id: str) -> Held:
        """Raises ProtocolFault for an offer that was never made on this link."""
        found = self._held.get(offer_id)
        if found is None:
            raise ProtocolFault("This capture is not known.", "The glasses did not offer it on this link.", "Connect the glasses again.")
        return found

    async def until_offered(self, number: int, lasting: float = 0.0) -> None:
        """Wait until the capture `number`, which takes `lasting` seconds, was offered. Raises CameraSilent, LinkLost, ProtocolFault."""
        if any(held.record.id == number for held in self._held.values()):
            return
        self.check()
        if number <= self._last_id or number in self._orders:
            raise ProtocolFault("The glasses mixed up their captures.", "They gave one number to two.", "Switch them off and on again.")
        order = self._orders[number] = asyncio.get_running_loop().create_future()
        self._order_failed()  # the status may have been quicker than the answer
        try:
            async with asyncio.timeout(lasting + PHOTO_SECONDS):
                await order
        except TimeoutError:
            raise camera_silent() from None
        finally:
            del self._orders[number]

    # -- the list -------------------------------------------------------------------------------------------------------------------

    async def _keep_listed(self) -> None:
        """Offer what is on the glasses, and then whatever comes; until the link is lost."""
        faults, due = 0, True
        while True:
            if not due:
                await self._news.wait()
            self._news.clear()
            if not due and self._device.newest <= self._last_id:
                continue  # it was listed while the news of it was on its way
            due = False
            try:
                fresh = await self._list_on()
            except LinkLost:
                return
            except GlassesError as error:
                faults += 1
                self.damaged(f"the list of captures could not be read: {error.why}")
                due = faults < _MOST_LISTINGS
                await asyncio.sleep(_LOOK_SECONDS)
                continue
            faults = 0
            if self._device.newest > self._last_id and len(self._held) < MOST_OFFERED:
                due = fresh > 0
                if not fresh:
                    await asyncio.sleep(_LOOK_SECONDS)  # they spoke of something new and had nothing: no reason to hurry

    async def _list_on(self) -> int:
        """Read on from the highest number seen, and return how many records there were."""
        fresh, remaining = 0, int(len(self._held) < MOST_OFFERED)
        while remaining and len(self._held) < MOST_OFFERED:
            remaining, records = await self.link.page(self._last_id)
            for record in records:
                self._listed(record)
            fresh += len(records)
        if remaining:
            self.damaged(f"there are more than {MOST_OFFERED} captures on the glasses; the others come after these")
        return fresh

    def _listed(self, record: Record) -> None:
        self._last_id = record.id
        order = self._orders.get(record.id)
        flaw = self._flaw_of(record)
        if flaw is None:
            held = Held(record, self._offer(record))
            self._held[held.offer.id] = held
            self.events.put(CaptureOffered(held.offer))
        else:
            self.damaged(flaw)
        if order is not None and not order.done():
            if flaw is None:
                order.set_result(None)
            else:
                order.set_exception(ProtocolFault("The capture can't be used.", f"Of it, {flaw}.", "Take it again."))

    def _flaw_of(self, record: Record) -> str | None:
        kind = MEDIA[record.media][0] if record.media in MEDIA else None
        if kind is None:
            return "the kind is not known to this program"
        if kind is CaptureKind.VIDEO and Feature.VIDEO not in self._features:
            return "the kind is one that these glasses say they can't make"
        if kind is CaptureKind.SOUND and Feature.MICROPHONE not in self._features:
            return "the kind is one that these glasses say they can't make"
        if not 0 < record.size <= LARGEST_CAPTURE:
            return "the stated size can't be true"
        return None if any(record.sha256) else "the digest is missing"

    def _offer(self, record: Record) -> Offer:
        kind, media_type = MEDIA[record.media]
        return Offer(
            id=f"{record.id:08x}-{record.sha256[:8].hex()}",
            kind=kind,
            media_type=media_type,
            taken_at=record.taken_at or self._utc(),
            size=record.size,
            orientation=record.orientation,
            sha256=record.sha256,
            stored=True,
        )

    def _order_failed(self) -> None:
        order = self._orders.get(self._device.failed)
        if order is not None and not order.done():
            order.set_exception(refusal(_TROUBLES.get(self._device.trouble, Result.CAMERA_FAILED)))
