"""The radio's thread: work and streams cross over, and nothing is left when it stops."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from ble.errors import GlassesError, RadioUnavailable
from ble.radio import Radio

pytestmark = pytest.mark.real_time


@pytest.fixture
def radio() -> Iterator[Radio]:
    made = Radio()
    made.start()
    yield made
    made.stop()
    assert not any(thread.name == "radio" for thread in threading.enumerate())


async def where() -> str:
    return threading.current_thread().name


async def test_work_runs_on_the_radio(radio: Radio) -> None:
    assert await radio.run(where()) == "radio"
    radio.start()
    assert await radio.run(where()) == "radio"


async def test_work_on_the_radio_may_ask_for_more(radio: Radio) -> None:
    async def nested() -> str:
        return await radio.run(where())

    assert await radio.run(nested()) == "radio"


async def test_errors_come_back(radio: Radio) -> None:
    async def fails() -> None:
        raise GlassesError("so it is")

    with pytest.raises(GlassesError, match="so it is"):
        await radio.run(fails())


async def test_cancelling_here_cancels_there(radio: Radio) -> None:
    ended = threading.Event()
    begun = threading.Event()

    async def waits() -> None:
        begun.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.set()

    task = asyncio.get_running_loop().create_task(radio.run(waits()))
    await asyncio.to_thread(begun.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(ended.wait, 10)


async def test_stopping_lets_work_clean_up(radio: Radio) -> None:
    cleaned = threading.Event()
    begun = threading.Event()

    async def waits() -> None:
        begun.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await asyncio.sleep(0)
            cleaned.set()

    task = asyncio.get_running_loop().create_task(radio.run(waits()))
    await asyncio.to_thread(begun.wait)
    await radio.astop()
    assert cleaned.is_set()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_stopped_radio_refuses(radio: Radio) -> None:
    radio.stop()
    radio.stop()
    with pytest.raises(RadioUnavailable):
        await radio.run(where())
    with pytest.raises(RadioUnavailable):
        async for _ in radio.stream(lambda: counting(1)):
            pass
    radio.call_soon(lambda: None)
    radio.start()
    assert await radio.run(where()) == "radio"


async def counting(count: int, closed: threading.Event | None = None) -> AsyncIterator[int]:
    try:
        for number in range(count):
            yield number
    finally:
        if closed is not None:
            closed.set()


async def test_streams_arrive_in_order(radio: Radio) -> None:
    assert [item async for item in radio.stream(lambda: counting(1000), room=4)] == list(range(1000))


async def test_streams_of_nothing_carry_nothing_and_none(radio: Radio) -> None:
    async def nones() -> AsyncIterator[None]:
        yield None
        yield None

    assert [item async for item in radio.stream(lambda: counting(0))] == []
    assert [item async for item in radio.stream(nones)] == [None, None]


async def test_leaving_a_stream_ends_its_source_first(radio: Radio) -> None:
    closed = threading.Event()
    stream = radio.stream(lambda: counting(10**9, closed), room=2)
    async for item in stream:
        if item == 5:
            break
    await stream.aclose()  # type: ignore[attr-defined]
    assert closed.is_set()


async def test_a_slow_reader_holds_the_source_back(radio: Radio) -> None:
    made: list[int] = []

    async def source() -> AsyncIterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    stream = radio.stream(source, room=3)
    assert await anext(stream) == 0
    for _ in range(20):
        await radio.run(asyncio.sleep(0))
    assert len(made) <= 6
    await stream.aclose()  # type: ignore[attr-defined]


async def test_errors_of_a_stream_come_after_its_items(radio: Radio) -> None:
    async def source() -> AsyncIterator[int]:
        yield 1
        raise GlassesError("so it is")

    stream = radio.stream(source)
    assert await anext(stream) == 1
    with pytest.raises(GlassesError, match="so it is"):
        await anext(stream)


async def test_cancelling_a_reader_ends_the_source(radio: Radio) -> None:
    closed = threading.Event()
    begun = asyncio.Event()

    async def forever() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.get_running_loop().create_future()
        finally:
            closed.set()

    async def read() -> None:
        async for _ in radio.stream(forever):
            begun.set()

    task = asyncio.get_running_loop().create_task(read())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed.is_set()


async def test_a_stream_ends_when_the_radio_stops(radio: Radio) -> None:
    async def forever() -> AsyncIterator[int]:
        yield 1
        await asyncio.get_running_loop().create_future()

    stream = radio.stream(forever)
    assert await anext(stream) == 1
    await radio.astop()
    assert [item async for item in stream] == []


def test_streams_survive_the_end_of_their_home(radio: Radio) -> None:
    """The reader's loop closes while the source is still at it: nothing hangs, nothing is reported."""

    async def abandoned() -> None:
        stream = radio.stream(lambda: counting(10**9))
        await anext(stream)

    asyncio.run(abandoned())
    started = time.monotonic()
    radio.stop()
    assert time.monotonic() - started < 10


def test_many_starts_and_stops_while_work_is_handed_over() -> None:
    """Work either runs, is cancelled, or is refused; never forgotten."""

    async def once() -> None:
        radio = Radio()
        radio.start()

        async def ask() -> str:
            try:
                return await radio.run(where())
            except (RadioUnavailable, asyncio.CancelledError):
                return "refused"

        asking = [asyncio.get_running_loop().create_task(ask()) for _ in range(20)]
        stopping = asyncio.get_running_loop().create_task(radio.astop())
        assert set(await asyncio.gather(*asking)) <= {"radio", "refused"}
        await stopping

    for _ in range(20):
        asyncio.run(once())
