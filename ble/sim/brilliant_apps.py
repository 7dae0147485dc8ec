"""The programs that simulated Frame and Halo run, step by step as their Lua does: Eyelid's own app, and the stock camera app."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ble.drivers import brilliant_lua as lua
from ble.drivers import brilliant_profile as profile
from ble.sim.brilliant_camera import LuaFault
from ble.sim.brilliant_faults import NO_BRILLIANT_FAULTS, Ack, spoil_stream
from ble.sim.brilliant_firmware import Firmware
from ble.sim.faults import Drop, Stall

_MOST_POLLS = 250
_WARM = 30
_IDLE = 100
_MOST_STOCK_BYTES = 240


class Apps:
    """See `ble.sim.brilliant_lua.Programs`."""

    def __init__(self, firmware: Firmware) -> None:
        self._firmware = firmware
        self._died = False

    async def own_app(self) -> None:
        await OwnApp(self._firmware, self).run()

    async def stock_app(self) -> None:
        await StockApp(self._firmware, self).run()

    async def loop_for_ever(self) -> None:
        await asyncio.get_running_loop().create_future()

    def dies_now(self) -> bool:
        """Whether our app ends at this order; once in a life."""
        now, self._died = self._firmware.faults.app_dies and not self._died, True
        return now

    async def until_ready(self) -> None:
        """Raises LuaFault if no picture comes."""
        for _ in range(_MOST_POLLS):
            if self._firmware.camera.image_ready():
                return
            await self._firmware.sleep(0.02)
        raise LuaFault("the camera made no picture")

    def read_all(self, size: int) -> list[bytes]:
        """All that the camera holds, as it is read piece by piece."""
        pieces: list[bytes] = []
        while (piece := self._firmware.camera.read(size)) is not None:
            pieces.append(piece)
        return pieces

    async def stock_photo(self, width: int) -> None:
        """Our fallback, which sends as the stock app does, after settling the exposure by itself."""
        camera = self._firmware.camera
        camera.power_save(False)
        if not self._firmware.halo:
            for _ in range(_WARM):
                camera.auto()
                await self._firmware.sleep(0.1)
        await self.capture_and_send(width)

    async def capture_and_send(self, width: int) -> None:
        """`capture_and_send` of brilliant-msg's `camera.lua`. Raises LuaFault."""
        camera = self._firmware.camera
        camera.capture(width)
        await asyncio.sleep(self._firmware.pace.shutter)
        await self.until_ready()
        size = min(self._firmware.max_length - 1, _MOST_STOCK_BYTES)
        pieces = [bytes([profile.STOCK_PIECE]) + piece for piece in self.read_all(size)]
        await self.stream(b"", pieces, bytes([profile.STOCK_END]))

    async def stream(self, start: bytes, pieces: list[bytes], end: bytes, between: Callable[[], Awaitable[None]] | None = None) -> None:
        """Send a photo, as the faults have it. `between` is called after each packet. Raises LuaFault where a program would fail."""
        faults = self._firmware.faults if self._firmware.camera.harmed else NO_BRILLIANT_FAULTS
        for step in list(spoil_stream(start, pieces, end, faults)):
            if isinstance(step, bytes):
                if faults.chatter:
                    await self._firmware.print("tap tap")
                if self._firmware.pace.chunk:
                    await asyncio.sleep(self._firmware.pace.chunk)
                await self._firmware.send(step)
                if between is not None:
                    await between()
            elif isinstance(step, Stall):
                await asyncio.get_running_loop().create_future()
            elif isinstance(step, Drop):
                await self._firmware.wire.drop_link()
            else:
                raise LuaFault("not enough memory")


class OwnApp:
    """`ble.drivers.brilliant_lua.APP`. Owns what that program's local variables hold."""

    def __init__(self, firmware: Firmware, apps: Apps) -> None:
        self._firmware = firmware
        self._apps = apps
        self._camera = firmware.camera
        self._inbox = b""
        self._last: int | None = None
        self._order: tuple[int, int] | None = None
        self._stop = False
        self._photo = 0
        self._warm = 0
        self._idle = _IDLE
        self._every = 0
        self._due = 0.0
        self._told = -60.0
        self._width = 640

    async def run(self) -> None:
        self._firmware.callback = self._received
        await self._firmware.print(f"{lua.READY} {self._firmware.family}")
        try:
            while not self._stop and self._firmware.wire.payload > 0:
                await self._turn()
        finally:
            self._rest()
        self._firmware.callback = None
        await self._firmware.print(lua.BYE)

    def _received(self, data: bytes) -> None:
        self._inbox = data

    def _now(self) -> float:
        return asyncio.get_running_loop().time() / self._firmware.pace.second

    async def _turn(self) -> None:
        await self._poll(busy=False)
        now = self._now()
        self._due = min(self._due, now + self._every)
        if self._told > now or now >= self._told + 60:
            self._told = now
            await self._state()
        if self._order is not None:
            (token, width), self._order = self._order, None
            await self._take(token, width)
        elif self._every and now >= self._due:
            self._due = now + self._every
            await self._take(0, self._width)
        elif self._camera.awake and not self._firmware.halo and self._idle < _IDLE:
            self._camera.auto()
            self._idle += 1
            await self._firmware.sleep(0.1)
        else:
            self._rest()
            await self._firmware.sleep(0.05)

    def _rest(self) -> None:
        self._camera.power_save(True)
        self._warm = 0

    async def _state(self) -> None:
        battery = int(float(self._firmware.values["frame.battery_level()"]))
        await self._firmware.send(bytes([profile.STATE, battery, self._every]))

    async def _poll(self, *, busy: bool) -> None:
        data, self._inbox = self._inbox, b""
        if len(data) < 2:
            return
        code, token, arguments = data[0], data[1], data[2:6]
        await self._firmware.send(bytes([profile.HEARD, code, token]))
        if token == self._last:
            return
        self._last = token
        if code == profile.CAPTURE and len(arguments) >= 3:
            if self._apps.dies_now():
                raise LuaFault("not enough memory")
            self._order = token, int.from_bytes(arguments[1:3], "big") * 2
        elif code == profile.INTERVAL and len(arguments) >= 4:
            self._every, self._width, self._due = arguments[0], int.from_bytes(arguments[2:4], "big") * 2, 0.0
        self._stop = self._stop or code == profile.QUIT
        this_one = code == profile.ABORT and arguments[:2] == self._photo.to_bytes(2, "big")
        if busy and (this_one or code == profile.QUIT):
            raise LuaFault("stopped")

    async def _take(self, token: int, width: int) -> None:
        self._photo = (self._photo + 1) & 0xFFFF
        try:
            await self._shot(token, width)
        except LuaFault as fault:
            report = bytes([profile.FAILED]) + self._photo.to_bytes(2, "big") + bytes([token]) + str(fault).encode()[-80:]
            try:
                await self._firmware.send(report)
            except LuaFault:
                pass  # the link is gone, and the loop will see it
        self._idle = 0

    async def _shot(self, token: int, width: int) -> None:
        self._camera.power_save(False)
        while not self._firmware.halo and self._warm < _WARM:
            self._camera.auto()
            self._warm += 1
            await self._firmware.sleep(0.1)
            await self._poll(busy=True)
        self._camera.capture(width)
        await asyncio.sleep(self._firmware.pace.shutter)
        await self._apps.until_ready()
        size = min(self._firmware.max_length - 3, 240)
        if size < 16:
            raise LuaFault("the link carries too little")
        read = self._apps.read_all(size)
        photo = self._photo.to_bytes(2, "big")
        pieces = [bytes([profile.PIECE]) + number.to_bytes(2, "big") + piece for number, piece in enumerate(read)]
        total = sum(map(len, read)) + (self._firmware.faults.wrong_total and self._camera.harmed)
        end = bytes([profile.ENDS]) + photo + len(read).to_bytes(2, "big") + total.to_bytes(4, "big")
        start = bytes([profile.STARTS]) + photo + bytes([token]) + width.to_bytes(2, "big")

        async def poll() -> None:
            if self._inbox:
                await self._poll(busy=True)

        await self._apps.stream(start, pieces, end, poll)


class StockApp:
    """brilliant-msg's example `camera_frame_app.lua` with its modules `data` and `camera`."""

    def __init__(self, firmware: Firmware, apps: Apps) -> None:
        self._firmware = firmware
        self._apps = apps
        self._packets: list[bytes] = []
        self._partial: dict[int, tuple[int, bytes]] = {}
        self._messages: list[tuple[int, bytes]] = []

    async def run(self) -> None:
        firmware = self._firmware
        firmware.callback = self._packets.append
        firmware.camera.power_save(False)
        await firmware.print("Frame app is running")
        rounds = 0
        while True:
            await self._take_in()
            if rounds % 10 == 0:
                await self._act()
                if not firmware.halo:
                    firmware.camera.auto()
            rounds += 1
            await firmware.sleep(0.01)

    async def _take_in(self) -> None:
        """`update_app_data_accum` of `data.lua`: the first packet of a message states its size; each packet is acknowledged."""
        while self._packets:
            packet = self._packets.pop(0)
            code = packet[0]
            if code in self._partial:
                size, body = self._partial.pop(code)
                body += packet[1:]
            else:
                size, body = int.from_bytes(packet[1:3], "big"), packet[3:]
            if len(body) == size:
                self._messages.append((code, body))
            else:
                self._partial[code] = size, body
            if self._firmware.faults.ack is Ack.FAILED:
                await self._firmware.print("Error in data accumulator: not enough memory")
            if self._firmware.faults.ack is not Ack.NONE:
                await self._firmware.send(self._firmware.faults.ack.value)

    async def _act(self) -> None:
        while self._messages:
            code, body = self._messages.pop(0)
            if code == profile.STOCK_CAPTURE and len(body) >= 6:
                try:
                    await self._apps.capture_and_send(int.from_bytes(body[1:3], "big") * 2)
                except LuaFault as fault:
                    await self._firmware.print(f"camera.min.lua:1: {fault}")
