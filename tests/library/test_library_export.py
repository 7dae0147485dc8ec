"""Leaving the vault: bit for bit, whole or not at all, never over another file."""

from __future__ import annotations

import asyncio
import io
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from app.desks import LibraryDesk
from app.errors import Cancelled
from app.events import EventHub, ItemsChanged
from app.lanes import Lanes
from app.library import export as exporting
from app.library.export import ExportAs, ExportFailed, name_of
from app.library.library import Library
from app.vault.errors import ObjectDamaged, VaultLocked
from app.vault.types import ItemId, ItemKind, ItemMeta, NewItem, Origin
from app.vault.vault import Vault

Add = Callable[..., ItemId]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out" / "holiday"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_very_bytes_under_a_name_of_time_and_glasses(library: Library, add: Add, out: Path) -> None:
    taken = datetime(2026, 11, 23, 14, 3, 12, 500_000).astimezone()
    item = add(taken_at=taken)
    (path,) = library.export([item], out)
    assert path == out / "2026-11-23 14.03.12 omi-glass.jpg"
    assert path.read_bytes() == library.picture(item)
    assert path.stat().st_mtime == pytest.approx(taken.timestamp(), abs=1)
    assert names(out) == {path.name}


def test_nothing_is_ever_written_over(library: Library, add: Add, out: Path) -> None:
    taken = datetime(2026, 11, 23, 14, 3, 12).astimezone()
    items = [add(taken_at=taken) for _ in range(2)]
    out.mkdir(parents=True)
    mine = out / "2026-11-23 14.03.12 omi-glass.jpg"
    mine.write_bytes(b"mine")
    (out / "2026-11-23 14.03.12 omi-glass (3).jpg").symlink_to(out / "nowhere")
    paths = library.export(items, out)
    assert [path.name for path in paths] == ["2026-11-23 14.03.12 omi-glass (2).jpg", "2026-11-23 14.03.12 omi-glass (4).jpg"]
    assert mine.read_bytes() == b"mine"
    assert not (out / "nowhere").exists()
    assert [path.read_bytes() for path in paths] == [library.picture(item) for item in items]


def test_upright_only_on_request_and_lossless(library: Library, add: Add, out: Path) -> None:
    item = add(orientation=3)
    (plain,) = library.export([item], out)
    assert plain.read_bytes() == library.picture(item)
    (marked,) = library.export([item], out, ExportAs(upright=True))
    original = library.picture(item)
    assert marked.read_bytes().endswith(original[2:])
    shown = ImageOps.exif_transpose(Image.open(marked)).convert("RGB")
    stored = Image.open(io.BytesIO(original)).convert("RGB")
    assert shown.tobytes() == stored.transpose(Image.Transpose.ROTATE_180).tobytes()


def test_upright_leaves_alone_what_is_upright_or_no_jpeg(library: Library, add: Add, photo: Callable[..., bytes], out: Path) -> None:
    items = [add(), add(photo(kind="PNG"), media_type="image/png", orientation=6)]
    for item, path in zip(items, library.export(items, out, ExportAs(upright=True)), strict=True):
        assert path.read_bytes() == library.picture(item)


def test_a_long_capture_comes_out_whole(library: Library, add: Add, out: Path) -> None:
    data = bytes(range(256)) * 12_000
    (path,) = library.export([add(data, kind=ItemKind.VIDEO, media_type="video/mp4")], out)
    assert path.suffix == ".mp4"
    assert path.read_bytes() == data


def test_damage_leaves_no_file(library: Library, add: Add, out: Path, tmp_path: Path) -> None:
    sound, item = add(), add(bytes(300_000), media_type="video/mp4")
    path = next(path for path in tmp_path.rglob(f"{item}.age"))
    sealed = path.read_bytes()
    path.write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    with pytest.raises(ExportFailed, match="1 of 2") as caught:
        library.export([item, sound], out)
    assert [(each.item, type(each.why)) for each in caught.value.left] == [(item, ObjectDamaged)]
    assert item[:12] in caught.value.why
    assert len(names(out)) == 1
    assert next(out.iterdir()).read_bytes() == library.picture(sound)


def test_every_damaged_capture_is_named_and_the_others_are_written(library: Library, add: Add, out: Path, tmp_path: Path) -> None:
    items = [add() for _ in range(5)]
    for item in items[::2]:
        next(tmp_path.rglob(f"{item}.age")).unlink()
    wrote: list[ItemId] = []
    told: list[tuple[int, int]] = []
    with pytest.raises(ExportFailed, match="2 of 5") as caught:
        library.export(items, out, progress=lambda *done: told.append(done), wrote=wrote.append)
    assert [each.item for each in caught.value.left] == items[::2]
    assert all(item[:12] in caught.value.why for item in items[::2])
    assert len(names(out)) == len(caught.value.written) == 2
    assert wrote == items[1::2]
    assert told[-1] == (5, 5)


def test_locking_ends_it(library: Library, add: Add, vault: Vault, out: Path) -> None:
    items = [add(), add()]
    with pytest.raises(VaultLocked):
        library.export(items, out, progress=lambda *_: vault.lock())
    assert len(names(out)) == 1


def test_another_capture_under_that_name_is_noticed(library: Library, add: Add, vault: Vault, out: Path, tmp_path: Path) -> None:
    """Somebody who can write to the vault's folder, but holds no key, put one sealed object in the place of another."""
    first, second = add(b"a" * 1000), add(b"b" * 1000)
    source, target = (next(path for path in tmp_path.rglob(f"{item}.age")) for item in (first, second))
    target.write_bytes(source.read_bytes())
    with pytest.raises(ExportFailed, match="not what was sealed"):
        library.export([second], out)
    assert names(out) == set()


def test_unknown_items_are_said(library: Library, out: Path) -> None:
    with pytest.raises(ExportFailed, match="not in the vault"):
        library.export([ItemId("0" * 32)], out)
    assert not out.exists()


def test_a_full_disk_says_how_far_it_came(library: Library, add: Add, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = [add(), add()]
    real, calls = os.fsync, 0

    def fsync(handle: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(exporting.os, "fsync", fsync)
    with pytest.raises(ExportFailed, match="1 of 2") as caught:
        library.export(items, out)
    assert "No space left" in caught.value.why
    assert names(out) == {path.name for path in caught.value.written}
    assert len(caught.value.written) == 1


def test_a_move_that_fails_frees_the_name(library: Library, add: Add, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    item = add()

    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(ExportFailed, match="Permission denied"):
        library.export([item], out)
    assert names(out) == set()


def test_a_file_where_the_folder_should_be_is_said(library: Library, add: Add, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_bytes(b"")
    with pytest.raises(ExportFailed, match="0 of 1"):
        library.export([add()], blocked)


def test_a_folder_full_of_that_second(library: Library, add: Add, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "_NAMES", 2)
    item = add()
    library.export([item], out)
    with pytest.raises(ExportFailed, match="full"):
        library.export([item], out)
    assert len(names(out)) == 1


def test_progress_is_told_and_can_stop(library: Library, add: Add, out: Path) -> None:
    items = [add() for _ in range(3)]
    told: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        told.append((done, total))
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        library.export(items, out, progress=progress)
    assert told == [(1, 3), (2, 3)]
    assert len(names(out)) == 2


def test_a_disk_without_times_is_no_reason_to_fail(library: Library, add: Add, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(exporting.os, "utime", refuse)
    assert len(library.export([add()], out)) == 1


def meta(family: str, media_type: str = "image/jpeg") -> ItemMeta:
    taken = datetime(2026, 11, 23, 12, tzinfo=UTC)
    return ItemMeta(ItemId("0" * 32), 1, NewItem(ItemKind.PHOTO, media_type, taken, Origin(family)), 1, "", taken)


@given(st.text(), st.text())
def test_no_name_leads_out_of_the_folder(family: str, media_type: str) -> None:
    stem, suffix = name_of(meta(family, media_type))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d [A-Za-z0-9-]{1,40}", stem)
    assert re.fullmatch(r"\.[a-z0-9]{2,4}", suffix)


def test_names_say_what_they_can() -> None:
    assert name_of(meta("../../etc/passwd"))[0].endswith(" etc-passwd")
    assert name_of(meta(""))[0].endswith(" capture")
    assert name_of(meta("x", "application/pdf"))[1] == ".bin"


async def test_the_history_of_each_capture_tells_of_its_export(library: Library, vault: Vault, add: Add, out: Path, clock: Any) -> None:
    """Also where one of them cannot be read: the others are out."""
    lanes, events = Lanes(), EventHub(asyncio.get_running_loop())
    changed: list[ItemsChanged] = []
    events.subscribe(ItemsChanged, changed.append)
    desk = LibraryDesk(library, lanes, events, lambda _items: asyncio.sleep(0))
    one, other = add(), add()
    first = clock.time
    try:
        await desk.export([one], out)
        clock.pass_days(1)
        with pytest.raises(ExportFailed):
            await desk.export([ItemId("0" * 32), one, other], out)
    finally:
        lanes.close()
    await asyncio.sleep(0)
    assert vault.meta(one).exported == (first, clock.time)
    assert vault.meta(other).exported == (clock.time,)
    assert [event.ids for event in changed] == [(one,), (one, other)]
