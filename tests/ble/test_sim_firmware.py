"""The simulated glasses behave as the firmware does, seen by a plain Bumble or bleak client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import bleak
import pytest
from bumble import hci
from bumble.device import Device, Peer
from bumble.host import Host
from bumble.transport.common import BaseSource, Transport

from ble.drivers import omi_profile as profile
from ble.drivers import standard
from ble.sim import on_transport
from ble.sim.air import Air, AirLink, device_on, random_static
from ble.sim.bleak_backend import backends
from ble.sim.catalogue import FAMILIES, NECKLACE, make
from ble.sim.faults import AT_ONCE, NO_FAULTS, Drop, Faults, Pace, Stall, spoil
from ble.sim.omi import SimulatedNecklace, SimulatedOmi, SimulatedOpenGlass
from tests.ble.driving import Make

END = profile.END_OF_PHOTO


@asynccontextmanager
async def client(air: Air, address: str) -> AsyncIterator[bleak.BleakClient]:
    async with bleak.BleakClient(address, backend=backends(air)[1]) as linked:
        yield linked


async def listen(linked: bleak.BleakClient, uuid: str = profile.PHOTO_DATA) -> list[bytes]:
    heard: list[bytes] = []
    await linked.start_notify(uuid, lambda _, data: heard.append(bytes(data)))
    return heard


async def order(linked: bleak.BleakClient, value: bytes) -> None:
    await linked.write_gatt_char(profile.PHOTO_CONTROL, value, response=True)


@pytest.mark.parametrize(
    ("faults", "sent"),
    [
        (NO_FAULTS, [b"a1", b"b2", b"c3", END]),
        (Faults(drop_chunk=0), [b"b2", b"c3", END]),
        (Faults(duplicate_chunk=1), [b"a1", b"b2", b"b2", b"c3", END]),
        (Faults(swap_chunk=1), [b"a1", b"c3", b"b2", END]),
        (Faults(swap_chunk=2), [b"a1", b"b2", b"c3", END]),
        (Faults(truncate_to=1), [b"a", b"b", b"c", END]),
        (Faults(missing_end=True), [b"a1", b"b2", b"c3"]),
        (Faults(stall_after_chunk=1), [b"a1", b"b2", Stall()]),
        (Faults(disconnect_after_chunk=0), [b"a1", Drop(), b"b2", b"c3", END]),
        (Faults(empty_after_chunk=0), [b"a1", b"", b"b2", b"c3", END]),
        (Faults(start_at_chunk=2), [b"c3", END]),
    ],
)
def test_faults_of_the_stream(faults: Faults, sent: list[Any]) -> None:
    assert list(spoil([b"a1", b"b2", b"c3"], faults)) == sent


async def test_notifications_come_before_anybody_subscribed(rig: Any, make_jpeg: Make) -> None:
    omi = SimulatedOmi([make_jpeg(900)], pace=AT_ONCE)
    address = await rig.air.add(omi)
    controller, central = device_on(rig.air.link, "central", random_static())
    await central.power_on()
    connection = await central.connect_le(hci.Address(address, hci.Address.RANDOM_DEVICE_ADDRESS))
    came: list[bytes] = []
    connection.gatt_client.on_att_handle_value_notification = lambda pdu: came.append(bytes(pdu.attribute_value))
    await asyncio.sleep(1)
    assert END in came
    assert b"\x64" in came  # the battery
    await connection.disconnect()
    rig.air.take_off(controller)


async def test_a_central_with_a_public_address_is_heard(rig: Any, make_jpeg: Make) -> None:
    """As BlueZ connects; upstream's link drops its data."""
    address = await rig.air.add(SimulatedOpenGlass([make_jpeg(900)], pace=AT_ONCE))
    controller, central = device_on(rig.air.link, "central", random_static())
    await central.power_on()
    peer_address = hci.Address(address, hci.Address.RANDOM_DEVICE_ADDRESS)
    connection = await central.connect_le(peer_address, own_address_type=hci.OwnAddressType.PUBLIC)
    peer = Peer(connection)
    await peer.discover_services()
    assert len(peer.services) >= 3
    await connection.disconnect()
    rig.air.take_off(controller)


async def test_a_connection_attempt_can_be_called_off(rig: Any, make_jpeg: Make) -> None:
    controller, central = device_on(rig.air.link, "central", random_static())
    await central.power_on()
    with pytest.raises(Exception, match=r".*"):
        await central.connect_le(hci.Address("F0:00:00:00:00:01", hci.Address.RANDOM_DEVICE_ADDRESS), timeout=1)
    address = await rig.air.add(SimulatedOpenGlass([make_jpeg(900)], pace=AT_ONCE))
    connection = await central.connect_le(hci.Address(address, hci.Address.RANDOM_DEVICE_ADDRESS), timeout=10)
    await connection.disconnect()
    with pytest.raises(hci.HCI_Error):
        await central.send_sync_command(hci.HCI_LE_Create_Connection_Cancel_Command())
    rig.air.take_off(controller)


async def test_omi_captures_from_the_moment_of_connecting_and_every_30_seconds(rig: Any, make_jpeg: Make) -> None:
    omi = SimulatedOmi([make_jpeg(900)], pace=AT_ONCE)
    address = await rig.air.add(omi)
    await asyncio.sleep(100)
    assert omi.photos_begun == 0, "nothing is captured without a client"
    async with client(rig.air, address):
        await asyncio.sleep(1)
        assert omi.photos_begun == 1
        await asyncio.sleep(95)
        assert omi.photos_begun == 4
    async with client(rig.air, address):
        await asyncio.sleep(1)
        assert omi.photos_begun == 4, "the interval goes on over links"


async def test_the_value_does_not_change_the_interval_of_omi(rig: Any, make_jpeg: Make) -> None:
    omi = SimulatedOmi([make_jpeg(900)], pace=AT_ONCE)
    async with client(rig.air, await rig.air.add(omi)) as linked:
        await order(linked, b"\x0a")
        await asyncio.sleep(61)
        assert omi.photos_begun == 4


@pytest.mark.parametrize(("value", "interval"), [(5, 5), (9, 5), (10, 10), (127, 125)])
async def test_openglass_rounds_its_interval_down_to_fives(rig: Any, make_jpeg: Make, value: int, interval: int) -> None:
    openglass = SimulatedOpenGlass([make_jpeg(900)], pace=AT_ONCE)
    async with client(rig.air, await rig.air.add(openglass)) as linked:
        await asyncio.sleep(50)
        assert openglass.photos_begun == 0
        await order(linked, bytes([value]))
        await asyncio.sleep(interval * 2 + 1)
        assert openglass.photos_begun == 3


async def test_a_single_shot_cancels_the_interval(rig: Any, make_jpeg: Make) -> None:
    omi = SimulatedOmi([make_jpeg(900)], pace=AT_ONCE)
    async with client(rig.air, await rig.air.add(omi)) as linked:
        await asyncio.sleep(1)
        await order(linked, profile.SINGLE_PHOTO)
        await asyncio.sleep(200)
        assert omi.photos_begun == 2


async def test_stop_lasts_over_links_and_lets_an_upload_end(rig: Any, make_jpeg: Make) -> None:
    omi = SimulatedOmi([make_jpeg(900)], pace=replace(AT_ONCE, chunk=0.1))
    address = await rig.air.add(omi)
    async with client(rig.air, address) as linked:
        heard = await listen(linked)
        await order(linked, profile.STOP_CAPTURE)
        await asyncio.sleep(2)
        assert heard[-1] == END
    async with client(rig.air, address):
        await asyncio.sleep(100)
        assert omi.photos_begun == 1


@pytest.mark.parametrize("value", [b"", b"\x01", b"\x04", b"\x80", b"\xfe", b"\xff\xff", b"\x05\x00"])
async def test_other_control_values_are_ignored_without_an_error(rig: Any, make_jpeg: Make, value: bytes) -> None:
    openglass = SimulatedOpenGlass([make_jpeg(900)], pace=AT_ONCE)
    async with client(rig.air, await rig.air.add(openglass)) as linked:
        await order(linked, value)
        await asyncio.sleep(200)
        assert openglass.photos_begun == 0


async def test_one_upload_at_a_time_and_it_drains_without_a_client(rig: Any, make_jpeg: Make) -> None:
    said: list[str] = []
    openglass = SimulatedOpenGlass([make_jpeg(2000)], pace=replace(AT_ONCE, chunk=1.0), on_event=said.append)
    address = await rig.air.add(openglass)
    async with client(rig.air, address) as linked:
        await order(linked, profile.SINGLE_PHOTO)
        await asyncio.sleep(3)
        await order(linked, profile.SINGLE_PHOTO)
        await asyncio.sleep(3)
        assert openglass.photos_begun == 1
    await asyncio.sleep(1)
    async with client(rig.air, address) as linked:
        heard = await listen(linked)
        await asyncio.sleep(30)
        assert heard[0] != END
        assert heard[0][:2] != b"\x00\x00", "the link came up in the middle of the photo"
        assert heard.count(END) == 2, "the second order was carried out after the first photo"
    assert said.index("photo 1 sent") < said.index("photo 2 begun")


async def test_long_notifications_are_cut_in_silence(rig: Any, make_jpeg: Make) -> None:
    openglass = SimulatedOpenGlass([make_jpeg(900)], faults=Faults(mtu=185), pace=AT_ONCE)
    async with client(rig.air, await rig.air.add(openglass)) as linked:
        heard = await listen(linked)
        await order(linked, profile.SINGLE_PHOTO)
        await asyncio.sleep(1)
        assert [len(chunk) for chunk in heard] == [182, 182, 182, 182, 102, 2]
        assert [int.from_bytes(chunk[:2], "little") for chunk in heard[:-1]] == [0, 1, 2, 3, 4]


async def test_notifications_can_be_switched_off(rig: Any, make_jpeg: Make) -> None:
    omi = SimulatedOmi([make_jpeg(900)], pace=AT_ONCE)
    async with client(rig.air, await rig.air.add(omi)) as linked:
        heard = await listen(linked)
        await linked.stop_notify(profile.PHOTO_DATA)
        await order(linked, profile.SINGLE_PHOTO)
        await asyncio.sleep(5)
        assert heard == []
        descriptors = linked.services.get_characteristic(profile.PHOTO_DATA).descriptors
        assert bytes(await linked.read_gatt_descriptor(descriptors[0])) == b"\x00\x00"


async def test_the_update_service_answers_and_remembers(rig: Any, make_jpeg: Make) -> None:
    omi = SimulatedOmi([make_jpeg(900)], pace=AT_ONCE)
    async with client(rig.air, await rig.air.add(omi)) as linked:
        assert bytes(await linked.read_gatt_char(profile.OTA_CONTROL)) == b"\x00\x00"
        await linked.write_gatt_char(profile.OTA_CONTROL, b"\x03", response=True)
        assert omi.ota_writes == [b"\x03"]
        assert bytes(await linked.read_gatt_char(profile.AUDIO_CODEC)) == b"\x15"


async def test_a_necklace_keeps_its_settings(rig: Any) -> None:
    necklace = SimulatedNecklace(pace=AT_ONCE)
    async with client(rig.air, await rig.air.add(necklace)) as linked:
        await linked.write_gatt_char(profile.OTA_CONTROL, b"\x10", response=True)
        await linked.write_gatt_char(profile.OTA_DATA, b"\x02", response=True)
        assert bytes(await linked.read_gatt_char(profile.OTA_CONTROL)) == b"\x10"
        assert bytes(await linked.read_gatt_char(profile.OTA_DATA)) == b"\x02"
        assert linked.services.get_characteristic(profile.PHOTO_DATA) is None


async def test_openglass_states_a_full_battery_for_ever(rig: Any, make_jpeg: Make) -> None:
    openglass = SimulatedOpenGlass([make_jpeg(900)], pace=AT_ONCE)
    openglass.charge = 3
    async with client(rig.air, await rig.air.add(openglass)) as linked:
        heard = await listen(linked, standard.BATTERY_LEVEL)
        await asyncio.sleep(150)
        assert heard == [b"\x64", b"\x64"]


async def test_a_quicker_second(rig: Any, make_jpeg: Make) -> None:
    omi = SimulatedOmi([make_jpeg(900)], pace=Pace(chunk=0, shutter=0, second=0.01, advertise_ms=20))
    async with client(rig.air, await rig.air.add(omi)):
        await asyncio.sleep(3.1)
        assert omi.photos_begun == 11


async def test_they_advertise_again_after_each_link_and_leave_the_air(rig: Any, make_jpeg: Make) -> None:
    omi = SimulatedOmi([make_jpeg(900)], pace=AT_ONCE)
    address = await rig.air.add(omi, "F0:12:34:56:78:9A")
    assert address == "F0:12:34:56:78:9A"
    for _ in range(3):
        async with client(rig.air, address):
            assert omi.connected
        await asyncio.sleep(0.1)
        assert not omi.connected
    async with client(rig.air, address) as linked:
        await rig.air.remove(omi)
        await asyncio.sleep(0.1)
        assert not linked.is_connected
    assert not rig.air.hears(address)


def test_the_catalogue() -> None:
    for family, label in FAMILIES:
        made = make(family, [b"x"])
        numbered = {"mentra-live": "mentra_live_ble_0001", "heycyan": "m01_9fd8"}  # these put a number into their names
        assert made.name.casefold().replace(" ", "") == numbered.get(family, label.casefold().replace(" ", ""))
    assert make(NECKLACE, []).name == "Omi"
    with pytest.raises(ValueError, match="monocle"):
        make("monocle", [b"x"])
    with pytest.raises(ValueError, match="at least one picture"):
        make("omi-glass", [])


class Pipe(BaseSource):
    """One end of a wire between a host and a controller."""

    def on_packet(self, packet: bytes) -> None:
        asyncio.get_running_loop().call_soon(self._deliver, packet)

    def _deliver(self, packet: bytes) -> None:
        if self.sink is not None:
            self.sink.on_packet(packet)


async def test_serving_a_host_such_as_the_kernel(monkeypatch: pytest.MonkeyPatch, make_jpeg: Make) -> None:
    """Over `vhci` the other end is a host; here Bumble's own plays the kernel."""
    to_kernel, from_kernel = Pipe(), Pipe()

    async def opened(spec: str) -> Transport:
        assert spec == "vhci"
        return Transport(from_kernel, to_kernel)

    monkeypatch.setattr(on_transport, "open_transport", opened)
    said: list[str] = []
    serving = asyncio.get_running_loop().create_task(
        on_transport.serve("openglass", "vhci", [make_jpeg(900)], address="F0:12:34:56:78:9A", on_event=said.append)
    )
    await asyncio.sleep(0.1)
    kernel = Device(address=random_static(), host=Host(to_kernel, from_kernel))
    await kernel.power_on()
    address = hci.Address("F0:12:34:56:78:9A", hci.Address.RANDOM_DEVICE_ADDRESS)
    connection = await kernel.connect_le(address, own_address_type=hci.OwnAddressType.PUBLIC)
    peer = Peer(connection)
    await peer.discover_all()
    photo = next(c for s in peer.services for c in s.characteristics if str(c.uuid).lower().startswith("19b10005"))
    control = next(c for s in peer.services for c in s.characteristics if str(c.uuid).lower().startswith("19b10006"))
    heard: list[bytes] = []
    await peer.subscribe(photo, heard.append)
    await peer.write_value(control, b"\xff", with_response=True)
    await asyncio.sleep(5)
    assert heard[-1] == END
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert said[0] == "OpenGlass is advertising"
    assert "connected" in said


async def test_serving_on_a_controller_such_as_a_dongle_until_it_is_unplugged(monkeypatch: pytest.MonkeyPatch, make_jpeg: Make) -> None:
    link = AirLink()
    to_host, from_host = Pipe(), Pipe()
    from ble.sim.air import AirController

    AirController("dongle", host_source=from_host, host_sink=to_host, link=link, public_address="02:00:00:00:00:01")

    async def opened(spec: str) -> Transport:
        return Transport(to_host, from_host)

    monkeypatch.setattr(on_transport, "open_transport", opened)
    said: list[str] = []
    serving = asyncio.get_running_loop().create_task(on_transport.serve("omi-glass", "usb:0", [make_jpeg(900)], on_event=said.append))
    await asyncio.sleep(1)
    assert said == ["OMI Glass is advertising"]
    from_host.sink = None  # unplugged: nothing answers any more
    to_host.on_transport_lost()
    await serving
