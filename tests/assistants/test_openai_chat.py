"""The OpenAI-compatible format: the body field by field, read back only when it holds nothing else, and answers however hostile."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.assistants import WIRES, AnswerPart, Fault, Finished, Text, WireError, wire
from app.assistants.openai_chat import OpenAIChat
from app.assistants.wire import Limits

JPEGS = [b"\xff\xd8one\xff\xd9", b"\xff\xd8two\xff\xd9"]
PLAIN = wire("openai-compatible")
STREAM = (
    b": OPENROUTER PROCESSING\n\n"
    b'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant"},"finish_reason":null}]}\n\n'
    b'data: {"choices":[{"index":0,"delta":{"content":"Hel"},"finish_reason":null}],"obfuscation":"abc"}\n\n'
    b'data: {"choices":[{"index":0,"delta":{"content":"lo \xc3\xa4"},"finish_reason":null}]}\n\n'
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    b'data: {"choices":[],"usage":{"total_tokens":9}}\n\n'
    b"data: [DONE]\n\n"
)


def read(data: bytes, status: int = 200, step: int | None = None) -> list[AnswerPart]:
    reader = PLAIN.reader(status)
    step = step or max(len(data), 1)
    parts = [part for start in range(0, len(data), step) for part in reader.feed(data[start : start + step])]
    return parts + reader.close()


def text(parts: list[AnswerPart]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Text))


def event(content: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(content).encode() + b"\n\n"


# -- the body


def url(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


@pytest.mark.parametrize("name", ["openai-compatible", "mirror"])
def test_body_field_by_field(name: str) -> None:
    body = json.loads(wire(name).body("llava:7b", "What is this?", JPEGS))
    assert body == {
        "model": "llava:7b",
        "stream": True,
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": url(JPEGS[0])}},
                    {"type": "image_url", "image_url": {"url": url(JPEGS[1])}},
                ],
            }
        ],
    }


def test_openai_alone_is_told_not_to_store() -> None:
    body = json.loads(wire("openai").body("m", "q", []))
    assert body.pop("store") is False
    assert body.pop("stream_options") == {"include_usage": True}
    assert body == json.loads(PLAIN.body("m", "q", []))


def test_the_mirror_sees_what_a_server_would() -> None:
    assert wire("mirror").body("m", "q", JPEGS) == PLAIN.body("m", "q", JPEGS)


def test_the_body_is_canonical() -> None:
    body = PLAIN.body("m", "ä", [])
    assert body == PLAIN.body("m", "ä", [])
    assert body == b'{"messages":[{"content":[{"text":"\xc3\xa4","type":"text"}],"role":"user"}],"model":"m","stream":true}'


@given(st.text(max_size=50), st.text(max_size=20), st.lists(st.binary(max_size=40), max_size=3), st.sampled_from(sorted(WIRES)))
def test_what_is_built_is_read_back(question: str, model: str, pictures: list[bytes], name: str) -> None:
    form = wire(name)
    try:
        body = form.body(model, question, pictures)
    except WireError:
        assert any("\ud800" <= letter <= "\udfff" for letter in question + model)
        return
    found = form.read_back(body)
    assert (found.question, list(found.pictures)) == (question, pictures)
    assert found.model == ("" if name == "gemini" else model)


def altered(**changes: object) -> bytes:
    request = json.loads(PLAIN.body("m", "q", JPEGS))
    request.update(changes)
    return json.dumps(request, sort_keys=True, separators=(",", ":")).encode()


HIDDEN = [
    altered(user="somebody"),
    altered(messages=[*json.loads(PLAIN.body("m", "q", []))["messages"], {"role": "user", "content": []}]),
    altered(model=5),
    altered(stream=False),
    altered(messages=[{"role": "user", "content": [{"type": "text", "text": "q", "more": 1}]}]),
    altered(messages=[{"role": "user", "content": [{"type": "text", "text": ["q"]}]}]),
    altered(
        messages=[{"role": "user", "content": [{"type": "text", "text": "q"}, {"type": "image_url", "image_url": {"url": "https://x/"}}]}]
    ),
    altered(messages=[{"role": "user", "content": [{"type": "text", "text": "q"}, {"type": "image_url", "image_url": {"url": 5}}]}]),
    altered(
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "q"}, {"type": "image_url", "image_url": {"url": url(b"x") + "!"}}]}
        ]
    ),
    PLAIN.body("m", "q", []) + b" ",
    PLAIN.body("m", "q", []).replace(b'"model":"m"', b'"model":"other","model":"m"'),
    b"",
    b"\xff",
    b"[]",
    b"{}",
    b"[" * 100_000,
]


@pytest.mark.parametrize("body", HIDDEN, ids=range(len(HIDDEN)))
def test_a_body_with_anything_else_is_not_shown_as_if_it_were_all(body: bytes) -> None:
    with pytest.raises(WireError):
        PLAIN.read_back(body)


@given(st.binary(max_size=200))
def test_reading_back_garbage_never_crashes(body: bytes) -> None:
    with pytest.raises(WireError):
        PLAIN.read_back(body)


def test_limits() -> None:
    small = OpenAIChat("small", limits=Limits(pictures=1, picture_bytes=10, body_bytes=250, question_chars=5))
    assert small.body("m", "12345", [b"0123456789"[:4]])
    for question, pictures in [("123456", []), ("q", [b"a", b"b"]), ("q", [b"0123456789x"])]:
        with pytest.raises(WireError):
            small.body("m", question, pictures)
    with pytest.raises(WireError, match="larger"):
        small.body("m" * 250, "q", [])


@pytest.mark.parametrize(("model", "question"), [("m", "broken \ud800"), ("\udfff", "q")])
def test_broken_characters_are_refused(model: str, question: str) -> None:
    with pytest.raises(WireError, match="broken"):
        PLAIN.body(model, question, [])


def test_headers() -> None:
    assert dict(PLAIN.headers("")) == {"content-type": "application/json", "accept": "text/event-stream"}
    assert dict(PLAIN.headers("sk-1"))["authorization"] == "Bearer sk-1"
    for key in ["a b", "a\r\nx: y", "ä", "x" * 2001]:
        with pytest.raises(WireError):
            PLAIN.headers(key)


def test_an_unknown_wire() -> None:
    with pytest.raises(WireError):
        wire("carrier pigeon")


# -- the answer


@pytest.mark.parametrize("step", [1, 2, 3, 7, 64, 10_000])
def test_a_stream_in_pieces_of_any_size(step: int) -> None:
    parts = read(STREAM, step=step)
    assert text(parts) == "Hello ä"
    assert parts[-1] == Finished("stop")
    assert sum(not isinstance(part, Text) for part in parts) == 1


@pytest.mark.parametrize("at", range(len(STREAM)))
def test_a_stream_split_anywhere(at: int) -> None:
    reader = PLAIN.reader(200)
    parts = reader.feed(STREAM[:at]) + reader.feed(STREAM[at:]) + reader.close()
    assert text(parts) == "Hello ä"


def test_without_done_the_finish_reason_is_enough() -> None:
    assert read(STREAM.partition(b"data: [DONE]")[0])[-1] == Finished("stop")


def test_an_end_without_its_empty_line() -> None:
    assert read(STREAM.rstrip(b"\n")) == read(STREAM)


def test_an_answer_that_breaks_off_is_not_complete() -> None:
    parts = read(STREAM.partition(b'data: {"choices":[{"index":0,"delta":{},')[0])
    assert text(parts) == "Hello ä"
    assert isinstance(parts[-1], Fault)


def test_an_error_in_the_middle_ends_it() -> None:
    parts = read(
        event({"choices": [{"delta": {"content": "a"}}]}) + event({"error": {"message": "your key sk-1", "code": "overloaded"}}) + STREAM
    )
    assert parts == [Text("a"), Fault("The server stopped with an error.", "overloaded")]


def test_what_comes_after_the_end_is_ignored() -> None:
    assert text(read(STREAM + event({"choices": [{"delta": {"content": "more"}}]}))) == "Hello ä"


def test_an_answer_that_was_not_streamed() -> None:
    body = {"choices": [{"message": {"content": "Hi"}, "finish_reason": "length"}]}
    assert read(b"\n " + json.dumps(body, indent=1).encode(), step=3) == [Text("Hi"), Finished("length")]


def test_a_refusal_of_the_model_is_text() -> None:
    assert read(event({"choices": [{"delta": {"refusal": "No."}, "finish_reason": "stop"}]})) == [Text("No."), Finished("stop")]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (
            b'{"error":{"message":"you sent: secret","type":"invalid_request_error","param":null,"code":"model_not_found"}}',
            "model_not_found",
        ),
        (b'{"error":{"message":"m","type":"t","code":null}}', "t"),
        (b'{"error":{"code":429}}', "429"),
        (b'{"error":{"code":"\\u001b[31m"}}', ""),
        (b'{"error":"text"}', ""),
        (b"<html>", ""),
        (b"", ""),
        (b'{"choices":[{"message":{"content":"an answer with a status of failure"}}]}', ""),
    ],
)
def test_error_answers_give_a_code_and_never_their_text(body: bytes, code: str) -> None:
    assert read(body, status=400) == [Fault("The server answered with an error.", code)]


def test_no_tricks_for_terminals_and_no_overrides_of_direction() -> None:
    parts = read(event({"choices": [{"delta": {"content": "a\x1b[31m\x07\r\x9b\u202eb\n\tc\ud800"}}]}) + b"data: [DONE]\n\n")
    assert text(parts) == "a[31mb\n\tc"


@pytest.mark.parametrize(
    "data", [b"data: nonsense\n\n", b"data: [1]\n\n", b"data: " + b"[" * 100_000 + b"\n\n", b"data: " + b"9" * 5000 + b"\n\n"]
)
def test_events_that_are_no_answer(data: bytes) -> None:
    assert read(data) == [Fault("The server sent something that is no answer.")]


def test_odd_shapes_count_as_empty() -> None:
    odd: list[dict[str, Any]] = [
        {"choices": None},
        {"choices": {}},
        {"choices": [None]},
        {"choices": [{"delta": 5, "finish_reason": {}}]},
        {"choices": [{"delta": {"content": 5}}]},
        {},
    ]
    assert read(b"".join(event(each) for each in odd) + b"data: [DONE]\n\n") == [Finished("")]
    assert isinstance(read(b'{"choices": []}')[-1], Fault)


def test_endless_answers_stop() -> None:
    reader = PLAIN.reader(200)
    assert reader.feed(b"data: x") == []
    parts: list[AnswerPart] = []
    for _ in range(40):
        parts += reader.feed(b"x" * 65_536)
    assert parts == [Fault("The server's answer has no end to its lines.")]
    assert reader.close() == []


def test_an_endless_event_found_at_the_close() -> None:
    reader = PLAIN.reader(200)
    half = b"data: " + b"x" * 600_000
    assert reader.feed(half + b"\n" + half) == []
    assert reader.close() == [Fault("The server's answer has no end to its lines.")]


def test_endless_errors_are_cut() -> None:
    reader = PLAIN.reader(500)
    for _ in range(40):
        assert reader.feed(b"x" * 65_536) == []
    assert reader.close() == [Fault("The server answered with an error.")]


@given(st.binary(max_size=400), st.sampled_from([200, 404]), st.integers(1, 50))
def test_garbage_never_raises_and_always_ends_once(data: bytes, status: int, step: int) -> None:
    ends = [part for part in read(data, status, step) if not isinstance(part, Text)]
    assert len(ends) == 1


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda x: (
            st.lists(x, max_size=3)
            | st.dictionaries(st.sampled_from(["choices", "delta", "content", "error", "finish_reason", "message", "code"]), x, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_any_json_never_raises(content: Any) -> None:
    line = b"data: " + json.dumps(content).encode() + b"\n\n"
    for data in (line, json.dumps(content).encode()):
        assert sum(not isinstance(part, Text) for part in read(data)) == 1
