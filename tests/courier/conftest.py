"""Orders for the courier, and a loopback server that writes down what it got."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from app.courier.pipe import Send
from tests.courier.standing_in import Glasses

BODY = b'{"model":"m"}' * 10_000


@dataclass
class Request:
    head: bytes
    body: bytes = b""


@dataclass
class Server:
    """Answers every request with `answer`; `requests` are those whose head came. `held` makes it stop reading after the head."""

    answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    held: asyncio.Event | None = None
    silent: bool = False
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            request = Request(await reader.readuntil(b"\r\n\r\n"))
            self.requests.append(request)
            if self.held is not None:
                await self.held.wait()
            lengths = [line.split(b":")[1] for line in request.head.split(b"\r\n") if line.lower().startswith(b"content-length")]
            request.body = await reader.readexactly(int(lengths[0]))
            if not self.silent:
                writer.write(self.answer)
                await writer.drain()
                writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    yield made
    if made.held is not None:
        made.held.set()
    listening.close()
    for writer in made.writers:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@pytest.fixture
def order_for() -> Callable[..., Send]:
    """Makes an approved order; keywords change fields, of the order or of the approval."""

    def make(origin: str, /, **changes: object) -> Send:
        body = changes.get("body", BODY)
        assert isinstance(body, bytes)
        values: dict[str, object] = {
            "parcel_id": "parcel-1",
            "approval_id": "approval-1",
            "approved_sha256": hashlib.sha256(body).hexdigest(),
            "approved_size": len(body),
            "approved_origin": origin,
            "approved_method": "POST",
            "approved_path": "/v1/chat/completions",
            "expires_at": time.time() + 60,
            "origin": origin,
            "method": "POST",
            "path": "/v1/chat/completions",
            "headers": (("content-type", "application/json"), ("authorization", "Bearer sk-1")),
            "loopback_only": True,
            "max_answer": 100_000,
            "connect_timeout": 5.0,
            "idle_timeout": 20.0,
            "total_timeout": 30.0,
            "body": body,
        }
        return Send(**(values | changes))  # type: ignore[arg-type]

    return make


@pytest.fixture
async def glasses() -> AsyncIterator[Glasses]:
    made = Glasses()
    assert await made.http.start()
    yield made
    await made.http.stop()
