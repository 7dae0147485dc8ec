"""Two computers on one vault folder: the copies that Syncthing, rclone and their like leave are taken in, and nothing is lost.

Owns the rules of SYNC.md. Objects never clash, as their names are random; meta files are joined; records whose number both computers took
are kept side by side. What lost is moved to `history`, as it was. Every step can be stopped anywhere and done again, and two computers that
do it at the same time come to the same result.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from app.vault import codec
from app.vault.age import Identity
from app.vault.errors import VaultError, VaultLocked
from app.vault.files import write_durably
from app.vault.store import ObjectStore
from app.vault.types import RECOVERED, ItemId, ItemMeta

_COPY = re.compile(r"(?P<id>[0-9a-f]{32})(?P<meta>\.meta)?[. (_-].*")
"""A name that begins as one of ours: `X.meta.sync-conflict-20260512-120000-ABCDEFG.age` (Syncthing), `X.meta.age..path1`,
`X.meta.conflict2.age` (rclone bisync), `X.meta (Anna's conflicted copy).age` (Nextcloud, Dropbox)."""
_RECORD_COPY = re.compile(r"(?P<number>0|[1-9][0-9]{0,15})[. (_-].*")
_UNDER_WAY = (".tmp", ".part", ".partial", ".crdownload")
"""Ends of names that programs give to files which are not whole yet."""
_PIECE = 1 << 20

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Merged:
    """What was done: captures whose descriptions were joined, copies of objects used or found equal, records kept beside another.

    `left` are copies that could not be used (not opened, or different media) and were left where they are.
    """

    metas: int = 0
    objects: int = 0
    records: int = 0
    left: tuple[Path, ...] = ()

    @property
    def anything(self) -> bool:
        return bool(self.metas or self.objects or self.records)


def merge(store: ObjectStore, identity: Identity, strays: Sequence[Path]) -> Merged:
    """Take in what is a copy among `strays` (files in the object folders that are nothing of ours by their names), and records' copies.

    Raises VaultLocked, OSError.
    """
    return _Merge(store, identity).run(strays)


class _Merge:
    def __init__(self, store: ObjectStore, identity: Identity) -> None:
        self._store = store
        self._files = store.files
        self._identity = identity
        self._left: list[Path] = []

    def run(self, strays: Iterable[Path]) -> Merged:
        metas: dict[ItemId, list[Path]] = {}
        objects: dict[ItemId, list[Path]] = {}
        for path in strays:
            found = _COPY.fullmatch(path.name)
            if found is not None and not path.name.endswith(_UNDER_WAY):
                (metas if found["meta"] else objects).setdefault(ItemId(found["id"]), []).append(path)
        joined = sum(self._metas(item, sorted(paths)) for item, paths in metas.items())
        used = sum(self._object(item, path) for item, paths in objects.items() for path in sorted(paths))
        kept = sum(self._records(folder) for folder in self._store.records.folders())
        return Merged(joined, used, kept, tuple(self._left))

    # -- meta files

    def _metas(self, item: ItemId, copies: list[Path]) -> bool:
        target = self._store.meta_path(item)
        found = {path: meta for path in (target, *copies) if (meta := self._meta(item, path)) is not None}
        self._left += [path for path in copies if path not in found]
        readable = [path for path in copies if path in found]
        if not readable:
            return False
        joined = join(list(found.values()))
        if found.get(target) != joined:
            if target.exists():
                self._keep(item, target)
            self._store.put_meta(joined)
        for path in readable:
            if found[path] != joined:
                self._keep(item, path)
            self._remove(path)
        return True

    def _keep(self, item: ItemId, path: Path) -> None:
        """Copy a meta file to the history, once, under a part of its digest."""
        sealed = path.read_bytes()
        folder = self._store.history(item)
        self._files.make_folder(folder.parent)
        self._files.make_folder(folder)
        kept = folder / f"{item}.{_short(sealed)}.age"
        if not kept.exists():
            write_durably(self._files, kept, [sealed])

    # -- objects

    def _object(self, item: ItemId, copy: Path) -> bool:
        """An object's copy is the same bytes, or one of the two is damaged: the good one stays, and no other is thrown away."""
        target = self._store.object_path(item)
        if target.exists():
            if not _same(target, copy):
                self._left.append(copy)
                return False
            self._remove(copy)
            return True
        if self._try(lambda: self._whole(item, copy)) is None:
            self._left.append(copy)
            return False
        self._files.replace(copy, target)
        self._files.sync_folder(target.parent)
        return True

    def _whole(self, item: ItemId, path: Path) -> str | None:
        """Return the digest of the media in `path`, None if the item's meta file says another."""
        digest = hashlib.sha256()
        for piece in self._store.pieces_at(path, self._identity):
            digest.update(piece)
        meta = self._try(lambda: self._store.meta(item, self._identity))
        return digest.hexdigest() if meta is None or meta.sha256 == digest.hexdigest() else None

    # -- records

    def _records(self, folder: str) -> int:
        copies: dict[int, list[Path]] = {}
        for path in self._store.records.strays(folder):
            found = _RECORD_COPY.fullmatch(path.name)
            if found is not None and not path.name.endswith(_UNDER_WAY):
                copies.setdefault(int(found["number"]), []).append(path)
        return sum(self._record(number, paths) for number, paths in sorted(copies.items()))

    def _record(self, number: int, copies: list[Path]) -> int:
        """Give the first copy the number if it is free, and the others a name beside it. No text is kept twice."""
        opened = {path: text for path in copies if (text := self._text(path)) is not None}
        self._left += [path for path in copies if path not in opened]
        by_digest = sorted(opened, key=lambda path: hashlib.sha256(opened[path]).digest())
        target = copies[0].with_name(f"{number}.age")
        kept = 0
        for path in by_digest:
            if not target.exists():
                self._files.replace(path, target)
            elif opened[path] == self._text(target):
                self._files.remove(path)
            else:
                self._files.replace(path, path.with_name(f"{number}.{_short(opened[path])}.age"))
                kept += 1
        self._files.sync_folder(target.parent)
        return kept

    def _remove(self, path: Path) -> None:
        self._files.remove(path)
        self._files.sync_folder(path.parent)

    def _meta(self, item: ItemId, path: Path) -> ItemMeta | None:
        return self._try(lambda: self._store.meta_at(path, item, self._identity))

    def _text(self, path: Path) -> bytes | None:
        return self._try(lambda: self._store.records.open_at(path, self._identity))

    def _try(self, call: Callable[[], T]) -> T | None:
        try:
            return call()
        except VaultLocked:
            raise
        except VaultError:
            return None


def join(metas: Sequence[ItemMeta]) -> ItemMeta:
    """Return one meta for several of the same item, the same whatever their order.

    The highest revision wins, and at equal ones the greater text, so that it is the same everywhere; one that was only recovered from the
    object never wins over a real one. Albums, shares, exchanges and exports of all stay. It is in the trash only if all say so. The
    revision grows if the result is none of them.
    """
    if all(meta == metas[0] for meta in metas):
        return metas[0]
    highest = max(meta.revision for meta in metas)
    real = [meta for meta in metas if meta.new.origin.family != RECOVERED] or list(metas)
    by_rank = sorted(metas, key=lambda meta: (meta in real, meta.revision, codec.dump(meta)), reverse=True)
    winner = by_rank[0]
    trashed = all(meta.trashed_at is not None for meta in metas)
    joined = replace(
        winner,
        albums=_union(by_rank, lambda meta: meta.albums),
        shares=tuple(sorted(_union(by_rank, lambda meta: meta.shares), key=lambda share: (share.at, share.receipt))),
        exchanges=tuple(sorted(_union(by_rank, lambda meta: meta.exchanges), key=lambda exchange: (exchange.at, exchange.receipt))),
        exported=tuple(sorted(_union(by_rank, lambda meta: meta.exported))),
        trashed_at=winner.trashed_at if trashed else None,
    )
    return winner if joined == winner and winner.revision == highest else replace(joined, revision=highest + 1)


def _union(metas: Iterable[ItemMeta], many: Callable[[ItemMeta], Iterable[T]]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(one for meta in metas for one in many(meta)))


def _short(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:8]


def _same(one: Path, other: Path) -> bool:
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as first, other.open("rb") as second:
        while piece := first.read(_PIECE):
            if piece != second.read(_PIECE):
                return False
    return True
