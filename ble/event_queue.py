"""A queue of events between a radio callback, which must never wait, and one reader."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

E = TypeVar("E")


class EventQueue(Generic[E]):
    """Holds events until they are read; bounded, because what fills it comes from a device that may be hostile.

    Of the kinds in `latest_only`, an event that would stand right behind another of its kind replaces it. When the queue is full, the
    oldest event of a kind in `latest_only` or `expendable` gives way; of other kinds nothing is ever dropped.
    """

    def __init__(self, latest_only: tuple[type, ...], expendable: tuple[type, ...], room: int = 1024) -> None:
        self._latest_only = latest_only
        self._may_go = latest_only + expendable
        self._room = room
        self._events: deque[E] = deque()
        self._changed = asyncio.Event()
        self._closed = False

    def put(self, event: E) -> None:
        """Add `event`; after `close` it is a no-op."""
        if self._closed:
            return
        if self._events and type(self._events[-1]) is type(event) and isinstance(event, self._latest_only):
            self._events[-1] = event
        else:
            self._make_room()
            self._events.append(event)
        self._changed.set()

    def close(self) -> None:
        """Let the reader end once it has read what is there."""
        self._closed = True
        self._changed.set()

    def _make_room(self) -> None:
        if len(self._events) >= self._room:
            oldest = next((index for index, event in enumerate(self._events) if isinstance(event, self._may_go)), None)
            if oldest is not None:
                del self._events[oldest]

    async def read(self) -> AsyncIterator[E]:
        """The events in order, until closed and empty."""
        while True:
            while self._events:
                yield self._events.popleft()
            if self._closed:
                return
            self._changed.clear()
            await self._changed.wait()
