"""A vault of many captures, real but for two things: their objects are empty files, and a few hundred thumbnails stand for all."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

PASSPHRASE = "bench"
THUMBS = 400
LARGE_EVERY = 50
"""So many small photos to one of twelve million pixels."""


def make_vault(profile: Path, count: int) -> None:
    from app.library.types import ThumbSize
    from app.media.thumbs import thumbnails
    from app.vault.vault import Vault

    vault = Vault.create(profile / "vault", passphrase=PASSPHRASE, keyring=False)
    shelf = profile / "vault" / "objects"
    for number in range(256):
        (shelf / f"{number:02x}").mkdir(parents=True, exist_ok=True)

    def stamped() -> Iterator[tuple[Any, str]]:
        for meta in metas(count):
            for ending in (".age", ".meta.age"):
                (shelf / meta.id[:2] / f"{meta.id}{ending}").touch()
            with vault.held() as parts:
                yield meta, parts.store.stamp(meta.id)

    vault.index.put_many(stamped())
    vault.index._items.change(lambda db: db.execute("UPDATE items SET colour = 8421504"))  # or they would be looked at while it measures
    for number in range(THUMBS):
        thumbs = thumbnails(make_photo(number, 640, 480), "image/jpeg", 1, tuple(ThumbSize))
        rows = [(thumb_of(number), int(size), thumb.jpeg) for size, thumb in zip(ThumbSize, thumbs, strict=True)]
        vault.index._thumbs.change(lambda db, rows=rows: db.executemany("INSERT INTO thumbs VALUES (?, ?, ?)", rows))
    vault.close()


def metas(count: int) -> Iterator[Any]:
    """Captures of some years: bursts, quiet hours and days off."""
    from app.vault.types import ItemId, ItemKind, ItemMeta, NewItem, Origin

    chance, at = random.Random(1), datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    for _ in range(count):
        at -= timedelta(seconds=chance.choice((20, 60, 300, 900)) if chance.random() < 0.99 else chance.randint(3600, 86400))
        new = NewItem(ItemKind.PHOTO, "image/jpeg", at, Origin("omi-glass", "AA:00", "Omi Glass"), 640, 480)
        yield ItemMeta(ItemId(f"{chance.getrandbits(128):032x}"), 1, new, 81234, f"{chance.getrandbits(256):064x}", at)


def thumb_of(number: int) -> Any:
    return f"{number % THUMBS:032x}"


def make_photo(number: int, width: int, height: int) -> bytes:
    import io

    from PIL import Image

    noise = random.Random(number)
    small = Image.frombytes("RGB", (16, 12), noise.randbytes(16 * 12 * 3))
    out = io.BytesIO()
    small.resize((width, height), Image.Resampling.BICUBIC).save(out, "JPEG", quality=85)
    return out.getvalue()


def borrow_thumbs() -> None:
    """Every capture of the large vault shows one of the few thumbnails, read from the sealed cache as its own would be."""
    from app.vault.index import Index

    real = Index.thumb
    Index.thumb = lambda self, item, size: real(self, item, size) or real(self, thumb_of(int(item[:8], 16)), size)  # type: ignore[method-assign]


def make_photos(folder: Path, count: int) -> None:
    """Photos that all differ, as a person would choose them to be taken in."""
    folder.mkdir()
    few = [make_photo(number, 1600, 1200) for number in range(8)]
    large = make_photo(8, 4000, 3000)
    for number in range(count):
        photo = few[number % len(few)] if number % LARGE_EVERY else large
        (folder / f"{number}.jpg").write_bytes(photo + number.to_bytes(4, "big"))
