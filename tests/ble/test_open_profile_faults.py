"""The open profile's driver against simulated glasses with a bad stream, a bad link or a bad list."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ble.drivers import open_profile_wire as wire
from ble.drivers.open_profile_link import MOST_AGAIN
from ble.drivers.open_profile_wire import Feature, Op
from ble.errors import LinkLost, ProtocolFault
from ble.sim.faults import Pace
from ble.sim.open_profile import EVERYTHING
from ble.sim.open_profile_stream import OpenFaults
from ble.types import (
    CaptureKind,
    LinkClosed,
)
from tests.ble.driving import fetched
from tests.ble.open_twins import BIG, FRAMES, NOW, WINDOW, Opens, gathered, picture, requests, simulated

pytestmark = pytest.mark.usefixtures("small_windows")


# -- a bad stream ---------------------------------------------------------------------------------------------------------------------

MENDED = [
    ({"lose": 0}, 2),
    ({"lose": 5}, 2),
    ({"lose": FRAMES}, 2),
    ({"lose": FRAMES + 7}, 2),
    ({"duplicate": 3}, 1),
    ({"duplicate": FRAMES}, 1),
    ({"swap": 7}, 1),
    ({"swap": FRAMES - 1}, 2),
    ({"corrupt": 9}, 2),
    ({"corrupt": 2 * FRAMES + 9}, 2),
    ({"cut": 9}, 2),
    ({"wrong_crc": 0}, 2),
    ({"wrong_crc": 3}, 2),
    ({"lose_mark": 1}, 2),
    ({"lose_mark": 3}, 2),
    ({"fail_at": 2}, 2),
    ({"stall_at": 0}, 2),
    ({"stall_at": WINDOW + 5000}, 2),
    ({"trickle": 60}, 1),
]


@pytest.mark.parametrize(("fault", "reads"), MENDED)
async def test_what_can_be_mended_is_mended(opens: Opens, fault: dict[str, Any], reads: int) -> None:
    twin = simulated(faults=OpenFaults(**fault, times=1))
    glasses, heard = await opens(twin, offers=1)
    assert await fetched(glasses, heard.offers[0]) == BIG
    asked = requests(twin, Op.READ)
    assert len(asked) == reads
    assert all(int(request.values[1]) % WINDOW == 0 for request in asked), "not from the beginning of a window"
    assert glasses.status.damaged == 0


GIVEN_UP = [
    {"lose": 0},
    {"lose": 5},
    {"lose": FRAMES},
    {"corrupt": 9},
    {"cut": 9},
    {"wrong_crc": 0},
    {"wrong_crc": 3},
    {"lose_mark": 1},
    {"lose_mark": 3},
    {"fail_at": 2},
    {"stall_at": 0},
    {"stall_at": WINDOW + 5000},
]


@pytest.mark.parametrize("fault", GIVEN_UP, ids=str)
async def test_what_goes_wrong_every_time_is_given_up(opens: Opens, until: Any, fault: dict[str, Any]) -> None:
    twin = simulated(BIG, picture(20), faults=OpenFaults(**fault))
    glasses, heard = await opens(twin, offers=1)
    with pytest.raises(ProtocolFault):
        await fetched(glasses, heard.offers[0])
    await until(lambda: len(heard.damaged) == 1)
    assert glasses.status.damaged == 1
    assert len(requests(twin, Op.READ)) == MOST_AGAIN + 1
    await glasses.take_photo()


@pytest.mark.parametrize("fault", [{"lose": FRAMES + 7}, {"corrupt": 2 * FRAMES + 9}], ids=str)
async def test_a_place_that_moves_on_with_each_try_is_got_past(opens: Opens, fault: dict[str, Any]) -> None:
    glasses, heard = await opens(simulated(faults=OpenFaults(**fault)), offers=1)
    assert await fetched(glasses, heard.offers[0]) == BIG


@pytest.mark.parametrize(
    "faults",
    [
        OpenFaults(wrong_digest=True),
        OpenFaults(wrong_crc=0),
        OpenFaults(ends_early=True),
        OpenFaults(never_ends=True),
        OpenFaults(read_size=5),
        OpenFaults(read_size=0xFFFFFFFF),
        OpenFaults(listed_size=len(BIG) - 1),
        OpenFaults(listed_size=len(BIG) + 1),
        OpenFaults(listed_size=len(BIG) - 1, read_size=len(BIG) - 1),
        OpenFaults(listed_size=len(BIG) + 1, read_size=len(BIG) + 1),
        OpenFaults(listed_size=512 << 20, read_size=512 << 20),
        OpenFaults(listed_size=1, read_size=1),
        OpenFaults(silent=frozenset({Op.READ})),
        OpenFaults(wrong_answer=frozenset({Op.READ})),
    ],
    ids=str,
)
async def test_lies_about_a_capture_have_an_end(opens: Opens, faults: OpenFaults) -> None:
    twin = simulated(faults=faults)
    glasses, heard = await opens(twin, offers=1)
    pieces: list[bytes] = []
    with pytest.raises(ProtocolFault):
        await gathered(glasses, heard.offers[0], pieces)
    assert len(b"".join(pieces)) <= len(BIG), "more came out than went in"
    assert BIG.startswith(b"".join(pieces))
    assert not any(piece.endswith(BIG[-100:]) for piece in pieces), "the last piece was handed out unchecked"
    assert glasses.status.damaged == 1
    assert glasses.status.received == 0
    assert twin.connected


@pytest.mark.parametrize("size", [0, (512 << 20) + 1, 0xFFFFFFFF])
async def test_sizes_that_cannot_be_are_not_offered_but_told(opens: Opens, until: Any, size: int) -> None:
    glasses, heard = await opens(simulated(faults=OpenFaults(listed_size=size)))
    await until(lambda: heard.damaged)
    assert not heard.offers
    with pytest.raises(ProtocolFault):
        await glasses.take_photo()
    assert glasses.status.damaged == 2


async def test_a_host_that_does_not_take_is_not_flooded(opens: Opens) -> None:
    twin = simulated(picture(40 * WINDOW))
    glasses, heard = await opens(twin, offers=1)
    fetching = glasses.fetch(heard.offers[0].id)
    await anext(fetching)
    await asyncio.sleep(60)
    receiver = next(iter(glasses._session.link._transfers.values())).receiver
    assert sum(len(piece.body) for piece in receiver.pieces) <= wire.WINDOWS_AHEAD * WINDOW
    assert twin.most_unpaid == 0
    await fetching.aclose()  # type: ignore[attr-defined]
    assert [request.op for request in requests(twin)][-1] is Op.ABORT
    assert await fetched(glasses, heard.offers[0], 39 * WINDOW) == picture(40 * WINDOW)[39 * WINDOW :]


async def test_glasses_that_send_without_leave_are_stopped(opens: Opens) -> None:
    twin = simulated(picture(40 * WINDOW), faults=OpenFaults(ignores_credit=True))
    glasses, heard = await opens(twin, offers=1)
    fetching = glasses.fetch(heard.offers[0].id)
    await anext(fetching)
    await asyncio.sleep(10)
    receiver = next(iter(glasses._session.link._transfers.values())).receiver
    assert sum(len(piece.body) for piece in receiver.pieces) <= wire.WINDOWS_AHEAD * WINDOW
    with pytest.raises(ProtocolFault, match="allowed"):
        _ = [piece async for piece in fetching]


async def test_a_transfer_too_slow_to_ever_end(opens: Opens) -> None:
    twin = simulated(pace=Pace(chunk=4.0, shutter=0.0, advertise_ms=20.0), faults=OpenFaults(trickle=1))
    glasses, heard = await opens(twin, offers=1)
    began = asyncio.get_running_loop().time()
    with pytest.raises(ProtocolFault, match="too slowly"):
        await fetched(glasses, heard.offers[0])
    assert asyncio.get_running_loop().time() - began < 180


async def test_babble_does_no_harm(opens: Opens) -> None:
    twin = simulated(faults=OpenFaults(babble=True))
    glasses, heard = await opens(twin, offers=1)
    assert await fetched(glasses, heard.offers[0]) == BIG
    await glasses.take_photo()
    assert len(heard.events) < 20


# -- a bad link -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [0, 1, WINDOW - 1, WINDOW, 2 * WINDOW + 77, len(BIG) - 1])
async def test_a_fetch_goes_on_after_a_drop(opens: Opens, offset: int) -> None:
    twin = simulated(faults=OpenFaults(drop_link_at=offset, times=1))
    glasses, heard = await opens(twin, offers=1)
    pieces: list[bytes] = []
    with pytest.raises(LinkLost):
        await gathered(glasses, heard.offers[0], pieces)
    safe = b"".join(pieces)
    assert len(safe) == offset // WINDOW * WINDOW
    await heard.task
    assert heard.events[-1] == LinkClosed(wanted=False)
    with pytest.raises(LinkLost):
        await fetched(glasses, heard.offers[0])
    with pytest.raises(LinkLost):
        await glasses.release(heard.offers[0].id)

    again, later = await opens(twin, offers=1)
    assert later.offers[0] == heard.offers[0]
    safe += await fetched(again, later.offers[0], len(safe))
    assert safe == BIG
    assert requests(twin, Op.READ)[-1].values[1] == offset // WINDOW * WINDOW
    assert twin.storage.captures


async def test_without_resume_the_beginning_is_read_again_and_left_out(opens: Opens) -> None:
    twin = simulated(features=EVERYTHING & ~Feature.RESUME, faults=OpenFaults(lose=2 * FRAMES + 9, times=1))
    glasses, heard = await opens(twin, offers=1)
    assert await fetched(glasses, heard.offers[0]) == BIG
    assert await fetched(glasses, heard.offers[0], WINDOW + 5) == BIG[WINDOW + 5 :]
    assert [request.values[1] for request in requests(twin, Op.READ)] == [0, 0, 0]


@pytest.mark.parametrize("mtu", [23, 24, 185, 247])
async def test_small_links(opens: Opens, mtu: int) -> None:
    body = picture(9000)
    twin = simulated(body, faults=OpenFaults(mtu=mtu))
    glasses, heard = await opens(twin, offers=1)
    assert await fetched(glasses, heard.offers[0]) == body
    assert requests(twin, Op.READ)[0].values[2] == FRAMES * (mtu - 8)


async def test_out_of_range_while_a_photo_is_waited_for(opens: Opens, until: Any) -> None:
    twin = simulated(faults=OpenFaults(camera_silent=True))
    glasses, heard = await opens(twin, offers=1)
    order = asyncio.get_running_loop().create_task(glasses.take_photo())
    await until(lambda: requests(twin, Op.TAKE_PHOTO))
    await twin.drop_link()
    with pytest.raises(LinkLost):
        await order
    with pytest.raises(LinkLost):
        await glasses.take_photo()
    await heard.task
    assert [event for event in heard.events if isinstance(event, LinkClosed)] == [LinkClosed(wanted=False)]


@pytest.mark.parametrize("op", [Op.SET_TIME, Op.LIST, Op.READ, Op.TAKE_PHOTO])
async def test_a_link_lost_before_an_answer(opens: Opens, op: Op, until: Any) -> None:
    twin = simulated(faults=OpenFaults(drop_before_answer=frozenset({op})))
    if op is Op.SET_TIME:
        with pytest.raises(LinkLost):
            await opens(twin)
    else:
        glasses, heard = await opens(twin, offers=0 if op is Op.LIST else 1)
        if op is not Op.LIST:
            with pytest.raises(LinkLost):
                await (glasses.take_photo() if op is Op.TAKE_PHOTO else fetched(glasses, heard.offers[0]))
        await heard.task
        assert heard.events[-1] == LinkClosed(wanted=False)
    await until(lambda: not twin.connected)
    again, later = await opens(twin, offers=1)
    assert await fetched(again, later.offers[0]) == BIG


# -- a bad list -----------------------------------------------------------------------------------------------------------------------


async def test_a_long_list_comes_in_pages(opens: Opens) -> None:
    bodies = [picture(100 + k, k) for k in range(200)]
    twin = simulated(*bodies, backlog=200)
    _, heard = await opens(twin, offers=200)
    assert [offer.size for offer in heard.offers] == [len(body) for body in bodies]
    assert [request.values for request in requests(twin, Op.LIST)][:3] == [(0, 78), (78, 78), (156, 78)]


async def test_a_list_that_changes_in_the_middle(opens: Opens) -> None:
    bodies = [picture(100 + k, k) for k in range(30)]
    twin = simulated(*bodies, backlog=9, page_records=3, faults=OpenFaults(list_changes=True))
    _, heard = await opens(twin, offers=9)
    await asyncio.sleep(60)
    assert [int(offer.id[:8], 16) for offer in heard.offers] == [*range(1, 9), 10], "9 went, 10 came after the first page"
    assert not heard.damaged


@pytest.mark.parametrize("fault", ["list_without_order", "list_garbage"])
async def test_a_list_that_makes_no_sense_is_told_and_left(opens: Opens, until: Any, fault: str) -> None:
    twin = simulated(picture(10), picture(20), backlog=2, faults=OpenFaults(**{fault: True}))
    glasses, heard = await opens(twin)
    await until(lambda: len(heard.damaged) == 3)
    await asyncio.sleep(300)
    assert len(requests(twin, Op.LIST)) == 3
    assert not heard.offers
    assert all("list of captures" in reason for reason in heard.damaged)
    assert glasses.status.damaged == 3
    assert twin.connected


async def test_a_list_without_end_is_left_at_some_point(opens: Opens, until: Any) -> None:
    twin = simulated(faults=OpenFaults(list_endless=True))
    glasses, heard = await opens(twin)
    await until(lambda: heard.damaged)
    await asyncio.sleep(60)
    assert 16384 <= len(heard.offers) <= 16384 + 78
    assert len(requests(twin, Op.LIST)) <= 212
    assert len(heard.damaged) == 1
    assert await fetched(glasses, heard.offers[0]) == BIG if heard.offers[0].size == len(BIG) else True


async def test_a_status_that_lies_does_not_keep_the_driver_busy(opens: Opens) -> None:
    twin = simulated(faults=OpenFaults(newest_lie=True, babble=True))
    glasses, heard = await opens(twin, offers=1)
    await asyncio.sleep(10)
    assert 3 < len(requests(twin, Op.LIST)) < 15
    assert await fetched(glasses, heard.offers[0]) == BIG


@pytest.mark.parametrize("faults", [OpenFaults(silent=frozenset({Op.LIST})), OpenFaults(wrong_answer=frozenset({Op.LIST}))], ids=str)
async def test_a_list_that_is_not_answered(opens: Opens, until: Any, faults: OpenFaults) -> None:
    glasses, heard = await opens(simulated(faults=faults))
    await until(lambda: len(heard.damaged) == 3)
    assert glasses.status.damaged == 3


async def test_kinds_that_the_glasses_do_not_own_up_to(opens: Opens, until: Any) -> None:
    twin = simulated(features=EVERYTHING & ~Feature.MICROPHONE & ~Feature.VIDEO, backlog=0)
    for media in (0x10, 0x20, 0x30, 0x77):
        twin.storage.keep(twin.storage.number(), media, picture(10, media), 0)
    _, heard = await opens(twin, offers=1)
    await until(lambda: len(heard.damaged) == 3)
    assert [offer.kind for offer in heard.offers] == [CaptureKind.PHOTO]
    assert heard.offers[0].taken_at == NOW, "a clock that was not set counts as now"


async def test_clips_and_sound_are_offered_by_those_that_do(opens: Opens) -> None:
    twin = simulated(backlog=0)
    for media in (0x20, 0x30):
        twin.storage.keep(twin.storage.number(), media, picture(10, media), 0)
    _, heard = await opens(twin, offers=2)
    assert [(offer.kind, offer.media_type) for offer in heard.offers] == [
        (CaptureKind.VIDEO, "video/mp4"),
        (CaptureKind.SOUND, "audio/ogg"),
    ]


async def test_pages_that_are_lost_are_asked_for_again(opens: Opens, until: Any) -> None:
    twin = simulated(faults=OpenFaults(list_pages_lost=2))
    _, heard = await opens(twin, offers=1)
    assert not heard.damaged
    assert len(requests(twin, Op.LIST)) == 3
    never = simulated(faults=OpenFaults(list_pages_lost=99))
    _, unheard = await opens(never)
    await until(lambda: unheard.damaged)
    assert "lost on the way" in unheard.damaged[0]


async def test_a_drop_anywhere_again_and_again(opens: Opens, until: Any) -> None:
    """A bad evening: the link drops after ever other spans; nothing is read twice but what was not yet checked."""
    body = picture(20 * WINDOW, 7)
    spans = [1, 3 * WINDOW, 2 * WINDOW + 9, WINDOW - 1, 5 * WINDOW + 400, 4 * WINDOW]
    twin = simulated(body)
    safe = b""
    for span in (*spans, None):
        twin.faults = OpenFaults(drop_link_at=None if span is None else len(safe) + span)
        glasses, heard = await opens(twin, offers=1)
        pieces: list[bytes] = []
        try:
            async for piece in glasses.fetch(heard.offers[0].id, len(safe)):
                pieces.append(piece)
        except LinkLost:
            assert span is not None
            assert len(b"".join(pieces)) == span // WINDOW * WINDOW
        safe += b"".join(pieces)
        await glasses.close()
        await until(lambda: not twin.connected)
    assert safe == body
