"""From the bytes of a capture, as they come, to a sealed item: gathered, checked and sealed in one pass.

The vault answers only when the sealed copy is durable and was read back. Works while it is locked, since sealing needs no secret.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import BinaryIO

from app.errors import EyelidError
from app.glasses.gathered import Gathered
from app.glasses.types import KnownGlasses
from app.lanes import Lanes
from app.media.errors import MediaDamaged, MediaUnsupported
from app.media.inspect import inspect
from app.media.types import MediaFacts
from app.vault.types import ItemId, ItemKind, ItemMeta, LockState, NewItem, Origin
from app.vault.vault import Vault
from ble.types import Offer

LARGEST_CAPTURE = 512 * 1024 * 1024
"""Bytes; what a pair of glasses may hand over at once. Above it the capture is refused instead of filling the memory."""

AHEAD = 1024 * 1024
"""Bytes; once so much is here, sealing begins, while the rest arrives. Smaller captures are sealed when they are whole."""


class CaptureRefused(EyelidError):
    """What arrived is not a whole capture."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A capture that is safe, as `item`. `meta` is None when the vault had the same bytes already."""

    item: ItemId
    meta: ItemMeta | None

    @property
    def fresh(self) -> bool:
        return self.meta is not None


class _There(Exception):
    """The vault has the same bytes."""

    def __init__(self, item: ItemId) -> None:
        super().__init__()
        self.item = item


class Ingest:
    """Takes captures to the vault, sealing what is here while the rest arrives."""

    def __init__(self, vault: Vault, lanes: Lanes) -> None:
        self._vault = vault
        self._lanes = lanes

    async def take(
        self, pair: KnownGlasses, offer: Offer, pieces: AsyncIterator[bytes], gathered: Gathered, checked: Callable[[], None]
    ) -> Taken:
        """Add `pieces` to what was `gathered` before (nothing, if that is whole) and seal, unless the vault has the same bytes.

        `checked` is called, on any thread and before the vault has it, when the capture is known to be whole and new. Raises CaptureRefused
        and MediaDamaged for what is no whole capture, the vault's errors, and what `pieces` raise; then what is gathered stays, and may be
        gone on with, except after CaptureRefused for its length.
        """
        sealing: asyncio.Future[Taken] | None = None
        try:
            if not gathered.whole:
                gathered.go_on()
                async for piece in pieces:
                    gathered.append(piece)
                    _require_room(offer, gathered)
                    if sealing is None and len(gathered) >= AHEAD:
                        sealing = self._begin(pair, offer, gathered, checked)
                _require_all(offer, gathered)
                gathered.finish()
        except BaseException as error:
            gathered.interrupt()
            if sealing is not None:
                await asyncio.wait({sealing})
                sealing.exception()  # it says no more than that it was interrupted, or what a later try will say again
            if isinstance(error, CaptureRefused):
                gathered.clear()
            raise
        return await (sealing or self._begin(pair, offer, gathered, checked))

    def _begin(self, pair: KnownGlasses, offer: Offer, gathered: Gathered, checked: Callable[[], None]) -> asyncio.Future[Taken]:
        return self._lanes.apart(self._seal, pair, offer, gathered, checked)

    def _seal(self, pair: KnownGlasses, offer: Offer, gathered: Gathered, checked: Callable[[], None]) -> Taken:
        """Durable and read back on return."""

        def describe(sha256: str) -> NewItem:
            if offer.sha256 is not None and offer.sha256.hex() != sha256:
                raise CaptureRefused("A capture arrived changed.", "Its digest is not the one the glasses stated.", "It is fetched again.")
            if (there := self._same(sha256)) is not None:
                raise _There(there)
            # What carries the digest that the glasses stated came over whole: damaged or not, it is their original, and kept.
            facts = _facts(gathered.open(), came_whole=offer.sha256 is not None)
            checked()
            return self._describe(pair, offer, facts)

        try:
            meta = self._vault.add(gathered.open(), describe)
        except _There as known:
            return Taken(known.item, None)
        return Taken(meta.id, meta)

    def holds(self, item: ItemId) -> bool:
        """Whether the vault has this item on the disk; works while it is locked. Blocking."""
        return item in self._vault.ids()

    def ids(self) -> frozenset[ItemId]:
        """All items on the disk, as `holds` sees them. Blocking."""
        return frozenset(self._vault.ids())

    @property
    def can_tell(self) -> bool:
        """Whether the vault can say that it has the same bytes already; a locked one cannot."""
        return self._vault.state is LockState.UNLOCKED

    def _same(self, digest: str) -> ItemId | None:
        """The item with these bytes; a locked vault cannot tell, and takes them."""
        return self._vault.with_digest(digest) if self.can_tell else None

    @staticmethod
    def _describe(pair: KnownGlasses, offer: Offer, facts: MediaFacts | None) -> NewItem:
        origin = Origin(pair.family, pair.address, pair.name, pair.simulated)
        if facts is None:
            return NewItem(ItemKind.OTHER, "application/octet-stream", offer.taken_at, origin)
        return NewItem(
            kind=ItemKind(facts.kind.value),
            media_type=facts.media_type,
            taken_at=offer.taken_at,
            origin=origin,
            width=facts.width,
            height=facts.height,
            duration_ms=facts.duration_ms,
            # The glasses know how they are worn; only where they do not say does the file's own orientation count.
            orientation=offer.orientation if offer.orientation != 1 else facts.orientation,
        )


def _require_room(offer: Offer, gathered: Gathered) -> None:
    if max(len(gathered), offer.size or 0) > LARGEST_CAPTURE or len(gathered) > (offer.size or LARGEST_CAPTURE):
        raise CaptureRefused("A capture is larger than it should be.", "It was stopped.", "Check the glasses.")


def _require_all(offer: Offer, gathered: Gathered) -> None:
    if offer.size is not None and len(gathered) != offer.size:
        raise CaptureRefused("A capture arrived incomplete.", f"{len(gathered)} of {offer.size} bytes came.", "It is fetched again.")


def _facts(media: BinaryIO, *, came_whole: bool) -> MediaFacts | None:
    """What the bytes themselves say; None for media that nobody here can read, which are kept all the same."""
    try:
        return inspect(media)
    except MediaUnsupported:
        return None
    except MediaDamaged:
        if came_whole:
            return None
        raise
