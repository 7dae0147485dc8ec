"""What goes wrong on the real BlueZ: a drop in mid-photo, a small MTU, a device that is no glasses, an adapter that is gone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ble.bleak_port import BleakAirwaves
from ble.drivers.omi import OmiDriver, OmiGlasses
from ble.errors import LinkLost, NotGlasses, ProtocolFault, RadioUnavailable
from ble.keeper import Keeper, KeeperEvent, LinkChanged
from ble.types import Advertisement, CaptureDamaged, CaptureOffered, LinkState

pytestmark = pytest.mark.bluez

SAMPLES = Path(__file__).resolve().parents[2] / "resources" / "samples"
DRIVER = OmiDriver()


def pictures(family: str) -> list[Path]:
    return sorted((SAMPLES / family).glob("*.jpg"))


async def found(airwaves: BleakAirwaves, address: str) -> Advertisement:
    scan = airwaves.scan(DRIVER.service_uuids)
    try:
        async with asyncio.timeout(20):
            async for advertisement in scan:
                if advertisement.address == address:
                    return advertisement
    finally:
        await scan.aclose()
    raise AssertionError("the scan ended by itself")


@asynccontextmanager
async def connected(airwaves: BleakAirwaves, address: str) -> AsyncIterator[OmiGlasses]:
    opened = await DRIVER.open(airwaves.port(address), continuous=False)
    try:
        yield opened
    finally:
        await opened.close()


async def taken(glasses: Any, files: list[Path]) -> bytes:
    """What the glasses themselves say they took on the last order."""
    await glasses.until("photo control -1")
    number = int((await glasses.until(" begun")).split()[1])
    return files[(number - 1) % len(files)].read_bytes()


async def until_state(events: AsyncIterator[KeeperEvent], wanted: LinkState) -> list[KeeperEvent]:
    """What happened until the link was in the `wanted` state."""
    past: list[KeeperEvent] = []
    async with asyncio.timeout(40):
        async for event in events:
            if isinstance(event, LinkChanged) and event.view.state is wanted:
                return past
            past.append(event)
    raise AssertionError("the keeper stopped")


async def test_a_link_that_drops_in_mid_photo_comes_back_by_itself(glasses: Any, figures: list[str]) -> None:
    address, files = "F0:12:34:56:78:02", pictures("openglass")
    await glasses.put_on("openglass", address, files, disconnect_after_chunk=60, times=1)
    keeper = Keeper(BleakAirwaves(), DRIVER, address)
    events = keeper.events()
    clock = Clock()
    keeper.connect_now()
    await until_state(events, LinkState.READY)
    clock.lap("ready")

    with pytest.raises(LinkLost):
        await keeper.take_photo()
    clock.lap("dropped after 61 chunks")
    past = await until_state(events, LinkState.READY)
    clock.lap("ready again")
    assert [type(event) for event in past].count(CaptureDamaged) == 1
    assert not any(isinstance(event, CaptureOffered) for event in past)

    await glasses.until("photo control -1")  # the order that the drop cut short
    await keeper.take_photo()
    async with asyncio.timeout(10):
        offer = await anext(event.offer async for event in events if isinstance(event, CaptureOffered))
    body = b"".join([piece async for piece in keeper.fetch(offer.id)])
    clock.lap(f"a photo of {len(body)} bytes")
    assert body == await taken(glasses, files)
    assert (keeper.view.status.received, keeper.view.status.damaged) == (1, 1)
    await keeper.stop()
    await glasses.until("disconnected")
    figures.append(str(clock))


async def test_a_small_mtu_is_noticed_and_nothing_cut_is_kept(glasses: Any) -> None:
    address, files = "F0:12:34:56:78:03", pictures("openglass")
    await glasses.put_on("openglass", address, files, mtu=185)
    airwaves = BleakAirwaves()
    async with connected(airwaves, address) as opened:
        assert "182 bytes" in opened.capabilities.cautions[-1]
        with pytest.raises(ProtocolFault):
            await opened.take_photo()
        assert opened.status.damaged == 1
        assert opened.status.received == 0


async def test_a_necklace_is_refused(glasses: Any) -> None:
    address = "F0:12:34:56:78:04"
    await glasses.put_on("omi-necklace", address, [])
    airwaves = BleakAirwaves()
    assert DRIVER.recognises(await found(airwaves, address))
    with pytest.raises(NotGlasses):
        await DRIVER.open(airwaves.port(address), continuous=False)
    await glasses.until("disconnected")


async def test_an_adapter_that_is_gone_is_said_to_be_gone(glasses: Any) -> None:
    await glasses.put_on("openglass", "F0:12:34:56:78:05", pictures("openglass"))
    airwaves = BleakAirwaves()
    await found(airwaves, "F0:12:34:56:78:05")
    await glasses.take_off()
    with pytest.raises(RadioUnavailable):
        await found(airwaves, "F0:12:34:56:78:05")


class Clock:
    """What took how long, in one line."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._laps: list[str] = []

    def lap(self, what: str) -> None:
        now = time.monotonic()
        self._laps.append(f"{what}: {now - self._last:.1f} s")
        self._last = now

    def __str__(self) -> str:
        return ", ".join(self._laps)
