"""The messages of the open profile: the examples of its text, round trips, and whatever bytes may come."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ble.drivers import open_profile_wire as wire
from ble.drivers.open_profile_wire import (
    ANSWERS,
    MEDIA,
    PARAMETERS,
    Answer,
    Feature,
    Features,
    Frame,
    Mark,
    MarkFlag,
    Op,
    Record,
    Request,
    Result,
    Status,
    StatusFlag,
    Trouble,
)
from ble.sim.open_profile_stream import transfer

TEXT = (Path(wire.__file__).parents[1] / "OPEN_PROFILE.md").read_text("utf-8")

# The capture of the examples: 30 bytes that pretend to be a picture.
PICTURE = bytes.fromhex("ffd8ffe0") + bytes(range(24)) + bytes.fromhex("ffd9")
RECORD = Record(0x105, 0x10, len(PICTURE), hashlib.sha256(PICTURE).digest(), 1_767_225_600_000, 6)


def examples() -> dict[str, bytes]:
    """Every example of the text, by its name there, made by the program."""
    head = RECORD.sha256[:8]
    list_page = list(transfer(0x01, RECORD.pack(), 0, wire.PAGE_BYTES, 20))
    read = list(transfer(0x02, PICTURE, 0, 16, 20))
    resumed = list(transfer(0x03, PICTURE, 16, 16, 20))
    found = {
        "features": Features(1, 0, Feature(0x1FF), 30, True).pack(),
        "status": Status(StatusFlag.CONTINUOUS, Trouble.NONE, 7, 3, 0x105, 0, 61440).pack(),
        "status after a failure": Status(StatusFlag.NONE, Trouble.CAMERA, 7, 3, 0x105, 0x106, 61440).pack(),
        "record": RECORD.pack(),
        "set time": Request(Op.SET_TIME, 0x01, (1_767_225_600_000,)).pack(),
        "set time answer": Answer(Op.SET_TIME, 0x01, Result.OK).pack(),
        "list": Request(Op.LIST, 0x01, (0, 78)).pack(),
        "list answer": Answer(Op.LIST, 0x01, Result.OK, (0,)).pack(),
        "read": Request(Op.READ, 0x02, (0x105, 0, 16)).pack(),
        "read answer": Answer(Op.READ, 0x02, Result.OK, (30,)).pack(),
        "read again": Request(Op.READ, 0x03, (0x105, 16, 16)).pack(),
        "credit": wire.pack_credit(0x02, 0x00018000),
        "abort": Request(Op.ABORT, 0x04, (0x02,)).pack(),
        "abort answer": Answer(Op.ABORT, 0x04, Result.OK).pack(),
        "acknowledge": Request(Op.ACKNOWLEDGE, 0x05, (0x105, head)).pack(),
        "acknowledge answer": Answer(Op.ACKNOWLEDGE, 0x05, Result.OK).pack(),
        "acknowledge refused": Answer(Op.ACKNOWLEDGE, 0x05, Result.DIGEST_DIFFERS).pack(),
        "restore": Request(Op.RESTORE, 0x06, (0x105, head)).pack(),
        "take photo": Request(Op.TAKE_PHOTO, 0x07).pack(),
        "take photo answer": Answer(Op.TAKE_PHOTO, 0x07, Result.OK, (0x106,)).pack(),
        "capture every": Request(Op.CAPTURE_EVERY, 0x08, (30,)).pack(),
        "capture stop": Request(Op.CAPTURE_EVERY, 0x08, (0,)).pack(),
        "record sound": Request(Op.RECORD_SOUND, 0x09, (10,)).pack(),
        "record sound answer": Answer(Op.RECORD_SOUND, 0x09, Result.OK, (0x107,)).pack(),
        "unknown answer": bytes([0x55 | 0x80, 0x0A, Result.UNSUPPORTED]),
        "read failed": Mark(0x02, 16, 0, MarkFlag.FAILED).pack(),
        "crc of 123456789": wire.crc32(b"123456789").to_bytes(4, "little"),
        "crc of nothing": wire.crc32(b"").to_bytes(4, "little"),
    }
    found |= {f"list data {k}": value for k, value in enumerate(list_page)}
    found |= {f"read data {k}": value for k, value in enumerate(read)}
    found |= {f"read again data {k}": value for k, value in enumerate(resumed)}
    return found


def stated() -> dict[str, bytes]:
    """The examples as the text has them: `name: hexadecimal` lines in its code blocks."""
    blocks = re.findall(r"```\n(.*?)```", TEXT, re.DOTALL)
    lines = [line.partition(": ") for block in blocks for line in block.splitlines()]
    assert len({name for name, _, _ in lines}) == len(lines), "an example stands in the text twice"
    return {name: bytes.fromhex(value) for name, _, value in lines}


def test_the_examples_of_the_text_are_what_the_program_sends() -> None:
    assert stated() == examples()


def test_the_text_names_every_number() -> None:
    for uuid in (wire.SERVICE, wire.FEATURES, wire.CONTROL, wire.CREDIT, wire.DATA, wire.STATUS):
        assert f"`{uuid}`" in TEXT
    for op in Op:
        assert f"| `{op:02X}` | {op.name} |" in TEXT
    for result in Result:
        assert f"| `{result:02X}` | " in TEXT
    for bit, feature in enumerate(Feature):
        assert feature == 1 << bit
        assert f"| {bit} | {feature.name} |" in TEXT
    for media, (_, media_type) in MEDIA.items():
        assert f"`{media:02x}` {media_type}" in TEXT


def test_the_examples_are_read_as_what_they_are() -> None:
    said = stated()
    assert wire.read_records(said["record"]) == (RECORD,)
    assert RECORD.taken_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert wire.read_request(said["read"]) == Request(Op.READ, 2, (0x105, 0, 16))
    assert wire.read_answer(said["read answer"]) == Answer(Op.READ, 2, Result.OK, (30,))
    assert wire.read_answer(said["acknowledge refused"]) == Answer(Op.ACKNOWLEDGE, 5, Result.DIGEST_DIFFERS)
    assert wire.read_data(said["read data 3"]) == Frame(2, 16, PICTURE[16:])
    assert wire.read_data(said["read data 4"]) == Mark(2, 30, 0x0261BA58, MarkFlag.LAST)
    assert wire.read_credit(said["credit"]) == (2, 98304)
    assert wire.read_features(said["features"]) == Features(1, 0, Feature(sum(Feature)), 30, True)
    failed = wire.read_status(said["status after a failure"])
    assert failed == Status(StatusFlag.NONE, Trouble.CAMERA, 7, 3, 261, 262, 60 * 1024)


def test_everything_fits_the_smallest_link() -> None:
    for name, value in examples().items():
        assert len(value) <= 20 or name == "record"


# -- round trips, and bytes from anywhere ---------------------------------------------------------------------------------------------

u8, u16, u32 = st.integers(0, 255), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
tags = st.integers(1, 0x7F)
tails = st.binary(max_size=8)


def values_of(layout: str) -> st.SearchStrategy[tuple[int | bytes, ...]]:
    made = {"B": u8, "H": u16, "I": u32, "q": st.integers(-(2**63), 2**63 - 1)}
    fields = re.findall(r"8s|[BHIq]", layout)
    return st.tuples(*(st.binary(min_size=8, max_size=8) if field == "8s" else made[field] for field in fields))


requests = st.sampled_from(Op).flatmap(lambda op: st.builds(Request, st.just(op), tags, values_of(PARAMETERS[op].format)))
answers = st.sampled_from(Op).flatmap(
    lambda op: st.builds(Answer, st.just(int(op)), tags, st.just(Result.OK), values_of(ANSWERS[op].format if op in ANSWERS else ""))
)
refusals = st.builds(Answer, st.sampled_from(Op).map(int), tags, st.sampled_from([r for r in Result if r is not Result.OK]))
records = st.builds(
    Record, u32, u8, u32, st.binary(min_size=32, max_size=32), st.integers(-(2**63), 2**63 - 1), st.integers(min_value=1, max_value=8)
)
statuses = st.builds(
    Status,
    st.integers(0, 15).map(StatusFlag),
    st.sampled_from(Trouble),
    u16,
    u32,
    u32,
    u32,
    st.none() | st.integers(0, 0xFFFFFFFE),
)


@given(requests, tails)
def test_requests_come_back(request: Request, tail: bytes) -> None:
    assert wire.read_request(request.pack() + tail) == request
    assert len(request.pack()) <= 20


@given(answers | refusals, tails)
def test_answers_come_back(answer: Answer, tail: bytes) -> None:
    assert wire.read_answer(answer.pack() + tail) == answer
    assert len(answer.pack()) <= 20


@given(st.lists(records, max_size=78))
def test_records_come_back(listed: list[Record]) -> None:
    page = b"".join(record.pack() for record in listed)
    assert len(page) <= wire.PAGE_BYTES
    assert wire.read_records(page) == tuple(listed)
    if page:
        assert wire.read_records(page[:-1]) is None


@given(records, st.binary(min_size=1, max_size=100))
def test_longer_records_of_later_versions_are_read_as_far_as_known(record: Record, more: bytes) -> None:
    longer = bytes([wire.RECORD_BYTES + len(more)]) + record.pack()[1:] + more
    assert wire.read_records(longer + record.pack()) == (record, record)


@given(statuses, tails)
def test_statuses_come_back(status: Status, tail: bytes) -> None:
    assert wire.read_status(status.pack() + tail) == status


@given(st.builds(Features, u8, u8, st.integers(0, 0x1FF).map(Feature), u16, st.booleans()), tails)
def test_features_come_back(features: Features, tail: bytes) -> None:
    assert wire.read_features(features.pack() + tail) == features


@given(st.builds(Frame, tags, u32, st.binary(min_size=1, max_size=509)) | st.builds(Mark, tags, u32, u32, st.integers(0, 3).map(MarkFlag)))
def test_data_comes_back(data: Frame | Mark) -> None:
    assert wire.read_data(data.pack()) == data


@given(st.binary(max_size=200))
def test_bytes_from_anywhere_never_raise(data: bytes) -> None:
    for read in (
        wire.read_request,
        wire.read_answer,
        wire.read_records,
        wire.read_status,
        wire.read_features,
        wire.read_data,
        wire.read_credit,
    ):
        read(data)


@pytest.mark.parametrize("taken", [0, -1, -(2**63), 2**63 - 1, 4_102_444_800_001])
def test_a_time_that_cannot_be_is_no_time(taken: int) -> None:
    assert Record(1, 0x10, 1, bytes(32), taken).taken_at is None


def test_what_is_not_known_is_taken_for_the_general_case() -> None:
    assert wire.read_answer(b"\x82\x01\xee") == Answer(Op.READ, 1, Result.FAILED)
    assert wire.read_answer(b"\xfe\x01\x01") == Answer(0x7E, 1, Result.OK)
    status = wire.read_status(b"\xff\x63" + bytes(18))
    assert status is not None
    assert status.trouble is Trouble.OTHER
    odd = wire.read_records(Record(1, 0x99, 5, bytes(32), orientation=9).pack())
    assert odd is not None
    assert (odd[0].media, odd[0].orientation) == (0x99, 1)
