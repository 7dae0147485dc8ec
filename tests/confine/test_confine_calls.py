"""The kernel's filter: what each program of it decides, call by call, and what a process behind it can and can't do."""

from __future__ import annotations

import ctypes
import errno
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from app.confine import kernel
from app.confine.calls import (
    _BORROWING,
    _CHANGES,
    _OPENING,
    _PROGRAMS,
    _SOCKETS,
    BLUETOOTH,
    INET,
    INET6,
    MACHINES,
    NETLINK,
    UNIX,
    Kept,
    internet_refused,
    keep_only,
    program,
)
from app.confine.files import read_only
from app.confine.memory import end_with_parent

ROOT = Path(__file__).parents[2]
REFUSED, MISSING, ALLOWED = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS, 0x7FFF0000
LOOK, COURIER = Kept(), Kept(families=(INET, INET6, NETLINK))
MAIN = Kept(families=(UNIX, NETLINK, BLUETOOTH), programs=True, writing=True)
linux = pytest.mark.skipif(sys.platform != "linux", reason="the filter is the Linux kernel's")


def verdict(code: bytes, audit: int, number: int, *arguments: int) -> int:
    """Run a filter by a small reading of linux/filter.h; `arguments` are 64 bits each, as the kernel shows them."""
    filled = (*arguments, *[0] * 6)[:6]
    data = number.to_bytes(4, "little") + audit.to_bytes(4, "little") + bytes(8) + b"".join(each.to_bytes(8, "little") for each in filled)
    at, held = 0, 0
    for _ in range(len(code)):
        step = code[8 * at : 8 * at + 8]
        kind, value = int.from_bytes(step[:2], "little"), int.from_bytes(step[4:], "little")
        at += 1
        if kind == 0x20:
            held = int.from_bytes(data[value : value + 4], "little")
        elif kind == 0x06:
            return value
        else:
            holds = {0x15: held == value, 0x35: held >= value, 0x45: bool(held & value)}[kind]
            at += step[2] if holds else step[3]
    raise AssertionError("the program does not end")


def expected(kept: Kept, name: str) -> int:
    """What is to become of a call with all arguments zero."""
    if name == "openat2":
        return ALLOWED if kept.writing else MISSING
    if name == "socket" and kept.families:
        return REFUSED  # no family at all
    stays = (
        (kept.families and name in {row[0] for row in _SOCKETS})
        or (kept.programs and name in {row[0] for row in _PROGRAMS})
        or (kept.writing and name in {row[0] for row in _CHANGES})
        or name in {"ioctl", *(row[0] for row in _OPENING)}
    )
    return ALLOWED if stays else REFUSED


@pytest.mark.parametrize("machine", sorted(MACHINES))
@pytest.mark.parametrize("kept", [LOOK, COURIER, MAIN], ids=["look", "courier", "main"])
def test_the_filter_decides_as_written(machine: str, kept: Kept) -> None:
    """For each call its verdict, whatever machine this is."""
    audit, numbers = MACHINES[machine].audit, MACHINES[machine].numbers
    code = program(MACHINES[machine], kept)
    assert len(code) // 8 <= 4096, "linux/filter.h, BPF_MAXINSNS"
    names = {number: name for name, number in numbers.items()}
    assert len(names) == len(numbers)
    for number in range(600):
        assert verdict(code, audit, number) == (expected(kept, names[number]) if number in names else ALLOWED), names.get(number, number)
        assert verdict(code, audit ^ 0x80000000, number) == REFUSED  # the 32-bit ABI
        assert verdict(code, audit, 0x40000000 | number) == REFUSED  # x32
    for name, argument in (("open", 1), ("openat", 2)):
        for flag in (0o1, 0o2, 0o100, 0o1000, 0o2000) if name in numbers else ():
            flags = [0] * argument + [flag | 0o2000000]  # with O_CLOEXEC, which alone is reading
            assert verdict(code, audit, numbers[name], *flags) == (ALLOWED if kept.writing else REFUSED)
            assert verdict(code, audit, numbers[name], *flags[:-1], 0o2000000) == ALLOWED


@pytest.mark.parametrize("machine", sorted(MACHINES))
@pytest.mark.parametrize("kept", [LOOK, COURIER, MAIN], ids=["look", "courier", "main"])
def test_of_all_families_of_sockets_the_kept_ones_alone(machine: str, kept: Kept) -> None:
    code = program(MACHINES[machine], kept)
    for family in range(64):
        for shown in (family, family | 0xFFFFFFFF00000000, family | 1 << 32):  # the kernel takes the low half only
            found = verdict(code, MACHINES[machine].audit, MACHINES[machine].numbers["socket"], shown, 1, 0)
            assert found == (ALLOWED if family in kept.families else REFUSED)


@pytest.mark.parametrize("machine", sorted(MACHINES))
@pytest.mark.parametrize("kept", [LOOK, COURIER, MAIN], ids=["look", "courier", "main"])
def test_nobody_types_into_a_terminal_who_may_start_no_program(machine: str, kept: Kept) -> None:
    code = program(MACHINES[machine], kept)
    for request, harmless in ((0x5412, False), (0x541C, False), (0x5401, True), (0x5413, True)):  # the last two read its settings and size
        for shown in (request, request | 1 << 32):  # the kernel takes the low half only
            found = verdict(code, MACHINES[machine].audit, MACHINES[machine].numbers["ioctl"], 0, shown)
            assert found == (ALLOWED if harmless or kept.programs else REFUSED)


def test_borrowing_is_refused_to_all() -> None:
    for machine in MACHINES.values():
        for kept in (LOOK, COURIER, MAIN, Kept((INET,), programs=True, writing=True)):
            for name, *_ in _BORROWING:
                assert verdict(program(machine, kept), machine.audit, machine.numbers[name]) == REFUSED


SCRIPT = """
import ctypes, errno, os, socket, subprocess, sys, threading
from app.confine.calls import *
from app.confine import calls

def refused(work):
    try:
        work()
    except PermissionError:
        return True
    return False

def c_socket(family):
    c = ctypes.CDLL(None, use_errno=True)
    number = c.socket(family, 1, 0)
    return "refused" if number < 0 and ctypes.get_errno() == errno.EPERM else "open"

go, done = threading.Event(), []
def waiting():
    go.wait()
    done.append(refused(lambda: socket.socket(socket.AF_INET)))
before = threading.Thread(target=waiting)
before.start()
assert not internet_refused()
socket.socket(socket.AF_INET).close()
assert keep_only(Kept((UNIX, NETLINK, BLUETOOTH), programs=True, writing=True))
go.set()
before.join()
assert done == [True], "a thread that ran before"
assert internet_refused()
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_PACKET, socket.AF_VSOCK):
    assert refused(lambda: socket.socket(family)), family
    assert c_socket(family) == "refused"
socket.socket(socket.AF_UNIX).close()
socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()
[end.close() for end in socket.socketpair()]
assert refused(lambda: socket.create_connection(("127.0.0.1", 9)))
c = ctypes.CDLL(None, use_errno=True)
assert c.syscall(425, 1, 0) < 0 and ctypes.get_errno() == errno.EPERM, "io_uring"
child = "import socket\\ntry:\\n socket.socket()\\nexcept PermissionError:\\n print('refused')"
assert subprocess.run([sys.executable, "-c", child], capture_output=True, text=True).stdout == "refused\\n"
open(sys.argv[1], "w").write("written")
status = open("/proc/self/status").read()
assert "NoNewPrivs:\\t1" in status and "Seccomp:\\t2" in status
print("as it should be")
"""


@linux
def test_a_process_without_internet_sockets(tmp_path: Path) -> None:
    """From Python and from C, in threads that ran before, in programs started later; all else goes on."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "file")], cwd=ROOT, capture_output=True, text=True, check=False, timeout=50
    )
    assert (done.stdout, done.stderr) == ("as it should be\n", "")


def test_this_process_still_has_them() -> None:
    assert not internet_refused()


def test_what_no_kernel_of_ours_can_do_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another processor, another system, a kernel that refuses: no error, and no claim."""
    monkeypatch.setattr(kernel, "system_call", lambda *_: -1)
    monkeypatch.setattr(kernel, "prctl", lambda *_: -1)
    assert not keep_only(MAIN)  # nothing new is allowed to be had
    monkeypatch.setattr(kernel, "prctl", lambda *_: 0)
    assert not keep_only(MAIN)  # the filter is not taken
    monkeypatch.setattr(ctypes, "get_errno", lambda: errno.EAFNOSUPPORT)
    assert not internet_refused()  # that there is no such family is no refusal
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert not keep_only(MAIN)
    assert not internet_refused()


def test_on_other_systems_the_kernel_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "LINUX", False)
    assert kernel.prctl(kernel.GET_DUMPABLE) == -1
    assert not keep_only(MAIN)
    assert read_only(["/"]) == 0
    end_with_parent()
