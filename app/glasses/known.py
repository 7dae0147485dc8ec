"""The book of enrolled glasses, kept in the profile. Readable while the vault is locked, so that glasses can go on delivering.

It holds addresses and nicknames, never captures or keys.
"""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from app.errors import EyelidError
from app.files import replace_file
from app.glasses.types import KnownGlasses
from ble.types import EXIF_OF_TURNS

FORMAT = 1
NAMELESS = "My glasses"
"""The name of a pair that has none: not all glasses say one, and a wearer may take it away."""


class KnownGlassesDamaged(EyelidError):
    """The book cannot be read."""


class KnownBook:
    """Loads and keeps the enrolled pairs, by address."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pairs: dict[str, KnownGlasses] = self._load() if path.exists() else {}

    def _load(self) -> dict[str, KnownGlasses]:
        try:
            found = json.loads(self._path.read_text("utf-8"))
            if found["format"] > FORMAT:
                raise KnownGlassesDamaged(
                    "The list of your glasses was written by a newer Eyelid.",
                    "This version does not know its format; nothing is damaged.",
                    "Update Eyelid and open it again.",
                )
            pairs = [_parse(entry) for entry in found["glasses"]]
        except (ValueError, KeyError, TypeError) as error:
            raise KnownGlassesDamaged(
                "The list of your glasses cannot be read.",
                f"{self._path.name} is damaged.",
                "Move that file away and pair again; your captures are not affected.",
            ) from error
        return {pair.address: pair for pair in pairs}

    def all(self) -> tuple[KnownGlasses, ...]:
        return tuple(self._pairs.values())

    def get(self, address: str) -> KnownGlasses | None:
        return self._pairs.get(address)

    def keep(self, pair: KnownGlasses) -> None:
        """Enrol `pair`, or replace what was known of its address."""
        self._save({**self._pairs, pair.address: pair})

    def forget(self, address: str) -> None:
        self._save({known: pair for known, pair in self._pairs.items() if known != address})

    def _save(self, pairs: dict[str, KnownGlasses]) -> None:
        entries = [_entry(pair) for pair in pairs.values()]
        replace_file(self._path, json.dumps({"format": FORMAT, "glasses": entries}, indent=1, ensure_ascii=False).encode())
        self._pairs = pairs


def _entry(pair: KnownGlasses) -> dict[str, Any]:
    entry = dataclasses.asdict(pair)
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in entry.items()}


def _parse(entry: dict[str, Any]) -> KnownGlasses:
    seen = entry.get("last_seen")
    return KnownGlasses(
        address=_text(entry["address"]),
        family=_text(entry["family"]),
        name=_text(entry["name"] or NAMELESS),
        enrolled_at=datetime.fromisoformat(entry["enrolled_at"]),
        simulated=bool(entry.get("simulated", False)),
        continuous=bool(entry.get("continuous", False)),
        release=bool(entry.get("release", False)),
        last_seen=datetime.fromisoformat(seen) if seen else None,
        turn=_turn(entry.get("turn")),
    )


def _turn(value: object) -> int | None:
    if value is not None and (type(value) is not int or value not in EXIF_OF_TURNS):
        raise ValueError("quarter turns expected")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("text expected")
    return value
