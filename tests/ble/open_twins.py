"""Simulated glasses of the open profile with pictures of a few small windows, and what was asked of them."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from ble.drivers import open_profile_wire as wire
from ble.drivers.open_profile import OpenGlasses
from ble.drivers.open_profile_wire import Op, Request
from ble.sim.faults import AT_ONCE
from ble.sim.open_profile import SimulatedOpenGlasses
from ble.types import (
    Offer,
)
from tests.ble.driving import Listener

NOW = datetime(2026, 5, 17, 9, 30, tzinfo=UTC)
FRAMES = 24
"""Frames a window: fewer than the driver's own, for speed."""
WINDOW = FRAMES * (514 - 5)
"""What the driver asks for on a link with an MTU of 517."""


def picture(size: int, seed: int = 0) -> bytes:
    return b"\xff\xd8" + hashlib.shake_128(bytes([seed])).digest(size - 4) + b"\xff\xd9"


BIG = picture(3 * WINDOW + 1000)
"""Four windows."""


Opens = Callable[..., Awaitable[tuple[OpenGlasses, Listener]]]


def simulated(*pictures: bytes, **settings: Any) -> SimulatedOpenGlasses:
    settings = {"pace": AT_ONCE, "utc": lambda: NOW, "backlog": 1, **settings}
    return SimulatedOpenGlasses(pictures or (BIG,), **settings)


async def gathered(glasses: OpenGlasses, offer: Offer, pieces: list[bytes]) -> None:
    """As `fetched`, and what came before the trouble stays in `pieces`."""
    async for piece in glasses.fetch(offer.id):
        pieces.append(piece)


def requests(twin: SimulatedOpenGlasses, op: Op | None = None) -> list[Request]:
    written = [wire.read_request(access.value) for access in twin.accesses if access.what == "write" and access.uuid == wire.CONTROL]
    return [request for request in written if request is not None and op in (None, request.op)]
