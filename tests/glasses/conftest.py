"""A glasses desk on the virtual air, over a real vault, with glasses as fast as the link and faults as wished."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from app.events import CaptureLost, CaptureSealed, EventHub, GlassesChanged, Trouble
from app.glasses import airs
from app.glasses.desk import GlassesDesk
from app.glasses.types import FoundGlasses
from app.lanes import Lanes
from app.vault.types import ItemMeta
from app.vault.vault import Vault
from ble.sim.catalogue import make
from ble.sim.faults import AT_ONCE, Faults


class Bench:
    """The desk, and what it told."""

    def __init__(self, folder: Path, vault: Vault) -> None:
        self.vault = vault
        self.lanes = Lanes()
        self.events = EventHub(asyncio.get_running_loop())
        self.sealed: list[ItemMeta] = []
        self.heard: list[Any] = []
        self._news = asyncio.Event()
        self._subscriptions = [self.events.subscribe(kind, self._note) for kind in (CaptureLost, CaptureSealed, GlassesChanged, Trouble)]
        self.desk = GlassesDesk(folder, self.lanes, self.events, self._keep)
        self.desk.begin(vault)

    async def _keep(self, meta: ItemMeta) -> None:
        self.sealed.append(meta)
        self._news.set()

    def _note(self, event: object) -> None:
        self.heard.append(event)
        self._news.set()

    def told(self, kind: type) -> list[Any]:
        return [event for event in self.heard if type(event) is kind]

    async def until(self, condition: Callable[[], bool], seconds: float = 20) -> None:
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
    """Simulated glasses from now on have these faults; without a call, they have none. All are as fast as the link."""

    def use(faults: Faults) -> None:
        monkeypatch.setattr(airs, "simulated", lambda family: make(family, airs.pictures(family), pace=AT_ONCE, faults=faults))

    use(Faults())
    return use


@pytest.fixture
async def bench(tmp_path: Path, faulty: object) -> AsyncIterator[Bench]:
    vault = Vault.create(tmp_path / "vault", passphrase="correct horse battery", keyring=False, work_factor=4)
    made = Bench(tmp_path, vault)
    yield made
    await made.close()
    vault.close()
