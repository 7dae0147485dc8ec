"""The keeper with drivers that fail, hang, or offer without end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from ble.drivers.omi import OmiDriver
from ble.errors import GlassesError, LinkLost, NotGlasses
from ble.keeper import MOST_WAITING, Keeper
from ble.types import CaptureKind, CaptureOffered, GlassesStatus, LinkState, Offer
from tests.ble.driving import Make
from tests.ble.keeping import Kept, on_air


class BrokenGlasses:
    """Glasses whose driver has a fault."""

    address = "F0:00:00:00:00:09"
    info = capabilities = None
    status = GlassesStatus()
    closed = 0

    async def events(self) -> AsyncIterator[Any]:
        raise RuntimeError("a fault of ours")
        yield

    async def close(self) -> None:
        self.closed += 1


class BrokenDriver(OmiDriver):
    def __init__(self, fault: Exception | None) -> None:
        super().__init__()
        self.fault = fault

    async def open(self, port: Any, *, continuous: bool) -> Any:
        await port.connect(lambda: None)
        await port.disconnect()
        if self.fault:
            raise self.fault
        return BrokenGlasses()


@pytest.mark.parametrize("fault", [None, RuntimeError("a fault of ours"), TimeoutError()])
async def test_our_own_faults_do_not_end_the_keeping(rig: Any, make_jpeg: Make, until: Any, fault: Exception | None) -> None:
    glasses = await on_air(rig, make_jpeg(700))
    keeper = Keeper(rig.airwaves, BrokenDriver(fault), rig.air.address_of(glasses))
    keeper.connect_now()
    await until(lambda: keeper.view.state in (LinkState.LOST, LinkState.WAITING))
    trouble = keeper.view.trouble
    assert isinstance(trouble, GlassesError)
    assert "a fault of ours" not in str(trouble)
    await until(lambda: keeper.view.state is LinkState.SCANNING)
    await keeper.stop()


async def test_a_link_that_takes_too_long_is_given_up(rig: Any, make_jpeg: Make, until: Any) -> None:
    class Stuck(OmiDriver):
        async def open(self, port: Any, *, continuous: bool) -> Any:
            await asyncio.get_running_loop().create_future()

    glasses = await on_air(rig, make_jpeg(700))
    keeper = Keeper(rig.airwaves, Stuck(), rig.air.address_of(glasses))
    keeper.connect_now()
    await until(lambda: keeper.view.state is LinkState.WAITING)
    assert isinstance(keeper.view.trouble, LinkLost)
    await keeper.stop()


@pytest.mark.parametrize("stores", [False, True], ids=["held here", "held by the glasses"])
async def test_captures_nobody_fetches_are_given_up_and_said_unless_the_glasses_keep_them(rig: Any, stores: bool) -> None:
    released = []

    class Many(BrokenGlasses):
        async def events(self) -> AsyncIterator[Any]:
            for number in range(MOST_WAITING + 1):
                yield CaptureOffered(Offer(str(number), CaptureKind.PHOTO, "image/jpeg", datetime.now(UTC), stored=stores))

        async def release(self, offer_id: str) -> None:
            released.append(offer_id)

    kept = Kept(rig, "F0:00:00:00:00:01")
    kept.keeper._glasses = many = Many()  # type: ignore[assignment]
    await kept.keeper._deliver(many)  # type: ignore[arg-type]
    await kept.keeper.stop()
    await kept.task
    assert released == ([] if stores else ["0"])
    assert kept.damaged == ([] if stores else ["nobody fetched it in time"])


async def test_what_glasses_keep_is_remembered_up_to_a_bound(rig: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ble.keeper.MOST_STORED", 10)
    kept = Kept(rig, "F0:00:00:00:00:01")
    for number in range(30):
        offer = Offer(str(number), CaptureKind.PHOTO, "image/jpeg", datetime.now(UTC), stored=True)
        kept.keeper._pass_on(BrokenGlasses(), CaptureOffered(offer))  # type: ignore[arg-type]
    assert list(kept.keeper._stored) == [str(number) for number in range(20, 30)]
    await kept.keeper.stop()
    await kept.task
    assert kept.damaged == []


async def test_glasses_that_nobody_can_listen_to_are_left(rig: Any) -> None:
    kept = Kept(rig, "F0:00:00:00:00:01")
    kept.keeper._glasses = broken = BrokenGlasses()  # type: ignore[assignment]
    await kept.keeper._deliver(broken)  # type: ignore[arg-type]
    await kept.keeper.stop()
    await kept.task
    assert broken.closed == 1


class Unwilling(OmiDriver):
    """Takes no notice of being called off, or makes an error of it."""

    def __init__(self, error: GlassesError | None) -> None:
        self.error = error
        self.opening = asyncio.Event()
        self.glasses = BrokenGlasses()

    async def open(self, port: Any, *, continuous: bool) -> Any:
        if self.opening.is_set():
            return await super().open(port, continuous=continuous)
        self.opening.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            if self.error is not None:
                raise self.error from None
        return self.glasses


@pytest.mark.parametrize("error", [LinkLost("gone"), NotGlasses("no"), None], ids=repr)
async def test_an_abandoned_attempt_is_nothing_to_the_next(rig: Any, make_jpeg: Make, until: Any, error: GlassesError | None) -> None:
    twin = await on_air(rig, make_jpeg(700))
    driver = Unwilling(error)
    kept = Kept(rig, rig.air.address_of(twin), driver=driver)
    kept.keeper.connect_now()
    await driver.opening.wait()
    leaving = asyncio.get_running_loop().create_task(kept.keeper.disconnect())
    await until(kept.is_in(LinkState.IDLE))
    kept.keeper.connect_now()
    await until(kept.is_in(LinkState.READY))
    assert not {"WAITING", "BLOCKED", "LOST"} & set(kept.states)
    assert driver.glasses.closed == (error is None)
    await kept.keeper.stop()
    await leaving
    await kept.task
    assert not twin.connected
