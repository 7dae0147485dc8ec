"""What comes to the program from outside, seen at its windows.

Not at the application: that passes on every event of every widget, and each would cost a call from Qt to Python and back.
"""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication


class Windows(QObject):
    """Lets `watcher` filter the events of every window: of those there are, and of those to come, once they have the keyboard's focus."""

    def __init__(self, watcher: QObject) -> None:
        super().__init__(watcher)
        self._watcher = watcher
        self._watching = False

    def watch(self) -> None:
        if not self._watching and isinstance(app := QGuiApplication.instance(), QGuiApplication):
            self._watching = True
            app.focusWindowChanged.connect(self._attend)
            self._attend()

    def leave(self) -> None:
        """Look no longer; asked twice, nothing happens."""
        if self._watching and isinstance(app := QGuiApplication.instance(), QGuiApplication):
            self._watching = False
            app.focusWindowChanged.disconnect(self._attend)
            for window in QGuiApplication.allWindows():
                window.removeEventFilter(self._watcher)

    def _attend(self, _window: object = None) -> None:
        for window in QGuiApplication.allWindows():
            window.installEventFilter(self._watcher)  # Qt keeps it once, however often it is installed
