"""Reading anywhere in a sealed file, and damage anywhere in it: never wrong bytes, always an error of the vault's own."""

from __future__ import annotations

import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.vault.age import Identity, X25519Identity, open_bytes, open_seekable, open_stream, seal_bytes
from app.vault.header import AgeError
from app.vault.hybrid import HybridIdentity
from app.vault.stream import CHUNK, PayloadError, blocks, open_blocks

CLASSIC, HYBRID = X25519Identity(bytes(range(1, 33))), HybridIdentity(bytes(range(32)))
LONG = random.Random(7).randbytes(3 * CHUNK + 1000)
SEALED = seal_bytes(LONG, [CLASSIC.recipient])
START = len(SEALED) - len(LONG) - 4 * 16
"""Where the first chunk of `SEALED` lies."""


class Counted(io.BytesIO):
    """A file that counts the bytes read from it."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data


@given(st.lists(st.tuples(st.integers(0, len(LONG) + 10), st.integers(0, CHUNK + 10)), max_size=8))
def test_any_order_of_seeks_and_reads_gives_the_bytes_there(steps: list[tuple[int, int]]) -> None:
    reader = open_seekable(io.BytesIO(SEALED), [CLASSIC])
    for place, size in steps:
        reader.seek(place)
        assert reader.read(size) == LONG[place : place + size]


def test_a_seek_opens_nothing_of_what_lies_before() -> None:
    source = Counted(SEALED)
    reader = open_seekable(source, [CLASSIC])
    opened = source.taken
    reader.seek(2 * CHUNK + 5)
    assert reader.read(10) == LONG[2 * CHUNK + 5 : 2 * CHUNK + 15]
    assert opened < 10_000
    assert source.taken - opened == CHUNK + 16


@pytest.mark.parametrize("identity", [CLASSIC, HYBRID], ids=["x25519", "hybrid"])
def test_each_byte_of_a_small_file_flipped_is_noticed(identity: X25519Identity | HybridIdentity) -> None:
    sealed = seal_bytes(b"a small capture", [identity.recipient])
    for place in range(len(sealed)):
        for bit in (1, 128) if len(sealed) < 1000 else (1,):
            flipped = bytearray(sealed)
            flipped[place] ^= bit
            refuse(bytes(flipped), identity)


@pytest.mark.parametrize("identity", [CLASSIC, HYBRID], ids=["x25519", "hybrid"])
def test_a_small_file_cut_at_each_length_or_made_longer_is_noticed(identity: X25519Identity | HybridIdentity) -> None:
    sealed = seal_bytes(b"a small capture", [identity.recipient])
    for length in range(len(sealed)):
        refuse(sealed[:length], identity)
    refuse(sealed + b"\0", identity)
    refuse(sealed + sealed, identity)


def refuse(sealed: bytes, identity: Identity) -> None:
    with pytest.raises((AgeError, PayloadError)):
        open_bytes(sealed, [identity])
    with pytest.raises((AgeError, PayloadError)):
        open_seekable(io.BytesIO(sealed), [identity]).read()


@settings(max_examples=200)
@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_a_flip_in_a_long_file_spoils_its_own_chunk_and_no_other(place: int, mask: int) -> None:
    flipped = bytearray(SEALED)
    flipped[place] ^= mask
    number = (place - START) // (CHUNK + 16)
    if place < START or number == 3:
        with pytest.raises((AgeError, PayloadError)):
            open_seekable(io.BytesIO(bytes(flipped)), [CLASSIC])
        return
    reader = open_seekable(io.BytesIO(bytes(flipped)), [CLASSIC])
    for chunk in range(3):
        reader.seek(chunk * CHUNK)
        if chunk == number:
            with pytest.raises(PayloadError):
                reader.read(1)
        else:
            assert reader.read(CHUNK) == LONG[chunk * CHUNK : (chunk + 1) * CHUNK]


@given(st.permutations(range(4)), st.integers(0, 3), st.integers(0, 4))
def test_chunks_moved_left_out_or_doubled_are_noticed(order: list[int], left_out: int, double: int) -> None:
    chunks = [SEALED[START + i * (CHUNK + 16) : START + (i + 1) * (CHUNK + 16)] for i in range(4)]
    moved = [chunks[i] for i in order if not (double == 4 and i == left_out)]
    if double < 4:
        moved.insert(double, chunks[left_out])
    payload = b"".join(moved)
    assert payload != SEALED[START:]
    released = bytearray()

    def release() -> None:
        for piece in open_stream(io.BytesIO(SEALED[:START] + payload), [CLASSIC]):
            released.extend(piece)

    with pytest.raises(PayloadError):
        release()
    assert LONG.startswith(bytes(released))
    with pytest.raises(PayloadError):
        open_seekable(io.BytesIO(SEALED[:START] + payload), [CLASSIC]).read()


@given(st.integers(0, 5000), st.integers(1, 700))
def test_blocks_of_a_stream_and_of_bytes_are_the_same(size: int, block: int) -> None:
    data = LONG[:size]
    from_bytes = [(bytes(piece), last) for piece, last in blocks(data, block)]
    assert [(bytes(piece), last) for piece, last in blocks(io.BytesIO(data), block)] == from_bytes


def test_a_payload_opens_from_memory_as_from_a_stream() -> None:
    key = bytes(32)
    with pytest.raises(PayloadError):
        list(open_blocks(key, SEALED[START:]))
    with pytest.raises(PayloadError):
        list(open_blocks(key, b""))
