"""Which system calls a process may still make: a filter in the kernel, for this process, all its threads, and all it starts, for good.

The filter is classic BPF for seccomp(2), as linux/seccomp.h and linux/filter.h define it; the numbers of system calls are from the kernel's
tables for x86-64 (arch/x86/entry/syscalls/syscall_64.tbl) and arm64 (include/uapi/asm-generic/unistd.h). What is refused fails with EPERM,
openat2 with ENOSYS, so that the C library falls back to openat. Calls by another ABI of the same processor (32 bits, x32) are all refused.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from app.confine import kernel

UNIX, INET, INET6, NETLINK, BLUETOOTH = 1, 2, 10, 16, 31
"""Families of sockets, linux/socket.h."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What stays allowed. Nothing of it brings back what an earlier filter took away."""

    families: tuple[int, ...] = ()
    """Families that sockets may be opened in. With none, sockets can't be used either, not even those that are open."""
    programs: bool = False
    """Starting programs, and reaching those that run already: by signals, shared memory (X11 clients keep their windows' pictures in it),
    and by typing into their terminal."""
    writing: bool = False
    """Opening files for writing, and changing what lies on the disk."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One processor: the audit name of its ABI (linux/audit.h), and its numbers of system calls."""

    audit: int
    numbers: Mapping[str, int]


# Name, number of x86-64, number of arm64 (None: arm64 has no such call).
_SOCKETS = (
    ("socket", 41, 198),
    ("connect", 42, 203),
    ("accept", 43, 202),
    ("bind", 49, 200),
    ("listen", 50, 201),
    ("socketpair", 53, 199),
    ("accept4", 288, 242),
)
_BORROWING = (
    ("ptrace", 101, 117),
    ("process_vm_readv", 310, 270),
    ("process_vm_writev", 311, 271),
    ("pidfd_getfd", 438, 438),
    ("io_uring_setup", 425, 425),
)
"""Ways to use another process's sockets, or to have the kernel make the calls itself. Refused to every process with a filter."""
_PROGRAMS = (
    ("execve", 59, 221),
    ("execveat", 322, 281),
    ("kill", 62, 129),
    ("tkill", 200, 130),
    ("tgkill", 234, 131),
    ("rt_sigqueueinfo", 129, 138),
    ("rt_tgsigqueueinfo", 297, 240),
    ("pidfd_send_signal", 424, 424),
    ("shmget", 29, 194),
    ("shmat", 30, 196),
    ("shmctl", 31, 195),
)
_IOCTL = ("ioctl", 16, 29)
_TYPING = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX (asm-generic/ioctls.h): they put words into a terminal as if somebody had typed them, even one open for reading."""
_CHANGES = (
    ("rename", 82, None),
    ("mkdir", 83, None),
    ("rmdir", 84, None),
    ("creat", 85, None),
    ("link", 86, None),
    ("unlink", 87, None),
    ("symlink", 88, None),
    ("chmod", 90, None),
    ("chown", 92, None),
    ("lchown", 94, None),
    ("mknod", 133, None),
    ("truncate", 76, 45),
    ("fchmod", 91, 52),
    ("fchown", 93, 55),
    ("utime", 132, None),
    ("utimes", 235, None),
    ("futimesat", 261, None),
    ("setxattr", 188, 5),
    ("lsetxattr", 189, 6),
    ("fsetxattr", 190, 7),
    ("removexattr", 197, 14),
    ("lremovexattr", 198, 15),
    ("fremovexattr", 199, 16),
    ("mkdirat", 258, 34),
    ("mknodat", 259, 33),
    ("fchownat", 260, 54),
    ("unlinkat", 263, 35),
    ("renameat", 264, 38),
    ("linkat", 265, 37),
    ("symlinkat", 266, 36),
    ("fchmodat", 268, 53),
    ("utimensat", 280, 88),
    ("renameat2", 316, 276),
    ("fchmodat2", 452, 452),
)
_OPENING = (("open", 2, None), ("openat", 257, 56))
_OPENAT2 = ("openat2", 437, 437)
_FLAGS_ARGUMENT: Mapping[str, int] = MappingProxyType({"open": 1, "openat": 2})
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def _machines() -> Mapping[str, Machine]:
    rows = (*_SOCKETS, *_BORROWING, *_PROGRAMS, _IOCTL, *_CHANGES, *_OPENING, _OPENAT2)
    x86 = {name: number for name, number, _ in rows}
    arm = {name: number for name, _, number in rows if number is not None}
    return MappingProxyType({"x86_64": Machine(0xC000003E, x86), "aarch64": Machine(0xC00000B7, arm)})


MACHINES = _machines()
"""By the name that uname(2) gives."""

_X32 = 0x40000000
_LOAD, _JUMP_EQUAL, _JUMP_FROM, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER_AT, _ABI_AT, _ARGUMENTS_AT = 0, 4, 16
_SECCOMP: Mapping[str, int] = MappingProxyType({"x86_64": 317, "aarch64": 277})
_SET_MODE_FILTER, _ALL_THREADS = 1, 1


def keep_only(kept: Kept) -> bool:
    """Give up everything but `kept`. Returns whether the kernel does it now, for all threads of this process; on others than Linux: no."""
    machine = MACHINES.get(platform.machine())
    if not kernel.LINUX or machine is None or ctypes.sizeof(ctypes.c_void_p) != 8:
        return False
    code = program(machine, kept)
    held = ctypes.create_string_buffer(code, len(code))
    header = ctypes.create_string_buffer(struct.pack("H6xQ", len(code) // 8, ctypes.addressof(held)))
    if not kernel.no_new_privileges():
        return False
    return kernel.system_call(_SECCOMP[platform.machine()], _SET_MODE_FILTER, _ALL_THREADS, header) == 0


def program(machine: Machine, kept: Kept) -> bytes:
    """The filter, each test beside its own verdict, so that no jump is longer than a few steps."""
    number = machine.numbers
    steps = [_step(_LOAD, _ABI_AT), _step(_JUMP_EQUAL, machine.audit, 1, 0), _refuse(), _step(_LOAD, _NUMBER_AT)]
    steps += [_step(_JUMP_FROM, _X32, 0, 1), _refuse()]
    for rows, refused in ((_BORROWING, True), (_SOCKETS, not kept.families), (_PROGRAMS, not kept.programs), (_CHANGES, not kept.writing)):
        for name in (row[0] for row in rows if refused and row[0] in number):
            steps += [_step(_JUMP_EQUAL, number[name], 0, 1), _refuse()]
    if kept.families:
        steps += _by_argument(number["socket"], 0, kept.families, listed=_allow(), others=_refuse())
    if not kept.programs:
        steps += _by_argument(number["ioctl"], 1, _TYPING, listed=_refuse(), others=_allow())
    if not kept.writing:
        steps += [_step(_JUMP_EQUAL, number["openat2"], 0, 1), _refuse(errno.ENOSYS)]
        for name in (name for name in _FLAGS_ARGUMENT if name in number):
            steps += _for_reading(number[name], _FLAGS_ARGUMENT[name])
    return b"".join([*steps, _allow()])


# Arguments are read by their low half: the kernel takes no more of these, and both processors are little endian.


def _by_argument(number: int, argument: int, values: tuple[int, ...], *, listed: bytes, others: bytes) -> list[bytes]:
    """The verdict on a call that has one of these values in an argument, and on it with any other."""
    count = len(values)
    tests = [_step(_JUMP_EQUAL, value, count - index, 0) for index, value in enumerate(values)]
    return [_step(_JUMP_EQUAL, number, 0, count + 3), _step(_LOAD, _ARGUMENTS_AT + 8 * argument), *tests, others, listed]


def _for_reading(number: int, argument: int) -> list[bytes]:
    flags = _step(_LOAD, _ARGUMENTS_AT + 8 * argument)
    return [_step(_JUMP_EQUAL, number, 0, 4), flags, _step(_JUMP_ANY_BIT, _WRITES, 0, 1), _refuse(), _allow()]


def _allow() -> bytes:
    return _step(_RETURN, _ALLOW)


def _refuse(error: int = errno.EPERM) -> bytes:
    return _step(_RETURN, _ERRNO | error)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def internet_refused() -> bool:
    """Whether the kernel refuses this process internet sockets; tried, not remembered."""
    machine = MACHINES.get(platform.machine())
    if not kernel.LINUX or machine is None:
        return False
    for family in (INET, INET6):
        opened = kernel.system_call(machine.numbers["socket"], family, 1, 0)  # SOCK_STREAM
        if opened >= 0:
            os.close(opened)
            return False
        if ctypes.get_errno() != errno.EPERM:  # that no such family exists here is no refusal
            return False
    return True
