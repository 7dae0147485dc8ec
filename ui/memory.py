"""What the window remembers of itself between runs (place, size, text size), in the profile. Nothing about captures."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings


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
    def text_percent(self) -> int:
        try:
            return int(str(self._file.value("text_percent", 100)))
        except ValueError:
            return 100

    @text_percent.setter
    def text_percent(self, value: int) -> None:
        self._file.setValue("text_percent", value)
        self._file.sync()

    @property
    def tile_size(self) -> int:
        """Which of the sizes of tiles; 1 is the middle one."""
        try:
            return int(str(self._file.value("tile_size", 1)))
        except ValueError:
            return 1

    @tile_size.setter
    def tile_size(self, value: int) -> None:
        self._file.setValue("tile_size", value)
        self._file.sync()
