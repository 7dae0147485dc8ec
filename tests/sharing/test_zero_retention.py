"""A destination chosen because nothing is kept there is asked each time whether that is so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.sharing.errors import TermsForbid
from app.sharing.types import Outcome, ReceiptKind

MODELS = json.dumps({"data": [{"id": "grok-x"}]}).encode()
ANSWER = b'data: {"type":"response.output_text.delta","delta":"A fern."}\n\ndata: {"type":"response.completed","response":{}}\n\n'


@pytest.fixture
def xai(room: Any) -> str:
    for place in ("xai-zdr", "xai"):
        room.book.set_model(place, "grok-x")
        room.book.keys.set(place, "k")
    room.courier.answer, room.courier.request_id = MODELS, "req_7"
    return "xai-zdr"


async def test_nothing_goes_when_it_says_that_it_keeps(room: Any, xai: str) -> None:
    room.courier.zero_retention = "false"
    with pytest.raises(TermsForbid, match="zero retention is not on"):
        await room.proposal(xai)
    assert [order.body for order in room.courier.orders] == [b""], "asked without anything of the person's"
    lines = await room.desk.receipts()
    assert {line.kind for line in lines} == {ReceiptKind.MODELS}
    assert [line.request_id for line in lines] == ["", "req_7"]
    report = await room.desk.check_key(xai)
    assert "not on, so nothing is sent" in report.text


@pytest.mark.parametrize(("said", "words"), [("true", "is on."), ("", "does not say")])
async def test_otherwise_it_goes(room: Any, xai: str, said: str, words: str) -> None:
    room.courier.zero_retention = said
    assert words in (await room.desk.check_key(xai)).text
    proposal = await room.proposal(xai)
    room.courier.answer = ANSWER
    approval = await room.desk.approve(proposal)
    ended = [event async for event in room.desk.send(proposal, approval)][-1]
    assert (ended.receipt.outcome, ended.receipt.request_id) == (Outcome.ANSWERED, "req_7")


async def test_nobody_else_is_asked(room: Any, xai: str) -> None:
    room.courier.zero_retention = "false"
    await room.proposal(room.local.id)
    assert room.courier.orders == []
