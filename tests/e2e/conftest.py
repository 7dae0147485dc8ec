"""What the tests of the whole path share: an assistant on the loopback, a running Eyelid, and an eye on every connection made."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import textwrap
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.paths import Profile
from app.services import Services
from app.sharing import courier_link

ANSWER = ("A cup ", "of coffee ", "on a table.")


@dataclass
class Assistant:
    """An OpenAI-compatible server on the loopback; remembers each request, body and all."""

    port: int = 0
    bodies: list[bytes] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    redirect_to: str = ""

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.requests.append(head)
        length = next(int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length"))
        self.bodies.append(await reader.readexactly(length))
        if self.redirect_to:
            writer.write(f"HTTP/1.1 307 Moved\r\nLocation: {self.redirect_to}\r\nContent-Length: 0\r\n\r\n".encode())
        else:
            chunks = [{"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]} for piece in ANSWER]
            chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
            stream = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + stream.encode())
        await writer.drain()
        writer.close()


@pytest.fixture
async def assistant() -> AsyncIterator[Assistant]:
    one = Assistant()
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    yield one
    server.close()
    await server.wait_closed()


class Street:
    """Every connection the courier tries, one address a line. They come through a named pipe: a courier can write to no file."""

    def __init__(self, pipe: Path) -> None:
        os.mkfifo(pipe)
        self.pipe = pipe
        self._reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        self._seen = b""

    def read_text(self) -> str:
        """All there were up to now."""
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self._reading, 65_536):
                self._seen += piece
        return self._seen.decode()

    def close(self) -> None:
        os.close(self._reading)


@pytest.fixture
def street(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Street]:
    """Only the socket layer is touched, by an audit hook in the courier."""
    log = Street(tmp_path / "street")
    wrapper = tmp_path / "watched_courier.py"
    wrapper.write_text(
        textwrap.dedent(f"""
        import runpy, sys
        sys.path.insert(0, {str(Path(courier_link.__file__).parents[2])!r})
        log = open({str(log.pipe)!r}, "w", buffering=1)
        def watch(event, arguments):
            if event == "socket.connect":
                address = arguments[1]
                print(address, file=log)
                if isinstance(address, tuple) and not address[0].startswith("127.") and address[0] != "::1":
                    raise OSError("the test allows no connection beyond this computer")
        sys.addaudithook(watch)
        runpy.run_module("app.courier", run_name="__main__", alter_sys=True)
        """)
    )
    monkeypatch.setattr(courier_link, "command", lambda: [sys.executable, "-E", "-s", str(wrapper)])
    yield log
    log.close()


@pytest.fixture
async def eyelid(tmp_path: Path, street: Street) -> AsyncIterator[Services]:
    """A running Eyelid with a vault, in a profile of its own."""
    services = await Services.start(Profile(tmp_path / "profile"))
    await services.vault.create("correct horse battery staple", keyring=False)
    yield services
    await services.stop()
