"""What the drivers cost: photos through each of them, beside the very same notifications without it, on the same virtual link.

    python tests/bench/bench_glasses.py [rounds] [family ...]

The same simulated glasses send the same photos in the same way to a driver, and to a bare host (`bare_hosts.py`) that orders them in the
fewest words and only counts what comes. With the driver, a turn lasts from the glasses' first notification of a photo to its offer (for
glasses that store captures: to the last byte fetched); without it, to the last notification counted. The two take turns, and the table
shows medians: the ratio of the rates (at least 0.95 is wanted), that of the processor time, which a busy computer blurs less, the
processor time for a megabyte of photo in either case, all of it (glasses, link and driver are one process here), and the time of one photo
from its last notification until the vault shows it (at most 100 ms).
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app.events import CaptureSealed, EventHub
from app.glasses import airs
from app.glasses.desk import GlassesDesk
from app.lanes import Lanes
from app.media.samples import pictures
from app.vault.vault import Vault
from ble.bleak_port import BleakAirwaves
from ble.drivers import driver_named
from ble.drivers.brilliant import BrilliantDriver
from ble.glasses import Driver, Glasses
from ble.sim.air import Air
from ble.sim.bleak_backend import backends
from ble.sim.brilliant import SimulatedFrame, SimulatedHalo
from ble.sim.faults import Pace
from ble.sim.heycyan import SimulatedHeycyan
from ble.sim.mentra import SimulatedMentra
from ble.sim.omi import SimulatedOmi, SimulatedOpenGlass
from ble.sim.open_profile import SimulatedOpenGlasses
from ble.sim.peripheral import SimulatedPeripheral
from ble.types import CaptureOffered
from tests.bench.bare_hosts import (
    SMALLEST,
    BareBrilliant,
    BareFrame,
    BareHeycyan,
    BareHost,
    BareMentra,
    BareOmi,
    BareOpen,
    BareStock,
)
from tests.bench.measure import goal

FAST = Pace(chunk=0.0, shutter=0.0, second=0.02, advertise_ms=20.0)
PHOTOS = 4
"""A turn: the photos of one family differ little, and one alone is over too soon to be timed well."""


@dataclass(frozen=True, slots=True)
class Family:
    """How to simulate one family, and where its photos come: `size` in bytes is about the most that its cameras make."""

    name: str
    twin: Callable[[list[bytes]], SimulatedPeripheral]
    bare: type[BareHost]
    size: int
    driver: Driver | None = None


FAMILIES = (
    Family("omi-glass", lambda seen: SimulatedOmi(seen, pace=FAST), BareOmi, 200_000),
    Family("openglass", lambda seen: SimulatedOpenGlass(seen, pace=FAST), BareOmi, 200_000),
    Family("frame", lambda seen: SimulatedFrame(seen, pace=FAST), BareFrame, 65_000),
    Family("halo", lambda seen: SimulatedHalo(seen, pace=FAST), BareBrilliant, 128_000),
    Family("halo (stock stream)", lambda seen: SimulatedHalo(seen, pace=FAST), BareStock, 128_000, BrilliantDriver(own_app=False)),
    Family("open", lambda seen: SimulatedOpenGlasses(seen, pace=FAST, backlog=0), BareOpen, 1_000_000),
    Family("mentra-live", lambda seen: SimulatedMentra(seen, pace=FAST, stored=0), BareMentra, 300_000),
    Family("heycyan", lambda seen: SimulatedHeycyan(seen, pace=FAST), BareHeycyan, 60_000),
)


def padded(jpeg: bytes, size: int) -> bytes:
    """`jpeg` made just as large as `size` with comments (ITU-T T.81, B.2.4.5), which cameras do not write and nothing here looks at."""
    comments = b""
    while (left := size - len(jpeg) - len(comments)) > 0:
        body = bytes(left - 4 if left < 60_000 else 50_000)
        comments += b"\xff\xfe" + (len(body) + 2).to_bytes(2, "big") + body
    return jpeg[:2] + comments + jpeg[2:]


@dataclass(slots=True)
class Turn:
    """Seconds by the clock and of the processor, and the bytes of the notifications."""

    wall: float = 0.0
    busy: float = 0.0
    sent: int = 0

    def add(self, other: Turn) -> None:
        self.wall, self.busy, self.sent = self.wall + other.wall, self.busy + other.busy, self.sent + other.sent


@dataclass(slots=True)
class Tap:
    """Sees what simulated glasses notify. `sent`: bytes of the photo under way; `began`: when the first of its notifications was sent."""

    twin: SimulatedPeripheral
    data: str
    sent: int = 0
    began: tuple[float, float] | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """See a photo's notifications until the context ends."""
        send = self.twin.notify
        self.sent, self.began = 0, None

        async def noted(uuid: str, value: bytes) -> None:
            if uuid == self.data and (self.began is not None or len(value) > SMALLEST):
                self.began = self.began or (time.perf_counter(), time.process_time())
                self.sent += len(value)
            await send(uuid, value)

        self.twin.notify = noted  # type: ignore[method-assign]
        try:
            yield
        finally:
            self.twin.notify = send  # type: ignore[method-assign]

    def turn(self) -> Turn:
        assert self.began is not None
        return Turn(time.perf_counter() - self.began[0], time.process_time() - self.began[1], self.sent)


class Scene:
    """One pair of simulated glasses on an air of their own, and the program's way to them."""

    def __init__(self, family: Family) -> None:
        self.family = family
        seen = [padded(jpeg, family.size) for jpeg in pictures(family.name.split()[0])]
        self.twin = family.twin(seen)
        self.air = Air()
        scanner, client = backends(self.air)
        self.airwaves = BleakAirwaves(scanner_backend=scanner, client_backend=client)
        self.tap = Tap(self.twin, family.bare.data)

    async def driven(self) -> Turn:
        """Some photos through the driver."""
        driver = self.family.driver or driver_named(self.family.name)
        assert driver is not None
        glasses = await driver.open(self.airwaves.port(self.air.address_of(self.twin)), continuous=False)
        events = glasses.events()
        total = Turn()
        for _ in range(PHOTOS):
            total.add(await self._photo(glasses, events))
        await glasses.close()
        return total

    async def _photo(self, glasses: Glasses, events: Any) -> Turn:
        stored = isinstance(self.twin, SimulatedOpenGlasses)
        if stored:
            offer = await self._ordered(glasses, events)
        with self.tap.listening():
            if not stored:
                offer = await self._ordered(glasses, events)
                turn = self.tap.turn()
            size = sum([len(piece) async for piece in glasses.fetch(offer.id)])
            turn = self.tap.turn() if stored else turn
        assert size == self.family.size
        await glasses.release(offer.id)
        return turn

    async def _ordered(self, glasses: Glasses, events: Any) -> Any:
        order = asyncio.get_running_loop().create_task(glasses.take_photo())
        offer = await anext(event.offer async for event in events if isinstance(event, CaptureOffered))
        await order
        return offer

    async def bare(self, sent: int) -> Turn:
        """As many photos, each of so many bytes of notifications, with nobody but a counter listening."""
        host = self.family.bare(self.airwaves.port(self.air.address_of(self.twin)), self.twin)
        await host.connect()
        total = Turn()
        for _ in range(PHOTOS):
            with self.tap.listening():
                await host.photo(sent)
                total.add(self.tap.turn())
            await host.confirm()
        await host.port.disconnect()
        assert total.sent == sent * PHOTOS
        return total


@dataclass(slots=True)
class Result:
    rate: list[float] = field(default_factory=list)
    ratio: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    raw_busy: list[float] = field(default_factory=list)


async def contest(family: Family, rounds: int) -> Result:
    scene, result = Scene(family), Result()
    await scene.air.add(scene.twin)
    await scene.driven()  # what is installed on the glasses, or read once, is not the driver's rate
    sent = (await scene.driven()).sent // PHOTOS
    megabytes = family.size * PHOTOS / 1e6
    for number in range(rounds):
        first = await scene.bare(sent) if number % 2 else None
        ours = await scene.driven()
        theirs = first or await scene.bare(sent)
        assert ours.sent == theirs.sent
        result.rate.append(megabytes / ours.wall)
        result.ratio.append(theirs.wall / ours.wall)
        result.busy.append(ours.busy / megabytes)
        result.raw_busy.append(theirs.busy / megabytes)
    await scene.air.close()
    return result


async def until_visible(family: Family, photos: int) -> list[float]:
    """Seconds from the last notification of a photo until the vault shows it, for some photos, with the whole program's glasses desk."""
    folder = Path(tempfile.mkdtemp(prefix="eyelid-bench-"))
    vault = Vault.create(folder / "vault", passphrase="correct horse battery", keyring=False, work_factor=4)
    lanes, sealed, told = Lanes(), asyncio.Event(), [0.0]
    events = EventHub(asyncio.get_running_loop())

    def shown(_: CaptureSealed) -> None:
        told[0] = time.perf_counter()
        sealed.set()

    async def keep(_: Any) -> None:
        pass

    subscription = events.subscribe(CaptureSealed, shown)
    seen = [padded(jpeg, family.size) for jpeg in pictures(family.name)]
    twins: list[SimulatedPeripheral] = []

    def simulated(*_: object) -> SimulatedPeripheral:
        twins.append(family.twin(seen))
        return twins[-1]

    original, airs.simulated = airs.simulated, simulated
    desk = GlassesDesk(folder, lanes, events, keep, None)
    desk.begin(vault)
    times = []
    try:
        await desk.start_simulated(family.name)
        async for found in desk.scan(20):
            known = await desk.pair(found)
            break
        last, send = [0.0], twins[0].notify

        async def noted(uuid: str, value: bytes) -> None:
            await send(uuid, value)
            if uuid == family.bare.data:
                last[0] = time.perf_counter()

        twins[0].notify = noted  # type: ignore[method-assign]
        for _ in range(min(photos, len(seen))):  # the same bytes again would be known, and no news
            sealed.clear()
            await desk.take_photo(known.address)
            await asyncio.wait_for(sealed.wait(), 20)
            times.append(told[0] - last[0])
    finally:
        airs.simulated = original
        await desk.stop()
        lanes.close()
        vault.close()
        del subscription
    return times


async def main(rounds: int, names: list[str]) -> None:
    chosen = [family for family in FAMILIES if not names or family.name in names]
    print(f"{'':22}{'rate':>12}{'ratio':>8}{'computing':>10}{'processor':>14}{'without':>14}{'to the vault':>14}")
    ratios, visible = {}, {}
    for family in chosen:
        result = await contest(family, rounds)
        ratios[family.name] = statistics.median(result.ratio)
        row = f"{statistics.median(result.rate):9.2f} MB/s{ratios[family.name]:8.3f}"
        row += f"{statistics.median(theirs / ours for ours, theirs in zip(result.busy, result.raw_busy, strict=True)):10.3f}"
        row += f"{statistics.median(result.busy):9.3f} s/MB{statistics.median(result.raw_busy):9.3f} s/MB"
        if family.driver is None:
            times = await until_visible(family, rounds)
            visible[family.name] = statistics.median(times) * 1000
            row += f"{visible[family.name]:11.0f} ms"
        print(f"{family.name:22}{row}")
    for name, ratio in ratios.items():
        goal(f"{name}, rate beside the same notifications without the driver", ratio, least=0.95)
    for name, milliseconds in visible.items():
        goal(f"{name}, from the last notification to the vault", milliseconds, most=100, unit=" ms")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7, sys.argv[2:]))
