"""Live look: a ceiling said yes to up front, each frame through the gate, and an end for every reason, counted in one receipt."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.errors import EyelidError
from app.media.look.boxes import Box
from app.media.look.types import Check, Findings, Kind, Part, Region
from app.sharing import live as live_room
from app.sharing.errors import GateClosed, NotReady, TermsForbid
from app.sharing.live_lines import digest_over
from app.sharing.types import Outcome, PolicyClass, ReceiptKind
from app.vault.errors import VaultLocked
from tests.sharing.live_stage import GLASSES, Stage

# -- the main road


async def test_frames_go_until_all_are_sent(stage: Stage) -> None:
    items = []
    proposal = await stage.start()
    assert (stage.view.running, stage.view.frames) == (True, 0)
    for count in (1, 2, 3):
        items.append(stage.shoot(count))
        await stage.until(lambda view, count=count: view.frames == count and (view.answer == "A fern." or not view.running))  # type: ignore[misc]
    view = await stage.over()
    assert (view.frames, view.skipped, view.why) == (3, 0, live_room.ALL_SENT)
    orders = stage.room.courier.orders
    assert view.bytes_sent == sum(len(order.body) for order in orders)
    assert view.last is not None
    assert (view.last.item, stage.pair.opened, stage.pair.closed) == (items[-1], [(GLASSES, 5)], 1)
    intent, end = await stage.lines()
    assert (intent.outcome, intent.frames, intent.body_size, intent.items) == (Outcome.INTENDED, 3, proposal.most_bytes, ())
    assert (end.outcome, end.frames, end.items, end.parcel_id) == (Outcome.ANSWERED, 3, tuple(items), intent.parcel_id)
    assert end.body_sha256 == digest_over([hashlib.sha256(order.body).hexdigest() for order in orders])
    assert (end.bytes_sent, end.body_size, end.http_status) == (view.bytes_sent, view.bytes_sent, 200)
    assert view.receipt == end
    assert len(await stage.room.desk.receipts()) == 2, "frames have no lines of their own"
    assert (await stage.room.desk.verify_receipts()).sound
    for item in items:
        meta = stage.room.vault.meta(item)
        assert [share.receipt for share in meta.shares] == [end.number]
        assert [(each.question, each.answer, each.receipt) for each in meta.exchanges] == [("What is ahead?", "A fern.", end.number)]


async def test_events_count_on(stage: Stage) -> None:
    await stage.start(frames=1)
    stage.shoot()
    await stage.over()
    await asyncio.sleep(0)
    assert [view.frames for view in stage.views] == sorted(view.frames for view in stage.views)
    assert [view.bytes_sent for view in stage.views] == sorted(view.bytes_sent for view in stage.views)
    assert stage.views[-1] == stage.view


async def test_the_mark_and_the_intent_are_there_before_the_first_byte(stage: Stage) -> None:
    seen: list[tuple[Outcome, bool]] = []

    def watch(order: Any) -> None:
        book = stage.room.desk._receipts.all()
        seen.append((book[-1].outcome, bool(stage.room.vault.meta(stage.view.last.item).shares)))  # type: ignore[union-attr]

    stage.room.courier.watch = watch
    await stage.start(frames=1)
    stage.shoot()
    await stage.over()
    assert seen == [(Outcome.INTENDED, True)]


async def test_only_the_newest_frame_waits(stage: Stage) -> None:
    stage.room.courier.hold = asyncio.Event()
    await stage.start(frames=2)
    stage.shoot(1)
    await stage.room.courier.begun.wait()
    older = stage.shoot(2)
    newest = stage.shoot(3)
    view = await stage.until(lambda view: view.skipped == 1)
    stage.room.courier.hold.set()
    view = await stage.over()
    assert (view.frames, view.last.item if view.last else "") == (2, newest)
    assert stage.room.vault.meta(older).shares == (), "passed over, and private"


async def test_ceilings_are_said_first_and_kept(stage: Stage) -> None:
    for changes in ({"frames": 301}, {"frames": 0}, {"minutes": 11}, {"minutes": 0}, {"every": 0}, {"every": 61}):
        with pytest.raises(NotReady, match="At most 300 frames in 10 minutes"):
            await stage.room.desk.live.prepare(stage.draft(**changes))
    proposal = await stage.room.desk.live.prepare(stage.draft(frames=300, minutes=10))
    assert proposal.most_bytes == 300 * proposal.frame_bytes
    assert stage.pair.opened == [], "nothing has happened yet"


async def test_no_frame_beyond_its_size(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    proposal = await stage.room.desk.live.prepare(stage.draft())
    small = replace(proposal, frame_bytes=100)
    stage.room.desk.live._waiting = small
    await stage.room.desk.live.start(small)
    for _ in range(live_room.SETBACKS):
        stage.shoot()
        await asyncio.sleep(0)
        await stage.until(lambda view: view.skipped > 0 or not view.running)
    for count in range(2, live_room.SETBACKS + 1):
        await stage.until(lambda view, count=count: view.skipped >= count or not view.running)  # type: ignore[misc]
    view = await stage.over()
    assert "larger than what was allowed" in view.why
    assert stage.room.courier.orders == []
    assert [line.outcome for line in await stage.lines()] == [Outcome.INTENDED, Outcome.NOT_SENT]


# -- faces


class Finder:
    """Finds one face in every picture until it is covered; or cannot look."""

    def __init__(self) -> None:
        self.broken = False
        self.looked = 0

    async def warm(self) -> None: ...
    async def drop(self) -> None: ...

    async def look(self, data: bytes, media_type: str, orientation: int, parts: Any = frozenset(), told: Any = None) -> Findings:
        self.looked += 1
        if self.broken:
            return Findings(checks=(Check(Part.FACES, False, "The finders are gone."),))
        regions = (Region(Kind.FACE, Box(8, 8, 24, 24), 0.9),) if self.looked % 2 else ()
        return Findings(64, 48, regions, (Check(Part.FACES, True),))


async def test_faces_are_covered_where_it_may_train(stage: Stage) -> None:
    away = stage.room.book.add_custom("A", "Somebody", "https://ai.example/v1", "m")
    stage.room.book.keys.set(away.id, "sk-1")
    stage.room.desk.looking._looker = finder = Finder()
    proposal = await stage.start(destination_id=away.id, frames=1)
    assert (proposal.card.policy_class, proposal.cover_faces) == (PolicyClass.TRAINS, True)
    stage.shoot()
    view = await stage.over()
    assert view.last is not None
    assert len(view.last.covered) == 1
    assert finder.looked == 2, "once to find, once to see that none is left"
    assert "Faces are covered." in (await stage.lines())[0].detail


async def test_a_frame_that_cannot_be_checked_does_not_go(stage: Stage) -> None:
    stage.room.desk.looking._looker = finder = Finder()
    finder.broken = True
    proposal = await stage.start(cover_faces=True)
    assert proposal.cover_faces
    for count in range(1, live_room.SETBACKS + 1):
        stage.shoot()
        await stage.until(lambda view, count=count: view.skipped == count or not view.running)  # type: ignore[misc]
    view = await stage.over()
    assert "could not be checked" in view.why
    assert stage.room.courier.orders == []


async def test_faces_stay_where_nothing_trains_unless_asked(stage: Stage) -> None:
    assert not (await stage.room.desk.live.prepare(stage.draft())).cover_faces
    assert (await stage.room.desk.live.prepare(stage.draft(cover_faces=True))).cover_faces


# -- what must not begin


async def test_what_cannot_begin(stage: Stage) -> None:
    desk = stage.room.desk
    stage.room.book.set_model("gemini-unpaid", "m")
    stage.room.book.keys.set("gemini-unpaid", "k")
    stage.room.desk.region = "US"
    with pytest.raises(TermsForbid):
        await desk.live.prepare(stage.draft(destination_id="gemini-unpaid"))
    with pytest.raises(NotReady, match="no question"):
        await desk.live.prepare(stage.draft(question=" "))
    stage.room.book.set_model("openai", "m")
    with pytest.raises(NotReady, match="no key"):
        await desk.live.prepare(stage.draft(destination_id="openai"))
    stage.pair.absent = True
    with pytest.raises(NotReady, match="not here"):
        await desk.live.prepare(stage.draft())
    desk.live.source = None
    with pytest.raises(NotReady, match="no glasses"):
        await desk.live.prepare(stage.draft())
    desk.live.source = stage.pair
    stage.pair.absent = False
    desk.ai_off = True
    with pytest.raises(GateClosed):
        await desk.live.prepare(stage.draft())


LATE: dict[str, Callable[[Stage], Any]] = {
    "ai off": lambda stage: setattr(stage.room.desk, "ai_off", True),
    "too long": lambda stage: stage.room.clock.pass_(minutes=5),
    "model": lambda stage: stage.room.book.set_model(stage.room.local.id, "other"),
    "place": lambda stage: setattr(stage.room.desk, "region", "DE"),
    "gone": lambda stage: setattr(stage.pair, "absent", True),
}


@pytest.mark.parametrize("way", LATE)
async def test_a_yes_that_comes_too_late(stage: Stage, way: str) -> None:
    proposal = await stage.room.desk.live.prepare(stage.draft())
    LATE[way](stage)
    with pytest.raises(EyelidError):
        await stage.room.desk.live.start(proposal)
    with pytest.raises(GateClosed, match="no longer stands"):
        await stage.room.desk.live.start(proposal)
    assert stage.pair.opened == []
    assert [line.outcome for line in await stage.lines()] == [Outcome.NOT_SENT]


async def test_a_no_leaves_a_receipt(stage: Stage) -> None:
    proposal = await stage.room.desk.live.prepare(stage.draft())
    receipt = await stage.room.desk.live.refuse(proposal)
    assert (receipt.kind, receipt.outcome, receipt.bytes_sent) == (ReceiptKind.LIVE, Outcome.REFUSED, 0)
    with pytest.raises(GateClosed):
        await stage.room.desk.live.start(proposal)


async def test_locked_while_it_waits_is_a_no(stage: Stage) -> None:
    proposal = await stage.room.desk.live.prepare(stage.draft())
    await stage.room.lock()
    with pytest.raises(EyelidError):
        await stage.room.desk.live.start(proposal)
    await stage.room.unlock()
    assert [(line.outcome, line.detail) for line in await stage.lines()] == [(Outcome.REFUSED, "the vault was locked")]


async def test_a_no_to_a_locked_vault_waits(stage: Stage) -> None:
    proposal = await stage.room.desk.live.prepare(stage.draft())
    stage.room.vault.lock()
    with pytest.raises(VaultLocked):
        await stage.room.desk.live.refuse(proposal)
    await stage.room.settle()
    await stage.room.unlock()
    assert [line.outcome for line in await stage.lines()] == [Outcome.REFUSED]


async def test_a_yes_in_the_moment_of_a_lock_waits_as_a_no(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The terms were kept, and then the vault locked, before anybody could tell the desk."""
    proposal = await stage.room.desk.live.prepare(stage.draft())
    monkeypatch.setattr(stage.room.desk.live._terms, "remember", lambda card, at: stage.room.vault.lock())
    with pytest.raises(VaultLocked):
        await stage.room.desk.live.start(proposal)
    await stage.room.settle()
    await stage.room.unlock()
    assert [line.outcome for line in await stage.lines()] == [Outcome.REFUSED]
    assert stage.pair.opened == []


async def test_a_no_to_one_that_no_longer_waits(stage: Stage) -> None:
    proposal = await stage.room.desk.live.prepare(stage.draft())
    await stage.room.desk.live.prepare(stage.draft())
    assert (await stage.room.desk.live.refuse(proposal)).outcome is Outcome.REFUSED
    await stage.room.lanes.vault(stage.room.vault.lock)
    with pytest.raises(VaultLocked):
        await stage.room.desk.live.refuse(proposal)
    await stage.room.settle()
    await stage.room.unlock()
    assert [line.detail for line in await stage.lines()] == ["kept private", "the vault was locked"], "the first was told before"


async def test_one_at_a_time(stage: Stage) -> None:
    await stage.start()
    with pytest.raises(NotReady, match="under way"):
        await stage.room.desk.live.prepare(stage.draft())
    await stage.room.desk.live.stop()
    await stage.room.desk.live.prepare(stage.draft())


async def test_without_its_line_it_does_not_begin(stage: Stage) -> None:
    proposal = await stage.room.desk.live.prepare(stage.draft())
    await stage.room.lanes.vault(stage.room.desk._terms.remember, proposal.card, proposal.created_at)
    stage.room.files.full = True
    with pytest.raises(OSError, match="No space"):
        await stage.room.desk.live.start(proposal)
    assert stage.room.desk.live.view is None
    assert stage.pair.opened == []


@pytest.mark.parametrize("during", ["the terms", "its first line"])
async def test_a_stop_counts_from_the_yes_on(stage: Stage, monkeypatch: pytest.MonkeyPatch, during: str) -> None:
    """While the terms or the line of intent are written there is nothing to be seen yet, and it can be stopped all the same."""
    live, loop = stage.room.desk.live, asyncio.get_running_loop()
    proposal = await live.prepare(stage.draft())
    stopping: list[asyncio.Task[None]] = []

    async def stop() -> None:
        with pytest.raises(NotReady, match="under way"):
            await live.prepare(stage.draft())
        stopping.append(asyncio.create_task(live.stop()))
        await asyncio.sleep(0)

    def meanwhile(call: Callable[..., Any]) -> Callable[..., Any]:
        def slow(*arguments: Any) -> Any:
            made = call(*arguments)
            if not stopping:
                asyncio.run_coroutine_threadsafe(stop(), loop).result()
            return made

        return slow

    if during == "the terms":
        monkeypatch.setattr(live._terms, "remember", meanwhile(live._terms.remember))
        with pytest.raises(GateClosed, match="Stopped by you"):
            await live.start(proposal)
    else:
        monkeypatch.setattr(stage.room.desk._receipts, "add_line", meanwhile(stage.room.desk._receipts.add_line))
        await live.start(proposal)
    await stopping[0]
    await asyncio.sleep(0)
    assert not live.running
    assert stage.pair.opened == []
    assert stage.room.courier.orders == []
    assert not stage.views[-1].running
    assert (await stage.lines())[-1].outcome is Outcome.NOT_SENT
