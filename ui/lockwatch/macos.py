"""macOS: the distributed notifications that the system posts when the screen is locked or the screen saver starts.

Sources: developer.apple.com, "CFNotificationCenterGetDistributedCenter" and "CFNotificationCenterAddObserver". The names of the two
notifications are in no document of Apple's, but many programs have relied on them for years. Sleep is not among them: a Mac that is set
to ask for the password locks its screen as it goes to sleep, and any other is caught by idle time, which counts the hours asleep.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from typing import Any

from ui.i18n import tr
from ui.lockwatch import LockWatch

NAMES = ("com.apple.screenIsLocked", "com.apple.screensaver.didstart")
_UTF8 = 0x08000100
_AT_ONCE = 4
_POINTER = ctypes.c_void_p
_CALLBACK = ctypes.CFUNCTYPE(None, _POINTER, _POINTER, _POINTER, _POINTER, _POINTER)


class MacWatch(LockWatch):
    """The notifications come in on the main thread's run loop, which is Qt's."""

    def __init__(self) -> None:
        super().__init__()
        self._library: Any = None
        self._callback = _CALLBACK(lambda *_: self.away.emit())

    def start(self) -> None:
        found = ctypes.util.find_library("CoreFoundation") if sys.platform == "darwin" else None
        if found is not None:
            self._library = ctypes.CDLL(found)
            self._listen(self._library)

    def _listen(self, library: Any) -> None:
        library.CFNotificationCenterGetDistributedCenter.restype = _POINTER
        library.CFStringCreateWithCString.restype = _POINTER
        library.CFStringCreateWithCString.argtypes = (_POINTER, ctypes.c_char_p, ctypes.c_uint32)
        library.CFRelease.argtypes = (_POINTER,)
        add = library.CFNotificationCenterAddObserver
        add.argtypes = (_POINTER, _POINTER, _CALLBACK, _POINTER, _POINTER, ctypes.c_long)
        center = library.CFNotificationCenterGetDistributedCenter()
        for name in NAMES:
            text = library.CFStringCreateWithCString(None, name.encode(), _UTF8)
            add(center, id(self), self._callback, text, None, _AT_ONCE)
            library.CFRelease(text)

    def stop(self) -> None:
        if self._library is not None:
            remove = self._library.CFNotificationCenterRemoveEveryObserver
            remove.argtypes = (_POINTER, _POINTER)
            remove(self._library.CFNotificationCenterGetDistributedCenter(), id(self))
            self._library = None

    def words(self) -> str:
        return tr("Noticed through the system's notice of a locked screen; sleep by the clock.") if self._library else super().words()
