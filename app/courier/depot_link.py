"""Eyelid's end of the way to the depot (see `app.courier.depot`): asks for couriers, and for doorsteps. Opens local sockets only."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Self

COURIER, DOORSTEP, VISITOR = b"courier", b"doorstep", b"visitor"
LONGEST = 16
"""Bytes of a message."""
_PATIENCE = 10.0
"""Seconds; what starts a process answers far sooner, but for a computer that is busy."""


def receive(way: socket.socket, most: int) -> tuple[bytes, list[int]]:
    """The next message and the descriptors that came with it; nothing when the other side has closed. Raises OSError."""
    told, found, _, _ = socket.recv_fds(way, LONGEST, most, socket.MSG_CMSG_CLOEXEC)
    return told, found


class Departed:
    """A courier that the depot started; as `subprocess.Popen` is, as far as that is used of a courier."""

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes], leash: socket.socket) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self._leash = leash
        self._pid = 0
        self._descriptor: int | None = None

    @property
    def pid(self) -> int:
        """Its process id; 0 when it never started, or ended at once."""
        self._take_leash()
        return self._pid

    def kill(self) -> None:
        """End it; a no-op when it has ended."""
        self._take_leash()
        if self._descriptor is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it has ended. Raises subprocess.TimeoutExpired."""
        self._take_leash()
        if self._descriptor is not None:
            ended = select.poll()
            ended.register(self._descriptor, select.POLLIN)
            if not ended.poll(None if timeout is None else timeout * 1000):
                raise subprocess.TimeoutExpired("courier", timeout or 0.0)
            os.close(self._descriptor)
            self._descriptor = None

    def _take_leash(self) -> None:
        """Read, once, what the depot told of the new process. Waits for it: the depot may be busy beginning itself."""
        if self._leash.fileno() < 0:
            return
        with self._leash, contextlib.suppress(OSError, ValueError):
            told, found = receive(self._leash, 1)
            self._descriptor = found[0] if found else None
            self._pid = int(told or b"0")


class Depot:
    """The way to the depot. `start` it before this process gives up its sockets; all else is for afterwards, and for any thread."""

    def __init__(self, process: subprocess.Popen[bytes], door: socket.socket) -> None:
        self._process = process
        self._door = door

    @classmethod
    def start(cls, environment: Mapping[str, str]) -> Self:
        """Start the process, without waiting for it to be ready: orders wait for it. Raises OSError."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                process = subprocess.Popen(  # our own interpreter and module, no text of anybody's
                    [sys.executable, "-E", "-s", "-m", "app.courier.depot"],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=dict(environment),
                    cwd=Path(__file__).parents[2],
                )
        except OSError:
            ours.close()
            raise
        return cls(process, ours)

    def courier(self) -> Departed:
        """Start a courier. Raises OSError when the depot is gone; else what goes wrong is noticed at the pipe's ends."""
        their_in, our_in = os.pipe()
        our_out, their_out = os.pipe()
        ours, theirs = socket.socketpair()
        departed = Departed(os.fdopen(our_in, "wb"), os.fdopen(our_out, "rb"), ours)
        ours.settimeout(_PATIENCE)
        try:
            with theirs:
                socket.send_fds(self._door, [COURIER], [their_in, their_out, theirs.fileno()])
        except OSError:
            for end in (departed.stdin, departed.stdout, ours):
                end.close()
            raise
        finally:
            os.close(their_in)
            os.close(their_out)
        return departed

    def doorstep(self) -> socket.socket:
        """Have a port opened. What comes over the socket that is returned: its number, then a VISITOR each. Raises OSError."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                socket.send_fds(self._door, [DOORSTEP], [theirs.fileno()])
        except OSError:
            ours.close()
            raise
        return ours

    def close(self) -> None:
        """End the depot and what it started. Blocks for a moment. Again: a no-op."""
        self._door.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
