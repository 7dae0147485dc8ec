"""The words a capture can be found by, and what a person's search becomes. Text only: no database, no keys."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from app.vault.types import ItemMeta

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_WORD = re.compile(r"\w+")
_MOST = 16
"""Words of a search that count."""


def local_time(when: datetime) -> datetime:
    """The same moment in the time of this computer's place, which a `when` without a zone is taken to be in.

    Windows knows no zones before 1970 nor after 3000 (python/cpython, issues 80940 and 103648): there it is in UTC.
    """
    try:
        return when.astimezone()
    except OSError:
        return when.astimezone(UTC) if when.tzinfo is not None else when.replace(tzinfo=UTC)


def date_words(when: datetime) -> str:
    """Return, for example, "monday 12 may 2026 2026-05-12", in the time of this computer's place."""
    local = local_time(when)
    day, month = _DAYS[local.weekday()], _MONTHS[local.month - 1]
    return f"{day} {local.day} {month} {local.year} {local.date().isoformat()}"


def item_words(meta: ItemMeta) -> str:
    """Return everything an item is found by: note, albums, date, glasses, kind, questions and answers, its status and where it was sent."""
    parts = [meta.note, *meta.albums, date_words(meta.new.taken_at), meta.new.origin.name, meta.new.origin.family, meta.new.kind.value]
    for exchange in meta.exchanges:
        parts += [exchange.question, exchange.answer]
    parts += [share.company for share in meta.shares]
    parts.append("shared" if any(share.leaves_computer for share in meta.shares) else "private")
    return clean("\n".join(part for part in parts if part))


def clean(text: str) -> str:
    """Return `text` as the database takes it: no lone surrogates, which names from some file systems have, and no NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", " ")


def match_query(text: str) -> str:
    """Return the FTS5 query for what a person typed: every word must be there, each as the beginning of one. Empty if it has no words.

    Each word is quoted, so nothing typed is taken as FTS5 syntax (sqlite.org/fts5.html, section 3.1).
    """
    return " ".join(f'"{word}"*' for word in _WORD.findall(clean(text))[:_MOST])
