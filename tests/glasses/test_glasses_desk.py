"""Find, pair, capture, forget; damaged captures are counted and told, and the next one arrives."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import errno
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from app.errors import EyelidError
from app.events import CaptureLost, CaptureSealed, Trouble
from app.glasses import airs, intake
from app.glasses.companion import Companion
from app.glasses.known import NAMELESS, KnownBook
from app.media.samples import pictures
from app.vault.types import ItemKind
from ble.errors import GlassesError
from ble.sim.catalogue import NECKLACE, make
from ble.sim.faults import Faults
from ble.types import LinkState


async def test_pairing_enrols_the_address_and_what_the_glasses_turned_out_to_be(bench: Any, tmp_path: Path) -> None:
    await bench.desk.start_simulated("openglass")
    found = await bench.found()
    assert (found.simulated, found.known) == (True, False)
    known = await bench.desk.pair(dataclasses.replace(found, family="omi-glass"))  # the name misled; the glasses themselves tell
    assert known.family == "openglass"
    assert KnownBook(tmp_path / "glasses.json").get(found.address) == known
    view = bench.desk.known()[0]
    assert view.state is LinkState.READY
    assert view.info.model == "OpenGlass"
    assert view.capabilities.cautions == bench.desk.cautions("openglass")
    await bench.desk.disconnect(known.address)
    assert (await bench.found()).known


async def test_a_photo_is_sealed_bit_for_bit(bench: Any) -> None:
    await bench.desk.start_simulated("omi-glass")
    known = await bench.desk.pair(await bench.found())
    await bench.desk.take_photo(known.address)
    await bench.until(lambda: bench.sealed)
    meta = bench.sealed[0]
    assert bench.vault.read(meta.id) in pictures("omi-glass")
    assert (meta.new.kind, meta.new.media_type, meta.new.orientation) == (ItemKind.PHOTO, "image/jpeg", 3)
    assert (meta.new.width, meta.new.height) == (640, 480)
    assert meta.new.origin.simulated
    assert bench.told(CaptureSealed)


@pytest.mark.parametrize(
    "faults",
    [
        Faults(drop_chunk=3, times=2),
        Faults(duplicate_chunk=3, swap_chunk=5, times=2),
        Faults(swap_chunk=2, times=2),
        Faults(missing_end=True, times=2),
        Faults(stall_after_chunk=4, times=2),
        Faults(disconnect_after_chunk=6, times=2),
    ],
    ids=["lost", "duplicated and swapped", "swapped", "no end", "stall", "drop"],
)
async def test_a_damaged_photo_is_counted_and_the_next_one_arrives(bench: Any, faulty: Callable[[Faults], None], faults: Faults) -> None:
    faulty(faults)
    await bench.desk.start_simulated("omi-glass")
    known = await bench.desk.pair(await bench.found())
    while not bench.sealed:  # the photo taken by itself at connecting, and the first one ordered, are harmed
        await bench.until(lambda: bench.desk.known()[0].state is LinkState.READY)
        try:
            await bench.desk.take_photo(known.address)
        except GlassesError:
            assert bench.sealed == []
        else:
            await bench.until(lambda: bench.sealed)
    assert bench.vault.read(bench.sealed[0].id) in pictures("omi-glass")
    lost = len(bench.told(CaptureLost))
    assert 1 <= lost <= 2
    assert bench.desk.known()[0].status.damaged == lost


async def test_a_small_mtu_harms_no_photo_silently(bench: Any, faulty: Callable[[Faults], None]) -> None:
    faulty(Faults(mtu=23))
    await bench.desk.start_simulated("omi-glass")
    known = await bench.desk.pair(await bench.found())
    with pytest.raises(GlassesError):
        await bench.desk.take_photo(known.address)
    assert bench.sealed == []
    assert any("bytes at a time" in caution for caution in bench.desk.known()[0].capabilities.cautions)


async def test_a_picture_that_only_looks_whole_is_counted_as_damaged(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start, end and chunk sizes are right, and yet it is no picture: only decoding tells."""
    picture = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + bytes(900) + b"\xff\xd9"
    monkeypatch.setattr("app.glasses.airs.pictures", lambda family: (picture,))
    await bench.desk.start_simulated("omi-glass")
    known = await bench.desk.pair(await bench.found())
    await bench.desk.take_photo(known.address)
    await bench.until(lambda: bench.told(CaptureLost))
    assert bench.desk.known()[0].status.damaged >= 1
    assert bench.sealed == []


@pytest.mark.parametrize("leaving", [False, True], ids=["the glasses are ready", "the agent is taken away"])
async def test_who_cancels_at_the_last_moment_enrols_nothing(bench: Any, monkeypatch: pytest.MonkeyPatch, leaving: bool) -> None:
    await bench.desk.start_simulated("omi-glass")
    found = await bench.found()
    is_settled, pairing = Companion._is_settled, bench.desk._airs.pairing

    def cancel_when_ready(companion: Companion) -> bool:
        settled = is_settled(companion)
        if settled:
            task.cancel()
        return settled

    @contextlib.asynccontextmanager
    async def cancel_when_left(*arguments: Any, **how: Any) -> AsyncIterator[None]:
        async with pairing(*arguments, **how):
            yield
            task.cancel()

    if leaving:
        monkeypatch.setattr(bench.desk._airs, "pairing", cancel_when_left)
    else:
        monkeypatch.setattr(Companion, "_is_settled", cancel_when_ready)
    task = asyncio.ensure_future(bench.desk.pair(found))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert bench.desk.known() == ()
    monkeypatch.undo()
    assert bench.desk._companions == {}, "nobody keeps them connected"
    assert (await bench.found()).address == found.address


async def test_when_they_were_last_seen_is_remembered(bench: Any, tmp_path: Path) -> None:
    await bench.desk.start_simulated("omi-glass")
    known = await bench.desk.pair(await bench.found())
    await bench.desk.disconnect(known.address)
    await bench.until(lambda: bench.desk.known()[0].state is LinkState.IDLE and bench.desk.known()[0].known.last_seen > known.last_seen)
    seen = bench.desk.known()[0].known.last_seen
    await bench.desk.stop()
    kept = KnownBook(tmp_path / "glasses.json").get(known.address)
    assert kept is not None
    assert kept.last_seen == seen


async def test_a_full_disk_loses_no_photo(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "RETRY_SECONDS", 0.05)
    add, refusals = bench.vault.add, iter([OSError(errno.ENOSPC, "No space left on device")] * 2)

    def full(*arguments: Any) -> Any:
        if error := next(refusals, None):
            raise error
        return add(*arguments)

    monkeypatch.setattr(bench.vault, "add", full)
    await bench.desk.start_simulated("omi-glass")
    known = await bench.desk.pair(await bench.found())
    await bench.desk.take_photo(known.address)
    await bench.until(lambda: bench.sealed)
    assert len(bench.told(Trouble)) == 1
    assert "No space left" in str(bench.told(Trouble)[0].explanation)


async def test_the_same_bytes_are_kept_once(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one = pictures("omi-glass")[0]
    monkeypatch.setattr("app.glasses.airs.pictures", lambda family: (one,))
    await bench.desk.start_simulated("omi-glass")
    known = await bench.desk.pair(await bench.found())
    await bench.desk.take_photo(known.address)
    await bench.desk.take_photo(known.address)
    await bench.until(lambda: bench.desk.known()[0].status.received >= 2)
    await bench.desk.stop()
    assert len(bench.vault.ids()) == 1


async def test_forgotten_glasses_deliver_no_more(bench: Any) -> None:
    await bench.desk.start_simulated("omi-glass")
    known = await bench.desk.pair(await bench.found())
    await bench.desk.forget(known.address)
    assert bench.desk.known() == ()
    with pytest.raises(EyelidError):
        await bench.desk.take_photo(known.address)
    assert not (await bench.found()).known


async def test_a_choice_for_a_pair_is_kept(bench: Any, tmp_path: Path) -> None:
    await bench.desk.start_simulated("omi-glass")
    known = await bench.desk.pair(await bench.found())
    await bench.desk.set_continuous(known.address, True)
    await bench.desk.rename(known.address, "  Mine ")
    kept = KnownBook(tmp_path / "glasses.json").get(known.address)
    assert kept is not None
    assert (kept.continuous, kept.name) == (True, "Mine")


async def test_what_is_no_glasses_is_not_enrolled(bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(airs, "simulated", lambda *_: make(NECKLACE, ()))
    await bench.desk.start_simulated("omi-glass")
    with pytest.raises(GlassesError):
        await bench.desk.pair(await bench.found())
    assert bench.desk.known() == ()
    assert not (tmp_path / "glasses.json").exists()


async def test_unknown_simulations_are_refused_with_the_choice(bench: Any) -> None:
    with pytest.raises(EyelidError, match="omi-glass"):
        await bench.desk.start_simulated("monocle")


async def test_leaving_does_not_wait_for_a_disk_that_stays_full(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(bench.vault, "add", full)
    await bench.desk.start_simulated("omi-glass")
    known = await bench.desk.pair(await bench.found())
    await bench.desk.take_photo(known.address)
    await bench.until(lambda: bench.told(Trouble))
    await asyncio.wait_for(bench.desk.stop(), 40)


async def test_a_pair_that_says_no_name_is_still_known_at_the_next_start(bench: Any, tmp_path: Path) -> None:
    """Not every advertisement holds a name; and a book that was written without one opens too."""
    await bench.desk.start_simulated("omi-glass")
    known = await bench.desk.pair(dataclasses.replace(await bench.found(), name=""))
    assert known.name == NAMELESS
    [book] = tmp_path.rglob("glasses.json")
    assert KnownBook(book).all() == (known,)
    book.write_text(book.read_text("utf-8").replace(NAMELESS, ""), "utf-8")
    assert KnownBook(book).all() == (known,)


async def test_what_can_not_be_written_down_changes_nothing(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    await bench.desk.start_simulated("omi-glass")
    found = await bench.found()
    with monkeypatch.context() as here:
        here.setattr("app.glasses.known.replace_file", full)
        with pytest.raises(OSError, match="No space"):
            await bench.desk.pair(found)
        assert bench.desk._companions == {}
    known = await bench.desk.pair(found)
    monkeypatch.setattr("app.glasses.known.replace_file", full)
    for change in (bench.desk.rename(known.address, "Other"), bench.desk.forget(known.address)):
        with pytest.raises(OSError, match="No space"):
            await change
        assert [view.known for view in bench.desk.known()] == [known]
        assert list(bench.desk._companions) == [known.address]
