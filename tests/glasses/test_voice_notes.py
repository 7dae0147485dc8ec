"""Voice notes through the desk: asked for, sealed like any other capture; the microphone is on for no longer than that."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ble.errors import Unsupported
from ble.sim.open_profile import SimulatedOpenGlasses
from ble.types import Capability
from tests.waiting import until


async def paired(bench: Any, family: str) -> Any:
    await bench.desk.start_simulated(family)
    return await bench.desk.pair(await bench.found())


async def test_a_note_is_recorded_and_sealed(bench: Any, twins: list[Any]) -> None:
    known = await paired(bench, "open")
    [view] = bench.desk.known()
    assert view.capabilities.can(Capability.MICROPHONE)
    await bench.desk.record_sound(known.address, 1)
    await bench.until(lambda: any(meta.new.media_type == "audio/wav" for meta in bench.sealed))
    [note] = [meta for meta in bench.sealed if meta.new.media_type == "audio/wav"]
    assert bench.vault.read(note.id).startswith(b"RIFF")


async def test_calling_it_off_switches_the_microphone_off(bench: Any, twins: list[Any]) -> None:
    known = await paired(bench, "open")
    [twin] = twins
    assert isinstance(twin, SimulatedOpenGlasses)
    keeper = next(iter(bench.desk._companions.values()))._held
    note = asyncio.ensure_future(bench.desk.record_sound(known.address, 600))
    await until(lambda: keeper._linked().microphone_on)
    note.cancel()
    await until(lambda: not keeper._linked().microphone_on)
    with pytest.raises(asyncio.CancelledError):
        await note


async def test_glasses_without_a_microphone_say_so(bench: Any) -> None:
    known = await paired(bench, "frame")
    with pytest.raises(Unsupported):
        await bench.desk.record_sound(known.address, 1)
