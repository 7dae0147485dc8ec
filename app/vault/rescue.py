"""Opens any sealed file of an Eyelid vault with its recovery code: python rescue.py VAULT_FOLDER SEALED_FILE NEW_FILE
Needs this one file and the package `cryptography`. Written from the format's text (c2sp.org/age), not from Eyelid's code."""

import contextlib
import hashlib
import hmac
import re
import sys
from base64 import b64decode
from collections.abc import Iterator
from getpass import getpass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305


def hkdf(key: bytes, salt: bytes, info: bytes) -> bytes:
    return hmac.digest(hmac.digest(salt, key, "sha256"), info + b"\1", "sha256")


def number(text: str, letters: str) -> bytes:  # 52 letters of 5 bits: 32 bytes, and 4 bits left over
    return (sum(letters.index(c) << 5 * (51 - i) for i, c in enumerate(text)) >> 4).to_bytes(32, "big")


def unwrap(kind: bytes, share: bytes, body: bytes, seed: bytes) -> bytes:
    if kind == b"X25519":
        key = X25519PrivateKey.from_private_bytes(seed)
        salt, secret = share + key.public_key().public_bytes_raw(), key.exchange(X25519PublicKey.from_public_bytes(share))
        return ChaCha20Poly1305(hkdf(secret, salt, b"age-encryption.org/v1/X25519")).decrypt(bytes(12), body, None)
    from cryptography.hazmat.primitives import hpke  # only vaults with a post-quantum key need a recent `cryptography`
    from cryptography.hazmat.primitives.asymmetric import mlkem

    big, small = hashlib.shake_256(seed).digest(64), hashlib.shake_256(seed).digest(96)[64:]
    both = hpke.MLKEM768X25519PrivateKey(mlkem.MLKEM768PrivateKey.from_seed_bytes(big), X25519PrivateKey.from_private_bytes(small))
    suite = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
    return suite.decrypt(share + body, both, b"age-encryption.org/mlkem768x25519")


def opened(path: Path, seeds: dict[bytes, bytes]) -> Iterator[bytes]:
    with path.open("rb") as source:
        found = re.match(rb"(age-encryption\.org/v1\n-> (\S+) (\S+)\n([^-]+)---) (\S+)\n", source.read(9999))
        if not found or found[2] not in seeds:
            raise ValueError("its header is damaged, or it is for another key")
        share, body, mac = (b64decode(text + b"==") for text in found.group(3, 4, 5))
        key = unwrap(found[2], share, body, seeds[found[2]])
        if not hmac.compare_digest(hmac.digest(hkdf(key, b"", b"header"), found[1], "sha256"), mac):
            raise ValueError("its header was changed")
        source.seek(found.end())
        aead, ahead, count = ChaCha20Poly1305(hkdf(key, source.read(16), b"payload")), source.read(65552), 0
        while ahead or not count:
            chunk, ahead, count = ahead, source.read(65552), count + 1
            yield aead.decrypt((count - 1).to_bytes(11, "big") + bytes([not ahead]), chunk, None)


def main(vault: Path, sealed: Path, new: Path) -> None:
    code = re.sub(r"[\W_]", "", getpass("Recovery code: ").upper()).translate(str.maketrans("OIL", "011"))
    seeds = {b"X25519": number("".join(code[i : i + 4] for i in range(0, 65, 5)), "0123456789ABCDEFGHJKMNPQRSTVWXYZ")}
    for slot in vault.glob("keys/*.age"):
        with contextlib.suppress(Exception):  # a slot of another kind, or behind another code
            keys = re.findall(r"^age-secret-key-(pq-)?1(.{52})", b"".join(opened(slot, seeds)).decode().lower(), re.M)
            seeds = {b"mlkem768x25519" if pq else b"X25519": number(key, "qpzry9x8gf2tvdw0s3jn54khce6mua7l") for pq, key in keys}
    for _ in opened(sealed, seeds):  # to its end, before any of it is written
        pass
    with new.open("xb") as file:
        file.writelines(opened(sealed, seeds))


if __name__ == "__main__":
    try:
        main(*map(Path, sys.argv[1:]))
    except Exception as error:
        sys.exit(f"Nothing was written. {type(error).__name__}: {error}")
