"""One file's way into the vault: read once, hashed, checked, recognised, sealed. The file itself is never changed.

Blocking, and good for several threads at once, which is worth it: much of the time goes by waiting for the drive. Nothing half-read is
ever sealed: what changed while it was read, or ends too early, is refused with a reason. A JPEG is not decoded here, only walked through;
whoever makes its thumbnails later finds out what that cannot tell.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from app.errors import Explanation, EyelidError, explain
from app.imports.memory import ImportMemory
from app.imports.obstacles import Obstacles
from app.imports.recognise import recognise
from app.imports.sources import LARGEST, SourceChanged, SourceRefused, no_capture, opened
from app.imports.types import Camera, Clues, Fate, Outcome, Source
from app.media.exif import printable
from app.media.inspect import glance
from app.media.sniff import SNIFF_BYTES, sniff
from app.media.types import MediaFacts, Thumb
from app.vault.errors import ItemMissing, VaultLocked
from app.vault.types import ItemId, ItemKind, ItemMeta, NewItem, Origin, Recognised
from app.vault.vault import Vault

IN_MEMORY = 64 * 1024 * 1024
"""Bytes of a file that is read into memory once; a longer one is read from the disk again for sealing."""
IMPORTED = "import"
"""Family of the origin of what no known glasses made."""
_PIECE = 1 << 20
_NAMED_TIME = re.compile(r"(?:^|[^0-9])(20\d\d)-?([01]\d)-?([0-3]\d)[_T-]([0-2]\d)-?([0-5]\d)-?([0-5]\d)(?:[^0-9]|$)")
"""Day and time as phone apps write them into names: 20260512_140309."""


_IN_TRASH = Explanation("It is in the vault's trash.", "You moved it there.", "Restore it there to keep it.")


@dataclass(frozen=True, slots=True)
class Taken:
    """How a file ended, and where it is a new item what is known of it, with the thumbnails that `glance` had."""

    outcome: Outcome
    meta: ItemMeta | None = None
    thumbs: tuple[Thumb, ...] = ()


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A file that is whole and known: `data` is None for one that is too long for memory."""

    source: Source
    sha256: str
    facts: MediaFacts
    camera: Camera
    taken_at: datetime
    thumbs: tuple[Thumb, ...]
    data: bytes | None


class Importer:
    """Takes in one file after another. `memory` may know them from before; `sizes` are those of the thumbnails, the least first."""

    def __init__(self, vault: Vault, memory: ImportMemory, sizes: tuple[int, ...]) -> None:
        self._vault = vault
        self._memory = memory
        self._sizes = sizes
        self._sealing = tuple(threading.Lock() for _ in range(256))

    def take(self, source: Source, group: str = "", *, only_glasses: bool = False, again: bool = True) -> Taken:
        """Take in a file, unless it is in the vault or no capture; a new item is durable and read back on return. Raises VaultLocked.

        `again`: take a file in once more that the person has deleted from the vault since. Whatever else goes wrong with this file (a full
        disk too) is its outcome.
        """
        try:
            if (item := self._memory.item(source)) is not None and (not again or self._holds(item)):
                self._join(item, group)
                return Taken(Outcome(source.path, Fate.KNOWN, item))
            prepared = self._read(source, only_glasses)
            if isinstance(prepared, Outcome):
                self._join(prepared.item, group)
                return Taken(prepared)
            with self._sealing[int(prepared.sha256[:2], 16)]:  # of two files with the same bytes, the second finds the first in the vault
                return self._seal(prepared, group)
        except VaultLocked:
            raise
        except (OSError, EyelidError) as error:
            return Taken(Outcome(source.path, Fate.REFUSED, why=explain(error)))

    def obstacles(self, paths: Sequence[Path]) -> Obstacles:
        """What may keep all that lies below `paths` from coming in."""
        return Obstacles(paths, self._vault.folder)

    def _holds(self, item: ItemId) -> bool:
        try:
            return self._vault.meta(item).trashed_at is None
        except VaultLocked:
            raise
        except EyelidError:
            return False

    def _join(self, item: ItemId | None, group: str) -> None:
        """Mark what was taken in before its other half was there; where it is not there any more, nothing is to be marked."""
        if item is None or not group:
            return
        with contextlib.suppress(ItemMissing):
            if not self._vault.meta(item).new.group:
                self._vault.change(item, lambda meta: replace(meta, new=replace(meta.new, group=group)))

    def _read(self, source: Source, only_glasses: bool) -> _Prepared | Outcome:
        if source.size > LARGEST:
            raise SourceRefused("This file is too large.", f"It is longer than {LARGEST >> 30} GiB.", "Cut it into parts first.")
        with opened(source) as file:
            if sniff(head := file.read(SNIFF_BYTES)) is None:
                return Outcome(source.path, Fate.PASSED_OVER, why=no_capture(head))
            file.seek(0)
            data = _whole(file, source.size) if source.size <= IN_MEMORY else None
            sha256 = hashlib.sha256(data).hexdigest() if data is not None else _digest(file)
            if (item := self._vault.with_digest(sha256)) is not None:
                self._memory.remember(source, item)
                return Outcome(source.path, Fate.KNOWN, item, why=None if self._holds(item) else _IN_TRASH)
            facts, thumbs = glance(data if data is not None else file, self._sizes)
        camera = recognise(clues_of(source, facts))
        if only_glasses and not camera.glasses:
            return Outcome(source.path, Fate.PASSED_OVER, camera=camera, why=Explanation("Nothing says that glasses made this."))
        return _Prepared(source, sha256, facts, camera, _taken_at(source, facts), thumbs, data)

    def _seal(self, prepared: _Prepared, group: str) -> Taken:
        source = prepared.source
        if (item := self._vault.with_digest(prepared.sha256)) is not None:
            self._memory.remember(source, item)
            return Taken(Outcome(source.path, Fate.KNOWN, item))
        meta = self._add(prepared, _describe(prepared, group))
        self._memory.remember(source, meta.id, taken=True)
        return Taken(Outcome(source.path, Fate.TAKEN, meta.id, prepared.camera, prepared.taken_at), meta, prepared.thumbs)

    def _add(self, prepared: _Prepared, new: NewItem) -> ItemMeta:
        if prepared.data is not None:
            return self._vault.add(prepared.data, new, sha256=prepared.sha256)
        with opened(prepared.source) as file:
            meta = self._vault.add(file, new)
        if meta.sha256 != prepared.sha256:
            with contextlib.suppress(Exception):
                self._vault.delete(meta.id)
            raise SourceChanged
        return meta

    def same(self, source: Source, item: ItemId) -> bool:
        """Whether the vault's copy of `item`, opened and read to its end now, is this very file. Raises the vault's errors and OSError."""
        digest = hashlib.sha256()
        with self._vault.open_media(item) as media:
            for piece in _pieces(media):
                digest.update(piece)
        with opened(source) as file:
            return _digest(file) == digest.hexdigest()


def _whole(file: BinaryIO, size: int) -> bytes:
    """Exactly `size` bytes. Raises SourceChanged."""
    parts, left = [], size
    while left and (piece := file.read(left)):
        parts.append(piece)
        left -= len(piece)
    if left or file.read(1):
        raise SourceChanged
    return b"".join(parts)


def _digest(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(file):
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest()


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece


def clues_of(source: Source, facts: MediaFacts) -> Clues:
    """What recognition looks at in this file."""
    size = (facts.width, facts.height) if facts.width and facts.height else None
    return Clues(facts.tags, source.path.name, source.folders, size)


def _taken_at(source: Source, facts: MediaFacts) -> datetime:
    """What the file says; else what its name says, in this computer's zone; else when it was written."""
    if facts.taken_at is not None:
        return facts.taken_at
    if (found := _NAMED_TIME.search(source.path.name)) is not None:
        with contextlib.suppress(ValueError, OverflowError, OSError):
            return datetime(*map(int, found.groups())).astimezone(UTC)  # type: ignore[arg-type]  # six groups, six numbers
    try:
        return datetime.fromtimestamp(source.modified_ns / 1e9, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.now(UTC)


def _describe(prepared: _Prepared, group: str) -> NewItem:
    facts, camera = prepared.facts, prepared.camera
    signs = tuple((sign.value, text) for sign, text in camera.signs)
    return NewItem(
        kind=ItemKind(facts.kind.value),
        media_type=facts.media_type,
        taken_at=prepared.taken_at,
        origin=Origin(camera.family or IMPORTED, name=camera.label if camera.glasses or signs else ""),
        width=facts.width,
        height=facts.height,
        duration_ms=facts.duration_ms,
        orientation=facts.orientation,
        original_name=printable(prepared.source.path.name),
        recognised=Recognised(camera.confidence.value, signs),
        group=group,
    )
