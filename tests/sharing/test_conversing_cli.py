"""A conversation at the terminal: further questions in words alone, asked for each time or allowed for a while."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from app.cli.approval import TALK, ask_and_answer
from app.cli.terminal import Exit
from app.sharing.types import Outcome
from tests.sharing.steps import Person


async def talk(room: Any, place: str, *answers: str) -> tuple[Exit, Person]:
    person = Person(*answers)
    services: Any = SimpleNamespace(sharing=room.desk)
    found = await ask_and_answer(services, room.draft(place), person, yes=False, talk=True)
    assert person.answers == []
    return found, person


@pytest.fixture
def kept(room: Any) -> str:
    room.book.set_model("openrouter", "m")
    room.book.keys.set("openrouter", "sk-1")
    return "openrouter"


async def test_allowed_for_a_while(room: Any, kept: str) -> None:
    found, person = await talk(room, kept, "y", "y", "And why?", "Is it old?", "")
    assert found is Exit.DONE
    lines = [line for line in await room.desk.receipts() if line.outcome is Outcome.ANSWERED]
    (grant,) = room.desk.grants()
    assert [line.grant for line in lines] == ["", grant.id, grant.id]
    assert [len(line.item_digests) for line in lines] == [1, 0, 0], "words alone"
    assert grant.items_left == TALK.items - 2
    assert sum("Sent under what you allowed" in line for line in person.said) == 2
    assert b"And why?" in room.courier.orders[-1].body, "what was said before goes again"


async def test_asked_for_each_time(room: Any, kept: str) -> None:
    _, person = await talk(room, kept, "y", "n", "And why?", "y", "n", "")
    assert room.desk.grants() == ()
    assert [question.startswith("Send ") for question in person.asked] == [True, False, False, True, False, False]
    assert [line.grant for line in await room.desk.receipts()] == [""] * 4


async def test_a_no_ends_it(room: Any, kept: str) -> None:
    found, _ = await talk(room, kept, "y", "n", "And why?", "n")
    assert found is Exit.KEPT_PRIVATE
    assert [line.outcome for line in await room.desk.receipts()][-1] is Outcome.REFUSED


async def test_nothing_to_allow_where_it_may_train(room: Any) -> None:
    place = room.book.add_custom("A", "Somebody", "https://ai.example/v1", "m")
    room.book.keys.set(place.id, "sk-1")
    _, person = await talk(room, place.id, "send", "And why?", "send", "")
    assert not any("without asking" in question for question in person.asked)
    assert room.desk.grants() == ()
