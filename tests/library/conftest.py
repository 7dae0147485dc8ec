"""A real vault in a throw-away folder, and captures to put into it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from app.library.library import Library
from app.vault.types import ItemId, ItemKind, NewItem, Origin
from app.vault.vault import Vault

START = datetime(2026, 11, 23, 14, 3, 12, tzinfo=UTC)


@dataclass
class Clock:
    """Time that moves when a test says so."""

    time: datetime = field(default=START)

    def __call__(self) -> datetime:
        return self.time

    def pass_days(self, days: float) -> None:
        self.time += timedelta(days=days)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    made = Vault.create(tmp_path / "vault", passphrase="correct horse", keyring=False, work_factor=1)
    yield made
    made.close()


@pytest.fixture
def library(vault: Vault, clock: Clock) -> Library:
    return Library(vault, clock)


@pytest.fixture
def photo() -> Callable[..., bytes]:
    """A JPEG, red above and blue below as stored; each `shade` gives other bytes."""

    def make(width: int = 640, height: int = 480, shade: int = 0, kind: str = "JPEG") -> bytes:
        picture = Image.new("RGB", (width, height), (0, shade, 200))
        ImageDraw.Draw(picture).rectangle((0, 0, width, height // 2 - 1), fill=(200, shade, 0))
        out = io.BytesIO()
        picture.save(out, kind)
        return out.getvalue()

    return make


@pytest.fixture
def add(vault: Vault, photo: Callable[..., bytes]) -> Callable[..., ItemId]:
    """Put a capture into the vault, a minute after the one before."""
    count = 0

    def put(
        data: bytes | None = None,
        *,
        kind: ItemKind = ItemKind.PHOTO,
        media_type: str = "image/jpeg",
        orientation: int = 1,
        family: str = "omi-glass",
        name: str = "OMI Glass",
        taken_at: datetime | None = None,
    ) -> ItemId:
        nonlocal count
        count += 1
        new = NewItem(
            kind,
            media_type,
            taken_at or START + timedelta(minutes=count),
            Origin(family, "C0:FF:EE:00:00:01", name),
            width=640,
            height=480,
            orientation=orientation,
        )
        return vault.add(photo(shade=count) if data is None else data, new).id

    return put
