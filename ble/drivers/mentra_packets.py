"""Putting files together from Mentra Live's file packets. Pure: no clock, no loop, no radio; time is handed in.

A packet has the number of its part, a one-byte sum, and a size of the file that older firmware inflates so that its own Bluetooth chip,
which takes packets of 400 bytes for granted, counts right (`BesWireFormat.java` and `K900BluetoothManager.java` in
Mentra-Community/MentraOS, `asg_client`). So the size is a hint, the announcement that should come first counts more, and the sum of what
arrived is the truth. A file that did not arrive whole is asked for again, whole: the firmware knows no other way.
"""

from __future__ import annotations

import enum
import re
import struct
import zlib
from dataclasses import dataclass
from typing import NamedTuple

from ble.drivers.k900 import HEAD, PHOTO, TAIL
from ble.drivers.mentra_profile import FULL_PACK, PACKET_OVERHEAD

LARGEST_FILE = 2 << 20
"""Bytes; what the glasses shrink for Bluetooth takes a few hundred thousand, at 20 kB a second."""
QUIET_SECONDS = 2.0
"""After so long without a packet, a file is as whole as it gets; the glasses wait 5 s for our word before they send again."""
LONGEST_SECONDS = 300.0
MOST_TRIES = 3

_NAME = re.compile(r"[A-Za-z0-9._-]{1,16}")
_FIELDS = struct.Struct(">2xBHHI16sH")
_TRAILER = 3


class Packet(NamedTuple):
    """One packet. `stated_pack` and `stated_size` are what its header claims; `data` is what came."""

    kind: int
    stated_pack: int
    number: int
    stated_size: int
    name: str
    flags: int
    data: bytes


def write_packet(packet: Packet) -> bytes:
    """The packet as it goes over the air."""
    head = HEAD + bytes([packet.kind]) + packet.stated_pack.to_bytes(2, "big") + packet.number.to_bytes(2, "big")
    name = packet.name.encode()[:16].ljust(16, b"\x00")
    body = head + packet.stated_size.to_bytes(4, "big") + name + packet.flags.to_bytes(2, "big") + packet.data
    return body + bytes([_sum_of(packet.data)]) + TAIL


def read_packet(notified: bytes) -> Packet | None:
    """The packet in one notification; None for what is none, or was cut or changed on the way. Its name may be anything.

    The length is the notification's own: some firmware states another one in the header (MentraOS issue 3701).
    """
    if len(notified) <= PACKET_OVERHEAD or not notified.startswith(HEAD) or not notified.endswith(TAIL):
        return None
    data = notified[_FIELDS.size : -_TRAILER]
    if _sum_of(data) != notified[-_TRAILER]:
        return None
    kind, stated_pack, number, stated_size, name, flags = _FIELDS.unpack_from(notified)
    return Packet(kind, stated_pack, number, stated_size, name.rstrip(b"\x00").decode("ascii", "replace"), flags, data)


def _sum_of(data: bytes) -> int:
    """The sum of all bytes, modulo 256. In parts of 256 the lower half of an Adler-32 begun at 0 is just that (RFC 1950), and quick."""
    total = zlib.adler32(data[:256], 0)
    return (total if len(data) <= 256 else total + _sum_of(data[256:])) & 0xFF


class Flaw(enum.Enum):
    """Why a file was given up, or is asked for again."""

    PARTS_LOST = "parts were lost on the way"
    UNEVEN = "parts were cut short on the way"
    SIZE_WRONG = "it has another size than announced"
    NOT_A_PICTURE = "it is no picture"
    TOO_LARGE = "it is larger than these glasses send over Bluetooth"
    TOO_SLOW = "it took too long"
    OVERTAKEN = "the glasses began another one before it was whole"
    GIVEN_UP = "the glasses gave it up"
    LINK_LOST = "the link was lost while it was on its way"
    RESTARTED = "the glasses started anew while it was on its way"


@dataclass(frozen=True, slots=True)
class Announced:
    """What the glasses said of a file before its packets."""

    packets: int
    size: int


@dataclass(frozen=True, slots=True)
class Whole:
    """A file that passed every check; `media_type` from its content."""

    name: str
    data: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Again:
    """The file has to be asked for once more."""

    name: str
    flaw: Flaw


@dataclass(frozen=True, slots=True)
class Spoilt:
    """The file is given up. `tell`: the glasses should hear that, or they go on sending it."""

    name: str
    flaw: Flaw
    tell: bool = False


@dataclass(frozen=True, slots=True)
class Repeated:
    """A file that was settled came once more: the glasses did not hear how it ended. `good`: it had arrived whole."""

    name: str
    good: bool


Outcome = Whole | Again | Spoilt | Repeated


class FileAssembler:
    """Takes notifications one by one, for one file at a time, and says what came of them. Never raises, whatever it is fed."""

    def __init__(self) -> None:
        self._name = ""
        self._announced: dict[str, Announced] = {}
        self._expected = 0
        """How many packets the file on its way has, if it was announced."""
        self._parts: dict[int, bytes] = {}
        self.received = 0
        """Bytes of the file on its way that are here."""
        self._stated_size = 0
        self._tries = 0
        self._began = 0.0
        self._heard = 0.0
        self._done = ""
        self._done_good = False
        self._repeating = False

    @property
    def receiving(self) -> bool:
        return bool(self._name)

    @property
    def total(self) -> int | None:
        """Bytes the file will have, if it was announced."""
        announced = self._announced.get(self._name)
        return announced.size if announced is not None else None

    @property
    def heard(self) -> float:
        """When a packet last came."""
        return self._heard

    @property
    def deadline(self) -> float | None:
        """When `tick` has something to do if nothing is fed until then."""
        if self._name:
            return min(self._heard + QUIET_SECONDS, self._began + LONGEST_SECONDS)
        return self._heard + QUIET_SECONDS if self._repeating else None

    def announce(self, name: str, packets: int, size: int) -> None:
        """The glasses say what is to come. Nonsense is ignored."""
        if _NAME.fullmatch(name) and 0 < packets <= 0x10000 and 0 < size <= LARGEST_FILE:
            self._announced = {name: Announced(packets, size)}
            self._expected = packets if name == self._name else 0

    def feed(self, notified: bytes, now: float) -> tuple[Outcome, ...]:
        """One notification, as it came."""
        self._heard = now
        packet = read_packet(notified)
        if packet is None or packet.kind != PHOTO:
            return ()
        if self._name and packet.name == self._name:  # so it is for nearly all; looked at first, for speed
            return self._part(packet)
        if not _NAME.fullmatch(packet.name):
            return ()
        if packet.name == self._done and not self._name:
            self._repeating = True
            return ()
        overtaken = self._give_up(Flaw.OVERTAKEN)
        self._start(packet.name, now)
        return overtaken + self._part(packet)

    def tick(self, now: float) -> tuple[Outcome, ...]:
        """Let time pass; to be called when `deadline` is reached."""
        if self._name and now - self._began >= LONGEST_SECONDS:
            return self._give_up(Flaw.TOO_SLOW, tell=True)
        if now - self._heard < QUIET_SECONDS:
            return ()
        if self._name:
            self._heard = now
            return self._finish() if self._is_whole(quiet=True) else self._again(Flaw.PARTS_LOST)
        repeating, self._repeating = self._repeating, False
        return (Repeated(self._done, self._done_good),) if repeating else ()

    def given_up(self, name: str) -> tuple[Outcome, ...]:
        """The glasses say that they send this file no more."""
        return self._give_up(Flaw.GIVEN_UP) if name == self._name else ()

    def stop(self, flaw: Flaw) -> tuple[Outcome, ...]:
        """The link is gone, or the glasses started anew; the same names may come again for other files."""
        outcomes = self._give_up(flaw)
        self._done, self._repeating = "", False
        self._announced = {}
        return outcomes

    # -- steps ----------------------------------------------------------------------------------------------------------------------

    def _part(self, packet: Packet) -> tuple[Outcome, ...]:
        if packet.number in self._parts:
            return ()
        self.received += len(packet.data)
        if self.received > LARGEST_FILE:
            return self._give_up(Flaw.TOO_LARGE, tell=True)
        self._stated_size = packet.stated_size
        self._parts[packet.number] = packet.data
        if len(self._parts) < self._expected:  # so it is for nearly all; looked at first, for speed
            return ()
        return self._finish() if self._is_whole(quiet=False) else ()

    def _start(self, name: str, now: float) -> None:
        self._name = name
        self._expected = self._announced[name].packets if name in self._announced else 0
        self._tries = 1
        self._began = now
        self._clear()

    def _clear(self) -> None:
        self._parts = {}
        self.received = 0

    def _counts(self) -> set[int]:
        """How many packets the file may have."""
        announced = self._announced.get(self._name)
        if announced is not None:
            return {announced.packets}
        first = len(self._parts.get(0, b""))
        if not first or not self._stated_size:
            return set()
        counts = {-(-self._stated_size // first)}
        if self._stated_size % FULL_PACK == 0 and first != FULL_PACK:
            counts.add(self._stated_size // FULL_PACK)
        return counts

    def _is_whole(self, *, quiet: bool) -> bool:
        have = len(self._parts)
        if not have or have not in self._counts() or max(self._parts) != have - 1:
            return False
        sure = self._name in self._announced or self.received == self._stated_size
        return quiet or sure or len(self._parts[have - 1]) < len(self._parts[0])

    def _finish(self) -> tuple[Outcome, ...]:
        parts = [self._parts[number] for number in range(len(self._parts))]
        if {*map(len, parts[:-1])} - {len(parts[0])} or len(parts[-1]) > len(parts[0]):
            return self._again(Flaw.UNEVEN)
        announced = self.total
        if announced is not None and announced != self.received:
            return self._again(Flaw.SIZE_WRONG)
        data = b"".join(parts)
        media_type = picture_type(data)
        if not media_type:
            return self._again(Flaw.NOT_A_PICTURE)
        whole = Whole(self._name, data, media_type)
        self._leave(good=True)
        return (whole,)

    def _again(self, flaw: Flaw) -> tuple[Outcome, ...]:
        if self._tries >= MOST_TRIES:
            return self._give_up(flaw, tell=True)
        self._tries += 1
        self._clear()
        return (Again(self._name, flaw),)

    def _give_up(self, flaw: Flaw, *, tell: bool = False) -> tuple[Outcome, ...]:
        name = self._name
        if not name:
            return ()
        self._leave(good=False)
        return (Spoilt(name, flaw, tell),)

    def _leave(self, *, good: bool) -> None:
        self._done, self._done_good, self._name = self._name, good, ""
        self._repeating = False
        self._clear()


def picture_type(data: bytes) -> str:
    """The media type of a picture that is there from its beginning to its end, as far as its outer form tells; "" if it is none.

    AVIF from these glasses has EXIF appended to its last box, so only the boxes are counted (ISO/IEC 14496-12, 4.2).
    """
    if data[:3] == b"\xff\xd8\xff":
        return "image/jpeg" if data.rstrip(b"\x00").endswith(b"\xff\xd9") else ""
    if data[4:12] in (b"ftypavif", b"ftypavis"):
        return "image/avif" if _boxes_fit(data) else ""
    return ""


def _boxes_fit(data: bytes) -> bool:
    """Whether the boxes from the first to `mdat` lie within `data`; what trails behind them does not matter."""
    position = 0
    while position + 8 <= len(data):
        size, kind = int.from_bytes(data[position : position + 4], "big"), data[position + 4 : position + 8]
        if size == 1:
            size = int.from_bytes(data[position + 8 : position + 16], "big")
        if kind == b"mdat":
            return size == 0 or position + size <= len(data)
        if size < 8:
            return False
        position += size
    return False
