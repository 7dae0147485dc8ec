"""Simulated Frame and Halo, opened by their driver, and what was written to them."""

from __future__ import annotations

from typing import Any

import pytest

from ble.drivers import brilliant_profile as profile
from ble.drivers.brilliant import BrilliantDriver, BrilliantGlasses
from ble.sim.brilliant import SimulatedBrilliant, SimulatedFrame, SimulatedHalo
from ble.sim.brilliant_faults import BrilliantFaults
from tests.ble.driving import QUICK, Listener


def jpeg(width: int, height: int, size: int) -> bytes:
    """Bytes with the frame of a JPEG: begins and ends as one and states dimensions."""
    head = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x02\x00\x00\x64\x00\x64\x00\x00\xff\xc0\x00\x11\x08"
    head += height.to_bytes(2, "big") + width.to_bytes(2, "big") + b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01\xff\xda\x00\x0c"
    return (head + bytes((7 * i + i // 251 * 3 + 3) % 251 for i in range(size)))[: size - 2] + b"\xff\xd9"


FRAME_JPEG = jpeg(720, 720, 5000)
HALO_JPEG = jpeg(640, 480, 5000)
KINDS = pytest.mark.parametrize("kind", ["frame", "halo"])


def simulated(kind: str, faults: BrilliantFaults | None = None, *pictures: bytes) -> SimulatedBrilliant:
    made = SimulatedHalo if kind == "halo" else SimulatedFrame
    return made(pictures or [HALO_JPEG if kind == "halo" else FRAME_JPEG], faults=faults or BrilliantFaults(), pace=QUICK)


class Client:
    """What a firmware without a radio says, written down."""

    def __init__(self, payload: int) -> None:
        self.payload = payload
        self.sent: list[bytes] = []

    async def send(self, value: bytes) -> None:
        self.sent.append(value)

    async def drop_link(self) -> None:
        self.payload = 0

    def tell(self, event: str) -> None: ...


async def opened(
    rig: Any, twin: SimulatedBrilliant, *, continuous: bool = False, own_app: bool = True
) -> tuple[BrilliantGlasses, Listener]:
    glasses, listener = await rig.connect(BrilliantDriver(own_app=own_app), twin, continuous=continuous)
    return glasses, listener


def written(twin: SimulatedBrilliant) -> list[bytes]:
    return [access.value for access in twin.accesses if access.what == "write" and access.uuid == profile.LUA_WRITE]
