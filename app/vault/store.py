"""The captures of a vault: objects and their meta files, each item's two.

Owns the layout below `objects/` and what begins and ends an item. Writing needs only the recipient, so it works while locked; reading is
given the identity for one call and keeps nothing. The index, slots and lock state are not its business.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from app.vault import codec
from app.vault.age import Identity, seal, seal_watched
from app.vault.codec import MetaError, MetaTooNew
from app.vault.errors import ItemMissing, ObjectDamaged, TooLarge, VaultTooNew
from app.vault.files import PARTIAL, Draft, Files, write_durably
from app.vault.records import Records
from app.vault.sealed import HISTORY, QUARANTINE, SealedFolder
from app.vault.stream import StreamReader
from app.vault.types import ItemId, ItemMeta, NewItem

DELETING = ".deleting"
"""Ends the name of the meta file of an item whose deletion was begun; start-up finishes it."""
_ITEM = re.compile(r"[0-9a-f]{32}")
_ID_LETTERS = 32
_SHELF = re.compile(r"[0-9a-f]{2}")
_LEFTOVER = re.compile(r".+\.[0-9a-f]{8}\.tmp")
_OBJECT, _META = ".age", ".meta.age"


Describe = Callable[[str], NewItem]


@dataclass(frozen=True, slots=True)
class Found:
    """What lies on the disk for one item. `stamp` changes when its meta file (or, without one, its object) is replaced."""

    id: ItemId
    has_object: bool
    has_meta: bool
    stamp: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """An item on its way in: its media are to be sealed into `draft`."""

    id: ItemId
    draft: Draft


class ObjectStore(SealedFolder):
    """All sealed files below `folder`, sealed to `recipient`; `records` are those with numbers."""

    def __init__(self, files: Files, folder: Path, recipient: str) -> None:
        super().__init__(files, folder, recipient)
        self.records = Records(self)
        self._guard = threading.Lock()
        self._arriving: set[ItemId] = set()

    # -- writing, without any secret

    def put(self, data: bytes | BinaryIO, new: NewItem | Describe, arrived_at: datetime, sha256: str | None = None) -> ItemMeta:
        """Seal `data` and what is known of it under a new id; returns when both are on the disk for good.

        Where `new` is a function it is given the SHA-256 of `data` (hex) once all were read; what it raises undoes all. Without `sha256`
        they are hashed on the way.
        """
        digest, size, known = hashlib.sha256(), 0, new

        def pieces() -> Iterator[memoryview]:
            nonlocal size, known
            for sealed, plain in seal_watched(data, self._recipients):
                if sha256 is None:
                    digest.update(plain)
                size += len(plain)
                yield sealed
            if callable(known):  # before the drive is waited for: what is refused is not worth that
                known = known(sha256 or digest.hexdigest())

        with self.arriving() as arrival:
            arrival.draft.write(pieces())
            assert not callable(known)
            return self.keep(arrival, known, size, sha256 or digest.hexdigest(), arrived_at)

    @contextlib.contextmanager
    def arriving(self) -> Iterator[Arrival]:
        """A new item, of which nothing stays unless it is kept before the end, and nothing is raised."""
        item = ItemId(secrets.token_hex(16))
        with self._guard:
            self._arriving.add(item)
        try:
            shelf = self.object_path(item).parent
            self._files.make_folder(shelf.parent)
            self._files.make_folder(shelf)
            draft = Draft(self._files, self.object_path(item))
            try:
                yield Arrival(item, draft)
            finally:
                draft.drop()
        except Exception:
            self.undo(self.meta_path(item), self.object_path(item))  # nothing was acknowledged, so nothing half known may stay
            raise
        finally:
            with self._guard:
                self._arriving.discard(item)

    def keep(self, arrival: Arrival, new: NewItem, size: int, sha256: str, arrived_at: datetime) -> ItemMeta:
        """Let the item stay whose media, of `size` bytes, were sealed into its draft; returns when it is on the disk for good."""
        meta = ItemMeta(arrival.id, 1, new, size, sha256, arrived_at)
        arrival.draft.settle()
        self.put_meta(meta)
        return meta

    def put_meta(self, meta: ItemMeta) -> None:
        """Replace the meta file of an item. Raises TooLarge."""
        text = codec.dump(meta)
        if len(text) > codec.LARGEST:
            raise TooLarge("What is noted about this capture", codec.LARGEST)
        write_durably(self._files, self.meta_path(meta.id), seal(text, self._recipients))

    def delete(self, item: ItemId) -> None:
        """Remove an item's files; once the first rename is done, start-up finishes what a crash left."""
        meta, gone = self.meta_path(item), self._gone_path(item)
        if meta.exists():
            self._files.replace(meta, gone)
            self._files.sync_folder(gone.parent)
        self._files.remove(self.object_path(item))
        for copy in self.set_aside(item):
            self._files.remove(copy)
        self._files.remove(gone)
        if gone.parent.is_dir():
            self._files.sync_folder(gone.parent)

    def set_aside(self, item: ItemId) -> Iterator[Path]:
        """Yield the copies of an item's files that lie elsewhere or under other names: of conflicts, of history, in quarantine."""
        shelf = self.object_path(item).parent
        own = {self.object_path(item), self.meta_path(item), self._gone_path(item)}
        for folder in (shelf, self.history(item), *(self.folder / QUARANTINE).glob(f"*/objects/{item[:2]}")):
            yield from (path for path in folder.glob(f"{item}*") if path not in own and path.is_file())

    def history(self, item: ItemId) -> Path:
        """The folder of older meta files of an item, and of others."""
        return self.folder / HISTORY / item[:2]

    def sweep(self) -> int:
        """Remove what unfinished writes left, and finish deletions that were begun; returns how many files went."""
        removed = 0
        for folder in (self._folder, *self._subfolders()):
            with os.scandir(folder) as entries:  # names only: a Path for each of a hundred thousand would cost a second
                names = [entry.name for entry in entries if entry.name.endswith((PARTIAL, DELETING))]
            for name in names:
                if _LEFTOVER.fullmatch(name):
                    self._files.remove(folder / name)
                    removed += 1
                elif name.endswith(DELETING) and _SHELF.fullmatch(folder.name):
                    self._finish_deleting(folder / name)
                    removed += 1
        return removed

    def _finish_deleting(self, gone: Path) -> None:
        item = gone.name.removesuffix(DELETING)
        if _ITEM.fullmatch(item):
            self._files.remove(self.object_path(ItemId(item)))
        self._files.remove(gone)

    # -- what is there

    def found(self, strays: list[Path] | None = None) -> Iterator[Found]:
        """Yield what lies on the disk for each item, in no order; files that are nothing of ours by their names go into `strays`."""
        for shelf in self._shelves():
            objects: dict[str, os.DirEntry[str]] = {}
            metas: dict[str, os.DirEntry[str]] = {}
            kinds = {_OBJECT: objects, _META: metas}
            with os.scandir(shelf) as entries:  # a hundred thousand items are looked at in each unlock: no Path for each
                for entry in entries:
                    of_kind = kinds.get(entry.name[_ID_LETTERS:])
                    if of_kind is not None and _ITEM.fullmatch(entry.name[:_ID_LETTERS]):
                        of_kind[entry.name[:_ID_LETTERS]] = entry
                    elif strays is not None and not entry.name.endswith((DELETING, PARTIAL)):
                        strays.append(shelf / entry.name)
            for item in objects.keys() | metas.keys():
                if item not in metas and not self._is_orphan(ItemId(item)):
                    continue
                yield Found(ItemId(item), item in objects, item in metas, _stamp(metas.get(item) or objects[item]))

    def _is_orphan(self, item: ItemId) -> bool:
        """Whether an object seen without a meta file will stay so.

        One that is being put is passed over, as it is not there yet; and one whose deletion was begun, as it must not come back.
        """
        with self._guard:
            if item in self._arriving:
                return False
        return self.object_path(item).exists() and not (self.meta_path(item).exists() or self._gone_path(item).exists())

    def has_any(self, item: ItemId) -> bool:
        return self.object_path(item).exists() or self.meta_path(item).exists()

    def stamp(self, item: ItemId) -> str:
        """The stamp `found` would give."""
        path = self.meta_path(item)
        return _stamp(path if path.exists() else self.object_path(item))

    def object_path(self, item: ItemId) -> Path:
        """Raises ItemMissing for anything that is not an id, so that no name leads out of the folder."""
        return self._item_path(item, _OBJECT)

    def meta_path(self, item: ItemId) -> Path:
        return self._item_path(item, _META)

    def arrived_at(self, item: ItemId) -> datetime:
        """When the object's file was last written (UTC); 1970 if it is not there, or says what no calendar has."""
        try:
            return datetime.fromtimestamp(self.object_path(item).stat().st_mtime, UTC)
        except (OSError, ValueError, OverflowError):
            return datetime.fromtimestamp(0, UTC)

    # -- reading

    def meta(self, item: ItemId, identity: Identity) -> ItemMeta:
        """Raises ItemMissing, ObjectDamaged, VaultTooNew."""
        return self.meta_at(self.meta_path(item), item, identity)

    def meta_at(self, path: Path, item: ItemId, identity: Identity) -> ItemMeta:
        """As `meta`, of a copy of the meta file that lies at `path`."""
        text = self.open_small(path, codec.LARGEST, identity)
        try:
            meta = codec.parse(text)
        except MetaTooNew:
            raise VaultTooNew("What is known of this capture was written by a newer Eyelid.") from None
        except MetaError:
            raise ObjectDamaged(self.name(path), "What it holds is not what Eyelid writes.") from None
        if meta.id != item:
            raise ObjectDamaged(self.name(path), "It belongs to another capture.")
        return meta

    def pieces(self, item: ItemId, identity: Identity) -> Iterator[memoryview]:
        """Yield the media of an item in order, with bounded memory. Raises ItemMissing, ObjectDamaged, the latter possibly late."""
        return self.pieces_at(self.object_path(item), identity)

    def open_media(self, item: ItemId, identity: Identity) -> StreamReader:
        """Return a seekable reader. Raises ItemMissing, ObjectDamaged; its reads raise ObjectDamaged."""
        return self.open_at(self.object_path(item), identity)

    # -- paths

    def _item_path(self, item: str, ending: str) -> Path:
        if not _ITEM.fullmatch(item):
            raise ItemMissing
        return self._folder / "objects" / item[:2] / f"{item}{ending}"

    def _gone_path(self, item: ItemId) -> Path:
        return self._item_path(item, DELETING)

    def _shelves(self) -> Iterable[Path]:
        objects = self._folder / "objects"
        if objects.is_dir():
            yield from (path for path in objects.iterdir() if _SHELF.fullmatch(path.name) and path.is_dir())

    def _subfolders(self) -> Iterable[Path]:
        yield from (path for path in self._folder.iterdir() if path.is_dir() and path.name != "objects")
        yield from (path for path in (self._folder / HISTORY).glob("*") if path.is_dir())
        yield from self._shelves()


def _stamp(path: Path | os.DirEntry[str]) -> str:
    try:
        facts = path.stat()
    except OSError:
        return "gone"  # removed while we looked; the next look finds it missing
    return f"{facts.st_mtime_ns:x}-{facts.st_size:x}"
