"""`eyelid policies`: what happens to what one sends, destination by destination, as read on a day. Needs no vault."""

from __future__ import annotations

import argparse
from typing import Any

from app import settings as declared
from app.cli.terminal import Exit, Terminal
from app.errors import EyelidError
from app.paths import Profile
from app.settings import Settings
from app.sharing.card_schema import STATEMENTS
from app.sharing.cards import MAX_AGE, CardBook, today
from app.sharing.compare import CLASS_WORDS, QUESTIONS, READING_ONLY, all_cards, compare
from app.sharing.regions import PLACES, REGION_NAMES
from app.sharing.types import PolicyCard, PolicyClass, Statement


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("policies", help="what happens to what you send, destination by destination")
    actions = command.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="every card, in a word")
    listing.set_defaults(command=show_all)
    one = actions.add_parser("show", help="one card whole, with quotations and sources")
    one.add_argument("id", metavar="ID")
    one.set_defaults(command=show_one)
    several = actions.add_parser("compare", help="cards side by side, question by question; all of them unless some are named")
    several.add_argument("ids", metavar="ID", nargs="*")
    several.set_defaults(command=show_side_by_side)
    for each in (listing, one, several):
        each.add_argument("--place", metavar="CODE", help="as if you were there: a country (DE) or a state (US-IL); not kept")
    review = actions.add_parser("review", help="which cards have to be read anew soon, with the sources to read")
    review.add_argument("--days", type=int, default=60, metavar="N", help="those that count as training within N days (60)")
    review.set_defaults(command=show_due)
    place = actions.add_parser("place", help="say where you are, since terms differ by it; without a code, show it")
    place.add_argument("code", metavar="CODE", nargs="?", help="a country (DE) or a state (US-IL)")
    place.set_defaults(command=keep_place)


def _place(profile: Profile, given: str | None) -> str:
    """The place that is given, or else the one that was said before; empty for none. Raises EyelidError."""
    code = (given or Settings(profile.settings).get(declared.REGION)).upper()
    if code and code not in PLACES:
        raise EyelidError("That place is not known.", "It is no code of a country or of a state.", "Give it like DE, GB or US-IL.")
    return code


async def show_all(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    cards = all_cards(CardBook(), _place(profile, arguments.place))
    for card in cards:
        terminal.say(f"{card.id:<20} {card.title}: {CLASS_WORDS[card.policy_class]}")
    terminal.say("\nTerms as read on the day each card names, not legal advice. “eyelid policies show ID” gives a card whole.")
    terminal.data([_data(card) for card in cards])
    return Exit.DONE


async def show_one(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    card = _known(arguments.id, _place(profile, arguments.place))
    terminal.say(f"{card.title} ({card.company})")
    terminal.say(f"In a word: {CLASS_WORDS[card.policy_class]}.")
    if card.id in READING_ONLY:
        terminal.say("Eyelid does not send to it; this card is for comparing.")
    for name in STATEMENTS:
        _say(QUESTIONS[name], getattr(card, name), terminal)
    for terms in card.regions:
        terminal.say(f"\nOnly in: {REGION_NAMES[terms.region]}")
        for line in (terms.forbids, terms.note):
            if line:
                terminal.say(f"  {line}")
        for name, statement in terms.statements:
            _say(QUESTIONS[name], statement, terminal)
    for line in (card.forbids, card.forbids_people, *card.notes):
        if line:
            terminal.say(f"\n- {line}")
    terminal.say(
        f"\nTerms read on {card.read_on.isoformat()}{', too long ago to rely on' if card.expired else ''}; version {card.version[:12]}."
    )
    terminal.data(_data(card))
    return Exit.DONE


def _say(question: str, statement: Statement, terminal: Terminal) -> None:
    terminal.say(f"\n{question}\n  {statement.text}")
    if statement.quote:
        terminal.say(f"  “{statement.quote}”")
    terminal.say(f"  {statement.source}, read on {statement.read_on.isoformat()}")


async def show_side_by_side(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    place = _place(profile, arguments.place)
    cards = [_known(card_id, place) for card_id in arguments.ids] or list(all_cards(CardBook(), place))
    table = compare(cards)
    for card, word in zip(table.cards, table.in_a_word, strict=True):
        terminal.say(f"{card.title}: {word}")
    for row in table.rows:
        terminal.say(f"\n{row.question}")
        for card, answer in zip(table.cards, row.answers, strict=True):
            terminal.say(f"  {card.title}: {answer.text}")
    terminal.data(
        {row.question: {card.id: answer.text for card, answer in zip(table.cards, row.answers, strict=True)} for row in table.rows}
    )
    return Exit.DONE


async def show_due(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    """Cards by the day from which they no longer count; the mirror's is about this program and has none."""
    cards = [card for card in all_cards(CardBook(), "") if card.policy_class is not PolicyClass.MIRROR]
    due = sorted((card for card in cards if _days_left(card) <= arguments.days), key=_days_left)
    for card in due:
        left = _days_left(card)
        terminal.say(f"{card.id:<22} read on {card.read_on.isoformat()}, {'counts as training now' if left < 0 else f'{left} days left'}")
        for source in sorted({getattr(card, name).source for name in STATEMENTS}):
            terminal.say(f"    {source}")
    terminal.say(f"{len(due)} of {len(cards)} cards are to be read anew within {arguments.days} days.")
    terminal.data([{**_data(card), "days_left": _days_left(card)} for card in due])
    return Exit.DONE


def _days_left(card: PolicyCard) -> int:
    return (card.read_on + MAX_AGE - today()).days


async def keep_place(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    settings = Settings(profile.settings)
    if arguments.code is not None:
        settings.set(declared.REGION, _place(profile, arguments.code))
    code = settings.get(declared.REGION)
    terminal.say(f"{PLACES[code]} ({code})" if code else "Not said yet.")
    terminal.data({"region": code})
    return Exit.DONE


def _known(card_id: str, place: str) -> PolicyCard:
    book = CardBook()
    if card_id not in book.ids():
        raise EyelidError("There is no such card.", "", "Look it up with “eyelid policies list”.")
    return book.card(card_id, place=place)


def _data(card: PolicyCard) -> dict[str, Any]:
    statements = {name: getattr(card, name) for name in STATEMENTS}
    return {
        "id": card.id,
        "title": card.title,
        "company": card.company,
        "class": card.policy_class.value,
        "expired": card.expired,
        "forbids": card.forbids,
        "forbids_people": card.forbids_people,
        "read_on": card.read_on.isoformat(),
        "version": card.version,
        **{
            name: {"text": each.text, "quote": each.quote, "source": each.source, "read_on": each.read_on.isoformat()}
            for name, each in statements.items()
        },
    }
