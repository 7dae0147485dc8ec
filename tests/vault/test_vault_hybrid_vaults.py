"""Vaults with a post-quantum hybrid key: from the start, or got later; nobody takes it out or puts a stranger's in unnoticed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.vault.errors import (
    HybridThere,
    HybridUnavailable,
    KeyringUnavailable,
    SlotNotRenewed,
    VaultDamaged,
    VaultLocked,
    WrongPassphrase,
    WrongRecoveryCode,
)
from app.vault.header import read_header
from app.vault.hybrid import KIND, HybridIdentity
from app.vault.types import NewItem, SlotKind
from app.vault.vault import Vault

Opener = Callable[[Path], Vault]


def stanza_of(path: Path) -> str:
    with path.open("rb") as source:
        (stanza,) = read_header(source).stanzas
    return stanza.args[0]


def toml_of(folder: Path) -> str:
    return (folder / "vault.toml").read_text()


@pytest.fixture
def born(folder: Path, key_store: Any, fast_files: Any, passphrase: str) -> Any:
    """A vault with a hybrid key from the start."""
    made = Vault.create(folder, passphrase=passphrase, keyring=True, work_factor=2, hybrid=True, key_store=key_store, files=fast_files)
    yield made
    made.close()


def test_a_vault_born_with_it_seals_to_it_alone_and_opens(
    born: Vault, folder: Path, opened: Opener, passphrase: str, new_item: NewItem
) -> None:
    data = os.urandom(200_000)
    meta = born.add(data, new_item)
    born.seal_record("receipts", 1, b"record")
    born.close()
    assert "format = 2" in toml_of(folder)
    shelf = folder / "objects" / meta.id[:2]
    assert {stanza_of(path) for path in (*shelf.iterdir(), *(folder / "receipts").iterdir())} == {KIND}
    again = opened(folder)
    assert again.hybrid
    assert again.recipient().startswith("age1pq1")
    late = again.add(b"while locked", new_item)
    again.unlock_with_passphrase(passphrase)
    assert [found.id for found in again.catch_up()] == [late.id]
    assert again.read(meta.id) == data
    assert [record for _, record in again.records("receipts")] == [b"record"]
    again.lock()
    again.unlock_with_keyring()
    assert again.identity().count("AGE-SECRET-KEY-") == 2


def test_an_older_vault_gets_one_and_every_way_in_still_opens_it(
    vault: Vault, folder: Path, opened: Opener, passphrase: str, new_item: NewItem, key_store: Any
) -> None:
    before = vault.add(b"before", new_item)
    subkey = vault.subkey("receipts")
    _, code = vault.add_recovery()
    vault.add_passphrase("another one", work_factor=3)
    sealed_before = (folder / "objects" / before.id[:2] / f"{before.id}.age").read_bytes()
    assert "format = 1" in toml_of(folder)
    vault.add_hybrid(passphrases=["another one", passphrase], codes=[code])
    with pytest.raises(VaultLocked):
        vault.read(before.id)
    late = vault.add(b"late", new_item)
    vault.close()
    assert (folder / "objects" / before.id[:2] / f"{before.id}.age").read_bytes() == sealed_before
    assert stanza_of(folder / "objects" / late.id[:2] / f"{late.id}.age") == KIND
    again = opened(folder)
    unlocks: list[Callable[[], None]] = [
        lambda: again.unlock_with_passphrase(passphrase),
        lambda: again.unlock_with_passphrase("another one"),
        again.unlock_with_keyring,
        lambda: again.unlock_with_recovery(code),
    ]
    for unlock in unlocks:
        unlock()
        again.catch_up()
        assert (again.read(before.id), again.read(late.id)) == (b"before", b"late")
        assert again.subkey("receipts") == subkey
        assert not [notice for notice in again.notices() if notice.serious]
        again.lock()
    kinds = [SlotKind.PASSPHRASE, SlotKind.KEYRING, SlotKind.RECOVERY, SlotKind.PASSPHRASE]
    assert [slot.kind for slot in again.slots()] == kinds
    assert {path.stem for path in (folder / "keys").iterdir()} == {slot.id for slot in again.slots()}
    assert len([service for service, _ in key_store.secrets if not service.endswith("-state")]) == 1
    with (folder / "keys" / f"{again.slots()[0].id}.age").open("rb") as source:
        assert read_header(source).stanzas[0].args[2] == "2"


def test_a_changed_meta_file_of_an_older_capture_is_sealed_to_the_new_key(
    vault: Vault, folder: Path, passphrase: str, new_item: NewItem
) -> None:
    meta = vault.add(b"before", new_item)
    vault.add_hybrid(passphrases=[passphrase])
    vault.unlock_with_passphrase(passphrase)
    vault.catch_up()
    vault.change(meta.id, lambda old: replace(old, note="later"))
    assert stanza_of(folder / "objects" / meta.id[:2] / f"{meta.id}.meta.age") == KIND
    assert vault.meta(meta.id).note == "later"


def test_a_slot_that_nobody_opens_stops_it_and_nothing_changes(
    vault: Vault, folder: Path, opened: Opener, passphrase: str, key_store: Any
) -> None:
    _, code = vault.add_recovery()

    def state() -> tuple[str, set[str], int]:
        return toml_of(folder), {path.name for path in (folder / "keys").iterdir()}, len(key_store.secrets)

    before = state()
    with pytest.raises(SlotNotRenewed, match="passphrase"):
        vault.add_hybrid(passphrases=["wrong"], codes=[code])
    with pytest.raises(SlotNotRenewed, match="recovery code") as refused:
        vault.add_hybrid(passphrases=[passphrase])
    assert refused.value.slot in toml_of(folder)
    with pytest.raises(WrongRecoveryCode):
        vault.add_hybrid(passphrases=[passphrase], codes=[code[:-1] + ("A" if code[-1] != "A" else "B")])
    key_store.failing = True
    with pytest.raises(KeyringUnavailable):
        vault.add_hybrid(passphrases=[passphrase], codes=[code])
    key_store.failing = False
    assert state() == before
    assert not vault.hybrid
    vault.close()
    opened(folder).unlock_with_recovery(code)


def test_a_code_of_another_vault_is_passed_over(vault: Vault, passphrase: str) -> None:
    _, code = vault.add_recovery()
    _, other = vault.add_recovery()
    vault.add_hybrid(passphrases=[passphrase], codes=[code, other])
    vault.unlock_with_recovery(other)


def test_twice_is_refused_and_locked_is_refused(vault: Vault, passphrase: str) -> None:
    vault.add_hybrid(passphrases=[passphrase])
    with pytest.raises(HybridThere):
        vault.add_hybrid(passphrases=[passphrase])


def test_it_needs_an_unlocked_vault(vault: Vault, passphrase: str) -> None:
    identity = vault._open().identity
    vault.lock()
    with pytest.raises(VaultLocked):
        vault.add_hybrid(passphrases=[passphrase])
    assert identity is not None


def test_a_lock_in_that_very_moment_is_said_as_one(vault: Vault, passphrase: str) -> None:
    vault._open().identity.wipe()
    with pytest.raises(VaultLocked):
        vault.add_hybrid(passphrases=[passphrase])


def test_a_crash_or_a_fault_at_any_step_leaves_a_vault_that_opens(
    tmp_path: Path, key_store: Any, fault_files: Callable[[], Any], crash: type[BaseException], passphrase: str, new_item: NewItem
) -> None:
    number, finished = 0, False
    while not finished:
        for kind in ("crash_at", "fail_at"):
            folder = tmp_path / f"{kind}{number}"
            files = fault_files()
            vault = Vault.create(folder, passphrase=passphrase, keyring=True, work_factor=1, key_store=key_store, files=files)
            meta = vault.add(b"before", new_item)
            setattr(files, kind, len(files.steps) + number)
            try:
                vault.add_hybrid(passphrases=[passphrase])
                finished = True
            except (crash, OSError):
                pass
            vault._process_lock.release()
            again = Vault.open(folder, key_store=key_store)
            late = again.add(b"late", new_item)
            for unlock in (lambda again=again: again.unlock_with_passphrase(passphrase), again.unlock_with_keyring):
                unlock()
                assert (again.read(meta.id), again.read(late.id)) == (b"before", b"late"), (kind, number)
                again.lock()
            again.close()
        number += 1
    assert number > 10


def test_taking_the_hybrid_recipient_out_of_vault_toml_is_noticed(born: Vault, folder: Path, opened: Opener, passphrase: str) -> None:
    born.close()
    lines = [line for line in toml_of(folder).splitlines() if not line.startswith("hybrid")]
    (folder / "vault.toml").write_text("\n".join(lines).replace("format = 2", "format = 1"))
    with pytest.raises(VaultDamaged, match="recipient"):
        opened(folder).unlock_with_passphrase(passphrase)


def test_putting_a_strangers_hybrid_recipient_in_is_noticed(vault: Vault, folder: Path, opened: Opener, passphrase: str) -> None:
    vault.close()
    text = toml_of(folder).replace("format = 1", f'format = 2\nhybrid = "{HybridIdentity.generate().recipient}"')
    (folder / "vault.toml").write_text(text)
    again = opened(folder)
    with pytest.raises(WrongPassphrase):
        again.unlock_with_passphrase("not it")
    with pytest.raises(VaultDamaged, match="recipient"):
        again.unlock_with_passphrase(passphrase)


def test_without_the_library_such_a_vault_is_neither_made_nor_called_damaged(
    born: Vault, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: Opener, passphrase: str
) -> None:
    born.close()
    slot = opened(folder)
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.hpke", None)
    with pytest.raises(HybridUnavailable):
        slot.unlock_with_passphrase(passphrase)
    slot.close()
    with pytest.raises(HybridUnavailable):
        opened(folder)
    with pytest.raises(HybridUnavailable):
        Vault.create(tmp_path / "other", passphrase="x", keyring=False, work_factor=1, hybrid=True)
    assert not (tmp_path / "other").exists()
