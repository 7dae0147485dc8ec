"""What may stand in a policy card's file: each key, its type, and what must hold between them. With anything else it counts as unknown."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from app.sharing.regions import Region
from app.sharing.types import PolicyClass

STATEMENTS = ("trains", "opt_out", "retention", "people", "faces", "bystanders", "deletion", "voice")
"""What each card states, in the order in which it is shown."""

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
        "forbidden_models": list,
        "forbidden_models_why": str,
        "regions": dict,
        **dict.fromkeys(STATEMENTS, dict),
    }
)
_OPTIONAL = frozenset({"notes", "forbids_people", "training_models", "forbidden_models", "forbidden_models_why", "regions"})
_STATEMENT: Mapping[str, type] = MappingProxyType({"text": str, "quote": str, "source": str, "read_on": date})
_REGION: Mapping[str, type] = MappingProxyType({"class": str, "forbids": str, "note": str, **dict.fromkeys(STATEMENTS, dict)})
CARD_ID = re.compile(r"[a-z0-9-]{1,64}")
_MAX_FILE = 64 * 1024


class BadCard(Exception):
    """A card's file does not keep to the schema; the text says where."""


def parse(data: bytes) -> dict[str, Any]:
    """Check the bytes of a card's file against the schema and return its values; raises BadCard."""
    try:
        found = tomllib.loads(data[:_MAX_FILE].decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadCard("not TOML") from error
    _check_keys(found, SCHEMA, _OPTIONAL)
    for key in ("notes", "training_models", "forbidden_models"):
        if not all(isinstance(each, str) and each for each in found.get(key, ())):
            raise BadCard(key)
    if ("forbidden_models" in found) != bool(found.get("forbidden_models_why")):
        raise BadCard("forbidden_models")
    _check_regions(found.get("regions", {}))
    if found["read_on"] != min(_days(found)):
        raise BadCard("read_on is not the oldest of the statements' days")
    _check_class(found["class"])
    return found


def _check_regions(regions: dict[str, Any]) -> None:
    for name, terms in regions.items():
        if name not in {each.value for each in Region} or not isinstance(terms, dict) or not terms:
            raise BadCard("regions")
        _check_keys(terms, _REGION, frozenset(_REGION))
        _check_class(terms.get("class", PolicyClass.KEPT.value))


def _check_class(name: str) -> None:
    if name not in {each.value for each in PolicyClass}:
        raise BadCard("class")


def _days(found: dict[str, Any]) -> Iterator[date]:
    """Check each statement, also those of regions, and yield the day it was read."""
    for place in (found, *found.get("regions", {}).values()):
        for name in STATEMENTS:
            if name in place:
                statement = place[name]
                _check_keys(statement, _STATEMENT, frozenset())
                if not statement["text"].strip() or not statement["source"].strip():
                    raise BadCard(name)
                yield statement["read_on"]


def _check_keys(found: dict[str, Any], schema: Mapping[str, type], optional: frozenset[str]) -> None:
    if not schema.keys() - optional <= found.keys() <= schema.keys():
        raise BadCard("keys")
    # type() and not isinstance: a TOML date-time is a date too, but not a day.
    wrong = [key for key, value in found.items() if type(value) is not schema[key]]
    if wrong:
        raise BadCard(wrong[0])
