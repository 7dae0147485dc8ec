"""What the timeline asks for: pages, single items, which glasses; turning a photo; where it was taken."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageFile

from app.library.library import Library
from app.library.types import Query, ThumbSize
from app.media.place import turned
from app.media.thumbs import thumbnails
from app.media.types import Thumb
from app.vault.types import ItemId, ItemKind
from app.vault.vault import Vault

Add = Callable[..., ItemId]


def test_pages_follow_one_another_without_gap_or_repeat(library: Library, add: Add, clock) -> None:
    same = clock()
    items = [add(taken_at=same) if number < 3 else add() for number in range(7)]
    whole = [tile.id for tile in library.tiles(Query())]
    assert set(whole) == set(items)
    read: list[ItemId] = []
    while page := library.tiles(Query(), after=read[-1] if read else None, limit=2):
        read += [tile.id for tile in page]
    assert read == whole


def test_single_items_are_looked_up_as_the_filter_wants(library: Library, add: Add) -> None:
    liked, other, third = add(), add(), add()
    library.set_favourite([liked], True)
    found = [tile.id for tile in library.tiles(Query(favourites=True), among=(liked, other))]
    assert found == [liked]
    assert library.tiles(Query(), among=()) == []
    assert [tile.id for tile in library.tiles(Query(), among=(third, liked))] == [third, liked]


def test_only_what_glasses_made(library: Library, add: Add) -> None:
    worn = [add(family=family) for family in ("omi-glass", "ray-ban-meta")]
    for family in ("import", "meta-archive", "recovered"):
        add(family=family)
    assert [tile.id for tile in library.tiles(Query(only_glasses=True))] == worn[::-1]
    assert library.partner(worn[0]) is None


def test_glasses_are_counted_by_name(library: Library, add: Add) -> None:
    add(name="Frame")
    gone = add(name="Frame")
    add(name="OMI Glass")
    add(family="import", name="Apple iPhone 17")
    library.trash([gone])
    assert library.glasses() == (("Frame", 1), ("OMI Glass", 1))
    assert len(library.tiles(Query(glasses="Frame"))) == 1


def test_a_photo_is_turned_without_touching_its_bytes(library: Library, vault: Vault, add: Add, photo) -> None:
    data = photo(640, 480)
    item = add(data)
    library.rotate(item, 1)
    tile = library.tiles(Query())[0]
    assert (tile.width, tile.height) == (480, 640)
    with Image.open(io.BytesIO(library.thumbnail(item, ThumbSize.SMALL) or b"")) as small:
        assert (small.width, small.height) == (120, 160)
        red, _, blue = small.getpixel((110, 80))
        assert red > blue, "what was above is to the right now"
    assert library.picture(item) == data
    library.rotate(item, -1)
    assert vault.meta(item).new.orientation == 1


def test_a_thumbnail_made_while_the_photo_is_turned_is_not_the_old_one(library: Library, add: Add, monkeypatch) -> None:
    """As when its sharp thumbnail is made in the background."""
    item, turns = add(), 1

    def slowly(*arguments: Any) -> tuple[Thumb, ...]:
        nonlocal turns
        made = thumbnails(*arguments)
        if turns:
            turns -= 1
            library.rotate(item, 1)
        return made

    monkeypatch.setattr("app.library.library.thumbnails", slowly)
    assert library.look_at(item)
    with Image.open(io.BytesIO(library.thumbnail(item, ThumbSize.SMALL) or b"")) as small:
        assert (small.width, small.height) == (120, 160)
    assert item not in library.not_looked_at()


def test_a_photo_for_which_there_is_no_memory_is_not_called_damaged(library: Library, add: Add, monkeypatch) -> None:
    item = add()

    def full(self: Image.Image) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(ImageFile.ImageFile, "load", full)
        assert not library.look_at(item)
    assert library.tiles(Query())[0].intact
    assert library.not_looked_at() == [item]
    assert library.look_at(item)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_once_is_what_pillow_calls_a_quarter(orientation: int) -> None:
    from app.media.decode import upright

    picture = Image.frombytes("L", (3, 2), bytes(range(6)))
    wanted = upright(picture, orientation).transpose(Image.Transpose.ROTATE_270)
    after = upright(picture, turned(orientation, 1))
    assert (after.size, after.tobytes()) == (wanted.size, wanted.tobytes())
    assert turned(orientation, 4) == orientation


def located(photo: Callable[..., bytes], **gps: object) -> bytes:
    with Image.open(io.BytesIO(photo())) as picture:
        exif = picture.getexif()
        exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 30.0, 36.0), 3: "W", 4: (8.0, 15.0, 0.0)} | {int(key[1:]): gps[key] for key in gps})
        out = io.BytesIO()
        picture.save(out, "JPEG", exif=exif)
        return out.getvalue()


def test_a_place_is_read_when_asked_for(library: Library, add: Add, photo) -> None:
    assert library.location(add(located(photo))) == pytest.approx((47.51, -8.25))
    assert library.location(add()) is None


@pytest.mark.parametrize("wrong", [{"t2": (97.0, 0.0, 0.0)}, {"t4": (8.0, 15.0)}])
def test_a_place_that_cannot_be_is_none(library: Library, add: Add, photo, wrong: dict[str, object]) -> None:
    assert library.location(add(located(photo, **wrong))) is None


def test_what_is_no_picture_has_no_place(library: Library, add: Add) -> None:
    assert library.location(add(b"\xff\xd8\xff\xe1nonsense")) is None
    assert library.location(add(b"RIFF", kind=ItemKind.SOUND)) is None


def test_what_the_screen_cannot_show_is_made_a_jpeg_and_kept_nowhere(library: Library, vault: Vault, add: Add, photo) -> None:
    data, plain = photo(64, 48, kind="AVIF"), photo(64, 48)
    item = add(data, media_type="image/avif")
    with Image.open(io.BytesIO(library.preview(item))) as shown:
        assert (shown.format, shown.size) == ("JPEG", (64, 48))
    assert library.picture(item) == data
    assert library.preview(add(plain)) == plain
