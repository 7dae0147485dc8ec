"""The vault and the library as a front end meets them: the same calls, awaited, with the blocking work on its lane.

Owns no data. The vault's own rules (what works while locked, what is durable when a call returns) hold unchanged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from app.errors import EyelidError
from app.events import EventHub, ItemsAdded, ItemsChanged, ItemsRemoved, VaultChanged
from app.lanes import Lanes
from app.vault.backup import BackupReport, backup, restore
from app.vault.erase import Erased, erase
from app.vault.errors import VaultExists
from app.vault.keystore import SystemKeyStore
from app.vault.repair import RepairReport, repair
from app.vault.types import ItemId, ItemMeta, KeyringReport, LockState, Notice, SlotInfo, VerifyReport
from app.vault.vault import Vault

if TYPE_CHECKING:  # nothing of these is read before the vault's door is on the screen
    from app.library.export import ExportAs
    from app.library.library import Library
    from app.library.types import Query, ThumbSize, Tile
    from app.media.types import Thumb

Progress = Callable[[int, int], None]


class NoVault(EyelidError):
    """Asked for something that needs a vault, and there is none yet."""

    def __init__(self) -> None:
        super().__init__("There is no vault yet.", "Captures are only ever kept sealed, in a vault.", "Create one first.")


class VaultDesk:
    """Create, unlock, lock, and care for the vault."""

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

    async def create(self, passphrase: str | None, keyring: bool, *, recovery: bool = False) -> str | None:
        """Make the vault, unlocked, with a slot for the passphrase, for the operating system's keyring, or for both.

        With `recovery`, returns a recovery code that opens it too. It is kept nowhere, so it must be shown now.
        """
        if self._vault is not None:
            raise EyelidError("There is a vault already.", "", "Unlock it instead.")
        self._adopt(await self._lanes.vault(Vault.create, self._folder, passphrase=passphrase, keyring=keyring))
        self._events.publish(VaultChanged(self.state))
        return (await self.add_recovery())[1] if recovery else None

    async def unlock(self, passphrase: str | None) -> None:
        """Unlock with the passphrase, or with the keyring when it is None. Raises the vault's errors."""
        if passphrase is None:
            await self._lanes.vault(self.vault.unlock_with_keyring)
        else:
            await self._lanes.vault(self.vault.unlock_with_passphrase, passphrase)

    async def unlock_with_recovery(self, code: str) -> None:
        """Raises WrongRecoveryCode, which names the group that was mistyped, and the vault's other errors."""
        await self._lanes.vault(self.vault.unlock_with_recovery, code)

    async def lock(self) -> None:
        await self._lanes.vault(self.vault.lock)

    async def close(self) -> None:
        """Lock, and let another process have the vault."""
        if self._vault is not None:
            vault, self._vault = self._vault, None
            await self._lanes.vault(vault.close)

    def slots(self) -> tuple[SlotInfo, ...]:
        return self.vault.slots()

    # -- ways to open it

    async def add_passphrase(self, passphrase: str) -> SlotInfo:
        return await self._lanes.vault(self.vault.add_passphrase, passphrase)

    async def add_keyring(self) -> SlotInfo:
        return await self._lanes.vault(self.vault.add_keyring)

    async def add_recovery(self) -> tuple[SlotInfo, str]:
        """Return the slot and its code, which can be shown only now."""
        return await self._lanes.vault(self.vault.add_recovery)

    async def remove_slot(self, slot_id: str) -> None:
        """Raises NoSuchSlot, LastSlot."""
        await self._lanes.vault(self.vault.remove_slot, slot_id)

    async def change_passphrase(self, old: str, new: str) -> SlotInfo:
        """Raises WrongPassphrase, and then the old one stands."""
        return await self._lanes.vault(self.vault.change_passphrase, old, new)

    @property
    def hybrid(self) -> bool:
        """Whether new captures are sealed to a post-quantum key too; works while locked."""
        return self.vault.hybrid

    async def add_hybrid(self, passphrases: Sequence[str], codes: Sequence[str]) -> None:
        """Give the vault a post-quantum key, behind every way in; it is locked afterwards. See `Vault.add_hybrid` for what it raises."""
        await self._lanes.vault(self.vault.add_hybrid, passphrases=passphrases, codes=codes)

    # -- what is said of it as a whole

    def notices(self) -> tuple[Notice, ...]:
        """What differs from when this computer last saw the vault. Raises VaultLocked."""
        return self.vault.notices()

    async def accept_notices(self) -> None:
        """Take the vault as it is now for how it should be."""
        await self._lanes.vault(self.vault.accept_notices)

    # -- care; `progress` is called on this loop with (done, total)

    async def verify(self, progress: Progress | None = None, *, resume: bool = False) -> VerifyReport:
        """Read and authenticate every sealed file; with `resume`, go on with a run that was interrupted."""
        return await self._lanes.work(self.vault.verify, _relay(progress), resume=resume)

    async def repair(self, progress: Progress | None = None) -> RepairReport:
        """Make again what can be made again, and put aside what can't be used."""
        return await self._lanes.vault(repair, self.vault, _relay(progress))

    async def backup(self, target: Path, progress: Progress | None = None, *, check: bool = False, prune: bool = False) -> BackupReport:
        """Copy what is new to `target`, sealed; works while locked."""
        return await self._lanes.work(backup, self.vault, target, _relay(progress), check=check, prune=prune)

    async def restore(self, source: Path, progress: Progress | None = None) -> int:
        """Put a backup in the place of a vault that is not there yet, and open it, locked. Raises VaultExists."""
        if self._vault is not None:
            raise VaultExists
        count = await self._lanes.work(restore, source, self._folder, _relay(progress))
        await self.open()
        self._events.publish(VaultChanged(self.state))
        return count

    async def erase(self, typed: str) -> Erased:
        """Destroy the vault for good, its keys first; `typed` is its short id (`app.vault.erase.short_id`), typed by the person."""
        erased = await self._lanes.vault(erase, self.vault, typed)
        self._vault = None
        self._events.publish(VaultChanged(self.state))
        return erased

    async def keyring_report(self) -> KeyringReport:
        """Which keyring this system offers, and whether it can be trusted with a key."""
        return await self._lanes.work(SystemKeyStore().report)


def _relay(progress: Progress | None) -> Progress:
    """Return what may be called from a lane, and calls `progress` on this loop."""
    loop = asyncio.get_running_loop()

    def relay(done: int, total: int) -> None:
        if progress is not None:
            loop.call_soon_threadsafe(progress, done, total)

    return relay


class LibraryDesk:
    """What the gallery shows and does."""

    def __init__(self, library: Library, lanes: Lanes, events: EventHub, on_purged: Callable[[Sequence[ItemId]], Awaitable[None]]) -> None:
        """`on_purged` is awaited with what was deleted for good, so that glasses that still have it do not bring it back."""
        self._library = library
        self._lanes = lanes
        self._events = events
        self._on_purged = on_purged

    async def catch_up(self) -> None:
        """Bring in what arrived while the vault was locked, and delete what was in the trash for 30 days."""
        found = await self._lanes.work(self._library.catch_up)
        # What another computer threw away comes in with the rest, and may be due already.
        gone = await self._lanes.vault(self._library.purge_expired)
        if new := tuple(item for item in found if item not in gone):
            self._events.publish(ItemsAdded(new))
        if gone:
            await self._on_purged(gone)

    async def arrived(self, item: ItemId, thumbs: Sequence[Thumb] | None = None) -> None:
        """Make a new item's thumbnails, or keep those that are made (none: they come later), then tell that it is there."""
        if thumbs is None or thumbs:
            await self._lanes.work(self._library.arrived, item, thumbs)
        self._events.publish(ItemsAdded((item,)))

    async def tiles(
        self, query: Query, *, among: Sequence[ItemId] | None = None, after: ItemId | None = None, limit: int = -1
    ) -> list[Tile]:
        """What fits `query`, newest first; see `Library.tiles`."""
        return await self._lanes.work(self._library.tiles, query, among=among, after=after, limit=limit)

    async def thumbnail(self, item: ItemId, size: ThumbSize) -> bytes | None:
        return await self._lanes.work(self._library.thumbnail, item, size)

    async def details(self, item: ItemId) -> ItemMeta:
        return await self._lanes.work(self._library.details, item)

    async def partner(self, item: ItemId) -> ItemId | None:
        """The still or clip that belongs to this one; see `Library.partner`."""
        return await self._lanes.work(self._library.partner, item)

    async def picture(self, item: ItemId) -> bytes:
        """The original bytes, as they came from the glasses."""
        return await self._lanes.work(self._library.picture, item)

    async def preview(self, item: ItemId) -> bytes:
        """The same in a format that the screen can show; its meta's orientation counts for it too. Raises MediaDamaged."""
        return await self._lanes.work(self._library.preview, item)

    async def open_media(self, item: ItemId) -> BinaryIO:
        """The original bytes for playing: seekable, opened piece by piece as they are read, from any thread. Close it afterwards."""
        return await self._lanes.work(self._library.open_media, item)

    async def location(self, item: ItemId) -> tuple[float, float] | None:
        """Where a photo says it was taken, in degrees north and east; None where it says nothing."""
        return await self._lanes.work(self._library.location, item)

    async def set_favourite(self, items: Sequence[ItemId], favourite: bool) -> None:
        await self._lanes.vault(self._library.set_favourite, items, favourite)
        self._events.publish(ItemsChanged(tuple(items)))

    async def rotate(self, item: ItemId, quarters: int) -> None:
        """Turn a capture by quarters, clockwise; its bytes stay as they are."""
        await self._lanes.vault(self._library.rotate, item, quarters)
        self._events.publish(ItemsChanged((item,)))

    async def set_note(self, item: ItemId, note: str) -> None:
        await self._lanes.vault(self._library.set_note, item, note)
        self._events.publish(ItemsChanged((item,)))

    async def albums(self) -> tuple[tuple[str, int], ...]:
        """Each album's name and how many captures it has, by name."""
        return await self._lanes.work(self._library.albums)

    async def glasses(self) -> tuple[tuple[str, int], ...]:
        """Each name of glasses and how many captures are from them, by name."""
        return await self._lanes.work(self._library.glasses)

    async def put_in_album(self, items: Sequence[ItemId], album: str) -> None:
        """Raises AlbumName."""
        await self._lanes.vault(self._library.put_in_album, items, album)
        self._events.publish(ItemsChanged(tuple(items)))

    async def take_from_album(self, items: Sequence[ItemId], album: str) -> None:
        await self._lanes.vault(self._library.take_from_album, items, album)
        self._events.publish(ItemsChanged(tuple(items)))

    async def trash(self, items: Sequence[ItemId]) -> None:
        await self._lanes.vault(self._library.trash, items)
        self._events.publish(ItemsRemoved(tuple(items)))

    async def restore(self, items: Sequence[ItemId]) -> None:
        await self._lanes.vault(self._library.restore, items)
        self._events.publish(ItemsAdded(tuple(items)))

    async def purge(self, items: Sequence[ItemId]) -> None:
        """Delete for good; the files are gone when this returns."""
        await self._lanes.vault(self._library.purge, items)
        self._events.publish(ItemsRemoved(tuple(items)))  # also where the glasses' part then fails
        await self._on_purged(items)

    async def export(
        self, items: Sequence[ItemId], folder: Path, how: ExportAs | None = None, progress: Progress | None = None
    ) -> tuple[Path, ...]:
        """Write the originals, as they came or as `how` says, never over an existing file. Each one's history tells of it.

        Raises ExportFailed, which names those that were left out, and VaultLocked.
        """
        from app.library.export import AS_THEY_CAME

        out: list[ItemId] = []
        try:
            work = self._lanes.work
            return await work(self._library.export, items, folder, how=how or AS_THEY_CAME, progress=_relay(progress), wrote=out.append)
        finally:
            if out:
                await self._lanes.vault(self._library.note_export, out)
                self._events.publish(ItemsChanged(tuple(out)))
