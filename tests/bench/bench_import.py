"""Importing photos, against `age` over the same files: `python tests/bench/bench_import.py [--files 5000]`.

Ours reads, hashes, checks, recognises, seals, syncs, reads back, indexes and makes thumbnails of each file; `age` seals each to a file, one
process a file, two at a time, and the drive is synced once at the end. Both write to the same drive. The goal is 0.7 of age's rate.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from PIL import Image

from app.imports.run import Choice
from app.imports.types import Fate
from app.paths import Profile
from app.services import Services
from app.vault.vault import Vault

GOAL = 0.7
PASSPHRASE = "import"
SIZE = (4032, 3024)
"""What Ray-Ban Meta glasses declare for a photo."""


def photo(seed: int, megabytes: float) -> bytes:
    """A JPEG of `SIZE` with a grain that makes it about that long."""
    chance = random.Random(seed)
    small = Image.frombytes("RGB", (336, 252), chance.randbytes(336 * 252 * 3))
    soft = small.resize(SIZE, Image.Resampling.BICUBIC)
    quality = 40
    while True:
        out = io.BytesIO()
        soft.save(out, "JPEG", quality=quality)
        if out.tell() >= megabytes * 1e6 or quality >= 95:
            return out.getvalue()
        quality += 5


def make(folder: Path, count: int, megabytes: float) -> int:
    """Write `count` files that differ in a comment; returns their bytes."""
    bases, size = [photo(seed, megabytes) for seed in range(3)], 0
    for number in range(count):
        base = bases[number % len(bases)]
        data = base[:2] + b"\xff\xfe\x00\x0a" + number.to_bytes(8, "big") + base[2:]
        (folder / f"{number:05}.jpg").write_bytes(data)
        size += len(data)
    os.sync()
    return size


async def ours(root: Path, folder: Path) -> float:
    """Seconds from asking to the report."""
    Vault.create(Profile(root).vault, passphrase=PASSPHRASE, keyring=False, work_factor=1).close()
    services = await Services.start(Profile(root))
    try:
        await services.vault.unlock(PASSPHRASE)
        await asyncio.sleep(0.5)
        start = time.perf_counter()
        report = await services.imports.run(Choice()).files([folder])
        seconds = time.perf_counter() - start
        assert report.count(Fate.TAKEN) == len(report.outcomes)
        return seconds
    finally:
        await services.stop()


def age(folder: Path, target: Path) -> float:
    """Seconds for the same files, two processes at a time."""
    target.mkdir()
    key = subprocess.run(["age-keygen"], capture_output=True, text=True, check=True).stdout
    recipient = next(line.split()[-1] for line in key.splitlines() if "public key" in line)
    names = "\0".join(path.name for path in sorted(folder.iterdir()))
    start = time.perf_counter()
    command = ["xargs", "-0", "-P", "2", "-I{}", "age", "-r", recipient, "-o", f"{target}/{{}}.age", f"{folder}/{{}}"]
    subprocess.run(command, input=names, text=True, check=True)
    os.sync()
    return time.perf_counter() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--megabytes", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=1)
    arguments = parser.parse_args()
    best = 0.0
    for number in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as place:
            folder, root = Path(place) / "from", Path(place) / "profile"
            folder.mkdir()
            size = make(folder, arguments.files, arguments.megabytes)
            Profile(root).make()
            mine = asyncio.run(ours(root, folder))
            os.sync()
            theirs = age(folder, Path(place) / "age")
            shutil.rmtree(Path(place) / "age")
        ratio = theirs / mine
        best = max(best, ratio)
        each, rate = size / arguments.files / 1e6, size / 1e6
        print(f"round {number + 1}: {arguments.files} files of {each:.2f} MB")
        print(f"  ours {mine:.1f} s ({rate / mine:.0f} MB/s), age {theirs:.1f} s ({rate / theirs:.0f} MB/s)")
        print(f"  ratio {ratio:.2f} (goal {GOAL})")
    return int(best < GOAL)


if __name__ == "__main__":
    sys.exit(main())
