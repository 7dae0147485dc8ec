"""Repair: what can be made again is made again, and what can't be used is put aside, never deleted.

Owns the folder `quarantine/<time>/`, below which files keep their places. Index and thumbnails are caches and are made anew; descriptions
come from another copy, from the history, from an earlier quarantine, or from the capture itself. Damaged captures stay where they are:
only a backup can mend them.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.vault import config
from app.vault.errors import VaultError, VaultLocked
from app.vault.merge import Merged, join, merge
from app.vault.sealed import QUARANTINE
from app.vault.session import Session
from app.vault.store import Found, ObjectStore
from app.vault.types import RECOVERED, ItemId, ItemMeta
from app.vault.vault import Parts, Vault

_OURS = re.compile(r"[0-9a-f]{32}[. (_-].*")
_OF_ROOT = re.compile(r"(vault[. (_-].*\.toml.*|vault\.toml.+|(index|thumbs)[. (_-].*db.*|verify.+\.age.*)")
_CACHES = re.compile(r"(index|thumbs)\.db(-wal|-shm|-journal)?")

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class RepairReport:
    """`described` captures got a description again; `aside` are the files put into quarantine; `missing` captures are in the index only."""

    items: int
    described: int
    merged: Merged
    aside: tuple[str, ...]
    missing: tuple[ItemId, ...]
    index_made: bool

    def lines(self) -> tuple[str, ...]:
        """The report as sentences."""
        said = [f"{self.items} captures are here."]
        if self.described:
            said.append(f"{self.described} descriptions were made again.")
        if self.merged.metas:
            said.append(f"{self.merged.metas} captures were changed on two computers; both changes were joined, the older text is kept.")
        if self.merged.objects or self.merged.records:
            said.append(f"{self.merged.objects + self.merged.records} other files from two computers were put in order.")
        said += [f"Put aside: {name}" for name in self.aside]
        if self.missing:
            said.append(f"{len(self.missing)} captures are missing; put them back from a backup: {', '.join(self.missing[:10])}")
        if self.index_made:
            said.append("The index and the thumbnails were made anew.")
        else:
            said.append("The index was kept, as nothing else knows of the missing captures. Accept the notices first to have it made anew.")
        return tuple(said)


def repair(vault: Vault, progress: Progress | None = None) -> RepairReport:
    """Put a vault in order; `progress` gets how many captures are indexed, of how many. Raises VaultLocked, OSError.

    Can be stopped anywhere and begun again.
    """
    vault.catch_up()
    with vault.held() as parts:
        if parts.session is None:
            raise VaultLocked
        return _Repair(parts, parts.session).run(progress or (lambda done, total: None))


class _Repair:
    def __init__(self, parts: Parts, session: Session) -> None:
        self._parts = parts
        self._store: ObjectStore = parts.store
        self._session = session
        self._aside: list[str] = []
        self._place = self._store.folder / QUARANTINE / datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")

    def run(self, progress: Progress) -> RepairReport:
        strays: list[Path] = []
        everything = list(self._store.found(strays))
        merged = self._session.merged if self._session.merged.anything else merge(self._store, self._session.identity, strays)
        self._strays([path for path in strays if path.exists()])
        described = sum(self._describe(found) for found in everything)
        self._slots_and_root()
        missing = tuple(sorted(self._session.seen.missing)) if self._session.seen is not None else ()
        missing = tuple(item for item in missing if not self._store.object_path(item).exists())
        total = sum(1 for found in self._store.found() if found.has_object)
        self._session.rebuild(items=not missing, progress=progress)
        return RepairReport(total, described, merged, tuple(self._aside), missing, not missing)

    # -- descriptions

    def _describe(self, found: Found) -> bool:
        """See that a capture has a description that reads; returns whether one was made."""
        target = self._store.meta_path(found.id)
        if not found.has_object:
            if found.has_meta:
                self._put_aside(target)
            return False
        meta = self._meta(found.id, target) if target.exists() else None
        if meta is not None and meta.new.origin.family != RECOVERED:
            return False
        others = [kept for path in self._elsewhere(found.id) if (kept := self._meta(found.id, path)) is not None]
        if meta is None and target.exists():
            self._put_aside(target)
        if others:
            joined = join([*others, *([meta] if meta is not None else [])])
            if joined != meta:
                self._store.put_meta(joined)
                return True
            return False
        return meta is None and self._session.describe(found.id)

    def _elsewhere(self, item: ItemId) -> Iterator[Path]:
        yield from self._store.history(item).glob(f"{item}.*.age")
        yield from (self._store.folder / QUARANTINE).glob(f"*/objects/{item[:2]}/{item}.meta*")

    def _meta(self, item: ItemId, path: Path) -> ItemMeta | None:
        try:
            return self._store.meta_at(path, item, self._session.identity)
        except VaultLocked:
            raise
        except VaultError:
            return None

    # -- what does not belong

    def _strays(self, strays: list[Path]) -> None:
        """Copies that merging could not use. One that is whole takes the place of a damaged object; any other goes aside."""
        for path in strays:
            if not _OURS.fullmatch(path.name) or not path.is_file():
                continue  # a file manager's, for example; none of our business
            item = ItemId(path.name[:32])
            target = self._store.object_path(item)
            if not path.name[32:].startswith(".meta") and not self._is_whole(item, target) and self._is_whole(item, path):
                if target.exists():
                    self._put_aside(target)
                self._store.files.replace(path, target)
                self._store.files.sync_folder(target.parent)
            else:
                self._put_aside(path)

    def _is_whole(self, item: ItemId, path: Path) -> bool:
        digest = hashlib.sha256()
        try:
            for piece in self._store.pieces_at(path, self._session.identity):
                digest.update(piece)
        except VaultLocked:
            raise
        except VaultError:
            return False
        known = self._session.index.digest(item)
        return known is None or known[0] in ("", digest.hexdigest())

    def _slots_and_root(self) -> None:
        """Key files that vault.toml does not list, and copies of what there is one of."""
        listed = {slot.file for slot in self._parts.settings.slots}
        folder = self._store.folder
        for path in sorted((folder / "keys").glob("*")):
            if f"keys/{path.name}" not in listed and path.is_file():
                self._put_aside(path)
        for path in sorted(folder.iterdir()):
            own = path.name == config.NAME or _CACHES.fullmatch(path.name)
            if path.is_file() and not own and _OF_ROOT.fullmatch(path.name):
                self._put_aside(path)

    def _put_aside(self, path: Path) -> None:
        name = path.relative_to(self._store.folder)
        target = self._place / name
        files = self._store.files
        for folder in reversed([target.parent, *target.parent.parents]):
            if folder.is_relative_to(self._store.folder):
                files.make_folder(folder)
        with contextlib.suppress(FileNotFoundError):  # the other program took it away again
            files.replace(path, target)
            files.sync_folder(target.parent)
            files.sync_folder(path.parent)
            self._aside.append(name.as_posix())
