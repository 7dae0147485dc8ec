"""Being told that the person is away: the screen was locked, another user took over, or the computer goes to sleep.

`LockWatch` is the interface, and all there is on systems that nobody wrote a watch for; `make_watch` picks one. A watch only tells. Whoever
listens decides what to do, and must not rely on being told: idle time counts all the same (`ui.idle`).
"""

from __future__ import annotations

import platform

from PySide6.QtCore import QObject, Signal

from ui.i18n import tr


class LockWatch(QObject):
    """`away` is emitted when the person left, as far as this system tells."""

    away = Signal()

    def start(self) -> None:
        """Begin to listen. Never raises: a system that tells nothing is not an error."""

    def stop(self) -> None:
        """Listen no more."""

    def words(self) -> str:
        """One honest sentence of what is noticed."""
        return tr("This system does not tell Eyelid when the screen is locked or the computer sleeps; only idle time counts.")


def make_watch() -> LockWatch:
    """The watch for this system, not started yet."""
    system = platform.system()
    if system == "Linux":
        from ui.lockwatch.linux import DBusWatch

        return DBusWatch()
    if system == "Windows":
        from ui.lockwatch.windows import WindowsWatch

        return WindowsWatch()
    if system == "Darwin":
        from ui.lockwatch.macos import MacWatch

        return MacWatch()
    return LockWatch()
