"""Glasses of plain data, with the calls of `app.glasses.desk`. What is asked of them is kept in `calls`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

from app.events import EventHub, GlassesChanged, GlassesForgotten
from app.glasses.over_wifi import WifiStep
from app.glasses.pairing_flow import PairingFlow
from app.glasses.types import FoundGlasses, GlassesView, KnownGlasses
from app.glasses.unseen import Census
from ble.errors import PairingNeeded
from tests.ui.plain_data import FOUND, view


class FakeGlasses:
    def __init__(self, events: EventHub) -> None:
        self._events = events
        self.views: dict[str, GlassesView] = {}
        self.air: list[FoundGlasses] = []
        self.calls: list[tuple[object, ...]] = []
        self.scan_error: Exception | None = None
        self.photo_error: Exception | None = None
        self.pair_error: Exception | None = None
        self.code = ""
        self.wifi_steps: list[WifiStep] = []
        self.wifi_hold = asyncio.Event()
        self.wifi_hold.set()

    def put(self, one: GlassesView) -> None:
        self.views[one.known.address] = one
        self._events.publish(GlassesChanged(one))

    def known(self) -> tuple[GlassesView, ...]:
        return tuple(self.views.values())

    def simulated_families(self) -> tuple[tuple[str, str], ...]:
        return (("omi-glass", "Omi Glass"), ("openglass", "OpenGlass"))

    def cautions(self, family: str) -> tuple[str, ...]:
        return ("The radio link of these glasses is not encrypted: somebody near could receive your photos.",)

    async def start_simulated(self, family: str) -> None:
        self.air.append(FOUND)

    async def held_here(self, address: str) -> bool:
        return False

    async def scan(self, seconds: float = 10, census: Census | None = None) -> AsyncIterator[FoundGlasses]:
        if self.scan_error is not None:
            raise self.scan_error
        for found in self.air:
            yield replace(found, known=found.address in self.views)

    def pairing(self, wanted: str | None = None, *, seconds: float = 20.0, on_change: Any = lambda _: None) -> PairingFlow:
        return PairingFlow(self, self._events, wanted=wanted, seconds=seconds, on_change=on_change)

    async def pair(
        self, found: FoundGlasses, *, continuous: bool = False, compare: Callable[[str], Awaitable[bool]] | None = None
    ) -> KnownGlasses:
        if self.pair_error is not None:
            raise self.pair_error
        if self.code and (compare is None or not await compare(self.code)):
            raise PairingNeeded("The glasses refused to pair.", "The codes differed.", "Try again.")
        self.put(view())
        return view().known

    async def rename(self, address: str, name: str) -> None:
        self.calls.append(("rename", address, name))
        one = self.views[address]
        self.put(replace(one, known=replace(one.known, name=name)))

    async def set_release(self, address: str, on: bool) -> None:
        self.calls.append(("release", address, on))

    async def set_turn(self, address: str, turn: int | None) -> None:
        self.calls.append(("turn", address, turn))

    async def record_sound(self, address: str, seconds: int) -> None:
        self.calls.append(("sound", address, seconds))
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.calls.append(("sound ended", address))

    async def check_radio(self) -> None:
        if self.scan_error is not None:
            raise self.scan_error

    async def import_over_wifi(self, address: str, *, own_network: bool = True) -> AsyncIterator[WifiStep]:
        self.calls.append(("import", address, own_network))
        for step in self.wifi_steps:
            yield step
            await self.wifi_hold.wait()

    async def forget(self, address: str) -> None:
        del self.views[address]
        self._events.publish(GlassesForgotten(address))

    async def take_photo(self, address: str) -> None:
        self.calls.append(("photo", address))
        if self.photo_error is not None:
            raise self.photo_error

    async def set_continuous(self, address: str, on: bool) -> None:
        self.calls.append(("continuous", address, on))

    async def connect(self, address: str) -> None:
        self.calls.append(("connect", address))

    async def disconnect(self, address: str) -> None:
        self.calls.append(("disconnect", address))
