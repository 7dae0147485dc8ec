"""The one way out, in this process: what is sent, what is refused, and what is said of how it went."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from app.courier import carry as carrying
from app.courier.carry import Streets, carry, classify
from app.courier.egress import PIECE, CountedBody, EgressTransport, Stopped, check_order
from app.courier.pipe import MAX_BODY, End, Ending, Message, Progress, Send, Status
from tests.courier.standing_in import OrderFor, Told, answering


async def test_the_approved_body_arrives_byte_for_byte(server: Any, order_for: OrderFor) -> None:
    log = Told()
    order = order_for(server.origin)
    end = await carry(order, log)
    assert end == End("parcel-1", len(order.body), 200, Ending.DONE, "")
    (request,) = server.requests
    assert request.body == order.body
    assert log.body == b"ok"
    assert [message.sent for message in log.messages if isinstance(message, Progress)] == [PIECE, 2 * PIECE - 1072]
    assert Status("parcel-1", 200) in log.messages
    head = request.head.decode().lower()
    lines = {line.partition(":")[0]: line.partition(":")[2].strip() for line in head.split("\r\n")[1:] if line}
    assert head.startswith("post /v1/chat/completions http/1.1\r\n")
    assert lines == {
        "host": f"127.0.0.1:{server.port}",
        "accept": "*/*",
        "accept-encoding": "identity",
        "connection": "close",
        "user-agent": "eyelid",
        "content-type": "application/json",
        "authorization": "bearer sk-1",
        "content-length": str(len(order.body)),
    }


BAD: list[tuple[dict[str, object], str]] = [
    ({"approved_sha256": "0" * 64}, "not the one that was approved"),
    ({"approved_sha256": "nothing"}, "no digest"),
    ({"approved_size": 5}, "another size"),
    ({"approved_origin": "http://127.0.0.1:9"}, "another server"),
    ({"approved_path": "/v1/files"}, "another request"),
    ({"approved_method": "PUT"}, "another request"),
    ({"method": "PUT", "approved_method": "PUT"}, "never sent"),
    ({"path": "/v1?x=1", "approved_path": "/v1?x=1"}, "never sent"),
    ({"path": "v1", "approved_path": "v1"}, "never sent"),
    ({"path": "/\r\nx: y", "approved_path": "/\r\nx: y"}, "never sent"),
    ({"expires_at": 0.0}, "expired"),
    ({"body": b"", "approved_size": 0}, "empty"),
    ({"headers": (("host", "x"),)}, "header"),
    ({"headers": (("content-length", "3"),)}, "header"),
    ({"headers": (("accept", "a"), ("Accept", "b"))}, "header"),
    ({"headers": (("accept", "a\r\nx: y"),)}, "plain"),
    ({"headers": (("accept", "ä"),)}, "plain"),
    ({"headers": (("accept", "a" * 5000),)}, "plain"),
    ({"origin": "ftp://127.0.0.1", "approved_origin": "ftp://127.0.0.1"}, "plain enough"),
    ({"origin": "http://a@127.0.0.1", "approved_origin": "http://a@127.0.0.1"}, "plain enough"),
    ({"origin": "http://127.0.0.1/x", "approved_origin": "http://127.0.0.1/x"}, "plain enough"),
    ({"origin": "http://127.0.0.1:99999", "approved_origin": "http://127.0.0.1:99999"}, "plain enough"),
    ({"origin": "http://EXAMPLE", "approved_origin": "http://EXAMPLE"}, "plain enough"),
]


@pytest.mark.parametrize(("changes", "why"), BAD, ids=range(len(BAD)))
async def test_what_does_not_match_the_approval_is_refused(server: Any, order_for: OrderFor, changes: dict[str, object], why: str) -> None:
    end = await carry(order_for(server.origin, **changes), Told())
    assert (end.ending, end.sent, end.status) == (Ending.REFUSED, 0, None)
    assert why in end.detail
    assert server.connections == 0


def test_the_largest_parcel(order_for: OrderFor) -> None:
    check_order(order_for("http://127.0.0.1", body=bytes(MAX_BODY)), time.time())
    with pytest.raises(Stopped, match="too large"):
        check_order(order_for("http://127.0.0.1", body=bytes(MAX_BODY + 1)), time.time())


async def test_an_approval_that_expires_before_the_request_is_made(order_for: OrderFor) -> None:
    times = iter([0.0, 2e9, 2e9])
    way, seen = answering(httpx2.Response(200))
    end = await carry(order_for("https://api.example", expires_at=1e9, loopback_only=False), Told(), clock=lambda: next(times), way_out=way)
    assert (end.ending, end.sent) == (Ending.REFUSED, 0)
    assert seen == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 300, 304])
async def test_no_redirect_is_followed(server: Any, order_for: OrderFor, status: int) -> None:
    elsewhere = answering(httpx2.Response(200))
    server.answer = f"HTTP/1.1 {status} X\r\nLocation: http://127.0.0.1:{server.port}/else\r\nContent-Length: 0\r\n\r\n".encode()
    order = order_for(server.origin)
    end = await carry(order, Told())
    assert (end.ending, end.sent, end.status) == (Ending.REDIRECT, len(order.body), None)
    assert len(server.requests) == server.connections == 1
    assert elsewhere[1] == []


async def test_a_redirect_to_another_host_reaches_nobody(server: Any, order_for: OrderFor) -> None:
    reached: list[int] = []
    other = await asyncio.start_server(lambda reader, writer: reached.append(1), "127.0.0.1", 0)
    port = other.sockets[0].getsockname()[1]
    server.answer = f"HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:{port}/\r\nContent-Length: 0\r\n\r\n".encode()
    assert (await carry(order_for(server.origin), Told())).ending is Ending.REDIRECT
    other.close()
    assert reached == []


@pytest.mark.parametrize("status", [101, 600])
async def test_an_answer_of_no_known_kind(order_for: OrderFor, status: int) -> None:
    way, _ = answering(httpx2.Response(status))
    assert (await carry(order_for("https://api.example", loopback_only=False), Told(), way_out=way)).ending is Ending.BROKEN


async def test_an_upgrade_is_not_made(server: Any, order_for: OrderFor) -> None:
    server.answer = b"HTTP/1.1 101 Switching\r\nUpgrade: odd\r\nConnection: upgrade\r\n\r\n"
    assert (await carry(order_for(server.origin), Told())).ending is Ending.BROKEN


@pytest.mark.parametrize("status", [500, 502, 503, 529, 408, 429])
async def test_no_failure_is_tried_again(server: Any, order_for: OrderFor, status: int) -> None:
    server.answer = f"HTTP/1.1 {status} X\r\nRetry-After: 0\r\nContent-Length: 2\r\n\r\nno".encode()
    log = Told()
    end = await carry(order_for(server.origin), log)
    assert (end.ending, end.status, log.body) == (Ending.DONE, status, b"no")
    assert len(server.requests) == server.connections == 1


async def test_a_connection_that_breaks_is_not_tried_again(server: Any, order_for: OrderFor) -> None:
    server.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
    log = Told()
    order = order_for(server.origin)
    end = await carry(order, log)
    assert (end.ending, end.sent, end.status) == (Ending.BROKEN, len(order.body), 200)
    assert log.body == b"half"
    assert server.connections == 1


async def test_proxies_of_the_environment_are_not_asked(server: Any, order_for: OrderFor, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    assert (await carry(order_for(server.origin), Told())).ending is Ending.DONE
    assert len(server.requests) == 1


async def test_an_answer_too_long_is_cut(server: Any, order_for: OrderFor) -> None:
    server.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n" + b"x" * 100_001
    log = Told()
    end = await carry(order_for(server.origin), log)
    assert (end.ending, end.status) == (Ending.TOO_BIG, 200)
    assert len(log.body) <= 100_000


async def test_a_packed_answer_is_not_unpacked(server: Any, order_for: OrderFor) -> None:
    server.answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok"
    log = Told()
    assert (await carry(order_for(server.origin), log)).ending is Ending.BROKEN
    assert log.body == b""


async def test_a_server_that_falls_silent(server: Any, order_for: OrderFor) -> None:
    server.silent = True
    for patience in (0.2, 2.0, 20.0):  # a busy computer may be that long at sending
        order = order_for(server.origin, idle_timeout=patience)
        end = await carry(order, Told())
        assert end.ending is Ending.TIMEOUT
        if end.sent:
            break
    assert end.sent == len(order.body)


async def test_a_server_that_drips_for_ever(server: Any, order_for: OrderFor) -> None:
    server.silent = True
    end = await carry(order_for(server.origin, total_timeout=0.05), Told())
    assert end.ending is Ending.TIMEOUT


async def test_cancelling_tells_how_much_had_left(server: Any, order_for: OrderFor) -> None:
    server.held = asyncio.Event()
    body = bytes(MAX_BODY)
    order = order_for(server.origin, body=body, approved_sha256=hashlib.sha256(body).hexdigest())
    begun = asyncio.Event()

    async def tell(message: Message) -> None:
        if isinstance(message, Progress) and message.sent >= 4 * PIECE:
            begun.set()

    task = asyncio.create_task(carry(order, tell))
    await begun.wait()
    task.cancel()
    end = await task
    assert end.ending is Ending.CANCELLED
    assert 3 * PIECE <= end.sent < len(body)


async def test_nobody_there(order_for: OrderFor) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        end = await carry(order_for(f"http://127.0.0.1:{port}"), Told())
    assert (end.ending, end.sent) == (Ending.UNREACHABLE, 0)


# -- the transport by itself, as if something between it and the order misbehaved


async def no_progress(_: int) -> None:
    """Takes the counts."""


def request(order: Send, **changes: Any) -> httpx2.Request:
    values = {"method": order.method, "url": order.origin + order.path, "content": order.body} | changes
    return httpx2.Request(**values)


async def test_the_transport_sends_once(order_for: OrderFor) -> None:
    order = order_for("https://api.example", loopback_only=False)
    way, seen = answering(httpx2.Response(200), httpx2.Response(200))
    transport = EgressTransport(order, way(), no_progress)
    await transport.handle_async_request(request(order))
    with pytest.raises(Stopped, match="twice"):
        await transport.handle_async_request(request(order))
    assert len(seen) == 1
    await transport.aclose()


@pytest.mark.parametrize(
    "changes",
    [{"url": "https://evil.example/v1/chat/completions"}, {"url": "https://api.example/other"}, {"method": "PUT"}, {"content": b"other"}],
)
async def test_the_transport_sends_nothing_else(order_for: OrderFor, changes: dict[str, Any]) -> None:
    order = order_for("https://api.example", loopback_only=False)
    way, seen = answering(httpx2.Response(200))
    with pytest.raises(Stopped, match="changed on the way"):
        await EgressTransport(order, way(), no_progress).handle_async_request(request(order, **changes))
    assert seen == []


async def test_the_body_can_be_read_once() -> None:
    body = CountedBody(b"x" * (PIECE + 1), no_progress)
    assert b"".join([piece async for piece in body]) == b"x" * (PIECE + 1)
    assert body.sent == PIECE + 1
    with pytest.raises(Stopped):
        await anext(aiter(body))


async def test_progress_is_told_before_the_bytes_go() -> None:
    told: list[int] = []

    async def handing(sent: int) -> None:
        told.append(sent)

    pieces: AsyncIterator[bytes] = aiter(CountedBody(b"x" * (2 * PIECE), handing))
    await anext(pieces)
    assert told == [PIECE]


def test_the_street_takes_nothing_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: dict[str, object] = {}
    monkeypatch.setattr(carrying.httpx2, "AsyncHTTPTransport", lambda **options: taken.update(options))
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    streets = Streets()
    streets()
    tls = taken.pop("verify")
    assert isinstance(tls, ssl.SSLContext)
    assert (tls.verify_mode, tls.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert taken == {"retries": 0, "trust_env": False}
    streets()
    assert taken["verify"] is tls, "read once"


def test_words_for_failures() -> None:
    tls = httpx2.ConnectError("x")
    tls.__cause__ = ssl.SSLCertVerificationError("self-signed, with secrets in the text")
    assert classify(tls)[0] is Ending.INSECURE
    assert classify(httpx2.ConnectError("x"))[0] is Ending.UNREACHABLE
    assert classify(httpx2.ConnectTimeout("x"))[0] is Ending.TIMEOUT
    assert classify(httpx2.ReadError("x"))[0] is Ending.BROKEN
    assert classify(RuntimeError("secret")) == (Ending.BROKEN, "The courier failed (RuntimeError).")
    assert "secret" not in classify(tls)[1]
