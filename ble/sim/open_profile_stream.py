"""What simulated open glasses send for one transfer, and what can be made to go wrong with it. Pure: no link, no loop."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ble.drivers.open_profile_wire import FRAME_HEAD_BYTES, MARK, Frame, Mark, MarkFlag, Op, crc32, read_data
from ble.sim.faults import Drop, Stall, Step


@dataclass(frozen=True, slots=True)
class OpenFaults:
    """Faults of the link, the camera and the firmware. All off by default.

    Those of the stream (the first group) harm the first `times` reads and spare the rest; None harms them all. They count what is sent
    in one read, frames and marks alike, from 0; windows are counted in the whole capture, from 0.
    """

    lose: int | None = None
    duplicate: int | None = None
    swap: int | None = None
    """This one and the one after it change places."""
    corrupt: int | None = None
    """The last byte of this one is another."""
    cut: int | None = None
    """This one loses its last byte."""
    wrong_crc: int | None = None
    lose_mark: int | None = None
    fail_at: int | None = None
    """The mark of this window says that the glasses can't go on."""
    stall_at: int | None = None
    """Nothing is sent from this offset on."""
    drop_link_at: int | None = None
    trickle: int | None = None
    """Frames carry so many bytes at most."""
    ends_early: bool = False
    never_ends: bool = False
    """More follows what should be the end, for as long as anybody listens."""
    ignores_credit: bool = False
    times: int | None = None

    @property
    def harm_reads(self) -> bool:
        """Whether any of the faults above is on, `ignores_credit` aside, which is no matter of what is sent but of when."""
        places = [self.lose, self.duplicate, self.swap, self.corrupt, self.cut, self.wrong_crc, self.lose_mark, self.fail_at]
        places += [self.stall_at, self.drop_link_at, self.trickle]
        return self.ends_early or self.never_ends or any(place is not None for place in places)

    wrong_digest: bool = False
    listed_size: int | None = None
    """The list states this size for every capture."""
    read_size: int | None = None
    """The answer to a read states this size."""
    list_changes: bool = False
    """After the first page of the first list, the last capture goes and a new one comes."""
    list_pages_lost: int = 0
    """So many pages lose their first frame."""
    list_endless: bool = False
    list_without_order: bool = False
    list_garbage: bool = False
    newest_lie: bool = False
    """The status speaks of captures that do not exist, louder every time."""

    refuses_pairing: bool = False
    """Not in pairing mode: nobody new may pair."""
    unprotected: bool = False
    """No bonding, and everything open to anybody."""
    version: int = 1
    features_cut: bool = False
    """The features characteristic is shorter than it may be."""
    mtu: int = 517
    silent: frozenset[Op] = frozenset()
    """Requests taken without an answer."""
    wrong_answer: frozenset[Op] = frozenset()
    """Requests answered as if they had been others."""
    drop_before_answer: frozenset[Op] = frozenset()
    """Requests carried out, and the link lost before the answer; the first time only."""
    camera_dead: bool = False
    """Orders are taken and fail, and the status says so."""
    camera_silent: bool = False
    """Orders are taken, and nothing comes of them."""
    babble: bool = False
    """Notifications and indications that mean nothing come all the time."""


NO_OPEN_FAULTS = OpenFaults()


def transfer(tag: int, body: bytes, start: int, window: int, payload: int) -> Iterator[bytes]:
    """All notifications for `body` from `start` on: frames that fit `payload` bytes, and a mark after each window and at the end."""
    room = payload - FRAME_HEAD_BYTES
    begin = start
    while True:
        end = min(begin + window, len(body))
        for at in range(begin, end, room):
            yield Frame(tag, at, body[at : min(at + room, end)]).pack()
        last = end == len(body)
        yield Mark(tag, end, crc32(body[begin:end]), MarkFlag.LAST if last else MarkFlag.NONE).pack()
        if last:
            return
        begin = end


def end_of(notification: bytes) -> int:
    """The offset up to which a notification needs credit; 0 for a mark, which needs none."""
    if notification[0] & MARK:
        return 0
    return int.from_bytes(notification[1:FRAME_HEAD_BYTES], "little") + len(notification) - FRAME_HEAD_BYTES


def spoil(notifications: Iterable[bytes], faults: OpenFaults, size: int, window: int) -> Iterator[Step]:
    """The notifications of one read as `faults` would have them sent."""
    if not faults.harm_reads:
        yield from notifications
        return
    steps = _swapped(notifications, faults.swap)
    for index, notification in enumerate(steps):
        if faults.stall_at is not None and end_of(notification) > faults.stall_at:
            yield Stall()
            return
        if faults.drop_link_at is not None and end_of(notification) > faults.drop_link_at:
            yield Drop()
            return
        if index == faults.lose:
            continue
        yield from _harmed(notification, index, faults, size, window)
        if faults.ends_early and notification[0] & MARK:
            return
    if faults.never_ends:
        tag = notification[0] & ~MARK
        yield from (Frame(tag, size + 100 * more, bytes(100)).pack() for more in itertools.count())


def _harmed(notification: bytes, index: int, faults: OpenFaults, size: int, window: int) -> Iterator[bytes]:
    match read_data(notification):
        case Mark() as mark:
            yield from _harmed_mark(mark, faults, window)
            return
        case Frame() as frame if faults.trickle is not None:
            for at in range(0, len(frame.body), faults.trickle):
                yield Frame(frame.tag, frame.offset + at, frame.body[at : at + faults.trickle]).pack()
            return
    if index == faults.corrupt:
        notification = notification[:-1] + bytes([notification[-1] ^ 0x55])
    if index == faults.cut:
        notification = notification[:-1]
    yield notification
    if index == faults.duplicate:
        yield notification


def _harmed_mark(mark: Mark, faults: OpenFaults, window: int) -> Iterator[bytes]:
    number = (mark.end - 1) // window
    if number == faults.lose_mark:
        return
    if number == faults.wrong_crc:
        mark = replace(mark, crc=mark.crc ^ 1)
    if number == faults.fail_at:
        mark = replace(mark, flags=MarkFlag.FAILED)
    if faults.ends_early:
        mark = replace(mark, flags=MarkFlag.LAST)
    if faults.never_ends:
        mark = replace(mark, flags=MarkFlag.NONE)
    yield mark.pack()


def _swapped(notifications: Iterable[bytes], first: int | None) -> Iterator[bytes]:
    rest = iter(notifications)
    if first is not None:
        yield from itertools.islice(rest, first)
        yield from reversed(list(itertools.islice(rest, 2)))
    yield from rest
