"""Windows: session notifications (lock, disconnect, another user) and power broadcasts (sleep), heard as messages to a window of ours.

Sources: learn.microsoft.com, "WM_WTSSESSION_CHANGE message", "WTSRegisterSessionNotification function", "WM_POWERBROADCAST message".
"""

from __future__ import annotations

import ctypes
import sys

from PySide6.QtCore import QAbstractNativeEventFilter, QByteArray, QCoreApplication
from PySide6.QtGui import QWindow

from ui.i18n import tr
from ui.lockwatch import LockWatch

WM_POWERBROADCAST = 0x0218
WM_WTSSESSION_CHANGE = 0x02B1
PBT_APMSUSPEND = 0x0004
_CONSOLE_DISCONNECT, _REMOTE_DISCONNECT, _LOGOFF, _LOCK = 0x2, 0x4, 0x6, 0x7
_AWAY = frozenset({_CONSOLE_DISCONNECT, _REMOTE_DISCONNECT, _LOGOFF, _LOCK})


class Message(ctypes.Structure):
    """The beginning of a Windows MSG, as far as it is read here."""

    _fields_ = (
        ("window", ctypes.c_void_p),
        ("message", ctypes.c_uint),
        ("wparam", ctypes.c_size_t),
        ("lparam", ctypes.c_ssize_t),
    )


def means_away(message: int, wparam: int) -> bool:
    """Whether a message says that the person left, or that the computer goes to sleep."""
    if message == WM_WTSSESSION_CHANGE:
        return wparam in _AWAY
    return message == WM_POWERBROADCAST and wparam == PBT_APMSUSPEND


class _Filter(QAbstractNativeEventFilter):
    def __init__(self, watch: WindowsWatch) -> None:
        super().__init__()
        self._watch = watch

    def nativeEventFilter(self, kind: QByteArray | bytes | bytearray | memoryview, message: int) -> object:
        said = Message.from_address(int(message))
        if means_away(said.message, said.wparam):
            self._watch.away.emit()
        return False, 0


class WindowsWatch(LockWatch):
    """Registers a hidden window of its own for the notifications, so that no other window has to know."""

    def __init__(self) -> None:
        super().__init__()
        self._filter: _Filter | None = None
        self._window: QWindow | None = None
        self._told = False

    def start(self) -> None:
        app = QCoreApplication.instance()
        if sys.platform == "win32" and app is not None:
            self._window = QWindow()
            self._window.create()
            # 0 is NOTIFY_FOR_THIS_SESSION: other people's sessions are none of ours.
            self._told = bool(ctypes.windll.wtsapi32.WTSRegisterSessionNotification(ctypes.c_void_p(int(self._window.winId())), 0))
            self._filter = _Filter(self)
            app.installNativeEventFilter(self._filter)

    def stop(self) -> None:
        app = QCoreApplication.instance()
        if sys.platform == "win32" and app is not None and self._filter is not None and self._window is not None:
            app.removeNativeEventFilter(self._filter)
            ctypes.windll.wtsapi32.WTSUnRegisterSessionNotification(ctypes.c_void_p(int(self._window.winId())))
            self._window.destroy()
            self._filter = self._window = None

    def words(self) -> str:
        return tr("Noticed through the session and power messages of Windows.") if self._told else super().words()
