"""`python -m app.courier`: started by Eyelid, talks over its standard input and output, ends when they close."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys

from app.courier.service import Courier


def main() -> int:
    # Ctrl-C in a terminal reaches every process of the group; this one ends when its parent does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _no_core_dump()
    # Frames alone go to the pipe: whatever else might print is sent to nowhere.
    outgoing = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    with contextlib.suppress(BrokenPipeError):
        asyncio.run(Courier(outgoing).serve(sys.stdin.buffer))
    # The reading thread may still hold the standard input; there is nothing left to tidy.
    os._exit(0)


def _no_core_dump() -> None:
    """A crash must not write a parcel or a key to the disk."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
