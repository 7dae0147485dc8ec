"""Frames, messages, chunks and file packets of Mentra Live: worked examples, round trips, and whatever bytes there are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ble.drivers import k900
from ble.drivers.k900 import ChunkJoiner, Code, Frame, FrameReader, LengthOrder, pack, payloads, unwrap, wrap
from ble.drivers.mentra_packets import (
    LARGEST_FILE,
    LONGEST_SECONDS,
    MOST_TRIES,
    QUIET_SECONDS,
    Again,
    FileAssembler,
    Flaw,
    Packet,
    Repeated,
    Spoilt,
    Whole,
    picture_type,
    read_packet,
    write_packet,
)
from ble.drivers.mentra_profile import pack_size

BATTERY = "23 23 30 00 1c 7b 22 43 22 3a 22 63 73 5f 62 61 74 76 22 2c 22 56 22 3a 31 2c 22 42 22 3a 22 22 7d 24 24"
READY = (
    "23 23 30 00 28 7b 22 43 22 3a 22 7b 5c 22 74 79 70 65 5c 22 3a 5c 22 70 68 6f 6e 65 5f 72 65 61 64 79 5c 22 7d 22 2c 22 57 22 3a 31"
    " 7d 24 24"
)
HANDSHAKE = "23 23 40 09 00 0b 00 00 00 01 02 00 76 32 24 24"
PING = "23 23 40 16 00 03 01 00 00 01 0f 00 7b 22 74 79 70 65 22 3a 22 70 69 6e 67 22 7d 24 24"
SMALL_FILE = "23 23 31 00 08 00 00 00 00 00 08 49 31 37 30 30 30 30 30 30 30 31 00 00 00 00 00 00 00 ff d8 ff e0 00 10 4a 46 56 24 24"

plain_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


def test_worked_examples_of_frames() -> None:
    assert pack(k900.code("cs_batv"), LengthOrder.BIG) == bytes.fromhex(BATTERY)
    little = bytearray.fromhex(BATTERY)
    little[3:5] = b"\x1c\x00"
    assert pack(k900.code("cs_batv"), LengthOrder.LITTLE) == little
    assert pack(wrap('{"type":"phone_ready"}', wake=True), LengthOrder.BIG) == bytes.fromhex(READY)
    asked = wrap(k900.dump({"type": "request_battery_state", "mId": 7}))
    assert len(asked) == 54
    assert pack(asked, LengthOrder.BIG)[:5] == bytes.fromhex("23 23 30 00 36")


@pytest.mark.parametrize(("text", "kind", "inner"), [(HANDSHAKE, 0x40, b"v2"), (PING, 0x40, b'{"type":"ping"}')])
def test_binary_frames_are_read_as_frames(text: str, kind: int, inner: bytes) -> None:
    """They are never asked for; should they come, they do not disturb what follows."""
    (binary, string) = FrameReader().feed(bytes.fromhex(text) + bytes.fromhex(BATTERY))
    assert (binary.kind, binary.payload[7:], binary.order) == (kind, inner, LengthOrder.LITTLE)
    assert string.payload == k900.code("cs_batv")


def test_what_a_frame_can_carry() -> None:
    for size in (0, 513):
        with pytest.raises(ValueError, match="512"):
            pack(bytes(size), LengthOrder.BIG)


@given(st.lists(st.binary(min_size=1, max_size=512).filter(lambda p: b"$$" not in p), max_size=5), st.data())
def test_frames_split_at_any_point(payloads_: list[bytes], data: Any) -> None:
    order = data.draw(st.sampled_from(LengthOrder))
    stream = b"".join(pack(payload, order) for payload in payloads_)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    reader = FrameReader()
    found = [f for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True) for f in reader.feed(stream[start:end])]
    assert [frame.payload for frame in found] == payloads_


@given(st.lists(st.binary(max_size=700), max_size=6), st.sampled_from(LengthOrder))
def test_after_any_garbage_the_way_is_found_again(garbage: list[bytes], order: LengthOrder) -> None:
    reader = FrameReader()
    for part in garbage:
        reader.feed(part)
        assert len(reader._buffer) <= 2 * (k900.MOST_PAYLOAD + 7)
    message = wrap('{"type":"ping"}')
    found: list[Frame] = []
    for _ in range(60):  # more than a frame that was begun by the garbage can swallow
        found += reader.feed(pack(message, order))
    assert found[-1] == Frame(k900.STRING, message, order)


@given(st.binary(max_size=600))
def test_any_payload_says_something_or_nothing(payload: bytes) -> None:
    assert unwrap(payload) is None or isinstance(unwrap(payload), dict | Code)


@given(st.dictionaries(st.text(max_size=10), plain_json, max_size=6), st.booleans())
def test_messages_come_back(message: dict[str, Any], wake: bool) -> None:
    assert unwrap(wrap(k900.dump(message), wake=wake)) == message


def test_codes_of_the_chip() -> None:
    assert unwrap(b'{"C":"sr_batv","V":1,"B":{"pt":87,"vt":4012}}') == Code("sr_batv", {"pt": 87, "vt": 4012})
    assert unwrap(b'{"C":"sr_batv","V":1,"B":"{\\"pt\\":5}"}') == Code("sr_batv", {"pt": 5})
    assert unwrap(b'{"C":"cs_shut","B":[1]}') == Code("cs_shut")
    assert unwrap(b'{"type":"ping"}') == {"type": "ping"}
    for nothing in (b"", b"[]", b"1", b'{"C":1}', b"{}", b'{"C":{}}', b'{"type":1}', b"\xff", b"[" * 512, b'{"C":NaN}'):
        assert unwrap(nothing) is None


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=120), min_size=1, max_size=8), st.randoms(), st.integers(160, 509))
def test_long_messages_travel_in_chunks(message: dict[str, str], random: Any, room: int) -> None:
    message = {f"k{key}": value for key, value in message.items()}
    text = k900.dump(message)
    frames = payloads(text, "12_345_6", message_id=12, room=room)
    if len(frames) > 1:
        assert all(len(pack(frame, LengthOrder.BIG)) <= room for frame in frames)
    random.shuffle(frames)
    joiner = ChunkJoiner()
    found = [joiner.feed(part) for part in (unwrap(frame) for frame in frames) if isinstance(part, dict)]
    done = [each for each in found if each is not None]
    assert [{key: value for key, value in each.items() if key != "mId"} for each in done] == [message]


def test_the_number_to_acknowledge_stands_in_the_last_chunk() -> None:
    message = {"type": "version_info_1", "padding": "x" * 400}
    frames = [json.loads(json.loads(frame)["C"]) for frame in payloads(k900.dump(message), "a", message_id=7)]
    assert [frame.get("mId") for frame in frames] == [None] * (len(frames) - 1) + [7]
    joiner = ChunkJoiner()
    assert [joiner.feed(frame) for frame in frames][-1] == {**message, "mId": 7}
    old = [{**frame, "type": "chunked_msg"} for frame in frames]
    for frame in old:
        del frame["t"]
    assert [joiner.feed(frame) for frame in old][-1] == {**message, "mId": 7}


def test_a_frame_too_small_for_any_chunk() -> None:
    with pytest.raises(ValueError, match="no chunk"):
        payloads("x" * 300, "a" * 100, room=100)


@pytest.mark.parametrize(
    "chunk",
    [
        {"t": "ck"},
        {"t": "ck", "id": 1, "c": 0, "n": 1, "d": "{}"},
        {"t": "ck", "id": "a", "c": 1, "n": 1, "d": "{}"},
        {"t": "ck", "id": "a", "c": -1, "n": 1, "d": "{}"},
        {"t": "ck", "id": "a", "c": 0, "n": 10**9, "d": "{}"},
        {"t": "ck", "id": "a", "c": True, "n": 1, "d": "{}"},
        {"t": "ck", "id": "a" * 200, "c": 0, "n": 1, "d": "{}"},
        {"t": "ck", "id": "a", "c": 0, "n": 1, "d": "no json"},
        {"t": "ck", "id": "a", "c": 0, "n": 1, "d": 5},
    ],
)
def test_chunks_that_make_no_sense(chunk: dict[str, Any]) -> None:
    assert ChunkJoiner().feed(chunk) is None


def test_chunks_are_bounded() -> None:
    joiner = ChunkJoiner()
    for number in range(50):
        joiner.feed({"t": "ck", "id": f"m{number}", "c": 0, "n": 2, "d": "{"})
    assert len(joiner._partial) == k900.MOST_PARTIAL
    for index in range(511):
        joiner.feed({"t": "ck", "id": "big", "c": index, "n": 512, "d": "x" * 400})
    assert sum(len(part) for part in joiner._partial.get("big", {}).values()) <= k900.LONGEST_MESSAGE
    joiner.feed({"t": "ck", "id": "a", "c": 0, "n": 3, "d": "{"})
    assert joiner.feed({"t": "ck", "id": "a", "c": 0, "n": 1, "d": "{}"}) == {}
    inner = k900.dump({"t": "ck", "id": "b", "c": 0, "n": 1, "d": "{}"})
    assert ChunkJoiner().feed({"t": "ck", "id": "a", "c": 0, "n": 1, "d": inner, "mId": 3}) == json.loads(inner)


# -- file packets -------------------------------------------------------------------------------------------------------------------


def test_worked_examples_of_packets() -> None:
    data = bytes.fromhex("ff d8 ff e0 00 10 4a 46")
    small = Packet(k900.PHOTO, 8, 0, 8, "I1700000001", 0, data)
    assert write_packet(small) == bytes.fromhex(SMALL_FILE)
    assert read_packet(bytes.fromhex(SMALL_FILE)) == small
    first = write_packet(Packet(k900.PHOTO, 400, 0, 1000, "I1", 0, bytes(i & 0xFF for i in range(400))))
    assert first[:11] == bytes.fromhex("23 23 31 01 90 00 00 00 00 03 e8")
    assert len(first) == 432
    assert first[-3] == 0xB8


@given(st.binary(min_size=1, max_size=800), st.integers(0, 0xFFFF), st.integers(0, 2**32 - 1), st.from_regex(r"\A[A-Za-z0-9._-]{1,16}\Z"))
def test_packets_come_back(data: bytes, index: int, size: int, name: str) -> None:
    packet = Packet(k900.PHOTO, len(data), index, size, name, 1, data)
    assert read_packet(write_packet(packet)) == packet


@given(st.binary(max_size=900))
def test_any_bytes_are_a_packet_or_none(notified: bytes) -> None:
    read_packet(notified)
    read_packet(b"##1" + notified + b"$$")


def test_cut_or_changed_packets_are_none() -> None:
    whole = bytes.fromhex(SMALL_FILE)
    assert read_packet(whole[:-1]) is None
    assert read_packet(whole[:35] + b"\x00" + whole[36:]) is None


@pytest.mark.parametrize("name", [b"../", bytes(11), b"\xff"])
def test_packets_of_files_with_odd_names_are_none(name: bytes) -> None:
    assembler = FileAssembler()
    assert assembler.feed(bytes.fromhex(SMALL_FILE).replace(b"I1700000001", name.ljust(11, b"\0")), now=0.0) == ()
    assert not assembler.receiving
    assert assembler.deadline is None


@pytest.mark.parametrize(("mtu", "size"), [(23, 100), (135, 100), (185, 150), (256, 221), (435, 400), (517, 400)])
def test_packets_fit_the_link(mtu: int, size: int) -> None:
    assert pack_size(mtu) == size


def jpeg(size: int) -> bytes:
    return b"\xff\xd8\xff\xe0" + bytes(i % 251 for i in range(size - 6)) + b"\xff\xd9"


def packets(data: bytes, size: int, name: str = "I1", stated: int | None = None) -> list[bytes]:
    count = -(-len(data) // size)
    total = len(data) if stated is None else stated
    return [write_packet(Packet(k900.PHOTO, size, i, total, name, 1, data[i * size : (i + 1) * size])) for i in range(count)]


@given(st.integers(300, 4000), st.integers(100, 474), st.booleans(), st.booleans(), st.randoms())
def test_a_file_in_any_order_and_twice(length: int, size: int, announced: bool, inflated: bool, random: Any) -> None:
    data, count = jpeg(length), -(-length // size)
    sent = packets(data, size, stated=count * 400 if inflated and size != 400 else None) * 2
    random.shuffle(sent)
    assembler = FileAssembler()
    if announced:
        assembler.announce("I1", count, length)
    outcomes = [outcome for notified in sent for outcome in assembler.feed(notified, 10.0)]
    outcomes += assembler.tick(10.0 + QUIET_SECONDS)
    assert [outcome for outcome in outcomes if isinstance(outcome, Whole | Again | Spoilt)] == [Whole("I1", data, "image/jpeg")]
    assert not assembler.receiving


def test_a_lost_packet_has_the_whole_file_sent_again_and_then_given_up() -> None:
    assembler = FileAssembler()
    assembler.announce("I1", 3, 900)
    now = 0.0
    for attempt in range(1, MOST_TRIES + 1):
        for notified in packets(jpeg(900), 300)[:2]:
            assembler.feed(notified, now)
        deadline = assembler.deadline
        assert deadline == now + QUIET_SECONDS
        assert assembler.tick(now + 1) == ()
        now = deadline
        expected = Again("I1", Flaw.PARTS_LOST) if attempt < MOST_TRIES else Spoilt("I1", Flaw.PARTS_LOST, tell=True)
        assert assembler.tick(now) == (expected,)
    assert assembler.deadline is None


def test_a_file_that_is_asked_for_again_and_never_comes() -> None:
    assembler = FileAssembler()
    assembler.announce("I1", 3, 900)
    assembler.feed(packets(jpeg(900), 300)[0], 0.0)
    outcomes: list[Any] = []
    for _ in range(MOST_TRIES):
        assert assembler.deadline is not None
        outcomes += assembler.tick(assembler.deadline)
    assert isinstance(outcomes[-1], Spoilt)
    assert assembler.deadline is None


def test_a_file_that_comes_again_is_confirmed_again() -> None:
    assembler = FileAssembler()
    for notified in packets(jpeg(900), 300):
        outcomes = assembler.feed(notified, 0.0)
    assert isinstance(outcomes[-1], Whole)
    for notified in packets(jpeg(900), 300):
        assert assembler.feed(notified, 5.0) == ()
    assert assembler.deadline == 5.0 + QUIET_SECONDS
    assert assembler.tick(7.0) == (Repeated("I1", good=True),)
    assert assembler.deadline is None
    assert assembler.tick(70.0) == ()


def test_what_ends_a_file() -> None:
    first, second = packets(jpeg(900), 300), packets(jpeg(900), 300, name="I2")
    assembler = FileAssembler()
    assembler.feed(first[0], 0.0)
    assert assembler.feed(second[0], 0.0)[0] == Spoilt("I1", Flaw.OVERTAKEN)
    assert assembler.given_up("I1") == ()
    assert assembler.given_up("I2") == (Spoilt("I2", Flaw.GIVEN_UP),)
    assembler.feed(packets(jpeg(900), 300, name="I3")[0], 0.0)
    assert assembler.stop(Flaw.LINK_LOST) == (Spoilt("I3", Flaw.LINK_LOST),)
    assert assembler.stop(Flaw.LINK_LOST) == ()
    now = 0.0
    for index in range(10_000):
        outcomes = assembler.feed(write_packet(Packet(k900.PHOTO, 1, index, 10**6, "I4", 0, b"x")), now)
        outcomes += assembler.tick(now)
        now += 1.0
        if outcomes:
            break
    assert outcomes[-1] == Spoilt("I4", Flaw.TOO_SLOW, tell=True)
    assert now == LONGEST_SECONDS + 1


def test_memory_is_bounded() -> None:
    assembler = FileAssembler()
    outcomes: list[Any] = []
    for index in range(LARGEST_FILE // 20_000 + 2):
        outcomes += assembler.feed(write_packet(Packet(k900.PHOTO, 20_000, index, 2**32 - 1, "I1", 0, bytes(20_000))), 0.0)
        assert assembler.received <= LARGEST_FILE
    assert Spoilt("I1", Flaw.TOO_LARGE, tell=True) in outcomes
    for packets_, size in ((0, 10), (10**6, 10), (5, 0), (5, LARGEST_FILE + 1)):
        assembler.announce("I2", packets_, size)
    assert assembler._announced == {}


def test_sizes_that_do_not_fit() -> None:
    uneven = [write_packet(Packet(k900.PHOTO, 300, i, 900, "I1", 0, part)) for i, part in enumerate((b"a" * 300, b"b" * 200, b"c" * 100))]
    assembler = FileAssembler()
    assembler.announce("I1", 3, 600)
    outcomes = [outcome for notified in uneven for outcome in assembler.feed(notified, 0.0)]
    assert outcomes[-1] == Again("I1", Flaw.UNEVEN)
    assembler = FileAssembler()
    assembler.announce("I1", 3, 899)
    outcomes = [outcome for notified in packets(jpeg(900), 300) for outcome in assembler.feed(notified, 0.0)]
    assert outcomes[-1] == Again("I1", Flaw.SIZE_WRONG)


@given(st.lists(st.tuples(st.binary(max_size=500), st.floats(0, 10), st.booleans()), max_size=30))
def test_whatever_is_fed_nothing_breaks(steps: list[tuple[bytes, float, bool]]) -> None:
    assembler = FileAssembler()
    now = 0.0
    for data, pause, sound in steps:
        now += pause
        notified = write_packet(Packet(k900.PHOTO, 1, len(data) % 7, len(data) * 3, "I1", 0, data)) if sound else data
        assembler.feed(notified, now)
        assembler.tick(now)
        assert sum(map(len, assembler._parts.values())) == assembler.received <= LARGEST_FILE


def test_pictures_are_told_by_their_form() -> None:
    assert picture_type(jpeg(100)) == "image/jpeg"
    assert picture_type(jpeg(100) + bytes(3)) == "image/jpeg"
    assert picture_type(jpeg(100)[:-1]) == ""
    head = b"\x00\x00\x00\x0cftypavif"
    assert picture_type(head + b"\x00\x00\x00\x0cmdat1234") == "image/avif"
    assert picture_type(head + b"\x00\x00\x00\x0cmdat1234" + b"more") == "image/avif"
    assert picture_type(head + b"\x00\x00\x00\x01mdat" + (20).to_bytes(8, "big") + b"1234") == "image/avif"
    assert picture_type(head + b"\x00\x00\x00\x00mdat1234") == "image/avif"
    for broken in (b"\x00\x00\x00\x0dmdat1234", b"", b"\x00\x00\x00\x03free", b"\x00\x00\x00\x0cfree1234"):
        assert picture_type(head + broken) == ""
    assert picture_type(b"GIF89a") == ""
