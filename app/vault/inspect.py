"""What any sealed file says of itself without a key: its recipients' kinds, its sizes, and whether its length can be right.

Reads the header and the length only; nothing here opens anything, so it may be shown for a file of a stranger. A file of private keys is
told as one, by its public keys.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from app.vault.age import NONCE, X25519Identity
from app.vault.armor import ArmorError, is_armored, unarmor
from app.vault.header import HeaderError, KeyTextError, Stanza, VersionError, read_header
from app.vault.hybrid import KIND as HYBRID
from app.vault.hybrid import HybridIdentity, HybridMissing
from app.vault.stream import CHUNK, PayloadError, plain_size

_START = 4096
_LARGEST_ARMOR = 64 << 20
_LARGEST_KEYS = 64 * 1024
"""Bytes of a text that is read whole; a larger one is described by its start."""


@dataclass(frozen=True, slots=True)
class SealedFacts:
    """Sizes in bytes. `recipients` holds one line each, such as "X25519 (a public key)"; `trouble` is a sentence, or empty."""

    version: str
    recipients: tuple[str, ...]
    header_bytes: int
    payload_bytes: int
    plain_bytes: int | None
    chunks: int
    trouble: str

    def lines(self) -> tuple[str, ...]:
        """Return it all as text for a terminal."""
        content = "unknown" if self.plain_bytes is None else f"{self.plain_bytes} bytes in {self.chunks} chunks of up to 64 KiB"
        facts = (
            f"format: {self.version}",
            f"header: {self.header_bytes} bytes",
            f"payload: {self.payload_bytes} bytes",
            f"content: {content}",
        )
        return facts + tuple(f"recipient: {recipient}" for recipient in self.recipients) + ((self.trouble,) if self.trouble else ())


def inspect(path: Path) -> SealedFacts:
    """Return what the file at `path` shows to anybody; a file that is no sealed one is described, not raised. Raises OSError."""
    with path.open("rb") as source:
        start = source.read(_START)
        source.seek(0)
        if is_armored(start):
            return _armored(source)
        if _holds_keys(start):
            return _keys(source.read(_LARGEST_KEYS))
        return _sealed(source, os.fstat(source.fileno()).st_size)


def _sealed(source: BinaryIO, size: int) -> SealedFacts:
    try:
        header = read_header(source)
    except VersionError:
        return _nothing("an age version Eyelid does not know", "It was sealed by a program newer than this one.")
    except HeaderError as error:
        return _nothing("not an age file", f"Its header is not one: {error}.")
    payload = size - header.length - NONCE
    plain, trouble = None, ""
    try:
        plain = plain_size(payload)
    except PayloadError as error:
        trouble = f"The file is damaged. {error}"
    chunks = 0 if plain is None else max(1, -(-plain // CHUNK))
    return SealedFacts(
        "age-encryption.org/v1", tuple(map(_describe, header.stanzas)), header.length, max(0, payload), plain, chunks, trouble
    )


def _armored(source: BinaryIO) -> SealedFacts:
    text = source.read(_LARGEST_ARMOR + 1)
    if len(text) > _LARGEST_ARMOR:
        return _nothing("age, as text (armored)", "It is too long to look into; “age -d” opens it.")
    try:
        sealed = unarmor(text)
    except ArmorError as error:
        return _nothing("age, as text (armored)", f"The text around it is damaged: {error}.")
    facts = _sealed(io.BytesIO(sealed), len(sealed))
    return replace(facts, version=f"{facts.version}, as text (armored)")


def _holds_keys(start: bytes) -> bool:
    lines = (line for line in start.splitlines() if line and not line.startswith(b"#"))
    return next(lines, b"").startswith(b"AGE-SECRET-KEY-")


def _keys(text: bytes) -> SealedFacts:
    """Describe a file of private keys by the public ones; the private ones are never repeated."""
    lines = [line for line in text.decode("utf-8", "replace").splitlines() if line and not line.startswith("#")]
    return replace(
        _nothing(
            "a file of age keys, not sealed", "Whoever reads this file opens everything sealed to its keys. Keep it safe, or delete it."
        ),
        recipients=tuple(map(_public, lines)),
    )


def _public(line: str) -> str:
    try:
        if line.startswith("AGE-SECRET-KEY-PQ-"):
            return str(HybridIdentity.parse(line.strip()).recipient)
        return str(X25519Identity.parse(line.strip()).recipient)
    except HybridMissing:
        return "a post-quantum key, which this installation can't read"
    except KeyTextError as error:
        return f"a line that is no key Eyelid knows: {error}"


def _describe(stanza: Stanza) -> str:
    kind = stanza.args[0]
    if kind == "X25519":
        return "X25519 (a public key)"
    if kind == "scrypt":
        return f"scrypt (a passphrase), work factor {stanza.args[2][:20] if len(stanza.args) > 2 else 'missing'}"
    if kind == HYBRID:
        return f"{HYBRID} (a post-quantum public key)"
    return f"{kind[:60]} (a kind Eyelid does not know)"


def _nothing(version: str, trouble: str) -> SealedFacts:
    return SealedFacts(version, (), 0, 0, None, 0, trouble)
