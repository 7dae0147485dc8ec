"""The steps from the bytes of a capture to a sealed item: gather, check, seal. `app.glasses.intake` puts them in order.

The vault answers only when the sealed copy is durable and was read back. Works while it is locked, since sealing needs no secret.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from app.errors import EyelidError
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


class CaptureRefused(EyelidError):
    """What arrived is not a whole capture."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A whole capture: its SHA-256 in hex, and what its bytes say of themselves (None for media nobody here knows)."""

    sha256: str
    facts: MediaFacts | None


@dataclass(frozen=True, slots=True)
class Taken:
    """A capture that is safe, as `item`. `meta` is None when the vault had the same bytes already."""

    item: ItemId
    meta: ItemMeta | None

    @property
    def fresh(self) -> bool:
        return self.meta is not None


class Ingest:
    """The steps of bringing a capture in."""

    def __init__(self, vault: Vault, lanes: Lanes) -> None:
        self._vault = vault
        self._lanes = lanes

    async def gather(self, offer: Offer, pieces: AsyncIterator[bytes], gathered: bytearray) -> None:
        """Append `pieces` to what was gathered before. Raises CaptureRefused for too many or too few bytes."""
        async for piece in pieces:
            gathered += piece
            if len(gathered) > min(LARGEST_CAPTURE, offer.size or LARGEST_CAPTURE):
                gathered.clear()
                raise CaptureRefused("A capture is larger than it should be.", "It was stopped.", "Check the glasses.")
        if offer.size is not None and len(gathered) != offer.size:
            came = len(gathered)
            gathered.clear()
            raise CaptureRefused("A capture arrived incomplete.", f"{came} of {offer.size} bytes came.", "It is fetched again.")

    async def check(self, offer: Offer, data: bytes) -> Checked:
        """Make sure that `data` is the whole capture. Raises CaptureRefused or MediaDamaged.

        What carries the digest that the glasses stated came over whole: damaged or not, it is their original, and kept.
        """
        digest = hashlib.sha256(data)
        if offer.sha256 is not None and digest.digest() != offer.sha256:
            raise CaptureRefused("A capture arrived changed.", "Its digest is not the one the glasses stated.", "It is fetched again.")
        return Checked(digest.hexdigest(), await self._lanes.work(_facts, data, offer.sha256 is not None))

    async def seal(self, pair: KnownGlasses, offer: Offer, data: bytes, checked: Checked) -> Taken:
        """Seal it, unless the vault has the same bytes. Durable and read back on return; raises the vault's errors."""
        if (known := await self._lanes.vault(self._same, checked.sha256)) is not None:
            return Taken(known, None)
        meta = await self._lanes.vault(self._vault.add, data, self._describe(pair, offer, checked.facts))
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


def _facts(data: bytes, came_whole: bool) -> MediaFacts | None:
    """What the bytes themselves say; None for media that nobody here can read, which are kept all the same."""
    try:
        return inspect(data)
    except MediaUnsupported:
        return None
    except MediaDamaged:
        if came_whole:
            return None
        raise
