"""The GATT port over bleak, and so over BlueZ, Windows, macOS, and the virtual air of `ble.sim`.

Owns the one scanner of the program (BlueZ refuses a second one from the same client) and remembers what it heard for a short while, so
that links are made to the device object of a fresh scan and never to a bare address, which bleak would look for again behind our back.
"""

from __future__ import annotations

import asyncio
import sys
import unicodedata
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import TypeVar

from bleak import BleakClient, BleakScanner
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.exc import BleakError

from ble import bluez
from ble.agent import Compare, pairing_agent
from ble.bleak_errors import plainly
from ble.errors import LinkLost, NotFound, PairingNeeded, PairsByItself, ProtocolFault
from ble.types import Advertisement

T = TypeVar("T")

_FRESH_SECONDS = 20.0
"""BlueZ forgets a device it is not connected to 30 seconds after it was last heard (`TemporaryTimeout` in bluez/bluez `src/main.conf`)."""
_LOOK_SECONDS = 10.0
_CONNECT_SECONDS = 30.0
_ANSWER_SECONDS = 40.0
"""Longest wait for an answer. The attribute and the security manager protocol both give up after 30 (core specification, volume 3, part F,
3.3.3, and part H, 3.4)."""
_PAIR_SECONDS = 60.0
_MTU_SECONDS = 2.0
_MTU_POLL_SECONDS = 0.1
_MOST_HEARD = 512
_MOST_WAITING = 256
_LONGEST_NAME = 64


def plain_name(name: str | None) -> str:
    """An advertised name made safe to show: no control or formatting characters, at most 64 long. Anybody can advertise anything."""
    shown = "".join(c for c in (name or "")[:256] if unicodedata.category(c)[0] != "C")
    return shown.strip()[:_LONGEST_NAME]


class _Pairing:
    """Who is asked about codes, if anybody, and whether the answer was no."""

    def __init__(self, compare: Compare | None) -> None:
        self._compare = compare
        self.refused = asyncio.Event()

    @property
    def comparer(self) -> Compare | None:
        return self._ask if self._compare is not None else None

    async def _ask(self, code: str) -> bool:
        assert self._compare is not None
        same = await self._compare(code)
        if not same:
            self.refused.set()
        return same


class BleakAirwaves:
    """`ble.port.Airwaves` over bleak. `scanner_backend` and `client_backend` replace the system's own, for the virtual air."""

    def __init__(
        self, *, scanner_backend: type[BaseBleakScanner] | None = None, client_backend: type[BaseBleakClient] | None = None
    ) -> None:
        self._scanner_backend = scanner_backend
        self._client_backend = client_backend
        self._heard: dict[str, tuple[BLEDevice, float]] = {}
        self._listeners: dict[asyncio.Queue[Advertisement], frozenset[str]] = {}
        self._scanner: BleakScanner | None = None
        self._tuned: frozenset[str] | None = None
        self._tuning = asyncio.Lock()
        self._leaving: set[asyncio.Future[None]] = set()
        self._pairing: dict[str, _Pairing] = {}

    @asynccontextmanager
    async def pairing(self, address: str, compare: Compare | None = None) -> AsyncIterator[None]:
        """While it lasts the glasses at `address` may be paired, and `compare` (if any) is asked, on this loop, whether codes are the same.

        It has to begin before the link does: as soon as one is up, BlueZ reads things for itself (the battery), and pairs to get them.
        Raises RadioUnavailable, PairingNeeded.
        """
        key = address.upper()
        pairing = self._pairing[key] = _Pairing(compare)
        try:
            async with pairing_agent(address, pairing.comparer) if self.on_bluez else nullcontext():
                yield
        finally:
            del self._pairing[key]

    @property
    def on_bluez(self) -> bool:
        return self._client_backend is None and sys.platform == "linux"

    def agent_for(self, address: str) -> AbstractAsyncContextManager[None]:
        """An agent to pair with, unless there is one already, or none is needed."""
        return pairing_agent(address) if self.on_bluez and address.upper() not in self._pairing else nullcontext()

    def comparer(self, address: str) -> Compare | None:
        """Who compares codes; see `pairing`."""
        pairing = self._pairing.get(address.upper())
        return pairing.comparer if pairing is not None else None

    def refusal(self, address: str) -> asyncio.Event | None:
        """Set once the codes were said to differ; None while the glasses are not being paired."""
        pairing = self._pairing.get(address.upper())
        return pairing.refused if pairing is not None else None

    async def scan(self, service_uuids: Collection[str]) -> AsyncGenerator[Advertisement, None]:
        """See `ble.port.Airwaves`. Any number of scans share one scanner; a slow reader misses advertisements and delays nobody."""
        waiting: asyncio.Queue[Advertisement] = asyncio.Queue(_MOST_WAITING)
        self._listeners[waiting] = frozenset(uuid.lower() for uuid in service_uuids)
        try:
            await self._tune()
            while True:
                yield await waiting.get()
        finally:
            del self._listeners[waiting]
            # Whoever leaves may be cancelled once more while leaving; the scanner must not go on for nobody.
            leaving = asyncio.ensure_future(self._tune())
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
            await asyncio.shield(leaving)

    async def held_here(self, address: str) -> bool:
        """See `ble.port.Airwaves`. Only BlueZ can be asked, and only it lets settings and programs share a link."""
        return self.on_bluez and await bluez.is_connected(address)

    def port(self, address: str) -> BleakGattPort:
        return BleakGattPort(self, address, self._client_backend)

    async def device(self, address: str) -> BLEDevice:
        """The device as heard a moment ago; if that is too long ago, look again. Raises NotFound."""
        key, now = address.upper(), asyncio.get_running_loop().time()
        known = self._heard.get(key)
        if known is not None and now - known[1] <= _FRESH_SECONDS:
            return known[0]
        scan = self.scan(())
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                async for advertisement in scan:
                    if advertisement.address.upper() == key:
                        return self._heard[key][0]
        except TimeoutError:
            pass
        finally:
            await scan.aclose()
        raise NotFound("The glasses were not found.", "Nothing was heard of them.", "Wake the glasses and bring them closer.")

    # -- the one scanner ------------------------------------------------------------------------------------------------------------

    async def _tune(self) -> None:
        """Make the scanner fit its listeners: none, all devices, or those with any of the services asked for."""
        async with self._tuning:
            wanted = self._wanted()
            if wanted == self._tuned or (wanted is not None and self._covers(wanted)):
                return
            if self._scanner is not None:
                scanner, self._scanner, self._tuned = self._scanner, None, None
                await _stop(scanner)
            if wanted is None:
                return
            scanner = BleakScanner(self._on_heard, sorted(wanted) or None, backend=self._scanner_backend)
            with plainly(scanning=True):
                await scanner.start()
            self._scanner, self._tuned = scanner, wanted

    def _wanted(self) -> frozenset[str] | None:
        if not self._listeners:
            return None
        filters = self._listeners.values()
        return frozenset() if frozenset() in filters else frozenset().union(*filters)

    def _covers(self, wanted: frozenset[str]) -> bool:
        """Whether the running scanner hears all that is wanted (and perhaps more, which the listeners' own filters take out)."""
        return self._tuned is not None and (not self._tuned or (bool(wanted) and wanted <= self._tuned))

    def _on_heard(self, device: BLEDevice, data: AdvertisementData) -> None:
        advertisement = Advertisement(
            address=device.address,
            name=plain_name(data.local_name or device.name),
            rssi=data.rssi,
            service_uuids=frozenset(uuid.lower() for uuid in data.service_uuids),
            manufacturer_data=dict(data.manufacturer_data),
        )
        self._heard.pop(device.address.upper(), None)
        self._heard[device.address.upper()] = device, asyncio.get_running_loop().time()
        if len(self._heard) > _MOST_HEARD:
            del self._heard[next(iter(self._heard))]
        for waiting, uuids in self._listeners.items():
            if (not uuids or uuids & advertisement.service_uuids) and not waiting.full():
                waiting.put_nowait(advertisement)


async def _stop(scanner: BleakScanner) -> None:
    try:
        await scanner.stop()
    except (BleakError, TimeoutError, OSError, EOFError):
        pass  # the radio went away while scanning: nothing is left to stop


async def _first(work: asyncio.Future[T], refused: asyncio.Event) -> T:
    """What comes of `work`, unless `refused` is set before it ends, or as it does. Raises PairingNeeded."""
    no = asyncio.ensure_future(refused.wait())
    try:
        await asyncio.wait((work, no), return_when=asyncio.FIRST_COMPLETED)
        if refused.is_set():
            raise PairingNeeded(
                "The glasses were not paired.", "The two codes were said to differ.", "Pair them again, and compare the codes once more."
            )
        return await work
    finally:
        no.cancel()
        if work.cancel():
            await asyncio.wait({work})  # what it leaves behind it takes away itself, and before anybody goes on
        if not work.cancelled():
            work.exception()  # seen, where something else is said instead


class BleakGattPort:
    """`ble.port.GattPort` over one bleak client, made anew for each link."""

    def __init__(self, airwaves: BleakAirwaves, address: str, backend: type[BaseBleakClient] | None) -> None:
        self._airwaves = airwaves
        self._address = address
        self._backend = backend
        self._client: BleakClient | None = None

    @property
    def address(self) -> str:
        return self._address

    async def connect(self, on_lost: Callable[[], None]) -> None:
        device = await self._airwaves.device(self._address)
        told = False

        def lost(_: BleakClient) -> None:
            nonlocal told
            if not told:
                told = True
                on_lost()

        # Ours to end from now on: the link may be up in the very moment in which this is called off.
        client = self._client = BleakClient(device, lost, timeout=_CONNECT_SECONDS, backend=self._backend)
        # bleak's own timeout does not cover all back ends.
        await self._unless_refused(client.connect(), _CONNECT_SECONDS + 5)

    def services(self) -> Mapping[str, frozenset[str]]:
        with plainly():
            return {service.uuid.lower(): frozenset(c.uuid.lower() for c in service.characteristics) for service in self._link().services}

    async def payload_size(self, wanted: int) -> int:
        """See `ble.port.GattPort`.

        Asks the characteristics rather than the client, whose `mtu_size` is 23 on Linux whatever was agreed. Right after connecting
        they may still say 20 (bleak documentation of `max_write_without_response_size`), and BlueZ before 5.62 always does.
        """
        size = self._room()
        try:
            async with asyncio.timeout(_MTU_SECONDS):
                while size < wanted:
                    await asyncio.sleep(_MTU_POLL_SECONDS)
                    size = self._room()
        except TimeoutError:
            pass
        return size

    async def read(self, characteristic: str) -> bytes:
        return bytes(await self._unless_refused(self._link().read_gatt_char(self._named(characteristic))))

    async def write(self, characteristic: str, data: bytes, *, response: bool = True) -> None:
        await self._unless_refused(self._link().write_gatt_char(self._named(characteristic), data, response=response))

    async def subscribe(self, characteristic: str, callback: Callable[[bytes], None]) -> None:
        # A plain function: bleak would run a coroutine in a task of its own for each notification, and lose their order.
        def arrived(_: BleakGATTCharacteristic, data: bytearray) -> None:
            callback(bytes(data))

        await self._unless_refused(self._link().start_notify(self._named(characteristic), arrived))

    async def unsubscribe(self, characteristic: str) -> None:
        with plainly():
            await self._link().stop_notify(self._named(characteristic))

    async def pair(self) -> None:
        """See `ble.port.GattPort`. BlueZ pairs only while there is an agent to ask; the other systems ask the person themselves."""
        virtual = {"compare": self._airwaves.comparer(self._address)} if self._backend is not None else {}
        async with self._airwaves.agent_for(self._address):
            try:
                await self._unless_refused(self._link().pair(**virtual), _PAIR_SECONDS)
            except NotImplementedError:  # CoreBluetooth has no call for it (bleak documentation)
                raise PairsByItself from None

    async def disconnect(self) -> None:
        """See `ble.port.GattPort`."""
        client, self._client = self._client, None
        if client is not None:
            with plainly():
                await client.disconnect()

    async def _unless_refused(self, work: Awaitable[T], seconds: float = _ANSWER_SECONDS) -> T:
        """What comes of `work`, within `seconds`; PairingNeeded as soon as somebody says that the codes differ.

        BlueZ pairs by itself at a first access to what is protected. If that fails, it never answers what it held back for it meanwhile.
        """
        refused = self._airwaves.refusal(self._address)
        with plainly():
            async with asyncio.timeout(seconds):
                if refused is None:
                    return await work
                return await _first(asyncio.ensure_future(work), refused)

    def _link(self) -> BleakClient:
        if self._client is None or not self._client.is_connected:
            raise LinkLost("The glasses are not connected.", "The link was closed or lost.", "Connect the glasses again.")
        return self._client

    def _named(self, uuid: str) -> BleakGATTCharacteristic:
        found = [c for c in self._link().services.characteristics.values() if c.uuid.lower() == uuid]
        if len(found) != 1:
            raise ProtocolFault(
                "The glasses lack something they should have.",
                f"{len(found)} characteristics fit the one asked for.",
                "Update their firmware.",
            )
        return found[0]

    def _room(self) -> int:
        with plainly():
            return max((c.max_write_without_response_size for c in self._link().services.characteristics.values()), default=20)
