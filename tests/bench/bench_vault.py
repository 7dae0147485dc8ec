"""The vault's speed beside other programs and beside its own parts, as ratios from one run.

    python tests/bench/bench_vault.py [--only files random ingest index] [--mib 1024] [--runs 5] [--photos 1000] [--items 100000]
        [--folder DIR ...]

files    sealing and opening one large file, beside a copy, a raw ChaCha20-Poly1305 pass, `age`, `rage` and rage's library (pyrage)
random   64 KiB anywhere in that file, and 1 MiB from its middle, with every cache of ours cold
ingest   photos into a vault, beside the sum of what has to be done for each
index    opening and searching an index, at three sizes

Contestants take turns, and each ratio is the median over the rounds, so that a busy computer disturbs all alike. Everything is done in each
`--folder` (default: /dev/shm, where that is, and the folder for temporary files).
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from PIL import Image

from app.library.library import Library
from app.library.types import ThumbSize
from app.media.thumbs import thumbnails
from app.vault import codec
from app.vault.age import X25519Identity, open_stream, seal
from app.vault.files import Files, write_durably
from app.vault.hybrid import HybridIdentity
from app.vault.index import Index
from app.vault.stream import CHUNK, SEALED_CHUNK
from app.vault.types import ItemId, ItemKind, ItemMeta, NewItem, Origin
from app.vault.vault import Vault
from tests.bench.measure import MIB, Contest, Times, goal, memory_mib, peak_mib, rounds, seconds

WORDS = ("garden", "kitchen", "tram", "lighthouse", "bakery", "invoice", "whiteboard", "recipe", "museum", "harbour", "ticket", "plant")


# -- one large file


def write(path: Path, pieces: Iterable[bytes | memoryview]) -> None:
    with path.open("wb", buffering=0) as target:
        for piece in pieces:
            target.write(piece)


def make_plain(path: Path, mib: int) -> None:
    block = os.urandom(MIB)
    write(path, (block for _ in range(mib)))


def raw_pass(source: Path, target: Path, *, opening: bool) -> None:
    """Read, encrypt or decrypt chunk by chunk, write: the least that any file format of this cipher must do."""
    aead, count = ChaCha20Poly1305(bytes(32)), 0
    buffer = memoryview(bytearray(SEALED_CHUNK if opening else CHUNK))
    out = memoryview(bytearray(SEALED_CHUNK))
    with source.open("rb", buffering=0) as file, target.open("wb", buffering=0) as result:
        while size := file.readinto(buffer):
            nonce = count.to_bytes(12, "big")
            if opening:
                aead.decrypt_into(nonce, buffer[:size], None, out[: size - 16])
                result.write(out[: size - 16])
            else:
                aead.encrypt_into(nonce, buffer[:size], None, out[: size + 16])
                result.write(out[: size + 16])
            count += 1


def our_contest(folder: Path, identity: X25519Identity, hybrid: HybridIdentity) -> Contest:
    plain, opened = folder / "plain", folder / "opened"

    def seal_to(key: X25519Identity | HybridIdentity, target: Path) -> None:
        with plain.open("rb", buffering=0) as source:
            write(target, seal(source, [key.recipient]))

    def open_with(key: X25519Identity | HybridIdentity, sealed: Path) -> None:
        with sealed.open("rb", buffering=0) as source:
            write(opened, open_stream(source, [key]))

    return {
        "copy": (opened, lambda: shutil.copyfile(plain, opened)),
        "raw seal": (folder / "raw", lambda: raw_pass(plain, folder / "raw", opening=False)),
        "raw open": (opened, lambda: raw_pass(folder / "raw", opened, opening=True)),
        "seal": (folder / "sealed.age", lambda: seal_to(identity, folder / "sealed.age")),
        "open": (opened, lambda: open_with(identity, folder / "sealed.age")),
        "hybrid seal": (folder / "hybrid.age", lambda: seal_to(hybrid, folder / "hybrid.age")),
        "hybrid open": (opened, lambda: open_with(hybrid, folder / "hybrid.age")),
    }


def their_contest(folder: Path, identity: X25519Identity) -> Contest:
    plain, opened, key = folder / "plain", folder / "opened", folder / "key.txt"
    key.write_text(identity.text() + "\n")
    public = str(identity.recipient)
    entries: Contest = {}
    for name in filter(shutil.which, ("age", "rage")):
        sealed = folder / f"{name}.age"
        seal_it, open_it = [name, "-r", public, "-o", sealed, plain], [name, "-d", "-i", key, "-o", opened, sealed]
        entries[f"{name} seal"] = (sealed, lambda command=seal_it, old=sealed: run(command, old))
        entries[f"{name} open"] = (opened, lambda command=open_it, old=opened: run(command, old))
    try:
        import pyrage
    except ImportError:
        return entries
    recipient, secret = pyrage.x25519.Recipient.from_str(public), pyrage.x25519.Identity.from_str(identity.text())
    theirs = folder / "pyrage.age"
    entries["pyrage seal"] = (theirs, lambda: pyrage.encrypt_file(str(plain), str(theirs), [recipient]))
    entries["pyrage open"] = (opened, lambda: pyrage.decrypt_file(str(theirs), str(opened), [secret]))
    return entries


def run(command: list[str | Path], old: Path) -> None:
    old.unlink(missing_ok=True)  # rage writes over nothing
    subprocess.run(command, check=True)


def bench_files(folder: Path, options: argparse.Namespace) -> None:
    print(f"files: {options.mib} MiB, {options.runs} rounds")
    make_plain(folder / "plain", options.mib)
    identity = X25519Identity.generate()
    entries = our_contest(folder, identity, HybridIdentity.generate()) | their_contest(folder, identity)
    before = peak_mib()
    times = rounds(entries, options.runs)
    for entry, taken in times.wall.items():
        median, busy = statistics.median(taken), statistics.median(times.busy[entry])
        print(f"  {entry:12} {median:7.2f} s {options.mib / median:8.0f} MiB/s, processors busy for {busy:.2f} s")
    beside(times, "raw open", "open", least=0.8)
    beside(times, "raw seal", "seal", least=0.8)
    for other in ("age", "rage", "pyrage"):
        for what in ("seal", "open"):
            if f"{other} {what}" in times.wall:
                beside(times, f"{other} {what}", what, least=1.0)
    goal(f"largest memory (before: {before} MiB)", peak_mib(), most=100, unit=" MiB")
    for path in folder.iterdir():
        path.unlink()


def beside(times: Times, other: str, ours: str, least: float) -> None:
    wall, busy = times.ratio(other, ours)
    goal(f"{ours}, beside {other} (in computing {busy:.2f})", wall, least=least)


# -- anywhere in it


def bench_random(folder: Path, options: argparse.Namespace) -> None:
    print(f"random: anywhere in {options.mib} MiB")
    make_plain(folder / "plain", options.mib)
    for hybrid in (False, True):
        vault = Vault.create(folder / f"vault{hybrid}", passphrase="bench", keyring=False, work_factor=1, hybrid=hybrid)
        with (folder / "plain").open("rb", buffering=0) as source:
            item = vault.add(source, NewItem(ItemKind.VIDEO, "video/mp4", datetime.now(UTC), Origin("bench"))).id
        measure_random(vault, item, options.mib * MIB, "hybrid" if hybrid else "X25519")
        vault.close()
        shutil.rmtree(folder / f"vault{hybrid}")
    (folder / "plain").unlink()


def measure_random(vault: Vault, item: ItemId, size: int, label: str) -> None:
    places = random.Random(1)

    def anew() -> None:
        with vault.open_media(item) as media:
            media.seek(places.randrange(size - CHUNK))
            media.read(CHUNK)

    def middle() -> None:
        with vault.open_media(item) as media:
            media.seek(size // 2)
            media.read(MIB)

    with vault.open_media(item) as media:

        def on() -> None:
            media.seek(places.randrange(size // CHUNK - 1) * CHUNK)
            media.read(CHUNK)

        at_once = [seconds(on) for _ in range(500)]
    goal(f"{label}, 64 KiB, reader open", statistics.median(at_once) * 1e6, most=200, unit=" µs")
    goal(f"{label}, opening the item and 64 KiB", statistics.median(seconds(anew) for _ in range(300)) * 1e6, most=500, unit=" µs")
    goal(
        f"{label}, opening the item and 1 MiB of the middle",
        statistics.median(seconds(middle) for _ in range(50)) * 1e3,
        most=50,
        unit=" ms",
    )


# -- photos


def make_photo(place: int) -> bytes:
    """Return a JPEG of about 1 MB, as glasses make them, and each different."""
    noise = random.Random(place)
    picture = Image.frombytes("RGB", (64, 48), noise.randbytes(64 * 48 * 3)).resize((2560, 1920), Image.Resampling.BICUBIC)
    grain = Image.frombytes("L", (1280, 960), noise.randbytes(1280 * 960)).resize((2560, 1920)).point(lambda value: value // 10)
    picture = Image.merge("RGB", [Image.blend(band, grain, 0.4) for band in picture.split()])
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=88)
    return out.getvalue()


def bench_ingest(folder: Path, options: argparse.Namespace) -> None:
    photos = [make_photo(place) for place in range(8)]
    print(f"ingest: {options.photos} photos of {sum(map(len, photos)) / len(photos) / 1e6:.1f} MB")
    vault = Vault.create(folder / "vault", passphrase="bench", keyring=False, work_factor=1)
    library = Library(vault)
    times: dict[str, list[float]] = {}
    parts = Parts(folder, vault)
    for number in range(options.photos):
        for name, taken in one_photo(vault, library, parts, photos[number % len(photos)]):
            times.setdefault(name, []).append(taken)
    vault.close()
    shutil.rmtree(folder / "vault")
    whole = ("the vault's part", "the library's part")
    for name, taken in times.items():
        print(f"  {name:22} {statistics.median(taken) * 1e3:7.2f} ms a photo")
    total = sum(statistics.median(times[name]) for name in whole)
    summed = sum(statistics.median(taken) for name, taken in times.items() if name not in whole)
    goal("sum of the parts, beside the whole", summed / total, least=0.8)
    print(f"  the whole: {1 / total:.0f} photos a second")


def one_photo(vault: Vault, library: Library, parts: Parts, photo: bytes) -> Iterator[tuple[str, float]]:
    """Take in a photo, whole and then in parts; yield each step's name and seconds."""
    new = NewItem(ItemKind.PHOTO, "image/jpeg", datetime.now(UTC), Origin("bench"), width=2560, height=1920)
    start = time.perf_counter()
    meta = vault.add(photo, new)
    yield "the vault's part", time.perf_counter() - start
    yield "the library's part", seconds(lambda: library.arrived(meta.id))
    for name, work in parts.of(photo, meta).items():
        yield name, seconds(work)


class Parts:
    """What has to be done for a photo, each step alone and once."""

    def __init__(self, folder: Path, vault: Vault) -> None:
        self._files, self._folder, self._vault = Files(), folder, vault
        self._recipient = X25519Identity.parse(vault.identity()).recipient

    def of(self, photo: bytes, meta: ItemMeta) -> dict[str, Callable[[], object]]:
        sealed = b"".join(map(bytes, seal(photo, [self._recipient])))
        noted = b"".join(map(bytes, seal(codec.dump(meta), [self._recipient])))
        thumbs = thumbnails(photo, "image/jpeg", 1, tuple(ThumbSize))
        return {
            "= SHA-256": lambda: hashlib.sha256(photo).hexdigest(),
            "+ seal": lambda: [list(seal(photo, [self._recipient])), list(seal(codec.dump(meta), [self._recipient]))],
            "+ write, sync, compare": lambda: [write_durably(self._files, self._folder / "part", [data]) for data in (sealed, noted)],
            "+ index": lambda: self._vault.index.put(meta),
            "+ open": lambda: self._vault.read(meta.id),
            "+ decode, two sizes": lambda: thumbnails(photo, "image/jpeg", 1, tuple(ThumbSize)),
            "+ keep two sizes": lambda: self._vault.index.put_thumbs(
                meta.id, {int(size): thumb.jpeg for size, thumb in zip(ThumbSize, thumbs, strict=True)}, thumbs[0].colour
            ),
        }


# -- the index


def metas(count: int) -> Iterator[tuple[ItemMeta, str]]:
    chance, start = random.Random(1), datetime(2020, 1, 1, tzinfo=UTC)
    for number in range(count):
        new = NewItem(
            ItemKind.PHOTO,
            "image/jpeg",
            start + timedelta(minutes=30 * number),
            Origin("omi-glass", "AA:BB:CC:DD:EE:FF", "Omi Glass"),
            width=640,
            height=480,
        )
        meta = ItemMeta(ItemId(chance.randbytes(16).hex()), 1, new, 50_000, chance.randbytes(32).hex(), start)
        note = " ".join(chance.choices(WORDS, k=4))
        yield replace(meta, note=note, albums=(f"album {number % 50}",)), "0-0"


def bench_index(folder: Path, options: argparse.Namespace) -> None:
    per_item: dict[int, float] = {}
    for count in (options.items // 100, options.items // 10, options.items):
        print(f"index: {count} items")
        vault = Vault.create(folder / "vault", passphrase="bench", keyring=False, work_factor=1)
        per_item[count] = seconds(lambda vault=vault, count=count: vault.index.put_many(metas(count))) / count
        vault.close()
        vault = Vault.open(folder / "vault")
        before = memory_mib()
        unlocked = seconds(lambda vault=vault: vault.unlock_with_passphrase("bench"))
        page = seconds(lambda vault=vault: vault.index.rows(limit=500))
        every = []
        print(f"  taking in: {per_item[count] * 1e6:.0f} µs an item")
        goal("unlock (key slot aside) to the first 500", (unlocked + page) * 1e3, most=1000, unit=" ms")
        goal("the whole timeline", seconds(lambda vault=vault, every=every: every.extend(vault.index.rows())) * 1e3, most=1000, unit=" ms")
        for text in ("lighthouse", "light", "garden tram", "march 2021", "nothing"):
            measure_search(vault.index, text)
        goal(f"memory grown by, with all {len(every)} rows held", memory_mib() - before, most=200, unit=" MiB")
        vault.close()
        shutil.rmtree(folder / "vault")
    goal("cost of an item, most items beside fewest", per_item[options.items] / per_item[options.items // 100], most=2)


def measure_search(index: Index, text: str) -> None:
    index.rows(text=text, limit=500)
    taken = statistics.median(seconds(lambda: index.rows(text=text, limit=500)) for _ in range(5))
    goal(f"search for “{text}”, first {len(index.rows(text=text, limit=500))} found", taken * 1e3, most=50, unit=" ms")


SECTIONS: dict[str, Callable[[Path, argparse.Namespace], None]] = {
    "files": bench_files,
    "random": bench_random,
    "ingest": bench_ingest,
    "index": bench_index,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="The vault's speed beside other programs and its own parts.")
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), default=list(SECTIONS))
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--items", type=int, default=100_000)
    memory = [Path("/dev/shm")] if Path("/dev/shm").is_dir() else []
    parser.add_argument("--folder", nargs="+", type=Path, default=[*memory, Path(tempfile.gettempdir())])
    options = parser.parse_args()
    if len(options.folder) == len(options.only) == 1:
        print(f"== in {options.folder[0]}")
        with tempfile.TemporaryDirectory(dir=options.folder[0]) as name:
            SECTIONS[options.only[0]](Path(name), options)
        return
    for base in options.folder:
        for section in options.only:  # each in a process of its own, so that the memory of one is not counted for another
            arguments = [f"--{name}={getattr(options, name)}" for name in ("mib", "runs", "photos", "items")]
            subprocess.run([sys.executable, __file__, "--only", section, "--folder", str(base), *arguments], check=True)


if __name__ == "__main__":
    main()
