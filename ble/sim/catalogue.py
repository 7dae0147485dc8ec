"""Which glasses can be simulated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

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


@dataclass(frozen=True, slots=True)
class _Wish:
    """How the simulated glasses are to be; see `make`."""

    faults: Faults
    pace: Pace
    on_event: Callable[[str], None] | None
    listen: Listen


_TWINS: Mapping[str, Callable[[Sequence[bytes], _Wish], SimulatedPeripheral]] = MappingProxyType(
    {
        FAMILY_OMI: lambda seen, wish: SimulatedOmi(seen, faults=wish.faults, pace=wish.pace, on_event=wish.on_event),
        FAMILY_OPENGLASS: lambda seen, wish: SimulatedOpenGlass(seen, faults=wish.faults, pace=wish.pace, on_event=wish.on_event),
        FAMILY_FRAME: lambda seen, wish: SimulatedFrame(seen, pace=wish.pace, on_event=wish.on_event),
        FAMILY_HALO: lambda seen, wish: SimulatedHalo(seen, pace=wish.pace, on_event=wish.on_event),
        FAMILY_OPEN: lambda seen, wish: SimulatedOpenGlasses(
            seen, faults=OpenFaults(mtu=wish.faults.mtu), pace=wish.pace, on_event=wish.on_event
        ),
        FAMILY_MENTRA: lambda seen, wish: SimulatedMentra(
            seen,
            faults=MentraFaults(mtu=min(wish.faults.mtu, LARGEST_MTU)),
            pace=wish.pace,
            on_event=wish.on_event,
            listen=wish.listen,
        ),
        FAMILY_HEYCYAN: lambda seen, wish: SimulatedHeycyan(
            seen, faults=HeycyanFaults(mtu=min(wish.faults.mtu, 247)), pace=wish.pace, on_event=wish.on_event, listen=wish.listen
        ),
        NECKLACE: lambda _, wish: SimulatedNecklace(pace=wish.pace, on_event=wish.on_event),
    }
)
"""How each is made, from the pictures it sees."""


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
    if family not in _TWINS:
        raise ValueError(f"no simulated glasses of the family {family!r}")
    return _TWINS[family](pictures, _Wish(faults, pace, on_event, listen))
