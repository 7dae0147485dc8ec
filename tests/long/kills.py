"""Kill an ingesting Eyelid again and again, at random moments, and look whether anything that was acknowledged is lost.

    python tests/long/kills.py --kills 1000 [--seed N] [--folder DIR]

Each round is a process of its own that opens the vault, adds captures (half of the rounds locked), and edits or deletes some; it says each
thing done over a pipe, and gets SIGKILL after a random time. Then: every file on the disk must hold sealed bytes only, everything
acknowledged must be there and read back as it was, and nothing may be half there. Prints JSON; the exit code says whether all of it held.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import select
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

sys.path.insert(0, str(Path(__file__).parents[2]))

from app.vault.backup import is_sealed
from app.vault.types import ItemId, ItemKind, NewItem, Origin
from app.vault.vault import Vault

MARK = b"PLAINTEXT-MARK-4711"
PASSPHRASE = "kill me"
NEW = NewItem(ItemKind.PHOTO, "image/jpeg", datetime(2026, 5, 12, tzinfo=UTC), Origin("omi-glass", "", MARK.decode()))
LARGEST = 300_000
LONGEST = 0.08
"""Seconds a round may last after its process said that it is ready."""


@dataclass
class Tally:
    """What was seen over all rounds."""

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    plaintext: int = 0
    unreadable: int = 0
    leftovers: int = 0
    unacknowledged_kept: int = 0
    what: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not (self.lost or self.plaintext or self.unreadable)


@dataclass
class Known:
    """What the vault must hold: digest and note of each capture that was acknowledged, None as a note where an edit was under way."""

    items: dict[str, tuple[str, str]] = field(default_factory=dict)
    unsure: dict[str, set[str]] = field(default_factory=dict)
    deleting: set[str] = field(default_factory=set)


def child(folder: Path, pipe: int, seed: int) -> NoReturn:
    """Work until killed. Every line on the pipe is a promise, written after the call returned."""
    dice = random.Random(seed)

    def say(*words: object) -> None:
        os.write(pipe, (" ".join(map(str, words)) + "\n").encode())

    vault = Vault.open(folder)
    unlocked = seed % 2 == 0
    if unlocked:
        vault.unlock_with_passphrase(PASSPHRASE)
        vault.catch_up()
    say("ready")
    mine: list[ItemId] = []
    while True:
        data = MARK * 2 + dice.randbytes(dice.randrange(LARGEST)) + MARK
        meta = vault.add(data, NEW)
        mine.append(meta.id)
        say("added", meta.id, hashlib.sha256(data).hexdigest())
        if unlocked and dice.random() < 0.5:
            item, note = dice.choice(mine), f"{MARK.decode()}-{dice.randrange(10**9)}"
            say("noting", item, note)
            vault.change(item, lambda old, note=note: replace(old, note=note))  # type: ignore[misc]
            say("noted", item, note)
        if unlocked and dice.random() < 0.2:
            item = mine.pop(dice.randrange(len(mine)))
            say("deleting", item)
            vault.delete(item)
            say("deleted", item)


def run_round(folder: Path, seed: int, dice: random.Random) -> list[str]:
    """Start a child, kill it at a random moment, and return the whole lines it wrote."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(read)
            child(folder, write, seed)
        except BaseException as error:
            os.write(write, f"failed {type(error).__name__} {error}\n".encode())
        os._exit(1)
    os.close(write)
    try:
        said = b""
        while b"\n" not in said:
            assert select.select([read], [], [], 30)[0], "the child did not start"
            said += os.read(read, 65536)
        time.sleep(dice.random() * LONGEST)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    while piece := os.read(read, 65536):
        said += piece
    os.close(read)
    return said.decode().split("\n")[:-1]


def take_in(lines: list[str], known: Known, tally: Tally) -> None:
    for line in lines:
        word, *rest = line.split(" ")
        if word == "added":
            known.items[rest[0]] = (rest[1], "")
            tally.acknowledged += 1
        elif word == "noting":
            known.unsure[rest[0]] = {known.items[rest[0]][1], rest[1]}
        elif word == "noted":
            known.items[rest[0]] = (known.items[rest[0]][0], rest[1])
            known.unsure.pop(rest[0])
            tally.acknowledged += 1
        elif word == "deleting":
            known.deleting.add(rest[0])
        elif word == "deleted":
            known.items.pop(rest[0])
            known.deleting.discard(rest[0])
            tally.acknowledged += 1
        elif word == "failed":
            tally.unreadable += 1
            tally.what.append(line)


def look(folder: Path, known: Known, seen: set[tuple[str, int]], tally: Tally, fresh: list[str]) -> None:
    """The disk as the kill left it, then the vault as the next start finds it."""
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            key = (str(path), path.stat().st_mtime_ns)
            if path.is_file() and key not in seen:
                seen.add(key)
                tally.leftovers += path.suffix == ".tmp"
                if MARK in path.read_bytes():
                    tally.plaintext += 1
                    tally.what.append(f"plaintext in {path.name}")
    vault = Vault.open(folder)
    vault.unlock_with_passphrase(PASSPHRASE)
    vault.catch_up()
    try:
        check(vault, known, tally, fresh)
    finally:
        vault.close()
    for path in folder.rglob("*.tmp"):
        tally.unreadable += 1
        tally.what.append(f"a leftover stayed: {path.name}")


def check(vault: Vault, known: Known, tally: Tally, fresh: list[str]) -> None:
    """All that was acknowledged is there, and what this round touched reads back."""
    there = set(vault.ids())
    for item in known.deleting:
        if item not in there:
            known.items.pop(item, None)
    known.deleting.clear()
    for item in set(known.items) - there:
        tally.lost += 1
        tally.what.append(f"lost: {item}")
        known.items.pop(item)
    extra = there - set(known.items)
    for item in extra:  # sealed, but killed before it could say so: kept, whole, and known from now on
        tally.unacknowledged_kept += 1
        known.items[item] = (vault.meta(item).sha256, vault.meta(item).note)
    for item in {*fresh, *extra} & set(known.items):
        look_at(vault, ItemId(item), known, tally)
    known.unsure.clear()


def look_at(vault: Vault, item: ItemId, known: Known, tally: Tally) -> None:
    sha256, note = known.items[item]
    try:
        meta, data = vault.meta(item), vault.read(item)
    except Exception as error:
        tally.unreadable += 1
        tally.what.append(f"{item}: {error}")
        return
    if hashlib.sha256(data).hexdigest() != sha256 or not data.startswith(MARK) or not data.endswith(MARK):
        tally.lost += 1
        tally.what.append(f"changed: {item}")
    if meta.note not in known.unsure.get(item, {note}):
        tally.lost += 1
        tally.what.append(f"note of {item}: {meta.note}, not {note}")
    known.items[item] = (sha256, meta.note)


def kill_often(folder: Path, kills: int, seed: int) -> Tally:
    Vault.create(folder, passphrase=PASSPHRASE, keyring=False, work_factor=1).close()
    dice, known, tally, seen = random.Random(seed), Known(), Tally(), set[tuple[str, int]]()
    for number in range(kills):
        lines = run_round(folder, seed + number, dice)
        tally.kills += 1
        take_in(lines, known, tally)
        touched = [words[1] for line in lines if len(words := line.split(" ")) > 1]
        look(folder, known, seen, tally, touched)
    vault = Vault.open(folder)
    vault.unlock_with_passphrase(PASSPHRASE)
    vault.catch_up()
    report = vault.verify()
    tally.unreadable += len(report.faults) + len(report.files)
    tally.lost += set(vault.ids()) != set(known.items)
    strange = [path for path in folder.rglob("*") if path.is_file() and not is_sealed(path.relative_to(folder).as_posix())]
    tally.what += [path.name for path in strange if not path.name.startswith(("index.db", "thumbs.db", "lock"))]
    vault.close()
    return tally


def main(arguments: Any = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where to make the vault (default: a temporary folder)")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="eyelid-kills-", dir=given.folder) as folder:
        tally = kill_often(Path(folder) / "vault", given.kills, given.seed)
    print(json.dumps(tally.__dict__ | {"good": tally.good}, indent=1))
    return 0 if tally.good and not tally.what else 1


if __name__ == "__main__":
    raise SystemExit(main())
