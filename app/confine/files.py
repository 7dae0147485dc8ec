"""Which files a process may still see: Landlock, a rule set in the kernel, for this process and all it starts, for good.

Constants and layouts are from linux/landlock.h; the system calls have the same numbers on all processors. To be called before any second
thread begins: the rules hold for the calling thread and what comes of it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
import struct
import sys
from collections.abc import Iterable

from app.confine import kernel

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_ALL_OF_VERSION = (0, (1 << 13) - 1, (1 << 14) - 1, (1 << 15) - 1, (1 << 15) - 1, (1 << 16) - 1)
"""All rights over files that each version of Landlock knows; from the fifth on the same."""
_SCOPES_SINCE, _ABSTRACT_SOCKETS, _SIGNALS = 6, 1, 2


def read_only(places: Iterable[str]) -> int:
    """From now on see no file but those at or below `places`, change none, run none; nor, with a newer kernel, reach other processes by
    signals or abstract sockets. Returns the version of Landlock that is in force, or 0: nothing has changed.
    """
    version = kernel.system_call(_CREATE_RULESET, None, 0, _VERSION)
    if version < 1:
        return 0
    rights = _ALL_OF_VERSION[min(version, len(_ALL_OF_VERSION) - 1)]
    attributes = struct.pack("=QQQ", rights, 0, _ABSTRACT_SOCKETS | _SIGNALS if version >= _SCOPES_SINCE else 0)
    size = 24 if version >= _SCOPES_SINCE else 8
    rules = kernel.system_call(_CREATE_RULESET, ctypes.create_string_buffer(attributes, len(attributes)), size, 0)
    if rules < 0:
        return 0
    try:
        for place in places:
            _allow_reading(rules, place)
        held = kernel.no_new_privileges() and kernel.system_call(_RESTRICT_SELF, rules, 0) == 0
    finally:
        os.close(rules)
    return version if held else 0


def _allow_reading(rules: int, place: str) -> None:
    """What does not exist needs no rule."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError):
        opened = os.open(place, os.O_PATH | os.O_CLOEXEC)
        try:
            rights = _READ_FILE | _READ_DIR if stat.S_ISDIR(os.fstat(opened).st_mode) else _READ_FILE
            beneath = struct.pack("=Qi", rights, opened)
            kernel.system_call(_ADD_RULE, rules, _PATH_BENEATH, ctypes.create_string_buffer(beneath, len(beneath)), 0)
        finally:
            os.close(opened)
