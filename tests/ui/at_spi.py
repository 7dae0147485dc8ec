"""The whole path once more from outside: another program, by AT-SPI alone, as Orca would see and use the window.

    python tests/ui/at_spi.py

Needs Xvfb, dbus-daemon and Debian's at-spi2-core. Speaks the protocol itself over D-Bus (interfaces org.a11y.atspi.*, GNOME/at-spi2-core
`xml/`), so no other client is needed. Prints each step; the exit code is 0 when the path was walked to its end.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.ui.path_walk import walk  # noqa: E402  # needs the path above

ATSPI = "org.a11y.atspi"
REGISTRY, TOP = f"{ATSPI}.Registry", "/org/a11y/atspi/accessible/root"
SHOWING, ENABLED, EDITABLE = 25, 8, 7
"""Numbers of states and roles: GNOME/at-spi2-core `atspi/atspi-constants.h`."""
CHECK_BOX, LABEL, LIST_ITEM, PASSWORD, BUTTON, TEXT, TOGGLE, ENTRY = 7, 29, 32, 40, 43, 61, 62, 79
PATIENCE = 60.0


@dataclass(frozen=True)
class Node:
    """One thing on the screen."""

    bus: str
    path: str
    name: str
    role: int
    states: int
    parent: Node | None = None
    index: int = 0

    def has(self, state: int) -> bool:
        return bool(self.states >> state & 1)


class Client:
    """Asks the accessibility bus."""

    def __init__(self, bus: MessageBus) -> None:
        self._bus = bus

    async def call(self, to: str, path: str, interface: str, member: str, signature: str = "", *body: Any) -> list[Any]:
        sent = Message(to, path, interface, member, signature=signature, body=list(body))
        reply = await self._bus.call(sent)
        assert reply is not None
        if reply.message_type is not MessageType.METHOD_RETURN:
            raise LookupError(f"{member}: {reply.error_name} {reply.body}")
        return reply.body

    async def node(self, bus: str, path: str, parent: Node | None = None, index: int = 0) -> Node:
        accessible = f"{ATSPI}.Accessible"
        [name] = await self.call(bus, path, "org.freedesktop.DBus.Properties", "Get", "ss", accessible, "Name")
        [role] = await self.call(bus, path, accessible, "GetRole")
        [states] = await self.call(bus, path, accessible, "GetState")
        return Node(bus, path, name.value, role, states[0] | states[1] << 32, parent, index)

    async def children(self, node: Node) -> list[Node]:
        [pairs] = await self.call(node.bus, node.path, f"{ATSPI}.Accessible", "GetChildren")
        made = []
        for index, (bus, path) in enumerate(pairs):
            with contextlib.suppress(LookupError):  # it went away meanwhile
                made.append(await self.node(bus, path, node, index))
        return made

    async def tree(self, node: Node) -> list[Node]:
        """Everything that is showing, from `node` down."""
        found = [node]
        with contextlib.suppress(LookupError):
            for child in await self.children(node):
                if child.has(SHOWING):
                    found += await self.tree(child)
        return found


class FromOutside:
    """The hands of `path_walk` over AT-SPI."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def _all(self) -> list[Node]:
        found: list[Node] = []
        with contextlib.suppress(LookupError):
            for app in await self._client.children(await self._client.node(REGISTRY, TOP)):
                windows = [window for window in await self._client.children(app) if window.has(SHOWING)]
                for window in windows[-1:]:  # the one opened last is in front
                    found += await self._client.tree(window)
        return found

    async def _until(self, fits: Any, what: str) -> Any:
        async with asyncio.timeout(PATIENCE):
            while True:
                nodes = await self._all()
                if (found := fits(nodes)) is not None:
                    print(f"  {what}", flush=True)
                    return found
                await asyncio.sleep(0.1)

    async def press(self, name: str) -> None:
        roles = (BUTTON, TOGGLE, CHECK_BOX)
        node = await self._until(
            lambda nodes: next((n for n in nodes if n.role in roles and n.name.startswith(name) and n.has(ENABLED)), None),
            f"press “{name}”",
        )
        [actions] = await self._client.call(node.bus, node.path, f"{ATSPI}.Action", "GetActions")
        number = next(at for at, action in enumerate(actions) if action[0] in ("Press", "Toggle"))
        await self._client.call(node.bus, node.path, f"{ATSPI}.Action", "DoAction", "i", number)

    async def write(self, name: str, text: str) -> None:
        node = await self._until(
            lambda nodes: next((n for n in nodes if n.role in (TEXT, PASSWORD, ENTRY) and n.name.startswith(name)), None), f"write “{name}”"
        )
        await self._client.call(node.bus, node.path, f"{ATSPI}.EditableText", "InsertText", "isi", 0, text, len(text))

    async def see(self, part: str) -> str:
        async def texts(nodes: list[Node]) -> str | None:
            for node in nodes:
                if part in node.name:
                    return node.name
                if node.role in (TEXT, ENTRY):
                    with contextlib.suppress(LookupError):
                        [text] = await self._client.call(node.bus, node.path, f"{ATSPI}.Text", "GetText", "ii", 0, -1)
                        if part in text:
                            return str(text)
            return None

        try:
            async with asyncio.timeout(PATIENCE):
                while (found := await texts(await self._all())) is None:
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"“{part}” is not among {[node.name for node in await self._all() if node.name]}") from None
        print(f"  see “{part}”", flush=True)
        return found

    async def names(self, begin: str, *, fields: bool = False) -> list[str]:
        roles = (TEXT, ENTRY) if fields else (LABEL, LIST_ITEM)
        return [node.name for node in await self._all() if node.name.startswith(begin) and node.role in roles]

    async def go(self, page: str) -> None:
        await self.press(page)

    async def pick(self, part: str) -> None:
        node = await self._until(lambda nodes: next((n for n in nodes if n.role == LIST_ITEM and part in n.name), None), f"pick “{part}”")
        assert node.parent is not None
        await self._client.call(node.parent.bus, node.parent.path, f"{ATSPI}.Selection", "SelectChild", "i", node.index)

    async def lock(self) -> None:
        await self.press("Lock the vault")


def begun(*command: str, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **env}, stdout=subprocess.PIPE, text=True)


@contextlib.asynccontextmanager
async def desktop(folder: Path) -> AsyncIterator[tuple[MessageBus, subprocess.Popen[str]]]:
    """A screen, a session bus, the accessibility bus, and Eyelid on a fresh profile."""
    running = []
    try:
        reading, writing = os.pipe()
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1400x1000x24"]
        screen = subprocess.Popen(command, pass_fds=(writing,), stderr=subprocess.DEVNULL)
        running.append(screen)
        os.close(writing)
        with os.fdopen(reading) as told:
            display = f":{told.readline().strip()}"
        session = begun("dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address", DISPLAY=display)
        running.append(session)
        assert session.stdout is not None
        address = session.stdout.readline().strip()
        plain = await MessageBus(bus_address=address).connect()
        client = Client(plain)
        there = ("org.a11y.Bus", "/org/a11y/bus")
        [accessibility] = await client.call(*there, "org.a11y.Bus", "GetAddress")
        properties = "org.freedesktop.DBus.Properties"
        await client.call(*there, properties, "Set", "ssv", "org.a11y.Status", "IsEnabled", Variant("b", True))
        env = {"DISPLAY": display, "DBUS_SESSION_BUS_ADDRESS": address, "QT_QPA_PLATFORM": "xcb", "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1"}
        env["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
        program = begun(sys.executable, "-m", "ui", "--profile", str(folder), **env)
        running.append(program)
        bus = await MessageBus(bus_address=accessibility).connect()
        yield bus, program
        bus.disconnect()
        plain.disconnect()
    finally:
        for each in reversed(running):
            each.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                each.wait(15)


async def main() -> int:
    with tempfile.TemporaryDirectory(prefix="eyelid-access-") as folder:
        async with desktop(Path(folder) / "profile") as (bus, program):
            print("The whole path by AT-SPI:", flush=True)
            await walk(FromOutside(Client(bus)))
            assert program.poll() is None, "the program ended"
    print("Walked to its end.")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
