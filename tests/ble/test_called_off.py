"""Requests on the virtual air that are called off, after every number of turns of the loop: the link goes on, and nothing is raised.

A person who stops the program just while simulated glasses answer would else be shown a traceback.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from bleak import BleakClient

from ble.drivers import standard
from ble.sim.bleak_backend import backends
from ble.sim.faults import AT_ONCE
from ble.sim.omi import SimulatedOpenGlass


@pytest.fixture
async def faults() -> list[dict[str, Any]]:
    """What the loop was told of that nobody waits for."""
    found: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
    return found


async def called_off(work: asyncio.Task[Any], turns: int) -> bool:
    """Cancel `work` after so many turns of the loop; False when it was done by then."""
    for _ in range(turns):
        await asyncio.sleep(0)
    running = work.cancel()
    await asyncio.wait({work})
    return running


async def test_a_read_called_off_at_any_turn(rig: Any, faults: list[dict[str, Any]]) -> None:
    address = await rig.air.add(SimulatedOpenGlass([b"\xff\xd8\xff\xd9"], pace=AT_ONCE))
    _, client = backends(rig.air)
    async with BleakClient(address, backend=client) as linked:
        turns = 0
        while await called_off(asyncio.ensure_future(linked.read_gatt_char(standard.BATTERY_LEVEL)), turns):
            turns += 1
            assert await linked.read_gatt_char(standard.BATTERY_LEVEL)
    assert turns > 3
    assert faults == []


@pytest.mark.parametrize("linked", [False, True])
async def test_a_connection_called_off_at_any_turn(rig: Any, faults: list[dict[str, Any]], linked: bool) -> None:
    """Before there is a link, while commands go to the controller; and with it, while what the glasses offer is read."""
    address = await rig.air.add(SimulatedOpenGlass([b"\xff\xd8\xff\xd9"], pace=AT_ONCE))
    _, backend = backends(rig.air)
    clock = asyncio.get_running_loop()._jumping  # type: ignore[attr-defined]
    for turns in range(40):
        client = BleakClient(address, backend=backend)
        connecting = asyncio.ensure_future(client.connect())
        while linked and not client.is_connected:
            clock.now += 0.001  # turn by turn, where a sleep would jump over all that needs no time
            await asyncio.sleep(0)
        assert await called_off(connecting, turns)
    assert faults == []
