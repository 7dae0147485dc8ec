"""Pairing, and a photo, over D-Bus on the real BlueZ, in a process that gave up the internet as the program does.

What is given up never comes back. So this is the last module by its name: those before it make sockets of their own.
"""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from app.confine.calls import internet_refused, keep_only
from app.separation import KEPT
from ble.bleak_port import BleakAirwaves
from ble.drivers import driver_named
from ble.types import CaptureOffered

pytestmark = pytest.mark.bluez

FAMILY, ADDRESS = "frame", "F0:12:34:56:7A:01"
SAMPLES = Path(__file__).resolve().parents[2] / "resources" / "samples"


@pytest.mark.timeout(150)
async def test_pairing_goes_on_without_internet_sockets(glasses: Any, properties: Any) -> None:
    files = sorted((SAMPLES / FAMILY).glob("*.jpg"))
    await glasses.put_on(FAMILY, ADDRESS, files)
    assert not internet_refused()
    assert keep_only(KEPT)
    assert internet_refused()
    with pytest.raises(PermissionError):
        socket.socket(socket.AF_INET)

    driver, airwaves = driver_named(FAMILY), BleakAirwaves()
    assert driver is not None
    scan = airwaves.scan(driver.service_uuids)
    async with asyncio.timeout(30):
        while (await anext(scan)).address != ADDRESS:
            pass
    await scan.aclose()
    async with airwaves.pairing(ADDRESS):
        opened = await driver.open(airwaves.port(ADDRESS), continuous=False)
    assert (await properties(ADDRESS))["Bonded"] is True
    await opened.take_photo()
    async with asyncio.timeout(60):
        async for event in opened.events():
            if isinstance(event, CaptureOffered):
                assert b"".join([piece async for piece in opened.fetch(event.offer.id)]) in {file.read_bytes() for file in files}
                break
    await opened.close()
    assert internet_refused()
