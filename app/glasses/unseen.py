"""Why a pair of glasses is not seen: what is remembered of it and what a search heard, put before `ble.unseen`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from app.errors import Explanation
from app.glasses.types import FoundGlasses, GlassesView
from ble.drivers import driver_named
from ble.glasses import awaits_firmware
from ble.unseen import Facts, why_unseen

MOST_COUNTED = 256
"""So many devices are told apart; more say nothing more."""


@dataclass(slots=True)
class Census:
    """Which devices, of whatever kind, a scan heard with this computer's own radio. Filled in by the scan; to be read when it has ended."""

    listened: bool = False
    addresses: set[str] = field(default_factory=set)

    def hear(self, address: str) -> None:
        if len(self.addresses) < MOST_COUNTED:
            self.addresses.add(address)

    @property
    def devices(self) -> int | None:
        """How many; None where nobody could listen, which is not the same as hearing none."""
        return len(self.addresses) if self.listened else None


def explain_unseen(
    view: GlassesView | None, *, seconds: float, census: Census, held_here: bool, others: Iterable[FoundGlasses] = ()
) -> Explanation:
    """For a search of `seconds` that did not find the pair of `view` (None: no known one). `others`: the glasses that it did hear."""
    facts = Facts(seconds, datetime.now(UTC), devices_heard=census.devices, held_here=held_here)
    if view is not None:
        awaiting = _awaiting_firmware(others, view.known.family)
        facts = replace(
            facts,
            simulated=view.known.simulated,
            others_heard=awaiting.count(False),
            awaiting_firmware=any(awaiting),
            last_seen=view.known.last_seen,
            last_battery=view.status.battery,
        )
    return Explanation(*why_unseen(facts))


def _awaiting_firmware(others: Iterable[FoundGlasses], family: str) -> list[bool]:
    """Of each pair of the kind of `family`, whether it waits for new firmware."""
    driver = driver_named(family)
    return [awaits_firmware(driver, found.name) for found in others if driver is not None and driver_named(found.family) is driver]
