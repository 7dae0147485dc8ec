"""Keeps one enrolled pair of glasses connected: looks for them, connects, passes on what they say, and comes back after a drop.

Owns the link and everything needed to bring it back; knows nothing of vaults and screens. Lives on the radio's loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ble.connection import Effect, Event, pause, step
from ble.errors import GlassesError, LinkLost, NotFound, ProtocolFault, Unsupported, link_lost
from ble.event_queue import EventQueue
from ble.glasses import Driver, Glasses, VoiceGlasses, awaits_firmware
from ble.http_port import WifiGlasses
from ble.port import Airwaves, WatchedPort
from ble.types import (
    EXIF_OF_TURNS,
    Capabilities,
    CaptureDamaged,
    CaptureKind,
    CaptureOffered,
    CaptureProgress,
    DeviceInfo,
    GlassesEvent,
    GlassesStatus,
    LinkClosed,
    LinkState,
    Offer,
    StatusChanged,
)
from ble.unseen import Facts, why_unseen

SCAN_SECONDS = 15.0
OPEN_SECONDS = 60.0
"""Longest that connecting and recognising may take altogether."""
STEADY_SECONDS = 30.0
"""A link that lasted so long was a good one: the next failure counts as the first."""
MOST_WAITING = 256
"""Offered captures that only this computer holds; beyond that the oldest is given up, and told as damaged."""
MOST_STORED = 32768
"""Offered captures that the glasses keep; beyond that the oldest is forgotten, until they offer it again."""
AWAKE_SECONDS = 5.0
"""Waits are looked at so often: while a computer sleeps its loop's clock stands still, and the wearer's does not."""


@dataclass(frozen=True, slots=True)
class KeeperView:
    """All there is to say about one pair. `trouble` says why they are not ready; `retry_at` (UTC) when they are tried again by itself."""

    address: str
    state: LinkState
    trouble: GlassesError | None = None
    retry_at: datetime | None = None
    status: GlassesStatus = field(default_factory=GlassesStatus)
    info: DeviceInfo | None = None
    capabilities: Capabilities | None = None
    last_seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The state of the link, or what is known of the glasses, is now this."""

    view: KeeperView


KeeperEvent = LinkChanged | CaptureOffered | CaptureProgress | CaptureDamaged


class Keeper:
    """One pair. `connect_now` and `disconnect` at will, `stop` at the end; `events` has one reader."""

    def __init__(
        self,
        airwaves: Airwaves,
        driver: Driver,
        address: str,
        *,
        continuous: bool = False,
        simulated: bool = False,
        last_seen: datetime | None = None,
        turn: int | None = None,
        utc: Callable[[], datetime] = lambda: datetime.now(UTC),
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`continuous`: the wearer wants capture at intervals. `turn`: see `set_turn`. `jitter`: 0 to 1; spreads retries by a tenth."""
        self._loop = asyncio.get_running_loop()
        self._airwaves = airwaves
        self._driver = driver
        self._address = address
        self._continuous = continuous
        self._turn = turn
        self._simulated = simulated
        self._utc = utc
        self._jitter = jitter
        self._state = LinkState.IDLE
        self._trouble: GlassesError | None = None
        self._retry: asyncio.TimerHandle | None = None
        self._retry_at: datetime | None = None
        self._retry_due = 0.0
        self._failures = 0
        self._ready_since = 0.0
        self._glasses: Glasses | None = None
        self._status = GlassesStatus()
        self._before = GlassesStatus()
        self._holders: dict[str, Glasses] = {}
        self._stored: dict[str, Glasses] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._attempt: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._last_seen = last_seen
        self._last_rssi: int | None = None
        self._events: EventQueue[KeeperEvent] = EventQueue((LinkChanged, CaptureProgress), (CaptureDamaged,))

    # -- what others see and ask ----------------------------------------------------------------------------------------------------

    @property
    def view(self) -> KeeperView:
        glasses = self._glasses
        status = glasses.status if glasses else self._status
        return KeeperView(
            address=self._address,
            state=self._state,
            trouble=self._trouble,
            retry_at=self._retry_at,
            status=replace(status, received=self._before.received + status.received, damaged=self._before.damaged + status.damaged),
            info=glasses.info if glasses else None,
            capabilities=glasses.capabilities if glasses else None,
            last_seen=self._last_seen,
        )

    def events(self) -> AsyncIterator[KeeperEvent]:
        """Changes and captures from the beginning on, in order; one reader; ends after `stop`."""
        return self._events.read()

    def connect_now(self) -> None:
        """Look for the glasses, at once even when waiting or blocked, and stay with them; no effect while trying or connected."""
        self._failures = 0
        self._happen(Event.WANTED)

    async def disconnect(self) -> None:
        """Leave the glasses and stay away until `connect_now`."""
        self._happen(Event.UNWANTED)
        await self._settled()

    async def stop(self) -> None:
        """`disconnect` for good; captures already offered can still be fetched."""
        await self.disconnect()
        self._events.close()

    async def take_photo(self) -> None:
        """See `ble.glasses.Glasses`; raises LinkLost while there is no link."""
        await self._linked().take_photo()

    async def set_continuous(self, on: bool) -> None:
        """Have photos taken at intervals, or no longer; without a link it counts from the next one on."""
        self._continuous = on
        if self._glasses is not None:
            with contextlib.suppress(LinkLost):
                await self._glasses.set_continuous(on)

    async def record_sound(self, seconds: int) -> None:
        """See `ble.glasses.VoiceGlasses`; raises LinkLost while there is no link, Unsupported for glasses without a microphone."""
        glasses = self._linked()
        if not isinstance(glasses, VoiceGlasses):
            raise Unsupported("These glasses record no voice notes.", "Eyelid uses no microphone of theirs.", "Nothing needs to be done.")
        await glasses.record_sound(seconds)

    def set_turn(self, turn: int | None) -> None:
        """Photos are upright once turned clockwise by so many degrees (0, 90, 180, 270), whatever the glasses say; None: as they say."""
        self._turn = turn

    async def fetch(self, offer_id: str, offset: int = 0) -> AsyncIterator[bytes]:
        """The bytes of an offered capture, also after the link it came over is gone. Raises ProtocolFault for an unknown one."""
        async for piece in self._holder(offer_id).fetch(offer_id, offset):
            yield piece

    async def release(self, offer_id: str) -> None:
        """The capture is safe: let it go. For an unknown one it is a no-op."""
        holder = self._holders.pop(offer_id, None) or self._stored.pop(offer_id, None)
        if holder is not None:
            await holder.release(offer_id)

    def wifi(self) -> WifiGlasses:
        """Their Wi-Fi; good for this link. What they offer over it comes as events. Raises LinkLost, Unsupported."""
        glasses = self._linked()
        if not isinstance(glasses, WifiGlasses):
            raise Unsupported("These glasses have no Wi-Fi.", "All they have comes over Bluetooth, by itself.", "Nothing needs to be done.")
        return glasses

    def _linked(self) -> Glasses:
        if self._glasses is None:
            raise LinkLost("The glasses are not connected.", "There is no link at the moment.", "Connect the glasses first.")
        return self._glasses

    def _holder(self, offer_id: str) -> Glasses:
        holder = self._holders.get(offer_id) or self._stored.get(offer_id)
        if holder is None:
            raise ProtocolFault("This capture is no longer there.", "It was released, or never offered.", "Take it again.")
        return holder

    # -- the machine ----------------------------------------------------------------------------------------------------------------

    def _happen(self, event: Event) -> None:
        done = step(self._state, event)
        if done.state is self._state and not done.effects:
            return
        self._state = done.state
        if done.state in (LinkState.SCANNING, LinkState.READY, LinkState.IDLE):
            self._retry_at = None
        if done.state in (LinkState.READY, LinkState.IDLE):
            self._trouble = None
        actions: Mapping[Effect, Callable[[], None]] = {
            Effect.SCAN: lambda: self._try(self._scan),
            Effect.CONNECT: lambda: self._try(self._connect),
            Effect.DELIVER: self._deliver_from_now_on,
            Effect.WAIT: self._wait,
            Effect.STOP_WAITING: self._stop_waiting,
            Effect.ABANDON: self._abandon,
            Effect.CLOSE: self._close,
        }
        for effect in done.effects:
            actions[effect]()
        self._tell()

    def _tell(self) -> None:
        self._events.put(LinkChanged(self.view))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _deliver_from_now_on(self) -> None:
        self._spawn(self._deliver(self._linked()))

    def _close(self) -> None:
        self._closing = self._spawn(self._linked().close())

    async def _settled(self) -> None:
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))

    def _try(self, attempt: Callable[[], Coroutine[Any, Any, Event]]) -> None:
        self._attempt = self._spawn(self._attempted(attempt))

    async def _attempted(self, attempt: Callable[[], Coroutine[Any, Any, Event]]) -> None:
        """Carry out one attempt and let its outcome happen, whatever it is; unless it was abandoned, and another is under way perhaps."""
        trouble: GlassesError | None = None
        try:
            outcome = await attempt()
        except GlassesError as error:
            trouble = error
        except Exception as error:  # a fault of ours must not end the keeping
            trouble = _our_fault("Connecting failed.", error)
        if self._attempt is asyncio.current_task():
            self._happen(outcome if trouble is None else self._failed(trouble))

    def _failed(self, error: GlassesError) -> Event:
        self._trouble = error
        self._failures += 1
        return Event.REFUSED if pause(error, self._failures) is None else Event.FAILED

    def _abandon(self) -> None:
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.cancel()

    def _wait(self) -> None:
        trouble = self._trouble or link_lost()
        seconds = (pause(trouble, max(1, self._failures)) or 0.0) * (1 + self._jitter() / 10)
        self._retry_due = self._loop.time() + seconds
        self._retry_at = self._utc() + timedelta(seconds=seconds)
        self._look_at_the_clock()

    def _look_at_the_clock(self) -> None:
        """By whichever clock is first: after a sleep, or a long wait that began before one, no more time is lost."""
        left = self._retry_due - self._loop.time()
        if left <= 0 or (self._retry_at is not None and self._utc() >= self._retry_at):
            self._happen(Event.DUE)
        else:
            self._retry = self._loop.call_later(min(left, AWAKE_SECONDS), self._look_at_the_clock)

    def _stop_waiting(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    # -- what takes time ------------------------------------------------------------------------------------------------------------

    async def _scan(self) -> Event:
        others: set[str] = set()
        everybody: set[str] = set()
        awaiting_firmware = False
        if self._closing is not None:
            await asyncio.wait({self._closing})  # while that link stands the glasses are not to be heard
        heard = self._airwaves.scan(())  # all devices: not all firmware advertises its service
        try:
            async with asyncio.timeout(SCAN_SECONDS):
                async for advertisement in heard:
                    if advertisement.address.upper() == self._address.upper():
                        self._last_seen, self._last_rssi = self._utc(), advertisement.rssi
                        return Event.HEARD
                    if len(everybody) < MOST_WAITING:
                        everybody.add(advertisement.address)
                        if awaits_firmware(self._driver, advertisement.name):
                            awaiting_firmware = True
                        elif self._driver.recognises(advertisement):
                            others.add(advertisement.address)
        except TimeoutError:
            pass
        finally:
            await heard.aclose()
        facts = Facts(
            seconds=SCAN_SECONDS,
            now=self._utc(),
            simulated=self._simulated,
            others_heard=len(others),
            awaiting_firmware=awaiting_firmware,
            last_seen=self._last_seen,
            last_rssi=self._last_rssi,
            last_battery=self._status.battery,
            devices_heard=len(everybody),
            held_here=await self._airwaves.held_here(self._address),
        )
        raise NotFound(*why_unseen(facts))

    async def _connect(self) -> Event:
        port = WatchedPort(self._airwaves.port(self._address), lambda: self._happen(Event.LINKED))
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                glasses = await self._driver.open(port, continuous=self._continuous)
        except TimeoutError:
            raise LinkLost(
                "The glasses did not answer in time.", "They may be out of range or busy.", "Bring the glasses closer."
            ) from None
        if self._attempt is not asyncio.current_task():
            await glasses.close()  # abandoned, and open all the same
            raise link_lost()
        self._glasses = glasses
        self._ready_since = self._loop.time()
        self._last_seen = self._utc()
        return Event.OPENED

    async def _deliver(self, glasses: Glasses) -> None:
        """Pass events on until the link closes."""
        trouble: GlassesError = link_lost()
        try:
            async for event in glasses.events():
                self._pass_on(glasses, event)
        except Exception as error:  # as in `_attempted`
            trouble = _our_fault("Eyelid could not deal with the glasses.", error)
            self._closing = self._spawn(glasses.close())  # the link may stand, and nobody listens any more
        self._last_seen = self._utc()
        self._before, self._status = self.view.status, replace(self._status, received=0, damaged=0)
        if self._loop.time() - self._ready_since >= STEADY_SECONDS:
            self._failures = 0
        if self._state is LinkState.READY:
            self._failed(trouble)
        self._glasses = None
        self._happen(Event.DROPPED)
        self._tell()

    def _keep(self, glasses: Glasses, offer: Offer) -> None:
        """Remember who holds what; whoever does not store it holds it in this computer's memory."""
        (self._stored if offer.stored else self._holders)[offer.id] = glasses
        if len(self._holders) > MOST_WAITING:
            oldest = next(iter(self._holders))
            self._spawn(self._holders.pop(oldest).release(oldest))
            self._events.put(CaptureDamaged("nobody fetched it in time", self._utc()))
        if len(self._stored) > MOST_STORED:
            del self._stored[next(iter(self._stored))]

    def _pass_on(self, glasses: Glasses, event: GlassesEvent) -> None:
        match event:
            case StatusChanged():
                self._status = event.status
                self._tell()
            case CaptureOffered():
                offer = event.offer
                if self._turn is not None and offer.kind is CaptureKind.PHOTO:
                    offer = replace(offer, orientation=EXIF_OF_TURNS[self._turn])
                self._events.put(CaptureOffered(offer))
                self._keep(glasses, offer)
            case CaptureProgress() | CaptureDamaged():
                self._events.put(event)
            case LinkClosed():
                pass  # the end of the events says so too


def _our_fault(what: str, error: Exception) -> GlassesError:
    return GlassesError(what, f"The fault is of the kind {type(error).__name__}.", "Report this fault.")
