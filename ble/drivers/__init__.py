"""The drivers, one a protocol, and how to find the one that fits."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ble.drivers import brilliant_profile, heycyan_wire, mentra_profile, omi_profile, open_profile_wire
from ble.drivers.brilliant import BrilliantDriver
from ble.drivers.heycyan import HeycyanDriver
from ble.drivers.mentra import MentraDriver
from ble.drivers.omi import OmiDriver
from ble.drivers.open_profile import OpenDriver
from ble.glasses import Driver
from ble.http_port import HttpPort
from ble.types import Advertisement, PairingAdvert

_OMI, _BRILLIANT, _OPEN, _MENTRA, _HEYCYAN = OmiDriver(), BrilliantDriver(), OpenDriver(), MentraDriver(), HeycyanDriver()

DRIVERS: tuple[Driver, ...] = (_OMI, _BRILLIANT, _OPEN, _MENTRA, _HEYCYAN)

_FAMILIES: Mapping[str, Driver] = MappingProxyType(
    {
        omi_profile.FAMILY_OMI: _OMI,
        omi_profile.FAMILY_OPENGLASS: _OMI,
        brilliant_profile.FAMILY_FRAME: _BRILLIANT,
        brilliant_profile.FAMILY_HALO: _BRILLIANT,
        open_profile_wire.FAMILY: _OPEN,
        mentra_profile.FAMILY: _MENTRA,
        heycyan_wire.FAMILY: _HEYCYAN,
    }
)

_BY_NAME: tuple[tuple[Driver, str, str], ...] = (
    (_OMI, "openglass", omi_profile.FAMILY_OPENGLASS),
    (_BRILLIANT, "halo", brilliant_profile.FAMILY_HALO),
)
"""Families that share a driver with another, and how their names begin."""


def service_uuids() -> frozenset[str]:
    """What the glasses of all families advertise, where their firmware does; a narrower scan than that for all devices."""
    return frozenset().union(*(driver.service_uuids for driver in DRIVERS))


def families() -> tuple[str, ...]:
    """The id of each family of glasses that there is a driver for, and a twin in `ble.sim`."""
    return tuple(_FAMILIES)


def driver_for(advertisement: Advertisement) -> Driver | None:
    """The driver that recognises what was heard, if any."""
    return next((driver for driver in DRIVERS if driver.recognises(advertisement)), None)


def driver_named(family: str) -> Driver | None:
    """The driver for a family id ("omi-glass", "halo"), if there is one."""
    return _FAMILIES.get(family)


def wifi_driver(family: str, http: HttpPort, *, simulated: bool) -> Driver | None:
    """A driver with `http` as its way to the glasses' Wi-Fi; None for families that have no Wi-Fi.

    The drivers of `DRIVERS` have no such way. A driver for `simulated` glasses fetches from this computer only, any other never from it.
    """
    if family == mentra_profile.FAMILY:
        return MentraDriver(http, simulated=simulated)
    if family == heycyan_wire.FAMILY:
        return HeycyanDriver(http, simulated=simulated)
    return None


def pairing_advert(advertisement: Advertisement) -> PairingAdvert:
    """What glasses say about pairing before anybody connects; only Mentra Live says anything."""
    if driver_for(advertisement) is not _MENTRA:
        return PairingAdvert()
    return mentra_profile.pairing_advert(advertisement.manufacturer_data)


def family_hint(advertisement: Advertisement) -> str:
    """The family these glasses seem to be of, from their name; "" if no driver knows them.

    A hint only: names are anybody's to choose. Once connected, `Capabilities.family` tells.
    """
    driver = driver_for(advertisement)
    if driver is None:
        return ""
    name = advertisement.name.casefold()
    return next((family for its, begins, family in _BY_NAME if its is driver and name.startswith(begins)), driver.family)
