"""Talking Lua to Frame and Halo: one statement, one answer, over a channel on which text can be lost, split or somebody else's.

Every statement ends in a print of a number of its own, so that stray text never passes for its answer. Only a break, a reset and text are
ever sent: the other control bytes delete files, reboot or end Lua.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque

from ble.drivers import brilliant_lua as lua
from ble.drivers import brilliant_profile as profile
from ble.drivers.brilliant_stream import plain
from ble.errors import ProtocolFault, link_lost
from ble.port import GattPort

_MOST_WAITING = 64
_BREAKS = 5
LUA_ERROR = re.compile(r"\]:\d+:|\.lua:\d+:")
"""Where a Lua error says it happened: `[string "..."]:1:` or `file.lua:1:` (luaL_where of the Lua reference implementation)."""


class LuaError(ProtocolFault):
    """The glasses could not carry out a statement. `reason` is in their own words."""

    def __init__(self, reason: str) -> None:
        super().__init__("The glasses could not do what they were asked.", f"They said: {reason}", "Switch the glasses off and on again.")
        self.reason = reason


class NoAnswer(ProtocolFault):
    """A statement was not answered in time."""

    def __init__(self) -> None:
        super().__init__("The glasses do not answer.", "Their program may be stuck.", "Switch the glasses off and on again.")


class Repl:
    """One link's Lua prompt. `heard` is fed by whoever gets the notifications; one statement at a time."""

    def __init__(self, port: GattPort) -> None:
        self._port = port
        self._texts: deque[str] = deque(maxlen=_MOST_WAITING)
        self._arrived = asyncio.Event()
        self._gone = False
        self._number = 0

    def heard(self, text: bytes) -> None:
        """A text notification."""
        shown = plain(text)
        if shown:
            self._texts.append(shown)
            self._arrived.set()

    def link_lost(self) -> None:
        """Nothing more will come: fail whoever waits."""
        self._gone = True
        self._arrived.set()

    async def take_over(self) -> None:
        """Stop whatever runs, restart Lua, stop what starts by itself, and see that the prompt answers. Raises ProtocolFault, LinkLost.

        On Frame a reset counts only while nothing runs, and a break can be swallowed by the program it was meant for: hence the order,
        and the repeats.
        """
        for control in (profile.BREAK, profile.RESET, profile.BREAK):
            await self._control(control)
        for _ in range(_BREAKS):
            await self._drain()
            try:
                await self.ask("1", profile.ANSWER_SECONDS / _BREAKS)
                return
            except NoAnswer:
                await self._control(profile.BREAK)
        raise ProtocolFault(
            "Another program is running on the glasses, and can't be stopped.",
            "It ignores every request to stop.",
            "Remove that program with the app it came from.",
        )

    async def ask(self, expression: str, seconds: float | None = None) -> str:
        """The value of a Lua expression, as text. Raises LuaError, NoAnswer, LinkLost."""
        return await self._say("", f"..tostring({expression})", seconds)

    async def ask_twice(self, expression: str) -> str:
        """`ask`, once more if there is no answer: a Frame that is busy drops what it prints."""
        try:
            return await self.ask(expression)
        except NoAnswer:
            return await self.ask(expression)

    async def do(self, statement: str) -> None:
        """Carry out a statement and wait until it is done. Raises LuaError, NoAnswer, LinkLost."""
        await self._say(f"{statement} ", "", None)

    async def tell(self, statement: str) -> None:
        """Start a statement that answers in its own time."""
        await self._port.write(profile.LUA_WRITE, statement.encode())

    async def start(self, module: str, ready: str) -> str:
        """Run a module that prints a line beginning with `ready` once it is up. Raises LuaError, NoAnswer, LinkLost."""
        self._texts.clear()
        await self.tell(f"require('{module}')")
        return await self._until(ready, profile.READY_SECONDS)

    async def upload(self, module: str, content: str, payload: int) -> None:
        """Write a file of Lua anew. Raises LuaError, NoAnswer, LinkLost; the file may then be there in part."""
        # Removed first: some Frame firmware opens a file for writing without emptying it.
        await self.remove(module)
        await self.do(f"f=frame.file.open('{module}.lua','w')")
        for piece in lua.pieces(content, payload - len("f:write(\"\") print('9999=')")):
            await self.do(f'f:write("{piece}")')
        await self.do("f:close()")

    async def remove(self, module: str) -> None:
        """Delete a file of Lua, if it is there."""
        await self.do(f"pcall(frame.file.remove,'{module}.lua')")

    # -- one statement --------------------------------------------------------------------------------------------------------------

    async def _say(self, statement: str, value: str, seconds: float | None) -> str:
        self._number = self._number % 9999 + 1
        self._texts.clear()
        await self.tell(f"{statement}print('{self._number}='{value})")
        return await self._until(f"{self._number}=", profile.ANSWER_SECONDS if seconds is None else seconds)

    async def _until(self, beginning: str, seconds: float) -> str:
        """The rest of the first text that begins so. Raises LuaError when an error comes instead."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    text = await self._next()
                    if text.startswith(beginning):
                        return text[len(beginning) :]
                    if LUA_ERROR.search(text):
                        raise LuaError(text)
        except TimeoutError:
            raise NoAnswer from None

    async def _next(self) -> str:
        while not self._texts:
            self._arrived.clear()
            if self._gone:
                raise link_lost()
            await self._arrived.wait()
        return self._texts.popleft()

    async def _control(self, control: int) -> None:
        await self._port.write(profile.LUA_WRITE, bytes([control]))
        await asyncio.sleep(profile.SETTLE_SECONDS)

    async def _drain(self) -> None:
        """Let what an old program still says pass by."""
        try:
            async with asyncio.timeout(profile.DRAIN_SECONDS):
                while True:
                    async with asyncio.timeout(profile.QUIET_SECONDS):
                        await self._next()
        except TimeoutError:
            pass
