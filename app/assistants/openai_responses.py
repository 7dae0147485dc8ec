"""OpenAI's Responses, which xAI speaks too: one request, nothing stored, an answer as named events.

Request and stream: the OpenAI OpenAPI description (openai/openai-openapi, openapi.yaml, `CreateResponse`, `ResponseStreamEvent`). Storing
is the default there, so `store` is always false; nothing that would refer to something stored is ever sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.assistants.building import DATA_URL, base64_of, check, jpeg_of, json_headers, key_header, messages_of, proven, turns, written
from app.assistants.reading import NO_ANSWER, STOPPED, StreamReader, code_in, items, table, texts
from app.assistants.sse import EventLines
from app.assistants.wire import GENERAL_LIMITS, AnswerPart, AnswerReader, Headers, Limits, ReadBack, Turn


@dataclass(frozen=True, slots=True)
class OpenAIResponses:
    """The format."""

    name: str
    limits: Limits = GENERAL_LIMITS

    def headers(self, key: str) -> Headers:
        return json_headers() + key_header(key)

    def body(self, model: str, question: str, pictures: Sequence[bytes], earlier: Sequence[Turn] = ()) -> bytes:
        check(self.limits, question, pictures, earlier)
        content: list[dict[str, Any]] = [{"type": "input_text", "text": question}]
        content += [{"type": "input_image", "image_url": DATA_URL + base64_of(jpeg), "detail": "auto"} for jpeg in pictures]
        messages = [*messages_of(earlier), {"role": "user", "content": content}]
        return written({"model": model, "stream": True, "store": False, "input": messages}, self.limits)

    def read_back(self, body: bytes) -> ReadBack:
        """See the protocol."""
        return proven(self, body, _read)

    def reader(self, status: int) -> AnswerReader:
        return _Reader(status, EventLines())


def _read(request: Any) -> ReadBack:
    *before, last = request["input"]
    text, *images = last["content"]
    pictures = tuple(jpeg_of(part["image_url"], DATA_URL) for part in images)
    earlier = turns([message["content"] for message in before])
    return ReadBack(str(request["model"]), str(text["text"]), pictures, earlier)


class _Reader(StreamReader):
    """Every event repeats its name as `type` inside; kinds that are not known mean nothing here."""

    def on_event(self, found: dict[str, Any]) -> list[AnswerPart]:
        kind = found.get("type")
        if kind in ("response.output_text.delta", "response.refusal.delta"):
            return texts(found.get("delta"))
        response = table(found.get("response"))
        if kind == "response.completed":
            return self.end("stop")
        if kind == "response.incomplete":
            return self.end(table(response.get("incomplete_details")).get("reason"))
        if kind == "response.failed":
            return self.fault(STOPPED, code_in(response.get("error")))
        if kind == "error":
            return self.fault(STOPPED, found.get("code") or "error")
        return []

    def on_whole(self, found: dict[str, Any]) -> list[AnswerPart]:
        if not isinstance(found.get("output"), list):
            return self.fault(NO_ANSWER)
        parts = [part for item in items(found["output"]) for part in items(item.get("content"))]
        said = texts(*(text for part in parts for text in (part.get("text"), part.get("refusal"))))
        reason = table(found.get("incomplete_details")).get("reason") if found.get("status") == "incomplete" else "stop"
        return [*said, *self.end(reason)]


OPENAI_RESPONSES = OpenAIResponses("openai-responses")
XAI = OpenAIResponses("xai")
"""xAI speaks the same form at its own address (docs.x.ai, image understanding), and like OpenAI stores unless told not to."""
