"""What happens on one link to Mentra Live: messages and file packets in, as state and events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from ble.drivers.k900 import Code, Json, text_of, whole_number
from ble.drivers.mentra_packets import Again, FileAssembler, Flaw, Outcome, Repeated, Spoilt, Whole
from ble.drivers.session import StreamSession
from ble.errors import CameraSilent, ProtocolFault
from ble.types import CaptureKind, DeviceInfo, Offer, Stored

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
class Hotspot:
    """The glasses' own network, as last told; another name and password may come with each session."""

    name: str
    password: str = field(repr=False)
    gateway: str = field(repr=False)


def request_id(name: str) -> str:
    """The number of the order for the photo that is to come as the file `name`."""
    return f"eyelid-{name[1:]}"


class MentraSession(StreamSession[Outcome]):
    """State of one link. The name of an order is that of the file its photo comes as.

    `reply` sends a message to the glasses; `restarted` is called when their application started anew.
    """

    def __init__(self, utc: Callable[[], datetime], reply: Callable[[Json], None], restarted: Callable[[], None]) -> None:
        self._assembler = FileAssembler()
        super().__init__(utc, self._assembler)
        self._reply = reply
        self._restarted = restarted
        self._sid = ""
        self.info = DeviceInfo(manufacturer="Mentra", model="Mentra Live")
        self.hotspot: Hotspot | None = None
        self.local_address = ""

    # -- what the glasses say -------------------------------------------------------------------------------------------------------

    def code_heard(self, code: Code) -> None:
        """The Bluetooth chip itself: of interest is the battery, which it knows before the application is up."""
        if code.name in ("sr_batv", "hm_batv"):
            self.battery(whole_number(code.body, "pt", 100))

    def message_heard(self, message: Json) -> None:
        """One message of the application; what is not known is ignored."""
        if not self.open:
            return
        handler = {
            "glasses_ready": self._ready,
            "battery_status": lambda m: self.battery(whole_number(m, "percent", 100)),
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

    def _let_go(self) -> None:
        super()._let_go()
        self._take_in(self._assembler.stop(Flaw.LINK_LOST))

    # -- single messages ------------------------------------------------------------------------------------------------------------

    def _ready(self, message: Json) -> None:
        sid = text_of(message, "sid", 64)
        if self._sid and sid != self._sid:
            self._fail_order(ProtocolFault("The glasses started anew.", "What they were doing is lost.", "Take the photo again."))
            self._take_in(self._assembler.stop(Flaw.RESTARTED))
            self.hotspot = None
            self._restarted()
        self._sid = sid

    def _gallery_status(self, message: Json) -> None:
        photos, videos = (whole_number(message, key, 1_000_000) for key in ("photos", "videos"))
        busy = bool(text_of(message, "camera_busy"))  # then they count nothing, and state zeros
        if photos is not None and videos is not None and not busy:
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
        if self._order is not None and self._is_of_order(message):
            self._order.heard = self._loop.time()
            if text_of(message, "status") == "failed":
                self._photo_refused({**message, "success": False})

    def _photo_refused(self, message: Json) -> None:
        if not self._is_of_order(message) or message.get("success") is True:
            return
        reason = text_of(message, "errorCode", 64)
        what, action = _REFUSALS.get(reason, ("The glasses could not take the photo.", "Try again."))
        self._fail_order(CameraSilent(what, "They refused the order.", action))

    def _is_of_order(self, message: Json) -> bool:
        return self._order is not None and request_id(str(self._order.name)) == text_of(message, "requestId", 128)

    def _transfer_failed(self, message: Json) -> None:
        self._take_in(self._assembler.given_up(text_of(message, "fileName", 16)))

    def order(self, name: str) -> asyncio.Future[None]:
        """Begin to wait for a photo about to be asked for. The future fails with CameraSilent, LinkLost or ProtocolFault."""
        return self._begin_order(name, CAMERA_SECONDS, ORDER_SECONDS)

    # -- from outcomes to events ----------------------------------------------------------------------------------------------------

    def _take(self, outcome: Outcome) -> None:
        match outcome:
            case Whole():
                self._confirm(outcome.name, good=True)
                self._whole(outcome)
            case Again():
                self._confirm(outcome.name, good=False)
            case Repeated():
                self._confirm(outcome.name, good=outcome.good)
            case Spoilt():
                if outcome.tell:
                    self._confirm(outcome.name, good=False)
                self._spoilt(outcome.flaw.value, ordered=self._is_ordered(outcome.name))

    def _is_ordered(self, name: str) -> bool:
        return self._order is not None and self._order.name == name

    def _confirm(self, name: str, *, good: bool) -> None:
        """The one word the glasses wait for: without it, or with a no, they send the whole file again."""
        if self.open:
            now = int(self._utc().timestamp() * 1000)
            self._reply({"type": "transfer_complete", "fileName": name, "success": good, "timestamp": now})

    def _whole(self, photo: Whole) -> None:
        now = self._utc()
        offer = Offer(f"ble:{photo.name}:{now:%Y%m%dT%H%M%S.%f}", CaptureKind.PHOTO, photo.media_type, now)
        self._arrived(offer, photo.data, ordered=self._is_ordered(photo.name))
