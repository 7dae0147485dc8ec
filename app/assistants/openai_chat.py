"""Chat completions in the form of OpenAI, which most others speak too: LM Studio, llama.cpp, vLLM, OpenRouter, Groq, Meta's Model API.

Request and stream: the OpenAI OpenAPI description (openai/openai-openapi, openapi.yaml, `CreateChatCompletionRequest`,
`CreateChatCompletionStreamResponse`). Pictures go inside the request as data: URLs, never as addresses that a server would fetch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from app.assistants.building import DATA_URL, base64_of, check, jpeg_of, json_headers, key_header, messages_of, proven, turns, written
from app.assistants.reading import NO_ANSWER, StreamReader, table, texts
from app.assistants.sse import EventLines
from app.assistants.wire import GENERAL_LIMITS, AnswerPart, AnswerReader, Headers, Limits, ReadBack, Turn

EXTRAS: Mapping[str, Any] = MappingProxyType(
    {
        "store": False,
        "stream_options": {"include_usage": True},
        # https://openrouter.ai/docs/features/zdr and its page on provider routing: only hosts that neither keep nor train.
        "provider": {"data_collection": "deny", "zdr": True},
    }
)
"""Keys beyond the common ones, and what Eyelid says with them."""


@dataclass(frozen=True, slots=True)
class OpenAIChat:
    """The format. `extras` name the keys of `EXTRAS` that this server knows; strict ones answer 400 to a key they do not know."""

    name: str
    extras: tuple[str, ...] = ()
    limits: Limits = GENERAL_LIMITS

    def headers(self, key: str) -> Headers:
        return json_headers() + key_header(key)

    def body(self, model: str, question: str, pictures: Sequence[bytes], earlier: Sequence[Turn] = ()) -> bytes:
        check(self.limits, question, pictures, earlier)
        content: list[dict[str, Any]] = [{"type": "text", "text": question}]
        content += [{"type": "image_url", "image_url": {"url": DATA_URL + base64_of(jpeg)}} for jpeg in pictures]
        messages = [*messages_of(earlier), {"role": "user", "content": content}]
        request: dict[str, Any] = {"model": model, "stream": True, "messages": messages}
        request |= {name: EXTRAS[name] for name in self.extras}
        return written(request, self.limits)

    def read_back(self, body: bytes) -> ReadBack:
        """See the protocol."""
        return proven(self, body, _read)

    def reader(self, status: int) -> AnswerReader:
        return _Reader(status, EventLines())


def _read(request: Any) -> ReadBack:
    *before, last = request["messages"]
    text, *images = last["content"]
    pictures = tuple(jpeg_of(part["image_url"]["url"], DATA_URL) for part in images)
    earlier = turns([message["content"] for message in before])
    return ReadBack(str(request["model"]), str(text["text"]), pictures, earlier)


class _Reader(StreamReader):
    def on_mark(self, data: str) -> list[AnswerPart] | None:
        return self.end(self.reason) if data.strip() == "[DONE]" else None

    def on_event(self, found: dict[str, Any]) -> list[AnswerPart]:
        choice = _first(found.get("choices"))
        if isinstance(choice.get("finish_reason"), str):
            # The [DONE] may still follow, and does not come from every server; usage may come in between.
            self.reason = choice["finish_reason"]
        delta = table(choice.get("delta"))
        return texts(delta.get("content"), delta.get("refusal"))

    def on_whole(self, found: dict[str, Any]) -> list[AnswerPart]:
        choice = _first(found.get("choices"))
        message = choice.get("message")
        if not isinstance(message, dict):
            return self.fault(NO_ANSWER)
        return [*texts(message.get("content"), message.get("refusal")), *self.end(choice.get("finish_reason"))]


def _first(choices: object) -> dict[str, Any]:
    """The first choice; an empty list is usual (it carries the usage) and anything odd counts as empty."""
    return table(choices[0]) if isinstance(choices, list) and choices else {}


OPENAI = OpenAIChat("openai", extras=("store", "stream_options"))
"""OpenAI itself: asks not to store the exchange, although that is the default here, and for the usage count."""

OPENAI_COMPATIBLE = OpenAIChat("openai-compatible")
"""Any other server that speaks the format: no key beyond the common ones."""

OPENROUTER = OpenAIChat("openrouter", extras=("provider",))
"""OpenRouter: only hosts that neither keep nor train, or an error."""

GROQ = OpenAIChat("groq", limits=Limits(pictures=3, picture_bytes=3_000_000, body_bytes=4_000_000, question_chars=8000))
"""Groq takes a few small pictures: 4 MB a request with pictures inside (console.groq.com/docs/vision)."""

MISTRAL = OpenAIChat("mistral", limits=Limits(pictures=8, picture_bytes=4 * 1024 * 1024, body_bytes=20 * 1024 * 1024, question_chars=8000))
"""Mistral: at most 8 pictures a request (docs.mistral.ai, vision)."""
