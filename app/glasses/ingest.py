"""From a capture on the glasses to a sealed item: fetch, check, seal, and only then let the glasses go of it.

Owns the order of these steps. The vault answers only when the sealed copy is durable and was read back; nothing is released before.
Works while the vault is locked, since sealing needs no secret.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from app.errors import EyelidError
from app.glasses.types import KnownGlasses
from app.lanes import Lanes
from app.media.errors import MediaUnsupported
from app.media.inspect import inspect
from app.media.types import MediaFacts
from app.vault.types import ItemKind, ItemMeta, LockState, NewItem, Origin
from app.vault.vault import Vault
from ble.types import Offer

LARGEST_CAPTURE = 512 * 1024 * 1024
"""Bytes; what a pair of glasses may hand over at once. Above it the capture is refused instead of filling the memory."""


class CaptureRefused(EyelidError):
    """What arrived is not a whole capture."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A capture that is safe. `fresh` is false when the vault had the same bytes already."""

    meta: ItemMeta | None
    fresh: bool


class Ingest:
    """Brings captures in, one at a time a pair of glasses."""

    def __init__(self, vault: Vault, lanes: Lanes) -> None:
        self._vault = vault
        self._lanes = lanes

    async def take(self, pair: KnownGlasses, offer: Offer, pieces: AsyncIterator[bytes]) -> Taken:
        """Seal the capture `offer` whose bytes are `pieces`.

        Returns when the sealed copy is durable. Raises CaptureRefused or app.media's MediaDamaged for bytes that are not a whole capture,
        and the vault's errors when it cannot be kept; in each case the glasses still hold it.
        """
        data = await self._gather(offer, pieces)
        digest = hashlib.sha256(data)
        if offer.sha256 is not None and digest.digest() != offer.sha256:
            raise CaptureRefused("A capture arrived changed.", "Its digest is not the one the glasses stated.", "It is fetched again.")
        facts = await self._lanes.work(_facts, data)
        if await self._lanes.vault(self._has, digest.hexdigest()):
            return Taken(None, fresh=False)
        return Taken(await self._lanes.vault(self._vault.add, data, self._describe(pair, offer, facts)), fresh=True)

    def _has(self, digest: str) -> bool:
        """Whether the vault holds these bytes; a locked vault cannot tell, and takes them."""
        return self._vault.state is LockState.UNLOCKED and self._vault.with_digest(digest) is not None

    @staticmethod
    async def _gather(offer: Offer, pieces: AsyncIterator[bytes]) -> bytes:
        gathered = bytearray()
        async for piece in pieces:
            gathered += piece
            if len(gathered) > LARGEST_CAPTURE:
                raise CaptureRefused("A capture is larger than any photo or clip should be.", "It was stopped.", "Check the glasses.")
        if offer.size is not None and len(gathered) != offer.size:
            raise CaptureRefused("A capture arrived incomplete.", f"{len(gathered)} of {offer.size} bytes came.", "It is fetched again.")
        return bytes(gathered)

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


def _facts(data: bytes) -> MediaFacts | None:
    """What the bytes themselves say; None for a kind of media nobody here knows, which is kept all the same."""
    try:
        return inspect(data)
    except MediaUnsupported:
        return None
