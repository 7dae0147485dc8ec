"""What the tests on the real BlueZ share. Outside of the virtual machine that `run.py` makes there is nothing to collect here."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

IN_MACHINE = "EYELID_IN_MACHINE" in os.environ
collect_ignore_glob = [] if IN_MACHINE else ["test_*.py"]
HERE = Path(__file__).resolve().parent
BLUEZ = "org.bluez"


class Glasses:
    """The simulated glasses of `glasses.py`, in their own process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout
        self._worn = False
        self.heard: list[str] = []

    async def put_on(self, family: str, address: str, pictures: list[Path], *, shows_code: bool = False, **faults: Any) -> None:
        """Put glasses on the air (others leave it first) and return when they advertise and the kernel's adapter is on."""
        if self._worn:
            await self.take_off()
        self._worn = True
        job = {
            "family": family,
            "address": address,
            "pictures": [str(path) for path in pictures],
            "faults": faults,
            "shows_code": shows_code,
        }
        await self._order(job)
        await self.until("is advertising")
        await adapter(on=True)

    async def take_off(self) -> None:
        """Have them leave the air, and the adapter with them."""
        self._worn = False
        await self._order(None)
        await self.until("off the air")
        await adapter(on=False)

    async def until(self, words: str, seconds: float = 30) -> str:
        """The next sentence that holds `words`; what was said before it is in `heard`."""
        async with asyncio.timeout(seconds):
            while line := (await self._out.readline()).decode().rstrip():
                self.heard.append(line)
                assert not line.startswith("failed"), line
                if words in line:
                    return line
        raise AssertionError(f"the glasses ended; last heard: {self.heard[-5:]}")

    async def _order(self, job: dict[str, Any] | None) -> None:
        self._in.write(json.dumps(job).encode() + b"\n")
        await self._in.drain()


async def device_properties(address: str) -> dict[str, Any]:
    """What BlueZ says of the device with this address (`doc/org.bluez.Device.rst`); empty if it knows none."""
    from dbus_fast import BusType, Message
    from dbus_fast.aio import MessageBus

    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    try:
        call = Message(destination=BLUEZ, path="/", interface="org.freedesktop.DBus.ObjectManager", member="GetManagedObjects")
        reply = await bus.call(call)
        assert reply is not None
        devices = (interfaces.get(f"{BLUEZ}.Device1", {}) for interfaces in reply.body[0].values())
        found = ({name: value.value for name, value in device.items()} for device in devices)
        return next((device for device in found if device.get("Address") == address), {})
    finally:
        bus.disconnect()
        await bus.wait_for_disconnect()


@pytest.fixture
def properties() -> Callable[[str], Awaitable[dict[str, Any]]]:
    return device_properties


async def adapter(*, on: bool) -> None:
    """Return once BlueZ has an adapter that is switched on, or has none."""
    from dbus_fast import BusType, Message, MessageType
    from dbus_fast.aio import MessageBus

    objects = Message(destination=BLUEZ, path="/", interface="org.freedesktop.DBus.ObjectManager", member="GetManagedObjects")
    changed = asyncio.Event()
    async with asyncio.timeout(30):
        bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
        bus.add_message_handler(lambda message: changed.set() if message.message_type == MessageType.SIGNAL else None)
        try:
            await bus.call(_to_bus("AddMatch", "s", f"type='signal',sender='{BLUEZ}'"))
            await bus.call(_to_bus("AddMatch", "s", f"type='signal',member='NameOwnerChanged',arg0='{BLUEZ}'"))
            while True:
                changed.clear()
                reply = await bus.call(objects)
                if reply is not None and reply.message_type == MessageType.METHOD_RETURN and _any_on(reply.body[0]) is on:
                    return
                await changed.wait()
        finally:
            bus.disconnect()
            await bus.wait_for_disconnect()


def _to_bus(member: str, signature: str, *body: str) -> Any:
    from dbus_fast import Message

    name = "org.freedesktop.DBus"
    return Message(destination=name, path="/org/freedesktop/DBus", interface=name, member=member, signature=signature, body=list(body))


def _any_on(objects: dict[str, dict[str, dict[str, Any]]]) -> bool:
    adapters = (interfaces.get(f"{BLUEZ}.Adapter1", {}) for interfaces in objects.values())
    return any(adapter.get("Powered") is not None and adapter["Powered"].value for adapter in adapters)


@pytest.fixture(scope="session")
async def glasses() -> AsyncIterator[Glasses]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(HERE / "glasses.py"), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    made = Glasses(process)
    try:
        await made.until("ready", 120)
        yield made
    finally:
        process.kill()
        await process.wait()


FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture
def figures(pytestconfig: pytest.Config) -> list[str]:
    """Lines about this run that are printed at its end."""
    return pytestconfig.stash.setdefault(FIGURES, [])


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for line in config.stash.get(FIGURES, []):
        terminalreporter.write_line(f"bluez: {line}")
