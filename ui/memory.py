"""What the window remembers of itself between runs (place, size, how far the first run came), in the profile. Nothing about captures."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

_VAULT_STEP = 1
"""The one of the first run that makes the vault; it cannot be left for later."""


class Memory:
    """A small ini file beside the settings. Unreadable values fall back to the defaults."""

    def __init__(self, folder: Path) -> None:
        self._file = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)

    @property
    def geometry(self) -> QByteArray | None:
        value = self._file.value("geometry")
        return value if isinstance(value, QByteArray) else None

    @geometry.setter
    def geometry(self, value: QByteArray) -> None:
        self._file.setValue("geometry", value)
        self._file.sync()

    @property
    def first_run(self) -> int:
        """The step of the first run that comes next; 0 once it is over."""
        return self._number("first_run", 0)

    @first_run.setter
    def first_run(self, step: int) -> None:
        self._file.setValue("first_run", step)
        self._file.sync()

    @property
    def first_run_pending(self) -> bool:
        """Whether steps after the vault's creation were neither done nor skipped."""
        return self.first_run > _VAULT_STEP

    @property
    def tile_size(self) -> int:
        """Which of the sizes of tiles; 1 is the middle one."""
        return self._number("tile_size", 1)

    @tile_size.setter
    def tile_size(self, value: int) -> None:
        self._file.setValue("tile_size", value)
        self._file.sync()

    @property
    def region_asked(self) -> bool:
        """Whether the person was asked where they are, whatever they said."""
        return str(self._file.value("region_asked", "")) == "yes"

    @region_asked.setter
    def region_asked(self, value: bool) -> None:
        self._file.setValue("region_asked", "yes" if value else "no")
        self._file.sync()

    def _number(self, key: str, default: int) -> int:
        try:
            return int(str(self._file.value(key, default)))
        except ValueError:
            return default
