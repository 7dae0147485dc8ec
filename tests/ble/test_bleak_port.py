"""The adapter to bleak: scanning, links, payload size, pairing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import bleak
import pytest
from bleak.exc import (
    BleakDBusError,
    BleakError,
)

from ble import bleak_port
from ble.bleak_port import BleakAirwaves, plain_name
from ble.drivers import omi_profile, standard
from ble.errors import LinkLost, NotFound, PairingNeeded, PairsByItself, ProtocolFault, RadioOff
from ble.sim.bleak_backend import AirClient, AirScanner, backends
from ble.sim.faults import AT_ONCE, Faults
from ble.sim.omi import SimulatedOmi, SimulatedOpenGlass
from ble.types import Advertisement
from tests.ble.driving import Make


async def first(scan: Any) -> Advertisement:
    try:
        async with asyncio.timeout(30):
            async for advertisement in scan:
                return advertisement  # type: ignore[no-any-return]
    finally:
        await scan.aclose()
    raise AssertionError("the scan ended by itself")


async def test_a_scan_tells_what_is_advertised(rig: Any, make_jpeg: Make) -> None:
    address = await rig.air.add(SimulatedOpenGlass([make_jpeg(200)], pace=AT_ONCE))
    heard = await first(rig.airwaves.scan(()))
    assert heard.address == address
    assert heard.name == "OpenGlass"
    assert heard.service_uuids == {omi_profile.OMI_SERVICE, standard.BATTERY_SERVICE, standard.DEVICE_INFORMATION}
    assert -128 <= heard.rssi < 20


async def test_a_filter_keeps_others_out(rig: Any, make_jpeg: Make) -> None:
    await rig.air.add(SimulatedOmi([make_jpeg(200)], pace=AT_ONCE))
    scan = rig.airwaves.scan({standard.BATTERY_SERVICE.upper()})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5):
            await anext(scan)
    address = await rig.air.add(SimulatedOpenGlass([make_jpeg(200)], pace=AT_ONCE))
    assert (await first(rig.airwaves.scan({standard.BATTERY_SERVICE}))).address == address


async def test_scans_share_one_scanner(rig: Any, make_jpeg: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """BlueZ refuses a second one from the same client."""
    running = set()
    most = 0
    start, stop = AirScanner.start, AirScanner.stop

    async def counted_start(self: AirScanner) -> None:
        nonlocal most
        running.add(self)
        most = max(most, len(running))
        await start(self)

    async def counted_stop(self: AirScanner) -> None:
        running.discard(self)
        await stop(self)

    monkeypatch.setattr(AirScanner, "start", counted_start)
    monkeypatch.setattr(AirScanner, "stop", counted_stop)
    omi = await rig.air.add(SimulatedOmi([make_jpeg(200)], pace=AT_ONCE))
    narrow, wide, narrow_again = (rig.airwaves.scan(uuids) for uuids in ({omi_profile.OMI_SERVICE}, (), {omi_profile.OMI_SERVICE}))
    assert {(await anext(scan)).address for scan in (narrow, wide, narrow_again)} == {omi}
    assert most == 1
    await wide.aclose()
    assert (await anext(narrow)).address == omi
    assert len(running) == 1
    await narrow.aclose()
    await narrow_again.aclose()
    assert not running


async def test_a_reader_cancelled_twice_leaves_no_scanner_behind(rig: Any, make_jpeg: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = asyncio.Event()
    stop = AirScanner.stop

    async def slow(self: AirScanner) -> None:
        await asyncio.sleep(1)
        await stop(self)
        stopped.set()

    monkeypatch.setattr(AirScanner, "stop", slow)
    await rig.air.add(SimulatedOmi([make_jpeg(200)], pace=AT_ONCE))
    reader = asyncio.get_running_loop().create_task(first(rig.airwaves.scan({standard.BATTERY_SERVICE})))
    for _ in range(2):
        await asyncio.sleep(0.5)
        reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    await stopped.wait()
    assert rig.airwaves._scanner is None


async def test_a_slow_reader_delays_nobody(rig: Any, make_jpeg: Make) -> None:
    await rig.air.add(SimulatedOmi([make_jpeg(200)], pace=AT_ONCE))
    slow, quick = rig.airwaves.scan(()), rig.airwaves.scan(())
    await anext(slow)
    heard = 0
    async for _ in quick:
        heard += 1
        if heard == 600:
            break
    await quick.aclose()
    await slow.aclose()


async def test_a_radio_that_is_off_is_said_so(rig: Any) -> None:
    rig.air.radio_on = False
    with pytest.raises(RadioOff, match="Switch Bluetooth on"):
        await first(rig.airwaves.scan(()))
    with pytest.raises(RadioOff):
        await rig.airwaves.port("F0:00:00:00:00:01").connect(lambda: None)
    rig.air.radio_on = True
    scan = rig.airwaves.scan(())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await anext(scan)


async def test_a_radio_that_goes_off_while_scanning_can_be_left(rig: Any, make_jpeg: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.air.add(SimulatedOmi([make_jpeg(200)], pace=AT_ONCE))
    stop = AirScanner.stop

    async def broken(self: AirScanner) -> None:
        await stop(self)
        raise BleakError("gone")

    monkeypatch.setattr(AirScanner, "stop", broken)
    await first(rig.airwaves.scan(()))


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


async def test_what_is_remembered_is_bounded(rig: Any, make_jpeg: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bleak_port, "_MOST_HEARD", 2)
    seen = set()
    for _ in range(4):
        await rig.air.add(SimulatedOmi([make_jpeg(200)], pace=AT_ONCE))
    scan = rig.airwaves.scan(())
    async for advertisement in scan:
        seen.add(advertisement.address)
        if len(seen) == 4:
            break
    await scan.aclose()
    assert len(rig.airwaves._heard) <= 2


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


@pytest.mark.parametrize(
    ("advertised", "shown"),
    [(None, ""), ("OMI Glass", "OMI Glass"), (" \x1b[31mA\u202eB\x00\n ", "[31mAB"), ("x" * 1000, "x" * 64), ("Brille 👓", "Brille 👓")],
)
def test_names_are_made_safe_to_show(advertised: str | None, shown: str) -> None:
    assert plain_name(advertised) == shown


async def test_an_adapter_that_is_pulled_out_while_scanning(rig: Any) -> None:
    class Pulled(AirScanner):
        air = rig.air

        async def start(self) -> None:
            raise BleakDBusError("org.freedesktop.DBus.Error.UnknownObject", ["/org/bluez/hci0"])

    airwaves = BleakAirwaves(scanner_backend=Pulled)
    with pytest.raises(RadioOff):
        await anext(airwaves.scan(()))


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
