"""Servers that are no proper web servers at all: each question ends, soon, with a typed ending, and takes little memory."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from app.courier.fetch import SLOWEST, Allowance, fetch
from app.courier.pipe import End, Ending, Fetch, Message
from tests.courier.standing_in import Told
from tests.waiting import until

ORDER = Fetch("f1", "127.0.0.1", 1, True, "GET", "/x", (), 1 << 20, 1 << 20, 2.0, 5.0, 30.0)
OK = b"HTTP/1.1 200 OK\r\n"
PATIENCE = (0.05, 0.5, 5.0)
"""Seconds of silence that are too many; more in the next round, because a server on a busy computer may be that long silent."""
Talk = Callable[[], Iterable[bytes]]


@asynccontextmanager
async def server(talk: Talk, pause: float = 0.0) -> AsyncIterator[int]:
    """Says what `talk` yields to whoever connects, and hangs up."""
    talking: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talking.add(asyncio.current_task())  # type: ignore[arg-type]
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await reader.readuntil(b"\r\n\r\n")
            for word in talk():
                writer.write(word)
                await writer.drain()
                await asyncio.sleep(pause)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    there = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield there.sockets[0].getsockname()[1]
    finally:
        there.close()
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)
        await there.wait_closed()


async def asked(talk: Talk, pause: float = 0.0, **changes: Any) -> tuple[int, End]:
    """How many bytes of an answer were passed on, and how it ended."""
    told = Told()
    async with server(talk, pause) as port:
        end = await fetch(replace(ORDER, port=port, **changes), told, Allowance(ORDER.credit))
    return len(told.body), end


@pytest.mark.parametrize(
    ("words", "ending"),
    [
        ([b"SSH-2.0-OpenSSH_9.7\r\n"], Ending.BROKEN),
        ([b"\x00" * 100_000], Ending.BROKEN),
        ([], Ending.BROKEN),
        ([OK, b"x: " + b"y" * 1_000_000], Ending.BROKEN),
        ([OK, *(b"x%d: y\r\n" % number for number in range(5000))], Ending.BROKEN),
        ([b"HTTP/1.1 99999 OK\r\n\r\n"], Ending.BROKEN),
        ([b"HTTP/1.1 200" + b" " * 1_000_000], Ending.BROKEN),
        ([OK, b"Content-Length: 99\r\n\r\nshort"], Ending.BROKEN),
        ([OK, b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"], Ending.BROKEN),
        ([OK, b"Transfer-Encoding: chunked\r\n\r\n-5\r\nabcdefgh"], Ending.BROKEN),
        ([OK, b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\nabc"], Ending.BROKEN),
        ([OK, b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 1_000_000], Ending.BROKEN),
        ([OK, b"Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n1\r\nx\r\n0\r\n\r\n"], Ending.BROKEN),
        ([OK, b"Content-Length: -7\r\n\r\n", b"x" * (1 << 20), b"x"], Ending.TOO_BIG),
        ([OK, b"Content-Length: 99999999999999\r\n\r\n", b"x" * (1 << 20), b"x"], Ending.TOO_BIG),
        ([b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"], Ending.REDIRECT),
        ([b"HTTP/1.1 302 Found\r\nLocation: http://8.8.8.8/\r\n\r\n"], Ending.REDIRECT),
        ([b"HTTP/1.1 700 What\r\n\r\n"], Ending.REDIRECT),
    ],
    ids=lambda value: value.value if isinstance(value, Ending) else str(b"".join(value)[:60]),
)
async def test_what_is_no_answer(words: list[bytes], ending: Ending) -> None:
    passed, end = await asked(lambda: words)
    assert (end.ending, bool(end.detail)) == (ending, True)
    assert passed <= ORDER.max_answer


@pytest.mark.parametrize(
    ("head", "for_ever"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"x: y\r\n"),
    ],
)
async def test_what_never_comes_to_an_end(head: bytes, for_ever: bytes) -> None:
    _, end = await asked(lambda: itertools.chain([head], itertools.repeat(for_ever)), total_timeout=0.2)
    assert end.ending is Ending.TIMEOUT


async def test_a_head_in_drops() -> None:
    _, end = await asked(lambda: itertools.chain([OK], itertools.repeat(b"x")), 0.01, total_timeout=0.2)
    assert (end.ending, end.status) == (Ending.TIMEOUT, None)


async def test_a_body_in_drops() -> None:
    head = OK + b"Content-Length: 100000\r\n\r\n"
    for patience in PATIENCE:
        passed, end = await asked(lambda: itertools.chain([head], itertools.repeat(b"x")), 0.02, idle_timeout=patience)
        assert end.ending is Ending.TIMEOUT
        if end.status is not None:
            break
    assert end.status == 200
    assert passed < SLOWEST


async def test_whoever_stops_asking_is_not_called_slow() -> None:
    """The time that this side takes counts for nobody else."""
    body = b"x" * 3_000_000
    told: list[Message] = []

    async def tell(message: Message) -> None:
        told.append(message)

    for patience in PATIENCE:
        told.clear()
        async with server(lambda: [OK, b"Content-Length: 3000000\r\n\r\n", body]) as port:
            allowance = Allowance(0)
            order = replace(ORDER, port=port, max_answer=len(body), idle_timeout=patience)
            task = asyncio.create_task(fetch(order, tell, allowance))
            await until(lambda task=task: told or task.done())  # type: ignore[misc]
            done, _ = await asyncio.wait({task}, timeout=4 * patience)
            assert not (told and done)
            allowance.extend(len(body))
            end = await task
        if end.ending is Ending.DONE:
            break
    assert end.ending is Ending.DONE
