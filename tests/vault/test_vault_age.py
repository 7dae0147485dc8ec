"""Sealed files made here: round trips, random access against plain bytes, and damage of every byte and at every length."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.vault import bech32, header
from app.vault.age import (
    FILE_KEY,
    Passphrase,
    X25519Identity,
    X25519Recipient,
    open_bytes,
    open_key,
    open_seekable,
    open_stream,
    seal,
    seal_bytes,
)
from app.vault.header import AgeError, HeaderError, KeyTextError, KeyWiped, NoMatch, Stanza, VersionError
from app.vault.stream import BLOCK, CHUNK, PayloadError, Sealer, blocks, plain_size, sealed_size

IDENTITY = X25519Identity(bytes(range(32)))
SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, BLOCK - 1, BLOCK, BLOCK + 1, BLOCK + CHUNK)


def pattern(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("as_file", [False, True])
def test_round_trip_at_the_edges_of_chunks_and_blocks(size: int, as_file: bool) -> None:
    data = pattern(size)
    sealed = b"".join(map(bytes, seal(io.BytesIO(data) if as_file else data, [IDENTITY.recipient])))
    assert open_bytes(sealed, [IDENTITY]) == data
    reader = open_seekable(io.BytesIO(sealed), [IDENTITY])
    assert reader.size == size
    assert reader.read() == data
    header_size = header.read_header(io.BytesIO(sealed)).length
    assert len(sealed) == header_size + 16 + sealed_size(size)
    assert plain_size(sealed_size(size)) == size


def test_a_source_that_gives_little_at_a_time_is_sealed_whole() -> None:
    class Dribble(io.BytesIO):
        def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
            return super().readinto(buffer[:1000])

    class OnlyRead:
        def __init__(self, data: bytes) -> None:
            self._inner = io.BytesIO(data)

        def read(self, size: int) -> bytes:
            return self._inner.read(min(size, 1000))

    for size in (0, 1, 2 * CHUNK, 2 * CHUNK + 5, BLOCK, BLOCK + 5):
        data = pattern(size)
        for source in (Dribble(data), OnlyRead(data)):
            assert open_bytes(b"".join(map(bytes, seal(source, [IDENTITY.recipient]))), [IDENTITY]) == data  # type: ignore[arg-type]


@given(st.binary(max_size=300), st.lists(st.tuples(st.integers(-10, 400), st.integers(0, 400)), max_size=10))
@settings(max_examples=60, deadline=None)
def test_random_access_equals_plain_bytes(tail: bytes, reads: Sequence[tuple[int, int]]) -> None:
    data = pattern(2 * CHUNK) + tail
    reader = open_seekable(io.BytesIO(seal_bytes(data, [IDENTITY.recipient])), [IDENTITY])
    plain = io.BytesIO(data)
    for around, size in reads:
        for base in (0, CHUNK, 2 * CHUNK):
            at = max(0, base + around - 200)
            assert reader.seek(at) == plain.seek(at)
            assert reader.read(size) == plain.read(size)
            assert reader.tell() == plain.tell()
    assert reader.seek(-1, io.SEEK_END) == len(data) - 1
    assert reader.read(5) == data[-1:]
    assert reader.read(5) == b""


def test_the_reader_opens_only_the_chunks_it_is_asked_for() -> None:
    data = pattern(40 * CHUNK)
    sealed = bytearray(seal_bytes(data, [IDENTITY.recipient]))
    sealed[len(sealed) // 2] ^= 1
    reader = open_seekable(io.BytesIO(sealed), [IDENTITY])
    assert reader.read(CHUNK) == data[:CHUNK]
    reader.seek(30 * CHUNK)
    assert reader.read() == data[30 * CHUNK :]
    reader.seek(0)
    with pytest.raises(PayloadError):
        reader.read()


def test_more_chunks_than_are_kept_read_back_right() -> None:
    data = pattern(40 * CHUNK)
    reader = open_seekable(io.BytesIO(seal_bytes(data, [IDENTITY.recipient])), [IDENTITY])
    for number in (0, 39, 20, 0, *range(40), 0):
        reader.seek(number * CHUNK)
        assert reader.read(100) == data[number * CHUNK : number * CHUNK + 100]


def test_a_reader_can_be_seeked_like_a_file() -> None:
    reader = open_seekable(io.BytesIO(seal_bytes(b"0123456789", [IDENTITY.recipient])), [IDENTITY])
    assert reader.readable()
    assert reader.seekable()
    assert not reader.writable()
    assert reader.seek(4) == 4
    assert reader.seek(2, io.SEEK_CUR) == 6
    buffer = bytearray(8)
    assert reader.readinto(buffer) == 4
    assert buffer[:4] == b"6789"
    assert reader.readall() == b""
    with pytest.raises(ValueError, match="before the start"):
        reader.seek(-1)
    with pytest.raises(KeyError):
        reader.seek(0, 9)
    reader.close()
    reader.close()
    with pytest.raises(ValueError, match="closed"):
        reader.read(1)


def test_a_revoked_reader_raises_and_forgets() -> None:
    reader = open_seekable(io.BytesIO(seal_bytes(b"0123456789", [IDENTITY.recipient])), [IDENTITY])
    assert reader.read(3) == b"012"
    reader.revoke(RuntimeError("locked"))
    for _ in range(2):
        with pytest.raises(RuntimeError, match="locked"):
            reader.read(1)
    reader.seek(0, io.SEEK_END)
    with pytest.raises(RuntimeError, match="locked"):
        reader.read(1)
    reader.close()


def test_every_changed_byte_is_noticed() -> None:
    sealed = seal_bytes(b"the picture", [IDENTITY.recipient])
    for at in range(len(sealed)):
        for bit in (0x01, 0x20, 0x80):
            damaged = bytearray(sealed)
            damaged[at] ^= bit
            with pytest.raises((AgeError, PayloadError)):
                open_bytes(bytes(damaged), [IDENTITY])
            with pytest.raises((AgeError, PayloadError)):
                open_seekable(io.BytesIO(damaged), [IDENTITY]).read()


def test_every_cut_and_every_addition_is_noticed() -> None:
    sealed = seal_bytes(b"the picture", [IDENTITY.recipient])
    for length in range(len(sealed)):
        with pytest.raises((AgeError, PayloadError)):
            open_bytes(sealed[:length], [IDENTITY])
        with pytest.raises((AgeError, PayloadError)):
            open_seekable(io.BytesIO(sealed[:length]), [IDENTITY])
    for more in (1, 16, 17, CHUNK):
        with pytest.raises(PayloadError):
            open_bytes(sealed + bytes(more), [IDENTITY])


def test_chunks_cut_off_swapped_or_left_out_are_noticed_and_named() -> None:
    data = pattern(4 * CHUNK)
    sealed = seal_bytes(data, [IDENTITY.recipient])
    start = header.read_header(io.BytesIO(sealed)).length + 16
    chunks = [sealed[start + i * (CHUNK + 16) : start + (i + 1) * (CHUNK + 16)] for i in range(4)]

    def why(order: Sequence[int]) -> str:
        whole = sealed[:start] + b"".join(chunks[i] for i in order)
        with pytest.raises(PayloadError) as caught:
            open_bytes(whole, [IDENTITY])
        with pytest.raises(PayloadError):
            open_seekable(io.BytesIO(whole), [IDENTITY]).read()
        return str(caught.value)

    assert why([0, 1, 2]) == "Its end is missing."
    assert why([]) == "Its end is missing."
    assert why([0, 1, 2, 3, 3]) == "Something was added after its end."
    assert why([1, 0, 2, 3]) == "A part of it was changed or cut."
    assert why([0, 2, 3]) == "A part of it was changed or cut."


def test_what_was_read_before_the_damage_is_the_true_beginning() -> None:
    data = pattern(20 * CHUNK)
    sealed = bytearray(seal_bytes(data, [IDENTITY.recipient]))
    sealed[-CHUNK - 100] ^= 1
    got = bytearray()
    pieces = open_stream(io.BytesIO(sealed), [IDENTITY])

    def read_on() -> None:
        for piece in pieces:
            got.extend(piece)

    with pytest.raises(PayloadError):
        read_on()
    assert got == data[: 18 * CHUNK]


def test_two_recipients_open_the_same_file_and_a_stranger_does_not() -> None:
    other, stranger = X25519Identity.generate(), X25519Identity.generate()
    sealed = seal_bytes(b"x", [IDENTITY.recipient, other.recipient])
    assert open_bytes(sealed, [other]) == open_bytes(sealed, [stranger, IDENTITY]) == b"x"
    with pytest.raises(NoMatch):
        open_bytes(sealed, [stranger])
    with pytest.raises(NoMatch):
        open_bytes(sealed, [Passphrase("x", 1)])


def test_sealing_the_same_bytes_twice_looks_different() -> None:
    one, two = (seal_bytes(b"same", [IDENTITY.recipient]) for _ in range(2))
    assert one[-20:] != two[-20:]
    assert one[30:80] != two[30:80]


def test_passphrases() -> None:
    sealed = seal_bytes(b"x", [Passphrase("päss\udc80", 2)])
    assert open_bytes(sealed, [Passphrase("päss\udc80", 9)]) == b"x"
    with pytest.raises(NoMatch):
        open_bytes(sealed, [Passphrase("pass", 2)])
    with pytest.raises(HeaderError, match="too large"):
        open_bytes(sealed, [Passphrase("päss\udc80", limit=1)])


def test_a_passphrase_stands_alone() -> None:
    key = bytes(FILE_KEY)
    mixed = header.write_header([Passphrase("p", 1).wrap(key), IDENTITY.recipient.wrap(key)], key) + bytes(32)
    for identity in (Passphrase("p"), IDENTITY):
        with pytest.raises(HeaderError, match="beside"):
            open_bytes(mixed, [identity])


@pytest.mark.parametrize(
    "order", [bytes(32), b"\x01" + bytes(31), bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
)
def test_keys_of_low_order_are_refused_both_ways(order: bytes) -> None:
    with pytest.raises(KeyTextError, match="low order"):
        X25519Recipient(order).wrap(bytes(FILE_KEY))
    stanza = Stanza(("X25519", header.b64(order).decode()), bytes(32))
    with pytest.raises(HeaderError, match="low order"):
        IDENTITY.unwrap([stanza])


def test_a_file_key_of_another_length_is_refused() -> None:
    class Odd:
        def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
            return b"short"

    with pytest.raises(HeaderError, match="wrong length"):
        open_key(io.BytesIO(seal_bytes(b"x", [IDENTITY.recipient])), [Odd()])


def test_another_version_is_told_apart_from_rubbish() -> None:
    with pytest.raises(VersionError):
        open_bytes(b"age-encryption.org/v2\n-> X\n\n--- x\n", [IDENTITY])
    for rubbish in (b"", b"age-encryption.org/v1", b"\xff\xd8\xff" * 100, b"age-encryption.org/v1\r\n"):
        with pytest.raises(HeaderError) as caught:
            open_bytes(rubbish, [IDENTITY])
        assert isinstance(caught.value, VersionError) == rubbish.endswith(b"\r\n")


def test_headers_are_bounded_before_they_are_read() -> None:
    endless = header.VERSION_LINE + b"-> X " + b"a" * (header.LARGEST_HEADER + 100)
    source = io.BytesIO(endless)
    with pytest.raises(HeaderError, match="too long"):
        header.read_header(source)
    assert source.tell() <= header.LARGEST_HEADER + 100
    with pytest.raises(HeaderError, match="too many"):
        header.read_header(io.BytesIO(header.VERSION_LINE + b"-> X\n\n" * 100 + b"--- x\n"))


def test_long_stanza_bodies_survive_writing_and_parsing() -> None:
    for size in (0, 1, 47, 48, 49, 96, 1000):
        stanza = Stanza(("example.com/x", "!~"), pattern(size))
        parsed = header.read_header(io.BytesIO(header.write_header([stanza], bytes(16))))
        assert parsed.stanzas == (stanza,)


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_any_header_is_parsed_or_refused_by_name(tail: bytes) -> None:
    try:
        parsed = header.read_header(io.BytesIO(header.VERSION_LINE + b"-> " + tail))
    except HeaderError:
        return
    assert parsed.stanzas


@given(st.binary(min_size=1, max_size=80))
def test_bech32_round_trip(data: bytes) -> None:
    text = bech32.encode("age", data)
    assert bech32.decode(text) == bech32.decode(text.upper()) == ("age", data)
    swapped = text[:-1] + ("q" if text[-1] != "q" else "p")
    with pytest.raises(bech32.Bech32Error):
        bech32.decode(swapped)


@pytest.mark.parametrize("text", ["Age1qqqqqq", "1qqqqqqq", "qqqqqqq", "age1qqqqq", "age1bbbbbbb", "ä1qqqqqqq", "age1qqqqqqqq", "x" * 9000])
def test_what_is_not_bech32_is_refused(text: str) -> None:
    with pytest.raises(bech32.Bech32Error):
        bech32.decode(text)


def test_bech32_padding_must_be_zero_and_short() -> None:
    # Vectors of BIP 173's kind, made by hand: one with padding that is not zero, one with a needless group.
    for values in ([31], [0, 0, 0]):
        check = bech32._polymod([*bech32._expand("age"), *values, *([0] * 6)]) ^ 1
        text = "age1" + "".join(bech32._LETTERS[v] for v in [*values, *[check >> 5 * (5 - i) & 31 for i in range(6)]])
        with pytest.raises(bech32.Bech32Error, match="padding"):
            bech32.decode(text)


def test_a_wiped_identity_gives_no_key() -> None:
    identity = X25519Identity.generate()
    identity.wipe()
    with pytest.raises(KeyWiped):
        identity.text()
    with pytest.raises(KeyWiped):
        identity.subkey(b"x")


def test_blocks_must_be_whole_chunks() -> None:
    with pytest.raises(ValueError, match="whole chunks"):
        Sealer(bytes(32)).seal(memoryview(b"short"), last=False)
    assert [(bytes(block), last) for block, last in blocks(b"")] == [(b"", True)]
