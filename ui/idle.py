"""Locks the vault when nobody has used the window for a while, or the system says that the person is away.

Owns the clock of the last key or touch. Counts by the steady clock and by the time of day, whichever says more: the one stands still while
the computer sleeps, the other may be set. It looks at what comes to the program's windows from outside, and not at the application: that
passes on every event of every widget, and each would cost a call from Qt to Python and back.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QGuiApplication

from app import settings as declared
from app.settings import Settings
from ui.lockwatch import LockWatch

CHECK_MS = 5000
_USE = frozenset(
    {
        QEvent.Type.KeyPress,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseMove,
        QEvent.Type.Wheel,
        QEvent.Type.TouchBegin,
        QEvent.Type.TabletPress,
        QEvent.Type.InputMethod,
    }
)
Clock = Callable[[], float]


class Guard(QObject):
    """Calls `lock` when it is time. What it is for is read from the settings at each look, so a change counts at once."""

    def __init__(self, settings: Settings, lock: Callable[[], None], watch: LockWatch, clocks: tuple[Clock, Clock] | None = None) -> None:
        super().__init__()
        self._settings = settings
        self._lock = lock
        self.watch = watch
        self._clocks = clocks or (time.monotonic, time.time)
        self._used = self._now()
        self._timer = QTimer(self, interval=CHECK_MS)
        self._timer.timeout.connect(self.check)
        watch.away.connect(self._away)

    def start(self) -> None:
        self._used = self._now()
        self._timer.start()
        self.watch.start()
        if isinstance(app := QGuiApplication.instance(), QGuiApplication):
            app.focusWindowChanged.connect(self._attend)
        self._attend()

    def stop(self) -> None:
        if isinstance(app := QGuiApplication.instance(), QGuiApplication) and self._timer.isActive():
            app.focusWindowChanged.disconnect(self._attend)
        self._timer.stop()
        self.watch.stop()
        for window in QGuiApplication.allWindows():
            window.removeEventFilter(self)

    def _attend(self, _window: object = None) -> None:
        """Look at every window there is now; a new one comes with the keyboard's focus."""
        for window in QGuiApplication.allWindows():
            window.installEventFilter(self)

    def used(self) -> None:
        """The person did something."""
        self._used = self._now()

    def idle_seconds(self) -> float:
        return max(now - then for now, then in zip(self._now(), self._used, strict=True))

    def check(self) -> None:
        """Lock if nobody has been here for as long as the settings say."""
        minutes = self._settings.get(declared.IDLE_LOCK)
        if minutes != declared.NEVER and self.idle_seconds() >= 60 * int(minutes):
            self._lock()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """See every key and touch. The first one after a long sleep must not count before the time was looked at."""
        if event.spontaneous() and event.type() in _USE:
            self.check()
            self.used()
        return False

    def _away(self) -> None:
        if self._settings.get(declared.LOCK_AWAY):
            self._lock()

    def _now(self) -> tuple[float, float]:
        return self._clocks[0](), self._clocks[1]()
