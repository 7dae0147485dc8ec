"""Glasses that lie, flood, never end or never stay, through the desk, while another pair is connected that must not notice.

What each driver makes of each lie is tested in `tests/ble`. Here: no crash, no fault of our own, memory that stays small, nothing kept
that is no whole capture, and the good pair delivers as ever.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.events import CaptureLost, GlassesChanged, Trouble
from app.glasses import airs
from app.media.samples import pictures
from ble.drivers import heycyan_wire
from ble.drivers.mentra_packets import Packet, write_packet
from ble.drivers.mentra_profile import FILE_NOTIFY
from ble.errors import GlassesError
from ble.sim.brilliant import SimulatedFrame, SimulatedHalo
from ble.sim.brilliant_faults import BrilliantFaults
from ble.sim.faults import AT_ONCE, Faults
from ble.sim.heycyan import HeycyanFaults, SimulatedHeycyan
from ble.sim.mentra import SimulatedMentra
from ble.sim.mentra_faults import MentraFaults
from ble.sim.omi import SimulatedOmi
from ble.sim.open_profile import SimulatedOpenGlasses
from ble.sim.open_profile_stream import OpenFaults
from ble.sim.peripheral import SimulatedPeripheral

ATTACK_SECONDS = 0.7
"""How long the attacker may act before the good pair is asked for a photo."""
MOST_GROWTH = 96 << 20
OURS = ("inside Eyelid", "could not deal with", "Connecting failed", "Report this fault")
DEEP = b'{"a":' * 4000
FOUR_GB = 0xFFFFFFFF

Twin = Callable[[], SimulatedPeripheral]


class Fickle(SimulatedOmi):
    """Comes, and leaves at once, for ever."""

    def on_connected(self) -> None:
        super().on_connected()
        self.spawn(self.drop_link())


class Roaring(SimulatedOmi):
    """Sends photo data without an end, as fast as the link goes."""

    def on_connected(self) -> None:
        super().on_connected()
        self.spawn(self._roar())

    async def _roar(self) -> None:
        number = 0
        while self.connected:
            await self.notify("19b10005-e8f2-537e-4f6c-d104768a1214", (number & 0x7FFF).to_bytes(2, "little") + b"\x00" + bytes(500))
            number += 1
            await asyncio.sleep(0)


class Shouting(SimulatedFrame):
    """Sends text and pieces of no photo without an end, from the moment it may."""

    def on_connected(self) -> None:
        super().on_connected()
        self.spawn(self._shout())

    async def _shout(self) -> None:
        while self.connected:
            for value in (b"\x01\x20\xff\xff\x00\x02\xd0", b"\x01\x21\x00\x00" + bytes(200), b"lua.lua:1: " + b"\xff" * 200, b"\x01"):
                await self.send(value)
            await asyncio.sleep(0)


class Restless(SimulatedMentra):
    """Starts anew all the time."""

    def _on_phone_ready(self, message: Any) -> None:
        super()._on_phone_ready(message)
        self.spawn(self._never_rest())

    async def _never_rest(self) -> None:
        while self.connected:
            self._sid = self._new_sid()
            await self._say({"type": "glasses_ready", "sid": self._sid}, None)
            await asyncio.sleep(0)


class Climbing(SimulatedMentra):
    """Announces 4 GB, sends files without end under names that climb out of a folder, and small ones that are never right."""

    async def _packets(self, name: str, data: bytes, size: int, count: int) -> bool:
        number = 0
        while self.connected:
            number += 1
            await self._say({"type": "file_announce", "fileName": "../../x", "totalPackets": 65536, "fileSize": FOUR_GB}, None)
            for climber, part in (("../../etc/x", bytes(400)), (f"I{number}", b"\xff\xd8\xff" + bytes(40)), (f"J{number}", bytes(400))):
                await self.notify(FILE_NOTIFY, write_packet(Packet(0x31, 400, 0, 43, climber, 1, part)))
        return False


class Insisting(SimulatedHeycyan):
    """Has a small photo ready all the time, and pages that nobody asked for."""

    def on_connected(self) -> None:
        super().on_connected()
        self.spawn(self._insist())

    async def _insist(self) -> None:
        while self.connected:
            for frame_ in (heycyan_wire.frame(0x73, b"\x02"), heycyan_wire.frame(0xFD, b"\x01\xff\xff\x00\x00" + bytes(200))):
                await self.notify(heycyan_wire.NOTIFY, frame_)
            await asyncio.sleep(0)


def omi(**faults: Any) -> Twin:
    return lambda: SimulatedOmi(pictures("omi-glass"), faults=Faults(**faults), pace=AT_ONCE)


def opened(**faults: Any) -> Twin:
    return lambda: SimulatedOpenGlasses(pictures("open"), faults=OpenFaults(**faults), pace=AT_ONCE)


def frame(**faults: Any) -> Twin:
    return lambda: SimulatedFrame(pictures("frame"), faults=BrilliantFaults(**faults), pace=AT_ONCE)


def mentra(**faults: Any) -> Twin:
    return lambda: SimulatedMentra(pictures("mentra-live"), faults=MentraFaults(**faults), pace=AT_ONCE)


def heycyan(**faults: Any) -> Twin:
    return lambda: SimulatedHeycyan(pictures("heycyan"), faults=HeycyanFaults(**faults), pace=AT_ONCE)


ATTACKS: dict[str, Twin] = {
    "omi: never ends a photo": omi(missing_end=True),
    "omi: leaves in the middle of each photo": omi(disconnect_after_chunk=1),
    "omi: reconnects in a loop": lambda: Fickle(pictures("omi-glass"), pace=AT_ONCE),
    "omi: data without end": lambda: Roaring(pictures("omi-glass"), pace=AT_ONCE),
    "open: offers 4 GB": opened(listed_size=FOUR_GB),
    "open: lists 4 GB and sends 4 GB": opened(listed_size=FOUR_GB, read_size=FOUR_GB, never_ends=True),
    "open: a read that never ends": opened(never_ends=True),
    "open: more than was allowed": opened(never_ends=True, ignores_credit=True),
    "open: wrong digests": opened(wrong_digest=True),
    "open: a list without end": opened(list_endless=True),
    "open: a list of garbage": opened(list_garbage=True),
    "open: ever newer captures that do not exist": opened(newest_lie=True),
    "open: babble": opened(babble=True),
    "open: leaves in each read": opened(drop_link_at=2000),
    "open: nothing protected": opened(unprotected=True),
    "frame: pictures without end": frame(too_large=True),
    "frame: half pictures": frame(cut_short=True),
    "frame: wrong totals and chatter": frame(wrong_total=True, chatter=True),
    "halo: only ends": lambda: SimulatedHalo(pictures("halo"), faults=BrilliantFaults(end_only=True), pace=AT_ONCE),
    "mentra: JSON four thousand deep": mentra(hostile_message=DEEP),
    "mentra: numbers and types that are none": mentra(hostile_message=b'{"type":[1e999,null],"mId":-1,"C":{"C":{}}}'),
    "mentra: a flood of messages": mentra(flood=1000),
    "mentra: packets without end": mentra(endless_packets=True),
    "mentra: sizes made up": mentra(inflated_size=True),
    "frame: text and pieces without end": lambda: Shouting(pictures("frame"), pace=AT_ONCE),
    "mentra: restarts without end": lambda: Restless(pictures("mentra-live"), pace=AT_ONCE),
    "mentra: 4 GB, and names that climb": lambda: Climbing(pictures("mentra-live"), pace=AT_ONCE),
    "heycyan: pages nobody asked for": lambda: Insisting(pictures("heycyan"), pace=AT_ONCE),
    "heycyan: 65535 pages": heycyan(pages_stated=0xFFFF),
    "heycyan: rests of frames": heycyan(stray=b"\xbc\x41\xff\xff" * 50),
}


def reset_peak() -> int:
    """Begin to measure anew; the resident bytes now. Skips where the system can't tell."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pytest.skip("this system does not tell how much memory was used at most")
    return _status("VmRSS")


def _status(name: str) -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


async def attempt(work: Any, seconds: float) -> bool:
    """Let `work` go on for so long; whether it came to a good end. Only the typed errors are any."""
    task = asyncio.ensure_future(work)
    await asyncio.wait({task}, timeout=seconds)
    task.cancel()
    with contextlib.suppress(GlassesError, asyncio.CancelledError):
        await task
        return True
    return False


@pytest.mark.parametrize("name", ATTACKS)
async def test_the_others_keep_working(bench: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    await bench.desk.start_simulated("openglass")
    good = await bench.desk.pair(await bench.found())
    before = reset_peak()

    monkeypatch.setattr(airs, "simulated", lambda *_: ATTACKS[name]())
    evil = await bench.desk._airs.simulate("omi-glass")
    found = await heard(bench, evil)
    if await attempt(bench.desk.pair(found), ATTACK_SECONDS):
        await attempt(bench.desk.take_photo(evil), ATTACK_SECONDS)

    async with asyncio.timeout(40):
        await bench.desk.take_photo(good.address)
        await bench.until(lambda: any(meta.new.origin.address == good.address for meta in bench.sealed))
    assert _status("VmHWM") - before < MOST_GROWTH
    whole = {*pictures("omi-glass"), *pictures("openglass"), *pictures("frame"), *pictures("halo")}
    for meta in bench.sealed:
        assert bench.vault.read(meta.id) in whole
    told = [str(event.explanation) for event in bench.told(Trouble)] + [event.reason for event in bench.told(CaptureLost)]
    told += [str(event.view.trouble) for event in bench.told(GlassesChanged) if event.view.trouble]
    assert not [words for words in told if any(mark in words for mark in OURS)]
    await asyncio.wait_for(bench.desk.stop(), 40)
    assert faults == []


async def heard(bench: Any, address: str) -> Any:
    async with contextlib.aclosing(bench.desk.scan(10)) as scan:
        async for found in scan:
            if found.address == address:
                return found
    raise AssertionError("the attacker was not heard")
