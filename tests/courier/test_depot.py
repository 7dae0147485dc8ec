"""The depot: couriers and doorsteps started for a process that could start none itself, and what those can't do any more."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from app.courier.depot_link import VISITOR, Depot, receive
from app.courier.pipe import Answer, End, Ending, Hello, Progress, Send, read
from app.sharing.courier_link import CourierLink, environment
from app.sharing.errors import CourierGone

ROOT = Path(__file__).parents[2]
OrderFor = Callable[..., Send]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere couriers are started directly")


@pytest.fixture(scope="module")
def depot() -> Iterator[Depot]:
    one = Depot.start(environment())
    yield one
    one.close()


@pytest.fixture
async def link(depot: Depot) -> AsyncIterator[CourierLink]:
    link = await CourierLink.start(depot.courier)
    yield link
    await link.close()


async def test_a_courier_from_the_depot_carries(link: CourierLink, order_for: OrderFor, server) -> None:
    order = order_for(server.origin)
    messages = [message async for message in link.send(order)]
    assert isinstance(messages[-1], End)
    assert (messages[-1].ending, messages[-1].sent) == (Ending.DONE, len(order.body))
    assert b"".join(message.body for message in messages if isinstance(message, Answer)) == b"ok"
    assert [request.body for request in server.requests] == [order.body]


async def test_a_crash_costs_the_parcel_on_its_way_and_no_other(link: CourierLink, order_for: OrderFor, server) -> None:
    server.held = asyncio.Event()
    first = link.pid
    assert first
    sending = link.send(order_for(server.origin))
    assert isinstance(await anext(sending), Progress)
    os.kill(first, signal.SIGSEGV)
    messages = [message async for message in sending]
    assert isinstance(messages[-1], End)
    assert messages[-1].ending is Ending.LOST
    server.held.set()
    hello = await link.ready()
    assert link.pid not in (0, first)
    assert hello == link.mirror
    messages = [message async for message in link.send(order_for(server.origin, approval_id="approval-2"))]
    assert isinstance(messages[-1], End)
    assert messages[-1].ending is Ending.DONE


async def test_it_ends_when_it_is_told_to_and_when_it_will_not(depot: Depot) -> None:
    link = await CourierLink.start(depot.courier)
    pid = link.pid
    assert pid
    await link.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    child = depot.courier()
    os.kill(child.pid, signal.SIGSTOP)
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.01)
    child.kill()
    child.wait(20)
    child.wait(20)
    child.kill()
    child.stdin.close()
    child.stdout.close()


def test_what_a_courier_cannot_do_any_more(depot: Depot) -> None:
    """As the kernel tells it; that it holds is tried in the tests of `app.confine`, and below."""
    child = depot.courier()
    hello = read(child.stdout)
    assert isinstance(hello, Hello)
    assert hello.calls, "the filter is in force"
    status = Path(f"/proc/{child.pid}/status").read_text()
    assert "Seccomp:\t2" in status
    assert "NoNewPrivs:\t1" in status
    limits = Path(f"/proc/{child.pid}/limits").read_text()
    assert all(words in limits for words in ("core file size        0", "Max file size             0"))
    open_files = [str(entry.readlink()) for entry in Path(f"/proc/{child.pid}/fd").iterdir()]
    assert {name.partition(":")[0] for name in open_files} <= {"pipe", "socket", "/dev/null", "anon_inode"}
    child.stdin.close()
    child.wait(20)
    child.stdout.close()


INDOORS = """
import ctypes, fcntl, os, platform, socket, subprocess, sys, threading
from app.confine.calls import MACHINES
from app.courier.indoors import stay_indoors
import app.courier.service
indoors = stay_indoors()
assert indoors.calls
mine, bus = sys.argv[1:]
hosts = open("/etc/hosts")

def refused(work):
    try:
        work()
    except PermissionError:
        return True
    return False

def call(name, *arguments):
    if ctypes.CDLL(None, use_errno=True).syscall(MACHINES[platform.machine()].numbers[name], *arguments) < 0:
        raise OSError(ctypes.get_errno(), name)

def in_thread(work):
    found = []
    thread = threading.Thread(target=lambda: found.append(refused(work)))
    thread.start()
    thread.join()
    return found[0]

tries = [
    lambda: open(mine, "a"), lambda: open(mine + "2", "x"), lambda: os.unlink(mine), lambda: os.chmod(mine, 0o777),
    lambda: os.truncate(mine, 0), lambda: os.execv("/bin/true", ["true"]), lambda: subprocess.run(["/bin/true"]),
    lambda: socket.socket(socket.AF_UNIX).connect(bus), lambda: os.kill(os.getppid(), 0),
    lambda: call("tgkill", os.getppid(), os.getppid(), 0), lambda: call("tkill", os.getppid(), 0),
    lambda: call("shmat", -1, 0, 0), lambda: call("shmget", 0, 4096, 0o1600), lambda: fcntl.ioctl(hosts, 0x5412, b"x"),
    lambda: os.removexattr(mine, "user.x"), lambda: call("setxattr", mine.encode(), b"user.x", b"", 0, 0),
]
if indoors.files:
    tries += [lambda: open(mine), lambda: os.listdir(os.path.dirname(mine)), lambda: open("/proc/1/status")]
for work in tries:
    assert refused(work) and in_thread(work), work

# And what it needs goes on, also what is imported, looked up and read at its first use only.
import ssl, encodings.idna, http.cookies
import httpx2
httpx2.AsyncHTTPTransport(trust_env=False)
assert ssl.create_default_context().get_ca_certs()
socket.getaddrinfo("localhost", 80)
open("/etc/hosts").read()
socket.create_server(("127.0.0.1", 0)).close()
print("as it should be")
"""


def test_indoors(tmp_path: Path) -> None:
    """What a courier tries in vain, from its first thread and from others."""
    (tmp_path / "mine").write_text("mine")
    with socket.socket(socket.AF_UNIX) as bus:
        bus.bind(str(tmp_path / "bus"))
        bus.listen()
        done = subprocess.run(
            [sys.executable, "-c", INDOORS, str(tmp_path / "mine"), str(tmp_path / "bus")],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=50,
        )
    assert (done.stdout, done.stderr) == ("as it should be\n", "")
    assert (tmp_path / "mine").read_text() == "mine"


def test_a_doorstep_lets_visitors_in(depot: Depot) -> None:
    with depot.doorstep() as inside:
        told, _ = receive(inside, 0)
        with socket.create_connection(("127.0.0.1", int(told)), 10) as visitor:
            word, found = receive(inside, 1)
            assert word == VISITOR
            with socket.socket(fileno=found[0]) as guest:
                assert guest.family == socket.AF_UNIX
                visitor.sendall(b"a question")
                visitor.shutdown(socket.SHUT_WR)
                assert guest.makefile("rb").read() == b"a question"
                guest.sendall(b"an answer" * 100_000)
                guest.shutdown(socket.SHUT_WR)
                assert visitor.makefile("rb").read() == b"an answer" * 100_000
        inside.close()
        with contextlib.suppress(ConnectionResetError):  # one that was not let in yet
            while True:
                try:
                    socket.create_connection(("127.0.0.1", int(told)), 10).close()
                except ConnectionRefusedError:
                    break


PARENT = """
    import sys
    from app.courier.depot_link import Depot, receive
    from app.courier.pipe import read
    from app.sharing.courier_link import environment
    depot = Depot.start(environment())
    child, inside = depot.courier(), depot.doorstep()
    read(child.stdout)
    receive(inside, 0)
    print(child.pid, depot._process.pid, flush=True)
    sys.stdin.read()
"""


def test_all_of_them_end_with_their_parent() -> None:
    """However it ended: nothing here is tidied up by the parent."""
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PARENT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    descriptors = [os.pidfd_open(int(pid)) for pid in parent.stdout.readline().split()]
    parent.kill()
    parent.wait()
    for descriptor in descriptors:
        assert asyncio.run(ended(descriptor))
        os.close(descriptor)
    parent.stdout.close()
    parent.stdin.close()


async def ended(descriptor: int) -> bool:
    end = asyncio.Event()
    asyncio.get_running_loop().add_reader(descriptor, end.set)
    await asyncio.wait_for(end.wait(), 20)
    return True


async def test_without_a_depot_there_is_no_courier() -> None:
    depot = Depot.start(environment())
    depot.close()
    with pytest.raises(CourierGone):
        await CourierLink.start(depot.courier)
    with pytest.raises(OSError):  # noqa: PT011  # a socket that is closed, whatever the system calls that
        depot.doorstep()


async def test_a_depot_that_dies_is_told() -> None:
    depot = Depot.start(environment())
    link = await CourierLink.start(depot.courier)
    depot._process.kill()
    depot._process.wait()
    with contextlib.suppress(CourierGone):
        while True:
            await link.ready()
            await asyncio.sleep(0)
    assert link.mirror is None
    await link.close()
    depot.close()
