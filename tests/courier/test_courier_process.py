"""The courier as the child process it is: over its real pipe, against a real server on this computer."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from app.courier.pipe import MAX_BODY, Answer, Cancel, End, Ending, Hello, Message, Progress, Quit, Send, encode, read

ROOT = Path(__file__).parent.parent.parent
OrderFor = Callable[..., Send]


class Child:
    """A courier, its hello read."""

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        arguments = [sys.executable, "-m", "app.courier"]
        env = dict(os.environ) | (environment or {})
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=env)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.into: IO[bytes] = self.process.stdin
        self.out: IO[bytes] = self.process.stdout
        hello = read(self.out)
        assert isinstance(hello, Hello)
        self.hello = hello

    async def tell(self, message: Message) -> None:
        await asyncio.to_thread(self._tell, message)

    def _tell(self, message: Message) -> None:
        self.into.write(encode(message))
        self.into.flush()

    async def hear(self) -> Message:
        message = await asyncio.to_thread(read, self.out)
        assert message is not None
        return message

    async def until_end(self) -> tuple[list[Message], End]:
        messages: list[Message] = []
        while not isinstance(message := await self.hear(), End):
            messages.append(message)
        return messages, message

    def close(self) -> int:
        self.into.close()
        code = self.process.wait(20)
        assert self.process.stderr is not None
        assert self.process.stderr.read() == b"", "the courier is quiet"
        self.process.stderr.close()
        self.out.close()
        return code


@pytest.fixture(scope="module")
def shared() -> Iterator[Child]:
    """One courier for the tests that do not mind: starting one takes most of a second."""
    child = Child(
        {
            "HTTP_PROXY": "http://127.0.0.1:1",
            "http_proxy": "http://127.0.0.1:1",
            "ALL_PROXY": "http://127.0.0.1:1",
            "SSL_CERT_FILE": "/nowhere",
        }
    )
    yield child
    assert child.close() == 0


async def test_a_parcel_and_its_answer_in_spite_of_proxies(shared: Child, server: Any, order_for: OrderFor) -> None:
    order = order_for(server.origin, approval_id="process-1")
    await shared.tell(order)
    messages, end = await shared.until_end()
    assert end == End("parcel-1", len(order.body), 200, Ending.DONE, "")
    assert server.requests[0].body == order.body
    assert b"".join(message.body for message in messages if isinstance(message, Answer)) == b"ok"
    # The second use of an approval is refused, whatever parcel it comes with.
    for parcel in ("parcel-1", "parcel-2"):
        await shared.tell(order_for(server.origin, approval_id="process-1", parcel_id=parcel))
        assert (await shared.until_end())[1] == End(parcel, 0, None, Ending.REFUSED, "The approval has been used already.")
    assert server.connections == 1


@pytest.mark.parametrize("changes", [{"approved_sha256": "0" * 64}, {"approved_origin": "http://127.0.0.1:9"}, {"expires_at": 1.0}])
async def test_refusals(shared: Child, server: Any, order_for: OrderFor, changes: dict[str, object]) -> None:
    await shared.tell(order_for(server.origin, approval_id=f"refusal-{sorted(changes)}", **changes))
    messages, end = await shared.until_end()
    assert (messages, end.ending, end.sent) == ([], Ending.REFUSED, 0)
    assert server.connections == 0


async def test_cancelling(shared: Child, server: Any, order_for: OrderFor) -> None:
    server.held = asyncio.Event()
    order = order_for(server.origin, approval_id="cancelled", body=bytes(MAX_BODY))
    await shared.tell(order)
    while not (isinstance(message := await shared.hear(), Progress) and message.sent > 200_000):
        assert isinstance(message, Progress)
    await shared.tell(Cancel("parcel-1"))
    await shared.tell(Cancel("some other"))
    messages, end = await shared.until_end()
    assert end.ending is Ending.CANCELLED
    assert 0 < end.sent < MAX_BODY
    assert all(isinstance(message, Progress) for message in messages)


async def test_an_order_cancelled_at_once_still_ends(shared: Child, server: Any, order_for: OrderFor) -> None:
    await asyncio.to_thread(shared.into.write, encode(order_for(server.origin, approval_id="at once")) + encode(Cancel("parcel-1")))
    await asyncio.to_thread(shared.into.flush)
    assert (await shared.until_end())[1].ending in (Ending.CANCELLED, Ending.DONE)


async def test_no_more_than_a_few_at_once(shared: Child, server: Any, order_for: OrderFor) -> None:
    server.silent = True
    for number in range(5):
        await shared.tell(order_for(server.origin, approval_id=f"many-{number}", parcel_id=f"many-{number}"))
    _, end = await shared.until_end()
    assert (end.parcel_id, end.detail) == ("many-4", "Too many parcels are on their way.")
    await shared.tell(order_for(server.origin, approval_id="again", parcel_id="many-0"))
    assert (await shared.until_end())[1].ending is Ending.REFUSED
    for number in range(4):
        await shared.tell(Cancel(f"many-{number}"))
    ends = [(await shared.until_end())[1] for _ in range(4)]
    assert {end.parcel_id for end in ends} == {f"many-{number}" for number in range(4)}


async def test_the_mirror_answers(shared: Child, order_for: OrderFor) -> None:
    place = {"path": shared.hello.mirror_path, "approved_path": shared.hello.mirror_path}
    await shared.tell(order_for(shared.hello.mirror_origin, approval_id="mirror", **place))
    messages, end = await shared.until_end()
    assert (end.ending, end.status) == (Ending.DONE, 200)
    assert b"130,000 bytes in one request" in b"".join(message.body for message in messages if isinstance(message, Answer))


async def test_it_ends_when_asked_with_a_parcel_on_its_way(server: Any, order_for: OrderFor) -> None:
    server.silent = True
    child = Child()
    await child.tell(order_for(server.origin))
    await child.hear()
    await child.tell(Quit())
    assert (await child.until_end())[1].ending is Ending.CANCELLED
    assert await asyncio.to_thread(child.close) == 0


async def test_it_ends_with_what_is_no_frame() -> None:
    child = Child()
    await asyncio.to_thread(child.into.write, b"\xff" * 100)
    await asyncio.to_thread(child.into.flush)
    assert await asyncio.to_thread(child.process.wait, 20) == 0
    assert await asyncio.to_thread(child.close) == 0


async def test_it_ends_when_its_parent_dies(server: Any, order_for: OrderFor, tmp_path: Path) -> None:
    """The parent is killed outright; the courier, in the middle of a parcel, notices by its pipe alone."""
    server.silent = True
    order = tmp_path / "order"
    order.write_bytes(encode(order_for(server.origin, total_timeout=3000.0, idle_timeout=3000.0)))
    script = f"""
        import subprocess, sys, pathlib
        child = subprocess.Popen([sys.executable, "-m", "app.courier"], stdin=subprocess.PIPE)
        child.stdin.write(pathlib.Path({str(order)!r}).read_bytes())
        child.stdin.flush()
        child.wait()
    """
    # The courier's standard output is the script's: it stays open as long as either of them lives.
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, cwd=ROOT)
    assert parent.stdout is not None
    assert isinstance(await asyncio.to_thread(read, parent.stdout), Hello)
    assert isinstance(await asyncio.to_thread(read, parent.stdout), Progress)
    parent.kill()
    parent.wait()
    rest = await asyncio.wait_for(asyncio.to_thread(parent.stdout.read), 20)
    parent.stdout.close()
    stream = io.BytesIO(rest)
    assert all(isinstance(message, Progress | End) for message in iter(lambda: read(stream), None))
