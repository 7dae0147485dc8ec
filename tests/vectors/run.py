"""The vault's age format against everybody else's: the public test vectors, and other programs in both directions.

    python tests/vectors/run.py [--largest MIB] [--cache DIR]

Takes the vectors (`cctv-age`) and a second implementation of the hybrid recipient (`age-encryption`) from npm, in exactly the versions and
with the digests of package-lock.json, runs none of their install scripts, and keeps them outside this tree. Prints a count for each kind,
and ends with 1 if anything differs, if npm is missing, or if no other program could be tried at all.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.vectors.interop import SIZES, Program, exchange, programs
from tests.vectors.judge import fault_in_reader, fault_in_stream, read_vector

HERE = Path(__file__).resolve().parent
PACKAGES = ("package.json", "package-lock.json", "tool.mjs")


def main() -> int:
    parser = argparse.ArgumentParser(description="Test vectors of the age format, and other programs in both directions.")
    parser.add_argument("--largest", type=int, default=100, metavar="MIB", help="size of the largest file exchanged (default: 100)")
    parser.add_argument("--cache", type=Path, default=None, help="where npm's packages are kept (default: the user's cache folder)")
    options = parser.parse_args()
    try:
        tool = install(options.cache or cache_folder())
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"The test vectors could not be had: {error}", file=sys.stderr)
        return 1
    passed, failed = run_vectors(tool)
    more_passed, more_failed = run_interop(tool, [*SIZES, options.largest << 20])
    passed, failed = passed + more_passed, failed + more_failed
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0 or not passed or not more_passed)


def cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base else Path.home() / ".cache") / "eyelid" / "test-vectors"


def install(folder: Path) -> Path:
    """Put npm's packages into `folder`, checked against the digests of the lock file; return the tool beside them."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise OSError("npm and node are needed (Debian: apt install npm; Node 20.19 or newer for all of it)")
    folder.mkdir(parents=True, exist_ok=True)
    for name in PACKAGES:
        shutil.copyfile(HERE / name, folder / name)
    subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"],
        cwd=folder,
        check=True,
        stdout=sys.stderr,
    )
    return folder / "tool.mjs"


def run_vectors(tool: Path) -> tuple[int, int]:
    """Put every vector through the vault's code, front to back and with the seekable reader; print the counts, return them."""
    listed = subprocess.run(["node", tool, "vectors"], check=True, stdout=subprocess.PIPE).stdout
    vectors = [read_vector(name, base64.b64decode(text)) for name, text in json.loads(listed).items()]
    total, good = Counter[str](), Counter[str]()
    for vector in vectors:
        fault = fault_in_stream(vector) or fault_in_reader(vector)
        total[vector.kind] += 1
        good[vector.kind] += not fault
        if fault:
            print(f"  {vector.name}: {fault}")
    print("test vectors of the age format (C2SP/CCTV)")
    for kind in sorted(total):
        print(f"  {kind:10} {good[kind]:4} of {total[kind]}")
    print(f"  {'total':10} {good.total():4} of {total.total()}, none left out")
    return good.total(), total.total() - good.total()


def run_interop(tool: Path, sizes: list[int]) -> tuple[int, int]:
    """Exchange files with every program there is, both ways; print the counts, return them."""
    print(f"other programs, both ways, {len(sizes)} sizes up to {max(sizes) >> 20} MiB")
    passed = failed = 0
    with tempfile.TemporaryDirectory() as name:
        for program in programs(tool, Path(name)):
            faults = _faults(program, sizes, Path(name))
            if faults is None:
                print(f"  {program.name:34} left out: {program.missing}")
                continue
            print(f"  {program.name:34} {2 * len(sizes) - len(faults):4} of {2 * len(sizes)}")
            for fault in faults:
                print(f"    {fault}")
            passed, failed = passed + 2 * len(sizes) - len(faults), failed + len(faults)
    return passed, failed


def _faults(program: Program, sizes: list[int], folder: Path) -> list[str] | None:
    if program.missing:
        return None
    return [fault for size in sizes for fault in exchange(program, size, folder)]


if __name__ == "__main__":
    sys.exit(main())
