"""The age format against public worked examples: the ones in its specification, and the vectors of C2SP/CCTV.

`make test-vectors` runs the whole set from its own package; these are kept in the tree so that every test run has them.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from app.vault import bech32
from app.vault.age import X25519Identity, X25519Recipient
from app.vault.header import KeyTextError
from tests.vectors.judge import Vector, fault_in_reader, fault_in_stream, read_vector

TEXTS: dict[str, str] = json.loads((Path(__file__).parent / "age_vectors.json").read_text())["vectors"]


def vector(name: str) -> Vector:
    return read_vector(name, base64.b64decode(TEXTS[name]))


def test_the_set_has_every_kind() -> None:
    kinds = {vector(name).kind for name in TEXTS}
    assert kinds == {"armor", "header", "hmac", "hybrid", "scrypt", "stanza", "stream", "x25519"}


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_streaming_agrees_with_the_vector(name: str) -> None:
    assert fault_in_stream(vector(name)) == ""


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_the_seekable_reader_agrees_and_releases_nothing_of_a_damaged_file(name: str) -> None:
    assert fault_in_reader(vector(name)) == ""


def test_the_judge_sees_a_wrong_outcome_and_wrong_bytes() -> None:
    good, bad = vector("x25519"), vector("hmac_bad")
    for fault in (fault_in_stream, fault_in_reader):
        assert "expected" in fault(Vector("x", "no match", None, good.identities, False, good.body))
        assert "other bytes" in fault(Vector("x", "success", "00", good.identities, False, good.body))
        assert "HMAC failure where success" in fault(Vector("x", "success", good.payload, bad.identities, False, bad.body))


def test_the_specifications_example_keys() -> None:
    identity = X25519Identity.parse("AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX")
    assert str(identity.recipient) == "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
    assert identity.text() == X25519Identity(b"\x42" * 32).text()


@pytest.mark.parametrize(
    "text", ["", "age1", "AGE1ZVKYG2", "a1" + "q" * 9000, "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwq"]
)
def test_bad_recipients_are_refused(text: str) -> None:
    with pytest.raises(KeyTextError):
        X25519Recipient.parse(text)


def test_an_identity_in_small_letters_or_of_another_kind_is_refused() -> None:
    text = X25519Identity(bytes(range(32))).text()
    for wrong in (text.lower(), str(X25519Identity(bytes(range(32))).recipient), bech32.encode("age-secret-key-", b"short").upper()):
        with pytest.raises(KeyTextError):
            X25519Identity.parse(wrong)
