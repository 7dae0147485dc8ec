"""Grants: the rules as tables, and the whole way of what goes under one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.events import GrantsChanged
from app.sharing.errors import GateClosed
from app.sharing.grants import (
    MOST_ITEMS,
    MOST_MINUTES,
    Grant,
    GrantOffer,
    GrantRefused,
    GrantSpan,
    GrantWish,
    counted,
    ended,
    granted,
    misfit,
    offer,
)
from app.sharing.types import Change, Ended, Outcome, PolicyClass, Proposal, Receipt

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ONCE, CONVERSATION, UNTIL_OFF = GrantSpan.ONCE, GrantSpan.CONVERSATION, GrantSpan.UNTIL_OFF
TALK = GrantWish(CONVERSATION, 15, 2)
CHANGE = Change("trains", "no", "yes")


def kept(proposal: Proposal, **card: Any) -> Proposal:
    """The same, to somebody elsewhere who keeps what is sent."""
    parcel = proposal.parcel
    changed = replace(parcel.card, **({"id": "kept", "policy_class": PolicyClass.KEPT} | card))
    return replace(proposal, parcel=replace(parcel, card=changed, destination=replace(parcel.destination, id="away", local=False)))


# -- the rules


@pytest.mark.parametrize(
    ("local", "card", "spans"),
    [
        (False, {"policy_class": PolicyClass.TRAINS}, (ONCE,)),
        (True, {"policy_class": PolicyClass.TRAINS}, (ONCE,)),
        (False, {"policy_class": PolicyClass.KEPT, "expired": True}, (ONCE,)),
        (True, {"policy_class": PolicyClass.LOCAL, "expired": True}, (ONCE,)),
        (False, {"policy_class": PolicyClass.KEPT, "id": "unknown"}, (ONCE,)),
        (False, {"policy_class": PolicyClass.KEPT, "forbids_people": "No people."}, (ONCE,)),
        (False, {"policy_class": PolicyClass.KEPT, "forbids": "Nothing."}, (ONCE,)),
        (False, {"policy_class": PolicyClass.KEPT}, (ONCE, CONVERSATION)),
        (True, {"policy_class": PolicyClass.KEPT}, (ONCE, CONVERSATION)),
        (False, {"policy_class": PolicyClass.LOCAL}, (ONCE, CONVERSATION)),
        (True, {"policy_class": PolicyClass.LOCAL}, (ONCE, CONVERSATION, UNTIL_OFF)),
        (True, {"policy_class": PolicyClass.MIRROR}, (ONCE, CONVERSATION, UNTIL_OFF)),
    ],
)
def test_what_may_be_chosen(any_proposal: Callable[..., Proposal], local: bool, card: dict[str, Any], spans: tuple[GrantSpan, ...]) -> None:
    parcel = any_proposal().parcel
    found = offer(replace(parcel.card, **card), replace(parcel.destination, local=local))
    assert (found.spans, bool(found.why_not)) == (spans, spans == (ONCE,))
    assert (found.most_minutes, found.most_items) == (15, 20)
    assert offer(replace(parcel.card, **card), parcel.destination, (CHANGE,)).spans == (ONCE,), "new terms are read once more"


@pytest.mark.parametrize(
    ("wish", "given"),
    [
        (GrantWish(ONCE), None),
        (GrantWish(CONVERSATION, 0, 1), None),
        (GrantWish(CONVERSATION, MOST_MINUTES + 1, 1), None),
        (GrantWish(CONVERSATION, 1, 0), None),
        (GrantWish(CONVERSATION, 1, MOST_ITEMS + 1), None),
        (GrantWish(CONVERSATION, 1, 1), (AT + timedelta(minutes=1), 1)),
        (GrantWish(CONVERSATION, MOST_MINUTES, MOST_ITEMS), (AT + timedelta(minutes=15), 20)),
        (GrantWish(UNTIL_OFF, 1, 1), (None, None)),
    ],
)
def test_what_a_wish_comes_to(any_proposal: Callable[..., Proposal], wish: GrantWish, given: Any) -> None:
    proposal = any_proposal()
    if given is None:
        with pytest.raises(GrantRefused, match="Decide about this one only"):
            granted(wish, proposal, AT)
        return
    grant = granted(wish, proposal, AT)
    assert (grant.ends_at, grant.most_items, grant.used_items) == (*given, 0)
    assert (grant.destination, grant.card) == (proposal.parcel.destination, proposal.parcel.card)
    assert grant.items_left == given[1]


def test_no_grant_is_without_end_where_things_leave(any_proposal: Callable[..., Proposal]) -> None:
    with pytest.raises(GrantRefused):
        granted(GrantWish(UNTIL_OFF), kept(any_proposal()), AT)
    with pytest.raises(GrantRefused, match="train AI"):
        granted(TALK, kept(any_proposal(), policy_class=PolicyClass.TRAINS), AT)


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ({}, ""),
        ({"at": AT + timedelta(minutes=15)}, "time is over"),
        ({"at": AT + timedelta(minutes=14, seconds=59)}, ""),
        ({"at": AT - timedelta(seconds=1)}, "set back"),
        ({"destination": None}, "removed"),
        ({"model": "another"}, "has changed"),
        ({"origin": "https://elsewhere.example"}, "has changed"),
        ({"path": "/other"}, "has changed"),
        ({"wire": "openai"}, "has changed"),
        ({"company": "Somebody else"}, "has changed"),
        ({"version": "v2"}, "terms has changed"),
        ({"policy_class": PolicyClass.TRAINS}, "terms has changed"),
        ({"expired": True}, "terms has changed"),
    ],
)
def test_what_ends_a_grant(any_proposal: Callable[..., Proposal], what: dict[str, Any], why: str) -> None:
    grant = granted(TALK, any_proposal(), AT)
    destination, card, at = grant.destination, grant.card, what.get("at", AT)
    for name, value in what.items():
        if hasattr(destination, name):
            destination = replace(destination, **{name: value})
        elif hasattr(card, name):
            card = replace(card, **{name: value})
    found = ended(grant, None if "destination" in what else destination, card, at)
    assert why in found
    assert bool(found) == bool(why)


def test_what_a_grant_does_not_cover(any_proposal: Callable[..., Proposal]) -> None:
    proposal = any_proposal()
    grant = granted(TALK, proposal, AT)
    other = replace(proposal, parcel=replace(proposal.parcel, destination=replace(proposal.parcel.destination, model="other")))
    newer = replace(proposal, parcel=replace(proposal.parcel, card=replace(proposal.parcel.card, version="v2")))
    many = replace(proposal, pictures=proposal.pictures * 3)
    assert misfit(grant, proposal) == ""
    assert misfit(grant, replace(proposal, question="Another?")) == ""
    assert "another model" in misfit(grant, other)
    assert "terms" in misfit(grant, newer)
    assert "terms" in misfit(grant, replace(proposal, changes=(CHANGE,)))
    assert "fewer" in misfit(grant, many)
    assert misfit(replace(grant, most_items=None), many) == ""
    trains = kept_as(proposal)
    assert "each time" in misfit(replace(grant, card=trains.parcel.card), trains), "even if one had been given by mistake"
    assert [counted(each) for each in (proposal, many, replace(proposal, pictures=()))] == [1, 3, 1]


def kept_as(proposal: Proposal) -> Proposal:
    """The same with a card that trains, at the same destination."""
    return replace(proposal, parcel=replace(proposal.parcel, card=kept(proposal, policy_class=PolicyClass.TRAINS).parcel.card))


# -- the whole way


async def under(room: Any, proposal: Proposal, grant: Grant) -> Receipt:
    """Send under a grant, without a question."""
    approval = await room.desk.approve_under(proposal, grant.id)
    events = [event async for event in room.desk.send(proposal, approval)]
    assert isinstance(events[-1], Ended)
    return events[-1].receipt


async def allowed(room: Any, wish: GrantWish = TALK, destination: str = "") -> Grant:
    """Say yes with a wish; returns the grant."""
    proposal = await room.proposal(destination or room.local.id)
    approval = await room.desk.approve(proposal, wish)
    async for _ in room.desk.send(proposal, approval):
        pass
    (grant,) = room.desk.grants()
    return grant


async def test_under_a_grant_nobody_is_asked(room: Any) -> None:
    grant = await allowed(room)
    proposal = await room.proposal(room.local.id, question="And this?")
    assert room.desk.grant_for(proposal) == grant
    receipt = await under(room, proposal, grant)
    assert (receipt.outcome, receipt.grant, receipt.bytes_sent) == (Outcome.ANSWERED, grant.id, proposal.size)
    intent = (await room.desk.receipts())[-2]
    assert (intent.outcome, intent.grant) == (Outcome.INTENDED, grant.id)
    assert room.courier.orders[-1].body == proposal.parcel.body
    assert [each.items_left for each in room.desk.grants()] == [1]
    assert (await room.desk.verify_receipts()).sound


async def test_the_receipt_of_the_yes_tells_what_was_allowed_with_it(room: Any) -> None:
    grant = await allowed(room)
    intent = (await room.desk.receipts())[0]
    assert (intent.grant, grant.id in intent.detail, "2 captures at most" in intent.detail) == ("", True, True)
    assert "until taken back" in (await first_line_of(room, GrantWish(UNTIL_OFF)))


async def first_line_of(room: Any, wish: GrantWish) -> str:
    proposal = await room.proposal()
    async for _ in room.desk.send(proposal, await room.desk.approve(proposal, wish)):
        pass
    return str((await room.desk.receipts())[-2].detail)


async def test_it_is_used_up(room: Any) -> None:
    told: list[GrantsChanged] = []
    room.desk._events.subscribe(GrantsChanged, told.append)
    grant = await allowed(room)
    for _ in range(2):
        await under(room, await room.proposal(room.local.id), grant)
    third = await room.proposal(room.local.id)
    assert room.desk.grant_for(third) is None
    with pytest.raises(GateClosed, match="fewer"):
        await room.desk.approve_under(third, grant.id)
    await asyncio.sleep(0)
    assert room.desk.grants() == ()
    assert [each.why for event in told for each in event.ended] == ["All its photos were sent."]
    await room.desk.approve(third), "a person may still say yes"


async def test_what_was_not_prepared_here_fits_nothing(room: Any, any_proposal: Callable[..., Proposal]) -> None:
    grant = await allowed(room, GrantWish(UNTIL_OFF), "mirror")
    proposal = await room.proposal()
    assert room.desk.grant_for(any_proposal()) is None
    assert room.desk.grant_for(replace(proposal)) is None, "a copy is not what was prepared"
    with pytest.raises(GateClosed, match="no longer stands"):
        await room.desk.approve_under(replace(proposal), grant.id)
    await room.desk.refuse(proposal)
    with pytest.raises(GateClosed, match="no longer stands"):
        await room.desk.approve_under(proposal, grant.id)


async def test_a_yes_under_a_grant_is_for_once(room: Any) -> None:
    grant = await allowed(room)
    proposal = await room.proposal(room.local.id)
    approval = await room.desk.approve_under(proposal, grant.id)
    count = len(room.courier.orders)
    async for _ in room.desk.send(proposal, approval):
        pass
    with pytest.raises(GateClosed, match="used before"):
        async for _ in room.desk.send(proposal, approval):
            pass
    assert len(room.courier.orders) == count + 1


async def test_a_wish_that_cannot_be_approves_nothing(room: Any) -> None:
    away = room.book.add_custom("A", "Somebody", "https://ai.example/v1", "m")
    room.book.keys.set(away.id, "sk-1")
    proposal = await room.proposal(away.id)
    assert room.desk.grant_offer(proposal) == GrantOffer((ONCE,), why_not=room.desk.grant_offer(proposal).why_not)
    with pytest.raises(GrantRefused):
        await room.desk.approve(proposal, TALK)
    assert room.desk.grants() == ()
    assert (await room.desk.approve(proposal, GrantWish(ONCE))).note == "", "this once is still to be had"


WAYS: dict[str, Callable[[Any], Any]] = {
    "lock": lambda room: room.lock(),
    "ai off": lambda room: setattr(room.desk, "ai_off", True),
    "model": lambda room: room.book.set_model(room.local.id, "other"),
    "model and back": lambda room: (room.book.set_model(room.local.id, "other"), room.book.set_model(room.local.id, "llava")),
    "removed": lambda room: room.book.remove(room.local.id),
    "terms": lambda room: (room.cards / "local-server.toml").write_bytes((room.cards / "local-server.toml").read_bytes() + b"#\n"),
    "place": lambda room: (setattr(room.desk, "region", "DE"), setattr(room.desk, "region", "")),
    "time": lambda room: room.clock.pass_(minutes=15),
    "sleep": lambda room: room.clock.sleep(minutes=2),
    "asked to": lambda room: room.desk.void_grants("The computer goes to sleep."),
    "closing": lambda room: room.desk.close(),
}


@pytest.mark.parametrize("way", WAYS)
async def test_what_voids_a_grant(room: Any, way: str) -> None:
    told: list[GrantsChanged] = []
    room.desk._events.subscribe(GrantsChanged, told.append)
    grant = await allowed(room)
    stale = None if way == "removed" else await room.proposal(room.local.id)
    count = len(room.courier.orders)
    done = WAYS[way](room)
    if asyncio.iscoroutine(done):
        await done
    await room.settle()
    if way == "lock":
        await room.unlock()
    if way == "ai off":
        room.desk.ai_off = False
    assert room.desk.grants() == ()
    await asyncio.sleep(0)
    assert [each.grant.id for event in told for each in event.ended] == [grant.id]
    if stale is not None:
        assert room.desk.grant_for(stale) is None
        with pytest.raises(GateClosed):
            await room.desk.approve_under(stale, grant.id)
    assert len(room.courier.orders) == count


async def test_taking_back_stops_what_is_on_its_way(room: Any) -> None:
    grant = await allowed(room)
    room.courier.hold, room.courier.begun = asyncio.Event(), asyncio.Event()
    proposal = await room.proposal(room.local.id)
    approval = await room.desk.approve_under(proposal, grant.id)
    waiting = await room.proposal(room.local.id)
    unspent = await room.desk.approve_under(waiting, grant.id)
    sending = asyncio.ensure_future(collect(room, proposal, approval))
    await room.courier.begun.wait()
    await room.desk.revoke(grant.id)
    await room.desk.revoke(grant.id)
    last = (await sending)[-1]
    assert last.receipt.outcome is Outcome.CANCELLED
    with pytest.raises(GateClosed):
        await collect(room, waiting, unspent)
    assert set(room.courier.cancelled) == {proposal.parcel.id}


async def collect(room: Any, proposal: Proposal, approval: Any) -> list[Any]:
    return [event async for event in room.desk.send(proposal, approval)]


async def test_taking_one_back_leaves_the_others(room: Any) -> None:
    first = await allowed(room)
    proposal = await room.proposal()
    async for _ in room.desk.send(proposal, await room.desk.approve(proposal, TALK)):
        pass
    second = next(grant for grant in room.desk.grants() if grant != first)
    room.courier.hold, room.courier.begun = asyncio.Event(), asyncio.Event()
    waiting = await room.proposal()
    unspent = await room.desk.approve_under(waiting, second.id)
    going = await room.proposal()
    sending = asyncio.ensure_future(collect(room, going, await room.desk.approve_under(going, second.id)))
    await room.courier.begun.wait()
    await room.desk.revoke(first.id)
    room.courier.hold.set()
    assert (await sending)[-1].receipt.outcome is Outcome.ANSWERED
    assert (await collect(room, waiting, unspent))[-1].receipt.grant == second.id


async def test_nothing_passes_a_gate_that_was_closed_for_good(room: Any) -> None:
    proposal = await room.proposal()
    approval = await room.desk.approve(proposal)
    await room.desk._gate.close()
    with pytest.raises(GateClosed, match="is ending"):
        await collect(room, proposal, approval)
    assert room.courier.orders == []


async def test_the_gate_looks_at_the_grant_itself(room: Any) -> None:
    """Approved under a grant that ended before the sending: only the gate stands between it and the first byte."""
    grant = await allowed(room)
    proposal = await room.proposal(room.local.id)
    approval = await room.desk.approve_under(proposal, grant.id)
    room.desk._grants.revoke(grant.id)
    count = len(room.courier.orders)
    with pytest.raises(GateClosed, match="stands no longer"):
        await collect(room, proposal, approval)
    assert len(room.courier.orders) == count
    assert (await room.desk.receipts())[-1].outcome is Outcome.NOT_SENT
