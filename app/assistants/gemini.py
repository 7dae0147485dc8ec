"""Google's generateContent: keeps no state between requests, and names the model in the address, not in the body.

Request and headers: Google's own Python library (googleapis/python-genai 3.4.0: `_api_client.py`, `models.py`, `types.py`). The key goes as
a header, never in the address, which lands in logs.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.assistants.building import check, jpeg_of, json_headers, key_header, proven, turns, written
from app.assistants.reading import NO_ANSWER, STOPPED, StreamReader, items, table, texts
from app.assistants.sse import EventLines
from app.assistants.wire import AnswerPart, AnswerReader, Headers, Limits, ReadBack, Text, Turn, WireError

LIMITS = Limits(pictures=16, picture_bytes=4 * 1024 * 1024, body_bytes=15_000_000, question_chars=8000)
"""Requests with pictures inside: 20 MB in the older pages, more in newer ones; 15 MB keeps clear of both."""

WITHHELD = "The server's own rules kept it from answering."
_GOOD = ("STOP", "MAX_TOKENS")


@dataclass(frozen=True, slots=True)
class Gemini:
    """The format. `body` takes no notice of the model: `app.sharing.destinations` puts it into the address."""

    name: str = "gemini"
    limits: Limits = LIMITS

    def headers(self, key: str) -> Headers:
        return json_headers() + key_header(key, "x-goog-api-key", "")

    def body(self, model: str, question: str, pictures: Sequence[bytes], earlier: Sequence[Turn] = ()) -> bytes:
        check(self.limits, question, pictures, earlier)
        contents: list[dict[str, Any]] = []
        for turn in earlier:
            contents += [{"role": "user", "parts": [{"text": turn.question}]}, {"role": "model", "parts": [{"text": turn.answer}]}]
        parts: list[dict[str, Any]] = [
            {"inlineData": {"mime_type": "image/jpeg", "data": base64.urlsafe_b64encode(jpeg).decode("ascii")}} for jpeg in pictures
        ]
        contents.append({"role": "user", "parts": [*parts, {"text": question}]})
        return written({"contents": contents}, self.limits)

    def read_back(self, body: bytes) -> ReadBack:
        """See the protocol."""
        return proven(self, body, _read)

    def reader(self, status: int) -> AnswerReader:
        return _Reader(status, EventLines())


def _read(request: Any) -> ReadBack:
    *before, last = request["contents"]
    *images, text = last["parts"]
    pictures = tuple(jpeg_of(part["inlineData"]["data"], altchars=b"-_") for part in images)
    return ReadBack("", str(text["text"]), pictures, turns([_only(content)["text"] for content in before]))


def _only(content: Any) -> Any:
    (part,) = content["parts"]
    if part.keys() != {"text"}:
        raise WireError("the body holds more than a question and pictures")
    return part


class _Reader(StreamReader):
    """Each event is a whole answer of its own; the stream just ends."""

    def on_event(self, found: dict[str, Any]) -> list[AnswerPart]:
        if blocked := table(found.get("promptFeedback")).get("blockReason"):
            return self.fault(WITHHELD, blocked)
        candidates = items(found.get("candidates"))
        if not candidates:
            return []
        first = candidates[0]
        # A thought is the model talking to itself, and no part of the answer.
        parts = [part for part in items(table(first.get("content")).get("parts")) if part.get("thought") is not True]
        said = texts(*(part.get("text") for part in parts))
        reason = first.get("finishReason")
        if isinstance(reason, str):
            if reason not in _GOOD:
                return said + self.fault(WITHHELD, reason)
            self.reason = reason
        return said

    def on_whole(self, found: dict[str, Any]) -> list[AnswerPart]:
        if "candidates" not in found and "promptFeedback" not in found:
            return self.fault(NO_ANSWER)
        parts = self.on_event(found)
        if parts and not isinstance(parts[-1], Text):
            return parts
        return parts + (self.end(self.reason) if self.reason is not None else self.fault(STOPPED))


GEMINI = Gemini()
