"""Frames and messages between Eyelid and the process that looks, good and hostile."""

from __future__ import annotations

import io
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.media.look.boxes import Box
from app.media.look.pipe import MAX_HEADER, MAX_REGIONS, Done, Found, Hello, Look, Message, PipeError, decode, encode, read
from app.media.look.types import Check, Kind, Part, Region

words = st.text("abcXYZ019 .,:'()/-", max_size=120)
places = st.tuples(st.integers(0, 99), st.integers(0, 49), st.integers(1, 100), st.integers(1, 50)).map(
    lambda four: Box(min(four[0], four[2] - 1), min(four[1], four[3] - 1), four[2], four[3])
)
regions = st.builds(Region, st.sampled_from(Kind), places, st.floats(0, 1), st.booleans(), st.integers(0, 99), words)
founds = st.builds(
    lambda part, some, traces: Found(Check(part, True), 100, 50, tuple(some), tuple(traces)),
    st.sampled_from(Part),
    st.lists(regions, max_size=5),
    st.lists(words, max_size=5),
)
looks = st.builds(
    Look, st.sampled_from(["image/jpeg", "image/png"]), st.integers(1, 8), st.permutations(list(Part)).map(tuple), st.binary(max_size=99)
)
messages = st.one_of(
    founds,
    looks,
    st.builds(Hello, st.booleans()),
    st.just(Done()),
    st.builds(lambda part, reason: Found(Check(part, False, reason)), st.sampled_from(Part), words),
)


class Dribble(io.RawIOBase):
    """A stream that gives what it has in pieces of one size."""

    def __init__(self, data: bytes, piece: int) -> None:
        self._data, self._piece = data, piece

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        part, self._data = self._data[: min(size, self._piece)], self._data[min(size, self._piece) :]
        return part


@given(st.lists(messages, max_size=4), st.integers(1, 50))
def test_what_is_written_is_read(several: list[Message], piece: int) -> None:
    stream = Dribble(b"".join(map(encode, several)), piece)
    assert [read(stream) for _ in several] == several
    assert read(stream) is None


@given(messages, st.data())
def test_a_cut_pipe_is_noticed(message: Message, data: st.DataObject) -> None:
    frame = encode(message)
    cut = data.draw(st.integers(1, len(frame) - 1))
    with pytest.raises(PipeError):
        read(io.BytesIO(frame[:cut]))


@given(st.binary(max_size=60), st.binary(max_size=20))
def test_noise_is_no_message(header: bytes, body: bytes) -> None:
    with pytest.raises(PipeError):
        decode(header, body)


def test_frames_too_large_are_refused_before_they_are_read() -> None:
    for lengths in ((MAX_HEADER + 1, 0), (2, 64 * 1024 * 1024 + 1)):
        with pytest.raises(PipeError, match="too large"):
            read(io.BytesIO(struct.pack(">II", *lengths)))
    with pytest.raises(PipeError, match="too large"):
        encode(Look("image/jpeg", 1, (), bytes(64 * 1024 * 1024 + 1)))
    with pytest.raises(PipeError, match="too large"):
        encode(Found(Check(Part.FACES, True, "a" * MAX_HEADER)))


GOOD = {
    "kind": "Found",
    "check": ["faces", True, ""],
    "size": [100, 50],
    "regions": [["face", [1, 2, 30, 40], 0.5, True, 0, ""]],
    "traces": [],
}
ROW = ["face", [1, 2, 30, 40], 0.5, True, 0, ""]


def changed(row: int, value: object) -> dict[str, object]:
    return GOOD | {"regions": [[*ROW[:row], value, *ROW[row + 1 :]]]}


@pytest.mark.parametrize(
    "bad",
    [
        [],
        {"kind": "Quit"},
        {"kind": ["Found"]},
        {"kind": "Hello"},
        {"kind": "Hello", "confined": 1},
        {"kind": "Done", "more": 1},
        GOOD | {"more": 1},
        GOOD | {"check": ["faces", True]},
        GOOD | {"check": ["souls", True, ""]},
        GOOD | {"check": ["faces", 1, ""]},
        GOOD | {"check": ["faces", False, "no reason to find something"]},
        GOOD | {"check": ["faces", True, "<b>click</b>"]},
        GOOD | {"check": ["faces", True, "line\nline"]},
        GOOD | {"size": [100]},
        GOOD | {"size": [100, 80_000_001]},
        GOOD | {"size": [True, 50]},
        GOOD | {"size": [20, 50]},
        GOOD | {"regions": [ROW] * (MAX_REGIONS + 1)},
        GOOD | {"regions": [ROW[:5]]},
        GOOD | {"traces": ["a" * 121]},
        GOOD | {"traces": ["a"] * 65},
        GOOD | {"traces": "location"},
        changed(0, "soul"),
        changed(1, [1, 2, 30]),
        changed(1, [30, 2, 1, 40]),
        changed(1, [-1, 2, 30, 40]),
        changed(1, [1, 2, 30, 51]),
        changed(1, [1.5, 2, 30, 40]),
        changed(2, 1.1),
        changed(2, "1"),
        changed(3, "yes"),
        changed(4, -1),
        changed(5, "https://evil.example/?q"),
        {"kind": "Look", "media_type": "image/jpeg", "orientation": 9, "parts": []},
        {"kind": "Look", "media_type": "image/jpeg", "orientation": 1, "parts": ["souls"]},
        {"kind": "Look", "media_type": "image/jpeg", "orientation": 1, "parts": ["faces"] * 5},
    ],
)
def test_anything_else_is_refused(bad: object) -> None:
    assert isinstance(decode(json.dumps(GOOD).encode(), b""), Found)
    with pytest.raises(PipeError):
        decode(json.dumps(bad).encode(), b"")


def test_only_a_look_has_a_body() -> None:
    with pytest.raises(PipeError):
        decode(json.dumps(GOOD).encode(), b"x")
    assert decode(b'{"kind":"Done"}', b"") == Done()
    with pytest.raises(PipeError):
        decode(b'{"kind":' * 100_000, b"")


def test_no_picture_in_what_is_printed() -> None:
    assert "secret" not in repr(Look("image/jpeg", 1, (Part.FACES,), b"secret"))
