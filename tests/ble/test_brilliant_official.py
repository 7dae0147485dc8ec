"""Brilliant Labs' own libraries, as they come from PyPI, against the simulated glasses: what shows that those are faithful."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import bleak
import pytest

from ble.drivers import brilliant_profile as profile
from ble.sim.bleak_backend import backends
from ble.sim.brilliant import SimulatedBrilliant, SimulatedFrame, SimulatedHalo
from ble.sim.brilliant_faults import Ack, BrilliantFaults, Main
from ble.sim.faults import AT_ONCE

brilliant_ble = pytest.importorskip("brilliant_ble")
brilliant_msg = pytest.importorskip("brilliant_msg")

# brilliant-ble 3.5 asks asyncio what Python 3.14 wants inspect to be asked.
pytestmark = pytest.mark.filterwarnings("ignore:'asyncio.iscoroutinefunction':DeprecationWarning")

KINDS = pytest.mark.parametrize("kind", ["frame", "halo"])
APP = """local data = require('data.min')
local camera = require('camera.min')
frame.camera.power_save(false)
print('ready')
while true do
    for _, item in ipairs(data.process_raw_items()) do
        if item[1] == 0x0d then
            local fine, err = pcall(camera.capture_and_send, camera.parse_capture_settings(item[2]))
            if not fine then print(err) end
        end
    end
    if camera.is_auto_exp and frame.camera.auto then camera.run_auto_exposure() end
    frame.sleep(0.1)
end
"""


def picture(kind: str) -> bytes:
    width, height = (640, 480) if kind == "halo" else (512, 512)
    head = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x02\x00\x00\x64\x00\x64\x00\x00\xff\xc0\x00\x11\x08"
    head += height.to_bytes(2, "big") + width.to_bytes(2, "big") + b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01\xff\xda\x00\x0c"
    return head + bytes((11 * i + 5) % 251 for i in range(20_000)) + b"\xff\xd9"


@pytest.fixture
def on_the_air(rig: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let brilliant-ble's bleak be the virtual air's."""
    scanner_backend, client_backend = backends(rig.air)

    class Scanner(bleak.BleakScanner):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, backend=scanner_backend, **kwargs)

    class Client(bleak.BleakClient):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, backend=client_backend, **kwargs)

    monkeypatch.setattr("brilliant_ble.brilliant_ble.BleakScanner", Scanner)
    monkeypatch.setattr("brilliant_ble.brilliant_ble.BleakClient", Client)
    yield
    brilliant_msg.RxPhoto._jpeg_header_map.clear()


async def bonded(rig: Any, kind: str, faults: BrilliantFaults | None = None) -> SimulatedBrilliant:
    """On the air and paired with this computer, which brilliant-ble leaves to the system."""
    made = SimulatedHalo if kind == "halo" else SimulatedFrame
    twin = made([picture(kind)], faults=faults or BrilliantFaults(), pace=replace(AT_ONCE, chunk=0.0005))
    address = await rig.air.add(twin)
    _, client = backends(rig.air)
    async with bleak.BleakClient(address, backend=client, pair=True):
        pass
    twin.accesses.clear()
    return twin


def lua_writes(twin: SimulatedBrilliant) -> list[bytes]:
    return [access.value for access in twin.accesses if access.uuid == profile.LUA_WRITE]


@KINDS
async def test_brilliant_ble(rig: Any, on_the_air: None, kind: str) -> None:
    twin = await bonded(rig, kind)
    glasses = brilliant_ble.BrilliantBle()
    gone: list[str] = []
    assert await glasses.connect(name=twin.name, disconnect_handler=lambda: gone.append("gone")) == twin.name
    assert glasses.type is (brilliant_ble.BrilliantDeviceType.HALO if kind == "halo" else brilliant_ble.BrilliantDeviceType.FRAME)
    assert glasses.max_lua_payload() == (509 if kind == "halo" else 244)
    await glasses.send_break_signal()
    await glasses.send_reset_signal()
    await glasses.drain_print_channel()
    assert await glasses.send_lua("print(frame.battery_level())", await_print=True) == ("87" if kind == "halo" else "87.0")
    assert await glasses.send_lua("print(frame.HARDWARE_VERSION)", await_print=True) == ("halo" if kind == "halo" else "Frame")
    assert await glasses.send_lua("print(frame.nothing)", await_print=True) == "nil"
    assert "syntax error" in await glasses.send_lua("print(", await_print=True)
    content = "-- \"quoted\" 'twice' \\ and\ttabs, ünïcode 👓\n" * 40
    await glasses.upload_file_from_string(content, "notes.lua")
    assert twin.firmware.lua.files["notes.lua"] == content
    assert "syntax error" in await glasses.send_lua("require('notes')", await_print=True)
    assert "cannot open file" in await glasses.send_lua("require('nothing')", await_print=True)
    await glasses.disconnect()
    assert gone == ["gone"]


@KINDS
async def test_a_photo_by_brilliant_msg(rig: Any, on_the_air: None, kind: str, tmp_path: Path) -> None:
    twin = await bonded(rig, kind, BrilliantFaults(main=Main.LOOPS))
    (tmp_path / "app.lua").write_text(APP)
    glasses = brilliant_msg.BrilliantMsg()
    await glasses.connect(name=twin.name)
    await glasses.print_short_text("Eyelid's")
    await glasses.upload_stdlua_libs(["data", "camera"])
    await glasses.upload_frame_app(str(tmp_path / "app.lua"))
    assert set(twin.firmware.lua.files) == {"main.lua", "data.min.lua", "camera.min.lua", "frame_app.lua"}
    glasses.attach_print_response_handler(lambda _: None)
    await glasses.start_frame_app()
    await asyncio.sleep(4)
    photos = brilliant_msg.RxPhoto(upright=False)
    arrived = await photos.attach(glasses)
    settings = brilliant_msg.TxCaptureSettings(resolution=640 if kind == "halo" else 512)
    for _ in range(2):
        await glasses.send_message(profile.STOCK_CAPTURE, settings.pack())
        assert await asyncio.wait_for(arrived.get(), 30) == picture(kind)
    capture = "010d0006040140008c00" if kind == "halo" else "010d0006040100008c00"
    assert lua_writes(twin)[-1].hex() == capture
    assert twin.camera.dark == 0
    await glasses.stop_frame_app()
    await glasses.send_break_signal()  # main.lua runs again since the reset
    await glasses.drain_print_channel()
    assert await glasses.send_lua("print(1)", await_print=True) == "1"
    photos.detach(glasses)
    await glasses.disconnect()


@KINDS
async def test_a_long_message_is_taken_in_and_acknowledged(rig: Any, on_the_air: None, kind: str, tmp_path: Path) -> None:
    twin = await bonded(rig, kind)
    (tmp_path / "app.lua").write_text(APP)
    glasses = brilliant_msg.BrilliantMsg()
    await glasses.connect(name=twin.name)
    await glasses.upload_stdlua_libs(["data", "camera"])
    await glasses.upload_frame_app(str(tmp_path / "app.lua"))
    await glasses.start_frame_app()
    await glasses.send_message(0x20, bytes(600))
    await glasses.ble.wait_for_acks()
    sent = [value for value in lua_writes(twin) if value[:2] == b"\x01\x20"]
    assert [len(value) for value in sent] == ([495, 111] if kind == "halo" else [244, 244, 120])
    assert sent[0][:4].hex() == "01200258"
    await glasses.disconnect()


@KINDS
@pytest.mark.parametrize("ack", [Ack.FAILED, Ack.NONE])
async def test_what_goes_wrong_is_what_brilliant_msg_expects(rig: Any, on_the_air: None, kind: str, ack: Ack, tmp_path: Path) -> None:
    twin = await bonded(rig, kind, BrilliantFaults(ack=ack, capture_error="Capture error occurred"))
    (tmp_path / "app.lua").write_text(APP)
    glasses = brilliant_msg.BrilliantMsg()
    await glasses.connect(name=twin.name)
    await glasses.upload_stdlua_libs(["data", "camera"])
    await glasses.upload_frame_app(str(tmp_path / "app.lua"))
    said: list[str] = []
    glasses.attach_print_response_handler(said.append)
    await glasses.start_frame_app()
    settings = brilliant_msg.TxCaptureSettings(resolution=640).pack()

    async def capture() -> None:
        await glasses.send_message(profile.STOCK_CAPTURE, settings)
        await glasses.ble.wait_for_acks()

    if kind == "halo" or ack is Ack.NONE:
        with pytest.raises(Exception, match=r"failed to process|didn't respond"):
            await capture()
    else:
        await capture()  # on Frame, brilliant-msg takes any answer for an acknowledgement
    await asyncio.sleep(1)
    assert any("Capture error occurred" in text for text in said)
    await glasses.disconnect()


async def test_a_halo_that_refuses_drops_the_link(rig: Any, on_the_air: None) -> None:
    halo = SimulatedHalo([picture("halo")], faults=BrilliantFaults(bonded_elsewhere=True), pace=AT_ONCE)
    await rig.air.add(halo)
    with pytest.raises(Exception, match="Error"):
        await brilliant_ble.BrilliantBle().connect(name=halo.name)
