"""Fetching from glasses on a private network: one small question, its answer in pieces, and one sentence of how it ended.

The only requests of Eyelid that need no approval, since nothing of the vault goes with them. So they go to private addresses (or, for
simulated glasses, to this computer) and nowhere else, by number and never by name, carry no headers but those named here, and a body only
to the one path that takes a capture's name. Nothing is followed, retried, or asked of a proxy.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re

import httpx2

from app.courier.carry import Street, Tell, classify
from app.courier.egress import Stopped
from app.courier.pipe import Answer, End, Ending, Fetch, Head, Headers

PIECE = 262_144
LARGEST_ANSWER = 8 << 30
LARGEST_BODY = 1024
LONGEST_SECONDS = 4 * 3600.0

_PRIVATE = tuple(ipaddress.IPv4Network(network) for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
_LOOPBACK = ipaddress.IPv4Network("127.0.0.0/8")
_PATH = re.compile(r"/(?!/)[A-Za-z0-9._~!$'()*+,;=:@%/?&-]{0,1000}")
_ASKED_WITH = frozenset({"content-type", "if-range", "range"})
_TOLD_OF = ("content-length", "content-range", "content-type", "etag")
_POST_PATHS = frozenset({"/api/v3/ack"})
"""Mentra Live's word that a capture is safe (pull request 3475 of Mentra-Community/MentraOS)."""


def street() -> httpx2.AsyncBaseTransport:
    """A fresh transport for plain HTTP. `verify=False` spares reading certificates that no `http` address ever uses."""
    return httpx2.AsyncHTTPTransport(retries=0, trust_env=False, verify=False)


class Allowance:
    """How much of an answer may be passed on; grows as the other side takes it in."""

    def __init__(self, credit: int) -> None:
        self._credit = credit
        self._grown = asyncio.Event()

    def extend(self, credit: int) -> None:
        """Allow `credit` bytes in all; less than before changes nothing."""
        self._credit = max(self._credit, credit)
        self._grown.set()

    async def until(self, total: int) -> None:
        """Wait until `total` bytes are allowed."""
        while self._credit < total:
            self._grown.clear()
            await self._grown.wait()


def check_fetch(order: Fetch) -> None:
    """Raises Stopped(REFUSED) for anything but a plain question to glasses."""
    try:
        address = ipaddress.IPv4Address(order.address)
    except ValueError:
        raise Stopped(Ending.REFUSED, "The address of the glasses is no plain number.") from None
    near = address in _LOOPBACK if order.loopback else any(address in network for network in _PRIVATE)
    _refuse(not near or not 0 < order.port < 65_536, "The address of the glasses is not one of a private network.")
    _refuse(order.method not in ("GET", "HEAD", "POST"), "This kind of request is never sent to glasses.")
    _refuse(not _PATH.fullmatch(order.path), "The question to the glasses is not plain enough.")
    posts = order.method == "POST"
    _refuse(posts and order.path not in _POST_PATHS, "This is never told to glasses.")
    _refuse(len(order.body) > (LARGEST_BODY if posts else 0), "Too much was about to be told to the glasses.")
    names = [name.lower() for name, _ in order.headers]
    _refuse(not _ASKED_WITH.issuperset(names) or len(set(names)) != len(names), "The request has a header that is never sent.")
    plain = all(text.isascii() and text.isprintable() and len(text) <= 256 for _, text in order.headers)
    _refuse(not plain, "A header of the request is not plain text.")
    _refuse(order.max_answer > LARGEST_ANSWER or order.total_timeout > LONGEST_SECONDS, "Too much was asked for at once.")


def _refuse(when: bool, why: str) -> None:
    if when:
        raise Stopped(Ending.REFUSED, why)


async def fetch(order: Fetch, tell: Tell, allowance: Allowance, *, way_out: Street = street) -> End:
    """Carry out `order` and return how it ended. Being cancelled is one of the ways; no other exception leaves."""
    question = _Question(order, tell, allowance)
    ending, detail = Ending.DONE, ""
    try:
        check_fetch(order)
        async with asyncio.timeout(order.total_timeout):
            await question.ask(way_out())
    except Stopped as stopped:
        ending, detail = stopped.ending, stopped.detail
    except asyncio.CancelledError:
        ending, detail = Ending.CANCELLED, "Stopped on request."
    except Exception as error:
        ending, detail = classify(error)
    return End(order.parcel_id, len(order.body) if question.status is not None else 0, question.status, ending, detail)


class _Question:
    """What is known of a question on its way, whenever it ends."""

    def __init__(self, order: Fetch, tell: Tell, allowance: Allowance) -> None:
        self._order = order
        self._tell = tell
        self._allowance = allowance
        self.status: int | None = None

    async def ask(self, transport: httpx2.AsyncBaseTransport) -> None:
        order = self._order
        timeout = httpx2.Timeout(order.idle_timeout, connect=order.connect_timeout)
        headers = {"accept-encoding": "identity", "user-agent": "eyelid", "connection": "close", **dict(order.headers)}
        url = f"http://{order.address}:{order.port}{order.path}"
        async with httpx2.AsyncClient(transport=transport, timeout=timeout, trust_env=False, follow_redirects=False) as client:
            body = order.body if order.method == "POST" else None
            async with client.stream(order.method, url, content=body, headers=headers, follow_redirects=False) as response:
                self.status = response.status_code
                if not (response.is_success or response.is_error):
                    raise Stopped(Ending.REDIRECT, "The glasses pointed to another place. Eyelid does not follow.")
                await self._tell(Head(order.parcel_id, response.status_code, _about_body(response)))
                await self._pass_on(response)

    async def _pass_on(self, response: httpx2.Response) -> None:
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise Stopped(Ending.BROKEN, "The glasses packed their answer although they were asked not to.")
        total = 0
        async for piece in response.aiter_raw(PIECE):
            total += len(piece)
            if total > self._order.max_answer:
                raise Stopped(Ending.TOO_BIG, "The glasses sent more than they should have.")
            await self._allowance.until(total)
            await self._tell(Answer(self._order.parcel_id, piece))


def _about_body(response: httpx2.Response) -> Headers:
    found = ((name, response.headers.get(name)) for name in _TOLD_OF)
    return tuple((name, text) for name, text in found if text is not None and len(text) <= 256 and text.isascii() and text.isprintable())
