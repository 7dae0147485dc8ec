"""What the worker gives up before it sees a stranger's picture.

Everywhere but on Windows: writing files, dumping core, endless memory. On Linux also sockets, other programs and processes, and every
change to the file system.
"""

from __future__ import annotations

import sys

from app.confine.calls import Kept, keep_only

MEMORY = 4 * 1024**3
"""Bytes of address space. A 16-megapixel picture takes about 2 GB of it (less than 1.5 GB are used)."""
FILES = 64


def confine(longest: int = 0) -> bool:
    """Give all of it up. Returns whether the kernel's filter is in force; the limits are set wherever the system has them.

    No file, also of those that are open for writing already, gets longer than `longest` bytes.
    """
    limit(longest)
    return keep_only(Kept())


def limit(longest: int = 0) -> None:
    """No core dump, no file that grows beyond `longest` bytes, few files at once, and an end to memory. A no-op on Windows."""
    if sys.platform == "win32":
        return
    import resource

    wanted = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: longest, resource.RLIMIT_NOFILE: FILES}
    if sys.platform == "linux":  # elsewhere address space says nothing of memory
        wanted[resource.RLIMIT_AS] = MEMORY
    for kind, most in wanted.items():
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))
