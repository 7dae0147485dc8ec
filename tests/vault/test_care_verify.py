"""Verify reads everything and goes on where it stopped; repair makes again what can be made again, and deletes nothing."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.vault import check
from app.vault.age import seal_bytes
from app.vault.errors import ObjectDamaged, VaultLocked
from app.vault.repair import repair
from app.vault.types import ItemId, ItemMeta, LockState, NewItem, NoticeKind
from app.vault.vault import Vault

Opener = Callable[[Path], Vault]


def item_file(folder: Path, item: ItemId, ending: str = ".age") -> Path:
    return folder / "objects" / item[:2] / f"{item}{ending}"


def flip(path: Path, at: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.fixture
def five(vault: Vault, new_item: NewItem) -> list[ItemMeta]:
    vault.catch_up()
    return sorted((vault.add(b"picture %d" % n, new_item) for n in range(5)), key=lambda meta: meta.id)


def test_everything_sealed_is_read(vault: Vault, five: list[ItemMeta], folder: Path) -> None:
    vault.seal_record("receipts", 0, b"first")
    vault.seal_record("receipts", 1, b"second")
    report = vault.verify()
    assert (report.sound, report.checked, report.records, report.resumed) == (True, 5, 2, 0)
    flip(item_file(folder, five[0].id))
    flip(item_file(folder, five[1].id, ".meta.age"))
    flip(folder / "receipts/1.age")
    passphrase, keyring = sorted((folder / "keys").iterdir())
    flip(passphrase)
    keyring.unlink()
    report = vault.verify()
    assert {fault.id for fault in report.faults} == {five[0].id, five[1].id}
    assert sorted(fault.file for fault in report.files) == sorted(["receipts/1.age", f"keys/{passphrase.name}", f"keys/{keyring.name}"])
    assert not report.sound
    assert not (folder / check.NAME).exists()


def test_a_slot_that_is_far_too_long_is_a_fault(vault: Vault, folder: Path) -> None:
    next((folder / "keys").iterdir()).write_bytes(bytes(100_000))
    [fault] = vault.verify().files
    assert "damaged" in fault.what


def interrupted(vault: Vault, after: int) -> None:
    """Stop a run when it is about to read the capture with this number."""

    def stop(done: int, total: int) -> None:
        if done == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        vault.verify(stop)


def test_an_interrupted_run_goes_on(vault: Vault, five: list[ItemMeta], folder: Path, opened: Opener, passphrase: str) -> None:
    flip(item_file(folder, five[1].id))
    interrupted(vault, 3)
    sealed = (folder / check.NAME).read_bytes()
    assert five[1].id.encode() not in sealed
    vault.close()
    again = opened(folder)
    again.unlock_with_passphrase(passphrase)
    seen: list[int] = []
    report = again.verify(lambda done, total: seen.append(done), resume=True)
    assert report.resumed == 3
    assert seen == [3, 4, 5]
    assert [fault.id for fault in report.faults] == [five[1].id]
    assert report.checked == 5
    assert again.verify(resume=True).resumed == 0


def test_a_run_goes_on_only_when_asked_and_only_in_time(vault: Vault, five: list[ItemMeta], monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(vault, 3)
    assert vault.verify().resumed == 0
    interrupted(vault, 3)
    monkeypatch.setattr(check, "KEEP", -check.KEEP)
    assert vault.verify(resume=True).resumed == 0


def test_how_far_a_run_came_can_not_be_forged(vault: Vault, five: list[ItemMeta], folder: Path) -> None:
    """Anybody can seal to the vault; a note that would make verify pass over a damaged capture must not count."""
    interrupted(vault, 3)
    note = (folder / check.NAME).read_bytes()
    with vault.held() as parts:
        text = json.dumps({"started": "2999-01-01T00:00:00+00:00", "last": "f" * 32, "checked": 5, "faults": []}).encode()
        for forged in (bytes(32) + text, text, b""):
            (folder / check.NAME).write_bytes(seal_bytes(forged, parts.store.recipients))
            assert vault.verify(resume=True).resumed == 0
    for broken in (note[:-1], b"", bytes(200)):
        (folder / check.NAME).write_bytes(broken)
        assert vault.verify(resume=True).resumed == 0


def test_progress_is_kept_from_time_to_time(vault: Vault, five: list[ItemMeta], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "_SAVE_EVERY", -1.0)
    seen = []
    assert vault.verify(lambda done, total: seen.append((folder / check.NAME).exists())).sound
    assert seen == [False, True, True, True, True, True]


def test_locking_stops_a_run_which_goes_on_later(vault: Vault, five: list[ItemMeta], passphrase: str) -> None:
    def lock(done: int, total: int) -> None:
        if done == 2:
            vault.lock()

    with pytest.raises(VaultLocked):
        vault.verify(lock)
    assert vault.state is LockState.LOCKED
    with pytest.raises(VaultLocked):
        vault.verify()
    vault.unlock_with_passphrase(passphrase)
    assert vault.verify(resume=True).resumed == 2


def test_deleted_meanwhile_is_no_fault(vault: Vault, five: list[ItemMeta], folder: Path) -> None:
    def delete(done: int, total: int) -> None:
        if done == 1:
            vault.delete(five[3].id)

    assert vault.verify(delete).sound


def test_a_full_disk_does_not_stop_verify(vault: Vault, five: list[ItemMeta], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(check, "write_durably", full)
    monkeypatch.setattr(check, "_SAVE_EVERY", -1.0)
    assert vault.verify().sound


# -- repair


def test_nothing_to_repair(vault: Vault, five: list[ItemMeta]) -> None:
    before = vault.index.generation()
    seen: list[tuple[int, int]] = []
    report = repair(vault, lambda done, total: seen.append((done, total)))
    assert (report.items, report.described, report.aside, report.missing, report.index_made) == (5, 0, (), (), True)
    assert seen[-1] == (5, 5)
    assert vault.index.generation() > before, "an index made anew must not look like an older one"
    assert len(vault.index.rows()) == 5
    vault.catch_up()
    assert vault.notices() == ()
    vault.lock()
    with pytest.raises(VaultLocked):
        repair(vault)


def test_damaged_descriptions_go_aside_and_are_made_again(vault: Vault, five: list[ItemMeta], folder: Path) -> None:
    flip(item_file(folder, five[0].id, ".meta.age"))
    item_file(folder, five[1].id, ".meta.age").unlink()
    report = repair(vault)
    assert report.described == 1  # the missing one was made again by looking
    assert report.aside == (f"objects/{five[0].id[:2]}/{five[0].id}.meta.age",)
    assert vault.verify().sound
    assert [vault.meta(meta.id).new.origin.family for meta in five[:2]] == ["recovered", "recovered"]
    assert len(list((folder / "quarantine").rglob("*.age"))) == 1
    assert "Put aside" in " ".join(report.lines())


def test_a_description_comes_back_when_its_capture_does(vault: Vault, five: list[ItemMeta], folder: Path) -> None:
    """As when a synchronising program brings the small file first."""
    item = five[0].id
    vault.change(item, lambda meta: replace(meta, note="keep me"))
    away = folder.parent / "away.age"
    item_file(folder, item).rename(away)
    report = repair(vault)
    assert report.missing == (item,)
    assert not report.index_made
    assert "kept" in report.lines()[-1]
    assert not item_file(folder, item, ".meta.age").exists()
    away.rename(item_file(folder, item))
    assert repair(vault).described == 1
    assert vault.meta(item).note == "keep me"
    assert vault.read(item) == b"picture 0" or vault.read(item).startswith(b"picture")


def test_the_only_knowledge_of_missing_captures_is_kept_until_accepted(vault: Vault, five: list[ItemMeta], folder: Path) -> None:
    for path in (folder / "objects").rglob(f"{five[0].id}*"):
        path.unlink()
    assert repair(vault).missing == (five[0].id,)
    assert [notice.kind for notice in vault.notices()] == [NoticeKind.MISSING]
    assert vault.index.get(five[0].id) is not None
    vault.accept_notices()
    vault.catch_up()
    report = repair(vault)
    assert (report.missing, report.index_made) == ((), True)
    assert vault.index.get(five[0].id) is None


def test_strange_files_stay_and_ours_go_aside(vault: Vault, five: list[ItemMeta], folder: Path) -> None:
    shelf = item_file(folder, five[0].id).parent
    (shelf / ".DS_Store").write_bytes(b"x")
    (shelf / f"{five[0].id}.odd").write_bytes(b"x")
    (shelf / f"{five[0].id}.folder").mkdir()
    (folder / "keys" / "0badcafe.age").write_bytes(b"not listed")
    (folder / "vault.sync-conflict-20260512-120000-ABCDEFG.toml").write_bytes(b"other slots")
    (folder / "index.sync-conflict-20260512-120000-ABCDEFG.db").write_bytes(b"cache")
    (folder / "README.txt").write_bytes(b"mine")
    assert any("“repair” looks at them" in note for note in vault.verify().notes)
    report = repair(vault)
    assert sorted(report.aside) == sorted(
        [
            f"objects/{five[0].id[:2]}/{five[0].id}.odd",
            "keys/0badcafe.age",
            "vault.sync-conflict-20260512-120000-ABCDEFG.toml",
            "index.sync-conflict-20260512-120000-ABCDEFG.db",
        ]
    )
    assert (shelf / ".DS_Store").exists()
    assert (folder / "README.txt").exists()
    assert any("quarantine/" in note for note in vault.verify().notes)


def test_a_whole_copy_takes_the_place_of_a_damaged_capture(vault: Vault, five: list[ItemMeta], folder: Path) -> None:
    path = item_file(folder, five[0].id)
    copy = path.with_name(f"{five[0].id}.sync-conflict-20260512-120000-ABCDEFG.age")
    copy.write_bytes(path.read_bytes())
    flip(path)
    data = b"picture"
    repair(vault)
    assert vault.read(five[0].id).startswith(data)
    assert vault.verify().sound
    assert not copy.exists()


def test_index_and_thumbnails_that_are_no_databases_are_made_again(
    vault: Vault, five: list[ItemMeta], folder: Path, opened: Opener, passphrase: str
) -> None:
    vault.index.put_thumbs(five[0].id, {160: b"jpeg"})
    vault.close()
    for name in ("index.db", "thumbs.db"):
        (folder / name).write_bytes(os.urandom(5000))
    again = opened(folder)
    again.unlock_with_passphrase(passphrase)
    again.catch_up()
    assert len(again.index.rows()) == 5
    assert again.index.thumb(five[0].id, 160) is None
    assert repair(again).items == 5


def test_repair_can_be_stopped_anywhere(
    tmp_path: Path, fault_files: Callable[[], Any], key_store: Any, new_item: NewItem, passphrase: str, crash: type[BaseException]
) -> None:
    def scene(number: int) -> tuple[Vault, Any, ItemId]:
        files = fault_files()
        vault = Vault.create(tmp_path / str(number), passphrase=passphrase, keyring=False, work_factor=1, key_store=key_store, files=files)
        vault.catch_up()
        item = vault.add(b"picture", new_item).id
        path = item_file(vault.folder, item, ".meta.age")
        path.with_name(f"{item}.meta.sync-conflict-20260512-120000-ABCDEFG.age").write_bytes(path.read_bytes())
        flip(path)
        return vault, files, item

    vault, files, _ = scene(0)
    before = len(files.steps)
    repair(vault)
    steps = len(files.steps) - before
    assert 5 < steps < 40
    vault.close()
    for step in range(steps):
        vault, files, item = scene(step + 1)
        files.crash_at = len(files.steps) + step
        with pytest.raises(crash):
            repair(vault)
        vault.close()
        again = Vault.open(tmp_path / str(step + 1), key_store=key_store)
        again.unlock_with_passphrase(passphrase)
        repair(again)
        assert again.meta(item).new == new_item, "the whole copy of the description was lost"
        assert again.verify().sound
        again.close()


def test_purging_takes_the_copies_along(vault: Vault, five: list[ItemMeta], folder: Path) -> None:
    """Deleted for good means everywhere below the vault: conflicts, history, quarantine."""
    item = five[0].id
    path = item_file(folder, item, ".meta.age")
    vault.change(item, lambda meta: replace(meta, note="a"))
    (folder / "history" / item[:2]).mkdir(parents=True)
    (folder / "quarantine/20260101T000000Z/objects" / item[:2]).mkdir(parents=True)
    for copy in (
        path.with_name(f"{item}.meta.sync-conflict-20260512-120000-ABCDEFG.age"),
        folder / "history" / item[:2] / f"{item}.00000000.age",
        folder / "quarantine/20260101T000000Z/objects" / item[:2] / path.name,
    ):
        copy.write_bytes(path.read_bytes())
    vault.delete(item)
    assert list(folder.rglob(f"{item}*")) == []


def test_an_object_swapped_together_with_its_description_is_noticed(
    vault: Vault, five: list[ItemMeta], folder: Path, opened: Opener, passphrase: str, new_item: NewItem
) -> None:
    """The recipient is public, so whoever can write to the folder can seal both; the index remembers what was there."""
    item = five[0].id
    other = b"another picture"
    with vault.held() as parts:
        forged = replace(vault.meta(item), revision=9, size=len(other), sha256=hashlib.sha256(other).hexdigest())
        item_file(folder, item).write_bytes(seal_bytes(other, parts.store.recipients))
        parts.store.put_meta(forged)
    vault.close()
    again = opened(folder)
    again.unlock_with_passphrase(passphrase)
    again.catch_up()
    with pytest.raises(ObjectDamaged):
        again.read(item)
    assert [fault.id for fault in again.verify().faults] == [item]
