"""Glasses deliver into a vault, and the program is killed, or the link dropped, at a random moment; again and again.

    python tests/long/ingest_runs.py --runs 200 [--families open,mentra-live,omi-glass] [--seed N] [--folder DIR]

Each run is a process of its own: the desk, the vault (locked in half of the runs) and simulated glasses, of each family in turn. Open
glasses and Mentra Live store captures, their wearer wants what is safe removed, and they remember over the runs what they hold and what
they were told to remove; Mentra Live deliver over Wi-Fi, through the courier. Omi Glass keep nothing: what they offered to the end must be
in the vault after every run that ended in peace, as half of theirs do. At the end one run of each family goes undisturbed. Then everything
ever offered must be in the vault once, and whatever was removed must have been there at that moment. Prints JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from app.events import EventHub
from app.glasses import airs
from app.glasses.desk import GlassesDesk
from app.glasses.http_link import HttpLink
from app.glasses.known import KnownBook
from app.glasses.types import KnownGlasses
from app.lanes import Lanes
from app.media.samples import pictures
from app.sharing.courier_link import CourierLink
from app.vault.vault import Vault
from ble.drivers import mentra_fetch, mentra_link
from ble.errors import GlassesError
from ble.sim.faults import AT_ONCE, Faults
from ble.sim.mentra import SimulatedMentra
from ble.sim.mentra_faults import MentraFaults
from ble.sim.omi import SimulatedOmi
from ble.sim.open_profile import SimulatedOpenGlasses
from ble.sim.open_profile_stream import OpenFaults
from ble.types import LinkState

FAMILIES = ("open", "mentra-live", "omi-glass")
ADDRESS = "F0:12:34:56:7A:01"
PASSPHRASE = "kill me"
BORN = datetime(2026, 5, 12, tzinfo=UTC)
A_RUN = 3
"""Captures that each run adds."""
LONGEST = 1.5
"""Seconds that a run may last after its glasses are on the air."""

UNHURRIED = replace(AT_ONCE, chunk=0.002)
"""So that it takes about half of a run, and is met at any point of it."""


@dataclass(frozen=True, slots=True)
class Job:
    """One run. `count`: captures so far; `drop`: bytes (of Omi Glass: chunks) of a transfer after which the link breaks, once.

    `linked`: the time until it is killed counts from the link on.
    """

    family: str
    folder: str
    count: int
    drop: int | None
    locked: bool
    linked: bool
    whole: bool

    def path(self, name: str) -> Path:
        return Path(self.folder) / name


def picture(number: int) -> bytes:
    """A JPEG like no other: a sample with a comment of its own (ITU-T T.81, B.2.4.5)."""
    sample = pictures("open")[number % 5]
    return sample[:2] + b"\xff\xfe\x00\x06" + number.to_bytes(4, "big") + sample[2:]


def digest(number: int) -> str:
    return hashlib.sha256(picture(number)).hexdigest()


def removed(folder: Path) -> list[int]:
    path = folder / "removed"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def note_removed(job: Job, number: int) -> None:
    """On the disk, before the glasses remove anything."""
    with job.path("removed").open("a") as file:
        file.write(f"{number}\n")
        file.flush()
        os.fsync(file.fileno())


# -- glasses, as they were left by the run before ---------------------------------------------------------------------------------------


def open_glasses(job: Job) -> SimulatedOpenGlasses:
    faults = OpenFaults(drop_link_at=job.drop, times=1)
    made = SimulatedOpenGlasses([picture(number) for number in range(1, job.count + 1)], backlog=0, faults=faults, pace=UNHURRIED)
    storage = made.storage
    storage._room = 1 << 40
    for number in range(1, job.count + 1):
        storage.keep_picture(int(BORN.timestamp() * 1000) + number, storage.number())
    for number in removed(Path(job.folder)):
        storage.trash[number] = storage.captures.pop(number)
    act = storage.acknowledge

    def acknowledge(number: int, head: bytes) -> Any:
        if number in storage.captures:
            note_removed(job, number)
        return act(number, head)

    storage.acknowledge = acknowledge  # type: ignore[method-assign]
    return made


def mentra(job: Job) -> SimulatedMentra:
    made = SimulatedMentra([picture(1)], stored=0, faults=MentraFaults(cut_after=job.drop, cuts=1), pace=AT_ONCE)
    made.http._rate = 300_000.0
    shelf = made.shelf
    numbers = {shelf.add(picture(number), BORN + timedelta(seconds=number)).id: number for number in range(1, job.count + 1)}
    gone = set(removed(Path(job.folder)))
    for name, number in numbers.items():
        if number in gone:
            shelf.trashed[name] = shelf._shots.pop(name)
    act = shelf._acknowledge

    def acknowledge(request: Any) -> Any:
        name = json.loads(request.body)["capture_id"]
        if name in shelf._shots:
            note_removed(job, numbers[name])
        return act(request)

    shelf._acknowledge = acknowledge  # type: ignore[method-assign]
    return made


def omi(job: Job) -> SimulatedOmi:
    fresh = [picture(number) for number in range(job.count - A_RUN + 1, job.count + 1)]
    return SimulatedOmi(fresh, faults=Faults(disconnect_after_chunk=job.drop, times=1), pace=UNHURRIED)


# -- what is done with them ---------------------------------------------------------------------------------------------------------------


async def ready(desk: GlassesDesk) -> None:
    while desk.known()[0].state is not LinkState.READY:
        await asyncio.sleep(0.01)


async def wait_for(glasses: SimulatedOpenGlasses, job: Job, desk: GlassesDesk) -> None:
    """They deliver by themselves."""
    while glasses.storage.captures or not job.whole:
        await asyncio.sleep(0.02)


async def import_from(glasses: SimulatedMentra, job: Job, desk: GlassesDesk) -> None:
    """Over Wi-Fi, again and again; in some runs they also go out of range."""

    async def leave() -> None:
        await asyncio.sleep(random.Random(job.drop).random() * LONGEST)
        await desk._airs.radio.run(glasses.drop_link())

    leaving = asyncio.create_task(leave()) if job.drop is not None and job.drop % 2 else None
    while glasses.shelf.shots or not job.whole:
        await ready(desk)
        async with contextlib.aclosing(desk.import_over_wifi(ADDRESS)) as steps:
            async for _ in steps:
                pass
    if leaving is not None:
        leaving.cancel()


async def ask(glasses: SimulatedOmi, job: Job, desk: GlassesDesk) -> None:
    """A photo at a time; which of them were offered to the end is noted."""
    for _ in range(A_RUN):
        await ready(desk)
        with contextlib.suppress(GlassesError):
            await desk.take_photo(ADDRESS)
            with job.path("offered").open("a") as file:
                file.write("x")
    while not job.whole:
        await asyncio.sleep(0.02)


KINDS: dict[str, tuple[Callable[[Job], Any], Callable[[Any, Job, GlassesDesk], Coroutine[Any, Any, None]]]] = {
    "open": (open_glasses, wait_for),
    "mentra-live": (mentra, import_from),
    "omi-glass": (omi, ask),
}


async def ingest(job: Job) -> None:
    """One run: until it is killed, or asked to end (SIGTERM); if `whole`, until nothing is left to bring in."""
    make, work = KINDS[job.family]
    glasses = make(job)
    airs.simulated = lambda *_: glasses
    mentra_link.PAUSE_SECONDS = mentra_fetch.PROBE_SECONDS = 0.01
    vault = Vault.open(job.path("vault"))
    if not job.locked:
        vault.unlock_with_passphrase(PASSPHRASE)
        vault.catch_up()

    async def sealed(_: object) -> None: ...

    courier = await CourierLink.start() if job.family == "mentra-live" else None
    lanes = Lanes()
    desk = GlassesDesk(Path(job.folder), lanes, EventHub(asyncio.get_running_loop()), sealed, HttpLink(courier) if courier else None)
    desk.begin(vault)
    await desk._starting  # type: ignore[misc]
    working = asyncio.create_task(work(glasses, job, desk))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, working.cancel)
    if job.linked:
        await ready(desk)
    print("ready", flush=True)
    with contextlib.suppress(asyncio.CancelledError):
        async with asyncio.timeout(150):
            await working
    await desk.stop()
    if courier is not None:
        await courier.close()
    lanes.close()
    vault.close()


def begin(folder: Path, family: str) -> None:
    folder.mkdir()
    Vault.create(folder / "vault", passphrase=PASSPHRASE, keyring=False, work_factor=2).close()
    KnownBook(folder / "glasses.json").keep(KnownGlasses(ADDRESS, family, "Mine", BORN, simulated=True, release=True))


def run(job: Job, chance: random.Random) -> bool:
    """One process; whether it ended in peace. Raises RuntimeError if it ends by itself and should not, or badly."""
    peace = job.whole or (job.family == "omi-glass" and chance.random() < 0.5)
    with subprocess.Popen([sys.executable, __file__, "--job", json.dumps(asdict(job))], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        if process.stdout.readline() != b"ready\n":
            raise RuntimeError("a run did not begin")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(180 if job.whole else chance.random() * LONGEST)
        if not job.whole:
            process.send_signal(signal.SIGTERM if peace else signal.SIGKILL)
        process.wait(60)
    if process.returncode != (0 if peace else -signal.SIGKILL):
        raise RuntimeError(f"a run ended with {process.returncode}")
    return peace


def digests(folder: Path) -> list[str]:
    """Of all that is in the vault, from what it holds and not from what it says."""
    vault = Vault.open(folder / "vault")
    try:
        vault.unlock_with_passphrase(PASSPHRASE)
        vault.catch_up()
        return [hashlib.sha256(vault.read(item)).hexdigest() for item in vault.ids()]
    finally:
        vault.close()


class Course:
    """All runs of one family, and what came of them."""

    def __init__(self, folder: Path, family: str) -> None:
        begin(folder, family)
        self._folder = folder
        self._family = family
        self._stores = family != "omi-glass"
        self._runs = 0
        self._held = 0
        self._early = 0
        self._lost = 0

    def run(self, chance: random.Random) -> None:
        """Disturbed."""
        self._runs += 1
        drop = chance.randrange(1, 60_000 if self._stores else 40) if chance.random() < 0.5 else None
        self._job(chance, drop, locked=chance.random() < 0.5, whole=False)

    def _job(self, chance: random.Random, drop: int | None, *, locked: bool, whole: bool) -> None:
        self._folder.joinpath("offered").write_text("")
        count = (self._runs + whole * (not self._stores)) * A_RUN
        linked = not self._stores or chance.random() < 0.5
        job = Job(self._family, str(self._folder), count, drop, locked, linked, whole)
        peace = run(job, chance)
        there = digests(self._folder)
        self._early += sum(digest(gone) not in there for gone in removed(self._folder))
        if peace and not self._stores:
            self._lost += max(0, len(self._folder.joinpath("offered").read_text()) - (len(there) - self._held))
        self._held = len(there)

    def end(self, chance: random.Random) -> dict[str, Any]:
        """The undisturbed run, and the sum."""
        half_way = len(removed(self._folder))
        self._job(chance, None, locked=False, whole=True)
        held = digests(self._folder)
        offered = {digest(each) for each in range(1, (self._runs + (not self._stores)) * A_RUN + 1)}
        lost = len(offered - set(held)) if self._stores else self._lost
        found = {"runs": self._runs, "offered": len(offered), "held": len(held), "removed_before_the_last": half_way, "lost": lost}
        return {**found, "twice": len(held) - len(set(held)), "removed_early": self._early}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--families", default=",".join(FAMILIES))
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--job", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.job:
        asyncio.run(ingest(Job(**json.loads(given.job))))
        return 0
    chance = random.Random(given.seed)
    with tempfile.TemporaryDirectory(prefix="eyelid-ingest-", dir=given.folder) as folder:
        courses = {family: Course(Path(folder) / family, family) for family in given.families.split(",")}
        for number in range(given.runs):
            list(courses.values())[number % len(courses)].run(chance)
        found = {family: course.end(chance) for family, course in courses.items()}
    faults = {kind: sum(each[kind] for each in found.values()) for kind in ("lost", "twice", "removed_early")}
    print(json.dumps({"runs": given.runs, "seed": given.seed, "families": found, **faults, "good": not any(faults.values())}, indent=1))
    return 1 if any(faults.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
