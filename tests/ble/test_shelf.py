"""What the glasses with Wi-Fi share: a shelf that closes under whoever waits, and captures lined up a few at a time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from ble.drivers.shelf import MOST_OFFERED, Lineup, Shelf
from ble.http_port import NotReachable, nothing_is_safe
from ble.types import CaptureKind, Offer


def offers(*names: object) -> list[Offer]:
    return [Offer(str(name), CaptureKind.PHOTO, "image/jpeg", datetime(2026, 1, 1, tzinfo=UTC), stored=True) for name in names]


def taken(lineup: Lineup) -> list[str]:
    """All that is offered from now on, in order."""
    found = []
    while (offer := lineup.next()) is not None:
        found.append(offer.id)
    return found


def test_a_few_are_offered_at_a_time_and_none_twice() -> None:
    lineup = Lineup()
    listed = offers(*range(MOST_OFFERED + 2))
    assert lineup.add(listed, nothing_is_safe) == MOST_OFFERED + 2
    assert taken(lineup) == [str(number) for number in range(MOST_OFFERED)]
    assert lineup.add(listed, nothing_is_safe) == 0, "offered or waiting already"
    lineup.settle("0")
    assert taken(lineup) == [str(MOST_OFFERED)]
    assert lineup.left == MOST_OFFERED + 1
    assert lineup.add(listed, nothing_is_safe) == 0, "done with"


def test_what_broke_off_is_offered_again_and_what_is_safe_is_not() -> None:
    lineup = Lineup()
    assert lineup.add(offers("a", "b", "c"), lambda offer: offer.id == "b") == 2
    assert taken(lineup) == ["a", "c"]
    lineup.broke_off("a")
    assert lineup.left == 1
    assert lineup.add(offers("a", "c"), nothing_is_safe) == 1
    assert taken(lineup) == ["a"]
    lineup.settle("c")
    lineup.clear()
    assert lineup.left == 0
    assert lineup.add(offers("c"), nothing_is_safe) == 1


def test_nonsense_is_told_when_it_is_more_than_before() -> None:
    lineup = Lineup()
    assert [lineup.worse(unsound) for unsound in (0, 2, 2, 1, 3)] == [False, True, False, False, True]


async def test_whoever_waits_learns_that_it_was_closed() -> None:
    shelf = Shelf()
    shelf.require_open()
    await shelf.wait(1.0)  # virtual
    waiting = asyncio.ensure_future(shelf.wait(600.0))
    await asyncio.sleep(0)
    begun = asyncio.get_running_loop().time()
    shelf.close()
    with pytest.raises(NotReachable):
        await waiting
    assert asyncio.get_running_loop().time() - begun < 600
    with pytest.raises(NotReachable):
        shelf.require_open()


async def test_whoever_is_called_off_in_the_moment_of_closing_is_called_off() -> None:
    shelf = Shelf()
    waiting = asyncio.ensure_future(shelf.wait(600.0))
    await asyncio.sleep(0)
    shelf.close()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
