"""The one way out: a transport that sends exactly the approved bytes to exactly the approved place, once.

Owns every connection Eyelid makes. It never follows, retries or asks a proxy, and takes nothing from the environment.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import re
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx2

from app.courier.pipe import MAX_BODY, Ending, Send

PIECE = 65_536
"""Bytes handed to the network at a time; progress is told before each."""

_HEADERS = frozenset({"accept", "anthropic-version", "authorization", "content-type", "user-agent", "x-goog-api-key"})
_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(:(?P<port>[1-9][0-9]{0,4}))?")
_PATH = re.compile(r"/[A-Za-z0-9._~/-]{0,1000}(:streamGenerateContent\?alt=sse)?")
"""Where parcels go. Gemini alone has a colon and a query, always the same ones."""
_LIST_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,39}){0,6}/(models|tags|status|key)(\?(limit|pageSize)=[0-9]{1,4})?")
"""What is asked without a parcel: which models there are, whether a key is good, whether a server hands on."""
MAX_QUESTION = 4096
"""Bytes of path and headers of a request without a parcel; it has no body at all."""
_DIGEST = re.compile(r"[0-9a-f]{64}")

Handing = Callable[[int], Awaitable[None]]


class Stopped(Exception):
    """The parcel was not carried, or not to its end; `detail` is a sentence for people."""

    def __init__(self, ending: Ending, detail: str) -> None:
        self.ending = ending
        self.detail = detail
        super().__init__(detail)


def refuse(when: bool, why: str) -> None:
    """Raises Stopped(REFUSED) `when` something is not as it must be."""
    if when:
        raise Stopped(Ending.REFUSED, why)


def check_order(order: Send, now: float) -> None:
    """Compare what is to be sent with what was approved; raises Stopped(REFUSED). `now` is in unix seconds."""
    refuse(not _DIGEST.fullmatch(order.approved_sha256), "The approval names no digest.")
    refuse(len(order.body) != order.approved_size, "The parcel has another size than was approved.")
    refuse(hashlib.sha256(order.body).hexdigest() != order.approved_sha256, "The parcel is not the one that was approved.")
    refuse(order.origin != order.approved_origin, "The approval was for another server.")
    refuse(order.method != order.approved_method or order.path != order.approved_path, "The approval was for another request.")
    refuse(now >= order.expires_at, "The approval has expired.")
    _check_kind(order)
    match = _ORIGIN.fullmatch(order.origin)
    refuse(match is None or int(match["port"] or 1) > 65_535, "The address of the server is not plain enough.")
    names = [name.lower() for name, _ in order.headers]
    refuse(not _HEADERS.issuperset(names) or len(set(names)) != len(names), "The request has a header that is never sent.")
    plain = all(text.isascii() and text.isprintable() and len(text) <= 4096 for _, text in order.headers)
    refuse(not plain, "A header of the request is not plain text.")


def _check_kind(order: Send) -> None:
    """A parcel is posted; a question about models is asked without a body, at few places, and is too small to hide a picture in."""
    if order.method == "GET":
        size = len(order.path) + sum(len(name) + len(text) for name, text in order.headers)
        fits = not order.body and size <= MAX_QUESTION
        refuse(not fits or not _LIST_PATH.fullmatch(order.path), "This kind of request is never sent.")
    else:
        refuse(order.method != "POST" or not _PATH.fullmatch(order.path), "This kind of request is never sent.")
        refuse(not 0 < len(order.body) <= MAX_BODY, "The parcel is empty or too large.")


async def loopback_address(host: str, port: int) -> str:
    """Return an address of this computer that `host` stands for; raises Stopped when it stands for anything else as well."""
    try:
        found = {ipaddress.ip_address(host)}
    except ValueError:
        try:
            infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise Stopped(Ending.UNREACHABLE, "The name of the server is not known.") from error
        found = {ipaddress.ip_address(str(info[4][0]).partition("%")[0]) for info in infos}
    refuse(not found or not all(address.is_loopback for address in found), "The server is not on this computer.")
    return str(min(found, key=lambda address: (address.version, address.packed)))


class CountedBody(httpx2.AsyncByteStream):
    """The approved bytes, to be read once. `sent` counts what was handed to the network, and is never too low."""

    def __init__(self, body: bytes, handing: Handing) -> None:
        self._body: bytes | None = body
        self._handing = handing
        self.sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        body, self._body = self._body, None
        if body is None:
            raise Stopped(Ending.REFUSED, "The same parcel was about to be sent twice.")
        for start in range(0, len(body), PIECE):
            piece = body[start : start + PIECE]
            await self._handing(self.sent + len(piece))
            self.sent += len(piece)
            yield piece


class EgressTransport(httpx2.AsyncBaseTransport):
    """Wraps the real transport for one parcel. Any request but the approved one, and any second one, is refused."""

    def __init__(self, order: Send, street: httpx2.AsyncBaseTransport, handing: Handing, clock: Callable[[], float] = time.time) -> None:
        self._order: Send | None = order
        self._street = street
        self._clock = clock
        self._body = CountedBody(order.body, handing)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        order, self._order = self._order, None
        if order is None:
            raise Stopped(Ending.REFUSED, "The same parcel was about to be sent twice.")
        check_order(order, self._clock())
        approved = httpx2.URL(order.approved_origin + order.approved_path)
        refuse(request.method != order.approved_method or request.url != approved, "The request was changed on the way.")
        refuse(await request.aread() != order.body, "The parcel was changed on the way.")
        response = await self._street.handle_async_request(await self._addressed(request, order))
        if response.is_success or response.is_error:
            return response
        await response.aclose()
        if response.is_redirect:
            raise Stopped(Ending.REDIRECT, "The server pointed to another place. Eyelid does not follow.")
        raise Stopped(Ending.BROKEN, "The server answered in a way that Eyelid does not know.")

    async def _addressed(self, request: httpx2.Request, order: Send) -> httpx2.Request:
        """The request with the counted body; on this computer, bound to the address that was checked."""
        url, extensions = request.url, dict(request.extensions)
        if url.scheme == "http" or order.loopback_only:
            port = url.port or (443 if url.scheme == "https" else 80)
            extensions["sni_hostname"] = url.host
            url = url.copy_with(host=await loopback_address(url.host, port))
        return httpx2.Request(request.method, url, headers=request.headers, stream=self._body, extensions=extensions)

    async def aclose(self) -> None:
        await self._street.aclose()
