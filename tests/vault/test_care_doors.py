"""Changing the passphrase: one slot in the place of another, never neither, and never somebody else's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.vault.errors import NoSuchSlot, OldKeyStays, VaultLocked, WeakPassphrase, WrongPassphrase
from app.vault.files import Files
from app.vault.merge import Merged
from app.vault.repair import RepairReport, repair
from app.vault.types import ItemId, NewItem, SlotKind
from app.vault.vault import Vault

Opener = Callable[[Path], Vault]


def test_only_the_slot_that_the_old_one_opens_is_replaced(vault: Vault, passphrase: str, opened: Opener) -> None:
    vault.add_passphrase("of somebody else", work_factor=1)
    before = vault.slots()
    made = vault.change_passphrase("of somebody else", "new", work_factor=1)
    assert [slot.id for slot in vault.slots()] == [*(slot.id for slot in before[:-1]), made.id]
    folder = vault.folder
    vault.close()
    again = opened(folder)
    with pytest.raises(WrongPassphrase):
        again.unlock_with_passphrase("of somebody else")
    for good in (passphrase, "new"):
        again.unlock_with_passphrase(good)
        again.lock()
    assert {path.stem for path in (folder / "keys").iterdir()} == {slot.id for slot in again.slots()}


def test_what_can_not_be_changed_stands(vault: Vault, passphrase: str) -> None:
    before = vault.slots()
    with pytest.raises(WrongPassphrase):
        vault.change_passphrase("not it", "new", work_factor=1)
    with pytest.raises(WeakPassphrase):
        vault.change_passphrase(passphrase, "", work_factor=1)
    assert vault.slots() == before
    vault.remove_slot(next(slot.id for slot in before if slot.kind is SlotKind.PASSPHRASE))
    with pytest.raises(NoSuchSlot):
        vault.change_passphrase(passphrase, "new", work_factor=1)
    vault.lock()
    with pytest.raises(VaultLocked):
        vault.change_passphrase(passphrase, "new", work_factor=1)


def test_an_old_key_that_the_disk_keeps_is_said(vault: Vault, passphrase: str, opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    [old] = [slot for slot in vault.slots() if slot.kind is SlotKind.PASSPHRASE]
    folder = vault.folder

    def refused(_files: Files, path: Path) -> None:
        raise PermissionError(f"not {path.name}")

    with monkeypatch.context() as patched:
        patched.setattr(Files, "remove", refused)
        with pytest.raises(OldKeyStays) as told:
            vault.change_passphrase(passphrase, "new", work_factor=1)
    assert f"keys/{old.id}.age" in told.value.action
    assert (folder / "keys" / f"{old.id}.age").exists()
    vault.close()
    again = opened(folder)
    with pytest.raises(WrongPassphrase):
        again.unlock_with_passphrase(passphrase)
    again.unlock_with_passphrase("new")


def test_a_change_cut_short_leaves_one_that_opens(
    tmp_path: Path, fault_files: Callable[[], Any], key_store: Any, crash: type[BaseException]
) -> None:
    def scene(number: int) -> tuple[Vault, Any]:
        files = fault_files()
        vault = Vault.create(tmp_path / str(number), passphrase="old", keyring=False, work_factor=1, key_store=key_store, files=files)
        return vault, files

    vault, files = scene(0)
    before = len(files.steps)
    vault.change_passphrase("old", "new", work_factor=1)
    steps = len(files.steps) - before
    vault.close()
    opens = set()
    for step in range(steps):
        vault, files = scene(step + 1)
        files.crash_at = len(files.steps) + step
        with pytest.raises(crash):
            vault.change_passphrase("old", "new", work_factor=1)
        vault.close()
        again = Vault.open(tmp_path / str(step + 1), key_store=key_store)
        for each in ("old", "new"):
            try:
                again.unlock_with_passphrase(each)
            except WrongPassphrase:
                continue
            opens.add(each)
            break
        else:
            pytest.fail(f"nothing opens the vault after a crash at step {step}")
        again.close()
    assert "old" in opens


def test_a_repair_report_in_words() -> None:
    report = RepairReport(3, 1, Merged(1, 1, 1), ("keys/x.age",), (ItemId("ab" * 16),), False)
    said = " ".join(report.lines())
    for words in ("3 captures", "made again", "changed on two computers", "put in order", "keys/x.age", "missing", "index was kept"):
        assert words in said


def test_a_description_kept_in_history_serves_when_both_others_are_gone(vault: Vault, new_item: NewItem) -> None:
    vault.catch_up()
    item = vault.add(b"picture", new_item).id
    path = next(vault.folder.rglob(f"{item}.meta.age"))
    kept = vault.folder / "history" / item[:2] / f"{item}.00000000.age"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(path.read_bytes())
    path.write_bytes(b"damaged")
    assert repair(vault).described == 1
    assert vault.meta(item).new == new_item
    assert repair(vault).described == 0
