"""Errors that explain themselves, events in order, lanes that keep their order, files replaced whole."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import os
import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from app.errors import Cancelled, EyelidError, explain
from app.events import CaptureSealed, EventHub, ItemsAdded
from app.files import replace_file
from app.lanes import Lanes
from app.paths import Profile
from app.vault.types import ItemId
from ble.errors import NotFound


def test_an_error_explains_itself_whichever_room_it_comes_from() -> None:
    for error in (EyelidError("What.", "Why.", "Do."), NotFound("What.", "Why.", "Do.")):
        assert str(explain(error)) == "What. Why. Do."
    assert str(explain(Cancelled())) == "Cancelled."


def test_a_fault_of_the_system_keeps_its_reason_and_no_path() -> None:
    said = str(explain(OSError(errno.ENOSPC, "No space left on device", "/secret/name.jpg")))
    assert "No space left" in said
    assert "secret" not in said


@pytest.mark.parametrize(
    ("fault", "what", "action"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), "not there", "Check its name"),
        (PermissionError(errno.EACCES, "Permission denied"), "are not allowed", "Check who may"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk is full", "Free some space"),
        (OSError(errno.EIO, "Input/output error"), "refused a file operation", "Check the disk"),
        (sqlite3.OperationalError("unable to open database file"), "refused a file operation", "Check the disk"),
    ],
)
def test_a_fault_of_the_system_says_what_can_be_done(fault: Exception, what: str, action: str) -> None:
    said = explain(fault)
    assert what in said.what
    assert said.action.startswith(action)


def test_a_database_on_a_full_disk_says_that_it_is_full(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "small.db")) as database:
        database.execute("PRAGMA max_page_count = 2")
        with pytest.raises(sqlite3.OperationalError) as raised:
            database.executescript("".join(f"CREATE TABLE t{number} (x);" for number in range(9)))
    assert explain(raised.value).what == "The disk is full."


def test_an_unknown_fault_tells_its_kind_and_not_its_payload() -> None:
    said = str(explain(RuntimeError("passphrase hunter2")))
    assert "RuntimeError" in said
    assert "hunter2" not in said


async def test_events_arrive_in_order_from_any_thread() -> None:
    hub = EventHub(asyncio.get_running_loop())
    heard: list[str] = []
    hub.subscribe(CaptureSealed, lambda event: heard.append(event.address))
    thread = threading.Thread(target=lambda: [hub.publish(CaptureSealed(str(n))) for n in range(100)])
    thread.start()
    thread.join()
    await asyncio.sleep(0)
    assert heard == [str(n) for n in range(100)]


async def test_a_listener_hears_only_its_kind_and_can_leave() -> None:
    hub = EventHub(asyncio.get_running_loop())
    heard: list[object] = []
    leave = hub.subscribe(ItemsAdded, heard.append)
    hub.publish(CaptureSealed("x"))
    hub.publish(ItemsAdded((ItemId("a"),)))
    await asyncio.sleep(0)
    leave()
    leave()
    hub.publish(ItemsAdded((ItemId("b"),)))
    await asyncio.sleep(0)
    assert heard == [ItemsAdded((ItemId("a"),))]


async def test_a_closed_page_needs_no_unsubscribing() -> None:
    class Page:
        def __init__(self) -> None:
            self.heard = 0

        def added(self, event: ItemsAdded) -> None:
            self.heard += 1

    hub = EventHub(asyncio.get_running_loop())
    page = Page()
    hub.subscribe(ItemsAdded, page.added)
    hub.publish(ItemsAdded(()))
    await asyncio.sleep(0)
    assert page.heard == 1
    del page
    gc.collect()
    hub.publish(ItemsAdded(()))
    await asyncio.sleep(0)


def test_publishing_after_the_end_is_quiet() -> None:
    loop = asyncio.new_event_loop()
    hub = EventHub(loop)
    loop.close()
    hub.publish(ItemsAdded(()))


async def test_the_vault_lane_keeps_its_order() -> None:
    lanes = Lanes()
    done: list[int] = []
    await asyncio.gather(*(lanes.vault(done.append, n) for n in range(50)))
    lanes.close()
    assert done == list(range(50))


async def test_lanes_pass_errors_on() -> None:
    lanes = Lanes()
    with pytest.raises(ZeroDivisionError):
        await lanes.work(divmod, 1, 0)
    lanes.close()


def test_a_replaced_file_is_whole_and_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    replace_file(path, b"one")
    replace_file(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_failed_replacement_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    replace_file(path, b"one")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        replace_file(path, b"two")
    assert path.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [path]


def test_a_profile_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    profile = Profile(tmp_path / "p")
    profile.make()
    if os.name == "posix":
        assert stat.S_IMODE(profile.root.stat().st_mode) == 0o700
