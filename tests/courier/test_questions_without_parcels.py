"""What the courier lets through without a parcel, and the addresses of parcels that have more than a path."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from app.courier.carry import carry
from app.courier.egress import MAX_QUESTION, Stopped, check_order
from app.courier.pipe import Ending, Send
from tests.courier.standing_in import OrderFor, Pieces, Told, answering

GEMINI = "/v1/models/gemini-3.0-flash:streamGenerateContent?alt=sse"


def question(order_for: OrderFor, path: str, **changes: Any) -> Send:
    usual = {"method": "GET", "approved_method": "GET", "body": b"", "path": path, "approved_path": path, "headers": (("accept", "a"),)}
    return order_for("http://127.0.0.1:9", **(usual | changes))


GOOD = ["/v1/models", "/api/tags", "/api/status", "/v1/models?limit=1000", "/v1/models?pageSize=1000", "/api/v1/key", "/openai/v1/models"]
GOOD += ["/a-proxy/v1.0/models", "/models"]
BAD = [
    "/v1/files",
    "/v1/models/x",
    "/v1/models?q=secret",
    "/v1/models?limit=12345",
    "/v1/models?limit=1&limit=2",
    "v1/models",
    "/../models",
]
BAD += ["/a//models", "/v1/models#x", "/v1/models\r\n", "/" + "a" * 41 + "/models", "/a/b/c/d/e/f/g/models", "/.x/models", GEMINI]


@pytest.mark.parametrize("path", GOOD)
def test_questions_that_pass(order_for: OrderFor, path: str) -> None:
    order = question(order_for, path)
    check_order(order, order.expires_at - 1)


@pytest.mark.parametrize("path", BAD)
def test_questions_that_do_not(order_for: OrderFor, path: str) -> None:
    order = question(order_for, path)
    with pytest.raises(Stopped, match="never sent"):
        check_order(order, order.expires_at - 1)


def test_a_question_has_no_body_and_is_small(order_for: OrderFor) -> None:
    with pytest.raises(Stopped, match="never sent"):
        check_order(question(order_for, "/v1/models", body=b"x"), 0.0)
    check_order(question(order_for, "/v1/models", headers=(("accept", "a" * (MAX_QUESTION - 20)),)), 0.0)
    with pytest.raises(Stopped, match="never sent"):
        check_order(question(order_for, "/v1/models", headers=(("accept", "a" * 2000), ("authorization", "b" * 2100))), 0.0)


def test_a_question_is_bound_like_a_parcel(order_for: OrderFor) -> None:
    for changes in (
        {"approved_method": "POST"},
        {"approved_path": "/api/tags"},
        {"approved_origin": "http://127.0.0.1:8"},
        {"expires_at": 0.0},
    ):
        with pytest.raises(Stopped):
            check_order(question(order_for, "/v1/models", **changes), 0.0)


async def test_a_question_goes_out_without_a_body(order_for: OrderFor) -> None:
    way, seen = answering(httpx2.Response(200, stream=Pieces()))
    told = Told()
    key = (("accept", "application/json"), ("x-goog-api-key", "k"), ("anthropic-version", "2026-10-21"))
    end = await carry(question(order_for, "/v1/models?pageSize=1000", headers=key), told, way_out=way)
    assert (end.ending, end.sent, end.status) == (Ending.DONE, 0, 200)
    (request,) = seen
    assert (request.method, str(request.url), request.content) == ("GET", "http://127.0.0.1:9/v1/models?pageSize=1000", b"")
    assert "content-length" not in request.headers
    assert "transfer-encoding" not in request.headers
    assert request.headers["x-goog-api-key"] == "k"
    assert told.body == b"ok"


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/responses", "/api/chat", GEMINI])
def test_addresses_of_parcels(order_for: OrderFor, path: str) -> None:
    check_order(order_for("http://127.0.0.1:9", path=path, approved_path=path), 0.0)


@pytest.mark.parametrize(
    "path", ["/v1/m:generateContent?alt=sse", GEMINI + "&key=sk", GEMINI.replace("sse", "json"), "/v1/m?alt=sse", "/v1:x"]
)
def test_addresses_that_no_parcel_has(order_for: OrderFor, path: str) -> None:
    with pytest.raises(Stopped, match="never sent"):
        check_order(order_for("http://127.0.0.1:9", path=path, approved_path=path), 0.0)


async def test_the_address_of_gemini_arrives_whole(order_for: OrderFor) -> None:
    way, seen = answering(httpx2.Response(200, stream=Pieces()))
    order = order_for("http://127.0.0.1:9", path=GEMINI, approved_path=GEMINI)
    assert (await carry(order, Told(), way_out=way)).ending is Ending.DONE
    assert [str(request.url) for request in seen] == ["http://127.0.0.1:9" + GEMINI]
