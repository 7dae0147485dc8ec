"""Simulated Mentra Live and the glasses that its driver opened, with what they told and what was asked of their server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ble.drivers.mentra import MentraDriver
from ble.drivers.mentra_glasses import MentraGlasses
from ble.sim.faults import AT_ONCE
from ble.sim.mentra import SimulatedMentra
from ble.sim.mentra_faults import MentraFaults
from ble.types import Offer
from tests.ble.direct_http import DirectHttp
from tests.ble.driving import Listener, fetched


@dataclass
class Pair:
    twin: SimulatedMentra
    glasses: MentraGlasses
    heard: Listener
    http: DirectHttp

    async def get(self, offer: Offer | None = None, offset: int = 0) -> bytes:
        """The capture from `offset` on; without `offer` the first that was offered."""
        return await fetched(self.glasses, offer or self.heard.offers[0], offset)


Pairs = Callable[..., Awaitable[Pair]]


def pairs(rig: Any, picture: bytes) -> Pairs:
    """What opens a pair: with these pictures (`picture` where there are none) on it, and settings of the twin or its faults by name."""

    async def opened(*pictures: bytes, look: bool = True, **settings: Any) -> Pair:
        faults = MentraFaults(**{name: settings.pop(name) for name in list(settings) if name in MentraFaults.__slots__})
        twin = SimulatedMentra(pictures or (picture,), faults=faults, pace=AT_ONCE, **{"stored": 1} | settings)
        http = DirectHttp(twin)
        glasses, heard = await rig.connect(MentraDriver(http, simulated=True), twin)
        if look:
            await glasses.open_wifi(own_network=True)
            await glasses.look_over_wifi()
            await asyncio.sleep(0.1)
        return Pair(twin, glasses, heard, http)

    return opened
