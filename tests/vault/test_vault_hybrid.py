"""The post-quantum hybrid key: the format's own examples, its stanzas, and vaults that have one from the start or get one later."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import mlkem
from hypothesis import given
from hypothesis import strategies as st

from app.vault import bech32, config
from app.vault.age import Passphrase, X25519Identity, open_bytes, seal_bytes
from app.vault.config import Config, Slot
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
from app.vault.header import HeaderError, KeyTextError, KeyWiped, MacError, NoMatch, Stanza, read_header
from app.vault.hybrid import KIND, HybridIdentity, HybridMissing, HybridRecipient, available, parse_recipient
from app.vault.identity import VaultIdentity, new_identity
from app.vault.types import NewItem, SlotInfo, SlotKind
from app.vault.vault import Vault

Opener = Callable[[Path], Vault]
KEY = HybridIdentity(bytes(range(32)))
EXAMPLE = "AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR"
EXAMPLE_RECIPIENT_START = "age1pq1x34nzsvr0rxjsgdn8zgyhfe8j7ceq5r9rdelkjuh3y235jzxshfg87pzf5zrqtzdxz95paef6caq5aapdmwjjqpjfdyxnzr2zampc3"
LOW = Passphrase("x", 1)


def stanza_of(path: Path) -> str:
    with path.open("rb") as source:
        (stanza,) = read_header(source).stanzas
    return stanza.args[0]


@pytest.fixture
def without_mlkem(monkeypatch: pytest.MonkeyPatch) -> None:
    """A `cryptography` from before it had these keys."""
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.hpke", None)


# -- keys and stanzas


def test_the_specifications_example_keys() -> None:
    identity = HybridIdentity.parse(EXAMPLE)
    assert str(identity.recipient).startswith(EXAMPLE_RECIPIENT_START)
    assert identity.text() == EXAMPLE
    assert str(HybridRecipient.parse(str(identity.recipient))) == str(identity.recipient)


@given(st.binary(max_size=300))
def test_what_is_sealed_opens_with_its_key_and_no_other(data: bytes) -> None:
    sealed = seal_bytes(data, [KEY.recipient])
    assert open_bytes(sealed, [KEY]) == data
    with pytest.raises(NoMatch):
        open_bytes(sealed, [HybridIdentity(bytes(32)), X25519Identity(bytes(32))])


def test_every_changed_letter_of_the_header_is_refused() -> None:
    sealed = seal_bytes(b"x", [KEY.recipient])
    length = read_header(io.BytesIO(sealed)).length
    for place in range(0, length, 7):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises((HeaderError, NoMatch, MacError)):
            open_bytes(bytes(changed), [KEY])


@pytest.mark.parametrize(
    "args", [(KIND,), (KIND, "AAAA"), (KIND, "AAAA", "more"), (KIND, "A" * 1493 + "B")], ids=["none", "short", "two", "not canonical"]
)
def test_malformed_stanzas_are_refused(args: tuple[str, ...]) -> None:
    with pytest.raises(HeaderError):
        KEY.unwrap([Stanza(args, bytes(32))])


def test_a_body_of_the_wrong_length_is_refused_before_it_is_opened() -> None:
    good = KEY.recipient.wrap(bytes(16))
    with pytest.raises(HeaderError, match="length"):
        KEY.unwrap([replace(good, body=good.body + b"\0")])
    assert KEY.unwrap([Stanza(("other",), b""), replace(good, body=bytes(32)), good]) == bytes(16)


def test_post_quantum_recipients_are_never_mixed_with_others() -> None:
    for others in ([X25519Identity.generate().recipient], [LOW]):
        with pytest.raises(ValueError, match="alone"):
            seal_bytes(b"x", [KEY.recipient, *others])
    with pytest.raises(ValueError, match="alone"):
        seal_bytes(b"x", [X25519Identity.generate().recipient, LOW])
    both = seal_bytes(b"x", [KEY.recipient, HybridIdentity.generate().recipient])
    assert open_bytes(both, [KEY]) == b"x"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "age1pq1qqqq",
        str(X25519Identity(bytes(32)).recipient),
        bech32.encode("age1pq", bytes(1184 + 31)),
        bech32.encode("age1pq", b"\xff" * 1216),  # numbers that ML-KEM does not have
    ],
)
def test_bad_recipients_are_refused(text: str) -> None:
    with pytest.raises(KeyTextError):
        HybridRecipient.parse(text)


def test_a_recipient_of_low_order_is_refused_and_not_sealed_to() -> None:
    public = bech32.decode(str(KEY.recipient))[1]
    with pytest.raises(KeyTextError, match="low order"):
        HybridRecipient(public[:1184] + bytes(32)).wrap(bytes(16))


def test_bad_identities_are_refused() -> None:
    for wrong in (EXAMPLE.lower(), X25519Identity(bytes(32)).text(), bech32.encode("age-secret-key-pq-", b"short").upper()):
        with pytest.raises(KeyTextError):
            HybridIdentity.parse(wrong)


def test_a_wiped_key_says_so() -> None:
    key = HybridIdentity.generate()
    key.wipe()
    for call in (key.text, lambda: key.subkey(b"x")):
        with pytest.raises(KeyWiped):
            call()


def test_either_kind_of_recipient_is_read() -> None:
    for identity in (KEY, X25519Identity.generate()):
        assert str(parse_recipient(str(identity.recipient))) == str(identity.recipient)


@pytest.mark.usefixtures("without_mlkem")
def test_a_library_without_these_keys_is_named() -> None:
    assert not available()
    with pytest.raises(HybridMissing):
        HybridIdentity.parse(EXAMPLE)


def test_this_library_has_them() -> None:
    assert available()


# -- both keys as one


def test_two_keys_are_one_identity_and_its_text_is_an_identity_file() -> None:
    identity = new_identity(hybrid=True)
    again = VaultIdentity.parse(f"# a comment\n\n{identity.text()}\n")
    assert (again.recipient, again.hybrid) == (identity.recipient, identity.hybrid)
    for recipient in (identity.recipient, identity.hybrid):
        assert open_bytes(seal_bytes(b"x", [parse_recipient(recipient)]), [again]) == b"x"
    with pytest.raises(NoMatch):
        open_bytes(seal_bytes(b"x", [KEY.recipient]), [again])
    assert again.subkey(b"a") == VaultIdentity.parse(identity.text().split("\n")[0]).subkey(b"a")
    assert again.cache_key(b"a") != again.subkey(b"a")
    again.wipe()
    with pytest.raises(KeyWiped):
        again.text()


@pytest.mark.parametrize("count", [0, 3])
def test_other_numbers_of_keys_are_refused(count: int) -> None:
    with pytest.raises(KeyTextError):
        VaultIdentity.parse("\n".join([X25519Identity.generate().text()] * count))


# -- vault.toml


def test_vault_toml_with_a_hybrid_recipient_goes_both_ways() -> None:
    identity, made = new_identity(hybrid=True), datetime(2026, 5, 1, tzinfo=UTC)
    slot = Slot(SlotInfo("0" * 8, SlotKind.RECOVERY, made), "0" * 64)
    plain = Config("12" * 16, identity.recipient, made, (slot,))
    both = replace(plain, hybrid=identity.hybrid)
    assert (plain.sealed_to, both.sealed_to) == (identity.recipient, identity.hybrid)
    assert config.parse(config.dump(both)) == both
    assert b"format = 2" in config.dump(both)
    assert b"format = 1" in config.dump(plain)


def toml_of(folder: Path) -> str:
    return (folder / "vault.toml").read_text()


# -- vaults


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
    text = toml_of(folder).replace("format = 1", f'format = 2\nhybrid = "{KEY.recipient}"')
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


@pytest.mark.parametrize("name", ["MLKEM768PrivateKey", "MLKEM768PublicKey"])
def test_a_library_that_knows_the_keys_but_was_built_without_them_is_named_too(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    class Without:
        @staticmethod
        def from_seed_bytes(_: bytes) -> None:
            raise UnsupportedAlgorithm("not in this OpenSSL")

        from_public_bytes = from_seed_bytes

    text = str(KEY.recipient)
    monkeypatch.setattr(mlkem, name, Without)
    with pytest.raises(HybridMissing):
        HybridRecipient.parse(text) if "Public" in name else HybridIdentity.parse(EXAMPLE)
