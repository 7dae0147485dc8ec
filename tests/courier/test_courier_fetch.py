"""Fetching from glasses: what is refused, what comes of hostile servers, how much is on the way, and all the way to simulated glasses."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.courier import fetch as module
from app.courier.egress import Stopped
from app.courier.fetch import Allowance, check_fetch, fetch
from app.courier.pipe import Answer, End, Ending, Fetch, Head, Message, More, decode, encode
from app.courier.service import MAX_FETCHES, Courier
from app.glasses.http_link import WINDOW, HttpLink
from app.sharing.courier_link import CourierLink
from ble.bleak_port import BleakAirwaves
from ble.drivers.mentra import MentraDriver
from ble.errors import ProtocolFault
from ble.http_port import CutShort, HttpRequest, NotReachable, Place, whole
from ble.radio import Radio
from ble.sim.air import Air
from ble.sim.bleak_backend import backends
from ble.sim.faults import AT_ONCE
from ble.sim.loopback_http import Asked, LoopbackHttp, Reply
from ble.sim.mentra import SimulatedMentra
from ble.sim.mentra_faults import MentraFaults
from ble.types import CaptureOffered, Offer

ORDER = Fetch("f1", "192.168.43.1", 8089, False, "GET", "/api/health", (), 1 << 20, 1 << 20, 2.0, 5.0, 30.0)


class Glasses:
    """A server that answers as told and remembers what it was asked."""

    def __init__(self) -> None:
        self.reply = Reply(200, b"ok")
        self.asked: list[Asked] = []
        self.http = LoopbackHttp(self._respond)

    def _respond(self, request: Asked) -> Reply:
        self.asked.append(request)
        return self.reply

    def order(self, **changes: Any) -> Fetch:
        host, port = self.http.address.split(":")
        return replace(ORDER, address=host, port=int(port), loopback=True, **changes)


@pytest.fixture
async def glasses() -> AsyncIterator[Glasses]:
    made = Glasses()
    assert await made.http.start()
    yield made
    await made.http.stop()


class Told:
    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def __call__(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.body for message in self.messages if isinstance(message, Answer))


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
    _, end = await run(glasses.order(method="HEAD"))
    assert end.ending is Ending.DONE


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


# -- the whole way ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def courier() -> AsyncIterator[CourierLink]:
    link = await CourierLink.start()
    yield link
    await link.close()


def request(glasses: Glasses, path: str = "/x", most: int = 1 << 24) -> HttpRequest:
    host, port = glasses.http.address.split(":")
    return HttpRequest("GET", Place(host, int(port)), path, most)


async def test_the_port_over_the_courier(glasses: Glasses, courier: CourierLink) -> None:
    http = HttpLink(courier)
    data = bytes(range(256)) * 20_000
    glasses.reply = Reply(200, data, (("ETag", '"e"'),))
    assert await whole(http, request(glasses)) == (200, data)
    async with http.open(request(glasses)) as answer:
        assert answer.headers["etag"] == '"e"'
        async for piece in answer.pieces():
            assert piece
            break
    for reply, most, error in (
        (Reply(200, data, cut=100_000), 1 << 24, CutShort),
        (Reply(200, data), 1000, ProtocolFault),
        (Reply(302, b"", (("Location", "http://10.0.0.1/"),)), 1000, ProtocolFault),
    ):
        glasses.reply = reply
        with pytest.raises(error):
            await whole(http, request(glasses, most=most))
    glasses.reply = Reply(200, b"fine")
    assert await whole(http, request(glasses)) == (200, b"fine")
    asked = request(glasses)
    await glasses.http.stop()
    with pytest.raises(NotReachable):
        await whole(http, asked)
    with pytest.raises(ProtocolFault):
        await whole(http, replace(asked, place=Place("8.8.8.8", 80)))


async def test_a_reader_that_waits_holds_the_courier_back(glasses: Glasses, courier: CourierLink) -> None:
    http = HttpLink(courier)
    glasses.reply = Reply(200, bytes(20 << 20))
    got = 0
    async with http.open(request(glasses, most=20 << 20)) as answer:
        async for piece in answer.pieces():
            got += len(piece)
            if got % (1 << 20) == 0:
                waiting = sum(len(message.body) for message in answer._messages if isinstance(message, Answer))  # type: ignore[attr-defined]
                assert waiting <= WINDOW
    assert got == 20 << 20


async def test_a_courier_that_dies_under_way(glasses: Glasses, courier: CourierLink) -> None:
    http = HttpLink(courier)
    glasses.reply = Reply(200, bytes(20 << 20))
    child = courier._child
    assert child is not None
    async with http.open(request(glasses, most=20 << 20)) as answer:
        child.kill()
        with pytest.raises(NotReachable):
            [piece async for piece in answer.pieces()]
    glasses.reply = Reply(200, b"again")
    assert await whole(http, request(glasses)) == (200, b"again")


async def test_a_courier_that_is_gone(glasses: Glasses) -> None:
    link = await CourierLink.start()
    http = HttpLink(link)
    await link.close()
    with pytest.raises(NotReachable):
        await whole(http, request(glasses))


class OtherThread:
    """A radio thread with simulated glasses on it."""

    def __init__(self, twin: Callable[[], SimulatedMentra]) -> None:
        self.radio = Radio()
        self.radio.start()
        self._twin = twin

    async def put_up(self) -> tuple[Air, SimulatedMentra, Any]:
        async def made() -> tuple[Air, SimulatedMentra, Any]:
            air, twin = Air(), self._twin()
            await air.add(twin)
            scanner, client = backends(air)
            return air, twin, BleakAirwaves(scanner_backend=scanner, client_backend=client).port(air.address_of(twin))

        return await self.radio.run(made())


@pytest.fixture
def thread() -> Iterator[Callable[..., OtherThread]]:
    made: list[OtherThread] = []

    def put_up(twin: Callable[[], SimulatedMentra]) -> OtherThread:
        made.append(OtherThread(twin))
        return made[-1]

    yield put_up
    for each in made:
        each.radio.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "radio"]


async def test_from_simulated_glasses_to_here(courier: CourierLink, thread: Callable[..., OtherThread]) -> None:
    clip = b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 12_000
    faults = MentraFaults(cut_after=1_000_000, cuts=2)
    other = thread(lambda: SimulatedMentra([b"\xff\xd8\xff\xd9"], stored=0, clips=[clip], faults=faults, pace=AT_ONCE))
    air, twin, port = await other.put_up()
    http = HttpLink(courier)

    async def visit() -> tuple[list[Offer], bytes]:
        glasses = await MentraDriver(http, simulated=True).open(port, continuous=False)
        await glasses.open_wifi(own_network=True)
        await glasses.look_over_wifi()
        events = glasses.events()
        offers: list[Offer] = []
        async for event in events:
            if isinstance(event, CaptureOffered):
                offers.append(event.offer)
                break
        data = b"".join([piece async for piece in glasses.fetch(offers[0].id)])
        await glasses.release(offers[0].id)
        with contextlib.suppress(RuntimeError):
            await events.aclose()  # type: ignore[attr-defined]
        await glasses.close()
        return offers, data

    offers, data = await other.radio.run(visit())
    assert offers[0].size == len(clip)
    assert data == clip
    assert len(twin.shelf.trashed) == 1
    assert sum(1 for asked in twin.shelf.asked if "range" in asked.headers) == 2
    await other.radio.run(air.close())
