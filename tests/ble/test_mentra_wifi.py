"""Mentra Live over Wi-Fi: the gallery of the simulated glasses, fetched with resume and checks, fault by fault; no socket is needed."""

from __future__ import annotations

import asyncio
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ble.drivers.mentra_fetch import Busy
from ble.drivers.shelf import MOST_OFFERED
from ble.errors import ProtocolFault, Unsupported
from ble.http_port import CutShort, NotReachable, WifiInvitation, WifiTrouble
from ble.sim.loopback_http import asked
from ble.types import Capability, CaptureKind
from tests.ble.driving import Make
from tests.ble.mentra_pair import Pairs

CLIP = b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 1200


async def test_captures_over_the_glasses_own_network(pair: Pairs, make_jpeg: Make) -> None:
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


async def test_captures_over_a_network_both_are_on(pair: Pairs, make_jpeg: Make) -> None:
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


async def test_glasses_on_no_network(pair: Pairs) -> None:
    p = await pair(look=False, on_network=False)
    with pytest.raises(Unsupported):
        await p.glasses.open_wifi(own_network=False)


async def test_resume_from_any_offset(pair: Pairs, make_jpeg: Make) -> None:
    p = await pair()
    for offset in (1, 100_000, 199_999, 200_000, 10**9):
        assert await p.get(offset=offset) == make_jpeg(200_000)[offset:]
    ranged = [dict(request.headers) for request in p.http.requests if request.headers]
    assert [headers["range"] for headers in ranged] == ["bytes=1-", "bytes=100000-", "bytes=199999-"]
    assert all(headers["if-range"].startswith('"') for headers in ranged)


@pytest.mark.parametrize("faults", [{"cut_after": 70_000}, {"cut_after": 100, "cuts": 3}, {"server_error": 3}, {"cut_after": 0, "cuts": 1}])
@pytest.mark.parametrize("other", [{}, {"without_range": True}, {"old_build": True}])
async def test_what_breaks_off_is_gone_on_with(pair: Pairs, make_jpeg: Make, faults: dict[str, Any], other: dict[str, Any]) -> None:
    if other and faults == {"cut_after": 70_000}:
        faults = {"cut_after": 70_000, "cuts": 4}
    p = await pair(**faults, **other)
    assert await p.get() == make_jpeg(200_000)
    assert p.http.given_out == 0


async def test_a_transfer_that_never_gets_on_ends(pair: Pairs) -> None:
    p = await pair(cut_after=10)
    with pytest.raises(CutShort):
        await p.get()
    assert sum(1 for request in p.http.requests if "download" in request.path) <= 6


async def test_an_old_server_whose_cut_transfer_looks_whole(pair: Pairs, make_jpeg: Make) -> None:
    p = await pair(old_build=True, cut_after=150_000, cuts=1)
    assert await p.get() == make_jpeg(200_000)
    assert not {Capability.RESUME, Capability.RELEASE} & p.glasses.capabilities.features
    await p.glasses.release(p.heard.offers[0].id)
    assert len(p.twin.shelf.shots) == 1
    assert p.heard.offers[0].sha256 is None


async def test_a_file_that_changes_under_way(pair: Pairs) -> None:
    p = await pair(changes_file=True, cut_after=100_000)
    with pytest.raises(ProtocolFault) as caught:
        await p.get()
    assert "changed" in caught.value.what


async def test_a_wrong_digest(pair: Pairs) -> None:
    p = await pair(wrong_hash=True)
    with pytest.raises(ProtocolFault) as caught:
        await p.get()
    assert "digest" in caught.value.why


@pytest.mark.parametrize("old", [False, True])
async def test_a_capture_still_being_recorded(pair: Pairs, old: bool) -> None:
    p = await pair(recording=True, old_build=old)
    with pytest.raises(Busy):
        await p.get()


@pytest.mark.parametrize("after", [1, 2, 3, 4])
async def test_too_many_requests(pair: Pairs, make_jpeg: Make, after: int) -> None:
    p = await pair(too_many_after=after)
    begun = asyncio.get_running_loop().time()
    assert await p.get() == make_jpeg(200_000)
    if after > 3:
        assert asyncio.get_running_loop().time() - begun > 10


async def test_a_gallery_of_many_pages(pair: Pairs, make_jpeg: Make) -> None:
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


async def test_what_is_safe_already_is_skipped_and_the_rest_offered(pair: Pairs, make_jpeg: Make) -> None:
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


async def test_the_digest_comes_with_the_offer(pair: Pairs, make_jpeg: Make) -> None:
    p = await pair()
    assert p.heard.offers[0].sha256 == hashlib.sha256(make_jpeg(200_000)).digest()
    await p.get()
    assert sum(1 for request in p.http.requests if "hash" in request.path) == 1


async def test_a_capture_that_could_not_be_fetched_is_offered_again(pair: Pairs) -> None:
    p = await pair(server_error=6)
    assert p.heard.offers[0].sha256 is None  # they could not say
    with pytest.raises(CutShort):
        await p.get()
    assert await p.glasses.look_over_wifi() == 1
    await p.get()
    assert await p.glasses.look_over_wifi() == 0


async def test_captures_not_fetched_are_offered_again(pair: Pairs) -> None:
    p = await pair()
    await p.glasses.close_wifi()
    await p.glasses.open_wifi(own_network=True)
    assert await p.glasses.look_over_wifi() == 1
    assert (await p.get())[:2] == b"\xff\xd8"
    await p.glasses.close_wifi()
    await p.glasses.open_wifi(own_network=True)
    assert await p.glasses.look_over_wifi(skip=lambda offer: offer.stored) == 0


async def test_released_captures_go_to_the_trash_when_all_of_them_is_safe(pair: Pairs, make_jpeg: Make) -> None:
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


async def test_a_photo_taken_while_the_gallery_is_open(pair: Pairs, make_jpeg: Make) -> None:
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
async def test_a_network_that_takes_its_time(pair: Pairs, late: float) -> None:
    p = await pair(hotspot_late=late)
    assert len(p.heard.offers) == 1


async def test_a_network_that_never_comes(pair: Pairs) -> None:
    p = await pair(hotspot_late=1000.0, look=False)
    await p.glasses.open_wifi(own_network=True)
    begun = asyncio.get_running_loop().time()
    with pytest.raises(NotReachable):
        await p.glasses.look_over_wifi()
    assert 80 < asyncio.get_running_loop().time() - begun <= 96


async def test_a_hotspot_that_goes_off_when_idle(pair: Pairs, make_jpeg: Make) -> None:
    p = await pair(hotspot_idle=120.0)
    await asyncio.sleep(130)
    with pytest.raises(WifiTrouble):
        await p.get()
    await p.glasses.open_wifi(own_network=True)
    assert await p.glasses.look_over_wifi() == 1
    assert await p.get() == make_jpeg(200_000)


async def test_the_latest_name_and_password_count(pair: Pairs) -> None:
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
async def test_no_hotspot(pair: Pairs, faults: dict[str, Any]) -> None:
    p = await pair(look=False, **faults)
    with pytest.raises(ProtocolFault):
        await p.glasses.open_wifi(own_network=True)
