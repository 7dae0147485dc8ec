"""Whether a window can be shown at all; asked before Qt is, because Qt ends the process when it finds no screen."""

from __future__ import annotations

import os
import sys


def has_screen() -> bool:
    """Only on Linux and its like can there be none."""
    if sys.platform in {"win32", "darwin"} or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
