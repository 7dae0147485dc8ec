"""The shipped cards as a whole: every destination and every app that people compare, each fact with its source, and in time."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.events import GrantsChanged
from app.sharing.built_in import BUILT_IN, LOCAL_KINDS
from app.sharing.card_schema import STATEMENTS
from app.sharing.cards import MAX_AGE, CardBook
from app.sharing.compare import READING_ONLY, compare
from app.sharing.grants import GrantSpan, GrantWish
from app.sharing.regions import Region
from app.sharing.types import PolicyClass

FILES = Path(__file__).parent.parent.parent / "resources" / "policies"
TODAY = date(2026, 11, 23)
SHIPPED = CardBook(clock=lambda: TODAY)
AWAY = [card_id for card_id in SHIPPED.ids() if SHIPPED.card(card_id).policy_class in (PolicyClass.TRAINS, PolicyClass.KEPT)]

WANTED = {
    "Meta AI": ["meta-ai"],
    "Meta Model API, unpaid and paid": ["meta-model-api", "meta-model-api-paid"],
    "OpenAI, Anthropic": ["openai-api", "anthropic-api"],
    "Gemini API, unpaid and paid": ["gemini-unpaid", "gemini-paid"],
    "Mistral, xAI, Groq": ["mistral-api", "xai-api", "xai-api-zdr", "groq-api"],
    "OpenRouter, Together": ["openrouter", "together-api"],
    "Ollama, here and in its cloud": ["ollama", "ollama-cloud"],
    "servers on this computer": ["lm-studio", "llama-cpp", "vllm", "local-server"],
    "the mirror, and what is not known": ["mirror", "unknown"],
    "apps, for comparing": ["chatgpt", "claude", "gemini-app", "grok"],
}


@pytest.mark.parametrize("who", WANTED)
def test_there_is_a_card_for_it(who: str) -> None:
    for card_id in WANTED[who]:
        assert not SHIPPED.card(card_id, "a-model", "US").expired


def test_no_card_is_there_for_nothing() -> None:
    used = {each.card_id for each in BUILT_IN} | {kind.card_id for kind in LOCAL_KINDS.values()} | READING_ONLY | {"mirror", "unknown"}
    assert set(SHIPPED.ids()) == used == {card_id for cards in WANTED.values() for card_id in cards}


@pytest.mark.parametrize("card_id", AWAY)
def test_what_was_found_is_quoted_and_the_rest_is_said_not_to_be_known(card_id: str) -> None:
    """A fact without a quotation either says that nothing was found or stated, or follows from what else is quoted on the card."""
    found = tomllib.loads((FILES / f"{card_id}.toml").read_text("utf-8"))
    quoted = [name for name in STATEMENTS if found[name]["quote"]]
    facts = ("trains", "retention", "deletion", "people", "opt_out")
    bare = [name for name in facts if not found[name]["quote"]]
    if card_id == "unknown":
        assert quoted == []
        return
    assert "trains" in quoted or "not read" in found["trains"]["text"]
    assert "retention" in quoted or "55 days" in found["retention"]["text"]
    assert len(bare) <= 3, f"too little of it was read: {bare}"
    for name in STATEMENTS:
        assert found[name]["source"], name
        assert date(2026, 5, 27) <= found[name]["read_on"] <= TODAY, "read within the time that a card counts for"


@pytest.mark.parametrize("card_id", SHIPPED.ids())
def test_every_card_grows_old(card_id: str) -> None:
    """On the last day it counts, on the next it is the worst, and says so; only the mirror, which is this program, does not age."""
    read_on = SHIPPED.card(card_id).read_on
    last = CardBook(clock=lambda: read_on + MAX_AGE).card(card_id)
    after = CardBook(clock=lambda: read_on + MAX_AGE + timedelta(days=1)).card(card_id)
    assert not last.expired
    if card_id == "mirror":
        assert after == last
        return
    assert (after.expired, after.may_train) == (True, True)
    assert MAX_AGE.days == 180


@pytest.mark.parametrize("card_id", SHIPPED.ids())
def test_every_card_says_everything_everywhere(card_id: str) -> None:
    for place in ("", "DE", "GB", "CH", "US", "US-IL", "US-TX", "CA", "JP"):
        card = SHIPPED.card(card_id, "", place)
        assert all(getattr(card, name).text and getattr(card, name).source for name in STATEMENTS)
        assert len(compare([card]).rows) == len(STATEMENTS)


def test_what_becomes_of_voices_with_meta() -> None:
    card = SHIPPED.card("meta-ai")
    assert "29 April 2025" in card.voice.text
    assert "no setting against it" in card.voice.text
    assert "no longer available" in card.voice.quote
    assert any("90 days" in note for note in card.notes)


def test_meta_by_place() -> None:
    everywhere, europe, illinois = (SHIPPED.card("meta-ai", "", place) for place in ("", "FR", "US-IL"))
    assert "not sharing is the only way" in everywhere.opt_out.text
    assert "object" in europe.opt_out.text
    assert "Illinois" in illinois.bystanders.text
    assert {terms.region for terms in everywhere.regions} >= {Region.EUROPE, Region.US, Region.ILLINOIS, Region.TEXAS, Region.CANADA}


@pytest.mark.parametrize(
    ("card_id", "model", "place", "forbids"),
    [
        ("gemini-unpaid", "", "DE", "Paid Services"),
        ("gemini-unpaid", "", "US", ""),
        ("mistral-api", "labs-x", "US", "labs and preview"),
        ("mistral-api", "pixtral", "US", ""),
        ("meta-model-api", "muse", "US", ""),
    ],
)
def test_what_terms_forbid(card_id: str, model: str, place: str, forbids: str) -> None:
    card = SHIPPED.card(card_id, model, place)
    assert forbids in card.forbids
    assert bool(card.forbids) == bool(forbids)


def test_who_must_not_get_people() -> None:
    assert {card_id for card_id in SHIPPED.ids() if SHIPPED.card(card_id).forbids_people} == {"meta-model-api", "gemini-unpaid", "xai-api"}


async def test_a_changed_card_ends_grants_and_says_what_changed(room: Any) -> None:
    told: list[GrantsChanged] = []
    room.desk._events.subscribe(GrantsChanged, told.append)
    room.book.set_model("openai", "gpt-x")
    room.book.keys.set("openai", "sk-1")
    proposal = await room.proposal("openai")
    approval = await room.desk.approve(proposal, GrantWish(GrantSpan.CONVERSATION))
    async for _ in room.desk.send(proposal, approval):
        pass
    file = room.cards / "openai-api.toml"
    text = file.read_text("utf-8")
    file.write_text(text.replace("Kept for up to 30 days, longer if the law demands it.", "Kept for ever."), "utf-8")
    assert room.desk.grants() == ()
    again = await room.proposal("openai")
    (change,) = again.changes
    assert (change.name, change.after) == ("retention", "Kept for ever.")
    assert room.desk.grant_offer(again).spans == (GrantSpan.ONCE,)
    assert any("Kept for ever." in note for note in again.notes)
    assert told[-1].ended[0].why.endswith("Now: Kept for ever.")


async def test_a_card_that_grows_old_ends_grants(room: Any) -> None:
    await room.desk.refuse(await room.proposal(room.local.id))
    proposal = await room.proposal(room.local.id)
    await room.desk.approve(proposal, GrantWish(GrantSpan.UNTIL_OFF))
    (grant,) = room.desk.grants()
    room.clock.pass_(days=MAX_AGE.days + 1)
    assert room.desk.grants() == ()
    assert room.desk.card(room.local.id) == replace(room.desk.card(room.local.id), expired=True, policy_class=PolicyClass.TRAINS)
    assert grant.card.policy_class is PolicyClass.LOCAL
