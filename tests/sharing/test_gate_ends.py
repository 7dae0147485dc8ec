"""How a sending ends: stopped, broken off, locked or crashed; the book and the captures tell the same of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from app.assistants import wire
from app.courier.pipe import Ending as Carried
from app.sharing import gate as gate_room
from app.sharing import marks
from app.sharing.errors import CourierGone, GateClosed
from app.sharing.types import Ended, Outcome, SendEvent, Sending
from app.vault.errors import ItemMissing, VaultLocked
from app.vault.types import ItemId
from tests.sharing.steps import ended, go, outcomes, refused

# -- the book cannot be written


async def test_without_a_line_of_intent_nothing_is_sent(room: Any) -> None:
    proposal = await room.proposal()
    approval = await room.desk.approve(proposal)
    room.files.full = True
    with pytest.raises(OSError, match="space"):
        [event async for event in room.desk.send(proposal, approval)]
    room.files.full = False
    assert room.courier.orders == []
    assert await outcomes(room) == []


async def test_a_refusal_that_cannot_be_written_is_a_refusal_all_the_same(room: Any) -> None:
    one, two = await room.proposal(), await room.proposal()
    approval = await room.desk.approve(one)
    room.files.full = True
    await refused(room, two, approval)


async def test_an_end_that_cannot_be_written_is_made_good_later(room: Any) -> None:
    proposal = await room.proposal(room.local.id)
    approval = await room.desk.approve(proposal)
    room.courier.watch = lambda order: setattr(room.files, "full", True)
    with pytest.raises(OSError, match="space"):
        [event async for event in room.desk.send(proposal, approval)]
    room.files.full = False
    assert room.vault.meta(room.item).shares == ()
    await room.lock()
    await room.unlock()
    assert await outcomes(room) == [Outcome.INTENDED, Outcome.FAILED]
    assert (await room.desk.receipts())[-1].bytes_sent == proposal.size
    assert room.vault.index.get(room.item).shared_with == ("Local server (this computer)",)
    assert room.troubles == []
    await room.lock()
    await room.unlock()
    assert len(await room.desk.receipts()) == 2, "once is enough"
    assert len(room.vault.meta(room.item).shares) == 1


async def test_marks_are_made_good_at_the_next_unlock(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: object) -> None:
        raise VaultLocked

    monkeypatch.setattr(type(room.vault), "change", locked)
    await go(room, await room.proposal(room.local.id))
    monkeypatch.undo()
    assert room.vault.meta(room.item).shares == ()
    await room.lock()
    await room.unlock()
    assert room.vault.index.get(room.item).shared_with == ("Local server (this computer)",)


async def test_an_item_deleted_meanwhile_is_no_trouble(room: Any) -> None:
    room.courier.watch = lambda order: room.vault.delete(room.item)
    assert ended(await go(room, await room.proposal())).outcome is Outcome.ANSWERED
    await room.lock()
    await room.unlock()
    assert room.troubles == []
    assert (await room.desk.verify_receipts()).sound


# -- how it may end


@pytest.mark.parametrize(
    ("courier", "outcome", "detail"),
    [
        ({"status": 401, "answer": b'{"error":{"code":"bad_key"}}'}, Outcome.FAILED, "did not accept the key. (It said: bad_key.)"),
        ({"status": 404, "answer": b""}, Outcome.FAILED, "does not know this address or model"),
        ({"status": 503, "answer": b""}, Outcome.FAILED, "in trouble"),
        ({"status": 418, "answer": b""}, Outcome.FAILED, "answered with an error"),
        ({"answer": b"data: {}\n\n"}, Outcome.FAILED, "ended before it was complete"),
        ({"answer": b'data: {"error":{"code":"overloaded"}}\n\n'}, Outcome.FAILED, "(It said: overloaded.)"),
        ({"ending": Carried.TIMEOUT}, Outcome.FAILED, "Why."),
        ({"ending": Carried.REDIRECT}, Outcome.FAILED, "Why."),
        ({"ending": Carried.LOST}, Outcome.FAILED, "Why."),
        ({"ending": Carried.UNREACHABLE, "sent": 0}, Outcome.NOT_SENT, "Why."),
        ({"ending": Carried.REFUSED, "sent": 0}, Outcome.NOT_SENT, "Why."),
    ],
)
async def test_ends(room: Any, courier: dict[str, Any], outcome: Outcome, detail: str) -> None:
    for name, value in courier.items():
        setattr(room.courier, name, value)
    receipt = ended(await go(room, await room.proposal(room.local.id)))
    assert receipt.outcome is outcome
    assert detail in receipt.detail
    assert bool(room.vault.meta(room.item).shares) is bool(receipt.bytes_sent)


async def test_bytes_that_left_count_even_without_an_answer(room: Any) -> None:
    room.courier.status, room.courier.answer = 500, b""
    await go(room, await room.proposal(room.local.id))
    meta = room.vault.meta(room.item)
    assert meta.shares[0].leaves_computer
    assert meta.exchanges == ()


async def test_cancelling(room: Any) -> None:
    room.courier.hold, room.courier.sent = asyncio.Event(), 10
    proposal = await room.proposal()
    approval = await room.desk.approve(proposal)
    events: list[SendEvent] = []
    async for event in room.desk.send(proposal, approval):
        events.append(event)
        if isinstance(event, Sending):
            await room.desk.cancel("another parcel")
            await room.desk.cancel(proposal.parcel.id)
    receipt = ended(events)
    assert (receipt.outcome, receipt.bytes_sent) == (Outcome.CANCELLED, 10)
    assert room.vault.meta(room.item).shares, "ten bytes are bytes that left"


async def test_a_lost_courier_after_a_cancel_is_a_cancel(room: Any) -> None:
    room.courier.hold, room.courier.ending = asyncio.Event(), Carried.LOST
    proposal = await room.proposal()
    approval = await room.desk.approve(proposal)
    events: list[SendEvent] = []
    async for event in room.desk.send(proposal, approval):
        events.append(event)
        if isinstance(event, Sending):
            await room.desk.cancel(proposal.parcel.id)
            room.courier.cancelled.clear()
    assert ended(events).outcome is Outcome.CANCELLED


async def test_cancelled_before_it_was_handed_over(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    proposal = await room.proposal()
    add = room.desk._receipts.add

    def slow(*args: Any) -> Any:
        room.desk._gate._journeys[proposal.parcel.id].cancelled = True
        return add(*args)

    monkeypatch.setattr(room.desk._receipts, "add", slow)
    receipt = ended(await go(room, proposal))
    assert (receipt.outcome, receipt.bytes_sent) == (Outcome.CANCELLED, 0)
    assert room.courier.orders == []


async def test_leaving_the_iterator_stops_the_sending_and_writes_its_end(room: Any) -> None:
    room.courier.hold = asyncio.Event()
    proposal = await room.proposal()
    events = room.desk.send(proposal, await room.desk.approve(proposal))
    assert isinstance(await anext(events), Sending)
    await events.aclose()
    await room.desk.close()
    assert set(room.courier.cancelled) == {proposal.parcel.id}
    assert await outcomes(room) == [Outcome.INTENDED, Outcome.CANCELLED]


async def test_closing_waits_for_what_was_begun_and_then_hears_of_nothing(room: Any) -> None:
    room.desk.ai_off = True
    await room.desk.close()
    assert room.desk._tasks == set()
    await room.lock()
    await room.unlock()
    assert room.desk._tasks == set()


async def test_closing_the_desk_waits_for_the_end(room: Any) -> None:
    room.courier.hold = asyncio.Event()
    proposal = await room.proposal()
    events = room.desk.send(proposal, await room.desk.approve(proposal))
    await anext(events)
    await room.desk.close()
    assert (await outcomes(room))[-1] is Outcome.CANCELLED
    assert [type(event) async for event in events] == [Ended]


async def test_the_same_parcel_is_not_sent_twice_at_once(room: Any) -> None:
    room.courier.hold = asyncio.Event()
    proposal = await room.proposal()
    approval = await room.desk.approve(proposal)
    first = room.desk.send(proposal, approval)
    await anext(first)
    with pytest.raises(GateClosed, match="on its way"):
        [event async for event in room.desk.send(proposal, approval)]
    room.courier.hold.set()
    assert ended([event async for event in first]).outcome is Outcome.ANSWERED
    assert len(room.courier.orders) == 1


@pytest.mark.parametrize(("error", "outcome"), [(CourierGone(), Outcome.NOT_SENT), (RuntimeError("secret"), Outcome.FAILED)])
async def test_a_courier_that_fails(room: Any, error: Exception, outcome: Outcome) -> None:
    def fail(_: object) -> None:
        raise error

    room.courier.watch = fail
    receipt = ended(await go(room, await room.proposal()))
    assert receipt.outcome is outcome
    assert "secret" not in receipt.detail
    # What is not known is not made smaller than it may be.
    assert receipt.bytes_sent == (0 if outcome is Outcome.NOT_SENT else receipt.body_size)


async def test_a_courier_that_falls_silent(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(order: Any) -> Any:
        for message in ():
            yield message

    monkeypatch.setattr(room.courier, "send", silent)
    receipt = ended(await go(room, await room.proposal()))
    assert (receipt.outcome, receipt.bytes_sent) == (Outcome.FAILED, receipt.body_size)


async def test_a_fault_halfway_counts_all_and_stops_the_rest(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the courier said last is not what it does next, now that nobody listens."""
    room.courier.sent = 10

    def broken(_: int) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(type(wire("mirror")), "reader", lambda self, status: broken(status))
    proposal = await room.proposal()
    receipt = ended(await go(room, proposal))
    assert (receipt.outcome, receipt.bytes_sent) == (Outcome.FAILED, receipt.body_size)
    assert "secret" not in receipt.detail
    assert room.courier.cancelled == [proposal.parcel.id]


async def test_messages_of_a_confused_courier(room: Any) -> None:
    """An answer before its status, and an end that says done without any."""
    from app.courier.pipe import Answer, End

    async def confused(order: Any) -> Any:
        yield Answer(order.parcel_id, b"early")
        yield End(order.parcel_id, 5, None, Carried.DONE, "")

    room.courier.send = confused
    receipt = ended(await go(room, await room.proposal()))
    assert (receipt.outcome, receipt.bytes_sent) == (Outcome.FAILED, 5)


def test_the_patience_of_the_gate_is_bounded() -> None:
    assert 0 < gate_room.CONNECT_SECONDS < gate_room.IDLE_SECONDS < gate_room.TOTAL_SECONDS <= 900


# -- lock


async def test_a_lock_is_a_no(room: Any) -> None:
    waiting, approved, kept = await room.proposal(), await room.proposal(), await room.proposal()
    approval, kept_approval = await room.desk.approve(approved), await room.desk.approve(kept)
    await room.lock()
    await refused(room, approved, approval)
    with pytest.raises(GateClosed):
        await room.desk.approve(waiting)
    with pytest.raises(VaultLocked):
        await room.desk.refuse(waiting)
    with pytest.raises(VaultLocked):
        await room.proposal()
    await room.unlock()
    assert [(each.outcome, each.detail) for each in await room.desk.receipts()] == [(Outcome.REFUSED, "the vault was locked")]
    await refused(room, kept, kept_approval)  # the lock withdrew it for good


async def test_a_no_that_came_just_after_the_lock_is_written_later(room: Any) -> None:
    proposal = await room.proposal()
    room.vault.lock()  # the desk has not heard of it yet
    with pytest.raises(VaultLocked):
        await room.desk.refuse(proposal, "closed")
    await room.unlock()
    assert [(each.outcome, each.detail) for each in await room.desk.receipts()] == [(Outcome.REFUSED, "closed")]


async def test_a_no_that_cannot_be_written_at_the_unlock_waits_for_the_next(room: Any, files: Any) -> None:
    first, second = await room.proposal(), await room.proposal()
    await room.lock()
    files.full = True
    await room.unlock()
    files.full = False
    await room.lock()
    await room.unlock()
    assert [each.parcel_id for each in await room.desk.receipts()] == [first.parcel.id, second.parcel.id]
    assert any("No space left" in each for each in room.troubles)


async def test_two_unlocks_in_a_row_write_each_refusal_once(room: Any, tools: Any) -> None:
    first, second = await room.proposal(), await room.proposal()
    await room.lock()
    room.vault.unlock_with_passphrase(tools.PASSPHRASE)  # its own catching up has not begun yet
    await asyncio.gather(room.desk._catch_up(), room.desk._catch_up())
    await room.settle()
    assert sorted(each.parcel_id for each in await room.desk.receipts()) == sorted([first.parcel.id, second.parcel.id])


async def test_a_capture_that_cannot_be_read_keeps_no_other_from_its_mark(room: Any, tools: Any) -> None:
    other = room.vault.add(tools.photo(7), tools.new_item()).id
    receipt = ended(await go(room, await room.proposal(items=(room.item, other))))
    for item in (room.item, other):
        room.vault.change(item, lambda meta: replace(meta, shares=()))
    (damaged,) = room.vault.folder.rglob(f"{room.item}.meta.age")
    damaged.write_bytes(damaged.read_bytes()[:-1])
    await room.lock()
    await room.unlock()
    assert room.troubles == []
    assert [share.receipt for share in room.vault.meta(other).shares] == [receipt.number]
    assert (await room.desk.verify_receipts()).sound


async def test_a_lock_in_the_middle_stops_the_sending_and_keeps_its_end(room: Any) -> None:
    room.courier.hold, room.courier.sent = asyncio.Event(), 10
    proposal = await room.proposal(room.local.id)
    events = room.desk.send(proposal, await room.desk.approve(proposal))
    await anext(events)
    await room.lanes.vault(room.vault.lock)
    rest = [event async for event in events]
    assert ended(rest).outcome is Outcome.CANCELLED
    await room.unlock()
    assert await outcomes(room) == [Outcome.INTENDED, Outcome.CANCELLED]
    assert room.vault.index.get(room.item).shared_with == ("Local server (this computer)",)
    assert (await room.desk.verify_receipts()).sound


async def test_background_faults_are_told(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(room.desk._receipts, "all", broken)
    await room.lock()
    await room.unlock()
    assert any("Input/output" in each for each in room.troubles)


def test_an_item_that_goes_while_the_marks_are_read() -> None:
    class Going:
        def ids(self) -> tuple[ItemId, ...]:
            return (ItemId("a" * 32),)

        def meta(self, item: ItemId) -> Any:
            raise ItemMissing

        def change(self, item: ItemId, edit: Any) -> Any:
            raise ItemMissing

    assert marks.highest_named(Going()) == 0


async def test_export_and_truncation(room: Any) -> None:
    from app.sharing.receipts import check_export

    await go(room, await room.proposal())
    assert check_export(await room.desk.export_receipts()).count == 2
    last = max((each for each in (room.vault._folder / "receipts").iterdir()), key=lambda file: int(file.stem))
    last.unlink()
    report = await room.desk.verify_receipts()
    assert any("the end of the book is missing" in fault.lower() for fault in report.faults)
