"""The vault as others use it: lock states, adding while locked, changes, verify, damage, two processes, and nothing in the clear."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
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
from app.vault.age import X25519Identity, X25519Recipient, seal_bytes
from app.vault.errors import (
    ItemMissing,
    ObjectDamaged,
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


def object_file(folder: Path, item: ItemId) -> Path:
    return folder / "objects" / item[:2] / f"{item}.age"


def meta_file(folder: Path, item: ItemId) -> Path:
    return folder / "objects" / item[:2] / f"{item}.meta.age"


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
    assert {path.name for path in object_file(folder, meta.id).parent.iterdir()} == {f"{meta.id}.age", f"{meta.id}.meta.age"}


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
    assert list(object_file(folder, meta.id).parent.iterdir()) == []
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


# -- damage


def test_every_changed_byte_of_an_object_or_its_meta_is_an_error_and_never_other_data(
    vault: Vault, folder: Path, new_item: NewItem
) -> None:
    meta = vault.add(b"a small picture", new_item)
    for path, read in ((object_file(folder, meta.id), vault.read), (meta_file(folder, meta.id), vault.meta)):
        whole = path.read_bytes()
        for at in range(0, len(whole), 1 if len(whole) < 400 else 3):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
            with pytest.raises((ObjectDamaged, VaultTooNew)):
                read(meta.id)
        for length in range(0, len(whole), 7):
            path.write_bytes(whole[:length])
            with pytest.raises(ObjectDamaged):
                read(meta.id)
        path.write_bytes(whole)
    assert vault.read(meta.id) == b"a small picture"


def test_a_reader_says_which_file_is_damaged(vault: Vault, folder: Path, new_item: NewItem) -> None:
    meta = vault.add(JPEG, new_item)
    path = object_file(folder, meta.id)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with vault.open_media(meta.id) as media:
        assert media.read(4) == JPEG[:4]
        with pytest.raises(ObjectDamaged) as caught:
            media.read()
    assert caught.value.file == f"objects/{meta.id[:2]}/{meta.id}.age"
    path.write_bytes(data[:-1])
    with pytest.raises(ObjectDamaged):
        vault.open_media(meta.id)


def test_an_object_put_in_the_place_of_another_is_noticed(vault: Vault, folder: Path, new_item: NewItem) -> None:
    one, two = vault.add(b"one", new_item), vault.add(b"other", new_item)
    shutil.copy(object_file(folder, two.id), object_file(folder, one.id))
    for call in (vault.read, vault.open_media):
        with pytest.raises(ObjectDamaged, match="not what was sealed"):
            call(one.id)
    shutil.copy(meta_file(folder, two.id), meta_file(folder, one.id))
    with pytest.raises(ObjectDamaged, match="another capture"):
        vault.meta(one.id)
    forged = seal_bytes(b"forged", [X25519Recipient.parse(vault.recipient())])
    object_file(folder, one.id).write_bytes(forged)
    with pytest.raises(ObjectDamaged):
        vault.read(one.id)


def test_a_meta_file_that_is_no_meta_file_or_newer(vault: Vault, folder: Path, new_item: NewItem) -> None:
    meta = vault.add(b"x", new_item)
    ours = [X25519Recipient.parse(vault.recipient())]
    for text, error in ((b"{}", ObjectDamaged), (codec.dump(meta).replace(b'"version":1', b'"version":2'), VaultTooNew)):
        meta_file(folder, meta.id).write_bytes(seal_bytes(text, ours))
        with pytest.raises(error):
            vault.meta(meta.id)
    meta_file(folder, meta.id).write_bytes(bytes(codec.LARGEST + (1 << 20)))
    with pytest.raises(ObjectDamaged, match="too long"):
        vault.meta(meta.id)
    stranger = X25519Identity.generate()
    meta_file(folder, meta.id).write_bytes(seal_bytes(codec.dump(meta), [stranger.recipient]))
    with pytest.raises(ObjectDamaged, match="another vault"):
        vault.meta(meta.id)


def test_a_file_the_disk_can_not_read_is_damage_with_its_reason(vault: Vault, folder: Path, new_item: NewItem) -> None:
    meta = vault.add(b"x", new_item)
    path = object_file(folder, meta.id)
    path.unlink()
    path.mkdir()
    with pytest.raises(ObjectDamaged, match="could not read"):
        vault.read(meta.id)


def test_verify_names_each_fault(vault: Vault, folder: Path, new_item: NewItem) -> None:
    metas = [vault.add(b"%d" % n + JPEG, new_item) for n in range(7)]
    done: list[tuple[int, int]] = []
    assert vault.verify(lambda *step: done.append(step)).sound
    assert done == [(n, 7) for n in range(8)]
    flipped, gone, lonely, swapped, meta_flipped = metas[:5]
    data = bytearray(object_file(folder, flipped.id).read_bytes())
    data[-1] ^= 1
    object_file(folder, flipped.id).write_bytes(data)
    object_file(folder, gone.id).unlink()
    meta_file(folder, lonely.id).unlink()
    shutil.copy(object_file(folder, metas[5].id), object_file(folder, swapped.id))
    data = bytearray(meta_file(folder, meta_flipped.id).read_bytes())
    data[-1] ^= 1
    meta_file(folder, meta_flipped.id).write_bytes(data)
    report = vault.verify()
    words = {fault.id: fault.what for fault in report.faults}
    assert report.checked == 7
    assert not report.sound
    assert words.keys() == {flipped.id, gone.id, lonely.id, swapped.id, meta_flipped.id}
    assert "changed or cut" in words[flipped.id]
    assert "itself is missing" in words[gone.id]
    assert "made again" in words[lonely.id]
    assert "not what was sealed" in words[swapped.id]
    assert "meta.age" in words[meta_flipped.id]


@pytest.mark.parametrize(
    ("data", "kind", "media_type"),
    [
        (JPEG, ItemKind.PHOTO, "image/jpeg"),
        (b"\0\0\0\x18ftypmp42", ItemKind.VIDEO, "video/mp4"),
        (b"", ItemKind.OTHER, "application/octet-stream"),
    ],
)
def test_an_object_without_meta_is_recovered(
    vault: Vault, folder: Path, new_item: NewItem, data: bytes, kind: ItemKind, media_type: str
) -> None:
    meta = vault.add(data, new_item)
    meta_file(folder, meta.id).unlink()
    vault.catch_up()
    back = vault.meta(meta.id)
    assert (back.sha256, back.size, back.revision) == (meta.sha256, meta.size, 1)
    assert (back.new.kind, back.new.media_type, back.new.origin.family) == (kind, media_type, "recovered")
    assert vault.index.get(meta.id) is not None
    assert vault.verify().sound
    assert vault.catch_up() == ()


def test_what_is_damaged_is_shown_and_not_hidden(vault: Vault, folder: Path, new_item: NewItem, opened: Opener, passphrase: str) -> None:
    bad_meta, no_object, both = (vault.add(JPEG, new_item) for _ in range(3))
    meta_file(folder, bad_meta.id).write_bytes(b"rubbish")
    object_file(folder, no_object.id).unlink()
    meta_file(folder, both.id).unlink()
    object_file(folder, both.id).write_bytes(b"rubbish")
    vault.close()
    for path in list(folder.glob("*.db*")):
        path.unlink()
    again = opened(folder)
    again.unlock_with_passphrase(passphrase)
    assert {meta.id for meta in again.catch_up()} == {bad_meta.id, no_object.id, both.id}
    assert {row.id for row in again.index.rows()} == set(again.ids()) == {bad_meta.id, no_object.id, both.id}
    assert again.read(bad_meta.id) == JPEG
    assert meta_file(folder, bad_meta.id).read_bytes() == b"rubbish"
    assert not meta_file(folder, both.id).exists()
    with pytest.raises(ObjectDamaged):
        again.read(both.id)
    with pytest.raises(ItemMissing):
        again.read(no_object.id)


def test_files_changed_from_outside_are_taken_in(vault: Vault, folder: Path, new_item: NewItem) -> None:
    """As after a restore from a backup, or a change that came from another machine."""
    meta, gone = vault.add(JPEG, new_item), vault.add(b"gone", new_item)
    old = meta_file(folder, meta.id).read_bytes()
    vault.change(meta.id, lambda before: replace(before, note="newer"))
    path = meta_file(folder, meta.id)
    path.write_bytes(old)
    os.utime(path, ns=(1, 1))
    for lost in (object_file(folder, gone.id), meta_file(folder, gone.id)):
        lost.unlink()
    assert vault.catch_up() == ()
    assert vault.index.rows(text="newer") == []
    assert {row.id for row in vault.index.rows()} == {meta.id, gone.id}  # shown as missing rather than hidden
    vault.delete(gone.id)
    assert [row.id for row in vault.index.rows()] == [meta.id]


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


# -- privacy of what is on the disk


def test_nothing_is_on_the_disk_in_the_clear(vault: Vault, folder: Path, new_item: NewItem, passphrase: str) -> None:
    markers = {
        name: f"MARKER{name}".encode() for name in ("media", "note", "album", "answer", "thumb", "record", "name", "address", "glasses")
    }
    text = {name: marker.decode() for name, marker in markers.items()}
    secret = vault.identity()
    origin = replace(new_item.origin, address=text["address"], name=text["glasses"])
    item = replace(new_item, origin=origin, original_name=text["name"])
    forbidden = [
        *markers.values(),
        *(marker.lower() for marker in markers.values()),
        b"AGE-SECRET-KEY",
        secret.encode(),
        passphrase.encode(),
    ]

    def look() -> None:
        for path in [path for path in folder.parent.rglob("*") if path.is_file()]:
            data = path.read_bytes()
            assert not any(word in data or word in str(path).encode() for word in forbidden), path.name

    metas = [vault.add(markers["media"] * 1000, item) for _ in range(20)]
    for meta in metas:
        vault.change(
            meta.id,
            lambda old: replace(
                old, note=text["note"], albums=(text["album"],), exchanges=(Exchange(old.arrived_at, "x", "q", text["answer"] * 500, 1),)
            ),
        )
        vault.index.put_thumbs(meta.id, {160: markers["thumb"] * 1000})
    vault.seal_record("receipts", 1, markers["record"])
    look()
    assert len(vault.index.rows(text=text["answer"])) == 20
    vault.index.rows(text="marker", album=text["album"])
    for meta in metas[:10]:
        vault.delete(meta.id)
    look()
    assert (folder / "index.db-wal").exists()
    vault.lock()
    look()
    vault.add(markers["media"] * 100_000, item)
    vault.unlock_with_passphrase(passphrase)
    vault.catch_up()
    vault.verify()
    look()
    vault.close()
    look()
    assert not list(folder.rglob("*.tmp"))


@pytest.mark.skipif(os.name != "posix", reason="file modes are for POSIX")
def test_files_are_for_their_owner_only(vault: Vault, folder: Path, new_item: NewItem) -> None:
    vault.add(b"x", new_item)
    vault.seal_record("receipts", 1, b"x")
    for path in (folder, *folder.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path.name
