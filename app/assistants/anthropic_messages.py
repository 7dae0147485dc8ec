"""Anthropic's Messages: pictures before the text, an answer as named events.

Request, stream, headers and limits: Anthropic's own Python library (anthropics/anthropic-sdk-python 2.12.0, `_constants.py`, `_client.py`,
`types/raw_message_stream_event.py`) and its guide to vision (platform.claude.com/docs).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.assistants.building import base64_of, check, jpeg_of, json_headers, key_header, messages_of, proven, turns, written
from app.assistants.reading import NO_ANSWER, StreamReader, items, table, texts
from app.assistants.sse import EventLines
from app.assistants.wire import AnswerPart, AnswerReader, Headers, Limits, ReadBack, Turn

VERSION = "2026-10-21"
"""The version of the interface that Eyelid was written for."""
MAX_TOKENS = 4096

LIMITS = Limits(pictures=20, picture_bytes=3_700_000, body_bytes=20 * 1024 * 1024, question_chars=8000)
"""20 pictures of up to 8000 pixels; the base64 text of one stays below 5 MiB, the strictest limit seen."""


@dataclass(frozen=True, slots=True)
class AnthropicMessages:
    """The format."""

    name: str = "anthropic"
    limits: Limits = LIMITS

    def headers(self, key: str) -> Headers:
        return (*json_headers(), ("anthropic-version", VERSION), *key_header(key))

    def body(self, model: str, question: str, pictures: Sequence[bytes], earlier: Sequence[Turn] = ()) -> bytes:
        check(self.limits, question, pictures, earlier)
        content: list[dict[str, Any]] = [
            {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": base64_of(jpeg)}} for jpeg in pictures
        ]
        content.append({"type": "text", "text": question})
        messages = [*messages_of(earlier), {"role": "user", "content": content}]
        return written({"model": model, "max_tokens": MAX_TOKENS, "stream": True, "messages": messages}, self.limits)

    def read_back(self, body: bytes) -> ReadBack:
        """See the protocol."""
        return proven(self, body, _read)

    def reader(self, status: int) -> AnswerReader:
        return _Reader(status, EventLines())


def _read(request: Any) -> ReadBack:
    *before, last = request["messages"]
    *images, text = last["content"]
    pictures = tuple(jpeg_of(part["source"]["data"]) for part in images)
    earlier = turns([message["content"] for message in before])
    return ReadBack(str(request["model"]), str(text["text"]), pictures, earlier)


class _Reader(StreamReader):
    """Kinds of events that are not known mean nothing here, as the documents ask."""

    def on_event(self, found: dict[str, Any]) -> list[AnswerPart]:
        kind, delta = found.get("type"), table(found.get("delta"))
        if kind == "content_block_delta" and delta.get("type") == "text_delta":
            return texts(delta.get("text"))
        if kind == "message_delta" and isinstance(delta.get("stop_reason"), str):
            self.reason = delta["stop_reason"]
        if kind == "message_stop":
            return self.end(self.reason)
        return []

    def on_whole(self, found: dict[str, Any]) -> list[AnswerPart]:
        if not isinstance(found.get("content"), list):
            return self.fault(NO_ANSWER)
        return [*texts(*(block.get("text") for block in items(found["content"]))), *self.end(found.get("stop_reason"))]


ANTHROPIC = AnthropicMessages()
