"""The gallery's questions, asked of a real vault."""

from __future__ import annotations

import asyncio
import errno
import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.desks import LibraryDesk
from app.events import EventHub, ItemsAdded, ItemsRemoved
from app.lanes import Lanes
from app.library.library import PLAIN, TRASH_DAYS, Library, NotInTrash
from app.library.types import Query, Sharing, ThumbSize
from app.media.thumbs import thumbnails
from app.media.types import Thumb
from app.vault.errors import ItemMissing, VaultLocked
from app.vault.types import ItemId, ItemKind, Share
from app.vault.vault import Vault

Add = Callable[..., ItemId]
GONE = ItemId("0" * 32)


def upper_and_lower(jpeg: bytes) -> tuple[str, str]:
    """Which of red and blue is above."""
    picture = Image.open(io.BytesIO(jpeg)).convert("RGB")
    names = []
    for part in (0.25, 0.75):
        pixel = picture.getpixel((picture.width // 2, int(picture.height * part)))
        assert isinstance(pixel, tuple)
        names.append("red" if pixel[0] > pixel[2] else "blue")
    return names[0], names[1]


def test_tiles_are_newest_first(library: Library, add: Add) -> None:
    items = [add() for _ in range(3)]
    tiles = library.tiles(Query())
    assert [tile.id for tile in tiles] == items[::-1]
    first = tiles[0]
    assert (first.kind, first.from_name, first.sharing, first.status_words) == (ItemKind.PHOTO, "OMI Glass", Sharing.PRIVATE, "Private")
    assert (first.width, first.height, first.colour, first.favourite) == (640, 480, PLAIN, False)


def test_tiles_of_turned_captures_have_the_size_they_are_shown_in(library: Library, add: Add) -> None:
    sizes = {orientation: add(orientation=orientation) for orientation in (1, 3, 6, 8)}
    shown = {tile.id: (tile.width, tile.height) for tile in library.tiles(Query())}
    assert [shown[sizes[orientation]] for orientation in (1, 3, 6, 8)] == [(640, 480), (640, 480), (480, 640), (480, 640)]


def test_queries_reach_the_index(library: Library, vault: Vault, add: Add) -> None:
    shared, liked, clip, noted = add(), add(name="Other"), add(kind=ItemKind.VIDEO), add()
    sent = Share("openai", "OpenAI", library.details(shared).arrived_at, 1, leaves_computer=True)
    vault.change(shared, lambda meta: replace(meta, shares=(sent,)))
    vault.change(clip, lambda meta: replace(meta, shares=(replace(sent, leaves_computer=False),), albums=("Trip",)))
    library.set_favourite([liked], True)
    library.set_note(noted, "  the blue door ")
    asked = {
        Query(sharing=Sharing.SHARED): [shared],
        Query(sharing=Sharing.PRIVATE): [noted, clip, liked],
        Query(favourites=True): [liked],
        Query(kinds=frozenset({ItemKind.VIDEO})): [clip],
        Query(text="door"): [noted],
        Query(glasses="Other"): [liked],
        Query(album="Trip"): [clip],
        Query(trashed=True): [],
    }
    for query, expected in asked.items():
        assert [tile.id for tile in library.tiles(query)] == expected, query
    assert library.tiles(Query(sharing=Sharing.SHARED))[0].status_words == "Shared with OpenAI"
    assert library.details(noted).note == "the blue door"


@pytest.mark.parametrize(("orientation", "above"), [(1, ("red", "blue")), (3, ("blue", "red"))])
def test_thumbnails_are_upright_and_have_both_sizes(library: Library, add: Add, orientation: int, above: tuple[str, str]) -> None:
    item = add(orientation=orientation)
    for size in ThumbSize:
        jpeg = library.thumbnail(item, size)
        assert jpeg is not None
        assert max(Image.open(io.BytesIO(jpeg)).size) == size
        assert upper_and_lower(jpeg) == above


def test_a_thumbnail_is_made_once_and_kept_sealed(
    library: Library, vault: Vault, add: Add, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = add()
    first = library.thumbnail(item, ThumbSize.SMALL)
    assert first is not None
    monkeypatch.setattr("app.library.library.thumbnails", None)
    assert library.thumbnail(item, ThumbSize.SMALL) == first
    assert library.thumbnail(item, ThumbSize.LARGE) is not None
    assert Library(vault).thumbnail(item, ThumbSize.SMALL) == first
    vault.lock()
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"JFIF" not in path.read_bytes()


def test_an_arrival_has_its_colour_and_thumbnails_ready(library: Library, vault: Vault, add: Add, photo: Callable[..., bytes]) -> None:
    item = add(photo())
    library.arrived(item)
    assert vault.index.thumb(item, ThumbSize.SMALL)
    red, _, blue = library.tiles(Query())[0].colour.to_bytes(3, "big")
    assert 90 < red < 110
    assert 90 < blue < 110


@pytest.mark.parametrize(
    ("data", "media_type", "kind"),
    [
        (b"RIFF\x04\x00\x00\x00WAVE", "audio/wav", ItemKind.SOUND),
        (b"\x00\x00\x00\x10ftypheic\x00\x00\x00\x00", "image/heic", ItemKind.PHOTO),
        (b"\xff\xd8\xff\xe0 not a picture", "image/jpeg", ItemKind.PHOTO),
        (b"who knows", "application/octet-stream", ItemKind.OTHER),
    ],
)
def test_what_has_no_picture_is_a_plain_tile_and_is_tried_once(
    library: Library, add: Add, data: bytes, media_type: str, kind: ItemKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = add(data, media_type=media_type, kind=kind)
    library.arrived(item)
    tile = library.tiles(Query())[0]
    assert (tile.colour, tile.intact) == (PLAIN, kind is not ItemKind.PHOTO)
    assert library.not_looked_at() == []
    monkeypatch.setattr("app.library.library.thumbnails", None)
    monkeypatch.setattr("app.library.library.sniff", None)
    assert library.thumbnail(item, ThumbSize.LARGE) is None
    assert library.picture(item) == data


def test_the_content_counts_and_not_the_stated_type(library: Library, add: Add, photo: Callable[..., bytes]) -> None:
    assert library.thumbnail(add(photo(kind="PNG"), media_type="application/octet-stream"), ThumbSize.SMALL) is not None


def test_missing_and_damaged_objects_have_no_thumbnail_yet(library: Library, add: Add, tmp_path: Path) -> None:
    item = add()
    path = next(path for path in tmp_path.rglob(f"{item}.age"))
    sealed = path.read_bytes()
    path.write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    assert library.thumbnail(item, ThumbSize.SMALL) is None
    path.write_bytes(sealed)  # put back from a backup
    assert library.thumbnail(item, ThumbSize.SMALL) is not None
    assert library.thumbnail(GONE, ThumbSize.SMALL) is None
    library.arrived(GONE)


def test_a_picture_whose_meta_is_damaged_is_still_shown(library: Library, add: Add, tmp_path: Path) -> None:
    item = add()
    next(path for path in tmp_path.rglob(f"{item}.meta.age")).write_bytes(b"noise")
    assert library.thumbnail(item, ThumbSize.SMALL) is not None


def test_a_change_made_meanwhile_is_not_undone_in_the_index(
    library: Library, vault: Vault, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While its thumbnails are made, somebody marks an item."""
    item = add()

    def meanwhile(*wanted: Any) -> tuple[Thumb, ...]:
        library.set_favourite([item], True)
        return thumbnails(*wanted)

    monkeypatch.setattr("app.library.library.thumbnails", meanwhile)
    library.arrived(item)
    tile = library.tiles(Query(favourites=True))[0]
    assert tile.id == item
    assert tile.colour != PLAIN


def test_an_item_deleted_meanwhile_does_not_come_back(library: Library, vault: Vault, add: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    item = add()

    def meanwhile(*wanted: Any) -> tuple[Thumb, ...]:
        vault.delete(item)
        return thumbnails(*wanted)

    monkeypatch.setattr("app.library.library.thumbnails", meanwhile)
    library.arrived(item)
    assert library.tiles(Query()) == []
    assert vault.index.thumb(item, ThumbSize.LARGE) is None


def test_catching_up_after_unlocking(library: Library, vault: Vault, add: Add) -> None:
    before = add()
    vault.lock()
    arrived = [add(), add()]
    vault.unlock_with_passphrase("correct horse")
    assert set(library.catch_up()) == set(arrived)
    assert [tile.id for tile in library.tiles(Query())] == [*arrived[::-1], before]
    assert library.not_looked_at() == [*arrived[::-1], before]
    assert library.catch_up() == ()


def test_the_trash_keeps_for_thirty_days(library: Library, vault: Vault, add: Add, clock: Any) -> None:
    first, second = add(), add()
    library.trash([first])
    clock.pass_days(10)
    library.trash([first, second])  # the first keeps its day
    assert library.tiles(Query()) == []
    assert {tile.id for tile in library.tiles(Query(trashed=True))} == {first, second}
    clock.pass_days(TRASH_DAYS - 10 - 0.01)
    assert library.purge_expired() == ()
    assert set(vault.ids()) == {first, second}
    clock.pass_days(0.02)
    assert library.purge_expired() == (first,)
    assert set(vault.ids()) == {second}
    clock.pass_days(10)
    assert library.purge_expired() == (second,)
    assert vault.ids() == ()


async def test_what_comes_in_expired_is_gone_at_once_for_the_glasses_too(
    library: Library, vault: Vault, add: Add, clock: Any, tmp_path: Path
) -> None:
    """As when another computer had thrown it away a month ago: nobody is told of it as new, and the glasses are not to bring it back."""
    item, kept = add(), add()
    library.trash([item])
    vault.lock()
    for cache in (tmp_path / "vault").glob("*.db*"):
        cache.unlink()
    clock.pass_days(31)
    vault.unlock_with_passphrase("correct horse")
    events, lanes = EventHub(asyncio.get_running_loop()), Lanes()
    added: list[ItemId] = []
    purged: list[ItemId] = []
    events.subscribe(ItemsAdded, lambda event: added.extend(event.ids))

    async def on_purged(items: Sequence[ItemId]) -> None:
        purged.extend(items)

    await LibraryDesk(library, lanes, events, on_purged).catch_up()
    await asyncio.sleep(0)
    lanes.close()
    assert (added, purged, vault.ids()) == ([kept], [item], (kept,))


async def test_what_was_deleted_is_told_although_the_memory_of_the_glasses_could_not_be_written(library: Library, add: Add) -> None:
    events, lanes, item = EventHub(asyncio.get_running_loop()), Lanes(), add()
    library.trash([item])
    removed: list[ItemId] = []
    events.subscribe(ItemsRemoved, lambda event: removed.extend(event.ids))

    async def full(_: Sequence[ItemId]) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        await LibraryDesk(library, lanes, events, full).purge([item])
    await asyncio.sleep(0)
    lanes.close()
    assert removed == [item]


def test_restored_is_as_before(library: Library, add: Add) -> None:
    item = add()
    library.trash([item])
    library.restore([item])
    assert [tile.id for tile in library.tiles(Query())] == [item]
    assert library.details(item).trashed_at is None


def test_purging_deletes_media_meta_and_thumbnails(library: Library, vault: Vault, add: Add, tmp_path: Path) -> None:
    kept, item = add(), add()
    library.arrived(item)
    library.trash([item])
    library.purge([item, GONE])
    assert vault.ids() == (kept,)
    assert vault.index.thumb(item, ThumbSize.SMALL) is None
    assert not list(tmp_path.rglob(f"{item}*"))
    with pytest.raises(ItemMissing):
        library.details(item)
    library.purge([item])


def test_only_the_trash_is_purged_and_else_nothing(library: Library, vault: Vault, add: Add) -> None:
    trashed, kept = add(), add()
    library.trash([trashed])
    with pytest.raises(NotInTrash):
        library.purge([trashed, kept])
    assert set(vault.ids()) == {trashed, kept}


def test_a_clock_that_ran_back_deletes_nothing(library: Library, vault: Vault, add: Add, clock: Any) -> None:
    library.trash([add()])
    clock.time -= timedelta(days=4000)
    assert library.purge_expired() == ()
    assert len(vault.ids()) == 1


def test_damaged_meta_in_the_trash_is_left_alone(library: Library, vault: Vault, add: Add, clock: Any, tmp_path: Path) -> None:
    item, sound = add(), add()
    library.trash([item, sound])
    next(path for path in tmp_path.rglob(f"{item}.meta.age")).write_bytes(b"noise")
    clock.pass_days(40)
    assert library.purge_expired() == (sound,)
    assert vault.ids() == (item,)


def test_locked_means_nothing_is_told(library: Library, vault: Vault, add: Add, tmp_path: Path) -> None:
    item = add()
    library.arrived(item)
    vault.lock()
    calls: list[Callable[[], object]] = [
        lambda: library.tiles(Query()),
        lambda: library.thumbnail(item, ThumbSize.SMALL),
        lambda: library.arrived(item),
        lambda: library.details(item),
        lambda: library.picture(item),
        lambda: library.set_favourite([item], True),
        lambda: library.set_note(item, "x"),
        lambda: library.trash([item]),
        lambda: library.restore([item]),
        lambda: library.purge([item]),
        lambda: library.catch_up(),
        lambda: library.export([item], tmp_path / "out"),
    ]
    for call in calls:
        with pytest.raises(VaultLocked):
            call()
    assert not (tmp_path / "out").exists()
