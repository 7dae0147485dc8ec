"""Server-sent events: any split gives the same events, and nothing grows without bound."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.assistants.sse import MAX_EVENT, EventLines, TooLong

STREAM = (
    b'\xef\xbb\xbf: hello\r\ndata: {"a": "\xc3\xa4\xe2\x82\xac"}\r\n\r\n'
    b"event: x\rid: 1\rdata: one\rdata:two\r\r"
    b"\ndata\ndata:  three\n\n: end\n\n"
)
EVENTS = ['{"a": "ä€"}', "one\ntwo", "\n three"]


def read(pieces: list[bytes]) -> list[str]:
    lines = EventLines()
    return [event for piece in pieces for event in lines.feed(piece)] + lines.close()


def test_events_of_every_line_ending() -> None:
    assert read([STREAM]) == EVENTS


@pytest.mark.parametrize("at", range(len(STREAM) + 1))
def test_any_split_in_two(at: int) -> None:
    assert read([STREAM[:at], STREAM[at:]]) == EVENTS


def test_byte_by_byte() -> None:
    assert read([STREAM[i : i + 1] for i in range(len(STREAM))]) == EVENTS


def test_an_event_without_its_empty_line_is_not_lost() -> None:
    assert read([b"data: left"]) == ["left"]
    assert read([b"data: left\n"]) == ["left"]
    assert read([b"event: nothing"]) == []


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
def test_garbage_reads_the_same_however_it_is_split(data: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    assert read([data[a:b] for a, b in pairwise(edges)]) == read([data])


@pytest.mark.parametrize(
    "piece", [b"x" * 20_000, b"data: " + b"x" * 20_000 + b"\n", b"data\n" * 100_000], ids=["line", "event", "empty lines"]
)
def test_endless_events_stop(piece: bytes) -> None:
    lines = EventLines()

    def feed_on() -> None:
        for _ in range(MAX_EVENT // 15_000):
            assert lines.feed(piece) == []

    with pytest.raises(TooLong):
        feed_on()
