"""The header of an age file: the parser, the writer, and what can be wrong with it.

Owns the text before the payload. Knows no keys but the file key, which its check is made with. The parser takes exactly what the format
allows, reads no more than LARGEST_HEADER bytes, and raises for all else. Source: C2SP age.md (c2sp.org/age), “Header”.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION_LINE = b"age-encryption.org/v1\n"
LARGEST_HEADER = 64 * 1024
"""Bytes; a header longer than this is refused before it is read further. Ours are 200 bytes, one post-quantum stanza is 1.6 KB."""
MOST_STANZAS = 64
_COLUMNS = 64
_VCHARS = re.compile(rb"[\x21-\x7e]+")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]*")


class AgeError(Exception):
    """Base of what can be wrong with a sealed file. Messages are for people, and hold nothing of the content."""


class HeaderError(AgeError):
    """The header is not one the format allows."""


class VersionError(HeaderError):
    """An age file of another version than 1."""


class NoMatch(AgeError):
    """The header is well formed, and none of the identities opens it."""


class MacError(AgeError):
    """An identity opened the file key, and the header was changed after it was written."""


class KeyWiped(AgeError):
    """The private key was overwritten while somebody still held it."""


class KeyTextError(AgeError, ValueError):
    """A text is not an age recipient or identity. The message never repeats the text."""


@dataclass(frozen=True, slots=True)
class Stanza:
    """One way to the file key: `args` (the first is its type) and the wrapped key."""

    args: tuple[str, ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """A parsed header. `signed` is what the MAC covers; `length` is in bytes, up to the payload's nonce."""

    stanzas: tuple[Stanza, ...]
    mac: bytes
    signed: bytes
    length: int


def hkdf(key: bytes | bytearray, salt: bytes, info: bytes) -> bytes:
    """Return 32 bytes of HKDF-SHA-256."""
    return HKDF(SHA256(), 32, salt, info).derive(key)


def b64(data: bytes) -> bytes:
    """Encode as base64 without padding."""
    return base64.b64encode(data).rstrip(b"=")


def unb64(text: bytes) -> bytes:
    """Decode base64 without padding; HeaderError unless it is the one canonical form."""
    if not _BASE64.fullmatch(text):
        raise HeaderError("a letter that base64 does not use")
    try:
        data = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise HeaderError("base64 of a length that can't be") from None
    if b64(data) != text:
        raise HeaderError("base64 that is not canonical")
    return data


class _Lines:
    """Hands out the lines of a header, bounded in all."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.taken = bytearray()

    def next(self) -> bytes:
        line = self._source.readline(LARGEST_HEADER - len(self.taken) + 1)
        self.taken += line
        if len(self.taken) > LARGEST_HEADER:
            raise HeaderError("the header is too long")
        if not line.endswith(b"\n"):
            raise HeaderError("the header ends too early")
        return line[:-1]


def read_header(source: BinaryIO) -> Header:
    """Parse the header at the start of `source` (buffered), leaving it at the payload's nonce. Raises HeaderError, VersionError."""
    start = source.read(len(VERSION_LINE))
    if start != VERSION_LINE:
        if start.startswith(b"age-encryption.org/") and not VERSION_LINE.startswith(start):
            raise VersionError("a version of the age format other than 1")
        raise HeaderError("not an age file")
    lines = _Lines(source)
    stanzas: list[Stanza] = []
    line = lines.next()
    while line.startswith(b"-> "):
        if len(stanzas) == MOST_STANZAS:
            raise HeaderError("too many recipients")
        stanzas.append(_read_stanza(line, lines))
        line = lines.next()
    if not line.startswith(b"--- ") or not stanzas:
        raise HeaderError("neither a recipient nor the end of the header")
    check = unb64(line[4:])
    if len(check) != 32:
        raise HeaderError("a check of the wrong length")
    signed = VERSION_LINE + bytes(lines.taken[: -len(line) - 1]) + b"---"
    return Header(tuple(stanzas), check, signed, len(VERSION_LINE) + len(lines.taken))


def _read_stanza(line: bytes, lines: _Lines) -> Stanza:
    args = line[3:].split(b" ")
    if not all(_VCHARS.fullmatch(arg) for arg in args):
        raise HeaderError("an argument that is empty or not plain")
    body = bytearray()
    while True:
        text = lines.next()
        if len(text) > _COLUMNS:
            raise HeaderError("a line that is too long")
        body += unb64(text)
        if len(text) < _COLUMNS:
            return Stanza(tuple(arg.decode("ascii") for arg in args), bytes(body))


def _write_stanza(stanza: Stanza) -> bytes:
    text = b64(stanza.body)
    rows = [text[i : i + _COLUMNS] for i in range(0, len(text) + 1, _COLUMNS)]
    return b"-> " + " ".join(stanza.args).encode("ascii") + b"\n" + b"".join(row + b"\n" for row in rows)


def write_header(stanzas: Sequence[Stanza], file_key: bytes) -> bytes:
    """Return the header of a file with that key."""
    signed = VERSION_LINE + b"".join(map(_write_stanza, stanzas)) + b"---"
    return signed + b" " + b64(mac(file_key, signed)) + b"\n"


def mac(file_key: bytes, signed: bytes) -> bytes:
    """Return the header's MAC over `signed`, under a key made from the file key."""
    return hmac.digest(hkdf(file_key, b"", b"header"), signed, "sha256")
