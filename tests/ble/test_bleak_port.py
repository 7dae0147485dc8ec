"""The adapter to bleak: links, payload size, pairing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import bleak
import pytest
from bleak.exc import BleakError

from ble.bleak_port import BleakAirwaves
from ble.drivers import omi_profile, standard
from ble.errors import LinkLost, NotFound, PairingNeeded, PairsByItself, ProtocolFault
from ble.sim.bleak_backend import AirClient, backends
from ble.sim.faults import AT_ONCE, Faults
from ble.sim.omi import SimulatedOmi
from tests.ble.driving import Make, first


async def test_a_port_to_an_address_never_heard_looks_for_it(rig: Any, make_jpeg: Make) -> None:
    omi = SimulatedOmi([make_jpeg(200)], pace=AT_ONCE)
    address = await rig.air.add(omi)
    await rig.air.add(SimulatedOmi([make_jpeg(200)], pace=AT_ONCE))
    port = rig.airwaves.port(address.lower())
    await port.connect(lambda: None)
    assert omi.connected
    await port.disconnect()
    with pytest.raises(NotFound):
        await rig.airwaves.port("F0:00:00:00:00:01").connect(lambda: None)


async def test_what_was_heard_long_ago_is_looked_for_again(rig: Any, make_jpeg: Make) -> None:
    omi = SimulatedOmi([make_jpeg(200)], pace=AT_ONCE)
    address = await rig.air.add(omi)
    await first(rig.airwaves.scan(()))
    await rig.air.remove(omi)
    with pytest.raises(NotFound, match="out of range"):  # fresh: bleak itself finds that it is gone
        await rig.airwaves.port(address).connect(lambda: None)
    await asyncio.sleep(60)
    with pytest.raises(NotFound, match="Nothing was heard"):
        await rig.airwaves.port(address).connect(lambda: None)


async def test_a_link_and_its_end(rig: Any, make_jpeg: Make, until: Any) -> None:
    omi = SimulatedOmi([make_jpeg(200)], pace=AT_ONCE)
    port = rig.airwaves.port(await rig.air.add(omi))
    lost: list[str] = []
    with pytest.raises(LinkLost):
        await port.read(standard.MODEL)
    await port.disconnect()
    await port.connect(lambda: lost.append("lost"))
    assert omi_profile.PHOTO_DATA in port.services()[omi_profile.OMI_SERVICE]
    assert await port.read(standard.MODEL) == b"OMI Glass"
    with pytest.raises(ProtocolFault):
        await port.read("0000ffff-0000-1000-8000-00805f9b34fb")
    assert await port.payload_size(514) == 514
    await omi.drop_link()
    await until(lambda: lost)
    for asked in (
        port.read(standard.MODEL),
        port.write(omi_profile.PHOTO_CONTROL, b"\x00"),
        port.subscribe(omi_profile.PHOTO_DATA, lambda _: None),
        port.unsubscribe(omi_profile.PHOTO_DATA),
        port.payload_size(202),
        port.pair(),
    ):
        with pytest.raises(LinkLost):
            await asked
    await port.disconnect()
    assert lost == ["lost"]


async def test_leaving_is_told_once_too(rig: Any, make_jpeg: Make) -> None:
    lost: list[str] = []
    port = rig.airwaves.port(await rig.air.add(SimulatedOmi([make_jpeg(200)], pace=AT_ONCE)))
    await port.connect(lambda: lost.append("lost"))
    await port.disconnect()
    await port.disconnect()
    assert lost == ["lost"]


async def test_a_link_that_goes_in_the_middle_of_a_question(rig: Any, make_jpeg: Make) -> None:
    omi = SimulatedOmi([make_jpeg(200)], pace=AT_ONCE)
    port = rig.airwaves.port(await rig.air.add(omi))
    await port.connect(lambda: None)
    question = asyncio.get_running_loop().create_task(port.read(standard.MODEL))
    await omi.drop_link()
    with pytest.raises(LinkLost):
        await question


async def test_subscribing_and_no_longer(rig: Any, make_jpeg: Make, until: Any) -> None:
    omi = SimulatedOmi([make_jpeg(200)], faults=Faults(camera_dead=True), pace=AT_ONCE)
    port = rig.airwaves.port(await rig.air.add(omi))
    await port.connect(lambda: None)
    heard: list[bytes] = []
    await port.subscribe(standard.BATTERY_LEVEL, heard.append)
    for value in range(50):
        await omi.notify(standard.BATTERY_LEVEL, bytes([value]))
    await until(lambda: len(heard) == 50)
    assert heard == [bytes([value]) for value in range(50)]
    assert type(heard[0]) is bytes
    await port.unsubscribe(standard.BATTERY_LEVEL)
    await omi.notify(standard.BATTERY_LEVEL, b"\x01")
    await asyncio.sleep(1)
    assert len(heard) == 50
    await port.pair()
    await port.disconnect()


async def test_the_payload_size_is_waited_for(rig: Any, make_jpeg: Make) -> None:
    port = rig.airwaves.port(await rig.air.add(SimulatedOmi([make_jpeg(200)], pace=AT_ONCE)))
    await port.connect(lambda: None)
    sizes = iter([20, 20, 20, 244])
    for characteristic in port._client.services.characteristics.values():
        characteristic._max_write_without_response_size = lambda: next(sizes, 244)
    begun = asyncio.get_running_loop().time()
    assert await port.payload_size(202) == 244
    assert asyncio.get_running_loop().time() - begun < 2
    for characteristic in port._client.services.characteristics.values():
        characteristic._max_write_without_response_size = lambda: 20
    assert await port.payload_size(202) == 20
    assert asyncio.get_running_loop().time() - begun == pytest.approx(2, abs=0.5)
    await port.disconnect()


async def test_a_connection_that_hangs_is_given_up(rig: Any, make_jpeg: Make) -> None:
    """The glasses are linked to somebody else, and so no longer advertise."""
    address = await rig.air.add(SimulatedOmi([make_jpeg(200)], pace=AT_ONCE))
    await first(rig.airwaves.scan(()))
    mine, theirs = rig.airwaves.port(address), rig.airwaves.port(address)
    await theirs.connect(lambda: None)
    with pytest.raises(LinkLost, match="in time"):
        await mine.connect(lambda: None)
    await theirs.disconnect()


async def test_bonds_on_the_virtual_air_are_kept_and_forgotten(rig: Any, make_jpeg: Make) -> None:
    address = await rig.air.add(SimulatedOmi([make_jpeg(200)], pace=AT_ONCE))
    _, client = backends(rig.air)
    async with bleak.BleakClient(address, backend=client, pair=True) as linked:
        assert linked.name == address
        assert linked.mtu_size == 517
        descriptor = next(iter(linked.services.descriptors.values()))
        assert len(await linked.read_gatt_descriptor(descriptor)) == 2
        _, bonds = rig.air.face_for(address)
        assert await bonds.get_all()
        await linked.unpair()
        own, bonds = rig.air.face_for(address)
        assert not await bonds.get_all()
    assert linked.mtu_size == 23
    with pytest.raises(BleakError):
        await linked.pair()
    async with bleak.BleakClient(address, backend=client, pair=True):
        assert rig.air.face_for(address)[0] == own
    async with bleak.BleakClient(address, backend=client) as linked:
        assert linked._backend._connection.is_encrypted


async def test_a_system_that_pairs_by_itself(rig: Any, make_jpeg: Callable[[int], bytes]) -> None:
    class Macintosh(AirClient):
        air = rig.air

        async def pair(self, *args: Any, **kwargs: Any) -> None:
            raise NotImplementedError("Pairing is not available in Core Bluetooth.")

    address = await rig.air.add(SimulatedOmi([make_jpeg(300)], pace=AT_ONCE))
    scanner, _ = backends(rig.air)
    port = BleakAirwaves(scanner_backend=scanner, client_backend=Macintosh).port(address)
    await port.connect(lambda: None)
    with pytest.raises(PairsByItself) as told:
        await port.pair()
    assert all((told.value.what, told.value.why, told.value.action))
    await port.disconnect()


class Held(AirClient):
    """A system that answers no read, as BlueZ does with what it holds back for a pairing that then fails."""

    async def read_gatt_char(self, *args: Any, **kwargs: Any) -> bytearray:
        return await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize("same", [True, False])
async def test_codes_that_differ_end_what_waits_for_the_pairing(rig: Any, make_jpeg: Callable[[int], bytes], same: bool) -> None:
    async def compare(_: str) -> bool:
        return same

    address = await rig.air.add(SimulatedOmi([make_jpeg(300)], pace=AT_ONCE))
    scanner, _ = backends(rig.air)
    airwaves = BleakAirwaves(scanner_backend=scanner, client_backend=type("HeldHere", (Held,), {"air": rig.air}))
    assert airwaves.comparer(address) is None
    async with airwaves.pairing(address, compare):
        port = airwaves.port(address)
        await port.connect(lambda: None)
        began = asyncio.get_running_loop().time()
        waiting = asyncio.ensure_future(port.read(standard.MODEL))
        await asyncio.sleep(1)
        comparer = airwaves.comparer(address)
        assert comparer is not None
        assert await comparer("123456") is same
        with pytest.raises(LinkLost if same else PairingNeeded):
            await waiting
        took = asyncio.get_running_loop().time() - began
        assert took > 30 if same else took < 2
        if not same:
            with pytest.raises(PairingNeeded):
                await port.read(standard.MODEL)
        await port.disconnect()


@pytest.mark.parametrize("refused", [False, True], ids=["called off", "the codes differ"])
async def test_a_link_that_comes_up_as_it_is_given_up_is_ended(rig: Any, make_jpeg: Callable[[int], bytes], refused: bool) -> None:
    class LastMoment(AirClient):
        air = rig.air

        async def connect(self, *args: Any, **kwargs: Any) -> None:
            await super().connect(*args, **kwargs)
            if refused:
                airwaves.refusal(address).set()  # type: ignore[union-attr]
            else:
                connecting.cancel()

    async def connect() -> None:
        """As every driver does."""
        try:
            await port.connect(lambda: None)
        except BaseException:
            await port.disconnect()
            raise

    omi = SimulatedOmi([make_jpeg(300)], pace=AT_ONCE)
    address = await rig.air.add(omi)
    scanner, _ = backends(rig.air)
    airwaves = BleakAirwaves(scanner_backend=scanner, client_backend=LastMoment)
    async with airwaves.pairing(address):
        port = airwaves.port(address)
        connecting = asyncio.get_running_loop().create_task(connect())
        with pytest.raises(PairingNeeded if refused else asyncio.CancelledError):
            await connecting
        await asyncio.sleep(1)
        assert not omi.connected
