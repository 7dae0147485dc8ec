"""Mentra Live over Wi-Fi: the gallery of the simulated glasses, fetched with resume and checks, fault by fault; no socket is needed."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from ble.drivers import mentra_gallery as gallery
from ble.drivers.mentra import MentraDriver
from ble.drivers.mentra_fetch import Busy
from ble.drivers.mentra_glasses import MentraGlasses
from ble.drivers.shelf import MOST_OFFERED
from ble.errors import ProtocolFault, Unsupported
from ble.http_port import CutShort, NotReachable, WifiInvitation, WifiTrouble
from ble.sim.faults import AT_ONCE
from ble.sim.loopback_http import ENDLESS, asked
from ble.sim.mentra import SimulatedMentra
from ble.sim.mentra_faults import MentraFaults
from ble.types import Capability, CaptureKind, Offer
from tests.ble.direct_http import DirectHttp
from tests.ble.driving import Listener, Make, fetched

CLIP = b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 1200


@dataclass
class Pair:
    twin: SimulatedMentra
    glasses: MentraGlasses
    heard: Listener
    http: DirectHttp

    async def get(self, offer: Offer | None = None, offset: int = 0) -> bytes:
        return await fetched(self.glasses, offer or self.heard.offers[0], offset)


@pytest.fixture
def pair(rig: Any, make_jpeg: Make) -> Callable[..., Any]:
    async def opened(*pictures: bytes, look: bool = True, **settings: Any) -> Pair:
        faults = MentraFaults(**{name: settings.pop(name) for name in list(settings) if name in MentraFaults.__slots__})
        twin = SimulatedMentra(pictures or (make_jpeg(200_000),), faults=faults, pace=AT_ONCE, **{"stored": 1} | settings)
        http = DirectHttp(twin)
        glasses, heard = await rig.connect(MentraDriver(http, simulated=True), twin)
        if look:
            await glasses.open_wifi(own_network=True)
            await glasses.look_over_wifi()
            await asyncio.sleep(0.1)
        return Pair(twin, glasses, heard, http)

    return opened


async def test_captures_over_the_glasses_own_network(pair: Any, make_jpeg: Make) -> None:
    pictures = (make_jpeg(200_000), make_jpeg(3000))
    p = await pair(*pictures, look=False, stored=2, clips=[CLIP])
    assert await p.glasses.open_wifi(own_network=True) == WifiInvitation("MentraLive-0001", "pass-0001")
    assert await p.glasses.look_over_wifi() == 3
    assert await p.glasses.look_over_wifi() == 0
    await asyncio.sleep(0.1)
    assert [offer.kind for offer in p.heard.offers] == [CaptureKind.VIDEO, CaptureKind.PHOTO, CaptureKind.PHOTO]
    assert p.heard.offers[0].media_type == "video/mp4"
    assert [offer.size for offer in p.heard.offers] == [len(CLIP), 3000, 200_000]
    assert [await p.get(offer) for offer in p.heard.offers] == [CLIP, pictures[1], pictures[0]]
    assert p.glasses.capabilities.features >= {Capability.RESUME, Capability.RELEASE}
    assert p.heard.offers[0].sha256 == hashlib.sha256(CLIP).digest()
    assert p.heard.damaged == []
    assert len({offer.id for offer in p.heard.offers}) == 3
    assert all(offer.taken_at <= datetime.now(UTC) for offer in p.heard.offers)


async def test_captures_over_a_network_both_are_on(pair: Any, make_jpeg: Make) -> None:
    p = await pair(look=False)
    assert await p.glasses.open_wifi(own_network=False) is None
    assert await p.glasses.look_over_wifi() == 1
    await asyncio.sleep(0.1)
    assert await p.get() == make_jpeg(200_000)
    await p.glasses.close_wifi()
    await asyncio.sleep(1)
    assert p.twin.http.address == ""
    with pytest.raises(NotReachable):
        await p.get()


async def test_glasses_on_no_network(pair: Any) -> None:
    p = await pair(look=False, on_network=False)
    with pytest.raises(Unsupported):
        await p.glasses.open_wifi(own_network=False)


async def test_resume_from_any_offset(pair: Any, make_jpeg: Make) -> None:
    p = await pair()
    for offset in (1, 100_000, 199_999, 200_000, 10**9):
        assert await p.get(offset=offset) == make_jpeg(200_000)[offset:]
    ranged = [dict(request.headers) for request in p.http.requests if request.headers]
    assert [headers["range"] for headers in ranged] == ["bytes=1-", "bytes=100000-", "bytes=199999-"]
    assert all(headers["if-range"].startswith('"') for headers in ranged)


@pytest.mark.parametrize("faults", [{"cut_after": 70_000}, {"cut_after": 100, "cuts": 3}, {"server_error": 3}, {"cut_after": 0, "cuts": 1}])
@pytest.mark.parametrize("other", [{}, {"without_range": True}, {"old_build": True}])
async def test_what_breaks_off_is_gone_on_with(pair: Any, make_jpeg: Make, faults: dict[str, Any], other: dict[str, Any]) -> None:
    if other and faults == {"cut_after": 70_000}:
        faults = {"cut_after": 70_000, "cuts": 4}
    p = await pair(**faults, **other)
    assert await p.get() == make_jpeg(200_000)
    assert p.http.given_out == 0


async def test_a_transfer_that_never_gets_on_ends(pair: Any) -> None:
    p = await pair(cut_after=10)
    with pytest.raises(CutShort):
        await p.get()
    assert sum(1 for request in p.http.requests if "download" in request.path) <= 6


async def test_an_old_server_whose_cut_transfer_looks_whole(pair: Any, make_jpeg: Make) -> None:
    p = await pair(old_build=True, cut_after=150_000, cuts=1)
    assert await p.get() == make_jpeg(200_000)
    assert not {Capability.RESUME, Capability.RELEASE} & p.glasses.capabilities.features
    await p.glasses.release(p.heard.offers[0].id)
    assert len(p.twin.shelf.shots) == 1
    assert p.heard.offers[0].sha256 is None


async def test_a_file_that_changes_under_way(pair: Any) -> None:
    p = await pair(changes_file=True, cut_after=100_000)
    with pytest.raises(ProtocolFault) as caught:
        await p.get()
    assert "changed" in caught.value.what


async def test_a_wrong_digest(pair: Any) -> None:
    p = await pair(wrong_hash=True)
    with pytest.raises(ProtocolFault) as caught:
        await p.get()
    assert "digest" in caught.value.why


@pytest.mark.parametrize("old", [False, True])
async def test_a_capture_still_being_recorded(pair: Any, old: bool) -> None:
    p = await pair(recording=True, old_build=old)
    with pytest.raises(Busy):
        await p.get()


@pytest.mark.parametrize("after", [1, 2, 3, 4])
async def test_too_many_requests(pair: Any, make_jpeg: Make, after: int) -> None:
    p = await pair(too_many_after=after)
    begun = asyncio.get_running_loop().time()
    assert await p.get() == make_jpeg(200_000)
    if after > 3:
        assert asyncio.get_running_loop().time() - begun > 10


async def test_a_gallery_of_many_pages(pair: Any, make_jpeg: Make) -> None:
    for settings in ({}, {"old_build": True}, {"slow_list": True}):
        p = await pair(make_jpeg(300), stored=230, look=False, **settings)
        await p.glasses.open_wifi(own_network=True)
        assert await p.glasses.look_over_wifi() == 230
        await asyncio.sleep(0.1)
        assert len(p.heard.offers) == MOST_OFFERED
        for number in range(230):  # more are offered as these are fetched
            await p.get(p.heard.offers[number])
            await asyncio.sleep(0.001)
        assert len({offer.id for offer in p.heard.offers}) == 230
        assert p.heard.damaged == []
        assert await p.glasses.look_over_wifi() == 0


async def test_what_is_safe_already_is_skipped_and_the_rest_offered(pair: Any, make_jpeg: Make) -> None:
    p = await pair(make_jpeg(300), stored=3 * MOST_OFFERED, look=False)
    await p.glasses.open_wifi(own_network=True)
    await p.glasses.look_over_wifi()
    await asyncio.sleep(0.1)
    safe = {offer.id for offer in p.heard.offers}
    assert len(safe) == MOST_OFFERED
    await p.glasses.close_wifi()
    await p.glasses.open_wifi(own_network=True)
    assert await p.glasses.look_over_wifi(skip=lambda offer: offer.id in safe) == 2 * MOST_OFFERED
    await asyncio.sleep(0.1)
    assert len(p.heard.offers) == 2 * MOST_OFFERED
    assert p.glasses.left_over_wifi() == 2 * MOST_OFFERED
    assert not safe & {offer.id for offer in p.heard.offers[MOST_OFFERED:]}


async def test_the_digest_comes_with_the_offer(pair: Any, make_jpeg: Make) -> None:
    p = await pair()
    assert p.heard.offers[0].sha256 == hashlib.sha256(make_jpeg(200_000)).digest()
    await p.get()
    assert sum(1 for request in p.http.requests if "hash" in request.path) == 1


async def test_a_capture_that_could_not_be_fetched_is_offered_again(pair: Any) -> None:
    p = await pair(server_error=6)
    assert p.heard.offers[0].sha256 is None  # they could not say
    with pytest.raises(CutShort):
        await p.get()
    assert await p.glasses.look_over_wifi() == 1
    await p.get()
    assert await p.glasses.look_over_wifi() == 0


async def test_captures_not_fetched_are_offered_again(pair: Any) -> None:
    p = await pair()
    await p.glasses.close_wifi()
    await p.glasses.open_wifi(own_network=True)
    assert await p.glasses.look_over_wifi() == 1
    assert (await p.get())[:2] == b"\xff\xd8"
    await p.glasses.close_wifi()
    await p.glasses.open_wifi(own_network=True)
    assert await p.glasses.look_over_wifi(skip=lambda offer: offer.stored) == 0


async def test_released_captures_go_to_the_trash_when_all_of_them_is_safe(pair: Any, make_jpeg: Make) -> None:
    p = await pair(look=False)
    shot = p.twin.shelf.shots[0]
    p.twin.shelf.add_bracket(shot, make_jpeg(400))
    await p.glasses.open_wifi(own_network=True)
    assert await p.glasses.look_over_wifi() == 2
    await asyncio.sleep(0.1)
    await p.get(p.heard.offers[0])
    assert p.twin.shelf.trashed == {}
    await p.glasses.release(p.heard.offers[0].id)
    assert p.twin.shelf.trashed == {}
    await p.glasses.release(p.heard.offers[1].id)
    assert list(p.twin.shelf.trashed) == [shot.id]
    await p.glasses.release(p.heard.offers[1].id)
    await p.glasses.release("unknown")
    acknowledged = [json.loads(request.body) for request in p.http.requests if request.body]
    assert {each["capture_id"] for each in acknowledged} == {shot.id}
    assert len({each["ack_id"] for each in acknowledged}) == 1
    restored = p.twin.shelf.respond(asked("POST", "/api/v3/restore", {}, json.dumps({"capture_id": shot.id}).encode()))
    assert restored.status == 200
    assert len(p.twin.shelf.shots) == 1


async def test_a_photo_taken_while_the_gallery_is_open(pair: Any, make_jpeg: Make) -> None:
    for old in (False, True):
        p = await pair(make_jpeg(40_000), stored=0, old_build=old)
        await p.glasses.take_photo()
        await asyncio.sleep(3)
        offers = [offer for offer in p.heard.offers if not offer.id.startswith("ble:")]
        if not old:
            assert len(p.heard.offers) == 1
            assert await p.get(offers[0]) == make_jpeg(40_000)
        else:
            assert p.heard.offers


@pytest.mark.parametrize("late", [10.0, 70.0])
async def test_a_network_that_takes_its_time(pair: Any, late: float) -> None:
    p = await pair(hotspot_late=late)
    assert len(p.heard.offers) == 1


async def test_a_network_that_never_comes(pair: Any) -> None:
    p = await pair(hotspot_late=1000.0, look=False)
    await p.glasses.open_wifi(own_network=True)
    begun = asyncio.get_running_loop().time()
    with pytest.raises(NotReachable):
        await p.glasses.look_over_wifi()
    assert 80 < asyncio.get_running_loop().time() - begun <= 96


async def test_a_hotspot_that_goes_off_when_idle(pair: Any, make_jpeg: Make) -> None:
    p = await pair(hotspot_idle=120.0)
    await asyncio.sleep(130)
    with pytest.raises(WifiTrouble):
        await p.get()
    await p.glasses.open_wifi(own_network=True)
    assert await p.glasses.look_over_wifi() == 1
    assert await p.get() == make_jpeg(200_000)


async def test_the_latest_name_and_password_count(pair: Any) -> None:
    p = await pair(look=False, hotspot_silent=1)
    invitation = await p.glasses.open_wifi(own_network=True)
    assert invitation == WifiInvitation("MentraLive-0002", "pass-0002")
    assert "pass" not in repr(invitation)
    p.twin.say({**p.twin.hotspot_status(), "hotspot_gateway_ip": "192.168.43.1"})
    await asyncio.sleep(1)
    with pytest.raises(ProtocolFault):
        await p.glasses.look_over_wifi()
    p.twin.say(p.twin.hotspot_status())
    await asyncio.sleep(1)
    assert await p.glasses.look_over_wifi() == 1


@pytest.mark.parametrize("faults", [{"hotspot_error": True}, {"hotspot_silent": 99}])
async def test_no_hotspot(pair: Any, faults: dict[str, Any]) -> None:
    p = await pair(look=False, **faults)
    with pytest.raises(ProtocolFault):
        await p.glasses.open_wifi(own_network=True)


# -- hostile glasses ----------------------------------------------------------------------------------------------------------------

BAD_NAMES = (
    "../../etc/passwd.jpg",
    "a/../../b.jpg",
    "/etc/x.jpg",
    "x" * 400 + ".jpg",
    "a b.jpg",
    "a\x00.jpg",
    ".hidden.jpg",
    "a\\b.jpg",
    "ünï.jpg",
    "a%2e%2e.jpg",
    "a.jpg?x=1",
)


@pytest.mark.parametrize("old", [False, True])
async def test_names_that_lead_elsewhere(pair: Any, old: bool) -> None:
    p = await pair(bad_names=BAD_NAMES, old_build=old)
    assert len(p.heard.offers) == 1
    assert len(p.heard.damaged) == 1
    assert f"{len(BAD_NAMES) - 1} captures" in p.heard.damaged[0]  # of the last, the ending is none of media
    await p.glasses.look_over_wifi()
    assert len(p.heard.damaged) == 1
    assert not any(".." in request.path for request in p.http.requests)


HOSTILE = [
    b" ",
    b"[]",
    b"null",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"status":"error","message":"x"}',
    b'{"status":"success","data":{}}',
    b'{"captures":1,"photos":1}',
    json.dumps({"captures": [{}] * 101, "photos": [{}] * 101}).encode(),
    json.dumps({"captures": [{"files": [{}] * 65}], "photos": "x"}).encode(),
    json.dumps({"captures": [], "photos": 5, "has_more": True, "next_cursor": "a b&c=d"}).encode(),
    b"x" * (gallery.PAGE_BYTES + 1),
    b'{"captures":[' + b"9" * 5000 + b"]}",
]


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda value: str(value[:20]))
@pytest.mark.parametrize("old", [False, True])
async def test_hostile_lists(pair: Any, hostile: bytes, old: bool) -> None:
    p = await pair(hostile_list=hostile, old_build=old, look=False)
    await p.glasses.open_wifi(own_network=True)
    with pytest.raises(ProtocolFault):
        await p.glasses.look_over_wifi()
    assert p.heard.offers == []
    await p.glasses.take_photo()
    await asyncio.sleep(1)
    assert len(p.heard.offers) == 1


async def test_a_list_that_goes_round(pair: Any) -> None:
    p = await pair(circular_list=True, look=False)
    await p.glasses.open_wifi(own_network=True)
    with pytest.raises(ProtocolFault):
        await p.glasses.look_over_wifi()


async def test_redirects_are_not_followed(pair: Any) -> None:
    p = await pair(redirect_to="http://192.168.1.1/", look=False)
    await p.glasses.open_wifi(own_network=True)
    with pytest.raises(ProtocolFault):
        await p.glasses.look_over_wifi()
    assert {request.place.address for request in p.http.requests} == {"127.0.0.1"}


async def test_a_file_without_end(pair: Any) -> None:
    p = await pair(endless_file=True)
    with pytest.raises(ProtocolFault):
        await p.get()
    assert ENDLESS > 200_000


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "0.0.0.0", "169.254.169.254", "localhost", "192.168.1.1:22", "::1", "http://x", "10.0.0.1@evil", ""]
)
@pytest.mark.parametrize("own", [False, True])
async def test_addresses_that_are_nobodys_business(pair: Any, address: str, own: bool) -> None:
    p = await pair(announced_address=address or "127.0.0.1:99999", look=False)
    with pytest.raises(ProtocolFault):
        await p.glasses.open_wifi(own_network=own)
    assert p.http.requests == []


# -- what is left when something fails ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", [False, True])
async def test_sharing_that_leads_nowhere_is_ended(pair: Any, own: bool) -> None:
    p = await pair(announced_address="8.8.8.8", look=False)
    with pytest.raises(ProtocolFault):
        await p.glasses.open_wifi(own_network=own)
    await asyncio.sleep(1)
    assert p.twin.http.address == "", "anybody on that network could look at the captures"


async def test_sharing_that_is_called_off_is_ended(pair: Any) -> None:
    p = await pair(look=False, hotspot_silent=99)
    opening = asyncio.get_running_loop().create_task(p.glasses.open_wifi(own_network=True))
    while not p.twin.http.address:
        await asyncio.sleep(0.001)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await asyncio.sleep(1)
    assert p.twin.http.address == ""


async def test_a_capture_whose_offer_was_called_off_is_offered_with_the_next_list(pair: Any, make_jpeg: Make) -> None:
    p = await pair(make_jpeg(300), stored=MOST_OFFERED + 1)
    p.http.pause = 5.0  # the digest of the one that comes next is long in coming
    fetching = asyncio.get_running_loop().create_task(p.get(p.heard.offers[0]))
    asked = len(p.http.requests)
    while not any("hash" in request.path for request in p.http.requests[asked:]):
        await asyncio.sleep(0.1)
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    p.http.pause = 0.0
    assert await p.glasses.look_over_wifi() == 1
    await asyncio.sleep(0.1)
    assert len({offer.id for offer in p.heard.offers}) == MOST_OFFERED + 1


async def test_a_capture_of_which_a_part_can_not_be_read_stays_on_the_glasses(pair: Any) -> None:
    for name in ("../ev-2.jpg", "raw.dng"):
        p = await pair(bad_names=(name,))
        await p.get()
        await p.glasses.release(p.heard.offers[0].id)
        assert p.twin.shelf.trashed == {}
