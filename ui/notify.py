"""Notifications: how many captures came in, never which, from whom or when; while locked not even how many.

Shown by the tray where there is one, else by the desktop portal of Linux (org.freedesktop.portal.Notification, flatpak.github.io),
which needs neither. Where there is neither, nothing is shown and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer
from PySide6.QtDBus import QDBusConnection, QDBusMessage

from ui.i18n import plural, tr

CALM_MS = 4000
"""Captures come in bursts: so long is waited after the first, then all are told at once."""

Show = Callable[[str, str], object]

_PORTAL = "org.freedesktop.portal"


def said(count: int, *, locked: bool) -> tuple[str, str]:
    """Title and text for `count` captures that came in."""
    if locked:
        return tr("Eyelid"), tr("New captures were sealed into the vault.")
    return tr("Eyelid"), plural(count, "{count} new capture is in the vault.", "{count} new captures are in the vault.")


def portal(bus: QDBusConnection | None = None) -> Show:
    """Notifications through the desktop portal; sent without waiting for an answer."""

    def show(title: str, text: str) -> None:
        there = bus or QDBusConnection.sessionBus()
        message = QDBusMessage.createMethodCall(
            f"{_PORTAL}.Desktop", "/org/freedesktop/portal/desktop", f"{_PORTAL}.Notification", "AddNotification"
        )
        message.setArguments(["captures", {"title": title, "body": text}])
        if there.isConnected():
            there.send(message)

    return show


class Notifier(QObject):
    """Collects arrivals and tells of them together."""

    def __init__(self, show: Show, *, locked: Callable[[], bool], parent: QObject | None = None) -> None:
        """`locked`: whether not even to say how many; asked when it is time."""
        super().__init__(parent)
        self._show = show
        self._locked = locked
        self._count = 0
        self._timer = QTimer(self, singleShot=True, interval=CALM_MS)
        self._timer.timeout.connect(self.tell)

    def arrived(self) -> None:
        self._count += 1
        if not self._timer.isActive():
            self._timer.start()

    def tell(self) -> None:
        """Tell of what came in since last time."""
        count, self._count = self._count, 0
        self._timer.stop()
        if count:
            self._show(*said(count, locked=self._locked()))
