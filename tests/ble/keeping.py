"""A keeper over the virtual air, and what it said."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ble.drivers.omi import OmiDriver
from ble.glasses import Driver
from ble.keeper import Keeper, LinkChanged
from ble.sim.faults import AT_ONCE, NO_FAULTS, Faults
from ble.sim.omi import SimulatedGlasses, SimulatedOpenGlass
from ble.types import LinkState
from tests.ble.driving import Listener


class SlowAirwaves:
    """The virtual air with a second's pause while connecting and another while securing."""

    def __init__(self, airwaves: Any) -> None:
        self.scan = airwaves.scan
        self.held_here = airwaves.held_here
        self._airwaves = airwaves

    def port(self, address: str) -> Any:
        port = self._airwaves.port(address)
        connect, payload_size = port.connect, port.payload_size

        async def slowly(on_lost: Callable[[], None]) -> None:
            await asyncio.sleep(1)
            await connect(on_lost)

        async def slow_size(wanted: int) -> int:
            await asyncio.sleep(1)
            return int(await payload_size(wanted))

        port.connect, port.payload_size = slowly, slow_size
        return port


class Kept(Listener):
    """A keeper and what it said."""

    def __init__(self, rig: Any, address: str, *, slow: bool = False, driver: Driver | None = None, **how: Any) -> None:
        airwaves = SlowAirwaves(rig.airwaves) if slow else rig.airwaves
        self.keeper = Keeper(airwaves, driver or OmiDriver(), address, jitter=lambda: 0.0, **how)
        super().__init__(self.keeper)

    @property
    def states(self) -> list[str]:
        """The states told, each once in a row."""
        named = [event.view.state.name for event in self.events if isinstance(event, LinkChanged)]
        return [name for index, name in enumerate(named) if index == 0 or named[index - 1] != name]

    def is_in(self, state: LinkState) -> Callable[[], bool]:
        return lambda: self.keeper.view.state is state


async def on_air(
    rig: Any, picture: bytes, faults: Faults = NO_FAULTS, kind: type[Any] = SimulatedOpenGlass, **pace: Any
) -> SimulatedGlasses:
    glasses: SimulatedGlasses = kind([picture], faults=faults, pace=replace(AT_ONCE, **pace))
    await rig.air.add(glasses)
    return glasses
