"""A clip on the glasses' own Wi-Fi: how fast it is safe in the vault, beside curl fetching the same file from the same server.

    python tests/bench/bench_http.py [--sizes 2,20,200] [--rates 0,100,20] [--rounds 5] [--families mentra-live,heycyan]

Ours is the whole way: courier, pipe, the driver with its checks, the look at the media, sealing, the copy read back from the drive; from
asking for the file to the vault's word that it is safe. curl writes to a file, once as it is, and once waiting for the drive, too (its
time and that of fsync), as ours does; it checks, seals and reads back nothing. Both open one connection for the file; our courier runs
already, as it does in the program, and curl's own start is not counted. The server of the simulated glasses is a process of its own, as
glasses are, and has served the file once before. Who goes first changes from round to round.

Sizes are in millions of bytes, rates in millions of bytes a second (0: as fast as it goes; 20: Wi-Fi of such glasses at its best; 100: more
than any glasses' Wi-Fi gives). At the end: what each step costs alone, one after the other, which is the floor.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from measure import goal

from app.events import EventHub
from app.glasses import airs
from app.glasses.desk import GlassesDesk
from app.glasses.http_link import HttpLink
from app.glasses.over_wifi import Done
from app.lanes import Lanes
from app.media.samples import clip, pictures
from app.sharing.courier_link import CourierLink
from app.vault.vault import Vault
from ble.http_port import HttpAnswer, HttpRequest
from ble.sim.faults import AT_ONCE
from ble.sim.heycyan import SimulatedHeycyan
from ble.sim.loopback_http import LoopbackHttp
from ble.sim.mentra import SimulatedMentra

FAMILIES = ("mentra-live", "heycyan")
GOAL = 0.8


def film(size: int, number: int) -> bytes:
    """A clip of `size` bytes like no other: the sample, and a box of nothing known (ISO/IEC 14496-12, 8.1.2)."""
    sample = clip()
    filling = size - len(sample) - 8
    return sample + (filling + 8).to_bytes(4, "big") + b"free" + number.to_bytes(8, "big") + bytes(filling - 8)


def twin(family: str, films: list[bytes]) -> Any:
    if family == "heycyan":
        return SimulatedHeycyan(pictures("heycyan"), pace=AT_ONCE, files={f"20260314_15{n:04d}.mp4": film for n, film in enumerate(films)})
    return SimulatedMentra(pictures("mentra-live"), pace=AT_ONCE, stored=0, clips=films)


async def serve(family: str, sizes: list[int], rate: float) -> None:
    """The server's process: prints where it is and the file's path, and ends with its standard input."""
    glasses = twin(family, [film(size, number) for number, size in enumerate(sizes)])
    glasses._used_at = glasses._reachable_at = 0.0
    respond = glasses.shelf.respond if family == "mentra-live" else glasses._respond
    server = LoopbackHttp(respond, rate=rate)
    await server.start()
    first = f"/api/v3/download?file={glasses.shelf.shots[0].id}/base.mp4" if family == "mentra-live" else "/files/20260314_150000.mp4"
    print(server.address, first, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.stop()


class Elsewhere:
    """In the place of a twin's own server: one in another process."""

    def __init__(self, address: str) -> None:
        self.address = address

    async def start(self) -> bool:
        return True

    async def stop(self) -> None:
        pass


def busy(courier: CourierLink) -> float:
    """Seconds of processor time that this process and its courier took so far; of the courier only where the system tells."""
    with contextlib.suppress(OSError):
        spent = Path(f"/proc/{courier.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return time.process_time() + sum(map(int, spent)) / os.sysconf("SC_CLK_TCK")
    return time.process_time()


class Watch:
    """The way to the glasses, and when each file of media was asked for."""

    def __init__(self, courier: CourierLink) -> None:
        self._courier = courier
        self._link = HttpLink(courier)
        self.asked: list[float] = []
        self.busy: list[float] = []

    def open(self, request: HttpRequest) -> contextlib.AbstractAsyncContextManager[HttpAnswer]:
        if "download" in request.path or request.path.endswith(".mp4"):
            self.busy.append(busy(self._courier))
            self.asked.append(time.perf_counter())
        return self._link.open(request)


@asynccontextmanager
async def server(family: str, sizes: list[int], rate: float) -> AsyncIterator[tuple[str, str]]:
    """Its address, and the path of the first file."""
    job = json.dumps({"family": family, "sizes": sizes, "rate": rate})
    with subprocess.Popen([sys.executable, __file__, "--serve", job], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            address, path = process.stdout.readline().decode().split()
            yield address, path
        finally:
            process.stdin.close()


async def ours(family: str, address: str, folder: Path) -> tuple[float, float]:
    """Import the one clip; the seconds it took, and the seconds of processor time, the courier's included."""
    airs.simulated = lambda *_: _elsewhere(family, address)  # type: ignore[assignment]
    vault = Vault.create(folder / "vault", passphrase="correct horse battery", keyring=False, work_factor=4)
    courier, lanes = await CourierLink.start(), Lanes()
    watch, safe = Watch(courier), [0.0, 0.0]

    async def sealed(_: object) -> None:
        safe[:] = time.perf_counter(), busy(courier)

    desk = GlassesDesk(folder, lanes, EventHub(asyncio.get_running_loop()), sealed, watch)
    desk.begin(vault)
    await desk.start_simulated(family)
    scan = desk.scan(10)
    known = await desk.pair(await anext(scan))
    await scan.aclose()
    steps = [step async for step in desk.import_over_wifi(known.address)]
    assert steps[-1] == Done(1, 0, 0), steps
    await desk.stop()
    await courier.close()
    lanes.close()
    vault.close()
    return safe[0] - watch.asked[-1], safe[1] - watch.busy[-1]


def _elsewhere(family: str, address: str) -> Any:
    glasses = twin(family, [b"?"])
    glasses.http = Elsewhere(address)
    return glasses


def curl(url: str, folder: Path) -> float:
    """Seconds from the start of the request, as curl itself states them."""
    command = ["curl", "-s", "-o", str(folder / "curl"), "-w", "%{time_total}", url]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def drive(folder: Path) -> float:
    """Seconds until the drive has what curl fetched."""
    began = time.perf_counter()
    with (folder / "curl").open("rb") as file:
        os.fsync(file.fileno())
    return time.perf_counter() - began


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds of ours, of curl, and of curl and the drive; and the processor's seconds of ours."""

    ours: float
    curl: float
    curl_and_drive: float
    busy: float


async def compare(family: str, size: int, rate: float, rounds: int, folder: Path) -> None:
    times = [await one_round(family, size, rate, folder, ours_first=number % 2 == 0) for number in range(rounds)]
    mb = size / 1e6
    best, fastest = min(each.ours for each in times), min(each.curl for each in times)
    words = f"{family}, {mb:g} MB, {f'at {rate / 1e6:g} MB/s' if rate else 'no limit'}: {mb / best:.0f} MB/s, curl {mb / fastest:.0f} MB/s"
    print(f"{words}; {statistics.median(each.busy for each in times) / mb * 1000:.1f} ms of processor a MB")
    goal("beside curl", statistics.median(each.curl / each.ours for each in times), GOAL)
    print(f"  beside curl and the drive: {statistics.median(each.curl_and_drive / each.ours for each in times):.2f}")


async def one_round(family: str, size: int, rate: float, folder: Path, *, ours_first: bool) -> Round:
    async with server(family, [size], rate) as (address, path):
        with tempfile.TemporaryDirectory(dir=folder) as name:
            place, url = Path(name), f"http://{address}{path}"
            curl(url, place)
            theirs = None if ours_first else (curl(url, place), drive(place))
            os.sync()
            seconds, busy = await ours(family, address, place)
            plain, driven = theirs or (curl(url, place), drive(place))
            return Round(seconds, plain, plain + driven, busy)


def floor(size: int, folder: Path) -> None:
    """What each thing that has to be done costs alone."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from app.vault.age import X25519Identity, seal

    data, path = film(size, 0), folder / "floor"
    to = X25519Identity.generate().recipient
    with path.open("wb", buffering=0) as file:
        steps: list[tuple[str, Callable[[], object]]] = [
            ("SHA-256", lambda: hashlib.sha256(data).digest()),
            ("sealing", lambda: [None for _ in seal(data, [to])]),
            ("check sums of the copy, twice", lambda: [AESGCM(bytes(16)).encrypt(bytes(12), b"", data) for _ in range(2)]),
            ("writing", lambda: file.write(data)),
            ("the drive", lambda: os.fsync(file.fileno())),
            ("reading back", lambda: path.read_bytes()),
        ]
        took = {}
        for name, step in steps:
            began = time.perf_counter()
            step()
            took[name] = time.perf_counter() - began
    parts = ", ".join(f"{name} {seconds * 1000:.0f}" for name, seconds in took.items())
    print(f"  the floor for {size / 1e6:g} MB, in ms: {parts}; in all {sum(took.values()) * 1000:.0f}")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="2,20,200")
    parser.add_argument("--rates", default="0,100,20")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--families", default=",".join(FAMILIES))
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        await serve(**json.loads(given.serve))
        return
    sizes = [int(float(text) * 1e6) for text in given.sizes.split(",")]
    with tempfile.TemporaryDirectory(prefix="eyelid-http-") as folder:
        for family in given.families.split(","):
            for rate in (float(text) * 1e6 for text in given.rates.split(",")):
                for size in sizes:
                    await compare(family, size, rate, given.rounds, Path(folder))
        for size in sizes:
            floor(size, Path(folder))


if __name__ == "__main__":
    asyncio.run(main())
