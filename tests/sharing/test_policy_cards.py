"""Policy cards: the shipped ones keep to the schema and the rules of the dialog; old, unknown and damaged ones count as the worst."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sharing.card_schema import STATEMENTS, BadCard, parse
from app.sharing.cards import MAX_AGE, CardBook
from app.sharing.errors import CardsMissing
from app.sharing.types import PolicyClass

SHIPPED = CardBook(clock=lambda: date(2026, 11, 23))
FILES = Path(__file__).parent.parent.parent / "resources" / "policies"
CARD = (FILES / "openai-api.toml").read_text("utf-8")


def book(folder: Path, day: date = date(2026, 11, 23)) -> CardBook:
    return CardBook(folder, lambda: day)


@pytest.mark.parametrize("card_id", SHIPPED.ids())
def test_shipped_cards_keep_the_rules(card_id: str) -> None:
    card = SHIPPED.card(card_id)
    parse((FILES / f"{card_id}.toml").read_bytes())
    assert card.id == card_id
    assert card.version == hashlib.sha256((FILES / f"{card_id}.toml").read_bytes()).hexdigest()
    for statement in (getattr(card, name) for name in STATEMENTS):
        assert statement.text.endswith(".")
        assert len(statement.text) <= 160, "three facts of one line each"
        assert len(statement.quote) <= 220, "a short quotation"
        assert statement.read_on <= date(2026, 11, 23)
    assert not card.expired
    if card.policy_class is PolicyClass.TRAINS:
        assert "may be used to train" in card.trains.text.lower()


def test_the_classes_of_the_shipped_cards() -> None:
    classes = {card_id: SHIPPED.card(card_id).policy_class for card_id in SHIPPED.ids()}
    trains = {"chatgpt", "claude", "gemini-app", "gemini-unpaid", "grok", "groq-api", "meta-ai", "meta-model-api", "mistral-api", "unknown"}
    kept = {"anthropic-api", "gemini-paid", "meta-model-api-paid", "ollama-cloud", "openai-api", "openrouter", "together-api"}
    kept |= {"xai-api", "xai-api-zdr"}
    local = {"llama-cpp", "lm-studio", "local-server", "ollama", "vllm"}
    assert {name for name, found in classes.items() if found is PolicyClass.TRAINS} == trains
    assert {name for name, found in classes.items() if found is PolicyClass.KEPT} == kept
    assert {name for name, found in classes.items() if found is PolicyClass.LOCAL} == local
    assert {name for name, found in classes.items() if found is PolicyClass.MIRROR} == {"mirror"}


def test_terms_that_forbid_people_say_so() -> None:
    assert "personal information" in SHIPPED.card("meta-model-api").forbids_people
    assert SHIPPED.card("meta-model-api-paid").forbids_people == ""


def test_a_card_ages_into_the_worst_class(cards: Path) -> None:
    read_on = SHIPPED.card("openai-api").read_on
    fresh = book(cards, read_on + MAX_AGE).card("openai-api")
    assert (fresh.policy_class, fresh.expired) == (PolicyClass.KEPT, False)
    old = book(cards, read_on + MAX_AGE + timedelta(days=1)).card("openai-api")
    assert (old.policy_class, old.expired, old.may_train) == (PolicyClass.TRAINS, True, True)
    assert old.trains.text.startswith("May be used to train AI: the terms were read on 2026-08-21")
    assert old.version == fresh.version
    assert old != fresh, "a card that expired voids what was agreed under it"


def test_a_card_from_the_future_counts_as_old(cards: Path) -> None:
    assert book(cards, date(2020, 1, 1)).card("openai-api").expired


def test_the_mirror_does_not_age(cards: Path) -> None:
    assert book(cards, date(2040, 1, 1)).card("mirror").policy_class is PolicyClass.MIRROR


def test_an_old_card_that_trains_keeps_its_words(cards: Path) -> None:
    card = book(cards, date(2040, 1, 1)).card("meta-model-api")
    assert card.expired
    assert card.trains.text == SHIPPED.card("meta-model-api").trains.text


@pytest.mark.parametrize("card_id", ["nothing-known", "", "../mirror", "MIRROR", "a" * 65, "mirror.toml"])
def test_the_unknown_counts_as_training(card_id: str) -> None:
    card = SHIPPED.card(card_id)
    assert (card.id, card.policy_class, card.expired) == (card_id, PolicyClass.TRAINS, True)


@pytest.mark.parametrize("model", ["muse-spark-1.3-contributor", "Muse-Spark-CONTRIBUTOR", "x-contributor-2026"])
def test_models_that_train_are_found(model: str) -> None:
    card = SHIPPED.card("meta-model-api-paid", model)
    assert card.policy_class is PolicyClass.TRAINS
    assert "may be used to train" in card.trains.text
    assert SHIPPED.card("meta-model-api-paid", "muse-spark-1.3").policy_class is PolicyClass.KEPT


def test_a_changed_word_is_another_version(cards: Path) -> None:
    before = book(cards).card("openai-api")
    (cards / "openai-api.toml").write_text(CARD.replace("30 days, longer", "60 days, longer"), "utf-8")
    assert book(cards).card("openai-api").version != before.version


DAMAGE: list[Callable[[str], str]] = [
    lambda text: "",
    lambda text: text + "\nmore = 1",
    lambda text: text.replace('class = "kept"', ""),
    lambda text: text.replace('class = "kept"', 'class = "fine"'),
    lambda text: text.replace('class = "kept"', "class = 5"),
    lambda text: text.replace('id = "openai-api"', 'id = "mirror"'),
    lambda text: text.replace("read_on = 2026-08-21\nnotes", "read_on = 2026-08-22\nnotes"),
    lambda text: text.replace("read_on = 2026-08-21\nnotes", 'read_on = "2026-08-21"\nnotes'),
    lambda text: text.replace("read_on = 2026-08-21\nnotes", "read_on = 2026-08-21T10:00:00Z\nnotes"),
    lambda text: text.replace("[faces]", "[other]"),
    lambda text: text.replace("[voice]", "[other]"),
    lambda text: text + "[regions.moon]\nnote = 'x'\n",
    lambda text: text + "[regions.us]\nmore = 'x'\n",
    lambda text: text + "[regions.us]\nclass = 'x'\n",
    lambda text: text + "[regions]\nus = 5\n",
    lambda text: text + "[regions.us]\n",
    lambda text: text + "[regions.us.trains]\ntext = 'x'\n",
    lambda text: text.replace("notes = [", "forbidden_models = ['x']\nnotes = ["),
    lambda text: text.replace("[faces]\ntext", "[faces]\nmore = 1\ntext"),
    lambda text: text.replace('text = "Kept for up to 30 days, longer if the law demands it."', 'text = " "'),
    lambda text: text.replace("notes = [", "notes = [5,"),
    lambda text: text.replace("notes = [", 'training_models = [""]\nnotes = ['),
    lambda text: text[:1000],
    lambda text: "x = " + "[" * 5000,
]


@pytest.mark.parametrize("damage", DAMAGE, ids=range(len(DAMAGE)))
def test_a_damaged_card_counts_as_unknown(cards: Path, damage: Callable[[str], str]) -> None:
    assert damage(CARD) != CARD
    (cards / "openai-api.toml").write_text(damage(CARD), "utf-8")
    card = book(cards).card("openai-api")
    assert (card.policy_class, card.expired, card.company) == (PolicyClass.TRAINS, True, "Unknown")


@given(st.binary(max_size=200))
def test_garbage_is_no_card(data: bytes) -> None:
    with pytest.raises(BadCard):
        parse(data)


def test_without_the_card_of_the_unknown_there_is_no_book(tmp_path: Path) -> None:
    with pytest.raises(CardsMissing):
        book(tmp_path).card("mirror")


def test_words_are_taken_over_whole() -> None:
    card = SHIPPED.card("openai-api")
    assert card.trains == replace(card.trains, quote="By default, we do not use your business data for training our models.")
    assert card.notes
    assert card.trains.read_on == date(2026, 8, 22)
