"""What bleak, and the systems under it, can raise, said plainly: each as one of `ble.errors` with a sentence, a reason and an action.

The reasons carry no text from the system, because that text holds addresses and object paths.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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

from ble.errors import GlassesError, LinkLost, NotFound, NotGlasses, PairingNeeded, ProtocolFault, RadioOff, RadioUnavailable

Reason = BleakBluetoothNotAvailableReason
Code = BleakGATTProtocolErrorCode

_RADIO: dict[Reason, tuple[type[RadioUnavailable], str, str]] = {
    Reason.NO_BLUETOOTH: (RadioOff, "No Bluetooth adapter was found.", "Plug in a Bluetooth adapter, or start the Bluetooth service."),
    Reason.NO_BLE_CENTRAL_ROLE: (
        RadioUnavailable,
        "This Bluetooth adapter is too old to talk to glasses.",
        "Use an adapter with Bluetooth 4.0 or newer.",
    ),
    Reason.POWERED_OFF: (RadioOff, "Bluetooth is switched off.", "Switch Bluetooth on."),
    Reason.DENIED_BY_USER: (
        RadioUnavailable,
        "Eyelid was not given permission to use Bluetooth.",
        "Allow Bluetooth for Eyelid in the system's privacy settings.",
    ),
    Reason.DENIED_BY_SYSTEM: (
        RadioUnavailable,
        "The system does not let Eyelid use Bluetooth.",
        "Ask whoever looks after this computer to allow Bluetooth.",
    ),
    Reason.DENIED_BY_UNKNOWN: (
        RadioUnavailable,
        "The system refused Bluetooth to Eyelid.",
        "Look for Bluetooth in the system's privacy settings.",
    ),
    Reason.UNKNOWN: (RadioOff, "Bluetooth can't be used right now.", "Switch Bluetooth off and on again."),
}

_OFF = (RadioOff, "Bluetooth can't be reached.", "Check that Bluetooth is switched on and its service is running.")
_DENIED = (RadioUnavailable, "The system refused Bluetooth to Eyelid.", "Check that your account may use Bluetooth.")
_PAIR = (PairingNeeded, "The glasses want to be paired first.", "Remove the glasses in the system's Bluetooth settings, then pair again.")
_GONE = (NotFound, "The glasses were not found.", "Wake the glasses and bring them closer.")
_LOST = (LinkLost, "The link to the glasses was lost.", "Bring the glasses closer.")
_BUSY = (LinkLost, "Bluetooth is busy.", "Wait a moment.")
_ODD = (ProtocolFault, "The glasses refused a request.", "Switch the glasses off and on again.")

# D-Bus error names: bluez/bluez `doc/org.bluez.Device.rst`, `doc/org.bluez.Adapter.rst`, and the D-Bus specification.
_DBUS: dict[str, tuple[type[GlassesError], str, str]] = {
    "org.bluez.Error.NotReady": _OFF,
    "org.bluez.Error.NotAvailable": _OFF,
    "org.freedesktop.DBus.Error.ServiceUnknown": _OFF,
    "org.freedesktop.DBus.Error.NameHasNoOwner": _OFF,
    "org.freedesktop.DBus.Error.Disconnected": _OFF,
    "org.freedesktop.DBus.Error.AccessDenied": _DENIED,
    "org.bluez.Error.AuthenticationFailed": _PAIR,
    "org.bluez.Error.AuthenticationCanceled": _PAIR,
    "org.bluez.Error.AuthenticationRejected": _PAIR,
    "org.bluez.Error.AuthenticationTimeout": _PAIR,
    "org.bluez.Error.NotAuthorized": _PAIR,
    "org.bluez.Error.DoesNotExist": _GONE,
    "org.freedesktop.DBus.Error.UnknownObject": _GONE,
    "org.freedesktop.DBus.Error.UnknownMethod": _GONE,
    "org.bluez.Error.InProgress": _BUSY,
    "org.bluez.Error.AlreadyConnected": _BUSY,
    "org.bluez.Error.NotPermitted": _ODD,
    "org.bluez.Error.NotSupported": _ODD,
    "org.bluez.Error.InvalidValueLength": _ODD,
    "org.bluez.Error.InvalidArguments": _ODD,
}

_SECURITY = frozenset(
    {
        Code.INSUFFICIENT_AUTHENTICATION,
        Code.INSUFFICIENT_AUTHORIZATION,
        Code.INSUFFICIENT_ENCRYPTION,
        Code.INSUFFICIENT_ENCRYPTION_KEY_SIZE,
    }
)


def explained(error: Exception, *, scanning: bool = False) -> GlassesError:
    """The `GlassesError` for anything bleak may raise; one that is such an error already stays as it is.

    `scanning`: no glasses are concerned yet, so that it is always one of the radio, RadioUnavailable.
    """
    if isinstance(error, GlassesError):
        return error
    if isinstance(error, BleakBluetoothNotAvailableError):
        kind, what, action = _RADIO.get(error.reason, _RADIO[Reason.UNKNOWN])
        return kind(what, "", action)
    if isinstance(error, BleakDBusError):
        return _of_dbus(error, scanning)
    if isinstance(error, BleakGATTProtocolError):
        return _of_gatt(error)
    return _unusable(error) if scanning else _of_the_rest(error)


def _of_dbus(error: BleakDBusError, scanning: bool) -> GlassesError:
    kind, what, action = found = _DBUS.get(error.dbus_error, _LOST)
    if scanning and not issubclass(kind, RadioUnavailable):
        kind, (_, what, action) = RadioOff, _BUSY if found is _BUSY else _OFF
    # The name is one of a fixed set or an identifier of BlueZ's making; the details, which hold paths, stay out.
    return kind(what, f"The Bluetooth service said {error.dbus_error.rsplit('.', 1)[-1]}.", action)


def _of_gatt(error: BleakGATTProtocolError) -> GlassesError:
    kind, what, action = _PAIR if error.code in _SECURITY else _ODD
    return kind(what, f"They answered with error 0x{int(error.code):02X}.", action)


def _of_the_rest(error: Exception) -> GlassesError:
    if isinstance(error, BleakDeviceNotFoundError):
        return NotFound(_GONE[1], "They are out of range, asleep, or connected to something else.", _GONE[2])
    if isinstance(error, BleakCharacteristicNotFoundError):
        return NotGlasses(
            "These glasses lack something they should have.", "A part of their protocol is missing.", "Update their firmware."
        )
    if isinstance(error, TimeoutError):
        return LinkLost("The glasses did not answer in time.", "They may be out of range or switched off.", _LOST[2])
    if isinstance(error, BleakError):
        return _LOST[0](_LOST[1], "The system gave no further reason.", _LOST[2])
    if isinstance(error, FileNotFoundError | ConnectionRefusedError):  # the system bus, where BlueZ is to be asked, is not there
        return _OFF[0](_OFF[1], "No Bluetooth service is running on this computer.", _OFF[2])
    return _unusable(error)


def _unusable(error: Exception) -> RadioOff:
    return RadioOff(_OFF[1], f"The system answered with {type(error).__name__}.", _OFF[2])


@contextmanager
def plainly(*, scanning: bool = False) -> Iterator[None]:
    """Turn whatever bleak raises inside into a `GlassesError`; faults of our own making (TypeError and the like) pass.

    ValueError and LookupError: what dbus-fast makes of an odd bus, and what bleak's back ends let slip when a device vanishes under them.
    """
    try:
        yield
    except (BleakError, TimeoutError, OSError, EOFError, ValueError, LookupError) as error:
        raise explained(error, scanning=scanning) from error
