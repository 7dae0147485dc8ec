"""What the worker gives up before it sees a stranger's picture.

Everywhere but on Windows: writing files, dumping core, endless memory. On Linux also sockets, other programs and processes, and every
change to the file system. The filter is classic BPF for seccomp(2), as linux/seccomp.h and linux/filter.h define it; the numbers of
system calls are from the kernel's tables for x86-64 and arm64. It refuses with EPERM (openat2 with ENOSYS, so that the C library falls
back to openat), for this process and for every thread it starts, for good.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

MEMORY = 4 * 1024**3
"""Bytes of address space. A 16-megapixel picture takes about 2 GB of it (less than 1.5 GB are used)."""
FILES = 64


@dataclass(frozen=True, slots=True)
class _Calls:
    """One processor's numbers: the audit name of its ABI, what is refused, and where the flags of the calls that open files stand."""

    audit: int
    refused: tuple[int, ...]
    opening: tuple[tuple[int, int], ...]
    openat2: int


# Sockets: socket, connect, accept, bind, listen, socketpair, accept4. Processes: execve, execveat, ptrace, process_vm_readv,
# process_vm_writev, io_uring_setup, kill, pidfd_send_signal, pidfd_getfd. Files: truncate, mkdirat, mknodat, fchownat, unlinkat, renameat,
# linkat, symlinkat, fchmodat, renameat2; of x86-64 also rename to symlink (82 to 88), chmod, chown, lchown, mknod.
_CALLS: Mapping[str, _Calls] = MappingProxyType(
    {
        "x86_64": _Calls(
            0xC000003E,
            (
                *(41, 42, 43, 49, 50, 53, 288),
                *(59, 322, 101, 310, 311, 425, 62, 424, 438),
                *(76, 258, 259, 260, 263, 264, 265, 266, 268, 316),
                *(82, 83, 84, 85, 86, 87, 88, 90, 92, 94, 133),
            ),
            ((2, 1), (257, 2)),
            437,
        ),
        "aarch64": _Calls(
            0xC00000B7,
            (
                *(198, 203, 202, 200, 201, 199, 242),
                *(221, 281, 117, 270, 271, 425, 129, 424, 438),
                *(45, 34, 33, 54, 35, 38, 37, 36, 53, 276),
            ),
            ((56, 2),),
            437,
        ),
    }
)
_X32 = 0x40000000
_LOAD, _JUMP_EQUAL, _JUMP_ABOVE, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER_AT, _ABI_AT, _ARGUMENTS_AT = 0, 4, 16
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2


def confine() -> bool:
    """Give all of it up. Returns whether the kernel's filter is in force; the limits are set wherever the system has them."""
    limit()
    return sys.platform == "linux" and _filter(platform.machine())


def limit() -> None:
    """No core dump, no file grows by a byte, few files at once, and an end to memory. A no-op on Windows."""
    if sys.platform == "win32":
        return
    import resource

    wanted = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_NOFILE: FILES}
    if sys.platform == "linux":  # elsewhere address space says nothing of memory
        wanted[resource.RLIMIT_AS] = MEMORY
    for kind, most in wanted.items():
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))


def _filter(machine: str) -> bool:
    calls = _CALLS.get(machine)
    if calls is None or ctypes.sizeof(ctypes.c_void_p) != 8:
        return False
    code = program(calls)
    held = ctypes.create_string_buffer(code, len(code))
    header = ctypes.create_string_buffer(struct.pack("H6xQ", len(code) // 8, ctypes.addressof(held)))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.c_void_p(ctypes.addressof(header)), 0, 0) == 0)


def program(calls: _Calls) -> bytes:
    """The filter, each test beside its own verdict, so that no jump is longer than a few steps."""
    refuse, missing = _step(_RETURN, _ERRNO | errno.EPERM), _step(_RETURN, _ERRNO | errno.ENOSYS)
    steps = [_step(_LOAD, _ABI_AT), _step(_JUMP_EQUAL, calls.audit, 1, 0), refuse, _step(_LOAD, _NUMBER_AT)]
    steps += [_step(_JUMP_ABOVE, _X32, 0, 1), refuse]
    for number in calls.refused:
        steps += [_step(_JUMP_EQUAL, number, 0, 1), refuse]
    steps += [_step(_JUMP_EQUAL, calls.openat2, 0, 1), missing]
    for number, argument in calls.opening:
        flags = _step(_LOAD, _ARGUMENTS_AT + 8 * argument)  # the low half: both processors are little endian
        steps += [_step(_JUMP_EQUAL, number, 0, 4), flags, _step(_JUMP_ANY_BIT, _WRITES, 0, 1), refuse, _step(_RETURN, _ALLOW)]
    return b"".join([*steps, _step(_RETURN, _ALLOW)])


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
