"""The simulated firmware: what the real one is known to do, down to its bytes and flaws."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import Any

import bleak
import pytest
from bleak.exc import BleakGATTProtocolError
from bumble.keys import PairingKeys
from hypothesis import given
from hypothesis import strategies as st

from ble.drivers import brilliant_lua as lua
from ble.drivers import brilliant_profile as profile
from ble.sim.bleak_backend import backends
from ble.sim.brilliant import SimulatedBrilliant, SimulatedFrame, SimulatedHalo
from ble.sim.brilliant_apps import Apps
from ble.sim.brilliant_camera import Camera, LuaFault
from ble.sim.brilliant_faults import BrilliantFaults, Main
from ble.sim.brilliant_firmware import Firmware, QueueFull
from ble.sim.faults import AT_ONCE, Pace
from tests.ble.brilliant_twins import Client

KINDS = pytest.mark.parametrize("kind", ["frame", "halo"])


VALUES = {"frame.battery_level()": "87.0", "frame.HARDWARE_VERSION": "Frame"}


class Bench:
    """A firmware without a radio."""

    def __init__(self, kind: str, faults: BrilliantFaults | None = None, pace: Pace = AT_ONCE) -> None:
        faults = faults or BrilliantFaults()
        self.client = Client(244)
        self.firmware = Firmware(kind, Camera(kind, [bytes(1625)], faults), faults, pace, self.client, dict(VALUES))
        self.firmware.lua.programs = Apps(self.firmware)
        self.task = asyncio.get_running_loop().create_task(self.firmware.serve())

    async def write(self, *values: bytes) -> list[bytes]:
        """What is said within a second of each."""
        before = len(self.client.sent)
        for value in values:
            self.firmware.written(value)
            await asyncio.sleep(1)
        return self.client.sent[before:]


@pytest.fixture
async def bench() -> Any:
    made: list[Bench] = []

    def make(kind: str, faults: BrilliantFaults | None = None) -> Bench:
        made.append(Bench(kind, faults))
        return made[-1]

    yield make
    for each in made:
        each.task.cancel()
    await asyncio.gather(*(each.task for each in made), return_exceptions=True)


async def test_the_worked_exchange(bench: Any) -> None:
    frame = bench("frame")
    assert await frame.write(b"\x03", b"\x04", b"\x03") == []
    print_battery = bytes.fromhex("7072696E74286672616D652E626174746572795F6C6576656C282929")
    assert await frame.write(print_battery) == [bytes.fromhex("38372E30")]
    opening = bytes.fromhex("663D") + b"frame.file.open('va.lua','w');print(1)"
    assert await frame.write(opening, b"f:write(\"return 'va ready'\");print(1)") == [b"\x31", b"\x31"]
    assert await frame.write(b"f:close();print(nil)") == [bytes.fromhex("6E696C")]
    assert frame.firmware.lua.files == {"va.lua": "return 'va ready'"}


async def test_frames_pattern_of_reads() -> None:
    """The header of 623 bytes, 1000 bytes of image and the footer are read apart."""
    picture = bytes(range(250)) * 6 + bytes(125)
    camera = Camera("frame", [picture], BrilliantFaults())
    for size, lengths in ((240, [240, 240, 143, 240, 240, 240, 240, 40, 2]), (242, [242, 242, 139, 242, 242, 242, 242, 32, 2])):
        camera.capture(512)
        pieces = []
        while (piece := camera.read(size)) is not None:
            pieces.append(piece)
        assert [len(piece) for piece in pieces] == lengths
        assert b"".join(pieces) == picture
    assert camera.dark == 2
    halo = Camera("halo", [picture], BrilliantFaults())
    with pytest.raises(LuaFault, match="asleep"):
        halo.capture(640)
    halo.power_save(False)
    with pytest.raises(LuaFault, match="not supported"):
        halo.capture(512)
    with pytest.raises(LuaFault, match="invalid"):
        camera.capture(721)


async def test_frame_has_one_slot_for_text_and_drops_what_is_too_long(bench: Any) -> None:
    frame = bench("frame")
    frame.firmware.written(b"print(1)")
    assert await frame.write(b"print(2)") == [b"2"]
    assert await frame.write(b"print('" + b"x" * 245 + b"')") == []
    assert await frame.write(b"print('a')\0print('b')") == [b"a"]


async def test_halo_queues_text_refuses_too_much_and_sends_long_text_in_parts(bench: Any) -> None:
    halo = bench("halo")
    halo.firmware.written(b"print(1)")
    assert await halo.write(b"print(2)") == [b"1", b"2"]
    assert [len(part) for part in await halo.write(b"print('" + b"x" * 300 + b"')")] == [244, 56]
    with pytest.raises(QueueFull):
        halo.firmware.written(b"-" * 1025)


@KINDS
async def test_errors_and_breaks(bench: Any, kind: str) -> None:
    each = bench(kind)
    line = [b"\n"] if kind == "halo" else []
    told = await each.write(b"print(frame.nothing())")
    assert told[0].startswith(b'[string "print(frame.nothing())')
    assert told[1:] == line
    each.firmware.lua.files["main.lua"] = "while true do frame.sleep(1) end\n"
    assert await each.write(b"\x03", b"require('main')") == []
    assert await each.write(b"print(1)") == []
    broken = await each.write(b"\x03")
    assert (b"interrupted" if kind == "halo" else b"break signal") in broken[0]
    assert broken[1:] == ([b"\n", b"1"] if kind == "halo" else [b"1"])


async def test_a_reset_waits_on_frame_and_not_on_halo(bench: Any) -> None:
    for kind in ("frame", "halo"):
        each = bench(kind, BrilliantFaults(main=Main.LOOPS))
        await each.write(b"\x03")
        each.client.sent.clear()
        each.firmware.written(b"require('main')")
        await asyncio.sleep(1)
        await each.write(b"\x04")
        assert await each.write(b"print(7)") == []
        assert (await each.write(b"\x03"))[-1] in (b"7", b"\n")
        assert each.firmware.lua.files


async def test_the_control_bytes_that_destroy(bench: Any) -> None:
    halo, frame = bench("halo", BrilliantFaults(main=Main.LOOPS)), bench("frame")
    halo.firmware.lua.files["mine.lua"] = "return 'x'"
    await halo.write(b"\x05")
    assert set(halo.firmware.lua.files) == {"mine.lua"}
    await halo.write(b"\x07", b"\x02", b"\x06")
    assert not halo.firmware.lua.files
    assert halo.firmware.destructive == [5, 7, 2, 6]
    await frame.write(b"\x07")
    assert frame.firmware.destructive == []


@KINDS
async def test_packets_written_close_together(bench: Any, kind: str) -> None:
    got: dict[bool, list[bytes]] = {}
    for merges in (False, True):
        each = bench(kind, BrilliantFaults(merges_writes=merges))
        got[merges] = []
        await each.write(b"\x03")
        each.firmware.callback = got[merges].append
        each.firmware.written(b"\x01one")
        await each.write(b"\x01two")
    assert got[False] == ([b"one", b"two"] if kind == "halo" else [b"two"])
    assert got[True] == ([b"onetwo"] if kind == "halo" else [b"two"])


@KINDS
@given(st.lists(st.binary(max_size=40), max_size=8))
def test_nothing_a_host_writes_breaks_the_firmware(kind: str, values: list[bytes]) -> None:
    async def feed() -> None:
        each = Bench(kind, pace=replace(AT_ONCE, second=0.0))
        for value in values:
            with contextlib.suppress(QueueFull):
                each.firmware.written(value)
            for _ in range(9):
                await asyncio.sleep(0)
        assert not each.task.done()
        each.task.cancel()

    asyncio.run(feed())


def made(kind: str, faults: BrilliantFaults | None = None) -> SimulatedBrilliant:
    return (SimulatedHalo if kind == "halo" else SimulatedFrame)([bytes(1000)], faults=faults or BrilliantFaults(), pace=AT_ONCE)


@KINDS
async def test_nothing_without_encryption(rig: Any, kind: str) -> None:
    twin = made(kind)
    address = await rig.air.add(twin)
    _, backend = backends(rig.air)
    async with bleak.BleakClient(address, backend=backend) as client:
        code = 0x05 if kind == "halo" else 0x0F
        with pytest.raises(BleakGATTProtocolError) as refused:
            await client.write_gatt_char(profile.LUA_WRITE, b"print(1)", response=True)
        assert refused.value.code == code
        if kind == "halo":
            with pytest.raises(BleakGATTProtocolError):
                await client.start_notify(profile.LUA_NOTIFY, lambda *_: None)
        assert not twin.accesses
        await client.pair()
        said: list[bytes] = []
        await client.start_notify(profile.LUA_NOTIFY, lambda _, value: said.append(bytes(value)))
        await client.write_gatt_char(profile.LUA_WRITE, b"print(1)", response=True)
        await asyncio.sleep(1)
        assert said == [b"1"]
        cccd = client.services.get_characteristic(profile.LUA_NOTIFY).descriptors[0]
        assert await client.read_gatt_descriptor(cccd) == b"\x01\x00"
        if kind == "halo":
            twin.firmware.lua.files["main.lua"] = "while true do frame.sleep(1) end\n"
            await client.write_gatt_char(profile.LUA_WRITE, b"require('main')", response=True)
            await asyncio.sleep(1)
            await client.write_gatt_char(profile.LUA_WRITE, b"-" * 512, response=True)
            await client.write_gatt_char(profile.LUA_WRITE, b"-" * 512, response=True)
            with pytest.raises(BleakGATTProtocolError) as refused:
                await client.write_gatt_char(profile.LUA_WRITE, b"-", response=True)
            assert refused.value.code == 0x11
        assert (client.services.get_characteristic(profile.HALO_SPEAKER) is not None) is (kind == "halo")
        assert client.mtu_size == (515 if kind == "halo" else 247)


async def test_bonds_are_few() -> None:
    twin = made("halo")
    for number in range(7):
        await twin.bonds.update(str(number), PairingKeys())
    assert list(twin.bonds.all_keys) == ["2", "3", "4", "5", "6"]
    await twin.bonds.get("2")
    await twin.bonds.update("7", PairingKeys())
    assert list(twin.bonds.all_keys) == ["4", "5", "6", "2", "7"]
    assert await twin.bonds.get("0") is None


def test_pictures_are_needed() -> None:
    with pytest.raises(ValueError, match="at least one picture"):
        SimulatedFrame([])


async def test_an_app_it_does_not_know_is_a_syntax_error(bench: Any) -> None:
    frame = bench("frame")
    frame.firmware.lua.files |= {"eyelid.lua": lua.APP[:100], "empty.lua": ""}
    assert b"syntax error" in (await frame.write(b"require('eyelid')"))[0]
    assert await frame.write(b"print(require('empty'))") == [b"true"]
    assert b"closed file" in (await frame.write(b'f:write("x");print(1)'))[0]
