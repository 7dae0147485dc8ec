"""The write path stopped at every step: nothing acknowledged is lost, nothing half-written is seen, leftovers go at the next start."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from dataclasses import replace
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from app.vault.errors import RecordExists, TooLarge, VaultMissing, WriteFailed
from app.vault.files import Files, read_small, write_durably
from app.vault.records import LARGEST_RECORD
from app.vault.types import ItemMeta, NewItem
from app.vault.vault import Vault

OLD, NEW = b"old picture" * 100, b"new picture" * 1000
Opener = Callable[[Path], Vault]
MOST_STEPS = 40
"""More than any operation here takes; a test fails if one takes more."""


class Scene:
    """A vault with one item, on a disk that stops at a chosen step of the next operation."""

    def __init__(self, base: Path, make_files: Callable[[], Any], key_store: Any, new: NewItem, passphrase: str) -> None:
        self.base, self.make_files, self.key_store, self.new, self.passphrase = base, make_files, key_store, new, passphrase
        self.number = 0
        self.loses = True

    def begin(self) -> tuple[Vault, Any, ItemMeta]:
        self.number += 1
        self.folder = self.base / str(self.number)
        files = self.make_files()
        files.loses = self.loses
        vault = Vault.create(self.folder, passphrase=self.passphrase, keyring=False, work_factor=1, key_store=self.key_store, files=files)
        return vault, files, vault.add(OLD, self.new)

    def count(self, operation: Callable[[Vault, ItemMeta], object]) -> int:
        vault, files, meta = self.begin()
        before = len(files.steps)
        operation(vault, meta)
        vault.close()
        count = len(files.steps) - before
        assert 0 < count < MOST_STEPS
        return count

    def again(self) -> Vault:
        vault = Vault.open(self.folder, key_store=self.key_store)
        vault.unlock_with_passphrase(self.passphrase)
        vault.catch_up()
        return vault

    def leftovers(self) -> list[str]:
        return [p.name for p in self.folder.rglob("*") if p.name.endswith((".tmp", ".deleting"))]


@pytest.fixture(params=["power lost", "process killed"])
def scene(
    request: pytest.FixtureRequest, tmp_path: Path, fault_files: Callable[[], Any], key_store: Any, new_item: NewItem, passphrase: str
) -> Scene:
    made = Scene(tmp_path, fault_files, key_store, new_item, passphrase)
    made.loses = request.param == "power lost"
    return made


def test_adding_survives_a_crash_at_every_step(scene: Scene, crash: type[BaseException]) -> None:
    steps = scene.count(lambda vault, _: vault.add(NEW, scene.new))
    outcomes = set()
    for step in range(steps):
        vault, files, old = scene.begin()
        files.crash_at = len(files.steps) + step
        with pytest.raises(crash):
            vault.add(NEW, scene.new)
        vault.close()
        with contextlib.closing(scene.again()) as again:
            everything = {again.read(item) for item in again.ids()}
            assert OLD in everything
            assert everything <= {OLD, NEW}
            assert again.meta(old.id) == old
            assert len(again.index.rows()) == len(everything)
            assert again.verify().sound
            assert scene.leftovers() == []
            outcomes.add(len(everything))
    assert outcomes == {1, 2}


def test_adding_fails_whole_at_every_step(scene: Scene) -> None:
    steps = scene.count(lambda vault, _: vault.add(NEW, scene.new))
    for step in range(steps):
        vault, files, old = scene.begin()
        files.fail_at = len(files.steps) + step
        with pytest.raises(OSError, match="No space"):
            vault.add(NEW, scene.new)
        assert vault.ids() == (old.id,)
        assert [row.id for row in vault.index.rows()] == [old.id]
        assert scene.leftovers() == []
        assert vault.read(vault.add(NEW, scene.new).id) == NEW
        vault.close()


def test_changing_leaves_the_old_or_the_new_state(scene: Scene, crash: type[BaseException]) -> None:
    def change(vault: Vault, meta: ItemMeta) -> None:
        vault.change(meta.id, lambda old: replace(old, note="new note"))

    seen = set()
    for step in range(scene.count(change)):
        vault, files, meta = scene.begin()
        files.crash_at = len(files.steps) + step
        with pytest.raises(crash):
            change(vault, meta)
        vault.close()
        with contextlib.closing(scene.again()) as again:
            now = again.meta(meta.id)
            assert now in (meta, replace(meta, note="new note", revision=2))
            assert [row.id for row in again.index.rows(text="new note")] == ([meta.id] if now.note else [])
            assert again.read(meta.id) == OLD
            seen.add(now.note)
    assert seen == ({""} if scene.loses else {"", "new note"})


def test_deleting_is_whole_or_not_at_all(scene: Scene, crash: type[BaseException]) -> None:
    seen = set()
    for step in range(scene.count(lambda vault, meta: vault.delete(meta.id))):
        vault, files, meta = scene.begin()
        files.crash_at = len(files.steps) + step
        with pytest.raises(crash):
            vault.delete(meta.id)
        vault.close()
        with contextlib.closing(scene.again()) as again:
            assert again.verify().sound
            assert [row.id for row in again.index.rows()] == list(again.ids())
            assert scene.leftovers() == []
            assert all(again.read(item) == OLD for item in again.ids())
            seen.add(len(again.ids()))
    assert seen == {0, 1}


def test_a_record_is_whole_or_not_there(scene: Scene, crash: type[BaseException]) -> None:
    def seal(vault: Vault, _: ItemMeta) -> None:
        vault.seal_record("receipts", 7, b"receipt")

    steps = scene.count(seal)
    for step in range(steps):
        vault, files, _ = scene.begin()
        files.crash_at = len(files.steps) + step
        with pytest.raises(crash):
            seal(vault, _)
        vault.close()
        with contextlib.closing(scene.again()) as again:
            assert list(again.records("receipts")) in ([], [(7, b"receipt")])
            assert scene.leftovers() == []
    for step in range(steps):
        vault, files, _ = scene.begin()
        files.fail_at = len(files.steps) + step
        with pytest.raises(OSError, match="No space"):
            seal(vault, _)
        seal(vault, _)  # a failed number can be used again
        assert list(vault.records("receipts")) == [(7, b"receipt")]
        vault.close()


def test_creating_and_new_slots_survive_a_crash_at_every_step(scene: Scene, crash: type[BaseException], tmp_path: Path) -> None:
    def create(folder: Path, files: Files) -> Vault:
        return Vault.create(folder, passphrase="x", keyring=False, work_factor=1, key_store=scene.key_store, files=files)

    whole = scene.make_files()
    create(tmp_path / "whole", whole).close()
    for step in range(len(whole.steps)):
        folder, files = tmp_path / f"create{step}", scene.make_files()
        files.crash_at = step
        with pytest.raises(crash):
            create(folder, files)
        try:
            vault = Vault.open(folder)
        except VaultMissing:
            vault = create(folder, Files())
        else:
            vault.unlock_with_passphrase("x")
        assert vault.read(vault.add(NEW, scene.new).id) == NEW
        vault.close()
        folder, files = tmp_path / f"fail{step}", scene.make_files()
        files.fail_at = step
        with pytest.raises(OSError, match="No space"):
            create(folder, files)
        assert not Vault.exists(folder)
    for step in range(scene.count(lambda vault, _: vault.add_passphrase("second", work_factor=1))):
        vault, files, _ = scene.begin()
        files.crash_at = len(files.steps) + step
        with pytest.raises(crash):
            vault.add_passphrase("second", work_factor=1)
        vault.close()
        scene.again().close()


def test_power_loss_right_after_an_answer_takes_nothing_back(scene: Scene) -> None:
    vault, files, old = scene.begin()
    gone = vault.add(b"to be deleted", scene.new)
    new = vault.add(NEW, scene.new)
    vault.change(old.id, lambda meta: replace(meta, note="kept"))
    vault.seal_record("receipts", 1, b"receipt")
    slot = vault.add_passphrase("second", work_factor=1)
    vault.delete(gone.id)
    files.power_loss()
    vault.close()
    with contextlib.closing(scene.again()) as again:
        assert set(again.ids()) == {old.id, new.id}
        assert again.read(new.id) == NEW
        assert again.meta(old.id).note == "kept"
        assert list(again.records("receipts")) == [(1, b"receipt")]
        assert slot in again.slots()


def test_what_the_disk_did_not_keep_is_not_acknowledged(scene: Scene) -> None:
    vault, files, old = scene.begin()
    files.flip_on_reading_back = True
    with pytest.raises(WriteFailed):
        vault.add(NEW, scene.new)
    with pytest.raises(WriteFailed):
        vault.change(old.id, lambda meta: replace(meta, note="x"))
    with pytest.raises(WriteFailed):
        vault.seal_record("receipts", 1, b"x")
    files.flip_on_reading_back = False
    assert vault.ids() == (old.id,)
    assert vault.meta(old.id) == old
    assert list(vault.records("receipts")) == []
    vault.close()


def test_a_source_that_fails_half_way_leaves_nothing(scene: Scene) -> None:
    class Broken(io.BytesIO):
        def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
            if self.tell() > 2 << 20:
                raise OSError(5, "Input/output error")
            return super().readinto(buffer)

    vault, _, old = scene.begin()
    with pytest.raises(OSError, match="Input"):
        vault.add(Broken(bytes(5 << 20)), scene.new)
    assert vault.ids() == (old.id,)
    assert scene.leftovers() == []
    vault.close()


def test_other_programs_temporary_files_are_left_alone(scene: Scene) -> None:
    vault, _, old = scene.begin()
    vault.close()
    shelf = scene.folder / "objects" / old.id[:2]
    ours, theirs = shelf / f"{old.id}.age.0123abcd.tmp", shelf / f".syncthing.{old.id}.age.tmp"
    odd = shelf / "rubbish.deleting"
    for path in (ours, theirs, odd):
        path.write_bytes(b"x")
    scene.again().close()
    assert theirs.exists()
    assert not ours.exists()
    assert not odd.exists()


def test_records_are_never_replaced_and_bounded(vault: Vault) -> None:
    vault.seal_record("receipts", 2, b"two")
    vault.seal_record("receipts", 10, b"ten")
    vault.seal_record("receipts", 0, b"zero")
    with pytest.raises(RecordExists):
        vault.seal_record("receipts", 2, b"other")
    with pytest.raises(TooLarge):
        vault.seal_record("receipts", 3, bytes(LARGEST_RECORD + 1))
    with pytest.raises(ValueError, match="numbered"):
        vault.seal_record("receipts", -1, b"")
    for folder in ("../up", "objects", "keys", "", "A"):
        with pytest.raises(ValueError, match="folder"):
            vault.seal_record(folder, 1, b"")
    assert list(vault.records("receipts")) == [(0, b"zero"), (2, b"two"), (10, b"ten")]
    assert list(vault.records("nothing")) == []


@pytest.mark.parametrize("wrong", [b"", b"on", b"two", b"one more", b"eno"])
def test_a_copy_that_reads_back_shorter_longer_or_otherwise_is_none(tmp_path: Path, wrong: bytes) -> None:
    class Forgetful(Files):
        def read_back(self, file: FileIO) -> BinaryIO:
            return io.BytesIO(wrong)

    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(WriteFailed):
        write_durably(Forgetful(), tmp_path / "file", [b"o", b"", b"ne"])
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"old")]


def test_the_real_disk_does_all_of_it(tmp_path: Path) -> None:
    files, target = Files(), tmp_path / "sub" / "file"
    files.make_folder(target.parent)
    files.make_folder(target.parent)
    for data in (b"one", b"", b"x" * (3 << 20)):
        write_durably(files, target, [data[:100], memoryview(data)[100:]])
        assert target.read_bytes() == data
        assert [path.name for path in target.parent.iterdir()] == ["file"]
    assert target.stat().st_mode & 0o077 == 0
    assert read_small(files, target, 10) is None
