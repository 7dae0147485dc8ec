"""The ways into a vault, as they are listed, added, replaced and removed. No object is touched by any of it.

Owns nothing: it is the part of `Vault` that is about key slots, kept apart so that each can be read at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app.vault import config
from app.vault.config import Config, Slot
from app.vault.errors import LastSlot, NoSuchSlot, OldKeyStays, WrongPassphrase
from app.vault.files import Files, write_durably
from app.vault.identity import VaultIdentity
from app.vault.keys import Slots
from app.vault.session import Session
from app.vault.types import SlotInfo, SlotKind


class Doors:
    """What `Vault` inherits; it says how each attribute comes to be."""

    _folder: Path
    _files: Files
    _settings: Config
    _slots: Slots
    _guard: threading.RLock
    _writing: threading.RLock

    def _open(self) -> Session:
        raise NotImplementedError

    def slots(self) -> tuple[SlotInfo, ...]:
        """Works while locked."""
        return tuple(slot.info for slot in self._settings.slots)

    def add_passphrase(self, passphrase: str, *, work_factor: int = 18) -> SlotInfo:
        """Add one more way to open the vault. Raises VaultLocked, WeakPassphrase, OSError."""
        return self._add_slot(lambda identity: self._slots.make_passphrase(identity, passphrase, work_factor))

    def add_keyring(self) -> SlotInfo:
        """Keep a new wrapping key in this computer's keyring. Raises VaultLocked, KeyringUnavailable, OSError."""
        return self._add_slot(lambda identity: self._slots.make_keyring(identity, self._settings.id))

    def add_recovery(self) -> tuple[SlotInfo, str]:
        """Add a recovery code and return it; it is kept nowhere, so it can be shown only now. Raises VaultLocked, OSError."""
        codes: list[str] = []

        def make(identity: VaultIdentity) -> Slot:
            slot, code = self._slots.make_recovery(identity)
            codes.append(code)
            return slot

        return self._add_slot(make), codes[0]

    def change_passphrase(self, old: str, new: str, *, work_factor: int = 18) -> SlotInfo:
        """Put a slot for `new` in place of the one that `old` opens, in one step: at no moment is there neither.

        Raises VaultLocked, WrongPassphrase, NoSuchSlot, WeakPassphrase, OSError, and then the old one stands; OldKeyStays, and then
        the new one does.
        """
        with self._writing:
            identity = self._open().identity
            gone = self._opened_by(old)
            made = self._slots.make_passphrase(identity, new, work_factor)
            self._save(replace(self._settings, slots=tuple(made if slot == gone else slot for slot in self._settings.slots)))
            self._remove_file_of(gone)
        return made.info

    def _opened_by(self, passphrase: str) -> Slot:
        """Return the slot that `passphrase` opens. Raises WrongPassphrase, NoSuchSlot."""
        slots = self._settings.of_kind(SlotKind.PASSPHRASE)
        if not slots:
            raise NoSuchSlot("This vault can't be opened by a passphrase.")
        for slot in slots:
            try:
                self._slots.open_passphrase(replace(self._settings, slots=(slot,)), passphrase).wipe()
            except WrongPassphrase:
                continue
            return slot
        raise WrongPassphrase

    def remove_slot(self, slot_id: str) -> None:
        """Remove one way to open the vault; works only while unlocked. Raises VaultLocked, NoSuchSlot, LastSlot, OSError, OldKeyStays."""
        with self._writing:
            self._open()
            gone = [slot for slot in self._settings.slots if slot.info.id == slot_id]
            if not gone:
                raise NoSuchSlot("The vault has no such key slot.", "None of its key slots has that id.", "Look at the list of key slots.")
            kept = tuple(slot for slot in self._settings.slots if slot not in gone)
            if not kept:
                raise LastSlot
            self._save(replace(self._settings, slots=kept))
            self._remove_file_of(gone[0])

    def _remove_file_of(self, gone: Slot) -> None:
        try:
            self._slots.forget(self._settings.id, gone)
        except OSError:
            raise OldKeyStays(gone.file) from None

    def _add_slot(self, make: Callable[[VaultIdentity], Slot]) -> SlotInfo:
        with self._writing:
            slot = make(self._open().identity)
            self._save(replace(self._settings, slots=(*self._settings.slots, slot)))
        return slot.info

    def _save(self, settings: Config) -> None:
        write_durably(self._files, self._folder / config.NAME, [config.dump(settings)])
        with self._guard:
            self._settings = settings
