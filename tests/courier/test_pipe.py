"""Frames of the courier's pipe: every message comes back as it was, and nothing else is taken for one."""

from __future__ import annotations

import io
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.courier.pipe import (
    MAX_BODY,
    MAX_HEADER,
    Answer,
    Cancel,
    End,
    Ending,
    Fetch,
    Head,
    Hello,
    Message,
    More,
    PipeError,
    Progress,
    Quit,
    Send,
    Status,
    decode,
    encode,
    read,
)

TEXT = st.text(max_size=20)
COUNT = st.integers(0, 2**53)
SECONDS = st.floats(0, 1e9)
HEADERS_OF_HTTP = st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple)
BODY = st.binary(max_size=50)
MESSAGES = st.one_of(
    st.builds(
        Send,
        parcel_id=TEXT,
        approval_id=TEXT,
        approved_sha256=TEXT,
        approved_size=COUNT,
        approved_origin=TEXT,
        approved_method=TEXT,
        approved_path=TEXT,
        expires_at=SECONDS,
        origin=TEXT,
        method=TEXT,
        path=TEXT,
        headers=HEADERS_OF_HTTP,
        loopback_only=st.booleans(),
        max_answer=COUNT,
        connect_timeout=SECONDS,
        idle_timeout=SECONDS,
        total_timeout=SECONDS,
        body=BODY,
    ),
    st.builds(Fetch, TEXT, TEXT, COUNT, st.booleans(), TEXT, TEXT, HEADERS_OF_HTTP, COUNT, COUNT, SECONDS, SECONDS, SECONDS, BODY),
    st.builds(More, TEXT, COUNT),
    st.builds(Cancel, TEXT),
    st.just(Quit()),
    st.builds(Hello, TEXT, TEXT, st.booleans(), COUNT),
    st.builds(Progress, TEXT, COUNT),
    st.builds(Status, TEXT, COUNT, TEXT, TEXT),
    st.builds(Head, TEXT, COUNT, HEADERS_OF_HTTP),
    st.builds(Answer, TEXT, BODY),
    st.builds(End, TEXT, COUNT, st.none() | COUNT, st.sampled_from(Ending), TEXT),
)


def frame(header: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">IQ", len(header), len(body)) + header + body


@given(st.lists(MESSAGES, max_size=4))
def test_messages_come_back(messages: list[Message]) -> None:
    stream = io.BytesIO(b"".join(encode(message) for message in messages))
    assert [read(stream) for _ in messages] == messages
    assert read(stream) is None


def test_the_format_is_as_written() -> None:
    assert encode(Cancel("p")) == b"\x00\x00\x00\x21" + bytes(8) + b'{"kind":"cancel","parcel_id":"p"}'


@given(MESSAGES, st.data())
def test_a_frame_cut_short(message: Message, data: st.DataObject) -> None:
    whole = encode(message)
    cut = data.draw(st.integers(1, len(whole) - 1))
    with pytest.raises(PipeError):
        read(io.BytesIO(whole[:cut]))


@given(st.binary(max_size=200))
def test_garbage_is_an_error_or_a_clean_end(data: bytes) -> None:
    stream = io.BytesIO(data)
    try:
        message = read(stream)
    except PipeError:
        return
    assert message is None or encode(message) == data[: stream.tell()]


@given(st.dictionaries(st.sampled_from(["kind", "parcel_id", "sent", "x"]), st.none() | st.booleans() | st.integers() | TEXT | st.floats()))
def test_headers_of_other_shapes(header: dict[str, object]) -> None:
    try:
        message = decode(json.dumps(header).encode(), b"")
    except PipeError:
        return
    assert message.kind == header["kind"]


HEADERS = [
    b"",
    b"[]",
    b"null",
    b"{}",
    b'{"kind":5}',
    b'{"kind":"nothing"}',
    b'{"kind":"quit","more":1}',
    b'{"kind":"cancel"}',
    b'{"kind":"cancel","parcel_id":5}',
    b'{"kind":"progress","parcel_id":"p","sent":-1}',
    b'{"kind":"progress","parcel_id":"p","sent":true}',
    b'{"kind":"progress","parcel_id":"p","sent":1.5}',
    b'{"kind":"progress","parcel_id":"p","sent":9007199254740993}',
    b'{"kind":"end","parcel_id":"p","sent":1,"status":null,"ending":"glorious","detail":""}',
    b'{"kind":"end","parcel_id":"p","sent":1,"status":null,"ending":[],"detail":""}',
    b"[" * 60_000,
    b"\xff",
]


@pytest.mark.parametrize("header", HEADERS, ids=range(len(HEADERS)))
def test_what_is_no_message(header: bytes) -> None:
    with pytest.raises(PipeError):
        read(io.BytesIO(frame(header)))


def test_wrong_types_in_an_order() -> None:
    order = encode(Send("p", "a", "d", 1, "o", "m", "/", 1.0, "o", "m", "/", (("n", "v"),), True, 1, 1.0, 1.0, 1.0, b""))
    header = json.loads(order[12:])
    for name, value in [("expires_at", "soon"), ("expires_at", float("nan")), ("loopback_only", 1), ("headers", [["a"]]), ("headers", "x")]:
        with pytest.raises(PipeError):
            decode(json.dumps(header | {name: value}).encode(), b"")


def test_a_body_where_none_belongs() -> None:
    with pytest.raises(PipeError):
        read(io.BytesIO(frame(b'{"kind":"quit"}', b"x")))


class Endless(io.RawIOBase):
    """A stream that would give whatever is asked of it."""

    def __init__(self, head: bytes) -> None:
        self._head = head
        self.given = 0

    def read(self, size: int = -1) -> bytes:
        out, self._head = self._head[:size], self._head[size:]
        self.given += len(out)
        return out


@pytest.mark.parametrize(("header", "body"), [(MAX_HEADER + 1, 0), (10, MAX_BODY + 1), (2**32 - 1, 2**64 - 1)])
def test_lengths_are_checked_before_anything_is_read(header: int, body: int) -> None:
    stream = Endless(struct.pack(">IQ", header, body) + b"x" * 100)
    with pytest.raises(PipeError):
        read(stream)  # type: ignore[arg-type]
    assert stream.given == 12


def test_messages_too_large_to_write() -> None:
    with pytest.raises(PipeError):
        encode(Cancel("x" * MAX_HEADER))
    with pytest.raises(PipeError):
        encode(Answer("p", bytes(MAX_BODY + 1)))


def test_secrets_are_not_shown() -> None:
    order = Send("p", "a", "d", 1, "o", "m", "/", 1.0, "o", "m", "/", (("authorization", "sk-1"),), True, 1, 1.0, 1.0, 1.0, b"picture")
    assert "sk-1" not in repr(order)
    assert "picture" not in repr(order)
