"""The protocol every family of glasses is driven through. One driver a family lives in `ble/drivers/`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol, runtime_checkable

from ble.port import GattPort
from ble.types import Advertisement, Capabilities, DeviceInfo, GlassesEvent, GlassesStatus


class Glasses(Protocol):
    """A connected pair of glasses. All methods run on the radio's event loop and raise `ble.errors.GlassesError`."""

    @property
    def address(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def info(self) -> DeviceInfo: ...

    @property
    def status(self) -> GlassesStatus: ...

    def events(self) -> AsyncIterator[GlassesEvent]:
        """What happens from `open` on, in order; one reader; ends after `LinkClosed`."""

    async def take_photo(self) -> None:
        """Ask for one photo and return when it has been offered. Raises CameraSilent, LinkLost, ProtocolFault."""

    async def set_continuous(self, on: bool) -> None: ...

    def fetch(self, offer_id: str, offset: int = 0) -> AsyncIterator[bytes]:
        """The bytes of an offered capture from `offset` on, in pieces."""

    async def release(self, offer_id: str) -> None:
        """The capture is safe here: the glasses (or the driver holding it for them) may let it go."""

    async def close(self) -> None:
        """Leave the glasses as they should be left and end the link."""


@runtime_checkable
class VoiceGlasses(Protocol):
    """What glasses can do besides `Glasses` when they have a microphone (`Capability.MICROPHONE`)."""

    @property
    def microphone_on(self) -> bool:
        """Whether the glasses say that their microphone listens right now."""

    async def record_sound(self, seconds: int) -> None:
        """Have a voice note of so many seconds (1 to 600) recorded, and return when it has been offered.

        The one way to switch the microphone on; cancelling this switches it off. Raises as `Glasses.take_photo`, Unsupported, ValueError.
        """


@runtime_checkable
class Updatable(Protocol):
    """What a driver can do besides `Driver` when its glasses are heard under a name of their own while they wait for new firmware."""

    def awaits_firmware(self, name: str) -> bool:
        """Whether `name` is advertised by glasses in that state, whosever they are."""


def awaits_firmware(driver: Driver, name: str) -> bool:
    """Whether glasses of the kind of `driver` that advertise `name` wait for new firmware: for now nobody can tell which they are."""
    return isinstance(driver, Updatable) and driver.awaits_firmware(name)


class Driver(Protocol):
    """One family."""

    @property
    def family(self) -> str:
        """Short id, also used by `--sim`: "omi-glass"."""

    @property
    def service_uuids(self) -> frozenset[str]:
        """What its glasses advertise, unless their firmware leaves it out: `recognises` tells, and scans hear all devices."""

    def recognises(self, advertisement: Advertisement) -> bool: ...

    def cautions(self, family: str) -> tuple[str, ...]:
        """Sentences a wearer should read before pairing glasses of this family."""

    async def open(self, port: GattPort, *, continuous: bool) -> Glasses:
        """Connect through `port`, check that these are such glasses, subscribe. `continuous`: the wearer wants capture at intervals.

        Raises NotGlasses, LinkLost, ProtocolFault.
        """
