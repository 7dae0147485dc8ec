"""Putting a transfer together: whatever happens on the way, only right bytes come out, and nothing grows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ble.drivers.open_profile_transfer import Receiver, Verdict
from ble.drivers.open_profile_wire import PAGE_BYTES, Frame, Mark, MarkFlag, crc32, read_data
from ble.sim.open_profile_stream import NO_OPEN_FAULTS, OpenFaults, spoil, transfer

BODY = bytes(k * 7 % 251 for k in range(1000))
WINDOW = 256
PAYLOAD = 55  # frames of 50 bytes
EVERYTHING = 1 << 32


def receiver(start: int = 0, *, window: int = WINDOW, size: int | None = len(BODY), credit: int = EVERYTHING) -> Receiver:
    return Receiver(start, window, lambda: None, size=size, credit=credit)


def sent(start: int = 0, body: bytes = BODY, window: int = WINDOW, payload: int = PAYLOAD) -> list[bytes]:
    return list(transfer(9, body, start, window, payload))


def fed(into: Receiver, notifications: list[Any]) -> Receiver:
    for notification in notifications:
        into.feed(notification)
    return into


def body_of(into: Receiver) -> bytes:
    return b"".join(piece.body for piece in into.pieces)


def spoilt(**faults: Any) -> Receiver:
    return fed(receiver(), [step for step in spoil(sent(), OpenFaults(**faults), len(BODY), WINDOW) if isinstance(step, bytes)])


def test_a_whole_transfer() -> None:
    told = []
    into = fed(Receiver(0, WINDOW, lambda: told.append(1), size=len(BODY), credit=EVERYTHING), sent())
    assert body_of(into) == BODY
    assert [piece.end for piece in into.pieces] == [256, 512, 768, 1000]
    assert [piece.last for piece in into.pieces] == [False, False, False, True]
    assert into.verdict is None
    assert into.position == 1000
    assert len(told) == 4


@given(st.integers(1, 999), st.integers(1, 300), st.integers(10, 90))
def test_from_any_offset_with_any_window_and_payload(start: int, window: int, payload: int) -> None:
    into = fed(receiver(start, window=window), sent(start, window=window, payload=payload))
    assert body_of(into) == BODY[start:]
    assert into.pieces[-1].last


@pytest.mark.parametrize("fault", [{"duplicate": k} for k in range(27)] + [{"swap": k} for k in (0, 1, 4, 7, 11, 21, 24)])
def test_doubled_and_swapped_frames_do_no_harm(fault: dict[str, int]) -> None:
    into = spoilt(**fault)
    assert into.verdict is None
    assert body_of(into) == BODY


@pytest.mark.parametrize("lost", range(27))  # four windows of six frames, but five in the last, and a mark each
def test_a_lost_notification_is_noticed(lost: int) -> None:
    into = spoilt(lose=lost)
    if lost == 26:  # the last mark: only silence tells
        assert into.verdict is None
    else:
        assert into.verdict is Verdict.LOST
    assert BODY.startswith(body_of(into))
    assert into.position == len(body_of(into)) == lost // 7 * WINDOW


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ({"corrupt": 3}, Verdict.CHANGED),
        ({"cut": 3}, Verdict.LOST),
        ({"wrong_crc": 1}, Verdict.CHANGED),
        ({"lose_mark": 1}, Verdict.LOST),
        ({"fail_at": 1}, Verdict.FAILED),
        ({"swap": 5}, Verdict.LOST),
        ({"swap": 6}, Verdict.LOST),
        ({"ends_early": True}, Verdict.TOO_SHORT),
    ],
)
def test_what_goes_wrong_has_a_name(fault: dict[str, Any], verdict: Verdict) -> None:
    into = spoilt(**fault)
    assert into.verdict is verdict
    assert BODY.startswith(body_of(into))


def test_an_end_that_does_not_come() -> None:
    into = receiver()
    for step in spoil(sent(), OpenFaults(never_ends=True), len(BODY), WINDOW):
        assert isinstance(step, bytes)
        into.feed(step)
        if into.verdict is not None:
            break
    assert into.verdict is Verdict.BAD_MARK
    assert not Verdict.BAD_MARK.again
    more = fed(receiver(), sent()[:-1])
    more.feed(Frame(9, 1000, b"more").pack())
    assert more.verdict is Verdict.TOO_LONG


@pytest.mark.parametrize(
    ("notification", "verdict"),
    [
        (Frame(9, 990, bytes(20)), Verdict.TOO_LONG),
        (Frame(9, 0xFFFFFFF0, bytes(20)), Verdict.TOO_LONG),
        (Frame(9, 250, bytes(20)), Verdict.TOO_LONG),
        (Frame(9, 256, bytes(20)), Verdict.LOST),
        (Frame(9, 600, bytes(20)), Verdict.NO_CREDIT),
        (Mark(9, 100, 0), Verdict.BAD_MARK),
        (Mark(9, 256, 0, MarkFlag.LAST), Verdict.TOO_SHORT),
        (Mark(9, 256, 0), Verdict.LOST),
        (Mark(9, 512, 0), Verdict.LOST),
        (Mark(9, 5000, 0), Verdict.BAD_MARK),
        (Mark(9, 5000, 0, MarkFlag.LAST), Verdict.BAD_MARK),
        (Mark(9, 0, 0), None),
        (Frame(9, 50, bytes(10)), None),
    ],
)
def test_one_odd_notification(notification: Frame | Mark, verdict: Verdict | None) -> None:
    assert fed(receiver(credit=512), [notification.pack()]).verdict is verdict


def test_a_mark_at_the_end_must_say_so() -> None:
    notifications = sent()
    notifications[-1] = Mark(9, 1000, crc32(BODY[768:])).pack()
    assert fed(receiver(), notifications).verdict is Verdict.BAD_MARK


def test_after_a_verdict_nothing_counts() -> None:
    into = fed(receiver(), [Frame(9, 990, bytes(20)).pack(), *sent()])
    assert into.verdict is Verdict.TOO_LONG
    assert not into.pieces


def test_an_overlap_is_a_loss() -> None:
    assert fed(receiver(), [Frame(9, 0, bytes(50)).pack(), Frame(9, 40, bytes(50)).pack()]).verdict is Verdict.LOST


def test_no_more_than_a_few_frames_are_kept_before_their_turn() -> None:
    into = fed(receiver(), [Frame(9, at, b"x").pack() for at in range(1, 18)])
    assert into.verdict is Verdict.LOST


# -- pages ----------------------------------------------------------------------------------------------------------------------------


def page(body: bytes, limit: int = PAGE_BYTES) -> Receiver:
    into = receiver(window=limit, size=None, credit=limit)
    return fed(into, list(transfer(9, body, 0, PAGE_BYTES, PAYLOAD)))


@pytest.mark.parametrize("size", [0, 1, 52, 4056, PAGE_BYTES])
def test_a_page_of_any_size(size: int) -> None:
    into = page(bytes(size))
    assert into.verdict is None
    assert body_of(into) == bytes(size)
    assert into.pieces[-1].last


def test_a_page_too_long() -> None:
    assert page(bytes(PAGE_BYTES), 4000).verdict is Verdict.TOO_LONG
    assert page(bytes(PAGE_BYTES + 1)).verdict is Verdict.BAD_MARK  # the transfer would be two windows


def test_a_page_whose_mark_lies() -> None:
    for mark in (Mark(9, 5000, 0, MarkFlag.LAST), Mark(9, 10, 0), Mark(9, 0xFFFFFFFF, 0)):
        assert fed(receiver(window=PAGE_BYTES, size=None, credit=PAGE_BYTES), [mark.pack()]).verdict is Verdict.BAD_MARK
    assert fed(receiver(window=PAGE_BYTES, size=None, credit=PAGE_BYTES), [Mark(9, 0, 1, MarkFlag.LAST).pack()]).verdict is Verdict.CHANGED


# -- anything at all ------------------------------------------------------------------------------------------------------------------

numbers = st.integers(0, 1100) | st.integers(0, 0xFFFFFFFF)
frames = st.builds(Frame, st.just(9), numbers, st.binary(min_size=1, max_size=60))
marks = st.builds(Mark, st.just(9), numbers, st.integers(0, 0xFFFFFFFF), st.integers(0, 3).map(MarkFlag))


@given(st.lists(st.binary(max_size=40) | frames.map(Frame.pack) | marks.map(Mark.pack), max_size=80), st.booleans())
def test_whatever_comes_nothing_raises_and_nothing_grows(notifications: list[bytes], of_a_page: bool) -> None:
    into = receiver(window=PAGE_BYTES, size=None, credit=PAGE_BYTES) if of_a_page else receiver(credit=512)
    for notification in notifications:
        into.feed(notification)
        assert len(into._buffer) <= (PAGE_BYTES if of_a_page else WINDOW)
        assert len(into._early) <= 16
    assert sum(len(piece.body) for piece in into.pieces) <= (PAGE_BYTES if of_a_page else 512)


@given(st.data())
def test_a_bad_link_never_yields_wrong_bytes(data: st.DataObject) -> None:
    """Notifications are lost, doubled, moved and changed at will: what comes out is the beginning of the capture, or nothing."""
    notifications = sent()
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(notifications) - 1))
        match data.draw(st.sampled_from(["lose", "double", "move", "change", "cut"])):
            case "lose":
                del notifications[at]
            case "double":
                notifications.insert(data.draw(st.integers(0, len(notifications))), notifications[at])
            case "move":
                notifications.insert(data.draw(st.integers(0, len(notifications) - 1)), notifications.pop(at))
            case "change":
                byte = data.draw(st.integers(0, len(notifications[at]) - 1)) if notifications[at] else 0
                changed = bytearray(notifications[at])
                if changed:
                    changed[byte] ^= data.draw(st.integers(1, 255))
                notifications[at] = bytes(changed)
            case _:
                notifications[at] = notifications[at][: data.draw(st.integers(0, len(notifications[at])))]
        if not notifications:
            return
    into = fed(receiver(), notifications)
    assert BODY.startswith(body_of(into))


def test_the_sender_keeps_to_the_profile() -> None:
    end = 0
    for notification in spoil(sent(), NO_OPEN_FAULTS, len(BODY), WINDOW):
        assert isinstance(notification, bytes)
        assert len(notification) <= PAYLOAD
        match read_data(notification):
            case Frame(_, offset, body):
                assert offset == end
                end += len(body)
                assert offset // WINDOW == (end - 1) // WINDOW
            case Mark(_, behind, _, flags):
                assert behind == end
                assert bool(flags & MarkFlag.LAST) == (end == len(BODY))
            case None:
                raise AssertionError("the sender sent nothing")
