"""What an open pair of glasses says of itself in the Bluetooth SIG's own services: device information and battery."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from ble.drivers import open_profile_wire as wire
from ble.errors import GlassesError, LinkLost
from ble.port import GattPort
from ble.types import DeviceInfo

_LONGEST_TEXT = 64


async def read_information(port: GattPort, there: frozenset[str]) -> DeviceInfo:
    """The Device Information service, as far as it is `there`. Raises LinkLost."""

    async def text(uuid: str) -> str:
        raw = await tolerantly(port, uuid) if uuid in there else b""
        shown = "".join(c for c in raw[:256].decode("utf-8", "replace") if unicodedata.category(c)[0] != "C")
        return shown.strip()[:_LONGEST_TEXT]

    return DeviceInfo(
        manufacturer=await text(wire.MANUFACTURER),
        model=await text(wire.MODEL),
        firmware=await text(wire.FIRMWARE),
        hardware=await text(wire.HARDWARE),
        serial=await text(wire.SERIAL),
    )


async def watch_battery(port: GattPort, heard: Callable[[bytes], None]) -> None:
    """Hand the battery level to `heard` now and whenever it changes. Raises LinkLost; can do without all else."""
    heard(await tolerantly(port, wire.BATTERY_LEVEL))
    try:
        await port.subscribe(wire.BATTERY_LEVEL, heard)
    except LinkLost:
        raise
    except GlassesError:
        pass  # the reading at hand has to do


async def tolerantly(port: GattPort, uuid: str) -> bytes:
    """Read what can be done without; empty if it can't be read. Raises LinkLost."""
    try:
        return await port.read(uuid)
    except LinkLost:
        raise
    except GlassesError:
        return b""
