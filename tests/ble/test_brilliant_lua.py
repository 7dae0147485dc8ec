"""Our Lua, run by a real Lua: it does what its description says, and the simulated glasses do the same as it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ble.drivers import brilliant_lua as lua
from ble.drivers import brilliant_profile as profile
from ble.drivers.brilliant_stream import AppStream, Battery, Begun, Heard, Outcome, Refused, Spoilt, StockStream, Whole
from ble.sim.brilliant_apps import Apps
from ble.sim.brilliant_camera import Camera
from ble.sim.brilliant_faults import BrilliantFaults
from ble.sim.brilliant_firmware import Firmware
from ble.sim.faults import AT_ONCE
from tests.ble.brilliant_twins import Client

lua54 = pytest.importorskip("lupa.lua54")

FRAME = b"""
local told, sends, polls, asleep, exposed, taken, clock = {}, 0, 0, true, 0, 0, 0
local parts, at = {}, 1
camera_asleep = function() return asleep end
took = function() return taken end
frame = {
  battery_level = function() return 87.0 end,
  sleep = function(s) assert(s > 0) clock = clock + s step() end,
  time = {utc = function() return clock // 1 end},
  bluetooth = {
    is_connected = function() return connected() end,
    max_length = function() return length end,
    receive_callback = function(f) callback = f end,
    send = function(s)
      sends = sends + 1
      if busy and sends % 3 == 0 then error('bluetooth is busy') end
      if not connected() then error('not connected') end
      assert(#s <= length)
      sent(s)
      step()
    end,
  },
  camera = {
    power_save = function(on) asleep = on end,
    capture = function(o)
      if asleep then error('camera is asleep') end
      if broken then error('broken camera') end
      assert(o.quality == 'HIGH' and o.resolution == width)
      assert(halo or exposed >= 20)
      parts, at, polls, taken = pictures(), 1, 0, taken + 1
    end,
    image_ready = function() polls = polls + 1 return polls > 3 and not never end,
    read = function(n)
      while parts[at] == '' do at = at + 1 end
      local p = parts[at]
      if not p then return nil end
      parts[at] = p:sub(n + 1)
      return p:sub(1, n)
    end,
  },
}
if not halo then frame.camera.auto = function() exposed = exposed + 1 end end
print = function(s) printed(s) end
"""


class Device:
    """A Lua with the `frame` table of the firmware. `script` says what the host writes, by what came before."""

    def __init__(self, picture: bytes, *, halo: bool = False, length: int = 243, busy: bool = False, **broken: bool) -> None:
        self.sent: list[bytes] = []
        self.printed: list[str] = []
        self.orders: list[tuple[Callable[[], bool], bytes]] = []
        self.connected = True
        self.runtime = lua54.LuaRuntime(encoding=None, unpack_returned_tuples=True)
        parts = [picture] if halo else [picture[:623], picture[623:-2], picture[-2:]]
        names = self.runtime.globals()
        values = {"sent": self.sent.append, "printed": self._print, "step": self._step, "connected": lambda: self.connected, **broken}
        values |= {"length": length, "halo": halo, "busy": busy, "width": 640 if halo else 720}
        values["pictures"] = lambda: self.runtime.table(*parts)
        for name, value in values.items():
            names[name.encode()] = value
        self.runtime.execute(FRAME)

    def _print(self, text: bytes) -> None:
        self.printed.append(text.decode())

    def _step(self) -> None:
        if self.orders and self.orders[0][0]():
            callback = self.runtime.globals()[b"callback"]
            if callback is not None:
                callback(self.orders.pop(0)[1])

    def host(self, *orders: tuple[Callable[[], bool], bytes]) -> None:
        self.orders += orders

    def run(self, source: str = lua.APP) -> None:
        self.runtime.execute(source.encode())

    def ended(self) -> bool:
        return any(packet[0] in (profile.ENDS, profile.FAILED) for packet in self.sent)

    def named(self, code: int) -> list[bytes]:
        return [packet for packet in self.sent if packet[0] == code]


def jpeg(halo: bool, size: int = 3000) -> bytes:
    width, height = (640, 480) if halo else (720, 720)
    head = (
        b"\xff\xd8\xff\xc0\x00\x11\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big") + b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
    )
    return head + bytes((11 * i + 5) % 251 for i in range(size)) + b"\xff\xd9"


def command(code: int, token: int, arguments: str = "") -> bytes:
    return bytes([code, token]) + bytes.fromhex(arguments)


def always() -> bool:
    return True


CAPTURE = {True: "030140", False: "030168"}
HALO = pytest.mark.parametrize("halo", [False, True])


def outcomes(device: Device, halo: bool) -> list[Outcome]:
    stream = AppStream(profile.HALO if halo else profile.FRAME)
    return [outcome for packet in device.sent for outcome in stream.feed(packet, 0.0)]


@HALO
@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize("length", [40, 180, 243, 511])
def test_a_photo(halo: bool, busy: bool, length: int) -> None:
    device = Device(jpeg(halo), halo=halo, busy=busy, length=length)
    device.host((always, command(profile.CAPTURE, 7, CAPTURE[halo])), (device.ended, command(profile.QUIT, 8)))
    device.run()
    got = outcomes(device, halo)
    assert Whole(jpeg(halo)) in got
    assert {Begun(7), Heard(profile.CAPTURE, 7), Heard(profile.QUIT, 8), Battery(87)} <= set(got)
    assert not any(isinstance(outcome, Spoilt | Refused) for outcome in got)
    assert device.printed == [f"{lua.READY} {'halo' if halo else 'frame'}", lua.BYE]
    assert device.runtime.globals()[b"camera_asleep"]()
    assert max(map(len, device.sent)) <= min(length, 243)


@HALO
def test_an_order_told_twice_is_carried_out_once(halo: bool) -> None:
    device = Device(jpeg(halo), halo=halo)
    device.host(*[(always, command(profile.CAPTURE, 7, CAPTURE[halo]))] * 3, (device.ended, command(profile.QUIT, 8)))
    device.run()
    assert device.runtime.globals()[b"took"]() == 1
    assert device.named(profile.HEARD).count(command(profile.HEARD, profile.CAPTURE, "07")) > 1


@HALO
def test_an_order_to_stop_stops_the_photo_it_names(halo: bool) -> None:
    for photo, stops in (("0001", True), ("0002", False)):
        device = Device(jpeg(halo, 30_000), halo=halo)
        pieces = device.named
        device.host(
            (always, command(profile.CAPTURE, 7, CAPTURE[halo])),
            (lambda pieces=pieces: len(pieces(profile.PIECE)) > 4, command(profile.ABORT, 8, photo)),
            (device.ended, command(profile.QUIT, 9)),
        )
        device.run()
        assert (len(device.named(profile.PIECE)) < 20) is stops
        assert [packet[4:] for packet in device.named(profile.FAILED)] == [b"stopped"] * stops


@HALO
@pytest.mark.parametrize(("fault", "words"), [("never", b"made no picture"), ("broken", b"broken camera")])
def test_errors_are_told(halo: bool, fault: str, words: bytes) -> None:
    device = Device(jpeg(halo), halo=halo, **{fault: True})
    device.host((always, command(profile.CAPTURE, 7, CAPTURE[halo])), (device.ended, command(profile.QUIT, 8)))
    device.run()
    [failed] = device.named(profile.FAILED)
    assert failed[3] == 7
    assert words in failed
    assert device.printed[-1] == lua.BYE


@HALO
def test_photos_at_intervals(halo: bool) -> None:
    device = Device(jpeg(halo), halo=halo)
    ends = device.named
    device.host(
        (always, command(profile.INTERVAL, 7, "1e" + CAPTURE[halo])),
        (lambda: len(ends(profile.ENDS)) == 3, command(profile.INTERVAL, 8, "00" + CAPTURE[halo])),
        (always, command(profile.QUIT, 9)),
    )
    device.run()
    assert [packet[3] for packet in device.named(profile.STARTS)] == [0, 0, 0]
    clock = device.runtime.eval(b"frame.time.utc()")
    assert 58 <= clock <= 70


@HALO
def test_it_ends_with_the_link(halo: bool) -> None:
    device = Device(jpeg(halo, 30_000), halo=halo)
    device.host((always, command(profile.CAPTURE, 7, CAPTURE[halo])))
    send = device.sent.append

    def drop(packet: bytes) -> None:
        send(packet)
        device.connected = len(device.named(profile.PIECE)) < 5

    device.runtime.globals()[b"sent"] = drop
    device.run()
    assert device.printed[-1] == lua.BYE
    assert device.runtime.globals()[b"camera_asleep"]()


@HALO
@pytest.mark.parametrize("words", [b"break signal", b"interrupted"])
def test_a_break_in_mid_photo_ends_it(halo: bool, words: bytes) -> None:
    device = Device(jpeg(halo, 30_000), halo=halo)
    device.host((always, command(profile.CAPTURE, 7, CAPTURE[halo])))
    device.runtime.globals()[b"words"] = words
    device.runtime.execute(
        b"local send, n = frame.bluetooth.send, 0 "
        b"frame.bluetooth.send = function(s) n = n + 1 if n == 9 then error(words) end return send(s) end"
    )
    with pytest.raises(lua54.LuaError, match=words.decode()):
        device.run()
    assert device.runtime.globals()[b"camera_asleep"]()
    assert not device.named(profile.FAILED)


@HALO
def test_nonsense_is_answered_and_ignored(halo: bool) -> None:
    device = Device(jpeg(halo), halo=halo)
    nonsense = [b"", b"\x10", b"\x10\x07", b"\x11\x08\x1e\x03", b"\x99\x09", b"\x12\x0a", bytes(200)]
    device.host(*((always, data) for data in nonsense), (always, command(profile.QUIT, 200)))
    device.run()
    assert device.runtime.globals()[b"took"]() == 0
    assert device.printed[-1] == lua.BYE


def twin_firmware(halo: bool, picture: bytes, payload: int) -> tuple[Firmware, Client]:
    client, faults = Client(payload), BrilliantFaults()
    family = profile.FAMILY_HALO if halo else profile.FAMILY_FRAME
    firmware = Firmware(family, Camera(family, [picture], faults), faults, AT_ONCE, client, {"frame.battery_level()": "87.0"})
    firmware.lua.programs = Apps(firmware)
    return firmware, client


@HALO
@pytest.mark.parametrize("length", [60, 243, 511])
async def test_the_simulated_app_says_what_the_real_one_says(halo: bool, length: int, until: Any) -> None:
    device = Device(jpeg(halo), halo=halo, length=length)
    device.host((always, command(profile.CAPTURE, 7, CAPTURE[halo])), (device.ended, command(profile.QUIT, 8)))
    device.run()
    firmware, client = twin_firmware(halo, jpeg(halo), length + 1)
    firmware.lua.files["eyelid.lua"] = lua.APP
    served = asyncio.get_running_loop().create_task(firmware.serve())
    firmware.written(b"require('eyelid')")
    await until(lambda: client.sent)
    firmware.written(b"\x01" + command(profile.CAPTURE, 7, CAPTURE[halo]))
    await until(lambda: any(packet[1] == profile.ENDS for packet in client.sent))
    firmware.written(b"\x01" + command(profile.QUIT, 8))
    await until(lambda: client.sent[-1] == lua.BYE.encode())
    served.cancel()
    assert [packet.decode() for packet in client.sent if packet[0] != 1] == device.printed
    # The minute's report of the battery may fall before or after the first answer.
    assert sorted(packet[1:] for packet in client.sent if packet[0] == 1) == sorted(device.sent)
    told = [packet for packet in device.sent if packet[0] in (profile.STARTS, profile.PIECE, profile.ENDS)]
    assert [packet[1:] for packet in client.sent if packet[1] in (profile.STARTS, profile.PIECE, profile.ENDS)] == told


@HALO
@pytest.mark.parametrize("length", [60, 243, 511])
async def test_the_fallback_and_its_simulation(halo: bool, length: int) -> None:
    device = Device(jpeg(halo), halo=halo, length=length)
    for statement in lua.FALLBACK:
        device.run(statement)
    device.runtime.execute(f"width = {640 if halo else 720}".encode())
    device.run(lua.fallback_photo(640 if halo else 720))
    stream = StockStream(profile.HALO if halo else profile.FRAME)
    assert [outcome for packet in device.sent for outcome in stream.feed(packet, 0.0)][-1] == Whole(jpeg(halo))
    firmware, client = twin_firmware(halo, jpeg(halo), length + 1)
    for statement in lua.FALLBACK:
        await firmware.lua.run(statement)
    await firmware.lua.run(lua.fallback_photo(640 if halo else 720))
    assert [packet[1:] for packet in client.sent] == device.sent


@HALO
@pytest.mark.parametrize("length", [60, 243, 511])
async def test_brilliant_msgs_own_camera_lua_and_its_simulation(halo: bool, length: int) -> None:
    files = pytest.importorskip("importlib.resources").files(pytest.importorskip("brilliant_msg")).joinpath("lua")
    device = Device(jpeg(halo), halo=halo, length=length)
    device.runtime.globals()[b"source"] = files.joinpath("camera.min.lua").read_bytes()
    device.runtime.execute(b"frame.HARDWARE_VERSION = halo and 'halo' or 'Frame' camera = load(source)() frame.camera.power_save(false)")
    device.runtime.execute(b"for _ = 1, 20 do if not halo then camera.run_auto_exposure() end end")
    device.runtime.execute(b"camera.capture_and_send{resolution = width, quality = 'HIGH', pan = 0, raw = false}")
    firmware, client = twin_firmware(halo, jpeg(halo), length + 1)
    firmware.camera.power_save(False)
    await Apps(firmware).capture_and_send(640 if halo else 720)
    assert [packet[1:] for packet in client.sent] == device.sent


def test_the_app_is_small_and_its_marker_names_it() -> None:
    assert len(lua.APP) < 4096
    assert lua.VERSION in lua.APP
    assert lua.VERSION in lua.MARKER
    assert max(map(len, lua.FALLBACK)) + len(" print('9999=')") <= profile.WANTED_PAYLOAD


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\0")), st.integers(4, 244))
def test_pieces_join_to_the_text(text: str, longest: int) -> None:
    cut = lua.pieces(text, longest)
    assert all(0 < len(piece.encode()) <= longest for piece in cut)
    runtime = lua54.LuaRuntime(encoding=None)
    got = b"".join(runtime.execute(b'return "' + piece.encode() + b'"') for piece in cut)
    assert got.decode() == text


def test_pieces_too_small_for_a_character() -> None:
    with pytest.raises(ValueError, match="4 bytes"):
        lua.pieces("x", 3)
