"""Run the whole program on a network of its own, listen to every packet that leaves, and hold that against what was approved.

    python tests/separation/run.py

Two network namespaces with one cable between them (network_namespaces(7), veth(4)). In one is Eyelid as it is started, window and all (see
`laptop.py`); in the other everything else: this script, which takes down each packet at its end of the cable (packet(7)), and a server with
a certificate for the name of a provider, which answers as that one does. The laptop's names, certificates and routes all lead there, so
whatever the program might try would be seen. First come refusals of all kinds: no packet may leave. Then one approval: one connection, to
one address, with the body of the stated size and digest.

Needs Linux, iproute2 and dbus-daemon, and to be root or allowed user namespaces. Exit status: 0 as it should be, 1 not so; 77 where it
cannot be run here, with the reason, or 1 in its place where CI is set. Takes about half a minute.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import street
from street import PROVIDER, SERVER, CannotRun

HERE = Path(__file__).resolve().parent
CANNOT_RUN = 77
SECONDS = 110


def say(text: str) -> None:
    print(f"separation: {text}", flush=True)


class EndedEarly(Exception):
    """The program did not come to the end of what it was to do."""


class Laptop:
    """The program in its namespace. It says a line of JSON after each stage, and waits for a line before the next."""

    def __init__(self, folder: Path) -> None:
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(folder)}
        environment["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"  # keys stay in memory
        environment["PYTHONPATH"] = os.pathsep.join([str(HERE.parents[1]), str(HERE)])
        for name in ("DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR"):
            environment.pop(name, None)
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "laptop.py"), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=HERE.parents[1],
            preexec_fn=street.other_side,
        )

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise EndedEarly(f"the program ended early, with {self.process.wait()}")
        said: dict[str, Any] = json.loads(line)
        for each in said.get("did", ()):
            say(f"  {each}")
        return said


def main() -> int:
    try:
        check_tools()
        street.this_side()
        with tempfile.TemporaryDirectory(prefix="eyelid-separation-") as folder:
            return run(Path(folder))
    except CannotRun as why:
        say(f"cannot be run here: {why}")
        return 1 if "CI" in os.environ else CANNOT_RUN


def check_tools() -> None:
    if sys.platform != "linux":
        raise CannotRun("network namespaces are Linux's")
    for program, package in (("ip", "iproute2"), ("dbus-daemon", "dbus")):
        if shutil.which(program, path=street.PROGRAM_PATH) is None:
            raise CannotRun(f"{program} is missing; install {package}")


def run(folder: Path) -> int:
    provider = street.Provider(folder)
    try:
        laptop = Laptop(folder)
    except subprocess.SubprocessError as error:
        raise CannotRun("no second network namespace") from error
    watchdog = street.after(SECONDS, laptop.process.kill)
    try:
        street.lay_cable(laptop.process.pid)
        laptop.go()
        assert laptop.hear()["stage"] == "cable"
        wire = street.Wire()
        provider.open()
        listening(laptop, wire)
        wrong = refusals(laptop, wire) + approval(laptop, wire, provider)
    except EndedEarly as why:
        wrong = [str(why)]
    finally:
        watchdog.cancel()
        laptop.process.kill()
        laptop.process.wait()
    for each in wrong:
        say(f"WRONG: {each}")
    say("as it should be" if not wrong else f"{len(wrong)} things are not as they should be")
    return 1 if wrong else 0


def listening(laptop: Laptop, wire: street.Wire) -> None:
    """That nothing is heard means something only where something can be heard."""
    laptop.go()
    assert laptop.hear()["stage"] == "tried"
    heard = [each.to for each in wire.leaving()]
    assert heard == ["192.0.2.1:9 (UDP)", "[2001:db8::1]:9 (UDP)"][: 1 + street.with_ipv6()], heard
    say(f"listening works: another program's packets to {' and '.join(heard)} were heard")
    laptop.go()


def refusals(laptop: Laptop, wire: street.Wire) -> list[str]:
    say("the program starts, takes pictures, and everything is refused")
    said = laptop.hear()
    assert said["stage"] == "refused", said
    left = wire.leaving()
    say(f"packets that left the laptop: {len(left)} (not counted: {wire.chatter} multicast reports of its kernel)")
    return [f"a packet left before any approval: {each}" for each in left]


def approval(laptop: Laptop, wire: street.Wire, provider: street.Provider) -> list[str]:
    say(f"one approval, for {PROVIDER}")
    laptop.go()
    said = laptop.hear()
    assert said["stage"] == "sent", said
    laptop.go()
    assert laptop.hear()["stage"] == "ended"
    laptop.process.wait(20)
    left = wire.leaving()
    opened = {each.opens for each in left} - {0}
    places = sorted({each.to for each in left})
    carried = sum(each.carries for each in set(left))
    say(f"packets that left the laptop: {len(left)}, all to {', '.join(places)}; connections opened: {len(opened)}")
    bodies = provider.bodies
    for size, digest in bodies:
        say(f"the server got one body of {size:,} bytes, SHA-256 {digest}")
    say(f"approved were {said['size']:,} bytes, SHA-256 {said['sha256']}; the receipt says {said['receipt']:,} bytes")
    say(f"on the cable: {carried:,} bytes with TLS and HTTP around them")
    return [why for holds, why in checks(said, bodies, len(opened), places, carried) if not holds()]


def checks(
    said: dict[str, Any], bodies: list[tuple[int, str]], opened: int, places: list[str], carried: int
) -> list[tuple[Callable[[], bool], str]]:
    size = said["size"]
    return [
        (lambda: places == [f"{SERVER}:443"], "packets went elsewhere than to the approved server"),
        (lambda: opened == 1, "it was not one connection"),
        (lambda: bodies == [(size, said["sha256"])], "the server did not get exactly what was approved"),
        (lambda: said["receipt"] == size, "the receipt states another size"),
        (lambda: size < carried < size + size // 50 + 16_384, "more went over the cable than one request around that body takes"),
        (lambda: said["outcome"] == "answered", "it was not answered"),
    ]


if __name__ == "__main__":
    sys.exit(main())
