"""What stands in for the other ends in tests of the courier: the listener on the pipe, glasses with a server, a street with answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import httpx2

from app.courier.pipe import Answer, Fetch, Message, Send
from ble.sim.loopback_http import Asked, LoopbackHttp, Reply

OrderFor = Callable[..., Send]
ORDER = Fetch("f1", "192.168.43.1", 8089, False, "GET", "/api/health", (), 1 << 20, 1 << 20, 2.0, 5.0, 30.0)


class Told:
    """Keeps what the courier would tell."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def __call__(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.body for message in self.messages if isinstance(message, Answer))


class Glasses:
    """A server that answers as told and remembers what it was asked."""

    def __init__(self) -> None:
        self.reply = Reply(200, b"ok")
        self.asked: list[Asked] = []
        self.http = LoopbackHttp(self._respond)

    def _respond(self, request: Asked) -> Reply:
        self.asked.append(request)
        return self.reply

    def order(self, **changes: Any) -> Fetch:
        host, port = self.http.address.split(":")
        return replace(ORDER, address=host, port=int(port), loopback=True, **changes)


class Pieces(httpx2.AsyncByteStream):
    """An answer that was not read yet."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"ok"


def answering(*responses: httpx2.Response) -> tuple[Callable[[], httpx2.AsyncBaseTransport], list[httpx2.Request]]:
    """A street where the given answers wait, and the list of requests that came along it, bodies read."""
    seen: list[httpx2.Request] = []
    left = list(responses)

    async def handle(request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        seen.append(request)
        return left.pop(0)

    return lambda: httpx2.MockTransport(handle), seen
