"""How a vault made without a post-quantum key gets one, with no object touched and every way in kept.

Owns nothing: it is one more part of `Vault`, kept apart so that each can be read at once.

The new key is random, so it must be put behind every key slot; nothing derived from the old key would do, as that one falls with X25519.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from dataclasses import replace

from app.vault.config import Config, Slot
from app.vault.errors import HybridThere, VaultLocked
from app.vault.header import KeyWiped
from app.vault.identity import VaultIdentity
from app.vault.keys import Slots
from app.vault.session import Session
from app.vault.store import ObjectStore


class Upgrade:
    """What `Vault` inherits; it says how each attribute comes to be."""

    _settings: Config
    _slots: Slots
    _store: ObjectStore
    _writing: threading.RLock

    def _open(self) -> Session:
        raise NotImplementedError

    def _save(self, settings: Config) -> None:
        raise NotImplementedError

    def lock(self) -> None:
        raise NotImplementedError

    @property
    def hybrid(self) -> bool:
        """Whether new captures are sealed to a post-quantum key. Works while locked."""
        return bool(self._settings.hybrid)

    def add_hybrid(self, *, passphrases: Sequence[str] = (), codes: Sequence[str] = ()) -> None:
        """Make a post-quantum key, put it behind every slot, seal to it from now on, and lock the vault.

        A slot can be made anew only by whoever can open it: give the passphrase and the recovery code of each such slot (the keyring is
        asked by itself). Captures sealed before stay as they are and open as before; the caches are made anew at the next unlock.
        Raises VaultLocked, HybridThere, HybridUnavailable, SlotNotRenewed, WrongRecoveryCode, KeyringUnavailable, OSError; after any of
        them the vault is as it was.
        """
        with self._writing:
            old = self._settings
            if old.hybrid:
                raise HybridThere
            try:
                identity = self._open().identity.with_hybrid()
            except KeyWiped:
                raise VaultLocked from None
            try:
                self._replace_slots(old, identity, passphrases, codes)
            finally:
                identity.wipe()
            self._forget(old.id, old.slots)
        self.lock()

    def _replace_slots(self, old: Config, identity: VaultIdentity, passphrases: Sequence[str], codes: Sequence[str]) -> None:
        made: list[Slot] = []
        try:
            for slot in old.slots:
                made.append(self._slots.renew(old, slot, identity, passphrases, codes))
        except Exception:
            self._forget(old.id, made)
            raise
        self._save(replace(old, slots=tuple(made), hybrid=identity.hybrid))  # if this fails, either list may stand: keep all slots
        self._store.seal_to(identity.hybrid)

    def _forget(self, vault_id: str, slots: Sequence[Slot]) -> None:
        """Remove slots that vault.toml does not list. One that stays behind opens nothing that its key did not open before."""
        for slot in slots:
            with contextlib.suppress(OSError):
                self._slots.forget(vault_id, slot)
