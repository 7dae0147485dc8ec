"""Ollama's own form: JSON lines, pictures as plain base64, and the only one that says when a model does not run on this computer.

Request and stream: Ollama's documents (ollama/ollama, docs/api.md) and its own Python library (ollama/ollama-python 0.6.3). Every request
names its model with `:local` behind it, which the server takes as a promise to hand nothing on (ollama/ollama, internal/modelref and
server/model_resolver.go at commit fb30760); a server that does not know the word answers that there is no such model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.assistants.building import base64_of, check, jpeg_of, json_headers, key_header, messages_of, proven, turns, written
from app.assistants.reading import JsonLines, StreamReader, table, texts
from app.assistants.wire import AnswerPart, AnswerReader, Headers, Limits, ReadBack, Turn

LOCAL = ":local"
CONTEXT = 8192
"""Tokens of context; the default of 4096 overflows with a few pictures."""

LIMITS = Limits(pictures=4, picture_bytes=4 * 1024 * 1024, body_bytes=20 * 1024 * 1024, question_chars=8000)

HANDED_ON = "Ollama said that another computer answered, although this one was asked for."


@dataclass(frozen=True, slots=True)
class Ollama:
    """The format."""

    name: str = "ollama"
    limits: Limits = LIMITS

    def headers(self, key: str) -> Headers:
        return json_headers("application/x-ndjson") + key_header(key)

    def body(self, model: str, question: str, pictures: Sequence[bytes], earlier: Sequence[Turn] = ()) -> bytes:
        check(self.limits, question, pictures, earlier)
        last: dict[str, Any] = {"role": "user", "content": question}
        if pictures:
            last["images"] = [base64_of(jpeg) for jpeg in pictures]
        messages = [*messages_of(earlier), last]
        request = {"model": model + LOCAL, "stream": True, "messages": messages, "options": {"num_ctx": CONTEXT}, "tools": []}
        return written(request, self.limits)

    def read_back(self, body: bytes) -> ReadBack:
        """See the protocol."""
        return proven(self, body, _read)

    def reader(self, status: int) -> AnswerReader:
        return _Reader(status, JsonLines(), always_streams=True)


def _read(request: Any) -> ReadBack:
    *before, last = request["messages"]
    pictures = tuple(jpeg_of(each) for each in last.get("images", ()))
    earlier = turns([message["content"] for message in before])
    return ReadBack(str(request["model"]).removesuffix(LOCAL), str(last["content"]), pictures, earlier)


class _Reader(StreamReader):
    def on_event(self, found: dict[str, Any]) -> list[AnswerPart]:
        if found.get("remote_host") or found.get("remote_model"):
            return self.fault(HANDED_ON, "remote")
        said = texts(table(found.get("message")).get("content"))
        return said + self.end(found.get("done_reason")) if found.get("done") is True else said


OLLAMA = Ollama()
