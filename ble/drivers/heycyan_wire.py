"""Frames and messages of HeyCyan (QC, "oudmon") white-label glasses, and the one gate that every write to them passes. Pure: no radio.

A frame is `BC`, an opcode, a 16-bit length and a CRC of the payload (both little endian), the payload. The protocol is not published by its
maker; what is known comes from a packet capture (josephsamela/heycyan-python, `heycyan/constants.py`) and from the vendor's kit as found in
public (ebowwa/HeyCyanSmartGlassesSDK). Some opcodes delete all captures or reset the glasses: see `check_write`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from ble.errors import Unsupported

FAMILY: Final = "heycyan"
SERVICE: Final = "de5bf728-d711-4e47-af26-65e3012a5dc7"
NOTIFY: Final = "de5bf729-d711-4e47-af26-65e3012a5dc7"
WRITE: Final = "de5bf72a-d711-4e47-af26-65e3012a5dc7"
NAME_PREFIXES: Final = ("cy01_", "m01_", "m02s", "o_")
HTTP_PORT: Final = 80

SET_TIME: Final = 0x40
CONTROL: Final = 0x41
BATTERY: Final = 0x42
VERSION: Final = 0x43
REPORT: Final = 0x73
PICTURE: Final = 0xFD

LONGEST_PAYLOAD: Final = 8192
"""Bytes; the longest known (a page of a small picture) takes six notifications."""
REST_SECONDS: Final = 2.0
"""Between two notifications of one frame."""
_HEAD: Final = 6
_START: Final = 0xBC


class Mode(enum.IntEnum):
    """What `CONTROL` with `02 01` switches to. The names of the vendor's kit."""

    PHOTO = 0x01
    VIDEO = 0x02
    VIDEO_STOP = 0x03
    TRANSFER = 0x04
    UPDATE = 0x05
    SMALL_PHOTO = 0x06
    SPEECH = 0x07
    SOUND = 0x08
    TRANSFER_STOP = 0x09
    FACTORY_RESET = 0x0A
    SPEECH_STOP = 0x0B
    SOUND_STOP = 0x0C
    FIND = 0x0D
    RESTART = 0x0E
    WIFI_RESET = 0x0F


_REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
"""Each byte with its bits the other way round: the CRC counts them from the lowest."""
_GENERATOR: Final = 0x8003
"""x^15 + x + 1; times x + 1, it is the polynomial of the CRC, x^16 + x^15 + x^2 + 1."""


def crc16(data: bytes) -> int:
    """CRC-16/MODBUS.

    Not byte by byte, but as the remainder of a polynomial as large as the data, at the speed of Python's large numbers. That of the factor
    x + 1 is the parity. For the other, squaring over GF(2) makes of x^15 = x + 1 that x^15k = x^k + 1 for each k that is a power of two, so
    what stands above 15k bits is added k bits up from the lower end, and at the lower end itself.
    """
    rest = int.from_bytes(data.translate(_REVERSED), "big") << 16 ^ 0xFFFF << 8 * len(data)
    ones = rest.bit_count()
    k = 1 << (rest.bit_length() // 15).bit_length()
    while k := k >> 1:
        while above := rest >> 15 * k:
            rest ^= above << 15 * k ^ above << k ^ above
    if (rest.bit_count() ^ ones) & 1:
        rest ^= _GENERATOR
    return int.from_bytes(rest.to_bytes(2, "little").translate(_REVERSED), "big")


def frame(opcode: int, payload: bytes = b"") -> bytes:
    """A frame, whatever it says; only `check_write` decides whether it may be sent."""
    return bytes([_START, opcode]) + len(payload).to_bytes(2, "little") + crc16(payload).to_bytes(2, "little") + payload


# -- what may be written ------------------------------------------------------------------------------------------------------------

DENIED_OPCODES: Final = frozenset({0x01, 0x02, 0x03, 0x04, 0x05, 0xFC})
"""Firmware update: its steps, and the address of another firmware."""
DENIED_CONTROL: Final = (b"\x02\x01\x0a", b"\x02\x01\x05", b"\x02\x05")
"""Beginnings of CONTROL payloads: factory reset, update mode, delete all captures (by name too: that variant drops the name)."""
_HARMLESS_MODES: Final = frozenset({Mode.PHOTO, Mode.TRANSFER, Mode.SMALL_PHOTO, Mode.TRANSFER_STOP, Mode.WIFI_RESET})
_HARMLESS_READS: Final = frozenset(
    {frame(CONTROL, b"\x02\x03"), frame(CONTROL, b"\x02\x04"), frame(BATTERY, b"\x01"), frame(VERSION, b"\x01")}
)


class Forbidden(Unsupported):
    """A write that could destroy something on the glasses, or that nobody knows to be harmless, was stopped."""

    def __init__(self) -> None:
        super().__init__(
            "Eyelid does not send this to the glasses.",
            "It deletes or changes what is on them, or nobody knows what it does.",
            "Use the maker's own app for it.",
        )


def check_write(data: bytes) -> None:
    """Raises Forbidden unless `data` is exactly one sound frame of those known to be harmless. Every write passes here."""
    if len(data) < _HEAD or data[0] != _START or data != frame(data[1], data[_HEAD:]):
        raise Forbidden
    opcode, payload = data[1], data[_HEAD:]
    if opcode in DENIED_OPCODES or (opcode == CONTROL and payload.startswith(DENIED_CONTROL)):
        raise Forbidden
    mode = opcode == CONTROL and len(payload) >= 3 and payload[:2] == b"\x02\x01" and payload[2] in _HARMLESS_MODES
    page = opcode == PICTURE and len(payload) == 5 and payload[0] == 1
    time = opcode == SET_TIME and len(payload) == 9
    if not (data in _HARMLESS_READS or mode or page or time):
        raise Forbidden


# -- what is asked ------------------------------------------------------------------------------------------------------------------


def ask_battery() -> bytes:
    return frame(BATTERY, b"\x01")


def ask_versions() -> bytes:
    return frame(VERSION, b"\x01")


def ask_counts() -> bytes:
    return frame(CONTROL, b"\x02\x04")


def ask_address() -> bytes:
    return frame(CONTROL, b"\x02\x03")


def switch(mode: Mode) -> bytes:
    """Ask for another mode; a small photo comes with its two sizes."""
    return frame(CONTROL, bytes([2, 1, mode]) + (b"\x02\x02" if mode is Mode.SMALL_PHOTO else b""))


def ask_page(index: int) -> bytes:
    """A page of the small photo that is ready."""
    return frame(PICTURE, b"\x01" + index.to_bytes(2, "little") + index.to_bytes(2, "little"))


def set_time(now: datetime) -> bytes:
    """The local time `now` (with its zone), English, and device type 2, for which the glasses open a Wi-Fi network that can be joined."""
    digits = (now.year % 100, now.month, now.day, now.hour, now.minute, now.second)
    offset = now.utcoffset()
    hours = int(offset.total_seconds() // 3600) if offset is not None else 0
    zone = (hours + 24) % 24 * 2 + 1
    return frame(SET_TIME, bytes(value // 10 << 4 | value % 10 for value in digits) + bytes([1, zone, 2]))


# -- what is heard ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as it came; `sound`: its CRC is right. The maker's own kit does not look at it, so some firmware may not care."""

    opcode: int
    payload: bytes
    sound: bool


class FrameReader:
    """Gathers frames from notifications, which may split them anywhere. Never raises; holds at most one frame.

    A frame begins where a notification does, or right behind another frame; what else comes is the rest of something lost.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._wanted = _HEAD
        self._heard = 0.0

    def feed(self, notified: bytes, now: float) -> list[Frame]:
        """The frames that are whole with `notified`; one whose rest is too long in coming is given up."""
        if now - self._heard > REST_SECONDS:
            self._buffer.clear()
            self._wanted = _HEAD
        self._heard = now
        self._buffer += notified[:LONGEST_PAYLOAD]
        if _HEAD < self._wanted > len(self._buffer):  # one more part of a frame whose head was read, as most are
            return []
        found: list[Frame] = []
        while (one := self._take()) is not None:
            found.append(one)
        return found

    def _take(self) -> Frame | None:
        buffer = self._buffer
        length = int.from_bytes(buffer[2:4], "little")
        if buffer[:1] != bytes([_START]) or length > LONGEST_PAYLOAD:
            buffer.clear()
        self._wanted = _HEAD + length if len(buffer) >= _HEAD else _HEAD
        if len(buffer) < self._wanted:
            return None
        payload, stated = bytes(buffer[_HEAD : _HEAD + length]), int.from_bytes(buffer[4:6], "little")
        made = Frame(buffer[1], payload, crc16(payload) == stated)
        del buffer[: _HEAD + length]
        return made


@dataclass(frozen=True, slots=True)
class BatteryLevel:
    percent: int
    charging: bool


@dataclass(frozen=True, slots=True)
class Versions:
    firmware: str
    hardware: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How many captures the glasses hold."""

    photos: int
    videos: int
    sounds: int


@dataclass(frozen=True, slots=True)
class ModeAnswer:
    """`current` is the mode that keeps the glasses busy, where they say so; a network is named for TRANSFER by some firmware only."""

    mode: int
    accepted: bool
    current: int | None = None
    network: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class WifiAddress:
    """Where the glasses are; `port` only simulated ones state."""

    address: str
    port: int | None = None


@dataclass(frozen=True, slots=True)
class WifiFailed:
    code: int


@dataclass(frozen=True, slots=True)
class PictureReady:
    """A small photo is there to be fetched in pages."""


@dataclass(frozen=True, slots=True)
class Page:
    total: int
    index: int
    data: bytes
    sound: bool


Heard = BatteryLevel | Versions | Counts | ModeAnswer | WifiAddress | WifiFailed | PictureReady | Page


def read(one: Frame) -> Heard | None:
    """What a frame says; None for what is not known or makes no sense."""
    if one.opcode == PICTURE:
        return _page(one)
    reader = _READERS.get(one.opcode)
    return reader(one.payload) if reader is not None else None


def _page(one: Frame) -> Page | None:
    payload = one.payload
    if len(payload) <= 5:
        return None
    return Page(int.from_bytes(payload[1:3], "little"), int.from_bytes(payload[3:5], "little"), payload[5:], one.sound)


def _battery(payload: bytes) -> BatteryLevel | None:
    return BatteryLevel(payload[0], payload[1] == 1) if len(payload) >= 2 and payload[0] <= 100 else None


def _versions(payload: bytes) -> Versions | None:
    """Four texts, their lengths first: firmware and hardware of the Bluetooth side, then of the Wi-Fi side."""
    if len(payload) < 9:
        return None
    texts, position = [], 9
    for start in (1, 3):
        length = int.from_bytes(payload[start : start + 2], "little")
        texts.append(_text(payload[position : position + min(length, 64)]))
        position += length
    return Versions(*texts)


def _text(raw: bytes) -> str:
    text = raw.decode("utf-8", "replace")
    return text if text.isprintable() else ""


def _control(payload: bytes) -> ModeAnswer | WifiAddress | Counts | None:
    """The first byte was never captured, so it is passed over."""
    kind = payload[1] if len(payload) > 2 else None
    if kind == 1 and len(payload) >= 4:
        return _mode_answer(payload)
    if kind == 3 and len(payload) >= 6:
        return _address(payload[2:])
    if kind == 4 and len(payload) >= 8:
        return _counts(payload[2:])
    return None


def _mode_answer(payload: bytes) -> ModeAnswer:
    mode, accepted = payload[2], payload[3] == 0xFF
    if not accepted:
        return ModeAnswer(mode, False, payload[4] if len(payload) > 4 else None)
    if mode != Mode.TRANSFER or len(payload) < 8:
        return ModeAnswer(mode, True)
    name_length, word_length = int.from_bytes(payload[4:6], "little"), int.from_bytes(payload[6:8], "little")
    name, word = payload[8 : 8 + name_length], payload[8 + name_length : 8 + name_length + word_length]
    fits = 0 < name_length <= 32 and word_length <= 63 and len(word) == word_length
    return ModeAnswer(mode, True, None, _text(name), _text(word)) if fits else ModeAnswer(mode, True)


def _counts(raw: bytes) -> Counts:
    photos, videos, sounds = (int.from_bytes(raw[start : start + 2], "little") for start in (0, 2, 4))
    return Counts(photos, videos, sounds)


def _address(raw: bytes) -> WifiAddress:
    port = int.from_bytes(raw[4:6], "little") if len(raw) == 6 else None
    return WifiAddress(".".join(str(byte) for byte in raw[:4]), port)


def _report(payload: bytes) -> Heard | None:
    """What the glasses say unasked; the first byte tells what about."""
    match payload[:1]:
        case b"\x01" if len(payload) >= 7:
            return _counts(payload[1:])
        case b"\x02":
            return PictureReady()
        case b"\x05" if len(payload) >= 3:
            return _battery(payload[1:])
        case b"\x08" if len(payload) >= 5:
            return _address(payload[1:])
        case b"\x09" if len(payload) >= 2:
            return WifiFailed(payload[1])
    return None


_READERS: Final[Mapping[int, Callable[[bytes], Heard | None]]] = MappingProxyType(
    {BATTERY: _battery, VERSION: _versions, CONTROL: _control, REPORT: _report}
)
