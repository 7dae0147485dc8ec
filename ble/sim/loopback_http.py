"""A small HTTP/1.1 server on this computer alone, for simulated glasses that serve their media over Wi-Fi. One request a connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

_PIECE = 64 * 1024
_MOST_HEAD = 16 * 1024
_MOST_BODY = 64 * 1024
ENDLESS = 1 << 40
WIFI_RATE = 20e6
"""Bytes a second of glasses' Wi-Fi at its best: a 2.4 GHz network with one antenna."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, taken apart. Names of headers are in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def asked(method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> Asked:
    """A request from its first line's parts."""
    parts = urlsplit(target)
    return Asked(method, parts.path, dict(parse_qsl(parts.query)), headers, body)


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer. `stated` overrides the length in the header (None: sent in chunks, without one); `cut` bytes of the body are sent.

    With `endless` the body is repeated for as long as anybody reads; with `silent` nothing is answered at all.
    """

    status: int = 200
    body: bytes = field(default=b"", repr=False)
    headers: tuple[tuple[str, str], ...] = ()
    stated: int | None = -1
    cut: int | None = None
    endless: bool = False
    silent: bool = False

    @property
    def length(self) -> int | None:
        """What the header says of the length."""
        if self.endless:
            return ENDLESS
        return len(self.body) if self.stated == -1 else self.stated

    def pieces(self) -> Iterator[bytes]:
        """The body as it is sent."""
        while self.endless:
            yield self.body
        sent = memoryview(self.body)[: self.cut]
        for start in range(0, len(sent), _PIECE):
            yield bytes(sent[start : start + _PIECE])


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Listening(Protocol):
    """An open port; its `address` as "127.0.0.1:41234". Closing it leaves alone who is connected already."""

    @property
    def address(self) -> str: ...

    def close(self) -> None: ...


Listen = Callable[[Serve, int], Awaitable[Listening]]
"""Opens a port of this computer alone; the number is the bytes that a reader may hold for one line. Raises OSError."""


class _Port:
    def __init__(self, server: asyncio.Server) -> None:
        host, port = server.sockets[0].getsockname()[:2]
        self.address = f"{host}:{port}"
        self.close = server.close


async def own_port(serve: Serve, limit: int) -> Listening:
    """Have this process open the port, which it must be allowed to."""
    return _Port(await asyncio.start_server(serve, "127.0.0.1", 0, limit=limit))


class LoopbackHttp:
    """Serves `respond` on a port of 127.0.0.1 while started, at `rate` bytes a second (0: as fast as it goes).

    Lives on the loop it is started on.
    """

    def __init__(self, respond: Callable[[Asked], Reply], *, rate: float = 0.0, listen: Listen = own_port) -> None:
        self._respond = respond
        self._rate = rate
        self._listen = listen
        self._port: Listening | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def address(self) -> str:
        """As "127.0.0.1:41234"; empty while stopped."""
        return self._port.address if self._port is not None else ""

    async def start(self) -> bool:
        """Begin to serve; False where this process may not open a port."""
        if self._port is None:
            try:
                self._port = await self._listen(self._serve, _MOST_HEAD)
            except OSError:
                return False
        return True

    async def stop(self) -> None:
        """Close the port and break off what is under way."""
        port, self._port = self._port, None
        if port is not None:
            port.close()
            writers = tuple(self._writers)
            for writer in writers:
                writer.transport.abort()
            await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        # Cancelled it is only when its loop ends; asyncio would complain of a handler that ended so (python/cpython issue 113538).
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, asyncio.CancelledError):
            reply = self._respond(await _read(reader))
            if reply.silent:
                await reader.read()
            else:
                await self._write(writer, reply)
        self._writers.discard(writer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def _write(self, writer: asyncio.StreamWriter, reply: Reply) -> None:
        chunked = reply.length is None
        reason = HTTPStatus(reply.status).phrase
        lines = [f"HTTP/1.1 {reply.status} {reason}", "Connection: close", *(f"{name}: {value}" for name, value in reply.headers)]
        lines.append("Transfer-Encoding: chunked" if chunked else f"Content-Length: {reply.length}")
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        began, sent = asyncio.get_running_loop().time(), 0
        for piece in reply.pieces():
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
            await writer.drain()
            sent += len(piece)
            if self._rate:
                await asyncio.sleep(began + sent / self._rate - asyncio.get_running_loop().time())
        if chunked:
            writer.write(b"0\r\n\r\n")
        await writer.drain()


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    length = min(int(headers.get("content-length", "0")), _MOST_BODY)
    return asked(method, target, headers, await reader.readexactly(length))
