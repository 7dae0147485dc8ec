"""The way of the drivers to the glasses' Wi-Fi: over the courier and back, and all the way from simulated glasses."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from app.courier.pipe import Answer
from app.glasses.http_link import WINDOW, HttpLink
from app.sharing.courier_link import CourierLink
from ble.bleak_port import BleakAirwaves
from ble.drivers import mentra_fetch, mentra_link
from ble.drivers.mentra import MentraDriver
from ble.errors import ProtocolFault
from ble.http_port import CutShort, HttpRequest, NotReachable, Place, whole
from ble.radio import Radio
from ble.sim.air import Air
from ble.sim.bleak_backend import backends
from ble.sim.faults import AT_ONCE
from ble.sim.loopback_http import Reply
from ble.sim.mentra import SimulatedMentra
from ble.sim.mentra_faults import MentraFaults
from ble.types import CaptureOffered, Offer
from tests.courier.standing_in import Glasses


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


async def test_from_simulated_glasses_to_here(
    courier: CourierLink, thread: Callable[..., OtherThread], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in ((mentra_fetch, "LONGEST_PAUSE"), (mentra_fetch, "PROBE_SECONDS"), (mentra_link, "PAUSE_SECONDS")):
        monkeypatch.setattr(module, name, 0.01)
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
