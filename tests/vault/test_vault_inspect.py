"""Inspection without keys: hybrid and armored files, slots, and files of private keys, which it names and never repeats."""

from __future__ import annotations

import base64
import sys
from pathlib import Path

import pytest

from app.vault import inspect as inspection
from app.vault.age import X25519Identity, seal_bytes
from app.vault.armor import ArmorError, unarmor
from app.vault.hybrid import HybridIdentity
from app.vault.identity import new_identity
from app.vault.inspect import inspect
from app.vault.vault import Vault

HYBRID = HybridIdentity(bytes(32))


def armored(data: bytes) -> bytes:
    text = base64.b64encode(data)
    rows = [text[place : place + 64] for place in range(0, len(text), 64)]
    return b"\n".join([b"-----BEGIN AGE ENCRYPTED FILE-----", *rows, b"-----END AGE ENCRYPTED FILE-----", b""])


def test_a_hybrid_file(tmp_path: Path) -> None:
    path = tmp_path / "x.age"
    path.write_bytes(seal_bytes(bytes(70_000), [HYBRID.recipient]))
    facts = inspect(path)
    assert facts.recipients == ("mlkem768x25519 (a post-quantum public key)",)
    assert (facts.plain_bytes, facts.chunks, facts.trouble) == (70_000, 2, "")


def test_an_armored_file_shows_what_is_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.age"
    text = armored(seal_bytes(b"12345", [HYBRID.recipient]))
    path.write_bytes(b"\r\n  " + text)
    facts = inspect(path)
    assert (facts.version, facts.plain_bytes) == ("age-encryption.org/v1, as text (armored)", 5)
    assert facts.recipients == ("mlkem768x25519 (a post-quantum public key)",)
    path.write_bytes(armored(b"no age file"))
    assert "not an age file" in inspect(path).version
    monkeypatch.setattr(inspection, "_LARGEST_ARMOR", 1000)
    path.write_bytes(text)
    assert "too long" in inspect(path).trouble


def test_every_slot_of_a_vault_and_its_files(vault: Vault, folder: Path) -> None:
    vault.add_recovery()
    kinds = [inspect(folder / "keys" / f"{slot.id}.age").recipients for slot in vault.slots()]
    assert kinds == [("scrypt (a passphrase), work factor 2",), ("X25519 (a public key)",), ("X25519 (a public key)",)]


def test_a_file_of_private_keys_is_named_by_its_public_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, identity = tmp_path / "key.txt", new_identity(hybrid=True)
    path.write_text(f"# made today\n# public key: x\n\n{identity.text()}\nAGE-SECRET-KEY-1NONSENSE\n")
    facts = inspect(path)
    assert "not sealed" in facts.version
    assert facts.recipients[:2] == (identity.recipient, identity.hybrid)
    assert "no key" in facts.recipients[2]
    assert "Whoever reads this file" in facts.trouble
    assert "SECRET" not in "\n".join(facts.lines()).upper()
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.hpke", None)
    assert "can't read" in inspect(path).recipients[1]


@pytest.mark.parametrize("text", [b"", b"-----BEGIN AGE ENCRYPTED FILE-----", armored(b"x" * 100).replace(b"eHh4", b"eH\n4", 1)])
def test_armor_that_is_not_the_one_form_is_refused(text: bytes) -> None:
    with pytest.raises(ArmorError):
        unarmor(text)


def test_armor_of_every_length_comes_back() -> None:
    for length in range(200):
        assert unarmor(armored(bytes(range(length)))) == bytes(range(length))


def test_a_key_alone_is_enough(tmp_path: Path) -> None:
    path, identity = tmp_path / "key.txt", X25519Identity.generate()
    path.write_text(identity.text())
    assert inspect(path).recipients == (str(identity.recipient),)
