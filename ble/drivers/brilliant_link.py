"""One link to Frame or Halo: the prompt and the camera app behind the same two characteristics, and the orders to that app."""

from __future__ import annotations

import asyncio
import contextlib

from ble.drivers import brilliant_lua as lua
from ble.drivers import brilliant_profile as profile
from ble.drivers.brilliant_repl import LUA_ERROR, Repl
from ble.drivers.brilliant_session import BrilliantSession
from ble.drivers.brilliant_stream import AppStream, StockStream, plain
from ble.errors import CameraSilent, GlassesError
from ble.port import GattPort

_TRIES = 3


class AppSilent(CameraSilent):
    """Our app does not say that it has a command."""

    def __init__(self) -> None:
        super().__init__(
            "The camera program on the glasses does not answer.", "It may have been stopped.", "Switch the glasses off and on again."
        )


class BrilliantLink:
    """Owns the port, the prompt and the session. `model` and `own_app` are settled while it is set up."""

    def __init__(self, port: GattPort, session: BrilliantSession) -> None:
        self.port = port
        self.session = session
        self.repl = Repl(port)
        self.model = profile.FRAME
        self.own_app = True
        self.subscribed = False
        self._running = False
        self._interval = 0
        self._token = 0
        self._speaking = asyncio.Lock()
        self._starting = asyncio.Lock()
        self._aborting: asyncio.Task[None] | None = None
        self._returning: asyncio.Task[None] | None = None
        session.on_spoilt = self._stop_a_lost_photo

    def notified(self, value: bytes) -> None:
        """A notification: the first byte tells data from text."""
        if value and value[0] == profile.DATA:
            self.session.packet(value[1:])
        elif value:
            self.repl.heard(value)
            if self._running:
                self._overheard(plain(value))

    def _overheard(self, text: str) -> None:
        """Text while a program runs: none of ours, unless it is how the program ends."""
        if LUA_ERROR.search(text) or text == lua.BYE:
            self._running = not self.own_app
            self.session.complaint(text)
            if self._interval and self._returning is None:
                self._returning = asyncio.get_running_loop().create_task(self._return())

    async def knock(self) -> None:
        """The first access to what the glasses only show to whom they are paired with. Raises PairingNeeded, LinkLost."""
        if not self.subscribed:
            await self.port.subscribe(profile.LUA_NOTIFY, self.notified)
            self.subscribed = True
        await self.port.write(profile.LUA_WRITE, bytes([profile.BREAK]))

    def lost(self) -> None:
        """The link is gone."""
        self.repl.link_lost()
        self.session.ended()

    # -- the camera program ---------------------------------------------------------------------------------------------------------

    async def start_app(self) -> None:
        """Run our app, which must be there in this version. Raises LuaError, NoAnswer, LinkLost."""
        self.session.starts(self.model, AppStream(self.model))
        await self.repl.start(lua.MODULE, lua.READY)
        self._running = True

    async def start_fallback(self) -> None:
        """Put the functions of the stock stream into memory. Raises LuaError, NoAnswer, LinkLost."""
        self.own_app = False
        for statement in lua.FALLBACK:
            await self.repl.do(statement)
        self.session.starts(self.model, StockStream(self.model))
        self._running = True

    async def photo(self) -> None:
        """Ask for a photo and wait until it was offered. Raises CameraSilent, LinkLost, ProtocolFault."""
        try:
            if self.own_app:
                await self._ask_app(profile.CAPTURE, self._picture(), order=True)
            else:
                self.session.order(None)
                await self.repl.tell(lua.fallback_photo(self.model.width))
            await self.session.ordered()
        finally:
            self.session.forget_order()

    async def set_interval(self, seconds: int) -> None:
        """A photo every so many seconds from now on; 0: none."""
        if self.own_app:
            self._interval = seconds
            await self._ask_app(profile.INTERVAL, bytes([seconds]) + self._picture())

    async def leave(self) -> None:
        """End what runs on the glasses, and the link. Never raises GlassesError."""
        self._interval = 0
        self.session.leaves()
        if self.session.open:
            with contextlib.suppress(GlassesError):
                await self._bow_out()
        with contextlib.suppress(GlassesError):
            await self.port.disconnect()
        self.lost()

    async def _bow_out(self) -> None:
        await self.session.until_quiet(profile.LEAVE_SECONDS)
        if self.own_app:
            await self._command(profile.QUIT, b"")
        elif self.session.receiving:
            await self.port.write(profile.LUA_WRITE, bytes([profile.BREAK]))
        await self.port.unsubscribe(profile.LUA_NOTIFY)

    # -- commands -------------------------------------------------------------------------------------------------------------------

    def _picture(self) -> bytes:
        return bytes([self.model.quality]) + (self.model.width // 2).to_bytes(2, "big")

    async def _ask_app(self, code: int, arguments: bytes, *, order: bool = False) -> None:
        """A command; if the app is gone, start it anew and ask again. Raises AppSilent."""
        try:
            if self._running:
                await self._command(code, arguments, order=order)
                return
        except AppSilent:
            self._running = False
        await self._revive()
        await self._command(code, arguments, order=order)

    async def _revive(self) -> None:
        async with self._starting:
            if self._running:
                return
            await self.repl.take_over()
            await self.start_app()
            if self._interval:
                await self._command(profile.INTERVAL, bytes([self._interval]) + self._picture())

    async def _return(self) -> None:
        """The app ended while photos are due at intervals: start it anew, without being asked to."""
        try:
            await self._revive()
        except GlassesError:
            pass  # the next order tries again
        finally:
            self._returning = None

    async def _command(self, code: int, arguments: bytes, *, order: bool = False) -> None:
        """Send until the app says that it has it: Frame has room for one message, and a second one replaces it. Raises AppSilent."""
        async with self._speaking:
            self._token = self._token % 255 + 1
            token = self._token
            if order:
                self.session.order(token)
            try:
                for _ in range(_TRIES):
                    heard = self.session.expect(code, token)
                    await self.port.write(profile.LUA_WRITE, bytes([profile.DATA, code, token]) + arguments)
                    try:
                        async with asyncio.timeout(profile.HEARD_SECONDS):
                            await asyncio.shield(heard)
                        return
                    except TimeoutError:
                        continue
                raise AppSilent
            finally:
                self.session.unexpect(code, token)

    def _stop_a_lost_photo(self, photo: int) -> None:
        """Spare the link, and the battery, the rest of a photo that is lost already."""
        if self.own_app and self._running and (self._aborting is None or self._aborting.done()):
            self._aborting = asyncio.get_running_loop().create_task(self._abort(photo))

    async def _abort(self, photo: int) -> None:
        # By its number: an order for the next photo may be ahead of this.
        with contextlib.suppress(GlassesError):
            await self._command(profile.ABORT, photo.to_bytes(2, "big"))
