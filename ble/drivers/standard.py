"""Two services of the Bluetooth SIG that most glasses have, told alike: what a device says of itself, and its battery."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Final

from ble.errors import GlassesError, LinkLost
from ble.port import GattPort
from ble.types import DeviceInfo

# Bluetooth SIG assigned numbers.
BATTERY_SERVICE: Final = "0000180f-0000-1000-8000-00805f9b34fb"
BATTERY_LEVEL: Final = "00002a19-0000-1000-8000-00805f9b34fb"
DEVICE_INFORMATION: Final = "0000180a-0000-1000-8000-00805f9b34fb"
MODEL: Final = "00002a24-0000-1000-8000-00805f9b34fb"
SERIAL: Final = "00002a25-0000-1000-8000-00805f9b34fb"
FIRMWARE: Final = "00002a26-0000-1000-8000-00805f9b34fb"
HARDWARE: Final = "00002a27-0000-1000-8000-00805f9b34fb"
MANUFACTURER: Final = "00002a29-0000-1000-8000-00805f9b34fb"

_LONGEST_TEXT = 64


async def read_information(port: GattPort) -> DeviceInfo:
    """The Device Information service, as far as it is there. Raises LinkLost."""
    there = port.services().get(DEVICE_INFORMATION, frozenset())

    async def text(uuid: str) -> str:
        raw = await _tolerantly(port, uuid) if uuid in there else b""
        shown = "".join(c for c in raw[:256].decode("utf-8", "replace") if unicodedata.category(c)[0] != "C")
        return shown.strip()[:_LONGEST_TEXT]

    return DeviceInfo(
        manufacturer=await text(MANUFACTURER),
        model=await text(MODEL),
        firmware=await text(FIRMWARE),
        hardware=await text(HARDWARE),
        serial=await text(SERIAL),
    )


async def watch_battery(port: GattPort, notified: Callable[[bytes], None], *, read: bool = True) -> None:
    """Hand the battery level, if there is one, to `notified` now (with `read`) and whenever it changes. Raises LinkLost."""
    if BATTERY_LEVEL not in port.services().get(BATTERY_SERVICE, frozenset()):
        return
    if read:
        notified(await _tolerantly(port, BATTERY_LEVEL))
    try:
        await port.subscribe(BATTERY_LEVEL, notified)
    except LinkLost:
        raise
    except GlassesError:
        pass  # the reading at hand has to do


async def _tolerantly(port: GattPort, uuid: str) -> bytes:
    """Read what can be done without; empty if it can't be read. Raises LinkLost."""
    try:
        return await port.read(uuid)
    except LinkLost:
        raise
    except GlassesError:
        return b""
