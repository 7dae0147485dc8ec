"""Every format: the body field by field, read back only when it holds nothing else; nothing beyond the limits."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.assistants import WIRES, Turn, WireError, wire
from app.assistants.wire import MAX_EARLIER

JPEGS = [b"\xff\xd8\xfb\x01\xff\xd9", b"\xff\xd8\xfb\xfe\xff\xff"]
EARLIER = [Turn("And then?", "A fern."), Turn("Why?", "It grows.")]
NAMES = sorted(WIRES)


def b64(jpeg: bytes) -> str:
    return base64.b64encode(jpeg).decode()


# -- the body


def test_responses_field_by_field() -> None:
    assert json.loads(wire("openai-responses").body("m", "What?", JPEGS, EARLIER[:1])) == {
        "model": "m",
        "stream": True,
        "store": False,
        "input": [
            {"role": "user", "content": "And then?"},
            {"role": "assistant", "content": "A fern."},
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "What?"},
                    *({"type": "input_image", "image_url": f"data:image/jpeg;base64,{b64(each)}", "detail": "auto"} for each in JPEGS),
                ],
            },
        ],
    }


def test_anthropic_field_by_field() -> None:
    pictures = [{"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": b64(each)}} for each in JPEGS]
    assert json.loads(wire("anthropic").body("m", "What?", JPEGS)) == {
        "model": "m",
        "max_tokens": 4096,
        "stream": True,
        "messages": [{"role": "user", "content": [*pictures, {"type": "text", "text": "What?"}]}],
    }


def test_gemini_field_by_field() -> None:
    pictures = [{"inlineData": {"mime_type": "image/jpeg", "data": base64.urlsafe_b64encode(each).decode()}} for each in JPEGS]
    assert json.loads(wire("gemini").body("ignored", "What?", JPEGS)) == {
        "contents": [{"role": "user", "parts": [*pictures, {"text": "What?"}]}]
    }


def test_ollama_field_by_field() -> None:
    assert json.loads(wire("ollama").body("gemma4:4b", "What?", JPEGS)) == {
        "model": "gemma4:4b:local",
        "stream": True,
        "messages": [{"role": "user", "content": "What?", "images": [b64(each) for each in JPEGS]}],
        "options": {"num_ctx": 8192},
        "tools": [],
    }
    assert "images" not in json.loads(wire("ollama").body("m", "q", []))["messages"][0]


def test_openrouter_asks_for_hosts_that_neither_keep_nor_train() -> None:
    assert json.loads(wire("openrouter").body("m", "q", []))["provider"] == {"data_collection": "deny", "zdr": True}


@pytest.mark.parametrize("name", NAMES)
def test_each_provider_gets_its_own_keys_and_no_others(name: str) -> None:
    common = {"model", "stream", "messages"}
    keys = {
        "openai": common | {"store", "stream_options"},
        "openrouter": common | {"provider"},
        "openai-responses": {"model", "stream", "store", "input"},
        "xai": {"model", "stream", "store", "input"},
        "anthropic": common | {"max_tokens"},
        "gemini": {"contents"},
        "ollama": common | {"options", "tools"},
    }
    assert json.loads(wire(name).body("m", "q", JPEGS, EARLIER)).keys() == keys.get(name, common)


@pytest.mark.parametrize("name", NAMES)
def test_a_conversation_is_built_and_read_back(name: str) -> None:
    body = wire(name).body("m", "What?", JPEGS, EARLIER)
    found = wire(name).read_back(body)
    assert (found.question, list(found.pictures), list(found.earlier)) == ("What?", JPEGS, EARLIER)
    assert body == wire(name).body("m", "What?", JPEGS, EARLIER)


@given(st.sampled_from(NAMES), st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=4), st.binary(max_size=30))
def test_any_conversation_is_read_back(name: str, said: list[tuple[str, str]], picture: bytes) -> None:
    earlier = tuple(Turn(*each) for each in said)
    try:
        body = wire(name).body("m", "q", [picture], earlier)
    except WireError:
        assert any("\ud800" <= letter <= "\udfff" for pair in said for part in pair for letter in part)
        return
    found = wire(name).read_back(body)
    assert (found.earlier, found.pictures) == (earlier, (picture,))


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside a JSON value where an object is."""
    found = [at] if isinstance(value, dict) else []
    for key, inside in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        found += paths(inside, (*at, key))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_nothing_else_is_in_the_body(name: str) -> None:
    """A key more anywhere, a message more, a value changed: none is shown as if it were all."""
    form = wire(name)
    whole = form.body("m", "q", JPEGS, EARLIER)
    for path in paths(json.loads(whole)):
        request = json.loads(whole)
        place = request
        for step in path:
            place = place[step]
        place["hidden"] = "more"
        with pytest.raises(WireError):
            form.read_back(json.dumps(request, sort_keys=True, separators=(",", ":")).encode())
    for odd in (whole + b" ", whole[:-1], b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b" " + whole):
        with pytest.raises(WireError):
            form.read_back(odd)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("odd", ["https://x.example/a.jpg", "data:image/png;base64,AAAA", 5, "!!", "aGk=aGk=", None, ["AAAA"]])
def test_a_picture_is_inside_or_it_is_no_body(name: str, odd: object) -> None:
    def replaced(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: odd if key in ("url", "data") or (key == "image_url" and isinstance(each, str)) else replaced(each)
                for key, each in value.items()
            }
        if isinstance(value, list):
            return [odd if isinstance(each, str) else replaced(each) for each in value]
        return value

    request = replaced(json.loads(wire(name).body("m", "q", JPEGS)))
    with pytest.raises(WireError):
        wire(name).read_back(json.dumps(request, sort_keys=True, separators=(",", ":")).encode())


def test_an_uneven_conversation_is_none() -> None:
    request = json.loads(wire("openai-responses").body("m", "q", [], EARLIER))
    del request["input"][0]
    with pytest.raises(WireError, match="not whole"):
        wire("openai-responses").read_back(json.dumps(request, sort_keys=True, separators=(",", ":")).encode())


@pytest.mark.parametrize("name", NAMES)
def test_limits_of_each_provider(name: str) -> None:
    form, limits = wire(name), wire(name).limits
    assert form.body("m", "q" * limits.question_chars, [b"x"] * limits.pictures)
    beyond: list[tuple[str, list[bytes], list[Turn]]] = [
        ("q" * (limits.question_chars + 1), [], []),
        ("q", [b"x"] * (limits.pictures + 1), []),
        ("q", [b"x" * (limits.picture_bytes + 1)], []),
        ("q", [], [Turn("a", "b")] * (MAX_EARLIER + 1)),
        ("q", [], [Turn("a", "b" * 60_000)]),
    ]
    for question, pictures, earlier in beyond:
        with pytest.raises(WireError):
            form.body("m", question, pictures, earlier)
    assert limits.body_bytes <= 32 * 1024 * 1024


def test_a_whole_request_of_groq_stays_below_its_four_megabytes() -> None:
    with pytest.raises(WireError, match="larger"):
        wire("groq").body("m", "q", [b"x" * 2_000_000] * 2)


@pytest.mark.parametrize("name", NAMES)
def test_the_key_goes_in_one_header_and_only_there(name: str) -> None:
    form = wire(name)
    without, with_key = dict(form.headers("")), dict(form.headers("sk-1"))
    extra = {header: value for header, value in with_key.items() if header not in without}
    assert extra == ({"x-goog-api-key": "sk-1"} if name == "gemini" else {"authorization": "Bearer sk-1"})
    assert with_key["content-type"] == "application/json"
    for key in ["a b", "a\r\nx: y", "ä", "x" * 2001]:
        with pytest.raises(WireError):
            form.headers(key)
