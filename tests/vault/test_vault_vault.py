"""The vault as others use it: lock states, adding while locked, changes, and several at once."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from app.vault import codec
from app.vault.errors import (
    ItemMissing,
    TooLarge,
    VaultDamaged,
    VaultExists,
    VaultInUse,
    VaultLocked,
    VaultMissing,
    VaultTooNew,
    WeakPassphrase,
    WrongPassphrase,
)
from app.vault.types import Exchange, ItemId, ItemKind, ItemMeta, LockState, NewItem, Share
from app.vault.vault import Vault

JPEG = b"\xff\xd8\xff\xe0" + b"media bytes " * 20_000
Opener = Callable[[Path], Vault]


def test_a_new_vault_is_unlocked_and_keeps_what_it_gets(vault: Vault, folder: Path, new_item: NewItem) -> None:
    assert vault.state is LockState.UNLOCKED
    assert Vault.exists(folder)
    arrived = datetime(2026, 5, 12, 15, tzinfo=timezone(timedelta(hours=2)))
    meta = vault.add(io.BytesIO(JPEG), new_item, arrived_at=arrived)
    assert meta == ItemMeta(meta.id, 1, new_item, len(JPEG), hashlib.sha256(JPEG).hexdigest(), arrived.astimezone(UTC))
    assert vault.read(meta.id) == JPEG
    assert vault.meta(meta.id) == meta
    assert vault.ids() == (meta.id,)
    assert vault.with_digest(meta.sha256) == meta.id
    assert vault.with_digest("00" * 32) is None
    assert [row.id for row in vault.index.rows()] == [meta.id]
    assert vault.catch_up() == ()
    with vault.open_media(meta.id) as media:
        media.seek(100_000)
        assert media.read(20) == JPEG[100_000:100_020]
    assert {path.name for path in (folder / "objects" / meta.id[:2]).iterdir()} == {f"{meta.id}.age", f"{meta.id}.meta.age"}


def test_a_naive_time_counts_as_utc(vault: Vault, new_item: NewItem) -> None:
    meta = vault.add(b"x", replace(new_item, taken_at=datetime(2026, 1, 1)), arrived_at=datetime(2026, 1, 2))
    assert vault.meta(meta.id) == meta
    assert meta.new.taken_at == datetime(2026, 1, 1, tzinfo=UTC)


def test_creating_asks_for_a_way_to_open_it(folder: Path, vault: Vault, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="way to open"):
        Vault.create(tmp_path / "x", passphrase=None, keyring=False)
    with pytest.raises(WeakPassphrase):
        Vault.create(tmp_path / "x", passphrase="", keyring=False)
    assert not Vault.exists(tmp_path / "x")
    with pytest.raises(VaultInUse):
        Vault.create(folder, passphrase="x", keyring=False, work_factor=1)
    vault.close()
    with pytest.raises(VaultExists):
        Vault.create(folder, passphrase="x", keyring=False, work_factor=1)
    Vault.open(folder).close()


def test_opening_what_is_not_there_or_not_readable(folder: Path, vault: Vault, tmp_path: Path) -> None:
    with pytest.raises(VaultMissing):
        Vault.open(tmp_path / "nowhere")
    vault.close()
    toml = folder / "vault.toml"
    text = toml.read_text()
    toml.write_text(text.replace("format = 1", "format = 7"))
    with pytest.raises(VaultTooNew):
        Vault.open(folder)
    toml.write_text("nonsense")
    with pytest.raises(VaultDamaged, match=r"vault\.toml"):
        Vault.open(folder)
    toml.write_bytes(bytes(1 << 20))
    with pytest.raises(VaultDamaged, match="too long"):
        Vault.open(folder)
    toml.write_text(text)
    Vault.open(folder).close()


def test_locked_means_nothing_can_be_read(vault: Vault, new_item: NewItem) -> None:
    meta = vault.add(JPEG, new_item)
    reader, index = vault.open_media(meta.id), vault.index
    assert reader.read(4) == JPEG[:4]
    vault.lock()
    vault.lock()
    assert vault.state is LockState.LOCKED
    calls: Sequence[Callable[[], object]] = (
        vault.identity,
        lambda: vault.index,
        lambda: vault.read(meta.id),
        lambda: vault.open_media(meta.id),
        lambda: vault.meta(meta.id),
        lambda: vault.change(meta.id, lambda old: old),
        lambda: vault.delete(meta.id),
        lambda: vault.with_digest(meta.sha256),
        vault.catch_up,
        vault.verify,
        lambda: vault.subkey("x"),
        lambda: list(vault.records("receipts")),
        lambda: reader.read(1),
        index.rows,
    )
    for call in calls:
        with pytest.raises(VaultLocked):
            call()
    assert vault.recipient().startswith("age1")
    assert len(vault.slots()) == 2
    assert vault.ids() == (meta.id,)


def test_what_arrives_while_locked_is_there_after_unlocking(vault: Vault, new_item: NewItem, passphrase: str) -> None:
    before = vault.add(b"before", new_item)
    vault.lock()
    late = [vault.add(b"late %d" % n, new_item, arrived_at=datetime(2026, 6, 1 + n, tzinfo=UTC)) for n in range(3)]
    vault.seal_record("receipts", 1, b"while locked")
    vault.unlock_with_passphrase(passphrase)
    assert [row.id for row in vault.index.rows()] == [before.id]
    assert vault.catch_up() == tuple(late)
    assert vault.catch_up() == ()
    assert {row.id for row in vault.index.rows()} == {before.id, *(meta.id for meta in late)}
    assert vault.read(late[2].id) == b"late 2"
    assert list(vault.records("receipts")) == [(1, b"while locked")]


def test_states_are_told_in_order(vault: Vault, passphrase: str) -> None:
    told: list[LockState] = []
    vault.on_state(told.append)
    vault.lock()
    with pytest.raises(WrongPassphrase):
        vault.unlock_with_passphrase("wrong")
    vault.unlock_with_passphrase(passphrase)
    vault.close()
    locked, busy = LockState.LOCKED, LockState.UNLOCKING
    assert told == [locked, busy, locked, busy, LockState.UNLOCKED, locked]


def test_locking_wins_over_an_unlocking_under_way(vault: Vault, key_store: Any) -> None:
    vault.lock()
    asked, go = threading.Event(), threading.Event()
    get = key_store.get

    def slow(*arguments: str) -> Any:
        asked.set()
        assert go.wait(30)
        return get(*arguments)

    key_store.get = slow
    faults: list[BaseException] = []

    def unlock() -> None:
        try:
            vault.unlock_with_keyring()
        except BaseException as error:
            faults.append(error)

    thread = threading.Thread(target=unlock)
    thread.start()
    assert asked.wait(30)
    assert vault.state is LockState.UNLOCKING
    vault.lock()
    go.set()
    thread.join()
    assert [type(fault) for fault in faults] == [VaultLocked]
    assert vault.state is LockState.LOCKED
    vault.unlock_with_keyring()


def test_a_cache_that_can_not_be_opened_does_not_leave_a_half_open_vault(vault: Vault, folder: Path, passphrase: str) -> None:
    vault.lock()
    for path in list(folder.glob("thumbs.db*")):
        path.unlink()
    (folder / "thumbs.db").mkdir()
    with pytest.raises(Exception, match="index of the vault"):
        vault.unlock_with_passphrase(passphrase)
    assert vault.state is LockState.LOCKED
    (folder / "thumbs.db").rmdir()
    vault.unlock_with_passphrase(passphrase)


def test_changes_keep_what_must_not_change(vault: Vault, new_item: NewItem) -> None:
    meta = vault.add(JPEG, new_item)
    when = datetime(2026, 5, 13, tzinfo=UTC)
    share, talk = Share("openai", "OpenAI", when, 4, True), Exchange(when, "openai", "What is it?", "A rose.", 4)

    def edit(old: ItemMeta) -> ItemMeta:
        changed = replace(old, note="roses", favourite=True, albums=("Garden",), shares=(share,), exchanges=(talk,), trashed_at=when)
        return replace(changed, id=ItemId("00" * 16), revision=99, size=1, sha256="ff" * 32, new=replace(old.new, kind=ItemKind.OTHER))

    new = vault.change(meta.id, edit)
    assert (new.id, new.revision, new.size, new.sha256) == (meta.id, 2, meta.size, meta.sha256)
    assert vault.meta(meta.id) == new
    assert new.new.kind is ItemKind.OTHER
    row = vault.index.rows(trashed=True)[0]
    assert (row.shared_with, row.favourite) == (("OpenAI",), True)
    assert vault.read(meta.id) == JPEG
    assert vault.catch_up() == ()
    with pytest.raises(TooLarge):
        vault.change(meta.id, lambda old: replace(old, note="x" * codec.LARGEST))
    with pytest.raises(ZeroDivisionError):
        vault.change(meta.id, lambda old: replace(old, note=str(1 // 0)))
    assert vault.meta(meta.id) == new


def test_deleting_is_for_good(vault: Vault, folder: Path, new_item: NewItem) -> None:
    meta = vault.add(JPEG, new_item)
    vault.index.put_thumbs(meta.id, {160: b"thumb"})
    vault.delete(meta.id)
    for call in (vault.read, vault.meta, vault.open_media, vault.delete):
        with pytest.raises(ItemMissing):
            call(meta.id)
    assert list((folder / "objects" / meta.id[:2]).iterdir()) == []
    assert vault.index.thumb(meta.id, 160) is None
    assert vault.catch_up() == ()


@pytest.mark.parametrize("item", ["", "../../../etc/passwd", "AB" * 16, "ab" * 15, "00" * 16, "00" * 16 + "\n"])
def test_ids_that_are_none_lead_nowhere(vault: Vault, item: str) -> None:
    for call in (vault.read, vault.meta, vault.open_media, vault.delete):
        with pytest.raises(ItemMissing):
            call(ItemId(item))


def test_subkeys_are_steady_and_apart(vault: Vault, folder: Path, opened: Opener, passphrase: str) -> None:
    keys = {label: vault.subkey(label) for label in ("receipts", "drafts", "index")}
    assert len({*keys.values()}) == 3
    assert all(len(key) == 32 for key in keys.values())
    vault.close()
    again = opened(folder)
    again.unlock_with_passphrase(passphrase)
    assert {label: again.subkey(label) for label in keys} == keys


# -- several at once


def test_two_vaults_in_one_process_and_two_processes_do_not_share_a_folder(vault: Vault, folder: Path) -> None:
    with pytest.raises(VaultInUse):
        Vault.open(folder)
    script = (
        "import sys; from pathlib import Path; from app.vault.vault import Vault; from app.vault.errors import VaultInUse\n"
        "try: Vault.open(Path(sys.argv[1])).close()\n"
        "except VaultInUse: print('in use')\nelse: print('opened')"
    )

    def other_process() -> str:
        done = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True, timeout=50, check=True)
        return done.stdout.strip()

    assert other_process() == "in use"
    vault.close()
    vault.close()
    assert other_process() == "opened"


def test_threads_add_read_and_catch_up_at_once(vault: Vault, new_item: NewItem) -> None:
    faults: list[BaseException] = []
    metas: list[ItemMeta] = []

    def guarded(work: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                work()
            except BaseException as error:
                faults.append(error)

        return threading.Thread(target=run)

    def add() -> None:
        for n in range(15):
            meta = vault.add(b"%d" % n + bytes(200_000), new_item)
            metas.append(meta)
            assert vault.change(meta.id, lambda old: replace(old, favourite=True)).revision == 2
            assert len(vault.read(meta.id)) == meta.size

    def look() -> None:
        for _ in range(15):
            vault.catch_up()
            vault.index.rows()
            vault.verify()

    threads = [guarded(add), guarded(add), guarded(look)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(vault.index.rows(favourites=True)) == 30
    assert all(vault.meta(meta.id).new == new_item for meta in metas)
    assert vault.verify().sound


def test_locking_in_the_midst_of_reading_ends_in_locked_or_data(vault: Vault, new_item: NewItem, passphrase: str) -> None:
    meta = vault.add(JPEG * 8, new_item)
    outcomes: list[object] = []
    started = threading.Event()

    def read() -> None:
        while True:
            try:
                outcomes.append(vault.read(meta.id) == JPEG * 8)
                started.set()
            except VaultLocked:
                return
            except BaseException as error:
                outcomes.append(error)
                return

    thread = threading.Thread(target=read)
    thread.start()
    assert started.wait(30)
    vault.lock()
    thread.join()
    assert set(outcomes) == {True}
