"""Sealing and opening one large file with this vault's code, beside the `age` program on the same bytes. Prints seconds and ratios.

    python tests/bench/bench_vault.py [--mib 1024] [--runs 3] [--folder DIR]

Both read a file and write a file in the same folder (a memory file system, if that is what the folder is on). Runs are interleaved, and the
median counts, so that a busy computer disturbs both alike. `vault add` is the whole way: SHA-256, fsync, and reading back.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app.vault.age import X25519Identity, open_stream, seal
from app.vault.types import ItemKind, NewItem, Origin
from app.vault.vault import Vault


def write(path: Path, pieces: Iterable[memoryview]) -> None:
    with path.open("wb", buffering=0) as target:
        for piece in pieces:
            target.write(piece)


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def make_plain(path: Path, mib: int) -> None:
    block = os.urandom(1 << 20)
    write(path, (memoryview(block) for _ in range(mib)))


def contestants(folder: Path, identity: X25519Identity, vault: Vault) -> dict[str, Callable[[], object]]:
    plain, sealed, opened = folder / "plain", folder / "sealed.age", folder / "opened"
    key = folder / "key.txt"
    key.write_text(identity.text() + "\n")

    def our_seal() -> None:
        with plain.open("rb", buffering=0) as source:
            write(sealed, seal(source, [identity.recipient]))

    def our_open() -> None:
        with sealed.open("rb", buffering=0) as source:
            write(opened, open_stream(source, [identity]))

    def add() -> None:
        new = NewItem(ItemKind.VIDEO, "video/mp4", datetime.now(UTC), Origin("bench"))
        with plain.open("rb", buffering=0) as source:
            vault.delete(vault.add(source, new).id)

    entries: dict[str, Callable[[], object]] = {
        "copy": lambda: shutil.copyfile(plain, opened),
        "seal": our_seal,
        "open": our_open,
        "vault add": add,
    }
    if shutil.which("age"):
        entries["age seal"] = lambda: subprocess.run(["age", "-r", str(identity.recipient), "-o", sealed, plain], check=True)
        entries["age open"] = lambda: subprocess.run(["age", "-d", "-i", key, "-o", opened, sealed], check=True)
    return entries


def main() -> None:
    parser = argparse.ArgumentParser(description="Seal and open a large file, beside the age program.")
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        make_plain(folder / "plain", options.mib)
        identity = X25519Identity.generate()
        vault = Vault.create(folder / "vault", passphrase="bench", keyring=False, work_factor=1)
        entries = contestants(folder, identity, vault)
        times: dict[str, list[float]] = {entry: [] for entry in entries}
        for _ in range(options.runs):
            for entry, work in entries.items():
                times[entry].append(timed(work))
        vault.close()
    medians = {entry: statistics.median(seconds) for entry, seconds in times.items()}
    for entry, seconds in medians.items():
        print(f"{entry:10} {seconds:7.2f} s {options.mib / seconds:8.0f} MiB/s")
    for entry in ("seal", "open"):
        if f"age {entry}" in medians:
            ours, age, copy = medians[entry], medians[f"age {entry}"], medians["copy"]
            print(f"{entry}: {age / ours:.2f} times the speed of age, {copy / ours:.2f} of a copy")
    print(f"largest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")


if __name__ == "__main__":
    main()
