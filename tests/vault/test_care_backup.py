"""Backup and restore: sealed files only, compared by digest, stopped anywhere and gone on with."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.vault import backup as module
from app.vault.backup import BackupDamaged, BackupRefused, backup, restore
from app.vault.errors import VaultDamaged, VaultExists, VaultMissing
from app.vault.files import Files, write_durably
from app.vault.types import ItemMeta, NewItem
from app.vault.vault import Vault
from tests.vault.folders import sealed

Opener = Callable[[Path], Vault]


def test_a_backup_is_the_sealed_files_and_works_locked(vault: Vault, full: list[ItemMeta], target: Path) -> None:
    vault.lock()
    seen: list[tuple[int, int]] = []
    report = backup(vault, target, lambda done, total: seen.append((done, total)))
    assert sealed(target) == sealed(vault.folder)
    names = {path.name for path in target.rglob("*") if path.is_file()}
    assert not names & {"index.db", "thumbs.db", "lock"}
    assert report.sound
    assert (report.copied, report.kept, report.gone) == (len(sealed(target)), 0, 0)
    assert seen[0] == (0, report.copied)
    assert seen[-1] == (report.copied, report.copied)
    if os.name == "posix":
        assert {stat.S_IMODE(path.stat().st_mode) for path in target.rglob("*") if path.is_file()} == {0o600}


def test_the_second_copies_only_what_is_new(vault: Vault, full: list[ItemMeta], target: Path, new_item: NewItem) -> None:
    first = backup(vault, target)
    again = backup(vault, target)
    assert (again.copied, again.bytes, again.kept) == (0, 0, first.copied)
    before = sealed(target)
    vault.change(full[1].id, lambda meta: replace(meta, note="new"))
    vault.add(b"one more", new_item)
    report = backup(vault, target)
    assert (report.copied, report.kept) == (3, first.copied - 1)
    assert sealed(target) == sealed(vault.folder)
    older = next((target / "older").rglob("*.age"))
    assert older.read_bytes() == before[older.relative_to(target / "older").as_posix()]
    os.utime(next(vault.folder.rglob(f"{full[2].id}.age")))
    assert backup(vault, target).copied == 0, "a new time with the same bytes is no change"


def test_deleting_reaches_the_backup_only_when_asked(vault: Vault, full: list[ItemMeta], target: Path) -> None:
    backup(vault, target)
    vault.delete(full[0].id)
    report = backup(vault, target)
    assert (report.gone, report.removed) == (3, 0)  # object, description, history
    assert len(list(target.rglob(f"{full[0].id}*"))) >= 3
    report = backup(vault, target, prune=True)
    assert (report.gone, report.removed) == (0, 3)
    assert list(target.rglob(f"{full[0].id}*")) == []


def test_a_removed_key_leaves_the_backup_too(vault: Vault, target: Path, passphrase: str) -> None:
    backup(vault, target)
    before = {path.name for path in (target / "keys").iterdir()}
    vault.change_passphrase(passphrase, "another one", work_factor=1)
    report = backup(vault, target)
    after = {path.name for path in (target / "keys").iterdir()}
    assert report.removed == 1
    assert after == {path.name for path in (vault.folder / "keys").iterdir()}
    assert after != before
    assert not (target / "older").exists()


def test_damage_never_replaces_a_good_copy(vault: Vault, full: list[ItemMeta], target: Path) -> None:
    backup(vault, target)
    path = next(vault.folder.rglob(f"{full[0].id}.age"))
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    report = backup(vault, target)
    assert not report.sound
    assert report.differing == (path.relative_to(vault.folder).as_posix(),)
    assert (target / path.relative_to(vault.folder)).read_bytes() == good


def test_a_copy_gone_bad_is_found_when_asked_and_made_again(vault: Vault, full: list[ItemMeta], target: Path) -> None:
    backup(vault, target)
    copy = next(target.rglob(f"{full[0].id}.age"))
    good = copy.read_bytes()
    copy.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    assert backup(vault, target).copied == 0
    assert backup(vault, target, check=True).copied == 1
    assert copy.read_bytes() == good
    copy.unlink()
    assert backup(vault, target).copied == 1


def test_folders_that_can_not_be_a_backup_are_refused(vault: Vault, full: list[ItemMeta], tmp_path: Path, key_store: Any) -> None:
    strange = tmp_path / "strange"
    strange.mkdir()
    (strange / "holiday.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(vault.folder)
    other = Vault.create(tmp_path / "other" / "vault", passphrase="x", keyring=False, work_factor=1, key_store=key_store)
    backup(other, tmp_path / "others")
    other.close()
    before = sorted(tmp_path.rglob("*"))
    for place in (vault.folder, vault.folder / "backup", vault.folder.parent, tmp_path / "link" / "x", strange, tmp_path / "file",
                  other.folder, tmp_path / "others"):  # fmt: skip
        with pytest.raises(BackupRefused):
            backup(vault, place)
    assert sorted(tmp_path.rglob("*")) == before
    (tmp_path / "others" / "backup.json").write_text("{}")
    with pytest.raises(BackupRefused):
        backup(vault, tmp_path / "others")


def test_a_file_that_changes_under_the_copy_is_not_taken(
    vault: Vault, full: list[ItemMeta], target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "copy_file", lambda *_: "another digest")
    with pytest.raises(BackupDamaged):
        backup(vault, target)


def test_deleted_while_it_runs_is_no_fault(vault: Vault, full: list[ItemMeta], target: Path) -> None:
    assert backup(vault, target, lambda done, total: vault.delete(full[0].id) if done == 0 else None).sound


def test_stopped_anywhere_it_goes_on(vault: Vault, full: list[ItemMeta], target: Path) -> None:
    total = len(sealed(vault.folder))
    for after in range(total):

        def stop(done: int, total: int, after: int = after) -> None:
            if done == after:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            backup(vault, target, stop)
        with pytest.raises((VaultMissing, VaultDamaged)) if after < total - 1 else pytest.raises(VaultMissing):
            restore(target, target.parent / f"restored{after}")
    report = backup(vault, target)
    assert report.sound
    assert sealed(target) == sealed(vault.folder)


def test_the_vault_stays_in_use_between_two_files(vault: Vault, full: list[ItemMeta], target: Path, new_item: NewItem) -> None:
    """Captures arrive and receipts are written while gigabytes go to a slow drive."""
    done: list[int] = []

    def meanwhile(number: int, total: int) -> None:
        if number == 0:
            writer = threading.Thread(target=lambda: done.append(vault.add(b"arrived", new_item).size))
            writer.start()
            writer.join(30)
            assert done == [7]
            vault.add_passphrase("another", work_factor=1)

    assert backup(vault, target, meanwhile).sound
    listed = {f"keys/{slot.id}.age" for slot in vault.slots()}
    assert {name for name in sealed(target) if name.startswith("keys/")} == listed, "the ways in are those that vault.toml names"
    backup(vault, target)
    assert sealed(target) == sealed(vault.folder)


class PowerOff(BaseException):
    pass


def test_a_backup_that_lost_its_power_still_gives_back_what_it_lists(
    vault: Vault, full: list[ItemMeta], target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(vault, target)
    before = sealed(target)
    for meta in full:
        vault.change(meta.id, lambda old: replace(old, note="later"))
    written: list[Path] = []

    def power_off(files: Files, path: Path, pieces: Any) -> None:
        if written and path.name == module.LIST:
            raise PowerOff
        write_durably(files, path, pieces)
        written.append(path)

    monkeypatch.setattr(module, "write_durably", power_off)
    with pytest.raises(PowerOff):
        backup(vault, target)
    monkeypatch.undo()
    assert [path for path in written if path.name.endswith(".meta.age")], "some were replaced already"
    restore(target, tmp_path / "new")
    assert sealed(tmp_path / "new") == before


def test_what_was_copied_is_listed_on_the_way(vault: Vault, full: list[ItemMeta], target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LIST_EVERY", -1.0)
    listed: list[int] = []
    backup(vault, target, lambda done, total: listed.append(len(json.loads((target / module.LIST).read_text())["files"])))
    assert listed[:4] == [0, 1, 2, 3]


# -- restore


def test_restored_elsewhere_it_opens_with_its_keys(
    vault: Vault, full: list[ItemMeta], target: Path, tmp_path: Path, opened: Opener, passphrase: str
) -> None:
    _, code = vault.add_recovery()
    backup(vault, target)
    expected = {item: vault.read(item) for item in vault.ids()}
    place = tmp_path / "new computer" / "vault"
    count = restore(target, place)
    assert count == len(sealed(target))
    assert sealed(place) == sealed(vault.folder)
    again = opened(place)
    again.unlock_with_recovery(code)
    again.catch_up()
    assert {item: again.read(item) for item in again.ids()} == expected
    assert again.verify().sound
    again.lock()
    again.unlock_with_passphrase(passphrase)
    with pytest.raises(VaultExists):
        restore(target, place)


def test_a_backup_opens_as_a_vault(vault: Vault, full: list[ItemMeta], target: Path, opened: Opener, passphrase: str) -> None:
    backup(vault, target)
    again = opened(target)
    again.unlock_with_passphrase(passphrase)
    assert again.verify().checked == 3


def test_restoring_says_what_is_damaged_and_saves_the_rest(
    vault: Vault, full: list[ItemMeta], target: Path, tmp_path: Path, opened: Opener, passphrase: str
) -> None:
    backup(vault, target)
    bad = next(target.rglob(f"{full[0].id}.age"))
    good = bad.read_bytes()
    bad.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    next(target.rglob(f"{full[1].id}.age")).unlink()
    with pytest.raises(BackupDamaged) as caught:
        restore(target, tmp_path / "new")
    assert len(caught.value.files) == 2
    again = opened(tmp_path / "new")
    again.unlock_with_passphrase(passphrase)
    again.catch_up()
    assert again.read(full[2].id) == b"picture 2" * 1000


def test_without_its_keys_nothing_is_restored(vault: Vault, target: Path, tmp_path: Path) -> None:
    backup(vault, target)
    next((target / "keys").iterdir()).write_bytes(b"x")
    with pytest.raises(BackupDamaged, match="nothing was restored"):
        restore(target, tmp_path / "new")
    assert not Vault.exists(tmp_path / "new")


def test_a_restore_that_was_stopped_goes_on(vault: Vault, full: list[ItemMeta], target: Path, tmp_path: Path) -> None:
    backup(vault, target)

    def stop(done: int, total: int) -> None:
        if done == total - 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore(target, tmp_path / "new", stop)
    assert not Vault.exists(tmp_path / "new")
    inodes = {path: path.stat().st_ino for path in (tmp_path / "new").rglob("*.age")}
    restore(target, tmp_path / "new", lambda done, total: None)
    assert {path: path.stat().st_ino for path in inodes} == inodes, "what was there already was not copied again"
    assert sealed(tmp_path / "new") == sealed(vault.folder)


def test_a_hostile_list_leads_nowhere(vault: Vault, target: Path, tmp_path: Path) -> None:
    backup(vault, target)
    table = json.loads((target / "backup.json").read_text())
    (tmp_path / "drive" / "evil.age").write_bytes(b"x")
    entry = [1, 0, "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"]
    for name in (
        "../evil.age",
        "quarantine/20260101T000000Z/../../../evil.age",
        "/etc/passwd",
        "receipts/..\\1.age",
        "index.db",
        "lock",
        "quarantine/2/a\0b",
    ):
        table["files"][name] = entry
    (target / "backup.json").write_text(json.dumps(table))
    restore(target, tmp_path / "new")
    assert sealed(tmp_path / "new") == sealed(vault.folder)
    assert len([path for path in (tmp_path / "new").rglob("*") if path.is_file()]) == len(sealed(vault.folder))
    for text in (
        "",
        "[]",
        "{",
        '{"files": 3, "id": 1}',
        '{"files": {"vault.toml": 3}, "id": "x"}',
        '{"files": {"vault.toml": [1e999, 0, ""]}, "id": "x"}',
        "[" * 100_000,
    ):
        (target / "backup.json").write_text(text)
        with pytest.raises(VaultMissing):
            restore(target, tmp_path / "newer")


@pytest.mark.skipif(shutil.which("age") is None, reason="needs the age program (make test installs it on Debian)")
def test_any_age_program_opens_what_is_in_a_backup(vault: Vault, full: list[ItemMeta], target: Path, tmp_path: Path) -> None:
    backup(vault, target)
    key = tmp_path / "key.txt"
    key.write_text(vault.identity() + "\n")
    [path] = target.rglob(f"{full[0].id}.age")
    done = subprocess.run(["age", "-d", "-i", str(key), str(path)], capture_output=True, check=True, timeout=50)
    assert done.stdout == b"picture 0" * 1000
