"""What every simulated device has: a place on a Bumble device, one client at a time, advertising that comes back after each link."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from bumble import att, core, data_types, device, gatt, hci

from ble.drivers.standard import BATTERY_LEVEL

CCCD = gatt.GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR
READ = gatt.Characteristic.Properties.READ
WRITE = gatt.Characteristic.Properties.WRITE
NOTIFY = gatt.Characteristic.Properties.NOTIFY
READABLE = att.Attribute.Permissions.READABLE
WRITEABLE = att.Attribute.Permissions.WRITEABLE

Value = Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Access:
    """One thing a client did: `what` is "read", "write" or "cccd", `uuid` the characteristic in lower case."""

    what: str
    uuid: str
    value: bytes = b""


class SimulatedPeripheral:
    """Base of the simulated devices. Owns its attributes, its tasks and its advertising; the Bumble device is lent to it.

    `accesses` remembers the last thousand things clients did, for tests and for support.
    """

    def __init__(
        self, name: str, advertised: tuple[str, ...], *, mtu: int, advertise_ms: float, on_event: Callable[[str], None] | None
    ) -> None:
        self.name = name
        self.accesses: deque[Access] = deque(maxlen=1000)
        self._advertised = advertised
        self._mtu = mtu
        self._advertise_ms = advertise_ms
        self._on_event = on_event
        self._device: device.Device | None = None
        self._connection: device.Connection | None = None
        self._characteristics: dict[str, gatt.Characteristic[bytes]] = {}
        self._cccds: dict[str, bytes] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> bool:
        return self._connection is not None

    # -- what a device is made of ---------------------------------------------------------------------------------------------------

    def services(self) -> list[gatt.Service]:
        """The attribute table; called once."""
        raise NotImplementedError

    def on_connected(self) -> None:
        """A client came."""

    def on_disconnected(self) -> None:
        """The client went."""

    def readable(self, uuid: str, value: Value, *, notify: bool = False) -> gatt.Characteristic[bytes]:
        """A characteristic to read; with `notify`, with one CCCD for all clients that starts switched on.

        The Arduino BLE library keeps the CCCD as an ordinary attribute value, and the firmware sets it to 1 before anybody came
        (espressif/arduino-esp32 `libraries/BLE/src/BLE2902.cpp`).
        """

        def read(_: device.Connection) -> bytes:
            self.accesses.append(Access("read", uuid))
            return value()

        properties = READ | NOTIFY if notify else READ
        descriptors = [self._cccd(uuid)] if notify else []
        made: gatt.Characteristic[bytes] = gatt.Characteristic(core.UUID(uuid), properties, READABLE, att.AttributeValue(read), descriptors)
        self._characteristics[uuid] = made
        return made

    def writable(self, uuid: str, written: Callable[[bytes], None], value: Value | None = None) -> gatt.Characteristic[bytes]:
        """A characteristic to write (with response), readable too if it has a `value`."""

        def write(_: device.Connection, data: bytes) -> None:
            self.accesses.append(Access("write", uuid, bytes(data)))
            written(bytes(data))

        def read(_: device.Connection) -> bytes:
            self.accesses.append(Access("read", uuid))
            return value() if value else b""

        properties, permissions = (WRITE | READ, WRITEABLE | READABLE) if value else (WRITE, WRITEABLE)
        return gatt.Characteristic(core.UUID(uuid), properties, permissions, att.AttributeValue(read, write))

    def _cccd(self, uuid: str) -> gatt.Descriptor:
        self._cccds[uuid] = b"\x01\x00"

        def read(_: device.Connection) -> bytes:
            return self._cccds[uuid]

        def write(_: device.Connection, data: bytes) -> None:
            self.accesses.append(Access("cccd", uuid, bytes(data)))
            self._cccds[uuid] = bytes(data)

        return gatt.Descriptor(CCCD, READABLE | WRITEABLE, att.AttributeValue(read, write))

    async def notify(self, uuid: str, value: bytes) -> None:
        """Send `value` if a client is there and the CCCD is on; cut in silence to what the link carries, as the ESP32 does."""
        connection, on = self._connection, self._cccds.get(uuid, b"")[:1] == b"\x01"
        if self._device is None or connection is None or not on:
            await asyncio.sleep(0)  # whoever sends to nobody for ever must not hold up the rest
            return
        await self._device.gatt_server.notify_subscriber(connection, self._characteristics[uuid], value, force=True)
        # Keeps the queue of the link short, so that a drop loses what a drop would lose.
        if self._connection is connection:
            await connection.drain()

    async def notify_battery(self, percent: int) -> None:
        await self.notify(BATTERY_LEVEL, bytes([percent]))

    # -- life -----------------------------------------------------------------------------------------------------------------------

    async def switch_on(self, lent: device.Device) -> None:
        """Take over `lent`: add the services, power it on, advertise, and start over after each client."""
        self._device = lent
        lent.gatt_server.max_mtu = self._mtu
        lent.add_services(self.services())
        lent.on(lent.EVENT_CONNECTION, self._connected)
        await lent.power_on()
        await lent.start_advertising(
            auto_restart=True,
            advertising_data=bytes(core.AdvertisingData(self._advertisement())),
            scan_response_data=bytes(core.AdvertisingData([data_types.CompleteLocalName(self.name)])),
            advertising_interval_min=self._advertise_ms,
            advertising_interval_max=self._advertise_ms,
        )
        self.tell(f"{self.name} is advertising")

    async def switch_off(self) -> None:
        """Leave the air: end the tasks, the link and the advertising."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.drop_link()
        if self._device is not None:
            await self._device.stop_advertising()
            await self._device.power_off()
            self._device = None

    async def drop_link(self) -> None:
        """End the link as if the glasses had gone out of range; they advertise again at once."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            try:
                await connection.disconnect()
            except (core.BaseBumbleError, hci.HCI_Error):
                pass  # the client was quicker

    def tell(self, event: str) -> None:
        if self._on_event is not None:
            self._on_event(event)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work` until it ends or the device is switched off."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _advertisement(self) -> list[core.DataType]:
        short = [core.UUID(uuid[4:8]) for uuid in self._advertised if uuid.endswith("-0000-1000-8000-00805f9b34fb")]
        long = [core.UUID(uuid) for uuid in self._advertised if not uuid.endswith("-0000-1000-8000-00805f9b34fb")]
        parts: list[core.DataType] = [data_types.Flags(core.AdvertisingData.Flags(0x06))]
        if short:
            parts.append(data_types.CompleteListOf16BitServiceUUIDs(short))
        if long:
            parts.append(data_types.CompleteListOf128BitServiceUUIDs(long))
        return parts

    def _connected(self, connection: device.Connection) -> None:
        self._connection = connection
        connection.on(connection.EVENT_DISCONNECTION, lambda _reason: self._disconnected(connection))
        connection.on(connection.EVENT_CONNECTION_ENCRYPTION_CHANGE, lambda: self.tell("encrypted"))
        connection.on(connection.EVENT_PAIRING, lambda _keys: self.tell("paired"))
        self.tell("connected")
        self.on_connected()

    def _disconnected(self, connection: device.Connection) -> None:
        if self._connection in (connection, None):
            self._connection = None
            self.tell("disconnected")
            self.on_disconnected()
