"""The adapter to bleak: scanning."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from bleak.exc import BleakDBusError, BleakError

from ble import bleak_port
from ble.bleak_port import BleakAirwaves, plain_name
from ble.drivers import omi_profile, standard
from ble.errors import RadioOff
from ble.sim.bleak_backend import AirScanner
from ble.sim.faults import AT_ONCE
from ble.sim.omi import SimulatedOmi, SimulatedOpenGlass
from tests.ble.driving import Make, first


async def test_a_scan_tells_what_is_advertised(rig: Any, make_jpeg: Make) -> None:
    address = await rig.air.add(SimulatedOpenGlass([make_jpeg(200)], pace=AT_ONCE))
    heard = await first(rig.airwaves.scan(()))
    assert heard.address == address
    assert heard.name == "OpenGlass"
    assert heard.service_uuids == {omi_profile.OMI_SERVICE, standard.BATTERY_SERVICE, standard.DEVICE_INFORMATION}
    assert -128 <= heard.rssi < 20


async def test_a_filter_keeps_others_out(rig: Any, make_jpeg: Make) -> None:
    await rig.air.add(SimulatedOmi([make_jpeg(200)], pace=AT_ONCE))
    scan = rig.airwaves.scan({standard.BATTERY_SERVICE.upper()})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5):
            await anext(scan)
    address = await rig.air.add(SimulatedOpenGlass([make_jpeg(200)], pace=AT_ONCE))
    assert (await first(rig.airwaves.scan({standard.BATTERY_SERVICE}))).address == address


async def test_scans_share_one_scanner(rig: Any, make_jpeg: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """BlueZ refuses a second one from the same client."""
    running = set()
    most = 0
    start, stop = AirScanner.start, AirScanner.stop

    async def counted_start(self: AirScanner) -> None:
        nonlocal most
        running.add(self)
        most = max(most, len(running))
        await start(self)

    async def counted_stop(self: AirScanner) -> None:
        running.discard(self)
        await stop(self)

    monkeypatch.setattr(AirScanner, "start", counted_start)
    monkeypatch.setattr(AirScanner, "stop", counted_stop)
    omi = await rig.air.add(SimulatedOmi([make_jpeg(200)], pace=AT_ONCE))
    narrow, wide, narrow_again = (rig.airwaves.scan(uuids) for uuids in ({omi_profile.OMI_SERVICE}, (), {omi_profile.OMI_SERVICE}))
    assert {(await anext(scan)).address for scan in (narrow, wide, narrow_again)} == {omi}
    assert most == 1
    await wide.aclose()
    assert (await anext(narrow)).address == omi
    assert len(running) == 1
    await narrow.aclose()
    await narrow_again.aclose()
    assert not running


async def test_a_reader_cancelled_twice_leaves_no_scanner_behind(rig: Any, make_jpeg: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = asyncio.Event()
    stop = AirScanner.stop

    async def slow(self: AirScanner) -> None:
        await asyncio.sleep(1)
        await stop(self)
        stopped.set()

    monkeypatch.setattr(AirScanner, "stop", slow)
    await rig.air.add(SimulatedOmi([make_jpeg(200)], pace=AT_ONCE))
    reader = asyncio.get_running_loop().create_task(first(rig.airwaves.scan({standard.BATTERY_SERVICE})))
    for _ in range(2):
        await asyncio.sleep(0.5)
        reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    await stopped.wait()
    assert rig.airwaves._scanner is None


async def test_a_slow_reader_delays_nobody(rig: Any, make_jpeg: Make) -> None:
    await rig.air.add(SimulatedOmi([make_jpeg(200)], pace=AT_ONCE))
    slow, quick = rig.airwaves.scan(()), rig.airwaves.scan(())
    await anext(slow)
    heard = 0
    async for _ in quick:
        heard += 1
        if heard == 600:
            break
    await quick.aclose()
    await slow.aclose()


async def test_a_radio_that_is_off_is_said_so(rig: Any) -> None:
    rig.air.radio_on = False
    with pytest.raises(RadioOff, match="Switch Bluetooth on"):
        await first(rig.airwaves.scan(()))
    with pytest.raises(RadioOff):
        await rig.airwaves.port("F0:00:00:00:00:01").connect(lambda: None)
    rig.air.radio_on = True
    scan = rig.airwaves.scan(())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await anext(scan)


async def test_a_radio_that_goes_off_while_scanning_can_be_left(rig: Any, make_jpeg: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.air.add(SimulatedOmi([make_jpeg(200)], pace=AT_ONCE))
    stop = AirScanner.stop

    async def broken(self: AirScanner) -> None:
        await stop(self)
        raise BleakError("gone")

    monkeypatch.setattr(AirScanner, "stop", broken)
    await first(rig.airwaves.scan(()))


async def test_what_is_remembered_is_bounded(rig: Any, make_jpeg: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bleak_port, "_MOST_HEARD", 2)
    seen = set()
    for _ in range(4):
        await rig.air.add(SimulatedOmi([make_jpeg(200)], pace=AT_ONCE))
    scan = rig.airwaves.scan(())
    async for advertisement in scan:
        seen.add(advertisement.address)
        if len(seen) == 4:
            break
    await scan.aclose()
    assert len(rig.airwaves._heard) <= 2


@pytest.mark.parametrize(
    ("advertised", "shown"),
    [(None, ""), ("OMI Glass", "OMI Glass"), (" \x1b[31mA\u202eB\x00\n ", "[31mAB"), ("x" * 1000, "x" * 64), ("Brille 👓", "Brille 👓")],
)
def test_names_are_made_safe_to_show(advertised: str | None, shown: str) -> None:
    assert plain_name(advertised) == shown


async def test_an_adapter_that_is_pulled_out_while_scanning(rig: Any) -> None:
    class Pulled(AirScanner):
        air = rig.air

        async def start(self) -> None:
            raise BleakDBusError("org.freedesktop.DBus.Error.UnknownObject", ["/org/bluez/hci0"])

    airwaves = BleakAirwaves(scanner_backend=Pulled)
    with pytest.raises(RadioOff):
        await anext(airwaves.scan(()))
