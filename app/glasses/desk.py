"""The glasses desk: find, pair, use and forget glasses; their captures go to the vault by themselves.

Owns the book of known glasses, the two airs, and one companion for each enrolled pair. Identity is the enrolled address, never a name.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import EyelidError, explain
from app.events import EventHub, GlassesChanged, GlassesForgotten, Trouble
from app.glasses.airs import Airs, Heard, simulated_families
from app.glasses.companion import Companion
from app.glasses.ingest import Ingest
from app.glasses.intake import Deliveries
from app.glasses.known import NAMELESS, KnownBook
from app.glasses.ledger import Ledger
from app.glasses.over_wifi import WifiStep, import_over_wifi
from app.glasses.pairing import PairingState
from app.glasses.pairing_flow import SEARCH_SECONDS, PairingFlow
from app.glasses.types import FoundGlasses, GlassesView, KnownGlasses
from app.glasses.unseen import Census
from app.lanes import Lanes
from app.vault.types import ItemId, ItemMeta
from app.vault.vault import Vault
from ble.drivers import DRIVERS, driver_named, family_hint, pairing_advert, wifi_driver
from ble.http_port import HttpPort
from ble.keeper import Keeper
from ble.types import EXIF_OF_TURNS, LinkState

if TYPE_CHECKING:
    from ble.sim.loopback_http import Listen

PAIR_SECONDS = 45.0
LINKED = frozenset({LinkState.CONNECTING, LinkState.SECURING, LinkState.READY})
"""In these states a link, if there is one, is Eyelid's."""
LOUDER_DBM = 6
"""A found pair is told again when its signal changed by so much."""


class UnknownGlasses(EyelidError):
    """These glasses are not paired."""

    def __init__(self) -> None:
        super().__init__("These glasses are not paired.", "They were forgotten, or never paired.", "Pair them first.")


class GlassesDesk:
    """Everything a front end asks about glasses."""

    def __init__(
        self,
        folder: Path,
        lanes: Lanes,
        events: EventHub,
        on_sealed: Callable[[ItemMeta], Awaitable[None]],
        http: HttpPort | None = None,
        listen: Listen | None = None,
    ) -> None:
        """`folder` is the profile's; `on_sealed` is awaited with each capture that is safe; `http` leads to the glasses' own Wi-Fi.

        `listen`: see `Airs`.
        """
        self._http = http
        self._book = KnownBook(folder / "glasses.json")
        self._ledger = Ledger(folder / "ledger.db")
        self._lanes = lanes
        self._events = events
        self._on_sealed = on_sealed
        self._airs = Airs(listen)
        self._deliveries: Deliveries | None = None
        self._companions: dict[str, Companion] = {}
        self._pairing = asyncio.Lock()
        """One pairing at a time: the system asks one agent, and whoever begins twice must not undo what the first keeps."""
        self._starting: asyncio.Task[None] | None = None

    def begin(self, vault: Vault) -> None:
        """There is a vault to deliver into: look after all known glasses from now on."""
        self._deliveries = Deliveries(Ingest(vault, self._lanes), self._ledger, self._lanes, self._events, self._on_sealed)
        self._starting = asyncio.ensure_future(self._keep_all())

    async def _keep_all(self) -> None:
        for known in self._book.all():
            try:
                if known.simulated:
                    await self._airs.simulate(known.family, known.address)
                await self._keep(known)
            except Exception as error:  # one pair that cannot be kept must not cost the others
                self._events.publish(Trouble(explain(error)))

    async def _started(self) -> None:
        """Until each known pair is looked after."""
        if self._starting is not None:
            await asyncio.wait({self._starting})

    async def stop(self) -> None:
        """Leave all glasses and end the radio."""
        await self._started()
        companions, self._companions = self._companions, {}
        await asyncio.gather(*(companion.stop() for companion in companions.values()), return_exceptions=True)
        with contextlib.suppress(OSError):  # only when they were last seen
            for companion in companions.values():
                if self._book.get(companion.known.address) not in (None, companion.known):
                    self._book.keep(companion.known)
        await self._airs.stop()
        await self._lanes.vault(self._ledger.close)

    async def discarded(self, items: Sequence[ItemId]) -> None:
        """These were deleted from the vault for good: the glasses' copies are not to come in again."""
        await self._lanes.vault(self._ledger.discard, items)

    def known(self) -> tuple[GlassesView, ...]:
        """The paired glasses, in the order they were paired."""
        return tuple(self._view(known) for known in self._book.all())

    def _view(self, known: KnownGlasses) -> GlassesView:
        companion = self._companions.get(known.address)
        return companion.view if companion else Companion.unkept(known)

    async def scan(self, seconds: float = 10, census: Census | None = None) -> AsyncGenerator[FoundGlasses, None]:
        """Glasses nearby, for `seconds`: each address once, again when its signal changes much, or whether it can be paired.

        Raises RadioUnavailable.

        `census` counts all other devices, too.
        """
        told: dict[str, FoundGlasses] = {}
        async with contextlib.aclosing(self._airs.scan(seconds, census)) as all_heard:
            async for heard in all_heard:
                found = self._found(heard)
                before = told.get(found.address)
                if (
                    before is not None
                    and abs(before.rssi - found.rssi) < LOUDER_DBM
                    and dataclasses.replace(before, rssi=found.rssi) == found
                ):
                    continue
                told[found.address] = found
                yield found

    def _found(self, heard: Heard) -> FoundGlasses:
        advertisement = heard.advertisement
        pairing = pairing_advert(advertisement)
        return FoundGlasses(
            address=advertisement.address,
            family=family_hint(advertisement),
            name=advertisement.name,
            rssi=advertisement.rssi,
            known=self._book.get(advertisement.address) is not None,
            simulated=heard.simulated,
            pairable=pairing.pairable,
            code=pairing.code,
        )

    async def held_here(self, address: str) -> bool:
        """Whether this computer's system has a link to these glasses that Eyelid did not make, as far as it can be asked."""
        view = next((view for view in self.known() if view.known.address.upper() == address.upper()), None)
        ours = view is not None and (view.known.simulated or view.state in LINKED)
        return not ours and await self._airs.held_here(address)

    async def check_radio(self) -> None:
        """Listen for a moment with this computer's own radio. Raises RadioUnavailable, with the reason."""
        await self._airs.check()

    def cautions(self, family: str) -> tuple[str, ...]:
        """What a wearer should know of this family before pairing."""
        driver = driver_named(family)
        return driver.cautions(family) if driver is not None else ()

    def pairing(
        self, wanted: str | None = None, *, seconds: float = SEARCH_SECONDS, on_change: Callable[[PairingState], None] = lambda _: None
    ) -> PairingFlow:
        """Pairing step by step, for a front end to show and answer. `wanted`: list only the glasses with this address."""
        return PairingFlow(self, self._events, wanted=wanted, seconds=seconds, on_change=on_change)

    async def pair(
        self, found: FoundGlasses, *, continuous: bool = False, compare: Callable[[str], Awaitable[bool]] | None = None
    ) -> KnownGlasses:
        """Connect, make sure that these are such glasses, and enrol their address. Raises the glasses' errors; then nothing is enrolled.

        `compare` is asked whether the glasses show the same code, where they show one; without it such glasses are paired without a code,
        or not at all, as they like.
        """
        if self._deliveries is None:
            raise EyelidError("There is no vault to deliver into yet.", "Captures are only ever kept sealed.", "Create the vault first.")
        async with self._pairing:
            if (enrolled := self._book.get(found.address)) is None:
                return await self._enrol(found, continuous, compare)
        await self.connect(found.address)
        return enrolled

    async def _enrol(self, found: FoundGlasses, continuous: bool, compare: Callable[[str], Awaitable[bool]] | None) -> KnownGlasses:
        known = KnownGlasses(found.address, found.family, found.name or NAMELESS, datetime.now(UTC), found.simulated, continuous)
        try:
            async with self._airs.pairing(found.address, compare, simulated=found.simulated):
                companion = await self._keep(known)
                view = await companion.settled(PAIR_SECONDS)
            # Only connected do glasses tell of which family they are; a name is anybody's to choose.
            family = view.capabilities.family if view.capabilities else known.family
            companion.known = dataclasses.replace(known, family=family, last_seen=datetime.now(UTC))
            self._book.keep(companion.known)
        except BaseException:
            if (tried := self._companions.pop(known.address, None)) is not None:
                await tried.stop()
            raise
        self._events.publish(GlassesChanged(companion.view))
        return companion.known

    async def _keep(self, known: KnownGlasses) -> Companion:
        assert self._deliveries is not None, "glasses are kept only when there is a vault"
        self._airs.radio.start()
        companion = Companion(known, self._airs.radio, self._deliveries)
        self._companions[known.address] = companion
        await companion.begin(self._make_keeper)
        return companion

    def _make_keeper(self, known: KnownGlasses) -> Keeper:
        wifi = wifi_driver(known.family, self._http, simulated=known.simulated) if self._http else None
        driver = wifi or driver_named(known.family) or DRIVERS[0]
        airwaves = self._airs.airwaves(simulated=known.simulated)
        return Keeper(
            airwaves,
            driver,
            known.address,
            continuous=known.continuous,
            simulated=known.simulated,
            last_seen=known.last_seen,
            turn=known.turn,
        )

    async def _companion(self, address: str) -> Companion:
        await self._started()
        companion = self._companions.get(address)
        if companion is None:
            raise UnknownGlasses
        return companion

    async def forget(self, address: str) -> None:
        """Leave these glasses and forget their address. What they delivered stays in the vault."""
        await self._started()
        self._book.forget(address)
        companion = self._companions.pop(address, None)
        self._events.publish(GlassesForgotten(address))
        if companion is not None:
            await companion.stop()

    async def rename(self, address: str, name: str) -> None:
        await self._change(address, name=name.strip()[:64] or NAMELESS)

    async def _change(self, address: str, **changes: object) -> None:
        companion = await self._companion(address)
        known = dataclasses.replace(companion.known, **changes)  # type: ignore[arg-type]
        self._book.keep(known)
        companion.known = known
        self._events.publish(GlassesChanged(companion.view))

    async def take_photo(self, address: str) -> None:
        """Ask for one photo; returns when the glasses have offered it. It arrives in the vault by itself. Raises the glasses' errors."""
        await (await self._companion(address)).take_photo()

    async def record_sound(self, address: str, seconds: int) -> None:
        """Ask for a voice note of so many seconds (1 to 600), for glasses with `Capability.MICROPHONE`; it arrives in the vault by itself.

        The only way to switch a microphone on; cancelling switches it off. Raises ValueError, and the glasses' errors.
        """
        await (await self._companion(address)).record_sound(seconds)

    async def set_continuous(self, address: str, on: bool) -> None:
        """Whether these glasses take photos at intervals; kept for every later connection too."""
        await (await self._companion(address)).set_continuous(on)
        await self._change(address, continuous=on)

    async def set_release(self, address: str, on: bool) -> None:
        """Whether captures are removed from these glasses once their sealed copies were read back."""
        await self._change(address, release=on)

    async def set_turn(self, address: str, turn: int | None) -> None:
        """By how many degrees clockwise (0, 90, 180, 270) their photos are upright; None: as the glasses say. Raises ValueError."""
        if turn is not None and turn not in EXIF_OF_TURNS:
            raise ValueError("photos are turned by quarters")
        await (await self._companion(address)).set_turn(turn)
        await self._change(address, turn=turn)

    async def connect(self, address: str) -> None:
        """Try now, instead of at the next time by itself."""
        await (await self._companion(address)).connect()

    async def disconnect(self, address: str) -> None:
        await (await self._companion(address)).disconnect()

    async def import_over_wifi(self, address: str, *, own_network: bool = True) -> AsyncGenerator[WifiStep, None]:
        """Bring in what the glasses hold, over their Wi-Fi; step by step, see `app.glasses.over_wifi`. For glasses with `Capability.WIFI`.

        `own_network`: one that the glasses open, which this computer then has to join; else the one that both are on already. Raises
        UnknownGlasses; all other trouble is the last step. Ending the iteration (`aclose`) breaks the import off.
        """
        async with contextlib.aclosing(import_over_wifi(await self._companion(address), own_network=own_network)) as steps:
            async for step in steps:
                yield step

    def simulated_families(self) -> tuple[tuple[str, str], ...]:
        """Id and label of each family that can be tried without glasses."""
        return simulated_families()

    async def start_simulated(self, family: str) -> None:
        """Switch on simulated glasses; a scan then finds them. Those of this family that are paired already are the ones switched on."""
        families = [known for known, _ in simulated_families()]
        if family not in families:
            raise EyelidError(f"There are no simulated glasses called “{family}”.", "", f"Choose {' or '.join(families)}.")
        enrolled = next((known.address for known in self._book.all() if known.simulated and known.family == family), None)
        await self._airs.simulate(family, enrolled)
