"""Which glasses can be simulated."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ble.drivers.brilliant_profile import FAMILY_FRAME, FAMILY_HALO
from ble.drivers.heycyan_wire import FAMILY as FAMILY_HEYCYAN
from ble.drivers.mentra_profile import FAMILY as FAMILY_MENTRA
from ble.drivers.mentra_profile import LARGEST_MTU
from ble.drivers.omi_profile import FAMILY_OMI, FAMILY_OPENGLASS
from ble.drivers.open_profile_wire import FAMILY as FAMILY_OPEN
from ble.sim.brilliant import SimulatedFrame, SimulatedHalo
from ble.sim.faults import NO_FAULTS, REAL_PACE, Faults, Pace
from ble.sim.heycyan import HeycyanFaults, SimulatedHeycyan
from ble.sim.loopback_http import Listen, own_port
from ble.sim.mentra import SimulatedMentra
from ble.sim.mentra_faults import MentraFaults
from ble.sim.omi import SimulatedNecklace, SimulatedOmi, SimulatedOpenGlass
from ble.sim.open_profile import SimulatedOpenGlasses
from ble.sim.open_profile_stream import OpenFaults
from ble.sim.peripheral import SimulatedPeripheral

FAMILIES: tuple[tuple[str, str], ...] = (
    (FAMILY_OMI, "Omi Glass"),
    (FAMILY_OPENGLASS, "OpenGlass"),
    (FAMILY_FRAME, "Frame"),
    (FAMILY_HALO, "Halo"),
    (FAMILY_OPEN, "Open Glasses"),
    (FAMILY_MENTRA, "Mentra Live"),
    (FAMILY_HEYCYAN, "HeyCyan"),
)
"""Id and label of each family of glasses that can be simulated."""

NECKLACE = "omi-necklace"
"""No glasses, and so not in `FAMILIES`: for trying what happens when the wrong device is chosen."""


def make(
    family: str,
    pictures: Sequence[bytes],
    *,
    faults: Faults = NO_FAULTS,
    pace: Pace = REAL_PACE,
    on_event: Callable[[str], None] | None = None,
    listen: Listen = own_port,
) -> SimulatedPeripheral:
    """Simulated glasses of `family` in `FAMILIES`, or the `NECKLACE`; raises ValueError for any other.

    `faults` are those of the Omi families; others have their own, given to their own classes. `listen` opens the port that stands for
    the Wi-Fi of those who have it.
    """
    if family == FAMILY_OMI:
        return SimulatedOmi(pictures, faults=faults, pace=pace, on_event=on_event)
    if family == FAMILY_OPENGLASS:
        return SimulatedOpenGlass(pictures, faults=faults, pace=pace, on_event=on_event)
    if family == FAMILY_FRAME:
        return SimulatedFrame(pictures, pace=pace, on_event=on_event)
    if family == FAMILY_HALO:
        return SimulatedHalo(pictures, pace=pace, on_event=on_event)
    if family == FAMILY_OPEN:
        return SimulatedOpenGlasses(pictures, faults=OpenFaults(mtu=faults.mtu), pace=pace, on_event=on_event)
    if family == FAMILY_MENTRA:
        return SimulatedMentra(pictures, faults=MentraFaults(mtu=min(faults.mtu, LARGEST_MTU)), pace=pace, on_event=on_event, listen=listen)
    if family == FAMILY_HEYCYAN:
        return SimulatedHeycyan(pictures, faults=HeycyanFaults(mtu=min(faults.mtu, 247)), pace=pace, on_event=on_event, listen=listen)
    if family == NECKLACE:
        return SimulatedNecklace(pace=pace, on_event=on_event)
    raise ValueError(f"no simulated glasses of the family {family!r}")
