"""The names and numbers of Mentra Live, shared by the driver and the simulated glasses.

Sources, in Mentra-Community/MentraOS: `mobile/modules/bluetooth-sdk/ios/Source/sgcs/MentraLive.swift` (GATT, names, session) and
`MentraLivePairingAdvertisement.swift` (advertisement), `asg_client/docs/features/camera-web-server.md` (HTTP), and
`asg_client/app/src/main/java/com/mentra/asg_client/io/bluetooth/managers/mentralive/internal/BesWireFormat.java` (packets of files).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ble.types import PairingAdvert

FAMILY: Final = "mentra-live"

SERVICE: Final = "00004860-0000-1000-8000-00805f9b34fb"
CONTROL_NOTIFY: Final = "000070ff-0000-1000-8000-00805f9b34fb"
CONTROL_WRITE: Final = "000071ff-0000-1000-8000-00805f9b34fb"
FILE_NOTIFY: Final = "000072ff-0000-1000-8000-00805f9b34fb"

STANDARD_NAME: Final = "xy_a"
NAME_PREFIXES: Final = ("xyble_", "mentra_live_ble", "mentra_live_bt", "mentra_live")
COMPANY: Final = 0xB822

LARGEST_MTU: Final = 509
"""The Bluetooth chip of the glasses tops out here."""
FULL_PACK: Final = 400
"""Data bytes of a file packet that the firmware takes for granted until it is told of the link's size."""
SMALLEST_PACK: Final = 100
PACKET_OVERHEAD: Final = 32

HTTP_PORT: Final = 8089


def pack_size(mtu: int) -> int:
    """Data bytes of a file packet on a link with this ATT MTU (`setFilePackSizeFromMtu`)."""
    return max(SMALLEST_PACK, min(FULL_PACK, mtu - 3 - PACKET_OVERHEAD))


def pairing_advert(manufacturer_data: Mapping[int, bytes]) -> PairingAdvert:
    """Read the manufacturer data. Firmware that does not pair securely, or has no marker in it, takes everybody at any time."""
    data = manufacturer_data.get(COMPANY, b"")
    if len(data) < 12 or data[10:12] != b"MP" or not 2 <= data[6] <= 15:
        return PairingAdvert()
    secure = bool(data[7] & 1)
    return PairingAdvert(pairable=not secure or data[5] == 1, code=f"{data[9]:02X}{data[8]:02X}" if secure else "")


def is_name(name: str) -> bool:
    """Whether Mentra Live glasses use such a name; anybody else may too."""
    lowered = name.casefold()
    return lowered == STANDARD_NAME or lowered.startswith(NAME_PREFIXES)
