"""The vault's own private keys as one: the X25519 key every vault has, and the post-quantum one of vaults that asked for it.

Owns what an identity file of the vault says, both ways. Knows no slots and no disk.

Whoever can undo X25519 gets the first key from its public half in vault.toml, so nothing that must outlast that hangs on it where there is
a second: new files are sealed to the hybrid key only, and the caches' keys come from it.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.vault.age import X25519Identity
from app.vault.errors import HybridUnavailable
from app.vault.header import KeyTextError, Stanza
from app.vault.hybrid import HybridIdentity, HybridMissing


class VaultIdentity:
    """An age identity of one or two keys."""

    def __init__(self, classic: X25519Identity, hybrid: HybridIdentity | None = None) -> None:
        self._classic = classic
        self._hybrid = hybrid

    @classmethod
    def parse(cls, text: str) -> VaultIdentity:
        """Return the keys of an identity file, as `text` writes it. Raises KeyTextError, HybridMissing."""
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        if not 1 <= len(lines) <= 2:
            raise KeyTextError("not the keys of one vault")
        return cls(X25519Identity.parse(lines[0]), HybridIdentity.parse(lines[1]) if len(lines) == 2 else None)

    def with_hybrid(self) -> VaultIdentity:
        """Return the same with a new post-quantum key. Raises HybridUnavailable, KeyWiped."""
        try:
            return VaultIdentity(X25519Identity(self._classic.raw()), HybridIdentity.generate())
        except HybridMissing:
            raise HybridUnavailable from None

    @property
    def recipient(self) -> str:
        """The X25519 public key, "age1…": the vault's name for itself, to which files are sealed where there is no other."""
        return str(self._classic.recipient)

    @property
    def hybrid(self) -> str:
        """The post-quantum public key, "age1pq1…"; empty if there is none."""
        return "" if self._hybrid is None else str(self._hybrid.recipient)

    def text(self) -> str:
        """Return each private key on a line of its own: "AGE-SECRET-KEY-1…", then "AGE-SECRET-KEY-PQ-1…". Raises KeyWiped."""
        return "\n".join(key.text() for key in (self._classic, self._hybrid) if key is not None)

    def subkey(self, info: bytes) -> bytes:
        """Return 32 bytes that stay the same as long as the vault does, whichever keys are added. Raises KeyWiped."""
        return self._classic.subkey(info)

    def cache_key(self, info: bytes) -> bytes:
        """Return 32 bytes for what can be made anew; from the strongest key there is. Raises KeyWiped."""
        return (self._hybrid or self._classic).subkey(info)

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        file_key = None if self._hybrid is None else self._hybrid.unwrap(stanzas)
        return self._classic.unwrap(stanzas) if file_key is None else file_key

    def wipe(self) -> None:
        """Overwrite our copies of the private keys. Reads under way may finish."""
        self._classic.wipe()
        if self._hybrid is not None:
            self._hybrid.wipe()


def new_identity(*, hybrid: bool = False) -> VaultIdentity:
    """Return new keys. Raises HybridUnavailable."""
    classic = VaultIdentity(X25519Identity.generate())
    return classic.with_hybrid() if hybrid else classic
