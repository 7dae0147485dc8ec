"""The driver of HeyCyan glasses against simulated ones, over Bluetooth and Wi-Fi, fault by fault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from ble.drivers import heycyan_wire as wire
from ble.drivers.heycyan import TRANSFER_WAITS, HeycyanDriver, HeycyanGlasses
from ble.drivers.heycyan_wire import Mode, check_write
from ble.drivers.session import MOST_HELD
from ble.errors import CameraSilent, GlassesError, LinkLost, NotGlasses, ProtocolFault, Unsupported
from ble.http_port import CutShort, NotReachable, WifiGlasses, WifiInvitation
from ble.sim.faults import AT_ONCE
from ble.sim.heycyan import HeycyanFaults, SimulatedHeycyan
from ble.sim.omi import SimulatedNecklace
from ble.types import Advertisement, Capability, CaptureKind, LinkClosed, Offer, Stored
from tests.ble.direct_http import DirectHttp
from tests.ble.driving import Listener, Make, fetched


@dataclass
class Pair:
    twin: SimulatedHeycyan
    glasses: HeycyanGlasses
    heard: Listener

    async def get(self, offer: Offer, offset: int = 0) -> bytes:
        return await fetched(self.glasses, offer, offset)


@pytest.fixture
async def pair(rig: Any, make_jpeg: Make) -> AsyncIterator[Callable[..., Any]]:
    twins: list[SimulatedHeycyan] = []

    async def opened(*pictures: bytes, files: dict[str, bytes] | None = None, twin: SimulatedHeycyan | None = None, **faults: Any) -> Pair:
        made = twin or SimulatedHeycyan(pictures or (make_jpeg(9000),), faults=HeycyanFaults(**faults), pace=AT_ONCE, files=files)
        twins.append(made)
        glasses, heard = await rig.connect(HeycyanDriver(DirectHttp(made), simulated=True), made)
        return Pair(made, glasses, heard)

    yield opened
    for twin in twins:
        assert twin.destroyed == []
        for frame in twin.frames:
            check_write(frame)


async def test_the_beginning(pair: Any) -> None:
    p = await pair()
    glasses = p.glasses
    assert isinstance(glasses, WifiGlasses)
    assert glasses.status.battery == 87
    assert glasses.status.stored == Stored(1)
    assert (glasses.info.firmware, glasses.info.hardware) == ("A02E02_3.20_251014", "A02E02_V3.2")
    assert any("Experimental" in caution for caution in glasses.capabilities.cautions)
    assert HeycyanDriver().cautions("heycyan") == glasses.capabilities.cautions
    assert not {Capability.RESUME, Capability.RELEASE} & glasses.capabilities.features
    assert p.twin.frames[0][1] == wire.SET_TIME
    assert p.twin.frames[0][-1] == 2
    p.twin.charge = 60
    p.twin.say(wire.REPORT, b"\x05\x3c\x00")
    await asyncio.sleep(0.1)
    assert glasses.status.battery == 60
    p.twin.say(wire.REPORT, b"\x01\x05\x00\x01\x00\x00\x00\x00")
    await asyncio.sleep(0.1)
    assert glasses.status.stored == Stored(5, 1)


@pytest.mark.parametrize(
    "faults",
    [
        {},
        {"split": 3},
        {"split": 7, "page_bytes": 100},
        {"stray": b"\xbcrest of something"},
        {"stray": b"\x00" * 30},
        {"bad_page_crc": 2},
        {"bad_page_crc": 10**6},
        {"bad_crc": 10**6, "bad_page_crc": 10**6},
        {"stuck_in_transfer": True},
        {"mtu": 23},
    ],
    ids=str,
)
async def test_a_small_photo(pair: Any, make_jpeg: Make, faults: dict[str, Any]) -> None:
    p = await pair(make_jpeg(9000), **faults)
    await p.glasses.take_photo()
    await asyncio.sleep(0.1)
    (offer,) = p.heard.offers
    assert (offer.kind, offer.media_type, offer.size) == (CaptureKind.PHOTO, "image/jpeg", 9000)
    assert await p.get(offer) == make_jpeg(9000)
    assert await p.get(offer, 8000) == make_jpeg(9000)[8000:]
    assert p.heard.damaged == []
    await p.glasses.release(offer.id)
    with pytest.raises(ProtocolFault):
        await p.get(offer)


@pytest.mark.parametrize(
    "faults", [{"lose_page": 3}, {"pages_stated": 60_000}, {"pages_stated": 0}, {"pages_stated": 5}, {"pages_stated": 400}], ids=str
)
async def test_a_photo_that_never_arrives_whole(pair: Any, make_jpeg: Make, faults: dict[str, Any]) -> None:
    p = await pair(make_jpeg(9000), **faults)
    with pytest.raises(ProtocolFault):
        await p.glasses.take_photo()
    await asyncio.sleep(0.1)
    assert len(p.heard.damaged) == 1
    assert p.heard.offers == []
    assert p.glasses.status.damaged == 1


async def test_a_silent_camera(pair: Any) -> None:
    p = await pair(camera_silent=True)
    with pytest.raises(CameraSilent):
        await p.glasses.take_photo()


async def test_photos_nobody_released_never_give_way(pair: Any, make_jpeg: Make) -> None:
    p = await pair(make_jpeg(300))
    for _ in range(MOST_HELD):
        await p.glasses.take_photo()
    with pytest.raises(GlassesError):
        await p.glasses.take_photo()
    assert await p.get(p.heard.offers[3]) == make_jpeg(300)
    with pytest.raises(GlassesError):
        await p.glasses.take_photo()
    await p.glasses.release(p.heard.offers[3].id)
    await p.glasses.take_photo()
    assert await p.get(p.heard.offers[0]) == make_jpeg(300)
    with pytest.raises(ProtocolFault):
        await p.get(p.heard.offers[3])


async def test_a_link_that_drops(pair: Any, make_jpeg: Make) -> None:
    p = await pair(make_jpeg(9000), lose_page=2)
    order = asyncio.get_running_loop().create_task(p.glasses.take_photo())
    await asyncio.sleep(1)
    await p.twin.drop_link()
    with pytest.raises(LinkLost):
        await order
    await p.heard.task
    assert p.heard.damaged == ["the link was lost while it was on its way"]
    assert p.glasses.status.damaged == 1
    assert p.heard.events[-1] == LinkClosed(wanted=False)
    for work in (p.glasses.take_photo(), p.glasses.set_continuous(False), p.glasses.open_wifi(own_network=True)):
        with pytest.raises(LinkLost):
            await work
    again = await pair(twin=p.twin)
    assert again.glasses.status.battery == 87


async def test_no_capture_at_intervals(pair: Any) -> None:
    p = await pair()
    await p.glasses.set_continuous(False)
    with pytest.raises(Unsupported):
        await p.glasses.set_continuous(True)


async def test_what_is_no_pair_of_them(rig: Any) -> None:
    necklace = SimulatedNecklace(pace=AT_ONCE)
    await rig.air.add(necklace)
    with pytest.raises(NotGlasses):
        await HeycyanDriver().open(rig.airwaves.port(rig.air.address_of(necklace)), continuous=False)


def test_recognised_by_service_or_name() -> None:
    driver = HeycyanDriver()
    assert driver.recognises(Advertisement("a", "", -50, frozenset({wire.SERVICE})))
    for name in ("CY01_1234", "M01_9FD8", "M02S_1", "O_1"):
        assert driver.recognises(Advertisement("a", name, -50))
    assert not driver.recognises(Advertisement("a", "OMI Glass", -50))


# -- Wi-Fi --------------------------------------------------------------------------------------------------------------------------

MP4 = b"\x00\x00\x00\x18ftypmp42" + bytes(70_000) + b"moov" + bytes(100_000)


async def test_files_over_wifi(pair: Any, make_jpeg: Make) -> None:
    files = {"a_1.jpg": make_jpeg(200_000), "b.mp4": MP4, "c.opus": b"\x48opus packets"}
    p = await pair(files=files)
    assert await p.glasses.open_wifi(own_network=True) == WifiInvitation("M01_C93A46F29FD8", "123456789")
    with pytest.raises(Unsupported):
        await p.glasses.take_photo()
    assert await p.glasses.look_over_wifi() == 3
    assert await p.glasses.look_over_wifi() == 0
    await asyncio.sleep(0.1)
    assert [offer.kind for offer in p.heard.offers] == [CaptureKind.PHOTO, CaptureKind.VIDEO, CaptureKind.SOUND]
    for offer in p.heard.offers:
        assert await p.get(offer) == files[offer.id]
        assert await p.get(offer, 7) == files[offer.id][7:]
        await p.glasses.release(offer.id)
    await p.glasses.close_wifi()
    assert p.twin.mode == 0
    with pytest.raises(NotReachable):
        await p.get(p.heard.offers[0])
    with pytest.raises(NotReachable):
        await p.glasses.look_over_wifi()
    await p.glasses.take_photo()


async def test_leaving_always_ends_the_transfer_mode(pair: Any) -> None:
    p = await pair()
    await p.glasses.open_wifi(own_network=True)
    assert p.twin.mode == Mode.TRANSFER
    await p.glasses.close()
    assert p.twin.mode == 0


@pytest.mark.parametrize(
    "faults",
    [
        {"deaf_to_transfer": 1},
        {"deaf_to_transfer": 2},
        {"busy": 1},
        {"no_report": True},
        {"report_first": True},
        {"list_errors": 4},
        {"cut_after": 1000, "cuts": 2},
        {"server_error": 2},
        {"wifi_fails": 1},
        {"split": 3},
    ],
    ids=str,
)
async def test_oddities_of_wifi(pair: Any, make_jpeg: Make, faults: dict[str, Any]) -> None:
    p = await pair(make_jpeg(150_000), **faults)
    await p.glasses.open_wifi(own_network=True)
    await asyncio.sleep(0.5)
    assert await p.glasses.look_over_wifi() == 1
    await asyncio.sleep(0.1)
    assert await p.get(p.heard.offers[0]) == make_jpeg(150_000)


@pytest.mark.parametrize(
    ("faults", "error"),
    [({"deaf_to_transfer": 9}, ProtocolFault), ({"busy": 9}, ProtocolFault), ({"no_network": True}, Unsupported)],
    ids=str,
)
async def test_no_wifi(pair: Any, faults: dict[str, Any], error: type[Exception]) -> None:
    p = await pair(**faults)
    with pytest.raises(error):
        await p.glasses.open_wifi(own_network=True)
    assert p.twin.mode == 0
    with pytest.raises(Unsupported):
        await p.glasses.open_wifi(own_network=False)


@pytest.mark.parametrize(
    ("faults", "error"),
    [
        ({"announced": bytes([8, 8, 8, 8])}, ProtocolFault),
        ({"announced": bytes([192, 168, 1, 1])}, ProtocolFault),
        ({"announced": bytes([127, 0, 0, 1, 0, 0])}, ProtocolFault),
        ({"announced": bytes([127, 0, 0, 1])}, NotReachable),
        ({"redirect_to": "http://10.0.0.1/"}, ProtocolFault),
        ({"list_body": b"x\n" * 10_001}, ProtocolFault),
        ({"list_body": b"x" * (1 << 20)}, ProtocolFault),
        ({"list_errors": 10**6}, NotReachable),
    ],
    ids=str,
)
async def test_hostile_or_broken_wifi(pair: Any, faults: dict[str, Any], error: type[Exception]) -> None:
    p = await pair(**faults)
    await p.glasses.open_wifi(own_network=True)
    with pytest.raises(error):
        await p.glasses.look_over_wifi()
    assert p.heard.offers == []


@pytest.mark.parametrize(
    ("files", "faults", "error"),
    [
        ({"a.jpg": b"\xff\xd8" + bytes(900)}, {}, ProtocolFault),
        ({"a.mp4": bytes(900)}, {}, ProtocolFault),
        ({"a.opus": b""}, {}, ProtocolFault),
        ({"a.jpg": b"\xff\xd8" + bytes(90_000) + b"\xff\xd9"}, {"cut_after": 1000}, CutShort),
        ({"a.jpg": b"\xff\xd8" + bytes(90_000) + b"\xff\xd9"}, {"cut_after": 1000, "cuts": 1, "changes_file": True}, ProtocolFault),
        ({"a.jpg": b""}, {"endless_file": True}, ProtocolFault),
        ({"a.jpg": b"\xff\xd8\xff\xd9"}, {"server_error": 99}, CutShort),
    ],
    ids=str,
)
async def test_files_that_never_arrive_whole(pair: Any, files: dict[str, bytes], faults: dict[str, Any], error: type[Exception]) -> None:
    p = await pair(files=files, **faults)
    await p.glasses.open_wifi(own_network=True)
    assert await p.glasses.look_over_wifi() == 1
    await asyncio.sleep(0.1)
    with pytest.raises(error):
        await p.get(p.heard.offers[0])


async def test_a_file_under_way_ends_when_their_wifi_is_closed(pair: Any) -> None:
    """However long the file is, and though they go on sending it."""
    p = await pair(files={"a.mp4": b""}, endless_file=True)
    await p.glasses.open_wifi(own_network=True)
    await p.glasses.look_over_wifi()
    await asyncio.sleep(0.1)
    pieces = p.glasses.fetch(p.heard.offers[0].id)
    assert await anext(pieces)
    await p.glasses.close_wifi()
    with pytest.raises(NotReachable):
        await anext(pieces)


async def test_a_no_to_the_last_order_is_not_slept_over(pair: Any) -> None:
    p = await pair(busy=9)
    begun = asyncio.get_running_loop().time()
    with pytest.raises(ProtocolFault):
        await p.glasses.open_wifi(own_network=True)
    assert asyncio.get_running_loop().time() - begun < sum(TRANSFER_WAITS[:-1]) + 1


async def test_a_file_that_is_gone(pair: Any) -> None:
    p = await pair()
    await p.glasses.open_wifi(own_network=True)
    await p.glasses.look_over_wifi()
    await asyncio.sleep(0.1)
    p.twin.files.clear()
    with pytest.raises(ProtocolFault):
        await p.get(p.heard.offers[0])


async def test_names_that_lead_elsewhere_are_counted(pair: Any) -> None:
    body = (
        b"../../etc/passwd.jpg\r\n/a.jpg\r\na..b.jpg\r\n\r\n.h.jpg\r\nx.exe\r\na b.jpg\r\n"
        + b"y" * 300
        + b".jpg\r\ngood.jpg\r\ngood.jpg\r\n \r\n"
    )
    p = await pair(list_body=body, files={"good.jpg": b"\xff\xd8\xff\xd9"})
    await p.glasses.open_wifi(own_network=True)
    assert await p.glasses.look_over_wifi() == 1
    await p.glasses.look_over_wifi()
    await asyncio.sleep(0.1)
    assert len(p.heard.damaged) == 1
    assert "7 captures" in p.heard.damaged[0]
    assert await p.get(p.heard.offers[0]) == b"\xff\xd8\xff\xd9"


async def test_many_files_are_offered_as_others_are_fetched(pair: Any, make_jpeg: Make) -> None:
    p = await pair(files={f"{n}.jpg": make_jpeg(200) for n in range(150)})
    await p.glasses.open_wifi(own_network=True)
    assert await p.glasses.look_over_wifi() == 150
    for number in range(150):
        await asyncio.sleep(0.01)
        await p.get(p.heard.offers[number])
    assert len({offer.id for offer in p.heard.offers}) == 150
