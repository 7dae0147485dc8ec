"""Tiles at once from what the camera embedded; the pictures are decoded later, in the background, and say so if they can't be."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import ExifTags, Image, ImageDraw

from app.events import EventHub, ItemsChanged, PreviewsMade
from app.imports.desk import ImportDesk
from app.imports.types import Fate
from app.lanes import Lanes
from app.library.library import PLAIN, Library
from app.library.types import Query, ThumbSize
from app.media import exif
from app.media.errors import MediaDamaged
from app.media.inspect import glance, inspect_and_show
from app.media.types import MediaType, Thumb
from app.previews import Previews
from app.vault.errors import VaultLocked
from app.vault.vault import Vault

SIZES = tuple(ThumbSize)


def picture(width: int, height: int, below: str = "blue", bars: int = 0) -> bytes:
    """Red above, another colour below, black bars at top and bottom."""
    made = Image.new("RGB", (width, height), below)
    draw = ImageDraw.Draw(made)
    draw.rectangle((0, 0, width, height // 2 - 1), fill="red")
    if bars:
        draw.rectangle((0, 0, width, bars - 1), fill="black")
        draw.rectangle((0, height - bars, width, height), fill="black")
    out = io.BytesIO()
    made.save(out, "JPEG", quality=90)
    return out.getvalue()


def shown(thumb: Thumb) -> tuple[int, int, tuple[str, str]]:
    """Its size, and what is seen near its first and its last corner."""
    image = Image.open(io.BytesIO(thumb.jpeg)).convert("RGB")
    corners = [image.getpixel((4, 4)), image.getpixel((image.width - 5, image.height - 5))]
    names = {(True, False): "red", (False, True): "blue", (False, False): "black"}
    first, last = (names[each[0] > 128, each[2] > 128] for each in corners if isinstance(each, tuple))
    return image.width, image.height, (first, last)


@pytest.mark.parametrize(
    ("size", "preview", "orientation", "expected"),
    [
        ((640, 480), picture(160, 120), 1, (160, 120, ("red", "blue"))),
        ((640, 480), picture(160, 120), 3, (160, 120, ("blue", "red"))),
        ((640, 480), picture(160, 120), 6, (120, 160, ("blue", "red"))),  # turned clockwise: what was below is at the left
        ((640, 360), picture(160, 120, bars=15), 1, (160, 90, ("red", "blue"))),
        ((480, 640), picture(120, 160), 1, (120, 160, ("red", "blue"))),
        ((640, 480), picture(320, 240), 1, (160, 120, ("red", "blue"))),
    ],
)
def test_the_cameras_own_preview_is_the_first_tile(
    recognition: ModuleType, size: tuple[int, int], preview: bytes, orientation: int, expected: object
) -> None:
    data = recognition.with_preview(picture(*size), preview, orientation)
    assert Image.open(io.BytesIO(data)).getexif().get_ifd(ExifTags.IFD.IFD1)[0x0202] == len(preview)  # as another reader sees it
    facts, thumbs = glance(data, SIZES)
    assert [shown(thumb) for thumb in thumbs] == [expected]
    assert facts == inspect_and_show(data, SIZES)[0]
    assert (facts.width, facts.height, facts.orientation, dict(facts.tags)["make"]) == (*size, orientation, "Meta AI")


@pytest.mark.parametrize(
    ("size", "preview"),
    [
        ((480, 640), picture(160, 120)),  # turned by a program that forgot the preview
        ((640, 480), picture(80, 60)),
        ((640, 480), picture(1024, 768)),
        ((640, 480), picture(160, 120)[:-300]),
        ((640, 480), b"\x89PNG\r\n\x1a\n"),
        ((640, 480), b""),
    ],
)
def test_a_preview_that_shows_something_else_is_not_used(recognition: ModuleType, size: tuple[int, int], preview: bytes) -> None:
    facts, thumbs = glance(recognition.with_preview(picture(*size), preview), SIZES)
    assert (thumbs, facts.width) == ((), size[0])


def test_offsets_out_of_the_block_are_no_preview(recognition: ModuleType) -> None:
    block = recognition.with_preview(picture(640, 480), picture(160, 120))[6:]
    whole = exif.read(block)
    assert whole.preview.startswith(b"\xff\xd8")
    for length in range(0, 700, 7):
        cut = exif.read(block[:length])
        assert not cut.preview


def test_what_cannot_be_walked_through_is_refused_at_once() -> None:
    data = picture(640, 480)
    for cut in (1, 2, 300, len(data) - 3):
        with pytest.raises(MediaDamaged):
            glance(data[:-cut], SIZES)
    png = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(png, "PNG")
    facts, thumbs = glance(png.getvalue(), SIZES)
    assert (facts.media_type, len(thumbs)) == (MediaType.PNG, 2)


class Screen:
    """Hears what the background tells."""

    def __init__(self) -> None:
        self.events = EventHub(asyncio.get_running_loop())
        self.made: list[PreviewsMade] = []
        self.changed: list[str] = []
        self.ended = asyncio.Event()
        self.events.subscribe(PreviewsMade, self.heard)
        self.events.subscribe(ItemsChanged, self.refresh)

    def heard(self, event: PreviewsMade) -> None:
        self.made.append(event)
        if event.done == event.total:
            self.ended.set()

    def refresh(self, event: ItemsChanged) -> None:
        self.changed.extend(event.ids)

    async def look_at_all(self, library: Library, lanes: Lanes) -> None:
        """Let the background work until it says that it is done."""
        previews = Previews(library, lanes, self.events, quiet=0.0)
        running = asyncio.ensure_future(previews.run())
        previews.wake()
        await self.ended.wait()
        previews.close()
        await running
        lanes.close()


@pytest.fixture
def unsound(recognition: ModuleType) -> bytes:
    """Its markers are all there, and no decoder can make anything of it: it has no tables."""
    data = recognition.with_preview(picture(640, 480), picture(160, 120))
    at = data.index(b"\xff\xdb", data.rindex(b"Ray-Ban") + len(picture(160, 120)))
    scan = data.index(b"\xff\xda", at)
    frame = data.index(b"\xff\xc0", at)
    return bytes(data[:at] + data[frame : frame + 19] + data[scan:])


async def test_an_import_brings_tiles_and_the_rest_comes_in_the_background(
    desk: ImportDesk, vault: Vault, heard: Any, folder: Path, recognition: ModuleType, unsound: bytes
) -> None:
    library, screen, lanes = Library(vault), Screen(), Lanes()
    heard.kept = library.arrived
    (folder / "with.jpg").write_bytes(recognition.with_preview(picture(640, 480), picture(160, 120)))
    (folder / "without.jpg").write_bytes(picture(640, 480))
    (folder / "unsound.jpg").write_bytes(unsound)
    (folder / "film.mov").write_bytes(recognition.clip(make="A"))
    report = await desk.run().files([folder])
    assert report.count(Fate.TAKEN) == 4
    items = {outcome.path.name: outcome.item for outcome in report.outcomes if outcome.item is not None}
    assert {name for name, item in items.items() if item in library.not_looked_at()} == {"with.jpg", "without.jpg", "unsound.jpg"}
    rough = vault.index.thumb(items["with.jpg"], ThumbSize.SMALL)
    assert rough
    assert all(tile.intact for tile in library.tiles(Query()))

    await screen.look_at_all(library, lanes)
    assert (screen.made[-1].done, set(screen.changed)) == (3, {items[name] for name in ("with.jpg", "without.jpg", "unsound.jpg")})
    assert library.not_looked_at() == []
    tiles = {tile.id: tile for tile in library.tiles(Query())}
    assert {name: tiles[item].intact for name, item in items.items()} == {
        "with.jpg": True,
        "without.jpg": True,
        "unsound.jpg": False,
        "film.mov": True,
    }
    assert tiles[items["with.jpg"]].colour != PLAIN
    assert vault.index.thumb(items["with.jpg"], ThumbSize.SMALL) != rough
    assert vault.index.thumb(items["with.jpg"], ThumbSize.LARGE)
    assert library.picture(items["unsound.jpg"]) == unsound


async def test_looking_stops_for_arrivals_and_for_the_lock_and_goes_on_after_a_restart(
    vault: Vault, pictures: list[bytes], new_photo: Callable[[bytes], Any]
) -> None:
    library, screen, lanes = Library(vault), Screen(), Lanes()
    items = [new_photo(data) for data in pictures]
    previews = Previews(library, lanes, screen.events, quiet=0.0)
    looked, real = list[Any](), library.look_at

    def look_at(item: Any) -> bool:
        looked.append(item)
        if len(looked) >= 3:  # two look at once
            vault.lock()
        return real(item)

    library.look_at = look_at  # type: ignore[method-assign]
    running = asyncio.ensure_future(previews.run())
    previews.wake()
    while vault.state.value == "unlocked" or len(looked) < 3:
        await asyncio.sleep(0)
    previews.close()
    await running
    library.look_at = real  # type: ignore[method-assign]
    vault.unlock_with_passphrase("correct horse battery staple")
    left = library.not_looked_at()
    assert 0 < len(left) < len(items)
    assert left == [item for item in items[::-1] if item in left]  # newest first
    await screen.look_at_all(library, lanes)
    assert library.not_looked_at() == []


async def test_one_look_that_the_lock_ends_waits_for_the_other(
    vault: Vault, pictures: list[bytes], new_photo: Callable[[bytes], Any]
) -> None:
    library, screen, lanes = Library(vault), Screen(), Lanes()
    first, second = (new_photo(data) for data in pictures[:2])
    previews = Previews(library, lanes, screen.events, quiet=0.0)
    failed, go_on = threading.Event(), threading.Event()

    def look_at(item: Any) -> bool:
        if item == second:
            failed.set()
            raise VaultLocked
        return go_on.wait()

    library.look_at = look_at  # type: ignore[method-assign]
    running = asyncio.ensure_future(previews.run())
    previews.wake()
    while not failed.is_set():
        await asyncio.sleep(0)
    previews.close()
    done, _ = await asyncio.wait({running}, timeout=0.1)
    assert not done, f"{first} is still being looked at"
    go_on.set()
    await running
    lanes.close()


async def test_what_cannot_be_read_now_is_left_for_the_next_start(
    vault: Vault, pictures: list[bytes], new_photo: Callable[[bytes], Any]
) -> None:
    library, screen, lanes = Library(vault), Screen(), Lanes()
    gone, sound = new_photo(pictures[0]), new_photo(pictures[1])
    next(vault.folder.rglob(f"{gone}.age")).unlink()
    await screen.look_at_all(library, lanes)
    assert library.not_looked_at() == [gone]
    assert screen.changed == [sound]
