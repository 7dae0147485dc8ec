"""Plain data that crosses the border of the radio room. Frozen, free of bleak, safe to hand to any thread."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Advertisement:
    """One device heard on the air.

    `address` is a Bluetooth address, or on macOS the identifier CoreBluetooth made up for it; it, never the name, is the identity.
    `rssi` is in dBm. UUIDs are 128-bit, lower case.
    """

    address: str
    name: str
    rssi: int
    service_uuids: frozenset[str] = frozenset()
    manufacturer_data: Mapping[int, bytes] = field(default_factory=dict)


class Capability(enum.Enum):
    """What a pair of glasses can do; the screen asks this and never asks for the family."""

    TAKE_PHOTO = "take photo"
    CONTINUOUS_CAPTURE = "continuous capture"
    BATTERY = "battery"
    STORAGE = "storage"
    RESUME = "resume"
    RELEASE = "release"
    BONDING = "bonding"
    MICROPHONE = "microphone"
    VIDEO = "video"
    WIFI = "wifi"
    """Captures come over the glasses' own Wi-Fi, when somebody imports them (`ble.http_port.WifiGlasses`)."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one family of glasses offers, as data.

    `cautions` are sentences a wearer should read before pairing (for example that the link is not encrypted).
    `interval_seconds` is the time between two photos of continuous capture, if there is one.
    """

    family: str
    features: frozenset[Capability]
    encrypted_link: bool
    cautions: tuple[str, ...] = ()
    interval_seconds: int | None = None

    def can(self, capability: Capability) -> bool:
        return capability in self.features


@dataclass(frozen=True, slots=True)
class PairingAdvert:
    """What an advertisement says about pairing. `pairable`: whether a new computer is taken now.

    `code`: the four characters that the glasses speak when they pair, to be compared by whoever wears them; "" for none.
    """

    pairable: bool = True
    code: str = ""


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """The Device Information service (Bluetooth assigned number 0x180A); an empty string means the device did not say."""

    manufacturer: str = ""
    model: str = ""
    firmware: str = ""
    hardware: str = ""
    serial: str = ""


class CaptureKind(enum.Enum):
    PHOTO = "photo"
    VIDEO = "video"
    SOUND = "sound"


EXIF_OF_TURNS: Mapping[int, int] = MappingProxyType({0: 1, 90: 6, 180: 3, 270: 8})
"""EXIF orientation for a picture that is upright once turned clockwise by so many degrees (CIPA DC-008, Orientation tag)."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A capture the glasses hold ready: what is known before its bytes are fetched.

    `id` is unique for these glasses, `size` in bytes if known, `taken_at` in UTC, `orientation` an EXIF orientation (1 to 8),
    `sha256` the digest if the device states one. `stored`: the glasses keep it, and offer it again until they let it go; else what is
    offered is held here, and gone once it is released.
    """

    id: str
    kind: CaptureKind
    media_type: str
    taken_at: datetime
    size: int | None = None
    orientation: int = 1
    sha256: bytes | None = None
    stored: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """How many captures the glasses say they hold."""

    photos: int
    videos: int = 0
    sounds: int = 0


@dataclass(frozen=True, slots=True)
class GlassesStatus:
    """The last that was heard. `battery` is a percentage, `battery_at` when it was read (UTC); None means not known.

    `continuous` is what this laptop last asked for; most families cannot be asked. `storage_free` is in bytes, `stored` what they
    hold, where they tell.
    """

    battery: int | None = None
    battery_at: datetime | None = None
    continuous: bool | None = None
    storage_free: int | None = None
    received: int = 0
    damaged: int = 0
    stored: Stored | None = None


@dataclass(frozen=True, slots=True)
class StatusChanged:
    status: GlassesStatus


@dataclass(frozen=True, slots=True)
class CaptureOffered:
    offer: Offer


@dataclass(frozen=True, slots=True)
class CaptureProgress:
    """Bytes of a capture on their way; `total` is None where the glasses do not say."""

    received: int
    total: int | None = None


@dataclass(frozen=True, slots=True)
class CaptureDamaged:
    """A capture that did not arrive whole. It is counted and told, never dropped in silence."""

    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LinkClosed:
    """The last event of a link. `wanted` is true when this laptop closed it."""

    wanted: bool


GlassesEvent = StatusChanged | CaptureOffered | CaptureProgress | CaptureDamaged | LinkClosed


class LinkState(enum.Enum):
    """Where the connection to one pair of enrolled glasses stands."""

    IDLE = "idle"
    SCANNING = "scanning"
    CONNECTING = "connecting"
    SECURING = "securing"
    READY = "ready"
    LOST = "lost"
    WAITING = "waiting"
    BLOCKED = "blocked"
