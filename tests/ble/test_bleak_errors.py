"""Every error of bleak and of the systems said plainly. And that bleak still is what the adapter is built on."""

from __future__ import annotations

import inspect

import bleak
import pytest
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTServiceCollection
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakCharacteristicNotFoundError,
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)

from ble.bleak_errors import explained, plainly
from ble.bleak_port import BleakAirwaves
from ble.drivers import standard
from ble.errors import GlassesError, LinkLost, NotFound, NotGlasses, PairingNeeded, ProtocolFault, RadioOff, RadioUnavailable
from ble.sim.bleak_backend import backends

ADDRESS = "AA:BB:CC:DD:EE:FF"

Reason, Code = BleakBluetoothNotAvailableReason, BleakGATTProtocolErrorCode
ERRORS: list[tuple[Exception, type[GlassesError]]] = [
    *((BleakBluetoothNotAvailableError("x", reason), RadioOff) for reason in (Reason.NO_BLUETOOTH, Reason.POWERED_OFF, Reason.UNKNOWN)),
    *(
        (BleakBluetoothNotAvailableError("x", reason), RadioUnavailable)
        for reason in (Reason.NO_BLE_CENTRAL_ROLE, Reason.DENIED_BY_SYSTEM, Reason.DENIED_BY_UNKNOWN, Reason.DENIED_BY_USER)
    ),
    (BleakDeviceNotFoundError(ADDRESS, f"Device {ADDRESS} was not found."), NotFound),
    (BleakCharacteristicNotFoundError(standard.MODEL), NotGlasses),
    (BleakDBusError("org.bluez.Error.NotReady", [f"/org/bluez/hci0/dev_{ADDRESS}"]), RadioOff),
    (BleakDBusError("org.freedesktop.DBus.Error.ServiceUnknown", []), RadioOff),
    (BleakDBusError("org.freedesktop.DBus.Error.AccessDenied", []), RadioUnavailable),
    (BleakDBusError("org.bluez.Error.AuthenticationFailed", []), PairingNeeded),
    (BleakDBusError("org.bluez.Error.InProgress", []), LinkLost),
    (BleakDBusError("org.bluez.Error.Failed", ["le-connection-abort-by-local"]), LinkLost),
    (BleakDBusError("org.freedesktop.DBus.Error.UnknownObject", []), NotFound),
    (BleakDBusError("org.bluez.Error.NotSupported", []), ProtocolFault),
    (BleakGATTProtocolError(Code.INSUFFICIENT_ENCRYPTION), PairingNeeded),
    (BleakGATTProtocolError(Code.UNLIKELY_ERROR), ProtocolFault),
    (BleakGATTProtocolError(0x99), ProtocolFault),
    (TimeoutError(), LinkLost),
    (BleakError(f"{ADDRESS} disconnected"), LinkLost),
    (FileNotFoundError(2, "no such file", "/run/dbus/system_bus_socket"), RadioOff),
    (EOFError(), RadioOff),
    (KeyError(f"/org/bluez/hci0/dev_{ADDRESS}"), RadioOff),
    (ProtocolFault("as it was", "so it was", "do it"), ProtocolFault),
]


OF_SCANS = [(error, kind) for error, kind in ERRORS if not isinstance(error, BleakGATTProtocolError | GlassesError)]


@pytest.mark.parametrize(("error", "kind"), OF_SCANS, ids=lambda value: getattr(value, "__name__", repr(value)))
def test_what_goes_wrong_while_scanning_is_the_radio(error: Exception, kind: type[GlassesError]) -> None:
    """What vanishes then is the adapter, and what does not answer is no pair of glasses."""
    said = explained(error, scanning=True)
    assert type(said) is (kind if issubclass(kind, RadioUnavailable) else RadioOff)
    assert "he glasses" not in str(said)
    assert said.action


@pytest.mark.parametrize(("error", "kind"), ERRORS, ids=lambda value: getattr(value, "__name__", repr(value)))
def test_errors_are_said_plainly(error: Exception, kind: type[GlassesError]) -> None:
    said = explained(error)
    assert type(said) is kind
    assert said.what.endswith((".", "was"))
    assert said.action
    assert ADDRESS not in str(said)
    assert "/" not in str(said)


def test_every_reason_of_bleak_has_its_words() -> None:
    assert len({explained(BleakBluetoothNotAvailableError("x", reason)).what for reason in Reason}) == len(Reason)


def test_our_own_mistakes_are_not_blamed_on_the_radio() -> None:
    with pytest.raises(TypeError), plainly():
        raise TypeError("ours")


class TestBleakIsStillWhatItWas:
    """The parts of bleak that the adapter and the virtual air are built on. A new bleak that fails here needs a look, not a release."""

    def test_constructors(self) -> None:
        assert "backend" in inspect.signature(bleak.BleakScanner.__init__).parameters
        client = inspect.signature(bleak.BleakClient.__init__).parameters
        assert {"address_or_ble_device", "disconnected_callback", "timeout", "backend"} <= set(client)
        assert list(inspect.signature(BaseBleakScanner.__init__).parameters) == ["self", "detection_callback", "service_uuids"]
        base = inspect.signature(BaseBleakClient.__init__).parameters
        assert base["disconnected_callback"].kind is inspect.Parameter.KEYWORD_ONLY
        assert list(inspect.signature(BLEDevice.__init__).parameters)[1:4] == ["address", "name", "details"]

    def test_what_a_back_end_must_do(self) -> None:
        scanner, client = backends(object())  # type: ignore[arg-type]
        assert BaseBleakScanner.__abstractmethods__ == {"start", "stop"}
        assert BaseBleakClient.__abstractmethods__ == {
            "mtu_size",
            "connect",
            "disconnect",
            "pair",
            "unpair",
            "is_connected",
            "read_gatt_char",
            "read_gatt_descriptor",
            "write_gatt_char",
            "write_gatt_descriptor",
            "start_notify",
            "stop_notify",
        }
        assert not inspect.isabstract(scanner)
        assert not inspect.isabstract(client)

    def test_parts(self) -> None:
        for name in ("is_allowed_uuid", "create_or_update_device", "call_detection_callbacks", "register_detection_callback"):
            assert callable(getattr(BaseBleakScanner, name))
        for name in ("add_service", "add_characteristic", "add_descriptor", "characteristics", "descriptors"):
            assert hasattr(BleakGATTServiceCollection, name)
        assert isinstance(BleakGATTCharacteristic.max_write_without_response_size, property)
        assert {"local_name", "service_uuids", "manufacturer_data", "rssi"} <= set(AdvertisementData._fields)

    def test_plain_callbacks_are_called_directly(self) -> None:
        """In order, and not in a task for each; see `BleakGattPort.subscribe`."""
        source = inspect.getsource(bleak.BleakClient.start_notify)
        assert "iscoroutinefunction" in source
        assert "functools.partial(callback, characteristic)" in source

    def test_airwaves_need_no_radio_to_be_made(self) -> None:
        assert BleakAirwaves().port(ADDRESS).address == ADDRESS
