"""EXIF: read within bounds, written without touching the picture."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.media import clock, exif
from app.media.decode import PIXEL_LIMIT
from app.media.errors import MediaDamaged
from app.media.exif import with_orientation
from app.media.inspect import inspect
from app.media.jpeg import bare, walk

WHEN = datetime(2026, 11, 23, 14, 3, 12, tzinfo=timezone(timedelta(hours=1)))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_is_written_is_read_back_here_and_by_pillow(make: Any, orientation: int) -> None:
    original = make.jpeg(orientation=orientation)
    marked = with_orientation(original, orientation, WHEN)
    facts = inspect(marked)
    assert facts.orientation == orientation
    assert facts.taken_at == WHEN
    assert facts.traces == ("date and time",)
    tags = Image.open(io.BytesIO(marked)).getexif()
    assert tags[0x0112] == orientation
    assert tags.get_ifd(0x8769)[0x9003] == "2026:11:23 14:03:12"
    assert tags.get_ifd(0x8769)[0x9011] == "+01:00"


def test_the_picture_itself_does_not_change_by_a_byte(make: Any) -> None:
    original = make.jpeg()
    marked = with_orientation(original, 6, WHEN)
    assert marked.startswith(b"\xff\xd8\xff\xe1")
    assert marked.endswith(original[2:])
    assert bare(marked, walk(marked, PIXEL_LIMIT)) == original


def test_a_time_without_zone_is_written_without_offset(make: Any) -> None:
    tags = Image.open(io.BytesIO(with_orientation(make.jpeg(), 3, WHEN.replace(tzinfo=None)))).getexif().get_ifd(0x8769)
    assert tags[0x9003] == "2026:11:23 14:03:12"
    assert 0x9011 not in tags


def test_a_picture_that_has_exif_stays_as_it_is(make: Any) -> None:
    for data in (with_orientation(make.jpeg(), 3, WHEN), make.traced_jpeg()):
        assert with_orientation(data, 8, WHEN) is data


def test_xmp_and_comments_before_are_no_exif(make: Any) -> None:
    original = make.jpeg()
    data = original[:2] + make.segment(0xFE, b"x") + make.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00<x/>") + original[2:]
    assert inspect(with_orientation(data, 8, WHEN)).orientation == 8


def test_wrong_arguments_are_refused(make: Any) -> None:
    for orientation in (0, 9, -1):
        with pytest.raises(ValueError, match="orientation"):
            with_orientation(make.jpeg(), orientation, WHEN)
    with pytest.raises(MediaDamaged):
        with_orientation(b"GIF89a", 3, WHEN)


@given(st.binary(max_size=300))
def test_no_block_upsets_the_reader(noise: bytes) -> None:
    for block in (noise, b"II*\x00" + noise, b"Exif\x00\x00MM\x00*\x00\x00\x00\x08" + noise):
        known = exif.read(block)
        assert 1 <= known.orientation <= 8


@given(st.binary(max_size=200), st.integers(1, 8))
def test_no_jpeg_upsets_the_writer(tail: bytes, orientation: int) -> None:
    marked = with_orientation(b"\xff\xd8\xff" + tail, orientation, WHEN)
    assert marked.endswith(tail)


def entry(tag: int, kind: int, count: int, value: bytes) -> bytes:
    return tag.to_bytes(2, "big") + kind.to_bytes(2, "big") + count.to_bytes(4, "big") + value


def block(*entries: bytes, following: int = 0, tail: bytes = b"") -> bytes:
    return b"MM\x00*\x00\x00\x00\x08" + len(entries).to_bytes(2, "big") + b"".join(entries) + following.to_bytes(4, "big") + tail


def test_little_endian_is_read_too() -> None:
    data = b"II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00"
    assert exif.read(data) == exif.Exif(orientation=6)


def test_orientations_that_do_not_exist_count_as_one() -> None:
    for value in (0, 9, 65535):
        assert exif.read(block(entry(0x0112, 3, 1, value.to_bytes(2, "big") + b"\x00\x00"))).orientation == 1


def test_a_pointer_that_leads_nowhere_still_counts_as_location() -> None:
    known = exif.read(block(entry(0x8825, 4, 1, b"\x00\x0f\xff\xff")))
    assert known.traces == ("location",)


def test_a_value_outside_the_block_is_named_but_not_read() -> None:
    known = exif.read(block(entry(0x010F, 2, 4_000_000_000, b"\xff\xff\xff\xff")))
    assert known.traces == ("camera make and model",)
    assert not known.whole


def test_a_directory_that_bites_its_tail_ends() -> None:
    known = exif.read(block(entry(0x8769, 4, 1, b"\x00\x00\x00\x08"), following=8))
    assert known.traces == ("embedded thumbnail",)


def test_too_many_entries_are_not_all_read() -> None:
    known = exif.read(b"MM\x00*\x00\x00\x00\x08\xff\xff" + bytes(12 * 0xFFFF))
    assert not known.whole


@pytest.mark.parametrize(
    "text", [b"0000:00:00 00:00:00", b"    :  :     :  :  ", b"2026-11-23 10:00:00", b"\xff" * 19, b"9999:99:99 99:99:99"]
)
def test_times_that_are_none_are_left_out(text: bytes) -> None:
    assert exif.read(block(entry(0x0132, 2, 20, (26).to_bytes(4, "big")), tail=text + b"\x00")).taken_at is None


@pytest.mark.parametrize(
    ("offset", "hour"), [(b"+02:00", 8), (b"-05:30", 15), (b"nonsense", None), (b"+99:00", None), (b"+0x:00", None), (b"", None)]
)
def test_offsets_of_the_camera_count_and_else_this_computers(offset: bytes, hour: int | None) -> None:
    time, sub = b"2026:11:23 10:00:00\x00", 26
    place = sub + 2 + 24 + 4
    entries = entry(0x9003, 2, 20, place.to_bytes(4, "big")) + entry(0x9011, 2, len(offset), (place + 20).to_bytes(4, "big"))
    known = exif.read(block(entry(0x8769, 4, 1, sub.to_bytes(4, "big")), tail=b"\x00\x02" + entries + bytes(4) + time + offset))
    assert known.taken_at is not None
    expected = (
        datetime(2026, 11, 23, 10).astimezone(UTC) if hour is None else datetime(2026, 11, 23, hour, 30 if hour == 15 else 0, tzinfo=UTC)
    )
    assert known.taken_at == expected


NOON = "2026:11:23 12:00:00"
DAY, TEN = "2026:11:23", (10.0, 0.0, 7.0)


def written(changed: dict[int, str], own: dict[int, str], gps: dict[int, object]) -> bytes:
    """A block as Pillow writes it."""
    tags = Image.Exif()
    tags.update(changed)
    tags.get_ifd(0x8769).update(own)
    tags.get_ifd(0x8825).update(gps)
    return tags.tobytes()


@pytest.mark.parametrize(
    ("changed", "own", "gps", "expected"),
    [
        ({}, {0x9003: NOON, 0x9011: "+02:00", 0x9291: "25"}, {}, "10:00:00.250000"),
        ({0x0132: "2027:01:01 00:00:00"}, {0x9003: NOON, 0x9011: "-01:00", 0x9010: "+09:00"}, {}, "13:00:00"),
        ({0x0132: NOON}, {0x9010: "+05:45", 0x9290: "5  "}, {}, "06:15:00.500000"),
        ({0x0132: NOON}, {0x9003: "    :  :     :  :  ", 0x9004: NOON, 0x9012: "+01:00"}, {}, "11:00:00"),
        ({0x0132: NOON}, {0x9003: "0000:00:00 00:00:00", 0x9010: "+03:00"}, {}, "09:00:00"),
        ({0x0132: NOON}, {0x9003: "1970:01:01 00:00:12", 0x9010: "+03:00"}, {}, "09:00:00"),
        ({}, {0x9003: NOON}, {0x1D: DAY, 7: TEN}, "10:00:00"),
        ({}, {0x9003: NOON, 0x9011: "+05:30"}, {0x1D: DAY, 7: TEN}, "06:30:00"),
        ({}, {0x9003: NOON}, {0x1D: DAY, 7: (17.0, 44.0, 59.0)}, "17:45:00"),  # Marquesas and others: not whole hours
        ({}, {0x9003: NOON, 0x9011: "  :  "}, {0x1D: DAY, 7: (3.0, 15.0, 1.0)}, "03:15:00"),
        ({}, {}, {0x1D: DAY, 7: TEN}, "10:00:07"),
    ],
)
def test_times_in_all_their_forms(changed: dict[int, str], own: dict[int, str], gps: dict[int, object], expected: str) -> None:
    taken_at = exif.read(written(changed, own, gps)).taken_at
    assert taken_at == datetime.fromisoformat(f"2026-11-23T{expected}+00:00")


@pytest.mark.parametrize(
    "gps",
    [
        {0x1D: "2026:11:22", 7: (1.0, 0.0, 0.0)},  # no zone is so far away
        {0x1D: DAY, 7: (10.0, 7.0, 0.0)},  # nor differs by such minutes
        {0x1D: DAY, 7: (99.0, 0.0, 0.0)},
        {0x1D: "1980:01:06", 7: TEN},  # where the satellites' time begins: no fix yet
        {0x1D: "soon", 7: TEN},
        {7: TEN},
        {0x1D: DAY},
    ],
)
def test_satellites_that_agree_with_no_zone_say_nothing(gps: dict[int, object]) -> None:
    assert exif.read(written({}, {0x9003: NOON}, gps)).taken_at == datetime(2026, 11, 23, 12).astimezone(UTC)


@given(
    st.dictionaries(st.sampled_from(range(0x20)), st.binary(max_size=30)), st.dictionaries(st.integers(0, 0xFFFF), st.binary(max_size=30))
)
def test_no_clock_is_too_strange(gps: dict[int, bytes], tags: dict[int, bytes]) -> None:
    for order in "<>":
        for each in clock.CLOCKS:
            found = clock.taken_at({each.time: NOON.encode(), **tags, each.offset: tags.get(1, b"+14:00")}, gps, order)
            assert found is not None
            assert found.tzinfo is UTC


def test_an_empty_block_is_whole_and_noise_is_not() -> None:
    assert exif.read(b"").whole
    assert exif.read(b"Exif\x00\x00").whole
    assert not exif.read(b"not a tiff block").whole
    assert not exif.read(b"MM\x00*").whole
