"""What the glasses with Wi-Fi have in common: a shelf that can be closed, and captures that are offered a few at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable

from ble.http_port import NotReachable
from ble.types import Offer

MOST_OFFERED = 16
"""Captures on offer at once; the next follow as these are fetched."""


class Shelf:
    """What the glasses serve over HTTP, until they stop."""

    def __init__(self) -> None:
        self._closed = asyncio.Event()

    def close(self) -> None:
        """The glasses stop serving: what is still under way ends with NotReachable instead of being tried again."""
        self._closed.set()

    def require_open(self) -> None:
        """Raises NotReachable once it is closed."""
        if self._closed.is_set():
            raise NotReachable("Their Wi-Fi was closed.")

    async def wait(self, seconds: float) -> None:
        """Raises NotReachable once it is closed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        self.require_open()


class Lineup:
    """Which of the captures on a shelf are on offer, which wait for their turn, and which are done with."""

    def __init__(self) -> None:
        self._waiting: deque[Offer] = deque()
        self._offered: set[str] = set()
        self._done: set[str] = set()
        self._unsound = 0

    @property
    def left(self) -> int:
        """How many are not done with."""
        return len(self._offered) + len(self._waiting)

    def add(self, listed: Iterable[Offer], skip: Callable[[Offer], bool]) -> int:
        """Of all that are listed, have those wait that are new and not to be skipped; returns how many these are."""
        here = self._done | self._offered | {offer.id for offer in self._waiting}
        new = [offer for offer in listed if offer.id not in here and not skip(offer)]
        self._waiting.extend(new)
        return len(new)

    def next(self) -> Offer | None:
        """The one to be offered now; None while enough are, or when nobody waits."""
        if not self._waiting or len(self._offered) >= MOST_OFFERED:
            return None
        offer = self._waiting.popleft()
        self._offered.add(offer.id)
        return offer

    def broke_off(self, offer_id: str) -> None:
        """It was not fetched whole: the next list offers it again."""
        self._offered.discard(offer_id)

    def settle(self, offer_id: str) -> None:
        """It was fetched, or need not be: not to be offered any more."""
        self._done.add(offer_id)
        self._offered.discard(offer_id)

    def clear(self) -> None:
        """Forget all: from here on, only whoever keeps the captures knows which are safe."""
        self._waiting.clear()
        self._offered.clear()
        self._done.clear()

    def worse(self, unsound: int) -> bool:
        """Whether more of a list made no sense than of the one before."""
        before, self._unsound = self._unsound, unsound
        return unsound > before
