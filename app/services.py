"""The wiring: everything a front end (window or command line) can ask of Eyelid, on one event loop.

Owns start and stop of the courier, the radio, the vault lane and the desks, in the order that keeps the promises: this process gives up the
internet, the courier starts, and then the vault opens. Knows no screen. Everything here is to be used on the loop that called `start`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import settings as declared
from app.confine.calls import internet_refused
from app.desks import LibraryDesk, VaultDesk
from app.errors import explain
from app.events import EventHub, ItemsChanged, Trouble, VaultChanged, VaultNotice
from app.lanes import Lanes
from app.outside import Outside
from app.paths import Profile
from app.separation import InForce, Separation
from app.settings import Settings
from app.sharing.courier_link import CourierLink
from app.vault.types import ItemMeta, LockState
from app.vault.vault import Vault

if TYPE_CHECKING:
    from app.glasses.desk import GlassesDesk
    from app.imports.desk import ImportDesk
    from app.library.library import Library
    from app.live_frames import GlassesFrames
    from app.media.look.link import LookLink
    from app.media.types import Thumb
    from app.previews import Previews
    from app.sharing.desk import SharingDesk

DESKS = ("app.library.library", "app.glasses.desk", "app.sharing.desk", "app.imports.desk")
"""Whose modules, and what these need, take longer to read than all else together."""


class Services:
    """A running Eyelid. Make one with `start`, end it with `stop`."""

    def __init__(
        self, profile: Profile, events: EventHub, settings: Settings, lanes: Lanes, courier: CourierLink, separation: Separation
    ) -> None:
        self.profile = profile
        self.events = events
        self.settings = settings
        self.vault = VaultDesk(profile.vault, lanes, events, on_vault=self._new_vault)
        self._lanes = lanes
        self._courier = courier
        self._separation = separation
        self.begun = False
        """Whether `begin` is done. Before, whoever asks for a desk waits until its modules are read."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = False
        events.subscribe(VaultChanged, lambda event: self._vault_is(event.state))
        settings.on_change(self._setting_changed)

    @classmethod
    async def start(cls, profile: Profile, *, sims: Sequence[str] = (), outside: Outside | None = None, begin: bool = True) -> Services:
        """Start in `profile`. `sims`: families of simulated glasses to put on the virtual air at once. `outside`: if begun already.

        Without `begin`, that is left to the caller, who has something more urgent to do first.
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
            if begin:
                await services.begin()
        except BaseException:
            await services.stop()
            raise
        return services

    async def begin(self) -> None:
        """From now on look after the glasses, and the folder that is watched."""
        for module in DESKS:
            await self._lanes.work(import_module, module)
        self.begun = True
        if self.vault.state is not LockState.ABSENT:
            self._attend(self.vault.vault)
        self._vault_is(self.vault.state)

    async def stop(self) -> None:
        """Leave everything as it should be left: glasses, vault, courier. Nothing that was acknowledged is lost. Again: a no-op."""
        if self._stopped:
            return
        self._stopped = True
        made = vars(self)
        # Read from below: what was noted last ends first, and each has its end whatever becomes of those before it.
        async with contextlib.AsyncExitStack() as ends:
            ends.callback(self._lanes.close)
            ends.push_async_callback(self.vault.close)
            ends.callback(self._separation.close)
            ends.push_async_callback(self._courier.close)
            if "_look" in made:
                ends.push_async_callback(self._look.close)
            if "sharing" in made:
                ends.push_async_callback(self.sharing.close)  # before the courier and the vault: it still writes how things ended
            if "imports" in made:
                ends.push_async_callback(self.imports.close)
            ends.push_async_callback(self._end_tasks)
            if "glasses" in made:
                ends.push_async_callback(self.glasses.stop)

    async def _end_tasks(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def in_force(self) -> InForce:
        """What the kernel enforces now, for `doctor`; starts what has to be asked. Raises CourierGone."""
        hello = await self._courier.ready()
        await self._look.warm()
        return InForce(internet_refused(), hello.calls, hello.files, bool(self._look.confined))

    # -- the desks, each made when somebody first comes to it

    @cached_property
    def glasses(self) -> GlassesDesk:
        from app.glasses.desk import GlassesDesk
        from app.glasses.http_link import HttpLink

        return GlassesDesk(self.profile.root, self._lanes, self.events, self._sealed, HttpLink(self._courier), self._separation.listen)

    @cached_property
    def _frames(self) -> GlassesFrames:
        from app.live_frames import GlassesFrames

        return GlassesFrames(self.glasses, self.events)

    @cached_property
    def _look(self) -> LookLink:
        from app.media.look.link import LookLink

        return LookLink()

    @cached_property
    def _captures(self) -> Library:
        from app.library.library import Library

        return Library(self.vault.vault)

    @cached_property
    def _previews(self) -> Previews:
        from app.previews import Previews

        made = Previews(self._captures, self._lanes, self.events)
        self._spawn(made.run())
        return made

    @cached_property
    def library(self) -> LibraryDesk:
        """Raises NoVault."""
        return LibraryDesk(self._captures, self._lanes, self.events, lambda items: self.glasses.discarded(items))

    @cached_property
    def sharing(self) -> SharingDesk:
        """Raises NoVault."""
        from app.sharing.desk import SharingDesk
        from app.sharing.destinations import DestinationBook

        book = DestinationBook(self.profile.root)
        desk = SharingDesk(self.vault.vault, self._lanes, self._courier, self.events, book, looker=self._look)
        desk.ai_off = self.settings.get(declared.AI_OFF)
        desk.region = self.settings.get(declared.REGION)
        desk.live.source = self._frames
        return desk

    @cached_property
    def imports(self) -> ImportDesk:
        """Raises NoVault."""
        from app.imports.desk import ImportDesk
        from app.library.types import ThumbSize

        return ImportDesk(
            self.vault.vault,
            self._lanes,
            self.profile.root,
            tuple(ThumbSize),
            self._imported,
            lambda items: self.events.publish(ItemsChanged(items)),
            lambda why: self.events.publish(Trouble(why)),
        )

    # -- what goes by itself

    def _new_vault(self, vault: Vault) -> None:
        """It was opened or created just now. No desk of one that was erased before is for it."""
        if "_previews" in vars(self):
            self._previews.close()
        if "imports" in vars(self):
            self._spawn(self.imports.close())  # it may watch a folder
        for desk in ("_captures", "_previews", "library", "sharing", "imports"):
            vars(self).pop(desk, None)
        if self.begun:
            self._attend(vault)

    def _attend(self, vault: Vault) -> None:
        self._watch_folder()
        self.glasses.begin(vault)

    def _watch_folder(self) -> None:
        if self.begun and self.vault.state is not LockState.ABSENT:
            folder = self.settings.get(declared.WATCH_FOLDER)
            self.imports.watch(Path(folder) if folder else None)

    def _vault_is(self, state: LockState) -> None:
        if self.begun and state is LockState.UNLOCKED:
            self._spawn(self._look_around())

    async def _look_around(self) -> None:
        """After unlocking: take in what arrived meanwhile, and say what is not as this computer left it."""
        await self.library.catch_up()
        self._previews.wake()
        if notices := self.vault.notices():
            self.events.publish(VaultNotice(notices))
        if self.sharing.book.trouble is not None:
            self.events.publish(Trouble(explain(self.sharing.book.trouble)))

    def _setting_changed(self, key: str) -> None:
        if key == declared.WATCH_FOLDER.key:
            self._watch_folder()
        if key == declared.AI_OFF.key and "sharing" in vars(self):
            self.sharing.ai_off = self.settings.get(declared.AI_OFF)
        if key == declared.REGION.key and "sharing" in vars(self):
            self.sharing.region = self.settings.get(declared.REGION)

    async def _sealed(self, meta: ItemMeta) -> None:
        self._frames.sealed(meta)
        if self.vault.state is LockState.UNLOCKED:
            await self.library.arrived(meta.id)

    async def _imported(self, meta: ItemMeta, thumbs: Sequence[Thumb]) -> None:
        if self.vault.state is LockState.UNLOCKED:
            await self.library.arrived(meta.id, thumbs)
            self._previews.wake()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: work.close())  # cancelled before its first step, the guard never gets to it

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # background work has nobody waiting: tell the person instead of losing it
            self.events.publish(Trouble(explain(error)))
