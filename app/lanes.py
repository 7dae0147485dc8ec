"""Threads that keep blocking work off the event loop: one writer lane for the vault, a small pool for hashing, sealing and decoding.

One lane means that whatever changes the vault happens in the order it was asked for. The pool's heavy calls release the GIL.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_WAITERS = 6
"""Writes that wait for the drive at the same time: it syncs several nearly as fast as one."""


class Lanes:
    """Owns the threads; `close` waits for what was begun."""

    def __init__(self, workers: int = 2) -> None:
        self._vault = ThreadPoolExecutor(1, thread_name_prefix="vault")
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="work")
        self._drive = ThreadPoolExecutor(_WAITERS, thread_name_prefix="drive")

    async def vault(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `call` on the vault's lane, after everything asked for before it."""
        return await asyncio.get_running_loop().run_in_executor(self._vault, lambda: call(*args, **kwargs))

    async def work(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `call` on the pool, at the same time as other work."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: call(*args, **kwargs))

    def apart(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Run `call` on a thread of its own, at once: for what waits so long for others that it would hold up the rest.

        `close` does not wait for it.
        """
        thread = ThreadPoolExecutor(1, thread_name_prefix="apart")
        try:
            return asyncio.get_running_loop().run_in_executor(thread, lambda: call(*args, **kwargs))
        finally:
            thread.shutdown(wait=False)

    async def drive(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `call`, which waits for the drive for a good part of its time, at the same time as others of its kind."""
        return await asyncio.get_running_loop().run_in_executor(self._drive, lambda: call(*args, **kwargs))

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._drive.shutdown(wait=True, cancel_futures=True)
        self._vault.shutdown(wait=True)
