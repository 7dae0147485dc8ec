"""The ingest ledger: durable, private, and no obstacle when it is damaged; and what it spares over storing glasses."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.glasses.ledger import CaptureState, Ledger
from app.glasses.types import KnownGlasses
from app.keyed_file import KeyedFile
from app.vault.types import ItemId
from ble.types import CaptureKind, LinkState, Offer
from tests.waiting import until

ADDRESS = "F0:11:22:33:44:55"
OFFER = Offer("IMG_0042-marker", CaptureKind.PHOTO, "image/jpeg", datetime(2026, 5, 12, tzinfo=UTC), size=1000)


def test_how_far_a_capture_came_is_known_after_a_restart(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    assert ledger.look(ADDRESS, OFFER) is None
    ledger.note(ADDRESS, OFFER, CaptureState.TRANSFERRING)
    ledger.note(ADDRESS, OFFER, CaptureState.SEEN, offset=400)
    ledger.note(ADDRESS, OFFER, CaptureState.TRANSFERRING, offset=400)
    ledger.note(ADDRESS, OFFER, CaptureState.SEALED, item=ItemId("a" * 32))
    ledger.close()
    entry = Ledger(tmp_path / "ledger.db").look(ADDRESS, OFFER)
    assert entry is not None
    assert (entry.state, entry.item, entry.attempts) == (CaptureState.SEALED, "a" * 32, 2)


def test_a_change_is_on_the_disk_when_the_call_returns(tmp_path: Path) -> None:
    """A second reader, as after a kill without any farewell, sees it."""
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.note(ADDRESS, OFFER, CaptureState.CHECKED)
    other = Ledger(tmp_path / "ledger.db")
    entry = other.look(ADDRESS, OFFER)
    assert entry is not None
    assert entry.state is CaptureState.CHECKED
    ledger.close()
    other.close()


def test_pairs_and_sizes_are_kept_apart(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.note(ADDRESS, OFFER, CaptureState.SEALED)
    assert ledger.look("F0:00:00:00:00:00", OFFER) is None
    assert ledger.look(ADDRESS, Offer(OFFER.id, OFFER.kind, OFFER.media_type, OFFER.taken_at, size=1001)) is None
    ledger.forget(ADDRESS, OFFER)
    assert ledger.look(ADDRESS, OFFER) is None


def test_what_the_wearer_deleted_stays_deleted(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.note(ADDRESS, OFFER, CaptureState.SEALED, item=ItemId("b" * 32))
    ledger.discard([ItemId("b" * 32), ItemId("c" * 32)])
    entry = ledger.look(ADDRESS, OFFER)
    assert entry is not None
    assert entry.state is CaptureState.DISCARDED


def test_it_names_neither_glasses_nor_captures(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.note(ADDRESS, OFFER, CaptureState.SEALED, item=ItemId("b" * 32))
    ledger.close()
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"marker" not in content
    assert ADDRESS.encode() not in content


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_a_damaged_ledger_is_put_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(content)
    ledger = Ledger(path)
    ledger.note(ADDRESS, OFFER, CaptureState.SEEN)
    assert ledger.look(ADDRESS, OFFER) is not None
    if content:
        [aside] = [other for other in tmp_path.iterdir() if "damaged" in other.name]
        assert aside.read_bytes() == content


def test_a_memory_that_a_full_disk_keeps_from_being_used_stays_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = Ledger(path)
    ledger.note(ADDRESS, OFFER, CaptureState.SEALED)
    ledger.close()
    before = path.read_bytes()
    full = KeyedFile(path, 1, ("PRAGMA max_page_count = 1", "CREATE TABLE one_more (name TEXT)"))
    with pytest.raises(sqlite3.OperationalError, match="full"):
        full.run("SELECT 1")
    assert [(other.name, other.read_bytes()) for other in tmp_path.iterdir()] == [("ledger.db", before)]
    entry = Ledger(path).look(ADDRESS, OFFER)
    assert entry is not None
    assert entry.state is CaptureState.SEALED


async def delivered(bench: Any, count: int) -> KnownGlasses:
    await bench.desk.start_simulated("open")
    known: KnownGlasses = await bench.desk.pair(await bench.found())
    await bench.until(lambda: len(bench.sealed) >= count)
    return known


async def again(bench: Any, address: str) -> None:
    """Leave and come back, so that everything the glasses store is offered anew."""
    await bench.desk.disconnect(address)
    await bench.until(lambda: bench.desk.known()[0].state is LinkState.IDLE)
    await bench.desk.connect(address)
    await bench.until(lambda: bench.desk.known()[0].state is LinkState.READY)
    await bench.desk.take_photo(address)


async def test_what_is_safe_is_not_fetched_again(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[tuple[str, CaptureState]] = []
    note = Ledger.note

    def watched(self: Ledger, address: str, offer: Offer, state: CaptureState, **more: Any) -> None:
        steps.append((offer.id, state))
        note(self, address, offer, state, **more)

    monkeypatch.setattr(Ledger, "note", watched)
    known = await delivered(bench, 1)
    before = len(bench.sealed)
    await again(bench, known.address)
    await bench.until(lambda: len(bench.sealed) > before)
    for number, (offer, state) in enumerate(steps):
        if state is CaptureState.SEALED:
            assert offer not in [later for later, _ in steps[number + 1 :]]


async def test_deleted_captures_do_not_come_back_but_missing_ones_do(bench: Any) -> None:
    known = await delivered(bench, 1)
    first = bench.sealed[0]
    bench.vault.delete(first.id)
    await bench.desk.discarded([first.id])
    await again(bench, known.address)
    await bench.until(lambda: len(bench.sealed) >= 2)
    assert first.sha256 not in [meta.sha256 for meta in bench.sealed[1:]]

    missing = bench.sealed[1]
    bench.vault.delete(missing.id)  # not by the wearer: the ledger was not told
    await again(bench, known.address)
    await bench.until(lambda: missing.sha256 in [meta.sha256 for meta in bench.sealed[2:]])


async def test_glasses_keep_their_captures_until_the_wearer_chooses_otherwise(bench: Any) -> None:
    known = await delivered(bench, 1)
    [companion] = bench.desk._companions.values()
    released: list[str] = []
    keeper = companion._held
    release = keeper.release

    async def watched(offer_id: str) -> None:
        assert bench.vault.ids(), "released before it was safe"
        released.append(offer_id)
        await release(offer_id)

    keeper.release = watched
    await bench.desk.take_photo(known.address)
    await bench.until(lambda: len(bench.sealed) >= 2)
    assert released == []
    await bench.desk.set_release(known.address, True)
    await bench.desk.take_photo(known.address)
    await until(lambda: released)


@pytest.mark.parametrize("statements", [(), ("PRAGMA journal_mode = WAL", "CREATE TABLE IF NOT EXISTS t (x)")])
def test_the_file_is_for_its_owner_only(statements: tuple[str, ...], tmp_path: Path) -> None:
    file = KeyedFile(tmp_path / "any.db", 1, statements)
    assert list(tmp_path.iterdir()) == []
    assert len(file.name(b"text")) == 16
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    file.close()
