"""The gate's end of the courier's pipe: starts the process, hands parcels over, passes its messages on, starts it again after a crash.

Owns the child process and its reading thread. Opens no socket. A crash ends only the parcels that were on their way.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Protocol, Self

from app.courier.pipe import Cancel, End, Ending, Fetch, Hello, Message, More, PipeError, Progress, Quit, Send, read, write
from app.sharing.errors import CourierGone

# What a Python process needs of the environment to start; no proxies, no certificates, no settings of libraries.
_ENVIRONMENT = ("PATH", "SYSTEMROOT", "WINDIR", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH")
_HELLO_SECONDS = 30.0
_QUIT_SECONDS = 5.0
_PIPE_ROOM = 1 << 20
"""Bytes the pipe from the courier holds where the system lets us choose: a clip comes through it half as fast again as with 64 KiB."""


class Child(Protocol):
    """A courier's process, as `subprocess.Popen` is one."""

    @property
    def stdin(self) -> IO[bytes] | None: ...

    @property
    def stdout(self) -> IO[bytes] | None: ...

    @property
    def pid(self) -> int: ...

    def kill(self) -> None: ...

    def wait(self, timeout: float | None = None) -> object: ...


Departure = Callable[[], Child]
"""Starts a courier. Raises OSError."""


def environment() -> dict[str, str]:
    """What a courier gets of this process's environment."""
    return {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}


def command() -> list[str]:
    """The child's command line: the same Python, blind to the environment's and the person's own packages."""
    return [sys.executable, "-E", "-s", "-m", "app.courier"]


def depart(arguments: Sequence[str] = ()) -> Child:
    """Start a courier as a child of this process."""
    return subprocess.Popen(  # noqa: S603  # our own interpreter and module, no text of anybody's
        list(arguments) or command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
        cwd=Path(__file__).parents[2],
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


class CourierLink:
    """A running courier. Make one with `start`; end it with `close`. To be used on the loop that started it."""

    def __init__(self, departure: Departure) -> None:
        self._depart = departure
        self._loop = asyncio.get_running_loop()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="courier-pipe")
        self._child: Child | None = None
        self._hello: asyncio.Future[Hello] = self._loop.create_future()
        self._inboxes: dict[str, asyncio.Queue[Message]] = {}
        self._told: dict[str, int] = {}
        self._unwritten: set[str] = set()
        self._closing = False

    @classmethod
    async def start(cls, departure: Departure | None = None) -> Self:
        """Start the courier, as a child of this process or by `departure`, and wait until it is ready. Raises CourierGone."""
        link = cls(departure or depart)
        link._spawn()
        try:
            await link.ready()
        except BaseException:
            await link.close()
            raise
        return link

    @property
    def mirror(self) -> Hello | None:
        """Where the mirror listens; None while there is no courier. Another after each start."""
        return self._hello.result() if self._hello.done() and not self._hello.exception() else None

    @property
    def pid(self) -> int | None:
        """The child's process id, for tests and for `doctor`."""
        return self._child.pid if self._child else None

    async def ready(self) -> Hello:
        """Wait for a courier that can carry, starting one if the last one failed to start. Raises CourierGone."""
        if self._closing:
            raise CourierGone
        if self._hello.done() and self._hello.exception() is not None:
            self._spawn()
        elif self._hello.done():
            return self._hello.result()
        try:
            # Not asyncio.wait_for: on Python 3.11 it takes no notice of being cancelled at the moment when the hello is there.
            async with asyncio.timeout(_HELLO_SECONDS):
                return await asyncio.shield(self._hello)
        except TimeoutError as error:
            raise CourierGone("The helper process that talks to the network does not answer.") from error

    async def send(self, order: Send | Fetch) -> AsyncIterator[Message]:
        """Hand the order over; yields what the courier says of it, the End last. Raises CourierGone when none can be reached."""
        inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._inboxes[order.parcel_id] = inbox
        self._told[order.parcel_id] = 0
        self._unwritten.add(order.parcel_id)
        try:
            await self.ready()
            self._unwritten.discard(order.parcel_id)
            # Cancelled or lost while waiting: it has its end already, and must not be carried after it.
            if inbox.empty():
                await self._write(self._child, order)
            while True:
                message = await inbox.get()
                yield message
                if isinstance(message, End):
                    return
        finally:
            self._unwritten.discard(order.parcel_id)
            self._inboxes.pop(order.parcel_id, None)
            self._told.pop(order.parcel_id, None)

    async def more(self, parcel_id: str, credit: int) -> None:
        """Of the answer to a Fetch, `credit` bytes in all may come."""
        await self._write(self._child, More(parcel_id, credit))

    async def cancel(self, parcel_id: str) -> None:
        """Ask to stop carrying; the End that follows says how many bytes had left."""
        if parcel_id in self._unwritten:
            self._inboxes[parcel_id].put_nowait(End(parcel_id, 0, None, Ending.CANCELLED, "Stopped before anything was sent."))
        else:
            await self._write(self._child, Cancel(parcel_id))

    async def close(self) -> None:
        """End the courier: ask, close the pipe, and after a while insist. What is on its way is ended as LOST."""
        self._closing = True
        child, self._child = self._child, None
        if child is not None:
            # One that reads no more would keep the writing thread for ever.
            insist = self._loop.call_later(_QUIT_SECONDS, child.kill)
            await self._write(child, Quit())
            await self._loop.run_in_executor(self._writer, _end, child)
            insist.cancel()
        self._lose_all()
        if not self._hello.done():
            self._fail("Eyelid is ending.")
        self._writer.shutdown(wait=False)

    def _spawn(self) -> None:
        self._hello = self._loop.create_future()
        try:
            self._child = self._depart()
        except OSError:
            self._child = None
            self._fail("The helper process that talks to the network could not be started.")
            return
        _widen(self._child)
        threading.Thread(target=self._listen, args=(self._child,), daemon=True, name="courier").start()

    def _listen(self, child: Child) -> None:
        """The reading thread of one child: passes on messages until the pipe ends, then the None that says so."""
        assert child.stdout is not None
        message: Message | None
        while True:
            try:
                message = read(child.stdout)
            except (PipeError, OSError, ValueError):
                message = None
            with contextlib.suppress(RuntimeError):  # the loop may be gone before the child is
                self._loop.call_soon_threadsafe(self._heard, child, message)
            if message is None:
                child.stdout.close()
                return

    def _heard(self, child: Child, message: Message | None) -> None:
        if child is not self._child:
            return
        if message is None:
            self._ended(child)
        elif isinstance(message, Hello):
            if not self._hello.done():
                self._hello.set_result(message)
        elif not isinstance(message, Send | Fetch | More | Cancel | Quit) and (inbox := self._inboxes.get(message.parcel_id)):
            if isinstance(message, Progress):
                self._told[message.parcel_id] = message.sent
            inbox.put_nowait(message)

    def _ended(self, child: Child) -> None:
        """The pipe ended, or carried what is no message: give that child up, and start another if it ever worked."""
        self._child = None
        child.kill()
        self._loop.run_in_executor(self._writer, _reap, child)
        self._lose_all()
        if self._hello.done():
            self._spawn()
        else:
            self._fail("The helper process that talks to the network ended before it was ready.")

    def _fail(self, why: str) -> None:
        self._hello.set_exception(CourierGone(why))
        self._hello.exception()  # seen: whoever needs the courier asks again

    def _lose_all(self) -> None:
        for parcel_id, inbox in self._inboxes.items():
            sent = self._told.get(parcel_id, 0)
            inbox.put_nowait(End(parcel_id, sent, None, Ending.LOST, "The helper process that talks to the network ended."))

    async def _write(self, child: Child | None, message: Message) -> None:
        if child is not None:
            await self._loop.run_in_executor(self._writer, _put, child, message)


def _widen(child: Child) -> None:
    assert child.stdout is not None
    if sys.platform == "linux":
        import fcntl

        with contextlib.suppress(OSError):  # there may be less for everybody
            fcntl.fcntl(child.stdout.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_ROOM)


def _put(child: Child, message: Message) -> None:
    """Write a message. A broken pipe is no error here: its other end, noticed by the reader, tells the story."""
    assert child.stdin is not None
    with contextlib.suppress(OSError, ValueError):
        write(child.stdin, message)


def _end(child: Child) -> None:
    """Close the pipe and wait for the child to end; after a while, end it."""
    _close(child)
    try:
        child.wait(_QUIT_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _reap(child: Child) -> None:
    _close(child)
    child.wait()


def _close(child: Child) -> None:
    assert child.stdin is not None
    with contextlib.suppress(OSError):
        child.stdin.close()
