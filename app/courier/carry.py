"""Carrying one parcel from order to end: request, answer in pieces, and one sentence of how it ended."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import Awaitable, Callable

import httpx2

from app.courier.egress import EgressTransport, Stopped, check_order
from app.courier.pipe import Answer, End, Ending, Message, Progress, Send, Status

_PLAIN = re.compile(r"[A-Za-z0-9._:-]{1,128}")

Tell = Callable[[Message], Awaitable[None]]
Street = Callable[[], httpx2.AsyncBaseTransport]


class Streets:
    """Makes fresh transports to the real network: no retries, no proxy, no settings from the environment, the system's certificates.

    They are read once: that takes longer than all else that happens before the first byte.
    """

    def __init__(self) -> None:
        self._tls = httpx2.create_ssl_context(trust_env=False)

    def __call__(self) -> httpx2.AsyncBaseTransport:
        return httpx2.AsyncHTTPTransport(verify=self._tls, retries=0, trust_env=False)


async def carry(order: Send, tell: Tell, *, clock: Callable[[], float] = time.time, way_out: Street | None = None) -> End:
    """Carry `order` and return how it ended. Being cancelled is one of the ways; no other exception leaves."""
    journey = _Journey(order, tell)
    ending, detail = Ending.DONE, ""
    try:
        check_order(order, clock())
        async with asyncio.timeout(order.total_timeout):
            await journey.make(EgressTransport(order, (way_out or Streets())(), journey.handing, clock))
    except Stopped as stopped:
        ending, detail = stopped.ending, stopped.detail
    except asyncio.CancelledError:
        ending, detail = Ending.CANCELLED, "Stopped on request."
    except Exception as error:
        ending, detail = classify(error)
    return End(order.parcel_id, journey.sent, journey.status, ending, detail)


def classify(error: Exception) -> tuple[Ending, str]:
    """Return the kind of failure and a sentence for it, without any text of the server's."""
    if isinstance(error, TimeoutError | httpx2.TimeoutException):
        return Ending.TIMEOUT, "The server took too long."
    if isinstance(error, httpx2.ConnectError):
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, ssl.SSLError):
                return Ending.INSECURE, "The server could not prove who it is."
            cause = cause.__cause__ or cause.__context__
        return Ending.UNREACHABLE, "The server could not be reached."
    if isinstance(error, httpx2.HTTPError):
        return Ending.BROKEN, "The connection broke before the answer was whole."
    return Ending.BROKEN, f"The courier failed ({type(error).__name__})."


def request_id(headers: httpx2.Headers) -> str:
    """What the server calls this exchange, for asking it about it later; empty unless it is a plain word of at most 128 characters.

    The headers are those that the API references of OpenAI (and those that copy it) and of Anthropic name.
    """
    named = (headers.get(name, "") for name in ("x-request-id", "request-id"))
    return next((text for text in named if _PLAIN.fullmatch(text)), "")


def zero_retention(headers: httpx2.Headers) -> str:
    """Whether the server says that it keeps nothing of this exchange: "true" or "false", or nothing (docs.x.ai, FAQ on security)."""
    said = headers.get("x-zero-data-retention", "").lower()
    return said if said in ("true", "false") else ""


class _Journey:
    """What is known of a parcel on its way, whenever it ends."""

    def __init__(self, order: Send, tell: Tell) -> None:
        self._order = order
        self._tell = tell
        self.sent = 0
        self.status: int | None = None

    async def handing(self, sent: int) -> None:
        await self._tell(Progress(self._order.parcel_id, sent))
        self.sent = sent

    async def make(self, transport: EgressTransport) -> None:
        order = self._order
        timeout = httpx2.Timeout(order.idle_timeout, connect=order.connect_timeout)
        # An unpacked answer could be a thousand times its size on the wire, so none is asked for packed, and none is unpacked.
        headers = {"accept-encoding": "identity", "user-agent": "eyelid", "connection": "close", **dict(order.headers)}
        async with httpx2.AsyncClient(transport=transport, timeout=timeout, trust_env=False, follow_redirects=False) as client:
            url = order.origin + order.path
            async with client.stream(order.method, url, content=order.body, headers=headers, follow_redirects=False) as response:
                self.status = response.status_code
                named, kept = request_id(response.headers), zero_retention(response.headers)
                await self._tell(Status(order.parcel_id, response.status_code, named, kept))
                await self._pass_on(response)

    async def _pass_on(self, response: httpx2.Response) -> None:
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise Stopped(Ending.BROKEN, "The server packed its answer although it was asked not to.")
        total = 0
        async for piece in response.aiter_raw():
            total += len(piece)
            if total > self._order.max_answer:
                raise Stopped(Ending.TOO_BIG, "The answer was longer than Eyelid accepts.")
            await self._tell(Answer(self._order.parcel_id, piece))
