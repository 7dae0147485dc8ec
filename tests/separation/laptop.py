"""The program as it is started, window and all, in the namespace that `run.py` made; worn by a script in place of a person.

Says a line of JSON after each stage, and goes on when it gets a line.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import street

from app.confine.memory import end_with_parent

FOLDER = Path(sys.argv[1])
FAMILIES = ("omi-glass", "mentra-live")
QUESTION = "What is this?"


def tell(stage: str, **more: Any) -> None:
    print(json.dumps({"stage": stage, **more}), flush=True)


def world() -> None:
    """Names, certificates and routes that all lead to the other end of the cable."""
    street.plug_in()
    (FOLDER / "hosts").write_text(f"127.0.0.1 localhost\n{street.SERVER} {street.PROVIDER}\n")
    (FOLDER / "resolv.conf").write_text(f"nameserver {street.SERVER}\n")
    street.put_over(FOLDER / "hosts", Path("/etc/hosts"))
    street.put_over(FOLDER / "resolv.conf", Path("/etc/resolv.conf").resolve())
    trusted = Path(ssl.get_default_verify_paths().openssl_cafile)
    if trusted.is_file():
        street.put_over(FOLDER / "authority.pem", trusted)
        return
    authorities = FOLDER / "authorities"
    authorities.mkdir()
    shutil.copy(FOLDER / "authority.pem", authorities / trusted.name)
    if (settings := trusted.with_name("openssl.cnf")).exists():
        shutil.copy(settings, authorities)
    street.put_over(authorities, trusted.parent)


def session_bus() -> subprocess.Popen[bytes]:
    """A D-Bus of our own, as a desktop has one."""
    address = f"unix:path={FOLDER}/bus"
    bus = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1", f"--address={address}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PATH": street.PROGRAM_PATH},
        preexec_fn=end_with_parent,
    )
    assert bus.stdout is not None
    assert bus.stdout.readline(), "the bus did not start"
    os.environ["DBUS_SESSION_BUS_ADDRESS"] = address
    return bus


def try_the_cable() -> None:
    """What a program on this laptop can do that keeps its sockets: packets to addresses that only documentation has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_program:
        any_program.sendto(b"hello?", ("192.0.2.1", 9))
    if street.with_ipv6():
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as any_program:
            any_program.sendto(b"hello?", ("2001:db8::1", 9))


# -- what this process can and can't do ---------------------------------------------------------------------------------------------


def from_python(family: int) -> bool:
    try:
        socket.socket(family).close()
    except PermissionError:
        return False
    return True


def from_c(family: int) -> bool:
    library = ctypes.CDLL(None, use_errno=True)
    number = library.socket(family, socket.SOCK_STREAM, 0)
    if number >= 0:
        os.close(number)
    return not (number < 0 and ctypes.get_errno() == errno.EPERM)


def without_internet() -> list[str]:
    """Try every way there is; returns what was found, raises AssertionError for a way that is open."""
    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_PACKET):
        assert not from_python(family), family
        assert not from_c(family), family
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(from_python(socket.AF_INET)))
    thread.start()
    thread.join()
    assert found == [False]
    child = "import socket\ntry:\n socket.socket()\nexcept PermissionError:\n raise SystemExit(7)"
    assert subprocess.run([sys.executable, "-c", child], check=False).returncode == 7
    assert from_python(socket.AF_UNIX)
    return ["main process: socket(AF_INET) fails from Python, from C, in threads, and in programs it starts"]


async def over_dbus() -> list[str]:
    """Call a method of the bus, and one of a service that is called back."""
    from dbus_fast import BusType, Message, MessageType
    from dbus_fast.aio import MessageBus

    async def connected() -> MessageBus:
        return await MessageBus(bus_type=BusType.SESSION).connect()

    glasses, caller = await connected(), await connected()

    def answer(message: Message) -> Message | bool:
        return Message.new_method_return(message, "s", ["here"]) if message.member == "Where" else False

    glasses.add_message_handler(answer)
    await glasses.request_name("org.example.Glasses")
    reply = await caller.call(Message("org.example.Glasses", "/", "org.example.Glasses", "Where"))
    assert reply is not None
    assert (reply.message_type, reply.body) == (MessageType.METHOD_RETURN, ["here"])
    for each in (glasses, caller):
        each.disconnect()
    return ["D-Bus: names, calls and answers go on"]


# -- the person ---------------------------------------------------------------------------------------------------------------------


async def window_of(app: Any) -> Any:
    from ui.main_window import MainWindow

    async with asyncio.timeout(60):
        while not (found := [each for each in app.topLevelWidgets() if isinstance(each, MainWindow) and each.isVisible()]):
            await asyncio.sleep(0.02)
    return found[0]


async def pictures(services: Any) -> list[str]:
    """A vault, two pairs of glasses, a photo from each: over Bluetooth, and over Wi-Fi."""
    from app.cli.paired import capture
    from app.library.types import Query

    await services.vault.create("correct horse battery staple", keyring=False)
    addresses = []
    for family in FAMILIES:
        await services.glasses.start_simulated(family)
        async with contextlib.aclosing(services.glasses.scan(30)) as heard:
            async for found in heard:
                if found.family == family:
                    break
        addresses.append((await services.glasses.pair(found)).address)
    await capture(services, addresses[0])
    steps = [type(step).__name__ async for step in services.glasses.import_over_wifi(addresses[1])]
    assert steps[-1] == "Done", steps
    count = len(await services.library.tiles(Query()))
    assert count >= 2
    return [f"window shown, vault made, two pairs paired, {count} captures in it (over Bluetooth, and over the simulated Wi-Fi)"]


async def proposal_for(services: Any, destination: str) -> Any:
    from app.library.types import Query
    from app.sharing.types import Draft

    tile = (await services.library.tiles(Query()))[0]
    return await services.sharing.prepare(Draft((tile.id,), QUESTION, destination))


async def refuse_all(services: Any) -> list[str]:
    """Everything but a yes."""
    from app import settings
    from app.errors import EyelidError
    from app.sharing.types import Ended, Outcome

    sharing = services.sharing
    await sharing.refuse(await proposal_for(services, "openai"))
    late = await proposal_for(services, "openai")
    services.settings.set(settings.AI_OFF, True)
    await refused(sharing.approve(late), EyelidError)
    services.settings.set(settings.AI_OFF, False)
    locked = await proposal_for(services, "openai")
    await services.vault.lock()
    await refused(sharing.approve(locked), EyelidError)
    await services.vault.unlock("correct horse battery staple")
    crashed = services._courier.pid
    os.kill(crashed, 11)
    mirrored = await proposal_for(services, "mirror")
    events = [event async for event in sharing.send(mirrored, await sharing.approve(mirrored))]
    assert isinstance(events[-1], Ended)
    assert events[-1].receipt.outcome is Outcome.ANSWERED
    assert services._courier.pid != crashed
    return [
        "refused by hand, by “AI off”, and by locking; receipts say so",
        "the courier was killed and came back; the mirror on this computer answered",
    ]


async def refused(work: Any, kind: type[Exception]) -> None:
    try:
        await work
    except kind:
        return
    raise AssertionError("this was not refused")


async def approve_one(services: Any) -> dict[str, Any]:
    from app.sharing.types import Ended

    sharing = services.sharing
    proposal = await proposal_for(services, "openai")
    events = [event async for event in sharing.send(proposal, await sharing.approve(proposal))]
    assert isinstance(events[-1], Ended)
    receipt = events[-1].receipt
    return {
        "size": len(proposal.parcel.body),
        "sha256": proposal.parcel.sha256,
        "receipt": receipt.bytes_sent,
        "outcome": receipt.outcome.value,
        "did": [f"sent to {receipt.origin}: {receipt.outcome.value}{receipt.detail and ', ' + receipt.detail}"],
    }


async def wear(app: Any, line: Any) -> None:
    from app import settings

    window = await window_of(app)
    services = window.context.services
    did = without_internet() + await over_dbus() + await pictures(services)
    services.settings.set(settings.REGION, "US-NY")
    services.sharing.book.keys.set("openai", "sk-nobody-has-this-key")
    services.sharing.book.set_model("openai", "gpt-5")
    tell("refused", did=did + await refuse_all(services))
    await line()
    tell("sent", **await approve_one(services))
    await line()
    window.close()


def main() -> int:
    sys.stdin.readline()
    world()
    bus = session_bus()
    tell("cable")
    sys.stdin.readline()
    try_the_cable()
    tell("tried")
    sys.stdin.readline()
    from app.paths import Profile
    from ui import main as window

    app = window._application()
    import qasync  # picks its Qt binding when imported

    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)

    async def line() -> None:
        await loop.run_in_executor(None, sys.stdin.readline)

    async def both() -> int:
        running = asyncio.ensure_future(window.run(app, Profile(FOLDER / "profile"), (), loop))
        await wear(app, line)
        return await running

    with loop:
        code = int(loop.run_until_complete(both()))
    bus.terminate()
    bus.wait()
    tell("ended")
    return code


if __name__ == "__main__":
    sys.exit(main())
