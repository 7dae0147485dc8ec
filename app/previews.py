"""Looks at captures that came without finished thumbnails, in the background: newest first, and only while nothing else comes in.

Owns no data: what is still to be looked at is written in the vault's index, so that a restart goes on where it was. Uses the ordinary
lane for decoding, no more than a picture a worker, so that whatever the screen asks for waits for one picture at most.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque

from app.events import EventHub, ItemsChanged, PreviewsMade
from app.lanes import Lanes
from app.library.library import Library
from app.vault.errors import VaultLocked
from app.vault.types import ItemId

QUIET_SECONDS = 1.0
"""So long after the last arrival it begins: an import goes first, and brings a tile of most pictures along."""
_AT_ONCE = 2
_TOLD_SECONDS = 0.5
"""Between two words about how far it is."""


class Previews:
    """One a library. To be used on the loop it was made on."""

    def __init__(self, library: Library, lanes: Lanes, events: EventHub, quiet: float = QUIET_SECONDS) -> None:
        self._library = library
        self._lanes = lanes
        self._events = events
        self._quiet = quiet
        self._wanted = asyncio.Event()
        self._unreadable: set[ItemId] = set()  # now at least; tried again after the next start
        self._fresh: list[ItemId] = []
        self._done = self._total = 0
        self._told = 0.0
        self._closed = False

    def close(self) -> None:
        """End `run`: the vault is no more."""
        self._closed = True
        self._wanted.set()

    def wake(self) -> None:
        """The vault was unlocked, or something came in."""
        self._wanted.set()

    async def run(self) -> None:
        """Look until `close`, or until it is cancelled. While the vault is locked it waits for `wake`."""
        while not self._closed:
            await self._wanted.wait()
            while self._wanted.is_set():
                self._wanted.clear()
                await asyncio.sleep(self._quiet)
            with contextlib.suppress(VaultLocked):
                await self._look()

    async def _look(self) -> None:
        """Look at all there is to, until something comes in."""
        waiting = deque(item for item in await self._lanes.work(self._library.not_looked_at) if item not in self._unreadable)
        self._total = self._done + len(waiting)
        for ended in await asyncio.gather(*(self._work(waiting) for _ in range(_AT_ONCE)), return_exceptions=True):
            if ended is not None:  # only when both have: one that went on by itself would be in the way of the next look
                raise ended
        if not waiting:
            self._tell(at_once=True)
            self._done = self._total = 0

    async def _work(self, waiting: deque[ItemId]) -> None:
        while waiting and not self._wanted.is_set():
            item = waiting.popleft()
            if await self._lanes.work(self._library.look_at, item):
                self._fresh.append(item)
            else:
                self._unreadable.add(item)
            self._done += 1
            self._tell()

    def _tell(self, *, at_once: bool = False) -> None:
        if self._total and (at_once or time.monotonic() - self._told >= _TOLD_SECONDS):
            self._told = time.monotonic()
            fresh, self._fresh = tuple(self._fresh), []
            self._events.publish(PreviewsMade(self._done, self._total))
            if fresh:
                self._events.publish(ItemsChanged(fresh))
