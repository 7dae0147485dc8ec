"""Backup and restore: sealed files copied as they are, each checked by its digest after copying. No key is needed for either.

Owns the layout of a backup: that of the vault itself, without caches and locks, so that it can be opened like one; beside it
`backup.json`, which lists each file with size, time and SHA-256, and `older/`, which keeps what a changed file replaced, once. Nothing
that was deleted in the vault is deleted in the backup unless that is asked for. What never changes is never replaced by something else.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.vault import config
from app.vault.errors import VaultError, VaultExists, VaultMissing
from app.vault.files import Files, read_small, write_durably
from app.vault.sealed import HISTORY, QUARANTINE
from app.vault.vault import Vault

LIST = "backup.json"
OLDER = "older"
_LARGEST_LIST = 256 << 20
_PIECE = 1 << 20
_LIST_EVERY = 60.0
"""Seconds between two writings of the list on the way: what came before need not be copied again if the power goes off."""
_OBJECT = re.compile(r"objects/([0-9a-f]{2})/\1[0-9a-f]{30}\.age")
_META = re.compile(r"objects/([0-9a-f]{2})/\1[0-9a-f]{30}\.meta\.age")
_SLOT = re.compile(r"keys/[0-9a-f]{8}\.age")
_RECORD = re.compile(r"[a-z]{1,32}/(0|[1-9][0-9]{0,15})(\.[0-9a-f]{8})?\.age")
_HISTORY = re.compile(HISTORY + r"/[0-9a-f]{2}/[0-9a-f]{32}\.[0-9a-f]{8}\.age")
_QUARANTINE = re.compile(QUARANTINE + r"/[0-9TZ.]{1,40}/.+")

Progress = Callable[[int, int], None]


class BackupRefused(VaultError):
    """The folder named can't be a backup of this vault; nothing was written."""

    def __init__(self, why: str) -> None:
        super().__init__("That folder can't hold the backup.", why, "Choose another folder, best on another drive.")


class BackupDamaged(VaultError):
    """A file did not copy whole, or is not what the backup's list says."""

    def __init__(self, files: tuple[str, ...], what: str) -> None:
        self.files = files
        named = ", ".join(files[:3])
        why = f"It concerns {named} and {len(files) - 3} more." if len(files) > 3 else f"It concerns {named}."
        super().__init__(what, why, "Run “verify”, check the drive, and try again.")


@dataclass(frozen=True, slots=True)
class BackupReport:
    """`copied` files of `bytes` bytes; `kept` were there already; `gone` are in the backup only; `differing` immutable files are not what
    the backup has, so that one of the two is damaged, and the backup's was left."""

    copied: int
    kept: int
    bytes: int
    gone: int
    removed: int
    differing: tuple[str, ...]

    @property
    def sound(self) -> bool:
        return not self.differing


@dataclass(slots=True)
class _Entry:
    size: int
    time: int
    sha256: str


@dataclass(slots=True)
class _Tally:
    copied: int = 0
    kept: int = 0
    bytes: int = 0
    differing: list[str] = field(default_factory=list)


def backup(vault: Vault, target: Path, progress: Progress | None = None, *, check: bool = False, prune: bool = False) -> BackupReport:
    """Copy what is new or changed into `target`; works while locked. `progress` gets (files done, of how many).

    The vault stays in use: it is held for one file at a time, and for its ways in together.

    With `check`, files copied earlier are read again too. With `prune`, what was deleted from the vault is deleted from the backup.
    Raises BackupRefused, BackupDamaged, OSError; a backup that was stopped goes on with the next.
    """
    with vault.held() as parts:
        files = parts.store.files
    return _Backup(vault, files, target, check).run(progress or (lambda done, total: None), prune)


class _Backup:
    def __init__(self, vault: Vault, files: Files, target: Path, check: bool) -> None:
        self._vault = vault
        self._files = files
        self._source = vault.folder
        self._target = target
        self._id = vault.id
        self._check = check
        self._entries: dict[str, _Entry] = {}
        self._tally = _Tally()
        self._listed = 0.0

    def run(self, progress: Progress, prune: bool) -> BackupReport:
        self._prepare()
        content = sorted((name for name in _names(self._source) if not _is_door(name)), key=_order)
        gone = [name for name in self._entries.keys() - set(content) if not _is_door(name)]
        removed = self._remove(gone) if prune else 0  # first, as it makes room
        try:
            total = len(content) + len(_doors(self._source))
            for done, name in enumerate(content):
                progress(done, total)
                with self._vault.held(), contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                    self._one(name)
                if time.monotonic() - self._listed > _LIST_EVERY:
                    self._write_list()
            with self._vault.held():  # vault.toml names the files in keys/, so they are copied as they are at one moment
                doors = _doors(self._source)
                for done, name in enumerate(doors, len(content)):
                    progress(done, total)
                    self._one(name)
        finally:
            self._write_list()
        shut = self._remove([name for name in self._entries if _is_door(name) and name not in doors])
        self._write_list()
        progress(total, total)
        tally = self._tally
        return BackupReport(tally.copied, tally.kept, tally.bytes, len(gone) - removed, removed + shut, tuple(tally.differing))

    def _prepare(self) -> None:
        """See that `target` is empty or a backup of this very vault, and read its list."""
        source, target = self._source.resolve(), self._target.resolve()
        if target.is_relative_to(source) or source.is_relative_to(target):
            raise BackupRefused("It lies inside the vault, or the vault inside it.")
        if target.exists() and not target.is_dir():
            raise BackupRefused("It is a file.")
        if target.exists() and any(target.iterdir()):
            found = read_list(self._files, target)
            if found is None:
                raise BackupRefused("It holds other files, and no backup.")
            if found["id"] != self._id:
                raise BackupRefused("It holds the backup of another vault.")
            self._entries = {name: _Entry(*entry) for name, entry in found["files"].items()}
        target.parent.mkdir(parents=True, exist_ok=True)
        self._files.make_folder(self._target)
        self._write_list()

    def _one(self, name: str) -> None:
        path, copy, known = self._source / name, self._target / name, self._entries.get(name)
        facts = path.stat()
        there = known is not None and copy.is_file() and copy.stat().st_size == known.size
        if known is not None and there and (facts.st_size, facts.st_mtime_ns) == (known.size, known.time):
            if not self._check or _digest(copy) == known.sha256:
                self._tally.kept += 1
                return
            there = False  # the backup's own copy went bad; it is copied again
        sha256 = _digest(path)
        if known is not None and there:
            if sha256 == known.sha256:
                known.time = facts.st_mtime_ns
                self._tally.kept += 1
                return
            if _OBJECT.fullmatch(name) or _RECORD.fullmatch(name):
                self._tally.differing.append(name)
                return
            self._set_aside(name)
        copied = copy_file(self._files, path, copy, self._target)
        if copied != sha256:
            raise BackupDamaged((name,), "A file changed while it was copied.")
        self._entries[name] = _Entry(facts.st_size, facts.st_mtime_ns, sha256)
        self._tally.copied += 1
        self._tally.bytes += facts.st_size

    def _set_aside(self, name: str) -> None:
        """Keep what a changed file replaces, in case the change is the damage. Key slots are not kept: they were removed on purpose."""
        older = self._target / OLDER / name
        if not _SLOT.fullmatch(name) and name != config.NAME:
            _make_folders(self._files, older.parent, self._target)
            self._files.replace(self._target / name, older)

    def _remove(self, names: list[str]) -> int:
        for name in names:
            for path in (self._target / name, self._target / OLDER / name):
                self._files.remove(path)
            del self._entries[name]
        return len(names)

    def _write_list(self) -> None:
        table = {
            "eyelid_backup": 1,
            "id": self._id,
            "files": {name: [entry.size, entry.time, entry.sha256] for name, entry in sorted(self._entries.items())},
        }
        write_durably(self._files, self._target / LIST, [json.dumps(table, indent=0).encode("ascii")])
        self._listed = time.monotonic()


def restore(source: Path, target: Path, progress: Progress | None = None, *, files: Files | None = None) -> int:
    """Copy a backup to `target`, a new place, and return how many files that were. `vault.toml` comes last: before, there is no vault.

    Every file is compared with the backup's list. Raises VaultMissing (no backup there), VaultExists, BackupDamaged after having copied
    everything that is sound, OSError. One that was stopped goes on.
    """
    files = files or Files()
    found = read_list(files, source)
    if found is None or config.NAME not in found["files"]:
        raise VaultMissing
    if Vault.exists(target):
        raise VaultExists
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.make_folder(target)
    names = sorted(found["files"], key=_order)
    bad: list[str] = []
    for done, name in enumerate(names):
        if progress is not None:
            progress(done, len(names))
        size, _, sha256 = found["files"][name]
        if name == config.NAME and (bad_keys := [name for name in bad if _SLOT.fullmatch(name)]):
            raise BackupDamaged(tuple(bad_keys), "The backup's key files are damaged, so nothing was restored.")
        if not _restore_one(files, source, name, target, size, sha256):
            bad.append(name)
    if progress is not None:
        progress(len(names), len(names))
    if bad:
        raise BackupDamaged(tuple(bad), f"{len(names) - len(bad)} files were restored; {len(bad)} are damaged or missing in the backup.")
    return len(names)


def _restore_one(files: Files, source: Path, name: str, target: Path, size: int, sha256: str) -> bool:
    """Copy one file if it is what the list says; one that is there already, from a restore that was stopped, is not copied again.

    Where a backup was cut off after it had replaced the file and before it could list that, the listed one is the one it set aside.
    """
    if _is(target / name, size, sha256):
        return True
    path = next((path for path in (source / name, source / OLDER / name) if _is(path, size, sha256)), None)
    return path is not None and copy_file(files, path, target / name, target) == sha256


def _is(path: Path, size: int, sha256: str) -> bool:
    return path.is_file() and path.stat().st_size == size and _digest(path) == sha256


def read_list(files: Files, folder: Path) -> dict[str, Any] | None:
    """Return a backup's list, None where there is none that can be used. Names that are not those of a vault's files are left out."""
    try:
        found = json.loads(read_small(files, folder / LIST, _LARGEST_LIST) or b"")
        entries = {str(name): (int(size), int(time), str(sha256)) for name, (size, time, sha256) in found["files"].items()}
        vault_id = str(found["id"])
    except (OSError, ValueError, OverflowError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return {"id": vault_id, "files": {name: entry for name, entry in entries.items() if is_sealed(name)}}


def copy_file(files: Files, source: Path, target: Path, root: Path) -> str:
    """Copy as the vault writes: whole or not at all, read back. Returns the SHA-256 (hex) of what was read."""
    digest = hashlib.sha256()

    def pieces() -> Iterator[bytes]:
        with source.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
                yield piece

    _make_folders(files, target.parent, root)
    write_durably(files, target, pieces())
    return digest.hexdigest()


def is_sealed(name: str) -> bool:
    """Whether a name below the vault is one that a backup holds. None of them leads out of the folder."""
    if ".." in name.split("/") or "\\" in name or "\0" in name:
        return False
    return name == config.NAME or any(shape.fullmatch(name) for shape in (_OBJECT, _META, _SLOT, _RECORD, _HISTORY, _QUARANTINE))


def _names(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if is_sealed(name) and path.is_file() and not path.is_symlink():
            yield name


def _is_door(name: str) -> bool:
    return name == config.NAME or bool(_SLOT.fullmatch(name))


def _doors(folder: Path) -> list[str]:
    """The ways into a vault as they are now: the files in keys/, and vault.toml last."""
    slots = (f"keys/{path.name}" for path in (folder / "keys").glob("*.age") if path.is_file() and not path.is_symlink())
    return [*sorted(filter(_SLOT.fullmatch, slots)), config.NAME]


def _order(name: str) -> tuple[int, str]:
    """Objects before what describes them, keys, and vault.toml last: a backup that was stopped never names what it does not have."""
    places = (_OBJECT, _META, _RECORD, _HISTORY, _QUARANTINE, _SLOT)  # vault.toml is none of them
    return next((place for place, shape in enumerate(places) if shape.fullmatch(name)), len(places)), name


def _make_folders(files: Files, folder: Path, root: Path) -> None:
    for each in reversed([folder, *folder.parents]):
        if each.is_relative_to(root):
            files.make_folder(each)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
