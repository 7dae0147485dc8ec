"""The driver of Omi Glass and OpenGlass with a bad stream, a bad link or a dead camera, and over a port that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ble.drivers import omi_profile, standard
from ble.drivers.omi import OmiDriver, OmiGlasses
from ble.errors import CameraSilent, LinkLost, ProtocolFault
from ble.sim.faults import AT_ONCE, Faults
from ble.sim.omi import SimulatedOmi, SimulatedOpenGlass
from ble.types import LinkClosed
from tests.ble.driving import QUICK, Make, fetched

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
    assert await fetched(glasses, heard.offers[0]) == make_jpeg(2500)
    assert (glasses.status.received, glasses.status.damaged) == (1, 1)


@pytest.mark.parametrize("faults", [Faults(duplicate_chunk=0), Faults(duplicate_chunk=5), Faults(empty_after_chunk=2)])
async def test_harmless_oddities(rig: Any, make_jpeg: Make, until: Any, faults: Faults) -> None:
    glasses, heard = await rig.open(SimulatedOmi([make_jpeg(2000)], faults=faults, pace=AT_ONCE))
    await glasses.take_photo()
    await until(lambda: heard.offers)
    assert await fetched(glasses, heard.offers[0]) == make_jpeg(2000)
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
    assert [await fetched(glasses, offer) for offer in heard.offers] == [make_jpeg(900)]


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


async def test_hostile_information_is_made_plain(rig: Any, make_jpeg: Make) -> None:
    glasses, _ = await rig.open(SimulatedOmi([make_jpeg(200)], faults=Faults(firmware="\x1b[31m2\u202e" + "x" * 300), pace=AT_ONCE))
    assert glasses.info.firmware == "[31m2" + "x" * 59


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
