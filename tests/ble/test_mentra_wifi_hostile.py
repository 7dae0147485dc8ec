"""Mentra Live over Wi-Fi: lists, names and addresses that mean no good, and what is left behind when something fails."""

from __future__ import annotations

import asyncio
import json

import pytest

from ble.drivers import mentra_gallery as gallery
from ble.drivers.shelf import MOST_OFFERED
from ble.errors import ProtocolFault
from ble.sim.loopback_http import ENDLESS
from tests.ble.driving import Make
from tests.ble.mentra_pair import Pairs

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
async def test_names_that_lead_elsewhere(pair: Pairs, old: bool) -> None:
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
async def test_hostile_lists(pair: Pairs, hostile: bytes, old: bool) -> None:
    p = await pair(hostile_list=hostile, old_build=old, look=False)
    await p.glasses.open_wifi(own_network=True)
    with pytest.raises(ProtocolFault):
        await p.glasses.look_over_wifi()
    assert p.heard.offers == []
    await p.glasses.take_photo()
    await asyncio.sleep(1)
    assert len(p.heard.offers) == 1


async def test_a_list_that_goes_round(pair: Pairs) -> None:
    p = await pair(circular_list=True, look=False)
    await p.glasses.open_wifi(own_network=True)
    with pytest.raises(ProtocolFault):
        await p.glasses.look_over_wifi()


async def test_redirects_are_not_followed(pair: Pairs) -> None:
    p = await pair(redirect_to="http://192.168.1.1/", look=False)
    await p.glasses.open_wifi(own_network=True)
    with pytest.raises(ProtocolFault):
        await p.glasses.look_over_wifi()
    assert {request.place.address for request in p.http.requests} == {"127.0.0.1"}


async def test_a_file_without_end(pair: Pairs) -> None:
    p = await pair(endless_file=True)
    with pytest.raises(ProtocolFault):
        await p.get()
    assert ENDLESS > 200_000


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "0.0.0.0", "169.254.169.254", "localhost", "192.168.1.1:22", "::1", "http://x", "10.0.0.1@evil", ""]
)
@pytest.mark.parametrize("own", [False, True])
async def test_addresses_that_are_nobodys_business(pair: Pairs, address: str, own: bool) -> None:
    p = await pair(announced_address=address or "127.0.0.1:99999", look=False)
    with pytest.raises(ProtocolFault):
        await p.glasses.open_wifi(own_network=own)
    assert p.http.requests == []


# -- what is left when something fails ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", [False, True])
async def test_sharing_that_leads_nowhere_is_ended(pair: Pairs, own: bool) -> None:
    p = await pair(announced_address="8.8.8.8", look=False)
    with pytest.raises(ProtocolFault):
        await p.glasses.open_wifi(own_network=own)
    await asyncio.sleep(1)
    assert p.twin.http.address == "", "anybody on that network could look at the captures"


async def test_sharing_that_is_called_off_is_ended(pair: Pairs) -> None:
    p = await pair(look=False, hotspot_silent=99)
    opening = asyncio.get_running_loop().create_task(p.glasses.open_wifi(own_network=True))
    while not p.twin.http.address:
        await asyncio.sleep(0.001)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await asyncio.sleep(1)
    assert p.twin.http.address == ""


async def test_a_capture_whose_offer_was_called_off_is_offered_with_the_next_list(pair: Pairs, make_jpeg: Make) -> None:
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


async def test_a_capture_of_which_a_part_can_not_be_read_stays_on_the_glasses(pair: Pairs) -> None:
    for name in ("../ev-2.jpg", "raw.dng"):
        p = await pair(bad_names=(name,))
        await p.get()
        await p.glasses.release(p.heard.offers[0].id)
        assert p.twin.shelf.trashed == {}
