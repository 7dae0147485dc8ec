"""The way to the Wi-Fi of simulated glasses without a network: requests are handed to the twin, and its replies back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from ble.errors import ProtocolFault
from ble.http_port import CutShort, HttpAnswer, HttpRequest, NotReachable
from ble.sim.loopback_http import Reply, asked

_ENOUGH = 1 << 26
"""Bytes that no test means to be sent."""


@dataclass
class Answer:
    """The twin's reply, as a port hands it out."""

    reply: Reply
    request: HttpRequest

    @property
    def status(self) -> int:
        return self.reply.status

    @property
    def headers(self) -> Mapping[str, str]:
        found = {name.lower(): value for name, value in self.reply.headers}
        return found | ({} if self.reply.length is None else {"content-length": str(self.reply.length)})

    async def pieces(self) -> AsyncIterator[bytes]:
        got = 0
        for piece in self.reply.pieces():
            await asyncio.sleep(0)
            got += len(piece)
            if got > min(self.request.most, _ENOUGH):
                raise ProtocolFault("The glasses sent too much.")
            yield piece
        if self.reply.length is not None and got < self.reply.length:
            raise CutShort


@dataclass
class DirectHttp:
    """Carries requests to the twin; `requests` are those made, and `given_out` how many answers are being read.

    `pause`: seconds before each answer begins.
    """

    twin: Any
    requests: list[HttpRequest] = field(default_factory=list)
    given_out: int = 0
    pause: float = 0.0

    def open(self, request: HttpRequest) -> AbstractAsyncContextManager[HttpAnswer]:
        return self._open(request)

    @asynccontextmanager
    async def _open(self, request: HttpRequest) -> AsyncIterator[HttpAnswer]:
        self.requests.append(request)
        await asyncio.sleep(self.pause)
        if f"{request.place.address}:{request.place.port}" != self.twin.http.address or not getattr(self.twin, "reachable", True):
            await asyncio.sleep(3)
            raise NotReachable
        self.given_out += 1
        try:
            reply = self.twin._respond(asked(request.method, request.path, dict(request.headers), request.body))
            if 300 <= reply.status < 400:
                raise ProtocolFault("The glasses pointed to another place.")
            yield Answer(reply, request)
        finally:
            self.given_out -= 1
