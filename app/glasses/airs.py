"""The two airs: the real radio, and the virtual one that simulated glasses live on. Owns the radio's thread.

What is heard on either is scanned, connected to and driven in exactly the same way.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.glasses.unseen import Census
from app.media.samples import pictures
from ble.bleak_port import BleakAirwaves
from ble.drivers import driver_for
from ble.errors import RadioUnavailable
from ble.radio import Radio
from ble.types import Advertisement

if TYPE_CHECKING:
    from ble.sim.air import Air
    from ble.sim.loopback_http import Listen
    from ble.sim.peripheral import SimulatedPeripheral


@dataclass(frozen=True, slots=True)
class Heard:
    """One advertisement of something that a driver recognises."""

    advertisement: Advertisement
    simulated: bool


def simulated_families() -> tuple[tuple[str, str], ...]:
    """Id and label of each family of glasses that can be simulated."""
    from ble.sim.catalogue import FAMILIES

    return FAMILIES


def simulated(family: str, listen: Listen | None = None) -> SimulatedPeripheral:
    """Simulated glasses of `family`, which see the sample pictures. Raises ValueError for a family nobody simulates."""
    from ble.sim.catalogue import make
    from ble.sim.loopback_http import own_port

    return make(family, pictures(family), listen=listen or own_port)


class Airs:
    """All that can be heard. `radio` runs everything of `ble`; the methods here hop over to it."""

    def __init__(self, listen: Listen | None = None) -> None:
        """`listen` opens the ports that stand for the Wi-Fi of simulated glasses; without it this process opens them itself."""
        self.radio = Radio()
        self._open_port = listen
        self._real: BleakAirwaves | None = None
        self._air: Air | None = None
        self._virtual: BleakAirwaves | None = None

    async def stop(self) -> None:
        air, self._air = self._air, None
        if air is not None:
            await self.radio.run(air.close())
        await self.radio.astop()

    async def simulate(self, family: str, address: str | None = None) -> str:
        """Switch on simulated glasses of `family` and return their address. Raises ValueError for a family nobody simulates."""
        self.radio.start()
        return await self.radio.run(self._simulate(family, address))

    async def _simulate(self, family: str, address: str | None) -> str:
        air, _ = self._virtual_air()
        if address is not None and air.hears(address):
            return address
        return await air.add(simulated(family, self._open_port), address)

    @asynccontextmanager
    async def pairing(self, address: str, compare: Callable[[str], Awaitable[bool]] | None, *, simulated: bool) -> AsyncIterator[None]:
        """While it lasts the glasses at `address` may be paired, and `compare` is asked (on this loop) whether they show the same code."""
        home = asyncio.get_running_loop()

        async def ask(code: str) -> bool:
            return compare is not None and await compare(code)

        async def asked(code: str) -> bool:
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(ask(code), home))

        there = contextlib.AsyncExitStack()

        async def enter() -> None:
            airwaves = self.airwaves(simulated=simulated)
            await there.enter_async_context(airwaves.pairing(address, asked if compare is not None else None))

        self.radio.start()
        try:
            await self.radio.run(enter())
            yield
        finally:
            await self.radio.run(there.aclose())

    def airwaves(self, *, simulated: bool) -> BleakAirwaves:
        """The air that a pair of glasses is to be looked for on; to be called, and used, on the radio's loop."""
        if simulated:
            return self._virtual_air()[1]
        if self._real is None:
            self._real = BleakAirwaves()
        return self._real

    def _virtual_air(self) -> tuple[Air, BleakAirwaves]:
        # Bumble takes as long to import as everything else together, and most people have glasses of their own.
        from ble.sim.air import Air
        from ble.sim.bleak_backend import backends

        if self._air is None or self._virtual is None:
            self._air = Air()
            scanner, client = backends(self._air)
            self._virtual = BleakAirwaves(scanner_backend=scanner, client_backend=client)
        return self._air, self._virtual

    async def check(self, seconds: float = 1.0) -> None:
        """Listen on the real air for `seconds`; raises RadioUnavailable."""
        self.radio.start()
        await self.radio.run(self._check(seconds))

    async def _check(self, seconds: float) -> None:
        scan = self.airwaves(simulated=False).scan(())
        try:
            async with asyncio.timeout(seconds):
                async for _ in scan:
                    return
        except TimeoutError:
            pass
        finally:
            await scan.aclose()

    async def held_here(self, address: str) -> bool:
        """See `ble.port.Airwaves`; for real glasses."""

        async def ask() -> bool:
            return await self.airwaves(simulated=False).held_here(address)

        self.radio.start()
        return await self.radio.run(ask())

    async def scan(self, seconds: float, census: Census | None = None) -> AsyncGenerator[Heard, None]:
        """All recognised glasses on both airs, repeats included, for `seconds`. Raises RadioUnavailable if nothing can listen.

        `census` is told of every device on the real one, glasses or not.
        """
        self.radio.start()
        async with contextlib.aclosing(self.radio.stream(lambda: self._scan(seconds, census or Census()))) as all_heard:
            async for heard in all_heard:
                yield heard

    async def _scan(self, seconds: float, census: Census) -> AsyncIterator[Heard]:
        queue: asyncio.Queue[Heard | RadioUnavailable] = asyncio.Queue(256)
        deaf = 0
        listeners = [asyncio.create_task(self._listen(queue, census, simulated=False))]
        if self._virtual is not None:
            listeners.append(asyncio.create_task(self._listen(queue, Census(), simulated=True)))
        try:
            async with asyncio.timeout(seconds):
                while True:
                    heard = await queue.get()
                    if isinstance(heard, Heard):
                        yield heard
                    elif (deaf := deaf + 1) == len(listeners):
                        raise heard
        except TimeoutError:
            pass
        finally:
            for listener in listeners:
                listener.cancel()
            await asyncio.gather(*listeners, return_exceptions=True)

    async def _listen(self, queue: asyncio.Queue[Heard | RadioUnavailable], census: Census, *, simulated: bool) -> None:
        scan = self.airwaves(simulated=simulated).scan(())  # all devices: not all firmware advertises its service
        census.listened = True
        try:
            async for advertisement in scan:
                census.hear(advertisement.address)
                if driver_for(advertisement) is not None:
                    await queue.put(Heard(advertisement, simulated))
        except RadioUnavailable as error:
            census.listened = False
            await queue.put(error)
        finally:
            await scan.aclose()
