"""Putting Omi Glass and OpenGlass photos together from their notifications. Pure: no clock, no loop, no bleak; time is handed in.

The stream has no length, no checksum and no photo number, only an index that starts at 0 for each photo. What can be checked is checked:
the index, that every chunk but the last is exactly 202 bytes (a link with a small MTU cuts them in silence while the index stays right),
that the picture begins and ends as a JPEG does, its size, and the time it takes. Anything else is for whoever decodes the picture.
Sources: `loop_app` in BasedHardware/omi `omiGlass/firmware/src/app.cpp`; `omiglass_connection.dart` of the same repository.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from ble.drivers.omi_profile import CHUNK_BYTES, CHUNK_HEADER_BYTES, END_OF_PHOTO

LARGEST_PHOTO = 1 << 20
"""Bytes. VGA and SVGA pictures of these cameras take 8 to 60 kB; the phone app gives up at 200 kB."""
STALL_SECONDS = 3.0
LONGEST_SECONDS = 60.0

_SOI = b"\xff\xd8"
_EOI = b"\xff\xd9"
_PADDING = 16
"""Zero bytes tolerated after the end of the picture; some camera modules pad their buffers."""


class Layout(enum.Enum):
    """The two generations of the first chunk: without and with an orientation byte before the picture."""

    OLD = "old"
    NEW = "new"


class Flaw(enum.Enum):
    """Why a photo was given up."""

    BEGINNING_MISSED = "its beginning was not received"
    CHUNK_LOST = "a part was lost or came in the wrong order"
    CHUNK_SHORT = "parts were cut short on the way"
    CHUNK_ODD = "a part had an impossible size"
    NOT_A_PICTURE = "it does not begin as a picture"
    END_MISSING = "its end is missing"
    TOO_LARGE = "it is larger than these cameras can make"
    STALLED = "the glasses stopped sending it"
    TOO_SLOW = "it took too long"
    LINK_LOST = "the link was lost while it was on its way"


@dataclass(frozen=True, slots=True)
class Begun:
    """Chunk 0 arrived. `turns` are quarter turns clockwise that set the picture upright; None in the old layout, which does not say."""

    layout: Layout
    turns: int | None


@dataclass(frozen=True, slots=True)
class Whole:
    """A photo that passed every check, as the camera made it."""

    jpeg: bytes
    layout: Layout
    turns: int | None


@dataclass(frozen=True, slots=True)
class Spoilt:
    """A photo that did not arrive whole."""

    flaw: Flaw


Outcome = Begun | Whole | Spoilt


class _State(enum.Enum):
    IDLE = "idle"
    RECEIVING = "receiving"
    SKIPPING = "skipping"
    """The rest of a photo that is lost, and was counted or began before this link did: nothing to say until its end."""


class PhotoAssembler:
    """Takes notifications one by one and says what came of them. Never raises, whatever it is fed.

    Starts out skipping: glasses may be in the middle of a photo when the link comes up, and send it to whoever is there.
    """

    def __init__(self, now: float) -> None:
        """`now` and every other time: seconds of one clock that never goes back."""
        self._state = _State.SKIPPING
        self._heard = now
        self._began = now
        self._next = 0
        self._last = b""
        self._body = bytearray()
        self._layout = Layout.OLD
        self._turns: int | None = None

    @property
    def receiving(self) -> bool:
        """Whether a photo is on its way and still sound."""
        return self._state is _State.RECEIVING

    @property
    def received(self) -> int:
        """Bytes of the picture on its way that are here."""
        return len(self._body)

    @property
    def total(self) -> None:
        """The stream does not say."""

    @property
    def heard(self) -> float:
        """When the last chunk came."""
        return self._heard

    @property
    def deadline(self) -> float | None:
        """When `tick` has something to do if nothing is fed until then."""
        if self._state is _State.IDLE:
            return None
        stall = self._heard + STALL_SECONDS
        return min(stall, self._began + LONGEST_SECONDS) if self.receiving else stall

    def feed(self, chunk: bytes, now: float) -> tuple[Outcome, ...]:
        """One notification, as it came."""
        outcomes = self.tick(now)
        if not chunk:
            return outcomes  # carries nothing; some hosts deliver such
        self._heard = now
        if chunk == END_OF_PHOTO:
            return outcomes + self._end()
        if len(chunk) <= CHUNK_HEADER_BYTES or len(chunk) > CHUNK_BYTES:
            return outcomes + self._spoil(Flaw.CHUNK_ODD)
        index = int.from_bytes(chunk[:CHUNK_HEADER_BYTES], "little")
        if self.receiving:
            return outcomes + self._go_on(index, chunk, now)
        if index == 0:
            return outcomes + self._begin(chunk, now)
        if self._state is _State.IDLE:
            self._state = _State.SKIPPING
            return (*outcomes, Spoilt(Flaw.BEGINNING_MISSED))
        return outcomes

    def tick(self, now: float) -> tuple[Outcome, ...]:
        """Let time pass; to be called when `deadline` is reached."""
        if self.receiving:
            if now - self._began >= LONGEST_SECONDS:
                return self._spoil(Flaw.TOO_SLOW)
            if now - self._heard >= STALL_SECONDS:
                return self._spoil(Flaw.STALLED)
        elif self._state is _State.SKIPPING and now - self._heard >= STALL_SECONDS:
            self._state = _State.IDLE
        return ()

    def lost(self) -> tuple[Outcome, ...]:
        """The link is gone."""
        outcomes = self._spoil(Flaw.LINK_LOST)
        self._state = _State.IDLE
        return outcomes

    # -- steps ----------------------------------------------------------------------------------------------------------------------

    def _begin(self, chunk: bytes, now: float) -> tuple[Outcome, ...]:
        found = _start_of_picture(chunk)
        if found is None:
            self._state = _State.SKIPPING
            return (Spoilt(Flaw.NOT_A_PICTURE),)
        self._layout, self._turns, start = found
        self._state = _State.RECEIVING
        self._began = now
        self._next = 1
        self._last = chunk
        self._body = bytearray(chunk[start:])
        return (Begun(self._layout, self._turns),)

    def _go_on(self, index: int, chunk: bytes, now: float) -> tuple[Outcome, ...]:
        if chunk == self._last:
            return ()  # BlueZ now and then delivers a notification twice
        if index != self._next:
            spoilt = self._spoil(Flaw.CHUNK_LOST)
            return spoilt + self._begin(chunk, now) if index == 0 else spoilt
        if len(self._last) != CHUNK_BYTES:
            return self._spoil(Flaw.CHUNK_SHORT)
        if len(self._body) + len(chunk) - CHUNK_HEADER_BYTES > LARGEST_PHOTO:
            return self._spoil(Flaw.TOO_LARGE)
        self._next += 1
        self._last = chunk
        self._body += chunk[CHUNK_HEADER_BYTES:]
        return ()

    def _end(self) -> tuple[Outcome, ...]:
        whole, self._state = self.receiving, _State.IDLE
        if not whole:
            return ()
        jpeg = bytes(self._body)
        self._body = bytearray()
        if not _ends_as_picture(jpeg):
            return (Spoilt(Flaw.END_MISSING),)
        return (Whole(jpeg, self._layout, self._turns),)

    def _spoil(self, flaw: Flaw) -> tuple[Outcome, ...]:
        was_receiving, self._state = self.receiving, _State.SKIPPING
        self._body = bytearray()
        return (Spoilt(flaw),) if was_receiving else ()


def _start_of_picture(chunk: bytes) -> tuple[Layout, int | None, int] | None:
    """Layout, quarter turns, and where the picture begins in chunk 0; None if it does not.

    Told by content: the firmware version would do, but can fail to be read, and home-made firmware says what it likes.
    """
    if chunk[2:4] == _SOI:
        return Layout.OLD, None, 2
    if chunk[3:5] == _SOI and chunk[2] <= 3:
        return Layout.NEW, chunk[2], 3
    return None


def _ends_as_picture(jpeg: bytes) -> bool:
    body = jpeg.rstrip(b"\x00")
    return len(jpeg) - len(body) <= _PADDING and body.endswith(_EOI)
