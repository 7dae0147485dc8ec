"""Simulated glasses as a program of their own, on the virtual controller of the machine's kernel.

Takes one job a line on its standard input, as JSON: {"family", "address", "pictures": [paths], "faults": {...}, "shows_code"}. A job ends
the one before it; `null` only ends it. Says what happens on its standard output, a sentence a line, beginning with "ready".
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ble.sim.faults import Faults
from ble.sim.on_transport import serve


def tell(event: str) -> None:
    print(event, flush=True)


async def be(job: dict[str, Any]) -> None:
    pictures = [Path(path).read_bytes() for path in job["pictures"]]
    await serve(
        job["family"], "vhci", pictures, faults=Faults(**job["faults"]), address=job["address"], shows_code=job["shows_code"], on_event=tell
    )


async def main() -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    running: asyncio.Task[None] | None = None
    tell("ready")
    while line := await lines.readline():
        if running is not None:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            tell("off the air")
        job = json.loads(line)
        running = asyncio.create_task(be(job)) if job else None
        if running is not None:
            running.add_done_callback(report)


def report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        tell(f"failed: {error!r}")


if __name__ == "__main__":
    if "--check" not in sys.argv:
        asyncio.run(main())
