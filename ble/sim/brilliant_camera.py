"""The cameras of simulated Frame and Halo, as their Lua library shows them."""

from __future__ import annotations

from collections.abc import Sequence

from ble.drivers.brilliant_profile import FAMILY_HALO
from ble.sim.brilliant_faults import BrilliantFaults, spoil_picture

FRAME_HEADER_BYTES = 623
"""`camera.read` of Frame hands out the JPEG header, which the firmware makes, apart from what the FPGA encoded."""
FOOTER_BYTES = 2
ENOUGH_EXPOSURE = 20
"""Calls of `camera.auto` until pictures are no longer dark; at ten a second, some 2 seconds."""


class LuaFault(Exception):
    """An error raised in Lua; its text is what the glasses print."""


class Camera:
    """Takes pictures by handing out, in turn, the JPEG files it was given. Owns power, exposure and what is left to read."""

    def __init__(self, family: str, pictures: Sequence[bytes], faults: BrilliantFaults) -> None:
        self._halo = family == FAMILY_HALO
        self._pictures = tuple(pictures)
        self._faults = faults
        self._parts: list[bytes] = []
        self._read = 0
        self.awake = not self._halo
        self.exposed = 0
        self.taken = 0
        self.dark = 0
        """Pictures taken before the exposure had settled."""

    @property
    def harmed(self) -> bool:
        """Whether the last picture is one that the faults of the stream apply to."""
        return self._faults.times is None or self.taken <= self._faults.times

    @property
    def last(self) -> bytes:
        """The last picture taken, as it was before any harm."""
        return self._pictures[(self.taken - 1) % len(self._pictures)]

    def restart(self) -> None:
        """As when Lua restarts."""
        self.awake = not self._halo
        self.exposed = 0
        self._parts, self._read = [], 0

    def power_save(self, on: bool) -> None:
        if on or not self.awake:
            self.exposed = 0
        self.awake = not on

    def auto(self) -> None:
        """One round of auto exposure; only Frame has it."""
        if self.awake:
            self.exposed += 1

    def capture(self, width: int) -> None:
        """Raises LuaFault as the libraries do."""
        if not self.awake:
            raise LuaFault("camera is asleep")
        if self._halo and width != 640:
            raise LuaFault("camera resolution not supported")
        if not self._halo and (width % 2 or not 100 <= width <= 720):
            raise LuaFault("invalid resolution")
        self.taken += 1
        if not self._halo and self.exposed < ENOUGH_EXPOSURE:
            self.dark += 1
        picture = spoil_picture(self.last, self._faults) if self.harmed else self.last
        self._read = 0
        self._parts = (
            [picture] if self._halo else [picture[:FRAME_HEADER_BYTES], picture[FRAME_HEADER_BYTES:-FOOTER_BYTES], picture[-FOOTER_BYTES:]]
        )

    def image_ready(self) -> bool:
        """Raises LuaFault when the capture failed."""
        if self._faults.capture_error:
            raise LuaFault(self._faults.capture_error)
        return not self._faults.never_ready

    def read(self, size: int) -> bytes | None:
        """The next bytes, at most `size`; on Frame a read never spans header, image and footer. None at the end."""
        while self._parts and self._read == len(self._parts[0]):
            self._parts.pop(0)
            self._read = 0
        if not self._parts:
            return None
        piece = self._parts[0][self._read : self._read + size]
        self._read += len(piece)
        return piece
