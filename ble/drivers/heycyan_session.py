"""What happens on one link to HeyCyan glasses: frames in, as state and events; small photos gathered page by page.

Requests go out through `send`, which is the guarded one; answers are matched by their kind, since frames carry no number.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from ble.drivers import heycyan_wire as wire
from ble.drivers.heycyan_wire import (
    BatteryLevel,
    Counts,
    FrameReader,
    Heard,
    Mode,
    ModeAnswer,
    Page,
    PictureReady,
    Versions,
    WifiAddress,
    WifiFailed,
)
from ble.drivers.session import PROGRESS_SECONDS, HoldingSession, camera_silent
from ble.errors import CameraSilent, GlassesError, ProtocolFault, link_lost
from ble.types import CaptureKind, CaptureProgress, DeviceInfo, Offer, Stored

ANSWER_SECONDS = 3.0
MOST_TRIES = 3
READY_SECONDS = 20.0
"""From the order to the word that a small photo is ready."""
MOST_PAGES = 512
LARGEST_PICTURE = 1 << 20

H = TypeVar("H", bound=Heard)


class HeycyanSession(HoldingSession):
    """State of one link."""

    def __init__(self, utc: Callable[[], datetime], send: Callable[[bytes], Awaitable[None]]) -> None:
        super().__init__(utc)
        self.send = send
        self._reader = FrameReader()
        self._waiting: list[tuple[Callable[[Heard], bool], asyncio.Future[Any]]] = []
        self._collecting: asyncio.Task[None] | None = None
        self._pictures = 0
        self.info = DeviceInfo(model="HeyCyan")
        self.address: WifiAddress | None = None
        self.wifi_failed = False

    # -- what the glasses say -------------------------------------------------------------------------------------------------------

    def notified(self, data: bytes) -> None:
        """One notification."""
        if not self.open:
            return
        for one in self._reader.feed(data, self._loop.time()):
            heard = wire.read(one)
            if heard is not None:
                self._take(heard)

    def _take(self, heard: Heard) -> None:
        match heard:
            case BatteryLevel():
                self.battery(heard.percent)
            case Counts():
                self.change(replace(self.status, stored=Stored(heard.photos, heard.videos, heard.sounds)))
            case Versions():
                self.info = replace(self.info, firmware=heard.firmware, hardware=heard.hardware)
            case WifiAddress():
                self.address = heard
            case WifiFailed():
                self.wifi_failed = True
            case PictureReady() if self._collecting is None or self._collecting.done():
                self._collecting = self._loop.create_task(self._collect())
            case _:
                pass
        for wanted, future in self._waiting:
            if not future.done() and wanted(heard):
                future.set_result(heard)

    def _let_go(self) -> None:
        if self._collecting is not None and not self._collecting.done():
            self._collecting.cancel()
            self.damaged("the link was lost while it was on its way")  # now: after this nothing more is told
        for _, future in self._waiting:
            if not future.done():
                future.set_exception(link_lost())

    async def stopped(self) -> None:
        """Wait until nothing of the link, which has `ended`, runs any more."""
        if self._collecting is not None:
            await asyncio.gather(self._collecting, return_exceptions=True)

    # -- questions ------------------------------------------------------------------------------------------------------------------

    async def ask(self, request: bytes, wanted: type[H], *, which: Callable[[H], bool] = lambda _: True, tries: int = MOST_TRIES) -> H:
        """Send `request`, again if need be, and return the answer. Raises LinkLost, ProtocolFault."""
        for _ in range(tries):
            waiting = self.expect(wanted, which)
            try:
                await self.send(request)
                return await self.within(waiting, ANSWER_SECONDS)
            except TimeoutError:
                continue
            finally:
                self.forget(waiting)
        raise ProtocolFault("The glasses did not answer.", "They may be busy.", "Try again in a moment.")

    def expect(self, wanted: type[H], which: Callable[[H], bool] = lambda _: True) -> asyncio.Future[H]:
        """The next such word of the glasses, as a future; cancel it when it is wanted no more. Raises LinkLost."""
        self.check()
        future: asyncio.Future[H] = self._loop.create_future()
        self._waiting = [entry for entry in self._waiting if not entry[1].done()]
        self._waiting.append((lambda heard: isinstance(heard, wanted) and which(heard), future))
        return future

    async def within(self, waiting: asyncio.Future[H], seconds: float) -> H:
        """What was expected, if it comes within `seconds`; else TimeoutError. Once for each page: `asyncio.timeout` costs thrice that."""
        late = self._loop.call_later(seconds, _is_late, waiting)
        try:
            return await waiting
        finally:
            late.cancel()

    @staticmethod
    def forget(waiting: asyncio.Future[H]) -> None:
        """It is expected no more."""
        if not waiting.cancel() and not waiting.cancelled():
            waiting.exception()  # seen, in case nobody waited for it

    async def switch(self, mode: Mode) -> ModeAnswer:
        """Ask for another mode. Raises LinkLost, ProtocolFault."""
        return await self.ask(wire.switch(mode), ModeAnswer, which=lambda answer: answer.mode == mode)

    # -- small photos ---------------------------------------------------------------------------------------------------------------

    async def small_photo(self) -> None:
        """Have one taken and wait until it was offered. Raises CameraSilent, ProtocolFault, LinkLost."""
        before = self._pictures
        ready = self.expect(PictureReady)
        try:
            answer = await self.switch(Mode.SMALL_PHOTO)
            if not answer.accepted and answer.current == Mode.TRANSFER:  # stuck there after an end that nobody heard of
                await self.switch(Mode.TRANSFER_STOP)
                answer = await self.switch(Mode.SMALL_PHOTO)
            if not answer.accepted:
                raise CameraSilent("The camera of the glasses is busy.", "They are doing something else.", "Try again in a moment.")
            await self.within(ready, READY_SECONDS)
        except TimeoutError:
            raise camera_silent() from None
        finally:
            self.forget(ready)
        if self._collecting is not None:
            await asyncio.wait({self._collecting})
        self.check()
        if self._pictures == before:
            raise ProtocolFault("The photo arrived damaged.", "Parts of it never came.", "Take the photo again.")

    async def _collect(self) -> None:
        """Ask for the pages of the photo that is ready, one by one."""
        jpeg, count, total, tell_at = bytearray(), 0, 1, -math.inf
        try:
            while count < total:
                page = await self._page(count)
                count, total = count + 1, page.total
                if not 0 < total <= MOST_PAGES or len(jpeg) + len(page.data) > LARGEST_PICTURE:
                    raise ProtocolFault("The photo makes no sense.", "It is too large.", "Take the photo again.")
                jpeg += page.data
                if (now := self._loop.time()) >= tell_at:
                    tell_at = now + PROGRESS_SECONDS
                    self.events.put(CaptureProgress(len(jpeg)))
        except GlassesError:
            self.damaged("parts of it never came")
        else:
            self._whole(bytes(jpeg))

    async def _page(self, index: int) -> Page:
        """A page; one whose CRC is wrong is asked for again, and taken as it is when it never comes right."""
        for _ in range(MOST_TRIES):
            page = await self.ask(wire.ask_page(index), Page, which=lambda page: page.index == index)
            if page.sound:
                break
        return page

    def _whole(self, jpeg: bytes) -> None:
        if not jpeg.startswith(b"\xff\xd8") or not jpeg.rstrip(b"\x00").endswith(b"\xff\xd9"):
            self.damaged("it is no picture")
            return
        now = self._utc()
        offer_id = f"ble:{self._pictures + 1}:{now:%Y%m%dT%H%M%S.%f}"
        with contextlib.suppress(ProtocolFault):  # told already
            self.hold(Offer(offer_id, CaptureKind.PHOTO, "image/jpeg", now), jpeg)
            self._pictures += 1


def _is_late(waiting: asyncio.Future[Any]) -> None:
    if not waiting.done():
        waiting.set_exception(TimeoutError())
