"""Edges that need a hand on the inside: keys wiped under a caller, a disk or a cache that fails at the wrong moment."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from app.vault.age import X25519Identity, open_bytes, open_seekable, seal_bytes
from app.vault.database import Database
from app.vault.errors import ItemMissing, KeyringUnavailable, NoSuchSlot, ObjectDamaged, VaultDamaged, VaultError, VaultLocked, VaultTooNew
from app.vault.files import Files
from app.vault.header import HeaderError
from app.vault.identity import VaultIdentity, new_identity
from app.vault.keystore import SystemKeyStore
from app.vault.session import Session
from app.vault.store import ObjectStore
from app.vault.stream import CHUNK, PayloadError
from app.vault.types import ItemId, ItemMeta, LockState, NewItem
from app.vault.vault import Vault

Opener = Callable[[Path], Vault]


@pytest.fixture
def session(tmp_path: Path, fast_files: Files) -> Session:
    identity = new_identity()
    return Session(tmp_path, ObjectStore(fast_files, tmp_path, identity.recipient), identity)


def test_a_key_wiped_while_somebody_holds_the_session_is_locked(session: Session) -> None:
    session.identity.wipe()
    for call in (session.identity_text, lambda: session.subkey("x")):
        with pytest.raises(VaultLocked):
            call()
    session.close()
    session.close()
    with pytest.raises(VaultLocked):
        session.identity  # noqa: B018


def test_a_reader_opened_while_locking_is_revoked(session: Session, tmp_path: Path, fast_files: Files, new_item: NewItem) -> None:
    store = ObjectStore(fast_files, tmp_path, session.identity.recipient)
    meta = store.put(b"media", new_item, new_item.taken_at)
    open_media = store.open_media

    def lock_meanwhile(item: ItemId, identity: VaultIdentity) -> object:
        reader = open_media(item, identity)
        session.close()
        return reader

    session._store = store
    store.open_media = lock_meanwhile  # type: ignore[method-assign,assignment]
    reader = session.open_media(meta.id)
    with pytest.raises(VaultLocked):
        reader.read()


def test_an_item_the_index_does_not_know_yet_is_checked_against_its_meta(vault: Vault, folder: Path, new_item: NewItem) -> None:
    vault.lock()
    one, two = vault.add(b"one", new_item), vault.add(b"two!", new_item)
    vault.unlock_with_keyring()
    assert vault.read(one.id) == b"one"
    path = folder / "objects" / one.id[:2] / f"{one.id}.age"
    whole = path.read_bytes()
    shutil.copy(folder / "objects" / two.id[:2] / f"{two.id}.age", path)
    with pytest.raises(ObjectDamaged):
        vault.read(one.id)
    path.write_bytes(whole)
    (path.parent / f"{one.id}.meta.age").write_bytes(b"rubbish")
    assert vault.read(one.id) == b"one"  # its own seal is whole
    with pytest.raises(ItemMissing):
        vault.read(ItemId("00" * 16))


def test_locking_in_the_midst_of_a_long_look_is_said(vault: Vault, new_item: NewItem, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        vault.add(b"x", new_item)
    with pytest.raises(VaultLocked):
        vault.verify(lambda done, _: vault.lock() if done == 1 else None)
    vault.add(b"late", new_item)
    vault.unlock_with_keyring()
    monkeypatch.setattr(Session, "meta", lambda *_: (_ for _ in ()).throw(VaultLocked()))
    with pytest.raises(VaultLocked):
        vault.catch_up()


def test_an_item_deleted_while_verifying_is_no_fault(vault: Vault, new_item: NewItem) -> None:
    metas = sorted((vault.add(b"x", new_item) for _ in range(3)), key=lambda meta: meta.id)
    report = vault.verify(lambda done, _: vault.delete(metas[2].id) if done == 1 else None)
    assert report.sound


def test_an_item_being_put_is_not_taken_for_an_orphan(vault: Vault, new_item: NewItem) -> None:
    looks = 0

    class Nosy(io.BytesIO):
        def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
            nonlocal looks
            looks += 1
            assert vault.ids() == ()
            assert vault.catch_up() == ()
            return super().readinto(buffer)

    meta = vault.add(Nosy(b"x" * CHUNK), new_item)
    assert looks
    assert vault.ids() == (meta.id,)


def test_files_gone_between_two_looks(tmp_path: Path, fast_files: Files) -> None:
    store = ObjectStore(fast_files, tmp_path, str(X25519Identity.generate().recipient))
    assert store.stamp(ItemId("00" * 16)) == "gone"
    assert store.arrived_at(ItemId("00" * 16)).year == 1970
    assert list(store.found()) == []
    store.delete(ItemId("00" * 16))


def test_an_object_of_a_newer_age_is_not_called_damaged(vault: Vault, folder: Path, new_item: NewItem) -> None:
    meta = vault.add(b"x", new_item)
    path = folder / "objects" / meta.id[:2] / f"{meta.id}.age"
    path.write_bytes(path.read_bytes().replace(b".org/v1", b".org/v2"))
    with pytest.raises(VaultTooNew):
        vault.read(meta.id)
    with pytest.raises(VaultTooNew):
        vault.open_media(meta.id)


def test_a_disk_that_fails_under_a_reader(tmp_path: Path) -> None:
    class Failing(io.BytesIO):
        broken = False

        def read(self, size: int | None = -1, /) -> bytes:
            if self.broken:
                raise OSError(5, "Input/output error")
            return super().read(size)

    identity = X25519Identity.generate()
    source = Failing(seal_bytes(bytes(3 * CHUNK), [identity.recipient]))
    reader = open_seekable(source, [identity])
    source.broken = True
    with pytest.raises(PayloadError, match="Input/output"):
        reader.read(1)


def test_the_index_failing_does_not_fail_what_is_safe_on_the_disk(vault: Vault, new_item: NewItem, monkeypatch: pytest.MonkeyPatch) -> None:
    def trouble(*_: object) -> None:
        raise VaultError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(Database, "change", trouble)
        meta = vault.add(b"x", new_item)
        assert vault.change(meta.id, lambda old: old).revision == 2
    assert vault.index.rows() == []
    assert [found.id for found in vault.catch_up()] == [meta.id]


def test_the_vault_is_there_even_if_its_cache_could_not_be_made(folder: Path, opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    def trouble(*_: object) -> None:
        raise VaultError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(Database, "_open", trouble)
        with pytest.raises(VaultError, match="disk full"):
            Vault.create(folder, passphrase="x", keyring=False, work_factor=1)
    again = opened(folder)
    again.unlock_with_passphrase("x")
    assert again.state is LockState.UNLOCKED


def test_a_vault_without_a_passphrase_says_so(folder: Path, key_store: object, fast_files: Files) -> None:
    vault = Vault.create(folder, passphrase=None, keyring=True, key_store=key_store, files=fast_files)  # type: ignore[arg-type]
    vault.lock()
    with pytest.raises(NoSuchSlot, match="passphrase"):
        vault.unlock_with_passphrase("x")
    vault.close()


def test_vault_toml_that_can_not_be_read(vault: Vault, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.close()

    class Blind(Files):
        def open(self, path: Path) -> io.BufferedReader:
            raise PermissionError(13, "Permission denied")

    with pytest.raises(VaultDamaged, match="can't be read"):
        Vault.open(folder, files=Blind())
    Vault.open(folder).close()


def test_a_trusted_back_end_recorded_by_name_is_made_and_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    class Keyring:
        def get_password(self, service: str, account: str) -> str:
            return service + account

    Keyring.__module__ = "keyring.backends.kwallet"
    monkeypatch.setattr("keyring.backends.kwallet.DBusKeyring", Keyring)
    assert SystemKeyStore().get("s", "a", "keyring.backends.kwallet.DBusKeyring") == "sa"
    with pytest.raises(KeyringUnavailable):
        SystemKeyStore().get("s", "a", "keyring.backends.kwallet.")


def test_base64_of_an_impossible_length_is_a_bad_header() -> None:
    with pytest.raises(HeaderError, match="length"):
        open_bytes(b"age-encryption.org/v1\n-> X\nA\n--- x\n", [])


def test_an_object_whose_meta_is_just_being_written_is_not_taken_for_an_orphan(
    vault: Vault, new_item: NewItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_meta, looks = ObjectStore.put_meta, []

    def look_first(store: ObjectStore, meta: ItemMeta) -> None:
        if not looks:
            looks.append(store.has_any(meta.id))
            assert vault.ids() == ()
            assert vault.catch_up() == ()
            assert vault.verify().checked == 0
        put_meta(store, meta)

    monkeypatch.setattr(ObjectStore, "put_meta", look_first)
    meta = vault.add(b"x", new_item)
    assert looks == [True]
    assert vault.meta(meta.id) == meta


def test_an_index_found_damaged_while_unlocked_is_made_again_at_once(
    vault: Vault, new_item: NewItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    metas = [vault.add(b"%d" % n, new_item) for n in range(3)]
    attempt, faults = Database._try, [apsw.CorruptError("malformed")]

    def once(database: Database, work: Callable[[apsw.Connection], object]) -> object:
        if faults:
            raise faults.pop()
        return attempt(database, work)

    monkeypatch.setattr(Database, "_try", once)
    assert {row.id for row in vault.index.rows()} == {meta.id for meta in metas}
    assert vault.catch_up() == ()


def test_locking_while_a_digest_is_looked_up_is_said(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session.index, "digest", lambda _: session.close())
    with pytest.raises(VaultLocked):
        session._expected(ItemId("00" * 16))


def test_a_closed_database_is_not_opened_again(tmp_path: Path) -> None:
    database = Database(tmp_path / "x.db", bytes(32), "CREATE TABLE a (b)", 1)
    database.close()
    with pytest.raises(VaultLocked):
        database._make_anew()
