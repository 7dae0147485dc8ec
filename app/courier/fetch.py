"""Fetching from glasses on a private network: one small question, its answer in pieces, and one sentence of how it ended.

The only requests of Eyelid that need no approval, since nothing of the vault goes with them. So they go to private addresses (or, for
simulated glasses, to this computer) and nowhere else, by number and never by name, carry no headers but those named here, and a body only
to the one path that takes a capture's name. Nothing is followed, retried, or asked of a proxy.

The standard library's client, in a thread, rather than httpx2: it reads the many bytes of a clip with an eighth of the computing, and
there is no TLS, no name and no second request here that the larger one would be needed for.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import ipaddress
import re
import select
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from app.courier.carry import Tell
from app.courier.egress import Stopped, refuse
from app.courier.pipe import Answer, End, Ending, Fetch, Head, Headers

T = TypeVar("T")
Dial = Callable[[Fetch], http.client.HTTPConnection]

PIECE = 524_288
MOMENT = 0.02
"""Seconds."""
SLOWEST = 256
"""Bytes a second: what comes more slowly than that, for as long as the idle timeout lasts, counts as not coming at all."""
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


def dial(order: Fetch) -> http.client.HTTPConnection:
    """A connection for one question, not opened yet."""
    return http.client.HTTPConnection(order.address, order.port, timeout=order.connect_timeout)


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
    refuse(not near or not 0 < order.port < 65_536, "The address of the glasses is not one of a private network.")
    refuse(order.method not in ("GET", "POST"), "This kind of request is never sent to glasses.")
    refuse(not _PATH.fullmatch(order.path), "The question to the glasses is not plain enough.")
    posts = order.method == "POST"
    refuse(posts and order.path not in _POST_PATHS, "This is never told to glasses.")
    refuse(len(order.body) > (LARGEST_BODY if posts else 0), "Too much was about to be told to the glasses.")
    names = [name.lower() for name, _ in order.headers]
    refuse(not _ASKED_WITH.issuperset(names) or len(set(names)) != len(names), "The request has a header that is never sent.")
    plain = all(text.isascii() and text.isprintable() and len(text) <= 256 for _, text in order.headers)
    refuse(not plain, "A header of the request is not plain text.")
    refuse(order.max_answer > LARGEST_ANSWER or order.total_timeout > LONGEST_SECONDS, "Too much was asked for at once.")


async def fetch(order: Fetch, tell: Tell, allowance: Allowance, *, way_out: Dial = dial) -> End:
    """Carry out `order` and return how it ended. Being cancelled is one of the ways; no other exception leaves."""
    question = _Question(order, tell, allowance)
    ending, detail = Ending.DONE, ""
    try:
        check_fetch(order)
        async with asyncio.timeout(order.total_timeout):
            await question.ask(way_out(order))
    except Stopped as stopped:
        ending, detail = stopped.ending, stopped.detail
    except asyncio.CancelledError:
        ending, detail = Ending.CANCELLED, "Stopped on request."
    except Exception as error:
        ending, detail = _failure(error)
    return End(order.parcel_id, len(order.body) if question.status is not None else 0, question.status, ending, detail)


def _failure(error: Exception) -> tuple[Ending, str]:
    """The kind of failure and a sentence for it, without any text of the glasses'."""
    if isinstance(error, TimeoutError):
        return Ending.TIMEOUT, "The glasses took too long."
    if isinstance(error, OSError | http.client.HTTPException):
        return Ending.BROKEN, "The connection broke before the answer was whole."
    return Ending.BROKEN, f"The courier failed ({type(error).__name__})."


class _Question:
    """What is known of a question on its way, whenever it ends."""

    def __init__(self, order: Fetch, tell: Tell, allowance: Allowance) -> None:
        self._order = order
        self._tell = tell
        self._allowance = allowance
        self.status: int | None = None

    async def ask(self, connection: http.client.HTTPConnection) -> None:
        line = _Line(self._order, connection)
        try:
            headers = await line.run(line.open)
            self.status = line.status
            if not (200 <= line.status < 300 or 400 <= line.status < 600):
                raise Stopped(Ending.REDIRECT, "The glasses pointed to another place. Eyelid does not follow.")
            await self._tell(Head(self._order.parcel_id, line.status, headers))
            await self._pass_on(line)
        finally:
            line.hang_up()

    async def _pass_on(self, line: _Line) -> None:
        """One piece is read while the one before is passed on; the computer's own buffers hold what comes meanwhile."""
        total = 0
        ahead = line.run(line.read)
        while piece := await ahead:
            total += len(piece)
            if total > self._order.max_answer:
                raise Stopped(Ending.TOO_BIG, "The glasses sent more than they should have.")
            ahead = line.run(line.read)
            await self._allowance.until(total)
            await self._tell(Answer(self._order.parcel_id, piece))


class _Line:
    """One connection and the thread that waits on it. `open`, then `read` until nothing comes, both by `run`; at last `hang_up`."""

    def __init__(self, order: Fetch, connection: http.client.HTTPConnection) -> None:
        self._order = order
        self._connection = connection
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="glasses")
        self._socket: socket.socket | None = None
        self._response: http.client.HTTPResponse | None = None
        self._left: int | None = None
        self._fault: Exception | None = None
        self._waited = 0.0
        self._came = 0
        self._over = False
        self.status = 0

    def run(self, call: Callable[[], T]) -> asyncio.Future[T]:
        """`call` on the thread. What comes of it when nobody waits any more is dropped."""
        future = asyncio.get_running_loop().run_in_executor(self._thread, call)
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        return future

    def hang_up(self) -> None:
        """End it, from the loop; what the thread waits for ends with it."""
        self._over = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.submit(self._close)
        self._thread.shutdown(wait=False)

    # -- on the thread --------------------------------------------------------------------------------------------------------------

    def open(self) -> Headers:
        """Ask, and return what the answer's head tells of its body. Raises Stopped, OSError, HTTPException."""
        order = self._order
        try:
            self._connection.connect()
        except TimeoutError:
            raise
        except OSError:
            raise Stopped(Ending.UNREACHABLE, "The glasses could not be reached.") from None
        self._socket = self._connection.sock
        if self._over:
            raise ConnectionAbortedError
        self._socket.settimeout(order.idle_timeout)
        headers = {"accept-encoding": "identity", "user-agent": "eyelid", "connection": "close", **dict(order.headers)}
        self._connection.request(order.method, order.path, body=order.body if order.method == "POST" else None, headers=headers)
        self._response = response = self._connection.getresponse()
        self.status = response.status
        if (response.headers.get("content-encoding") or "identity").lower() != "identity":
            raise Stopped(Ending.BROKEN, "The glasses packed their answer although they were asked not to.")
        self._left = response.length
        return _about_body(response.headers)

    def read(self) -> bytes:
        """What has come, at most a PIECE; nothing at the end. Raises OSError, HTTPException.

        Waits a moment for more, since each piece costs the same on its long way to the vault, however small it is.
        """
        if self._fault is not None:
            raise self._fault
        began = time.monotonic()
        parts = [self._part(PIECE)]
        size, until = len(parts[0]), time.monotonic() + MOMENT
        try:
            while parts[-1] and size < PIECE // 2 and self._left != 0 and self._more_comes(until):
                parts.append(self._part(PIECE - size))
                size += len(parts[-1])
        except (OSError, http.client.HTTPException) as error:
            self._fault = error  # for the next call: what came before it counts
        self._mind_the_pace(time.monotonic() - began, size)
        return b"".join(parts)

    def _part(self, most: int) -> bytes:
        assert self._response is not None
        part = self._response.read1(most)
        if self._left is not None:
            self._left -= len(part)
            if not part and self._left > 0:
                raise http.client.IncompleteRead(b"")
        return part

    def _more_comes(self, until: float) -> bool:
        wait = until - time.monotonic()
        return self._socket is not None and wait > 0 and bool(select.select([self._socket], [], [], wait)[0])

    def _mind_the_pace(self, waited: float, came: int) -> None:
        self._waited += waited
        self._came += came
        if self._waited >= self._order.idle_timeout:
            if self._came < SLOWEST * self._waited:
                raise TimeoutError
            self._waited, self._came = 0.0, 0

    def _close(self) -> None:
        for end in (self._response, self._connection):
            if end is not None:
                with contextlib.suppress(OSError, ValueError):
                    end.close()


def _about_body(headers: http.client.HTTPMessage) -> Headers:
    found = ((name, headers.get(name)) for name in _TOLD_OF)
    return tuple((name, text) for name, text in found if text is not None and len(text) <= 256 and text.isascii() and text.isprintable())
