"""The age format against public worked examples: the ones in its specification, and the vectors of C2SP/CCTV."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from app.vault import bech32
from app.vault.age import Identity, Passphrase, X25519Identity, X25519Recipient, open_seekable, open_stream
from app.vault.header import HeaderError, KeyTextError, MacError, NoMatch
from app.vault.stream import PayloadError

VECTORS: dict[str, str] = json.loads((Path(__file__).parent / "age_vectors.json").read_text())["vectors"]


def outcome(release: Callable[[], None]) -> str:
    try:
        release()
    except NoMatch:
        return "no match"
    except MacError:
        return "HMAC failure"
    except HeaderError:
        return "header failure"
    except PayloadError:
        return "payload failure"
    return "success"


def load(name: str) -> tuple[dict[str, str], list[Identity], bytes]:
    head, _, body = base64.b64decode(VECTORS[name]).partition(b"\n\n")
    pairs = [line.split(": ", 1) for line in head.decode().split("\n")]
    facts = dict(line.split(": ", 1) for line in head.decode().split("\n"))
    identities: list[Identity] = []
    for key, value in pairs:
        if key == "identity":
            identities.append(X25519Identity.parse(value))
        elif key == "passphrase":
            identities.append(Passphrase(value))
    return facts, identities, zlib.decompress(body) if facts.get("compressed") == "zlib" else body


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_streaming_agrees_with_the_vector(name: str) -> None:
    facts, identities, body = load(name)
    released = hashlib.sha256()

    def release() -> None:
        for piece in open_stream(io.BytesIO(body), identities):
            released.update(piece)

    assert outcome(release) == facts["expect"]
    if "payload" in facts:
        assert released.hexdigest() == facts["payload"]


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_the_seekable_reader_agrees_and_releases_nothing_of_a_damaged_file(name: str) -> None:
    facts, identities, body = load(name)
    released: list[bytes] = []

    def release() -> None:
        released.append(open_seekable(io.BytesIO(body), identities).read())

    assert outcome(release) == facts["expect"]
    assert bool(released) == (facts["expect"] == "success")
    if released:
        assert hashlib.sha256(released[0]).hexdigest() == facts["payload"]


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
