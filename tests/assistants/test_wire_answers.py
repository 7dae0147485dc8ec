"""Reading the answers of every format but the plain chat's: split anywhere, broken off, hostile; and their errors in plain words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.assistants import WIRES, AnswerPart, Fault, Finished, Text, faults, wire

NAMES = sorted(WIRES)


def events(*found: dict[str, Any], named: bool = True) -> bytes:
    return b"".join(
        (f"event: {each['type']}\n" if named else "").encode() + b"data: " + json.dumps(each).encode() + b"\n\n" for each in found
    )


RESPONSES = events(
    {"type": "response.created", "sequence_number": 0, "response": {"id": "r", "status": "in_progress"}},
    {"type": "response.output_item.added", "sequence_number": 1, "item": {"type": "message", "content": []}},
    {"type": "response.output_text.delta", "sequence_number": 2, "delta": "Hel", "obfuscation": "x"},
    {"type": "response.output_text.delta", "sequence_number": 3, "delta": "lo ä"},
    {"type": "response.output_text.done", "sequence_number": 4, "text": "Hello ä"},
    {"type": "response.completed", "sequence_number": 5, "response": {"status": "completed", "error": None}},
)
ANTHROPIC = events(
    {"type": "message_start", "message": {"id": "msg", "content": []}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "lo ä"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}},
    {"type": "message_stop"},
)
GEMINI = events(
    {"candidates": [{"content": {"role": "model", "parts": [{"text": "hm", "thought": True}, {"text": "Hel"}]}}]},
    {"candidates": [{"content": {"parts": [{"text": "lo ä"}]}, "finishReason": "STOP"}], "usageMetadata": {"totalTokenCount": 9}},
    named=False,
)
OLLAMA = b"".join(
    json.dumps(each).encode() + b"\n"
    for each in (
        {"model": "m", "message": {"role": "assistant", "content": "Hel"}, "done": False},
        {"model": "m", "message": {"role": "assistant", "content": "lo ä"}, "done": False},
        {"model": "m", "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop", "eval_count": 3},
    )
)
STREAMS = {"openai-responses": RESPONSES, "xai": RESPONSES, "anthropic": ANTHROPIC, "gemini": GEMINI, "ollama": OLLAMA}
REASONS = {"openai-responses": "stop", "xai": "stop", "anthropic": "end_turn", "gemini": "STOP", "ollama": "stop"}


def read(name: str, data: bytes, status: int = 200, step: int | None = None) -> list[AnswerPart]:
    reader = wire(name).reader(status)
    step = step or max(len(data), 1)
    parts = [part for start in range(0, len(data), step) for part in reader.feed(data[start : start + step])]
    return parts + reader.close()


def text(parts: list[AnswerPart]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Text))


# -- the answer


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_split_at_every_byte(name: str) -> None:
    stream = STREAMS[name]
    for at in range(len(stream)):
        reader = wire(name).reader(200)
        parts = reader.feed(stream[:at]) + reader.feed(stream[at:]) + reader.close()
        assert (text(parts), parts[-1]) == ("Hello ä", Finished(REASONS[name])), at
    for step in (1, 2, 3, 7, 64):
        assert text(read(name, stream, step=step)) == "Hello ä"


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_that_breaks_off_is_not_complete(name: str) -> None:
    parts = read(name, STREAMS[name][: STREAMS[name].index("lo ä".encode() if b"lo \xc3" in STREAMS[name] else b"lo \\u00e4") + 4])
    assert isinstance(parts[-1], Fault)


@pytest.mark.parametrize("name", STREAMS)
def test_what_comes_after_the_end_is_ignored(name: str) -> None:
    parts = read(name, STREAMS[name] + b"data: {}\n\n{}\n") if name != "gemini" else read(name, STREAMS[name])
    assert text(parts) == "Hello ä"
    assert sum(not isinstance(part, Text) for part in parts) == 1


ERRORS = [
    ("openai-responses", events({"type": "error", "code": "rate_limit_exceeded", "message": "m"}), "rate_limit_exceeded"),
    ("openai-responses", events({"type": "error", "code": None, "message": "m"}), "error"),
    (
        "openai-responses",
        events({"type": "response.failed", "response": {"error": {"code": "server_error", "message": "m"}}}),
        "server_error",
    ),
    ("openai-responses", events({"type": "error", "error": {"code": "x"}}), "x"),
    ("anthropic", events({"type": "error", "error": {"type": "overloaded_error", "message": "you sent: secret"}}), "overloaded_error"),
    ("gemini", events({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "m"}}, named=False), "RESOURCE_EXHAUSTED"),
    ("gemini", events({"promptFeedback": {"blockReason": "IMAGE_SAFETY"}}, named=False), "IMAGE_SAFETY"),
    ("gemini", events({"candidates": [{"finishReason": "SAFETY"}]}, named=False), "SAFETY"),
    ("ollama", b'{"error":"model runner has unexpectedly stopped"}\n', ""),
    ("ollama", b'{"message":{"content":"x"},"remote_host":"https://ollama.com:443","done":false}\n', "remote"),
    ("ollama", b'{"message":{"content":"x"},"remote_model":"gpt","done":true}', "remote"),
]


@pytest.mark.parametrize(("name", "data", "code"), ERRORS, ids=range(len(ERRORS)))
def test_errors_in_the_middle(name: str, data: bytes, code: str) -> None:
    for step in (1, 1000):
        last = read(name, data, step=step)[-1]
        assert isinstance(last, Fault)
        assert last.code == code


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("openai-responses", b'{"error":{"message":"m","type":"t","code":"invalid_api_key"}}', "invalid_api_key"),
        ("anthropic", b'{"type":"error","error":{"type":"billing_error","message":"m"},"request_id":"r"}', "billing_error"),
        ("gemini", b'{"error":{"code":400,"message":"m","status":"FAILED_PRECONDITION","details":[]}}', "FAILED_PRECONDITION"),
        ("gemini", b'[{"error":{"code":400}}]', ""),
        ("ollama", b'{"error":"model \'x\' not found"}', ""),
        ("ollama", b"", ""),
    ],
)
def test_error_bodies_give_a_code_and_never_their_text(name: str, body: bytes, code: str) -> None:
    assert read(name, body, status=400, step=5) == [Fault("The server answered with an error.", code)]


WHOLE = [
    (
        "openai-responses",
        {"status": "completed", "output": [{"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}]},
        "stop",
    ),
    (
        "openai-responses",
        {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "output": [{"content": [{"refusal": "Hi"}]}]},
        "max_output_tokens",
    ),
    ("anthropic", {"content": [{"type": "text", "text": "Hi"}], "stop_reason": "max_tokens"}, "max_tokens"),
    ("gemini", {"candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "MAX_TOKENS"}]}, "MAX_TOKENS"),
    ("ollama", {"message": {"content": "Hi"}, "done": True, "done_reason": "length"}, "length"),
]


@pytest.mark.parametrize(("name", "body", "reason"), WHOLE, ids=range(len(WHOLE)))
def test_an_answer_that_was_not_streamed(name: str, body: dict[str, Any], reason: str) -> None:
    assert read(name, json.dumps(body).encode(), step=3) == [Text("Hi"), Finished(reason)]


@pytest.mark.parametrize("name", ["openai-responses", "anthropic", "gemini"])
def test_an_object_that_is_no_answer(name: str) -> None:
    for body in (b"{}", b'{"output":5,"content":5,"candidates":5}', b'{"promptFeedback":{}}'):
        assert isinstance(read(name, body)[-1], Fault)
    assert isinstance(read("gemini", b'{"promptFeedback":{"blockReason":"OTHER"}}')[-1], Fault)


def test_an_incomplete_response_says_why() -> None:
    stream = events({"type": "response.incomplete", "response": {"incomplete_details": {"reason": "content_filter"}}})
    assert read("openai-responses", stream) == [Finished("content_filter")]


@pytest.mark.parametrize("name", NAMES)
def test_no_tricks_for_terminals(name: str) -> None:
    said = "a\x1b[31m\x07\r\x9b\u202eb\n\tc"
    found = {
        "openai-responses": events({"type": "response.output_text.delta", "delta": said}),
        "anthropic": events({"type": "content_block_delta", "delta": {"type": "text_delta", "text": said}}),
        "gemini": events({"candidates": [{"content": {"parts": [{"text": said}]}}]}, named=False),
        "ollama": json.dumps({"message": {"content": said}}).encode() + b"\n",
    }
    found["xai"] = found["openai-responses"]
    stream = found.get(name) or events({"choices": [{"delta": {"content": said}}]}, named=False)
    assert text(read(name, stream)) == "a[31mb\n\tc"


@pytest.mark.parametrize("name", NAMES)
def test_endless_answers_stop(name: str) -> None:
    reader = wire(name).reader(200)
    reader.feed(b"data: x")
    parts: list[AnswerPart] = []
    for _ in range(40):
        parts += reader.feed(b"x" * 65_536)
    assert parts == [Fault("The server's answer has no end to its lines.")]
    assert reader.close() == []
    assert read(name, b"data: " + b"x" * 1_100_000 + b"\n\n")[-1] == Fault("The server's answer has no end to its lines.")


KEYS = ["type", "delta", "text", "error", "response", "message", "content", "candidates", "parts"]
KEYS += ["finishReason", "done", "stop_reason", "promptFeedback", "incomplete_details", "output", "remote_host"]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["response.completed", "message_stop", "text_delta"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=14,
)


@given(st.sampled_from(NAMES), st.lists(JUNK, max_size=3), st.sampled_from([200, 404]), st.integers(1, 50))
def test_any_json_never_raises_and_ends_once(name: str, content: list[Any], status: int, step: int) -> None:
    streamed = b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in content)
    lines = b"".join(json.dumps(each).encode() + b"\n" for each in content)
    for data in (streamed, lines, json.dumps(content[0]).encode() if content else b""):
        assert sum(not isinstance(part, Text) for part in read(name, data, status, step)) == 1


@given(st.sampled_from(NAMES), st.binary(max_size=300), st.sampled_from([200, 500]), st.integers(1, 50))
def test_garbage_never_raises_and_ends_once(name: str, data: bytes, status: int, step: int) -> None:
    assert sum(not isinstance(part, Text) for part in read(name, data, status, step)) == 1


# -- words


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (401, "", "The server did not accept the key."),
        (400, "insufficient_quota", "The account has no credit left. (It said: insufficient_quota.)"),
        (529, "overloaded_error", "The server has too much to do at the moment. Ask again later. (It said: overloaded_error.)"),
        (503, "", "The server is in trouble."),
        (418, "odd", "what was found (It said: odd.)"),
        (0, "", "what was found"),
    ],
)
def test_errors_in_plain_words(status: int, code: str, said: str) -> None:
    assert faults.words(status, code, "what was found") == said
    assert all(each.endswith(".") for each in (*faults.CODES.values(), *faults.STATUSES.values(), *faults.ENDINGS.values()))
