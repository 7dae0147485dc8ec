"""Captures larger than the memory they may take, which is made small here: sealed whole, and known by their beginning and end."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, BinaryIO

import pytest

from app.events import Trouble
from app.glasses import gathered as module
from app.glasses import intake
from app.glasses.gathered import Gathered, LetGo
from app.glasses.ingest import Ingest
from app.glasses.over_wifi import Done
from app.glasses.types import KnownGlasses
from app.media.samples import clip, pictures
from app.vault.types import ItemKind
from ble.sim.faults import AT_ONCE
from ble.sim.mentra import SimulatedMentra
from ble.types import CaptureKind, Offer
from tests.glasses.driving import film, imported, paired

NOW = datetime(2026, 5, 12, 14, 3, tzinfo=UTC)
PAIR = KnownGlasses("F0:11:22:33:44:55", "open", "Mine", NOW)
OFFER = Offer("1", CaptureKind.VIDEO, "video/mp4", NOW)
ROOM = 1 << 20
PIECE = 64 << 10


@pytest.fixture(autouse=True)
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KEPT", ROOM)
    monkeypatch.setattr(module, "BEGINNING", ROOM // 4)


async def watched(media: bytes, gathered: Gathered) -> AsyncIterator[bytes]:
    """The pieces, each asked for only while there is room for it."""
    for start in range(0, len(media), PIECE):
        yield media[start : start + PIECE]
        assert gathered._kept <= ROOM


async def test_it_is_sealed_whole_in_little_memory(ingest: Ingest) -> None:
    video, gathered = film(4 * ROOM), Gathered()
    taken = await ingest.take(PAIR, OFFER, watched(video, gathered), gathered, lambda: None)
    assert not gathered.complete
    assert ingest._vault.read(taken.item) == video
    assert taken.meta is not None
    assert (taken.meta.new.kind, taken.meta.new.width is not None) == (ItemKind.VIDEO, True)


async def test_one_that_nobody_can_look_through_is_kept(ingest: Ingest) -> None:
    """What a short one would be refused for: of a long one, the proof may lie in what was let go of."""
    video = clip()[:32] + (4 * ROOM).to_bytes(4, "big") + b"mdat" + bytes(4 * ROOM - 8)
    gathered = Gathered()
    taken = await ingest.take(PAIR, OFFER, watched(video, gathered), gathered, lambda: None)
    assert taken.meta is not None
    assert (taken.meta.new.kind, taken.meta.new.media_type, taken.meta.new.width) == (ItemKind.VIDEO, "video/mp4", None)


def test_what_was_let_go_of_is_not_handed_out_as_something_else() -> None:
    gathered = Gathered()
    for number in range(3 * ROOM // PIECE):
        gathered.append(bytes([number]) * PIECE)
    assert not gathered.has_room
    assert gathered.complete
    gathered.finish()
    sealing = gathered.open_to_seal()
    assert len(sealing.read()) == 3 * ROOM
    assert gathered.has_room
    reader = gathered.open()
    assert reader.read(PIECE) == bytes(PIECE)
    reader.seek(ROOM // 2)
    with pytest.raises(LetGo):
        reader.read(1)
    reader.seek(3 * ROOM - 1)
    assert reader.read() == bytes([3 * ROOM // PIECE - 1])


async def test_a_full_disk_means_another_start(wifi_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    video, add, calls = film(3 * ROOM), wifi_bench.vault.add, []

    def full(source: BinaryIO, *arguments: Any) -> Any:
        calls.append(source)
        if len(calls) == 1:
            source.read(2 * ROOM)
            raise OSError(errno.ENOSPC, "No space left on device")
        return add(source, *arguments)

    monkeypatch.setattr(wifi_bench.vault, "add", full)
    monkeypatch.setattr(intake, "RETRY_SECONDS", 0.01)
    twin = SimulatedMentra(pictures("mentra-live"), stored=0, pace=AT_ONCE)
    twin.shelf.add(video, datetime.now(UTC), video=True)
    address = await paired(wifi_bench, monkeypatch, twin)
    async with asyncio.timeout(30):
        assert await imported(wifi_bench, address) == Done(1, 0, 0)
    assert len(wifi_bench.told(Trouble)) == 1
    assert wifi_bench.vault.read(wifi_bench.sealed[0].id) == video
