"""Erasing: every way in first, then what it held; stopped anywhere, it can be begun again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.vault.backup import backup, restore
from app.vault.erase import NotConfirmed, erase, short_id
from app.vault.errors import KeyringLost, VaultInUse
from app.vault.types import ItemMeta, LockState, NewItem
from app.vault.vault import Vault
from tests.vault.folders import sealed

Opener = Callable[[Path], Vault]


def test_erasing_needs_the_id_typed(vault: Vault, full: list[ItemMeta]) -> None:
    before = sealed(vault.folder)
    for typed in ("", "yes", vault.id, short_id(vault)[:-1]):
        with pytest.raises(NotConfirmed):
            erase(vault, typed)
    assert sealed(vault.folder) == before


def test_erased_is_gone_keys_first(
    vault: Vault, full: list[ItemMeta], folder: Path, key_store: Any, target: Path, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(vault, target)
    vault.accept_notices()
    (folder / "holiday.txt").write_text("not Eyelid's")
    (folder / "objects" / "stray").mkdir()
    copy = next(folder.rglob(f"{full[1].id}.age"))
    copy.with_name(f"{full[1].id}.sync-conflict-1.age").write_bytes(b"x")
    order: list[str] = []
    remove = type(vault._files).remove
    monkeypatch.setattr(type(vault._files), "remove", lambda self, path: (order.append(path.name), remove(self, path))[1])
    erased = erase(vault, f" {short_id(vault).upper()} ")
    assert erased.left == ("holiday.txt",)
    assert [path.name for path in folder.iterdir()] == ["holiday.txt"]
    assert order[-1] == "vault.toml"
    last_key = max(at for at, name in enumerate(order) if len(name) == len("01234567.age"))
    assert last_key < min(at for at, name in enumerate(order) if len(name) > 30)
    assert key_store.secrets == {}
    assert vault.state is LockState.LOCKED
    assert not Vault.exists(folder)
    restored = restore(target, folder.parent / "again")
    assert restored
    with pytest.raises(KeyringLost):
        opened(folder.parent / "again").unlock_with_keyring()


def test_key_files_are_overwritten_before_they_go(vault: Vault, folder: Path, tmp_path: Path) -> None:
    """A second name for the same file shows what its blocks hold afterwards."""
    keys = list((folder / "keys").iterdir())
    before = [path.read_bytes() for path in keys]
    for path in keys:
        os.link(path, tmp_path / path.name)
    erase(vault, short_id(vault))
    after = [(tmp_path / path.name).read_bytes() for path in keys]
    assert [len(data) for data in after] == [len(data) for data in before]
    assert all(old[:100] != new[:100] for old, new in zip(before, after, strict=True))


def test_an_erasing_that_was_stopped_can_be_begun_again(
    tmp_path: Path, fault_files: Callable[[], Any], key_store: Any, new_item: NewItem, crash: type[BaseException]
) -> None:
    def scene(number: int) -> tuple[Vault, Any]:
        files = fault_files()
        files.loses = False
        vault = Vault.create(tmp_path / str(number), passphrase="x", keyring=True, work_factor=1, key_store=key_store, files=files)
        vault.add(b"picture", new_item)
        return vault, files

    vault, files = scene(0)
    before = len(files.steps)
    erase(vault, short_id(vault))
    steps = len(files.steps) - before
    for step in range(steps):
        vault, files = scene(step + 1)
        files.crash_at = len(files.steps) + step
        with pytest.raises(crash):
            erase(vault, short_id(vault))
        vault.close()
        if Vault.exists(vault.folder):
            again = Vault.open(vault.folder, key_store=key_store)
            erase(again, short_id(again))
        assert not Vault.exists(vault.folder)


def test_another_process_keeps_it_from_being_erased(vault: Vault, folder: Path, opened: Opener) -> None:
    with pytest.raises(VaultInUse):
        opened(folder)
