"""Back end classes that make bleak's own `BleakScanner` and `BleakClient` work on the virtual air, through a Bumble central.

They fit `bleak.BleakScanner(backend=...)` and `bleak.BleakClient(backend=...)` of bleak 3, and raise what bleak's own back ends raise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, TypeVar

from bleak.args import SizedBuffer
from bleak.assigned_numbers import CharacteristicPropertyName
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
)
from bleak.uuids import normalize_uuid_str
from bumble import att, core, device, gatt, gatt_client, hci
from bumble.pairing import PairingConfig, PairingDelegate

from ble.agent import Compare
from ble.sim.air import Air, AirController, device_on, random_static

T = TypeVar("T")

_PROPERTIES: tuple[tuple[gatt.Characteristic.Properties, CharacteristicPropertyName], ...] = (
    (gatt.Characteristic.Properties.READ, "read"),
    (gatt.Characteristic.Properties.WRITE_WITHOUT_RESPONSE, "write-without-response"),
    (gatt.Characteristic.Properties.WRITE, "write"),
    (gatt.Characteristic.Properties.NOTIFY, "notify"),
    (gatt.Characteristic.Properties.INDICATE, "indicate"),
)

_HOST_MTU = 517
"""What BlueZ asks for."""


def backends(air: Air) -> tuple[type[BaseBleakScanner], type[BaseBleakClient]]:
    """The scanner and client classes for `air`, to hand to bleak as `backend=`."""
    scanner = type("VirtualAirScanner", (AirScanner,), {"air": air})
    client = type("VirtualAirClient", (AirClient,), {"air": air})
    return scanner, client


def _check_radio(air: Air) -> None:
    if not air.radio_on:
        raise BleakBluetoothNotAvailableError("the virtual radio is off", BleakBluetoothNotAvailableReason.POWERED_OFF)


def _uuid(uuid: core.UUID) -> str:
    return normalize_uuid_str(uuid.to_hex_str("-"))


class AirScanner(BaseBleakScanner):
    """Scans the virtual air with a central of its own."""

    air: ClassVar[Air]

    def __init__(
        self, detection_callback: AdvertisementDataCallback | None, service_uuids: list[str] | None, scanning_mode: str, **_: Any
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._active = scanning_mode == "active"
        self._central: tuple[AirController, device.Device] | None = None

    async def start(self) -> None:
        _check_radio(self.air)
        self.seen_devices = {}
        controller, central = device_on(self.air.link, "scanner", random_static())
        self._central = controller, central
        await central.power_on()
        central.on(central.EVENT_ADVERTISEMENT, self._heard)
        await central.start_scanning(active=self._active)

    async def stop(self) -> None:
        if self._central is not None:
            (controller, central), self._central = self._central, None
            self.air.take_off(controller)
            await central.stop_scanning()
            await central.power_off()

    def _heard(self, advertisement: device.Advertisement) -> None:
        data = advertisement.data
        short = data.get_all(core.AdvertisingData.Type.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS)
        long = data.get_all(core.AdvertisingData.Type.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS)
        uuids = list(dict.fromkeys(_uuid(uuid) for listed in [*short, *long] for uuid in listed))
        if self._central is None or not self.is_allowed_uuid(uuids):
            return
        name = data.get(core.AdvertisingData.Type.COMPLETE_LOCAL_NAME)
        address = advertisement.address.to_string(with_type_qualifier=False)
        heard = AdvertisementData(
            local_name=str(name) if name is not None else None,
            manufacturer_data=dict(data.get_all(core.AdvertisingData.Type.MANUFACTURER_SPECIFIC_DATA)),
            service_data={},
            service_uuids=uuids,
            tx_power=None,
            rssi=advertisement.rssi,
            platform_data=(),
        )
        found = self.create_or_update_device(address, address, heard.local_name, advertisement.address, heard)
        self.call_detection_callbacks(found, heard)


class _Comparing(PairingDelegate):
    """A host with a screen and somebody to say yes."""

    def __init__(self, compare: Compare) -> None:
        super().__init__(PairingDelegate.DISPLAY_OUTPUT_AND_YES_NO_INPUT)
        self._compare = compare

    async def compare_numbers(self, number: int, digits: int) -> bool:
        return await self._compare(f"{number:0{digits}}")


def _noted(task: asyncio.Future[Any]) -> None:
    """How a request ended that perhaps nobody waits for any more."""
    if not task.cancelled():
        task.exception()


def _call_off(task: asyncio.Future[Any]) -> None:
    """Until it ends: `asyncio.wait_for`, which Bumble waits with, takes no notice on Python 3.11 when its answer is just there."""
    if not task.done():
        task.cancel()
        asyncio.get_running_loop().call_soon(_call_off, task)


class AirClient(BaseBleakClient):
    """One link over the virtual air, from a central of its own."""

    air: ClassVar[Air]

    def __init__(self, address_or_ble_device: BLEDevice | str, **kwargs: Any) -> None:
        super().__init__(
            address_or_ble_device, disconnected_callback=kwargs["disconnected_callback"], timeout=float(kwargs.get("timeout", 30.0))
        )
        self._controller: AirController | None = None
        self._connection: device.Connection | None = None
        self._client: gatt_client.Client | None = None
        self._gone: asyncio.Future[None] | None = None
        self._subscriptions: dict[int, Callable[[bytes], None]] = {}

    @property
    def name(self) -> str:
        return self.address

    @property
    def mtu_size(self) -> int:
        return self._connection.att_mtu if self._connection is not None else att.ATT_DEFAULT_MTU

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    # -- the link -------------------------------------------------------------------------------------------------------------------

    async def connect(self, pair: bool, **kwargs: Any) -> None:
        _check_radio(self.air)
        if not self.air.hears(self.address):
            raise BleakDeviceNotFoundError(self.address, f"device {self.address} is not on the air")
        own, bonds = self.air.face_for(self.address)
        controller, central = device_on(self.air.link, "central", own)
        central.keystore = bonds
        self._controller = controller
        self._gone = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._timeout):
                await central.power_on()
                peer = hci.Address(self.address, hci.Address.RANDOM_DEVICE_ADDRESS)
                connection = await central.connect_le(peer, timeout=None)
                connection.on(connection.EVENT_DISCONNECTION, lambda _reason: self._disconnected())
                self._connection, self._client = connection, connection.gatt_client
                for _, keys in await bonds.get_all():
                    # Under whichever address the device told as its identity when it was paired.
                    await bonds.update(str(connection.peer_address), keys)
                    await self._encrypt(connection)
                await self._ask(self._client.request_mtu(_HOST_MTU))
                if pair:
                    await self.pair()
                self.services = await self._discover(self._client)
        except BaseException:
            await self._tear_down()
            raise

    async def disconnect(self) -> None:
        await self._tear_down()

    async def pair(self, *args: Any, **kwargs: Any) -> None:
        if self._connection is None:
            raise BleakError("Not connected")
        if self._connection.is_encrypted:
            return  # with the key of a bond; bleak's BlueZ back end does nothing either for a device that is paired
        compare: Compare | None = kwargs.get("compare")
        if compare is not None:
            config = PairingConfig(sc=True, mitm=True, bonding=True, delegate=_Comparing(compare))
            self._connection.device.pairing_config_factory = lambda _: config
        await self._ask(self._connection.pair())

    async def unpair(self) -> None:
        self.air.forget_bond(self.address)

    async def _encrypt(self, connection: device.Connection) -> None:
        """With the key of the bond, as systems do by themselves; if the device has lost its key, the link stays open and in the clear."""
        try:
            await self._ask(connection.encrypt())
        except (BleakError, hci.HCI_Error):
            pass  # what needs the key will be refused

    async def _tear_down(self) -> None:
        connection = self._connection
        if connection is not None:
            try:
                await connection.disconnect()
            except (core.BaseBumbleError, hci.HCI_Error):
                pass  # the other side was quicker
        self._disconnected()

    def _disconnected(self) -> None:
        was_connected, self._connection = self._connection is not None, None
        self._subscriptions.clear()
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)
        if self._controller is not None:
            self.air.take_off(self._controller)
            self._controller = None
        if was_connected and self.services is not None and self._disconnected_callback is not None:
            self._disconnected_callback()

    async def _ask(self, request: Coroutine[Any, Any, T]) -> T:
        """Await `request`, or fail at once as bleak would when the link goes: Bumble cancels it, or leaves it waiting for half a minute."""
        gone = self._gone
        if gone is None or self._connection is None:
            request.close()
            raise BleakError("Not connected")
        task = asyncio.ensure_future(request)
        try:
            either: set[asyncio.Future[Any]] = {task, gone}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not task.done() or task.cancelled():
                raise BleakError("disconnected")
            return task.result()
        except att.ATT_Error as error:
            raise BleakGATTProtocolError(error.error_code) from error
        except core.BaseBumbleError as error:
            raise BleakError(str(error)) from error
        finally:
            if not task.done():
                # Called off, it goes on for as long as the link does: were it cancelled in the turn of the loop in which its answer comes,
                # Bumble would raise InvalidStateError, and the other side answers it anyway.
                task.add_done_callback(_noted)
                gone.add_done_callback(lambda _: _call_off(task))

    # -- attributes -----------------------------------------------------------------------------------------------------------------

    async def _discover(self, client: gatt_client.Client) -> BleakGATTServiceCollection:
        found = BleakGATTServiceCollection()
        for service in await self._ask(client.discover_services()):
            own = BleakGATTService(service, service.handle, _uuid(service.uuid))
            found.add_service(own)
            for characteristic in await self._ask(client.discover_characteristics((), service)):
                properties = [name for flag, name in _PROPERTIES if characteristic.properties & flag]
                made = BleakGATTCharacteristic(
                    characteristic, characteristic.handle, _uuid(characteristic.uuid), properties, self._room, own
                )
                found.add_characteristic(made)
                for descriptor in await self._ask(client.discover_descriptors(characteristic)):
                    found.add_descriptor(BleakGATTDescriptor(descriptor, descriptor.handle, _uuid(descriptor.type), made))
        return found

    def _room(self) -> int:
        return self.mtu_size - 3

    def _asked(self) -> gatt_client.Client:
        if self._client is None or self._connection is None:
            raise BleakError("Not connected")
        return self._client

    async def read_gatt_char(self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **kwargs: Any) -> bytearray:
        return bytearray(await self._ask(self._asked().read_value(characteristic.obj)))

    async def read_gatt_descriptor(self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **kwargs: Any) -> bytearray:
        return bytearray(await self._ask(self._asked().read_value(descriptor.obj)))

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool) -> None:
        await self._ask(self._asked().write_value(characteristic.obj, bytes(data), with_response=response))

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        await self._ask(self._asked().write_value(descriptor.obj, bytes(data), with_response=True))

    async def start_notify(self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **kwargs: Any) -> None:
        def arrived(value: bytes) -> None:
            # Bumble keeps the callback of a subscription that was refused, and would call it beside that of the next attempt.
            if self._connection is not None and self._subscriptions.get(characteristic.handle) is arrived:
                callback(bytearray(value))

        self._subscriptions[characteristic.handle] = arrived
        await self._ask(self._asked().subscribe(characteristic.obj, arrived))

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        arrived = self._subscriptions.pop(characteristic.handle, None)
        await self._ask(self._asked().unsubscribe(characteristic.obj, arrived))
