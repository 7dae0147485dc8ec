"""The drivers, one a protocol, and how to find the one that fits."""

from __future__ import annotations

from ble.drivers import brilliant_profile, omi_profile, open_profile_wire
from ble.drivers.brilliant import BrilliantDriver
from ble.drivers.omi import OmiDriver
from ble.drivers.open_profile import OpenDriver
from ble.glasses import Driver
from ble.types import Advertisement

DRIVERS: tuple[Driver, ...] = (OmiDriver(), BrilliantDriver(), OpenDriver())

_FAMILIES: dict[str, Driver] = {
    omi_profile.FAMILY_OMI: DRIVERS[0],
    omi_profile.FAMILY_OPENGLASS: DRIVERS[0],
    brilliant_profile.FAMILY_FRAME: DRIVERS[1],
    brilliant_profile.FAMILY_HALO: DRIVERS[1],
    open_profile_wire.FAMILY: DRIVERS[2],
}

_BY_NAME: tuple[tuple[Driver, str, str], ...] = (
    (DRIVERS[0], "openglass", omi_profile.FAMILY_OPENGLASS),
    (DRIVERS[1], "halo", brilliant_profile.FAMILY_HALO),
)
"""Families that share a driver with another, and how their names begin."""


def service_uuids() -> frozenset[str]:
    """What the glasses of all families advertise; the filter for a scan."""
    return frozenset().union(*(driver.service_uuids for driver in DRIVERS))


def driver_for(advertisement: Advertisement) -> Driver | None:
    """The driver that recognises what was heard, if any."""
    return next((driver for driver in DRIVERS if driver.recognises(advertisement)), None)


def driver_named(family: str) -> Driver | None:
    """The driver for a family id ("omi-glass", "halo"), if there is one."""
    return _FAMILIES.get(family)


def family_hint(advertisement: Advertisement) -> str:
    """The family these glasses seem to be of, from their name; "" if no driver knows them.

    A hint only: names are anybody's to choose. Once connected, `Capabilities.family` tells.
    """
    driver = driver_for(advertisement)
    if driver is None:
        return ""
    name = advertisement.name.casefold()
    return next((family for its, begins, family in _BY_NAME if its is driver and name.startswith(begins)), driver.family)
