"""Why a known pair is not seen, as a search and the doctor say it: what the radio heard and what the system holds are told apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from app import doctor
from app.glasses.companion import Companion
from app.glasses.types import KnownGlasses
from app.glasses.unseen import MOST_COUNTED, Census
from ble.drivers import brilliant_profile as frame
from ble.errors import RadioUnavailable
from ble.types import Advertisement, LinkState

MINE = "AA:BB:CC:DD:EE:01"
WATCH = Advertisement("AA:BB:CC:DD:EE:02", "A watch", -60)
FRAME = Advertisement("AA:BB:CC:DD:EE:03", "Frame D4", -60, frozenset({frame.LUA_SERVICE}))
UPDATING = Advertisement("AA:BB:CC:DD:EE:04", frame.DFU_NAME, -60, frozenset({frame.DFU_SERVICE}))


class RealAir:
    """What this computer's own radio would hear, and what its system would say that it holds."""

    def __init__(self, *heard: Advertisement, held: bool = False, off: bool = False) -> None:
        self._heard = heard
        self._held = held
        self._off = off

    async def scan(self, service_uuids: Collection[str]) -> AsyncIterator[Advertisement]:
        if self._off:
            raise RadioUnavailable("Bluetooth is off.", "The adapter is switched off.", "Switch it on.")
        for one in self._heard:
            yield one
        await asyncio.get_running_loop().create_future()

    async def held_here(self, address: str) -> bool:
        return self._held and address == MINE


def mine(bench: Any, air: RealAir, family: str = "frame") -> KnownGlasses:
    """A real pair that is enrolled, and nobody looks for yet."""
    bench.desk._airs._real = air
    known = KnownGlasses(MINE, family, "Mine", datetime(2026, 1, 1, tzinfo=UTC))
    bench.desk._book.keep(known)
    return known


async def searched(bench: Any, wanted: str | None = MINE) -> str:
    flow = bench.desk.pairing(wanted, seconds=0.2)
    try:
        flow.start()
        return str((await flow.until(lambda state: not state.searching)).failure)
    finally:
        await flow.close()


@pytest.mark.parametrize(
    ("air", "said"),
    [
        (RealAir(), "hears no Bluetooth devices at all"),
        (RealAir(WATCH), "Nothing was heard of them"),
        (RealAir(WATCH, held=True), "Another program on this computer"),
        (RealAir(FRAME, WATCH), "Other glasses of this kind"),
        (RealAir(UPDATING), "wait for new firmware"),
        (RealAir(off=True), "Bluetooth is off"),
    ],
)
async def test_a_search_and_the_doctor_give_the_reason(bench: Any, monkeypatch: pytest.MonkeyPatch, air: RealAir, said: str) -> None:
    mine(bench, air)
    assert said in await searched(bench)
    monkeypatch.setattr(doctor, "LISTEN_SECONDS", 0.2)
    [finding] = await doctor._glasses(SimpleNamespace(glasses=bench.desk))  # type: ignore[arg-type]
    assert finding.fine is False
    assert said in finding.text
    assert "Mine" not in finding.text


async def test_glasses_of_another_kind_are_no_others_of_this_kind(bench: Any) -> None:
    mine(bench, RealAir(FRAME), family="omi-glass")
    assert "Nothing was heard of them" in await searched(bench)


async def test_a_radio_that_is_deaf_is_no_radio_that_hears_nobody(bench: Any) -> None:
    """With simulated glasses about, a search goes on without the real radio."""
    mine(bench, RealAir(off=True))
    await bench.desk.start_simulated("omi-glass")
    assert "Nothing was heard of them" in await searched(bench)


async def test_who_looks_for_no_pair_in_particular_hears_of_a_silent_radio_too(bench: Any) -> None:
    mine(bench, RealAir(held=True))
    assert "hears no Bluetooth devices at all" in await searched(bench, None)


@pytest.mark.parametrize(("state", "held"), [(LinkState.SCANNING, True), (LinkState.SECURING, False), (LinkState.READY, False)])
async def test_a_link_of_our_own_is_nobody_elses(bench: Any, monkeypatch: pytest.MonkeyPatch, state: LinkState, held: bool) -> None:
    known = mine(bench, RealAir(held=True))
    view = Companion.unkept(known)
    monkeypatch.setattr(bench.desk, "_view", lambda _: SimpleNamespace(known=view.known, state=state))
    assert await bench.desk.held_here(MINE) is held


def test_a_census_is_bounded() -> None:
    census = Census(listened=True)
    for number in range(2 * MOST_COUNTED):
        census.hear(str(number % (MOST_COUNTED + 100)))
    assert census.devices == MOST_COUNTED
