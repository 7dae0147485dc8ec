"""One file's way into the vault: opened, packed, kept. The file itself is never changed.

Blocking, and good for several threads at once, which is worth it: much of the time goes by waiting for the drive.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.errors import Explanation, EyelidError, explain
from app.imports.crew import Crew, HandGone, NotByHand
from app.imports.memory import ImportMemory
from app.imports.obstacles import Obstacles
from app.imports.packing import Order, camera_of, digest
from app.imports.sources import LARGEST, SourceRefused, no_capture, opened
from app.imports.types import Fate, Outcome, Source
from app.media.sniff import SNIFF_BYTES, sniff
from app.media.types import Thumb
from app.vault.errors import ItemMissing, VaultLocked
from app.vault.files import Draft
from app.vault.store import Arrival
from app.vault.types import ItemId, ItemMeta
from app.vault.vault import Vault

_IN_TRASH = Explanation("It is in the vault's trash.", "You moved it there.", "Restore it there to keep it.")


@dataclass(frozen=True, slots=True)
class Taken:
    """How a file ended, and where it is a new item what is known of it, with the thumbnails that `glance` had."""

    outcome: Outcome
    meta: ItemMeta | None = None
    thumbs: tuple[Thumb, ...] = ()


class Importer:
    """Takes in one file after another. `memory` may know them from before; `sizes` are those of the thumbnails, the least first."""

    def __init__(self, vault: Vault, memory: ImportMemory, sizes: tuple[int, ...], crew: Crew) -> None:
        self._vault = vault
        self._memory = memory
        self._sizes = sizes
        self._crew = crew
        self._sealing = tuple(threading.Lock() for _ in range(256))

    def take(self, source: Source, group: str = "", *, only_glasses: bool = False, again: bool = True) -> Taken:
        """Take in a file, unless it is in the vault or no capture; a new item is durable and read back on return. Raises VaultLocked.

        `again`: take a file in once more that the person has deleted from the vault since. Whatever else goes wrong with this file, a full
        disk and a fault of our own too, is its outcome.
        """
        try:
            if (item := self._memory.item(source)) is not None and (not again or self._holds(item)):
                self._join(item, group)
                return Taken(Outcome(source.path, Fate.KNOWN, item))
            return self._pack(source, group, only_glasses)
        except VaultLocked:
            raise
        except Exception as error:  # a fault of our own over one file is no reason to leave out the others
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

    def _pack(self, source: Source, group: str, only_glasses: bool) -> Taken:
        if source.size > LARGEST:
            raise SourceRefused("This file is too large.", f"It is longer than {LARGEST >> 30} GiB.", "Cut it into parts first.")
        order = Order(
            source.path.name, source.folders, source.size, source.modified_ns, group, only_glasses, self._sizes, self._vault.recipient()
        )
        try:
            return self._once(source, order)
        except HandGone:
            return self._once(source, order)
        except NotByHand:
            return self._once(source, order, by_hand=False)

    def _once(self, source: Source, order: Order, *, by_hand: bool = True) -> Taken:
        with contextlib.ExitStack() as held:
            turn = _Turn(self._vault, self._sealing, held)
            with opened(source) as file:
                head = file.read(SNIFF_BYTES)
                if sniff(head) is None:
                    return Taken(Outcome(source.path, Fate.PASSED_OVER, why=no_capture(head)))
                file.seek(0)
                packed = self._crew.pack(file, order, turn.ask, by_hand=by_hand)
            if packed is None:
                assert turn.known is not None
                return self._known(source, turn.known, order.group)
            camera = camera_of(packed.new)
            if not packed.sealed:
                why = Explanation("Nothing says that glasses made this.")
                return Taken(Outcome(source.path, Fate.PASSED_OVER, camera=camera, why=why))
            assert turn.arrival is not None
            meta = self._vault.keep(turn.arrival, packed.new, source.size, turn.sha256)
            self._memory.remember(source, meta.id, taken=True)
            return Taken(Outcome(source.path, Fate.TAKEN, meta.id, camera, packed.new.taken_at), meta, packed.thumbs)

    def _known(self, source: Source, item: ItemId, group: str) -> Taken:
        self._memory.remember(source, item)
        self._join(item, group)
        return Taken(Outcome(source.path, Fate.KNOWN, item, why=None if self._holds(item) else _IN_TRASH))

    def same(self, source: Source, item: ItemId) -> bool:
        """Whether the vault's copy of `item`, opened and read to its end now, is this very file. Raises the vault's errors and OSError."""
        with self._vault.open_media(item) as media:
            kept = digest(media)
        with opened(source) as file:
            return digest(file) == kept


class _Turn:
    """What one file has in the vault until its turn is over: `known` is the item that has its bytes, `arrival` the new one."""

    def __init__(self, vault: Vault, sealing: tuple[threading.Lock, ...], held: contextlib.ExitStack) -> None:
        self._vault = vault
        self._sealing = sealing
        self._held = held
        self.sha256 = ""
        self.known: ItemId | None = None
        self.arrival: Arrival | None = None

    def ask(self, sha256: str) -> Draft | None:
        """Raises VaultLocked, OSError."""
        self._held.enter_context(self._sealing[int(sha256[:2], 16)])  # of two files with the same bytes, the second finds the first
        self.sha256, self.known = sha256, self._vault.with_digest(sha256)
        if self.known is not None:
            return None
        self.arrival = self._held.enter_context(self._vault.arriving())
        return self.arrival.draft
