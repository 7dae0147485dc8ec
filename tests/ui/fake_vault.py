"""A vault and a library of plain data, with the calls of `app.desks`."""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.errors import EyelidError
from app.events import EventHub, ItemsAdded, ItemsChanged, ItemsRemoved, VaultChanged
from app.library.export import ExportFailed, NotWritten
from app.library.types import Query, Sharing, ThumbSize, Tile
from app.media.preview import preview
from app.vault.types import ItemId, ItemMeta, KeyringReport, LockState, Notice, SlotInfo, SlotKind, VerifyReport
from tests.ui.plain_data import CODE, NOW, jpeg, meta_of


class FakeVault:
    def __init__(self, events: EventHub) -> None:
        self._events = events
        self.state = LockState.UNLOCKED
        self.error: Exception | None = None
        self.ways = [SlotInfo("1", SlotKind.PASSPHRASE, NOW)]
        self.told: tuple[Notice, ...] = ()
        self.trusted = False
        self.calls: list[tuple[str, ...]] = []

    def become(self, state: LockState) -> None:
        self.state = state
        self._events.publish(VaultChanged(state))

    async def create(self, passphrase: str | None, keyring: bool, *, recovery: bool = False) -> str | None:
        self._raise()
        self.become(LockState.UNLOCKED)
        await asyncio.sleep(0)
        return (await self.add_recovery())[1] if recovery else None

    async def unlock_with_recovery(self, code: str) -> None:
        self.calls.append(("recovery", code))
        self._raise()
        self.become(LockState.UNLOCKED)

    async def add_passphrase(self, passphrase: str) -> SlotInfo:
        self.calls.append(("add passphrase", passphrase))
        return self._add(SlotKind.PASSPHRASE)

    async def add_keyring(self) -> SlotInfo:
        return self._add(SlotKind.KEYRING)

    async def add_recovery(self) -> tuple[SlotInfo, str]:
        return self._add(SlotKind.RECOVERY), CODE

    def _add(self, kind: SlotKind) -> SlotInfo:
        self.ways.append(SlotInfo(str(len(self.ways) + 1), kind, NOW))
        return self.ways[-1]

    async def remove_slot(self, slot_id: str) -> None:
        self._raise()
        self.ways = [slot for slot in self.ways if slot.id != slot_id]

    async def change_passphrase(self, old: str, new: str) -> SlotInfo:
        self.calls.append(("change", old, new))
        return self.ways[0]

    def notices(self) -> tuple[Notice, ...]:
        return self.told

    async def accept_notices(self) -> None:
        self.calls.append(("accept",))

    async def unlock(self, passphrase: str | None) -> None:
        self._raise()
        self.become(LockState.UNLOCKED)

    async def lock(self) -> None:
        self.become(LockState.LOCKED)

    def slots(self) -> tuple[SlotInfo, ...]:
        return tuple(self.ways)

    async def keyring_report(self) -> KeyringReport:
        return KeyringReport(
            self.trusted, "fail", "This computer has no keyring that can be trusted with a key; the passphrase is all there is."
        )

    async def verify(self, progress: Callable[[int, int], None] | None = None) -> VerifyReport:
        if progress is not None:
            progress(1, 2)
        return VerifyReport(2, ())

    def _raise(self) -> None:
        if self.error is not None:
            raise self.error


class FakeLibrary:
    def __init__(self, events: EventHub) -> None:
        self._events = events
        self.items: list[Tile] = []
        self.trashed: list[Tile] = []
        self.pictures: dict[ItemId, bytes] = {}
        self.metas: dict[ItemId, ItemMeta] = {}
        self.in_album: dict[str, set[ItemId]] = {}
        self.exported: list[tuple[ItemId, ...]] = []
        self.damaged: dict[ItemId, EyelidError] = {}
        self.turned: list[tuple[ItemId, int]] = []
        self.places: dict[ItemId, tuple[float, float]] = {}
        self.media: Callable[[ItemId], Any] = lambda item: io.BytesIO(self.pictures[item])
        self.error: Exception | None = None

    def add(self, *tiles: Tile, data: bytes | None = None) -> None:
        self.items = sorted((*tiles, *self.items), key=lambda one: one.taken_at, reverse=True)
        for one in tiles:
            self.pictures[one.id] = data or jpeg(f"#{one.colour:06x}")
        self._events.publish(ItemsAdded(tuple(one.id for one in tiles)))

    async def tiles(
        self, query: Query, *, among: Sequence[ItemId] | None = None, after: ItemId | None = None, limit: int = -1
    ) -> list[Tile]:
        if self.error is not None:
            raise self.error
        found = self.trashed if query.trashed else self.items
        found = [one for one in found if not query.album or one.id in self.in_album.get(query.album, ())]
        found = [one for one in found if not query.kinds or one.kind in query.kinds]
        found = [one for one in found if not query.favourites or one.favourite]
        found = [one for one in found if query.sharing is None or (one.sharing is Sharing.SHARED) == (query.sharing is Sharing.SHARED)]
        found = [one for one in found if not query.glasses or one.from_name == query.glasses]
        found = [one for one in found if query.text in one.from_name and (among is None or one.id in among)]
        start = 1 + [one.id for one in found].index(after) if after is not None else 0
        return found[start : start + limit if limit >= 0 else None]

    async def albums(self) -> tuple[tuple[str, int], ...]:
        return tuple((name, len(items)) for name, items in sorted(self.in_album.items()) if items)

    async def put_in_album(self, items: Sequence[ItemId], album: str) -> None:
        self.in_album.setdefault(album, set()).update(items)
        self._events.publish(ItemsChanged(tuple(items)))

    async def take_from_album(self, items: Sequence[ItemId], album: str) -> None:
        self.in_album[album] -= set(items)
        self._events.publish(ItemsChanged(tuple(items)))

    async def thumbnail(self, item: ItemId, size: ThumbSize) -> bytes | None:
        return self.pictures.get(item)

    async def details(self, item: ItemId) -> ItemMeta:
        return self.metas.get(item) or meta_of(next(one for one in self.items if one.id == item))

    async def picture(self, item: ItemId) -> bytes:
        return self.pictures[item]

    async def preview(self, item: ItemId) -> bytes:
        return preview(await self.picture(item))

    async def open_media(self, item: ItemId) -> Any:
        return self.media(item)

    async def set_favourite(self, items: Sequence[ItemId], favourite: bool) -> None:
        self.items = [replace(one, favourite=favourite) if one.id in items else one for one in self.items]
        self._events.publish(ItemsChanged(tuple(items)))

    async def rotate(self, item: ItemId, quarters: int) -> None:
        self.turned.append((item, quarters))
        self._events.publish(ItemsChanged((item,)))

    async def location(self, item: ItemId) -> tuple[float, float] | None:
        return self.places.get(item)

    async def glasses(self) -> tuple[tuple[str, int], ...]:
        return tuple(sorted(Counter(one.from_name for one in self.items if one.from_name).items()))

    async def set_note(self, item: ItemId, note: str) -> None:
        self.metas[item] = replace(await self.details(item), note=note)
        self._events.publish(ItemsChanged((item,)))

    async def trash(self, items: Sequence[ItemId]) -> None:
        self.trashed += [one for one in self.items if one.id in items]
        self.items = [one for one in self.items if one.id not in items]
        self._events.publish(ItemsRemoved(tuple(items)))

    async def restore(self, items: Sequence[ItemId]) -> None:
        back = [one for one in self.trashed if one.id in items]
        self.trashed = [one for one in self.trashed if one.id not in items]
        self.items = sorted((*self.items, *back), key=lambda one: one.taken_at, reverse=True)
        self._events.publish(ItemsAdded(tuple(items)))

    async def purge(self, items: Sequence[ItemId]) -> None:
        self.trashed = [one for one in self.trashed if one.id not in items]
        self._events.publish(ItemsRemoved(tuple(items)))

    async def export(self, items: Sequence[ItemId], folder: Path) -> tuple[Path, ...]:
        self.exported.append(tuple(items))
        paths = tuple(folder / f"{item}.jpg" for item in items if item not in self.damaged)
        if left := tuple(NotWritten(item, self.damaged[item]) for item in items if item in self.damaged):
            raise ExportFailed(paths, left, len(items))
        return paths
