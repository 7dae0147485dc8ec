"""Live look: an end for every reason, counted in one receipt, also when the program dies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.courier.pipe import Ending as Carried
from app.errors import EyelidError
from app.sharing import live as live_room
from app.sharing.types import Outcome, ReceiptKind
from app.vault.types import ItemId, ItemKind, LockState
from tests.sharing.live_stage import Stage

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
