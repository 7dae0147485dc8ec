"""Asking BlueZ things that bleak has no call for, over the system's message bus."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from ble.errors import GlassesError, RadioOff

if TYPE_CHECKING:
    from dbus_fast import Message

NAME: Final = "org.bluez"
_CALL_SECONDS = 10.0


class Refused(Exception):
    """BlueZ, or the bus, did not do what it was asked; `said` tells what it gave instead, in a sentence."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


@asynccontextmanager
async def system_bus() -> AsyncIterator[Any]:
    """A link to the system's message bus. Raises RadioOff where there is none."""
    from dbus_fast import BusType
    from dbus_fast.aio import MessageBus

    try:
        async with asyncio.timeout(_CALL_SECONDS):
            bus: Any = await MessageBus(bus_type=BusType.SYSTEM).connect()
    except (OSError, EOFError, ValueError) as error:  # ValueError covers what dbus-fast says of an address or a greeting it can't read
        raise RadioOff(
            "Bluetooth can't be reached.",
            "No Bluetooth service is running on this computer.",
            "Check that Bluetooth is switched on and its service is running.",
        ) from error
    try:
        yield bus
    finally:
        bus.disconnect()
        with contextlib.suppress(OSError, EOFError):
            await bus.wait_for_disconnect()


async def call(bus: Any, message: Message) -> list[Any]:
    """What the answer to `message` carries. Raises Refused."""
    from dbus_fast import MessageType

    try:
        async with asyncio.timeout(_CALL_SECONDS):
            reply = await bus.call(message)
    except (OSError, EOFError) as error:
        raise Refused("The Bluetooth service did not answer.") from error
    if reply is None or reply.message_type is not MessageType.METHOD_RETURN:
        said = reply.error_name.rsplit(".", 1)[-1] if reply is not None and reply.error_name else "nothing"
        raise Refused(f"The Bluetooth service said {said}.")
    return list(reply.body)


async def is_connected(address: str) -> bool:
    """Whether BlueZ says that there is a link to the device at `address`, whoever made it; False where it can't be asked."""
    from dbus_fast import Message

    objects = Message(NAME, "/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
    try:
        async with system_bus() as bus:
            [found] = await call(bus, objects)
    except (GlassesError, Refused, ValueError):
        return False
    devices = (interfaces.get("org.bluez.Device1", {}) for interfaces in found.values())
    return any(_is(device, "Address", address.upper()) and _is(device, "Connected", True) for device in devices)


def _is(properties: dict[str, Any], name: str, value: object) -> bool:
    found = properties.get(name)
    return found is not None and found.value == value
