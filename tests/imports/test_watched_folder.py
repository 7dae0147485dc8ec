"""The watched folder: what is being written waits, what is whole comes in once, across restarts and a locked vault."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.imports import desk as desks
from app.imports import watch
from app.imports.desk import ImportDesk
from app.imports.types import Fate, Outcome, Source
from app.imports.watch import FolderWatch
from app.lanes import Lanes
from app.vault.errors import VaultLocked
from app.vault.types import LockState
from app.vault.vault import Vault

PASSPHRASE = "correct horse battery staple"


async def looked(desk: ImportDesk, lanes: Lanes, folder: Path, times: int) -> list[Outcome]:
    """What a watch of `folder` takes in so many looks."""
    folder_watch = FolderWatch(folder, lanes, desk._take_watched)
    return [outcome for _ in range(times) for outcome in await folder_watch.look()]


async def test_a_file_waits_until_nobody_writes_to_it(desk: ImportDesk, folder: Path, pictures: list[bytes]) -> None:
    lanes, path = Lanes(), folder / "a.jpg"
    folder_watch = FolderWatch(folder, lanes, desk._take_watched)
    for end in range(10, len(pictures[0]), 200):
        path.write_bytes(pictures[0][:end])
        assert await folder_watch.look() == []
    path.write_bytes(pictures[0])
    outcomes = [outcome for _ in range(watch.STILL + 1) for outcome in await folder_watch.look()]
    assert [outcome.fate for outcome in outcomes] == [Fate.TAKEN]
    assert await folder_watch.look() == []
    lanes.close()


async def test_names_of_unfinished_files_are_passed_over(desk: ImportDesk, folder: Path, pictures: list[bytes]) -> None:
    lanes, began = Lanes(), datetime.now(UTC)
    for name in (".a.jpg", "a.jpg.part", "a.crdownload", "~a.jpg", "a.jpg.tmp", ".syncthing.a.jpg.tmp", "a.jpg~"):
        (folder / name).write_bytes(pictures[0])
    assert await looked(desk, lanes, folder, 5) == []
    (folder / "a.jpg.part").rename(folder / "a.jpg")
    assert [outcome.fate for outcome in await looked(desk, lanes, folder, 5)] == [Fate.TAKEN]
    assert [(outcome.path.name, outcome.fate) for outcome in desk.came(began)] == [("a.jpg", Fate.TAKEN)]
    assert desk.came(datetime.now(UTC)) == ()
    lanes.close()


async def test_after_a_restart_nothing_comes_twice_nor_back(desk: ImportDesk, vault: Vault, folder: Path, pictures: list[bytes]) -> None:
    lanes, began = Lanes(), datetime.now(UTC)
    for number in range(3):
        (folder / f"{number}.jpg").write_bytes(pictures[number])
    (folder / "again.jpg").write_bytes(pictures[2])
    first = await looked(desk, lanes, folder, 5)
    desk.watch(None)  # which forgets
    assert desk.came(began) == ()
    assert first[0].item is not None
    vault.delete(first[0].item)
    assert {outcome.fate for outcome in await looked(desk, lanes, folder, 5)} == {Fate.KNOWN}
    assert len(vault.ids()) == 2
    assert {outcome.path.stem[0] for outcome in desk.came(began)} >= {"0", "1"}
    assert [outcome.fate for outcome in desk.came(began)] == [Fate.TAKEN] * 3
    assert desk.came(datetime.now(UTC)) == ()
    lanes.close()


async def test_a_clip_that_comes_much_later_is_known_as_that_of_its_still(
    desk: ImportDesk, vault: Vault, folder: Path, pictures: list[bytes], recognition: Any
) -> None:
    lanes = Lanes()
    folder_watch = FolderWatch(folder, lanes, desk._take_watched)
    groups = []
    for name, data in (("IMG_1.JPG", pictures[0]), ("IMG_1.MOV", recognition.clip())):
        (folder / name).write_bytes(data)
        for _ in range(watch.STILL + 2):
            await folder_watch.look()
        groups.append({vault.meta(item).new.group for item in vault.ids()})
    assert groups[0] == {""}
    assert len(vault.ids()) == 2
    assert len(groups[1]) == 1
    assert groups[1] != {""}
    lanes.close()


async def test_a_folder_that_takes_long_to_look_through_is_looked_through_less_often(
    desk: ImportDesk, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lanes, clock, pauses = Lanes(), iter([0.0, 0.01, 1.0, 2.5, 3.0, 90.0]), list[float]()

    async def wait(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise asyncio.CancelledError

    monkeypatch.setattr(watch, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    with pytest.raises(asyncio.CancelledError):
        await FolderWatch(folder, lanes, desk._take_watched, wait).run()
    assert pauses == [watch.SECONDS, 45.0, watch._LONGEST_PAUSE]
    lanes.close()


async def test_a_locked_vault_keeps_them_waiting(desk: ImportDesk, vault: Vault, folder: Path, pictures: list[bytes]) -> None:
    lanes = Lanes()
    (folder / "a.jpg").write_bytes(pictures[0])
    folder_watch = FolderWatch(folder, lanes, desk._take_watched)
    vault.lock()
    for _ in range(5):
        assert await folder_watch.look() == []
    vault.unlock_with_passphrase(PASSPHRASE)
    assert [outcome.fate for outcome in await folder_watch.look()] == [Fate.TAKEN]
    lanes.close()


async def test_a_vault_that_locks_in_the_middle_is_no_trouble_and_the_rest_comes_in_later(
    desk: ImportDesk, vault: Vault, heard: Any, folder: Path, pictures: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "SECONDS", 0.0)
    for number in range(3):
        (folder / f"{number}.jpg").write_bytes(pictures[number])
    heard.kept = lambda item, _thumbs: (vault.lock(), vault.meta(item))  # as the library does, which asks for what it is told of
    began = datetime.now(UTC)
    desk.watch(folder)
    while vault.state is LockState.UNLOCKED:
        await asyncio.sleep(0.01)
    heard.kept = lambda _item, _thumbs: None
    vault.unlock_with_passphrase(PASSPHRASE)
    vault.catch_up()
    while len(desk.came(began)) < 3 and not heard.trouble:
        await asyncio.sleep(0.01)
    assert heard.trouble == []
    assert [outcome.fate for outcome in desk.came(began)] == [Fate.TAKEN] * 3
    assert sorted(vault.read(item) for item in vault.ids()) == sorted(pictures[:3])


async def test_a_watch_that_is_called_off_just_as_the_vault_locks_ends(
    desk: ImportDesk, folder: Path, pictures: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    taking = asyncio.Event()

    async def take(_: Sequence[Source]) -> Sequence[Outcome]:
        taking.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise VaultLocked from None
        return ()

    monkeypatch.setattr(watch, "SECONDS", 0.0)
    monkeypatch.setattr(desk, "_take_watched", take)
    (folder / "a.jpg").write_bytes(pictures[0])
    desk.watch(folder)
    await taking.wait()
    await asyncio.wait_for(desk.close(), 10)


async def test_what_comes_in_while_the_watch_is_called_off_is_told(
    desk: ImportDesk, vault: Vault, heard: Any, folder: Path, pictures: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping, go_on, keep = threading.Event(), threading.Event(), vault.keep

    def slowly(*what: Any) -> Any:
        keeping.set()
        go_on.wait(20)
        return keep(*what)

    monkeypatch.setattr(watch, "SECONDS", 0.0)
    monkeypatch.setattr(vault, "keep", slowly)
    (folder / "a.jpg").write_bytes(pictures[0])
    desk.watch(folder)
    while not keeping.is_set():
        await asyncio.sleep(0.01)
    closing = asyncio.ensure_future(desk.close())
    await asyncio.sleep(0)
    go_on.set()
    await closing
    assert [meta.id for meta in heard.arrived] == list(vault.ids())
    assert len(heard.arrived) == 1


async def test_what_is_damaged_is_tried_some_times_and_then_left(desk: ImportDesk, folder: Path, pictures: list[bytes]) -> None:
    lanes = Lanes()
    (folder / "a.jpg").write_bytes(pictures[0][:-5])
    outcomes = await looked(desk, lanes, folder, 40)
    assert [outcome.fate for outcome in outcomes] == [Fate.REFUSED] * 5
    lanes.close()


async def test_a_folder_that_goes_and_comes(desk: ImportDesk, folder: Path, pictures: list[bytes]) -> None:
    lanes = Lanes()
    folder_watch = FolderWatch(folder / "drive", lanes, desk._take_watched)
    assert await folder_watch.look() == []
    assert not folder_watch.there
    (folder / "drive").mkdir()
    (folder / "drive/a.jpg").write_bytes(pictures[0])
    outcomes = [outcome for _ in range(4) for outcome in await folder_watch.look()]
    assert folder_watch.there
    assert len(outcomes) == 1
    lanes.close()


async def test_the_desk_watches_by_itself_and_trouble_is_told_once(
    desk: ImportDesk, heard: Any, folder: Path, pictures: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "SECONDS", 0.0)
    (folder / "a.jpg").write_bytes(pictures[0])
    desk.watch(folder)
    assert desk.watched == folder
    while not heard.arrived:
        await asyncio.sleep(0.01)
    assert desk.watched_is_there
    desk.watch(None)
    assert desk.watched is None

    async def broken(sources: Sequence[Source]) -> Sequence[Outcome]:
        raise RuntimeError

    waits: list[float] = []
    pause = asyncio.sleep

    async def no_wait(seconds: float) -> None:
        waits.append(seconds)
        await pause(0)

    monkeypatch.setattr(desk, "_take_watched", broken)
    monkeypatch.setattr(desks.asyncio, "sleep", no_wait)
    (folder / "b.jpg").write_bytes(pictures[1])
    desk.watch(folder)
    while waits.count(15) < 3:
        await pause(0.005)
    assert len(heard.trouble) == 1
