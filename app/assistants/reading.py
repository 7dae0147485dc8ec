"""Reading an answer as it streams in, whatever the format: bounded, never raising, ended exactly once."""

from __future__ import annotations

import json
import re
from typing import Any, Protocol

from app.assistants.sse import MAX_EVENT, TooLong
from app.assistants.wire import AnswerPart, Fault, Finished, Text

_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
# Terminal and text-layout tricks have no place in an answer: C0 and C1 controls but tab and newline, and overrides of direction.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

NO_ANSWER = "The server sent something that is no answer."
STOPPED = "The server stopped with an error."
ENDLESS = "The server's answer has no end to its lines."
CUT_SHORT = "The answer ended before it was complete."
ERROR = "The server answered with an error."


class Lines(Protocol):
    """Splits what comes into pieces that are JSON each. Raises TooLong."""

    def feed(self, data: bytes) -> list[str]: ...
    def close(self) -> list[str]: ...


class StreamReader:
    """Reads a stream of JSON objects; or one object, where a server ignores that a stream was asked for, or answers with an error.

    A format says what an object means: `on_event`, `on_whole`. Where a server names the reason of the end before the stream ends, the
    format notes it in `reason`, and the end of the stream is then a good one.
    """

    reason: str | None = None

    def __init__(self, status: int, lines: Lines, *, always_streams: bool = False) -> None:
        self._status = status
        self._lines = lines
        self._plain: bytearray | None = bytearray() if status >= 400 else None
        self._undecided = status < 400 and not always_streams
        self._over = False

    def on_event(self, found: dict[str, Any]) -> list[AnswerPart]:
        """The parts in one object of the stream."""
        raise NotImplementedError

    def on_whole(self, found: dict[str, Any]) -> list[AnswerPart]:
        """The parts of an answer that was not streamed; the last one ends it."""
        raise NotImplementedError

    def on_mark(self, data: str) -> list[AnswerPart] | None:
        """The parts of a piece of the stream that is no JSON by design; None for any other."""
        return None

    def feed(self, data: bytes) -> list[AnswerPart]:
        if self._over:
            return []
        if self._undecided:
            data = data.lstrip()
            if not data:
                return []
            self._undecided = False
            if data.startswith(b"{"):
                self._plain = bytearray()
        if self._plain is not None:
            self._plain += data[: MAX_EVENT + 1 - len(self._plain)]
            return []
        try:
            return self._read(self._lines.feed(data))
        except TooLong:
            return self.fault(ENDLESS)

    def close(self) -> list[AnswerPart]:
        if self._over:
            return []
        if self._plain is not None:
            return self._whole(bytes(self._plain))
        try:
            parts = self._read(self._lines.close())
        except TooLong:
            return self.fault(ENDLESS)
        if parts and not isinstance(parts[-1], Text):
            return parts
        return parts + (self.end(self.reason) if self.reason is not None else self.fault(CUT_SHORT))

    def _read(self, pieces: list[str]) -> list[AnswerPart]:
        parts: list[AnswerPart] = []
        for piece in pieces:
            if self._over:
                break
            parts += self._piece(piece)
        return parts

    def _piece(self, data: str) -> list[AnswerPart]:
        marked = self.on_mark(data)
        if marked is not None:
            return marked
        found = object_in(data)
        if found is None:
            return self.fault(NO_ANSWER)
        if found.get("error"):
            return self.fault(STOPPED, code_in(found["error"]))
        return self.on_event(found)

    def _whole(self, data: bytes) -> list[AnswerPart]:
        found = object_in(data.decode("utf-8", "replace")) or {}
        if self._status >= 400 or found.get("error"):
            return self.fault(ERROR, code_in(found.get("error")))
        return self.on_whole(found)

    def end(self, reason: object) -> list[AnswerPart]:
        """End the answer well."""
        self._over = True
        return [Finished(reason if isinstance(reason, str) and _CODE.fullmatch(reason) else "")]

    def fault(self, what: str, code: object = "") -> list[AnswerPart]:
        """End the answer as an error; a `code` that is no short name is left out."""
        self._over = True
        return [Fault(what, code if isinstance(code, str) and _CODE.fullmatch(code) else "")]


class JsonLines:
    """Splits bytes into lines of JSON (NDJSON). After TooLong it must not be fed again."""

    def __init__(self) -> None:
        self._line = bytearray()

    def feed(self, data: bytes) -> list[str]:
        """Return every line that ends within `data`; raises TooLong."""
        *whole, rest = data.split(b"\n")
        found = [each for each in map(self._end, whole) if each]
        self._line += rest
        if len(self._line) > MAX_EVENT:
            raise TooLong
        return found

    def close(self) -> list[str]:
        last = self._end(b"")
        return [last] if last else []

    def _end(self, piece: bytes) -> str:
        line = bytes(self._line) + piece
        self._line.clear()
        if len(line) > MAX_EVENT:
            raise TooLong
        return line.decode("utf-8", "replace").strip()


def object_in(text: str) -> dict[str, Any] | None:
    """The JSON object that `text` is, or None."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def table(value: object) -> dict[str, Any]:
    """`value` if it is an object; anything odd counts as an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[dict[str, Any]]:
    """The objects in a list; anything odd counts as none."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def texts(*values: object) -> list[AnswerPart]:
    """The parts for texts of an answer, cleaned; what is no text, or empty, is left out."""
    clean = (_CONTROLS.sub("", value) for value in values if isinstance(value, str))
    return [Text(value) for value in clean if value]


def code_in(error: object) -> str:
    """The server's short name for an error. Its message is left alone: it may repeat what was sent."""
    for key in ("status", "code", "type"):
        value = table(error).get(key)
        if isinstance(value, int | str) and _CODE.fullmatch(str(value)[:100]):
            return str(value)
    return ""
