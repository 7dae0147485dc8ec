"""Lines typed at a terminal, waited for on the event loop: Ctrl-C at a question ends it at once, and the terminal is left as it was.

`input` and `getpass` would hold the loop, or a thread that nobody can call back.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import sys
from collections.abc import Iterator

LONGEST = 4096
"""Bytes of a typed line; a terminal takes no more of one either (termios(3), canonical mode)."""


async def typed(question: str, *, hidden: bool = False) -> str:
    """Ask on standard error and return the line typed on standard input; empty at an end of input. What is `hidden` is not shown."""
    if sys.platform == "win32":  # no terminal can be waited for there
        with contextlib.suppress(EOFError):
            return await asyncio.to_thread(getpass.getpass if hidden else input, question)
        return ""
    descriptor = sys.stdin.fileno()
    with _unseen(descriptor) if hidden else contextlib.nullcontext():
        print(question, end="", file=sys.stderr, flush=True)
        line = b""
        try:
            line = await _line(descriptor)
        finally:
            if hidden or not line.endswith(b"\n"):
                print(file=sys.stderr, flush=True)  # the typed line end was not shown, or there was none
    return line.rstrip(b"\r\n").decode("utf-8", "replace")


async def _line(descriptor: int) -> bytes:
    """A line, or what came before the end of input."""
    line = b""
    while len(line) < LONGEST and not line.endswith(b"\n"):
        await _readable(descriptor)
        if not (piece := os.read(descriptor, LONGEST - len(line))):
            break
        line += piece
    return line


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)


@contextlib.contextmanager
def _unseen(descriptor: int) -> Iterator[None]:
    """While it lasts, what is typed is not shown."""
    if sys.platform == "win32":
        raise NotImplementedError
    import termios

    before = termios.tcgetattr(descriptor)
    quiet = list(before)
    quiet[3] &= ~termios.ECHO
    termios.tcsetattr(descriptor, termios.TCSAFLUSH, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
