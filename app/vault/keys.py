"""Key slots: each seals the vault's identity once more, under a passphrase, the keyring, or a recovery code.

Owns what is in `keys/` and how a slot is opened. The identity itself is only passed through. A slot's file is an ordinary age file whose
plaintext is an ordinary identity file, so `age -d` gets a vault's key out without Eyelid.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from app.vault.age import Identity, Passphrase, Recipient, X25519Identity, open_bytes, seal_bytes
from app.vault.config import Config, Slot
from app.vault.errors import (
    HybridUnavailable,
    KeyringLost,
    KeyringUnavailable,
    NoSuchSlot,
    SlotNotRenewed,
    VaultDamaged,
    VaultError,
    VaultLocked,
    VaultTooNew,
    WeakPassphrase,
    WrongPassphrase,
    WrongRecoveryCode,
)
from app.vault.files import Files, read_small, write_durably
from app.vault.header import AgeError, KeyTextError, KeyWiped, NoMatch, VersionError, read_header
from app.vault.hybrid import HybridMissing
from app.vault.identity import VaultIdentity
from app.vault.keystore import KeyStore
from app.vault.recovery import read_code, write_code
from app.vault.stream import PayloadError
from app.vault.types import SlotInfo, SlotKind

LARGEST_SLOT = 16 * 1024
"""Bytes of one file in keys/."""
WORK_FACTOR_CEILING = 20
"""A slot that asks for more than 2^20 (1 GiB of memory) is refused: a planted file must not stop the computer."""


def service_name(vault_id: str) -> str:
    """The name under which a vault's keys stand in the keyring."""
    return f"eyelid-vault-{vault_id}"


def passphrase_key(text: str, work_factor: int = 18) -> Passphrase:
    """Return the key of a passphrase: its UTF-8 in normal form C, so that keyboards of all systems give the same.

    Raises WeakPassphrase for an empty one, ValueError for a work factor out of range.
    """
    if not text:
        raise WeakPassphrase
    if not 1 <= work_factor <= WORK_FACTOR_CEILING:
        raise ValueError("work factor out of range")
    return Passphrase(unicodedata.normalize("NFC", text), work_factor, WORK_FACTOR_CEILING)


def write_slot(files: Files, folder: Path, info: SlotInfo, identity: VaultIdentity, key: Recipient) -> Slot:
    """Seal `identity` under `key` into keys/ and return the slot, which counts only once vault.toml lists it. Raises VaultLocked."""
    try:
        text = f"# Eyelid vault\n# public key: {identity.recipient}\n{identity.text()}\n".encode("ascii")
    except KeyWiped:
        raise VaultLocked from None
    sealed = seal_bytes(text, [key])
    slot = Slot(info, hashlib.sha256(sealed).hexdigest())
    files.make_folder(folder / "keys")
    write_durably(files, folder / slot.file, [sealed])
    return slot


def open_slot(files: Files, folder: Path, slot: Slot, key: Identity, config: Config, wrong: VaultError) -> VaultIdentity:
    """Return the identity out of `slot`; raises `wrong` if `key` is not its key, VaultDamaged if the file is not what was written."""
    text = _opened(files, folder, slot, key, wrong)
    try:
        identity = VaultIdentity.parse(text.decode("ascii", "replace"))
    except KeyTextError:
        raise VaultDamaged(slot.file, "It does not hold the keys of one vault.") from None
    except HybridMissing:
        raise HybridUnavailable from None
    if (identity.recipient, identity.hybrid) != (config.recipient, config.hybrid):
        identity.wipe()
        raise VaultDamaged(
            "vault.toml", "Its recipient is not the public key of this vault's own key; new captures may have been sealed to it."
        )
    return identity


def _opened(files: Files, folder: Path, slot: Slot, key: Identity, wrong: VaultError) -> bytes:
    try:
        sealed = read_small(files, folder / slot.file, LARGEST_SLOT)
    except OSError:
        raise VaultDamaged(slot.file, "It can't be read.") from None
    if sealed is None:
        raise VaultDamaged(slot.file, "It is far too long.")
    intact = hashlib.sha256(sealed).hexdigest() == slot.sha256
    try:
        return open_bytes(sealed, [key])
    except NoMatch:
        if intact:
            raise wrong from None
        raise VaultDamaged(slot.file) from None
    except VersionError:
        raise VaultTooNew("A key of this vault was sealed by a newer Eyelid.") from None
    except (AgeError, PayloadError) as error:
        raise VaultDamaged(slot.file, f"It is not a sealed key: {error}.") from None
    except MemoryError:
        raise VaultError("This computer has too little free memory to open the key.", "", "Close other programs and try again.") from None


class Slots:
    """The slots of one vault, opened and made. Holds no key between two calls."""

    def __init__(self, files: Files, folder: Path, store: KeyStore) -> None:
        self._files = files
        self._folder = folder
        self._store = store

    def make_passphrase(self, identity: VaultIdentity, passphrase: str, work_factor: int) -> Slot:
        key = passphrase_key(passphrase, work_factor)
        return write_slot(self._files, self._folder, new_slot(SlotKind.PASSPHRASE), identity, key)

    def make_keyring(self, identity: VaultIdentity, vault_id: str) -> Slot:
        """Put a new wrapping key into the keyring, read it back, and seal the identity to it. Raises KeyringUnavailable."""
        report = self._store.report()
        if not report.trusted:
            raise KeyringUnavailable(report.text)
        info = new_slot(SlotKind.KEYRING, report.name)
        wrapping = X25519Identity.generate()
        service = service_name(vault_id)
        try:
            self._store.set(service, info.id, wrapping.text())
            if self._store.get(service, info.id, report.name) != wrapping.text():
                raise KeyringUnavailable("It did not give back the key that was put in.")
            return write_slot(self._files, self._folder, info, identity, wrapping.recipient)
        except BaseException:  # no slot is behind it, so it must not stay in the keyring
            with contextlib.suppress(KeyringUnavailable):
                self._store.delete(service, info.id, report.name)
            raise
        finally:
            wrapping.wipe()

    def make_recovery(self, identity: VaultIdentity) -> tuple[Slot, str]:
        """Return a new slot and its code, which is nowhere else."""
        recovery = X25519Identity.generate()
        try:
            return write_slot(self._files, self._folder, new_slot(SlotKind.RECOVERY), identity, recovery.recipient), write_code(recovery)
        finally:
            recovery.wipe()

    def open_recovery(self, config: Config, code: str) -> VaultIdentity:
        """Raises WrongRecoveryCode, NoSuchSlot, VaultDamaged, VaultTooNew."""
        slots = config.of_kind(SlotKind.RECOVERY)
        if not slots:
            raise NoSuchSlot("This vault can't be opened by a recovery code.")
        key = read_code(code)
        try:
            return self._first(config, slots, key, WrongRecoveryCode())
        finally:
            key.wipe()

    def open_passphrase(self, config: Config, passphrase: str) -> VaultIdentity:
        """Raises WrongPassphrase, NoSuchSlot, VaultDamaged, VaultTooNew."""
        slots = config.of_kind(SlotKind.PASSPHRASE)
        if not slots:
            raise NoSuchSlot("This vault can't be opened by a passphrase.")
        if not passphrase:
            raise WrongPassphrase
        key = passphrase_key(passphrase)
        return self._first(config, slots, key, WrongPassphrase())

    def open_keyring(self, config: Config) -> VaultIdentity:
        """Raises KeyringUnavailable, KeyringLost, NoSuchSlot, VaultDamaged, VaultTooNew."""
        slots = config.of_kind(SlotKind.KEYRING)
        if not slots:
            raise NoSuchSlot("This vault can't be opened by the keyring.")
        trouble: VaultError = KeyringLost()
        for slot in slots:
            secret = self._store.get(service_name(config.id), slot.info.id, slot.info.keyring)
            if secret is None:
                continue
            try:
                wrapping = X25519Identity.parse(secret)
            except KeyTextError:
                trouble = KeyringLost("What it has for this vault is not a key.")
                continue
            try:
                return open_slot(self._files, self._folder, slot, wrapping, config, KeyringLost("Its key does not fit this vault."))
            except KeyringLost as error:
                trouble = error
            finally:
                wrapping.wipe()
        raise trouble

    def renew(self, config: Config, slot: Slot, identity: VaultIdentity, passphrases: Sequence[str], codes: Sequence[str]) -> Slot:
        """Return a new slot that holds `identity` behind the same passphrase or code as `slot`, or behind a new entry in the keyring.

        Raises SlotNotRenewed if none of `passphrases` and `codes` opens it, WrongRecoveryCode for a code that was mistyped,
        KeyringUnavailable, VaultDamaged, OSError.
        """
        alone = replace(config, slots=(slot,))
        if slot.info.kind is SlotKind.KEYRING:
            return self.make_keyring(identity, config.id)
        if slot.info.kind is SlotKind.PASSPHRASE:
            for passphrase in passphrases:
                with contextlib.suppress(WrongPassphrase):
                    self.open_passphrase(alone, passphrase).wipe()
                    return self.make_passphrase(identity, passphrase, self._work_factor(slot))
            name = slot.info.id
            raise SlotNotRenewed(
                name,
                f"The new key could not be put behind the passphrase (slot {name}).",
                f"Give its passphrase too, or remove slot {name} first.",
            )
        for key in map(read_code, codes):
            with contextlib.suppress(WrongRecoveryCode):
                self._first(alone, alone.slots, key, WrongRecoveryCode()).wipe()
                return write_slot(self._files, self._folder, new_slot(SlotKind.RECOVERY), identity, key.recipient)
        name = slot.info.id
        raise SlotNotRenewed(
            name,
            f"The new key could not be put behind the recovery code (slot {name}).",
            f"Give its recovery code too, or remove slot {name} first.",
        )

    def _work_factor(self, slot: Slot) -> int:
        """Return what a passphrase slot, just opened, asks for."""
        with self._files.open(self._folder / slot.file) as source:
            return int(read_header(source).stanzas[0].args[2])

    def forget(self, vault_id: str, slot: Slot) -> None:
        """Remove the file of a slot that vault.toml no longer lists, and its key from the keyring if that answers."""
        self._files.remove(self._folder / slot.file)
        if slot.info.kind is SlotKind.KEYRING:
            try:
                self._store.delete(service_name(vault_id), slot.info.id, slot.info.keyring)
            except KeyringUnavailable:
                return  # the key opens nothing any more

    def _first(self, config: Config, slots: tuple[Slot, ...], key: Identity, wrong: VaultError) -> VaultIdentity:
        trouble = wrong
        for slot in slots:
            try:
                return open_slot(self._files, self._folder, slot, key, config, wrong)
            except VaultError as error:
                trouble = error
        raise trouble


def new_slot(kind: SlotKind, keyring: str = "") -> SlotInfo:
    """Return a slot under a new id."""
    return SlotInfo(secrets.token_hex(4), kind, datetime.now(UTC), keyring)
