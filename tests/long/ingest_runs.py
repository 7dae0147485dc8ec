"""Glasses that store captures deliver into a vault, and the program is killed, or the link dropped, at a random moment; again and again.

    python tests/long/ingest_runs.py --runs 200 [--seed N] [--folder DIR]

Each run is a process of its own: the desk, the vault (locked in half of the runs) and simulated open glasses whose wearer wants what is
safe removed. The glasses remember over the runs what they hold and what they were told to remove. At the end one run goes undisturbed.
Then everything ever offered must be in the vault once, and whatever was removed must have been there at that moment. Prints JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from app.events import EventHub
from app.glasses import airs
from app.glasses.desk import GlassesDesk
from app.glasses.known import KnownBook
from app.glasses.types import KnownGlasses
from app.lanes import Lanes
from app.media.samples import pictures
from app.vault.vault import Vault
from ble.drivers.open_profile_wire import Result
from ble.sim.faults import AT_ONCE
from ble.sim.open_profile import SimulatedOpenGlasses
from ble.sim.open_profile_stream import OpenFaults

ADDRESS = "F0:12:34:56:7A:01"
PASSPHRASE = "kill me"
BORN = datetime(2026, 5, 12, tzinfo=UTC)
A_RUN = 3
"""Captures that each run adds."""
LONGEST = 1.5
"""Seconds that a run may last after its glasses are on the air."""


def picture(number: int) -> bytes:
    """A JPEG like no other: a sample with a comment of its own (ITU-T T.81, B.2.4.5)."""
    sample = pictures("open")[number % 5]
    return sample[:2] + b"\xff\xfe\x00\x06" + number.to_bytes(4, "big") + sample[2:]


def removed(folder: Path) -> list[int]:
    path = folder / "removed"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def twin(folder: Path, count: int, faults: OpenFaults) -> SimulatedOpenGlasses:
    """The glasses as they were left: `count` captures so far, less what was removed. What they remove is noted on the disk first."""
    made = SimulatedOpenGlasses([picture(number) for number in range(1, count + 1)], backlog=0, faults=faults, pace=AT_ONCE)
    made.storage._room = 1 << 40
    for number in range(1, count + 1):
        made.storage.keep_picture(int(BORN.timestamp() * 1000) + number, made.storage.number())
    for number in removed(folder):
        made.storage.trash[number] = made.storage.captures.pop(number)
    act = made.storage.acknowledge

    def acknowledge(number: int, head: bytes) -> Result:
        if number in made.storage.captures:
            with (folder / "removed").open("a") as file:
                file.write(f"{number}\n")
                file.flush()
                os.fsync(file.fileno())
        return act(number, head)

    made.storage.acknowledge = acknowledge  # type: ignore[method-assign]
    return made


async def ingest(folder: Path, count: int, drop: int | None, *, locked: bool, whole: bool) -> None:
    """One run, until it is killed; if `whole`, until the glasses are empty."""
    glasses = twin(folder, count, OpenFaults(drop_link_at=drop, times=1))
    airs.simulated = lambda *_: glasses  # type: ignore[assignment]
    vault = Vault.open(folder / "vault")
    if not locked:
        vault.unlock_with_passphrase(PASSPHRASE)
        vault.catch_up()

    async def sealed(_: object) -> None:
        print("sealed", flush=True)

    lanes = Lanes()
    desk = GlassesDesk(folder, lanes, EventHub(asyncio.get_running_loop()), sealed)
    desk.begin(vault)
    print("ready", flush=True)
    async with asyncio.timeout(120):
        while glasses.storage.captures or not whole:
            await asyncio.sleep(0.02)
    await desk.stop()
    lanes.close()
    vault.close()


def begin(folder: Path) -> None:
    Vault.create(folder / "vault", passphrase=PASSPHRASE, keyring=False, work_factor=2).close()
    KnownBook(folder / "glasses.json").keep(KnownGlasses(ADDRESS, "open", "Mine", BORN, simulated=True, release=True))


def run(folder: Path, count: int, chance: random.Random, *, whole: bool) -> None:
    """One process. Raises RuntimeError if it ends by itself and should not, or badly."""
    drop = chance.randrange(1, 60_000) if chance.random() < 0.5 and not whole else None
    locked = chance.random() < 0.5 and not whole
    job = json.dumps({"folder": str(folder), "count": count, "drop": drop, "locked": locked, "whole": whole})
    with subprocess.Popen([sys.executable, __file__, "--job", job], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        if process.stdout.readline() != b"ready\n":
            raise RuntimeError("a run did not begin")
        if whole:
            process.communicate(timeout=180)
        else:
            try:
                process.wait(chance.random() * LONGEST)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
            process.communicate()
    if process.returncode != (0 if whole else -signal.SIGKILL):
        raise RuntimeError(f"a run ended with {process.returncode}")


def digests(folder: Path) -> list[str]:
    """Of all that is in the vault, from what it holds and not from what it says."""
    vault = Vault.open(folder / "vault")
    try:
        vault.unlock_with_passphrase(PASSPHRASE)
        vault.catch_up()
        return [hashlib.sha256(vault.read(item)).hexdigest() for item in vault.ids()]
    finally:
        vault.close()


def runs(folder: Path, number: int, seed: int) -> dict[str, Any]:
    """All runs and what came of them; `good` says whether everything held."""
    chance = random.Random(seed)
    begin(folder)
    early = 0
    for each in range(1, number + 1):
        run(folder, each * A_RUN, chance, whole=False)
        there = set(digests(folder))
        early += sum(hashlib.sha256(picture(gone)).hexdigest() not in there for gone in removed(folder))
    half_way = len(removed(folder))
    run(folder, number * A_RUN, chance, whole=True)
    held = digests(folder)
    offered = {hashlib.sha256(picture(each)).hexdigest() for each in range(1, number * A_RUN + 1)}
    lost, twice = len(offered - set(held)), len(held) - len(set(held))
    found = {"runs": number, "seed": seed, "offered": len(offered), "removed_before_the_last": half_way, "lost": lost, "twice": twice}
    return {**found, "removed_early": early, "good": not (lost or twice or early)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--job", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.job:
        job = json.loads(given.job)
        asyncio.run(ingest(Path(job["folder"]), job["count"], job["drop"], locked=job["locked"], whole=job["whole"]))
        return 0
    with tempfile.TemporaryDirectory(prefix="eyelid-ingest-", dir=given.folder) as folder:
        found = runs(Path(folder), given.runs, given.seed)
    print(json.dumps(found, indent=1))
    return 0 if found["good"] else 1


if __name__ == "__main__":
    sys.exit(main())
