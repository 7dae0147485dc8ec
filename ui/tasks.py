"""Coroutines started from clicks, supervised: none is lost to the garbage collector, and every failure becomes words on the screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.errors import Cancelled, Explanation, explain

Work = Coroutine[Any, Any, None]


class Tasks(QObject):
    """Owns the running work of one window. `failed` carries what to tell a person, and what would try again (or None)."""

    failed = Signal(object, object)

    def __init__(self, loop: asyncio.AbstractEventLoop, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._loop = loop
        self._running: dict[asyncio.Task[None], str] = {}
        self._stopped = False

    def start(
        self,
        work: Work,
        *,
        key: str = "",
        on_error: Callable[[Explanation], None] | None = None,
        again: Callable[[], None] | None = None,
        then: Callable[[], None] | None = None,
    ) -> asyncio.Task[None] | None:
        """Run `work`. A `key` names it: starting another of the same key cancels the first. After `stop` nothing starts any more.

        Errors go to `on_error` where given, else to `failed` together with `again`. `then` is called when it has ended, however it did.
        """
        if self._stopped:
            work.close()
            return None
        if key:
            self.cancel(key)
        task = self._loop.create_task(self._guarded(work, on_error, again))
        self._running[task] = key

        def ended(done: asyncio.Task[None]) -> None:
            self._running.pop(done, None)
            work.close()  # it may have been cancelled before it began
            if then is not None:
                then()

        task.add_done_callback(ended)
        return task

    async def _guarded(self, work: Work, on_error: Callable[[Explanation], None] | None, again: Callable[[], None] | None) -> None:
        try:
            await work
        except Cancelled:
            return
        except Exception as error:  # the last stop before a person: nothing may fall through
            words = explain(error)
            if on_error is not None:
                on_error(words)
            else:
                self.failed.emit(words, again)

    def running(self, key: str) -> bool:
        return key in self._running.values()

    def cancel(self, key: str) -> None:
        for task, name in tuple(self._running.items()):
            if name == key:
                task.cancel()

    async def stop(self) -> None:
        """Cancel everything and wait until it has ended."""
        self._stopped = True
        mine = asyncio.current_task()
        tasks = [task for task in self._running if task is not mine]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
