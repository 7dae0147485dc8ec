"""Server-sent events, read as they come (WHATWG HTML, 9.2 “Server-sent events”), with bounds on what is kept.

Only `data` matters to the formats here; event names, ids and comments (keep-alives) are skipped.
"""

from __future__ import annotations

MAX_EVENT = 1024 * 1024
"""Bytes of one line, and of the data of one event."""
_LINE = 64
"""Bytes that a line counts for besides its own: what it takes to keep it."""


class TooLong(Exception):
    """An event is longer than anything an assistant has to say at once."""


class EventLines:
    """Splits bytes into the data of whole events. After TooLong it must not be fed again."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._data: list[bytes] = []
        self._size = 0
        self._after_return = False
        self._first = True

    def feed(self, data: bytes) -> list[str]:
        """Return the data of every event that ends within `data`; raises TooLong."""
        events: list[str] = []
        if data and self._after_return:
            # The second half of a CRLF that was split between two pieces.
            data = data.removeprefix(b"\n")
            self._after_return = False
        lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._after_return = data.endswith(b"\r")
        for line in lines[:-1]:
            self._extend(line)
            self._end_line(events)
        self._extend(lines[-1])
        return events

    def close(self) -> list[str]:
        """Return the data of an event that was not ended by an empty line: strictly to be dropped, but some servers leave it so."""
        events: list[str] = []
        if self._line:
            self._end_line(events)
        self._end_event(events)
        return events

    def _extend(self, piece: bytes) -> None:
        self._line += piece
        if len(self._line) > MAX_EVENT:
            raise TooLong

    def _end_line(self, events: list[str]) -> None:
        line = bytes(self._line)
        self._line.clear()
        if self._first:
            line = line.removeprefix(b"\xef\xbb\xbf")
            self._first = False
        if not line:
            self._end_event(events)
            return
        name, _, value = line.partition(b":")
        if name != b"data":
            return
        value = value.removeprefix(b" ")
        self._size += len(value) + _LINE
        if self._size > MAX_EVENT:
            raise TooLong
        self._data.append(value)

    def _end_event(self, events: list[str]) -> None:
        if self._data:
            events.append(b"\n".join(self._data).decode("utf-8", "replace"))
        self._data = []
        self._size = 0
