"""Putting photos together: every flaw is noticed, nothing raises, and no damaged photo passes for whole."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ble.drivers import brilliant_profile as profile
from ble.drivers.brilliant_stream import (
    AppStream,
    Battery,
    Begun,
    Flaw,
    Heard,
    Outcome,
    PhotoStream,
    Refused,
    Spoilt,
    StockStream,
    Whole,
    plain,
)
from ble.drivers.jpeg_size import jpeg_size


def jpeg(width: int = 720, height: int = 720, size: int = 900) -> bytes:
    head = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x02\x00\x00\x64\x00\x64\x00\x00\xff\xc0\x00\x11\x08"
    head += height.to_bytes(2, "big") + width.to_bytes(2, "big") + b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01\xff\xda\x00\x0c"
    return head + bytes((7 * i + 3) % 251 for i in range(size)) + b"\xff\xd9"


def app_packets(picture: bytes, *, photo: int = 1, token: int = 7, step: int = 240) -> list[bytes]:
    cut = [picture[at : at + step] for at in range(0, len(picture), step)]
    pieces = [b"\x21" + number.to_bytes(2, "big") + piece for number, piece in enumerate(cut)]
    start = b"\x20" + photo.to_bytes(2, "big") + bytes([token]) + b"\x02\xd0"
    return [start, *pieces, b"\x22" + photo.to_bytes(2, "big") + len(cut).to_bytes(2, "big") + len(picture).to_bytes(4, "big")]


def stock_packets(picture: bytes, step: int = 240) -> list[bytes]:
    return [*(b"\x07" + picture[at : at + step] for at in range(0, len(picture), step)), b"\x08"]


def feed(stream: PhotoStream, packets: Sequence[bytes], now: float = 0.0) -> list[Outcome]:
    return [outcome for packet in packets for outcome in stream.feed(packet, now)]


def app() -> AppStream:
    return AppStream(profile.FRAME)


def stock() -> StockStream:
    return StockStream(profile.FRAME)


def test_golden_packets() -> None:
    """One photo of our app, byte for byte as `ble/PROTOCOLS.md` has it."""
    picture = jpeg(size=0)
    told = bytes.fromhex("20 0001 07 02D0"), b"\x21\x00\x00" + picture[:30], b"\x21\x00\x01" + picture[30:]
    end = bytes.fromhex("22 0001 0002 0000002D")
    assert len(picture) == 0x2D
    outcomes = feed(app(), [bytes.fromhex("251007"), *told, end, bytes.fromhex("24571e")])
    assert outcomes == [Heard(0x10, 7), Begun(7), Whole(picture), Battery(87)]
    assert feed(app(), [bytes.fromhex("23 0001 07") + b"stopped"]) == [Refused(7, "stopped")]


@pytest.mark.parametrize(("stream", "packets"), [(app(), app_packets(jpeg())), (stock(), stock_packets(jpeg()))])
def test_photos_one_after_the_other(stream: PhotoStream, packets: list[bytes]) -> None:
    for _ in range(3):
        outcomes = feed(stream, packets)
        assert isinstance(outcomes[0], Begun)
        assert outcomes[-1] == Whole(jpeg())
        assert not stream.receiving


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        (lambda p: p[:3] + p[4:], Flaw.PIECE_LOST),
        (lambda p: [p[0], p[2], p[1], *p[3:]], Flaw.PIECE_LOST),
        (lambda p: p[1:], Flaw.BEGINNING_MISSED),
        (lambda p: [*p[:-1], p[-1][:-1] + b"\x00"], Flaw.TOTAL_WRONG),
        (lambda p: [*p[:-2], p[-1]], Flaw.PIECE_LOST),
        (lambda p: [*p[:-1], b"\x22\x00\x02" + p[-1][3:]], Flaw.PIECE_LOST),
        (lambda p: [p[0], b"\x21\x00\x00RIFF", *p[2:]], Flaw.NOT_A_PICTURE),
        (lambda p: [*p[:-1], *app_packets(jpeg(), photo=2)], Flaw.END_MISSING),
        (lambda p: [*p[:3], b"\x23\x00\x01\x07no memory", *p[3:]], Flaw.GIVEN_UP),
        (lambda p: app_packets(jpeg()[:-2] + b"\x00\x00"), Flaw.END_MISSING),
        (lambda p: app_packets(jpeg(640, 480)), Flaw.SIZE_ODD),
        (lambda p: app_packets(b"\xff\xd8\xff\xd9"), Flaw.SIZE_ODD),
        (lambda p: app_packets(b"\xff\xd8"), Flaw.NOT_A_PICTURE),
        (lambda p: app_packets(jpeg(size=70_000)), Flaw.TOO_LARGE),
    ],
)
def test_flaws_of_our_stream(change: object, flaw: Flaw) -> None:
    assert callable(change)
    stream = app()
    outcomes = feed(stream, change(app_packets(jpeg())))
    assert next(outcome for outcome in outcomes if isinstance(outcome, Spoilt)) == Spoilt(flaw)
    assert sum(isinstance(outcome, Whole) for outcome in outcomes) == (flaw is Flaw.END_MISSING and len(outcomes) > 2)
    assert Whole(jpeg()) in feed(stream, app_packets(jpeg(), photo=9))


@pytest.mark.parametrize(
    ("packets", "flaw"),
    [
        (stock_packets(jpeg())[1:], Flaw.BEGINNING_MISSED),
        (stock_packets(jpeg()[:-2]), Flaw.END_MISSING),
        (stock_packets(jpeg(640, 480)), Flaw.SIZE_ODD),
        (stock_packets(jpeg(size=70_000)), Flaw.TOO_LARGE),
        ([b"\x07\xff\xd8\xff\xe0", b"\x08"], Flaw.END_MISSING),
    ],
)
def test_flaws_of_the_stock_stream(packets: list[bytes], flaw: Flaw) -> None:
    stream = stock()
    outcomes = feed(stream, packets)
    assert [outcome for outcome in outcomes if isinstance(outcome, Spoilt)] == [Spoilt(flaw)]
    assert Whole(jpeg()) in feed(stream, stock_packets(jpeg()))


def test_a_stock_photo_after_one_without_an_end() -> None:
    stream = stock()
    feed(stream, stock_packets(jpeg())[:-1], now=0.0)
    assert stream.tick(2.9) == ()
    assert stream.tick(3.0) == (Spoilt(Flaw.STALLED),)
    assert Whole(jpeg()) in feed(stream, stock_packets(jpeg()), now=4.0)
    assert feed(stream, [b"\x08"]) == [Refused(None, "it sent an end without a picture")]


def test_time_and_the_link() -> None:
    stream = app()
    assert stream.deadline is None
    assert stream.tick(99.0) == ()
    assert stream.lost() == ()
    packets = app_packets(jpeg(size=20_000))
    for number, packet in enumerate(packets[:40]):
        stream.feed(packet, number * 1.5)
    assert stream.deadline == 60.0
    assert stream.heard == 58.5
    assert stream.tick(60.0) == (Spoilt(Flaw.TOO_SLOW),)
    assert feed(stream, packets[40:]) == []
    feed(stream, packets[:3])
    assert stream.photo == 1
    assert stream.lost() == (Spoilt(Flaw.LINK_LOST),)


@pytest.mark.parametrize("stream", [app(), stock()])
def test_other_programs_messages_are_no_photos(stream: PhotoStream) -> None:
    assert feed(stream, [b"", b"\x09", b"\x0a" + bytes(12), b"\x0b\x01", b"\x0c", b"\x0c\xff", b"\x12abcdef", b"\xff" * 300]) == []
    assert feed(stream, [b"\x0c\x3d"]) == [Battery(61)]


@given(st.sampled_from([1, 3, 17, 240]), st.integers(0, 2000), st.booleans())
def test_any_cut_gives_the_picture_back(step: int, size: int, own: bool) -> None:
    picture = jpeg(size=size)
    stream, packets = (app(), app_packets(picture, step=step)) if own else (stock(), stock_packets(picture, step))
    if not own and step < 3:
        return  # the stock stream is recognised by its first three bytes, and no link carries fewer
    assert feed(stream, packets)[-1] == Whole(picture)


@given(st.data())
def test_no_harm_to_our_stream_passes_for_whole(data: st.DataObject) -> None:
    picture = jpeg()
    packets = app_packets(picture, step=60)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(packets) - 1))
        match data.draw(st.sampled_from(["drop", "double", "swap", "cut"])):
            case "drop":
                del packets[at]
            case "double":
                packets.insert(at, packets[at])
            case "swap":
                packets[at - 1], packets[at] = packets[at], packets[at - 1]
            case _:
                packets[at] = packets[at][: data.draw(st.integers(0, len(packets[at])))]
    whole = [outcome for outcome in feed(app(), packets) if isinstance(outcome, Whole)]
    assert all(outcome == Whole(picture) for outcome in whole)


@given(st.lists(st.one_of(st.binary(max_size=12), st.builds(lambda c, b: bytes([c]) + b, st.integers(0x20, 0x25), st.binary(max_size=12)))))
def test_nothing_raises_and_little_is_kept(packets: list[bytes]) -> None:
    for stream in (app(), stock()):
        for number, packet in enumerate(packets):
            stream.feed(packet, float(number))
        stream.tick(1e9)
        assert not stream.receiving


@given(st.binary())
def test_text_is_made_safe_to_show(raw: bytes) -> None:
    assert all(character.isprintable() for character in plain(raw))
    assert len(plain(raw)) <= 120


@given(st.binary())
def test_dimensions_of_anything(raw: bytes) -> None:
    for data in (raw, b"\xff\xd8" + raw, b"\xff\xd8\xff" + raw):
        size = jpeg_size(data)
        assert size is None or min(size) >= 0


def test_dimensions() -> None:
    assert jpeg_size(jpeg(640, 480)) == (640, 480)
    assert jpeg_size(b"\xff\xd8\xff\xff" + jpeg(640, 480)[3:]) == (640, 480)
    assert jpeg_size(jpeg()[:25]) is None
    assert jpeg_size(b"\xff\xd8\xff\xda\x00\x02\xff\xc0\x00\x11\x08\x00\x10\x00\x10") is None
    assert jpeg_size(b"\xff\xd8\xff\xc4\x00\x02\xff\xc2\x00\x11\x08\x00\x10\x00\x20") == (32, 16)
