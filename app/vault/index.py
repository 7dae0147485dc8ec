"""What the gallery asks often, answered fast: an encrypted cache of the meta files, and the thumbnails in a second one.

Owns `index.db` and `thumbs.db`. Nothing in them is the only copy of anything: both are made anew from the objects whenever they are
missing, damaged, of another version, or under another key. Safe for several threads.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import apsw

from app.vault.codec import as_utc
from app.vault.database import Database
from app.vault.types import RECOVERED, ItemId, ItemKind, ItemMeta
from app.vault.words import clean, item_words, match_query

_VERSION, _THUMBS_VERSION = 3, 2
_SCHEMA = """
CREATE TABLE items (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL, kind TEXT NOT NULL, taken INTEGER NOT NULL,
  width INTEGER, height INTEGER, duration INTEGER, orientation INTEGER NOT NULL, favourite INTEGER NOT NULL, trashed INTEGER NOT NULL,
  shared INTEGER NOT NULL, shared_with TEXT NOT NULL, name TEXT NOT NULL, family TEXT NOT NULL, address TEXT NOT NULL,
  sha256 TEXT NOT NULL, size INTEGER NOT NULL, colour INTEGER, stamp TEXT NOT NULL, mates TEXT NOT NULL);
CREATE INDEX by_time ON items (trashed, taken DESC, number DESC);
CREATE INDEX by_digest ON items (sha256);
CREATE INDEX by_mates ON items (mates) WHERE mates != '';
CREATE TABLE albums (album TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (album, number)) WITHOUT ROWID;
CREATE INDEX albums_of ON albums (number);
CREATE TABLE facts (generation INTEGER NOT NULL);
INSERT INTO facts VALUES (0);
CREATE VIRTUAL TABLE words USING fts5(
  text, content='', contentless_delete=1, tokenize="unicode61 remove_diacritics 2", prefix='2 3');
"""
_THUMBS = "CREATE TABLE thumbs (id TEXT NOT NULL, size INTEGER NOT NULL, jpeg BLOB NOT NULL, PRIMARY KEY (id, size)) WITHOUT ROWID;"
_ROW = "id, kind, taken, width, height, duration, orientation, favourite, shared_with, name, colour, mates != ''"
_BY_GLASSES = f"family NOT IN ('import', 'meta-archive', '{RECOVERED}')"
"""The families of origin that name no glasses are left out."""
_NEXT = "UPDATE facts SET generation = generation + 1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_KINDS = {kind.value: kind for kind in ItemKind}
NO_PICTURE = -1
"""In place of a colour: the item was looked at, and there is no picture to show of it."""


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One item as the gallery needs it. `shared_with` names each company or label that got it outside this computer, once.

    `colour` is the average one, 0xRRGGBB or NO_PICTURE, and None until somebody looked at the item. `paired`: it came with another one
    that belongs to it, as a still and its clip do.
    """

    id: ItemId
    kind: ItemKind
    taken_at: datetime
    width: int | None
    height: int | None
    duration_ms: int | None
    orientation: int
    favourite: bool
    shared_with: tuple[str, ...]
    from_name: str
    colour: int | None
    paired: bool = False


class Index:
    """Both caches. Every method raises VaultLocked once the vault locked, CacheTrouble if the disk refuses."""

    def __init__(self, folder: Path, key: bytes, thumbs_key: bytes, everything: Callable[[], Iterable[tuple[ItemMeta, str]]]) -> None:
        """`everything` yields each item's meta and stamp from the objects, for an index that turned out damaged while in use."""
        self._everything = everything
        self._showing = threading.Lock()
        self._items = Database(folder / "index.db", key, _SCHEMA, _VERSION, self._refill)
        self._thumbs = Database(folder / "thumbs.db", thumbs_key, _THUMBS, _THUMBS_VERSION)

    def put(self, meta: ItemMeta, *, stamp: str | None = None) -> None:
        """Take in an item or its new state. Without `stamp` the one known stays, and so does its colour."""
        self._items.change(lambda db: _put(db, meta, stamp))

    def put_many(self, items: Iterable[tuple[ItemMeta, str]]) -> None:
        """Take in many in one transaction."""
        self._items.change(lambda db: _put_all(db, items))

    def remove(self, item: ItemId) -> None:
        """Forget an item and its thumbnails; no fault if unknown."""
        self._items.change(lambda db: _remove(db, item))
        self._forget_thumbs(item)

    def get(self, item: ItemId) -> IndexRow | None:
        rows = self._items.run(lambda db: db.execute(f"SELECT {_ROW} FROM items WHERE id = ?", (item,)).fetchall())  # noqa: S608  # constants
        return _row(rows[0]) if rows else None

    def rows(
        self,
        *,
        kinds: frozenset[ItemKind] = frozenset(),
        shared: bool | None = None,
        favourites: bool = False,
        album: str = "",
        glasses: str = "",
        only_glasses: bool = False,
        text: str = "",
        trashed: bool = False,
        among: Sequence[ItemId] | None = None,
        after: ItemId | None = None,
        limit: int = -1,
    ) -> list[IndexRow]:
        """Return what fits every restriction, newest first. `glasses` is an address or a name; `text` is what a person typed.

        `only_glasses`: leave out what came by an import that found no sign of glasses, and what of all is known is the object itself.
        `among`: only these items; `after`: only what follows that one. At most `limit` rows, or all of them where it is negative.
        """
        where, values = ["trashed = ?"], [int(trashed)]
        arguments: list[int | str] = list(values)

        def narrow(clause: str, *more: int | str) -> None:
            where.append(clause)
            arguments.extend(more)

        if kinds:
            narrow(f"kind IN ({','.join('?' * len(kinds))})", *sorted(kind.value for kind in kinds))
        if shared is not None:
            narrow("shared = ?", int(shared))
        where += [clause for wanted, clause in ((favourites, "favourite = 1"), (only_glasses, _BY_GLASSES)) if wanted]
        if album:
            narrow("number IN (SELECT number FROM albums WHERE album = ?)", clean(album))
        if glasses:
            narrow("(address = ? OR name = ?)", clean(glasses), clean(glasses))
        if among is not None:
            narrow("id IN (SELECT value FROM json_each(?))", json.dumps(among))
        if after is not None:
            narrow("(taken, number) < (SELECT taken, number FROM items WHERE id = ?)", after)
        if text.strip():
            narrow("number IN (SELECT rowid FROM words WHERE words MATCH ?)", match_query(text) or '""')
        query = f"SELECT {_ROW} FROM items WHERE {' AND '.join(where)} ORDER BY taken DESC, number DESC LIMIT ?"  # noqa: S608  # constants
        arguments.append(limit)
        return self._items.run(lambda db: [_row(found) for found in db.execute(query, arguments)])

    def albums(self) -> tuple[tuple[str, int], ...]:
        """Return each album's name and how many items not in the trash it has, by name."""
        query = "SELECT album, count(*) FROM albums JOIN items USING (number) WHERE trashed = 0 GROUP BY album ORDER BY album"
        return self._items.run(lambda db: tuple((str(album), int(str(count))) for album, count in db.execute(query)))

    def glasses(self) -> tuple[tuple[str, int], ...]:
        """Return each name of glasses and how many items not in the trash are from them, by name."""
        query = f"SELECT name, count(*) FROM items WHERE trashed = 0 AND name != '' AND {_BY_GLASSES} GROUP BY name ORDER BY name"  # noqa: S608
        return self._items.run(lambda db: tuple((str(name), int(str(count))) for name, count in db.execute(query)))

    def count(self, *, trashed: bool = False) -> int:
        return self._items.run(
            lambda db: int(str(db.execute("SELECT count(*) FROM items WHERE trashed = ?", (int(trashed),)).fetchall()[0][0]))
        )

    def with_digest(self, sha256: str) -> ItemId | None:
        """Return an item whose media have that SHA-256 (hex), the trash included."""
        rows = self._items.run(lambda db: db.execute("SELECT id FROM items WHERE sha256 = ? LIMIT 1", (sha256,)).fetchall())
        return ItemId(str(rows[0][0])) if rows else None

    def partner(self, item: ItemId) -> ItemId | None:
        """Return the other one of two that belong together, as a still and its clip do; None where it is alone, or in the trash."""
        query = """SELECT other.id FROM items AS one JOIN items AS other ON other.mates = one.mates AND other.mates != ''
            WHERE one.id = ? AND other.id != one.id AND other.trashed = 0 ORDER BY other.number LIMIT 1"""
        rows = self._items.run(lambda db: db.execute(query, (item,)).fetchall())
        return ItemId(str(rows[0][0])) if rows else None

    def digest(self, item: ItemId) -> tuple[str, int] | None:
        """Return SHA-256 (hex, empty if never known) and size in bytes of an item's media as first indexed."""
        rows = self._items.run(lambda db: db.execute("SELECT sha256, size FROM items WHERE id = ?", (item,)).fetchall())
        return (str(rows[0][0]), int(str(rows[0][1]))) if rows else None

    def digests(self) -> dict[ItemId, tuple[str, int]]:
        """Return what `digest` does, of all items."""
        query = "SELECT id, sha256, size FROM items"
        return self._items.run(lambda db: {ItemId(str(item)): (str(sha256), int(str(size))) for item, sha256, size in db.execute(query)})

    def stamps(self) -> dict[ItemId, str]:
        """Return the stamp of each item's files as they were when it was last taken in."""
        return self._items.run(lambda db: {ItemId(str(item)): str(stamp) for item, stamp in db.execute("SELECT id, stamp FROM items")})

    def revisions(self) -> dict[ItemId, int]:
        """Return the revision of each item as it was when it was last taken in."""
        query = "SELECT id, revision FROM items"
        return self._items.run(lambda db: {ItemId(str(item)): int(str(revision)) for item, revision in db.execute(query)})

    def generation(self) -> int:
        """Return how many changes this index has seen; 0 only if it is new. It never goes back, save with the file itself."""
        return self._items.run(lambda db: int(str(db.execute("SELECT generation FROM facts").fetchall()[0][0])))

    def raise_generation(self, least: int) -> None:
        """Make the generation at least `least`."""
        self._items.change(lambda db: db.execute("UPDATE facts SET generation = max(generation, ?)", (least,)))

    def put_thumbs(self, item: ItemId, jpegs: Mapping[int, bytes], colour: int | None = None, *, orientation: int | None = None) -> bool:
        """Keep thumbnails by their long edge in pixels; with a `colour` (or NO_PICTURE) the item counts as looked at.

        `orientation` is the one they were made for: False, and nothing is kept, where the item has another by now. Nothing stays either of
        an item that is not in the index, as when it was deleted meanwhile.
        """
        rows = [(item, size, jpeg) for size, jpeg in jpegs.items()]
        with self._showing:  # looked and kept in one step: who turns an item comes with its own thumbnails after that, never before
            row = self.get(item) if orientation is not None else None
            if row is not None and row.orientation != orientation:
                return False
            self._thumbs.change(lambda db: db.executemany("INSERT OR REPLACE INTO thumbs VALUES (?, ?, ?)", rows))
        if not self._items.change(lambda db: _put_colour(db, item, colour)):
            self._forget_thumbs(item)
        return True

    def _forget_thumbs(self, item: ItemId) -> None:
        self._thumbs.change(lambda db: db.execute("DELETE FROM thumbs WHERE id = ?", (item,)))

    def not_looked_at(self) -> list[ItemId]:
        """Return what nobody looked at yet, newest first, without what lies in the trash."""
        query = "SELECT id FROM items WHERE colour IS NULL AND trashed = 0 ORDER BY taken DESC, number DESC"
        return self._items.run(lambda db: [ItemId(str(item)) for (item,) in db.execute(query)])

    def thumb(self, item: ItemId, size: int) -> bytes | None:
        rows = self._thumbs.run(lambda db: db.execute("SELECT jpeg FROM thumbs WHERE id = ? AND size = ?", (item, size)).fetchall())
        found = rows[0][0] if rows else None
        return found if isinstance(found, bytes) else None

    def throw_away(self, *, items: bool) -> None:
        """Make the thumbnails' cache anew, empty, so that all is to be looked at again; with `items` the other as well."""
        self._thumbs.make_anew()
        if items:
            self._items.make_anew()
        else:
            self._items.change(lambda db: db.execute("UPDATE items SET colour = NULL"))

    def close(self) -> None:
        self._items.close()
        self._thumbs.close()

    def _refill(self, db: apsw.Connection) -> None:
        with db:
            _put_all(db, self._everything())


def shared_with(meta: ItemMeta) -> tuple[str, ...]:
    """Return each company (or label, where it has none) that got the item outside this computer, once, in order."""
    return tuple(dict.fromkeys(share.company or share.destination for share in meta.shares if share.leaves_computer))


def _put_all(db: apsw.Connection, items: Iterable[tuple[ItemMeta, str]]) -> None:
    for meta, stamp in items:
        _put(db, meta, stamp)


def _put(db: apsw.Connection, meta: ItemMeta, stamp: str | None) -> None:
    companies = shared_with(meta)
    db.execute(_NEXT)
    new = meta.new
    values: list[int | str | None] = [
        meta.id, meta.revision, new.kind.value, (as_utc(new.taken_at) - _EPOCH) // _MICROSECOND, new.width, new.height, new.duration_ms,
        new.orientation, int(meta.favourite), int(meta.trashed_at is not None), int(bool(companies)),
        json.dumps([clean(company) for company in companies]), clean(new.origin.name), clean(new.origin.family), clean(new.origin.address),
        meta.sha256, meta.size, stamp or "", clean(new.group), stamp,
    ]  # fmt: skip
    number = db.execute(
        """INSERT INTO items (id, revision, kind, taken, width, height, duration, orientation, favourite, trashed, shared, shared_with,
             name, family, address, sha256, size, stamp, mates) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (id) DO UPDATE SET (revision, kind, taken, width, height, duration, orientation, favourite, trashed, shared,
             shared_with, name, family, address, sha256, size, stamp, mates) = (excluded.revision, excluded.kind, excluded.taken,
             excluded.width, excluded.height, excluded.duration, excluded.orientation, excluded.favourite, excluded.trashed,
             excluded.shared, excluded.shared_with, excluded.name, excluded.family, excluded.address, excluded.sha256, excluded.size,
             coalesce(?, stamp), excluded.mates)
           RETURNING number""",
        values,
    ).fetchall()[0][0]
    db.execute("DELETE FROM albums WHERE number = ?", (number,))
    db.executemany("INSERT OR IGNORE INTO albums VALUES (?, ?)", [(clean(album), number) for album in meta.albums])
    db.execute("DELETE FROM words WHERE rowid = ?", (number,))
    db.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (number, item_words(meta)))


def _put_colour(db: apsw.Connection, item: ItemId, colour: int | None) -> bool:
    """Whether the item is there."""
    if colour is None:
        return bool(db.execute("SELECT 1 FROM items WHERE id = ?", (item,)).fetchall())
    return bool(db.execute("UPDATE items SET colour = ? WHERE id = ? RETURNING 1", (colour, item)).fetchall())


def _remove(db: apsw.Connection, item: ItemId) -> None:
    db.execute(_NEXT)
    for (number,) in db.execute("DELETE FROM items WHERE id = ? RETURNING number", (item,)).fetchall():
        db.execute("DELETE FROM albums WHERE number = ?", (number,))
        db.execute("DELETE FROM words WHERE rowid = ?", (number,))


def _row(found: tuple[Any, ...]) -> IndexRow:
    """The timeline asks for a hundred thousand of these at once, so each step here is one that counts."""
    item, kind, taken, width, height, duration, orientation, favourite, companies, name, colour, paired = found
    return IndexRow(
        item,
        _KINDS[kind],
        _EPOCH + timedelta(0, 0, taken),
        width,
        height,
        duration,
        orientation,
        favourite != 0,
        () if companies == "[]" else tuple(json.loads(companies)),
        name,
        colour,
        paired != 0,
    )
