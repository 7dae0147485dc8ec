"""Putting Frame and Halo photos together from their notifications. Pure: no clock, no loop, no radio; time is handed in.

Two streams: that of our own app (`brilliant_lua`), where every piece has a number and the end states totals, and the stock one of
brilliant-msg, which has neither, so that all one can check is how the picture begins and ends. What neither can tell is for whoever
decodes the picture.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import ClassVar

from ble.drivers import brilliant_profile as profile
from ble.drivers.jpeg_size import jpeg_size

_SOI = b"\xff\xd8\xff"
_EOI = b"\xff\xd9"
_PIECE_HEAD = 3
_LONGEST_TEXT = 120


class Flaw(enum.Enum):
    """Why a photo was given up."""

    BEGINNING_MISSED = "its beginning was not received"
    PIECE_LOST = "a part was lost or came in the wrong order"
    TOTAL_WRONG = "fewer or more bytes arrived than the glasses sent"
    NOT_A_PICTURE = "it does not begin as a picture"
    END_MISSING = "its end is missing"
    SIZE_ODD = "its dimensions are none this camera makes"
    TOO_LARGE = "it is larger than this camera can make"
    GIVEN_UP = "the glasses gave it up on the way"
    STALLED = "the glasses stopped sending it"
    TOO_SLOW = "it took too long"
    LINK_LOST = "the link was lost while it was on its way"


@dataclass(frozen=True, slots=True)
class Begun:
    """A photo starts. `token` is that of the order it answers, 0 for one taken at an interval, None where the stream does not say."""

    token: int | None


@dataclass(frozen=True, slots=True)
class Whole:
    """A photo that passed every check, as the camera made it."""

    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Spoilt:
    """A photo that did not arrive whole."""

    flaw: Flaw


@dataclass(frozen=True, slots=True)
class Refused:
    """The glasses could not take a photo that was ordered (or due: token 0), and say why in their own words."""

    token: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Heard:
    """The app has a command."""

    code: int
    token: int


@dataclass(frozen=True, slots=True)
class Battery:
    """A reading, in percent."""

    percent: int


Outcome = Begun | Whole | Spoilt | Refused | Heard | Battery


class _State(enum.Enum):
    IDLE = "idle"
    RECEIVING = "receiving"
    SKIPPING = "skipping"
    """The rest of a photo that is lost and was counted: nothing to say until its end."""


class PhotoStream:
    """Takes what follows the data marker of each notification, and says what came of it. Never raises, whatever it is fed."""

    _PIECE: ClassVar[int]
    """The first byte of a packet with a piece of a photo."""

    def __init__(self, model: profile.Model) -> None:
        self._model = model
        self._state = _State.IDLE
        self._began = 0.0
        self._heard = 0.0
        self._body = bytearray()
        self._photo: int | None = None
        self._next = 0
        self._last = b""
        self.received = 0
        """Bytes of the picture on its way that are here."""

    @property
    def receiving(self) -> bool:
        return self._state is _State.RECEIVING

    @property
    def photo(self) -> int | None:
        """The glasses' number for the photo that is coming, or came last; None where the stream has none, or its beginning was missed."""
        return self._photo

    @property
    def total(self) -> None:
        """Neither stream says so beforehand."""

    @property
    def heard(self) -> float:
        """When a piece last came."""
        return self._heard

    @property
    def deadline(self) -> float | None:
        """When to call `tick`, if nothing comes before."""
        return min(self._heard + profile.STALL_SECONDS, self._began + profile.LONGEST_SECONDS) if self.receiving else None

    def tick(self, now: float) -> tuple[Outcome, ...]:
        """Give up a photo whose time is over."""
        if not self.receiving:
            return ()
        if now >= self._began + profile.LONGEST_SECONDS:
            return self._spoil(Flaw.TOO_SLOW)
        return self._spoil(Flaw.STALLED) if now >= self._heard + profile.STALL_SECONDS else ()

    def lost(self) -> tuple[Outcome, ...]:
        """The link is gone."""
        return self._spoil(Flaw.LINK_LOST)

    def feed(self, packet: bytes, now: float) -> tuple[Outcome, ...]:
        """One notification, without its data marker."""
        if not packet:
            return ()
        if packet[0] == self._PIECE:  # nearly all are; looked at first, for speed
            return self._piece(packet, now)
        if packet[0] == profile.STOCK_BATTERY:
            return (Battery(packet[1]),) if len(packet) == 2 and packet[1] <= 100 else ()
        return self._feed(packet, now)

    def _piece(self, packet: bytes, now: float) -> tuple[Outcome, ...]:
        raise NotImplementedError

    def _feed(self, packet: bytes, now: float) -> tuple[Outcome, ...]:
        """What is no piece."""
        raise NotImplementedError

    def _begin(self, now: float) -> None:
        self._state = _State.RECEIVING
        self._began = self._heard = now
        self._clear()
        self._next, self._last = 0, b""

    def _clear(self) -> None:
        self._body = bytearray()
        self.received = 0

    def _grow(self, data: bytes, now: float) -> tuple[Outcome, ...]:
        self._heard = now
        before, self.received = self.received, self.received + len(data)
        if self.received > self._model.largest:
            return self._spoil(Flaw.TOO_LARGE)
        self._body += data
        if before < len(_SOI) and not (self._body.startswith(_SOI) or _SOI.startswith(self._body)):
            return self._spoil(Flaw.NOT_A_PICTURE)
        return ()

    def _finish(self) -> tuple[Outcome, ...]:
        jpeg = bytes(self._body)
        self._clear()
        self._state = _State.IDLE
        if not jpeg.startswith(_SOI):
            return (Spoilt(Flaw.NOT_A_PICTURE),)
        if not jpeg.endswith(_EOI):
            return (Spoilt(Flaw.END_MISSING),)
        size = jpeg_size(jpeg)
        if size is None or not self._model.plausible(*size):
            return (Spoilt(Flaw.SIZE_ODD),)
        return (Whole(jpeg),)

    def _spoil(self, flaw: Flaw) -> tuple[Outcome, ...]:
        was_receiving, self._state = self.receiving, _State.SKIPPING
        self._clear()
        return (Spoilt(flaw),) if was_receiving else ()


class AppStream(PhotoStream):
    """The stream of our own app."""

    _PIECE = profile.PIECE

    def _feed(self, packet: bytes, now: float) -> tuple[Outcome, ...]:
        match packet[0], len(packet):
            case profile.STARTS, 6:
                return self._starts(packet, now)
            case profile.ENDS, 9:
                return self._ends(packet)
            case profile.FAILED, length if length >= 4:
                return self._failed(packet)
            case profile.STATE, 3 if packet[1] <= 100:
                return (Battery(packet[1]),)
            case profile.HEARD, 3:
                return (Heard(packet[1], packet[2]),)
        return ()  # taps, clicks and whatever newer programs say

    def _starts(self, packet: bytes, now: float) -> tuple[Outcome, ...]:
        if self.receiving and packet == self._last:
            return ()  # delivered twice, see `_piece`
        before = self._spoil(Flaw.END_MISSING)
        self._begin(now)
        self._last = packet
        self._photo = int.from_bytes(packet[1:3], "big")
        return (*before, Begun(packet[3]))

    def _piece(self, packet: bytes, now: float) -> tuple[Outcome, ...]:
        if len(packet) <= _PIECE_HEAD:
            return ()
        if self._state is not _State.RECEIVING:
            return self._stray()
        if packet[1] << 8 | packet[2] != self._next:
            # BlueZ now and then delivers a notification twice.
            return () if packet == self._last else self._spoil(Flaw.PIECE_LOST)
        self._next += 1
        self._last = packet
        return self._grow(packet[_PIECE_HEAD:], now)

    def _stray(self) -> tuple[Outcome, ...]:
        """A piece of a photo that did not begin here, or was given up."""
        if self._state is _State.SKIPPING:
            return ()
        self._state = _State.SKIPPING
        self._photo = None
        return (Spoilt(Flaw.BEGINNING_MISSED),)

    def _ends(self, packet: bytes) -> tuple[Outcome, ...]:
        if not self.receiving:
            self._state = _State.IDLE
            return ()
        photo, count, total = (int.from_bytes(packet[a:b], "big") for a, b in ((1, 3), (3, 5), (5, 9)))
        if photo == self._photo and count == self._next and total == self.received:
            return self._finish()
        spoilt = self._spoil(Flaw.TOTAL_WRONG if photo == self._photo and count == self._next else Flaw.PIECE_LOST)
        self._state = _State.IDLE
        return spoilt

    def _failed(self, packet: bytes) -> tuple[Outcome, ...]:
        spoilt = self._spoil(Flaw.GIVEN_UP)
        self._state = _State.IDLE
        return (*spoilt, Refused(packet[3], plain(packet[4:])))


class StockStream(PhotoStream):
    """The stream of brilliant-msg's `camera.lua`: pieces with code 7 and an end with code 8, no numbers and no totals."""

    _PIECE = profile.STOCK_PIECE

    def _feed(self, packet: bytes, now: float) -> tuple[Outcome, ...]:
        return self._end(packet[1:], now) if packet[0] == profile.STOCK_END else ()

    def _piece(self, packet: bytes, now: float) -> tuple[Outcome, ...]:
        data = packet[1:]
        begins = data.startswith(_SOI)
        if self._state is _State.SKIPPING and not begins:
            return ()
        if self.receiving:
            return self._grow(data, now)
        if not begins:
            self._state = _State.SKIPPING
            return (Spoilt(Flaw.BEGINNING_MISSED),)
        self._begin(now)
        return (Begun(None), *self._grow(data, now))

    def _end(self, data: bytes, now: float) -> tuple[Outcome, ...]:
        if self._state is _State.SKIPPING:
            self._state = _State.IDLE
            return ()
        if not self.receiving:
            return (Refused(None, "it sent an end without a picture"),)
        grown = self._grow(data, now) if data else ()
        return (*grown, *self._finish()) if self.receiving else grown


def plain(text: bytes) -> str:
    """What the glasses said, made safe to show: printable characters only, and not many."""
    return "".join(c for c in text[:512].decode("utf-8", "replace") if c.isprintable()).strip()[:_LONGEST_TEXT]
