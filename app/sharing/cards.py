"""Policy cards: what each destination does with what it is sent, as dated data. A card that is unknown, damaged or old counts as the worst.

The cards are files under resources/policies; `SCHEMA` below is all that may stand in one. They describe; they are no legal advice.
"""

from __future__ import annotations

import fnmatch
import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

from app.sharing.errors import CardsMissing
from app.sharing.types import PolicyCard, PolicyClass, Statement

MAX_AGE = timedelta(days=180)
"""Terms change: within eleven months one provider's promise turned into its opposite. Older readings are not relied on."""

UNKNOWN = "unknown"
_STATEMENTS = ("trains", "retention", "people", "opt_out", "faces")
SCHEMA: Mapping[str, type] = MappingProxyType(
    {
        "id": str,
        "title": str,
        "company": str,
        "class": str,
        "read_on": date,
        "notes": list,
        "forbids_people": str,
        "training_models": list,
        **dict.fromkeys(_STATEMENTS, dict),
    }
)
_OPTIONAL = {"notes", "forbids_people", "training_models"}
_ID = re.compile(r"[a-z0-9-]{1,64}")
_MAX_FILE = 64 * 1024


class BadCard(Exception):
    """A card's file does not keep to the schema; the text says where."""


def today() -> date:
    return datetime.now(UTC).date()


class CardBook:
    """Gives out cards as they count today. Files are read anew each time, so that a card replaced by an update is seen at once."""

    def __init__(self, folder: Traversable | None = None, clock: Callable[[], date] = today) -> None:
        self._folder = folder if folder is not None else resources.files("resources") / "policies"
        self._clock = clock

    def card(self, card_id: str, model: str = "") -> PolicyCard:
        """The card for `card_id`, with the class that counts today for `model`. Raises CardsMissing."""
        try:
            data, found = self._load(card_id)
        except (BadCard, OSError):
            try:
                data, found = self._load(UNKNOWN)
            except (BadCard, OSError) as error:
                raise CardsMissing from error
            found["id"] = card_id
            return replace(self._aged(_card(data, found)), expired=True)
        card = self._aged(_card(data, found))
        if any(fnmatch.fnmatch(model.lower(), pattern) for pattern in found.get("training_models", ())):
            return worsened(card, "This model is offered on the condition that what is sent to it may be used to train AI.")
        return card

    def ids(self) -> tuple[str, ...]:
        """The ids of all cards there are."""
        return tuple(sorted(each.name.removesuffix(".toml") for each in self._folder.iterdir() if each.name.endswith(".toml")))

    def _load(self, card_id: str) -> tuple[bytes, dict[str, Any]]:
        if not _ID.fullmatch(card_id):
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


def worsened(card: PolicyCard, why: str) -> PolicyCard:
    """`card` as one that trains; what it said of training before is kept behind the reason."""
    if card.policy_class is PolicyClass.TRAINS:
        return card
    trains = replace(card.trains, text=f"{why} The terms as read said: {card.trains.text}")
    return replace(card, policy_class=PolicyClass.TRAINS, trains=trains)


def parse(data: bytes) -> dict[str, Any]:
    """Check the bytes of a card's file against the schema and return its values; raises BadCard."""
    try:
        found = tomllib.loads(data[:_MAX_FILE].decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadCard("not TOML") from error
    _check_keys(found, SCHEMA, _OPTIONAL)
    for key in ("notes", "training_models"):
        if not all(isinstance(each, str) and each for each in found.get(key, ())):
            raise BadCard(key)
    days = []
    for name in _STATEMENTS:
        _check_keys(found[name], {"text": str, "quote": str, "source": str, "read_on": date}, set())
        if not found[name]["text"].strip() or not found[name]["source"].strip():
            raise BadCard(name)
        days.append(found[name]["read_on"])
    if found["read_on"] != min(days):
        raise BadCard("read_on is not the oldest of the statements' days")
    if found["class"] not in {each.value for each in PolicyClass}:
        raise BadCard("class")
    return found


def _check_keys(found: dict[str, Any], schema: Mapping[str, type], optional: set[str]) -> None:
    if not schema.keys() - optional <= found.keys() <= schema.keys():
        raise BadCard("keys")
    # type() and not isinstance: a TOML date-time is a date too, but not a day.
    wrong = [key for key, value in found.items() if type(value) is not schema[key]]
    if wrong:
        raise BadCard(wrong[0])


def _card(data: bytes, found: dict[str, Any]) -> PolicyCard:
    return PolicyCard(
        id=found["id"],
        title=found["title"],
        company=found["company"],
        policy_class=PolicyClass(found["class"]),
        **{name: Statement(**found[name]) for name in _STATEMENTS},
        read_on=found["read_on"],
        version=hashlib.sha256(data).hexdigest(),
        expired=False,
        notes=tuple(found.get("notes", ())),
        forbids_people=found.get("forbids_people", ""),
    )
