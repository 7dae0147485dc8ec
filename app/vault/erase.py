"""Erasing a vault: first every way to open it, then what it held.

Once the key slots and their keyring entries are gone, what is left cannot be opened by anybody, whatever a drive keeps of it. Overwriting
is tried, and promised by nobody: drives and file systems keep old blocks as they like. Backups and copies elsewhere are not reached.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.vault import config
from app.vault.backup import is_sealed
from app.vault.errors import VaultError
from app.vault.files import PARTIAL, Files
from app.vault.vault import Vault

_CACHES = ("index.db", "thumbs.db")
_OF_AN_ITEM = re.compile(r"objects/[0-9a-f]{2}/[0-9a-f]{32}")
"""Begins the names of copies that other programs made of an item's files, too."""
_PARTS = ("", "-wal", "-shm", "-journal")


class NotConfirmed(VaultError):
    def __init__(self) -> None:
        super().__init__("The vault was not erased.", "What was typed is not its short id.", "Type the id as it is shown, to erase it.")


@dataclass(frozen=True, slots=True)
class Erased:
    """How many files went; `left` are those in the folder that are not Eyelid's, or could not be removed."""

    files: int
    left: tuple[str, ...]


def short_id(vault: Vault) -> str:
    """What a person types to erase the vault: the first 8 digits of its id."""
    return vault.id[:8]


def erase(vault: Vault, typed: str) -> Erased:
    """Destroy the vault; works locked. `typed` must be its short id, else NotConfirmed and nothing happened. The vault is closed.

    Raises OSError where a key slot can't be removed, and then nothing else was touched. One that was stopped can be begun again.
    """
    if typed.strip().lower() != short_id(vault):
        raise NotConfirmed
    vault.lock()
    with vault.held() as parts:
        files, folder = parts.store.files, vault.folder
        for slot in parts.settings.slots:
            overwrite(folder / slot.file)
            parts.slots.forget(vault.id, slot)
        for path in list((folder / "keys").glob("*")):
            overwrite(path)
            files.remove(path)
        if (folder / "keys").is_dir():
            files.sync_folder(folder / "keys")
        vault.forget_note()
        count = _remove_all(files, folder)
    vault.close()
    with contextlib.suppress(OSError):
        (folder / "lock").unlink()
    left = tuple(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()))
    with contextlib.suppress(OSError):
        folder.rmdir()
    return Erased(count, left)


def overwrite(path: Path) -> None:
    """Write random bytes over a file, as far as the drive lets us. Raises nothing: removing it comes next either way."""
    with contextlib.suppress(OSError), path.open("r+b", buffering=0) as file:
        size = path.stat().st_size
        file.write(os.urandom(min(size, 1 << 20)))
        os.fsync(file.fileno())


def _remove_all(files: Files, folder: Path) -> int:
    """Remove what a vault writes, vault.toml last, so that a run that was stopped can be begun again."""
    count = 0
    for path in [path for path in _ours(folder) if path.name != config.NAME]:
        with contextlib.suppress(OSError):
            files.remove(path)
            count += 1
    for path in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        with contextlib.suppress(OSError):  # it holds something that is not ours
            path.rmdir()
    files.remove(folder / config.NAME)
    files.sync_folder(folder)
    return count + 1


def _ours(folder: Path) -> Iterator[Path]:
    caches = {name + part for name in _CACHES for part in _PARTS} | {"verify.age"}
    for path in list(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_dir() and (is_sealed(name) or name in caches or name.endswith(PARTIAL) or _OF_AN_ITEM.match(name)):
            yield path
