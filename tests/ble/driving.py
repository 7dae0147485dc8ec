"""What tests of the drivers have in common: glasses opened by their driver, and all that they tell written down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any, Protocol

from ble.sim.faults import AT_ONCE
from ble.types import Advertisement, CaptureDamaged, CaptureOffered, Offer

Make = Callable[[int], bytes]
"""Makes a JPEG of so many bytes: the fixture `make_jpeg`."""
QUICK = replace(AT_ONCE, chunk=0.001)
"""Slow enough (in virtual time) that a link comes up in the middle of nothing by chance."""


class Telling(Protocol):
    """Glasses, or whatever else tells events."""

    def events(self) -> AsyncIterator[Any]: ...


class Listener:
    """Reads all events into a list; `task` ends when they do."""

    def __init__(self, source: Telling) -> None:
        self.events: list[Any] = []
        self.task = asyncio.get_running_loop().create_task(self._read(source))

    async def _read(self, source: Telling) -> None:
        async for event in source.events():
            self.events.append(event)

    @property
    def offers(self) -> list[Offer]:
        return [event.offer for event in self.events if isinstance(event, CaptureOffered)]

    @property
    def damaged(self) -> list[str]:
        return [event.reason for event in self.events if isinstance(event, CaptureDamaged)]


async def fetched(glasses: Any, offer: Offer, offset: int = 0) -> bytes:
    """The capture from `offset` on."""
    return b"".join([piece async for piece in glasses.fetch(offer.id, offset)])


async def first(scan: Any) -> Advertisement:
    """What a scan tells first; it is left then."""
    try:
        async with asyncio.timeout(30):
            async for advertisement in scan:
                return advertisement  # type: ignore[no-any-return]
    finally:
        await scan.aclose()
    raise AssertionError("the scan ended by itself")
