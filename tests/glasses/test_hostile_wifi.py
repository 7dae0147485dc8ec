"""Glasses that lie over Wi-Fi, through the desk and the courier's own process, while another pair must not notice.

One scene for all the attacks: hostile glasses are asked to import again and again, each time with another lie. Nothing may come of it but
a typed error, nothing half-written may stay, memory stays small, nobody else is ever asked, and at the end the honest glasses deliver all.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from app.events import CaptureArriving, CaptureLost, Trouble
from app.glasses import airs, http_link, ingest, over_wifi
from app.glasses.over_wifi import BrokenOff, Done, WifiStep
from app.media.samples import pictures
from ble.drivers import heycyan_files, mentra_fetch, mentra_link
from ble.sim.faults import AT_ONCE
from ble.sim.heycyan import SimulatedHeycyan
from ble.sim.loopback_http import Asked, Reply
from ble.sim.mentra import SimulatedMentra
from ble.sim.omi import SimulatedOpenGlass

Lie = Callable[[Asked, Reply], Reply]
MOST_GROWTH = 96 << 20
DEEP = b'{"a":' * 100_000
GIB = 1 << 30


def files(**changes: Any) -> Lie:
    """Answers with a file are changed so."""
    return lambda asked, reply: dataclasses.replace(reply, **changes) if is_file(asked) else reply


def lists(change: Callable[[bytes], bytes]) -> Lie:
    """The list of what they hold is changed so."""
    return lambda asked, reply: dataclasses.replace(reply, body=change(reply.body)) if is_list(asked) else reply


def everywhere(**changes: Any) -> Lie:
    return lambda _, reply: dataclasses.replace(reply, **changes)


def is_file(asked: Asked) -> bool:
    return asked.path in ("/api/v3/download", "/api/download") or asked.path.endswith(".jpg")


def is_list(asked: Asked) -> bool:
    return asked.path in ("/api/v3/manifest", "/api/gallery", "/files/media.config")


def said(key: str, value: object) -> Lie:
    """In the list, `key` has this value everywhere."""
    text = json.dumps(value).replace("\\", "\\\\")
    return lists(lambda body: re.sub(f'"{key}": ("[^"]*"|[0-9]+)', f'"{key}": {text}', body.decode()).encode())


def etag_changes() -> Lie:
    """Each answer with a file breaks off, and the next is of another file."""
    served = 0

    def lie(asked: Asked, reply: Reply) -> Reply:
        nonlocal served
        if not is_file(asked):
            return reply
        served += 1
        headers = tuple((name, f'"v{served}"' if name == "ETag" else text) for name, text in reply.headers)
        return dataclasses.replace(reply, headers=headers, body=bytes([served]) * len(reply.body), stated=len(reply.body), cut=2000)

    return lie


def another_part(asked: Asked, reply: Reply) -> Reply:
    if not is_file(asked):
        return reply
    size = len(reply.body)
    return dataclasses.replace(reply, status=206, headers=(("Content-Range", f"bytes 7-{size - 1}/{size}"),), body=reply.body[7:])


def digest_of_another(asked: Asked, reply: Reply) -> Reply:
    return dataclasses.replace(reply, body=reply.body.replace(b'"sha256": "', b'"sha256": "0')) if asked.path == "/api/v3/hash" else reply


def elsewhere(address: str) -> dict[str, Lie]:
    """Pointing to `address`, which must never be asked."""
    to = (("Location", f"http://{address}/x.jpg"),)
    return {
        "a redirect of everything": everywhere(status=302, headers=to),
        "a redirect of files": files(status=307, headers=to),
        "a redirect of the list": lambda asked, reply: dataclasses.replace(reply, status=301, headers=to) if is_list(asked) else reply,
        "a redirect without a place": files(status=308),
        "files on another host": said("download_url", f"http://{address}/x.jpg"),
        "files on another host, without a scheme": said("download_url", f"//{address}/x.jpg"),
        "digests on another host": said("hash_url", f"http://{address}/x.jpg"),
    }


MENTRA: dict[str, Lie] = {
    "a way up in names": said("name", "../../../.config/autostart/x.jpg"),
    "an absolute name": said("name", "/etc/cron.d/x.jpg"),
    "NUL in names": said("name", "x\0.jpg"),
    "a name without an end": said("name", "x" * 100_000 + ".jpg"),
    "a way up in paths": said("download_url", "/api/../../secret.jpg"),
    "a hidden way up in paths": said("download_url", "/api/%2e%2e/%2e%2e/secret.jpg"),
    "NUL in paths": said("download_url", "/api/x%00.jpg"),
    "a new line in paths": said("download_url", "/api/x\r\nHost: evil\r\n\r\n"),
    "a capture's id with a way up": said("capture_id", "../x"),
    "digests of something else": digest_of_another,
    "files longer than listed": files(body=b"\xff\xd8" + bytes(5_000_000)),
    "files shorter than they say": files(cut=1000),
    "files of no length": files(body=b""),
    "files without an end": files(body=b"\xff\xd8" * 32768, endless=True),
    "sizes of 4 GB": said("size", 4 * GIB - 1),
    "sizes of 4 GB, and files without an end": lambda asked, reply: files(endless=True)(asked, said("size", 4 * GIB - 1)(asked, reply)),
    "sizes of no sense": said("size", -1),
    "packed files": files(headers=(("Content-Encoding", "gzip"),), body=b"\x1f\x8b\x08" + bytes(100_000)),
    "packed lists": lambda asked, reply: dataclasses.replace(reply, headers=(("Content-Encoding", "br"),)) if is_list(asked) else reply,
    "a list nested 100,000 deep": lists(lambda _: DEEP),
    "a list without an end": lambda asked, reply: Reply(200, b'{"captures":[' * 5000, endless=True) if is_list(asked) else reply,
    "a list of a million captures": lists(lambda _: b'{"captures":[' + b"{}," * 600_000 + b"{}]}"),
    "a list of numbers that are none": lists(lambda _: b'{"captures":[{"capture_id":1e999,"files":[NaN]}]}'),
    "a list of wrong kinds": lists(lambda _: b'{"captures":{"files":7},"has_more":[]}'),
    "a list that is no text": lists(lambda _: bytes(range(256)) * 100),
    "other files in mid transfer": etag_changes(),
    "another part than was asked for": another_part,
    "a status of no sense": files(status=299, body=b""),
    "nothing but faults": everywhere(status=500),
    "ask again later, for ever": everywhere(status=429),
    "no word at all": everywhere(silent=True),
}  # fmt: skip
ANNOUNCED = ("8.8.8.8", "glasses.local", "169.254.169.254", "127.0.0.1:99999", "127.0.0.1@8.8.8.8", "192.168.43.1", "[::1]:80", "\0")
HEYCYAN: dict[str, Lie] = {
    "a way up in names": lists(lambda _: b"../../etc/passwd.jpg\r\n..\\..\\x.jpg\n%2e%2e%2fx.jpg\n"),
    "an absolute name": lists(lambda _: b"/etc/x.jpg\n//evil/x.jpg\nhttp://evil/x.jpg\n"),
    "NUL in names": lists(lambda _: b"x\0.jpg\n\0\0\0\n"),
    "a list without an end": lambda asked, reply: Reply(200, b"20260101_000000.jpg\n" * 500, endless=True) if is_list(asked) else reply,
    "a million names": lists(lambda _: b"".join(b"%06d.jpg\n" % number for number in range(40_000))),
    "files without an end": files(body=b"\xff\xd8" * 32768, endless=True),
    "files shorter than they say": files(cut=1000),
    "packed files": files(headers=(("Content-Encoding", "gzip"),), body=b"\x1f\x8b\x08" + bytes(100_000)),
    "other files in mid transfer": etag_changes(),
    "redirected files": files(status=302, headers=(("Location", "http://127.0.0.1:1/"),)),
}


class Hostile:
    """What the attacker's web server does with its honest answers."""

    def __init__(self, twin: Any) -> None:
        self.twin = twin
        self.lie: Lie = lambda _, reply: reply
        honest = twin.http._respond
        twin.http._respond = lambda asked: self.lie(asked, honest(asked))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long here, and one capture may be 32 MiB."""
    for module, name, value in (
        (mentra_link, "PAUSE_SECONDS", 0.0),
        (mentra_fetch, "PROBE_SECONDS", 0.01),
        (mentra_fetch, "MOST_TRIES", 2),
        (mentra_fetch, "LONGEST_PAUSE", 0.01),
        (mentra_fetch, "SLOW_SECONDS", 0.0),
        (heycyan_files, "PAUSES", (0.01,)),
        (heycyan_files, "MOST_TRIES", 2),
        (over_wifi, "MOST_LOOKS", 1),
        (over_wifi, "LOOK_SECONDS", 0.1),
        (over_wifi, "QUIET_SECONDS", 0.5),
        (http_link, "IDLE_SECONDS", 0.1),
        (http_link, "ANSWER_SECONDS", 0.3),
        (http_link, "LEAST_RATE", 1 << 30),
        (ingest, "LARGEST_CAPTURE", 32 << 20),
    ):
        monkeypatch.setattr(module, name, value)


async def switched_on(bench: Any, monkeypatch: pytest.MonkeyPatch, twin: Any) -> str:
    """The address of these glasses, paired."""
    monkeypatch.setattr(airs, "simulated", lambda *_: twin)
    address = await bench.desk._airs.simulate("any")
    async with contextlib.aclosing(bench.desk.scan(10)) as scan:
        async for found in scan:
            if found.address == address:
                return str((await bench.desk.pair(found)).address)
    raise AssertionError("not heard")


async def last_step(bench: Any, address: str) -> WifiStep:
    async with asyncio.timeout(40):
        async with contextlib.aclosing(bench.desk.import_over_wifi(address)) as steps:
            return [step async for step in steps][-1]


def forget_the_peak() -> None:
    with contextlib.suppress(OSError):  # not every system counts it
        Path("/proc/self/clear_refs").write_text("5")


@contextlib.asynccontextmanager
async def in_drops() -> AsyncIterator[str]:
    """The address of a server whose answers never stop coming, a byte at a time."""
    dripping: set[asyncio.Task[None]] = set()

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        dripping.add(asyncio.current_task())  # type: ignore[arg-type]
        with contextlib.suppress(OSError, asyncio.CancelledError):
            writer.write(b"HTTP/1.1 200 OK\r\n")
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)
        writer.close()

    there = await asyncio.start_server(drip, "127.0.0.1", 0)
    try:
        host, port = there.sockets[0].getsockname()[:2]
        yield f"{host}:{port}"
    finally:
        there.close()
        for task in dripping:
            task.cancel()
        await asyncio.gather(*dripping)


def most_memory(pid: int | str) -> int:
    """The most bytes a process ever held; 0 where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024


def require_harmless(bench: Any, what: str, step: WifiStep) -> None:
    """It ended with a word for a person, and left nothing behind."""
    if isinstance(step, BrokenOff):
        assert step.explanation.what, what
        assert step.explanation.action, what
    else:
        assert isinstance(step, Done), what
        assert (step.brought, step.failed in (0, 2)) == (0, True), what
    assert [path.name for path in (bench.vault.folder / "objects").rglob("*") if path.is_file()] == [], what


async def attacked(bench: Any, address: str, hostile: Hostile, lies: dict[str, Lie]) -> None:
    for what, lie in lies.items():
        hostile.lie = lie
        require_harmless(bench, what, await last_step(bench, address))
    hostile.lie = lambda _, reply: reply


async def test_mentra_glasses_that_lie(wifi_bench: Any, impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    scene, courier = wifi_bench, wifi_bench.desk._http._courier
    arriving: list[CaptureArriving] = []
    ended = scene.events.subscribe(CaptureArriving, arriving.append)
    asked: list[str] = []
    other = await asyncio.start_server(lambda *_: asked.append("somebody"), "127.0.0.1", 0)
    host, port = other.sockets[0].getsockname()[:2]
    good = await switched_on(scene, monkeypatch, SimulatedOpenGlass(pictures("openglass"), pace=AT_ONCE))
    hostile = Hostile(SimulatedMentra(pictures("mentra-live"), pace=AT_ONCE))
    address = await switched_on(scene, monkeypatch, hostile.twin)
    forget_the_peak()
    before, courier_before = most_memory("self"), most_memory(courier.pid or 0)

    await attacked(scene, address, hostile, {**elsewhere(f"{host}:{port}"), **MENTRA})
    honest = hostile.twin.faults
    for announced in ANNOUNCED:
        hostile.twin.faults = dataclasses.replace(honest, announced_address=announced)
        step = await last_step(scene, address)
        assert isinstance(step, BrokenOff), announced
        require_harmless(scene, announced, step)
    hostile.twin.faults = honest

    async with in_drops() as address_of_drops:
        hostile.twin.faults = dataclasses.replace(honest, announced_address=address_of_drops)
        require_harmless(scene, "answers in drops", await last_step(scene, address))
    hostile.twin.faults = honest

    assert most_memory("self") - before < MOST_GROWTH
    assert most_memory(courier.pid or 0) - courier_before < MOST_GROWTH
    assert asked == []
    other.close()
    assert not scene.told(Trouble)
    assert all(event.reason for event in scene.told(CaptureLost))
    assert scene.told(CaptureLost)
    async with asyncio.timeout(40):
        await scene.desk.take_photo(good)
        await scene.until(lambda: len(scene.sealed) == 1)
    monkeypatch.undo()  # the honest ones are waited for
    assert await last_step(scene, address) == Done(brought=2, known=0, failed=0)
    held = {*pictures("mentra-live")[:2], pictures("openglass")[0]}
    assert {scene.vault.read(item) for item in scene.vault.ids()} == held
    ended()
    assert {event.total for event in arriving} >= set(map(len, pictures("mentra-live")[:2]))


async def test_heycyan_glasses_that_lie(wifi_bench: Any, impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = wifi_bench
    hostile = Hostile(SimulatedHeycyan(pictures("heycyan"), pace=AT_ONCE))
    address = await switched_on(scene, monkeypatch, hostile.twin)
    forget_the_peak()
    before = most_memory("self")
    await attacked(scene, address, hostile, HEYCYAN)
    assert most_memory("self") - before < MOST_GROWTH
    monkeypatch.undo()  # the honest ones are waited for
    assert await last_step(scene, address) == Done(brought=2, known=0, failed=0)
    assert {scene.vault.read(item) for item in scene.vault.ids()} == set(pictures("heycyan")[:2])
