"""The wiring: everything a front end (window or command line) can ask of Eyelid, on one event loop.

Owns start and stop of the courier, the radio, the vault lane and the desks, in the order that keeps the promises: this process gives up the
internet, the courier starts, and then the vault opens. Knows no screen. Everything here is to be used on the loop that called `start`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from app import settings as declared
from app.confine.calls import internet_refused
from app.desks import LibraryDesk, NoVault, VaultDesk
from app.errors import explain
from app.events import EventHub, ItemsChanged, Trouble, VaultChanged, VaultNotice
from app.glasses.desk import GlassesDesk
from app.glasses.http_link import HttpLink
from app.imports.desk import ImportDesk
from app.lanes import Lanes
from app.library.library import Library
from app.library.types import ThumbSize
from app.live_frames import GlassesFrames
from app.media.look.link import LookLink
from app.media.types import Thumb
from app.outside import Outside
from app.paths import Profile
from app.previews import Previews
from app.separation import InForce, Separation
from app.settings import Settings
from app.sharing.courier_link import CourierLink
from app.sharing.desk import SharingDesk
from app.sharing.destinations import DestinationBook
from app.vault.types import ItemMeta, LockState
from app.vault.vault import Vault


class Services:
    """A running Eyelid. Make one with `start`, end it with `stop`."""

    def __init__(
        self, profile: Profile, events: EventHub, settings: Settings, lanes: Lanes, courier: CourierLink, separation: Separation
    ) -> None:
        self.profile = profile
        self.events = events
        self.settings = settings
        self.vault = VaultDesk(profile.vault, lanes, events, on_vault=self._furnish)
        self.glasses = GlassesDesk(profile.root, lanes, events, self._sealed, HttpLink(courier), separation.listen)
        self._frames = GlassesFrames(self.glasses, events)
        self._lanes = lanes
        self._courier = courier
        self._separation = separation
        self._look = LookLink()
        self._library: LibraryDesk | None = None
        self._sharing: SharingDesk | None = None
        self._imports: ImportDesk | None = None
        self._previews: Previews | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = False
        events.subscribe(VaultChanged, self._vault_changed)
        settings.on_change(self._setting_changed)

    @classmethod
    async def start(cls, profile: Profile, *, sims: Sequence[str] = (), outside: Outside | None = None) -> Services:
        """Start in `profile`. `sims`: families of simulated glasses to put on the virtual air at once. `outside`: if begun already.

        Raises the errors of the settings file, of the courier, and of the vault (in use, damaged, newer format).
        """
        try:
            profile.make()
            events = EventHub(asyncio.get_running_loop())
            settings = Settings(profile.settings)
            outside = outside or Outside()
            courier = await outside.courier()
        except BaseException:
            if outside is not None:
                await outside.close()
            raise
        services = cls(profile, events, settings, Lanes(), courier, outside.separation)
        try:
            await services.vault.open()
            for family in sims:
                await services.glasses.start_simulated(family)
        except BaseException:
            await services.stop()
            raise
        return services

    async def stop(self) -> None:
        """Leave everything as it should be left: glasses, vault, courier. Nothing that was acknowledged is lost. Again: a no-op."""
        if self._stopped:
            return
        self._stopped = True
        await self.glasses.stop()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._imports is not None:
            await self._imports.close()
        if self._sharing is not None:
            await self._sharing.close()  # first, so that the end of what is on its way is still written down
        await self._look.close()
        await self._courier.close()
        self._separation.close()
        await self.vault.close()
        self._lanes.close()

    async def in_force(self) -> InForce:
        """What the kernel enforces now, for `doctor`; starts what has to be asked. Raises CourierGone."""
        hello = await self._courier.ready()
        await self._look.warm()
        return InForce(internet_refused(), hello.calls, hello.files, bool(self._look.confined))

    @property
    def library(self) -> LibraryDesk:
        """Raises NoVault."""
        if self._library is None:
            raise NoVault
        return self._library

    @property
    def sharing(self) -> SharingDesk:
        """Raises NoVault."""
        if self._sharing is None:
            raise NoVault
        return self._sharing

    @property
    def imports(self) -> ImportDesk:
        """Raises NoVault."""
        if self._imports is None:
            raise NoVault
        return self._imports

    def _furnish(self, vault: Vault) -> None:
        """Set up what needs a vault, once there is one."""
        library = Library(vault)
        self._library = LibraryDesk(library, self._lanes, self.events, self.glasses.discarded)
        if self._previews is not None:
            self._previews.close()
        self._previews = Previews(library, self._lanes, self.events)
        self._spawn(self._previews.run())
        book = DestinationBook(self.profile.root)
        self._sharing = SharingDesk(vault, self._lanes, self._courier, self.events, book, looker=self._look)
        self._sharing.ai_off = self.settings.get(declared.AI_OFF)
        self._sharing.region = self.settings.get(declared.REGION)
        self._sharing.live.source = self._frames
        self._imports = ImportDesk(
            vault,
            self._lanes,
            self.profile.root,
            tuple(ThumbSize),
            self._imported,
            lambda items: self.events.publish(ItemsChanged(items)),
            lambda why: self.events.publish(Trouble(why)),
        )
        self._watch_folder()
        self.glasses.begin(vault)

    def _watch_folder(self) -> None:
        if self._imports is not None:
            folder = self.settings.get(declared.WATCH_FOLDER)
            self._imports.watch(Path(folder) if folder else None)

    def _vault_changed(self, event: VaultChanged) -> None:
        if event.state is LockState.UNLOCKED and self._library is not None:
            self._spawn(self._look_around(self._library))

    async def _look_around(self, library: LibraryDesk) -> None:
        """After unlocking: take in what arrived meanwhile, and say what is not as this computer left it."""
        await library.catch_up()
        self._look_at_pictures()
        if notices := self.vault.notices():
            self.events.publish(VaultNotice(notices))

    def _setting_changed(self, key: str) -> None:
        if key == declared.WATCH_FOLDER.key:
            self._watch_folder()
        if key == declared.AI_OFF.key and self._sharing is not None:
            self._sharing.ai_off = self.settings.get(declared.AI_OFF)
        if key == declared.REGION.key and self._sharing is not None:
            self._sharing.region = self.settings.get(declared.REGION)

    async def _sealed(self, meta: ItemMeta) -> None:
        self._frames.sealed(meta)
        if self.vault.state is LockState.UNLOCKED:
            await self.library.arrived(meta.id)

    async def _imported(self, meta: ItemMeta, thumbs: Sequence[Thumb]) -> None:
        if self.vault.state is LockState.UNLOCKED:
            await self.library.arrived(meta.id, thumbs)
            self._look_at_pictures()

    def _look_at_pictures(self) -> None:
        if self._previews is not None:
            self._previews.wake()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # background work has nobody waiting: tell the person instead of losing it
            self.events.publish(Trouble(explain(error)))
