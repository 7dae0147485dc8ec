"""The radio's own thread, with a stock asyncio loop for all of `ble`, and bridges to it from other loops.

A thread of its own because photo chunks carry no sequence that could mend a changed order, and a loop driven by a window system has been
reported to change it (CabbageDevelopment/qasync pull request 123); on Windows it also keeps clear of the window thread's COM apartment.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import suppress
from typing import Any, Generic, TypeVar

from ble.errors import RadioUnavailable

T = TypeVar("T")


class Radio:
    """Owns the thread and its loop. `start` and `stop` once each; everything asked for in between runs on the radio's loop."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._gate = threading.Lock()

    def start(self) -> None:
        """Start the thread and return once its loop runs. Started already, it is a no-op."""
        if self._thread is not None:
            return
        ready = threading.Event()
        self._thread = threading.Thread(target=self._live, args=(ready,), name="radio", daemon=True)
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        """Cancel what still runs, let it clean up, and end the thread. Blocks; not to be called on the radio's own loop."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        loop, stop = self._loop, self._stop
        if loop is not None and stop is not None:
            with suppress(RuntimeError):  # the loop ended by itself
                loop.call_soon_threadsafe(stop.set)
        thread.join()

    async def astop(self) -> None:
        """`stop`, without blocking the calling loop."""
        await asyncio.to_thread(self.stop)

    def _live(self, ready: threading.Event) -> None:
        # Runner cancels the tasks that are left, waits for them, and closes async generators.
        with asyncio.Runner() as runner:
            runner.run(self._until_stopped(ready))

    async def _until_stopped(self, ready: threading.Event) -> None:
        self._stop = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        ready.set()
        try:
            await self._stop.wait()
        finally:
            with self._gate:
                self._loop = None
            # What was handed over before the gate closed becomes tasks now, and is cancelled with the rest; later comers are refused.
            await asyncio.sleep(0)

    def _hand_over(self, call: Callable[[asyncio.AbstractEventLoop], T]) -> T:
        """Do `call` while the loop is certain to run what it is given. Raises RadioUnavailable."""
        with self._gate:
            if self._loop is None:
                raise _stopped()
            return call(self._loop)

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` on the radio's loop and return its result to this one. Cancelling this cancels it. Raises RadioUnavailable."""
        if self._loop is asyncio.get_running_loop():
            return await work
        try:
            future = self._hand_over(lambda loop: asyncio.run_coroutine_threadsafe(work, loop))
        except RadioUnavailable:
            work.close()
            raise
        return await asyncio.wrap_future(future)

    def call_soon(self, call: Callable[[], object]) -> None:
        """Call `call` on the radio's loop soon; from any thread; nothing happens if the radio has stopped."""
        with suppress(RadioUnavailable):
            self._hand_over(lambda loop: loop.call_soon_threadsafe(call))

    async def stream(self, source: Callable[[], AsyncIterator[T]], *, room: int = 64) -> AsyncGenerator[T, None]:
        """Iterate on this loop over what `source()` yields on the radio's, in order.

        At most `room` items are on the way: then the source waits. Ending the iteration here ends it there, and waits for that.
        Raises RadioUnavailable, and whatever the source raises.
        """
        bridge = _Bridge(source, asyncio.get_running_loop(), room)
        self._hand_over(lambda loop: loop.call_soon_threadsafe(bridge.begin))
        try:
            while (item := await bridge.next()) is not None:
                self.call_soon(bridge.taken)
                yield item[0]
        finally:
            self.call_soon(bridge.abort)
            await asyncio.shield(bridge.over.wait())
        if bridge.error is not None:
            raise bridge.error


class _Bridge(Generic[T]):
    """One stream from the radio's loop to another, its home."""

    def __init__(self, source: Callable[[], AsyncIterator[T]], home: asyncio.AbstractEventLoop, room: int) -> None:
        self._source = source
        self._home = home
        self._space = asyncio.Semaphore(room)
        self._task: asyncio.Task[None] | None = None
        self._items: deque[T] = deque()
        self._news = asyncio.Event()
        self.over = asyncio.Event()
        self.error: BaseException | None = None

    # -- on the radio's loop --------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._pump())
        self._task.add_done_callback(self._done)

    def taken(self) -> None:
        self._space.release()

    def abort(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _pump(self) -> None:
        iterator = self._source()
        try:
            async for item in iterator:
                await self._space.acquire()
                self._home.call_soon_threadsafe(self._arrive, item)
        finally:
            aclose = getattr(iterator, "aclose", None)
            if aclose is not None:
                await aclose()

    def _done(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        with suppress(RuntimeError):  # home is gone: nobody waits
            self._home.call_soon_threadsafe(self._end, error)

    # -- at home --------------------------------------------------------------------------------------------------------------------

    async def next(self) -> tuple[T] | None:
        """The next item in a tuple of its own; None at the end."""
        while not self._items:
            if self.over.is_set():
                return None
            self._news.clear()
            await self._news.wait()
        return (self._items.popleft(),)

    def _arrive(self, item: T) -> None:
        self._items.append(item)
        self._news.set()

    def _end(self, error: BaseException | None) -> None:
        self.error = error
        self.over.set()
        self._news.set()


def _stopped() -> RadioUnavailable:
    return RadioUnavailable("Eyelid's radio has been stopped.", "The program is closing.", "Start Eyelid again.")
