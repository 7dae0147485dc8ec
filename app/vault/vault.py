"""The vault: sealed captures on the disk, readable only while unlocked.

Owns one folder, its process lock, its lock state, and whatever key exists while unlocked. Every method may be called from any thread.
Adding works while locked, because sealing needs only the public key. Must not know Qt, glasses, media formats or the network.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

from app.vault import codec, config
from app.vault.check import verify
from app.vault.config import Config, Slot
from app.vault.doors import Doors
from app.vault.errors import (
    ItemMissing,
    VaultDamaged,
    VaultError,
    VaultExists,
    VaultLocked,
    VaultMissing,
)
from app.vault.files import Files, read_small, write_durably
from app.vault.identity import VaultIdentity, new_identity
from app.vault.index import Index
from app.vault.keys import Slots
from app.vault.keystore import KeyStore, SystemKeyStore
from app.vault.lockfile import ProcessLock
from app.vault.numbered import Numbered
from app.vault.rollback import Watch
from app.vault.session import Session
from app.vault.store import Arrival, Describe, ObjectStore
from app.vault.types import ItemId, ItemMeta, LockState, NewItem, Notice, SlotKind, VerifyReport
from app.vault.upgrade import Upgrade


@dataclass(frozen=True, slots=True)
class Parts:
    """What a vault is made of. `session` is None while locked."""

    store: ObjectStore
    settings: Config
    session: Session | None
    slots: Slots


class Vault(Doors, Numbered, Upgrade):
    """One vault on the disk. Make it with `create` or `open`; `close` it at the end."""

    def __init__(self, folder: Path, settings: Config, lock: ProcessLock, files: Files, keys: KeyStore) -> None:
        """Not for others to call; see `create` and `open`."""
        self._folder = folder
        self._settings = settings
        self._process_lock = lock
        self._files = files
        self._slots = Slots(files, folder, keys)
        self._store = ObjectStore(files, folder, settings.sealed_to)
        self._guard = threading.RLock()  # the session, the state and the settings; held for moments only
        self._writing = threading.RLock()  # one change of what exists at a time; taken before `_guard`
        self._unlocking = threading.Lock()
        self._busy = False
        self._session: Session | None = None
        self._asked_to_lock = 0
        self._watch = Watch(keys, settings.id)
        self._listeners: list[Callable[[LockState], None]] = []

    # -- making and opening

    @staticmethod
    def exists(folder: Path) -> bool:
        return (folder / config.NAME).is_file()

    @classmethod
    def create(
        cls,
        folder: Path,
        *,
        passphrase: str | None,
        keyring: bool,
        work_factor: int = 18,
        hybrid: bool = False,
        key_store: KeyStore | None = None,
        files: Files | None = None,
    ) -> Vault:
        """Make a new vault with at least one key slot, and leave it unlocked. `hybrid`: with a post-quantum key; see `add_hybrid`.

        Raises VaultExists, VaultInUse, WeakPassphrase, KeyringUnavailable, HybridUnavailable; after any of them there is no vault.
        """
        if passphrase is None and not keyring:
            raise ValueError("a vault needs a way to open it")
        files, keys = files or Files(), key_store or SystemKeyStore()
        identity, vault_id = new_identity(hybrid=hybrid), secrets.token_hex(16)
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.make_folder(folder)
        lock = ProcessLock(folder / "lock")
        slots, made = Slots(files, folder, keys), list[Slot]()
        try:
            if cls.exists(folder):
                raise VaultExists
            if passphrase is not None:
                made.append(slots.make_passphrase(identity, passphrase, work_factor))
            if keyring:
                made.append(slots.make_keyring(identity, vault_id))
            settings = Config(vault_id, identity.recipient, datetime.now(UTC), tuple(made), identity.hybrid)
            files.make_folder(folder / "objects")
            write_durably(files, folder / config.NAME, [config.dump(settings)])
        except BaseException:
            identity.wipe()
            try:
                if made:
                    files.remove(folder / config.NAME)
                for slot in made:
                    slots.forget(vault_id, slot)
            finally:
                lock.release()
            raise
        vault = cls(folder, settings, lock, files, keys)
        try:
            vault._unlock(lambda: identity)
        except BaseException:  # the vault is there all the same, and can be opened later
            vault.close()
            raise
        return vault

    @classmethod
    def open(cls, folder: Path, *, key_store: KeyStore | None = None, files: Files | None = None) -> Vault:
        """Open a vault, locked. Removes what unfinished writes left. Raises VaultMissing, VaultInUse, VaultTooNew, VaultDamaged."""
        files = files or Files()
        if not cls.exists(folder):
            raise VaultMissing
        lock = ProcessLock(folder / "lock")
        try:
            try:
                text = read_small(files, folder / config.NAME, config.LARGEST)
            except OSError:
                raise VaultDamaged(config.NAME, "It can't be read.") from None
            if text is None:
                raise VaultDamaged(config.NAME, "It is far too long.")
            vault = cls(folder, config.parse(text), lock, files, key_store or SystemKeyStore())
            vault._store.sweep()
        except BaseException:
            lock.release()
            raise
        return vault

    # -- what is known while locked

    @property
    def state(self) -> LockState:
        with self._guard:
            if self._session is not None:
                return LockState.UNLOCKED
            return LockState.UNLOCKING if self._busy else LockState.LOCKED

    def on_state(self, listener: Callable[[LockState], None]) -> None:
        """Call `listener` with the state after each change of it, in the thread that changed it."""
        self._listeners.append(listener)

    @property
    def id(self) -> str:
        """32 hex digits; part of the name under which its keys stand in the keyring."""
        return self._settings.id

    def recipient(self) -> str:
        """Return what new captures are sealed to: "age1…", or "age1pq1…" where the vault has a post-quantum key."""
        return self._settings.sealed_to

    def ids(self) -> tuple[ItemId, ...]:
        """Return every item that has a file on the disk, also one whose object is missing."""
        return tuple(found.id for found in self._store.found())

    # -- unlocking and locking

    def unlock_with_passphrase(self, passphrase: str) -> None:
        """Raises WrongPassphrase, NoSuchSlot, VaultDamaged, VaultTooNew. No fault if unlocked already."""
        self._unlock(lambda: self._slots.open_passphrase(self._settings, passphrase))

    def unlock_with_keyring(self) -> None:
        """Raises KeyringUnavailable, KeyringLost, NoSuchSlot, VaultDamaged, VaultTooNew. No fault if unlocked already."""
        self._unlock(lambda: self._slots.open_keyring(self._settings))

    def unlock_with_recovery(self, code: str) -> None:
        """Raises WrongRecoveryCode, NoSuchSlot, VaultDamaged, VaultTooNew. No fault if unlocked already."""
        self._unlock(lambda: self._slots.open_recovery(self._settings, code))

    def _unlock(self, open_identity: Callable[[], VaultIdentity]) -> None:
        with self._unlocking:
            with self._guard:
                if self._session is not None:
                    return
                self._busy, asked = True, self._asked_to_lock
            self._tell()
            try:
                session = self._begin(open_identity())
                with self._guard:
                    wanted = asked == self._asked_to_lock
                    self._session = session if wanted else None
                if not wanted:  # somebody asked to lock meanwhile, and that wins
                    session.close()
                    raise VaultLocked
            finally:
                self._busy = False
                self._tell()

    def _begin(self, identity: VaultIdentity) -> Session:
        try:
            return Session(self._folder, self._store, identity)
        except BaseException:
            identity.wipe()
            raise

    def lock(self) -> None:
        """Forget every key. Open readers raise VaultLocked from now on; an unlocking under way is undone."""
        with self._guard:
            self._asked_to_lock += 1
            session, self._session = self._session, None
        if session is None:
            return
        session.cut_off()
        try:
            with contextlib.suppress(VaultError):
                self._watch.note(self._uses_keyring and session.seen is not None, session.standing)
        finally:  # whatever becomes of the note, the keys go
            session.close()
        self._watch.notices = ()
        self._tell()

    def close(self) -> None:
        """Lock, and let other processes open the vault."""
        self.lock()
        self._watch.wait()
        self._process_lock.release()

    def _tell(self) -> None:
        state = self.state
        for listener in tuple(self._listeners):
            listener(state)

    def _open(self) -> Session:
        session = self._session
        if session is None:
            raise VaultLocked
        return session

    def identity(self) -> str:
        """Return the private keys, which open everything: "AGE-SECRET-KEY-1…", and "AGE-SECRET-KEY-PQ-1…" on a second line if there is one.

        Raises VaultLocked.
        """
        return self._open().identity_text()

    def subkey(self, label: str) -> bytes:
        """Return 32 bytes for the purpose named by `label`, always the same for this vault. Raises VaultLocked."""
        return self._open().subkey(f"room/{label}")

    @property
    def index(self) -> Index:
        """Raises VaultLocked."""
        return self._open().index

    # -- items

    def add(
        self, data: bytes | BinaryIO, new: NewItem | Describe, *, arrived_at: datetime | None = None, sha256: str | None = None
    ) -> ItemMeta:
        """Seal a capture; works while locked, and on any thread. Returns only when it is on the disk for good and was read back.

        `sha256` (hex) is for whoever hashed just these bytes already, and saves hashing them again.
        Where `new` depends on the whole of `data`, it may be a function: it is given their SHA-256 (hex) once all were read, before any of
        it counts, and what it raises undoes all. Raises OSError and WriteFailed, and then nothing was taken in.
        """
        described: NewItem | Describe = (lambda sha256: _in_utc(new(sha256))) if callable(new) else _in_utc(new)
        return self._indexed(self._store.put(data, described, codec.as_utc(arrived_at or datetime.now(UTC)), sha256))

    def arriving(self) -> contextlib.AbstractContextManager[Arrival]:
        """A new item whose media somebody else seals to `recipient`. Works while locked. Nothing of it stays unless it is kept within."""
        return self._store.arriving()

    def keep(self, arrival: Arrival, new: NewItem, size: int, sha256: str) -> ItemMeta:
        """As `add`, for an item whose media are in its draft, on the disk for good and read back. Raises OSError, WriteFailed."""
        return self._indexed(self._store.keep(arrival, _in_utc(new), size, sha256, datetime.now(UTC)))

    def _indexed(self, meta: ItemMeta) -> ItemMeta:
        with self._writing:
            session = self._session
            if session is not None:
                with contextlib.suppress(VaultError):  # it is safe on the disk, and `catch_up` takes in what the index missed
                    session.index.put(meta, stamp=self._store.stamp(meta.id))
        return meta

    def read(self, item: ItemId) -> bytes:
        """Return the media, bit for bit. Raises VaultLocked, ItemMissing, ObjectDamaged."""
        return self._open().read(item)

    def open_media(self, item: ItemId) -> BinaryIO:
        """Return a seekable reader that opens only the chunks read. Raises VaultLocked, ItemMissing, ObjectDamaged, as do its reads."""
        return cast(BinaryIO, self._open().open_media(item))

    def meta(self, item: ItemId) -> ItemMeta:
        """Raises VaultLocked, ItemMissing, ObjectDamaged."""
        return self._open().meta(item)

    def change(self, item: ItemId, edit: Callable[[ItemMeta], ItemMeta]) -> ItemMeta:
        """Replace what is known of an item by `edit` of it, whole, with the next revision; the media and their digest never change.

        Raises VaultLocked, ItemMissing, ObjectDamaged, TooLarge, OSError, and then the old state stands.
        """
        with self._writing:
            session = self._open()
            old = session.meta(item)
            new = edit(old)
            kept = replace(new, id=old.id, revision=old.revision + 1, size=old.size, sha256=old.sha256, new=_in_utc(new.new))
            self._store.put_meta(kept)
            with contextlib.suppress(VaultError):
                session.index.put(kept, stamp=self._store.stamp(item))
        return kept

    def delete(self, item: ItemId) -> None:
        """Remove an item's files for good. Raises VaultLocked, ItemMissing."""
        with self._writing:
            session = self._open()
            if not self._store.has_any(item) and session.index.get(item) is None:
                raise ItemMissing
            session.index.remove(item)  # first, so that after a crash the item is back rather than missed
            self._store.delete(item)

    def with_digest(self, sha256: str) -> ItemId | None:
        """Return an item with those media (hex), the trash included. Raises VaultLocked."""
        return self.index.with_digest(sha256)

    def catch_up(self) -> tuple[ItemMeta, ...]:
        """After unlocking: take in what arrived while locked, or all of it into a new index; returns what is new. Raises VaultLocked.

        Compares the vault with how this computer saw it last, too; see `notices`.
        """
        noted = self._watch.noted(self._uses_keyring)
        with self._writing:
            session = self._open()
            new = session.catch_up()
            self._watch.judge(noted, session.seen)
        return new

    def notices(self) -> tuple[Notice, ...]:
        """Return what the last `catch_up` found different from when this computer last saw the vault. Raises VaultLocked."""
        self._open()
        return self._watch.notices

    def accept_notices(self) -> None:
        """Take the vault as it is now for how it should be; captures that are gone leave the index. Raises VaultLocked."""
        with self._writing:
            session = self._open()
            session.accept()
            self._watch.notices = ()
            self._watch.note(self._uses_keyring, session.standing)

    def forget_note(self) -> None:
        """Remove the note in the keyring, for a vault that is no more."""
        self._watch.forget(self._uses_keyring)

    @property
    def _uses_keyring(self) -> bool:
        return bool(self._settings.of_kind(SlotKind.KEYRING))

    def verify(self, progress: Callable[[int, int], None] | None = None, *, resume: bool = False) -> VerifyReport:
        """Read every sealed file and check it; `progress` gets (captures done, of how many). See `app.vault.check`.

        With `resume`, an interrupted run goes on. Raises VaultLocked, also when locked meanwhile.
        """
        return verify(self._store, self._open(), self._settings, progress, resume=resume)

    # -- care

    @property
    def folder(self) -> Path:
        return self._folder

    @contextlib.contextmanager
    def held(self) -> Iterator[Parts]:
        """For the modules of care: what the vault is made of, while nothing else of it is changed. Arriving captures are indexed later."""
        with self._writing:
            yield Parts(self._store, self._settings, self._session, self._slots)


def _in_utc(new: NewItem) -> NewItem:
    return replace(new, taken_at=codec.as_utc(new.taken_at))
