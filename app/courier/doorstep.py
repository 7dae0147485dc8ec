"""A server for a process that can open no port: the depot opens it, on this computer, and hands in each visitor as a local socket."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Self

from app.courier.depot_link import LONGEST, VISITOR, Depot, receive

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Doorstep:
    """Visitors are served, each in a task of its own, until `close`. Lives on the loop it was opened on."""

    def __init__(self, inside: socket.socket, port: int, serve: Serve, limit: int) -> None:
        self.address = f"127.0.0.1:{port}"
        self._inside = inside
        self._serve = serve
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._visits: set[asyncio.Task[None]] = set()
        self._loop.add_reader(inside.fileno(), self._rung)

    @classmethod
    async def open(cls, depot: Depot, serve: Serve, limit: int) -> Self:
        """Open a port of 127.0.0.1. `limit`: bytes that a reader of `serve` holds for one line. Raises OSError."""
        inside = depot.doorstep()
        inside.setblocking(False)
        try:
            told = await asyncio.get_running_loop().sock_recv(inside, LONGEST)
        except BaseException:
            inside.close()
            raise
        if not told.isdigit():
            inside.close()
            raise OSError("the depot opened no port")
        return cls(inside, int(told), serve, limit)

    def close(self) -> None:
        """Close the port. Visitors who are in stay. Again: a no-op."""
        if self._inside.fileno() >= 0:
            self._loop.remove_reader(self._inside.fileno())
            self._inside.close()

    def _rung(self) -> None:
        try:
            word, found = receive(self._inside, 1)
        except BlockingIOError:
            return
        except OSError:
            word, found = b"", []
        if word == VISITOR and found:
            visit = self._loop.create_task(self._receive(socket.socket(fileno=found[0])))
            self._visits.add(visit)
            visit.add_done_callback(self._visits.discard)
        else:
            for each in found:
                os.close(each)
            self.close()

    async def _receive(self, visitor: socket.socket) -> None:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection(sock=visitor, limit=self._limit)
            await self._serve(reader, writer)
