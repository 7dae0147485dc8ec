"""`python -m app.imports.hand`: the process that hands come from, for the Eyelid that started it. It and they end when that does.

It never looks into a file itself: for each hand that is wanted it makes a copy of itself (fork(2)), which takes a hundredth of the time
that a start does. A hand packs files, one after another. It holds no secret of the vault, has no network, starts no program and opens no
file for writing: what it reads and where it seals to are handed to it open. A file that ends a hand is a line in the report.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterable
from io import FileIO
from multiprocessing.connection import Connection
from pathlib import Path

from app.errors import EyelidError, explain
from app.imports.packing import Ask, Place, pack
from app.imports.pipe import Message, PipeBroken, Way, order_of, packed_message, receive, refusal, send, take
from app.imports.sources import LARGEST
from app.media.look.guard import confine
from app.vault.files import Files, write_checked

_SEALED_MORE = LARGEST >> 10
"""Bytes that the longest file is longer sealed, and some."""
_COURTESY = 5
"""How much nicer than the window (nice(2)): who looks at pictures meanwhile comes first."""


class _Sheet:
    """The file that was handed over to seal to."""

    def __init__(self, file: FileIO) -> None:
        self._file = file

    def write(self, pieces: Iterable[bytes | memoryview]) -> None:
        write_checked(Files(), self._file, pieces)


def serve(way: Way) -> None:
    """Pack what is ordered until the other side closes the way. Raises PipeBroken then."""
    while True:
        message = receive(way)
        with FileIO(take(way), "rb") as file, contextlib.ExitStack() as held:
            try:
                packed = pack(file, order_of(message), _asking(way, held))
                if packed is None:
                    continue
                answer = packed_message(packed)
            except (OSError, EyelidError) as error:
                why = explain(error)
                answer = refusal((why.what, why.why, why.action))
        send(way, answer)


def _asking(way: Way, held: contextlib.ExitStack) -> Ask:
    def ask(sha256: str) -> Place | None:
        send(way, Message({"sha256": sha256}))
        answer = receive(way)
        return _Sheet(held.enter_context(FileIO(take(way), "rb+"))) if answer.handed else None

    return ask


def main() -> None:
    # Ctrl-C in a terminal reaches every process of the group; this one ends when its parent does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    way = Connection(os.dup(sys.stdin.fileno()))
    with Path(os.devnull).open("rb") as nothing:  # else each hand held an end of this way, too, and could speak on it
        os.dup2(nothing.fileno(), sys.stdin.fileno())
    os.nice(_COURTESY)
    confined = confine(LARGEST + _SEALED_MORE)
    with contextlib.suppress(PipeBroken):
        send(way, Message({"confined": confined}))
        while True:
            _obey(way, receive(way))
    os._exit(0)


def _obey(way: Connection, message: Message) -> None:
    """Bury a hand that has ended, or make one for the way that was handed over. Raises PipeBroken."""
    if not message.handed:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(message.fields["bury"], 0)
        return
    theirs = take(way)
    child = os.fork()
    if child:
        os.close(theirs)
        send(way, Message({"pid": child}))
        return
    try:
        way.close()
        with contextlib.suppress(PipeBroken):
            serve(Connection(theirs))
    finally:  # whatever happens, it does not go on as a second one that makes hands
        os._exit(0)


if __name__ == "__main__":
    main()
