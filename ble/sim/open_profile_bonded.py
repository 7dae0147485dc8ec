"""What simulated glasses have in common that let only bonded hosts in."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from bumble import att, core, device, gatt, hci
from bumble.pairing import PairingConfig, PairingDelegate

from ble.sim.peripheral import NOTIFY, READ, Access, SimulatedPeripheral

INDICATE = gatt.Characteristic.Properties.INDICATE
_ENCRYPTED = att.Attribute.Permissions.READ_REQUIRES_ENCRYPTION | att.Attribute.Permissions.WRITE_REQUIRES_ENCRYPTION
_READ = att.Attribute.Permissions.READABLE | att.Attribute.Permissions.READ_REQUIRES_ENCRYPTION
_WRITE = att.Attribute.Permissions.WRITEABLE | att.Attribute.Permissions.WRITE_REQUIRES_ENCRYPTION


class _Door(PairingDelegate):
    """Lets somebody new pair only in pairing mode. With `shows`, the glasses have a display and a button, and compare codes."""

    def __init__(self, is_open: Callable[[], bool], shows: Callable[[str], None] | None) -> None:
        super().__init__(self.DISPLAY_OUTPUT_AND_YES_NO_INPUT if shows else self.NO_OUTPUT_NO_INPUT)
        self._is_open = is_open
        self._shows = shows

    async def accept(self) -> bool:
        return self._is_open()

    async def compare_numbers(self, number: int, digits: int) -> bool:
        if self._shows is not None:
            self._shows(f"{number:0{digits}}")
        return self._shows is not None


class BondedPeripheral(SimulatedPeripheral):
    """Base of simulated devices with bonding (LE Secure Connections, Just Works).

    Keeps the keys of hosts for as long as it is switched on. `pairing_open` stays as it is set: what would end pairing mode by itself (a
    bond, two minutes) is left to the wearer. `protected` False leaves everything open to anybody.
    """

    pairing_open = True
    protected = True
    shows_code = False
    """They have a display: both sides show a code while pairing, and the wearer presses yes on the glasses at once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As `SimulatedPeripheral`."""
        super().__init__(*args, **kwargs)
        self._link_tasks: set[asyncio.Task[None]] = set()

    def guarded(
        self,
        uuid: str,
        properties: gatt.Characteristic.Properties,
        *,
        written: Callable[[bytes], None] | None = None,
        value: Callable[[], bytes] | None = None,
    ) -> gatt.Characteristic[bytes]:
        """A characteristic for bonded hosts only, its CCCD included, which is off again for every link."""

        def write(_: device.Connection, data: bytes) -> None:
            self.accesses.append(Access("write", uuid, bytes(data)))
            if written is not None:
                written(bytes(data))

        def read(_: device.Connection) -> bytes:
            self.accesses.append(Access("read", uuid))
            return value() if value is not None else b""

        permissions = att.Attribute.Permissions(0)
        if properties & READ:
            permissions |= self._permitted(_READ)
        if written is not None:
            permissions |= self._permitted(_WRITE)
        descriptors = [self._guarded_cccd(uuid)] if properties & (NOTIFY | INDICATE) else []
        made: gatt.Characteristic[bytes] = gatt.Characteristic(
            core.UUID(uuid), properties, permissions, att.AttributeValue(read, write), descriptors
        )
        self._characteristics[uuid] = made
        return made

    def _guarded_cccd(self, uuid: str) -> gatt.Descriptor:
        descriptor = self._cccd(uuid)
        self._cccds[uuid] = b"\x00\x00"
        descriptor.permissions = self._permitted(_READ | _WRITE)
        return descriptor

    def _permitted(self, wanted: att.Attribute.Permissions) -> att.Attribute.Permissions:
        return wanted if self.protected else wanted & ~_ENCRYPTED

    async def switch_on(self, lent: device.Device) -> None:
        door = _Door(lambda: self.pairing_open, self._show if self.shows_code else None)
        config = PairingConfig(sc=True, mitm=self.shows_code, bonding=True, delegate=door)
        lent.pairing_config_factory = lambda _: config
        await super().switch_on(lent)

    def _show(self, code: str) -> None:
        self.tell(f"shows {code}")

    def on_connected(self) -> None:
        """A client came: it has subscribed to nothing yet."""
        for uuid in self._cccds:
            self._cccds[uuid] = b"\x00\x00"

    def on_disconnected(self) -> None:
        """The client went, and with it what was done for it."""
        for task in tuple(self._link_tasks):
            task.cancel()

    def on_link(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work` until it ends or the link does."""
        task = self.spawn(work)
        self._link_tasks.add(task)
        task.add_done_callback(self._link_tasks.discard)
        return task

    async def indicate(self, uuid: str, value: bytes) -> None:
        """Send `value` if the host subscribed; returns once it was confirmed."""
        connection, on = self._connection, self._cccds.get(uuid, b"")[:1] == b"\x02"
        if self._device is None or connection is None or not on:
            return
        with contextlib.suppress(core.BaseBumbleError, hci.HCI_Error, TimeoutError):
            await self._device.gatt_server.indicate_subscriber(connection, self._characteristics[uuid], value, force=True)
