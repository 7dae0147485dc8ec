"""A glasses desk on the virtual air, over a real vault, with glasses as fast as the link and faults as wished."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.events import CaptureLost, CaptureSealed, EventHub, GlassesChanged, Trouble
from app.glasses import airs
from app.glasses.desk import GlassesDesk
from app.glasses.http_link import HttpLink
from app.glasses.ingest import Ingest
from app.glasses.types import FoundGlasses
from app.lanes import Lanes
from app.sharing.courier_link import CourierLink
from app.vault.types import ItemMeta
from app.vault.vault import Vault
from ble.drivers import brilliant_profile, mentra_link
from ble.http_port import HttpPort
from ble.sim.catalogue import make
from ble.sim.faults import AT_ONCE, Faults
from ble.sim.peripheral import SimulatedPeripheral


class Bench:
    """The desk, and what it told."""

    def __init__(self, folder: Path, vault: Vault, http: HttpPort | None = None) -> None:
        self.vault = vault
        self.lanes = Lanes()
        self.events = EventHub(asyncio.get_running_loop())
        self.sealed: list[ItemMeta] = []
        self.heard: list[Any] = []
        self._news = asyncio.Event()
        self._subscriptions = [self.events.subscribe(kind, self._note) for kind in (CaptureLost, CaptureSealed, GlassesChanged, Trouble)]
        self.desk = GlassesDesk(folder, self.lanes, self.events, self._keep, http)
        self.desk.begin(vault)

    async def _keep(self, meta: ItemMeta) -> None:
        self.sealed.append(meta)
        self._news.set()

    def _note(self, event: object) -> None:
        self.heard.append(event)
        self._news.set()

    def told(self, kind: type) -> list[Any]:
        return [event for event in self.heard if type(event) is kind]

    async def until(self, condition: Callable[[], bool], seconds: float = 40) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def found(self) -> FoundGlasses:
        scan = self.desk.scan(10)
        try:
            async for found in scan:
                return found
        finally:
            await scan.aclose()
        raise AssertionError("no glasses heard")

    async def close(self) -> None:
        await self.desk.stop()
        self.lanes.close()


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Callable[[Faults], None]:
    """Simulated glasses from now on have these faults; without a call, they have none.

    All are as fast as the link, their cameras get used to the light at once, and nobody waits between two orders.
    """
    monkeypatch.setattr(mentra_link, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(brilliant_profile, "SETTLE_SECONDS", 0.01)

    def use(faults: Faults) -> None:
        def simulated(family: str, *_: object) -> SimulatedPeripheral:
            pace = replace(AT_ONCE, second=0.05) if family in ("frame", "halo") else AT_ONCE
            return make(family, airs.pictures(family), pace=pace, faults=faults)

        monkeypatch.setattr(airs, "simulated", simulated)

    use(Faults())
    return use


@pytest.fixture
def twins(faulty: object, monkeypatch: pytest.MonkeyPatch) -> list[SimulatedPeripheral]:
    """The simulated glasses that were switched on, in order."""
    made: list[SimulatedPeripheral] = []
    simulated = airs.simulated

    def recorded(family: str, *listen: object) -> SimulatedPeripheral:
        made.append(simulated(family, *listen))
        return made[-1]

    monkeypatch.setattr(airs, "simulated", recorded)
    return made


@pytest.fixture
def ingest(tmp_path: Path) -> Iterator[Ingest]:
    """The way into a vault, without glasses."""
    vault = Vault.create(tmp_path / "vault", passphrase="correct horse battery", keyring=False, work_factor=4)
    lanes = Lanes()
    yield Ingest(vault, lanes)
    lanes.close()
    vault.close()


@pytest.fixture
async def bench(tmp_path: Path, faulty: object) -> AsyncIterator[Bench]:
    vault = Vault.create(tmp_path / "vault", passphrase="correct horse battery", keyring=False, work_factor=4)
    made = Bench(tmp_path, vault)
    yield made
    await made.close()
    vault.close()


@pytest.fixture
async def wifi_bench(tmp_path: Path, faulty: object) -> AsyncIterator[Bench]:
    """As `bench`, with the program's own way to the glasses' Wi-Fi: the courier."""
    courier = await CourierLink.start()
    vault = Vault.create(tmp_path / "vault", passphrase="correct horse battery", keyring=False, work_factor=4)
    made = Bench(tmp_path, vault, HttpLink(courier))
    yield made
    await made.close()
    await courier.close()
    vault.close()
