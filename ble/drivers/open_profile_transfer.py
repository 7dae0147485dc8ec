"""Putting one transfer of the open profile together from its notifications. Pure: no clock, no loop, no radio.

A transfer is a read of one capture, or one page of the list. Bytes are handed out a window at a time, and only after the CRC-32 of the
window was right. Memory is bounded by the windows for which credit was given, whatever the device sends.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ble.drivers.open_profile_wire import FRAME_HEAD_BYTES, MARK, Mark, MarkFlag, crc32, read_data

_MOST_EARLY = 16
"""Frames kept that came before their turn; more than a swap or two means that one is lost."""


class Verdict(enum.Enum):
    """Why a transfer came to its end too soon. After the first group it can be asked for again, from the last good window on."""

    LOST = "a part was lost on the way"
    CHANGED = "a part was changed on the way"
    FAILED = "the glasses could not go on"

    TOO_LONG = "the glasses sent more than there should be"
    TOO_SHORT = "the glasses ended it before its stated size"
    NO_CREDIT = "the glasses sent more than they were allowed to"
    BAD_MARK = "the glasses marked a part that does not exist"

    @property
    def again(self) -> bool:
        return self in (Verdict.LOST, Verdict.CHANGED, Verdict.FAILED)


@dataclass(frozen=True, slots=True)
class Piece:
    """One window that arrived whole; `end` is the offset behind it."""

    body: bytes
    end: int
    last: bool


class Receiver:
    """Takes the notifications of one transfer and keeps what came of them, in `pieces` and `verdict`; never raises.

    `progress` grows with each frame that was of use. `changed` is called when there is a new piece or a verdict.
    """

    def __init__(self, start: int, window: int, changed: Callable[[], None], *, size: int | None, credit: int) -> None:
        """`size` of the whole, None for a page, which is a single window of at most `window` bytes. `credit`: offset allowed so far."""
        self.pieces: deque[Piece] = deque()
        self.verdict: Verdict | None = None
        self.progress = 0
        self.credit = credit
        self._window = window
        self._changed = changed
        self._size = size
        self._buffer = bytearray()
        self._early: dict[int, bytes] = {}
        self._open(start)

    @property
    def position(self) -> int:
        """Offset behind the last window that was right."""
        return self._begin

    def feed(self, value: bytes) -> None:
        """One data notification with the tag of this transfer, as it came."""
        if self.verdict is not None:
            return
        if len(value) > FRAME_HEAD_BYTES and value[0] < MARK:  # nearly all are frames; read here, for speed
            self._frame(int.from_bytes(value[1:FRAME_HEAD_BYTES], "little"), value[FRAME_HEAD_BYTES:])
            return
        mark = read_data(value)
        if isinstance(mark, Mark):
            self._mark(mark)
        # Anything else carries nothing: some hosts deliver such, and what it should have been will be missed.

    def _open(self, begin: int) -> None:
        self._begin = begin
        self._next = begin
        self._end = begin + self._window if self._size is None else min(begin + self._window, self._size)
        self._buffer.clear()
        self._early.clear()

    def _frame(self, offset: int, body: bytes) -> None:
        end = offset + len(body)
        if offset == self._next and end <= min(self._end, self.credit):
            self._take(body)
        elif end > self._next:  # else it is a duplicate
            verdict = self._judge(offset, end)
            if verdict is None:
                self._early[offset] = body
            else:
                self._finish(verdict)

    def _judge(self, offset: int, end: int) -> Verdict | None:
        """What to make of a frame that is not the next one; None if it only came before its turn."""
        if end > (self._end if self._size is None else self._size):
            return Verdict.TOO_LONG
        if end > self.credit:
            return Verdict.NO_CREDIT
        if offset < self._end < end:
            return Verdict.TOO_LONG  # no frame reaches over the end of a window
        if offset < self._next or offset >= self._end or len(self._early) >= _MOST_EARLY:
            return Verdict.LOST  # behind the window: the next one has begun, so the mark of this one is lost
        return None

    def _take(self, body: bytes) -> None:
        self._buffer += body
        self._next += len(body)
        self.progress += 1
        while self._early and (early := self._early.pop(self._next, None)) is not None:
            self._buffer += early
            self._next += len(early)

    def _mark(self, mark: Mark) -> None:
        if mark.flags & MarkFlag.FAILED:
            self._finish(Verdict.FAILED)
            return
        last = bool(mark.flags & MarkFlag.LAST)
        fault = self._fault_of(mark.end, last)
        if fault is not None:
            self._finish(fault)
        elif self._begin < mark.end or last:
            self._close(mark, last)

    def _fault_of(self, end: int, last: bool) -> Verdict | None:
        """What is wrong with a mark by itself, before its bytes are looked at."""
        if self._size is None:
            return Verdict.BAD_MARK if not last or end > self._end else None
        if last and end < self._size:
            return Verdict.TOO_SHORT
        if end > self._end:
            return Verdict.LOST if end <= min(self.credit, self._size) else Verdict.BAD_MARK
        if end == self._end:
            return Verdict.BAD_MARK if last != (end == self._size) else None
        return Verdict.BAD_MARK if end > self._begin else None  # else it is the mark of the window before once more

    def _close(self, mark: Mark, last: bool) -> None:
        if self._next != mark.end:
            self._finish(Verdict.LOST)
        elif crc32(self._buffer) != mark.crc:
            self._finish(Verdict.CHANGED)
        else:
            self.pieces.append(Piece(bytes(self._buffer), mark.end, last))
            self._open(mark.end)
            self._changed()

    def _finish(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self._buffer.clear()
        self._early.clear()
        self._changed()
