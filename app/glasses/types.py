"""Plain data about known and found glasses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.errors import Explanation
from ble.types import Capabilities, DeviceInfo, GlassesStatus, LinkState


@dataclass(frozen=True, slots=True)
class KnownGlasses:
    """A pair that was paired (enrolled). `address` is the identity; `continuous` is what the wearer chose for capture at intervals.

    `release`: the wearer wants captures removed from the glasses once they are safe in the vault. `turn`: degrees clockwise (0, 90, 180,
    270) that set their photos upright, where the wearer knows better than the glasses; None: as the glasses say.
    `last_seen`: when they were last heard or linked; while they are not, what is known of their state is that old.
    """

    address: str
    family: str
    name: str
    enrolled_at: datetime
    simulated: bool = False
    continuous: bool = False
    release: bool = False
    last_seen: datetime | None = None
    turn: int | None = None


@dataclass(frozen=True, slots=True)
class FoundGlasses:
    """Glasses heard in a scan. `rssi` in dBm; `known` when their address is enrolled.

    `pairable`: False where they say that they take no new computer now. `code`: what they speak while they pair, to be compared; "" for
    those that speak none.
    """

    address: str
    family: str
    name: str
    rssi: int
    known: bool
    simulated: bool
    pairable: bool = True
    code: str = ""


@dataclass(frozen=True, slots=True)
class GlassesView:
    """All that a screen shows of one known pair. `trouble` says why they are not ready and what to do; `retry_at` is UTC."""

    known: KnownGlasses
    state: LinkState
    status: GlassesStatus
    info: DeviceInfo | None
    capabilities: Capabilities | None
    trouble: Explanation | None = None
    retry_at: datetime | None = None
