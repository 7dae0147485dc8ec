"""`python -m app.courier`: started by Eyelid, talks over its standard input and output, ends when they close."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys

from app.courier.indoors import Indoors, stay_indoors
from app.courier.service import Courier


def main() -> None:
    # Ctrl-C in a terminal reaches every process of the group; this one ends when its parent does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    incoming, outgoing = (os.dup(stream.fileno()) for stream in (sys.stdin, sys.stdout))
    hush()
    carry_for(incoming, outgoing, stay_indoors())


def hush() -> None:
    """Frames alone go to the pipe: whatever else might print is sent to nowhere, and nobody else reads the standard input."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def carry_for(incoming: int, outgoing: int, indoors: Indoors) -> None:
    """Be a courier on this pipe until it closes, and end the process."""
    orders, answers = os.fdopen(incoming, "rb"), os.fdopen(outgoing, "wb")
    with contextlib.suppress(BrokenPipeError):
        asyncio.run(Courier(answers, indoors=indoors).serve(orders))
    # The reading thread may still hold the pipe; there is nothing left to tidy.
    os._exit(0)


if __name__ == "__main__":
    main()
