"""The gate: from a person's yes to the first byte at the server, and what it costs to read a streamed answer through it.

    python tests/bench/bench_gate.py [--rounds 21] [--pieces 300] [--rate 150] [--burst 15000]

Everything is real: vault and book of receipts on the disk, the courier in its process, HTTP to a server in a process of its own. The
peer is a bare socket that sends the same request and reads the same answer to its end, taking turns with ours in each round.

- yes to first byte: `approve`, the terms kept, the approval spent, the line of intent durable on the disk, the pipe, the connection; until
  the server has the first byte of the body, by the clock that both processes share.
- a streamed answer at the pace of a model (`--rate` pieces a second): from the first piece of the answer to its end, and how many times
  as long as the bare socket that is.
- a burst: the same as fast as the server can, which no model does; what a piece costs, and how far that is from the pace of any model.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from measure import goal

from app.events import EventHub
from app.lanes import Lanes
from app.media.samples import pictures
from app.sharing.courier_link import CourierLink
from app.sharing.desk import SharingDesk
from app.sharing.destinations import DestinationBook
from app.sharing.keys import MemoryKeys
from app.sharing.types import AnswerText, Draft, Ended, Outcome
from app.vault.types import ItemKind, NewItem, Origin
from app.vault.vault import Vault

PIECE = "word "


def event(text: str | None) -> bytes:
    """A piece of a chat completion's stream, in the size in which providers send them."""
    choice = {"index": 0, "delta": {"content": text} if text else {}, "logprobs": None, "finish_reason": None if text else "stop"}
    found = {"id": "chatcmpl-" + "0" * 29, "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(found)}\n\n".encode()


def serve(line: Connection) -> None:
    """The server's process: answers each request as `line` told it to, and tells when the first byte of its body came."""
    listening = socket.create_server(("127.0.0.1", 0))
    line.send(listening.getsockname()[1])
    pieces, pause = 1, 0.0
    while True:
        client, _ = listening.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while line.poll():
            pieces, pause = line.recv()
        with client:
            first = take(client)
            answer(client, pieces, pause)
        line.send(first)


def take(client: socket.socket) -> float:
    """Read one request whole; the time at which the first byte of its body was there."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += client.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(int(each.split(b":")[1]) for each in head.split(b"\r\n") if each.lower().startswith(b"content-length"))
    first = time.monotonic() if body else 0.0
    got = len(body)
    while got < length:
        part = client.recv(1 << 20)
        first = first or time.monotonic()
        got += len(part)
    return first


def answer(client: socket.socket, pieces: int, pause: float) -> None:
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
    start, piece = time.monotonic(), event(PIECE)
    for number in range(pieces):
        if pause:
            time.sleep(max(0.0, start + number * pause - time.monotonic()))
        client.sendall(piece)
    client.sendall(event(None) + b"data: [DONE]\n\n")


def bare(port: int, body: bytes) -> float:
    """The peer: the same request over a socket; seconds from the first byte of the answer to its end."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        client.sendall(head.encode() + body)
        client.recv(65536)
        start = time.perf_counter()
        while client.recv(65536):
            pass
        return time.perf_counter() - start


class Bench:
    def __init__(self, desk: SharingDesk, item: Any, place: str, line: Connection, port: int) -> None:
        self.desk, self.item, self.place, self.line, self.port = desk, item, place, line, port

    async def once(self, pieces: int, pause: float) -> tuple[float, float, bytes]:
        """Ask and approve as a person would; seconds from the yes to the first byte, seconds of the answer, and the body."""
        self.line.send((pieces, pause))
        proposal = await self.desk.prepare(Draft((self.item,), "What is this?", self.place))
        said = time.monotonic()
        approval = await self.desk.approve(proposal)
        start, end, text = 0.0, 0.0, 0
        async for happened in self.desk.send(proposal, approval):
            if isinstance(happened, AnswerText):
                start = start or time.perf_counter()
                end = time.perf_counter()
                text += len(happened.text)
            elif isinstance(happened, Ended):
                assert happened.receipt.outcome is Outcome.ANSWERED, happened.receipt.detail
        assert text == pieces * len(PIECE)
        first = await asyncio.to_thread(self.line.recv)
        return first - said, end - start, proposal.parcel.body

    async def peer(self, body: bytes, pieces: int, pause: float) -> float:
        self.line.send((pieces, pause))
        found = await asyncio.to_thread(bare, self.port, body)
        await asyncio.to_thread(self.line.recv)
        return found

    async def turns(self, rounds: int, pieces: int, pause: float) -> tuple[float, float, float]:
        """The median ratio of ours to the bare socket's, and the median seconds of both, taking turns."""
        ours, theirs = [], []
        _, _, body = await self.once(pieces, pause)
        for number in range(rounds):
            for mine in (True, False) if number % 2 else (False, True):
                if mine:
                    ours.append((await self.once(pieces, pause))[1])
                else:
                    theirs.append(await self.peer(body, pieces, pause))
        ratio = statistics.median(one / other for one, other in zip(ours, theirs, strict=True))
        return ratio, statistics.median(ours), statistics.median(theirs)


@asynccontextmanager
async def bench(folder: Path) -> AsyncIterator[Bench]:
    line, other = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(other,), daemon=True)
    server.start()
    port = line.recv()
    lanes, courier = Lanes(), await CourierLink.start()
    vault = Vault.create(folder / "vault", passphrase="bench", keyring=False, work_factor=10)
    item = vault.add(pictures("openglass")[0], NewItem(ItemKind.PHOTO, "image/jpeg", datetime.now(UTC), Origin("bench"), 1600, 1200)).id
    book = DestinationBook(folder, MemoryKeys())
    place = book.add_local("Server", f"http://127.0.0.1:{port}/v1", "m").id
    desk = SharingDesk(vault, lanes, courier, EventHub(asyncio.get_running_loop()), book)
    try:
        yield Bench(desk, item, place, line, port)
    finally:
        await desk.close()
        await courier.close()
        lanes.close()
        vault.close()
        server.terminate()
        server.join()


async def main(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with bench(Path(folder)) as made:
            await made.once(1, 0)
            firsts = sorted([(await made.once(1, 0))[0] * 1000 for _ in range(arguments.rounds)])
            print(f"Yes to first byte at the server, {arguments.rounds} rounds: from {firsts[0]:.1f} to {firsts[-1]:.1f} ms")
            goal("median", statistics.median(firsts), most=50, unit=" ms")
            rounds = max(3, arguments.rounds // 7)
            ratio, ours, theirs = await made.turns(rounds, arguments.pieces, 1 / arguments.rate)
            print(
                f"A streamed answer, {arguments.pieces} pieces, {arguments.rate} a second: ours {ours:.3f} s, a bare socket {theirs:.3f} s"
            )
            goal("ours to the bare socket", ratio, most=1.05, unit=" times")
            ratio, ours, theirs = await made.turns(rounds, arguments.burst, 0)
            each = ours / arguments.burst * 1e6
            print(f"A burst of {arguments.burst} pieces: ours {ours:.3f} s, a bare socket {theirs:.3f} s, {ratio:.1f} times (no goal)")
            print(f"  a piece costs {each:.0f} µs: room for {1e6 / each:,.0f} pieces a second, where a fast model sends some hundred")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--pieces", type=int, default=300)
    parser.add_argument("--rate", type=int, default=150)
    parser.add_argument("--burst", type=int, default=15_000)
    asyncio.run(main(parser.parse_args()))
