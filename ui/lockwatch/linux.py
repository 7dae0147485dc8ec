"""Linux: logind on the system bus (sleep, lock, another user), and the screen savers of the desktops on the session bus.

Sources: the D-Bus interface org.freedesktop.login1 (systemd, man 5 org.freedesktop.login1), the Idle Inhibition Service draft of
freedesktop.org for ActiveChanged, and the desktops' own screen savers, which tell in the same form.
"""

from __future__ import annotations

import os

from PySide6.QtCore import SLOT, QObject, QTimer, Slot
from PySide6.QtDBus import QDBusConnection, QDBusMessage, QDBusPendingCallWatcher, QDBusUnixFileDescriptor

from ui.i18n import tr
from ui.lockwatch import LockWatch

LOGIN = "org.freedesktop.login1"
SESSION = f"{LOGIN}.Session"
PROPERTIES = "org.freedesktop.DBus.Properties"
PAINT_MS = 500
"""Time to show the lock page before sleep is let on."""
SAVERS = tuple(f"org.{desktop}.ScreenSaver" for desktop in ("freedesktop", "gnome", "cinnamon", "mate", "xfce"))


def session_path(session: str) -> str:
    """The object of a logind session, its id escaped as systemd's bus_label_escape does."""
    letters = (
        char if char.isascii() and char.isalnum() and not (at == 0 and char.isdigit()) else f"_{ord(char):02x}"
        for at, char in enumerate(session)
    )
    return "/org/freedesktop/login1/session/" + "".join(letters)


class SleepDelay(QObject):
    """logind's leave to finish something before sleep: a file descriptor that holds sleep up while it is open (5 seconds at most)."""

    def __init__(self) -> None:
        super().__init__()
        self._held: QDBusUnixFileDescriptor | None = None
        self._asking: QDBusPendingCallWatcher | None = None

    @property
    def held(self) -> bool:
        return self._held is not None

    def take(self, bus: QDBusConnection) -> None:
        """Ask for it; without an answer, sleep simply is not held up."""
        if self.held or not bus.isConnected():
            return
        message = QDBusMessage.createMethodCall(LOGIN, "/org/freedesktop/login1", f"{LOGIN}.Manager", "Inhibit")
        message.setArguments(["sleep", "Eyelid", tr("Locks the vault"), "delay"])
        self._asking = QDBusPendingCallWatcher(bus.asyncCall(message), self)
        self._asking.finished.connect(self._answered)

    def _answered(self, done: QDBusPendingCallWatcher) -> None:
        said = done.reply().arguments()
        if not done.isError() and said and isinstance(said[0], QDBusUnixFileDescriptor):
            self._held = said[0]
        self._asking = None
        done.deleteLater()  # its reply holds a copy of the descriptor, which has to be closed with ours

    def let_go(self) -> None:
        self._held = None


class DBusWatch(LockWatch):
    """Listens to signals of those who own the names only; asks nothing and blocks nothing."""

    def __init__(self, system: QDBusConnection | None = None, desktop: QDBusConnection | None = None, session: str | None = None) -> None:
        """The buses and the session id are those of this login unless given."""
        super().__init__()
        self._system = system
        self._desktop = desktop
        self._session = os.environ.get("XDG_SESSION_ID", "") if session is None else session
        self._heard: list[tuple[QDBusConnection, tuple[str, str, str, str], str]] = []
        self._delay = SleepDelay()

    def start(self) -> None:
        system, desktop = self._system or QDBusConnection.systemBus(), self._desktop or QDBusConnection.sessionBus()
        self._hear(system, (LOGIN, "/org/freedesktop/login1", f"{LOGIN}.Manager", "PrepareForSleep"), "sleeps(bool)")
        if self._session:
            path = session_path(self._session)
            self._hear(system, (LOGIN, path, SESSION, "Lock"), "locked()")
            self._hear(system, (LOGIN, path, PROPERTIES, "PropertiesChanged"), "changed(QString,QVariantMap,QStringList)")
        for saver in SAVERS:
            self._hear(desktop, (saver, "", saver, "ActiveChanged"), "told(bool)")
        self._delay.take(system)

    def _hear(self, bus: QDBusConnection, what: tuple[str, str, str, str], slot: str) -> None:
        # The stubs ask for bytes; only text is taken.
        if bus.isConnected() and bus.connect(*what, self, SLOT(slot)):  # type: ignore[call-overload]
            self._heard.append((bus, what, slot))

    def stop(self) -> None:
        for bus, what, slot in self._heard:
            bus.disconnect(*what, self, SLOT(slot))  # type: ignore[call-overload]
        self._heard.clear()
        self._delay.let_go()

    def words(self) -> str:
        return tr("Noticed through the login service and the screen saver of the desktop.") if self._heard else super().words()

    @Slot(bool)
    def sleeps(self, begins: bool) -> None:
        """Sleep begins, or has ended. What is shown is changed before the computer sleeps, so that waking flashes nothing."""
        self.told(begins)
        if begins:
            QTimer.singleShot(PAINT_MS, self._delay.let_go)
        else:
            self._delay.take(self._system or QDBusConnection.systemBus())

    @Slot(bool)
    def told(self, begins: bool) -> None:
        """The screen saver begins or ends."""
        if begins:
            self.away.emit()

    @Slot()
    def locked(self) -> None:
        self.away.emit()

    @Slot(str, "QVariantMap", "QStringList")
    def changed(self, interface: str, values: dict[str, object], gone: list[str]) -> None:
        """Another user's session came to the front, or this one was locked."""
        if interface == SESSION and (values.get("Active") is False or values.get("LockedHint") is True):
            self.away.emit()
