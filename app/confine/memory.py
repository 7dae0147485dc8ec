"""Keeping other programs of the same user out of the process that holds keys, as far as the operating system offers that.

Owns two settings of this process: no core dumps, and on Linux not "dumpable", so that no process of the same user may attach with ptrace
or read its memory (prctl(2), PR_SET_DUMPABLE; ptrace(2)). The administrator can still do both.
"""

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass

from app.confine import kernel


@dataclass(frozen=True, slots=True)
class Hardening:
    """What holds now, read back from the system. None: this system has no such thing that we know how to ask for."""

    no_core_dumps: bool | None
    no_tracing: bool | None

    @property
    def whole(self) -> bool:
        return bool(self.no_core_dumps and self.no_tracing)

    def text(self) -> str:
        """One honest sentence."""
        dumps = {True: "no core dumps", False: "core dumps are not switched off", None: "core dumps are left to the system"}
        traces = {
            True: "other programs of this user can't read its memory",
            False: "other programs of this user may read its memory",
            None: "other programs of this user may be able to read its memory on this system",
        }
        return f"{dumps[self.no_core_dumps]}; {traces[self.no_tracing]}; the administrator always can"


def harden() -> Hardening:
    """Switch off core dumps and tracing for this process. Never raises; call before any key is in memory."""
    if sys.platform != "win32":
        import resource

        try:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        except (OSError, ValueError):  # pragma: no cover  # lowering one's own limit is always allowed
            return report()
    kernel.prctl(kernel.SET_DUMPABLE, 0)
    return report()


def report() -> Hardening:
    """Read back what holds, changing nothing."""
    if sys.platform == "win32":
        return Hardening(None, None)
    import resource

    dumps = resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
    return Hardening(dumps, kernel.prctl(kernel.GET_DUMPABLE) == 0 if kernel.LINUX else None)


def end_with_parent() -> None:
    """On Linux have the kernel end this process when the thread that started it ends, however that comes about."""
    if sys.platform == "linux":
        kernel.prctl(kernel.SET_DEATH_SIGNAL, signal.SIGKILL)
