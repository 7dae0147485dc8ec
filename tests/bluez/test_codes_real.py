"""Codes compared while pairing, on the real BlueZ: our agent shows the one that the glasses show, and what the person says of it counts."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from ble.bleak_port import BleakAirwaves
from ble.drivers import driver_named
from ble.errors import PairingNeeded
from ble.types import CaptureOffered

pytestmark = pytest.mark.bluez

SAMPLES = Path(__file__).resolve().parents[2] / "resources" / "samples"
BONDS = Path("/var/lib/bluetooth")
AUTHENTICATED = "Authenticated=3"
"""A key made by LE Secure Connections with somebody looking (MGMT_LTK_P256_AUTH in `lib/mgmt.h` of bluez/bluez)."""


@pytest.mark.timeout(150)
@pytest.mark.parametrize(("same", "address"), [(True, "F0:12:34:56:7B:01"), (False, "F0:12:34:56:7B:02")], ids=["same", "other"])
async def test_what_the_person_says_of_the_codes_counts(same: bool, address: str, glasses: Any, properties: Any) -> None:
    files = sorted((SAMPLES / "halo").glob("*.jpg"))
    await glasses.put_on("open", address, files, shows_code=True)
    shown: list[str] = []

    async def compare(code: str) -> bool:
        shown.append(code)
        return same

    driver, airwaves = driver_named("open"), BleakAirwaves()
    assert driver is not None
    scan = airwaves.scan(driver.service_uuids)
    async with asyncio.timeout(30):
        while (await anext(scan)).address != address:
            pass
    await scan.aclose()
    glasses.heard.clear()
    async with asyncio.timeout(90), airwaves.pairing(address, compare):
        port = airwaves.port(address)
        if not same:
            with pytest.raises(PairingNeeded):
                await driver.open(port, continuous=False)
        else:
            opened = await driver.open(port, continuous=False)
    told = await glasses.until("shows ")
    assert [f"shows {code}" for code in shown] == [told]
    known = await properties(address)
    assert known.get("Bonded", False) is same
    if same:
        [kept] = BONDS.glob(f"*/{address}/info")
        assert AUTHENTICATED in kept.read_text()
        async with asyncio.timeout(60):
            async for event in opened.events():
                if isinstance(event, CaptureOffered):
                    assert b"".join([piece async for piece in opened.fetch(event.offer.id)]) in {file.read_bytes() for file in files}
                    break
        await opened.close()
