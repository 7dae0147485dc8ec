"""The driver against simulated glasses, through the real bleak API, fault by fault."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ble.drivers import driver_for, driver_named, family_hint, omi_profile, service_uuids, standard
from ble.drivers.omi import OmiDriver, OmiGlasses
from ble.drivers.session import MOST_HELD
from ble.errors import CameraSilent, LinkLost, NotGlasses, ProtocolFault
from ble.sim.faults import AT_ONCE, Faults
from ble.sim.omi import SimulatedGlasses, SimulatedNecklace, SimulatedOmi, SimulatedOpenGlass
from ble.types import Capability, CaptureOffered, CaptureProgress, LinkClosed, StatusChanged

Make = Callable[[int], bytes]
QUICK = replace(AT_ONCE, chunk=0.001)
"""Slow enough (in virtual time) that a link comes up in the middle of nothing by chance."""


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
    jpeg = await rig.picture(glasses, offer)
    assert jpeg in pictures
    assert offer.size == len(jpeg)
    assert offer.orientation == 3
    assert offer.media_type == "image/jpeg"
    assert offer.taken_at.tzinfo is not None
    assert await rig.picture(glasses, offer, 100) == jpeg[100:]
    assert await rig.picture(glasses, offer, 10**9) == b""
    await glasses.release(offer.id)
    await glasses.release(offer.id)
    with pytest.raises(ProtocolFault):
        await rig.picture(glasses, offer)
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
    assert await rig.picture(glasses, heard.offers[0]) == make_jpeg(3000)
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
    assert await rig.picture(glasses, heard.offers[0]) == make_jpeg(4000)


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


HARMS = [
    (Faults(drop_chunk=1, times=1), "lost"),
    (Faults(drop_chunk=0, times=1), "beginning"),
    (Faults(swap_chunk=2, times=1), "wrong order"),
    (Faults(missing_end=True, times=1), "stopped sending"),
    (Faults(stall_after_chunk=3, times=1), "stopped sending"),
    (Faults(truncate_to=100, times=1), "cut short"),
]


@pytest.mark.parametrize(("faults", "word"), HARMS, ids=lambda value: value if isinstance(value, str) else "")
async def test_a_harmed_photo_is_counted_and_the_next_arrives(rig: Any, make_jpeg: Make, until: Any, faults: Faults, word: str) -> None:
    openglass = SimulatedOpenGlass([make_jpeg(2000), make_jpeg(2500)], faults=faults, pace=QUICK)
    glasses, heard = await rig.open(openglass)
    await asyncio.sleep(5)  # virtual: long enough that what comes now can't have begun before the link
    with pytest.raises(ProtocolFault if faults.drop_chunk != 0 else CameraSilent) as caught:
        await glasses.take_photo()
    assert caught.value.action
    await until(lambda: heard.damaged)
    assert len(heard.damaged) == 1
    assert word in heard.damaged[0]
    assert heard.offers == []
    await glasses.take_photo()
    await until(lambda: heard.offers)
    assert await rig.picture(glasses, heard.offers[0]) == make_jpeg(2500)
    assert (glasses.status.received, glasses.status.damaged) == (1, 1)


@pytest.mark.parametrize("faults", [Faults(duplicate_chunk=0), Faults(duplicate_chunk=5), Faults(empty_after_chunk=2)])
async def test_harmless_oddities(rig: Any, make_jpeg: Make, until: Any, faults: Faults) -> None:
    glasses, heard = await rig.open(SimulatedOmi([make_jpeg(2000)], faults=faults, pace=AT_ONCE))
    await glasses.take_photo()
    await until(lambda: heard.offers)
    assert await rig.picture(glasses, heard.offers[0]) == make_jpeg(2000)
    assert heard.damaged == []


async def test_a_link_that_drops_in_mid_photo(rig: Any, make_jpeg: Make) -> None:
    openglass = SimulatedOpenGlass([make_jpeg(2000)], faults=Faults(disconnect_after_chunk=4, times=1), pace=QUICK)
    glasses, heard = await rig.open(openglass)
    with pytest.raises(LinkLost):
        await glasses.take_photo()
    await heard.task
    assert heard.damaged == ["the link was lost while it was on its way"]
    assert heard.events[-1] == LinkClosed(wanted=False)
    for asked in (glasses.take_photo(), glasses.set_continuous(True)):
        with pytest.raises(LinkLost):
            await asked
    await glasses.close()
    again, heard = await rig.open(openglass)
    await again.take_photo()
    assert heard.damaged == []


async def test_the_rest_of_a_photo_begun_before_the_link_is_no_photo_of_ours(rig: Any, make_jpeg: Make, until: Any) -> None:
    omi = SimulatedOmi([make_jpeg(5000), make_jpeg(900)], faults=Faults(start_at_chunk=2, times=1), pace=replace(AT_ONCE, chunk=0.01))
    glasses, heard = await rig.open(omi)
    await glasses.take_photo()
    await until(lambda: heard.offers)
    assert heard.damaged == []
    assert [await rig.picture(glasses, offer) for offer in heard.offers] == [make_jpeg(900)]


async def test_a_photo_begun_in_mid_air_later_is_counted(rig: Any, make_jpeg: Make, until: Any) -> None:
    omi = SimulatedOmi([make_jpeg(5000)], faults=Faults(start_at_chunk=2, times=3), pace=AT_ONCE)
    glasses, heard = await rig.open(omi, continuous=True)
    await until(lambda: heard.offers)
    assert heard.damaged == ["its beginning was not received"]
    assert glasses.status.damaged == 1


@pytest.mark.parametrize("mtu", [23, 185])
async def test_a_small_mtu_is_said_and_never_yields_a_wrong_photo(rig: Any, make_jpeg: Make, until: Any, mtu: int) -> None:
    glasses, heard = await rig.open(SimulatedOmi([make_jpeg(2000)], faults=Faults(mtu=mtu), pace=AT_ONCE))
    assert any(f"only {mtu - 3} bytes" in caution for caution in glasses.capabilities.cautions)
    assert glasses.status.battery == 100
    with pytest.raises(ProtocolFault, match=f"only {mtu - 3} bytes"):
        await glasses.take_photo()
    await until(lambda: heard.damaged)
    assert f"only {mtu - 3} bytes" in heard.damaged[-1]
    assert heard.offers == []


@pytest.mark.parametrize("mtu", [205, 247, 517])
async def test_an_mtu_that_suffices(rig: Any, make_jpeg: Make, until: Any, mtu: int) -> None:
    glasses, heard = await rig.open(SimulatedOmi([make_jpeg(2000)], faults=Faults(mtu=mtu), pace=AT_ONCE))
    await glasses.take_photo()
    await until(lambda: heard.offers)
    assert not any("bytes at a time" in caution for caution in glasses.capabilities.cautions)


async def test_a_dead_camera(rig: Any, make_jpeg: Make) -> None:
    glasses, heard = await rig.open(SimulatedOmi([make_jpeg(2000)], faults=Faults(camera_dead=True), pace=AT_ONCE))
    begun = asyncio.get_running_loop().time()
    with pytest.raises(CameraSilent) as caught:
        await glasses.take_photo()
    assert asyncio.get_running_loop().time() - begun == pytest.approx(5, abs=0.5)
    assert caught.value.action
    assert heard.damaged == []
    assert glasses.status.damaged == 0


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
    assert await rig.picture(glasses, heard.offers[0]) == make_jpeg(2000)


async def test_hostile_information_is_made_plain(rig: Any, make_jpeg: Make) -> None:
    glasses, _ = await rig.open(SimulatedOmi([make_jpeg(200)], faults=Faults(firmware="\x1b[31m2\u202e" + "x" * 300), pace=AT_ONCE))
    assert glasses.info.firmware == "[31m2" + "x" * 59


async def test_two_pairs_of_the_same_name_are_kept_apart(rig: Any, make_jpeg: Make, until: Any) -> None:
    one, two = (SimulatedOmi([make_jpeg(size)], pace=AT_ONCE) for size in (1000, 1001))
    first, first_heard = await rig.open(one)
    second, second_heard = await rig.open(two)
    assert first.address != second.address
    await asyncio.gather(first.take_photo(), second.take_photo())
    await until(lambda: first_heard.offers and second_heard.offers)
    assert {await rig.picture(first, offer) for offer in first_heard.offers} == {make_jpeg(1000)}
    assert {await rig.picture(second, offer) for offer in second_heard.offers} == {make_jpeg(1001)}


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
    assert await rig.picture(glasses, heard.offers[0]) == make_jpeg(250)
    await glasses.release(heard.offers[0].id)
    await glasses.take_photo()


async def test_held_photos_outlive_the_link(rig: Any, make_jpeg: Make, until: Any) -> None:
    glasses, heard = await rig.open(SimulatedOpenGlass([make_jpeg(500)], pace=AT_ONCE))
    await glasses.take_photo()
    await glasses.close()
    await heard.task
    assert await rig.picture(glasses, heard.offers[0]) == make_jpeg(500)


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


class FailingPort:
    """A port whose calls fail as told."""

    address = "F0:00:00:00:00:01"

    def __init__(self, fail: dict[str, Exception], *, battery: bool = True) -> None:
        self.fail = fail
        self.battery = battery
        self.closed = 0

    def services(self) -> dict[str, frozenset[str]]:
        main = frozenset({omi_profile.PHOTO_DATA, omi_profile.PHOTO_CONTROL})
        there = {omi_profile.OMI_SERVICE: main, standard.DEVICE_INFORMATION: frozenset({standard.MODEL})}
        return there | ({standard.BATTERY_SERVICE: frozenset({standard.BATTERY_LEVEL})} if self.battery else {})

    def _perhaps(self, call: str) -> None:
        if call in self.fail:
            raise self.fail[call]

    async def connect(self, on_lost: Callable[[], None]) -> None:
        self._perhaps("connect")

    async def payload_size(self, wanted: int) -> int:
        return 244

    async def read(self, characteristic: str) -> bytes:
        self._perhaps(f"read {characteristic}")
        return b"\x32"

    async def write(self, characteristic: str, data: bytes, *, response: bool = True) -> None:
        self._perhaps("write")

    async def subscribe(self, characteristic: str, callback: Callable[[bytes], None]) -> None:
        self._perhaps(f"subscribe {characteristic}")

    async def unsubscribe(self, characteristic: str) -> None:
        self._perhaps("unsubscribe")

    async def pair(self) -> None: ...

    async def disconnect(self) -> None:
        self.closed += 1
        self._perhaps("disconnect")


@pytest.mark.parametrize("call", ["connect", "write", f"read {standard.BATTERY_LEVEL}", f"subscribe {standard.BATTERY_LEVEL}"])
async def test_a_link_that_goes_while_opening_is_closed_again(call: str) -> None:
    port = FailingPort({call: LinkLost("gone"), "disconnect": LinkLost("gone")})
    with pytest.raises(LinkLost):
        await OmiDriver().open(port, continuous=False)
    assert port.closed == 1


@pytest.mark.parametrize("call", [f"read {standard.BATTERY_LEVEL}", f"subscribe {standard.BATTERY_LEVEL}", f"read {standard.MODEL}"])
async def test_what_glasses_can_do_without(call: str) -> None:
    port = FailingPort({call: ProtocolFault("no")})
    glasses: OmiGlasses = await OmiDriver().open(port, continuous=False)
    port.fail = {"write": LinkLost("gone"), "disconnect": LinkLost("gone")}
    with pytest.raises(LinkLost):
        await glasses.take_photo()
    await glasses.close()
    assert port.closed == 1


async def test_glasses_that_do_not_speak_of_their_battery() -> None:
    glasses = await OmiDriver().open(FailingPort({}, battery=False), continuous=False)
    assert glasses.status.battery is None
    await glasses.close()


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
