"""What is passed on of a server's headers: its own name for the exchange where that is a plain word, and its word on zero retention."""

from __future__ import annotations

from typing import Any

import pytest

from app.courier.carry import carry
from app.courier.pipe import Status
from tests.courier.standing_in import OrderFor, Told


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
async def test_the_name_of_an_exchange(server: Any, order_for: OrderFor, headers: bytes, name: str) -> None:
    server.answer = b"HTTP/1.1 200 OK\r\n" + headers + b"Content-Length: 2\r\n\r\nok"
    told, order = Told(), order_for(server.origin)
    await carry(order, told)
    assert [each for each in told.messages if isinstance(each, Status)] == [Status(order.parcel_id, 200, name)]


@pytest.mark.parametrize(("said", "kept"), [("true", "true"), ("False", "false"), ("perhaps", ""), ("", "")])
async def test_the_word_on_zero_retention(server: Any, order_for: OrderFor, said: str, kept: str) -> None:
    server.answer = f"HTTP/1.1 200 OK\r\nx-zero-data-retention: {said}\r\nContent-Length: 2\r\n\r\nok".encode()
    told = Told()
    await carry(order_for(server.origin), told)
    assert [each.zero_retention for each in told.messages if isinstance(each, Status)] == [kept]
