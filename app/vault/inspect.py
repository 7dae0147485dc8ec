"""What any sealed file says of itself without a key: its recipients' kinds, its sizes, and whether its length can be right.

Reads the header and the length only; nothing here opens anything, so it may be shown for a file of a stranger.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.vault.age import NONCE
from app.vault.header import HeaderError, Stanza, VersionError, read_header
from app.vault.stream import CHUNK, PayloadError, plain_size

_ARMOR = b"-----BEGIN AGE ENCRYPTED FILE-----"


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
    size = path.stat().st_size
    with path.open("rb") as source:
        try:
            header = read_header(source)
        except VersionError:
            return _nothing("an age version Eyelid does not know", "It was sealed by a program newer than this one.")
        except HeaderError as error:
            source.seek(0)
            if source.read(len(_ARMOR)) == _ARMOR:
                return _nothing("age, as text (armored)", "Eyelid's own files are binary; “age -d” opens this one.")
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


def _describe(stanza: Stanza) -> str:
    kind = stanza.args[0]
    if kind == "X25519":
        return "X25519 (a public key)"
    if kind == "scrypt":
        return f"scrypt (a passphrase), work factor {stanza.args[2] if len(stanza.args) > 2 else 'missing'}"
    if kind == "mlkem768x25519":
        return "mlkem768x25519 (a post-quantum public key)"
    return f"{kind[:60]} (a kind Eyelid does not know)"


def _nothing(version: str, trouble: str) -> SealedFacts:
    return SealedFacts(version, (), 0, 0, None, 0, trouble)
