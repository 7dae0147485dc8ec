"""The process that looks, and what becomes of a picture when it crashes, hangs, lies or is stopped. Fake workers, and the real one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.media.look.boxes import Box
from app.media.look.link import LookLink
from app.media.look.types import ALL_PARTS, Check, Findings, Kind, Part

START = """
import os, sys, time
from app.media.look.pipe import *
from app.media.look.types import *
from app.media.look.boxes import Box
out, into = sys.stdout.buffer, sys.stdin.buffer
def say(*messages):
    for message in messages:
        out.write(encode(message))
    out.flush()
def found(part, size=(64, 48), *regions):
    return Found(Check(part, True), *size, regions)
FACE = Region(Kind.FACE, Box(1, 2, 30, 40), 0.9)
"""
HELLO = "say(Hello(True))\n"
HONEST = HELLO + "while order := read(into):\n    say(*(found(part) for part in order.parts), Done())\n"


def fake(text: str) -> list[str]:
    return [sys.executable, "-c", START + text]


@contextlib.asynccontextmanager
async def linked(*arguments: str, **times: float) -> AsyncIterator[LookLink]:
    link = LookLink(list(arguments), **times)
    try:
        yield link
    finally:
        await link.close()


def reasons(findings: Findings) -> dict[Part, str]:
    return {check.part: check.reason for check in findings.checks}


def alive(pid: int | None) -> bool:
    assert pid is not None
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def gone(pid: int | None) -> bool:
    """Wait until a killed process has left; the test's time limit is the limit."""
    while alive(pid):
        await asyncio.sleep(0)
    return True


async def test_results_grow_part_by_part(make: Any) -> None:
    text = (
        HELLO
        + "order = read(into)\nsay(found(Part.METADATA), found(Part.FACES, (64, 48), FACE), found(Part.CODES), found(Part.TEXT), Done())"
    )
    told: list[Findings] = []
    async with linked(*fake(text)) as link:
        assert link.pid is None  # nothing runs before it is needed
        findings = await link.look(make.jpeg(), "image/jpeg", 1, told=told.append)
    assert [len(each.checks) for each in told] == [1, 2, 3, 4]
    assert told[-1] == findings
    assert not findings.unchecked
    assert (findings.width, findings.height) == (64, 48)
    assert findings.of(Kind.FACE)[0].box == Box(1, 2, 30, 40)
    assert link.confined is True


async def test_one_worker_serves_many_pictures_in_turn(make: Any) -> None:
    async with linked(*fake(HONEST)) as link:
        await link.warm()
        pid = link.pid
        results = await asyncio.gather(*(link.look(make.jpeg(), "image/jpeg", 1, frozenset({part})) for part in Part))
        assert [each.checks for each in results] == [(Check(part, True),) for part in Part]
        assert link.pid == pid
        assert await link.look(make.jpeg(), "image/jpeg", 1, frozenset()) == Findings()
    assert await gone(pid)


async def test_after_a_crash_the_other_parts_are_looked_for(make: Any) -> None:
    """Whoever comes to the faces of this picture ends; another worker does the rest."""
    text = HELLO + (
        "while order := read(into):\n"
        "    for part in order.parts:\n"
        "        if part is Part.FACES: os._exit(11)\n"
        "        say(found(part))\n"
        "    say(Done())\n"
    )
    async with linked(*fake(text)) as link:
        findings = await link.look(make.jpeg(), "image/jpeg", 1)
        assert reasons(findings) == {
            Part.METADATA: "",
            Part.FACES: "The process that looks has ended over this picture.",
            Part.CODES: "",
            Part.TEXT: "",
        }
        assert not findings.checked(Part.FACES)
        assert findings.checked(Part.TEXT)


async def test_a_worker_that_was_killed_meanwhile_is_started_again(make: Any) -> None:
    async with linked(*fake(HONEST)) as link:
        await link.warm()
        pid = link.pid
        assert pid is not None
        os.kill(pid, 9)
        await gone(pid)
        findings = await link.look(make.jpeg(), "image/jpeg", 1)
        assert not findings.unchecked
        assert link.pid != pid


async def test_what_takes_too_long_is_not_checked(make: Any) -> None:
    text = HELLO + "while order := read(into):\n    say(found(Part.METADATA))\n    time.sleep(99)\n"
    async with linked(*fake(text), seconds=2) as link:
        await link.warm()
        pid = link.pid
        findings = await link.look(make.jpeg(), "image/jpeg", 1)
        assert findings.checked(Part.METADATA)
        assert set(reasons(findings).values()) == {"", "It took too long."}
        assert await gone(pid)


LIES = {
    "noise": "out.write(b'noise and more noise'); out.flush(); time.sleep(99)",
    "another part first": "say(found(Part.TEXT), Done())",
    "a part twice": "say(found(Part.METADATA), found(Part.METADATA), Done())",
    "done too early": "say(found(Part.METADATA), Done())",
    "hello again": "say(Hello(True))",
    "a Look": "say(Look('image/jpeg', 1, (), b''))",
    "another size": "say(found(Part.METADATA), found(Part.FACES, (65, 48)))",
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_worker_that_lies_is_not_believed(make: Any, lie: str) -> None:
    """Each lie ends that worker and blames one part; so it ends, and nothing reads as checked that was not."""
    async with linked(*fake(HELLO + f"order = read(into)\n{LIES[lie]}\n")) as link:
        findings = await link.look(make.jpeg(), "image/jpeg", 1)
    assert set(reasons(findings)) == set(ALL_PARTS)
    assert not findings.checked(Part.CODES)
    assert findings.regions == ()


@pytest.mark.parametrize("text", ["sys.exit(3)", "say(Done())", "out.write(b'x' * 99)", "pass"])
async def test_a_worker_that_never_says_hello(make: Any, text: str) -> None:
    async with linked(*fake(text)) as link:
        await link.warm()
        assert link.pid is None
        findings = await link.look(make.jpeg(), "image/jpeg", 1)
    assert set(reasons(findings).values()) == {"The process that looks could not be started."}
    assert len(findings.checks) == len(ALL_PARTS)
    assert link.confined is None


async def test_a_worker_that_says_nothing_at_all_is_given_up(make: Any) -> None:
    async with linked(*fake("time.sleep(99)"), seconds=0.5) as link:
        findings = await link.look(make.jpeg(), "image/jpeg", 1)
    assert set(reasons(findings).values()) == {"The process that looks could not be started."}


async def test_a_program_that_is_not_there(make: Any) -> None:
    async with linked("/nowhere/python") as link:
        assert len((await link.look(make.jpeg(), "image/jpeg", 1)).unchecked) == len(ALL_PARTS)


async def test_a_picture_larger_than_the_pipe_takes() -> None:
    async with linked(*fake(HONEST)) as link:
        findings = await link.look(bytes(64 * 1024 * 1024 + 1), "image/jpeg", 1, frozenset({Part.FACES}))
    assert not findings.checked(Part.FACES)


BUSY = HELLO + "order = read(into)\nsay(found(Part.METADATA))\ntime.sleep(99)\n"


@contextlib.asynccontextmanager
async def busy(make: Any) -> AsyncIterator[tuple[LookLink, asyncio.Task[Findings]]]:
    """A link whose worker has told of the metadata and then takes its time."""
    begun = asyncio.Event()
    async with linked(*fake(BUSY)) as link:
        task = asyncio.create_task(link.look(make.jpeg(), "image/jpeg", 1, told=lambda _: begun.set()))
        await begun.wait()
        yield link, task
        await asyncio.wait([task])


async def test_cancelling_ends_the_worker_and_the_picture_in_it(make: Any) -> None:
    async with busy(make) as (link, task):
        pid = link.pid
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await gone(pid)
        assert link.pid is None


async def test_dropping_ends_the_worker_and_the_next_look_starts_another(make: Any) -> None:
    async with busy(make) as (link, task):
        pid = link.pid
        waiting = asyncio.create_task(link.look(make.jpeg(), "image/jpeg", 1))
        await asyncio.gather(link.drop(), link.drop())
        assert await gone(pid)
        findings = await task
        assert findings.checked(Part.METADATA)
        assert reasons(findings)[Part.FACES] == "It was stopped."
        assert len((await waiting).checks) == len(ALL_PARTS)
        await link.warm()
        assert link.pid is not None


async def test_closing_ends_everything_for_good(make: Any) -> None:
    async with busy(make) as (link, task):
        pid = link.pid
        await link.close()
        assert await gone(pid)
        assert set(reasons(await task).values()) == {"", "It was stopped."}
        assert len((await link.look(make.jpeg(), "image/jpeg", 1)).unchecked) == len(ALL_PARTS)
        await link.warm()
        assert link.pid is None


async def test_a_listener_that_fails_does_not_spoil_the_next_look(make: Any) -> None:
    def bad(_: Findings) -> None:
        raise ZeroDivisionError

    async with linked(*fake(HONEST)) as link:
        with pytest.raises(ZeroDivisionError):
            await link.look(make.jpeg(), "image/jpeg", 1, told=bad)
        assert not (await link.look(make.jpeg(), "image/jpeg", 1)).unchecked


async def test_an_idle_worker_goes(make: Any) -> None:
    async with linked(*fake(HONEST), idle=0.01) as link:
        await link.warm()
        pid = link.pid
        assert await gone(pid)
        assert not (await link.look(make.jpeg(), "image/jpeg", 1)).unchecked


async def test_a_start_that_was_called_off_leaves_no_worker_behind(make: Any) -> None:
    async with linked(*fake("time.sleep(99)\n")) as link:
        task = asyncio.ensure_future(link.warm())
        while link.pid is None:
            await asyncio.sleep(0)
        pid = link.pid
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert link.pid is None
        assert await gone(pid)


async def test_the_worker_ends_with_its_parent(make: Any) -> None:
    async with linked(*fake(HONEST)) as link:
        await link.warm()
        assert link._child is not None
        assert link._child.stdin is not None
        link._child.stdin.close()
        assert link._child.wait(20) == 0


async def test_the_real_worker(make: Any) -> None:
    """From end to end: upside down, with metadata, and then something that is no picture."""
    async with linked() as link:
        findings = await link.look(make.traced_jpeg(), "image/jpeg", 1)
        assert not findings.unchecked
        assert findings.has_location
        assert findings.has_serial
        assert (findings.width, findings.height) == (64, 48)
        damaged = await link.look(b"no picture", "image/jpeg", 1)
        assert set(reasons(damaged).values()) == {"The picture is damaged."}
        assert link.confined is (sys.platform == "linux")


@pytest.mark.skipif(sys.platform != "linux", reason="reads the process as Linux shows it")
async def test_the_real_worker_has_no_sockets_and_is_held_by_the_kernel(make: Any) -> None:
    async with linked() as link:
        await link.look(make.jpeg(), "image/jpeg", 1)
        status = Path(f"/proc/{link.pid}/status").read_text()
        assert "Seccomp:\t2" in status
        assert "NoNewPrivs:\t1" in status
        open_files = [str(entry.readlink()) for entry in Path(f"/proc/{link.pid}/fd").iterdir()]
        assert not [name for name in open_files if name.startswith("socket:")]


async def test_nothing_of_it_is_loaded_in_this_process() -> None:
    """The window and the command line pay nothing for the finders, nor does the process with the keys hold a net."""
    text = "import sys, app.media.look.link, app.media.shape; sys.exit(bool({'cv2', 'numpy', 'zxingcpp'} & sys.modules.keys()))"
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", text, cwd=Path(__file__).parents[2])
    assert await child.wait() == 0
