"""The doorstep from Eyelid's side: a server of simulated glasses whose port somebody else opened."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Iterator
from functools import partial

import pytest

from app.courier import doorstep
from app.courier.depot_link import VISITOR, Depot
from app.courier.doorstep import Doorstep
from app.sharing.courier_link import environment
from ble.sim.loopback_http import Asked, LoopbackHttp, Reply

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere glasses open their port themselves")
PICTURE = bytes(range(256)) * 4000


@pytest.fixture(scope="module")
def depot() -> Iterator[Depot]:
    one = Depot.start(environment())
    yield one
    one.close()


def respond(asked: Asked) -> Reply:
    if asked.path == "/cut":
        return Reply(200, PICTURE, cut=1000)
    if asked.path == "/silent":
        return Reply(silent=True)
    return Reply(200, PICTURE if asked.path == "/picture" else b"no", stated=-1)


async def ask(address: str, path: str) -> bytes:
    """The answer, headers and all; nothing where the connection was broken off."""
    host, _, port = address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()
        with contextlib.suppress(ConnectionResetError):
            await writer.wait_closed()


async def test_a_server_of_glasses_behind_a_doorstep(depot: Depot) -> None:
    server = LoopbackHttp(respond, listen=partial(Doorstep.open, depot))
    assert server.address == ""
    assert await server.start()
    address = server.address
    assert await server.start()
    assert server.address == address, "it is open already"
    answers = await asyncio.gather(*(ask(address, "/picture") for _ in range(8)))
    assert {answer.partition(b"\r\n\r\n")[2] for answer in answers} == {PICTURE}
    assert (await ask(address, "/cut")).partition(b"\r\n\r\n")[2] == PICTURE[:1000]
    waiting = asyncio.ensure_future(ask(address, "/silent"))
    while not server._writers:
        await asyncio.sleep(0)
    await server.stop()
    assert await waiting == b"", "what was under way is broken off"
    assert server.address == ""
    await server.stop()


async def test_it_opens_again_elsewhere(depot: Depot) -> None:
    server = LoopbackHttp(respond, listen=partial(Doorstep.open, depot))
    for _ in range(3):
        assert await server.start()
        assert (await ask(server.address, "/other")).endswith(b"no")
        await server.stop()


async def test_where_no_port_can_be_had_the_glasses_say_so() -> None:
    depot = Depot.start(environment())
    depot.close()
    assert not await LoopbackHttp(respond, listen=partial(Doorstep.open, depot)).start()


class Babbling:
    """A depot whose other end says what a test likes."""

    def __init__(self, *words: bytes) -> None:
        self.inside, self.other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for word in words:
            self.other.send(word)

    def doorstep(self) -> socket.socket:
        return self.inside

    async def opened(self) -> Doorstep:
        return await Doorstep.open(self, serve_nobody, 100)  # type: ignore[arg-type]


async def serve_nobody(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    raise AssertionError("nobody came")


async def closed(step: Doorstep) -> None:
    while step._inside.fileno() >= 0:
        await asyncio.sleep(0)


async def test_a_depot_that_opens_no_port() -> None:
    babbling = Babbling(b"no number")
    with babbling.other, pytest.raises(OSError, match="no port"):
        await babbling.opened()
    silent = Babbling()
    silent.other.close()
    with pytest.raises(OSError, match="no port"):
        await silent.opened()


async def test_what_is_no_visitor_closes_the_door() -> None:
    without_a_socket = Babbling(b"4000", VISITOR)
    step = await without_a_socket.opened()
    await closed(step)
    step.close()
    stranger = Babbling(b"4000")
    step = await stranger.opened()
    step._rung()  # with nobody there
    socket.send_fds(stranger.other, [b"stranger"], [stranger.other.fileno()])
    await closed(step)
    for each in (without_a_socket, stranger):
        each.other.close()


async def test_a_door_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise ConnectionResetError

    babbling = Babbling(b"4000")
    step = await babbling.opened()
    monkeypatch.setattr(doorstep, "receive", gone)
    step._rung()
    assert step._inside.fileno() < 0
    babbling.other.close()


async def test_opening_can_be_given_up() -> None:
    silent = Babbling()
    opening = asyncio.ensure_future(silent.opened())
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert silent.inside.fileno() < 0
    silent.other.close()
