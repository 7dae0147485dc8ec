"""The driver against simulated Frame and Halo whose stream, camera, link or storage fails."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from ble.drivers import brilliant_lua as lua
from ble.drivers import brilliant_profile as profile
from ble.errors import CameraSilent, LinkLost, ProtocolFault, Unsupported
from ble.sim.brilliant_faults import BrilliantFaults, Main
from ble.types import Capability, LinkClosed
from tests.ble.brilliant_twins import KINDS, jpeg, opened, simulated, written
from tests.ble.driving import QUICK, fetched

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
    assert await fetched(glasses, heard.offers[0]) == twin.camera.last
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
    assert await fetched(glasses, heard.offers[0]) == twin.camera.last
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
    assert await fetched(again, heard.offers[0]) == twin.camera.last


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
    assert [await fetched(glasses, offer) for offer in heard.offers] == [twin.camera.last] * 2
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
