"""How much of what the virtual link carries the open profile's driver delivers.

    python tests/bench/open_profile.py [bytes] [rounds]

Prints, for each round, payload received through the driver beside raw notifications of the same size on the same link without it, and the
median of the ratios: of the rates, which a busy computer blurs, and of the processor time for a megabyte.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ble.bleak_port import BleakAirwaves
from ble.drivers import open_profile_wire as wire
from ble.drivers.open_profile import OpenDriver
from ble.sim.air import Air
from ble.sim.bleak_backend import backends
from ble.sim.faults import AT_ONCE
from ble.sim.open_profile import SimulatedOpenGlasses
from ble.types import CaptureOffered

NOTIFICATION = 514
"""Bytes: an ATT MTU of 517, less 3."""


async def measured(work: Callable[[], Awaitable[int]]) -> tuple[float, float]:
    """MB/s, and seconds of processor time for a MB."""
    began, busy = time.perf_counter(), time.process_time()
    size = await work() / 1e6
    return size / (time.perf_counter() - began), (time.process_time() - busy) / size


async def through_the_driver(airwaves: BleakAirwaves, address: str) -> tuple[float, float]:
    glasses = await OpenDriver().open(airwaves.port(address), continuous=False)
    offer = await anext(event.offer async for event in glasses.events() if isinstance(event, CaptureOffered))

    async def fetch() -> int:
        return sum([len(piece) async for piece in glasses.fetch(offer.id)])

    result = await measured(fetch)
    await glasses.close()
    return result


async def raw(airwaves: BleakAirwaves, address: str, twin: SimulatedOpenGlasses, size: int) -> tuple[float, float]:
    port = airwaves.port(address)
    await port.connect(lambda: None)
    await port.pair()
    received, done = 0, asyncio.Event()

    def arrived(value: bytes) -> None:
        nonlocal received
        received += len(value)
        if received >= size:
            done.set()

    await port.subscribe(wire.DATA, arrived)
    value = bytes(NOTIFICATION)

    async def send() -> int:
        for _ in range(-(-size // NOTIFICATION)):
            await twin.notify(wire.DATA, value)
        await done.wait()
        return received

    result = await measured(send)
    await port.disconnect()
    return result


async def main(size: int, rounds: int) -> None:
    air = Air()
    scanner, client = backends(air)
    airwaves = BleakAirwaves(scanner_backend=scanner, client_backend=client)
    twin = SimulatedOpenGlasses([bytes(size)], backlog=1, pace=AT_ONCE)
    address = await air.add(twin)
    rates, times = [], []
    for number in range(rounds):
        first_raw = await raw(airwaves, address, twin, size) if number % 2 else None
        ours = await through_the_driver(airwaves, address)
        theirs = first_raw or await raw(airwaves, address, twin, size)
        rates.append(ours[0] / theirs[0])
        times.append(theirs[1] / ours[1])
        print(f"driver {ours[0]:.2f} MB/s, {ours[1]:.3f} s of processor a MB; raw {theirs[0]:.2f} MB/s, {theirs[1]:.3f} s a MB")
    print(f"median ratio: rate {statistics.median(rates):.3f}, processor time {statistics.median(times):.3f}")
    await air.close()


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    asyncio.run(main(*arguments, *(2_000_000, 10)[len(arguments) :]))
