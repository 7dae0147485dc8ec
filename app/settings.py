"""Settings, declared once: key, default, plain help. The settings page and the command line are made from this list.

Owns the settings file. No secrets are kept here: API keys and vault keys live in the operating system's keyring.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from app.errors import EyelidError
from app.files import replace_file
from app.sharing.regions import PLACES

T = TypeVar("T", bool, str)

MANY = 12
"""More choices than these are not listed in a message."""


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """One thing a person can choose. `choices` limits a text setting; empty means any text."""

    key: str
    default: T
    title: str
    help: str
    choices: tuple[str, ...] = ()


THEME: Setting[str] = Setting(
    "theme", "system", "Theme", "How the window looks; “system” follows your desktop.", ("system", "light", "dark", "contrast")
)
AI_OFF: Setting[bool] = Setting(
    "ai_off", False, "AI off", "Closes the gate whole: nothing can be sent to any assistant until you switch this off."
)
DESTINATION: Setting[str] = Setting(
    "destination", "mirror", "Usual destination", "Where a question goes unless you choose otherwise; the mirror stays on this computer."
)
CONTINUOUS: Setting[bool] = Setting(
    "continuous", False, "Capture at intervals after pairing", "Newly paired glasses take photos by themselves, if they can."
)

REGION: Setting[str] = Setting(
    "region",
    "",
    "Where you are",
    "Terms differ by country, and in the United States by state. It is used to show you those that count for you, and goes nowhere.",
    ("", *PLACES),
)
"""A code of `app.sharing.regions.PLACES`; empty until it was asked."""

NEVER = "never"
IDLE_LOCK: Setting[str] = Setting(
    "idle_lock", "15", "Lock after idle minutes", "The vault locks by itself after so many minutes.", ("1", "5", "15", "30", NEVER)
)
LOCK_AWAY: Setting[bool] = Setting(
    "lock_away",
    True,
    "Lock when I am away",
    "Locks the vault when the screen is locked, another user takes over, or the computer goes to sleep.",
)

WATCH_FOLDER: Setting[str] = Setting(
    "watch_folder",
    "",
    "Watched folder",
    "Pictures and films that appear in this folder are imported by themselves; point your phone's synchronisation there.",
)
"""A path; empty for none."""

ALL: tuple[Setting[str] | Setting[bool], ...] = (THEME, AI_OFF, DESTINATION, CONTINUOUS, IDLE_LOCK, LOCK_AWAY, REGION, WATCH_FOLDER)


class SettingsError(EyelidError):
    """The settings file, or a value given for a setting, cannot be used."""


class Settings:
    """The values in force. Reading never fails for a missing file; a damaged one is reported, and kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values: dict[str, bool | str] = {}
        self._listeners: list[Callable[[str], None]] = []
        if path.exists():
            self._load()

    def _load(self) -> None:
        try:
            found = tomllib.loads(self._path.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(
                "The settings file cannot be read.",
                f"{self._path.name} is damaged ({error}).",
                "Mend it or move it away, then start again.",
            ) from error
        for setting in ALL:
            if setting.key in found:
                self._values[setting.key] = self._checked(setting, found[setting.key])

    @staticmethod
    def _checked(setting: Setting[str] | Setting[bool], value: object) -> bool | str:
        if isinstance(value, bool | str) and type(value) is type(setting.default) and (not setting.choices or value in setting.choices):
            return value
        few = setting.choices if len(setting.choices) <= MANY else ("one of those offered",)
        wanted = " or ".join(few) if setting.choices else ("true or false" if isinstance(setting.default, bool) else "text")
        raise SettingsError(
            f"The setting “{setting.key}” has a value that it cannot have.", f"It must be {wanted}.", "Change it and try again."
        )

    def get(self, setting: Setting[T]) -> T:
        value = self._values.get(setting.key, setting.default)
        return value  # type: ignore[return-value]  # checked against the setting's own type on the way in

    def set(self, setting: Setting[T], value: T) -> None:
        """Keep `value`, durably; raises SettingsError for a value the setting cannot have."""
        self._values[setting.key] = self._checked(setting, value)
        # JSON's strings and booleans are TOML's as well.
        lines = [f"{key} = {json.dumps(kept, ensure_ascii=False)}\n" for key, kept in sorted(self._values.items())]
        replace_file(self._path, "".join(lines).encode())
        for listener in self._listeners:
            listener(setting.key)

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Call `listener` with the key of each setting that is set from now on."""
        self._listeners.append(listener)
