"""Questions that carry nothing of the person's: they pass the gate, leave receipts of their own kind, and say where a model runs."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest

from app.courier.egress import check_order
from app.courier.pipe import Answer, End, Progress
from app.courier.pipe import Ending as Carried
from app.sharing.errors import CourierGone, DestinationError, GateClosed, NotReady
from app.sharing.receipts import check_export, from_data, to_data
from app.sharing.servers import choices
from app.sharing.types import Model, ModelList, Outcome, ReceiptKind
from app.vault.errors import VaultLocked

TAGS = json.dumps(
    {
        "models": [
            {"name": "gemma4:latest", "capabilities": ["vision"]},
            {"name": "far:latest", "remote_host": "https://ollama.com:443", "remote_model": "x"},
            {"name": "text:1b", "capabilities": ["completion"]},
        ]
    }
).encode()


def serve(room: Any, **answers: tuple[int, bytes]) -> None:
    """Let the courier answer by the last part of the path; anything else as before."""
    send = type(room.courier).send.__get__(room.courier)

    def by_path(order: Any) -> Any:
        found = answers.get(order.path.partition("?")[0].rpartition("/")[2])
        if order.method == "GET" and found is not None:
            room.courier.status, room.courier.answer = found
        return send(order)

    room.courier.send = by_path


async def test_models_are_asked_for_with_a_receipt_of_their_own_kind(room: Any) -> None:
    room.book.keys.set("openai", "sk-1")
    serve(room, models=(200, b'{"data":[{"id":"gpt-x"}]}'))
    found = await room.desk.models("openai")
    assert [model.id for model in found.models] == ["gpt-x"]
    (order,) = room.courier.orders
    assert (order.method, order.origin, order.path, order.body) == ("GET", "https://api.openai.com", "/v1/models", b"")
    assert dict(order.headers) == {"accept": "application/json", "authorization": "Bearer sk-1"}
    check_order(order, order.expires_at - 1)  # the courier lets it through
    intent, end = await room.desk.receipts()
    assert (intent.kind, intent.outcome, end.kind, end.outcome) == (
        ReceiptKind.MODELS,
        Outcome.INTENDED,
        ReceiptKind.MODELS,
        Outcome.ANSWERED,
    )
    assert (end.items, end.body_size, end.bytes_sent, end.number) == ((), 0, 0, found.receipt)
    assert end.body_sha256 == hashlib.sha256(b"").hexdigest()
    assert (await room.desk.verify_receipts()).sound
    assert check_export(await room.desk.export_receipts()).sound
    await asyncio.sleep(0)
    assert [each.number for each in room.receipts] == [1, 2]


async def test_the_line_is_there_before_the_question(room: Any) -> None:
    seen: list[int] = []
    room.courier.watch = lambda order: seen.append(len(room.desk._receipts.all()))
    serve(room, models=(200, b'{"data":[]}'))
    await room.desk.models("lm-studio")
    assert seen == [1]


async def test_every_provider_s_question_passes_the_courier(room: Any) -> None:
    for each in room.desk.destinations()[1:]:
        room.book.keys.set(each.id, "sk-1")
        serve(room, models=(200, b'{"data":[]}'), tags=(200, b'{"models":[]}'), key=(200, b"{}"))
        await room.desk.models(each.id)
        await room.desk.check_key(each.id)
    for order in room.courier.orders:
        check_order(order, order.expires_at - 1)
        assert not order.body


async def test_a_receipt_of_a_parcel_looks_as_it_always_did(room: Any) -> None:
    await room.desk.refuse(await room.proposal())
    (receipt,) = await room.desk.receipts()
    data = to_data(receipt)
    assert "kind" not in data
    assert from_data(json.dumps(data).encode()) == receipt
    other = replace(receipt, kind=ReceiptKind.MODELS)
    assert from_data(json.dumps(to_data(other)).encode()) == other
    with pytest.raises(ValueError, match="kind"):
        from_data(json.dumps(data | {"kind": "kind"}).encode())


@pytest.mark.parametrize(("status", "good"), [(200, True), (401, False), (403, False), (500, None), (400, None)])
async def test_checking_a_key(room: Any, status: int, good: bool | None) -> None:
    room.book.keys.set("anthropic", "sk-1")
    serve(room, models=(status, b"{}"))
    report = await room.desk.check_key("anthropic")
    assert report.good is good
    assert "Anthropic API" in report.text or good is None
    assert dict(room.courier.orders[0].headers)["anthropic-version"]


async def test_google_says_400_to_a_key_it_does_not_know(room: Any) -> None:
    room.book.keys.set("gemini-paid", "k")
    serve(room, models=(400, b"{}"))
    assert (await room.desk.check_key("gemini-paid")).good is False
    assert dict(room.courier.orders[0].headers)["x-goog-api-key"] == "k"


async def test_no_key_no_check(room: Any) -> None:
    with pytest.raises(NotReady, match="no key"):
        await room.desk.check_key("openai")
    serve(room, models=(200, b"{}"))
    assert (await room.desk.check_key("lm-studio")).text == "LM Studio answers."


@pytest.mark.parametrize(
    ("status", "body", "why"), [(401, b"", "did not accept the key"), (500, b"", "in trouble"), (200, b"<html>", "no list of models")]
)
async def test_a_server_that_does_not_tell(room: Any, status: int, body: bytes, why: str) -> None:
    serve(room, models=(status, body))
    with pytest.raises(DestinationError) as raised:
        await room.desk.models("lm-studio")
    assert why in raised.value.why


async def test_a_server_that_is_not_there(room: Any) -> None:
    room.courier.ending, room.courier.sent = Carried.UNREACHABLE, 0
    with pytest.raises(DestinationError, match="did not answer"):
        await room.desk.models("lm-studio")
    assert (await room.desk.receipts())[-1].outcome is Outcome.FAILED


async def test_the_switches_count_here_too(room: Any) -> None:
    room.desk.ai_off = True
    with pytest.raises(GateClosed, match="switched off"):
        await room.desk.models("lm-studio")
    room.desk.ai_off = False
    for unknown in ("nowhere", "mirror"):
        with pytest.raises(DestinationError):
            await room.desk.models(unknown)
    await room.lock()
    with pytest.raises((VaultLocked, GateClosed)):
        await room.desk.models("lm-studio")
    assert room.courier.orders == []


@pytest.mark.parametrize("happens", ["ai", "lock", "model", "stop"])
async def test_what_happens_while_the_line_is_written(room: Any, monkeypatch: pytest.MonkeyPatch, happens: str) -> None:
    add, loop = room.desk._receipts.add_line, asyncio.get_running_loop()

    def slow(line: Any, ending: Any) -> Any:
        made = add(line, ending)
        if ending.outcome is Outcome.INTENDED:
            if happens == "ai":
                room.desk._gate.ai_off = True
            elif happens == "lock":
                room.vault.lock()
            elif happens == "stop":
                asyncio.run_coroutine_threadsafe(room.desk._errands.cancel_all(), loop).result()
            else:
                room.book.set_model("lm-studio", "other")
        return made

    monkeypatch.setattr(room.desk._receipts, "add_line", slow)
    with pytest.raises(GateClosed):
        await room.desk.models("lm-studio")
    assert room.courier.orders == []
    if happens == "lock":
        await room.unlock()
    assert (await room.desk.receipts())[-1].outcome is Outcome.NOT_SENT


async def test_a_key_that_is_no_header_text(room: Any) -> None:
    room.book.keys.set("openai", "a\r\nb")
    with pytest.raises(DestinationError):
        await room.desk.models("openai")
    assert room.courier.orders == []


@pytest.mark.parametrize(("error", "outcome"), [(CourierGone(), Outcome.NOT_SENT), (RuntimeError("x"), Outcome.FAILED)])
async def test_a_courier_that_fails(room: Any, error: Exception, outcome: Outcome) -> None:
    def fail(_: object) -> None:
        raise error

    room.courier.watch = fail
    with pytest.raises(type(error)):
        await room.desk.models("lm-studio")
    assert (await room.desk.receipts())[-1].outcome is outcome


async def test_a_courier_that_falls_silent_or_says_too_much(room: Any) -> None:
    async def silent(order: Any) -> Any:
        yield Progress(order.parcel_id, 0)

    async def endless(order: Any) -> Any:
        for _ in range(6):
            yield Answer(order.parcel_id, b"x" * 1_000_000)
        yield End(order.parcel_id, 0, 200, Carried.DONE, "")

    room.courier.send = silent
    with pytest.raises(CourierGone):
        await room.desk.models("lm-studio")
    room.courier.send = endless
    with pytest.raises(DestinationError):
        await room.desk.models("lm-studio")


async def test_leaving_stops_the_question_and_writes_its_end(room: Any) -> None:
    room.courier.hold = asyncio.Event()
    asked = asyncio.create_task(room.desk.models("lm-studio"))
    await room.courier.begun.wait()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await room.desk.close()
    assert (await room.desk.receipts())[-1].outcome is Outcome.CANCELLED


async def test_ai_off_stops_a_question(room: Any) -> None:
    room.courier.hold = asyncio.Event()
    asked = asyncio.create_task(room.desk.models("lm-studio"))
    await room.courier.begun.wait()
    assert room.desk._under_way()
    room.desk.ai_off = True
    with pytest.raises(DestinationError):
        await asked


# -- where a model runs


async def test_ollama_is_asked_before_anything_is_prepared(room: Any) -> None:
    room.book.set_model("ollama", "gemma4")
    serve(room, tags=(200, TAGS))
    proposal = await room.proposal("ollama")
    assert [order.path for order in room.courier.orders] == ["/api/tags"]
    assert json.loads(proposal.parcel.body)["model"] == "gemma4:local"
    assert room.courier.orders[0].loopback_only


@pytest.mark.parametrize(("model", "why"), [("far", "hand what you send on"), ("missing", "has no model")])
async def test_a_model_that_is_not_here_is_refused(room: Any, model: str, why: str) -> None:
    room.book.set_model("ollama", model)
    serve(room, tags=(200, TAGS))
    with pytest.raises(DestinationError) as raised:
        await room.proposal("ollama")
    assert why in raised.value.why


@pytest.mark.parametrize(
    ("status", "off", "words"),
    [((200, b'{"cloud":{"disabled":true}}'), True, "cloud is switched off"), ((404, b"{}"), None, "not known to be off")],
)
async def test_where_ollama_s_model_lies(room: Any, status: tuple[int, bytes], off: bool | None, words: str) -> None:
    room.book.set_model("ollama", "gemma4:latest")
    serve(room, tags=(200, TAGS), status=status)
    found = await room.desk.locality("ollama")
    assert (found.local, found.cloud_off) == (True, off)
    assert words in found.text
    room.book.set_model("ollama", "far:latest")
    assert not (await room.desk.locality("ollama")).local


async def test_where_others_are(room: Any) -> None:
    lm = await room.desk.locality("lm-studio")
    assert lm.local
    assert "linked" in lm.text
    assert (await room.desk.locality("vllm")).local
    away = await room.desk.locality("openai")
    assert not away.local
    assert "OpenAI" in away.text
    assert room.courier.orders == []


def test_what_is_worth_showing() -> None:
    found = ModelList((Model("a"), Model("b", pictures=False), Model("c", pictures=True, elsewhere=True)), 1)
    assert [each.id for each in choices(found, local=True)] == ["a"]
    assert [each.id for each in choices(found, local=False)] == ["a", "c"]


async def test_a_question_cut_short_by_a_crash_is_ended_at_the_next_unlock(room: Any) -> None:
    room.courier.watch = lambda order: setattr(room.files, "full", True)
    serve(room, models=(200, b'{"data":[]}'))
    with pytest.raises(OSError, match="space"):
        await room.desk.models("lm-studio")
    room.files.full = False
    await room.lock()
    await room.unlock()
    last = (await room.desk.receipts())[-1]
    assert (last.kind, last.outcome, last.bytes_sent) == (ReceiptKind.MODELS, Outcome.FAILED, 0)
