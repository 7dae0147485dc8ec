"""Live look: a ceiling said yes to up front, each frame through the gate, and an end for every reason, counted in one receipt."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from app.courier.pipe import Ending as Carried
from app.errors import EyelidError
from app.events import LiveChanged
from app.media.look.boxes import Box
from app.media.look.types import Check, Findings, Kind, Part, Region
from app.sharing import live as live_room
from app.sharing.errors import GateClosed, NotReady, TermsForbid
from app.sharing.live_lines import digest_over
from app.sharing.live_types import LiveDraft, LiveProposal, LiveView
from app.sharing.types import Outcome, PolicyClass, Receipt, ReceiptKind
from app.vault.errors import VaultLocked
from app.vault.types import ItemId, ItemKind, LockState

GLASSES = "C0:00:00:00:00:01"


@dataclass
class Pair:
    """A simulated pair: `queue` holds the captures it delivers, None for the loss of the link."""

    queue: asyncio.Queue[ItemId | Exception | None] = field(default_factory=asyncio.Queue)
    opened: list[tuple[str, int]] = field(default_factory=list)
    closed: int = 0
    absent: bool = False

    def check(self, glasses: str) -> None:
        if self.absent:
            raise NotReady("Those glasses are not here.", "", "")

    async def frames(self, glasses: str, every: int) -> AsyncGenerator[ItemId, None]:
        self.opened.append((glasses, every))
        try:
            while (item := await self.queue.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self.closed += 1


@dataclass
class Stage:
    """A room with a pair of glasses in it."""

    room: Any
    tools: Any
    pair: Pair
    views: list[LiveView]

    def draft(self, **changes: Any) -> LiveDraft:
        values: dict[str, Any] = {"frames": 3, "minutes": 2, "every": 5, "destination_id": self.room.local.id} | changes
        return LiveDraft(GLASSES, values.pop("question", "What is ahead?"), **values)

    async def start(self, **changes: Any) -> LiveProposal:
        proposal = await self.room.desk.live.prepare(self.draft(**changes))
        await self.room.desk.live.start(proposal)
        return proposal

    def shoot(self, colour: int = 90) -> ItemId:
        """A photo is taken, sealed and delivered."""
        item: ItemId = self.room.vault.add(self.tools.photo(colour), self.tools.new_item()).id
        self.pair.queue.put_nowait(item)
        return item

    async def until(self, holds: Callable[[LiveView], bool]) -> LiveView:
        """Wait for a view of which this holds."""
        seen = asyncio.Event()
        end = self.room.desk._events.subscribe(LiveChanged, lambda event: seen.set())
        while not holds(self.view):
            await seen.wait()
            seen.clear()
        end()
        return self.view

    async def over(self) -> LiveView:
        return await self.until(lambda view: not view.running)

    @property
    def view(self) -> LiveView:
        view: LiveView = self.room.desk.live.view
        return view

    async def lines(self) -> list[Receipt]:
        return [line for line in await self.room.desk.receipts() if line.kind is ReceiptKind.LIVE]


@pytest.fixture
def stage(room: Any, tools: Any) -> Stage:
    made = Stage(room, tools, Pair(), [])
    room.desk.live.source = made.pair
    room.desk._events.subscribe(LiveChanged, lambda event: made.views.append(event.view))
    return made


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


# -- how it ends

ENDS: dict[str, Callable[[Stage], Any]] = {
    "stop": lambda stage: stage.room.desk.live.stop(),
    "ai off": lambda stage: setattr(stage.room.desk, "ai_off", True),
    "lock": lambda stage: stage.room.lock(),
    "link lost": lambda stage: stage.pair.queue.put_nowait(None),
    "glasses fail": lambda stage: stage.pair.queue.put_nowait(EyelidError("The glasses fell asleep.", "", "")),
    "closing": lambda stage: stage.room.desk.close(),
    "sleep": lambda stage: stage.room.desk.void_grants("The computer goes to sleep."),
}


@pytest.mark.parametrize("way", ENDS)
async def test_what_ends_it(stage: Stage, way: str) -> None:
    await stage.start()
    item = stage.shoot()
    await stage.until(lambda view: view.answer == "A fern." and view.bytes_sent > 0)
    done = ENDS[way](stage)
    if asyncio.iscoroutine(done):
        await done
    view = await stage.over()
    assert (view.frames, view.running, stage.pair.closed) == (1, False, 1)
    assert view.why
    stage.shoot()
    await asyncio.sleep(0)
    assert len(stage.room.courier.orders) == 1
    if way == "lock":
        assert (view.last, view.answer) == (None, ""), "locked means no previews"
        await stage.room.unlock()
    end = (await stage.lines())[-1]
    assert (end.outcome, end.frames, end.items) == (Outcome.CANCELLED, 1, (item,))
    assert [share.receipt for share in stage.room.vault.meta(item).shares] == [end.number]
    assert (await stage.room.desk.verify_receipts()).sound


@pytest.mark.parametrize("way", ["stop", "ai off", "lock"])
async def test_ending_stops_the_frame_on_its_way(stage: Stage, way: str) -> None:
    stage.room.courier.hold = asyncio.Event()
    stage.room.courier.sent = 100
    await stage.start()
    stage.shoot()
    await stage.room.courier.begun.wait()
    done = ENDS[way](stage)
    if asyncio.iscoroutine(done):
        await done
    view = await stage.over()
    assert view.bytes_sent == 100
    if way == "lock":
        await stage.room.unlock()
    end = (await stage.lines())[-1]
    assert (end.outcome, end.bytes_sent, end.frames) == (Outcome.CANCELLED, 100, 1)


@pytest.mark.parametrize(
    ("ending", "sent", "outcome"), [(Carried.BROKEN, None, Outcome.FAILED), (Carried.UNREACHABLE, 0, Outcome.NOT_SENT)]
)
async def test_a_bad_answer_ends_it(stage: Stage, ending: Carried, sent: int | None, outcome: Outcome) -> None:
    stage.room.courier.ending, stage.room.courier.sent = ending, sent
    await stage.start()
    item = stage.shoot()
    view = await stage.over()
    end = (await stage.lines())[-1]
    assert (end.outcome, end.frames, view.frames) == (outcome, int(sent is None), int(sent is None))
    assert bool(stage.room.vault.meta(item).shares) == (sent is None)


async def test_an_error_for_an_answer_ends_it(stage: Stage) -> None:
    stage.room.courier.status, stage.room.courier.answer = 429, b'{"error":{"code":"rate_limit_exceeded"}}'
    await stage.start()
    stage.shoot()
    view = await stage.over()
    assert "Too many questions" in view.why
    assert (await stage.lines())[-1].outcome is Outcome.FAILED


@pytest.mark.parametrize("way", ["model", "place", "terms", "time", "sleep"])
async def test_the_gate_looks_at_each_frame(stage: Stage, way: str) -> None:
    await stage.start()
    stage.shoot()
    await stage.until(lambda view: view.answer == "A fern.")
    card = stage.room.cards / "local-server.toml"
    {
        "model": lambda: stage.room.book.set_model(stage.room.local.id, "other"),
        "place": lambda: setattr(stage.room.desk, "region", "DE"),
        "terms": lambda: card.write_bytes(card.read_bytes() + b"#\n"),
        "time": lambda: stage.room.clock.pass_(minutes=2),
        "sleep": lambda: stage.room.clock.sleep(seconds=90),
    }[way]()
    second = stage.shoot()
    view = await stage.over()
    assert (view.frames, len(stage.room.courier.orders)) == (1, 1)
    assert stage.room.vault.meta(second).shares == ()
    assert "Nothing was sent" in view.why


async def test_its_time_ends_it_by_itself(stage: Stage) -> None:
    proposal = await stage.room.desk.live.prepare(stage.draft())
    await stage.room.desk.live.start(proposal)
    look = stage.room.desk.live._look
    look.end(live_room.TIME_OVER, Outcome.ANSWERED)
    view = await stage.over()
    assert view.why == live_room.TIME_OVER
    assert (view.ends_at - view.started_at).total_seconds() == 120


async def test_it_ends_while_a_frame_is_being_prepared(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    await stage.start()
    look = stage.room.desk.live._look
    made = look._frame

    async def slow(item: ItemId) -> Any:
        frame = await made(item)
        look.end("Stopped by you.")
        return frame

    monkeypatch.setattr(look, "_frame", slow)
    stage.shoot()
    await stage.over()
    assert stage.room.courier.orders == []


@pytest.mark.parametrize("what", ["a film", "in the trash"])
async def test_only_photos_that_are_there_are_frames(stage: Stage, what: str) -> None:
    await stage.start()
    vault = stage.room.vault
    if what == "a film":
        item = vault.add(stage.tools.photo(), stage.tools.new_item(ItemKind.VIDEO, "video/mp4")).id
    else:
        item = vault.add(stage.tools.photo(), stage.tools.new_item()).id
        vault.change(item, lambda meta: replace(meta, trashed_at=meta.arrived_at))
    stage.pair.queue.put_nowait(item)
    await stage.until(lambda view: view.skipped == 1)
    await stage.room.desk.live.stop()
    assert stage.room.courier.orders == []


@pytest.mark.parametrize("why", ["the look has ended", "the capture is gone"])
async def test_the_last_word_is_that_of_the_marks(stage: Stage, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    """The gate let a frame through; without its mark, or after the end, it does not go all the same."""
    await stage.start()
    spend = stage.room.desk._approvals.spend

    def meanwhile(approval: Any, parcel: Any) -> None:
        spend(approval, parcel)
        if why == "the capture is gone":
            stage.room.vault.delete(parcel.draft.items[0])
        else:
            monkeypatch.setattr(type(stage.room.desk.live._look), "stands", property(lambda look: False))
            monkeypatch.setattr(stage.room.desk, "_stands", lambda name: True)

    monkeypatch.setattr(stage.room.desk._approvals, "spend", meanwhile)
    if why != "the capture is gone":
        stage.room.desk._gate._present = replace(stage.room.desk._gate._present, stands=lambda name: True)
    stage.shoot()
    view = await stage.over()
    assert "Nothing was sent" in view.why
    assert stage.room.courier.orders == []


async def test_a_capture_that_is_gone_does_not_go(stage: Stage) -> None:
    await stage.start()
    item = stage.shoot()
    stage.room.vault.delete(item)
    await stage.until(lambda view: view.skipped == 1)
    await stage.room.desk.live.stop()
    assert stage.room.courier.orders == []


# -- the program dies


async def test_a_crash_is_ended_at_the_next_start_with_what_is_known(stage: Stage) -> None:
    """Two frames are on their way or gone, and the program ends: the captures say which, and the bound how many bytes at most."""
    proposal = await stage.start()
    first = stage.shoot(1)
    await stage.until(lambda view: view.answer == "A fern." and view.bytes_sent > 0)
    stage.room.courier.hold = asyncio.Event()
    stage.room.courier.begun.clear()
    second = stage.shoot(2)
    await stage.room.courier.begun.wait()
    # What another process would find: the same vault and book, and nobody who knows of the look.
    from app.sharing import marks
    from app.sharing.receipts import ReceiptBook

    book = ReceiptBook(stage.room.vault, stage.room.clock)
    closed, changed = await stage.room.lanes.vault(marks.catch_up, stage.room.vault, book, lambda: frozenset())
    (line,) = closed
    assert (line.outcome, line.kind, line.frames, set(line.items)) == (Outcome.FAILED, ReceiptKind.LIVE, 2, {first, second})
    assert line.bytes_sent == 2 * proposal.frame_bytes
    assert "ended during a live look" in line.detail
    assert set(changed) == {first, second}
    for item in (first, second):
        assert [share.receipt for share in stage.room.vault.meta(item).shares] == [line.number]
    assert book.verify(marks.highest_named(stage.room.vault)).sound
    stage.room.courier.hold.set()


async def test_a_crash_before_the_first_frame(stage: Stage) -> None:
    from app.sharing import marks
    from app.sharing.receipts import ReceiptBook

    await stage.start()
    book = ReceiptBook(stage.room.vault, stage.room.clock)
    (line,), changed = await stage.room.lanes.vault(marks.catch_up, stage.room.vault, book, lambda: frozenset())
    assert (line.outcome, line.bytes_sent, line.frames, changed) == (Outcome.NOT_SENT, 0, 0, ())


async def test_an_unlock_does_not_end_what_runs(stage: Stage) -> None:
    await stage.start()
    assert stage.room.vault.state is LockState.UNLOCKED
    await stage.room.desk._catch_up()
    assert stage.view.running
    assert len(await stage.lines()) == 1
