"""What is damaged, swapped, missing or changed from outside is named and shown, and never handed out as something else."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from app.vault import codec
from app.vault.age import X25519Identity, X25519Recipient, seal_bytes
from app.vault.errors import (
    ItemMissing,
    ObjectDamaged,
    VaultTooNew,
)
from app.vault.repair import repair
from app.vault.types import ItemId, ItemKind, NewItem
from app.vault.vault import Vault

JPEG = b"\xff\xd8\xff\xe0" + b"media bytes " * 20_000
Opener = Callable[[Path], Vault]


def object_file(folder: Path, item: ItemId) -> Path:
    return folder / "objects" / item[:2] / f"{item}.age"


def meta_file(folder: Path, item: ItemId) -> Path:
    return folder / "objects" / item[:2] / f"{item}.meta.age"


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


@pytest.mark.parametrize("content", [b"age-encryption.org/v9\nof a version to come", b"", b"rubbish"])
def test_a_file_that_anybody_laid_there_keeps_nobody_from_the_others(vault: Vault, folder: Path, new_item: NewItem, content: bytes) -> None:
    """A synchronised folder is anybody's who holds the other end; a name of 32 digits is all it takes."""
    ours, planted = vault.add(b"ours", new_item), ItemId("ab" + "0" * 30)
    object_file(folder, planted).parent.mkdir(exist_ok=True)
    object_file(folder, planted).write_bytes(content)
    assert [meta.id for meta in vault.catch_up()] == [planted]
    assert vault.read(ours.id) == b"ours"
    assert [fault.id for fault in vault.verify().faults if fault.id == ours.id] == []
    assert planted in {fault.id for fault in vault.verify().faults}
    repair(vault)
    assert object_file(folder, planted).read_bytes() == content, "what can't be read may be a newer Eyelid's: it stays as it is"
    assert not meta_file(folder, planted).exists()


def test_a_capture_that_was_exchanged_with_its_description_stays_named_after_a_repair(
    vault: Vault, folder: Path, new_item: NewItem
) -> None:
    meta, ours = vault.add(b"ours", new_item), [X25519Recipient.parse(vault.recipient())]
    forged = replace(meta, revision=2, size=6, sha256=hashlib.sha256(b"theirs").hexdigest())
    object_file(folder, meta.id).write_bytes(seal_bytes(b"theirs", ours))
    meta_file(folder, meta.id).write_bytes(seal_bytes(codec.dump(forged), ours))
    vault.catch_up()
    for _ in range(2):
        assert [fault.id for fault in vault.verify().faults] == [meta.id]
        repair(vault)
    with pytest.raises(ObjectDamaged):
        vault.read(meta.id)


@pytest.mark.parametrize("year", [1, 9999])
def test_a_time_that_not_every_place_can_tell_is_the_nearest(vault: Vault, new_item: NewItem, year: int) -> None:
    """Cameras and strangers' files say anything, and 1 January of the year 1 is the year 0 in New York."""
    extreme = datetime(1, 1, 1, tzinfo=UTC) if year == 1 else datetime(9999, 12, 31, 23, tzinfo=UTC)
    nearest = codec.EARLIEST if year == 1 else codec.LATEST
    meta = vault.add(b"x", replace(new_item, taken_at=extreme))
    assert vault.meta(meta.id).new.taken_at == nearest
    text = codec.dump(replace(meta, revision=2)).replace(nearest.date().isoformat().encode(), extreme.date().isoformat().encode())
    meta_file(vault.folder, meta.id).write_bytes(seal_bytes(text, [X25519Recipient.parse(vault.recipient())]))
    vault.catch_up()
    assert vault.meta(meta.id).revision == 2
    assert vault.index.rows()[0].taken_at == nearest
    for hours in (-14, 14):
        assert nearest.astimezone(timezone(timedelta(hours=hours)))


def test_a_deletion_that_the_disk_refused_halfway_does_not_come_back(
    folder: Path, opened: Opener, vault: Vault, new_item: NewItem, passphrase: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, where a file that is open can't be removed."""
    meta = vault.add(b"gone", new_item)
    kept = object_file(folder, meta.id)
    remove = vault._files.remove

    def refuse(path: Path) -> None:
        if path == kept:
            raise PermissionError(13, "Permission denied")
        remove(path)

    with monkeypatch.context() as patch:
        patch.setattr(vault._files, "remove", refuse)
        with pytest.raises(PermissionError):
            vault.delete(meta.id)
    assert kept.exists()
    assert vault.catch_up() == ()
    assert not meta_file(folder, meta.id).exists()
    vault.close()
    again = opened(folder)
    again.unlock_with_passphrase(passphrase)
    assert again.catch_up() == ()
    assert not kept.exists()
    assert again.notices() == ()
