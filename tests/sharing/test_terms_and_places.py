"""Terms by place, terms that changed, destinations side by side, and questions that go on from earlier ones."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.courier.pipe import Ending as Carried
from app.settings import REGION, Settings, SettingsError
from app.sharing.card_schema import STATEMENTS
from app.sharing.cards import CardBook
from app.sharing.compare import QUESTIONS, READING_ONLY, all_cards, change_words, compare
from app.sharing.errors import NotReady, TermsForbid
from app.sharing.regions import COUNTRIES, PLACES, REGION_NAMES, US_STATES, Region, regions_of
from app.sharing.terms import FOLDER, TermsBook, difference, words_of
from app.sharing.types import Change, Outcome, PolicyClass
from app.vault.errors import VaultLocked
from tests.sharing.steps import receipt_of

BOOK = CardBook(clock=lambda: date(2026, 11, 23))


async def changed_terms(room: Any) -> tuple[Change, ...]:
    """What the terms of LM Studio say otherwise than when something was last sent under them."""
    changes: tuple[Change, ...] = await room.lanes.vault(room.desk._terms.changes, room.desk.card("lm-studio"))
    return changes


# -- places


@pytest.mark.parametrize(
    ("place", "regions"),
    [
        ("DE", (Region.EUROPE,)),
        ("NO", (Region.EUROPE,)),
        ("GB", (Region.EUROPE,)),
        ("CH", (Region.EUROPE,)),
        ("US", (Region.US,)),
        ("US-NY", (Region.US,)),
        ("US-IL", (Region.US, Region.ILLINOIS)),
        ("US-TX", (Region.US, Region.TEXAS)),
        ("CA", (Region.CANADA,)),
        ("JP", (Region.ELSEWHERE,)),
        ("", ()),
        ("XX", ()),
    ],
)
def test_places_and_their_groups(place: str, regions: tuple[Region, ...]) -> None:
    assert regions_of(place) == regions


def test_every_place_has_a_name() -> None:
    assert len(COUNTRIES) > 200
    assert len(US_STATES) == 51
    assert all(name.strip() and name.isprintable() for name in (*PLACES.values(), *REGION_NAMES.values()))
    assert set(REGION_NAMES) == set(Region)


def test_the_setting(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "settings.toml")
    assert settings.get(REGION) == ""
    settings.set(REGION, "US-IL")
    assert Settings(tmp_path / "settings.toml").get(REGION) == "US-IL"
    with pytest.raises(SettingsError) as raised:
        settings.set(REGION, "Atlantis")
    assert len(str(raised.value)) < 200


def test_terms_that_differ_show_their_own_text() -> None:
    anywhere, europe, texas = (BOOK.card("meta-ai", place=place) for place in ("", "FR", "US-TX"))
    assert "no switch against it outside Europe" in anywhere.trains.text
    assert "you may in Europe" in europe.trains.text
    assert "facial features" in texas.faces.quote
    assert "Illinois or Texas" in texas.bystanders.text
    assert any("Attorney General" in note for note in texas.notes)
    assert not any("Attorney General" in note for note in europe.notes)
    assert len({anywhere.version, europe.version, texas.version}) == 1
    assert anywhere != europe


def test_a_region_may_have_a_class_of_its_own(cards: Path) -> None:
    file = cards / "openai-api.toml"
    file.write_text(file.read_text("utf-8") + '\n[regions.canada]\nclass = "trains"\n', "utf-8")
    book = CardBook(cards, lambda: date(2026, 11, 23))
    assert book.card("openai-api", place="CA").policy_class is PolicyClass.TRAINS
    assert book.card("openai-api", place="JP").policy_class is PolicyClass.KEPT


async def test_terms_that_forbid_a_place(room: Any) -> None:
    room.book.set_model("gemini-unpaid", "gemini-x")
    room.book.keys.set("gemini-unpaid", "k")
    with pytest.raises(NotReady, match="differ by country"):
        await room.proposal("gemini-unpaid", no_people=True)
    room.desk.region = "DE"
    with pytest.raises(TermsForbid, match="only Paid Services"):
        await room.proposal("gemini-unpaid", no_people=True)
    room.desk.region = "JP"
    with pytest.raises(TermsForbid, match="personal information"):
        await room.proposal("gemini-unpaid")
    assert (await room.proposal("gemini-unpaid", no_people=True)).parcel.card.may_train


@pytest.mark.parametrize("model", ["labs-mistral-small", "Labs-x", "labs"])
async def test_models_that_are_refused(room: Any, model: str) -> None:
    room.book.set_model("mistral", model)
    room.book.keys.set("mistral", "k")
    with pytest.raises(TermsForbid, match="labs and preview"):
        await room.proposal("mistral", no_people=True)
    room.book.set_model("mistral", "pixtral")
    assert await room.proposal("mistral")


async def test_people_and_xai(room: Any) -> None:
    for each in ("xai", "xai-zdr"):
        room.book.set_model(each, "grok-x")
        room.book.keys.set(each, "k")
    with pytest.raises(TermsForbid, match="ZDR-Enabled"):
        await room.proposal("xai")
    assert await room.proposal("xai", no_people=True)
    assert b'"store":false' in (await room.proposal("xai-zdr")).parcel.body


async def test_contributor_models_train(room: Any) -> None:
    room.book.set_model("meta-paid", "muse-spark-1.3-contributor")
    assert room.desk.card("meta-paid").policy_class is PolicyClass.TRAINS


async def test_a_change_of_place_is_a_change_of_terms(room: Any) -> None:
    proposal = await room.proposal()
    approval = await room.desk.approve(proposal)
    room.desk.region = "US-TX"
    with pytest.raises(Exception, match="terms has changed"):
        [event async for event in room.desk.send(proposal, approval)]


# -- terms that changed


def reword(room: Any, old: str, new: str, card: str = "lm-studio") -> None:
    file = room.cards / f"{card}.toml"
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


async def test_changed_terms_are_said_word_for_word(room: Any) -> None:
    room.book.set_model("lm-studio", "m")
    first = await room.proposal("lm-studio")
    assert (first.changes, first.notes, first.again) == ((), (), False)
    await receipt_of(room, first)
    assert (await room.proposal("lm-studio")).changes == ()
    reword(room, "Whatever LM Studio is set to log; nobody else keeps anything.", "Ninety days.")
    assert [change.after for change in await changed_terms(room)] == ["Ninety days."]
    second = await room.proposal("lm-studio")
    (change,) = second.changes
    assert change == Change("retention", "Whatever LM Studio is set to log; nobody else keeps anything.", "Ninety days.")
    assert any("How long is it kept?" in note and "Ninety days." in note for note in second.notes)
    await receipt_of(room, second)
    assert (await room.proposal("lm-studio")).changes == ()


async def test_what_was_agreed_to_survives_a_lock_and_only_the_vault_knows(room: Any) -> None:
    room.book.set_model("lm-studio", "m")
    await receipt_of(room, await room.proposal("lm-studio"))
    await room.lock()
    with pytest.raises(VaultLocked):
        await changed_terms(room)
    await room.unlock()
    reword(room, 'class = "local"', 'class = "kept"')
    assert "class" in {change.name for change in await changed_terms(room)}
    assert len(list(room.vault.records(FOLDER))) == 1
    sealed = b"".join(file.read_bytes() for file in (room.vault._folder / FOLDER).iterdir())
    assert b"LM Studio" not in sealed


async def test_terms_expiring_is_a_change_too(room: Any) -> None:
    room.book.set_model("lm-studio", "m")
    await receipt_of(room, await room.proposal("lm-studio"))
    room.clock.pass_(days=200)
    changed = {change.name for change in await changed_terms(room)}
    assert changed == {"class", "trains"}


async def test_terms_that_another_computer_kept_meanwhile_are_no_reason_to_refuse(room: Any) -> None:
    here, there = TermsBook(room.vault), TermsBook(room.vault)
    one, other = (room.desk._cards.card(name) for name in ("openai-api", "anthropic-api"))
    assert here.changes(one) == there.changes(one) == ()
    there.remember(other, room.clock.now)
    here.remember(one, room.clock.now)
    here.remember(other, room.clock.now)  # it is known by now
    assert len(list(room.vault.records(FOLDER))) == 2


async def test_looking_is_no_agreeing(room: Any) -> None:
    await room.desk.refuse(await room.proposal())
    assert list(room.vault.records(FOLDER)) == []


async def test_a_yes_that_cannot_be_remembered_is_none(room: Any) -> None:
    proposal = await room.proposal()
    room.files.full = True
    with pytest.raises(OSError, match="space"):
        await room.desk.approve(proposal)
    room.files.full = False
    assert room.courier.orders == []
    assert (await receipt_of(room, proposal)).outcome is Outcome.ANSWERED


BAD_LINES = [b"x", b"{}", b"[]", b'{"format":"eyelid-terms-2","card":"a","words":{}}', b'{"format":"eyelid-terms-1","card":5,"words":{}}']
BAD_LINES += [b'{"format":"eyelid-terms-1","card":"a","words":{"b":5}}']


@pytest.mark.parametrize("line", BAD_LINES, ids=range(len(BAD_LINES)))
async def test_lines_that_cannot_be_read_say_nothing(room: Any, line: bytes) -> None:
    room.vault.seal_record(FOLDER, 1, line)
    assert (await room.proposal()).changes == ()
    await receipt_of(room, await room.proposal())
    assert [number for number, _ in room.vault.records(FOLDER)] == [1, 2]


def test_differences() -> None:
    assert difference({"a": "1", "b": "2"}, {"b": "3", "c": "4"}) == (Change("b", "2", "3"), Change("c", "", "4"), Change("a", "1", ""))
    assert change_words(Change("retention", "A.", "B.")) == "How long is it kept? Before: A. Now: B."
    assert change_words(Change("class", "kept", "trains")).startswith("In a word: before: It is not used for training")
    assert change_words(Change("forbids", "", "No.")) == "Forbidden: before: nothing was said. Now: No."
    assert change_words(Change("odd", "x", "y")) == "odd: before: x Now: y"


def test_a_line_has_all_that_a_card_says() -> None:
    card = BOOK.card("meta-model-api")
    words = words_of(card)
    assert set(words) == {"class", "forbids", "forbids_people", *STATEMENTS}
    assert words_of(replace(card, forbids="x")) != words


# -- side by side


def test_the_page_what_happens_to_what_i_send() -> None:
    table = compare(all_cards(BOOK, "DE"))
    assert table.cards[0].id == "mirror"
    assert {card.id for card in table.cards} == set(BOOK.ids())
    assert set(BOOK.ids()) >= READING_ONLY
    assert [row.question for row in table.rows] == list(QUESTIONS.values())
    assert all(len(row.answers) == len(table.cards) == len(table.in_a_word) for row in table.rows)
    assert all(answer.text.endswith(".") and answer.source for row in table.rows for answer in row.answers)
    ranks = [card.policy_class for card in table.cards]
    assert ranks.index(PolicyClass.TRAINS) > max(index for index, rank in enumerate(ranks) if rank is PolicyClass.KEPT)


async def test_the_desk_compares(room: Any) -> None:
    assert [card.id for card in room.desk.compare(["openai-api", "chatgpt"]).cards] == ["openai-api", "chatgpt"]
    assert len(room.desk.compare().cards) == len(room.desk.cards()) > 20


# -- going on from an earlier question


async def test_a_further_question_takes_the_earlier_words_along_and_says_so(room: Any) -> None:
    room.book.set_model("lm-studio", "m")
    first = await receipt_of(room, await room.proposal("lm-studio"))
    (exchange,) = await room.desk.conversation(room.item, "lm-studio")
    assert (exchange.question, exchange.answer) == ("What is this?", "A fern.")
    proposal = await room.proposal("lm-studio", question="Is it old?", earlier=(exchange.receipt,))
    assert [(turn.question, turn.answer) for turn in proposal.earlier] == [("What is this?", "A fern.")]
    messages = json.loads(proposal.parcel.body)["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]
    assert proposal.again
    assert proposal.notes == ("The same photo goes to LM Studio (this computer, or one linked to it) again.",)
    assert len(room.courier.orders) == 1, "it is asked again each time"
    second = await receipt_of(room, proposal)
    assert first.number < second.number
    assert [each.question for each in await room.desk.conversation(room.item, "lm-studio")] == ["What is this?", "Is it old?"]


async def test_what_was_said_to_one_is_not_told_to_another(room: Any) -> None:
    room.book.set_model("lm-studio", "m")
    receipt = await receipt_of(room, await room.proposal("lm-studio"))
    namesake = room.book.add_custom("LM Studio", "Somebody", "https://ai.example/v1", "m", needs_key=False).id
    for destination, number in ((namesake, receipt.number), ("vllm", receipt.number), ("lm-studio", 99), ("lm-studio", receipt.number - 1)):
        room.book.set_model(destination, "m")
        with pytest.raises(NotReady, match="no exchange"):
            await room.proposal(destination, earlier=(number,))
    assert await room.desk.conversation(room.item, namesake) == ()


async def test_the_mirror_can_be_asked_again_without_a_line(room: Any) -> None:
    await receipt_of(room, await room.proposal())
    assert not (await room.proposal()).again
    assert len(await room.desk.conversation(room.item, "mirror")) == 1


async def test_some_of_several_photos_go_again(room: Any) -> None:
    room.book.set_model("lm-studio", "m")
    other = room.vault.add(room.vault.read(room.item), room.vault.meta(room.item).new).id
    third = room.vault.add(room.vault.read(room.item), room.vault.meta(room.item).new).id
    await receipt_of(room, await room.proposal("lm-studio"))
    assert (await room.proposal("lm-studio", items=(room.item, other))).notes[0].endswith(" again: 1 of these 2.")
    await receipt_of(room, await room.proposal("lm-studio", items=(other,)))
    assert (await room.proposal("lm-studio", items=(room.item, other, third))).notes[0].endswith(" again: 2 of these 3.")


# -- ends in words


async def test_a_cancel_says_how_much_had_left(room: Any) -> None:
    proposal = await room.proposal()
    room.courier.ending, room.courier.sent = Carried.CANCELLED, 10
    assert (await receipt_of(room, proposal)).detail == f"Stopped on request. 10 of {proposal.size} bytes had left by then."
    room.courier.sent = None
    again = await room.proposal()
    assert (await receipt_of(room, again)).detail == f"Stopped on request. All of {again.size} bytes had left by then."
    room.courier.sent = 0
    assert (await receipt_of(room, await room.proposal())).detail == "Stopped before anything was sent."


async def test_an_answer_that_was_cut_off_says_so(room: Any) -> None:
    room.courier.answer = b'data: {"choices":[{"delta":{"content":"A"},"finish_reason":"length"}]}\n\ndata: [DONE]\n\n'
    receipt = await receipt_of(room, await room.proposal())
    assert (receipt.outcome, receipt.detail) == (Outcome.ANSWERED, "The answer was cut off because it reached its longest length.")


async def test_an_answer_from_elsewhere_is_told(room: Any) -> None:
    room.book.set_model("ollama", "gemma4")
    room.courier.answer = b'{"models":[{"name":"gemma4:latest"}]}'
    proposal = await room.proposal("ollama")
    room.courier.answer = b'{"message":{"content":"x"},"remote_host":"https://ollama.com","done":true}\n'
    receipt = await receipt_of(room, proposal)
    assert receipt.outcome is Outcome.FAILED
    assert "has left this computer" in receipt.detail


async def test_a_photo_longer_than_the_server_takes(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.assistants import wire
    from app.sharing import parcel

    small = replace(wire("mirror"), limits=replace(wire("mirror").limits, long_edge=10))  # type: ignore[type-var]
    monkeypatch.setattr(parcel, "wire", lambda name: small)
    with pytest.raises(NotReady, match="10 pixels"):
        await room.proposal()
