"""What can be made to go wrong with simulated glasses, and how quick they are. Plain data, fixed when the glasses are made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ble.drivers.omi_profile import END_OF_PHOTO


@dataclass(frozen=True, slots=True)
class Faults:
    """Faults of the link, the camera and the firmware. All off by default.

    `k` in the names of chunks is the index within a photo, from 0. The faults of the stream (the first group) harm the first
    `times` photos and spare the rest; None harms them all.
    """

    drop_chunk: int | None = None
    duplicate_chunk: int | None = None
    swap_chunk: int | None = None
    """Chunk k and k + 1 arrive in the wrong order."""
    truncate_to: int | None = None
    """Every notification is cut to so many bytes."""
    missing_end: bool = False
    stall_after_chunk: int | None = None
    """Nothing more of this photo comes after chunk k, not even the end."""
    disconnect_after_chunk: int | None = None
    empty_after_chunk: int | None = None
    """A notification of 0 bytes follows chunk k."""
    start_at_chunk: int | None = None
    """The photo begins with chunk k, as when an upload was under way while the link came up."""
    times: int | None = None

    camera_dead: bool = False
    """Captures fail without a word, as they do when the camera did not start."""
    mtu: int = 517
    """Largest ATT MTU the glasses agree to; 517 is what the ESP32 offers. 23, 185 and 247 are what old or small hosts end up with."""
    old_layout: bool | None = None
    """True: photos without the orientation byte, whatever the firmware says it is. None: as the model does."""
    firmware: str | None = None
    """Firmware revision to state instead of the model's own."""
    dis_unreadable: bool = False
    """Every read of the Device Information service fails."""
    audio_babble: bool = False
    """Send microphone packets all the time while connected, as OpenGlass does."""


NO_FAULTS = Faults()


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast simulated glasses are.

    `chunk` is the pause before each photo notification and `shutter` the time from the order to the first, in seconds. `second` is how
    long a second of the firmware's own intervals lasts (1.0 is real; smaller is quicker). `advertise_ms` is the advertising interval.
    """

    chunk: float = 0.003
    shutter: float = 0.25
    second: float = 1.0
    advertise_ms: float = 100.0


REAL_PACE = Pace()
"""About as fast as the glasses at their best."""
AT_ONCE = Pace(chunk=0.0, shutter=0.0, advertise_ms=20.0)
"""As fast as the link goes; for tests."""


@dataclass(frozen=True, slots=True)
class Stall:
    """Give this photo up without a word."""


@dataclass(frozen=True, slots=True)
class Drop:
    """End the link here."""


Step = bytes | Stall | Drop


def spoil(chunks: Iterable[bytes], faults: Faults) -> Iterator[Step]:
    """The notifications of one photo (without its end) as `faults` would have them sent, its end included."""
    body = list(chunks)
    _swap(body, faults.swap_chunk)
    for index, chunk in enumerate(body):
        if index == faults.drop_chunk or index < (faults.start_at_chunk or 0):
            continue
        yield chunk[: faults.truncate_to]
        if index == faults.duplicate_chunk:
            yield chunk[: faults.truncate_to]
        if index == faults.empty_after_chunk:
            yield b""
        if index == faults.stall_after_chunk:
            yield Stall()
            return
        if index == faults.disconnect_after_chunk:
            yield Drop()
    if not faults.missing_end:
        yield END_OF_PHOTO


def _swap(body: list[bytes], first: int | None) -> None:
    if first is not None and first + 1 < len(body):
        body[first], body[first + 1] = body[first + 1], body[first]
