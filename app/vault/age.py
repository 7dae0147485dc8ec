"""The age format, version 1: X25519 and scrypt recipients, and files as a whole.

Owns the keys and the way from a file to its payload's key; `header` owns the text, `stream` the chunks. Knows no paths, slots or vaults,
and never writes to disk. Source: C2SP age.md (c2sp.org/age).
"""

from __future__ import annotations

import hmac
import io
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, ClassVar, Protocol, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from app.vault import bech32
from app.vault.header import (
    HeaderError,
    KeyTextError,
    KeyWiped,
    MacError,
    NoMatch,
    Stanza,
    b64,
    hkdf,
    mac,
    read_header,
    unb64,
    write_header,
)
from app.vault.stream import PayloadError, Sealer, StreamReader, blocks, open_blocks

FILE_KEY = 16
NONCE = 16
PRIVATE = 32
"""Bytes of every private key here."""
WORK_FACTOR_LIMIT = 22
"""Largest scrypt work factor accepted (4 GiB of memory): the limit of the age program. Key slots have a lower one."""
RECIPIENT_PREFIX = "age"
WRAPPED = FILE_KEY + 16
"""Bytes of a file key as every stanza holds it."""
_ZERO_NONCE = bytes(12)
_X25519_INFO = b"age-encryption.org/v1/X25519"
_SCRYPT_LABEL = b"age-encryption.org/v1/scrypt"
_FACTOR = re.compile(r"[1-9][0-9]*")


class Recipient(Protocol):
    def wrap(self, file_key: bytes) -> Stanza: ...


class Identity(Protocol):
    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Return the file key; None if no stanza is for this identity. Raises HeaderError for a malformed stanza of its type."""


def _unwrap(key: bytes, body: bytes) -> bytes | None:
    if len(body) != WRAPPED:
        raise HeaderError("a wrapped key of the wrong length")
    try:
        return ChaCha20Poly1305(key).decrypt(_ZERO_NONCE, body, None)
    except InvalidTag:
        return None


class X25519Recipient:
    """Seals to a public key of 32 bytes; `str()` is its text, "age1…"."""

    def __init__(self, public: bytes) -> None:
        self.public = public

    @classmethod
    def parse(cls, text: str) -> X25519Recipient:
        """Raises KeyTextError."""
        return cls(key_text(text, RECIPIENT_PREFIX, 32))

    def __str__(self) -> str:
        return bech32.encode(RECIPIENT_PREFIX, self.public)

    def wrap(self, file_key: bytes) -> Stanza:
        """Raises KeyTextError for a public key of low order, which would give everybody the file key."""
        ephemeral = X25519PrivateKey.generate()
        share = ephemeral.public_key().public_bytes_raw()
        try:
            secret = ephemeral.exchange(X25519PublicKey.from_public_bytes(self.public))
        except ValueError:
            raise KeyTextError("a public key of low order") from None
        key = hkdf(secret, share + self.public, _X25519_INFO)
        return Stanza(("X25519", b64(share).decode()), ChaCha20Poly1305(key).encrypt(_ZERO_NONCE, file_key, None))


class PrivateKey:
    """The 32 random bytes behind an identity, whatever its kind. `wipe` overwrites our copy; what the crypto library made of them goes when
    it is freed."""

    prefix: ClassVar[str]
    """Begins its text, in small letters."""

    def __init__(self, secret: bytes | bytearray) -> None:
        """`secret` is copied."""
        self._secret = bytearray(secret)
        self._wiped = False

    @classmethod
    def generate(cls) -> Self:
        return cls(secrets.token_bytes(PRIVATE))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises KeyTextError, and what making one raises."""
        if text != text.upper():
            raise KeyTextError("an identity is written in capitals")
        return cls(key_text(text, cls.prefix, PRIVATE))

    def text(self) -> str:
        """Return the key itself in Bech32, in capitals. Raises KeyWiped."""
        return bech32.encode(self.prefix, self.raw()).upper()

    def raw(self) -> bytes:
        """Return its 32 bytes. Raises KeyWiped."""
        copy = bytes(self._secret)
        if self._wiped:  # looked at after the copy, as another thread may wipe at any moment
            raise KeyWiped("the key was overwritten")
        return copy

    def subkey(self, info: bytes) -> bytes:
        """Return 32 bytes derived from it for another purpose, named by `info`. Raises KeyWiped."""
        return hkdf(self.raw(), b"", info)

    def wipe(self) -> None:
        """Overwrite our copy. Reads under way may finish."""
        self._wiped = True
        self._secret[:] = bytes(len(self._secret))


class X25519Identity(PrivateKey):
    """A private key of X25519; its text is "AGE-SECRET-KEY-1…"."""

    prefix = "age-secret-key-"

    def __init__(self, secret: bytes | bytearray) -> None:
        super().__init__(secret)
        self._key = X25519PrivateKey.from_private_bytes(secret)
        self._public = self._key.public_key().public_bytes_raw()

    @property
    def recipient(self) -> X25519Recipient:
        return X25519Recipient(self._public)

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        refuse_mixed(stanzas)
        for stanza in stanzas:
            if stanza.args[0] == "X25519":
                file_key = self._unwrap_one(stanza)
                if file_key is not None:
                    return file_key
        return None

    def _unwrap_one(self, stanza: Stanza) -> bytes | None:
        if len(stanza.args) != 2:
            raise HeaderError("an X25519 stanza with the wrong number of arguments")
        share = unb64(stanza.args[1].encode())
        if len(share) != 32:
            raise HeaderError("an X25519 share of the wrong length")
        try:
            secret = self._key.exchange(X25519PublicKey.from_public_bytes(share))
        except ValueError:
            raise HeaderError("an X25519 share of low order") from None
        return _unwrap(hkdf(secret, share + self._public, _X25519_INFO), stanza.body)


class Passphrase:
    """Recipient and identity in one: a passphrase through scrypt. `work_factor` is log2 of its N (r = 8, p = 1)."""

    def __init__(self, passphrase: str, work_factor: int = 18, limit: int = WORK_FACTOR_LIMIT) -> None:
        self._passphrase = passphrase.encode("utf-8", "surrogatepass")
        self._factor = work_factor
        self._limit = limit

    def wrap(self, file_key: bytes) -> Stanza:
        salt = secrets.token_bytes(16)
        body = ChaCha20Poly1305(self._derive(salt, self._factor)).encrypt(_ZERO_NONCE, file_key, None)
        return Stanza(("scrypt", b64(salt).decode(), str(self._factor)), body)

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        refuse_mixed(stanzas)
        stanza = stanzas[0]
        if stanza.args[0] != "scrypt":
            return None
        if len(stanza.args) != 3 or len(stanza.body) != WRAPPED:
            raise HeaderError("a scrypt stanza of the wrong shape")
        salt = unb64(stanza.args[1].encode())
        if len(salt) != 16 or not _FACTOR.fullmatch(stanza.args[2]):
            raise HeaderError("a scrypt stanza of the wrong shape")
        if len(stanza.args[2]) > 2 or int(stanza.args[2]) > self._limit:
            raise HeaderError("a scrypt work factor that is too large")
        return _unwrap(self._derive(salt, int(stanza.args[2])), stanza.body)

    def _derive(self, salt: bytes, factor: int) -> bytes:
        return Scrypt(_SCRYPT_LABEL + salt, 32, 1 << factor, 8, 1).derive(self._passphrase)


def refuse_mixed(stanzas: Sequence[Stanza]) -> None:
    """Raise HeaderError if a passphrase stands beside any other recipient: whoever knows the passphrase vouches for the file."""
    if len(stanzas) > 1 and any(stanza.args[0] == "scrypt" for stanza in stanzas):
        raise HeaderError("a passphrase beside other recipients")


def refuse_unequal(stanzas: Sequence[Stanza]) -> None:
    """Raise ValueError for recipients that must not share a new file: the weakest would decide, and whoever sealed would not know."""
    kinds = {stanza.args[0] for stanza in stanzas}
    if ("scrypt" in kinds and len(stanzas) > 1) or ("mlkem768x25519" in kinds and len(kinds) > 1):
        raise ValueError("a passphrase stands alone, and post-quantum recipients only beside their own kind")


def key_text(text: str, prefix: str, size: int) -> bytes:
    """Return the `size` bytes of a key written in Bech32 under `prefix`. Raises KeyTextError."""
    try:
        found, data = bech32.decode(text)
    except bech32.Bech32Error as error:
        raise KeyTextError(str(error)) from None
    if found != prefix or len(data) != size:
        raise KeyTextError("not a key of this kind")
    return data


def seal(source: bytes | BinaryIO, recipients: Sequence[Recipient]) -> Iterator[memoryview]:
    """Yield the bytes of a new sealed file, with bounded memory; each piece is valid until the next is asked for."""
    for piece, _ in seal_watched(source, recipients):
        yield piece


def seal_watched(source: bytes | BinaryIO, recipients: Sequence[Recipient]) -> Iterator[tuple[memoryview, memoryview]]:
    """As `seal`, each piece with the plaintext it holds, so that one pass can hash both. The first piece holds none."""
    file_key = secrets.token_bytes(FILE_KEY)
    nonce = secrets.token_bytes(NONCE)
    stanzas = [recipient.wrap(file_key) for recipient in recipients]
    refuse_unequal(stanzas)
    header = write_header(stanzas, file_key)
    yield memoryview(header + nonce), memoryview(b"")
    sealer = Sealer(hkdf(file_key, nonce, b"payload"))
    for block, last in blocks(source):
        yield sealer.seal(block, last), block


def open_key(source: BinaryIO, identities: Sequence[Identity]) -> tuple[bytes, int]:
    """Read header and nonce of `source`; return the payload's key and where its first chunk starts.

    Raises HeaderError, NoMatch, MacError.
    """
    header = read_header(source)
    file_key = None
    for identity in identities:
        file_key = identity.unwrap(header.stanzas)
        if file_key is not None:
            break
    if file_key is None:
        raise NoMatch("none of the keys opens it")
    if len(file_key) != FILE_KEY:
        raise HeaderError("a file key of the wrong length")
    if not hmac.compare_digest(mac(file_key, header.signed), header.mac):
        raise MacError("its header was changed")
    nonce = source.read(NONCE)
    if len(nonce) != NONCE:
        raise HeaderError("the file ends after its header")
    return hkdf(file_key, nonce, b"payload"), header.length + NONCE


def open_stream(source: BinaryIO, identities: Sequence[Identity]) -> Iterator[memoryview]:
    """Yield the plaintext of `source` in order, with bounded memory. Raises AgeError and PayloadError; see `stream.open_blocks`."""
    key, _ = open_key(source, identities)
    yield from open_blocks(key, source)


def open_seekable(source: BinaryIO, identities: Sequence[Identity], fault: Callable[[str], Exception] = PayloadError) -> StreamReader:
    """Return a seekable reader of the plaintext of `source`, which it owns from then on. Raises AgeError and PayloadError.

    What `fault` makes of a sentence is raised by later reads.
    """
    key, start = open_key(source, identities)
    return StreamReader(key, source, start, fault)


def seal_bytes(data: bytes, recipients: Sequence[Recipient]) -> bytes:
    """Return `data` as a whole sealed file, for small ones."""
    return b"".join(map(bytes, seal(data, recipients)))


def open_bytes(sealed: bytes, identities: Sequence[Identity]) -> bytes:
    """Return the plaintext of a small sealed file. Raises AgeError and PayloadError, and then hands out nothing."""
    key, start = open_key(io.BytesIO(sealed), identities)
    return b"".join(map(bytes, open_blocks(key, memoryview(sealed)[start:])))
