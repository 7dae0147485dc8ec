"""The names and numbers of Brilliant Labs Frame and Halo, shared by the driver and the simulated glasses.

Sources: brilliantlabsAR/frame-codebase `source/application/bluetooth.c` and `lua_libraries/*.c` (Frame), brilliantlabsAR/halo-firmware
`applications/halo/PROTOCOL.md`, `PAIRING.md` and `modules/halo/src/*.c` (Halo), and the PyPI packages brilliant-ble 3.5 and
brilliant-msg 7.3 (the stock messages); commits in `ble/PROTOCOLS.md`. The codes from 0x10 to 0x25 are our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FAMILY_FRAME: Final = "frame"
FAMILY_HALO: Final = "halo"

LUA_SERVICE: Final = "7a230001-5475-a6a4-654c-8431f6ad49c4"
LUA_WRITE: Final = "7a230002-5475-a6a4-654c-8431f6ad49c4"
LUA_NOTIFY: Final = "7a230003-5475-a6a4-654c-8431f6ad49c4"
HALO_VIDEO: Final = "7a230004-5475-a6a4-654c-8431f6ad49c4"
HALO_SPEAKER: Final = "7a230005-5475-a6a4-654c-8431f6ad49c4"
"""Only Halo has it: how brilliant-ble tells the two apart."""
HALO_MICROPHONE: Final = "7a230006-5475-a6a4-654c-8431f6ad49c4"

# Firmware update: Nordic's secure bootloader on Frame (as the name "Frame Update"), SMP on Halo. Looked at, never written to.
DFU_SERVICE: Final = "0000fe59-0000-1000-8000-00805f9b34fb"
DFU_NAME: Final = "Frame Update"
SMP_SERVICE: Final = "8d53dc1d-1db7-4cd3-868b-8a527460aa84"
SMP_CHARACTERISTIC: Final = "da2e7828-fbce-4e01-ae9e-261174997c48"

# The first byte of a write. 0x02 reboots, 0x05 deletes main.lua, 0x06 ends Lua and 0x07 deletes all files of a Halo: never sent.
DATA: Final = 0x01
BREAK: Final = 0x03
RESET: Final = 0x04

# Our app: what the host asks. Each is code, token (1 to 255), arguments; numbers of more than one byte are big-endian.
CAPTURE: Final = 0x10
"""quality (0 to 4), half the width (2 bytes)"""
INTERVAL: Final = 0x11
"""seconds (0: off), quality, half the width (2 bytes)"""
ABORT: Final = 0x12
"""photo (2): stop sending that one"""
QUIT: Final = 0x14

# Our app: what the glasses say.
STARTS: Final = 0x20
"""photo (2), token of the order or 0 (1), width (2)"""
PIECE: Final = 0x21
"""number within the photo (2), bytes"""
ENDS: Final = 0x22
"""photo (2), pieces (2), bytes in all (4)"""
FAILED: Final = 0x23
"""photo (2), token (1), text"""
STATE: Final = 0x24
"""battery in percent (1), seconds between photos or 0 (1)"""
HEARD: Final = 0x25
"""code and token of a command that arrived"""

# The stock messages of brilliant-msg 7.3 (`lua/camera.lua`, `lua/data.lua`, `lua/battery.lua`).
STOCK_PIECE: Final = 0x07
STOCK_END: Final = 0x08
STOCK_TAP: Final = 0x09
STOCK_BATTERY: Final = 0x0C
STOCK_CAPTURE: Final = 0x0D

INTERVAL_SECONDS: Final = 30

FRAME_MTU: Final = 247
"""BLE_PREFERRED_MAX_MTU in `bluetooth.h` of frame-codebase."""
HALO_MTU: Final = 515
"""What brilliant-ble's own tests take for a Halo; its values are cut at 512 bytes."""
SMALLEST_PAYLOAD: Final = 100
"""Bytes a write must carry: below, statements of Lua no longer fit. Frame without an MTU exchange carries 20 and its camera fails."""
WANTED_PAYLOAD: Final = 244
"""One link-layer packet of 251 bytes, less 4 of L2CAP and 3 of ATT; also all that a Frame takes."""
FIRST_FIRMWARE: Final = (25, 8, 1013)
"""Frame firmware from which `camera.capture` takes resolution and quality as we give them (issue 7 of brilliantlabsAR/frame-sdk-python)."""


# How long the driver waits for what, in seconds.
SETTLE_SECONDS: Final = 0.2
"""After a break or reset, as brilliant-ble waits."""
QUIET_SECONDS: Final = 0.25
"""So long without text, and nothing more of an old program is coming."""
DRAIN_SECONDS: Final = 1.5
ANSWER_SECONDS: Final = 5.0
READY_SECONDS: Final = 5.0
HEARD_SECONDS: Final = 1.5
FIRST_SECONDS: Final = 15.0
"""From order to first piece: 3 s of auto exposure, up to 5 s of camera, and room."""
STALL_SECONDS: Final = 3.0
LONGEST_SECONDS: Final = 60.0
LEAVE_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class Model:
    """What sets the two apart for the host. `width` and `quality` are what we ask of the camera, `largest` bounds a photo in bytes."""

    family: str
    label: str
    width: int
    quality: int
    orientation: int
    largest: int

    def plausible(self, width: int, height: int) -> bool:
        """Whether this camera makes pictures of this size."""
        if self.family == FAMILY_HALO:
            return (width, height) == (640, 480)
        return width == height and width % 2 == 0 and 100 <= width <= 720


FRAME: Final = Model(FAMILY_FRAME, "Frame", width=720, quality=3, orientation=8, largest=0xFFFF + 625)
"""The FPGA counts image data in 16 bits; 623 bytes of header and 2 of footer are added. The sensor is mounted on its side."""
HALO: Final = Model(FAMILY_HALO, "Halo", width=640, quality=3, orientation=1, largest=128 << 10)
"""CONFIG_HALO_LUA_CAMERA_JPEG_BUFFER_SIZE is at most 128 KiB."""
