"""The storage of simulated open glasses: captures, trash, the list, and the status that follows from them. No link, no loop."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ble.drivers.open_profile_wire import DIGEST_HEAD_BYTES, Record, Result, Status, StatusFlag, Trouble
from ble.sim.open_profile_stream import OpenFaults

_SAMPLES_A_SECOND = 8000
_JPEG = 0x10


def silence(seconds: float) -> bytes:
    """A WAV file of silence, 8 bits mono (RIFF, Multimedia Programming Interface and Data Specifications 1.0)."""
    samples = b"\x80" * int(seconds * _SAMPLES_A_SECOND)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, _SAMPLES_A_SECOND, _SAMPLES_A_SECOND, 1, 8)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(samples)) + samples
    return struct.pack("<4sI", b"RIFF", len(body)) + body


@dataclass(frozen=True, slots=True)
class Capture:
    """A capture as it lies in the storage, and its record as the list states it."""

    record: Record
    body: bytes


class Storage:
    """Numbers are given once and only go up; a capture never changes. The trash is emptied, oldest first, only to make room."""

    def __init__(self, pictures: Sequence[bytes], room: int, faults: OpenFaults) -> None:
        self.captures: dict[int, Capture] = {}
        self.trash: dict[int, Capture] = {}
        self._pictures = tuple(pictures)
        self._room = room
        self._faults = faults
        self._seen = 0
        self._last_number = 0
        self._revision = 0
        self._failed = 0
        self._trouble = Trouble.NONE
        self._flags = StatusFlag.NONE
        self._lies = 0

    @property
    def free(self) -> int:
        """Bytes."""
        return self._room - sum(len(capture.body) for capture in (*self.captures.values(), *self.trash.values()))

    def number(self) -> int:
        """The number of the next capture."""
        self._last_number += 1
        return self._last_number

    def keep_picture(self, taken_ms: int, number: int = 0) -> None:
        """Take in what the camera sees; `number` 0: the next one."""
        body = self._pictures[self._seen % len(self._pictures)]
        self._seen += 1
        self.keep(number or self.number(), _JPEG, body, taken_ms)

    def keep(self, number: int, media: int, body: bytes, taken_ms: int) -> None:
        while self.trash and self.free < len(body):
            del self.trash[min(self.trash)]
        if self.free < len(body):
            self.fail(number, Trouble.STORAGE_FULL)
            return
        stated = hashlib.sha256(body + b"?" * self._faults.wrong_digest).digest()
        size = len(body) if self._faults.listed_size is None else self._faults.listed_size
        self.captures[number] = Capture(Record(number, media, size, stated, taken_ms), body)
        self._revised()

    def fail(self, number: int, trouble: Trouble) -> None:
        """The capture that was to become `number` did not happen."""
        self._failed, self._trouble = number, trouble

    def flag(self, flag: StatusFlag, on: bool) -> None:
        self._flags = self._flags | flag if on else self._flags & ~flag

    def acknowledge(self, number: int, head: bytes) -> Result:
        """The host has it safe: into the trash, if it is the one the host means. Once more does no harm."""
        return self._move(number, head, self.captures, self.trash)

    def restore(self, number: int, head: bytes) -> Result:
        return self._move(number, head, self.trash, self.captures)

    def _move(self, number: int, head: bytes, here: dict[int, Capture], there: dict[int, Capture]) -> Result:
        capture = here.get(number) or there.get(number)
        if capture is None:
            return Result.NO_SUCH_CAPTURE
        if capture.record.sha256[:DIGEST_HEAD_BYTES] != head:
            return Result.DIGEST_DIFFERS
        if number in here:
            there[number] = here.pop(number)
            self._revised()
        return Result.OK

    def page(self, after: int, most: int) -> tuple[bytes, int]:
        """The records of at most `most` captures above `after`, and how many remain behind them."""
        if self._faults.list_garbage:
            return b"\x05nonsense", 0
        if self._faults.list_endless:
            return b"".join(Record(after + 1 + k, _JPEG, 1000, b"\x01" * 32).pack() for k in range(most)), 1_000_000
        numbers = [number for number in sorted(self.captures) if number > after]
        records = [self.captures[number].record for number in numbers[:most]]
        if self._faults.list_without_order:
            records.reverse()
        return b"".join(record.pack() for record in records), len(numbers) - len(records)

    def shuffle(self, taken_ms: int) -> None:
        """The last capture goes, and a new one comes."""
        if self.captures:
            del self.captures[max(self.captures)]
        self.keep_picture(taken_ms)

    def status(self) -> Status:
        status = Status(
            flags=self._flags,
            trouble=self._trouble,
            revision=self._revision,
            captures=len(self.captures),
            newest=max(self.captures, default=0),
            failed=self._failed,
            free_kib=max(0, self.free) // 1024,
        )
        if not self._faults.newest_lie:
            return status
        self._lies += 1
        return replace(status, newest=0xFFFF0000 + self._lies % 0xFFFF)

    def _revised(self) -> None:
        self._revision = (self._revision + 1) & 0xFFFF
