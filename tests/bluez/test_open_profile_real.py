"""Glasses of the open profile on the real BlueZ: bonding, the backlog, a photo, a drop in the middle, and reading on."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ble.bleak_port import BleakAirwaves
from ble.drivers.open_profile import OpenDriver, OpenGlasses
from ble.types import CaptureOffered, LinkClosed, Offer

pytestmark = pytest.mark.bluez

SAMPLES = Path(__file__).resolve().parents[2] / "resources" / "samples"
DRIVER = OpenDriver()
ADDRESS = "F0:12:34:56:78:21"


@pytest.fixture
async def agent() -> AsyncIterator[None]:
    """A Bluetooth agent that confirms whatever it is asked (bluez/bluez `doc/org.bluez.Agent.rst`); without one BlueZ pairs with nobody."""
    from dbus_fast import BusType, Message, MessageType
    from dbus_fast.aio import MessageBus

    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()

    def confirm(message: Any) -> Any:
        asked = message.message_type is MessageType.METHOD_CALL and message.interface == "org.bluez.Agent1"
        return Message.new_method_return(message) if asked else None

    async def manager(member: str, signature: str, *body: str) -> None:
        call = Message("org.bluez", "/org/bluez", "org.bluez.AgentManager1", member, signature=signature, body=list(body))
        reply = await bus.call(call)
        assert reply is not None
        assert reply.message_type is MessageType.METHOD_RETURN, reply.error_name

    bus.add_message_handler(confirm)
    try:
        await manager("RegisterAgent", "os", "/test/agent", "NoInputNoOutput")
        await manager("RequestDefaultAgent", "o", "/test/agent")
        yield
    finally:
        bus.disconnect()
        await bus.wait_for_disconnect()


async def offer_of(glasses: OpenGlasses) -> Offer:
    async with asyncio.timeout(30):
        async for event in glasses.events():
            if isinstance(event, CaptureOffered):
                return event.offer
    raise AssertionError("nothing was offered")


async def seen(airwaves: BleakAirwaves, address: str) -> None:
    scan = airwaves.scan(DRIVER.service_uuids)
    try:
        async with asyncio.timeout(20):
            async for advertisement in scan:
                if advertisement.address == address:
                    assert DRIVER.recognises(advertisement)
                    return
    finally:
        await scan.aclose()


async def test_open_glasses_bond_and_hand_over(glasses: Any, agent: None, figures: list[str]) -> None:
    files = sorted((SAMPLES / "halo").glob("*.jpg"))
    await glasses.put_on("open", ADDRESS, files)
    airwaves = BleakAirwaves()
    await seen(airwaves, ADDRESS)

    began = time.monotonic()
    opened = await DRIVER.open(airwaves.port(ADDRESS), continuous=False)
    figures.append(f"open profile: connected and bonded in {time.monotonic() - began:.1f} s")
    assert opened.capabilities.encrypted_link
    assert opened.info.model == "Open Glasses (simulated)"
    assert opened.status.battery == 100
    first = await offer_of(opened)
    second = await offer_of(opened)
    began = time.monotonic()
    for offer, file in ((first, files[0]), (second, files[1])):
        body = b"".join([piece async for piece in opened.fetch(offer.id)])
        assert body == file.read_bytes()
        assert hashlib.sha256(body).digest() == offer.sha256
    took = time.monotonic() - began
    figures.append(f"open profile: {first.size} and {second.size} bytes in {took:.1f} s")

    # Leave in the middle, come back with the same bond, read on.
    fetching = opened.fetch(second.id)
    await opened.close()
    with pytest.raises(Exception, match="link"):
        await anext(fetching)
    await glasses.until("disconnected")
    began = time.monotonic()
    again = await DRIVER.open(airwaves.port(ADDRESS), continuous=False)
    figures.append(f"open profile: connected again with the bond in {time.monotonic() - began:.1f} s")
    offers = [await offer_of(again), await offer_of(again)]
    assert [offer.id for offer in offers] == [first.id, second.id]
    rest = b"".join([piece async for piece in again.fetch(second.id, 10_000)])
    assert rest == files[1].read_bytes()[10_000:]

    await again.take_photo()
    third = await offer_of(again)
    await again.release(first.id)
    assert b"".join([piece async for piece in again.fetch(third.id)]) == files[2 % len(files)].read_bytes()
    await again.close()
    assert [event async for event in again.events()][-1] == LinkClosed(wanted=True)
