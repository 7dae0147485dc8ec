"""Gather, check, seal: bounds, digests, and what is kept of media that nobody can read."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.glasses.ingest import CaptureRefused, Ingest
from app.glasses.types import KnownGlasses
from app.lanes import Lanes
from app.media.errors import MediaDamaged
from app.media.samples import clip, pictures
from app.vault.types import ItemKind
from app.vault.vault import Vault
from ble.types import CaptureKind, Offer

NOW = datetime(2026, 5, 12, 14, 3, tzinfo=UTC)
PAIR = KnownGlasses("F0:11:22:33:44:55", "open", "Mine", NOW)


@pytest.fixture
def ingest(tmp_path: Path) -> Iterator[Ingest]:
    vault = Vault.create(tmp_path / "vault", passphrase="correct horse battery", keyring=False, work_factor=4)
    lanes = Lanes()
    yield Ingest(vault, lanes)
    lanes.close()
    vault.close()


def offer(data: bytes, *, stated: bool = False, size: int | None = None, orientation: int = 1) -> Offer:
    digest = hashlib.sha256(data).digest() if stated else None
    return Offer("1", CaptureKind.PHOTO, "image/jpeg", NOW, size=size, sha256=digest, orientation=orientation)


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.mark.parametrize(("size", "parts"), [(10, [b"12345", b"6789"]), (3, [b"1234"])])
async def test_too_few_or_too_many_bytes_are_refused(ingest: Ingest, size: int, parts: list[bytes]) -> None:
    gathered = bytearray()
    with pytest.raises(CaptureRefused):
        await ingest.gather(offer(b"", size=size), pieces(*parts), gathered)
    assert not gathered


async def test_an_interrupted_transfer_goes_on(ingest: Ingest) -> None:
    gathered = bytearray(b"12345")
    await ingest.gather(offer(b"", size=10), pieces(b"67890"), gathered)
    assert gathered == b"1234567890"


async def test_another_digest_than_stated_is_refused(ingest: Ingest) -> None:
    with pytest.raises(CaptureRefused):
        await ingest.check(offer(b"what was meant", stated=True), b"what came")


async def test_a_damaged_picture_is_kept_only_if_it_came_as_the_glasses_have_it(ingest: Ingest) -> None:
    cut = pictures("halo")[0][:5000]
    with pytest.raises(MediaDamaged):
        await ingest.check(offer(cut), cut)
    checked = await ingest.check(offer(cut, stated=True), cut)
    taken = await ingest.seal(PAIR, offer(cut, stated=True), cut, checked)
    assert taken.meta is not None
    assert taken.meta.new.kind is ItemKind.OTHER


async def test_what_it_is_comes_from_the_bytes_and_how_it_is_worn_from_the_glasses(ingest: Ingest) -> None:
    video = clip()
    taken = await ingest.seal(PAIR, offer(video, orientation=3), video, await ingest.check(offer(video), video))
    assert taken.meta is not None
    assert (taken.meta.new.kind, taken.meta.new.media_type, taken.meta.new.orientation) == (ItemKind.VIDEO, "video/mp4", 3)


async def test_the_same_bytes_are_sealed_once(ingest: Ingest) -> None:
    photo = pictures("halo")[0]
    checked = await ingest.check(offer(photo), photo)
    first = await ingest.seal(PAIR, offer(photo), photo, checked)
    second = await ingest.seal(PAIR, offer(photo), photo, checked)
    assert (first.fresh, second.fresh) == (True, False)
    assert first.item == second.item
    assert ingest.holds(first.item)
