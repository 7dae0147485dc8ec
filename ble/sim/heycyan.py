"""Simulated HeyCyan glasses: the Bluetooth side, and the plain file server they open over Wi-Fi. Sources: `ble/drivers/heycyan_wire.py`.

Their network is made up: what they report as their address is a port on this computer, stated behind the four bytes of the address.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bumble import att, core, device, gatt

from ble.drivers import heycyan_wire as wire
from ble.drivers.heycyan_wire import Mode
from ble.sim.faults import REAL_PACE, Pace
from ble.sim.loopback_http import WIFI_RATE, Asked, Listen, LoopbackHttp, Reply, own_port
from ble.sim.peripheral import Access, SimulatedPeripheral

NETWORK = b"M01_C93A46F29FD8"
PASSWORD = b"123456789"


@dataclass(frozen=True, slots=True)
class HeycyanFaults:
    """Faults reported of real glasses (issues of ebowwa/HeyCyanSmartGlassesSDK, FerSaiyan/Alternative-HeyCyan-App-and-SDK), or hostile.

    All off by default.
    """

    mtu: int = 247
    split: int | None = None
    """Notifications carry so many bytes, so that a frame's head may be split."""
    stray: bytes = b""
    """Notified before each frame: the rest of something lost."""
    bad_crc: int = 0
    """So many frames have a wrong CRC."""
    bad_page_crc: int = 0
    lose_page: int | None = None
    """This page is never sent."""
    pages_stated: int | None = None
    page_bytes: int = 900
    camera_silent: bool = False
    stuck_in_transfer: bool = False
    """They were left in transfer mode."""
    deaf_to_transfer: int = 0
    """So many orders to open the network are not heard."""
    busy: int = 0
    """So many are refused."""
    no_network: bool = False
    """The answer names no network: Wi-Fi Direct is wanted."""
    no_report: bool = False
    """They never report their address, only tell it when asked."""
    report_first: bool = False
    """The address is reported before the order is answered."""
    wifi_fails: int = 0
    """So many times the network breaks down as soon as it is open."""
    announced: bytes = b""
    """Told instead of the true address."""
    list_body: bytes | None = None
    list_errors: int = 0
    cut_after: int | None = None
    cuts: int | None = None
    server_error: int = 0
    changes_file: bool = False
    endless_file: bool = False
    redirect_to: str = ""


NO_HEYCYAN_FAULTS = HeycyanFaults()


class SimulatedHeycyan(SimulatedPeripheral):
    """One pair. `destroyed` is what was done to them that can't be undone: it must stay empty."""

    def __init__(
        self,
        pictures: Sequence[bytes],
        *,
        faults: HeycyanFaults = NO_HEYCYAN_FAULTS,
        pace: Pace = REAL_PACE,
        on_event: Callable[[str], None] | None = None,
        files: dict[str, bytes] | None = None,
        listen: Listen = own_port,
    ) -> None:
        """`pictures`: JPEG files to "see" in turn, sent as small photos. `files`: what they hold, by name; else the pictures."""
        if not pictures:
            raise ValueError("simulated glasses need at least one picture to see")
        super().__init__("M01_9FD8", (wire.SERVICE,), mtu=faults.mtu, advertise_ms=pace.advertise_ms, on_event=on_event)
        self.faults = faults
        self.charge = 87
        self.destroyed: list[bytes] = []
        self.frames: list[bytes] = []
        self.asked: list[Asked] = []
        self.mode: int = Mode.TRANSFER if faults.stuck_in_transfer else 0
        self.files = files if files is not None else {f"20260314_15092{n}.jpg": picture for n, picture in enumerate(pictures[:2])}
        self.http = LoopbackHttp(self._respond, rate=WIFI_RATE if pace == REAL_PACE else 0.0, listen=listen)
        self._pictures = itertools.cycle(pictures)
        self._pace = pace
        self._pages: list[bytes] = []
        self._reader = wire.FrameReader()
        self._speaking = asyncio.Lock()
        self._left: dict[str, int] = {
            name: getattr(faults, name)
            for name in ("bad_crc", "bad_page_crc", "deaf_to_transfer", "busy", "wifi_fails", "list_errors", "server_error")
        }
        self._served = 0

    @property
    def family(self) -> str:
        return wire.FAMILY

    def services(self) -> list[gatt.Service]:
        notify = self.readable(wire.NOTIFY, lambda: b"", notify=True)
        self._cccds[wire.NOTIFY] = b"\x00\x00"

        def written(_: device.Connection, data: bytes) -> None:
            self.accesses.append(Access("write", wire.WRITE, bytes(data)))
            self._heard(bytes(data))

        properties = gatt.Characteristic.Properties.WRITE | gatt.Characteristic.Properties.WRITE_WITHOUT_RESPONSE
        value = att.AttributeValue(None, written)
        write: gatt.Characteristic[bytes] = gatt.Characteristic(
            core.UUID(wire.WRITE), properties, att.Attribute.Permissions.WRITEABLE, value
        )
        return [gatt.Service(core.UUID(wire.SERVICE), [notify, write])]

    def on_disconnected(self) -> None:
        self._cccds[wire.NOTIFY] = b"\x00\x00"
        self._reader = wire.FrameReader()

    async def switch_off(self) -> None:
        await self.http.stop()
        await super().switch_off()

    def _spend(self, name: str) -> bool:
        """Whether a fault that happens so many times happens now."""
        self._left[name] -= 1
        return self._left[name] >= 0

    # -- frames ---------------------------------------------------------------------------------------------------------------------

    def say(self, opcode: int, payload: bytes, *, crc_fault: str = "bad_crc") -> None:
        """Notify a frame."""
        frame = wire.frame(opcode, payload)
        if self._spend(crc_fault):
            frame = frame[:4] + bytes([frame[4] ^ 0xFF]) + frame[5:]
        self.spawn(self._notify(frame))

    async def _notify(self, frame: bytes) -> None:
        room = self.faults.split or (self._connection.att_mtu - 3 if self._connection is not None else 20)
        async with self._speaking:
            if self.faults.stray:
                await self.notify(wire.NOTIFY, self.faults.stray)
            for start in range(0, len(frame), room):
                await self.notify(wire.NOTIFY, frame[start : start + room])

    def _heard(self, data: bytes) -> None:
        for one in self._reader.feed(data, asyncio.get_running_loop().time()):
            self.frames.append(data)
            if one.opcode in wire.DENIED_OPCODES or (one.opcode == wire.CONTROL and one.payload.startswith(wire.DENIED_CONTROL)):
                self.destroyed.append(data)
            match one.opcode:
                case wire.BATTERY:
                    self.say(wire.BATTERY, bytes([self.charge, 1]))
                case wire.VERSION:
                    self._versions()
                case wire.PICTURE:
                    self._page(int.from_bytes(one.payload[1:3], "little"))
                case wire.CONTROL if one.payload[:2] == b"\x02\x01":
                    self._switch(one.payload[2])
                case wire.CONTROL if one.payload == b"\x02\x03":
                    self.say(wire.CONTROL, b"\x02\x03" + self._address())
                case wire.CONTROL if one.payload == b"\x02\x04":
                    self.say(wire.CONTROL, b"\x02\x04" + self._counts() + b"\x00")

    def _versions(self) -> None:
        texts = (b"A02E02_3.20_251014", b"A02E02_V3.2", b"W1", b"H1")
        lengths = b"".join(len(text).to_bytes(2, "little") for text in texts)
        self.say(wire.VERSION, b"\x01" + lengths + b"".join(texts))

    def _counts(self) -> bytes:
        kinds = [sum(1 for name in self.files if name.endswith(ending)) for ending in (".jpg", ".mp4", ".opus")]
        return b"".join(count.to_bytes(2, "little") for count in kinds)

    def _address(self) -> bytes:
        if self.faults.announced:
            return self.faults.announced
        host, _, port = (self.http.address or "127.0.0.1:1").partition(":")
        return bytes(int(part) for part in host.split(".")) + int(port).to_bytes(2, "little")

    # -- modes ----------------------------------------------------------------------------------------------------------------------

    def _switch(self, mode: int) -> None:
        if mode == Mode.TRANSFER:
            self.spawn(self._transfer())
        elif mode == Mode.TRANSFER_STOP:
            self.mode = 0
            self.spawn(self.http.stop())
            self._answer(mode, b"\xff")
        elif mode in (Mode.SMALL_PHOTO, Mode.PHOTO):
            if self.mode == Mode.TRANSFER:
                self._answer(mode, bytes([0, self.mode]))
                return
            self._answer(mode, b"\xff")
            if not self.faults.camera_silent:
                self.spawn(self._shoot())
        else:
            self._answer(mode, b"\xff")

    def _answer(self, mode: int, result: bytes) -> None:
        self.say(wire.CONTROL, bytes([2, 1, mode]) + result)

    async def _shoot(self) -> None:
        await asyncio.sleep(self._pace.shutter)
        picture, size = next(self._pictures), self.faults.page_bytes
        self._pages = [picture[start : start + size] for start in range(0, len(picture), size)]
        self.tell("photo taken")
        self.say(wire.REPORT, b"\x02")

    def _page(self, index: int) -> None:
        if index == self.faults.lose_page or index >= max(len(self._pages), self.faults.pages_stated or 0):
            return
        total = len(self._pages) if self.faults.pages_stated is None else self.faults.pages_stated
        data = self._pages[index] if index < len(self._pages) else b"\x00" * 8000
        head = b"\x01" + total.to_bytes(2, "little") + index.to_bytes(2, "little")
        self.say(wire.PICTURE, head + data, crc_fault="bad_page_crc")

    async def _transfer(self) -> None:
        if self._spend("deaf_to_transfer"):
            return
        if self._spend("busy"):
            self._answer(Mode.TRANSFER, bytes([0, 2]))
            return
        self.mode = Mode.TRANSFER
        if not await self.http.start():
            self.say(wire.REPORT, b"\x09\xff")
            return
        lengths = len(NETWORK).to_bytes(2, "little") + len(PASSWORD).to_bytes(2, "little")
        if self.faults.report_first:
            self._report()
        self._answer(Mode.TRANSFER, b"\xff" if self.faults.no_network else b"\xff" + lengths + NETWORK + PASSWORD)
        if self._spend("wifi_fails"):
            await self.http.stop()
            self.say(wire.REPORT, b"\x09\xff")
        elif not self.faults.report_first:
            self._report()

    def _report(self) -> None:
        if not self.faults.no_report:
            self.say(wire.REPORT, b"\x08" + self._address())

    # -- files ----------------------------------------------------------------------------------------------------------------------

    def _respond(self, request: Asked) -> Reply:
        self.asked.append(request)
        if self.faults.redirect_to:
            return Reply(302, b"", (("Location", self.faults.redirect_to),))
        if request.path == "/files/media.config":
            if self._spend("list_errors"):
                return Reply(500, b"")
            names = "".join(f"{name}\n" for name in self.files).encode()
            return Reply(200, names if self.faults.list_body is None else self.faults.list_body)
        data = self.files.get(request.path.removeprefix("/files/"))
        if data is None:
            return Reply(404, b"")
        if self._spend("server_error"):
            return Reply(500, b"")
        self._served += 1
        if self.faults.endless_file:
            return Reply(200, bytes(65536), endless=True)
        if self.faults.changes_file and self._served > 1:
            data = data[::-1]
        spared = self.faults.cuts is not None and self._served > self.faults.cuts
        return Reply(200, data, cut=None if spared else self.faults.cut_after)
