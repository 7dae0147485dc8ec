"""Key slots and the keyring: wrong passphrase, damage and newer formats told apart; a keyring that fails or forgets."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keyring.backend
import keyring.backends.chainer
import keyring.backends.fail
import keyring.backends.null
import keyring.errors
import pytest

from app.vault import keys
from app.vault.age import Passphrase, X25519Identity, seal_bytes
from app.vault.errors import (
    KeyringLost,
    KeyringUnavailable,
    LastSlot,
    NoSuchSlot,
    VaultDamaged,
    VaultError,
    VaultLocked,
    VaultTooNew,
    WeakPassphrase,
    WrongPassphrase,
)
from app.vault.keystore import SystemKeyStore, describe
from app.vault.types import LockState, SlotKind
from app.vault.vault import Vault

Opener = Callable[[Path], Vault]


def slot_file(vault: Vault, folder: Path, kind: SlotKind) -> Path:
    return folder / "keys" / f"{next(slot.id for slot in vault.slots() if slot.kind is kind)}.age"


def repair_digest(folder: Path, old: bytes, new: bytes) -> None:
    """Make vault.toml expect a changed slot file, as an attacker would."""
    toml = folder / "vault.toml"
    toml.write_bytes(toml.read_bytes().replace(hashlib.sha256(old).hexdigest().encode(), hashlib.sha256(new).hexdigest().encode()))


def test_a_wrong_passphrase_is_named_as_such(vault: Vault, folder: Path, opened: Opener, passphrase: str) -> None:
    vault.close()
    again = opened(folder)
    for wrong in ("Correct horse battery staple", "", "x"):
        with pytest.raises(WrongPassphrase):
            again.unlock_with_passphrase(wrong)
    assert again.state is LockState.LOCKED
    again.unlock_with_passphrase(passphrase)
    again.unlock_with_passphrase("no longer asked for")
    assert again.state is LockState.UNLOCKED


def test_every_damaged_byte_of_a_slot_is_damage_and_never_a_wrong_passphrase(
    vault: Vault, folder: Path, opened: Opener, passphrase: str
) -> None:
    path = slot_file(vault, folder, SlotKind.PASSPHRASE)
    vault.close()
    again, whole = opened(folder), path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 2]) + whole[at + 1 :])
        with pytest.raises((VaultDamaged, VaultTooNew)):
            again.unlock_with_passphrase(passphrase)
    for length in (0, 10, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(VaultDamaged):
            again.unlock_with_passphrase(passphrase)
    path.write_bytes(whole + bytes(keys.LARGEST_SLOT))
    with pytest.raises(VaultDamaged, match="too long"):
        again.unlock_with_passphrase(passphrase)
    path.unlink()
    with pytest.raises(VaultDamaged, match="can't be read"):
        again.unlock_with_passphrase(passphrase)
    path.write_bytes(whole)
    again.unlock_with_passphrase(passphrase)


@pytest.mark.parametrize("text", [b"", b"# only a comment\n", b"AGE-SECRET-KEY-1NONSENSE\n", b"\xff\xfe\n"])
def test_a_slot_that_holds_no_key_is_damage(vault: Vault, folder: Path, opened: Opener, passphrase: str, text: bytes) -> None:
    path = slot_file(vault, folder, SlotKind.PASSPHRASE)
    vault.close()
    old, new = path.read_bytes(), seal_bytes(text, [Passphrase(passphrase, 1)])
    path.write_bytes(new)
    repair_digest(folder, old, new)
    with pytest.raises(VaultDamaged, match="one vault"):
        opened(folder).unlock_with_passphrase(passphrase)


def test_a_slot_of_a_newer_age_and_one_that_costs_too_much(vault: Vault, folder: Path, opened: Opener, passphrase: str) -> None:
    path = slot_file(vault, folder, SlotKind.PASSPHRASE)
    vault.close()
    again, whole = opened(folder), path.read_bytes()
    path.write_bytes(whole.replace(b".org/v1", b".org/v3"))
    with pytest.raises(VaultTooNew):
        again.unlock_with_passphrase(passphrase)
    head, rest = whole.split(b" 2\n", 1)
    path.write_bytes(head + b" 21\n" + rest)
    with pytest.raises(VaultDamaged, match="too large"):
        again.unlock_with_passphrase(passphrase)


def test_another_recipient_in_vault_toml_is_noticed_at_unlock(vault: Vault, folder: Path, opened: Opener, passphrase: str) -> None:
    real = vault.recipient()
    vault.close()
    toml = folder / "vault.toml"
    toml.write_text(toml.read_text().replace(real, str(X25519Identity.generate().recipient)))
    with pytest.raises(VaultDamaged, match="recipient"):
        opened(folder).unlock_with_passphrase(passphrase)


def test_too_little_memory_is_said(vault: Vault, folder: Path, opened: Opener, passphrase: str, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.close()

    def full(*_: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr(Passphrase, "_derive", full)
    with pytest.raises(VaultError, match="memory"):
        opened(folder).unlock_with_passphrase(passphrase)


def test_passphrases_are_the_same_however_typed(key_store: Any, folder: Path, opened: Opener) -> None:
    Vault.create(folder, passphrase="Caf\u00e9", keyring=False, work_factor=1, key_store=key_store).close()
    opened(folder).unlock_with_passphrase("Cafe\u0301")


def test_slots_are_added_and_removed_without_touching_objects(
    vault: Vault, folder: Path, opened: Opener, passphrase: str, key_store: Any, new_item: Any
) -> None:
    meta = vault.add(b"media", new_item)
    before = {path: path.read_bytes() for path in (folder / "objects").rglob("*.age")}
    second = vault.add_passphrase("another", work_factor=1)
    old = [slot.id for slot in vault.slots() if slot.id != second.id]
    with pytest.raises(WeakPassphrase):
        vault.add_passphrase("")
    with pytest.raises(ValueError, match="work factor"):
        vault.add_passphrase("x", work_factor=21)
    with pytest.raises(NoSuchSlot):
        vault.remove_slot("00000000")
    for slot_id in old:
        vault.remove_slot(slot_id)
    with pytest.raises(LastSlot):
        vault.remove_slot(second.id)
    assert key_store.secrets == {}
    assert [path.name for path in (folder / "keys").iterdir()] == [f"{second.id}.age"]
    assert {path: path.read_bytes() for path in (folder / "objects").rglob("*.age")} == before
    vault.close()
    again = opened(folder)
    with pytest.raises(WrongPassphrase):
        again.unlock_with_passphrase(passphrase)
    with pytest.raises(NoSuchSlot):
        again.unlock_with_keyring()
    for refused in (lambda: again.remove_slot(second.id), lambda: again.add_passphrase("y"), again.add_keyring):
        with pytest.raises(VaultLocked):
            refused()
    again.unlock_with_passphrase("another")
    assert again.read(meta.id) == b"media"


def test_any_of_several_passphrases_opens(vault: Vault, folder: Path, opened: Opener, passphrase: str) -> None:
    vault.add_passphrase("another", work_factor=1)
    vault.close()
    for words in (passphrase, "another"):
        again = opened(folder)
        again.unlock_with_passphrase(words)
        again.close()


# -- the keyring


def test_the_keyring_opens_the_vault(vault: Vault, folder: Path, opened: Opener, key_store: Any) -> None:
    identity = vault.identity()
    assert [service for service, _ in key_store.secrets] == [f"eyelid-vault-{vault.id}"]
    assert next(slot for slot in vault.slots() if slot.kind is SlotKind.KEYRING).keyring == "tests.Memory"
    vault.close()
    again = opened(folder)
    again.unlock_with_keyring()
    assert again.identity() == identity


def test_a_missing_key_never_becomes_a_new_one(vault: Vault, folder: Path, opened: Opener, key_store: Any, passphrase: str) -> None:
    vault.close()
    key_store.secrets.clear()
    again = opened(folder)
    with pytest.raises(KeyringLost):
        again.unlock_with_keyring()
    assert key_store.secrets == {}
    again.unlock_with_passphrase(passphrase)
    again.remove_slot(next(slot.id for slot in again.slots() if slot.kind is SlotKind.KEYRING))
    again.add_keyring()
    again.lock()
    again.unlock_with_keyring()


@pytest.mark.parametrize("secret", ["rubbish", X25519Identity(bytes(32)).text()])
def test_another_key_in_the_keyring_is_a_lost_one(vault: Vault, folder: Path, opened: Opener, key_store: Any, secret: str) -> None:
    vault.close()
    key_store.secrets = dict.fromkeys(key_store.secrets, secret)
    with pytest.raises(KeyringLost):
        opened(folder).unlock_with_keyring()


def test_a_failing_keyring_is_not_a_lost_key(vault: Vault, folder: Path, opened: Opener, key_store: Any, passphrase: str) -> None:
    vault.close()
    key_store.failing = True
    again = opened(folder)
    with pytest.raises(KeyringUnavailable):
        again.unlock_with_keyring()
    again.unlock_with_passphrase(passphrase)
    again.remove_slot(next(slot.id for slot in again.slots() if slot.kind is SlotKind.KEYRING))
    assert [slot.kind for slot in again.slots()] == [SlotKind.PASSPHRASE]


@pytest.mark.parametrize("fault", ["untrusted", "failing", "forgetful"])
def test_no_vault_is_made_on_a_keyring_that_can_not_hold_its_key(folder: Path, key_store: Any, fault: str) -> None:
    key_store.trusted = fault != "untrusted"
    key_store.failing = fault == "failing"
    key_store.forgetful = fault == "forgetful"
    with pytest.raises(KeyringUnavailable):
        Vault.create(folder, passphrase="x", keyring=True, work_factor=1, key_store=key_store)
    assert not Vault.exists(folder)
    assert list((folder / "keys").iterdir()) == []
    key_store.trusted, key_store.failing, key_store.forgetful = True, False, False
    Vault.create(folder, passphrase=None, keyring=True, key_store=key_store).close()


def test_a_key_without_its_slot_does_not_stay_in_the_keyring(vault: Vault, key_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(key_store.secrets)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(vault._files, "create", full)
    with pytest.raises(OSError, match="space"):
        vault.add_keyring()
    assert key_store.secrets == before


def backend(module: str, **methods: Any) -> Any:
    """An instance of a class that says it comes from `module`."""

    def nothing(*_: object) -> None:
        return None

    body = {"get_password": nothing, "set_password": nothing, "delete_password": nothing, **methods, "__module__": module}
    return type("Keyring", (), body)()


@pytest.mark.parametrize(
    ("module", "trusted", "words"),
    [
        ("keyring.backends.SecretService", True, "Secret Service"),
        ("keyring.backends.libsecret", True, "Secret Service"),
        ("keyring.backends.kwallet", True, "KWallet"),
        ("keyring.backends.macOS", True, "keychain"),
        ("keyring.backends.Windows", True, "Credential Manager"),
        ("keyring.backends.fail", False, "no keyring"),
        ("keyring.backends.null", False, "switched off"),
        ("keyrings.alt.file", False, "keyrings.alt.file.Keyring"),
        ("keyring.backends.macOSfake", False, "not one Eyelid trusts"),
    ],
)
def test_back_ends_are_judged_by_their_module(module: str, trusted: bool, words: str) -> None:
    store = SystemKeyStore(lambda: backend(module))
    report = store.report()
    assert report.trusted is trusted
    assert report.name == f"{module}.Keyring"
    assert words in report.text
    if not trusted:
        for call in (lambda: store.get("s", "a"), lambda: store.set("s", "a", "x"), lambda: store.delete("s", "a")):
            with pytest.raises(KeyringUnavailable, match=words):
                call()


def test_the_real_fail_and_null_back_ends_are_refused() -> None:
    for real in (keyring.backends.fail.Keyring(), keyring.backends.null.Keyring()):
        assert not describe(real).trusted


def test_a_chain_is_replaced_by_its_first_trusted_member() -> None:
    asked: list[str] = []

    def get(_: object, service: str, account: str) -> str:
        asked.append(service)
        return "secret"

    good, bad = backend("keyring.backends.SecretService", get_password=get), backend("keyrings.alt.file")
    chain = backend("keyring.backends.chainer", backends=(bad, good))
    assert describe(chain).name == "keyring.backends.SecretService.Keyring"
    assert SystemKeyStore(lambda: chain).get("s", "a") == "secret"
    assert asked == ["s"]
    assert not describe(backend("keyring.backends.chainer", backends=(bad, backend("keyring.backends.chainer")))).trusted
    with pytest.raises(KeyringUnavailable, match="not one Eyelid trusts"):
        SystemKeyStore(lambda: backend("keyring.backends.chainer", backends=(bad,))).get("s", "a")


def test_the_recorded_back_end_is_asked_by_name_and_only_if_trusted() -> None:
    store = SystemKeyStore(lambda: backend("keyring.backends.fail"))
    with pytest.raises(KeyringUnavailable, match="not trusted"):
        store.get("s", "a", "os.path.Evil")
    with pytest.raises(KeyringUnavailable, match="not usable here"):
        store.get("s", "a", "keyring.backends.SecretService.NoSuchClass")


def test_errors_of_the_keyring_become_sentences() -> None:
    def store(error: BaseException) -> SystemKeyStore:
        def fail(*_: object) -> None:
            raise error

        return SystemKeyStore(lambda: backend("keyring.backends.kwallet", get_password=fail))

    for error, words in (
        (keyring.errors.KeyringLocked("x"), "locked"),
        (keyring.errors.NoKeyringError("x"), "no keyring"),
        (keyring.errors.InitError("prompt dismissed"), "InitError"),
        (RuntimeError("secret detail"), "RuntimeError"),
    ):
        with pytest.raises(KeyringUnavailable, match=words) as caught:
            store(error).get("s", "a")
        assert "secret detail" not in str(caught.value)
    with pytest.raises(KeyringUnavailable, match="not a text"):
        SystemKeyStore(lambda: backend("keyring.backends.kwallet", get_password=lambda *_: 5)).get("s", "a")


def test_a_keyring_that_hangs_is_given_up_on() -> None:
    release = threading.Event()

    def hang(*_: object) -> None:
        release.wait(30)

    store = SystemKeyStore(lambda: backend("keyring.backends.kwallet", get_password=hang), patience=0.05)
    with pytest.raises(KeyringUnavailable, match="in time"):
        store.get("s", "a")
    hanging = SystemKeyStore(hang, patience=0.05)
    assert not hanging.report().trusted
    assert "in time" in hanging.report().text
    release.set()


def test_without_a_daemon_this_computer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyring.get_keyring", keyring.backends.fail.Keyring)
    assert "no keyring" in SystemKeyStore().report().text
