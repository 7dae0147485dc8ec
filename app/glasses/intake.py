"""One capture's way from an offer to the vault, durable at each step, and the release of the source at its end.

Owns the order: nothing is released before its sealed copy was read back, and then only from glasses that lose nothing by it or whose
wearer chose so. What the ledger calls settled is not fetched again; what the vault cannot take now is tried again later.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

from app.errors import EyelidError, explain
from app.events import CaptureArriving, CaptureLost, CaptureSealed, EventHub, Trouble
from app.glasses.gathered import Gathered
from app.glasses.ingest import CaptureRefused, Ingest, Taken
from app.glasses.ledger import SETTLED, CaptureState, Entry, Ledger
from app.glasses.pace import Pace
from app.glasses.types import KnownGlasses
from app.lanes import Lanes
from app.media.errors import MediaDamaged
from app.vault.types import ItemMeta
from ble.errors import GlassesError, ProtocolFault
from ble.http_port import nothing_is_safe
from ble.keeper import Keeper
from ble.radio import Radio
from ble.types import Capabilities, Capability, Offer

RETRY_SECONDS = 15.0
"""Between two tries to keep a capture that the vault could not take (a full disk, say); the glasses or the driver hold it meanwhile."""
TELL_SECONDS = 0.2
"""Between two words on how far a transfer is."""
MOST_PARTIAL = 256 * 1024 * 1024
"""Bytes of interrupted transfers kept in memory for going on after a drop: the longest clips gain most by it. Never on the disk."""


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Where captures go: the vault's ingest, the ledger, the lanes that blocking work runs on, and who is told."""

    ingest: Ingest
    ledger: Ledger
    lanes: Lanes
    events: EventHub
    on_sealed: Callable[[ItemMeta], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Offered:
    """One capture on offer: of whom, through whom, what, and what these glasses can do just now (None: not known)."""

    known: KnownGlasses
    keeper: Keeper
    offer: Offer
    capabilities: Capabilities | None

    def can(self, capability: Capability) -> bool:
        return self.capabilities is not None and self.capabilities.can(capability)


class Outcome(enum.Enum):
    """What became of one offer. `KNOWN`: it is in the vault already, or was deleted there; `UNKEPT`: the vault could not take it."""

    SEALED = "sealed"
    KNOWN = "known"
    DAMAGED = "damaged"
    FAILED = "failed"
    UNKEPT = "unkept"


class Intake:
    """The captures of one pair. `damaged` counts those that arrived as no whole capture."""

    def __init__(self, deliveries: Deliveries, radio: Radio) -> None:
        self._to = deliveries
        self._radio = radio
        self._partial: dict[str, Gathered] = {}
        self._leaving = asyncio.Event()
        self._pace = Pace()
        self._told = 0.0
        self.damaged = 0

    def leave(self) -> None:
        """From now on nothing waits: what the vault cannot take is tried one last time."""
        self._leaving.set()

    async def settled(self, known: KnownGlasses) -> Callable[[Offer], bool]:
        """Which of the captures on the glasses need no fetching; none, if the wearer wants what is safe removed from the glasses."""
        if known.release:
            return nothing_is_safe
        return await self._to.lanes.vault(lambda: self._to.ledger.settled(known.address, self._to.ingest.ids()))

    async def take(self, offered: Offered) -> Outcome:
        """Bring one capture in, as far as it will come. Told are: its arrival, its damage, or the trouble there is."""
        known, offer = offered.known, offered.offer
        if offer.stored and self._leaving.is_set():
            return Outcome.FAILED  # they keep it, and offer it again; were there a thousand, leaving would take as many tries
        entry = await self._ledger(self._to.ledger.look, known.address, offer)
        if entry is not None and entry.state in SETTLED and await self._still_stands(entry):
            await self._release(offered)
            return Outcome.KNOWN
        if entry is not None and entry.state is CaptureState.CHECKED and offer.stored and not self._to.ingest.can_tell:
            # It was being sealed when the program ended. Only an unlocked vault tells whether it is there; the glasses keep it till then.
            return Outcome.UNKEPT
        try:
            taken = await self._patiently(offered)
        except (MediaDamaged, CaptureRefused) as error:
            self.damaged += 1
            self._to.events.publish(CaptureLost(known.address, str(explain(error))))
            await self._settle(known, offer, CaptureState.DAMAGED)
            if not offer.stored:
                await self._radio.run(offered.keeper.release(offer.id))
            return Outcome.DAMAGED
        except GlassesError as error:
            # The ledger says how far it came; glasses that store captures offer it again at the next link.
            self._to.events.publish(CaptureLost(known.address, str(explain(error))))
            return Outcome.FAILED
        if taken is None:
            return Outcome.UNKEPT
        await self._settle(known, offer, CaptureState.SEALED, taken=taken)
        await self._release(offered)
        if taken.meta is None:
            return Outcome.KNOWN
        self._to.events.publish(CaptureSealed(known.address))
        await self._to.on_sealed(taken.meta)
        return Outcome.SEALED

    async def _still_stands(self, entry: Entry) -> bool:
        """Whether what the ledger calls settled is so: an item that went missing without the wearer's doing is fetched again."""
        if entry.state is not CaptureState.SEALED or entry.item is None:
            return True
        return await self._to.lanes.vault(self._to.ingest.holds, entry.item)

    async def _patiently(self, offered: Offered) -> Taken | None:
        told = False
        while True:
            try:
                return await self._once(offered)
            except (GlassesError, MediaDamaged, CaptureRefused):
                raise
            except (EyelidError, OSError) as error:
                if not told:
                    self._to.events.publish(Trouble(explain(error)))
                told = True
                if self._leaving.is_set():
                    return None
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(RETRY_SECONDS):
                        await self._leaving.wait()

    async def _once(self, offered: Offered) -> Taken:
        known, offer = offered.known, offered.offer
        kept = self._partial.setdefault(offer.id, Gathered())
        # Without a digest of the whole nobody could tell whether parts of several transfers belong together.
        together = kept.whole or (offered.can(Capability.RESUME) and offer.sha256 is not None)
        if not together or not kept.complete:
            kept.clear()
        await self._ledger(self._to.ledger.note, known.address, offer, CaptureState.TRANSFERRING, offset=len(kept))

        def checked() -> None:
            self._to.ledger.note(known.address, offer, CaptureState.CHECKED, offset=len(kept))

        try:
            async with contextlib.aclosing(self._coming(offered, len(kept))) as pieces:
                taken = await self._to.ingest.take(known, offer, pieces, kept, checked)
        except GlassesError as error:
            if isinstance(error, ProtocolFault):
                kept.clear()  # they sent what can't be right: none of it is built upon
            await self._ledger(self._to.ledger.note, known.address, offer, CaptureState.SEEN, offset=len(kept))
            if not kept:
                del self._partial[offer.id]
            self._bound_partials()
            raise
        except (MediaDamaged, CaptureRefused):
            del self._partial[offer.id]
            raise
        del self._partial[offer.id]
        return taken

    async def _coming(self, offered: Offered, start: int) -> AsyncGenerator[bytes, None]:
        """The bytes of a capture from `start` on, as they come; tells how far it is."""
        offer, received = offered.offer, start
        async with contextlib.aclosing(self._radio.stream(lambda: offered.keeper.fetch(offer.id, start))) as pieces:
            async for piece in pieces:
                yield piece
                received += len(piece)
                if offer.stored:  # of what the driver holds already, it told itself
                    self.arriving(offered.known, received, offer.size)

    def arriving(self, known: KnownGlasses, received: int, total: int | None) -> None:
        """Tell how far a capture is, how fast, and how long the rest takes; not more often than anybody can read."""
        now = asyncio.get_running_loop().time()
        self._pace.at(received, now)
        if now - self._told >= TELL_SECONDS or received == total:
            self._told = now
            left = self._pace.left(total - received) if total else None
            self._to.events.publish(CaptureArriving(known.address, received, total, self._pace.rate, left))

    def _bound_partials(self) -> None:
        while sum(map(len, self._partial.values())) > MOST_PARTIAL:
            del self._partial[next(iter(self._partial))]

    async def _settle(self, known: KnownGlasses, offer: Offer, state: CaptureState, *, taken: Taken | None = None) -> None:
        if offer.stored:
            item = taken.item if taken else None
            await self._ledger(self._to.ledger.note, known.address, offer, state, item=item)
        else:
            await self._ledger(self._to.ledger.forget, known.address, offer)

    async def _release(self, offered: Offered) -> None:
        """Free the driver's copy. What the glasses themselves store is removed there only if the wearer chose so.

        Glasses that do not let go of it now are asked again when they offer it again; it is safe here.
        """
        offer = offered.offer
        if offer.stored and not offered.known.release:
            return
        try:
            await self._radio.run(offered.keeper.release(offer.id))
        except GlassesError:
            return
        if offer.stored and offered.can(Capability.RELEASE):
            await self._ledger(self._to.ledger.note, offered.known.address, offer, CaptureState.RELEASED)

    async def _ledger(self, call: Callable[..., Entry | None], *arguments: object, **named: object) -> Entry | None:
        return await self._to.lanes.vault(call, *arguments, **named)
