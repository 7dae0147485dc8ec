"""A large folder imported by a process that is killed in the middle and started again, until all is in.

    python tests/long/import_kills.py --files 5000 [--kills 1] [--megabytes 2] [--seed N]

The photos are those of `bench_import`. The import, hands and all, gets SIGKILL when a random part of the files is in; the next one goes on.
In the end every file must be in the vault once and whole, and no half-written one may be left; nor may anything live on, after a kill,
that the killed one had started. Prints JSON; the exit code says whether it held.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(1, str(Path(__file__).parents[1] / "bench"))

from bench_import import make

from app.imports.types import Fate, Progress
from app.paths import Profile
from app.services import Services
from app.vault.vault import Vault

PASSPHRASE = "import me"


async def take_in(root: Path, folder: Path) -> None:
    """The importer: says how many files it is done with, and in the end what became of them."""
    services = await Services.start(Profile(root))
    await services.vault.unlock(PASSPHRASE)
    await services.library.catch_up()

    def told(progress: Progress) -> None:
        print(progress.done, flush=True)

    report = await services.imports.run(on_progress=told).files([folder])
    print(json.dumps({fate.name: report.count(fate) for fate in Fate}), flush=True)
    await services.stop()


def run(root: Path, folder: Path, until: int | None) -> dict[str, int] | None:
    """Import until so many files are done, and kill; with None to the end, and return what became of them."""
    command = [sys.executable, __file__, "--in", str(root), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:  # a group of its own
        assert process.stdout is not None
        last = ""
        for last in process.stdout:
            if until is not None and last.strip().isdigit() and int(last) >= until:
                process.kill()
                break
        else:
            return dict(json.loads(last))
    assert gone(process.pid), "what it had started lives on"
    return None


def gone(group: int) -> bool:
    """Whether everything that the process had started has ended, too; they get ten seconds."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def check(root: Path, folder: Path) -> dict[str, object]:
    """What is in the vault beside what should be."""
    wanted = Counter(_digest(path) for path in folder.iterdir())
    vault = Vault.open(Profile(root).vault)
    leftovers = len(list(vault.folder.rglob("*.tmp")))
    vault.unlock_with_passphrase(PASSPHRASE)
    vault.catch_up()
    found = Counter(vault.meta(item).sha256 for item in vault.ids())
    faults = len(vault.verify().faults)
    vault.close()
    return {"once": found == wanted, "items": found.total(), "faults": faults, "leftovers": leftovers}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--megabytes", type=float, default=2.0)
    parser.add_argument("--kills", type=int, default=1)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--in", dest="inside", nargs=2, type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        asyncio.run(take_in(*arguments.inside))
        return 0
    chance = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as place:
        root, folder = Path(place) / "profile", Path(place) / "from"
        make(folder, arguments.files, arguments.megabytes, previews=True)
        Profile(root).make()
        Vault.create(Profile(root).vault, passphrase=PASSPHRASE, keyring=False, work_factor=1).close()
        began = time.monotonic()
        for at in sorted(chance.randrange(1, arguments.files) for _ in range(arguments.kills)):
            assert run(root, folder, at) is None
        fates = run(root, folder, None)
        seconds = time.monotonic() - began
        result = check(root, folder) | {"last run": fates, "seconds": round(seconds, 1), "seed": arguments.seed}
    print(json.dumps(result))
    return int(not (result["once"] and not result["faults"] and not result["leftovers"]))


if __name__ == "__main__":
    sys.exit(main())
