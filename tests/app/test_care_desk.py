"""Care of the vault as the window meets it: awaited, with progress on the loop, and events for what must be said."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.confine.memory import report
from app.events import ItemsAdded, VaultChanged, VaultNotice
from app.imports.run import Choice
from app.imports.types import Fate
from app.media.samples import pictures
from app.paths import Profile
from app.services import Services
from app.vault.erase import NotConfirmed, short_id
from app.vault.errors import VaultExists, WrongPassphrase, WrongRecoveryCode
from app.vault.types import ItemKind, LockState, NewItem, NoticeKind, Origin, SlotKind

NEW = NewItem(ItemKind.OTHER, "application/octet-stream", datetime(2026, 5, 12, tzinfo=UTC), Origin("test"))


@pytest.fixture
async def services(tmp_path: Path, no_courier: None, quick_slots: None) -> AsyncIterator[Services]:
    running = await Services.start(Profile(tmp_path / "profile"))
    yield running
    await running.stop()


async def test_first_run_gets_a_recovery_code_that_opens(services: Services) -> None:
    code = await services.vault.create("passphrase", keyring=False, recovery=True)
    assert code is not None
    assert [slot.kind for slot in services.vault.slots()] == [SlotKind.PASSPHRASE, SlotKind.RECOVERY]
    await services.vault.lock()
    with pytest.raises(WrongRecoveryCode):
        await services.vault.unlock_with_recovery("no code")
    await services.vault.unlock_with_recovery(code)
    assert services.vault.state is LockState.UNLOCKED


async def test_an_end_that_fails_costs_no_other(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await services.vault.create("passphrase", keyring=False)
    stop = services.glasses.stop

    async def failing() -> None:
        await stop()
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(services.glasses, "stop", failing)
    with pytest.raises(OSError, match="Input/output"):
        await services.stop()
    assert services.vault.state is LockState.ABSENT
    again = await Services.start(Profile(tmp_path / "profile"))
    await again.vault.unlock("passphrase")
    await again.stop()


async def test_what_arrived_meanwhile_is_taken_in_when_the_rest_begins(services: Services, tmp_path: Path) -> None:
    await services.vault.create("passphrase", keyring=False)
    await services.vault.lock()
    arrived = services.vault.vault.add(b"while locked", NEW).id
    await services.stop()
    hurried = await Services.start(Profile(tmp_path / "profile"), begin=False)
    added: asyncio.Queue[ItemsAdded] = asyncio.Queue()
    hurried.events.subscribe(ItemsAdded, added.put_nowait)
    await hurried.vault.unlock("passphrase")
    assert (hurried.begun, added.empty(), "glasses" in vars(hurried)) == (False, True, False)
    await hurried.begin()
    assert (await added.get()).ids == (arrived,)
    await hurried.stop()


async def test_without_asking_there_is_no_code(services: Services) -> None:
    assert await services.vault.create("passphrase", keyring=False) is None
    assert [slot.kind for slot in services.vault.slots()] == [SlotKind.PASSPHRASE]


async def test_ways_in_are_added_changed_and_removed(services: Services) -> None:
    await services.vault.create("passphrase", keyring=False)
    slot = await services.vault.add_passphrase("second")
    _, code = await services.vault.add_recovery()
    with pytest.raises(WrongPassphrase):
        await services.vault.change_passphrase("not it", "third")
    await services.vault.change_passphrase("passphrase", "third")
    await services.vault.remove_slot(slot.id)
    await services.vault.lock()
    for gone in ("passphrase", "second"):
        with pytest.raises(WrongPassphrase):
            await services.vault.unlock(gone)
    await services.vault.unlock("third")
    await services.vault.lock()
    await services.vault.unlock_with_recovery(code)


async def test_captures_that_are_gone_are_told_until_accepted(services: Services) -> None:
    await services.vault.create("passphrase", keyring=False)
    vault = services.vault.vault
    await services.library.catch_up()
    item = vault.add(b"picture", NEW).id
    await services.vault.lock()
    for path in vault.folder.rglob(f"{item}*"):
        path.unlink()
    told: asyncio.Queue[VaultNotice] = asyncio.Queue()
    services.events.subscribe(VaultNotice, told.put_nowait)
    await services.vault.unlock("passphrase")
    async with asyncio.timeout(20):
        notices = (await told.get()).notices
    assert [(notice.kind, notice.serious) for notice in notices] == [(NoticeKind.MISSING, True)]
    await services.library.catch_up()  # looking again does not make it forgotten
    assert services.vault.notices() == notices
    await services.vault.accept_notices()
    await services.library.catch_up()
    assert services.vault.notices() == ()


async def test_verify_repair_backup_and_restore_with_progress(services: Services, tmp_path: Path) -> None:
    await services.vault.create("passphrase", keyring=False)
    services.vault.vault.add(b"picture", NEW)
    seen: dict[str, list[tuple[int, int]]] = {"verify": [], "repair": [], "backup": [], "restore": []}
    assert (await services.vault.verify(lambda *at: seen["verify"].append(at))).sound
    assert (await services.vault.repair(lambda *at: seen["repair"].append(at))).items == 1
    assert (await services.vault.backup(tmp_path / "drive", lambda *at: seen["backup"].append(at))).sound
    with pytest.raises(VaultExists):
        await services.vault.restore(tmp_path / "drive")
    elsewhere = await Services.start(Profile(tmp_path / "elsewhere"))
    changed: list[VaultChanged] = []
    elsewhere.events.subscribe(VaultChanged, changed.append)
    await elsewhere.vault.restore(tmp_path / "drive", lambda *at: seen["restore"].append(at))
    await asyncio.sleep(0)
    assert elsewhere.vault.state is LockState.LOCKED
    assert changed[-1].state is LockState.LOCKED
    await elsewhere.vault.unlock("passphrase")
    assert len(elsewhere.vault.vault.ids()) == 1
    await elsewhere.stop()
    assert all(steps and steps[-1][0] == steps[-1][1] for steps in seen.values())


async def test_erasing_leaves_no_vault_and_a_new_one_can_be_made(services: Services) -> None:
    await services.vault.create("passphrase", keyring=False)
    vault = services.vault.vault
    vault.add(b"picture", NEW)
    with pytest.raises(NotConfirmed):
        await services.vault.erase("yes")
    erased = await services.vault.erase(short_id(vault))
    assert erased.left == ()
    assert services.vault.state is LockState.ABSENT
    assert not vault.folder.exists()
    await services.vault.create("another", keyring=False)
    await services.library.catch_up()
    assert services.vault.vault.ids() == ()


async def test_what_watched_a_folder_for_an_erased_vault_ends_when_there_is_another(services: Services, tmp_path: Path) -> None:
    await services.vault.create("passphrase", keyring=False)
    services.imports.watch(tmp_path)
    watching = services.imports._watching
    assert watching is not None
    await services.vault.erase(short_id(services.vault.vault))
    await services.vault.create("another", keyring=False)
    done, _ = await asyncio.wait({watching}, timeout=10)
    assert done


async def test_what_an_erased_vault_had_taken_in_is_taken_in_by_the_next(services: Services, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(pictures("open")[0])
    for passphrase in ("first", "second"):
        await services.vault.create(passphrase, keyring=False)
        for fate in (Fate.TAKEN, Fate.KNOWN):
            report = await services.imports.run(Choice(again=False)).files([tmp_path / "photo.jpg"])
            assert [outcome.fate for outcome in report.outcomes] == [fate]
        await services.vault.erase(short_id(services.vault.vault))


async def test_a_running_eyelid_is_hardened(services: Services) -> None:
    assert report().whole or report().no_tracing is None
