"""What happens on one link to Mentra Live: messages and file packets in, events out, photos held, an order waited for. No radio here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from ble.drivers.k900 import Code, Json, text_of, whole_number
from ble.drivers.mentra_packets import Again, FileAssembler, Flaw, Grown, Outcome, Repeated, Spoilt, Whole
from ble.errors import CameraSilent, GlassesError, LinkLost, ProtocolFault
from ble.event_queue import EventQueue
from ble.types import (
    CaptureDamaged,
    CaptureKind,
    CaptureOffered,
    CaptureProgress,
    DeviceInfo,
    GlassesEvent,
    GlassesStatus,
    LinkClosed,
    Offer,
    StatusChanged,
    Stored,
)

MOST_HELD = 64
MOST_HELD_BYTES = 64 << 20
PROGRESS_STEP = 16_384
CAMERA_SECONDS = 30.0
"""How long nothing may be heard of an order; taking, shrinking and handing over a picture takes the glasses some seconds."""
ORDER_SECONDS = 180.0

_REFUSALS = {
    "BATTERY_LOW": ("The battery of the glasses is too low for a photo.", "Charge the glasses."),
    "VIDEO_RECORDING_ACTIVE": ("The glasses are recording a video.", "Stop the recording, then try again."),
    "BLE_TRANSFER_BUSY": ("The glasses are still sending another photo.", "Try again in a moment."),
    "CAMERA_BUSY": ("The camera of the glasses is busy.", "Try again in a moment."),
    "INSUFFICIENT_STORAGE": ("The glasses are full.", "Fetch their captures over Wi-Fi and let them go."),
    "UPLOAD_SYSTEM_BUSY": ("The glasses are busy.", "Try again in a moment."),
}
"""Error codes of `take_photo` (`PhotoCommandHandler.java`, Mentra-Community/MentraOS) in words, each with an action."""


@dataclass(frozen=True, slots=True)
class GalleryCounts:
    """What the glasses say they hold. While `busy` they count nothing, so no number is shown then."""

    photos: int
    videos: int
    total_bytes: int
    busy: bool


@dataclass(frozen=True, slots=True)
class Hotspot:
    """The glasses' own network, as last told; another name and password may come with each session."""

    name: str
    password: str = field(repr=False)
    gateway: str = field(repr=False)


@dataclass(slots=True)
class Order:
    """A photo that was asked for: the name it will come under, and its number."""

    name: str
    request_id: str
    done: asyncio.Future[None]
    began: float
    heard: float


class MentraSession:
    """State of one link. Lives on the radio's loop; every method is quick and none waits.

    `reply` sends a message to the glasses; `restarted` is called when their application started anew.
    """

    def __init__(self, utc: Callable[[], datetime], reply: Callable[[Json], None], restarted: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._utc = utc
        self._reply = reply
        self._restarted = restarted
        self._assembler = FileAssembler()
        self._held: dict[str, bytes] = {}
        self._fetched: set[str] = set()
        self._told = 0
        self._order: Order | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._open = True
        self._leaving = False
        self._sid = ""
        self.info = DeviceInfo(manufacturer="Mentra", model="Mentra Live")
        self.gallery: GalleryCounts | None = None
        self.hotspot: Hotspot | None = None
        self.local_address = ""
        self.status = GlassesStatus()
        self.events: EventQueue[GlassesEvent] = EventQueue((StatusChanged, CaptureProgress), (CaptureDamaged,))

    # -- what the glasses say -------------------------------------------------------------------------------------------------------

    def code_heard(self, code: Code) -> None:
        """The Bluetooth chip itself: of interest is the battery, which it knows before the application is up."""
        if code.name in ("sr_batv", "hm_batv"):
            self._battery(whole_number(code.body, "pt", 100))

    def message_heard(self, message: Json) -> None:
        """One message of the application; what is not known is ignored."""
        if not self._open:
            return
        handler = {
            "glasses_ready": self._ready,
            "battery_status": lambda m: self._battery(whole_number(m, "percent", 100)),
            "gallery_status": self._gallery_status,
            "hotspot_status_update": self._hotspot_status,
            "wifi_status": self._wifi_status,
            "version_info_1": self._version,
            "version_info_3": self._version,
            "photo_status": self._photo_status,
            "ble_photo_ready": self._photo_status,
            "photo_response": self._photo_refused,
            "ble_photo_error": self._photo_refused,
            "transfer_failed": self._transfer_failed,
            "transfer_timeout": self._transfer_failed,
        }.get(text_of(message, "type"), self._announced)
        handler(message)

    def file_notified(self, notified: bytes) -> None:
        """One notification of the file characteristic."""
        if self._open:
            if self._order is not None and self._assembler.receiving:
                self._order.heard = self._loop.time()
            self._take_in(self._assembler.feed(notified, self._loop.time()))
            self._arm()

    def link_lost(self) -> None:
        """The link is gone, for whatever reason; idempotent. The photos held stay until they are released."""
        if not self._open:
            return
        self._open = False
        if self._timer is not None:
            self._timer.cancel()
        self._fail_order(LinkLost("The link to the glasses was lost.", "They may be out of range.", "Bring the glasses closer."))
        self._take_in(self._assembler.stop(Flaw.LINK_LOST))
        self.events.put(LinkClosed(wanted=self._leaving))
        self.events.close()

    def leave(self) -> None:
        """The link is about to be closed from this side."""
        self._leaving = True

    # -- single messages ------------------------------------------------------------------------------------------------------------

    def _ready(self, message: Json) -> None:
        sid = text_of(message, "sid", 64)
        if self._sid and sid != self._sid:
            self._fail_order(ProtocolFault("The glasses started anew.", "What they were doing is lost.", "Take the photo again."))
            self._take_in(self._assembler.stop(Flaw.RESTARTED))
            self.hotspot = None
            self._restarted()
        self._sid = sid

    def _battery(self, percent: int | None) -> None:
        if self._open and percent is not None:
            self.change(replace(self.status, battery=percent, battery_at=self._utc()))

    def _gallery_status(self, message: Json) -> None:
        photos, videos = (whole_number(message, key, 1_000_000) for key in ("photos", "videos"))
        if photos is not None and videos is not None:
            total = whole_number(message, "total_size", 1 << 50) or 0
            self.gallery = GalleryCounts(photos, videos, total, busy=bool(text_of(message, "camera_busy")))
            if self._open and not self.gallery.busy:
                self.change(replace(self.status, stored=Stored(photos, videos)))

    def _hotspot_status(self, message: Json) -> None:
        name, password = text_of(message, "hotspot_ssid", 64), text_of(message, "hotspot_password", 64)
        gateway = text_of(message, "hotspot_gateway_ip", 32)
        self.hotspot = Hotspot(name, password, gateway) if message.get("hotspot_enabled") is True and name and gateway else None

    def _wifi_status(self, message: Json) -> None:
        self.local_address = text_of(message, "local_ip", 32) if message.get("connected") is True else ""

    def _version(self, message: Json) -> None:
        self.info = replace(
            self.info,
            firmware=text_of(message, "bes_fw_version", 64) or self.info.firmware,
            hardware=text_of(message, "device_model", 64) or self.info.hardware,
            serial=text_of(message, "serial_number", 64) or self.info.serial,
        )

    def _announced(self, message: Json) -> None:
        """What is to come in packets; told by its fields, since the kind of the message changed with the builds."""
        packets, size = whole_number(message, "totalPackets", 0x10000), whole_number(message, "fileSize", 2**32)
        if packets and size:
            self._assembler.announce(text_of(message, "fileName", 16), packets, size)

    def _photo_status(self, message: Json) -> None:
        order = self._order
        if order is not None and order.request_id == text_of(message, "requestId", 128):
            order.heard = self._loop.time()
            if text_of(message, "status") == "failed":
                self._photo_refused({**message, "success": False})

    def _photo_refused(self, message: Json) -> None:
        order = self._order
        ours = order is not None and order.request_id == text_of(message, "requestId", 128)
        if not ours or message.get("success") is True:
            return
        reason = text_of(message, "errorCode", 64)
        what, action = _REFUSALS.get(reason, ("The glasses could not take the photo.", "Try again."))
        self._fail_order(CameraSilent(what, "They refused the order.", action))

    def _transfer_failed(self, message: Json) -> None:
        self._take_in(self._assembler.given_up(text_of(message, "fileName", 16)))

    # -- what the driver asks -------------------------------------------------------------------------------------------------------

    def change(self, status: GlassesStatus) -> None:
        self.status = status
        self.events.put(StatusChanged(status))

    def order(self, name: str, request_id: str) -> asyncio.Future[None]:
        """Begin to wait for a photo about to be asked for. The future fails with CameraSilent, LinkLost or ProtocolFault."""
        now = self._loop.time()
        self._order = Order(name, request_id, self._loop.create_future(), now, now)
        self._arm()
        return self._order.done

    def forget_order(self) -> None:
        order, self._order = self._order, None
        if order is not None and not order.done.cancel() and not order.done.cancelled():
            order.done.exception()  # seen, in case nobody waited for it

    def held(self, offer_id: str) -> bytes | None:
        return self._held.get(offer_id)

    def fetched(self, offer_id: str) -> None:
        """All of a held photo was handed out: it is the first to give way when room is needed."""
        self._fetched.add(offer_id)

    def release(self, offer_id: str) -> None:
        self._held.pop(offer_id, None)
        self._fetched.discard(offer_id)

    def damaged(self, reason: str) -> None:
        """Count and tell a capture that can't be had."""
        self.events.put(CaptureDamaged(reason, self._utc()))
        self.change(replace(self.status, damaged=self.status.damaged + 1))

    # -- from outcomes to events ----------------------------------------------------------------------------------------------------

    def _take_in(self, outcomes: tuple[Outcome, ...]) -> None:
        for outcome in outcomes:
            match outcome:
                case Grown():
                    self._grown(outcome)
                case Whole():
                    self._confirm(outcome.name, good=True)
                    self._whole(outcome)
                case Again():
                    self._told = 0
                    self._confirm(outcome.name, good=False)
                case Repeated():
                    self._confirm(outcome.name, good=outcome.good)
                case Spoilt():
                    self._spoilt(outcome)

    def _confirm(self, name: str, *, good: bool) -> None:
        """The one word the glasses wait for: without it, or with a no, they send the whole file again."""
        if self._open:
            now = int(self._utc().timestamp() * 1000)
            self._reply({"type": "transfer_complete", "fileName": name, "success": good, "timestamp": now})

    def _grown(self, grown: Grown) -> None:
        if grown.received - self._told >= PROGRESS_STEP or grown.received < self._told:
            self._told = grown.received
            self.events.put(CaptureProgress(grown.received, grown.total))

    def _whole(self, photo: Whole) -> None:
        self._told = 0
        if not self._make_room(len(photo.data)):
            self.damaged(f"{len(self._held)} photos are already waiting to be stored")
            return
        now = self._utc()
        offer_id = f"ble:{photo.name}:{now:%Y%m%dT%H%M%S.%f}"
        self._held[offer_id] = photo.data
        self.events.put(CaptureOffered(Offer(offer_id, CaptureKind.PHOTO, photo.media_type, now, size=len(photo.data))))
        self.change(replace(self.status, received=self.status.received + 1))
        order = self._order
        if order is not None and order.name == photo.name and not order.done.done():
            order.done.set_result(None)

    def _make_room(self, size: int) -> bool:
        while len(self._held) >= MOST_HELD or sum(map(len, self._held.values())) + size > MOST_HELD_BYTES:
            gone = next((offer_id for offer_id in self._held if offer_id in self._fetched), None)
            if gone is None:
                return False
            self.release(gone)
        return True

    def _spoilt(self, spoilt: Spoilt) -> None:
        self._told = 0
        if spoilt.tell:
            self._confirm(spoilt.name, good=False)
        self.damaged(spoilt.flaw.value)
        if self._order is not None and self._order.name == spoilt.name:
            self._fail_order(ProtocolFault("The photo arrived damaged.", f"Of the photo, {spoilt.flaw.value}.", "Take the photo again."))

    def _fail_order(self, error: GlassesError) -> None:
        if self._order is not None and not self._order.done.done():
            self._order.done.set_exception(error)

    # -- time -----------------------------------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        """Be called again when the assembler or the order may have something to give up. A timer that comes too early does no harm."""
        due = min((at for at in (self._assembler.deadline, self._order_deadline()) if at is not None), default=None)
        if not self._open or due is None or (self._timer is not None and self._timer.when() <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._tick)

    def _tick(self) -> None:
        self._timer = None
        now = self._loop.time()
        self._take_in(self._assembler.tick(now))
        deadline = self._order_deadline()
        if deadline is not None and now >= deadline:
            silent = CameraSilent("The camera did not respond.", "The glasses took the order and sent no photo.", "Try again.")
            self._fail_order(silent)
        self._arm()

    def _order_deadline(self) -> float | None:
        order = self._order
        if order is None or order.done.done():
            return None
        return min(order.heard + CAMERA_SECONDS, order.began + ORDER_SECONDS)
