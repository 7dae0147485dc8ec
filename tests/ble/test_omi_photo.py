"""The photo assembler: the worked vectors, the boundary lengths, every flaw, and whatever hypothesis thinks of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ble.drivers.omi_photo import LARGEST_PHOTO, Begun, Flaw, Layout, Outcome, PhotoAssembler, Spoilt, Whole
from ble.drivers.omi_profile import END_OF_PHOTO
from ble.sim.omi import photo_chunks

VECTOR = (
    bytes.fromhex("FFD8FFE000104A46494600010100000100010000") + bytes((7 * i + 3) % 251 for i in range(20, 448)) + b"\xff\xd9"
)  # 450 bytes


def fresh() -> PhotoAssembler:
    """An assembler that has heard nothing for a while, and so expects the beginning of a photo."""
    assembler = PhotoAssembler(0.0)
    assembler.tick(10.0)
    return assembler


def fed(chunks: list[bytes], assembler: PhotoAssembler | None = None, *, at: float = 10.0, every: float = 0.01) -> list[Outcome]:
    """What comes of `chunks`."""
    assembler = assembler or fresh()
    outcomes: list[Outcome] = []
    for number, chunk in enumerate(chunks):
        outcomes += assembler.feed(chunk, at + number * every)
    return outcomes


def flaws(outcomes: list[Outcome]) -> list[Flaw]:
    return [outcome.flaw for outcome in outcomes if isinstance(outcome, Spoilt)]


def photo(jpeg: bytes, turns: int | None = 2) -> list[bytes]:
    return [*photo_chunks(jpeg, turns), END_OF_PHOTO]


def test_the_vector_is_the_one_worked_out_by_hand() -> None:
    assert hashlib.sha256(VECTOR).hexdigest() == "8ff5095f263f36786e2daf5a9d27c49c66a8f125c2b3f1ed23dede9c61743446"


def test_vector_a_new_layout() -> None:
    chunks = photo(VECTOR)
    assert [len(chunk) for chunk in chunks] == [202, 202, 53, 2]
    assert chunks[0].startswith(bytes.fromhex("000002FFD8FFE000104A4649"))
    assert chunks[0].endswith(bytes.fromhex("71787F86"))
    assert chunks[1].startswith(bytes.fromhex("01008D949BA2A9B0B7BEC5CC"))
    assert chunks[2].startswith(bytes.fromhex("0200232A31383F464D545B62"))
    assert chunks[2].endswith(bytes.fromhex("7178FFD9"))
    assert fed(chunks) == [Begun(Layout.NEW, 2), Whole(VECTOR, Layout.NEW, 2)]


def test_vector_b_old_layout() -> None:
    chunks = photo(VECTOR, None)
    assert [len(chunk) for chunk in chunks] == [202, 202, 52, 2]
    assert chunks[0].startswith(bytes.fromhex("0000FFD8FFE0"))
    assert chunks[1].startswith(bytes.fromhex("0100949BA2"))
    assert chunks[2].startswith(bytes.fromhex("02002A3138"))
    assert fed(chunks) == [Begun(Layout.OLD, None), Whole(VECTOR, Layout.OLD, None)]


@pytest.mark.parametrize(
    ("size", "lengths"),
    [(198, [201, 2]), (199, [202, 2]), (200, [202, 3, 2]), (399, [202, 202, 2]), (400, [202, 202, 3, 2])],
)
def test_boundary_lengths(size: int, lengths: list[int], make_jpeg: Callable[[int], bytes]) -> None:
    chunks = photo(make_jpeg(size))
    assert [len(chunk) for chunk in chunks] == lengths
    assert fed(chunks)[-1] == Whole(make_jpeg(size), Layout.NEW, 2)


def test_an_index_over_255(make_jpeg: Callable[[int], bytes]) -> None:
    chunks = photo(make_jpeg(60000))
    assert len(chunks) == 302
    assert chunks[256][:2] == b"\x00\x01"
    assert chunks[300][:2] == b"\x2c\x01"
    assert len(chunks[300]) == 3
    assert fed(chunks)[-1] == Whole(make_jpeg(60000), Layout.NEW, 2)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_turns_are_passed_on(turns: int) -> None:
    assert fed(photo(VECTOR, turns))[-1] == Whole(VECTOR, Layout.NEW, turns)


def test_two_photos_in_a_row() -> None:
    assert [type(outcome) for outcome in fed(photo(VECTOR) + photo(VECTOR, None))] == [Begun, Whole, Begun, Whole]


@pytest.mark.parametrize("k", [1, 2])
def test_a_lost_chunk_is_noticed_and_the_next_photo_arrives(k: int) -> None:
    chunks = photo(VECTOR)
    outcomes = fed(chunks[:k] + chunks[k + 1 :] + photo(VECTOR))
    assert flaws(outcomes) == ([Flaw.CHUNK_LOST] if k == 1 else [Flaw.END_MISSING])
    assert outcomes[-1] == Whole(VECTOR, Layout.NEW, 2)


def test_a_lost_beginning_is_counted_once() -> None:
    outcomes = fed(photo(VECTOR)[1:] + photo(VECTOR))
    assert [type(outcome) for outcome in outcomes] == [Spoilt, Begun, Whole]
    assert flaws(outcomes) == [Flaw.BEGINNING_MISSED]


def test_a_photo_that_began_before_the_link_is_not_counted() -> None:
    outcomes = fed(photo(VECTOR)[1:] + photo(VECTOR), PhotoAssembler(10.0))
    assert [type(outcome) for outcome in outcomes] == [Begun, Whole]


def test_a_doubled_chunk_is_dropped() -> None:
    chunks = photo(VECTOR)
    for k in range(len(chunks)):
        assert fed(chunks[: k + 1] + chunks[k:])[-1] == Whole(VECTOR, Layout.NEW, 2)


def test_swapped_chunks_are_noticed() -> None:
    a, b, c, end = photo(VECTOR)
    assert flaws(fed([a, c, b, end])) == [Flaw.CHUNK_LOST]
    assert flaws(fed([b, a, c, end])) == [Flaw.BEGINNING_MISSED, Flaw.CHUNK_LOST]


@pytest.mark.parametrize("room", [20, 100, 182, 201])
def test_chunks_cut_by_a_small_link_are_noticed(room: int, make_jpeg: Callable[[int], bytes]) -> None:
    assert flaws(fed([chunk[:room] for chunk in photo(make_jpeg(2000))])) == [Flaw.CHUNK_SHORT]


def test_a_missing_end_is_noticed_by_the_next_photo_or_by_time() -> None:
    chunks = photo(VECTOR)[:-1]
    outcomes = fed(chunks + photo(VECTOR))
    assert flaws(outcomes) == [Flaw.CHUNK_LOST]
    assert isinstance(outcomes[-1], Whole)
    assembler = fresh()
    fed(chunks, assembler)
    assert assembler.deadline == pytest.approx(10.02 + 3)
    assert assembler.tick(13.0) == ()
    assert assembler.tick(13.1) == (Spoilt(Flaw.STALLED),)
    assert assembler.tick(99.0) == ()


def test_a_stalled_photo_that_goes_on_is_not_counted_twice() -> None:
    chunks = photo(VECTOR)
    assembler = fresh()
    fed(chunks[:1], assembler)
    assert flaws(fed(chunks[1:], assembler, at=14.0)) == [Flaw.STALLED]


def test_a_photo_that_takes_a_minute_is_given_up(make_jpeg: Callable[[int], bytes]) -> None:
    outcomes = fed(photo(make_jpeg(10000)), every=2.0)
    assert flaws(outcomes) == [Flaw.TOO_SLOW]


def test_a_photo_too_large_is_given_up_before_it_is_held() -> None:
    outcomes = fed(photo(b"\xff\xd8" + bytes(LARGEST_PHOTO) + b"\xff\xd9"), every=0.001)
    assert flaws(outcomes) == [Flaw.TOO_LARGE]


@pytest.mark.parametrize("chunk", [b"\x00", b"\x00\x00", bytes(203), bytes(600)])
def test_impossible_sizes(chunk: bytes) -> None:
    assert flaws(fed([photo(VECTOR)[0], chunk])) == [Flaw.CHUNK_ODD]
    assert fed([chunk]) == []


def test_an_empty_notification_says_nothing() -> None:
    a, b, c, end = photo(VECTOR)
    assert fed([b"", a, b"", b, b"", c, end, b""])[-1] == Whole(VECTOR, Layout.NEW, 2)


@pytest.mark.parametrize("beginning", [b"\x00\x00\x04\xff\xd8", b"\x00\x00\x00\x00\xff\xd8", b"\x00\x00GIF89a", b"\x00\x00\xff"])
def test_what_does_not_begin_as_a_picture(beginning: bytes) -> None:
    outcomes = fed([beginning.ljust(202, b"\x01"), b"\x01\x00" + bytes(200), END_OF_PHOTO])
    assert outcomes == [Spoilt(Flaw.NOT_A_PICTURE)]


@pytest.mark.parametrize(("padding", "whole"), [(0, True), (16, True), (17, False)])
def test_a_few_zero_bytes_after_the_end_are_kept_as_they_came(padding: int, whole: bool) -> None:
    jpeg = VECTOR + bytes(padding)
    assert fed(photo(jpeg))[-1] == (Whole(jpeg, Layout.NEW, 2) if whole else Spoilt(Flaw.END_MISSING))


def test_a_lost_link_spoils_what_is_under_way_and_nothing_else() -> None:
    assembler = fresh()
    fed(photo(VECTOR)[:2], assembler)
    assert assembler.receiving
    assert assembler.lost() == (Spoilt(Flaw.LINK_LOST),)
    assert assembler.lost() == ()
    assert assembler.deadline is None
    assert fresh().lost() == ()


def test_a_stray_end_says_nothing() -> None:
    assert fed([END_OF_PHOTO, END_OF_PHOTO]) == []


CHUNKS = st.one_of(
    st.binary(max_size=250),
    st.sampled_from(photo(VECTOR) + photo(VECTOR, None)),
    st.tuples(st.integers(0, 5), st.binary(min_size=200, max_size=200)).map(lambda pair: pair[0].to_bytes(2, "little") + pair[1]),
)


@given(st.lists(st.tuples(CHUNKS, st.floats(0, 4)), max_size=40))
def test_whatever_is_fed_nothing_raises_and_each_photo_ends_once(feed: list[tuple[bytes, float]]) -> None:
    assembler, now, begun, ended = PhotoAssembler(0.0), 0.0, 0, 0
    for chunk, pause in feed:
        now += pause
        for outcome in assembler.feed(chunk, now):
            begun += isinstance(outcome, Begun)
            if isinstance(outcome, Whole):
                ended += 1
                assert outcome.jpeg.startswith(b"\xff\xd8")
                assert outcome.jpeg.rstrip(b"\x00").endswith(b"\xff\xd9")
            if isinstance(outcome, Spoilt) and outcome.flaw not in (Flaw.BEGINNING_MISSED, Flaw.NOT_A_PICTURE):
                ended += 1
    ended += len(assembler.lost())
    assert begun == ended


@given(
    st.binary(min_size=0, max_size=1500).map(lambda body: b"\xff\xd8" + body + b"\xff\xd9"),
    st.sampled_from([None, 0, 1, 2, 3]),
    st.randoms(use_true_random=False),
    st.sampled_from(["lose", "swap", "cut"]),
)
def test_a_harmed_stream_never_yields_another_picture(jpeg: bytes, turns: int | None, chance: object, harm: str) -> None:
    chunks = list(photo_chunks(jpeg, turns))
    if turns is None and jpeg[:1] <= b"\x03" and jpeg[1:3] == b"\xff\xd8":
        return  # cannot be told from the new layout; no JPEG begins so
    k = chance.randrange(len(chunks))  # type: ignore[attr-defined]
    harmed = list(chunks)
    if harm == "lose":
        del harmed[k]
    elif harm == "swap" and k + 1 < len(chunks):
        harmed[k], harmed[k + 1] = harmed[k + 1], harmed[k]
    elif harm == "cut" and len(chunks[k]) > 3:
        harmed[k] = chunks[k][: chance.randrange(2, len(chunks[k]))]  # type: ignore[attr-defined]
    for outcome in fed([*harmed, END_OF_PHOTO]):
        if isinstance(outcome, Whole) and outcome.jpeg != jpeg:
            # The stream has no checksum: cut exactly where the picture's own bytes look like an end, or without its last chunk(s)
            # where they do, it can't be told. A whole decode of the picture does.
            assert jpeg.startswith(outcome.jpeg)
            assert outcome.jpeg.rstrip(b"\x00").endswith(b"\xff\xd9")
