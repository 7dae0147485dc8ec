"""Where a profile keeps its files. A profile is one folder; everything Eyelid writes lies below it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import platformdirs


@dataclass(frozen=True, slots=True)
class Profile:
    """One person's Eyelid. `--profile DIR` makes a throw-away one."""

    root: Path

    @classmethod
    def default(cls) -> Profile:
        """The profile of the person logged in, in the operating system's own place for application data."""
        return cls(Path(platformdirs.user_data_dir("eyelid", appauthor=False, roaming=False)))

    @property
    def vault(self) -> Path:
        return self.root / "vault"

    @property
    def settings(self) -> Path:
        return self.root / "settings.toml"

    def make(self) -> None:
        """Create the folder, readable by its owner only (0700 where the system has modes)."""
        self.root.mkdir(parents=True, exist_ok=True)
        if sys.platform != "win32":
            self.root.chmod(0o700)
