"""The keeper over the virtual air: it gets there, comes back by itself, and says why when it can't."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ble.drivers.brilliant import BrilliantDriver
from ble.errors import LinkLost, NotFound, NotGlasses, ProtocolFault, RadioOff
from ble.keeper import AWAKE_SECONDS, LinkChanged
from ble.sim.brilliant import SimulatedFrame, SimulatedFrameUpdate
from ble.sim.faults import AT_ONCE, Faults
from ble.sim.omi import SimulatedNecklace, SimulatedOmi, SimulatedOpenGlass
from ble.types import LinkState
from tests.ble.driving import Make, fetched
from tests.ble.keeping import Kept, on_air


async def test_the_way_to_a_link_is_told_step_by_step(rig: Any, keep: Any, make_jpeg: Make, until: Any) -> None:
    glasses = await on_air(rig, make_jpeg(700))
    kept = keep(rig.air.address_of(glasses).lower())
    assert kept.keeper.view.state is LinkState.IDLE
    kept.keeper.connect_now()
    await until(kept.is_in(LinkState.READY))
    await kept.keeper.take_photo()
    await until(lambda: kept.offers)
    assert kept.states == ["SCANNING", "CONNECTING", "SECURING", "READY"]
    view = kept.keeper.view
    assert view.trouble is None
    assert view.retry_at is None
    assert view.last_seen is not None
    assert view.status.received == 1
    assert view.info is not None
    assert view.info.model == "OpenGlass"
    assert view.capabilities is not None
    assert await fetched(kept.keeper, kept.offers[0]) == make_jpeg(700)
    await kept.keeper.release(kept.offers[0].id)
    await kept.keeper.release("unknown")
    with pytest.raises(ProtocolFault):
        await fetched(kept.keeper, kept.offers[0])


async def test_it_comes_back_after_a_drop_in_mid_photo(rig: Any, keep: Any, make_jpeg: Make, until: Any) -> None:
    glasses = await on_air(rig, make_jpeg(2000), Faults(disconnect_after_chunk=3, times=1), SimulatedOmi, chunk=0.01)
    kept = keep(rig.air.address_of(glasses), continuous=True)
    kept.keeper.connect_now()
    await until(lambda: kept.offers)
    assert kept.damaged in ([], ["the link was lost while it was on its way"])
    assert "LOST" in kept.states or kept.states.count("SCANNING") == 2
    assert kept.states[-1] == "READY"
    assert await fetched(kept.keeper, kept.offers[0]) == make_jpeg(2000)


async def test_after_a_drop_it_tries_again_in_half_a_second(rig: Any, keep: Any, make_jpeg: Make, until: Any) -> None:
    glasses = await on_air(rig, make_jpeg(700))
    kept = keep(rig.air.address_of(glasses), utc=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    kept.keeper.connect_now()
    await until(kept.is_in(LinkState.READY))
    await kept.keeper.take_photo()
    await asyncio.sleep(40)  # virtual: a steady link
    dropped = asyncio.get_running_loop().time()
    await glasses.drop_link()
    await until(kept.is_in(LinkState.LOST))
    assert isinstance(kept.keeper.view.trouble, LinkLost)
    assert kept.keeper.view.retry_at == datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    await until(kept.is_in(LinkState.READY))
    assert asyncio.get_running_loop().time() - dropped < 2
    assert kept.keeper.view.trouble is None
    await kept.keeper.take_photo()
    assert kept.keeper.view.status.received == 2
    await until(lambda: len(kept.offers) == 2)
    for offer in kept.offers:
        assert await fetched(kept.keeper, offer) == make_jpeg(700)


async def test_drops_in_a_row_are_answered_more_and_more_slowly(rig: Any, keep: Any, make_jpeg: Make, until: Any) -> None:
    glasses = await on_air(rig, make_jpeg(700))
    kept = keep(rig.air.address_of(glasses))
    kept.keeper.connect_now()
    waits = []
    for _ in range(4):
        await until(kept.is_in(LinkState.READY))
        await glasses.drop_link()
        begun = asyncio.get_running_loop().time()
        await until(kept.is_in(LinkState.LOST))
        await until(kept.is_in(LinkState.SCANNING))
        waits.append(round(asyncio.get_running_loop().time() - begun, 1))
    assert waits == [0.5, 1.0, 2.0, 4.0]


async def test_glasses_that_are_away_are_waited_for_and_explained(rig: Any, keep: Any, make_jpeg: Make, until: Any) -> None:
    other = await on_air(rig, make_jpeg(700))
    kept = keep("F0:00:00:00:00:01")
    kept.keeper.connect_now()
    await until(kept.is_in(LinkState.WAITING))
    trouble = kept.keeper.view.trouble
    assert isinstance(trouble, NotFound)
    assert "Other glasses" in trouble.why
    assert trouble.action
    assert kept.keeper.view.retry_at is not None
    await until(lambda: kept.states.count("SCANNING") == 3)
    assert not other.connected
    mine = SimulatedOpenGlass([make_jpeg(700)], pace=AT_ONCE)
    await rig.air.add(mine, "F0:00:00:00:00:01")
    kept.keeper.connect_now()
    await until(kept.is_in(LinkState.READY))


@pytest.mark.parametrize("updating", [False, True])
async def test_glasses_that_wait_for_new_firmware_count_as_no_others(
    rig: Any, keep: Any, make_jpeg: Make, until: Any, updating: bool
) -> None:
    await rig.air.add(SimulatedFrameUpdate(pace=AT_ONCE) if updating else SimulatedFrame([make_jpeg(700)], pace=AT_ONCE))
    kept = keep("F0:00:00:00:00:01", driver=BrilliantDriver())
    kept.keeper.connect_now()
    await until(kept.is_in(LinkState.WAITING))
    trouble = kept.keeper.view.trouble
    assert isinstance(trouble, NotFound)
    assert ("Other glasses" in trouble.why) is not updating
    assert ("wait for new firmware" in trouble.why) is updating
    assert ("pair them anew" in trouble.action) is not updating
    assert ("Finish the update" in trouble.action) is updating


async def test_a_radio_that_is_off_is_waited_for(rig: Any, keep: Any, make_jpeg: Make, until: Any) -> None:
    glasses = await on_air(rig, make_jpeg(700))
    rig.air.radio_on = False
    kept = keep(rig.air.address_of(glasses))
    kept.keeper.connect_now()
    await until(kept.is_in(LinkState.WAITING))
    assert isinstance(kept.keeper.view.trouble, RadioOff)
    assert "Switch Bluetooth on" in kept.keeper.view.trouble.action
    rig.air.radio_on = True
    await until(kept.is_in(LinkState.READY))


async def test_what_only_a_person_can_help_stops_it(rig: Any, keep: Any, until: Any) -> None:
    necklace = SimulatedNecklace(pace=AT_ONCE)
    kept = keep(await rig.air.add(necklace))
    kept.keeper.connect_now()
    await until(kept.is_in(LinkState.BLOCKED))
    assert isinstance(kept.keeper.view.trouble, NotGlasses)
    assert kept.keeper.view.retry_at is None
    tried = len(kept.events)
    await asyncio.sleep(600)
    assert len(kept.events) == tried
    kept.keeper.connect_now()
    assert kept.keeper.view.state is LinkState.SCANNING
    await until(kept.is_in(LinkState.BLOCKED))


async def test_disconnecting_from_every_state(rig: Any, keep: Any, make_jpeg: Make, until: Any) -> None:
    glasses = await on_air(rig, make_jpeg(700))
    kept = keep(rig.air.address_of(glasses), slow=True)
    for state in (LinkState.SCANNING, LinkState.CONNECTING, LinkState.SECURING, LinkState.READY, LinkState.LOST):
        kept.keeper.connect_now()
        if state is LinkState.LOST:
            await until(kept.is_in(LinkState.READY))
            await glasses.drop_link()
        await until(kept.is_in(state))
        await kept.keeper.disconnect()
        assert kept.keeper.view.state is LinkState.IDLE
        assert kept.keeper.view.trouble is None
        assert not glasses.connected
        with pytest.raises(LinkLost):
            await kept.keeper.take_photo()
    await asyncio.sleep(200)
    assert kept.keeper.view.state is LinkState.IDLE


async def test_connecting_again_right_after_leaving_waits_for_the_leaving(rig: Any, keep: Any, make_jpeg: Make, until: Any) -> None:
    glasses = await on_air(rig, make_jpeg(3000), chunk=0.2)
    kept = keep(rig.air.address_of(glasses))
    kept.keeper.connect_now()
    await until(kept.is_in(LinkState.READY))
    order = asyncio.get_running_loop().create_task(kept.keeper.take_photo())
    await asyncio.sleep(1)
    leaving = asyncio.get_running_loop().create_task(kept.keeper.disconnect())
    await asyncio.sleep(0.01)
    kept.keeper.connect_now()
    await asyncio.gather(order, until(kept.is_in(LinkState.READY)))
    assert len(kept.offers) == 1
    await kept.keeper.disconnect()
    await leaving


async def test_continuous_is_remembered_over_links(rig: Any, keep: Any, make_jpeg: Make, until: Any) -> None:
    glasses = await on_air(rig, make_jpeg(700))
    kept = keep(rig.air.address_of(glasses))
    await kept.keeper.set_continuous(True)
    kept.keeper.connect_now()
    await until(lambda: len(kept.offers) >= 2)
    assert kept.keeper.view.status.continuous is True
    await kept.keeper.set_continuous(False)
    assert kept.keeper.view.status.continuous is False
    await glasses.drop_link()
    await until(kept.is_in(LinkState.LOST))
    await until(kept.is_in(LinkState.READY))
    seen = glasses.photos_begun
    await asyncio.sleep(60)
    assert glasses.photos_begun == seen


async def test_counts_go_on_over_links(rig: Any, keep: Any, make_jpeg: Make, until: Any) -> None:
    glasses = await on_air(rig, make_jpeg(2000), Faults(drop_chunk=2, times=1))
    kept = keep(rig.air.address_of(glasses))
    kept.keeper.connect_now()
    for _ in range(2):
        await until(kept.is_in(LinkState.READY))
        with pytest.raises(ProtocolFault) if glasses.photos_begun == 0 else contextlib.nullcontext():
            await kept.keeper.take_photo()
        await glasses.drop_link()
        await until(kept.is_in(LinkState.LOST))
    assert (kept.keeper.view.status.received, kept.keeper.view.status.damaged) == (1, 1)


async def test_an_adapter_switched_off_in_mid_link_and_on_again(rig: Any, keep: Any, make_jpeg: Make, until: Any) -> None:
    glasses = await on_air(rig, make_jpeg(700))
    kept = keep(rig.air.address_of(glasses))
    kept.keeper.connect_now()
    await until(kept.is_in(LinkState.READY))
    rig.air.radio_on = False
    await glasses.drop_link()
    await until(lambda: isinstance(kept.keeper.view.trouble, RadioOff))
    assert kept.keeper.view.state is LinkState.WAITING
    with pytest.raises(LinkLost):
        await kept.keeper.take_photo()
    await asyncio.sleep(60)
    assert kept.keeper.view.state in (LinkState.WAITING, LinkState.SCANNING)
    rig.air.radio_on = True
    await until(kept.is_in(LinkState.READY), 16)  # the longest pause for this trouble, and a little
    await kept.keeper.take_photo()
    await until(lambda: kept.offers)


async def test_out_of_range_and_back_again_and_again(rig: Any, keep: Any, make_jpeg: Make, until: Any) -> None:
    glasses = await on_air(rig, make_jpeg(700))
    address = rig.air.address_of(glasses)
    kept = keep(address)
    kept.keeper.connect_now()
    for _ in range(2):
        await until(kept.is_in(LinkState.READY))
        await rig.air.remove(glasses)
        await until(lambda: isinstance(kept.keeper.view.trouble, NotFound))
        await rig.air.add(glasses, address)
    await until(kept.is_in(LinkState.READY))
    assert kept.keeper.view.trouble is None


async def test_after_a_sleep_it_tries_again_at_once(rig: Any, keep: Any, make_jpeg: Make, until: Any) -> None:
    """A sleeping computer's loop stands still; the time of day does not."""
    slept = timedelta(0)
    loop = asyncio.get_running_loop()
    began = datetime(2026, 1, 1, tzinfo=UTC)
    kept = keep("F0:00:00:00:00:01", utc=lambda: began + timedelta(seconds=loop.time()) + slept)
    kept.keeper.connect_now()
    await until(lambda: kept.keeper.view.retry_at is not None and pauses(kept)[-1] > 50, 600)
    assert kept.is_in(LinkState.WAITING)()
    slept = timedelta(hours=8)
    await until(kept.is_in(LinkState.SCANNING), AWAKE_SECONDS + 0.1)


def pauses(kept: Kept) -> list[float]:
    """How long it said that it would wait, each time, in seconds."""
    told = [event.view for event in kept.events if isinstance(event, LinkChanged) and event.view.retry_at is not None]
    return [(view.retry_at - datetime(2026, 1, 1, tzinfo=UTC)).total_seconds() - asyncio.get_running_loop().time() for view in told] or [0]


async def test_a_clock_set_back_does_not_make_it_wait_longer(rig: Any, keep: Any, make_jpeg: Make, until: Any) -> None:
    back = timedelta(0)
    kept = keep("F0:00:00:00:00:01", utc=lambda: datetime(2026, 1, 1, tzinfo=UTC) - back)
    kept.keeper.connect_now()
    await until(kept.is_in(LinkState.WAITING))
    back = timedelta(days=1)
    await until(kept.is_in(LinkState.SCANNING), 2)


async def test_two_pairs_at_once_and_one_goes(rig: Any, keep: Any, make_jpeg: Make, until: Any) -> None:
    one, other = await on_air(rig, make_jpeg(700)), await on_air(rig, make_jpeg(900))
    first, second = keep(rig.air.address_of(one)), keep(rig.air.address_of(other))
    for kept in (first, second):
        kept.keeper.connect_now()
    await until(lambda: first.is_in(LinkState.READY)() and second.is_in(LinkState.READY)())
    await rig.air.remove(one)
    await until(lambda: first.keeper.view.state is not LinkState.READY)
    await second.keeper.take_photo()
    await until(lambda: second.offers)
    assert await fetched(second.keeper, second.offers[0]) == make_jpeg(900)
    assert second.states[-1] == "READY"
