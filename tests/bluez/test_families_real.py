"""The core for every family on the real BlueZ: pair, capture, transfer, leave, come back, capture again; over Wi-Fi where there is one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.glasses.http_link import HttpLink
from app.sharing.courier_link import CourierLink
from ble.bleak_port import BleakAirwaves
from ble.drivers import driver_for, driver_named, family_hint, wifi_driver
from ble.glasses import Driver, Glasses
from ble.http_port import HttpPort, NoHttp, WifiGlasses
from ble.types import Capability, CaptureOffered, LinkClosed

pytestmark = pytest.mark.bluez

SAMPLES = Path(__file__).resolve().parents[2] / "resources" / "samples"
BONDS = Path("/var/lib/bluetooth")


@dataclass(frozen=True)
class Case:
    family: str
    samples: str
    number: int
    bonded: bool = False
    stored: int = 0
    wifi: bool = False

    @property
    def address(self) -> str:
        return f"F0:12:34:56:79:{self.number:02X}"

    @property
    def files(self) -> list[Path]:
        return sorted((SAMPLES / self.samples).glob("*.jpg"))


CASES = (
    Case("omi-glass", "omi", 1),
    Case("openglass", "openglass", 2),
    Case("frame", "frame", 3, bonded=True),
    Case("halo", "halo", 4, bonded=True),
    Case("open", "halo", 5, bonded=True, stored=2),
    Case("mentra-live", "halo", 6, wifi=True),
    Case("heycyan", "halo", 7, wifi=True),
)


@pytest.fixture
async def http(case: Case) -> AsyncIterator[HttpPort]:
    """The program's own way to the glasses' Wi-Fi: the courier, a process of its own, here where the glasses have Wi-Fi."""
    if not case.wifi:
        yield NoHttp()
        return
    courier = await CourierLink.start()
    yield HttpLink(courier)
    await courier.close()


async def found(airwaves: BleakAirwaves, case: Case, http: HttpPort) -> Driver:
    """The driver for the glasses once they were heard; the same way the program finds it."""
    driver = driver_named(case.family)
    assert driver is not None
    scan = airwaves.scan(driver.service_uuids)
    try:
        async with asyncio.timeout(30):
            async for heard in scan:
                if heard.address == case.address:
                    assert driver_for(heard) is driver
                    assert family_hint(heard) == case.family
                    return wifi_driver(case.family, http, simulated=True) or driver
    finally:
        await scan.aclose()
    raise AssertionError("the scan ended by itself")


async def offered(opened: Glasses, which: int = 0) -> bytes:
    """The bytes of the next offer but `which`."""
    async with asyncio.timeout(60):
        async for event in opened.events():
            if isinstance(event, CaptureOffered):
                if which == 0:
                    body = b"".join([piece async for piece in opened.fetch(event.offer.id)])
                    assert event.offer.size in (None, len(body))
                    return body
                which -= 1
    raise AssertionError("the link closed before anything was offered")


async def all_over_wifi(opened: WifiGlasses, glasses: Glasses, wanted: set[bytes]) -> int:
    """Open their Wi-Fi, fetch what they list, and close it; returns how many bytes came."""
    invitation = await opened.open_wifi(own_network=True)
    assert invitation is not None
    assert invitation.name
    count = await opened.look_over_wifi(30)
    assert count > 0
    total = 0
    for _ in range(count):
        body = await offered(glasses)
        assert body in wanted
        total += len(body)
    await opened.close_wifi()
    return total


async def reads_on(opened: Glasses, whole: bytes) -> None:
    """The first stored capture from its middle on."""
    async with asyncio.timeout(60):
        async for event in opened.events():
            if isinstance(event, CaptureOffered):
                rest = b"".join([piece async for piece in opened.fetch(event.offer.id, 10_000)])
                assert rest == whole[10_000:]
                return


@pytest.mark.timeout(150)
@pytest.mark.parametrize("case", CASES, ids=[case.family for case in CASES])
async def test_pair_capture_transfer_and_come_back(case: Case, glasses: Any, properties: Any, http: HttpPort, figures: list[str]) -> None:
    clock = Clock()
    await glasses.put_on(case.family, case.address, case.files)
    pictures = {file.read_bytes() for file in case.files}
    airwaves = BleakAirwaves()
    driver = await found(airwaves, case, http)
    clock.lap("found")

    port = airwaves.port(case.address)
    async with airwaves.pairing(case.address):
        opened = await driver.open(port, continuous=False)
    clock.lap("bonded and ready" if case.bonded else "ready")
    assert opened.capabilities.family == case.family
    assert opened.capabilities.encrypted_link is case.bonded
    assert opened.info.model
    figures.append(f"{case.family}: a notification carries up to {await port.payload_size(512)} bytes")
    if case.bonded:
        await glasses.until("paired")
        known = await properties(case.address)
        assert (known["Paired"], known["Bonded"]) == (True, True)
        [kept] = BONDS.glob(f"*/{case.address}/info")
        assert "LongTermKey]" in kept.read_text()

    await opened.take_photo()
    body = await offered(opened, case.stored)
    assert body in pictures
    clock.lap(f"photo of {len(body)} bytes")
    assert opened.status.damaged == 0
    if case.wifi:
        assert isinstance(opened, WifiGlasses)
        clock.lap(f"{await all_over_wifi(opened, opened, pictures)} bytes over HTTP")

    await opened.close()
    assert [event async for event in opened.events()][-1] == LinkClosed(wanted=True)
    await glasses.until("disconnected")
    glasses.heard.clear()
    driver = await found(airwaves, case, http)
    clock.lap("left and found again")

    opened = await driver.open(airwaves.port(case.address), continuous=False)
    clock.lap("connected with the bond" if case.bonded else "connected")
    if opened.capabilities.can(Capability.RESUME):
        await reads_on(opened, case.files[0].read_bytes())
    await opened.take_photo()
    body = await offered(opened, max(0, case.stored - 1))
    assert body in pictures
    clock.lap(f"photo of {len(body)} bytes")
    await opened.close()
    await glasses.until("disconnected")
    # Encrypted again with the key of the bond; nobody paired anew.
    assert ("encrypted" in glasses.heard, "paired" in glasses.heard) == (case.bonded, False)
    figures.append(f"{case.family}: {clock}")


class Clock:
    """What took how long, in one line."""

    def __init__(self) -> None:
        self._began = self._last = time.monotonic()
        self._laps: list[str] = []

    def lap(self, what: str) -> None:
        now = time.monotonic()
        print(f"{now - self._began:6.1f} s: {what}")  # shown when the test fails
        self._laps.append(f"{what} {now - self._last:.1f} s")
        self._last = now

    def __str__(self) -> str:
        return ", ".join([*self._laps, f"in all {self._last - self._began:.1f} s"])
