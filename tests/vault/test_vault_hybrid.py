"""The post-quantum hybrid key: the format's own examples, its stanzas, and what is refused."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import mlkem
from hypothesis import given
from hypothesis import strategies as st

from app.vault import bech32, config
from app.vault.age import Passphrase, X25519Identity, open_bytes, seal_bytes
from app.vault.config import Config, Slot
from app.vault.header import HeaderError, KeyTextError, KeyWiped, MacError, NoMatch, Stanza, read_header
from app.vault.hybrid import KIND, HybridIdentity, HybridMissing, HybridRecipient, available, parse_recipient
from app.vault.identity import VaultIdentity, new_identity
from app.vault.types import SlotInfo, SlotKind
from app.vault.vault import Vault

Opener = Callable[[Path], Vault]
KEY = HybridIdentity(bytes(range(32)))
EXAMPLE = "AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR"
EXAMPLE_RECIPIENT_START = "age1pq1x34nzsvr0rxjsgdn8zgyhfe8j7ceq5r9rdelkjuh3y235jzxshfg87pzf5zrqtzdxz95paef6caq5aapdmwjjqpjfdyxnzr2zampc3"
LOW = Passphrase("x", 1)


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
