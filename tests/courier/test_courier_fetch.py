"""Fetching from glasses: what is refused, what comes of hostile servers, and how much is on the way."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.courier import fetch as module
from app.courier.egress import Stopped
from app.courier.fetch import Allowance, check_fetch, fetch
from app.courier.pipe import Answer, End, Ending, Fetch, Head, More, decode, encode
from app.courier.service import MAX_FETCHES, Courier
from ble.sim.loopback_http import Reply
from tests.courier.standing_in import ORDER, Glasses, Told


async def run(order: Fetch) -> tuple[Told, End]:
    told = Told()
    return told, await fetch(order, told, Allowance(order.credit))


# -- what is refused ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.49.79"])
def test_private_addresses_are_asked(address: str) -> None:
    check_fetch(replace(ORDER, address=address))


@pytest.mark.parametrize(
    "changes",
    [
        {"address": "8.8.8.8"},
        {"address": "127.0.0.1"},
        {"address": "169.254.169.254"},
        {"address": "172.32.0.1"},
        {"address": "100.64.0.1"},
        {"address": "0.0.0.0"},
        {"address": "localhost"},
        {"address": "glasses.local"},
        {"address": "::1"},
        {"address": "192.168.1.1@evil"},
        {"address": "192.168.1.1:80"},
        {"address": ""},
        {"address": "192.168.43.1", "loopback": True},
        {"address": "8.8.8.8", "loopback": True},
        {"port": 0},
        {"port": 65536},
        {"method": "PUT"},
        {"method": "DELETE"},
        {"method": "HEAD"},
        {"method": "get"},
        {"path": "api"},
        {"path": "//evil/x"},
        {"path": "/a b"},
        {"path": "/a\r\nHost: x"},
        {"path": "/a#b"},
        {"path": "/ä"},
        {"path": "/" + "a" * 1001},
        {"method": "POST", "path": "/api/delete-files"},
        {"method": "POST", "path": "/api/v3/ack?x=1"},
        {"method": "POST", "path": "/api/v3/ack", "body": b"x" * 1025},
        {"body": b"x"},
        {"headers": (("cookie", "x"),)},
        {"headers": (("authorization", "x"),)},
        {"headers": (("range", "a"), ("Range", "b"))},
        {"headers": (("range", "bytes=0-\r\nx: y"),)},
        {"headers": (("range", "x" * 257),)},
        {"max_answer": (8 << 30) + 1},
        {"total_timeout": 1e9},
    ],
    ids=str,
)
async def test_what_is_refused_never_leaves(changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def no_street() -> Any:
        raise AssertionError("a way to the street was opened")

    told = Told()
    end = await fetch(replace(ORDER, **changes), told, Allowance(0), way_out=no_street)
    assert end.ending is Ending.REFUSED
    assert end.detail
    assert told.messages == []


@given(st.text(max_size=20), st.text(max_size=40), st.booleans())
def test_whatever_is_asked_only_private_numbers_pass(address: str, path: str, loopback: bool) -> None:
    try:
        check_fetch(replace(ORDER, address=address, path=path, loopback=loopback))
    except Stopped:
        return
    assert address.split(".")[0] in ("10", "172", "192", "127")
    assert (address.startswith("127.")) == loopback
    assert path.startswith("/")


# -- answers ------------------------------------------------------------------------------------------------------------------------


async def test_an_answer_with_its_head(glasses: Glasses) -> None:
    data = bytes(range(256)) * 1000
    glasses.reply = Reply(
        206, data, (("ETag", '"abc"'), ("Content-Range", "bytes 0-1/2"), ("Set-Cookie", "a=b"), ("Content-Type", "x" * 300))
    )
    told, end = await run(glasses.order(headers=(("range", "bytes=5-"), ("if-range", '"abc"'))))
    assert end == End("f1", 0, 206, Ending.DONE, "")
    assert told.messages[0] == Head("f1", 206, (("content-length", "256000"), ("content-range", "bytes 0-1/2"), ("etag", '"abc"')))
    assert told.body == data
    assert max(len(message.body) for message in told.messages if isinstance(message, Answer)) <= module.PIECE
    (asked,) = glasses.asked
    assert asked.headers["range"] == "bytes=5-"
    assert asked.headers["user-agent"] == "eyelid"
    assert not {"cookie", "authorization", "referer"} & asked.headers.keys()


async def test_the_word_that_a_capture_is_safe(glasses: Glasses) -> None:
    order = glasses.order(method="POST", path="/api/v3/ack", body=b'{"a":1}', headers=(("content-type", "application/json"),))
    _, end = await run(order)
    assert (end.ending, end.sent, glasses.asked[0].body) == (Ending.DONE, 7, b'{"a":1}')


@pytest.mark.parametrize("status", [404, 409, 416, 429, 500])
async def test_errors_are_passed_on(glasses: Glasses, status: int) -> None:
    glasses.reply = Reply(status, b"no")
    told, end = await run(glasses.order())
    assert (end.ending, end.status, told.body) == (Ending.DONE, status, b"no")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304])
async def test_nobody_is_followed(glasses: Glasses, status: int) -> None:
    other = Glasses()
    await other.http.start()
    glasses.reply = Reply(status, b"", (("Location", f"http://{other.http.address}/"),))
    told, end = await run(glasses.order())
    await other.http.stop()
    assert end.ending is Ending.REDIRECT
    assert other.asked == []
    assert told.messages == []


@pytest.mark.parametrize(
    ("reply", "changes", "ending"),
    [
        (Reply(200, b"x" * 5000, cut=100), {}, Ending.BROKEN),
        (Reply(200, b"x" * 65536, endless=True), {"max_answer": 200_000}, Ending.TOO_BIG),
        (Reply(200, b"x", (("Content-Encoding", "gzip"),)), {}, Ending.BROKEN),
        (Reply(silent=True), {"idle_timeout": 0.05}, Ending.TIMEOUT),
        (Reply(silent=True), {"total_timeout": 0.05}, Ending.TIMEOUT),
    ],
)
async def test_hostile_answers(glasses: Glasses, reply: Reply, changes: dict[str, Any], ending: Ending) -> None:
    glasses.reply = reply
    told, end = await run(glasses.order(**changes))
    assert end.ending is ending
    assert end.detail
    assert len(told.body) <= 200_000


async def test_nobody_there(glasses: Glasses) -> None:
    order = glasses.order()
    await glasses.http.stop()
    _, end = await run(order)
    assert (end.ending, end.status) == (Ending.UNREACHABLE, None)


async def test_no_more_than_allowed_is_on_the_way(glasses: Glasses) -> None:
    glasses.reply = Reply(200, b"x" * 3_000_000)
    told, allowance = Told(), Allowance(200_000)
    task = asyncio.create_task(fetch(glasses.order(max_answer=3_000_000), told, allowance))
    for credit in (200_000, 1_000_000):
        allowance.extend(credit)
        while len(told.body) + module.PIECE <= credit:
            await asyncio.sleep(0)
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(told.body) <= credit
    allowance.extend(5)
    allowance.extend(3_000_000)
    assert (await task).ending is Ending.DONE
    assert len(told.body) == 3_000_000


async def test_stopped_on_request(glasses: Glasses) -> None:
    glasses.reply = Reply(200, b"x" * 3_000_000)
    task = asyncio.create_task(fetch(glasses.order(max_answer=3_000_000), Told(), Allowance(0)))
    while not glasses.asked:
        await asyncio.sleep(0)
    task.cancel()
    assert (await task).ending is Ending.CANCELLED


def test_the_messages_travel_the_pipe() -> None:
    for message in (ORDER, More("f1", 77), Head("f1", 206, (("etag", "x"),))):
        frame = encode(message)
        header = int.from_bytes(frame[:4], "big")
        assert decode(frame[12 : 12 + header], frame[12 + header :]) == message


class Sink:
    """The courier's outgoing pipe, in memory."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def write(self, frame: bytes) -> int:
        self.frames.append(frame)
        return len(frame)

    def flush(self) -> None:
        pass


async def test_only_so_many_questions_at_once(glasses: Glasses) -> None:
    glasses.reply = Reply(silent=True)
    sink = Sink()
    courier = Courier(sink)  # type: ignore[arg-type]
    for number in range(MAX_FETCHES):
        await courier._take_fetch(glasses.order(parcel_id=f"f{number}"))
    assert sink.frames == []
    for parcel_id in ("f0", "new"):
        await courier._take_fetch(glasses.order(parcel_id=parcel_id))
    assert all(b'"refused"' in frame for frame in sink.frames)
    assert len(sink.frames) == 2
    courier._mind(More("unknown", 5))
    courier._mind(More("f0", 5))
    await courier._stop()
    assert len(sink.frames) == 2 + MAX_FETCHES
    assert courier._fetches == {}
