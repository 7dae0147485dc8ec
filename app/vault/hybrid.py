"""The post-quantum hybrid recipient of the age format: ML-KEM-768 and X25519 together, so that both must be broken to open a file.

Owns `mlkem768x25519` keys and stanzas. Needs a `cryptography` that offers them (`available`); nothing else of the vault does.
Source: C2SP age.md, section “The MLKEM768-X25519 hybrid post-quantum recipient type”; keys from a seed: filippo.io/hpke-pq.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from app.vault import bech32
from app.vault.age import PRIVATE, WRAPPED, PrivateKey, Recipient, X25519Recipient, key_text
from app.vault.header import HeaderError, KeyTextError, Stanza, b64, unb64

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey, Suite

KIND = "mlkem768x25519"
RECIPIENT_PREFIX = "age1pq"
_INFO = b"age-encryption.org/mlkem768x25519"
_LATTICE_SEED = 64
_LATTICE_PUBLIC = 1184
_CURVE_PUBLIC = 32
_SHARE = 1120
"""Bytes of the encapsulated key: 1,088 of ML-KEM-768, then 32 of X25519."""


class HybridMissing(Exception):
    """The installed `cryptography` has no ML-KEM-768 with X25519."""


def _suite() -> Suite:
    try:
        from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

        return Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
    except (ImportError, AttributeError, UnsupportedAlgorithm):
        raise HybridMissing from None


def available() -> bool:
    """Whether the installed `cryptography` can seal to, and open with, hybrid keys."""
    try:
        HybridIdentity(bytes(PRIVATE))
    except HybridMissing:
        return False
    return True


class HybridRecipient:
    """Seals to a public key of 1,216 bytes; `str()` is its text, "age1pq1…"."""

    def __init__(self, public: bytes) -> None:
        """Raises HybridMissing; KeyTextError for bytes that are no such key."""
        self._suite = _suite()
        self._text = bech32.encode(RECIPIENT_PREFIX, public)
        self._key = _public_key(public)

    @classmethod
    def parse(cls, text: str) -> HybridRecipient:
        """Raises KeyTextError, HybridMissing."""
        return cls(key_text(text, RECIPIENT_PREFIX, _LATTICE_PUBLIC + _CURVE_PUBLIC))

    def __str__(self) -> str:
        return self._text

    def wrap(self, file_key: bytes) -> Stanza:
        """Raises KeyTextError for a public key of low order, which gives no more than ML-KEM does."""
        try:
            sealed = self._suite.encrypt(file_key, self._key, _INFO)
        except ValueError:
            raise KeyTextError("a public key of low order") from None
        return Stanza((KIND, b64(sealed[:_SHARE]).decode()), sealed[_SHARE:])


class HybridIdentity(PrivateKey):
    """A private key of both kinds, which grow from its 32 bytes; its text is "AGE-SECRET-KEY-PQ-1…"."""

    prefix = "age-secret-key-pq-"

    def __init__(self, secret: bytes | bytearray) -> None:
        """Raises HybridMissing."""
        self._suite = _suite()
        super().__init__(secret)
        self._key, self._curve, self._public = _private_key(secret)

    @property
    def recipient(self) -> HybridRecipient:
        return HybridRecipient(self._public)

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        for stanza in stanzas:
            if stanza.args[0] == KIND:
                file_key = self._unwrap_one(stanza)
                if file_key is not None:
                    return file_key
        return None

    def _unwrap_one(self, stanza: Stanza) -> bytes | None:
        if len(stanza.args) != 2:
            raise HeaderError("a hybrid stanza with the wrong number of arguments")
        share = unb64(stanza.args[1].encode())
        if len(share) != _SHARE:
            raise HeaderError("a hybrid share of the wrong length")
        if len(stanza.body) != WRAPPED:
            raise HeaderError("a wrapped key of the wrong length")
        try:
            return self._suite.decrypt(share + stanza.body, self._key, _INFO)
        except (InvalidTag, ValueError):  # the library says the same of another's key and of a share of low order
            self._refuse_low_order(share[-_CURVE_PUBLIC:])
            return None

    def _refuse_low_order(self, share: bytes) -> None:
        try:
            self._curve.exchange(X25519PublicKey.from_public_bytes(share))
        except ValueError:
            raise HeaderError("a hybrid share of low order") from None


def _private_key(seed: bytes | bytearray) -> tuple[MLKEM768X25519PrivateKey, X25519PrivateKey, bytes]:
    """Grow both keys from the seed; return them together, the X25519 one alone, and the public key."""
    from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
    from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey

    grown = hashlib.shake_256(seed).digest(_LATTICE_SEED + _CURVE_PUBLIC)
    try:
        lattice = MLKEM768PrivateKey.from_seed_bytes(grown[:_LATTICE_SEED])
    except UnsupportedAlgorithm:
        raise HybridMissing from None
    curve = X25519PrivateKey.from_private_bytes(grown[_LATTICE_SEED:])
    public = lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
    return MLKEM768X25519PrivateKey(lattice, curve), curve, public


def _public_key(public: bytes) -> MLKEM768X25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
    from cryptography.hazmat.primitives.hpke import MLKEM768X25519PublicKey

    try:
        lattice = MLKEM768PublicKey.from_public_bytes(public[:_LATTICE_PUBLIC])
        return MLKEM768X25519PublicKey(lattice, X25519PublicKey.from_public_bytes(public[_LATTICE_PUBLIC:]))
    except UnsupportedAlgorithm:
        raise HybridMissing from None
    except ValueError:
        raise KeyTextError("not a key of this kind") from None


def parse_recipient(text: str) -> Recipient:
    """Return the recipient, of either kind, whose text that is. Raises KeyTextError, HybridMissing."""
    return HybridRecipient.parse(text) if text.startswith(f"{RECIPIENT_PREFIX}1") else X25519Recipient.parse(text)
