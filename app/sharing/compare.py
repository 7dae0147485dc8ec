"""What happens to what one sends, destination beside destination, in plain words. Pure: cards in, rows out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from app.sharing.card_schema import STATEMENTS
from app.sharing.cards import CardBook
from app.sharing.terms import CLASS, FORBIDS, NO_PEOPLE
from app.sharing.types import Change, PolicyCard, PolicyClass, Statement

QUESTIONS: Mapping[str, str] = MappingProxyType(
    {
        "trains": "May it be used to train AI?",
        "opt_out": "Can I say no to that?",
        "retention": "How long is it kept?",
        "people": "May people look at it?",
        "faces": "What about faces?",
        "bystanders": "What about people who were not asked?",
        "deletion": "Can I have it deleted?",
        "voice": "What about voices?",
    }
)
"""The question that each statement of a card answers."""

CLASS_WORDS: Mapping[PolicyClass, str] = MappingProxyType(
    {
        PolicyClass.TRAINS: "may be used to train AI, and seen by people",
        PolicyClass.KEPT: "not used for training by default; kept for a while, may be reviewed for abuse",
        PolicyClass.LOCAL: "stays on your own computer",
        PolicyClass.MIRROR: "stays on this computer; no AI",
    }
)
_CLASS_SENTENCES: Mapping[PolicyClass, str] = MappingProxyType(
    {
        PolicyClass.TRAINS: "It may be used to train AI, and seen by people.",
        PolicyClass.KEPT: "It is not used for training by default; it is kept for a while, and may be reviewed for abuse.",
        PolicyClass.LOCAL: "It stays on your own computer.",
        PolicyClass.MIRROR: "It stays on this computer; no AI.",
    }
)
READING_ONLY = frozenset({"chatgpt", "claude", "gemini-app", "grok", "meta-ai", "ollama-cloud"})
"""Cards of apps that Eyelid never sends to: people compare."""

_OTHER_NAMES = {CLASS: "In a word", FORBIDS: "Forbidden", NO_PEOPLE: "People in the picture"}


@dataclass(frozen=True, slots=True)
class Row:
    """One question, and what each column answers, in the order of the columns."""

    question: str
    answers: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A table: `cards` are its columns, `in_a_word` stands above each, `rows` below."""

    cards: tuple[PolicyCard, ...]
    in_a_word: tuple[str, ...]
    rows: tuple[Row, ...]


def compare(cards: Sequence[PolicyCard]) -> Comparison:
    """The table for these cards, as they were given out."""
    rows = tuple(Row(QUESTIONS[name], tuple(getattr(card, name) for card in cards)) for name in STATEMENTS)
    return Comparison(tuple(cards), tuple(CLASS_WORDS[card.policy_class] for card in cards), rows)


def all_cards(book: CardBook, place: str = "") -> tuple[PolicyCard, ...]:
    """Every card there is, from `place`: what stays here first, what trains last, then by company and title."""
    order = [PolicyClass.MIRROR, PolicyClass.LOCAL, PolicyClass.KEPT, PolicyClass.TRAINS]
    cards = (book.card(card_id, place=place) for card_id in book.ids())
    return tuple(sorted(cards, key=lambda card: (order.index(card.policy_class), card.company, card.title)))


def change_words(change: Change) -> str:
    """A line that says what changed."""
    title = QUESTIONS.get(change.name) or _OTHER_NAMES.get(change.name, change.name)
    before, after = (_value(change.name, text) for text in (change.before, change.after))
    return f"{title} Before: {before} Now: {after}" if title.endswith("?") else f"{title}: before: {before} Now: {after}"


def _value(name: str, text: str) -> str:
    if name == CLASS and text in {each.value for each in PolicyClass}:
        return _CLASS_SENTENCES[PolicyClass(text)]
    return text or "nothing was said."
