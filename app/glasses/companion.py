"""One enrolled pair of glasses, seen from the app's own loop: its keeper on the radio's thread, its captures on their way to the vault."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from app.errors import EyelidError, explain
from app.events import CaptureLost, GlassesChanged, Trouble
from app.glasses.intake import Deliveries, Intake, Offered, Outcome
from app.glasses.types import GlassesView, KnownGlasses
from ble.http_port import WifiGlasses
from ble.keeper import MOST_STORED, Keeper, KeeperEvent, KeeperView, LinkChanged
from ble.radio import Radio
from ble.types import Capabilities, CaptureDamaged, CaptureOffered, CaptureProgress, DeviceInfo, GlassesStatus, LinkState, Offer

T = TypeVar("T")

SETBACKS = 2
"""Failed attempts in a row that are no longer bad luck: a first link is often lost again at once."""


class Companion:
    """Owns one keeper, the task that reads from it, and the task that brings in what it offers, one capture after the other.

    `importing` is held while the Wi-Fi of the glasses is used; meanwhile `outcomes` says what became of each offer.
    """

    def __init__(self, known: KnownGlasses, radio: Radio, deliveries: Deliveries) -> None:
        self.known = known
        self._radio = radio
        self._intake = Intake(deliveries, radio)
        self._hub = deliveries.events
        self._keeper: Keeper | None = None
        self._seen: KeeperView | None = None
        self._info: DeviceInfo | None = None
        self._capabilities: Capabilities | None = None
        self._setbacks = 0
        self._changed = asyncio.Condition()
        self._changes = 0
        self.importing = asyncio.Lock()
        self.outcomes: dict[str, Outcome] | None = None
        self._offers: asyncio.Queue[Offer | None] = asyncio.Queue()
        self._waiting: set[str] = set()
        self._taking = False
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    @staticmethod
    def unkept(known: KnownGlasses) -> GlassesView:
        """How glasses look that nobody looks after yet."""
        return GlassesView(known, LinkState.IDLE, GlassesStatus(), None, None)

    @property
    def view(self) -> GlassesView:
        seen = self._seen
        return GlassesView(
            known=self.known,
            state=seen.state if seen else LinkState.IDLE,
            status=self._status(),
            info=self._info,
            capabilities=self._capabilities,
            trouble=explain(seen.trouble) if seen and seen.trouble else None,
            retry_at=seen.retry_at if seen else None,
        )

    def _status(self) -> GlassesStatus:
        status = self._seen.status if self._seen else GlassesStatus()
        damaged = self._intake.damaged
        return dataclasses.replace(status, received=max(0, status.received - damaged), damaged=status.damaged + damaged)

    async def begin(self, make: Callable[[KnownGlasses], Keeper]) -> None:
        """Start keeping. `make` is called on the radio's loop."""

        async def started() -> Keeper:
            keeper = make(self.known)
            keeper.connect_now()
            return keeper

        self._keeper = await self._radio.run(started())
        self._tasks = asyncio.create_task(self._read(self._keeper)), asyncio.create_task(self._bring_in(self._keeper))

    async def stop(self) -> None:
        """Leave the glasses; captures that arrived are still brought in, with one last try where the vault could not take them."""
        self._intake.leave()
        if self._keeper is not None:
            await self._radio.run(self._keeper.stop())
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def settled(self, seconds: float) -> GlassesView:
        """The view once the glasses are ready; raises what keeps them from it, if that needs a person, comes twice, or lasts `seconds`."""
        async with self._changed:
            # Not asyncio.wait_for: on Python 3.11 it takes no notice of being cancelled at the moment when what it waits for is there.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._changed.wait_for(self._is_settled)
        if self.view.state is LinkState.READY:
            return self.view
        trouble = self._seen.trouble if self._seen else None
        raise trouble or EyelidError("The glasses did not answer in time.", "", "Bring them closer and try again.")

    def _is_settled(self) -> bool:
        state = self._seen.state if self._seen else LinkState.IDLE
        return state in {LinkState.READY, LinkState.BLOCKED} or self._setbacks >= SETBACKS

    @property
    def _held(self) -> Keeper:
        if self._keeper is None:
            raise EyelidError("The glasses are not connected.", "Their connection is just being set up.", "Try again in a moment.")
        return self._keeper

    async def take_photo(self) -> None:
        await self._radio.run(self._held.take_photo())

    async def record_sound(self, seconds: int) -> None:
        await self._radio.run(self._held.record_sound(seconds))

    async def set_turn(self, turn: int | None) -> None:
        """See `Keeper.set_turn`."""
        keeper = self._held
        self._radio.call_soon(lambda: keeper.set_turn(turn))

    async def set_continuous(self, on: bool) -> None:
        await self._radio.run(self._held.set_continuous(on))

    async def connect(self) -> None:
        async def connect_now(keeper: Keeper) -> None:
            keeper.connect_now()

        await self._radio.run(connect_now(self._held))

    async def disconnect(self) -> None:
        await self._radio.run(self._held.disconnect())

    async def wifi(self) -> WifiGlasses:
        """The Wi-Fi of the glasses as they are linked now; for `on_radio`. Raises LinkLost, and Unsupported where they have none."""

        async def linked(keeper: Keeper) -> WifiGlasses:
            return keeper.wifi()

        return await self._radio.run(linked(self._held))

    async def on_radio(self, work: Coroutine[Any, Any, T]) -> T:
        """Run what concerns these glasses on the radio's loop."""
        return await self._radio.run(work)

    async def settled_captures(self) -> Callable[[Offer], bool]:
        """Which captures on the glasses need no fetching; for the radio's loop."""
        return await self._intake.settled(self.known)

    @property
    def busy(self) -> bool:
        """A capture is being brought in, or waits for that."""
        return self._taking or not self._offers.empty()

    @property
    def changes(self) -> int:
        """Goes up with all that changes here; see `until_changed`."""
        return self._changes

    async def until_changed(self, changes: int, seconds: float) -> None:
        """Until something has changed since `changes`, but no longer than `seconds`."""
        async with self._changed:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._changed.wait_for(lambda: self._changes != changes)

    async def _tell(self) -> None:
        self._changes += 1
        async with self._changed:
            self._changed.notify_all()

    async def _read(self, keeper: Keeper) -> None:
        try:
            async with contextlib.aclosing(self._radio.stream(keeper.events)) as events:
                async for event in events:
                    await self._happened(event)
        finally:
            self._offers.put_nowait(None)

    async def _happened(self, event: KeeperEvent) -> None:
        match event:
            case LinkChanged():
                await self._look(event.view)
            case CaptureProgress():
                if not self._taking:
                    self._intake.arriving(self.known, event.received, event.total)
            case CaptureDamaged():
                self._hub.publish(CaptureLost(self.known.address, event.reason))
            case CaptureOffered():
                self._line_up(event.offer)

    def _line_up(self, offer: Offer) -> None:
        """Once each: at every link the glasses offer anew what they store, and what is too much now they offer at the next."""
        if offer.id in self._waiting or (offer.stored and len(self._waiting) >= MOST_STORED):
            return
        self._waiting.add(offer.id)
        self._offers.put_nowait(offer)

    async def _bring_in(self, keeper: Keeper) -> None:
        """Apart from `_read`, so that the state of the link is known also while a long transfer is under way."""
        while (offer := await self._offers.get()) is not None:
            self._waiting.discard(offer.id)
            try:
                await self._take(keeper, offer)
            except Exception as error:  # one capture that cannot be dealt with must not cost the others
                self._hub.publish(Trouble(explain(error)))

    async def _look(self, seen: KeeperView) -> None:
        if seen.state is LinkState.WAITING and (self._seen is None or self._seen.state is not LinkState.WAITING):
            self._setbacks += 1
        self._seen = seen
        if seen.last_seen is not None:
            self.known = dataclasses.replace(self.known, last_seen=seen.last_seen)
        self._info = seen.info or self._info
        self._capabilities = seen.capabilities or self._capabilities
        self._hub.publish(GlassesChanged(self.view))
        await self._tell()

    async def _able(self, keeper: Keeper) -> Capabilities | None:
        """What they can do just now: some things only while their Wi-Fi is open, which changes no state of the link."""

        async def now() -> Capabilities | None:
            return keeper.view.capabilities

        return await self._radio.run(now()) or self._capabilities

    async def _take(self, keeper: Keeper, offer: Offer) -> None:
        self._taking = True
        try:
            outcome = await self._intake.take(Offered(self.known, keeper, offer, await self._able(keeper)))
        finally:
            self._taking = False
        if self.outcomes is not None:
            self.outcomes[offer.id] = outcome
        await self._tell()
        if outcome is Outcome.DAMAGED:
            self._hub.publish(GlassesChanged(self.view))
