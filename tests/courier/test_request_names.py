"""The server's own name for an exchange: passed on where it is a plain word, and nothing else of its headers is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.courier.carry import carry
from app.courier.pipe import Message, Status


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        (b"X-Request-Id: req_011CS\r\n", "req_011CS"),
        (b"request-id: 7f.a:b-c\r\n", "7f.a:b-c"),
        (b"x-request-id: one\r\nrequest-id: two\r\n", "one"),
        (b"x-request-id: two words\r\nrequest-id: two\r\n", "two"),
        (b"x-request-id: " + b"a" * 129 + b"\r\n", ""),
        (b"x-request-id: caf\xe9\r\n", ""),
        (b"set-cookie: a=b\r\n", ""),
    ],
)
async def test_the_name_of_an_exchange(server: Any, order_for: Callable[..., Any], headers: bytes, name: str) -> None:
    server.answer = b"HTTP/1.1 200 OK\r\n" + headers + b"Content-Length: 2\r\n\r\nok"
    told: list[Message] = []

    async def tell(message: Message) -> None:
        told.append(message)

    order = order_for(server.origin)
    await carry(order, tell)
    assert [each for each in told if isinstance(each, Status)] == [Status(order.parcel_id, 200, name)]
