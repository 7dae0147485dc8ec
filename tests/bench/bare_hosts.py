"""Hosts that know just enough of a family to have its glasses send a photo, and do nothing with what comes but count its bytes.

What a driver costs shows beside them: the glasses send the same photo in the same way, one link like the other, to a driver or to these.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

from ble.drivers import brilliant_lua, brilliant_profile, heycyan_wire, k900, mentra_profile, omi_profile, open_profile_wire
from ble.drivers.mentra_session import request_id
from ble.drivers.open_profile_link import FRAMES_A_WINDOW
from ble.errors import GlassesError
from ble.port import GattPort

SMALLEST = 64
"""Bytes: shorter notifications are answers and news, not photo."""
_HEYCYAN_PAGE_HEAD = 11
"""Bytes of a frame and of a page in it before the data (`ble/drivers/heycyan_wire.py`)."""


class BareHost:
    """One link. `twin`: the simulated glasses, asked for nothing but how they name or count what they are about to send."""

    data: str
    """The characteristic that photos come by."""

    def __init__(self, port: GattPort, twin: Any) -> None:
        self.port = port
        self.twin = twin
        self._answers = 0
        self._arrived = 0
        self._awaited = 0
        self._news = asyncio.Event()

    async def connect(self) -> None:
        await self.port.connect(lambda: None)
        try:
            await self.port.pair()
        except GlassesError:
            pass  # those without pairing
        await self.port.subscribe(self.data, self._notified)
        await self.prepare()

    async def photo(self, size: int) -> None:
        """Have a photo sent that takes notifications of `size` bytes, and wait for the last of them."""
        self._arrived, self._awaited = 0, size
        await self.order()
        await self._until(lambda: self._arrived >= size)

    async def prepare(self) -> None:
        """Whatever the glasses need once on each link."""

    async def order(self) -> None:
        """Have the glasses send a photo."""
        raise NotImplementedError

    async def confirm(self) -> None:
        """Whatever the glasses want to hear after a photo."""

    def _notified(self, value: bytes) -> None:
        if self._arrived or len(value) > SMALLEST:
            self._arrived += len(value)
            if self._arrived < self._awaited:
                return
        else:
            self._answers += 1
        self._news.set()

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._news.clear()
            await self._news.wait()


class BareOmi(BareHost):
    """Omi Glass and OpenGlass."""

    data = omi_profile.PHOTO_DATA

    async def order(self) -> None:
        await self.port.write(omi_profile.PHOTO_CONTROL, b"\xff")


class BareBrilliant(BareHost):
    """Frame and Halo, which have Eyelid's app from the driver that was there before."""

    data = brilliant_profile.LUA_NOTIFY
    model = brilliant_profile.HALO

    async def prepare(self) -> None:
        self._token = 0
        await self._say(f"require('{brilliant_lua.MODULE}')")

    async def order(self) -> None:
        self._token += 1
        picture = bytes([self.model.quality]) + (self.model.width // 2).to_bytes(2, "big")
        command = bytes([brilliant_profile.DATA, brilliant_profile.CAPTURE, self._token]) + picture
        await self.port.write(brilliant_profile.LUA_WRITE, command)

    async def _say(self, statement: str) -> None:
        answers = self._answers
        await self.port.write(brilliant_profile.LUA_WRITE, statement.encode())
        await self._until(lambda: self._answers > answers)


class BareFrame(BareBrilliant):
    model = brilliant_profile.FRAME


class BareStock(BareBrilliant):
    """Halo with the stock stream."""

    async def prepare(self) -> None:
        for statement in brilliant_lua.FALLBACK:
            await self._say(f"{statement} print(1)")

    async def order(self) -> None:
        await self.port.write(brilliant_profile.LUA_WRITE, brilliant_lua.fallback_photo(self.model.width).encode())


class BareOpen(BareHost):
    """Glasses of the open profile, told to have room for the whole photo at once."""

    data = open_profile_wire.DATA

    async def prepare(self) -> None:
        self._room = await self.port.payload_size(self.twin.faults.mtu - 3) - open_profile_wire.FRAME_HEAD_BYTES
        await self.port.subscribe(open_profile_wire.CONTROL, lambda _: None)
        await self.twin.press_button()

    async def order(self) -> None:
        newest = self.twin.storage.status().newest
        request = open_profile_wire.Request(open_profile_wire.Op.READ, 1, (newest, 0, FRAMES_A_WINDOW * self._room))
        await self.port.write(open_profile_wire.CONTROL, request.pack())
        await self.port.write(open_profile_wire.CREDIT, open_profile_wire.pack_credit(1, 1 << 30), response=False)


class BareMentra(BareHost):
    """Mentra Live."""

    data = mentra_profile.FILE_NOTIFY

    async def prepare(self) -> None:
        self._names = (f"I{number}" for number in itertools.count(1))
        await self.port.subscribe(mentra_profile.CONTROL_NOTIFY, lambda _: None)

    async def order(self) -> None:
        self._name = next(self._names)
        await self._say({"type": "take_photo", "requestId": request_id(self._name), "transferMethod": "ble", "bleImgId": self._name})

    async def confirm(self) -> None:
        await self._say({"type": "transfer_complete", "fileName": self._name, "success": True})

    async def _say(self, message: k900.Json) -> None:
        for payload in k900.payloads(k900.dump(message), "1"):
            await self.port.write(mentra_profile.CONTROL_WRITE, k900.pack(payload, k900.LengthOrder.BIG), response=False)


class BareHeycyan(BareHost):
    """HeyCyan glasses: they send a page only when asked for it."""

    data = heycyan_wire.NOTIFY

    async def order(self) -> None:
        size = 0
        for number, page in enumerate(self.twin._pages):
            await self.port.write(heycyan_wire.WRITE, heycyan_wire.ask_page(number), response=False)
            self._awaited = size = size + len(page) + _HEYCYAN_PAGE_HEAD
            await self._until(lambda: self._arrived >= self._awaited)
