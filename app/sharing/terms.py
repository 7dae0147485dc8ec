"""The terms under which something was sent: sealed in the vault word for word, so that a change can be shown, and a receipt be looked up.

Lies in the vault as `terms/<number>.age`, lines only added. Runs on the vault's lane only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Protocol

from app.sharing.card_schema import STATEMENTS
from app.sharing.types import Change, PolicyCard
from app.vault.errors import RecordExists

FOLDER = "terms"
FORMAT = "eyelid-terms-1"
CLASS, FORBIDS, NO_PEOPLE = "class", "forbids", "forbids_people"


class Records(Protocol):
    """What the book needs of the vault."""

    def seal_record(self, folder: str, number: int, data: bytes) -> None: ...
    def records(self, folder: str) -> Iterator[tuple[int, bytes]]: ...


class TermsBook:
    """What each card said when something was last sent under it. Read from the vault once, forgotten when it locks."""

    def __init__(self, vault: Records) -> None:
        self._vault = vault
        self._last: dict[str, dict[str, Any]] | None = None
        self._number = 0

    def changes(self, card: PolicyCard) -> tuple[Change, ...]:
        """What `card` says otherwise than when something was last sent under it; nothing at the first time. Raises VaultLocked."""
        before = self._known().get(card.id)
        return difference(before["words"], words_of(card)) if before else ()

    def remember(self, card: PolicyCard, at: datetime) -> None:
        """Keep the words of `card`, unless they are the ones kept last. Raises VaultLocked, and what writing a file may raise."""
        try:
            self._remember(card, at)
        except RecordExists:  # another computer's line came into the folder meanwhile: it may say the very same
            self.forget()
            self._remember(card, at)

    def _remember(self, card: PolicyCard, at: datetime) -> None:
        known = self._known()
        words = words_of(card)
        if card.id in known and known[card.id]["words"] == words:
            return
        line = {"format": FORMAT, "card": card.id, "version": card.version, "at": at.isoformat(), "words": words}
        self._number += 1
        self._vault.seal_record(FOLDER, self._number, json.dumps(line, sort_keys=True, separators=(",", ":")).encode())
        known[card.id] = line

    def forget(self) -> None:
        """Drop what was read from the vault."""
        self._last = None

    def _known(self) -> dict[str, dict[str, Any]]:
        if self._last is None:
            found: dict[str, dict[str, Any]] = {}
            for number, data in self._vault.records(FOLDER):
                self._number = max(self._number, number)
                if line := _line(data):
                    found[line["card"]] = line
            self._last = found
        return self._last


def _line(data: bytes) -> dict[str, Any] | None:
    """The line that `data` holds. One that is damaged or of a later format says nothing: the terms then count as never seen."""
    try:
        found = json.loads(data)
        whole = found["format"] == FORMAT and isinstance(found["card"], str)
        words = all(isinstance(name, str) and isinstance(text, str) for name, text in found["words"].items())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return found if whole and words else None


def words_of(card: PolicyCard) -> dict[str, str]:
    """All that `card` says where it counts, by name: its class, its statements, and what it forbids."""
    words = {CLASS: card.policy_class.value, FORBIDS: card.forbids, NO_PEOPLE: card.forbids_people}
    return words | {name: getattr(card, name).text for name in STATEMENTS}


def difference(before: dict[str, str], after: dict[str, str]) -> tuple[Change, ...]:
    """What is said otherwise after than before, in the order in which cards are shown."""
    names = [*after, *(name for name in before if name not in after)]
    pairs = ((name, before.get(name, ""), after.get(name, "")) for name in names)
    return tuple(Change(name, old, new) for name, old, new in pairs if old != new)
