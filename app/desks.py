"""The vault and the library as a front end meets them: the same calls, awaited, with the blocking work on its lane.

Owns no data. The vault's own rules (what works while locked, what is durable when a call returns) hold unchanged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from app.errors import EyelidError
from app.events import EventHub, ItemsAdded, ItemsChanged, ItemsRemoved, VaultChanged
from app.lanes import Lanes
from app.library.library import Library
from app.library.types import Query, ThumbSize, Tile
from app.vault.keystore import SystemKeyStore
from app.vault.types import ItemId, ItemMeta, KeyringReport, LockState, SlotInfo, VerifyReport
from app.vault.vault import Vault


class NoVault(EyelidError):
    """Asked for something that needs a vault, and there is none yet."""

    def __init__(self) -> None:
        super().__init__("There is no vault yet.", "Captures are only ever kept sealed, in a vault.", "Create one first.")


class VaultDesk:
    """Create, unlock, lock, verify."""

    def __init__(self, folder: Path, lanes: Lanes, events: EventHub, on_vault: Callable[[Vault], None]) -> None:
        """`on_vault` is called once, when there is a vault: opened at start, or created."""
        self._folder = folder
        self._lanes = lanes
        self._events = events
        self._on_vault = on_vault
        self._vault: Vault | None = None

    async def open(self) -> None:
        """Open the vault, locked, if there is one. Raises the vault's errors (in use, damaged, newer format)."""
        if await self._lanes.vault(Vault.exists, self._folder):
            self._adopt(await self._lanes.vault(Vault.open, self._folder))

    def _adopt(self, vault: Vault) -> None:
        self._vault = vault
        vault.on_state(lambda state: self._events.publish(VaultChanged(state)))
        self._on_vault(vault)

    @property
    def vault(self) -> Vault:
        """The vault itself; raises NoVault."""
        if self._vault is None:
            raise NoVault
        return self._vault

    @property
    def state(self) -> LockState:
        return LockState.ABSENT if self._vault is None else self._vault.state

    async def create(self, passphrase: str | None, keyring: bool) -> None:
        """Make the vault, unlocked, with a slot for the passphrase, for the operating system's keyring, or for both."""
        if self._vault is not None:
            raise EyelidError("There is a vault already.", "", "Unlock it instead.")
        self._adopt(await self._lanes.vault(Vault.create, self._folder, passphrase=passphrase, keyring=keyring))
        self._events.publish(VaultChanged(self.state))

    async def unlock(self, passphrase: str | None) -> None:
        """Unlock with the passphrase, or with the keyring when it is None. Raises the vault's errors."""
        if passphrase is None:
            await self._lanes.vault(self.vault.unlock_with_keyring)
        else:
            await self._lanes.vault(self.vault.unlock_with_passphrase, passphrase)

    async def lock(self) -> None:
        await self._lanes.vault(self.vault.lock)

    async def close(self) -> None:
        """Lock, and let another process have the vault."""
        if self._vault is not None:
            vault, self._vault = self._vault, None
            await self._lanes.vault(vault.close)

    def slots(self) -> tuple[SlotInfo, ...]:
        return self.vault.slots()

    async def verify(self, progress: Callable[[int, int], None] | None = None) -> VerifyReport:
        """Read and authenticate every object; `progress` is called on this loop with (done, total)."""
        loop = asyncio.get_running_loop()

        def relay(done: int, total: int) -> None:
            if progress is not None:
                loop.call_soon_threadsafe(progress, done, total)

        return await self._lanes.work(self.vault.verify, relay)

    async def keyring_report(self) -> KeyringReport:
        """Which keyring this system offers, and whether it can be trusted with a key."""
        return await self._lanes.work(SystemKeyStore().report)


class LibraryDesk:
    """What the gallery shows and does."""

    def __init__(self, library: Library, lanes: Lanes, events: EventHub) -> None:
        self._library = library
        self._lanes = lanes
        self._events = events

    async def catch_up(self) -> None:
        """Bring in what arrived while the vault was locked."""
        if found := await self._lanes.work(self._library.catch_up):
            self._events.publish(ItemsAdded(found))

    async def arrived(self, item: ItemId) -> None:
        """Make a new item's thumbnails, then tell that it is there."""
        await self._lanes.work(self._library.arrived, item)
        self._events.publish(ItemsAdded((item,)))

    async def tiles(self, query: Query) -> list[Tile]:
        return await self._lanes.work(self._library.tiles, query)

    async def thumbnail(self, item: ItemId, size: ThumbSize) -> bytes | None:
        return await self._lanes.work(self._library.thumbnail, item, size)

    async def details(self, item: ItemId) -> ItemMeta:
        return await self._lanes.work(self._library.details, item)

    async def picture(self, item: ItemId) -> bytes:
        """The original bytes, as they came from the glasses."""
        return await self._lanes.work(self._library.picture, item)

    async def set_favourite(self, item: ItemId, favourite: bool) -> None:
        await self._lanes.vault(self._library.set_favourite, item, favourite)
        self._events.publish(ItemsChanged((item,)))

    async def set_note(self, item: ItemId, note: str) -> None:
        await self._lanes.vault(self._library.set_note, item, note)
        self._events.publish(ItemsChanged((item,)))

    async def trash(self, items: Sequence[ItemId]) -> None:
        await self._lanes.vault(self._library.trash, items)
        self._events.publish(ItemsRemoved(tuple(items)))

    async def restore(self, items: Sequence[ItemId]) -> None:
        await self._lanes.vault(self._library.restore, items)
        self._events.publish(ItemsAdded(tuple(items)))

    async def purge(self, items: Sequence[ItemId]) -> None:
        """Delete for good; the files are gone when this returns."""
        await self._lanes.vault(self._library.purge, items)
        self._events.publish(ItemsRemoved(tuple(items)))

    async def export(self, items: Sequence[ItemId], folder: Path) -> tuple[Path, ...]:
        """Write the originals, readable by anybody who can read `folder`; never over an existing file."""
        return await self._lanes.work(self._library.export, items, folder)
