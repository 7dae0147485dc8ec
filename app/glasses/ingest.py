"""From the bytes of a capture, as they come, to a sealed item: gathered, checked and sealed in one pass.

The vault answers only when the sealed copy is durable and was read back. Works while it is locked, since sealing needs no secret.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from app.errors import EyelidError
from app.glasses.gathered import Gathered
from app.glasses.types import KnownGlasses
from app.lanes import Lanes
from app.media.errors import MediaDamaged, MediaUnsupported
from app.media.inspect import inspect, type_of
from app.media.types import MediaFacts
from app.vault.types import ItemId, ItemKind, ItemMeta, LockState, NewItem, Origin
from app.vault.vault import Vault
from ble.types import Offer

LARGEST_CAPTURE = 4 << 30
"""Bytes; what a pair of glasses may hand over at once: no file is larger on the FAT32 of memory cards. Above it the capture is refused."""

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
                    _require_sane(offer, gathered)
                    if sealing is None and len(gathered) >= AHEAD:
                        sealing = self._begin(pair, offer, gathered, checked)
                    if sealing is not None and not gathered.has_room:
                        await self._catch_up(sealing, gathered)
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

    async def _catch_up(self, sealing: asyncio.Future[Taken], gathered: Gathered) -> None:
        """Let the sealing of a long capture come nearer to what arrives. Raises what ended it."""
        either: list[asyncio.Future[Any]] = [sealing, self._lanes.apart(gathered.wait_for_room)]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if sealing.done():
            sealing.result()

    def _begin(self, pair: KnownGlasses, offer: Offer, gathered: Gathered, checked: Callable[[], None]) -> asyncio.Future[Taken]:
        return self._lanes.apart(self._seal, pair, offer, gathered, checked)

    def _seal(self, pair: KnownGlasses, offer: Offer, gathered: Gathered, checked: Callable[[], None]) -> Taken:
        """Durable and read back on return. What the media are is found out beside it, once all of it is here."""

        def describe(sha256: str) -> NewItem:
            if offer.sha256 is not None and offer.sha256.hex() != sha256:
                raise CaptureRefused("A capture arrived changed.", "Its digest is not the one the glasses stated.", "It is fetched again.")
            if (there := self._same(sha256)) is not None:
                raise _There(there)
            known = facts.result()
            checked()
            return self._describe(pair, offer, known)

        def look() -> MediaFacts | None:
            gathered.size()  # waits
            return _facts(gathered, offer)

        beside = ThreadPoolExecutor(1, thread_name_prefix="facts")
        facts = beside.submit(look)
        try:
            meta = self._vault.add(gathered.open_to_seal(), describe)
        except _There as known:
            return Taken(known.item, None)
        finally:
            beside.shutdown(wait=False)  # if sealing failed, the rest may be long in coming
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


def _require_sane(offer: Offer, gathered: Gathered) -> None:
    if max(len(gathered), offer.size or 0) > LARGEST_CAPTURE or len(gathered) > (offer.size or LARGEST_CAPTURE):
        raise CaptureRefused("A capture is larger than it should be.", "It was stopped.", "Check the glasses.")


def _require_all(offer: Offer, gathered: Gathered) -> None:
    if offer.size is not None and len(gathered) != offer.size:
        raise CaptureRefused("A capture arrived incomplete.", f"{len(gathered)} of {offer.size} bytes came.", "It is fetched again.")


def _facts(gathered: Gathered, offer: Offer) -> MediaFacts | None:
    """What the bytes themselves say; None for media that nobody here can read, which are kept all the same."""
    media = gathered.open()
    try:
        return inspect(media)
    except MediaUnsupported:
        return None
    except MediaDamaged:
        if offer.sha256 is not None:  # it came over whole, by its digest: damaged or not, it is their original, and kept
            return None
        if gathered.complete:
            raise
        media_type = type_of(media)  # too long to be looked at whole: nobody can tell, so it is kept
        return MediaFacts(media_type.kind, media_type)
