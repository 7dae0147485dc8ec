"""Locks the vault when nobody has used the window for a while, or the system says that the person is away.

Owns the clock of the last key or touch. Counts by the steady clock and by the time of day, whichever says more: the one stands still while
the computer sleeps, the other may be set. It looks at what comes to the program's windows from outside. What an input method writes
(Chinese, for one) comes to the focused widget alone and never to a window, so that one is looked at, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QGuiApplication
from shiboken6 import isValid

from app import settings as declared
from app.settings import Settings
from ui.lockwatch import LockWatch
from ui.windows import Windows

CHECK_MS = 5000
_USE = frozenset(
    {
        QEvent.Type.KeyPress,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseMove,
        QEvent.Type.Wheel,
        QEvent.Type.TouchBegin,
        QEvent.Type.TabletPress,
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
        self._windows = Windows(self)
        self._written_to: QObject | None = None
        self._timer = QTimer(self, interval=CHECK_MS)
        self._timer.timeout.connect(self.check)
        watch.away.connect(self._away)

    def start(self) -> None:
        self._used = self._now()
        self._timer.start()
        self.watch.start()
        if isinstance(app := QGuiApplication.instance(), QGuiApplication):
            app.focusObjectChanged.connect(self._attend_to)
        self._windows.watch()
        self._attend_to(QGuiApplication.focusObject())

    def stop(self) -> None:
        if isinstance(app := QGuiApplication.instance(), QGuiApplication) and self._timer.isActive():
            app.focusObjectChanged.disconnect(self._attend_to)
        self._timer.stop()
        self.watch.stop()
        self._windows.leave()
        self._attend_to(None)

    def _attend_to(self, focus: QObject | None) -> None:
        """Look at the widget that has the keyboard's focus, and no longer at the one that had it."""
        if self._written_to is not None and isValid(self._written_to):
            self._written_to.removeEventFilter(self)
        self._written_to = focus
        if focus is not None:
            focus.installEventFilter(self)

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
        if event.type() is QEvent.Type.InputMethod or (event.spontaneous() and event.type() in _USE):
            self.check()
            self.used()
        return False

    def _away(self) -> None:
        if self._settings.get(declared.LOCK_AWAY):
            self._lock()

    def _now(self) -> tuple[float, float]:
        return self._clocks[0](), self._clocks[1]()
