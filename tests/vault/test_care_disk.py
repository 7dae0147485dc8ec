"""A disk that is full, and one that can't be written any more: a clear word, nothing lost, and all well once there is space again.

Real small file systems where this may be done (Linux, as root), the failing layer of the crash tests everywhere.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.errors import explain
from app.vault.backup import backup
from app.vault.database import CacheTrouble
from app.vault.errors import VaultError
from app.vault.files import Files
from app.vault.repair import repair
from app.vault.types import NewItem
from app.vault.vault import Vault


def _mount(*arguments: str) -> bool:
    with suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(["mount", *arguments], capture_output=True, timeout=20, check=False).returncode == 0
    return False


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MiB of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0 or not _mount("-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)):
        pytest.skip("mounting a small disk needs Linux and root")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], timeout=20, check=True)


@contextmanager
def unlocked(folder: Path, passphrase: str, key_store: Any) -> Iterator[Vault]:
    vault = Vault.open(folder, key_store=key_store)
    vault.unlock_with_passphrase(passphrase)
    vault.catch_up()
    yield vault
    vault.close()


@pytest.mark.parametrize("locked", [False, True])
def test_a_full_disk(small_disk: Path, new_item: NewItem, passphrase: str, key_store: Any, locked: bool) -> None:
    folder = small_disk / "vault"
    Vault.create(folder, passphrase=passphrase, keyring=False, work_factor=1, key_store=key_store).close()
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1_000_000))
    vault = Vault.open(folder, key_store=key_store)
    if not locked:
        vault.unlock_with_passphrase(passphrase)
        vault.catch_up()
    kept: dict[str, bytes] = {}
    error: OSError | None = None
    while error is None:
        data = os.urandom(100_000)
        try:
            kept[vault.add(data, new_item).id] = data
        except OSError as caught:
            error = caught
    assert len(kept) > 2
    assert "No space left" in str(explain(error))
    with suppress(OSError):  # to the last byte
        (small_disk / "more ballast").write_bytes(bytes(1_000_000))
    assert set(vault.ids()) == set(kept)
    if not locked:
        first = next(iter(kept))
        assert vault.read(vault.ids()[0]) in kept.values()
        with pytest.raises((OSError, VaultError)):
            vault.change(vault.ids()[0], lambda meta: replace(meta, note="n" * 50_000))
        with pytest.raises(OSError, match="No space"):
            vault.seal_record("receipts", 0, bytes(50_000))
        with pytest.raises(OSError, match="No space"):
            vault.add_passphrase("second", work_factor=1)
        assert vault.read(vault.ids()[0])
        assert first in kept
    vault.close()
    again = Vault.open(folder, key_store=key_store)  # a full disk must not keep anybody out
    again.unlock_with_passphrase(passphrase)
    said = ""
    try:
        again.catch_up()
    except CacheTrouble as trouble:  # what is not in the index yet can't be taken in now
        said = str(explain(trouble))
    assert said == "" or "Free some space" in said
    assert {item: again.read(item) for item in again.ids()} == kept
    again.close()
    for path in (ballast, small_disk / "more ballast"):
        path.unlink(missing_ok=True)
    with unlocked(folder, passphrase, key_store) as again:
        kept[again.add(b"there is space again", new_item).id] = b"there is space again"
        again.seal_record("receipts", 0, b"receipt")
        assert {item: again.read(item) for item in again.ids()} == kept
        assert len(again.index.rows()) == len(kept)
        assert again.verify().sound
    assert list(folder.rglob("*.tmp")) == []


def test_a_disk_that_becomes_read_only(small_disk: Path, new_item: NewItem, passphrase: str, key_store: Any) -> None:
    folder = small_disk / "vault"
    vault = Vault.create(folder, passphrase=passphrase, keyring=False, work_factor=1, key_store=key_store)
    vault.catch_up()
    item = vault.add(b"picture", new_item).id
    vault.close()
    vault = Vault.open(folder, key_store=key_store)
    vault.unlock_with_passphrase(passphrase)
    vault.catch_up()
    handles = [path.open("rb") for path in folder.rglob("*.age")]
    vault.close()
    for handle in handles:
        handle.close()
    assert _mount("-o", "remount,ro", str(small_disk))
    with pytest.raises(OSError, match="Read-only") as caught:
        Vault.open(folder, key_store=key_store)
    assert "Read-only" in str(explain(caught.value))
    assert _mount("-o", "remount,rw", str(small_disk))
    with unlocked(folder, passphrase, key_store) as again:
        assert again.read(item) == b"picture"


def test_a_full_drive_for_the_backup(vault: Vault, small_disk: Path, new_item: NewItem) -> None:
    vault.catch_up()
    for _ in range(40):
        vault.add(os.urandom(100_000), new_item)
    with pytest.raises(OSError, match="No space"):
        backup(vault, small_disk / "backup")
    assert vault.verify().sound
    for item in vault.ids()[15:]:
        vault.delete(item)
    assert backup(vault, small_disk / "backup", prune=True).sound


class NoLongerAllowed(Files):
    """A disk whose permissions were taken away: reading goes on, nothing can be made or renamed."""

    def __init__(self) -> None:
        self.taken_away = False

    def _check(self) -> None:
        if self.taken_away:
            raise PermissionError(13, "Permission denied")

    def create(self, path: Path) -> Any:
        self._check()
        return super().create(path)

    def make_folder(self, path: Path) -> None:
        if not path.is_dir():
            self._check()
        super().make_folder(path)

    def replace(self, source: Path, target: Path) -> None:
        self._check()
        super().replace(source, target)

    def remove(self, path: Path) -> None:
        self._check()
        super().remove(path)


def test_permissions_taken_away(tmp_path: Path, new_item: NewItem, passphrase: str, key_store: Any) -> None:
    files = NoLongerAllowed()
    vault = Vault.create(tmp_path / "vault", passphrase=passphrase, keyring=False, work_factor=1, key_store=key_store, files=files)
    vault.catch_up()
    item = vault.add(b"picture", new_item).id
    files.taken_away = True
    attempts: list[Callable[[], object]] = [
        lambda: vault.add(b"another", new_item),
        lambda: vault.change(item, lambda meta: replace(meta, note="x")),
        lambda: vault.seal_record("receipts", 0, b"x"),
        lambda: vault.add_passphrase("second", work_factor=1),
        lambda: vault.delete(item),
        lambda: backup(vault, tmp_path / "backup"),
    ]
    for attempt in attempts:
        with pytest.raises(OSError, match="denied") as caught:
            attempt()
        assert "Permission denied" in str(explain(caught.value))
    assert vault.read(item) == b"picture"
    files.taken_away = False
    vault.catch_up()
    assert len(vault.index.rows()) == 1, "a deletion that failed leaves the capture"
    for attempt in attempts[:4]:
        attempt()
    assert repair(vault).items == 2
    vault.close()
