"""One window a profile: a second start wakes the first and leaves. Works alike on all systems: a lock the system lets go of, and a bell.

The bell is a small file in a folder that the first one watches; it takes the file away, and that is the answer. No socket, no port, no name
on a bus that somebody else could take.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, Signal

from app.files import replace_file
from app.vault.errors import VaultInUse
from app.vault.lockfile import ProcessLock

ANSWER_SECONDS = 5.0
LOOK_SECONDS = 0.05
_LONGEST = 4096
_TOKEN = "XDG_ACTIVATION_TOKEN"
"""What a Wayland desktop hands to a program it starts, so that a window may come to the front (xdg-activation-v1)."""


def claim(folder: Path) -> ProcessLock | None:
    """Be the one window of the profile in `folder`; None when there is one already. Held until the process ends."""
    try:
        return ProcessLock(folder / "window.lock")
    except VaultInUse:
        return None


def ring(folder: Path, pause: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.monotonic) -> bool:
    """Ask the window that has this profile to come to the front; False if it did not answer in time."""
    bell = _bell(folder)
    bell.parent.mkdir(mode=0o700, exist_ok=True)
    # Whole at once: the other one looks as soon as it is there.
    replace_file(bell, os.environ.get(_TOKEN, "")[:_LONGEST].encode("ascii", "ignore"))
    until = clock() + ANSWER_SECONDS
    while bell.exists():
        if clock() >= until:
            bell.unlink(missing_ok=True)
            return False
        pause(LOOK_SECONDS)
    return True


def _bell(folder: Path) -> Path:
    return folder / "bell" / "ring"


class Bell(QObject):
    """`rung` when another start asked for this window; carries the desktop's leave to come to the front, or nothing."""

    rung = Signal(str)

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._file = _bell(folder)
        self._file.parent.mkdir(mode=0o700, exist_ok=True)
        self._file.unlink(missing_ok=True)
        self._watcher = QFileSystemWatcher([str(self._file.parent)], self)
        self._watcher.directoryChanged.connect(self._look)

    def _look(self) -> None:
        try:
            with self._file.open("r", encoding="utf-8") as file:
                token = file.read(_LONGEST)
            self._file.unlink()
        except (OSError, UnicodeDecodeError):  # the change was its own taking away, or a file that is none of ours
            return
        if token.isascii() and token.isprintable() and token:
            os.environ[_TOKEN] = token
        self.rung.emit(token)
