"""What the vault's tests share: cheap vaults, a keyring in memory, and a disk that fails or stops when told to."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import BinaryIO

import pytest

from app.vault.errors import KeyringUnavailable
from app.vault.files import Files
from app.vault.types import ItemKind, ItemMeta, KeyringReport, NewItem, Origin
from app.vault.vault import Vault

PASSPHRASE = "correct horse battery staple"


class Crash(BaseException):
    """The power went off: nothing after it reaches the disk, not even tidying up."""


class FastFiles(Files):
    """The real disk without waiting for it: what a test of anything but durability needs."""

    def sync(self, file: FileIO) -> None:
        pass

    def sync_folder(self, path: Path) -> None:
        pass


class FaultFiles(FastFiles):
    """Counts every step on the disk, and crashes or fails at one of them."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.crash_at: int | None = None
        self.fail_at: int | None = None
        self.flip_on_reading_back = False
        self.dead = False
        self.loses = True
        self._content: dict[int, Path] = {}  # files whose content was not synced, by handle
        self._names: list[tuple[Path, bytes | None]] = []  # names changed in folders that were not synced, and what was there

    def _step(self, name: str) -> None:
        if self.dead:
            raise Crash
        number = len(self.steps)
        self.steps.append(name)
        if number == self.crash_at:
            self.power_loss()
            raise Crash
        if number == self.fail_at:
            raise OSError(28, "No space left on device")

    def power_loss(self) -> None:
        """Take back everything that was not synced: content is cut to half, and names are as they were. Not so if only the process died."""
        self.dead = True
        if not self.loses:
            return
        for path in self._content.values():
            if path.exists():
                path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        for path, before in reversed(self._names):
            if before is not None:
                path.write_bytes(before)
            else:
                path.unlink(missing_ok=True)

    def _note(self, path: Path) -> None:
        self._names.append((path, path.read_bytes() if path.exists() else None))

    def make_folder(self, path: Path) -> None:
        self._step("make_folder")
        super().make_folder(path)

    def create(self, path: Path) -> FileIO:
        self._step("create")
        self._note(path)
        file = super().create(path)
        self._content[file.fileno()] = path
        return file

    def write(self, file: FileIO, data: memoryview) -> None:
        if not self.dead:
            super().write(file, data[: len(data) // 2])  # a crash in the middle of a write leaves half of it
        self._step("write")
        super().write(file, data[len(data) // 2 :])

    def sync(self, file: FileIO) -> None:
        self._step("sync")
        self._content.pop(file.fileno(), None)

    def read_back(self, file: FileIO) -> BinaryIO:
        self._step("read_back")
        source = super().read_back(file)
        if not self.flip_on_reading_back:
            return source
        data = bytearray(source.read())
        data[len(data) // 2] ^= 1
        return io.BytesIO(data)

    def replace(self, source: Path, target: Path) -> None:
        self._step("replace")
        self._note(target)
        self._note(source)
        super().replace(source, target)

    def remove(self, path: Path) -> None:
        self._step("remove")
        self._note(path)
        super().remove(path)

    def sync_folder(self, path: Path) -> None:
        self._step("sync_folder")
        self._names = [(name, before) for name, before in self._names if name.parent != path]


class MemoryKeyStore:
    """A keyring that is trusted, or fails as told."""

    def __init__(self) -> None:
        self.secrets: dict[tuple[str, str], str] = {}
        self.trusted = True
        self.failing = False
        self.forgetful = False

    def report(self) -> KeyringReport:
        return KeyringReport(self.trusted, "tests.Memory", "A keyring in memory." if self.trusted else "Not one to trust.")

    def get(self, service: str, account: str, name: str = "") -> str | None:
        self._check()
        return self.secrets.get((service, account))

    def set(self, service: str, account: str, secret: str) -> None:
        self._check()
        if not self.forgetful:
            self.secrets[service, account] = secret

    def delete(self, service: str, account: str, name: str = "") -> None:
        self._check()
        self.secrets.pop((service, account), None)

    def _check(self) -> None:
        if self.failing:
            raise KeyringUnavailable("It is locked.")


@pytest.fixture
def passphrase() -> str:
    return PASSPHRASE


@pytest.fixture
def crash() -> type[BaseException]:
    return Crash


@pytest.fixture
def fault_files() -> Callable[[], FaultFiles]:
    return FaultFiles


@pytest.fixture
def fast_files() -> Files:
    return FastFiles()


@pytest.fixture
def key_store() -> MemoryKeyStore:
    return MemoryKeyStore()


@pytest.fixture
def new_item() -> NewItem:
    return NewItem(
        ItemKind.PHOTO,
        "image/jpeg",
        datetime(2026, 5, 12, 12, 0, tzinfo=UTC),
        Origin("omi-glass", "AA:BB:CC:DD:EE:FF", "Omi Glass", simulated=True),
        width=640,
        height=480,
        original_name="IMG_1.JPG",
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "profile" / "vault"


@pytest.fixture
def opened(key_store: MemoryKeyStore, fast_files: Files) -> Iterator[Callable[[Path], Vault]]:
    """Opens a vault as a new process would, locked; closed at the end of the test."""
    vaults: list[Vault] = []

    def open_it(folder: Path) -> Vault:
        vaults.append(Vault.open(folder, key_store=key_store, files=fast_files))
        return vaults[-1]

    yield open_it
    for vault in vaults:
        vault.close()


@pytest.fixture
def vault(folder: Path, key_store: MemoryKeyStore, fast_files: Files) -> Iterator[Vault]:
    """A new vault with a passphrase and a keyring slot, unlocked."""
    made = Vault.create(folder, passphrase=PASSPHRASE, keyring=True, work_factor=2, key_store=key_store, files=fast_files)
    yield made
    made.close()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "drive" / "backup"


@pytest.fixture
def full(vault: Vault, new_item: NewItem) -> list[ItemMeta]:
    """A vault with three captures, a receipt, and an older description in its history."""
    vault.catch_up()
    metas = [vault.add(b"picture %d" % n * 1000, new_item) for n in range(3)]
    vault.seal_record("receipts", 0, b"receipt")
    path = next(vault.folder.rglob(f"{metas[0].id}.meta.age"))
    conflict = path.with_name(f"{metas[0].id}.meta.sync-conflict-20260512-120000-ABCDEFG.age")
    conflict.write_bytes(path.read_bytes())
    vault.change(metas[0].id, lambda meta: replace(meta, note="x", albums=("a",)))
    vault.catch_up()
    return metas
