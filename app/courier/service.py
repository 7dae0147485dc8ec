"""The courier's own loop: takes orders from the pipe, runs them side by side, answers on the pipe, ends with the pipe."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

from app.courier.carry import Street, Streets, carry
from app.courier.fetch import Allowance, fetch
from app.courier.indoors import UNCONFINED, Indoors
from app.courier.mirror import Mirror
from app.courier.pipe import Cancel, End, Ending, Fetch, Hello, Message, More, PipeError, Send, read, write

MAX_AT_ONCE = 4
MAX_FETCHES = 8


class Courier:
    """Carries parcels. Owns the tasks under way and the memory of approvals already used; never touches the disk."""

    def __init__(
        self, outgoing: BinaryIO, *, clock: Callable[[], float] = time.time, way_out: Street | None = None, indoors: Indoors = UNCONFINED
    ) -> None:
        """`indoors`: what the kernel keeps this process from, to be told in the hello."""
        self._outgoing = outgoing
        self._indoors = indoors
        self._clock = clock
        self._way_out = way_out or Streets()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="pipe")
        self._used: set[str] = set()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._fetches: dict[str, tuple[asyncio.Task[None], Allowance]] = {}

    async def serve(self, incoming: BinaryIO) -> None:
        """Say hello, then work until the other side closes the pipe, asks to quit, or sends what is no message."""
        loop = asyncio.get_running_loop()
        inbox: asyncio.Queue[Message | None] = asyncio.Queue()
        threading.Thread(target=_listen, args=(incoming, loop, inbox), daemon=True).start()
        async with Mirror() as mirror:
            await self._tell(Hello(mirror.origin, mirror.path, self._indoors.calls, self._indoors.files))
            while isinstance(message := await inbox.get(), Send | Fetch | More | Cancel):
                if isinstance(message, Send):
                    await self._take(message)
                elif isinstance(message, Fetch):
                    await self._take_fetch(message)
                else:
                    self._mind(message)
            await self._stop()
        self._writer.shutdown()

    def _mind(self, message: More | Cancel) -> None:
        """Tell what is under way: to go on, or to stop. What has ended already takes no notice."""
        running, allowance = self._fetches.get(message.parcel_id, (self._running.get(message.parcel_id), None))
        if isinstance(message, Cancel):
            if running is not None:
                running.cancel()
        elif allowance is not None:
            allowance.extend(message.credit)

    async def _take_fetch(self, order: Fetch) -> None:
        if order.parcel_id in self._fetches or order.parcel_id in self._running or len(self._fetches) >= MAX_FETCHES:
            await self._tell(End(order.parcel_id, 0, None, Ending.REFUSED, "Too much is asked of the glasses at once."))
            return
        allowance = Allowance(order.credit)
        self._fetches[order.parcel_id] = asyncio.create_task(self._run_fetch(order, allowance)), allowance
        await asyncio.sleep(0)  # as in `_take`

    async def _run_fetch(self, order: Fetch, allowance: Allowance) -> None:
        end = await fetch(order, self._tell, allowance)
        self._fetches.pop(order.parcel_id, None)
        await self._tell(end)

    async def _take(self, message: Send) -> None:
        # An order's life is bound to its approval: the same one, or the same parcel twice at once, never runs again.
        if message.approval_id in self._used or message.parcel_id in self._running or message.parcel_id in self._fetches:
            await self._tell(End(message.parcel_id, 0, None, Ending.REFUSED, "The approval has been used already."))
        elif len(self._running) >= MAX_AT_ONCE:
            await self._tell(End(message.parcel_id, 0, None, Ending.REFUSED, "Too many parcels are on their way."))
        else:
            self._used.add(message.approval_id)
            self._running[message.parcel_id] = asyncio.create_task(self._run(message))
            # Let it begin: a task cancelled before its first step would end without an End.
            await asyncio.sleep(0)

    async def _run(self, order: Send) -> None:
        end = await carry(order, self._tell, clock=self._clock, way_out=self._way_out)
        self._running.pop(order.parcel_id, None)
        await self._tell(end)

    async def _tell(self, message: Message) -> None:
        await asyncio.get_running_loop().run_in_executor(self._writer, write, self._outgoing, message)

    async def _stop(self) -> None:
        tasks = [*self._running.values(), *(task for task, _ in self._fetches.values())]
        for task in tasks:
            task.cancel()
        with contextlib.suppress(OSError):
            await asyncio.gather(*tasks)


def _listen(incoming: BinaryIO, loop: asyncio.AbstractEventLoop, inbox: asyncio.Queue[Message | None]) -> None:
    """The reading thread: blocks on the pipe, since not every system can wait for one on an event loop."""
    message: Message | None
    while True:
        try:
            message = read(incoming)
        except (PipeError, OSError, ValueError):
            message = None
        try:
            loop.call_soon_threadsafe(inbox.put_nowait, message)
        except RuntimeError:
            return
        if message is None:
            return
