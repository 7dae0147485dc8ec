"""What looking and shaping cost: one photo of 12 megapixels, beside plain decoding of it and beside the finders alone. Prints a table.

    python tests/bench/bench_look.py [--runs 3]

Ratios are of processor time, which other work disturbs least; of the rows from "prepare" on, that of this process alone. What the finders
find: tests/bench/finders.py.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from finders import pixels, sample
from measure import goal
from PIL import Image

from app.media.look.codes import CodeFinder
from app.media.look.cover import Edit, covers_for
from app.media.look.faces import FaceFinder
from app.media.look.link import LookLink
from app.media.look.text import TextFinder
from app.media.look.types import Findings, Kind
from app.media.shape import shape
from app.paths import Profile
from app.services import Services
from app.sharing.types import Draft, PictureChoice
from app.vault.types import ItemKind, NewItem, Origin
from app.vault.vault import Vault


def photo() -> bytes:
    """A 12-megapixel JPEG with a person, a letter, a cup and a cat in it."""
    picture = Image.new("RGB", (4000, 3000))
    for index, name in enumerate(("halo/2-astronaut.jpg", "halo/3-letter.jpg", "halo/1-coffee.jpg", "halo/4-cat.jpg")):
        picture.paste(sample(name).resize((2000, 1500), Image.Resampling.LANCZOS), (2000 * (index % 2), 1500 * (index // 2)))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()


Cost = tuple[float, float]
"""Seconds that passed, and seconds of processors."""


def timed(work: Callable[[], object]) -> Cost:
    start, busy = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - busy


def processor_seconds(pid: int | None) -> float:
    """What a process has used so far; 0 where the system does not show it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return 0.0


async def looked(link: LookLink, data: bytes) -> tuple[Findings, Cost]:
    start, busy = time.perf_counter(), processor_seconds(link.pid)
    findings = await link.look(data, "image/jpeg", 1)
    return findings, (time.perf_counter() - start, processor_seconds(link.pid) - busy)


def median(costs: list[Cost]) -> Cost:
    return statistics.median(wall for wall, _ in costs), statistics.median(busy for _, busy in costs)


def memory(pid: int | None, line: str) -> str:
    try:
        found = next(each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith(line))
        return f"{int(found.split()[1]) / 1024:.0f} MiB"
    except (OSError, StopIteration):
        return "not known on this system"


async def speed(runs: int) -> None:
    data = photo()
    shown = pixels(Image.open(io.BytesIO(data)))
    finders = {"faces": FaceFinder(), "codes": CodeFinder(), "text": TextFinder()}
    for finder in finders.values():
        finder.find(shown)
    link = LookLink()
    findings, first = await looked(link, data)
    edit = Edit(covers_for(findings, list(Kind)))
    decode, worker, covered = "decode it (Pillow)", "look, by the worker", "shape, all that was found covered"
    work: dict[str, Callable[[], object]] = {
        decode: lambda: Image.open(io.BytesIO(data)).load(),
        **{f"the finder of {name} alone": lambda finder=finder: finder.find(shown) for name, finder in finders.items()},
        "shape": lambda: shape(data, "image/jpeg", 1),
        covered: lambda: shape(data, "image/jpeg", 1, edit=edit),
    }
    costs: dict[str, list[Cost]] = {name: [] for name in (*work, worker)}
    for _ in range(runs):
        for name, call in work.items():
            costs[name].append(timed(call))
        costs[worker].append((await looked(link, data))[1])
    rows = {name: median(each) for name, each in costs.items()}
    alone = rows["finders alone, together"] = added(rows[f"the finder of {name} alone"] for name in finders)
    rows["look and shape"] = added([rows[worker], rows[covered]])
    rows["look, the first time (starts the worker)"] = first
    rows["prepare, to what the dialog shows"], rows["prepare with faces covered, looked for again"] = await prepared(data, runs)
    print(f"\nOne photo of 12 megapixels, {len(data) / 1e6:.1f} MB; median of {runs}")
    print(f"{'':<48}{'seconds':>9}{'processor':>11}{'x decoding':>12}{'x finders':>11}")
    for name, (wall, busy) in rows.items():
        print(f"  {name:<46}{wall:>9.3f}{busy:>11.3f}{busy / rows[decode][1]:>12.1f}{busy / alone[1]:>11.2f}")
    goal("to what the dialog shows", rows["prepare, to what the dialog shows"][0], most=0.3, unit=" s")
    print(f"  memory of the worker: {memory(link.pid, 'VmHWM')} at most, {memory(link.pid, 'VmRSS')} between pictures")
    print(f"  confined by the kernel: {link.confined}; found: {len(findings.regions)} regions; not checked: {len(findings.unchecked)}")
    await link.close()


async def prepared(data: bytes, runs: int) -> tuple[Cost, Cost]:
    """From "ask" to what the dialog shows, through the running program: read, shape, build the request, read it back.

    The second is the same with the faces covered, and looked for again in the finished picture.
    """
    with tempfile.TemporaryDirectory() as folder:
        profile = Profile(Path(folder))
        Vault.create(profile.vault, passphrase="bench", keyring=False, work_factor=2).close()
        services = await Services.start(profile)
        try:
            await services.vault.unlock("bench")
            new = NewItem(ItemKind.PHOTO, "image/jpeg", datetime.now(UTC), Origin("bench"), 4000, 3000)
            item = services.vault.vault.add(data, new).id
            covers = covers_for(await services.sharing.look(item))
            costs: tuple[list[Cost], list[Cost]] = ([], [])
            for _ in range(runs):
                for edit, rows in zip((Edit(), Edit(covers)), costs, strict=True):
                    start, busy = time.perf_counter(), time.process_time()
                    await services.sharing.prepare(Draft((item,), "What is this?", "mirror", pictures=(PictureChoice(item, edit=edit),)))
                    rows.append((time.perf_counter() - start, time.process_time() - busy))
        finally:
            await services.stop()
    return median(costs[0]), median(costs[1])


def added(costs: Iterable[Cost]) -> Cost:
    costs = list(costs)
    return sum(wall for wall, _ in costs), sum(busy for _, busy in costs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    asyncio.run(speed(parser.parse_args().runs))


if __name__ == "__main__":
    main()
