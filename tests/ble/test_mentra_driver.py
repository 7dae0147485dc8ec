"""Mentra Live over Bluetooth: the driver against simulated glasses, through the real bleak API, fault by fault."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ble.drivers import mentra_profile as profile
from ble.drivers.k900 import LengthOrder
from ble.drivers.mentra import MentraDriver
from ble.drivers.mentra_glasses import MentraGlasses
from ble.drivers.mentra_link import MOST_WAITING
from ble.drivers.session import MOST_HELD
from ble.errors import CameraSilent, GlassesError, LinkLost, NotGlasses, ProtocolFault, Unsupported
from ble.http_port import NotReachable, WifiGlasses
from ble.sim.faults import AT_ONCE
from ble.sim.mentra import SimulatedMentra
from ble.sim.mentra_faults import MentraFaults
from ble.sim.omi import SimulatedNecklace
from ble.types import Advertisement, Capability, CaptureProgress, LinkClosed, PairingAdvert, Stored
from tests.ble.driving import Listener, Make, fetched

AVIF = b"\x00\x00\x00\x14ftypavif\x00\x00\x00\x00mif1" + (1008).to_bytes(4, "big") + b"mdat" + bytes(range(250)) * 4


def changed(value: object) -> str:
    """What sets faults apart from none, as the name of a test."""
    if not isinstance(value, MentraFaults):
        return str(value)
    usual = MentraFaults()
    return ",".join(name for name in MentraFaults.__slots__ if getattr(value, name) != getattr(usual, name))


@pytest.fixture
def open_mentra(rig: Any) -> Callable[..., Any]:
    async def opened(twin: Any) -> tuple[MentraGlasses, Listener]:
        glasses, heard = await rig.connect(MentraDriver(simulated=True), twin)
        return glasses, heard

    return opened


def told(twin: SimulatedMentra, kind: str) -> list[Any]:
    return [message for message in twin.commands if message.get("type") == kind]


async def test_a_photo_over_bluetooth(open_mentra: Any, make_jpeg: Make, until: Any) -> None:
    twin = SimulatedMentra([make_jpeg(40_000)], pace=replace(AT_ONCE, chunk=0.01))
    glasses, heard = await open_mentra(twin)
    assert isinstance(glasses, WifiGlasses)
    assert glasses.capabilities.family == "mentra-live"
    assert glasses.capabilities.can(Capability.TAKE_PHOTO)
    assert not glasses.capabilities.can(Capability.RESUME)
    assert glasses.capabilities.cautions == MentraDriver().cautions("mentra-live")
    await glasses.take_photo()
    await until(lambda: twin.confirmations)
    (offer,) = heard.offers
    assert offer.media_type == "image/jpeg"
    assert offer.size == 40_000
    assert await fetched(glasses, offer) == make_jpeg(40_000)
    assert await fetched(glasses, offer, 30_000) == make_jpeg(40_000)[30_000:]
    assert twin.confirmations == [True]
    assert any(isinstance(event, CaptureProgress) and event.total == 40_000 for event in heard.events)
    assert glasses.status.received == 1
    assert offer.sha256 is None
    await glasses.release(offer.id)
    with pytest.raises(ProtocolFault):
        await fetched(glasses, offer)


async def test_the_order_never_names_another_place_to_send_to(open_mentra: Any, make_jpeg: Make) -> None:
    twin = SimulatedMentra([make_jpeg(500)], pace=AT_ONCE)
    glasses, _ = await open_mentra(twin)
    await glasses.take_photo()
    (order,) = told(twin, "take_photo")
    assert order["transferMethod"] == "ble"
    assert order["save"] is False
    assert order["flash"] is True
    assert not {"webhookUrl", "authToken"} & order.keys()
    assert len(order["bleImgId"]) <= 16
    assert order["bleImgId"][0] == "I"


async def test_the_session_begins_as_the_glasses_want_it(open_mentra: Any, make_jpeg: Make, until: Any) -> None:
    twin = SimulatedMentra([make_jpeg(500)], pace=AT_ONCE, stored=3, clips=[b"clip"])
    glasses, _ = await open_mentra(twin)
    await until(lambda: glasses.status.stored is not None and glasses.info.serial)
    kinds = [message["type"] for message in twin.commands if message["type"] != "msg_ack"]
    assert kinds.index("phone_ready") < kinds.index("set_ble_mtu") < kinds.index("query_gallery_status")
    assert told(twin, "set_ble_mtu")[0]["mtu"] == 509
    assert abs(told(twin, "set_system_time")[0]["timestamp_ms"] / 1000 - 1.7e9) < 1e9
    assert glasses.status.battery == 87
    assert glasses.status.stored == Stored(3, 1)
    assert glasses.info.firmware == "17.26.7.23"
    assert glasses.info.serial == "ML0001"
    assert {message["mId"] for message in told(twin, "msg_ack")} >= {1}
    await asyncio.sleep(65)
    assert len(told(twin, "ping")) == 2


async def test_while_recording_nothing_is_counted(open_mentra: Any, make_jpeg: Make, until: Any) -> None:
    twin = SimulatedMentra([make_jpeg(500)], faults=MentraFaults(gallery_busy=True), pace=AT_ONCE)
    glasses, _ = await open_mentra(twin)
    await until(lambda: told(twin, "query_gallery_status"))
    await asyncio.sleep(1)
    assert glasses.status.stored is None


@pytest.mark.parametrize(
    "faults",
    [
        MentraFaults(order=LengthOrder.LITTLE, deaf_to_other_order=True),
        MentraFaults(order=LengthOrder.BIG, deaf_to_other_order=True),
        MentraFaults(split_frames=3),
        MentraFaults(garbage=b"#\x00##\xff##"),
        MentraFaults(repeats_messages=True),
        MentraFaults(never_acknowledges=True),
        MentraFaults(boot_seconds=30),
        MentraFaults(mtu=185),
        MentraFaults(hostile_message=b"[" * 500),
        MentraFaults(hostile_message=b'{"C":' + b'{"a":' * 90 + b"1" + b"}" * 91),
        MentraFaults(hostile_message=b'{"C":"{\\"type\\":[1]}"}'),
        MentraFaults(hostile_message=b'{"C":"{\\"type\\":\\"battery_status\\",\\"percent\\":1e400}"}'),
        MentraFaults(hostile_message=b"\xff\xfe{}"),
        MentraFaults(flood=300),
    ],
    ids=changed,
)
async def test_oddities_of_the_channel(open_mentra: Any, make_jpeg: Make, until: Any, faults: MentraFaults) -> None:
    twin = SimulatedMentra([make_jpeg(3000)], faults=faults, pace=AT_ONCE)
    glasses, heard = await open_mentra(twin)
    assert glasses.status.battery == 87
    await glasses.take_photo()
    await until(lambda: twin.confirmations == [True])
    assert await fetched(glasses, heard.offers[0]) == make_jpeg(3000)
    assert heard.damaged == []


async def test_a_message_too_long_for_a_frame_is_understood(open_mentra: Any, make_jpeg: Make, until: Any) -> None:
    twin = SimulatedMentra([make_jpeg(500)], pace=AT_ONCE)
    glasses, _ = await open_mentra(twin)
    twin.say({"type": "version_info_3", "serial_number": "Zürich-7", "padding": "ä" * 700}, numbered=True)
    await until(lambda: glasses.info.serial == "Zürich-7")
    acknowledged = {message["mId"] for message in told(twin, "msg_ack")}
    await until(lambda: {message["mId"] for message in told(twin, "msg_ack")} != acknowledged)


HARMLESS = [
    MentraFaults(not_announced=True),
    MentraFaults(repeat_packet=2),
    MentraFaults(swap_packet=1),
    MentraFaults(swap_packet=0, not_announced=True),
    MentraFaults(wrong_pack_size=True),
    MentraFaults(inflated_size=True, mtu=256),
    MentraFaults(inflated_size=True, mtu=256, not_announced=True),
    MentraFaults(inflated_size=True, mtu=256, not_announced=True, swap_packet=0),
]


@pytest.mark.parametrize("size", [300, 442, 1000, 4400])
@pytest.mark.parametrize("faults", HARMLESS, ids=changed)
async def test_harmless_oddities_of_packets(open_mentra: Any, make_jpeg: Make, until: Any, faults: MentraFaults, size: int) -> None:
    twin = SimulatedMentra([make_jpeg(size)], faults=faults, pace=AT_ONCE)
    glasses, heard = await open_mentra(twin)
    await glasses.take_photo()
    await until(lambda: twin.confirmations)
    assert twin.confirmations == [True]
    assert await fetched(glasses, heard.offers[0]) == make_jpeg(size)
    assert heard.damaged == []


MENDED = [
    MentraFaults(lose_packet=0, times=1),
    MentraFaults(lose_packet=3, times=2),
    MentraFaults(lose_packet=9, times=1),
    MentraFaults(lose_packet=9, times=1, not_announced=True),
    MentraFaults(deaf_to_confirmation=True),
]


@pytest.mark.parametrize("faults", MENDED, ids=changed)
async def test_what_is_lost_is_sent_again(open_mentra: Any, make_jpeg: Make, until: Any, faults: MentraFaults) -> None:
    twin = SimulatedMentra([make_jpeg(3900)], faults=faults, pace=AT_ONCE)
    glasses, heard = await open_mentra(twin)
    await glasses.take_photo()
    await until(lambda: twin.transfers >= 2 and twin.confirmations[-1:] == [True])
    await asyncio.sleep(10)
    assert len(heard.offers) == 1
    assert await fetched(glasses, heard.offers[0]) == make_jpeg(3900)
    assert heard.damaged == []
    assert glasses.status.damaged == 0


GIVEN_UP = [
    (MentraFaults(lose_packet=3), "parts were lost"),
    (MentraFaults(mtu=247, ignores_mtu=True), "parts were lost"),
    (MentraFaults(trailing=b"trailing"), "no picture"),
    (MentraFaults(endless_packets=True, not_announced=True), "larger than"),
]


@pytest.mark.parametrize(("faults", "word"), GIVEN_UP, ids=changed)
async def test_what_never_arrives_whole_is_counted(open_mentra: Any, make_jpeg: Make, until: Any, faults: MentraFaults, word: str) -> None:
    twin = SimulatedMentra([make_jpeg(3900)], faults=faults, pace=replace(AT_ONCE, chunk=0.001))
    glasses, heard = await open_mentra(twin)
    with pytest.raises((ProtocolFault, CameraSilent)) as caught:
        await glasses.take_photo()
    assert caught.value.action
    assert heard.offers == []
    if not faults.ignores_mtu:  # of cut packets nothing can be read, not even which file they were of
        assert len(heard.damaged) == 1
        assert word in heard.damaged[0]
        assert glasses.status.damaged == 1


async def test_avif_with_something_behind_it(open_mentra: Any, until: Any) -> None:
    glasses, heard = await open_mentra(SimulatedMentra([AVIF], faults=MentraFaults(trailing=b"Exif\x00\x00II*\x00"), pace=AT_ONCE))
    await glasses.take_photo()
    assert heard.offers[0].media_type == "image/avif"
    assert await fetched(glasses, heard.offers[0]) == AVIF + b"Exif\x00\x00II*\x00"


@pytest.mark.parametrize("code", ["BATTERY_LOW", "CAMERA_BUSY", "WHAT_EVER", "x" * 900])
async def test_a_refusal_is_put_in_words(open_mentra: Any, make_jpeg: Make, code: str) -> None:
    glasses, _ = await open_mentra(SimulatedMentra([make_jpeg(500)], faults=MentraFaults(photo_error=code), pace=AT_ONCE))
    with pytest.raises(CameraSilent) as caught:
        await glasses.take_photo()
    assert caught.value.action
    assert code not in str(caught.value)


async def test_a_silent_camera(open_mentra: Any, make_jpeg: Make) -> None:
    glasses, _ = await open_mentra(SimulatedMentra([make_jpeg(500)], faults=MentraFaults(camera_silent=True), pace=AT_ONCE))
    with pytest.raises(CameraSilent):
        await glasses.take_photo()


async def test_glasses_that_start_anew_in_mid_photo(open_mentra: Any, make_jpeg: Make, until: Any) -> None:
    twin = SimulatedMentra([make_jpeg(4000)], faults=MentraFaults(restart_after_packet=4, times=1), pace=AT_ONCE)
    glasses, heard = await open_mentra(twin)
    with pytest.raises(ProtocolFault):
        await glasses.take_photo()
    await until(lambda: heard.damaged)
    assert heard.damaged == ["the glasses started anew while it was on its way"]
    await until(lambda: len(told(twin, "set_ble_mtu")) == 2)
    await glasses.take_photo()
    assert await fetched(glasses, heard.offers[0]) == make_jpeg(4000)


async def test_a_link_that_drops_in_mid_photo(open_mentra: Any, make_jpeg: Make) -> None:
    twin = SimulatedMentra([make_jpeg(4000)], faults=MentraFaults(drop_link_after_packet=4, times=1), pace=replace(AT_ONCE, chunk=0.001))
    glasses, heard = await open_mentra(twin)
    with pytest.raises(LinkLost):
        await glasses.take_photo()
    await heard.task
    assert heard.damaged == ["the link was lost while it was on its way"]
    assert heard.events[-1] == LinkClosed(wanted=False)
    for asked in (glasses.take_photo(), glasses.set_continuous(False), glasses.open_wifi(own_network=True)):
        with pytest.raises(LinkLost):
            await asked
    again, heard = await open_mentra(twin)
    await again.take_photo()
    assert await fetched(again, heard.offers[0]) == make_jpeg(4000)


async def test_photos_nobody_released_never_give_way(open_mentra: Any, make_jpeg: Make, until: Any) -> None:
    twin = SimulatedMentra([make_jpeg(300)], pace=AT_ONCE)
    glasses, heard = await open_mentra(twin)
    for _ in range(MOST_HELD):
        await glasses.take_photo()
    with pytest.raises(GlassesError):
        await glasses.take_photo()
    assert len(heard.damaged) == 1
    assert await fetched(glasses, heard.offers[5]) == make_jpeg(300)
    with pytest.raises(GlassesError, match="already waiting"):
        await glasses.take_photo()
    await glasses.release(heard.offers[5].id)
    await glasses.take_photo()
    assert len(heard.offers) == MOST_HELD + 1
    with pytest.raises(ProtocolFault):
        await fetched(glasses, heard.offers[5])
    assert await fetched(glasses, heard.offers[0]) == make_jpeg(300)


async def test_no_capture_at_intervals(open_mentra: Any, make_jpeg: Make) -> None:
    glasses, _ = await open_mentra(SimulatedMentra([make_jpeg(500)], pace=AT_ONCE))
    await glasses.set_continuous(False)
    assert glasses.status.continuous is False
    with pytest.raises(Unsupported):
        await glasses.set_continuous(True)


async def test_leaving(open_mentra: Any, make_jpeg: Make) -> None:
    twin = SimulatedMentra([make_jpeg(500)], pace=AT_ONCE)
    glasses, heard = await open_mentra(twin)
    await glasses.close()
    await heard.task
    assert heard.events[-1] == LinkClosed(wanted=True)
    await glasses.close()
    assert not twin.connected


async def test_glasses_whose_application_never_starts(open_mentra: Any, make_jpeg: Make) -> None:
    twin = SimulatedMentra([make_jpeg(500)], faults=MentraFaults(boot_seconds=1000), pace=AT_ONCE)
    with pytest.raises(ProtocolFault) as caught:
        await open_mentra(twin)
    assert "starting" in caught.value.why
    assert not twin.connected


async def test_a_word_that_can_not_be_said_ends_the_link(open_mentra: Any, make_jpeg: Make) -> None:
    """A system may refuse a write on a link that stands: whoever waits for more to be said must not wait for ever."""
    twin = SimulatedMentra([make_jpeg(500)], pace=AT_ONCE)
    glasses, heard = await open_mentra(twin)

    async def refused(*_: Any, **__: Any) -> None:
        raise ProtocolFault("no")

    glasses._port.write = refused  # type: ignore[method-assign]
    with pytest.raises(LinkLost):
        await glasses.open_wifi(own_network=True)
    async with asyncio.timeout(30):
        await heard.task
        await glasses.close()
    assert heard.events[-1] == LinkClosed(wanted=False)
    assert not twin.connected


async def test_what_is_no_pair_of_mentra_live(open_mentra: Any) -> None:
    with pytest.raises(NotGlasses):
        await open_mentra(SimulatedNecklace(pace=AT_ONCE))


async def test_without_a_way_to_the_network(open_mentra: Any, make_jpeg: Make) -> None:
    glasses, _ = await open_mentra(SimulatedMentra([make_jpeg(500)], pace=AT_ONCE))
    with pytest.raises(NotReachable):
        await glasses.look_over_wifi()


def test_recognised_by_service_name_or_maker() -> None:
    driver = MentraDriver()
    assert driver.recognises(Advertisement("a", "", -50, frozenset({profile.SERVICE})))
    for name in ("Xy_A", "XYBLE_12", "Mentra_Live_BLE_0A1B", "mentra_live_x"):
        assert driver.recognises(Advertisement("a", name, -50))
    assert driver.recognises(Advertisement("a", "", -50, manufacturer_data={0xB822: b"x"}))
    assert not driver.recognises(Advertisement("a", "Xy_AB", -50))


def test_what_the_advertisement_says_of_pairing() -> None:
    golden = bytes.fromhex("000000000001020134124d50")
    assert profile.pairing_advert({0xB822: golden}) == PairingAdvert(code="1234")
    closed = golden[:5] + b"\x00" + golden[6:]
    assert not profile.pairing_advert({0xB822: closed}).pairable
    assert profile.pairing_advert({0xB822: closed[:7] + b"\x00" + closed[8:]}) == PairingAdvert(), "firmware that pairs with anybody"
    for legacy in ({}, {0xB822: b""}, {0xB822: golden[:11]}, {0xB822: golden[:6] + b"\x01" + golden[7:]}, {1: golden}):
        assert profile.pairing_advert(legacy) == PairingAdvert()


def test_the_twin_says_the_same_in_its_advertisement(make_jpeg: Make) -> None:
    twin = SimulatedMentra([make_jpeg(9)], pairing=PairingAdvert(code="1234"))
    assert b"MP" in b"".join(bytes(part) for part in twin._advertisement())


async def test_what_the_glasses_ask_for_never_piles_up(open_mentra: Any, make_jpeg: Make, until: Any) -> None:
    """Restarts, messages to acknowledge and files to confirm, faster than answers can go out."""
    glasses, _ = await open_mentra(SimulatedMentra([make_jpeg(500)], pace=AT_ONCE))
    link, session = glasses._link, glasses._session
    for number in range(2000):
        session.message_heard({"type": "glasses_ready", "sid": f"{number:08x}"})
        session._confirm("I1", good=False)
        link._take({"type": "noise", "mId": number})
    assert len(link._outbox) <= MOST_WAITING
    assert len(link._tasks) < 5
    await until(lambda: not link._outbox)
    await until(lambda: len(link._tasks) < 3)
    await glasses.take_photo()


async def test_glasses_that_never_stop_asking_are_left(open_mentra: Any, make_jpeg: Make) -> None:
    glasses, _ = await open_mentra(SimulatedMentra([make_jpeg(500)], pace=AT_ONCE))

    async def ask() -> None:
        for number in itertools.count(1000):
            glasses._link._take({"type": "noise", "mId": number})
            await asyncio.sleep(0.01)

    asking = asyncio.create_task(ask())
    async with asyncio.timeout(30):
        await glasses.close()
    asking.cancel()
