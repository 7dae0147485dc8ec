"""Gather, check, seal: bounds, digests, and what is kept of media that nobody can read."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.glasses.gathered import Gathered, Interrupted
from app.glasses.ingest import AHEAD, CaptureRefused, Ingest, Taken
from app.glasses.pace import Pace
from app.glasses.types import KnownGlasses
from app.media.errors import MediaDamaged
from app.media.samples import clip, pictures
from app.vault.types import ItemKind
from ble.http_port import CutShort
from ble.types import CaptureKind, Offer
from tests.glasses.driving import film

NOW = datetime(2026, 5, 12, 14, 3, tzinfo=UTC)
PAIR = KnownGlasses("F0:11:22:33:44:55", "open", "Mine", NOW)


def offer(data: bytes, *, stated: bool = False, size: int | None = None, orientation: int = 1) -> Offer:
    digest = hashlib.sha256(data).digest() if stated else None
    return Offer("1", CaptureKind.PHOTO, "image/jpeg", NOW, size=size, sha256=digest, orientation=orientation)


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def take(ingest: Ingest, given: Offer, *parts: bytes, gathered: Gathered | None = None, checked: Any = lambda: None) -> Taken:
    return await ingest.take(PAIR, given, pieces(*parts), gathered if gathered is not None else Gathered(), checked)


def held(ingest: Ingest) -> list[str]:
    """All that the vault has on the disk, leftovers included."""
    return [path.name for path in (ingest._vault.folder / "objects").rglob("*") if path.is_file()]


@pytest.mark.parametrize(("size", "parts"), [(10, [b"12345", b"6789"]), (3, [b"1234"])])
async def test_too_few_or_too_many_bytes_are_refused(ingest: Ingest, size: int, parts: list[bytes]) -> None:
    gathered = Gathered()
    with pytest.raises(CaptureRefused):
        await take(ingest, offer(b"", size=size), *parts, gathered=gathered)
    assert len(gathered) == 0
    assert held(ingest) == []


async def broken_off(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    raise CutShort


@pytest.mark.parametrize("at", [1000, AHEAD + 5])
async def test_an_interrupted_transfer_goes_on(ingest: Ingest, at: int) -> None:
    video = film(AHEAD * 2)
    gathered = Gathered()
    with pytest.raises(CutShort):
        await ingest.take(PAIR, offer(video), broken_off(video[:at]), gathered, lambda: None)
    assert len(gathered) == at
    assert held(ingest) == []
    taken = await take(ingest, offer(video, size=len(video), stated=True), video[at:], gathered=gathered)
    assert ingest._vault.read(taken.item) == video


async def test_sealing_goes_on_while_the_rest_arrives(ingest: Ingest) -> None:
    """Half of it is in the vault's folder, sealed, before the other half is sent."""
    video = film(AHEAD * 4)
    seen: list[list[int]] = []

    async def slowly() -> AsyncIterator[bytes]:
        yield video[: AHEAD * 3]
        async with asyncio.timeout(40):
            while not (sizes := partials(ingest)) or sizes[0] < AHEAD * 2:
                await asyncio.sleep(0)
        seen.append(sizes)
        yield video[AHEAD * 3 :]

    taken = await ingest.take(PAIR, offer(video), slowly(), Gathered(), lambda: None)
    assert seen
    assert taken.meta is not None
    assert taken.meta.sha256 == hashlib.sha256(video).hexdigest()
    assert partials(ingest) == []


def partials(ingest: Ingest) -> list[int]:
    return [path.stat().st_size for path in (ingest._vault.folder / "objects").rglob("*.tmp")]


async def test_another_digest_than_stated_is_refused(ingest: Ingest) -> None:
    with pytest.raises(CaptureRefused):
        await take(ingest, offer(b"what was meant", stated=True), b"what came")
    assert held(ingest) == []


async def test_a_damaged_picture_is_kept_only_if_it_came_as_the_glasses_have_it(ingest: Ingest) -> None:
    cut = pictures("halo")[0][:5000]
    with pytest.raises(MediaDamaged):
        await take(ingest, offer(cut), cut)
    assert held(ingest) == []
    taken = await take(ingest, offer(cut, stated=True), cut)
    assert taken.meta is not None
    assert taken.meta.new.kind is ItemKind.OTHER


async def test_what_it_is_comes_from_the_bytes_and_how_it_is_worn_from_the_glasses(ingest: Ingest) -> None:
    video = clip()
    taken = await take(ingest, offer(video, orientation=3), video)
    assert taken.meta is not None
    assert (taken.meta.new.kind, taken.meta.new.media_type, taken.meta.new.orientation) == (ItemKind.VIDEO, "video/mp4", 3)


async def test_the_same_bytes_are_sealed_once(ingest: Ingest) -> None:
    photo, checked = pictures("halo")[0], []
    first = await take(ingest, offer(photo), photo, checked=lambda: checked.append(1))
    second = await take(ingest, offer(photo), photo, checked=lambda: checked.append(2))
    assert (first.fresh, second.fresh) == (True, False)
    assert first.item == second.item
    assert ingest.holds(first.item)
    assert checked == [1]
    assert len(held(ingest)) == 2  # the object, and what is known of it


async def test_what_the_vault_could_not_take_is_not_fetched_again(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    photo, gathered = pictures("halo")[0], Gathered()
    with monkeypatch.context() as full:
        full.setattr(ingest._vault, "add", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(OSError, match="No space"):
            await take(ingest, offer(photo), photo, gathered=gathered)
    taken = await take(ingest, offer(photo), b"not asked for", gathered=gathered)
    assert ingest._vault.read(taken.item) == photo


@given(st.lists(st.binary(max_size=40), max_size=12), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 60)), max_size=10))
def test_a_reader_sees_one_file_however_it_came(parts: list[bytes], reads: list[tuple[int, int]]) -> None:
    gathered, plain = Gathered(), io.BytesIO(b"".join(parts))
    for part in parts:
        gathered.append(part)
    gathered.finish()
    reader = gathered.open()
    assert reader.read() == plain.getvalue()
    for start, size in reads:
        assert reader.seek(start) == plain.seek(start)
        assert reader.read(size) == plain.read(size)
        assert reader.tell() == plain.tell()
    assert reader.seek(0, io.SEEK_END) == len(gathered)


def test_whoever_waits_for_more_is_told_that_none_comes() -> None:
    gathered = Gathered()
    gathered.append(b"12345")
    reader = gathered.open()
    assert reader.read(5) == b"12345"
    gathered.interrupt()
    for ask in (lambda: reader.read(1), lambda: reader.seek(0, io.SEEK_END)):
        with pytest.raises(Interrupted):
            ask()


def test_the_pace_is_that_of_the_last_seconds() -> None:
    pace = Pace()
    assert (pace.rate, pace.left(5)) == (None, None)
    pace.at(0, 100.0)
    pace.at(10, 100.1)
    assert pace.rate is None
    for second in range(1, 30):
        pace.at(second * (1000 if second < 15 else 10_000), 100.0 + second)
    assert pace.rate == 10_000
    assert pace.left(50_000) == 5.0
    pace.at(0, 200.0)
    assert pace.rate is None
    pace.at(0, 201.0)
    assert (pace.rate, pace.left(1)) == (0.0, None)
