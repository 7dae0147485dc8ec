"""The driver of Omi Glass and OpenGlass against simulated ones, through the real bleak API."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from ble.drivers import driver_for, driver_named, family_hint, omi_profile, service_uuids, standard
from ble.drivers.omi import OmiDriver
from ble.drivers.session import MOST_HELD
from ble.errors import NotGlasses, ProtocolFault
from ble.sim.faults import AT_ONCE, Faults
from ble.sim.omi import SimulatedGlasses, SimulatedNecklace, SimulatedOmi, SimulatedOpenGlass
from ble.types import Capability, CaptureOffered, CaptureProgress, LinkClosed, StatusChanged
from tests.ble.driving import QUICK, Make, fetched


def touched(glasses: SimulatedGlasses | SimulatedNecklace, what: str) -> list[tuple[str, bytes]]:
    return [(access.uuid, access.value) for access in glasses.accesses if access.what == what]


def controls(glasses: SimulatedGlasses) -> list[bytes]:
    return [value for uuid, value in touched(glasses, "write") if uuid == omi_profile.PHOTO_CONTROL]


async def test_a_photo_from_omi_glass(rig: Any, make_jpeg: Make, until: Any) -> None:
    pictures = [make_jpeg(5000), make_jpeg(199)]
    omi = SimulatedOmi(pictures, pace=AT_ONCE)
    glasses, heard = await rig.open(omi)
    assert glasses.address == rig.air.address_of(omi)
    assert glasses.capabilities.family == "omi-glass"
    assert glasses.capabilities.can(Capability.TAKE_PHOTO)
    assert not glasses.capabilities.encrypted_link
    assert any("not encrypted" in caution for caution in glasses.capabilities.cautions)
    assert glasses.capabilities.interval_seconds == 30
    assert (glasses.info.model, glasses.info.firmware, glasses.info.serial) == ("OMI Glass", "2.3.2", "0C8B95A1B2C3")
    assert glasses.status.continuous is False
    await glasses.take_photo()
    await until(lambda: heard.offers)
    offer = heard.offers[-1]
    jpeg = await fetched(glasses, offer)
    assert jpeg in pictures
    assert offer.size == len(jpeg)
    assert offer.orientation == 3
    assert offer.media_type == "image/jpeg"
    assert offer.taken_at.tzinfo is not None
    assert await fetched(glasses, offer, 100) == jpeg[100:]
    assert await fetched(glasses, offer, 10**9) == b""
    await glasses.release(offer.id)
    await glasses.release(offer.id)
    with pytest.raises(ProtocolFault):
        await fetched(glasses, offer)
    assert glasses.status.received == len(heard.offers)


async def test_a_photo_from_openglass(rig: Any, make_jpeg: Make, until: Any) -> None:
    openglass = SimulatedOpenGlass([make_jpeg(3000)], pace=AT_ONCE)
    glasses, heard = await rig.open(openglass)
    assert glasses.capabilities.family == "openglass"
    assert glasses.capabilities.interval_seconds == 5
    assert glasses.info.serial == ""
    await glasses.take_photo()
    await until(lambda: heard.offers)
    assert heard.offers[0].orientation == 8
    assert await fetched(glasses, heard.offers[0]) == make_jpeg(3000)
    assert openglass.photos_begun == 1


async def test_what_is_touched_and_what_never(rig: Any, make_jpeg: Make) -> None:
    omi = SimulatedOmi([make_jpeg(500)], pace=AT_ONCE)
    glasses, _ = await rig.open(omi, continuous=True)
    await glasses.take_photo()
    await glasses.set_continuous(False)
    await glasses.take_photo()
    await glasses.close()
    assert {uuid for uuid, _ in touched(omi, "write")} == {omi_profile.PHOTO_CONTROL}
    assert {uuid for uuid, _ in touched(omi, "cccd")} == {omi_profile.PHOTO_DATA, standard.BATTERY_LEVEL}
    never = {
        omi_profile.AUDIO_DATA,
        omi_profile.AUDIO_CODEC,
        omi_profile.PHOTO_DATA,
        omi_profile.OTA_CONTROL,
        omi_profile.OTA_DATA,
    }
    assert not never & {uuid for uuid, _ in touched(omi, "read")}
    assert omi.ota_writes == []
    assert controls(omi) == [b"\x05", b"\x05", b"\x00", b"\xff", b"\x00"]


async def test_continuous_capture_is_left_on_when_wanted(rig: Any, make_jpeg: Make, until: Any) -> None:
    omi = SimulatedOmi([make_jpeg(500)], pace=AT_ONCE)
    glasses, heard = await rig.open(omi, continuous=True)
    assert glasses.status.continuous is True
    begun = asyncio.get_running_loop().time()
    await until(lambda: len(heard.offers) >= 4)
    assert 60 < asyncio.get_running_loop().time() - begun < 120
    await glasses.close()
    assert controls(omi) == [b"\x05"]
    assert isinstance(heard.events[-1], LinkClosed)
    assert heard.events[-1].wanted


async def test_openglass_honours_the_interval(rig: Any, make_jpeg: Make, until: Any) -> None:
    openglass = SimulatedOpenGlass([make_jpeg(500)], pace=AT_ONCE)
    _, heard = await rig.open(openglass, continuous=True)
    begun = asyncio.get_running_loop().time()
    await until(lambda: len(heard.offers) >= 3)
    assert 9 < asyncio.get_running_loop().time() - begun < 12


async def test_a_single_photo_does_not_end_continuous_capture(rig: Any, make_jpeg: Make, until: Any) -> None:
    omi = SimulatedOmi([make_jpeg(500)], pace=AT_ONCE)
    glasses, heard = await rig.open(omi, continuous=True)
    await glasses.take_photo()
    before = len(heard.offers)
    await until(lambda: len(heard.offers) >= before + 2)


async def test_leaving_waits_for_a_running_upload(rig: Any, make_jpeg: Make, until: Any) -> None:
    omi = SimulatedOmi([make_jpeg(4000)], pace=replace(AT_ONCE, chunk=0.2))
    glasses, heard = await rig.open(omi, continuous=True)
    await until(lambda: any(isinstance(event, CaptureProgress) for event in heard.events))
    await glasses.set_continuous(False)
    await glasses.close()
    await heard.task
    assert len(heard.offers) == 1
    assert await fetched(glasses, heard.offers[0]) == make_jpeg(4000)


async def test_leaving_does_not_wait_for_ever(rig: Any, make_jpeg: Make, until: Any) -> None:
    omi = SimulatedOmi([make_jpeg(9000)], pace=replace(AT_ONCE, chunk=2.0))
    glasses, heard = await rig.open(omi, continuous=True)
    await until(lambda: any(isinstance(event, CaptureProgress) for event in heard.events))
    begun = asyncio.get_running_loop().time()
    await glasses.close()
    await heard.task
    assert asyncio.get_running_loop().time() - begun < 20
    assert heard.damaged == ["the link was lost while it was on its way"]


async def test_battery(rig: Any, make_jpeg: Make, until: Any) -> None:
    omi = SimulatedOmi([make_jpeg(500)], pace=AT_ONCE)
    glasses, heard = await rig.open(omi)
    assert glasses.status.battery == 100
    omi.charge = 90
    await until(lambda: glasses.status.battery == 90)
    stated = [event.status.battery for event in heard.events if isinstance(event, StatusChanged)]
    assert list(dict.fromkeys(percent for percent in stated if percent != 100)) == [98, 96, 94, 90]
    assert glasses.status.battery_at is not None


@pytest.mark.parametrize(
    ("kind", "faults", "orientation", "family"),
    [
        (SimulatedOmi, Faults(old_layout=True), 3, "omi-glass"),
        (SimulatedOmi, Faults(old_layout=True, firmware="2.3.2"), 3, "omi-glass"),
        (SimulatedOpenGlass, Faults(old_layout=False, firmware="2.3.2"), 1, "openglass"),
        (SimulatedOpenGlass, Faults(firmware="2.3.2"), 8, "openglass"),
        (SimulatedOmi, Faults(dis_unreadable=True), 3, "omi-glass"),
        (SimulatedOpenGlass, Faults(dis_unreadable=True), 8, "openglass"),
    ],
)
async def test_layout_is_told_by_content(
    rig: Any, make_jpeg: Make, until: Any, kind: Any, faults: Faults, orientation: int, family: str
) -> None:
    glasses, heard = await rig.open(kind([make_jpeg(2000)], faults=faults, pace=AT_ONCE))
    assert glasses.capabilities.family == family
    assert (glasses.info.model == "") == faults.dis_unreadable
    await glasses.take_photo()
    await until(lambda: heard.offers)
    assert heard.offers[0].orientation == orientation
    assert await fetched(glasses, heard.offers[0]) == make_jpeg(2000)


async def test_two_pairs_of_the_same_name_are_kept_apart(rig: Any, make_jpeg: Make, until: Any) -> None:
    one, two = (SimulatedOmi([make_jpeg(size)], pace=AT_ONCE) for size in (1000, 1001))
    first, first_heard = await rig.open(one)
    second, second_heard = await rig.open(two)
    assert first.address != second.address
    await asyncio.gather(first.take_photo(), second.take_photo())
    await until(lambda: first_heard.offers and second_heard.offers)
    assert {await fetched(first, offer) for offer in first_heard.offers} == {make_jpeg(1000)}
    assert {await fetched(second, offer) for offer in second_heard.offers} == {make_jpeg(1001)}


async def test_a_necklace_is_refused_without_a_single_write(rig: Any) -> None:
    necklace = SimulatedNecklace(pace=AT_ONCE)
    with pytest.raises(NotGlasses, match="no camera"):
        await rig.open(necklace)
    assert touched(necklace, "write") == []
    assert touched(necklace, "cccd") == []
    assert touched(necklace, "read") == []
    assert not necklace.connected


async def test_glasses_without_photo_control_are_refused(rig: Any, make_jpeg: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    omi = SimulatedOmi([make_jpeg(200)], pace=AT_ONCE)
    monkeypatch.setattr("ble.sim.omi.profile.PHOTO_CONTROL", "19b100ff-e8f2-537e-4f6c-d104768a1214")
    address = await rig.air.add(omi)
    monkeypatch.undo()
    with pytest.raises(NotGlasses, match="firmware"):
        await OmiDriver().open(rig.airwaves.port(address), continuous=False)


async def test_orders_given_at_once_are_carried_out_one_by_one(rig: Any, make_jpeg: Make) -> None:
    openglass = SimulatedOpenGlass([make_jpeg(500)], pace=AT_ONCE)
    glasses, _ = await rig.open(openglass)
    await asyncio.gather(*(glasses.take_photo() for _ in range(3)))
    assert openglass.photos_begun == 3


async def test_an_order_during_another_upload_waits_for_its_own_photo(rig: Any, make_jpeg: Make, until: Any) -> None:
    omi = SimulatedOmi([make_jpeg(4000), make_jpeg(300)], pace=replace(AT_ONCE, chunk=0.4, shutter=1.0))
    glasses, heard = await rig.open(omi)
    await until(lambda: any(isinstance(event, CaptureProgress) for event in heard.events))
    await glasses.take_photo()
    assert omi.photos_begun == 2
    await until(lambda: len(heard.offers) == 2)


async def test_a_cancelled_order_leaves_nothing_behind(rig: Any, make_jpeg: Make, until: Any) -> None:
    glasses, heard = await rig.open(SimulatedOpenGlass([make_jpeg(500)], pace=replace(AT_ONCE, shutter=1.0)))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await glasses.take_photo()
    await until(lambda: heard.offers)
    await glasses.take_photo()


async def test_photos_nobody_fetches_are_bounded_and_said(rig: Any, make_jpeg: Make, until: Any) -> None:
    openglass = SimulatedOpenGlass([make_jpeg(250)], pace=AT_ONCE)
    glasses, heard = await rig.open(openglass)
    for _ in range(MOST_HELD):
        await glasses.take_photo()
    with pytest.raises(ProtocolFault, match="already waiting"):
        await glasses.take_photo()
    await until(lambda: heard.damaged)
    assert len(heard.offers) == MOST_HELD
    assert len({offer.id for offer in heard.offers}) == MOST_HELD
    assert await fetched(glasses, heard.offers[0]) == make_jpeg(250)
    await glasses.release(heard.offers[0].id)
    await glasses.take_photo()


async def test_held_photos_outlive_the_link(rig: Any, make_jpeg: Make, until: Any) -> None:
    glasses, heard = await rig.open(SimulatedOpenGlass([make_jpeg(500)], pace=AT_ONCE))
    await glasses.take_photo()
    await glasses.close()
    await heard.task
    assert await fetched(glasses, heard.offers[0]) == make_jpeg(500)


async def test_microphone_packets_are_not_for_us(rig: Any, make_jpeg: Make) -> None:
    openglass = SimulatedOpenGlass([make_jpeg(5000)], faults=Faults(audio_babble=True), pace=QUICK)
    glasses, heard = await rig.open(openglass)
    await glasses.take_photo()
    assert heard.damaged == []


async def test_events_tell_progress_and_then_the_offer(rig: Any, make_jpeg: Make, until: Any) -> None:
    glasses, heard = await rig.open(SimulatedOpenGlass([make_jpeg(9000)], pace=replace(AT_ONCE, chunk=0.05)))
    await glasses.take_photo()
    await until(lambda: heard.offers)
    told = [event.received for event in heard.events if isinstance(event, CaptureProgress)]
    assert told == sorted(told)
    assert 7 <= len(told) <= 10  # 45 chunks of 50 ms, told four times a second
    kinds = [type(event) for event in heard.events if isinstance(event, CaptureProgress | CaptureOffered)]
    assert kinds[-1] is CaptureOffered


@pytest.mark.parametrize("value", [b"", b"\x65", b"\xff", b"\x01\x02"])
async def test_impossible_battery_readings_are_no_readings(rig: Any, make_jpeg: Make, value: bytes) -> None:
    omi = SimulatedOmi([make_jpeg(500)], pace=AT_ONCE)
    glasses, _ = await rig.open(omi)
    await omi.notify(standard.BATTERY_LEVEL, value)
    await asyncio.sleep(0.1)
    assert glasses.status.battery == 100


def test_cautions_before_pairing() -> None:
    assert any("not encrypted" in caution for caution in OmiDriver().cautions("openglass"))


async def test_the_drivers_are_found(rig: Any, make_jpeg: Make) -> None:
    for kind in (SimulatedOmi, SimulatedOpenGlass):
        await rig.air.add(kind([make_jpeg(200)], pace=AT_ONCE))
    hints = set()
    scan = rig.airwaves.scan(service_uuids())
    async for advertisement in scan:
        driver = driver_for(advertisement)
        assert driver is not None
        hints.add(family_hint(advertisement))
        if len(hints) == 2:
            break
    await scan.aclose()
    assert hints == {"omi-glass", "openglass"}
    assert {driver_named(family) for family in hints} == {driver}
    assert driver_named("monocle") is None
    stranger = replace(advertisement, service_uuids=frozenset())
    assert driver_for(stranger) is None
    assert family_hint(stranger) == ""
