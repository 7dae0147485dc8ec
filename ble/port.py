"""The GATT port: the little that a driver needs of a Bluetooth LE stack.

Drivers know only this. `ble/bleak_port.py` is the adapter to bleak (and so to BlueZ, Windows, macOS, and the simulated glasses, which sit
behind a bleak back end of their own).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from typing import Protocol

from ble.types import Advertisement


class GattPort(Protocol):
    """One link to one device. All methods run on the radio's event loop and raise `ble.errors.GlassesError`.

    Characteristics are named by 128-bit lower-case UUID strings.
    """

    @property
    def address(self) -> str: ...

    async def connect(self, on_lost: Callable[[], None]) -> None:
        """Connect and discover. `on_lost` is called once, on the loop, when the link drops for whatever reason.

        Whoever calls this off, or sees it fail, calls `disconnect`.
        """

    def services(self) -> Mapping[str, frozenset[str]]:
        """Discovered services, each with the UUIDs of its characteristics."""

    async def payload_size(self, wanted: int) -> int:
        """Largest notification that arrives whole, in bytes (ATT MTU - 3); waits a short while for `wanted` to be negotiated."""

    async def read(self, characteristic: str) -> bytes: ...

    async def write(self, characteristic: str, data: bytes, *, response: bool = True) -> None: ...

    async def subscribe(self, characteristic: str, callback: Callable[[bytes], None]) -> None:
        """Deliver each notification to `callback`, in order. The callback must be quick and must not raise."""

    async def unsubscribe(self, characteristic: str) -> None: ...

    async def pair(self) -> None:
        """Bond, or use the bond there is. Raises PairsByItself where the system pairs at the first access to what is protected."""

    async def disconnect(self) -> None:
        """End the link; without one, do nothing."""


class Airwaves(Protocol):
    """The radio as a whole: what is heard, and ports to it."""

    def scan(self, service_uuids: Collection[str]) -> AsyncGenerator[Advertisement, None]:
        """Active scan; yields each advertisement heard (repeats included) until the iterator is closed. Empty collection: all devices."""

    async def held_here(self, address: str) -> bool:
        """Whether this computer's system has a link to the device by itself, as far as it can be asked. Never raises GlassesError."""

    def port(self, address: str) -> GattPort:
        """A port to the device with this address, not yet connected. Prefer an address heard in a scan that is still fresh."""


class WatchedPort:
    """A port that says when its link came up, so that a person sees that far more quickly than when the driver is done."""

    def __init__(self, port: GattPort, on_linked: Callable[[], None]) -> None:
        self._port = port
        self._on_linked = on_linked
        self.address = port.address
        self.services = port.services
        self.payload_size = port.payload_size
        self.read = port.read
        self.write = port.write
        self.subscribe = port.subscribe
        self.unsubscribe = port.unsubscribe
        self.pair = port.pair
        self.disconnect = port.disconnect

    async def connect(self, on_lost: Callable[[], None]) -> None:
        await self._port.connect(on_lost)
        self._on_linked()
