"""Eyelid's end of the pipe to the process that looks: starts it when it is needed, ends it when it is not, and again after a crash.

Owns the child process. Opens no socket, imports no detector. Trouble with the worker is never an error here: it is a part "not checked".
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from app.media.look.pipe import Done, Found, Hello, Look, Message, PipeError, encode, read
from app.media.look.types import ALL_PARTS, Findings, Part, not_checked

# What a Python process needs of the environment to start; no settings of libraries.
_ENVIRONMENT = ("PATH", "SYSTEMROOT", "WINDIR", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH")
_CRASHED = "The process that looks has ended over this picture."
_GONE = "The process that looks could not be started."
_STOPPED = "It was stopped."
_SLOW = "It took too long."

PICTURE_SECONDS = 60.0
"""A 12-megapixel photo takes about 4 seconds on two quiet cores."""
IDLE_SECONDS = 60.0


def command() -> list[str]:
    """The child's command line: the same Python, blind to the environment's and the person's own packages."""
    return [sys.executable, "-E", "-s", "-m", "app.media.look"]


class LookLink:
    """The finders, one picture at a time. To be used on the loop that first used it; `close` ends it.

    The worker is started by the first look (or by `warm`), and ended after `idle` seconds without one, by `drop`, and by `close`; it holds
    pictures only while it looks at them. `seconds` is the time for one picture, waiting for the turn not counted.
    """

    def __init__(self, arguments: Sequence[str] = (), *, seconds: float = PICTURE_SECONDS, idle: float = IDLE_SECONDS) -> None:
        self._arguments = list(arguments) or command()
        self._seconds = seconds
        self._idle = idle
        self._turn = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="look")
        self._child: subprocess.Popen[bytes] | None = None
        self._ending: asyncio.TimerHandle | None = None
        self._drops = 0
        self._closed = False
        self.confined: bool | None = None
        """Whether the kernel keeps the worker from sockets and files, for `doctor`; None before it ever ran."""

    @property
    def pid(self) -> int | None:
        """The child's process id, for tests and for `doctor`."""
        return self._child.pid if self._child else None

    async def warm(self) -> None:
        """Start the worker ahead of the first picture. Never raises."""
        async with self._turn:
            try:
                await self._start()
            except BaseException:  # cancelled: nobody has heard its hello, so the next look begins with another
                self._kill()
                raise
            finally:
                self._rest()

    async def look(
        self,
        data: bytes,
        media_type: str,
        orientation: int,
        parts: frozenset[Part] = ALL_PARTS,
        told: Callable[[Findings], None] | None = None,
    ) -> Findings:
        """Look at a picture's file. `told` is called on the loop with what is known so far, each time a part reports.

        Every part of `parts` has its check in the result. When the task is cancelled, the worker is ended and the picture with it.
        """
        findings = _Growing([part for part in Part if part in parts], told or (lambda _: None))
        async with self._turn:
            self._busy()
            try:
                await self._look(findings, data, media_type, orientation)
            except BaseException:  # cancelled, or `told` raised: what else the worker says has no listener
                self._kill()
                raise
            finally:
                self._rest()
        return findings.so_far

    async def _look(self, findings: _Growing, data: bytes, media_type: str, orientation: int) -> None:
        """Ask until every part has its answer: after a crash, another worker gets the parts behind the one that crashed it."""
        until = time.monotonic() + self._seconds
        while findings.missing:
            if not await self._start(until - time.monotonic()):
                return findings.give_up(_STOPPED if self._stopped else _GONE)
            order = Look(media_type, orientation, tuple(findings.missing), data)
            try:
                async with asyncio.timeout(max(0.0, until - time.monotonic())):
                    done = await self._ask(order, findings)
            except TimeoutError:
                self._kill()
                return findings.give_up(_SLOW)
            if not done:
                self._kill()
                findings.blame(_STOPPED if self._stopped else _CRASHED)
        return None

    async def _ask(self, order: Look, findings: _Growing) -> bool:
        """Hand over one order and take the answers in; False when the worker ended, or said what is no answer to it, before it was done."""
        child, loop = self._child, asyncio.get_running_loop()
        assert child is not None
        answer = await loop.run_in_executor(self._thread, _put, child, order)
        while answer:
            message = await loop.run_in_executor(self._thread, _next, child)
            if isinstance(message, Done):
                return not findings.missing
            if not isinstance(message, Found) or not findings.take(message):
                return False
        return False

    async def drop(self) -> None:
        """End the worker now, with whatever it holds (the vault locks). Looks that wait or are under way say "not checked"."""
        self._drops += 1
        self._kill()
        async with self._turn:
            self._drops -= 1

    async def close(self) -> None:
        """End the worker for good. Looking afterwards says "not checked". Again: a no-op."""
        if self._closed:
            return
        self._closed = True
        self._kill()
        async with self._turn:
            self._busy()
            await asyncio.get_running_loop().run_in_executor(self._thread, _nothing)  # the child is reaped then
            self._thread.shutdown(wait=False)

    @property
    def _stopped(self) -> bool:
        return self._closed or self._drops > 0

    async def _start(self, seconds: float = PICTURE_SECONDS) -> bool:
        """Have a worker that said hello. False when none can be had."""
        if self._stopped:
            return False
        if self._child is not None and self._child.poll() is None:
            return True
        self._kill()
        loop = asyncio.get_running_loop()
        try:
            self._child = child = _spawn(self._arguments)
            async with asyncio.timeout(max(0.0, seconds)):
                hello = await loop.run_in_executor(self._thread, _next, child)
        except (OSError, TimeoutError):
            hello = None
        if isinstance(hello, Hello) and not self._stopped:
            self.confined = hello.confined
            return True
        self._kill()
        return False

    def _kill(self) -> None:
        """At once: what it was doing is of no use any more. Its pipe ends with it, and so does the thread's waiting."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            self._thread.submit(_reap, child)

    def _busy(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None

    def _rest(self) -> None:
        self._busy()
        if self._child is not None:
            self._ending = asyncio.get_running_loop().call_later(self._idle, self._kill)


class _Growing:
    """What is known of one picture so far."""

    def __init__(self, parts: list[Part], told: Callable[[Findings], None]) -> None:
        self.missing = parts
        self.so_far = Findings()
        self._told = told

    def take(self, found: Found) -> bool:
        """Add the result of a part; False when nobody asked for it, or not now, or of a picture of another size."""
        size = (found.width, found.height)
        if self.missing[:1] != [found.check.part] or (
            found.width and self.so_far.width and size != (self.so_far.width, self.so_far.height)
        ):
            return False
        self.missing = self.missing[1:]
        self.so_far = Findings(
            found.width or self.so_far.width,
            found.height or self.so_far.height,
            self.so_far.regions + found.regions,
            (*self.so_far.checks, found.check),
            self.so_far.traces + found.traces,
        )
        self._told(self.so_far)
        return True

    def blame(self, reason: str) -> None:
        """The part whose turn it was is not checked."""
        self._add(self.missing[:1], reason)

    def give_up(self, reason: str) -> None:
        self._add(self.missing, reason)

    def _add(self, parts: list[Part], reason: str) -> None:
        self.missing = self.missing[len(parts) :]
        self.so_far = replace(self.so_far, checks=(*self.so_far.checks, *not_checked(parts, reason)))
        self._told(self.so_far)


def _spawn(arguments: list[str]) -> subprocess.Popen[bytes]:
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    environment["MALLOC_ARENA_MAX"] = "2"  # glibc sets aside 64 MiB of address space for each, by default eight a core
    return subprocess.Popen(  # noqa: S603  # our own interpreter and module, no text of anybody's
        arguments,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd=Path(__file__).parents[3],
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _put(child: subprocess.Popen[bytes], order: Look) -> bool:
    """Write the order; False when the worker is gone, or the picture too large to be handed over."""
    assert child.stdin is not None
    try:
        child.stdin.write(encode(order))
        child.stdin.flush()
    except (OSError, ValueError, PipeError):
        return False
    return True


def _next(child: subprocess.Popen[bytes]) -> Message | None:
    """Wait for the next message; None when there is none to come. Closes the child's output then."""
    assert child.stdout is not None
    try:
        message = read(child.stdout)
    except (PipeError, OSError, ValueError):
        message = None
    if message is None:
        with contextlib.suppress(OSError):
            child.stdout.close()
    return message


def _reap(child: subprocess.Popen[bytes]) -> None:
    child.wait()
    for pipe in (child.stdin, child.stdout):
        assert pipe is not None
        with contextlib.suppress(OSError):
            pipe.close()


def _nothing() -> None:
    """Something for a thread to do after all that it was given before."""
