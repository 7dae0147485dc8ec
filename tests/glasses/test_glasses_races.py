"""What comes together in the same moment, and what comes again and again: nothing is left over, and nothing grows."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from app.glasses import over_wifi
from app.glasses.airs import Airs
from app.glasses.companion import Companion
from app.glasses.intake import Intake, Offered, Outcome
from app.glasses.over_wifi import Progress
from app.glasses.types import KnownGlasses
from ble.errors import LinkLost
from ble.types import CaptureKind, CaptureOffered, LinkState, Offer

NOW = datetime(2026, 5, 12, 14, 3, tzinfo=UTC)
PAIR = KnownGlasses("F0:11:22:33:44:55", "omi-glass", "Mine", NOW, simulated=True)


def offer(name: str, *, stored: bool = True) -> Offer:
    return Offer(name, CaptureKind.PHOTO, "image/jpeg", NOW, stored=stored)


async def test_a_pair_forgotten_while_all_begin_is_not_kept(bench: Any) -> None:
    bench.desk._book.keep(PAIR)
    bench.desk._starting = asyncio.ensure_future(bench.desk._keep_all())
    await asyncio.sleep(0)
    await bench.desk.forget(PAIR.address)
    await bench.desk._starting
    assert bench.desk._companions == {}
    assert bench.desk.known() == ()


async def test_who_begins_to_pair_twice_pairs_once(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second takes over what the first enrolled; neither loses sight of a link that the other has."""
    await bench.desk.start_simulated("omi-glass")
    found = await bench.found()
    kept, keep = [], bench.desk._keep

    async def counted(known: KnownGlasses) -> Companion:
        kept.append(await keep(known))
        return kept[-1]  # type: ignore[no-any-return]

    monkeypatch.setattr(bench.desk, "_keep", counted)
    first, second = await asyncio.gather(bench.desk.pair(found), bench.desk.pair(found))
    assert first.address == second.address == found.address
    assert list(bench.desk._companions.values()) == kept


async def test_who_pairs_again_while_the_first_try_ends_waits_for_its_end(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = bench.desk.pairing()
    ends, done = asyncio.Event(), []

    async def slow() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await ends.wait()
            done.append("first")

    async def next_try() -> None:
        done.append("next")

    flow._begin(slow)
    await asyncio.sleep(0)
    for work in (None, next_try):  # broken off, and begun anew before that came to its end
        flow._begin(work)
        for _ in range(10):
            await asyncio.sleep(0)
    assert done == []
    ends.set()
    await flow.close()
    assert done == ["first"]


async def test_who_is_called_off_as_the_agent_comes_leaves_none_behind() -> None:
    home, there = asyncio.get_running_loop(), []

    @contextlib.asynccontextmanager
    async def agent(*_: Any) -> AsyncIterator[None]:
        there.append("came")
        home.call_soon_threadsafe(pairing.cancel)  # it is told before the coming is
        try:
            yield
        finally:
            there.append("left")

    async def pair() -> None:
        async with airs.pairing(PAIR.address, None, simulated=False):
            raise AssertionError("not reached")

    airs = Airs()
    airs._real = SimpleNamespace(pairing=agent)  # type: ignore[assignment]
    pairing = asyncio.ensure_future(pair())
    with pytest.raises(asyncio.CancelledError):
        await pairing
    assert there == ["came", "left"]
    await airs.stop()


async def test_what_is_offered_anew_at_every_link_waits_once(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.glasses.companion.MOST_STORED", 2)
    companion = Companion(PAIR, bench.desk._airs.radio, bench.desk._deliveries)
    for name in ("a", "b", "a", "b", "c"):
        await companion._happened(CaptureOffered(offer(name)))
    await companion._happened(CaptureOffered(offer("held here", stored=False)))
    waiting = [companion._offers.get_nowait() for _ in range(companion._offers.qsize())]
    assert [each.id for each in waiting if each is not None] == ["a", "b", "held here"]


async def test_offers_of_which_nothing_comes_leave_nothing_in_memory(bench: Any) -> None:
    async def fetch(*_: object) -> AsyncIterator[bytes]:
        for piece in ():
            yield piece
        raise LinkLost("gone")

    bench.desk._airs.radio.start()
    intake = Intake(bench.desk._deliveries, bench.desk._airs.radio)
    keeper: Any = SimpleNamespace(fetch=fetch)
    for number in range(5):
        assert await intake.take(Offered(PAIR, keeper, offer(str(number)), None)) is Outcome.FAILED
    assert intake._partial == {}


class Chatty:
    """A companion of glasses that tell of themselves all the time, and never hand over what is to come."""

    busy = False
    changes = 0
    view = SimpleNamespace(state=LinkState.READY)

    async def on_radio(self, work: Any) -> Any:
        return await work

    async def until_changed(self, changes: int, seconds: float) -> None:
        await asyncio.sleep(0.01)
        self.changes += 1


async def test_news_that_are_none_of_the_import_do_not_keep_it_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(over_wifi, "QUIET_SECONDS", 0.1)
    outing = over_wifi._Outing(Chatty(), SimpleNamespace(left_over_wifi=lambda: 1))  # type: ignore[arg-type]
    async with asyncio.timeout(40):
        assert [step async for step in outing._bring_in()] == [Progress(0, 1)]
