"""The courier's loop in this process, over pipes: what the child process does, where it can be watched."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import IO, Any

import pytest

from app.courier.pipe import Answer, Cancel, End, Ending, Hello, Message, Quit, Send, encode, read
from app.courier.service import Courier, _listen

OrderFor = Callable[..., Send]


@dataclass
class Line:
    """The other side of a courier's two pipes."""

    into: IO[bytes]
    out: IO[bytes]
    task: asyncio.Task[None]

    def tell(self, *messages: Message) -> None:
        self.into.write(b"".join(encode(message) for message in messages))
        self.into.flush()

    async def hear(self) -> Message | None:
        return await asyncio.to_thread(read, self.out)

    async def end(self) -> End:
        while not isinstance(message := await self.hear(), End):
            assert message is not None
        return message


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    incoming, outgoing = os.fdopen(theirs_in, "rb"), os.fdopen(theirs_out, "wb")
    made = Line(os.fdopen(ours_out, "wb"), os.fdopen(ours_in, "rb"), asyncio.create_task(Courier(outgoing).serve(incoming)))
    assert isinstance(await made.hear(), Hello)
    yield made
    if not made.into.closed:
        made.into.close()
    await made.task
    for pipe in (outgoing, incoming, made.out):
        pipe.close()


async def test_a_parcel_then_quit(line: Line, server: Any, order_for: OrderFor) -> None:
    line.tell(order_for(server.origin))
    assert (await line.end()).ending is Ending.DONE
    line.tell(order_for(server.origin, parcel_id="other"), Quit())
    assert (await line.end()).detail == "The approval has been used already."
    await line.task


async def test_parcels_side_by_side_have_a_limit_and_end_with_the_pipe(line: Line, server: Any, order_for: OrderFor) -> None:
    server.silent = True
    line.tell(*(order_for(server.origin, approval_id=f"a{n}", parcel_id=f"p{n}") for n in range(5)))
    assert (await line.end()).detail == "Too many parcels are on their way."
    line.tell(Cancel("p0"), Cancel("unknown"))
    end = await line.end()
    assert (end.parcel_id, end.ending) == ("p0", Ending.CANCELLED)
    line.into.close()
    assert {(await line.end()).parcel_id for _ in range(3)} == {"p1", "p2", "p3"}
    await line.task


@pytest.mark.parametrize("nonsense", [b"\xff" * 50, encode(Answer("p", b"x"))])
async def test_nonsense_ends_it(line: Line, nonsense: bytes) -> None:
    line.into.write(nonsense)
    line.into.flush()
    await line.task


async def test_the_reading_thread_outlives_no_loop() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    inbox: asyncio.Queue[Message | None] = asyncio.Queue()
    await asyncio.wait_for(asyncio.to_thread(_listen, io.BytesIO(encode(Quit())), loop, inbox), 10)
    assert inbox.empty()
