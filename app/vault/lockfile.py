"""One process a vault. Owns the file `lock` and the operating system's lock on it, which ends with the process, however that ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from app.vault.errors import VaultInUse


class ProcessLock:
    """Held from construction to `release`. Raises VaultInUse if somebody else holds it, in this process or another."""

    def __init__(self, path: Path) -> None:
        self._handle: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _take(self._handle)
        except OSError:
            os.close(self._handle)
            raise VaultInUse from None

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _take(handle: int) -> None:
    if sys.platform == "win32":  # pragma: no cover
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
