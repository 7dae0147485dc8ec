"""The desk and its gate: nothing without a yes, nothing without a line in the book, and an honest end."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from dataclasses import replace
from typing import Any

import pytest

from app.assistants import wire
from app.courier.jpeg import look
from app.errors import EyelidError
from app.sharing.built_in import BUILT_IN
from app.sharing.errors import DestinationError, GateClosed, NotReady, TermsForbid
from app.sharing.types import AnswerText, Outcome, PolicyClass, Sending
from app.vault.types import ItemId, ItemKind
from tests.sharing.steps import ended, go, outcomes, refused

# -- the main road


async def test_ask_approve_send(room: Any) -> None:
    proposal = await room.proposal()
    assert room.courier.orders == [], "nothing leaves by looking"
    assert proposal.question == "What is this?"
    (picture,) = proposal.pictures
    assert look(picture.jpeg).metadata == ()
    assert "location" in picture.removed
    assert wire("mirror").read_back(proposal.parcel.body).pictures == (picture.jpeg,)
    events = await go(room, proposal)
    assert events[:2] == [Sending(proposal.size, proposal.size), AnswerText("A fern.")]
    receipt = ended(events)
    assert (receipt.number, receipt.outcome, receipt.bytes_sent, receipt.http_status) == (2, Outcome.ANSWERED, proposal.size, 200)
    (order,) = room.courier.orders
    assert order.body == proposal.parcel.body
    assert order.approved_sha256 == hashlib.sha256(order.body).hexdigest()
    assert order.loopback_only
    await asyncio.sleep(0)
    assert [each.outcome for each in room.receipts] == [Outcome.INTENDED, Outcome.ANSWERED]
    assert (await room.desk.verify_receipts()).sound


async def test_the_line_of_intent_is_there_before_the_first_byte(room: Any) -> None:
    found: list[list[Outcome]] = []
    book = room.desk._receipts
    room.courier.watch = lambda order: found.append([each.outcome for each in book.all()])
    await go(room, await room.proposal())
    assert found == [[Outcome.INTENDED]]


async def test_the_mirror_leaves_the_photo_private(room: Any) -> None:
    receipt = ended(await go(room, await room.proposal()))
    meta = room.vault.meta(room.item)
    (share,) = meta.shares
    assert (share.leaves_computer, share.receipt, share.destination) == (False, receipt.number, "Mirror")
    assert [exchange.answer for exchange in meta.exchanges] == ["A fern."]
    assert room.vault.index.get(room.item).shared_with == ()


async def test_a_local_server_is_an_assistant_too(room: Any) -> None:
    await go(room, await room.proposal(room.local.id))
    assert room.vault.index.get(room.item).shared_with == ("Local server (this computer)",)
    await asyncio.sleep(0)
    assert room.changed == [room.item]
    assert room.courier.orders[0].loopback_only
    assert room.courier.orders[0].origin == "http://127.0.0.1:1234"


async def test_elsewhere_goes_with_the_key(room: Any) -> None:
    room.book.set_model("openai", "gpt-x")
    room.book.keys.set("openai", "sk-1")
    proposal = await room.proposal("openai")
    assert b'"store":false' in proposal.parcel.body
    await go(room, proposal)
    (order,) = room.courier.orders
    assert dict(order.headers)["authorization"] == "Bearer sk-1"
    assert not order.loopback_only
    assert room.vault.index.get(room.item).shared_with == ("OpenAI",)


async def test_several_photos_one_question(
    room: Any,
) -> None:
    from_other = room.vault.add(b"".join([room.vault.read(room.item)]), room.vault.meta(room.item).new).id
    proposal = await room.proposal(items=(room.item, from_other))
    receipt = ended(await go(room, proposal))
    assert receipt.items == (room.item, from_other)
    assert len(receipt.item_digests) == 2
    assert all(room.vault.meta(each).shares for each in receipt.items)


async def test_a_refusal_is_written_though_nobody_waits_for_it_any_more(room: Any) -> None:
    """As when the vault locks twice while the lane is busy."""
    proposal, free = await room.proposal(), threading.Event()
    busy = asyncio.ensure_future(room.desk._lanes.vault(free.wait))
    refusing = asyncio.ensure_future(room.desk.refuse(proposal))
    await asyncio.sleep(0)
    refusing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await refusing
    free.set()
    await busy
    await room.desk.close()
    assert [receipt.outcome for receipt in await room.desk.receipts()] == [Outcome.REFUSED]


async def test_refusing_leaves_a_receipt(room: Any) -> None:
    receipt = await room.desk.refuse(await room.proposal())
    assert (receipt.outcome, receipt.bytes_sent, receipt.detail) == (Outcome.REFUSED, 0, "kept private")
    assert room.courier.orders == []
    assert room.vault.meta(room.item).shares == ()


async def test_destinations_begin_with_the_mirror(room: Any) -> None:
    assert [each.id for each in room.desk.destinations()] == ["mirror", *(each.id for each in BUILT_IN), room.local.id]
    room.courier.mirror = None
    assert room.desk.destinations()[0].id == "ollama"
    assert room.desk.card("openai").policy_class is PolicyClass.KEPT
    assert room.desk.card("nothing").policy_class is PolicyClass.TRAINS


# -- what cannot be prepared


async def test_what_is_not_ready(room: Any) -> None:
    for changes, why in [
        ({"items": ()}, "No photo"),
        ({"items": (room.item, room.item)}, "twice"),
        ({"items": tuple(ItemId(f"{number:032x}") for number in range(11))}, "10 pictures"),
        ({"question": " \n"}, "no question"),
        ({"question": "x" * 8001}, "longer"),
        ({"question": "\ud800"}, "broken"),
    ]:
        with pytest.raises(NotReady) as raised:
            await room.proposal(**changes)
        assert why in raised.value.why
    with pytest.raises(NotReady, match="No model"):
        await room.proposal("openai")
    room.book.set_model("openai", "gpt-x")
    with pytest.raises(NotReady, match="no key"):
        await room.proposal("openai")
    with pytest.raises(DestinationError):
        await room.proposal("nowhere")


@pytest.mark.parametrize(("kind", "why"), [(ItemKind.SOUND, "Mirror takes pictures, and no sound"), (ItemKind.OTHER, "pictures only")])
async def test_sounds_and_other_files_do_not_go(room: Any, kind: ItemKind, why: str) -> None:
    new = replace(room.vault.meta(room.item).new, kind=kind, media_type="audio/wav")
    item = room.vault.add(b"a voice", new).id
    with pytest.raises(NotReady, match=why):
        await room.proposal(items=(item,))


async def test_nothing_goes_from_the_trash(room: Any) -> None:
    room.vault.change(room.item, lambda meta: replace(meta, trashed_at=room.clock.now))
    with pytest.raises(NotReady, match="trash"):
        await room.proposal()


async def test_a_damaged_photo_is_said(room: Any) -> None:
    item = room.vault.add(b"\xff\xd8 no picture", room.vault.meta(room.item).new).id
    with pytest.raises(EyelidError):
        await room.proposal(items=(item,))


async def test_terms_that_forbid_people(room: Any) -> None:
    room.book.set_model("meta-unpaid", "muse-spark-1.3")
    room.book.keys.set("meta-unpaid", "key")
    with pytest.raises(TermsForbid, match="personal information"):
        await room.proposal("meta-unpaid")
    proposal = await room.proposal("meta-unpaid", no_people=True)
    assert proposal.parcel.card.may_train


async def test_without_a_courier_the_mirror_is_no_destination(room: Any) -> None:
    room.courier.mirror = None
    with pytest.raises(DestinationError):
        await room.proposal()


# -- what the gate does not let through


async def test_a_second_use(room: Any) -> None:
    proposal = await room.proposal()
    approval = await room.desk.approve(proposal)
    assert ended([event async for event in room.desk.send(proposal, approval)]).outcome is Outcome.ANSWERED
    room.courier.orders.clear()
    assert "used before" in (await refused(room, proposal, approval)).why
    assert await outcomes(room) == [Outcome.INTENDED, Outcome.ANSWERED, Outcome.NOT_SENT]


async def test_another_parcel(room: Any) -> None:
    one, two = await room.proposal(), await room.proposal(question="And this?")
    approval = await room.desk.approve(one)
    assert "something else" in (await refused(room, two, approval)).why
    assert await outcomes(room) == [Outcome.NOT_SENT]


async def test_a_body_changed_after_the_look(room: Any) -> None:
    proposal = await room.proposal()
    approval = await room.desk.approve(proposal)
    changed = replace(proposal, parcel=replace(proposal.parcel, body=proposal.parcel.body.replace(b"What", b"Whom")))
    await refused(room, changed, approval)


async def test_an_expired_approval(room: Any) -> None:
    proposal = await room.proposal()
    approval = await room.desk.approve(proposal)
    room.clock.pass_(minutes=5)
    assert "expired" in (await refused(room, proposal, approval)).why


async def test_a_card_that_changed(room: Any) -> None:
    proposal = await room.proposal()
    approval = await room.desk.approve(proposal)
    file = room.cards / "mirror.toml"
    file.write_bytes(file.read_bytes() + b"# another reading\n")
    assert "terms has changed" in (await refused(room, proposal, approval)).why


async def test_a_card_that_expired_meanwhile(room: Any) -> None:
    proposal = await room.proposal(room.local.id)
    approval = await room.desk.approve(proposal)
    room.desk._gate._approvals._clock = lambda: proposal.parcel.created_at
    room.clock.pass_(days=180)
    assert "terms has changed" in (await refused(room, proposal, approval)).why


async def test_a_destination_that_changed_or_went(room: Any) -> None:
    for change in (lambda: room.book.set_model(room.local.id, "other"), lambda: room.book.remove(room.local.id)):
        proposal = await room.proposal(room.local.id)
        approval = await room.desk.approve(proposal)
        change()
        assert "destination has changed" in (await refused(room, proposal, approval)).why


async def test_a_mirror_that_moved(room: Any) -> None:
    proposal = await room.proposal()
    approval = await room.desk.approve(proposal)
    room.courier.mirror = replace(room.courier.mirror, mirror_origin="http://127.0.0.1:4001")
    await refused(room, proposal, approval)


async def test_a_key_that_went(room: Any) -> None:
    room.book.set_model("openai", "gpt-x")
    room.book.keys.set("openai", "sk-1")
    proposal = await room.proposal("openai")
    approval = await room.desk.approve(proposal)
    room.book.keys.forget("openai")
    assert "no key" in (await refused(room, proposal, approval)).why


async def test_a_key_that_is_no_header_text(room: Any) -> None:
    room.book.set_model("openai", "gpt-x")
    room.book.keys.set("openai", "sk\r\nx: y")
    receipt = ended(await go(room, await room.proposal("openai")))
    assert (receipt.outcome, receipt.bytes_sent) == (Outcome.NOT_SENT, 0)
    assert room.courier.orders == []


async def test_ai_off(room: Any) -> None:
    proposal, waiting = await room.proposal(), await room.proposal()
    approval = await room.desk.approve(proposal)
    room.desk.ai_off = True
    assert room.desk.ai_off
    await refused(room, proposal, approval)
    with pytest.raises(GateClosed, match="switched off"):
        await room.proposal()
    with pytest.raises(GateClosed):
        await room.desk.approve(waiting)
    room.desk.ai_off = False
    await refused(room, proposal, approval)  # what was withdrawn stays withdrawn
    assert ended(await go(room, await room.proposal())).outcome is Outcome.ANSWERED


async def test_ai_off_between_the_yes_and_the_first_byte(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    proposal = await room.proposal()
    add = room.desk._receipts.add

    def slow(*args: Any) -> Any:
        room.desk._gate.ai_off = True
        return add(*args)

    monkeypatch.setattr(room.desk._receipts, "add", slow)
    receipt = ended(await go(room, proposal))
    assert (receipt.outcome, receipt.bytes_sent) == (Outcome.NOT_SENT, 0)
    assert "switched off" in receipt.detail
    assert room.courier.orders == []
    assert await outcomes(room) == [Outcome.INTENDED, Outcome.NOT_SENT]


async def test_a_lock_between_the_yes_and_the_first_byte(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    proposal = await room.proposal()
    add = room.desk._receipts.add

    def slow(*args: Any) -> Any:
        receipt = add(*args)
        room.vault.lock()
        return receipt

    monkeypatch.setattr(room.desk._receipts, "add", slow)
    receipt = ended(await go(room, proposal))
    assert (receipt.outcome, receipt.bytes_sent) == (Outcome.NOT_SENT, 0)
    assert room.courier.orders == []


async def test_an_approval_that_expires_while_the_intent_is_written(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    proposal = await room.proposal()
    add = room.desk._receipts.add

    def slow(*args: Any) -> Any:
        receipt = add(*args)
        room.clock.pass_(minutes=5)
        return receipt

    monkeypatch.setattr(room.desk._receipts, "add", slow)
    assert ended(await go(room, proposal)).outcome is Outcome.NOT_SENT
    assert room.courier.orders == []


async def test_only_what_was_prepared_here_can_be_approved(room: Any) -> None:
    proposal = await room.proposal()
    with pytest.raises(GateClosed):
        await room.desk.approve(replace(proposal))
    with pytest.raises(GateClosed):
        await room.desk.approve(proposal)  # and asking wrongly withdraws it
    refused_one = await room.proposal()
    await room.desk.refuse(refused_one)
    with pytest.raises(GateClosed):
        await room.desk.approve(refused_one)
