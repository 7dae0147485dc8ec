"""The names and numbers of the Omi Glass and OpenGlass protocol, shared by the driver and the simulated glasses.

Sources: BasedHardware/omi `omiGlass/firmware/src/app.cpp` and `config.h` (Omi Glass), BasedHardware/OpenGlass `firmware/firmware.ino`
(OpenGlass), BasedHardware/omi `app/lib/services/devices/models.dart`; commits in `ble/PROTOCOLS.md`.
"""

from __future__ import annotations

from typing import Final

OMI_SERVICE: Final = "19b10000-e8f2-537e-4f6c-d104768a1214"
AUDIO_DATA: Final = "19b10001-e8f2-537e-4f6c-d104768a1214"
AUDIO_CODEC: Final = "19b10002-e8f2-537e-4f6c-d104768a1214"
PHOTO_DATA: Final = "19b10005-e8f2-537e-4f6c-d104768a1214"
PHOTO_CONTROL: Final = "19b10006-e8f2-537e-4f6c-d104768a1214"

# On Omi Glass these three are the firmware update service; on Omi necklaces the same UUIDs are the settings of the LED and the
# microphone (models.dart). The driver never touches them.
OTA_SERVICE: Final = "19b10010-e8f2-537e-4f6c-d104768a1214"
OTA_CONTROL: Final = "19b10011-e8f2-537e-4f6c-d104768a1214"
OTA_DATA: Final = "19b10012-e8f2-537e-4f6c-d104768a1214"

# Photo control: exactly one signed byte (handlePhotoControl in app.cpp). 5 is the smallest interval both generations accept.
SINGLE_PHOTO: Final = b"\xff"
STOP_CAPTURE: Final = b"\x00"
START_CAPTURE: Final = b"\x05"

# A photo notification is a 16-bit little-endian index and up to 200 bytes; two bytes of 0xFF alone end a photo (loop_app in app.cpp).
CHUNK_BYTES: Final = 202
CHUNK_HEADER_BYTES: Final = 2
END_OF_PHOTO: Final = b"\xff\xff"

OMI_INTERVAL_SECONDS: Final = 30
"""PHOTO_CAPTURE_INTERVAL_MS in `config.h`; the value written to photo control does not change it."""
OPENGLASS_INTERVAL_SECONDS: Final = 5
"""What `START_CAPTURE` means to OpenGlass, which does honour the value."""

FAMILY_OMI: Final = "omi-glass"
FAMILY_OPENGLASS: Final = "openglass"
