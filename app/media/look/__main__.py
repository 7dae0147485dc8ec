"""`python -m app.media.look`: started by Eyelid, talks over its standard input and output, ends when they close."""

from __future__ import annotations

import contextlib
import os
import signal
import sys

from app.media.look.guard import confine
from app.media.look.pipe import Hello, PipeError, encode
from app.media.look.worker import serve


def main() -> None:
    # Ctrl-C in a terminal reaches every process of the group; this one ends when its parent does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Frames alone go to the pipe: whatever libraries print is sent to nowhere.
    outgoing = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # numpy's threads are of no use here, and each takes address space
    confined = confine()
    with contextlib.suppress(OSError, PipeError):
        outgoing.write(encode(Hello(confined)))
        outgoing.flush()
        serve(sys.stdin.buffer, outgoing)
    os._exit(0)


if __name__ == "__main__":
    main()
