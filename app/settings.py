"""Settings, declared once: key, default, plain help. The settings page and the command line are made from this list.

Owns the settings file. No secrets are kept here: API keys and vault keys live in the operating system's keyring.
"""

from __future__ import annotations

import enum
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

FORMAT = 1
"""Of the file, whose first line it is; a file without one has this. Raised when what a key or a value means changes."""

MANY = 12
"""More choices than these are not listed in a message."""


class Group(enum.Enum):
    """Where a setting belongs; the order of the page."""

    GENERAL = "General"
    LOOK = "Appearance and access"
    LOCK = "Locking"
    GLASSES = "Glasses"
    IMPORT = "Import"
    SHARING = "AI and sharing"


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """One thing a person can choose. `choices` limits a text setting; empty means any text. `words` says each choice in plain words."""

    key: str
    default: T
    title: str
    help: str
    choices: tuple[str, ...] = ()
    group: Group = Group.GENERAL
    words: tuple[str, ...] = ()


AI_OFF: Setting[bool] = Setting(
    "ai_off",
    False,
    "AI off",
    "Nothing can be sent to any assistant until you switch this off.",
    group=Group.SHARING,
)
DESTINATION: Setting[str] = Setting(
    "destination",
    "mirror",
    "Usual destination",
    "Where a question goes unless you choose otherwise; the mirror stays on this computer.",
    group=Group.SHARING,
)
REGION: Setting[str] = Setting(
    "region",
    "",
    "Where you are",
    "Terms differ by country, and in the United States by state. It is used to show you those that count for you, and goes nowhere.",
    ("", *PLACES),
    Group.SHARING,
    ("not said", *PLACES.values()),
)
"""A code of `app.sharing.regions.PLACES`; empty until it was asked."""

SYSTEM = "system"
LANGUAGE: Setting[str] = Setting(
    "language",
    SYSTEM,
    "Language",
    "The language of the window, from the next start on.",
    (SYSTEM, "en", "de", "es", "fr", "zh_CN"),
    Group.LOOK,
    ("Like the desktop", "English", "Deutsch", "Español", "Français", "简体中文"),
)
THEME: Setting[str] = Setting(
    "theme",
    "system",
    "Theme",
    "How the window looks: light, dark, or with high contrast.",
    ("system", "light", "dark", "contrast"),
    Group.LOOK,
    ("Like the desktop", "Light", "Dark", "High contrast"),
)
TEXT_SIZE: Setting[str] = Setting(
    "text_size",
    "100",
    "Text size",
    "How large all text is, on top of the size your desktop gives it.",
    ("100", "125", "150", "200"),
    Group.LOOK,
    ("100 %", "125 %", "150 %", "200 %"),
)
"""In percent."""

TRAY: Setting[bool] = Setting(
    "tray",
    False,
    "Keep running when the window is closed",
    "Eyelid stays in the tray, and captures go on coming in. Where the desktop has no tray, closing the window ends Eyelid.",
)
START_AT_LOGIN: Setting[bool] = Setting(
    "start_at_login", False, "Start when I log in", "Eyelid starts with your desktop, locked, in the tray or as a small window."
)
NOTIFY: Setting[bool] = Setting(
    "notify",
    True,
    "Tell me when captures arrive",
    "A notification says how many, never what or from whom; while the vault is locked not even how many.",
)

CONTINUOUS: Setting[bool] = Setting(
    "continuous",
    False,
    "Capture at intervals after pairing",
    "Newly paired glasses take photos by themselves, if they can.",
    group=Group.GLASSES,
)

NEVER = "never"
IDLE_LOCK: Setting[str] = Setting(
    "idle_lock",
    "15",
    "Lock by itself",
    "The vault locks when Eyelid was not used for so long.",
    ("1", "5", "15", "30", NEVER),
    Group.LOCK,
    ("after 1 minute", "after 5 minutes", "after 15 minutes", "after 30 minutes", "never"),
)
"""In minutes."""
LOCK_AWAY: Setting[bool] = Setting(
    "lock_away",
    True,
    "Lock when I am away",
    "Locks the vault when the screen is locked, another user takes over, or the computer goes to sleep.",
    group=Group.LOCK,
)

WATCH_FOLDER: Setting[str] = Setting(
    "watch_folder",
    "",
    "Watched folder",
    "Pictures and films that appear in this folder are imported by themselves; point your phone's synchronisation there.",
    group=Group.IMPORT,
)
"""A path; empty for none."""

AnySetting = Setting[str] | Setting[bool]

ALL: tuple[AnySetting, ...] = (
    TRAY,
    START_AT_LOGIN,
    NOTIFY,
    LANGUAGE,
    THEME,
    TEXT_SIZE,
    IDLE_LOCK,
    LOCK_AWAY,
    CONTINUOUS,
    WATCH_FOLDER,
    AI_OFF,
    DESTINATION,
    REGION,
)
"""In the order of the page within each group."""


def named(key: str) -> AnySetting:
    """The setting called `key`. Raises SettingsError."""
    found = next((setting for setting in ALL if setting.key == key), None)
    if found is None:
        raise SettingsError(f"There is no setting called “{key}”.", "", "List them with “eyelid settings”.")
    return found


class SettingsError(EyelidError):
    """The settings file, or a value given for a setting, cannot be used."""


class Settings:
    """The values in force. Reading never fails for a missing file; a damaged one is reported, and kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values: dict[str, bool | str] = {}
        self._others: tuple[str, ...] = ()
        self._listeners: list[Callable[[str], None]] = []
        if path.exists():
            self._load()

    def _load(self) -> None:
        try:
            text = self._path.read_text("utf-8")
            found = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(
                "The settings file cannot be read.",
                f"{self._path.name} is damaged ({error}).",
                "Mend it or move it away, then start again.",
            ) from error
        if found.get("format", FORMAT) != FORMAT:
            raise SettingsError(
                "The settings file cannot be read.", "It was written by a newer Eyelid.", "Update Eyelid and open it again."
            )
        for setting in ALL:
            if setting.key in found:
                self._values[setting.key] = self._checked(setting, found[setting.key], file=self._path.name)
        # Settings of a newer Eyelid stay for its return, as the lines it wrote: one each.
        keys = found.keys() - {"format", *(setting.key for setting in ALL)}
        self._others = tuple(line for line in text.splitlines() if line.partition(" = ")[0] in keys)

    @staticmethod
    def _checked(setting: AnySetting, value: object, file: str = "") -> bool | str:
        if isinstance(value, bool | str) and type(value) is type(setting.default) and (not setting.choices or value in setting.choices):
            return value
        few = setting.choices if len(setting.choices) <= MANY else ("one of those offered",)
        wanted = " or ".join(few) if setting.choices else ("true or false" if isinstance(setting.default, bool) else "text")
        what = f"The setting “{setting.key}” has a value that it cannot have."
        if file:
            why = f"It must be {wanted}; {file} was changed by hand, or written by a newer Eyelid."
            raise SettingsError(what, why, "Update Eyelid, or take that line out of the file, and start again.")
        raise SettingsError(what, f"It must be {wanted}.", "Change it and try again.")

    def get(self, setting: Setting[T]) -> T:
        value = self._values.get(setting.key, setting.default)
        return value  # type: ignore[return-value]  # checked against the setting's own type on the way in

    def set(self, setting: Setting[T], value: T) -> None:
        """Keep `value`, durably; raises SettingsError for a value the setting cannot have.

        Where the disk refuses, the value is in force all the same, until Eyelid ends, and SettingsError says so.
        """
        self.put(setting, value)

    def value(self, setting: AnySetting) -> bool | str:
        """As `get`, for whoever goes through all settings."""
        return self._values.get(setting.key, setting.default)

    def put(self, setting: AnySetting, value: bool | str) -> None:
        """As `set`, for whoever goes through all settings."""
        self._values[setting.key] = self._checked(setting, value)
        self._save(setting.key)

    def reset(self, setting: AnySetting) -> None:
        """Back to the default, durably; a default that changes with a later version then counts."""
        if self._values.pop(setting.key, None) is not None:
            self._save(setting.key)

    def is_default(self, setting: AnySetting) -> bool:
        return self.value(setting) == setting.default

    def _save(self, changed: str) -> None:
        # JSON's strings and booleans are TOML's as well.
        lines = [f"format = {FORMAT}\n"]
        lines += [f"{key} = {json.dumps(kept, ensure_ascii=False)}\n" for key, kept in sorted(self._values.items())]
        lines += [f"{line}\n" for line in self._others]
        try:
            replace_file(self._path, "".join(lines).encode())
        except OSError as error:
            why = f"The computer said: {error.strerror or type(error).__name__}."
            what = "This counts now, but could not be kept for the next start."
            raise SettingsError(what, why, "Check the disk and try again.") from error
        finally:
            # Whoever switches AI off has it off, whatever the disk says.
            for listener in self._listeners:
                listener(changed)

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Call `listener` with the key of each setting that is set or reset from now on."""
        self._listeners.append(listener)
