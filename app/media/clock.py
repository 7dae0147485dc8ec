"""When a picture was taken, from what cameras write about it: a clock without zone, perhaps its offset, perhaps the satellites' UTC.

Pure; never raises. Tags and formats are those of CIPA DC-008 (EXIF), 4.6.5 (times, their fractions and offsets) and 4.6.6 (GPS).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone


@dataclass(frozen=True, slots=True)
class Clock:
    """The tags of one of the times in a picture: the clock itself, its distance from UTC, and what follows the second."""

    time: int
    offset: int
    fraction: int


ORIGINAL = Clock(0x9003, 0x9011, 0x9291)
DIGITIZED = Clock(0x9004, 0x9012, 0x9292)
CHANGED = Clock(0x0132, 0x9010, 0x9290)
CLOCKS = (ORIGINAL, DIGITIZED, CHANGED)
"""In the order in which they are believed."""
GPS_TIME, GPS_DATE = 0x0007, 0x001D
EARLIEST = 1990
"""Years before it are clocks that were never set: they begin at 1904, 1970 or 1980, and no glasses with a camera are as old."""
_QUARTER = timedelta(minutes=15)
"""Zones differ by multiples of it."""
_STALE = timedelta(minutes=4)
"""The satellites' time is that of the last fix, some time before the picture."""
_FARTHEST = timedelta(hours=14)


def was_set(time: datetime) -> bool:
    """Whether a clock that says so was ever set."""
    return time.year >= EARLIEST


def taken_at(tags: Mapping[int, bytes], gps: Mapping[int, bytes], order: str) -> datetime | None:
    """In UTC, from the values of a picture's tags as they stand in the file; `order` is "<" or ">", for struct.

    A clock without offset is set against the satellites' time; where there is none, it is taken to agree with this computer's zone.
    """
    satellites = _satellites(gps, order)
    for clock in CLOCKS:
        if (local := _local(tags, clock)) is None:
            continue
        zone = _offset(tags.get(clock.offset, b"")) or _zone(local, satellites)
        try:
            return (local if zone is None else local.replace(tzinfo=zone)).astimezone(UTC)
        except (ValueError, OverflowError, OSError):
            continue
    return satellites


def _local(tags: Mapping[int, bytes], clock: Clock) -> datetime | None:
    try:
        time = datetime.strptime(tags.get(clock.time, b"")[:19].decode("ascii"), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
    digits = tags.get(clock.fraction, b"").partition(b"\0")[0].strip()[:6]
    return (time.replace(microsecond=int(digits.ljust(6, b"0"))) if digits.isdigit() else time) if was_set(time) else None


def _offset(raw: bytes) -> timezone | None:
    text = raw[:6].decode("ascii", "replace")
    if len(text) != 6 or text[0] not in "+-" or text[3] != ":" or not (text[1:3] + text[4:6]).isascii():
        return None
    if not (text[1:3] + text[4:6]).isdigit():
        return None
    minutes = int(text[1:3]) * 60 + int(text[4:6])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes)) if minutes < 24 * 60 else None


def _satellites(gps: Mapping[int, bytes], order: str) -> datetime | None:
    """Three fractions, and a day as text."""
    try:
        parts = struct.unpack(f"{order}6I", gps.get(GPS_TIME, b""))
        hours, minutes, seconds = (parts[at] / parts[at + 1] for at in (0, 2, 4))
        day = datetime.strptime(gps.get(GPS_DATE, b"")[:10].decode("ascii"), "%Y:%m:%d").replace(tzinfo=UTC)
    except (struct.error, ZeroDivisionError, ValueError):
        return None
    if not (hours < 24 and minutes < 60 and seconds < 60):
        return None
    time = day + timedelta(hours=hours, minutes=minutes, seconds=int(seconds))
    return time if was_set(time) else None


def _zone(local: datetime, satellites: datetime | None) -> timezone | None:
    """The zone in which that clock and the satellites agree; None where no zone lets them."""
    if satellites is None:
        return None
    apart = local - satellites.replace(tzinfo=None)
    nearest = round(apart / _QUARTER) * _QUARTER
    return timezone(nearest) if abs(apart - nearest) <= _STALE and abs(nearest) <= _FARTHEST else None
