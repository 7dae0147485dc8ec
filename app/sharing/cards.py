"""Policy cards: what each destination does with what it is sent, as dated data. A card that is unknown, damaged or old counts as the worst.

The cards are files under resources/policies; `app.sharing.card_schema` says what may stand in one. They describe; they are no legal advice.
"""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from app.sharing.card_schema import CARD_ID, STATEMENTS, BadCard, parse
from app.sharing.errors import CardsMissing
from app.sharing.regions import Region, regions_of
from app.sharing.types import PolicyCard, PolicyClass, RegionTerms, Statement

MAX_AGE = timedelta(days=180)
"""Terms change: within eleven months one provider's promise turned into its opposite. Older readings are not relied on."""

UNKNOWN = "unknown"


def today() -> date:
    return datetime.now(UTC).date()


class CardBook:
    """Gives out cards as they count today. Files are read anew each time, so that a card replaced by an update is seen at once."""

    def __init__(self, folder: Traversable | None = None, clock: Callable[[], date] = today) -> None:
        self._folder = folder if folder is not None else resources.files("resources") / "policies"
        self._clock = clock

    def card(self, card_id: str, model: str = "", place: str = "") -> PolicyCard:
        """The card for `card_id`, with the class that counts today for `model`, from `place`. Raises CardsMissing."""
        try:
            data, found = self._load(card_id)
        except (BadCard, OSError):
            try:
                data, found = self._load(UNKNOWN)
            except (BadCard, OSError) as error:
                raise CardsMissing from error
            found["id"] = card_id
            return replace(self._aged(_card(data, found, place)), expired=True)
        card = self._aged(_card(data, found, place))
        if _matches(model, found.get("forbidden_models", ())):
            card = replace(card, forbids=found["forbidden_models_why"])
        if _matches(model, found.get("training_models", ())):
            return worsened(card, "This model is offered on the condition that what is sent to it may be used to train AI.")
        return card

    def ids(self) -> tuple[str, ...]:
        """The ids of all cards there are."""
        return tuple(sorted(each.name.removesuffix(".toml") for each in self._folder.iterdir() if each.name.endswith(".toml")))

    def _load(self, card_id: str) -> tuple[bytes, dict[str, Any]]:
        if not CARD_ID.fullmatch(card_id):
            raise BadCard("id")
        data = (self._folder / f"{card_id}.toml").read_bytes()
        found = parse(data)
        if found["id"] != card_id:
            raise BadCard("id")
        return data, found

    def _aged(self, card: PolicyCard) -> PolicyCard:
        # The mirror's card tells of this very program, not of anybody's terms, and is as old as the program.
        age = self._clock() - card.read_on
        if card.policy_class is PolicyClass.MIRROR or timedelta(days=-1) <= age <= MAX_AGE:
            return card
        text = f"May be used to train AI: the terms were read on {card.read_on.isoformat()}, too long ago to rely on."
        return replace(worsened(card, text), expired=True)


def _matches(model: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatch(model.lower(), pattern) for pattern in patterns)


def worsened(card: PolicyCard, why: str) -> PolicyCard:
    """`card` as one that trains; what it said of training before is kept behind the reason."""
    if card.policy_class is PolicyClass.TRAINS:
        return card
    trains = replace(card.trains, text=f"{why} The terms as read said: {card.trains.text}")
    return replace(card, policy_class=PolicyClass.TRAINS, trains=trains)


def _card(data: bytes, found: dict[str, Any], place: str) -> PolicyCard:
    regions = tuple(_terms(Region(name), terms) for name, terms in found.get("regions", {}).items())
    here = regions_of(place)
    # The broad group first, so that the narrower one has the last word.
    counting = [terms for region in here for terms in regions if terms.region is region]
    statements = {name: Statement(**found[name]) for name in STATEMENTS}
    for terms in counting:
        statements |= dict(terms.statements)
    classes = [terms.policy_class for terms in counting if terms.policy_class]
    return PolicyCard(
        id=found["id"],
        title=found["title"],
        company=found["company"],
        policy_class=classes[-1] if classes else PolicyClass(found["class"]),
        **statements,
        read_on=found["read_on"],
        version=hashlib.sha256(data).hexdigest(),
        expired=False,
        notes=(*found.get("notes", ()), *(terms.note for terms in counting if terms.note)),
        forbids_people=found.get("forbids_people", ""),
        regions=regions,
        place=place if here else "",
        forbids=next((terms.forbids for terms in counting if terms.forbids), ""),
        asks_place=not here and any(terms.forbids for terms in regions),
    )


def _terms(region: Region, found: dict[str, Any]) -> RegionTerms:
    statements = tuple((name, Statement(**found[name])) for name in STATEMENTS if name in found)
    policy_class = PolicyClass(found["class"]) if "class" in found else None
    return RegionTerms(region, statements, found.get("forbids", ""), found.get("note", ""), policy_class)
