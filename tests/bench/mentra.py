"""How much of what the link carries the drivers of Mentra Live and HeyCyan deliver.

    python tests/bench/mentra.py [bytes over Bluetooth] [bytes over HTTP] [rounds]

Prints, as medians of ratios: a photo over Bluetooth beside the same notifications without the driver, and a clip over HTTP, through the
courier and its pipe, beside curl fetching the same file from the same simulated glasses.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app.glasses.http_link import HttpLink
from app.sharing.courier_link import CourierLink
from ble.bleak_port import BleakAirwaves
from ble.drivers import mentra_profile as profile
from ble.drivers.mentra import MentraDriver
from ble.radio import Radio
from ble.sim.air import Air
from ble.sim.bleak_backend import backends
from ble.sim.faults import AT_ONCE, REAL_PACE, Pace
from ble.sim.mentra import SimulatedMentra
from ble.sim.mentra_faults import NO_MENTRA_FAULTS
from ble.types import CaptureOffered, CaptureProgress


def picture(size: int) -> bytes:
    return b"\xff\xd8\xff\xe0" + bytes(size - 6) + b"\xff\xd9"


class Scene:
    """Simulated glasses, and the way to them."""

    def __init__(self, twin: SimulatedMentra) -> None:
        self.twin = twin
        self.air = Air()
        scanner, client = backends(self.air)
        self.airwaves = BleakAirwaves(scanner_backend=scanner, client_backend=client)

    async def begin(self) -> None:
        await self.air.add(self.twin)

    def port(self):  # type: ignore[no-untyped-def]
        return self.airwaves.port(self.air.address_of(self.twin))


async def raw(scene: Scene, data: bytes) -> float:
    """Seconds of processor time for the notifications of one photo, with nobody but a counter listening."""
    port, got, done = scene.port(), 0, asyncio.Event()

    def arrived(notified: bytes) -> None:
        nonlocal got
        got += len(notified) - profile.PACKET_OVERHEAD
        if got == len(data):
            done.set()

    await port.connect(lambda: None)
    await port.subscribe(profile.FILE_NOTIFY, arrived)
    began = time.process_time()
    await scene.twin._packets("I1", data, profile.FULL_PACK, -(-len(data) // profile.FULL_PACK))
    await done.wait()
    took = time.process_time() - began
    await port.disconnect()
    return took


async def driven(scene: Scene) -> float:
    """The same through the driver, from the first of the photo to its offer."""
    glasses = await MentraDriver(simulated=True).open(scene.port(), continuous=False)
    began = 0.0
    asyncio.get_running_loop().create_task(glasses.take_photo())
    async for event in glasses.events():
        if isinstance(event, CaptureProgress) and not began:
            began = time.process_time()
        if isinstance(event, CaptureOffered):
            took = time.process_time() - began
            break
    await glasses.close()
    return took


async def bluetooth(size: int, rounds: int) -> None:
    data = picture(size)
    ratios = []
    for _ in range(rounds):
        scene = Scene(SimulatedMentra([data], faults=NO_MENTRA_FAULTS, pace=AT_ONCE, stored=0))
        await scene.begin()
        without, with_driver = await raw(scene, data), await driven(scene)
        ratios.append(without / with_driver)
        print(f"Bluetooth: {with_driver / size * 1e6:.2f} s of processor a MB, {without / size * 1e6:.2f} s without the driver")
        await scene.air.close()
    print(f"Bluetooth: ratio {statistics.median(ratios):.2f}")


async def http(size: int, rounds: int, pace: Pace, name: str) -> None:
    radio = Radio()
    radio.start()
    courier = await CourierLink.start()
    link = HttpLink(courier)
    clip = b"\x00\x00\x00\x18ftypmp42" + bytes(size)

    async def set_up() -> Scene:
        scene = Scene(SimulatedMentra([picture(900)], pace=pace, stored=0, clips=[clip]))
        await scene.begin()
        return scene

    async def visit(scene: Scene) -> list[tuple[float, float]]:
        glasses = await MentraDriver(link, simulated=True).open(scene.port(), continuous=False)
        await glasses.open_wifi(own_network=True)
        await glasses.look_over_wifi()
        async for event in glasses.events():
            if isinstance(event, CaptureOffered):
                break
        entry = glasses._known[event.offer.id]
        times = []
        for _ in range(rounds):
            began = time.perf_counter()
            curl = await asyncio.create_subprocess_exec("curl", "-s", "-o", "/dev/null", f"http://{scene.twin.http.address}{entry.path}")
            await curl.wait()
            middle = time.perf_counter()
            async for _piece in glasses.fetch(event.offer.id):
                pass
            times.append((middle - began, time.perf_counter() - middle))
        await glasses.close()
        await scene.air.close()
        return times

    scene = await radio.run(set_up())
    times = await radio.run(visit(scene))
    for curl, ours in times:
        print(f"HTTP, {name}: {size / ours / 1e6:.0f} MB/s, curl {size / curl / 1e6:.0f} MB/s")
    print(f"HTTP, {name}: ratio {statistics.median(curl / ours for curl, ours in times):.2f} (digest checked, not sealed)")
    await courier.close()
    await radio.astop()


async def main() -> None:
    over_bluetooth, over_http, rounds = (int(value) for value in [*sys.argv[1:], *("1000000", "50000000", "3")[len(sys.argv) - 1 :]])
    await bluetooth(over_bluetooth, rounds)
    if shutil.which("curl"):
        await http(over_http, rounds, REAL_PACE, "as fast as Wi-Fi")
        await http(over_http, rounds, AT_ONCE, "without a limit")
    else:
        print("HTTP: no curl to compare with")


if __name__ == "__main__":
    asyncio.run(main())
