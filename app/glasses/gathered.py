"""What came of one capture so far, in memory: filled on the event loop, read at the same time by the thread that seals it.

Of a capture too large for that, the beginning and what came last are kept: the places where a clip says what it is.
"""

from __future__ import annotations

import io
import os
import threading
from bisect import bisect_right
from collections.abc import Callable
from typing import BinaryIO, cast

from app.media.errors import MediaDamaged

MOST_KEPT = 256 * 1024 * 1024
"""Bytes of one capture in memory; of a longer one, those between its beginning and the last are let go of as they are sealed."""
BEGINNING = 32 * 1024 * 1024
"""Bytes from the start on that are kept in any case."""


class Interrupted(Exception):
    """The rest of a capture is not coming; for the thread that waits for it."""


class LetGo(MediaDamaged):
    """A part of a long capture is looked for that is here no more: it cannot be told whether it is whole."""

    def __init__(self) -> None:
        super().__init__("A part of it was sealed already, and is not looked at again.")


class Gathered:
    """The bytes of a capture, in the pieces they came in. One side appends, any thread reads; `whole` once all of it is here.

    One reader at most, from `open_to_seal`, moves the window of what is kept of a long one; whoever appends minds `has_room`.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._ends: list[int] = []
        self._news = threading.Condition()
        self._waiting_for_more = True
        self._kept = 0
        self._oldest = 0
        self._sealed = 0
        self.whole = False

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @property
    def complete(self) -> bool:
        """Whether all that came is still here."""
        return self._kept == len(self)

    @property
    def has_room(self) -> bool:
        return self._kept <= MOST_KEPT or not self._waiting_for_more

    def wait_for_room(self) -> None:
        """Until the reader of `open_to_seal` has caught up, or ended. Blocking."""
        with self._news:
            self._news.wait_for(lambda: self.has_room)

    def append(self, piece: bytes) -> None:
        if piece:
            with self._news:
                self._pieces.append(piece)
                self._ends.append(len(self) + len(piece))
                self._kept += len(piece)
                self._let_go()
                self._news.notify_all()

    def _read_for_good(self, end: int) -> None:
        with self._news:
            self._sealed = end
            self._let_go()
            self._news.notify_all()

    def _let_go(self) -> None:
        """Of what is sealed, the oldest behind the beginning."""
        number = self._oldest
        while self._kept > MOST_KEPT and number < len(self._ends) and self._ends[number] <= self._sealed:
            if self._ends[number] > BEGINNING:
                self._kept -= len(self._pieces[number])
                self._pieces[number] = b""
            number += 1
        self._oldest = number

    def clear(self) -> None:
        with self._news:
            self._pieces.clear()
            self._ends.clear()
            self._kept = self._oldest = self._sealed = 0
            self.whole = False

    def go_on(self) -> None:
        """More is coming from now on."""
        self._waiting_for_more = True

    def finish(self) -> None:
        """This is all of it."""
        self._end(whole=True)

    def interrupt(self) -> None:
        """Nothing more comes for now: whoever waits for it is told so with Interrupted."""
        self._end(whole=False)

    def _end(self, *, whole: bool) -> None:
        with self._news:
            self.whole = whole
            self._waiting_for_more = False
            self._news.notify_all()

    def size(self) -> int:
        """How many bytes it has in all; waits for the end. Raises Interrupted."""
        with self._news:
            self._wait(lambda: False)
            return len(self)

    def copy(self, start: int, into: memoryview) -> int:
        """Copy some of what lies at `start`; waits for it. Returns how much, nothing only at the end. Raises Interrupted, LetGo."""
        with self._news:
            self._wait(lambda: len(self) > start)
            number = bisect_right(self._ends, start)
            if number == len(self._pieces):
                return 0
            piece, end = self._pieces[number], self._ends[number]
        if not piece:
            raise LetGo
        part = memoryview(piece)[len(piece) - (end - start) :][: len(into)]
        into[: len(part)] = part
        return len(part)

    def _wait(self, enough: Callable[[], bool]) -> None:
        self._news.wait_for(lambda: enough() or not self._waiting_for_more)
        if not enough() and not self.whole:
            raise Interrupted

    def open(self) -> BinaryIO:
        """A reader of its own from the start on; it waits for what is still to come."""
        return cast(BinaryIO, _Reader(self, lambda _: None))

    def open_to_seal(self) -> BinaryIO:
        """As `open`, for the one who reads it once from start to end: what that reader has read may be let go of."""
        self._read_for_good(0)
        return cast(BinaryIO, _Reader(self, self._read_for_good))


class _Reader(io.RawIOBase):
    """Reads always give what was asked for, except at the end. `passed` is told how far each came."""

    def __init__(self, gathered: Gathered, passed: Callable[[int], None]) -> None:
        super().__init__()
        self._gathered = gathered
        self._passed = passed
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at}.get(whence)
        self._at = max(0, offset + (self._gathered.size() if start is None else start))
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: object) -> int:
        view, filled = memoryview(buffer).cast("B"), 0  # type: ignore[arg-type]
        while filled < len(view) and (got := self._gathered.copy(self._at, view[filled:])):
            filled += got
            self._at += got
            self._passed(self._at)
        return filled
