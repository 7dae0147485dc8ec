"""The gate's end of the pipe: the real courier, and stand-ins that crash, babble or never say hello."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.courier.pipe import Cancel, End, Ending, Message, Progress, Send
from app.events import EventHub
from app.lanes import Lanes
from app.sharing import courier_link
from app.sharing.courier_link import CourierLink, Departure, command, depart
from app.sharing.desk import SharingDesk
from app.sharing.destinations import DestinationBook
from app.sharing.errors import CourierGone
from app.sharing.keys import MemoryKeys
from app.sharing.types import AnswerText, Draft, Ended, Outcome
from app.vault.vault import Vault

HEAD = """
    import os, sys
    from app.courier.pipe import *
    out, into = sys.stdout.buffer, sys.stdin.buffer
    def say(*messages):
        for message in messages:
            out.write(encode(message))
        out.flush()
"""
HELLO = "say(Hello('http://127.0.0.1:4000', '/x'))\n"


def stand_in(script: str) -> Departure:
    return partial(depart, [sys.executable, "-c", textwrap.dedent(HEAD) + textwrap.dedent(script)])


def order(body: bytes = b"{}", **changes: Any) -> Send:
    values: dict[str, Any] = {
        "parcel_id": "p",
        "approval_id": "a",
        "approved_sha256": hashlib.sha256(body).hexdigest(),
        "approved_size": len(body),
        "approved_origin": "http://127.0.0.1:9",
        "approved_method": "POST",
        "approved_path": "/",
        "expires_at": time.time() + 60,
        "origin": "http://127.0.0.1:9",
        "method": "POST",
        "path": "/",
        "headers": (),
        "loopback_only": True,
        "max_answer": 1000,
        "connect_timeout": 5.0,
        "idle_timeout": 5.0,
        "total_timeout": 10.0,
        "body": body,
    }
    return Send(**(values | changes))


Starting = Callable[..., Any]


@pytest.fixture
async def start() -> AsyncIterator[Starting]:
    made: list[CourierLink] = []

    async def starting(script: str = "") -> CourierLink:
        link = await CourierLink.start(stand_in(script) if script else None)
        made.append(link)
        return link

    yield starting
    for link in made:
        await link.close()


async def carried(link: CourierLink, what: Send) -> tuple[list[Message], End]:
    messages = [message async for message in link.send(what)]
    assert isinstance(messages[-1], End)
    return messages[:-1], messages[-1]


async def test_the_whole_way_to_the_mirror(vault: Vault, tmp_path: Path, tools: Any, start: Starting) -> None:
    """Real vault, real shaping, real courier in its own process, real HTTP: only the person is played."""
    link = await start()
    lanes = Lanes()
    item = vault.add(tools.photo(), tools.new_item()).id
    desk = SharingDesk(vault, lanes, link, EventHub(asyncio.get_running_loop()), DestinationBook(tmp_path, MemoryKeys()))
    proposal = await desk.prepare(Draft((item,), "What would a server see?", "mirror"))
    events = [event async for event in desk.send(proposal, await desk.approve(proposal))]
    answer = "".join(event.text for event in events if isinstance(event, AnswerText))
    assert f"{proposal.size:,} bytes in one request, SHA-256 {proposal.parcel.sha256}" in answer
    assert f"SHA-256 {hashlib.sha256(proposal.pictures[0].jpeg).hexdigest()}" in answer
    assert "64 × 48 pixels" in answer
    assert "Metadata found: none" in answer
    assert "“What would a server see?”" in answer
    assert isinstance(events[-1], Ended)
    receipt = events[-1].receipt
    assert (receipt.outcome, receipt.bytes_sent, receipt.http_status) == (Outcome.ANSWERED, proposal.size, 200)
    assert (await desk.verify_receipts()).sound
    await desk.close()
    await asyncio.sleep(0)
    lanes.close()


async def test_a_crash_ends_that_parcel_alone_and_another_courier_starts(start: Starting) -> None:
    link = await start(HELLO + "order = read(into)\nsay(Progress(order.parcel_id, 1), Progress(order.parcel_id, 2))\nos._exit(3)\n")
    first = link.pid
    messages, end = await carried(link, order())
    assert messages == [Progress("p", 1), Progress("p", 2)]
    assert (end.ending, end.sent) == (Ending.LOST, 2), "as many bytes as may have left"
    hello = await link.ready()
    assert hello == link.mirror
    assert link.pid != first
    assert (await carried(link, order()))[1].ending is Ending.LOST


async def test_a_courier_that_never_gets_ready_is_not_started_again_and_again(tmp_path: Path) -> None:
    marks = tmp_path / "starts"
    script = f"open({str(marks)!r}, 'a').write('x')\nos._exit(1)\n"
    link = CourierLink(stand_in(script))
    link._spawn()
    with pytest.raises(CourierGone):
        await link.ready()
    assert marks.read_text() == "x"
    assert link.mirror is None
    assert link.pid is None
    with pytest.raises(CourierGone):  # whoever needs it makes one more try
        await carried(link, order())
    assert marks.read_text() == "xx"
    await link.cancel("p")
    await link.close()
    with pytest.raises(CourierGone):
        await link.ready()


async def test_a_failed_start_is_told_and_leaves_nothing_behind() -> None:
    with pytest.raises(CourierGone):
        await CourierLink.start(stand_in("os._exit(1)"))
    with pytest.raises(CourierGone, match="could not be started"):
        await CourierLink.start(partial(depart, ["/nowhere/python"]))


async def test_a_courier_that_keeps_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier_link, "_HELLO_SECONDS", 0.05)
    with pytest.raises(CourierGone, match="does not answer"):
        await CourierLink.start(stand_in("into.read()"))


async def test_a_courier_that_babbles_is_given_up(start: Starting) -> None:
    link = await start(HELLO + "read(into)\nout.write(b'\\xff' * 40)\nout.flush()\ninto.read()\n")
    assert (await carried(link, order()))[1].ending is Ending.LOST
    await link.ready()


async def test_messages_out_of_place_are_dropped(start: Starting) -> None:
    link = await start(
        HELLO
        + HELLO
        + "order = read(into)\nsay(Cancel('p'), Progress('other', 5), Status('p', 200), End('p', 0, 200, Ending.DONE, ''))\ninto.read()\n"
    )
    messages, end = await carried(link, order())
    assert [message.kind for message in messages] == ["status"]
    assert end.ending is Ending.DONE


async def test_closing_ends_what_is_on_its_way_and_the_process(start: Starting) -> None:
    link = await start(HELLO + "order = read(into)\nsay(Progress('p', 7))\nread(into)\n")
    pid = link.pid
    sending = link.send(order())
    assert await anext(sending) == Progress("p", 7)
    await link.close()
    assert (await anext(sending)).ending is Ending.LOST
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    await link.close()


async def test_a_courier_that_will_not_end_is_ended(start: Starting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier_link, "_QUIT_SECONDS", 0.05)
    link = await start(HELLO + "import signal\nsignal.sigwait([signal.SIGUSR1])\n")
    pid = link.pid
    await link.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_one_that_reads_no_more_keeps_nobody_from_closing(start: Starting, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pipe to it is full, and the thread that writes waits."""
    monkeypatch.setattr(courier_link, "_QUIT_SECONDS", 0.05)
    link = await start(HELLO + "import signal\nsignal.sigwait([signal.SIGUSR1])\n")
    sending = asyncio.ensure_future(anext(link.send(order(bytes(4 << 20)))))
    while "p" not in link._inboxes or "p" in link._unwritten:
        await asyncio.sleep(0)
    await link.close()
    end = await sending
    assert isinstance(end, End)
    assert end.ending is Ending.LOST


async def test_cancelling_reaches_the_courier(start: Starting) -> None:
    link = await start(
        HELLO + "read(into)\nmessage = read(into)\nsay(End(message.parcel_id, 3, None, Ending.CANCELLED, ''))\ninto.read()\n"
    )
    sending = link.send(order())
    first = asyncio.ensure_future(anext(sending))
    while "p" not in link._inboxes or "p" in link._unwritten:
        await asyncio.sleep(0)
    await link.cancel("p")
    assert await first == End("p", 3, None, Ending.CANCELLED, "")
    await sending.aclose()


async def test_cancelled_before_it_was_written_it_is_never_written(tmp_path: Path) -> None:
    """While no courier is ready the parcel waits; a cancel in that time must not be overtaken by the parcel itself."""
    seen = tmp_path / "seen"
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    script = f"open({str(gate)!r}).read()\n{HELLO}message = read(into)\nopen({str(seen)!r}, 'w').write(message.kind)\n"
    link = CourierLink(stand_in(script))
    link._spawn()
    sending = asyncio.ensure_future(anext(link.send(order())))
    while "p" not in link._unwritten:
        await asyncio.sleep(0)
    await link.cancel("p")
    await asyncio.to_thread(gate.write_text, "go")
    end = await sending
    assert isinstance(end, End)
    assert (end.ending, end.sent) == (Ending.CANCELLED, 0)
    await link.close()
    assert seen.read_text() == "quit"


async def test_the_environment_is_clean(start: Starting, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "SSL_CERT_FILE", "PYTHONPATH", "OPENAI_API_KEY", "HOME"):
        monkeypatch.setenv(name, "/nowhere")
    link = await start("say(Hello(','.join(sorted(os.environ)), os.getcwd()))\ninto.read()\n")
    hello = await link.ready()
    assert set(hello.mirror_origin.split(",")) <= {*courier_link._ENVIRONMENT, "LC_CTYPE", "__CF_USER_TEXT_ENCODING"}
    assert command()[0] == sys.executable
    assert "app.courier" in command()


async def test_a_child_that_is_no_longer_ours_is_not_heard(start: Starting) -> None:
    link = await start(HELLO + "into.read()\n")
    stranger: Any = object()
    link._heard(stranger, None)
    link._heard(stranger, Cancel("p"))
    assert link.pid is not None
