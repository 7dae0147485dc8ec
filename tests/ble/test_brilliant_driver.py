"""The driver against simulated Frame and Halo, through the real bleak API, fault by fault."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from ble.drivers import brilliant_lua as lua
from ble.drivers import brilliant_profile as profile
from ble.drivers import standard
from ble.drivers.brilliant import BrilliantDriver, BrilliantGlasses
from ble.errors import CameraSilent, GlassesError, LinkLost, NotGlasses, PairingNeeded, ProtocolFault, Unsupported
from ble.sim.brilliant import SimulatedBrilliant, SimulatedFrame, SimulatedFrameUpdate, SimulatedHalo
from ble.sim.brilliant_faults import BrilliantFaults, Main
from ble.sim.faults import AT_ONCE
from ble.types import Capability, CaptureDamaged, CaptureOffered, LinkClosed, StatusChanged

QUICK = replace(AT_ONCE, chunk=0.001)


def jpeg(width: int, height: int, size: int) -> bytes:
    """Bytes with the frame of a JPEG: begins and ends as one and states dimensions."""
    head = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x02\x00\x00\x64\x00\x64\x00\x00\xff\xc0\x00\x11\x08"
    head += height.to_bytes(2, "big") + width.to_bytes(2, "big") + b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01\xff\xda\x00\x0c"
    return (head + bytes((7 * i + i // 251 * 3 + 3) % 251 for i in range(size)))[: size - 2] + b"\xff\xd9"


FRAME_JPEG = jpeg(720, 720, 5000)
HALO_JPEG = jpeg(640, 480, 5000)
KINDS = pytest.mark.parametrize("kind", ["frame", "halo"])


def simulated(kind: str, faults: BrilliantFaults | None = None, *pictures: bytes) -> SimulatedBrilliant:
    made = SimulatedHalo if kind == "halo" else SimulatedFrame
    return made(pictures or [HALO_JPEG if kind == "halo" else FRAME_JPEG], faults=faults or BrilliantFaults(), pace=QUICK)


class Reader:
    """Reads the events of glasses into a list."""

    def __init__(self, glasses: BrilliantGlasses) -> None:
        self.events: list[Any] = []
        self.task = asyncio.get_running_loop().create_task(self._read(glasses))

    async def _read(self, glasses: BrilliantGlasses) -> None:
        async for event in glasses.events():
            self.events.append(event)

    @property
    def offers(self) -> list[Any]:
        return [event.offer for event in self.events if isinstance(event, CaptureOffered)]

    @property
    def damaged(self) -> list[str]:
        return [event.reason for event in self.events if isinstance(event, CaptureDamaged)]


async def opened(rig: Any, twin: SimulatedBrilliant, *, continuous: bool = False, own_app: bool = True) -> tuple[BrilliantGlasses, Reader]:
    if twin not in rig.air.peripherals:
        await rig.air.add(twin)
    glasses = await BrilliantDriver(own_app=own_app).open(rig.airwaves.port(rig.air.address_of(twin)), continuous=continuous)
    reader = Reader(glasses)
    rig.opened.append((glasses, reader))
    return glasses, reader


def written(twin: SimulatedBrilliant) -> list[bytes]:
    return [access.value for access in twin.accesses if access.what == "write" and access.uuid == profile.LUA_WRITE]


async def bytes_of(glasses: BrilliantGlasses, offer: Any, offset: int = 0) -> bytes:
    return b"".join([piece async for piece in glasses.fetch(offer.id, offset)])


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
    assert await bytes_of(glasses, offer) == twin.camera.last
    assert await bytes_of(glasses, offer, 100) == twin.camera.last[100:]
    assert offer.size == len(twin.camera.last)
    assert twin.camera.dark == 0
    await glasses.release(offer.id)
    with pytest.raises(ProtocolFault):
        await bytes_of(glasses, offer)
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


SPOILT = [
    (BrilliantFaults(drop_piece=3, times=1), "lost or came in the wrong order"),
    (BrilliantFaults(swap_piece=3, times=1), "lost or came in the wrong order"),
    (BrilliantFaults(missing_start=True, times=1), "beginning was not received"),
    (BrilliantFaults(missing_end=True, times=1), "stopped sending"),
    (BrilliantFaults(wrong_total=True, times=1), "fewer or more bytes"),
    (BrilliantFaults(give_up_after=3, times=1), "gave it up"),
    (BrilliantFaults(too_large=True, times=1), "larger than this camera"),
]


@KINDS
@pytest.mark.parametrize(("faults", "reason"), SPOILT, ids=[reason for _, reason in SPOILT])
async def test_a_damaged_photo_is_told_and_the_next_is_fine(rig: Any, kind: str, faults: BrilliantFaults, reason: str) -> None:
    twin = simulated(kind, faults)
    glasses, heard = await opened(rig, twin)
    with pytest.raises((ProtocolFault, CameraSilent)):
        await glasses.take_photo()
    assert [reason in told for told in heard.damaged] == [True]
    assert glasses.status.damaged == 1
    await glasses.take_photo()
    assert await bytes_of(glasses, heard.offers[0]) == twin.camera.last
    assert (glasses.status.received, glasses.status.damaged) == (1, 1)


@KINDS
async def test_a_lost_photo_is_not_sent_to_its_end(rig: Any, until: Any, kind: str) -> None:
    twin = simulated(kind, BrilliantFaults(drop_piece=2, times=1), jpeg(*((640, 480) if kind == "halo" else (720, 720)), 50_000))
    twin._pace = twin.firmware.pace = replace(QUICK, chunk=0.02)
    glasses, _ = await opened(rig, twin)
    with pytest.raises(ProtocolFault, match="damaged"):
        await glasses.take_photo()
    loop = asyncio.get_running_loop()
    began = loop.time()
    await until(lambda: any(value[1:2] == bytes([profile.ABORT]) for value in written(twin)))
    await glasses.take_photo()
    # The rest of the first photo would have taken 4 seconds by itself.
    assert loop.time() - began < 6


@KINDS
@pytest.mark.parametrize("own_app", [True, False])
async def test_duplicates_and_chatter_do_no_harm(rig: Any, kind: str, own_app: bool) -> None:
    faults = BrilliantFaults(duplicate_piece=2 if own_app else None, chatter=True)
    if not own_app:
        faults = replace(faults, chatter=False)
    twin = simulated(kind, faults)
    glasses, heard = await opened(rig, twin, own_app=own_app)
    await glasses.take_photo()
    assert await bytes_of(glasses, heard.offers[0]) == twin.camera.last
    assert glasses.status.battery == (61 if own_app else 87)
    assert not heard.damaged


@KINDS
@pytest.mark.parametrize("faults", [BrilliantFaults(capture_error="Capture error occurred"), BrilliantFaults(never_ready=True)])
@pytest.mark.parametrize("own_app", [True, False])
async def test_a_camera_that_fails_says_why(rig: Any, kind: str, faults: BrilliantFaults, own_app: bool) -> None:
    glasses, heard = await opened(rig, simulated(kind, faults), own_app=own_app)
    with pytest.raises(CameraSilent, match=r"Capture error occurred|made no picture"):
        await glasses.take_photo()
    assert not heard.offers
    assert not heard.damaged


@KINDS
@pytest.mark.parametrize("own_app", [True, False])
async def test_the_link_breaks_in_mid_photo_and_comes_back(rig: Any, kind: str, own_app: bool) -> None:
    twin = simulated(kind, BrilliantFaults(disconnect_after=3, times=1))
    glasses, heard = await opened(rig, twin, own_app=own_app)
    with pytest.raises(LinkLost):
        await glasses.take_photo()
    await heard.task
    assert heard.events[-1] == LinkClosed(wanted=False)
    assert heard.damaged == ["the link was lost while it was on its way"]
    for asked in (glasses.take_photo(), glasses.set_continuous(True)):
        with pytest.raises(LinkLost):
            await asked
    again, heard = await opened(rig, twin, own_app=own_app)
    await again.take_photo()
    assert await bytes_of(again, heard.offers[0]) == twin.camera.last


@KINDS
async def test_the_link_breaks_in_mid_upload(rig: Any, kind: str) -> None:
    twin = simulated(kind, BrilliantFaults(disconnect_at_write=5))
    with pytest.raises(LinkLost):
        await opened(rig, twin)
    assert lua.MARKER_MODULE + ".lua" not in twin.firmware.lua.files
    glasses, _ = await opened(rig, twin)
    await glasses.take_photo()
    assert twin.firmware.lua.files["eyelid.lua"] == lua.APP


@KINDS
async def test_an_older_app_is_replaced(rig: Any, kind: str) -> None:
    twin = simulated(kind, BrilliantFaults(opens_without_emptying=True))
    twin.firmware.lua.files |= {"eyelid.lua": lua.APP + "-- more\n" * 50, "eyelid_v.lua": "return '00000000'\n"}
    glasses, _ = await opened(rig, twin)
    await glasses.take_photo()
    assert twin.firmware.lua.files == {"eyelid.lua": lua.APP, "eyelid_v.lua": lua.MARKER}


@KINDS
@pytest.mark.parametrize(
    "faults",
    [
        BrilliantFaults(write_error_at=4),
        BrilliantFaults(app_fails=1),
        BrilliantFaults(lost_prints=frozenset({2, 4, 9})),
        BrilliantFaults(lost_prints=frozenset({12})),
        BrilliantFaults(deaf_to=2),
        BrilliantFaults(main=Main.LOOPS),
        BrilliantFaults(main=Main.LOOPS, breaks_swallowed=3),
        BrilliantFaults(mtu=185),
    ],
    ids=str,
)
async def test_small_mishaps_are_overcome(rig: Any, kind: str, faults: BrilliantFaults) -> None:
    glasses, heard = await opened(rig, simulated(kind, faults), continuous=True)
    await glasses.take_photo()
    assert heard.offers
    assert glasses.capabilities.can(Capability.CONTINUOUS_CAPTURE)


@KINDS
@pytest.mark.parametrize("faults", [BrilliantFaults(storage_full=True), BrilliantFaults(app_fails=9)], ids=["full", "fails"])
async def test_without_our_app_the_stock_stream_does(rig: Any, kind: str, faults: BrilliantFaults) -> None:
    twin = simulated(kind, faults)
    glasses, heard = await opened(rig, twin, continuous=True)
    assert not glasses.capabilities.can(Capability.CONTINUOUS_CAPTURE)
    assert glasses.capabilities.interval_seconds is None
    assert any("could not store" in caution for caution in glasses.capabilities.cautions)
    assert glasses.status.continuous is False
    with pytest.raises(Unsupported):
        await glasses.set_continuous(True)
    for _ in range(2):
        await glasses.take_photo()
    assert [await bytes_of(glasses, offer) for offer in heard.offers] == [twin.camera.last] * 2
    assert twin.camera.dark == 0
    assert not twin.camera.awake


STOCK_SPOILT = [
    (BrilliantFaults(missing_end=True, times=1), "stopped sending"),
    (BrilliantFaults(stall_after=2, times=1), "stopped sending"),
    (BrilliantFaults(drop_piece=0, times=1), "beginning was not received"),
    (BrilliantFaults(too_large=True, times=1), "larger than this camera"),
]


@KINDS
@pytest.mark.parametrize(("faults", "reason"), STOCK_SPOILT)
async def test_a_damaged_stock_photo_is_told(rig: Any, kind: str, faults: BrilliantFaults, reason: str) -> None:
    glasses, heard = await opened(rig, simulated(kind, faults), own_app=False)
    with pytest.raises((ProtocolFault, CameraSilent)):
        await glasses.take_photo()
    assert len(heard.damaged) == 1
    assert reason in heard.damaged[0]


@KINDS
async def test_a_stock_end_may_carry_data_and_may_come_alone(rig: Any, kind: str) -> None:
    glasses, heard = await opened(rig, simulated(kind, BrilliantFaults(end_with_data=True)), own_app=False)
    await glasses.take_photo()
    assert len(heard.offers) == 1
    glasses, heard = await opened(rig, simulated(kind, BrilliantFaults(end_only=True)), own_app=False)
    with pytest.raises(CameraSilent, match="without a picture"):
        await glasses.take_photo()
    assert not heard.damaged


async def test_a_program_that_ignores_every_break(rig: Any) -> None:
    with pytest.raises(ProtocolFault, match="can't be stopped"):
        await opened(rig, simulated("frame", BrilliantFaults(main=Main.STUBBORN)))


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
    assert await bytes_of(glasses, heard.offers[0]) == HALO_JPEG


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
        assert await bytes_of(glasses, heard.offers[0]) == twin.camera.last


async def test_the_names_on_the_air(rig: Any) -> None:
    for kind, address in (("frame", "D4:12:34:56:78:9A"), ("halo", "FF:59:94:12:34:56")):
        twin = simulated(kind)
        await rig.air.add(twin, address)
        async for advertisement in rig.airwaves.scan({profile.LUA_SERVICE}):
            if advertisement.address == address:
                assert advertisement.name == ("Frame D4" if kind == "frame" else "Halo 12")
                assert BrilliantDriver().recognises(advertisement)
                break
