"""Importing photos, against `age` over the same files: `python tests/bench/bench_import.py [--files 5000]`.

Ours reads, hashes, checks, recognises and seals each file in a process without keys, syncs it and its folder, reads it back and indexes it:
that is the import, with a tile at once where the camera embedded a preview. Then all thumbnails are made in the background, which is when
all pictures were decoded. `age` seals each file to another, one process a file, two at a time; nothing is synced but the whole drive at the
end, or each file by `sync FILE`. All write to the same drive, in turn. The floor is what decoding the same files takes on two threads and
nothing else. The goal is 0.7 of age's rate for the import; on a computer that is busy otherwise, the ratio in computing says more than the
clock's.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(1, str(Path(__file__).parents[1] / "imports"))

from measure import cpu
from PIL import Image
from recognition import with_preview

from app.events import PreviewsMade
from app.imports.run import Choice
from app.imports.types import Fate
from app.media.decode import fit, open_picture
from app.media.thumbs import rough_edge
from app.media.types import MediaType
from app.paths import Profile
from app.previews import QUIET_SECONDS
from app.services import Services
from app.vault.vault import Vault

GOAL = 0.7
PASSPHRASE = "import"
SIZE = (4032, 3024)
"""What Ray-Ban Meta glasses declare for a photo."""
PREVIEW = (160, 120)
"""What cameras embed (JEITA CP-3461, DCF)."""
AT_ONCE = 2
DECODED = 200
"""Files whose decoding is timed for the floor."""


def photo(seed: int, megabytes: float) -> tuple[bytes, bytes]:
    """A JPEG of `SIZE` with a grain that makes it about that long, and a preview of it."""
    chance = random.Random(seed)
    small = Image.frombytes("RGB", (336, 252), chance.randbytes(336 * 252 * 3))
    soft = small.resize(SIZE, Image.Resampling.BICUBIC)
    quality, data = 40, b""
    while len(data) < megabytes * 1e6 and quality < 95:
        data = jpeg(soft, quality)
        quality += 5
    return data, jpeg(small.resize(PREVIEW), 80)


def jpeg(picture: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


def make(folder: Path, count: int, megabytes: float, *, previews: bool) -> int:
    """Write `count` files that differ in a comment, with EXIF as cameras write it, with or without a preview; returns their bytes."""
    folder.mkdir()
    bases, size = [photo(seed, megabytes) for seed in range(3)], 0
    for number in range(count):
        base, preview = bases[number % len(bases)]
        data = with_preview(base[:2] + b"\xff\xfe\x00\x0a" + number.to_bytes(8, "big") + base[2:], preview if previews else b"")
        (folder / f"{number:05}.jpg").write_bytes(data)
        size += len(data)
    os.sync()
    return size


async def ours(root: Path, folder: Path) -> dict[str, float]:
    """Seconds from asking to the report, and until every thumbnail is made; seconds of processors for the first."""
    Profile(root).make()
    Vault.create(Profile(root).vault, passphrase=PASSPHRASE, keyring=False, work_factor=1).close()
    services = await Services.start(Profile(root))
    try:
        await services.vault.unlock(PASSPHRASE)
        await asyncio.sleep(2 * QUIET_SECONDS)
        ended = asyncio.Event()

        def told(event: PreviewsMade) -> None:
            if event.done == event.total:
                ended.set()

        services.events.subscribe(PreviewsMade, told)
        start, busy = time.perf_counter(), cpu()
        report = await services.imports.run(Choice()).files([folder])
        imported, computed = time.perf_counter() - start, cpu() - busy
        assert report.count(Fate.TAKEN) == len(report.outcomes)
        await ended.wait()
        return {"import": imported, "cpu": computed, "all": time.perf_counter() - start - QUIET_SECONDS}
    finally:
        await services.stop()


def ours_apart(root: Path, folder: Path) -> dict[str, float]:
    """In a process of its own, as a program that gave up the internet can't start its courier again."""
    done = subprocess.run([sys.executable, __file__, "--ours", str(root), str(folder)], capture_output=True, text=True, check=True)
    measured: dict[str, float] = json.loads(done.stdout)
    os.sync()
    return measured


def age(folder: Path, target: Path, *, sync_each: bool = False) -> tuple[float, float]:
    """Seconds by the clock and of processors for the same files."""
    target.mkdir()
    key = subprocess.run(["age-keygen"], capture_output=True, text=True, check=True).stdout
    recipient = next(line.split()[-1] for line in key.splitlines() if "public key" in line)
    names = "\0".join(path.name for path in sorted(folder.iterdir()))
    sealing = ["age", "-r", recipient, "-o", f"{target}/{{}}.age", f"{folder}/{{}}"]
    if sync_each:
        sealing = ["sh", "-c", 'age -r "$0" -o "$1" "$2" && sync "$1"', recipient, *sealing[4:]]
    start, busy = time.perf_counter(), cpu()
    subprocess.run(["xargs", "-0", "-P", str(AT_ONCE), "-I{}", *sealing], input=names, text=True, check=True)
    os.sync()
    return time.perf_counter() - start, cpu() - busy


def floor(folder: Path) -> float:
    """Seconds that decoding all the files for thumbnails takes, measured with some of them."""

    def decode(path: Path) -> None:
        picture = open_picture(path.read_bytes(), MediaType.JPEG)
        picture.draft("RGB", fit(*picture.size, rough_edge(320)))
        picture.load()

    files = sorted(folder.iterdir())
    with ThreadPoolExecutor(AT_ONCE) as pool:
        start = time.perf_counter()
        list(pool.map(decode, files[:DECODED]))
        return (time.perf_counter() - start) * len(files) / len(files[:DECODED])


def compare(place: Path, arguments: argparse.Namespace, *, previews: bool) -> float:
    """Print how ours does beside the others; returns the ratio of the import, in the median round."""
    folder = place / "from"
    size = make(folder, arguments.files, arguments.megabytes, previews=previews)
    ratios, computing, totals = [], [], []
    print(f"{arguments.files} files of {size / arguments.files / 1e6:.2f} MB, {'with' if previews else 'without'} an embedded preview")
    for number in range(arguments.rounds):
        (theirs, busy), (synced, _) = age(folder, place / f"a{number}"), age(folder, place / f"s{number}", sync_each=True)
        mine, decoding = ours_apart(place / f"p{number}", folder), floor(folder)
        ratios.append(theirs / mine["import"])
        computing.append(busy / mine["cpu"])
        totals.append(theirs / mine["all"])
        rate = {name: size / 1e6 / seconds for name, seconds in (("age", theirs), ("synced", synced), *mine.items(), ("floor", decoding))}
        print(
            f"  import {rate['import']:.0f} MB/s, age {rate['age']:.0f} MB/s, age and sync {rate['synced']:.0f} MB/s: "
            f"ratio {ratios[-1]:.2f}, {synced / mine['import']:.2f}\n"
            f"  processors a file: import {mine['cpu'] / arguments.files * 1e3:.1f} ms, age {busy / arguments.files * 1e3:.1f} ms: "
            f"ratio {computing[-1]:.2f}\n"
            f"  until all thumbnails are made {rate['all']:.0f} MB/s: ratio {totals[-1]:.2f}; decoding alone {rate['floor']:.0f} MB/s"
        )
    print(
        f"  median ratio to age: import {statistics.median(ratios):.2f} by the clock (goal {GOAL}), {statistics.median(computing):.2f} in "
        f"computing; until all thumbnails are made {statistics.median(totals):.2f}"
    )
    return statistics.median(ratios)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--megabytes", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--ours", nargs=2, type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.ours:
        print(json.dumps(asyncio.run(ours(*arguments.ours))))
        return 0
    met = True
    for previews in (True, False):
        with tempfile.TemporaryDirectory() as place:
            met = compare(Path(place), arguments, previews=previews) >= GOAL and met
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
