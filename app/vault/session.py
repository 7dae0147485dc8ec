"""What exists only while a vault is unlocked: the identity, the caches, the open readers, and what is done with them.

Owns every key in memory; `close` drops them all. Reads of different objects do not wait for each other.
"""

from __future__ import annotations

import hashlib
import threading
import weakref
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from app.vault.errors import ObjectDamaged, VaultError, VaultLocked
from app.vault.header import KeyWiped
from app.vault.identity import VaultIdentity
from app.vault.index import Index
from app.vault.merge import Merged, merge
from app.vault.rollback import Seen, Standing, digest
from app.vault.store import Found, ObjectStore
from app.vault.stream import StreamReader
from app.vault.types import RECOVERED, ItemId, ItemKind, ItemMeta, NewItem, Origin

NO_MATCH = "Its content is not what was sealed under that name."
_BATCH = 500
"""Items indexed in one transaction."""
LABEL = b"eyelid/vault/v1/"
"""Begins the name of every key made from the identity."""
_STARTS = (
    (0, b"\xff\xd8\xff", ItemKind.PHOTO, "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", ItemKind.PHOTO, "image/png"),
    (4, b"ftyp", ItemKind.VIDEO, "video/mp4"),
)
"""Just enough to show a recovered item; whoever looks closer is the media room."""


class Session:
    """One time unlocked."""

    def __init__(self, folder: Path, store: ObjectStore, identity: VaultIdentity) -> None:
        self._store = store
        self._identity: VaultIdentity | None = identity
        self._guard = threading.Lock()
        self.seen: Seen | None = None
        self.merged = Merged()
        self._before: int | None = None  # the generation at the first look, to which all later ones compare
        self._older = 0
        self._readers: weakref.WeakSet[StreamReader] = weakref.WeakSet()
        self.index = Index(folder, identity.cache_key(LABEL + b"index"), identity.cache_key(LABEL + b"thumbs"), self._everything)

    @property
    def identity(self) -> VaultIdentity:
        """Raises VaultLocked once closed."""
        identity = self._identity
        if identity is None:
            raise VaultLocked
        return identity

    def subkey(self, label: str) -> bytes:
        try:
            return self.identity.subkey(LABEL + label.encode("utf-8"))
        except KeyWiped:
            raise VaultLocked from None

    def cache_key(self, label: str) -> bytes:
        try:
            return self.identity.cache_key(LABEL + label.encode("utf-8"))
        except KeyWiped:
            raise VaultLocked from None

    def identity_text(self) -> str:
        try:
            return self.identity.text()
        except KeyWiped:
            raise VaultLocked from None

    def cut_off(self) -> None:
        """End every open reader."""
        with self._guard:
            readers = tuple(self._readers)
        for reader in readers:
            reader.revoke(VaultLocked())

    def close(self) -> None:
        """Forget the keys, cut off every open reader, and close the caches: those last, as one of them may be at work for a while."""
        with self._guard:
            identity, self._identity = self._identity, None
        if identity is not None:
            identity.wipe()
        self.cut_off()
        self.index.close()

    def read(self, item: ItemId) -> bytes:
        """Return an item's media whole, checked against the digest that was sealed. Raises ItemMissing, ObjectDamaged."""
        data = b"".join(map(bytes, self._store.pieces(item, self.identity)))
        sha256, _ = self._expected(item)
        if sha256 and hashlib.sha256(data).hexdigest() != sha256:
            raise self._swapped(item)
        return data

    def open_media(self, item: ItemId) -> StreamReader:
        sha256, size = self._expected(item)
        reader = self._store.open_media(item, self.identity)
        if sha256 and reader.size != size:
            reader.close()
            raise self._swapped(item)
        with self._guard:
            locked = self._identity is None
            self._readers.add(reader)
        if locked:
            reader.revoke(VaultLocked())
        return reader

    def meta(self, item: ItemId) -> ItemMeta:
        return self._store.meta(item, self.identity)

    # -- keeping the index true to the disk

    def catch_up(self) -> tuple[ItemMeta, ...]:
        """Take in what is on the disk and not in the index, and take in anew what changed; return what is new.

        What is in the index and not on the disk stays there, and is shown as missing, until `accept`.
        """
        stamps, revisions = self.index.stamps(), self.index.revisions()
        if self._before is None:
            self._before = self.index.generation()
        new: list[ItemMeta] = []
        changed: list[tuple[ItemMeta, str]] = []
        missing, older = set(stamps), 0
        for found in self._look():
            if found.has_object:
                missing.discard(found.id)
            if stamps.get(found.id) != found.stamp:
                meta, stamp_now = self._meta_or_recovered(found)
                changed.append((_with_digest_first_known(meta, self.index.digest(meta.id)), stamp_now))
                older += meta.revision < revisions.get(found.id, 0)
                if found.id not in stamps:
                    new.append(meta)
        self.index.put_many(changed)
        now = self.standing()
        self._older += older
        fresh = self._before == 0
        self.seen = Seen(now if fresh else replace(now, generation=self._before), fresh, frozenset(missing), self._older)
        return tuple(sorted(new, key=lambda meta: (meta.arrived_at, meta.id)))

    def _look(self) -> list[Found]:
        """Return what is there, after taking in what another computer left beside it."""
        strays: list[Path] = []
        everything = list(self._store.found(strays))
        try:
            self.merged = merge(self._store, self.identity, strays)
        except VaultLocked:
            raise
        except (OSError, VaultError):  # a disk that can't be written now must not keep anybody from looking
            return everything
        return list(self._store.found()) if self.merged.anything else everything

    def standing(self, least: int = 0) -> Standing:
        """Return how the vault stands by its index, whose generation is made at least `least`."""
        self.index.raise_generation(least)
        revisions = self.index.revisions()
        return Standing(self.index.generation(), len(revisions), digest(self.subkey("set"), revisions.items()))

    def accept(self) -> None:
        """Take what was found for how it should be: drop from the index what the last look found gone, and still is."""
        for item in self.seen.missing if self.seen is not None else ():
            if not self._store.has_any(item):
                self.index.remove(item)
        self._before, self._older = None, 0

    def rebuild(self, *, items: bool, progress: Callable[[int, int], None]) -> None:
        """Throw the thumbnails away, and with `items` the index too, and fill it again from the disk; its generation goes on.

        So do the digests it knows, or else a capture that was exchanged would pass for sound from then on.
        """
        generation, known = self.index.generation(), self.index.digests()
        self.index.throw_away(items=items)
        everything = list(self._store.found())
        for at in range(0, len(everything), _BATCH):
            progress(at, len(everything))
            batch = (self._meta_or_recovered(found) for found in everything[at : at + _BATCH] if found.has_object)
            self.index.put_many((_with_digest_first_known(meta, known.get(meta.id)), stamp) for meta, stamp in batch)
        self.index.raise_generation(generation + 1)
        progress(len(everything), len(everything))

    def describe(self, item: ItemId) -> bool:
        """Write what the object itself tells, for an item without a meta file; returns whether that could be done."""
        meta, _ = self._meta_or_recovered(Found(item, True, False, ""))
        return bool(meta.sha256)

    def _everything(self) -> Iterable[tuple[ItemMeta, str]]:
        for found in self._store.found():
            yield self._meta_or_recovered(found)

    def _meta_or_recovered(self, found: Found) -> tuple[ItemMeta, str]:
        """Return what is known of an item, and its stamp; where its meta file is missing or damaged, what the object itself tells.

        A missing meta file is written anew; a damaged one is left as it is, for whoever can mend it.
        """
        if found.has_meta:
            try:
                return self.meta(found.id), found.stamp
            except VaultLocked:
                raise
            except VaultError:
                return self._recovered(found), found.stamp
        meta = self._recovered(found)
        if meta.sha256:
            self._store.put_meta(meta)
        return meta, self._store.stamp(found.id)

    def _recovered(self, found: Found) -> ItemMeta:
        digest, size, start = hashlib.sha256(), 0, b""
        arrived = self._store.arrived_at(found.id)
        try:
            for piece in self._store.pieces(found.id, self.identity):
                start = start or bytes(piece[:16])
                digest.update(piece)
                size += len(piece)
            sha256 = digest.hexdigest()
        except VaultLocked:
            raise
        except VaultError:  # anybody can lay a file there, also one of a version to come; that must not keep the others from being seen
            sha256 = ""
        kind, media_type = _sniff(start)
        return ItemMeta(found.id, 1, NewItem(kind, media_type, arrived, Origin(RECOVERED)), size, sha256, arrived)

    def _expected(self, item: ItemId) -> tuple[str, int]:
        """Return digest and size as indexed: the index is under our own key, where a meta file could be sealed by anyone."""
        known = self.index.digest(item)
        if known is None:
            try:
                meta = self.meta(item)
            except VaultLocked:
                raise
            except VaultError:
                return "", 0  # then the object's own seal is all there is to check
            known = (meta.sha256, meta.size)
        return known

    def _swapped(self, item: ItemId) -> ObjectDamaged:
        return ObjectDamaged(f"objects/{item[:2]}/{item}.age", NO_MATCH)


def _with_digest_first_known(meta: ItemMeta, known: tuple[str, int] | None) -> ItemMeta:
    """Media never change, and anybody could seal a meta file that names others: the digest first indexed stays the one expected."""
    sha256, size = known or ("", 0)
    return replace(meta, sha256=sha256, size=size) if sha256 else meta


def _sniff(start: bytes) -> tuple[ItemKind, str]:
    for offset, mark, kind, media_type in _STARTS:
        if start[offset:].startswith(mark):
            return kind, media_type
    return ItemKind.OTHER, "application/octet-stream"
