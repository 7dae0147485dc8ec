"""Files that another process writes slowly into a watched folder, while the one that watches is killed again and again.

    python tests/long/watch_runs.py --files 200 --kills 30 [--seed N]

A writer puts pictures and clips into the folder piece by piece (half of them under a partial name that is renamed at the end, half under
their own), and a watcher with the ordinary services imports them; it gets SIGKILL at random moments and is started again. In the end every
file must be in the vault once and whole. Prints JSON; the exit code says whether it held.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import io
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from PIL import Image

from app.imports import watch
from app.media.samples import clip
from app.paths import Profile
from app.services import Services
from app.vault.vault import Vault

PASSPHRASE = "watch me"
LOOK_SECONDS = 0.1
"""Between two looks; the writer's pauses are shorter than the three looks that a file must lie still."""


def content(number: int) -> tuple[str, bytes]:
    """Name and bytes of one file, another for each number: a photo, and every tenth a clip."""
    if number % 10 == 9:
        return f"{number:04}.mp4", clip() + b"\0\0\0\x10free" + number.to_bytes(8, "big")
    pixels = random.Random(number).randbytes(3 * 120 * 90)
    out = io.BytesIO()
    Image.frombytes("RGB", (120, 90), pixels).save(out, "JPEG", quality=90)
    return f"{number:04}.jpg", out.getvalue()


def write(folder: Path, files: int, seed: int) -> None:
    """The writer: each file in some pieces, with pauses."""
    chance = random.Random(seed)
    for number in range(files):
        name, data = content(number)
        path = folder / (f"{name}.part" if number % 2 else name)
        with path.open("wb", buffering=0) as file:
            at = 0
            while at < len(data):
                step = chance.randint(1, len(data))
                file.write(data[at : at + step])
                at += step
                time.sleep(chance.uniform(0, 0.05))
        if number % 2:
            path.rename(folder / name)


async def follow(root: Path, folder: Path) -> None:
    """The watcher: unlocks and imports for ever."""
    watch.SECONDS = LOOK_SECONDS
    services = await Services.start(Profile(root))
    await services.vault.unlock(PASSPHRASE)
    services.imports.watch(folder)
    print("ready", flush=True)
    await asyncio.Event().wait()


def there(root: Path) -> Counter[str]:
    """Digests of all that the vault has, read back whole. The vault must be free."""
    vault = Vault.open(root / "vault")
    try:
        vault.unlock_with_passphrase(PASSPHRASE)
        return Counter(hashlib.sha256(vault.read(item)).hexdigest() for item in vault.ids())
    finally:
        vault.close()


def started(root: Path, folder: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen([sys.executable, __file__, "--follow", str(root), str(folder)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    if child.stdout.readline() != "ready\n":
        raise SystemExit("the watcher did not start")
    return child


def killed(child: subprocess.Popen[str]) -> None:
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert child.stdout is not None
    child.stdout.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--follow", nargs=2, type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.follow:
        asyncio.run(follow(*arguments.follow))
        return 0
    if arguments.write:
        write(arguments.write, arguments.files, arguments.seed)
        return 0
    with tempfile.TemporaryDirectory() as place:
        return run(Path(place), arguments)


def run(place: Path, arguments: argparse.Namespace) -> int:
    folder, root, chance = place / "from", place / "profile", random.Random(arguments.seed)
    folder.mkdir()
    Profile(root).make()
    Vault.create(root / "vault", passphrase=PASSPHRASE, keyring=False, work_factor=1).close()
    command = [sys.executable, __file__, "--write", str(folder), "--files", str(arguments.files), "--seed", str(arguments.seed)]
    writer = subprocess.Popen(command)
    for _ in range(arguments.kills):
        child = started(root, folder)
        time.sleep(chance.uniform(0.2, 1.5))
        killed(child)
    writer.wait()
    child, deadline = started(root, folder), time.monotonic() + 30 + arguments.files / 4
    wanted = Counter(hashlib.sha256(content(number)[1]).hexdigest() for number in range(arguments.files))
    objects = 0
    while time.monotonic() < deadline and objects < len(wanted):
        time.sleep(1)
        objects = sum(1 for path in (root / "vault/objects").rglob("*.meta.age"))
    time.sleep(2)
    killed(child)
    found = there(root)
    report = {
        "files": arguments.files,
        "kills": arguments.kills,
        "missing": sum((wanted - found).values()),
        "more than once, or not whole": sum((found - wanted).values()),
    }
    print(json.dumps(report, indent=1))
    return int(found != wanted)


if __name__ == "__main__":
    sys.exit(main())
