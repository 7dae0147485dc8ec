"""The virtual air with a program's end and a glasses' end, on an event loop whose clock jumps instead of waiting."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest

from ble.bleak_port import BleakAirwaves
from ble.drivers import open_profile
from ble.drivers.omi import OmiDriver, OmiGlasses
from ble.drivers.open_profile import OpenDriver, OpenGlasses
from ble.glasses import Driver
from ble.sim.air import Air
from ble.sim.bleak_backend import backends
from ble.sim.open_profile import SimulatedOpenGlasses
from ble.sim.peripheral import SimulatedPeripheral
from tests import waiting
from tests.ble import open_twins
from tests.ble.driving import Listener
from tests.ble.keeping import Kept
from tests.ble.mentra_pair import Pairs, pairs


class JumpingSelector(selectors.DefaultSelector):
    """Where a loop would sleep, its clock jumps. A loop with no timers waits for real (another thread may wake it)."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(None if timeout is None else 0)
        if not ready and timeout:
            self.now += timeout
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """Minutes of radio time in no time, and always the same."""

    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests that talk to other threads or sockets carry the mark `real_time`."""
    if item.get_closest_marker("real_time"):
        return {"real": asyncio.new_event_loop}
    return {"jumping": JumpingLoop}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "real_time: runs on an ordinary event loop")


def jpeg(size: int = 1000) -> bytes:
    """Bytes that begin and end as a JPEG does, and are nowhere alike within."""
    return (b"\xff\xd8\xff\xe0" + bytes((7 * i + i // 251 * 3 + 3) % 251 for i in range(size)))[: size - 2] + b"\xff\xd9"


async def until(condition: Callable[[], object], seconds: float = 120.0) -> None:
    """Let (virtual) time pass until `condition` holds."""
    await waiting.until(condition, seconds)


class Rig:
    """An air, and the program's way to it."""

    def __init__(self) -> None:
        self.air = Air()
        scanner, client = backends(self.air)
        self.airwaves = BleakAirwaves(scanner_backend=scanner, client_backend=client)
        self.opened: list[tuple[Any, Listener]] = []

    async def connect(self, driver: Driver, peripheral: SimulatedPeripheral, *, continuous: bool = False) -> tuple[Any, Listener]:
        """Put `peripheral` on the air, if it is not there, and open it with `driver`."""
        if peripheral not in self.air.peripherals:
            await self.air.add(peripheral)
        glasses = await driver.open(self.airwaves.port(self.air.address_of(peripheral)), continuous=continuous)
        self.opened.append((glasses, Listener(glasses)))
        return self.opened[-1]

    async def open(self, peripheral: SimulatedPeripheral, *, continuous: bool = False) -> tuple[OmiGlasses, Listener]:
        """`connect` with the driver of Omi Glass and OpenGlass."""
        return await self.connect(OmiDriver(), peripheral, continuous=continuous)

    async def close(self) -> None:
        for glasses, listener in self.opened:
            await glasses.close()
            await listener.task
        await self.air.close()


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """Afterwards nothing may be left running."""
    before = asyncio.all_tasks()
    made = Rig()
    yield made
    await made.close()
    await asyncio.sleep(1)
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left, f"left running: {left}"


@pytest.fixture
def make_jpeg() -> Callable[[int], bytes]:
    return jpeg


@pytest.fixture(name="until")
def until_fixture() -> Callable[..., Any]:
    return until


@pytest.fixture
async def keep(rig: Rig) -> AsyncIterator[Callable[..., Kept]]:
    """Makes keepers, and stops them in the end."""
    made: list[Kept] = []

    def make(address: str, **how: Any) -> Kept:
        made.append(Kept(rig, address, **how))
        return made[-1]

    yield make
    for kept in made:
        await kept.keeper.stop()
        await kept.task


@pytest.fixture
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few frames a window where the open profile's driver asks for them."""
    monkeypatch.setattr(open_profile, "FRAMES_A_WINDOW", open_twins.FRAMES)


@pytest.fixture
def opens(rig: Rig) -> open_twins.Opens:
    """Opens glasses with the open profile's driver, and waits for so many offers."""

    async def opened(twin: SimulatedOpenGlasses, *, continuous: bool = False, offers: int = 0) -> tuple[OpenGlasses, Listener]:
        glasses, heard = await rig.connect(OpenDriver(utc=lambda: open_twins.NOW), twin, continuous=continuous)
        await until(lambda: len(heard.offers) >= offers)
        return glasses, heard

    return opened


@pytest.fixture
def pair(rig: Rig) -> Pairs:
    """Opens Mentra Live with its driver and, unless told not to, looks for captures over Wi-Fi."""
    return pairs(rig, jpeg(200_000))
