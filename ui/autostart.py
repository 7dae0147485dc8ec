"""Start at login, as each system does it for one person: an XDG autostart file, a value under the Run key, or a launch agent.

Sources: the Desktop Application Autostart Specification of freedesktop.org; "Run and RunOnce Registry Keys" of learn.microsoft.com;
launchd.plist(5). Owns nothing but that one entry.
"""

from __future__ import annotations

import os
import plistlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QSettings

from app.files import replace_file

NAME = "eyelid"
_RUN = "HKEY_CURRENT_USER\\Software\\Microsoft\\Windows\\CurrentVersion\\Run"
_ID = "app.eyelid.Eyelid"
"""Of resources/packaging: also the name of its icon."""


class Autostart(Protocol):
    """Whether Eyelid starts when this person logs in."""

    @property
    def on(self) -> bool: ...

    def switch(self, on: bool) -> None:
        """Raises OSError."""


def own_command(profile: Path | None = None) -> list[str]:
    """How this very program is started, hidden; `profile` only where it is not the usual one."""
    start = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "ui"]
    return [*start, "--hidden", *(["--profile", str(profile)] if profile else [])]


def make_autostart(command: Sequence[str], system: str = sys.platform) -> Autostart:
    """The way of this system."""
    if system == "win32":
        return RunKey(command)
    if system == "darwin":
        return LaunchAgent(Path.home() / "Library" / "LaunchAgents", command)
    config = os.environ.get("XDG_CONFIG_HOME", "")
    return DesktopFile((Path(config) if config.startswith("/") else Path.home() / ".config") / "autostart", command)


class EntryFile:
    """Where the entry is a file: what is in it is each system's own."""

    def __init__(self, file: Path, command: Sequence[str]) -> None:
        self._file = file
        self._command = command

    @property
    def on(self) -> bool:
        return self._file.is_file()

    def switch(self, on: bool) -> None:
        if on:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self._file, self._entry())
        else:
            self._file.unlink(missing_ok=True)

    def _entry(self) -> bytes:
        raise NotImplementedError


class DesktopFile(EntryFile):
    """Linux and other desktops of freedesktop.org."""

    def __init__(self, folder: Path, command: Sequence[str]) -> None:
        super().__init__(folder / f"{NAME}.desktop", command)

    def _entry(self) -> bytes:
        words = " ".join(_quoted(word) for word in self._command)
        lines = ("[Desktop Entry]", "Type=Application", "Name=Eyelid", f"Exec={words}", f"Icon={_ID}", "X-GNOME-Autostart-enabled=true")
        return ("\n".join(lines) + "\n").encode()


def _quoted(word: str) -> str:
    """One argument of an Exec line: quoted for it, and then for the file's own string type (Desktop Entry Specification, "Exec")."""
    inner = "".join(f"\\{char}" if char in '"`$\\' else char for char in word).replace("%", "%%")
    return '"' + inner.replace("\\", "\\\\") + '"'


class LaunchAgent(EntryFile):
    """macOS."""

    def __init__(self, folder: Path, command: Sequence[str]) -> None:
        super().__init__(folder / f"{_ID}.plist", command)

    def _entry(self) -> bytes:
        agent = {"Label": _ID, "ProgramArguments": list(self._command), "RunAtLoad": True, "ProcessType": "Interactive"}
        return plistlib.dumps(agent)


class RunKey:
    """Windows. `place` is the registry key, or a file where this is tried out."""

    def __init__(self, command: Sequence[str], place: QSettings | None = None) -> None:
        self._command = command
        self._place = place or QSettings(_RUN, QSettings.Format.NativeFormat)

    @property
    def on(self) -> bool:
        return self._place.contains(NAME)

    def switch(self, on: bool) -> None:
        if on:
            self._place.setValue(NAME, " ".join(f'"{word}"' if " " in word else word for word in self._command))
        else:
            self._place.remove(NAME)
        self._place.sync()
