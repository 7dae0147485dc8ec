"""The sealed meta file's text: what is known of an item as JSON, both ways. Touches no disk and no keys.

The parser is strict and bounded: what it returns is exactly what was dumped, and anything else raises MetaError.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from app.vault.types import Exchange, ItemId, ItemKind, ItemMeta, NewItem, Origin, Recognised, Share

VERSION = 1
LARGEST = 4 << 20
"""Bytes of one meta file's plaintext."""
_PAD = 1024
"""The text is filled up with spaces to a multiple of this many bytes, so that its size says little about the notes in it."""
_MOST = 10_000
"""Entries of one list."""
_ID = re.compile(r"[0-9a-f]{32}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_BIG = 1 << 53
EARLIEST, LATEST = datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC)
"""Every time zone can tell these."""

T = TypeVar("T")


class MetaError(ValueError):
    """Not a meta file. The message names the entry, never its content."""


class MetaTooNew(MetaError):
    """A meta file of a later version."""


def dump(meta: ItemMeta) -> bytes:
    """Return the text of `meta`, padded. Naive times are taken as UTC."""
    table = {
        "version": VERSION,
        "id": meta.id,
        "revision": meta.revision,
        **_table(meta.new),
        "size": meta.size,
        "sha256": meta.sha256,
        "arrived_at": _write_time(meta.arrived_at),
        "note": meta.note,
        "favourite": meta.favourite,
        "albums": list(meta.albums),
        "trashed_at": None if meta.trashed_at is None else _write_time(meta.trashed_at),
        "shares": [
            {
                "destination": s.destination,
                "company": s.company,
                "at": _write_time(s.at),
                "receipt": s.receipt,
                "leaves_computer": s.leaves_computer,
            }
            for s in meta.shares
        ],
        "exchanges": [
            {"at": _write_time(e.at), "destination": e.destination, "question": e.question, "answer": e.answer, "receipt": e.receipt}
            for e in meta.exchanges
        ],
        **({"exported": [_write_time(at) for at in meta.exported]} if meta.exported else {}),
    }
    text = _written(table)
    return text + b" " * (-len(text) % _PAD)


def dump_new(new: NewItem) -> bytes:
    """Return the text of what is known of an item before it has an id, for another process."""
    return _written(_table(new))


def parse_new(text: bytes) -> NewItem:
    """Raises MetaError."""
    entries = _read(text)
    new = _new(entries)
    entries.finish()
    return new


def _table(new: NewItem) -> dict[str, object]:
    origin = new.origin
    return {
        "kind": new.kind.value,
        "media_type": new.media_type,
        "taken_at": _write_time(new.taken_at),
        "origin": {"family": origin.family, "address": origin.address, "name": origin.name, "simulated": origin.simulated},
        "width": new.width,
        "height": new.height,
        "duration_ms": new.duration_ms,
        "orientation": new.orientation,
        "original_name": new.original_name,
        **({"recognised": _recognition(new.recognised)} if new.recognised else {}),
        **({"group": new.group} if new.group else {}),
    }


def _written(table: dict[str, object]) -> bytes:
    return json.dumps(table, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def _read(text: bytes) -> _Entries:
    if len(text) > LARGEST:
        raise MetaError("longer than allowed")
    try:
        return _Entries(json.loads(text, object_pairs_hook=_no_doubles))
    except MetaError:
        raise
    except (ValueError, RecursionError):
        raise MetaError("not JSON") from None


def parse(text: bytes) -> ItemMeta:
    """Raises MetaError, MetaTooNew."""
    entries = _read(text)
    version = entries.whole("version", 1)
    if version > VERSION:
        raise MetaTooNew("a later version")
    meta = _meta(entries)
    entries.finish()
    return meta


def _meta(entries: _Entries) -> ItemMeta:
    return ItemMeta(
        id=ItemId(entries.text("id", _ID)),
        revision=entries.whole("revision", 1),
        new=_new(entries),
        size=entries.whole("size", 0),
        sha256=entries.text("sha256", _SHA256),
        arrived_at=entries.time("arrived_at"),
        note=entries.text("note"),
        favourite=entries.truth("favourite"),
        albums=tuple(_string(album) for album in entries.many("albums")),
        trashed_at=entries.optional("trashed_at", entries.time),
        shares=tuple(_share(item) for item in entries.many("shares")),
        exchanges=tuple(_exchange(item) for item in entries.many("exchanges")),
        exported=_exports(entries) if entries.has("exported") else (),
    )


def _new(entries: _Entries) -> NewItem:
    origin = _Entries(entries.take("origin"))
    made = NewItem(
        kind=_kind(entries.text("kind")),
        media_type=entries.text("media_type"),
        taken_at=entries.time("taken_at"),
        origin=Origin(origin.text("family"), origin.text("address"), origin.text("name"), origin.truth("simulated")),
        width=entries.optional("width", entries.whole),
        height=entries.optional("height", entries.whole),
        duration_ms=entries.optional("duration_ms", entries.whole),
        orientation=entries.whole("orientation", 1),
        original_name=entries.text("original_name"),
        recognised=_recognised(_Entries(entries.take("recognised"))) if entries.has("recognised") else None,
        group=entries.text("group", _ID) if entries.has("group") else "",
    )
    origin.finish()
    if made.orientation > 8:
        raise MetaError("orientation")
    return made


def _recognition(recognised: Recognised) -> dict[str, object]:
    return {"confidence": recognised.confidence, "signs": [list(sign) for sign in recognised.signs]}


def _recognised(entries: _Entries) -> Recognised:
    recognised = Recognised(entries.text("confidence"), tuple(_sign(sign) for sign in entries.many("signs")))
    entries.finish()
    return recognised


def _sign(value: object) -> tuple[str, str]:
    if not isinstance(value, list) or len(value) != 2:
        raise MetaError("signs")
    return _string(value[0]), _string(value[1])


def _share(value: object) -> Share:
    e = _Entries(value)
    share = Share(e.text("destination"), e.text("company"), e.time("at"), e.whole("receipt"), e.truth("leaves_computer"))
    e.finish()
    return share


def _exchange(value: object) -> Exchange:
    e = _Entries(value)
    exchange = Exchange(e.time("at"), e.text("destination"), e.text("question"), e.text("answer"), e.whole("receipt"))
    e.finish()
    return exchange


def _exports(entries: _Entries) -> tuple[datetime, ...]:
    if not (exports := entries.many("exported")):
        raise MetaError("exported")
    return tuple(_read_time(_string(at)) for at in exports)


def _kind(text: str) -> ItemKind:
    try:
        return ItemKind(text)
    except ValueError:
        raise MetaError("kind") from None


class _Entries:
    """Takes the entries of one object by name, each of the right type, and sees that none is left."""

    def __init__(self, table: object) -> None:
        if not isinstance(table, dict):
            raise MetaError("not an object")
        self._table: dict[str, Any] = dict(table)

    def has(self, key: str) -> bool:
        """Whether an entry is there that need not be."""
        return key in self._table

    def take(self, key: str) -> object:
        if key not in self._table:
            raise MetaError(key)
        return self._table.pop(key)

    def text(self, key: str, shape: re.Pattern[str] | None = None) -> str:
        value = _string(self.take(key))
        if shape is not None and not shape.fullmatch(value):
            raise MetaError(key)
        return value

    def whole(self, key: str, least: int = 0) -> int:
        value = self.take(key)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _BIG:
            raise MetaError(key)
        return value

    def truth(self, key: str) -> bool:
        value = self.take(key)
        if not isinstance(value, bool):
            raise MetaError(key)
        return value

    def time(self, key: str) -> datetime:
        return _read_time(self.text(key))

    def optional(self, key: str, read: Callable[[str], T]) -> T | None:
        if self._table.get(key, ...) is None:
            del self._table[key]
            return None
        return read(key)

    def many(self, key: str) -> list[object]:
        value = self.take(key)
        if not isinstance(value, list) or len(value) > _MOST:
            raise MetaError(key)
        return value

    def finish(self) -> None:
        if self._table:
            raise MetaError("an unknown entry")


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise MetaError("not a text")
    return value


def _no_doubles(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise MetaError("an entry twice")
    return table


def as_utc(value: datetime) -> datetime:
    """Return `value` in UTC; a naive time is taken to be UTC already, and one that not every place can tell is the nearest that all can.

    Cameras and strangers' files say anything: 1 January of the year 1 is in the year 0 in New York, which Python refuses.
    """
    try:
        utc = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        return EARLIEST if value.year == EARLIEST.year - 1 else LATEST
    return max(EARLIEST, min(LATEST, utc))


def _write_time(value: datetime) -> str:
    return as_utc(value).isoformat(timespec="microseconds")


def _read_time(text: str) -> datetime:
    try:
        value = datetime.fromisoformat(text)
        if value.utcoffset() is not None:
            return as_utc(value.astimezone(UTC))
    except (ValueError, OverflowError):
        pass
    raise MetaError("a time")
