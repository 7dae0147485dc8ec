"""Simulated Mentra Live glasses: the Bluetooth side as the firmware does it, flaws included, and the gallery they serve over Wi-Fi.

Their hotspot is made up: what they announce as its gateway is a port on this computer. Sources: see `ble/drivers/mentra_profile.py`.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bumble import att, core, data_types, device, gatt

from ble.drivers import k900
from ble.drivers import mentra_profile as profile
from ble.drivers.k900 import Code, Json
from ble.drivers.mentra_packets import MOST_TRIES, Packet, write_packet
from ble.sim.faults import REAL_PACE, Pace
from ble.sim.loopback_http import WIFI_RATE, Asked, Listen, LoopbackHttp, Reply, own_port
from ble.sim.mentra_faults import NO_MENTRA_FAULTS, MentraFaults
from ble.sim.mentra_shelf import SimulatedShelf
from ble.sim.peripheral import Access, SimulatedPeripheral
from ble.types import PairingAdvert

CONFIRMATION_SECONDS = 5.0
"""So long the glasses wait to be told how a file arrived; then they send it again."""


class SimulatedMentra(SimulatedPeripheral):
    """One pair. `shelf` is what they hold; `commands` what they were told, in order."""

    def __init__(
        self,
        pictures: Sequence[bytes],
        *,
        faults: MentraFaults = NO_MENTRA_FAULTS,
        pace: Pace = REAL_PACE,
        on_event: Callable[[str], None] | None = None,
        stored: int = 2,
        clips: Sequence[bytes] = (),
        pairing: PairingAdvert | None = None,
        listen: Listen = own_port,
    ) -> None:
        """`pictures`: JPEG or AVIF files to "see" in turn; the first `stored` of them, and the `clips`, are in the gallery already."""
        if not pictures:
            raise ValueError("simulated glasses need at least one picture to see")
        super().__init__("MENTRA_LIVE_BLE_0001", (profile.SERVICE,), mtu=faults.mtu, advertise_ms=pace.advertise_ms, on_event=on_event)
        self.faults = faults
        self.charge = 87
        self.commands: list[Json] = []
        self.confirmations: list[bool] = []
        self.transfers = 0
        self.shelf = SimulatedShelf(faults, self.tell)
        self.http = LoopbackHttp(self._respond, rate=WIFI_RATE if pace == REAL_PACE else 0.0, listen=listen)
        self._pictures = itertools.cycle(pictures)
        self._pace = pace
        self._pairing = pairing or PairingAdvert()
        self._sessions = itertools.count(1)
        self._numbers = itertools.count(1)
        self._sid = self._new_sid()
        self._hotspots = 0
        self._silent_left = faults.hotspot_silent
        self._ready_at: float | None = None
        self._pack = profile.FULL_PACK
        self._reader = k900.FrameReader()
        self._joiner = k900.ChunkJoiner()
        self._confirmed: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()
        self._sending = False
        self._speaking = asyncio.Lock()
        self._reachable_at = 0.0
        self._used_at = 0.0
        started = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
        for number, picture in enumerate(itertools.islice(itertools.cycle(pictures), stored)):
            self.shelf.add(picture, started + timedelta(minutes=number))
        for number, clip in enumerate(clips):
            self.shelf.add(clip, started + timedelta(minutes=30 + number), video=True)

    @property
    def family(self) -> str:
        return profile.FAMILY

    def _new_sid(self) -> str:
        return f"{next(self._sessions):08x}"

    # -- attributes -----------------------------------------------------------------------------------------------------------------

    def services(self) -> list[gatt.Service]:
        made = [
            self._notifying(profile.CONTROL_NOTIFY),
            self._written(profile.CONTROL_WRITE),
            self._notifying(profile.FILE_NOTIFY),
        ]
        return [gatt.Service(core.UUID(profile.SERVICE[4:8]), made)]

    def _notifying(self, uuid: str) -> gatt.Characteristic[bytes]:
        made = self.readable(uuid, lambda: b"", notify=True)
        self._cccds[uuid] = b"\x00\x00"
        return made

    def _written(self, uuid: str) -> gatt.Characteristic[bytes]:
        def write(_: device.Connection, data: bytes) -> None:
            self.accesses.append(Access("write", uuid, bytes(data)))
            self._heard(bytes(data))

        properties = gatt.Characteristic.Properties.WRITE | gatt.Characteristic.Properties.WRITE_WITHOUT_RESPONSE
        return gatt.Characteristic(core.UUID(uuid), properties, att.Attribute.Permissions.WRITEABLE, att.AttributeValue(None, write))

    def _advertisement(self) -> list[core.DataType]:
        low, high = bytes.fromhex(self._pairing.code or "0000")[::-1]
        data = bytes(5) + bytes([self._pairing.pairable, 2, bool(self._pairing.code), low, high]) + b"MP"
        return [*super()._advertisement(), data_types.ManufacturerSpecificData(profile.COMPANY, data)]

    # -- life -----------------------------------------------------------------------------------------------------------------------

    def on_connected(self) -> None:
        if self._ready_at is None:
            self._ready_at = self._now() + self.faults.boot_seconds
        self._pack = profile.FULL_PACK
        self._reader = k900.FrameReader()
        self._joiner = k900.ChunkJoiner()

    def on_disconnected(self) -> None:
        for uuid in self._cccds:
            self._cccds[uuid] = b"\x00\x00"

    async def switch_off(self) -> None:
        await self.http.stop()
        await super().switch_off()

    def restart(self) -> None:
        """The application starts anew: another session, and its own network is gone."""
        self._sid = self._new_sid()
        self.spawn(self.http.stop())
        self.say({"type": "glasses_ready", "sid": self._sid})

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    # -- messages -------------------------------------------------------------------------------------------------------------------

    def say(self, message: Json, *, numbered: bool = False) -> None:
        """Send a message of the application."""
        number = next(self._numbers) if numbered else None
        if number is not None:
            message = {**message, "mId": number}
        self.spawn(self._say(message, number))
        if numbered and self.faults.repeats_messages:
            self.spawn(self._say(message, number))

    async def _say(self, message: Json, number: int | None) -> None:
        room = min(k900.FRAME_ROOM, (self._connection.att_mtu if self._connection else 23) - 3 - 13)
        chunk_id = f"{number or 0}_{int(self._now() * 1000)}_{next(self._numbers)}"
        for payload in k900.payloads(k900.dump(message), chunk_id, message_id=number, room=max(room, 160)):
            await self._frame(payload)

    async def _frame(self, payload: bytes) -> None:
        frame = self.faults.garbage + k900.pack(payload, self.faults.order)
        step = self.faults.split_frames or len(frame)
        async with self._speaking:
            for start in range(0, len(frame), step):
                await self.notify(profile.CONTROL_NOTIFY, frame[start : start + step])

    def _heard(self, data: bytes) -> None:
        for frame in self._reader.feed(data):
            if frame.order is not self.faults.order and self.faults.deaf_to_other_order:
                continue
            match k900.unwrap(frame.payload):
                case Code(name="cs_batv"):
                    body = {"pt": self.charge, "vt": 4012}
                    self.spawn(self._frame(k900.dump({"C": "sr_batv", "V": 1, "B": body}).encode()))
                case dict() as message:
                    self._take(message)

    def _take(self, part: Json) -> None:
        message = self._joiner.feed(part)
        if message is None or self._ready_at is None or self._now() < self._ready_at:
            return
        self.commands.append(message)
        if "mId" in message and message.get("type") != "msg_ack" and not self.faults.never_acknowledges:
            self.say({"type": "msg_ack", "mId": message["mId"], "timestamp": 0})
        handler: Callable[[Json], None] | None = getattr(self, f"_on_{message.get('type')}", None)
        if handler is not None:
            handler(message)

    def _on_phone_ready(self, _: Json) -> None:
        self.say({"type": "glasses_ready", "sid": self._sid}, numbered=True)
        if self.faults.hostile_message:
            self.spawn(self._frame(self.faults.hostile_message))
        if self.faults.flood:
            self.spawn(self._flood())

    async def _flood(self) -> None:
        for number in range(self.faults.flood):
            await self._frame(k900.wrap(k900.dump({"type": "noise", "mId": number})))

    def _on_set_ble_mtu(self, message: Json) -> None:
        if not self.faults.ignores_mtu:
            self._pack = profile.pack_size(int(message["mtu"]))

    def _on_ping(self, _: Json) -> None:
        self.say({"type": "pong"})

    def _on_request_battery_state(self, _: Json) -> None:
        self.say({"type": "battery_status", "percent": self.charge, "charging": False})

    def _on_request_version(self, _: Json) -> None:
        self.say({"type": "version_info_1", "app_version": "3.1", "build_number": "31", "device_model": "K900", "sid": self._sid})
        self.say({"type": "version_info_3", "bes_fw_version": "17.26.7.23", "mtk_fw_version": "20260601", "serial_number": "ML0001"})

    def _on_query_gallery_status(self, _: Json) -> None:
        shots = () if self.faults.gallery_busy else self.shelf.shots
        videos = sum(1 for shot in shots if shot.id.startswith("VID"))
        total = sum(len(data) for shot in shots for data in shot.files.values())
        status: dict[str, Any] = {"type": "gallery_status", "photos": len(shots) - videos, "videos": videos, "total": len(shots)}
        status |= {"total_size": total, "has_content": bool(shots)}
        self.say({**status, "camera_busy": "video"} if self.faults.gallery_busy else status, numbered=True)

    # -- Wi-Fi ----------------------------------------------------------------------------------------------------------------------

    def _respond(self, request: Asked) -> Reply:
        now = self._now()
        if now < self._reachable_at or now - self._used_at > self.faults.hotspot_idle:
            return Reply(silent=True)
        self._used_at = now
        return self.shelf.respond(request)

    @property
    def reachable(self) -> bool:
        """Whether a request would be answered at all just now."""
        now = self._now()
        return bool(self.http.address) and now >= self._reachable_at and now - self._used_at <= self.faults.hotspot_idle

    def _on_request_wifi_status(self, _: Json) -> None:
        status = {"type": "wifi_status", "connected": self.faults.on_network, "ssid": "Home", "local_ip": "192.168.1.20"}
        self.say(status if self.faults.on_network else {"type": "wifi_status", "connected": False})

    def _on_set_hotspot_state(self, message: Json) -> None:
        self.spawn(self._hotspot(bool(message.get("enabled"))))

    async def _hotspot(self, on: bool) -> None:
        if not on:
            await self.http.stop()
            self.say({"type": "hotspot_status_update", "hotspot_enabled": False})
            return
        if self.faults.hotspot_error or not await self.http.start():
            self.say({"type": "hotspot_error", "error": "no hotspot"})
            return
        self._hotspots += 1
        self._reachable_at = self._used_at = self._now() + self.faults.hotspot_late
        if self._silent_left > 0:
            self._silent_left -= 1
            return
        self.say(self.hotspot_status(), numbered=True)

    def hotspot_status(self) -> Json:
        """What the glasses say of their network; each session has another name and password."""
        return {
            "type": "hotspot_status_update",
            "hotspot_enabled": True,
            "hotspot_ssid": f"MentraLive-{self._hotspots:04d}",
            "hotspot_password": f"pass-{self._hotspots:04d}",
            "hotspot_gateway_ip": self.faults.announced_address or self.http.address,
        }

    def _on_set_gallery_server_enabled(self, message: Json) -> None:
        self.spawn(self._gallery_server(bool(message.get("enabled"))))

    async def _gallery_server(self, on: bool) -> None:
        listening = on and await self.http.start()
        if not on:
            await self.http.stop()
        self._reachable_at = self._used_at = self._now()
        url = f"http://{self.faults.announced_address or self.http.address}"
        self.say({"type": "settings_ack", "setting": "gallery_server", "listening": listening, "url": url if listening else ""})

    # -- photos ---------------------------------------------------------------------------------------------------------------------

    def _on_take_photo(self, message: Json) -> None:
        self.spawn(self._photo(message))

    async def _photo(self, message: Json) -> None:
        request, name = str(message.get("requestId", "")), str(message.get("bleImgId", ""))
        if self.faults.camera_silent:
            return
        if self.faults.photo_error or self._sending:
            code = self.faults.photo_error or "BLE_TRANSFER_BUSY"
            self.say({"type": "photo_response", "requestId": request, "success": False, "errorCode": code})
            return
        self.say({"type": "photo_status", "requestId": request, "status": "accepted"})
        await asyncio.sleep(self._pace.shutter)
        picture = next(self._pictures)
        self.tell("photo taken")
        if message.get("save"):
            self.shelf.add(picture, datetime.now(UTC), request_id=request)
            self.say({"type": "photo_status", "requestId": request, "status": "captured"})
            if not self.faults.old_build:
                return
        self._sending = True
        try:
            await self._transfer(name, request, picture + self.faults.trailing)
        finally:
            self._sending = False

    def _on_transfer_complete(self, message: Json) -> None:
        self.confirmations.append(message.get("success") is True)
        self._confirmed.put_nowait((str(message.get("fileName")), message.get("success") is True))

    async def _transfer(self, name: str, request: str, data: bytes) -> None:
        self.say({"type": "ble_photo_ready", "bleImgId": name, "requestId": request, "compressionDurationMs": 300})
        size, deaf = self._pack, self.faults.deaf_to_confirmation
        count = -(-len(data) // size)
        if not self.faults.not_announced:
            self.say({"type": "file_announce", "fileName": name, "totalPackets": count, "fileSize": len(data)}, numbered=True)
        for _ in range(MOST_TRIES):
            while not self._confirmed.empty():
                self._confirmed.get_nowait()
            if not await self._packets(name, data, size, count):
                return
            if await self._is_confirmed(name) and not deaf:
                self.tell("photo sent")
                return
            deaf = False
        self.say({"type": "transfer_failed", "fileName": name, "reason": "max_transfer_retries_exceeded"})

    async def _is_confirmed(self, name: str) -> bool:
        try:
            async with asyncio.timeout(CONFIRMATION_SECONDS):
                while True:
                    named, good = await self._confirmed.get()
                    if named == name:
                        return good
        except TimeoutError:
            return False

    async def _packets(self, name: str, data: bytes, size: int, count: int) -> bool:
        """Send a file once; False when it is not to be gone on with."""
        harmed = self.faults.times is None or self.transfers < self.faults.times
        self.transfers += 1
        faults = self.faults if harmed else NO_MENTRA_FAULTS
        packets = self._order_of(name, data, size, count, faults)
        for index, packet in packets if faults.endless_packets else list(packets):
            if self._pace.chunk:
                await asyncio.sleep(self._pace.chunk)
            await self.notify(profile.FILE_NOTIFY, packet)
            if index == faults.restart_after_packet:
                self.restart()
                return False
            if index == faults.drop_link_after_packet:
                await self.drop_link()
                return False
        return True

    def _order_of(self, name: str, data: bytes, size: int, count: int, faults: MentraFaults) -> Iterator[tuple[int, bytes]]:
        stated = count * profile.FULL_PACK if faults.inflated_size and size != profile.FULL_PACK else len(data)
        if faults.endless_packets:
            stated = 0xFFFFFFFF
        indexes = list(range(count))
        if faults.swap_packet is not None and faults.swap_packet + 1 < count:
            first = faults.swap_packet
            indexes[first], indexes[first + 1] = indexes[first + 1], indexes[first]
        for index in itertools.count() if faults.endless_packets else indexes:
            if index == faults.lose_packet:
                continue
            part = data[index * size : (index + 1) * size] if index < count else data[:size]
            claimed = profile.FULL_PACK if faults.wrong_pack_size else len(part)
            packet = write_packet(Packet(k900.PHOTO, claimed, index & 0xFFFF, stated, name, 1, part))
            yield index, packet
            if index == faults.repeat_packet:
                yield index, packet
