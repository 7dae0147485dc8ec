"""Chat completions in the form of OpenAI, which most other servers speak too: LM Studio, llama.cpp, vLLM, Ollama's /v1, Meta's Model API.

Request and stream: the OpenAI OpenAPI description (openai/openai-openapi, openapi.yaml, `CreateChatCompletionRequest`,
`CreateChatCompletionStreamResponse`). Pictures go inside the request as data: URLs, never as addresses that a server would fetch.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.assistants.sse import MAX_EVENT, EventLines, TooLong
from app.assistants.wire import AnswerPart, AnswerReader, Fault, Finished, Limits, ReadBack, Text, WireError

_PREFIX = "data:image/jpeg;base64,"
_KEY = re.compile(r"[\x21-\x7e]{1,2000}")
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
# Terminal and text-layout tricks have no place in an answer: C0 and C1 controls but tab and newline, and overrides of direction.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

GENERAL_LIMITS = Limits(pictures=10, picture_bytes=4 * 1024 * 1024, body_bytes=20 * 1024 * 1024, question_chars=8000)


@dataclass(frozen=True, slots=True)
class OpenAIChat:
    """The format. `extras` are the keys that only some servers know; strict ones answer 400 to a key they do not know."""

    name: str
    extras: tuple[str, ...] = ()
    limits: Limits = GENERAL_LIMITS
    content_type: str = "application/json"

    def headers(self, key: str) -> tuple[tuple[str, str], ...]:
        base = (("content-type", self.content_type), ("accept", "text/event-stream"))
        if not key:
            return base
        if not _KEY.fullmatch(key):
            raise WireError("the key has characters that no key has")
        return (*base, ("authorization", f"Bearer {key}"))

    def body(self, model: str, question: str, pictures: Sequence[bytes]) -> bytes:
        self._check(question, pictures)
        content: list[dict[str, Any]] = [{"type": "text", "text": question}]
        for jpeg in pictures:
            url = _PREFIX + base64.b64encode(jpeg).decode("ascii")
            content.append({"type": "image_url", "image_url": {"url": url}})
        request: dict[str, Any] = {"model": model, "stream": True, "messages": [{"role": "user", "content": content}]}
        if "store" in self.extras:
            request["store"] = False
        if "stream_options" in self.extras:
            request["stream_options"] = {"include_usage": True}
        try:
            body = json.dumps(request, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        except UnicodeEncodeError as error:
            raise WireError("the question or the model has broken characters") from error
        if len(body) > self.limits.body_bytes:
            raise WireError("the request is larger than this server takes")
        return body

    def _check(self, question: str, pictures: Sequence[bytes]) -> None:
        if len(question) > self.limits.question_chars:
            raise WireError("the question is too long")
        if len(pictures) > self.limits.pictures:
            raise WireError("there are too many pictures")
        if any(len(jpeg) > self.limits.picture_bytes for jpeg in pictures):
            raise WireError("a picture is too large")

    def read_back(self, body: bytes) -> ReadBack:
        """See the protocol. The proof is by building: a body that is not rebuilt to the byte from what was read holds something else."""
        try:
            request = json.loads(body)
            text, *images = request["messages"][0]["content"]
            pictures = tuple(_jpeg(part["image_url"]["url"]) for part in images)
            found = ReadBack(str(request["model"]), str(text["text"]), pictures)
            whole = self.body(found.model, found.question, found.pictures) == body
        except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
            raise WireError("the body is none of this format") from error
        if not whole:
            raise WireError("the body holds more than a question and pictures")
        return found

    def reader(self, status: int) -> AnswerReader:
        return _Reader(status)


def _jpeg(url: object) -> bytes:
    if not isinstance(url, str) or not url.startswith(_PREFIX):
        raise WireError("a picture is not inside the request")
    try:
        return base64.b64decode(url.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise WireError("a picture is not whole") from error


class _Reader:
    """Reads a stream of events, or one JSON object where a server ignores `stream` or answers with an error."""

    def __init__(self, status: int) -> None:
        self._status = status
        self._events = EventLines()
        self._plain: bytearray | None = bytearray() if status >= 400 else None
        self._undecided = status < 400
        self._over = False
        self._reason: str | None = None

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
            return self._read(self._events.feed(data))
        except TooLong:
            return self._fault("The server's answer has no end to its lines.")

    def close(self) -> list[AnswerPart]:
        if self._over:
            return []
        if self._plain is not None:
            return self._whole(bytes(self._plain))
        try:
            parts = self._read(self._events.close())
        except TooLong:
            return self._fault("The server's answer has no end to its lines.")
        if parts and not isinstance(parts[-1], Text):
            return parts
        return parts + (self._end(self._reason) if self._reason is not None else self._fault("The answer ended before it was complete."))

    def _read(self, events: list[str]) -> list[AnswerPart]:
        parts: list[AnswerPart] = []
        for event in events:
            if self._over:
                break
            parts += self._event(event)
        return parts

    def _event(self, data: str) -> list[AnswerPart]:
        if data.strip() == "[DONE]":
            return self._end(self._reason)
        found = _object(data)
        if found is None:
            return self._fault("The server sent something that is no answer.")
        if found.get("error"):
            return self._fault("The server stopped with an error.", _code(found["error"]))
        parts: list[AnswerPart] = []
        choice = _first(found.get("choices"))
        delta = choice.get("delta")
        if isinstance(delta, dict):
            parts += _texts(delta)
        if isinstance(choice.get("finish_reason"), str):
            # The [DONE] may still follow, and does not come from every server; usage may come in between.
            self._reason = choice["finish_reason"]
        return parts

    def _whole(self, data: bytes) -> list[AnswerPart]:
        """One JSON object: an answer that was not streamed, or an error."""
        found = _object(data.decode("utf-8", "replace")) or {}
        if self._status >= 400 or found.get("error"):
            return self._fault("The server answered with an error.", _code(found.get("error")))
        choice = _first(found.get("choices"))
        message = choice.get("message")
        if not isinstance(message, dict):
            return self._fault("The server sent something that is no answer.")
        return [*_texts(message), *self._end(choice.get("finish_reason"))]

    def _end(self, reason: object) -> list[AnswerPart]:
        self._over = True
        return [Finished(reason if isinstance(reason, str) and _CODE.fullmatch(reason) else "")]

    def _fault(self, what: str, code: str = "") -> list[AnswerPart]:
        self._over = True
        return [Fault(what, code)]


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _first(choices: object) -> dict[str, Any]:
    """The first choice; an empty list is usual (it carries the usage) and anything odd counts as empty."""
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else {}


def _texts(delta: dict[str, Any]) -> list[AnswerPart]:
    found = (delta.get("content"), delta.get("refusal"))
    clean = (_CONTROLS.sub("", text) for text in found if isinstance(text, str))
    return [Text(text) for text in clean if text]


def _code(error: object) -> str:
    """The server's short name for an error. Its message is left alone: it may repeat what was sent."""
    if not isinstance(error, dict):
        return ""
    for key in ("code", "type"):
        value = error.get(key)
        if isinstance(value, int | str) and _CODE.fullmatch(str(value)[:100]):
            return str(value)
    return ""


OPENAI = OpenAIChat("openai", extras=("store", "stream_options"))
"""OpenAI itself: asks not to store the exchange, although that is the default here, and for the usage count."""

OPENAI_COMPATIBLE = OpenAIChat("openai-compatible")
"""Every other server that speaks the format: no key beyond the common ones."""
