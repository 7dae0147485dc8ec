"""The drivers' way to glasses over Wi-Fi: `ble.http_port.HttpPort`, carried by the courier.

Requests are made on the radio's loop; the courier's link lives on another, its home. What is on the way between them is bounded: the
courier sends no further than what was taken in here, plus a window.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from app.courier.pipe import Answer, End, Ending, Fetch, Head, Message, Send
from app.errors import EyelidError
from ble.errors import ProtocolFault
from ble.http_port import CutShort, HttpAnswer, HttpRequest, NotReachable

WINDOW = 4 << 20
"""Bytes of an answer that may be on the way at once."""
CONNECT_SECONDS = 10.0
IDLE_SECONDS = 30.0
ANSWER_SECONDS = 30.0
LEAST_RATE = 20_000
"""Bytes a second: who is slower than that over a whole answer, after the time that any answer may take, is given up; see `_patience`."""
TOTAL_SECONDS = 4 * 3600.0


class Carrier(Protocol):
    """The end of the courier's pipe (`app.sharing.courier_link.CourierLink`)."""

    def send(self, order: Send | Fetch) -> AsyncIterator[Message]: ...

    async def more(self, parcel_id: str, credit: int) -> None: ...

    async def cancel(self, parcel_id: str) -> None: ...


class HttpLink:
    """See `ble.http_port.HttpPort`. Made on the courier's home loop; `open` is for any other loop, or the same."""

    def __init__(self, courier: Carrier) -> None:
        self._courier = courier
        self._home = asyncio.get_running_loop()
        self._numbers = itertools.count(1)

    def open(self, request: HttpRequest) -> AbstractAsyncContextManager[HttpAnswer]:
        """See `ble.http_port.HttpPort`."""
        return self._open(request)

    @asynccontextmanager
    async def _open(self, request: HttpRequest) -> AsyncIterator[HttpAnswer]:
        journey = _Journey(self._courier, self._home, _order(request, f"glasses-{next(self._numbers)}"))
        try:
            yield await journey.begin()
        finally:
            await journey.end()


def _order(request: HttpRequest, parcel_id: str) -> Fetch:
    return Fetch(
        parcel_id=parcel_id,
        address=request.place.address,
        port=request.place.port,
        loopback=request.place.loopback,
        method=request.method,
        path=request.path,
        headers=request.headers,
        credit=WINDOW,
        max_answer=request.most,
        connect_timeout=CONNECT_SECONDS,
        idle_timeout=IDLE_SECONDS,
        total_timeout=_patience(request),
        body=request.body,
    )


def _patience(request: HttpRequest) -> float:
    """Seconds for the whole of an answer: one that comes in drops, head or body, must not hold up the rest for hours."""
    return min(TOTAL_SECONDS, ANSWER_SECONDS + request.most / LEAST_RATE)


class _Journey:
    """One request and its answer. Between the loops go only calls that each loop makes in its own time."""

    def __init__(self, courier: Carrier, home: asyncio.AbstractEventLoop, order: Fetch) -> None:
        self._courier = courier
        self._home = home
        self._here = asyncio.get_running_loop()
        self._order = order
        self._messages: deque[Message] = deque()
        self._news = asyncio.Event()
        self._pump_task: asyncio.Task[None] | None = None
        self._ended = False
        self._taken = 0
        self._granted = order.credit
        self.status = 0
        self.headers: Mapping[str, str] = {}

    # -- at home --------------------------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._pump_task = self._home.create_task(self._pump())

    async def _pump(self) -> None:
        end = End(self._order.parcel_id, 0, None, Ending.LOST, "The helper process that talks to the network can't be reached.")
        source = self._courier.send(self._order)
        try:
            async for message in source:
                if isinstance(message, End):
                    end = message
                else:
                    self._hand_over(message)
        except EyelidError:
            pass
        finally:
            self._hand_over(end)

    def _hand_over(self, message: Message) -> None:
        with contextlib.suppress(RuntimeError):  # the other loop is gone, and nobody waits
            self._here.call_soon_threadsafe(self._arrived, message)

    async def _cancel(self) -> None:
        await self._courier.cancel(self._order.parcel_id)

    # -- here -----------------------------------------------------------------------------------------------------------------------

    def _arrived(self, message: Message) -> None:
        self._messages.append(message)
        self._news.set()

    def _at_home(self, *, more: int | None = None) -> None:
        """Have the courier told, without waiting: to stop, or to send further."""
        work = self._cancel() if more is None else self._courier.more(self._order.parcel_id, more)
        try:
            asyncio.run_coroutine_threadsafe(work, self._home)
        except RuntimeError:
            work.close()

    async def begin(self) -> HttpAnswer:
        try:
            self._home.call_soon_threadsafe(self._start)
        except RuntimeError:
            self._ended = True
            raise NotReachable("Eyelid is ending.") from None
        message = await self._next()
        if not isinstance(message, Head):
            raise _failure(message)
        self.status = message.code
        self.headers = {name.lower(): text for name, text in message.headers}
        return self

    async def pieces(self) -> AsyncIterator[bytes]:
        """See `ble.http_port.HttpAnswer`."""
        while not isinstance(message := await self._next(), End):
            if isinstance(message, Answer):
                self._taken += len(message.body)
                if self._taken + WINDOW // 2 > self._granted:
                    self._granted = self._taken + WINDOW
                    self._at_home(more=self._granted)
                yield message.body
        if message.ending is not Ending.DONE:
            raise _failure(message)

    async def _next(self) -> Message:
        while not self._messages:
            if self._ended:
                return End(self._order.parcel_id, 0, None, Ending.LOST, "")
            self._news.clear()
            await self._news.wait()
        message = self._messages.popleft()
        self._ended = isinstance(message, End)
        return message

    async def end(self) -> None:
        """Leave nothing under way. Does not wait: the courier ends what is cancelled by itself."""
        if not self._ended:
            self._ended = True
            self._at_home()


def _failure(message: Message) -> NotReachable | CutShort | ProtocolFault:
    """What to raise for an End that is none, in the terms of the port."""
    ending = message.ending if isinstance(message, End) else Ending.BROKEN
    detail = message.detail if isinstance(message, End) else ""
    if ending in (Ending.UNREACHABLE, Ending.LOST):
        return NotReachable()
    if ending in (Ending.REFUSED, Ending.REDIRECT, Ending.TOO_BIG):
        return ProtocolFault(
            "The glasses did something over Wi-Fi that Eyelid does not accept.", detail, "Restart the glasses and try again."
        )
    if ending is Ending.TIMEOUT and isinstance(message, End) and message.status is None:
        return NotReachable("They did not answer in time.")
    return CutShort(detail)
