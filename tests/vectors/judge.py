"""One test vector of the age format put through the vault's code: does it do exactly what the vector says, and release no byte more?

Source of the vectors and of their form: C2SP/CCTV, age/README.md.
"""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from app.vault.age import Identity, Passphrase, X25519Identity, open_seekable, open_stream
from app.vault.armor import ArmorError, unarmor
from app.vault.header import HeaderError, MacError, NoMatch, VersionError
from app.vault.hybrid import HybridIdentity
from app.vault.stream import PayloadError

EMPTY = hashlib.sha256(b"").hexdigest()
WORDS: dict[type[Exception], str] = {
    ArmorError: "armor failure",
    HeaderError: "header failure",
    VersionError: "header failure",
    NoMatch: "no match",
    MacError: "HMAC failure",
    PayloadError: "payload failure",
}
KINDS = {"empty": "header", "version_unsupported": "header"}


@dataclass(frozen=True, slots=True)
class Vector:
    """`payload` is the SHA-256, in hex, of all that may be released, also by a file that turns out damaged; None if it says nothing."""

    name: str
    expect: str
    payload: str | None
    identities: tuple[Identity, ...]
    armored: bool
    body: bytes

    @property
    def kind(self) -> str:
        return KINDS.get(self.name, self.name.partition("_")[0])


def read_vector(name: str, data: bytes) -> Vector:
    head, _, body = data.partition(b"\n\n")
    parted = (line.partition(": ") for line in head.decode().split("\n"))
    pairs = [(key, value) for key, _, value in parted]
    facts = dict(pairs)
    identities: list[Identity] = [_identity(value) for key, value in pairs if key == "identity"]
    identities += [Passphrase(value) for key, value in pairs if key == "passphrase"]
    body = zlib.decompress(body) if facts.get("compressed") == "zlib" else body
    return Vector(name, facts["expect"], facts.get("payload"), tuple(identities), facts.get("armored") == "yes", body)


def _identity(text: str) -> Identity:
    return HybridIdentity.parse(text) if text.startswith("AGE-SECRET-KEY-PQ-") else X25519Identity.parse(text)


def outcome(work: Callable[[], None]) -> str:
    """Run `work` and name how it ended, in the vectors' words. Anything but the vault's own errors is raised on."""
    try:
        work()
    except tuple(WORDS) as error:
        return WORDS[type(error)]
    return "success"


def fault_in_stream(vector: Vector) -> str:
    """Open the vector front to back; return what is wrong, or nothing."""
    released = hashlib.sha256()

    def work() -> None:
        sealed = unarmor(vector.body) if vector.armored else vector.body
        for piece in open_stream(io.BytesIO(sealed), vector.identities):
            released.update(piece)

    found = outcome(work)
    if found != vector.expect:
        return f"{found} where {vector.expect} was expected"
    if released.hexdigest() != (vector.payload or EMPTY):
        return "other bytes were released than the vector says"
    return ""


def fault_in_reader(vector: Vector) -> str:
    """Open the vector with the seekable reader, whole; a file that is damaged must release nothing."""
    released: list[bytes] = []

    def work() -> None:
        sealed = unarmor(vector.body) if vector.armored else vector.body
        released.append(open_seekable(io.BytesIO(sealed), vector.identities).read())

    found = outcome(work)
    if found != vector.expect:
        return f"{found} where {vector.expect} was expected, with the seekable reader"
    digests = [hashlib.sha256(data).hexdigest() for data in released]
    if digests != ([vector.payload] if vector.expect == "success" else []):
        return "other bytes were released than the vector says, by the seekable reader"
    return ""
