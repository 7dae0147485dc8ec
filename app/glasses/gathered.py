"""What came of one capture so far, in memory: filled on the event loop, read at the same time by the thread that seals it."""

from __future__ import annotations

import io
import os
import threading
from bisect import bisect_right
from typing import BinaryIO, cast


class Interrupted(Exception):
    """The rest of a capture is not coming; for the thread that waits for it."""


class Gathered:
    """The bytes of a capture, in the pieces they came in. One side appends, any thread reads; `whole` once all of it is here."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._ends: list[int] = []
        self._news = threading.Condition()
        self._waiting_for_more = True
        self.whole = False

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def append(self, piece: bytes) -> None:
        if piece:
            with self._news:
                self._pieces.append(piece)
                self._ends.append(len(self) + len(piece))
                self._news.notify_all()

    def clear(self) -> None:
        with self._news:
            self._pieces.clear()
            self._ends.clear()
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
        """Copy some of what lies at `start`; waits for it. Returns how much, nothing only at the end. Raises Interrupted."""
        with self._news:
            self._wait(lambda: len(self) > start)
            number = bisect_right(self._ends, start)
            if number == len(self._pieces):
                return 0
            piece, end = self._pieces[number], self._ends[number]
        part = memoryview(piece)[len(piece) - (end - start) :][: len(into)]
        into[: len(part)] = part
        return len(part)

    def _wait(self, enough: object) -> None:
        assert callable(enough)
        self._news.wait_for(lambda: enough() or not self._waiting_for_more)
        if not enough() and not self.whole:
            raise Interrupted

    def open(self) -> BinaryIO:
        """A reader of its own from the start on; it waits for what is still to come."""
        return cast(BinaryIO, _Reader(self))


class _Reader(io.RawIOBase):
    """Reads always give what was asked for, except at the end."""

    def __init__(self, gathered: Gathered) -> None:
        super().__init__()
        self._gathered = gathered
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
        return filled
