"""The firmware of simulated Frame and Halo between radio and Lua: the prompt, what runs, breaks, resets, data for programs.

Frame has one slot for text and one for data, and what is not taken up in time is replaced; Halo has queues
(`source/application/luaport.c` and `lua_libraries/bluetooth.c` of frame-codebase, `modules/halo/src/ble_lua.c` of halo-firmware).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from ble.drivers import brilliant_profile as profile
from ble.sim.brilliant_camera import Camera, LuaFault
from ble.sim.brilliant_faults import BrilliantFaults, Main
from ble.sim.brilliant_lua import MAIN, LuaMachine
from ble.sim.faults import Pace

POLL_SECONDS = 0.01
"""The idle loop of Frame's prompt looks for text so often."""
HALO_QUEUE_BYTES = 1024


class Wire(Protocol):
    """The firmware's way to the client."""

    @property
    def payload(self) -> int:
        """Bytes a notification carries; below 1 without a client."""

    async def send(self, value: bytes) -> None: ...

    async def drop_link(self) -> None: ...

    def tell(self, event: str) -> None: ...


class QueueFull(Exception):
    """No room for another line of text; Halo refuses the write."""


class Firmware:
    """Owns the prompt and whatever program runs. `serve` runs as long as the glasses are on."""

    def __init__(self, family: str, camera: Camera, faults: BrilliantFaults, pace: Pace, wire: Wire, values: dict[str, str]) -> None:
        self.halo = family == profile.FAMILY_HALO
        self.family = family
        self.camera = camera
        self.faults = faults
        self.pace = pace
        self.wire = wire
        self.values = values
        self.lua = LuaMachine(faults, camera, lambda: self.values, self.print)
        self.lua.on_write = self._written
        self.callback: Callable[[bytes], None] | None = None
        self.destructive: list[int] = []
        """Control bytes that delete, reboot or end Lua, as they came."""
        self.breaks = 0
        self.printed = 0
        self._texts: deque[bytes] = deque()
        self._data: deque[bytes] = deque()
        self._delivering = False
        self._deaf = faults.deaf_to
        self._swallow = faults.breaks_swallowed
        self._woken = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._ended_by: int | None = None
        self._restarting = True

    # -- what the client writes -----------------------------------------------------------------------------------------------------

    def written(self, value: bytes) -> None:
        """One write to the Lua service. Raises QueueFull."""
        if value[:1] == bytes([profile.DATA]):
            self._data_written(value[1:])
        elif value == bytes([profile.BREAK]):
            self._break()
        elif self.halo and len(value) == 1 and value[0] in (2, 4, 5, 6, 7):
            self._halo_control(value[0])
        elif value:
            self._text_written(value)

    def _text_written(self, value: bytes) -> None:
        if not self.halo:
            self._texts.clear()
        elif sum(map(len, self._texts)) + len(value) > HALO_QUEUE_BYTES:
            raise QueueFull
        self._texts.append(value)
        self._woken.set()

    def _data_written(self, value: bytes) -> None:
        if self.callback is None or (self.halo and not value):
            return
        if self._deaf:
            self._deaf -= 1
            return
        if not self.halo:
            self._data.clear()
        self._data.append(value)
        if not self._delivering:
            self._delivering = True
            asyncio.get_running_loop().call_later(0.002 * self.pace.second, self._deliver)

    def _deliver(self) -> None:
        self._delivering = False
        waiting, self._data = list(self._data), deque()
        if self.faults.merges_writes:
            waiting = [b"".join(waiting)]
        for value in waiting:
            if self.callback is not None:
                self.callback(value)

    def _break(self) -> None:
        self.breaks += 1
        if self._running is None or (self.faults.main is Main.STUBBORN and self.callback is None):
            return
        if self._swallow:
            self._swallow -= 1
            return
        self._ended_by = profile.BREAK
        self._running.cancel()

    def _halo_control(self, control: int) -> None:
        if control != profile.RESET:
            self.destructive.append(control)
        if control == 5:
            self.lua.files.pop(MAIN, None)
        elif control == 7:
            self.lua.files.clear()
        self._texts.clear()
        self._data.clear()
        self._restarting = True
        if self._running is not None:
            self._ended_by = profile.RESET
            self._running.cancel()
        self._woken.set()

    # -- the prompt -----------------------------------------------------------------------------------------------------------------

    async def serve(self) -> None:
        """The prompt, and `main.lua` after each reset."""
        while True:
            if self._restarting:
                self._restarting = False
                self.callback = None
                self.lua.restart()
                if MAIN in self.lua.files:
                    await self._run("require('main')")
                continue
            if not self._texts:
                self._woken.clear()
                await self._woken.wait()
            if not self.halo:
                await asyncio.sleep(POLL_SECONDS * self.pace.second)
            if self._texts:
                await self._prompted(self._texts.popleft())

    async def _prompted(self, line: bytes) -> None:
        if not self.halo and line[0] == profile.RESET:
            self._restarting = True
            return
        await self._run(line.split(b"\0")[0].decode("utf-8", "replace"))

    async def _run(self, statement: str) -> None:
        self._ended_by = None
        self._running = asyncio.get_running_loop().create_task(self.lua.run(statement))
        try:
            await self._running
        except LuaFault as fault:
            await self.complain(str(fault))
        except asyncio.CancelledError:
            why = self._why_ended()
            if why is None:
                raise  # the glasses are switched off
            if why == profile.BREAK:
                await self.complain(self.break_text)
        finally:
            self._running = None

    def _why_ended(self) -> int | None:
        return self._ended_by

    # -- what Lua does --------------------------------------------------------------------------------------------------------------

    @property
    def break_text(self) -> str:
        return "eyelid.lua:1: interrupted" if self.halo else '[string "..."]:1: break signal'

    @property
    def max_length(self) -> int:
        """`frame.bluetooth.max_length()`: one byte goes to the data marker."""
        return self.wire.payload - 1

    async def print(self, text: str) -> None:
        """Frame drops what is too long, Halo sends it in parts."""
        self.printed += 1
        if self.printed in self.faults.lost_prints:
            return
        raw = text.encode()
        if self.halo:
            for start in range(0, len(raw), max(1, self.wire.payload)):
                await self.wire.send(raw[start : start + self.wire.payload])
        elif len(raw) <= self.wire.payload:
            await self.wire.send(raw)

    async def complain(self, text: str) -> None:
        """Print an error: on Halo a line feed follows by itself."""
        await self.print(text)
        if self.halo:
            await self.print("\n")

    async def send(self, data: bytes) -> None:
        """`frame.bluetooth.send`, in the loop that every program has around it. Raises LuaFault."""
        room = self.max_length
        if room < 1:
            raise LuaFault("not connected")
        if len(data) <= room:
            await self.wire.send(bytes([profile.DATA]) + data)
        elif not self.halo:
            raise LuaFault("string length is greater than max_length()")
        else:
            for start in range(0, len(data), room):
                await self.wire.send(bytes([profile.DATA]) + data[start : start + room])

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds * self.pace.second)

    async def _written(self, number: int) -> None:
        if number == self.faults.disconnect_at_write:
            await self.wire.drop_link()
