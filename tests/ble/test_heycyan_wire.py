"""HeyCyan frames: worked examples, anything at all, and the gate that stops what destroys."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ble.drivers import heycyan_wire as wire
from ble.drivers.heycyan import GuardedWriter
from ble.drivers.heycyan_files import read_list
from ble.drivers.heycyan_wire import BatteryLevel, Counts, Forbidden, Frame, FrameReader, Mode, ModeAnswer, Page, WifiAddress, check_write


def unhex(text: str) -> bytes:
    return bytes.fromhex(text)


def one(text: str) -> Frame:
    (found,) = FrameReader().feed(unhex(text), 0.0)
    assert found.sound
    return found


# -- worked examples ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "crc"),
    [("01", 0x807E), ("020108", 0x56D0), ("0201060202", 0x9C3C), ("0100000000", 0xC019), ("0101000100", 0xAC19), ("", 0xFFFF)],
)
def test_checksums(payload: str, crc: int) -> None:
    assert wire.crc16(unhex(payload)) == crc


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (wire.ask_battery(), "bc 42 01 00 7e 80 01"),
        (wire.ask_versions(), "bc 43 01 00 7e 80 01"),
        (wire.switch(Mode.PHOTO), "bc 41 03 00 10 50 02 01 01"),
        (wire.switch(Mode.SMALL_PHOTO), "bc 41 05 00 3c 9c 02 01 06 02 02"),
        (wire.switch(Mode.TRANSFER), "bc 41 03 00 d0 53 02 01 04"),
        (wire.switch(Mode.TRANSFER_STOP), "bc 41 03 00 11 96 02 01 09"),
        (wire.switch(Mode.WIFI_RESET), "bc 41 03 00 91 94 02 01 0f"),
        (wire.ask_address(), "bc 41 02 00 40 d1 02 03"),
        (wire.ask_counts(), "bc 41 02 00 01 13 02 04"),
        (wire.ask_page(0), "bc fd 05 00 19 c0 01 00 00 00 00"),
        (wire.ask_page(1), "bc fd 05 00 19 ac 01 01 00 01 00"),
        (
            wire.set_time(datetime(2026, 3, 14, 15, 9, 26, tzinfo=timezone(timedelta(hours=1)))),
            "bc 40 09 00 a9 f8 26 03 14 15 09 26 01 03 02",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_asked(made: bytes, text: str) -> None:
    assert made == unhex(text)
    check_write(made)


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("bc 42 02 00 fe 40 57 01", BatteryLevel(87, True)),
        ("bc 73 03 00 50 01 05 40 00", BatteryLevel(64, False)),
        ("bc 41 09 00 cb a3 02 04 0c 00 03 00 01 00 00", Counts(12, 3, 1)),
        ("bc 73 08 00 91 07 01 01 00 00 00 00 00 00", Counts(1, 0, 0)),
        ("bc 41 05 00 0c 3f 02 01 01 00 04", ModeAnswer(1, False, 4)),
        (
            "bc 41 21 00 9c 00 02 01 04 ff 10 00 09 00 4d 30 31 5f 43 39 33 41 34 36 46 32 39 46 44 38 31 32 33 34 35 36 37 38 39",
            ModeAnswer(4, True, None, "M01_C93A46F29FD8", "123456789"),
        ),
        ("bc 73 05 00 b1 d1 08 c0 a8 1f 01", WifiAddress("192.168.31.1")),
        ("bc 73 05 00 2c 45 08 c0 a8 31 4f", WifiAddress("192.168.49.79")),
        ("bc 73 01 00 3e 81 02", wire.PictureReady()),
    ],
)
def test_what_is_heard(text: str, heard: wire.Heard) -> None:
    assert wire.read(one(text)) == heard


@pytest.mark.parametrize(
    "payload", [b"", b"\x02", b"\x02\x01\x04", b"\x02\x03\x01", b"\x02\x04\x01\x00", b"\x02\x09\x00\x00\x00\x00\x00\x00"]
)
def test_answers_too_short_say_nothing(payload: bytes) -> None:
    assert wire.read(Frame(wire.CONTROL, payload, True)) is None
    for opcode in (0x42, 0x43, 0x73, 0xFD, 0x99):
        assert wire.read(Frame(opcode, payload[:1] and b"\xff", True)) is None


@pytest.mark.parametrize("lengths", [b"\xff\xff\x09\x00", b"\x10\x00\xff\xff", b"\x00\x00\x00\x00"])
def test_a_network_that_does_not_fit_is_none(lengths: bytes) -> None:
    answer = wire.read(Frame(wire.CONTROL, b"\x02\x01\x04\xff" + lengths + b"M01_C93A46F29FD8123456789", True))
    assert answer == ModeAnswer(4, True)


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=600)), max_size=5), st.data())
def test_frames_split_at_any_point(frames: list[tuple[int, bytes]], data: Any) -> None:
    stream = b"".join(wire.frame(opcode, payload) for opcode, payload in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    reader = FrameReader()
    found = [f for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True) for f in reader.feed(stream[start:end], 1.0)]
    assert found == [Frame(opcode, payload, True) for opcode, payload in frames]


@given(st.lists(st.binary(max_size=10_000), max_size=6))
def test_after_any_garbage_and_a_pause_frames_are_read_again(garbage: list[bytes]) -> None:
    reader = FrameReader()
    for part in garbage:
        for found in reader.feed(part, 1.0):
            wire.read(found)
        assert len(reader._buffer) <= 2 * wire.LONGEST_PAYLOAD
    assert reader.feed(wire.ask_battery(), 100.0) == [Frame(wire.BATTERY, b"\x01", True)]


@given(st.integers(0, 255), st.binary(max_size=300))
def test_any_frame_says_something_or_nothing(opcode: int, payload: bytes) -> None:
    wire.read(Frame(opcode, payload, True))


# -- the gate -----------------------------------------------------------------------------------------------------------------------

DESTRUCTIVE = [
    wire.frame(wire.CONTROL, b"\x02\x01\x0a"),
    wire.frame(wire.CONTROL, b"\x02\x01\x0a\x00"),
    wire.frame(wire.CONTROL, b"\x02\x01\x05"),
    wire.frame(wire.CONTROL, b"\x02\x05"),
    wire.frame(wire.CONTROL, b"\x02\x05a.jpg"),
    wire.frame(0xFC, b"http://x"),
    *(wire.frame(opcode, payload) for opcode in range(1, 6) for payload in (b"", b"\x01")),
]
UNKNOWN = [
    b"",
    b"\xbc",
    b"\x01\x02\x01\x0a",
    wire.frame(wire.CONTROL),
    wire.frame(wire.CONTROL, b"\x02"),
    wire.frame(wire.CONTROL, b"\x02\x01"),
    wire.frame(wire.CONTROL, b"\x02\x01\x0e"),
    wire.frame(wire.CONTROL, b"\x02\x01\x14\x01"),
    wire.frame(wire.CONTROL, b"\x01\x01\x04"),
    wire.frame(0x49, b"\x01"),
    wire.frame(wire.SET_TIME, b"\x01"),
    wire.ask_battery() + wire.frame(wire.CONTROL, b"\x02\x01\x0a"),
    wire.ask_battery()[:-1],
    wire.ask_battery()[:4] + b"\x00\x00\x01",
    b"\xbc\x42\x02\x00\x7e\x80\x01",
]


@pytest.mark.parametrize("data", DESTRUCTIVE + UNKNOWN, ids=lambda data: data.hex())
async def test_what_destroys_or_is_unknown_never_leaves(data: bytes) -> None:
    written: list[bytes] = []

    class Port:
        async def write(self, characteristic: str, sent: bytes, *, response: bool = True) -> None:
            written.append(sent)

    with pytest.raises(Forbidden) as caught:
        await GuardedWriter(Port()).write(data)  # type: ignore[arg-type]
    assert caught.value.action
    assert written == []


@given(st.integers(0, 255), st.binary(max_size=12))
def test_whatever_passes_the_gate_is_on_the_short_list(opcode: int, payload: bytes) -> None:
    try:
        check_write(wire.frame(opcode, payload))
    except Forbidden:
        return
    assert opcode in (0x40, 0x41, 0x42, 0x43, 0xFD)
    assert not payload.startswith(wire.DENIED_CONTROL)


@given(st.binary(max_size=40))
def test_nothing_but_a_sound_frame_passes(data: bytes) -> None:
    try:
        check_write(data)
    except Forbidden:
        return
    assert data == wire.frame(data[1], data[6:])


def test_all_modes_against_the_gate() -> None:
    passed = set()
    for mode in range(256):
        try:
            check_write(wire.frame(wire.CONTROL, bytes([2, 1, mode])))
            passed.add(mode)
        except Forbidden:
            pass
    assert passed == {Mode.PHOTO, Mode.TRANSFER, Mode.SMALL_PHOTO, Mode.TRANSFER_STOP, Mode.WIFI_RESET}


@given(st.binary(max_size=400))
def test_any_list_is_read(body: bytes) -> None:
    files, _ = read_list(body)
    assert all("/" not in file.name and ".." not in file.name for file in files)


def test_a_page_keeps_what_its_checksum_says() -> None:
    assert wire.read(Frame(wire.PICTURE, b"\x01\x02\x00\x01\x00abc", False)) == Page(2, 1, b"abc", False)
