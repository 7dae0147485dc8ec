"""The two ways to the kernel that Python has no functions for: prctl(2), and system calls by their number."""

from __future__ import annotations

import ctypes
import sys

LINUX = sys.platform == "linux"

SET_DEATH_SIGNAL, GET_DUMPABLE, SET_DUMPABLE, SET_NO_NEW_PRIVS = 1, 3, 4, 38
"""linux/prctl.h."""


def prctl(option: int, value: int = 0) -> int:
    """Call prctl of the C library; -1 where it fails or there is none."""
    return _call("prctl", option, value, 0, 0, 0)


def system_call(number: int, *arguments: int | ctypes.Array[ctypes.c_char] | None) -> int:
    """Call the kernel by number; -1 where it fails or there is no such way."""
    return _call("syscall", number, *arguments)


def no_new_privileges() -> bool:
    """From now on no program started here gains rights (set-user-ID and the like); the kernel asks for it before any of the rest."""
    return prctl(SET_NO_NEW_PRIVS, 1) == 0


def _call(name: str, *arguments: int | ctypes.Array[ctypes.c_char] | None) -> int:
    if not LINUX:
        return -1
    try:
        function = getattr(ctypes.CDLL(None, use_errno=True), name)
    except (OSError, AttributeError):  # pragma: no cover  # a C library without them is none that Python runs on
        return -1
    # As long as the kernel reads them: a bare int would be passed as 32 bits, with whatever lies beside it.
    return int(function(*(ctypes.c_long(each) if isinstance(each, int) else each for each in arguments)))
