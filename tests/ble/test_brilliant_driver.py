"""The driver against simulated Frame and Halo, through the real bleak API: what they do, who may pair, and how they are left."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from ble.drivers import brilliant_profile as profile
from ble.drivers import standard
from ble.drivers.brilliant import BrilliantDriver
from ble.errors import CameraSilent, GlassesError, NotGlasses, PairingNeeded, ProtocolFault
from ble.sim.brilliant import SimulatedFrameUpdate
from ble.sim.brilliant_faults import BrilliantFaults, Main
from ble.types import Capability, LinkClosed, StatusChanged
from tests.ble.brilliant_twins import HALO_JPEG, KINDS, opened, simulated, written
from tests.ble.driving import QUICK, fetched


@KINDS
async def test_pair_capture_transfer_reconnect(rig: Any, until: Any, kind: str) -> None:
    twin = simulated(kind)
    glasses, heard = await opened(rig, twin)
    assert glasses.address == rig.air.address_of(twin)
    assert glasses.capabilities.family == kind
    assert glasses.capabilities.encrypted_link
    assert glasses.capabilities.interval_seconds == 30
    assert set(glasses.capabilities.cautions) < set(BrilliantDriver().cautions(kind))
    assert glasses.capabilities.features == {
        Capability.TAKE_PHOTO,
        Capability.CONTINUOUS_CAPTURE,
        Capability.BATTERY,
        Capability.BONDING,
    }
    assert glasses.info.manufacturer == "Brilliant Labs"
    assert glasses.info.model == ("halo" if kind == "halo" else "Frame")
    assert glasses.info.firmware
    assert glasses.status.battery == 87
    assert glasses.status.continuous is False
    await glasses.take_photo()
    await until(lambda: heard.offers)
    offer = heard.offers[0]
    assert offer.orientation == (1 if kind == "halo" else 8)
    assert (offer.media_type, offer.taken_at.tzinfo is not None) == ("image/jpeg", True)
    assert await fetched(glasses, offer) == twin.camera.last
    assert await fetched(glasses, offer, 100) == twin.camera.last[100:]
    assert offer.size == len(twin.camera.last)
    assert twin.camera.dark == 0
    await glasses.release(offer.id)
    with pytest.raises(ProtocolFault):
        await fetched(glasses, offer)
    await glasses.close()
    await heard.task
    assert heard.events[-1] == LinkClosed(wanted=True)
    await until(lambda: not twin.camera.awake)

    writes = twin.firmware.lua.writes
    assert writes > 10
    again, heard = await opened(rig, twin)
    assert twin.firmware.lua.writes == writes, "the app was there already"
    await again.take_photo()
    assert len(twin.bonds.all_keys) == 1
    assert again.status.received == 1


@KINDS
async def test_what_is_written_and_what_never(rig: Any, kind: str) -> None:
    twin = simulated(kind, BrilliantFaults(main=Main.LOOPS))
    glasses, _ = await opened(rig, twin, continuous=True)
    await glasses.take_photo()
    await glasses.set_continuous(False)
    await glasses.close()
    assert twin.firmware.destructive == []
    assert twin.smp_writes == []
    assert {value for value in written(twin) if len(value) == 1} == {b"\x03", b"\x04"}
    assert not any(b"main" in value or b"update" in value for value in written(twin) if b"f:write" not in value)
    assert set(twin.firmware.lua.files) == {"main.lua", "eyelid.lua", "eyelid_v.lua"}
    assert max(map(len, written(twin))) <= profile.WANTED_PAYLOAD
    assert {access.uuid for access in twin.accesses} <= {profile.LUA_WRITE, profile.LUA_NOTIFY, standard.BATTERY_LEVEL}


async def test_photos_at_intervals(rig: Any, until: Any) -> None:
    frame = simulated("frame")
    glasses, heard = await opened(rig, frame, continuous=True)
    assert glasses.status.continuous is True
    loop = asyncio.get_running_loop()
    await until(lambda: heard.offers)
    began = loop.time()
    await until(lambda: len(heard.offers) == 3)
    assert 55 < loop.time() - began < 65
    await glasses.take_photo()
    assert len(heard.offers) == 4
    await glasses.set_continuous(False)
    await asyncio.sleep(100)
    assert len(heard.offers) == 4
    assert frame.camera.dark == 0
    assert not frame.camera.awake, "between photos the camera sleeps"
    assert {event.status.battery for event in heard.events if isinstance(event, StatusChanged)} == {87}


async def test_a_second_photo_finds_the_exposure_settled(rig: Any) -> None:
    frame = simulated("frame")
    glasses, _ = await opened(rig, frame)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await glasses.take_photo()
    first, began = loop.time() - began, loop.time()
    await glasses.take_photo()
    assert first > 3.0 > 1.0 > loop.time() - began
    assert frame.camera.dark == 0


@KINDS
@pytest.mark.parametrize("mtu", [23, 27])
async def test_a_link_that_carries_too_little(rig: Any, kind: str, mtu: int) -> None:
    with pytest.raises(ProtocolFault, match="too little"):
        await opened(rig, simulated(kind, BrilliantFaults(mtu=mtu)))


async def test_a_frame_that_knows_another_computer(rig: Any) -> None:
    frame = simulated("frame", BrilliantFaults(bonded_elsewhere=True))
    with pytest.raises(PairingNeeded, match="pin hole for 3 seconds"):
        await opened(rig, frame)
    frame.open_pairing_window()
    glasses, _ = await opened(rig, frame)
    await glasses.take_photo()


async def test_a_halo_that_knows_another_computer(rig: Any) -> None:
    halo = simulated("halo", BrilliantFaults(bonded_elsewhere=True))
    with pytest.raises(GlassesError, match="5 seconds, until the chime"):
        await opened(rig, halo)
    halo.open_pairing_window()
    glasses, _ = await opened(rig, halo)
    await glasses.take_photo()
    assert len(halo.bonds.all_keys) == 2
    halo.open_pairing_window()
    await glasses.close()
    with pytest.raises(GlassesError):
        await opened(rig, halo)  # while the window is open, those it knows are refused
    await asyncio.sleep(61)
    await opened(rig, halo)


@KINDS
async def test_glasses_that_forgot_this_computer_are_paired_anew(rig: Any, kind: str) -> None:
    twin = simulated(kind)
    glasses, _ = await opened(rig, twin)
    await glasses.close()
    twin.bonds.all_keys.clear()
    glasses, _ = await opened(rig, twin)
    await glasses.take_photo()


async def test_a_frame_in_update_mode_is_told_and_left_alone(rig: Any) -> None:
    update = SimulatedFrameUpdate(pace=QUICK)
    address = await rig.air.add(update)
    driver = BrilliantDriver()
    async for advertisement in rig.airwaves.scan(driver.service_uuids):
        assert driver.recognises(advertisement)
        break
    with pytest.raises(NotGlasses, match="never installs firmware"):
        await driver.open(rig.airwaves.port(address), continuous=False)
    assert update.dfu_writes == []


async def test_firmware_too_old(rig: Any) -> None:
    with pytest.raises(NotGlasses, match="too old"):
        await opened(rig, simulated("frame", BrilliantFaults(firmware="v24.179.0818")))


async def test_a_frame_lite_is_a_frame(rig: Any) -> None:
    lite = simulated("frame", BrilliantFaults(hardware="Frame Lite", firmware="home-made"))
    glasses, _ = await opened(rig, lite)
    await glasses.take_photo()
    assert (glasses.info.model, glasses.capabilities.family) == ("Frame Lite", "frame")
    assert lite.camera.dark == 0


async def test_pictures_that_no_such_camera_makes(rig: Any) -> None:
    glasses, heard = await opened(rig, simulated("frame", None, HALO_JPEG))
    with pytest.raises(ProtocolFault, match="damaged"):
        await glasses.take_photo()
    assert heard.damaged == ["its dimensions are none this camera makes"]


async def test_closing_lets_a_photo_arrive(rig: Any, until: Any) -> None:
    halo = simulated("halo")
    glasses, heard = await opened(rig, halo)
    order = asyncio.get_running_loop().create_task(glasses.take_photo())
    await until(lambda: halo.camera.taken)
    await asyncio.sleep(0.003)
    await glasses.close()
    await order
    await heard.task
    assert len(heard.offers) == 1
    await until(lambda: halo.firmware.callback is None)


@KINDS
@pytest.mark.parametrize("own_app", [True, False])
async def test_closing_does_not_wait_for_ever(rig: Any, until: Any, kind: str, own_app: bool) -> None:
    twin = simulated(kind)
    twin.firmware.pace = replace(QUICK, chunk=2.0)
    glasses, heard = await opened(rig, twin, own_app=own_app)
    order = asyncio.get_running_loop().create_task(glasses.take_photo())
    await until(lambda: twin.camera.taken)
    await asyncio.sleep(3)
    await glasses.close()
    with pytest.raises(GlassesError):
        await order
    await heard.task
    assert len(heard.damaged) == 1
    await until(lambda: twin.firmware._running is None)
    assert not twin.camera.awake or not own_app


@KINDS
async def test_an_app_that_was_stopped_comes_back(rig: Any, until: Any, kind: str) -> None:
    twin = simulated(kind)
    glasses, heard = await opened(rig, twin, continuous=True)
    await until(lambda: heard.offers)
    twin.firmware.written(b"\x03")
    await until(lambda: len(heard.offers) > 2)
    twin.firmware.written(b"\x03")
    await asyncio.sleep(0.1)
    await glasses.take_photo()
    assert len(heard.offers) in (4, 5)
    assert glasses.status.continuous


async def test_a_cancelled_order_loses_no_photo(rig: Any, until: Any) -> None:
    halo = simulated("halo")
    glasses, heard = await opened(rig, halo)
    order = asyncio.get_running_loop().create_task(glasses.take_photo())
    await until(lambda: halo.camera.taken)
    order.cancel()
    await until(lambda: heard.offers)
    assert await fetched(glasses, heard.offers[0]) == HALO_JPEG


@KINDS
async def test_an_app_that_ended_is_started_anew(rig: Any, until: Any, kind: str) -> None:
    twin = simulated(kind, BrilliantFaults(app_dies=True))
    glasses, heard = await opened(rig, twin)
    with pytest.raises(CameraSilent, match="not enough memory"):
        await glasses.take_photo()
    await glasses.take_photo()
    await until(lambda: heard.offers)
    assert not heard.damaged


async def test_silence_after_an_order(rig: Any) -> None:
    glasses, heard = await opened(rig, simulated("frame", BrilliantFaults(stall_after=0, missing_start=True)))
    with pytest.raises(CameraSilent, match="did not respond"):
        await glasses.take_photo()
    assert len(heard.damaged) == 1


async def test_two_pairs_at_once(rig: Any) -> None:
    twins = [simulated("frame"), simulated("halo")]
    pairs = [await opened(rig, twin) for twin in twins]
    await asyncio.gather(*(glasses.take_photo() for glasses, _ in pairs))
    for (glasses, heard), twin in zip(pairs, twins, strict=True):
        assert await fetched(glasses, heard.offers[0]) == twin.camera.last


async def test_the_names_on_the_air(rig: Any) -> None:
    for kind, address in (("frame", "D4:12:34:56:78:9A"), ("halo", "FF:59:94:12:34:56")):
        twin = simulated(kind)
        await rig.air.add(twin, address)
        async for advertisement in rig.airwaves.scan({profile.LUA_SERVICE}):
            if advertisement.address == address:
                assert advertisement.name == ("Frame D4" if kind == "frame" else "Halo 12")
                assert BrilliantDriver().recognises(advertisement)
                break
