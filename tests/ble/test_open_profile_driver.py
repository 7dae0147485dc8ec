"""The open profile's driver against its simulated glasses, through the real bleak API, fault by fault."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ble.drivers import driver_for, driver_named, family_hint, open_profile, service_uuids, standard
from ble.drivers import open_profile_wire as wire
from ble.drivers.open_profile import OpenDriver, OpenGlasses
from ble.drivers.open_profile_link import FRAMES_A_WINDOW, MOST_AGAIN, refusal
from ble.drivers.open_profile_wire import Answer, Feature, Mark, Op, Request, Result, read_data
from ble.errors import CameraSilent, GlassesError, LinkLost, NotGlasses, PairingNeeded, PairsByItself, ProtocolFault, RadioOff, Unsupported
from ble.sim.faults import AT_ONCE, Pace
from ble.sim.open_profile import EVERYTHING, SimulatedOpenGlasses
from ble.sim.open_profile_stream import OpenFaults
from ble.types import (
    Advertisement,
    Capability,
    CaptureDamaged,
    CaptureKind,
    CaptureOffered,
    CaptureProgress,
    GlassesEvent,
    LinkClosed,
    Offer,
)

NOW = datetime(2026, 5, 17, 9, 30, tzinfo=UTC)
FRAMES = 24
"""Frames a window: fewer than the driver's own, for speed."""
WINDOW = FRAMES * (514 - 5)
"""What the driver asks for on a link with an MTU of 517."""


def picture(size: int, seed: int = 0) -> bytes:
    return b"\xff\xd8" + hashlib.shake_128(bytes([seed])).digest(size - 4) + b"\xff\xd9"


BIG = picture(3 * WINDOW + 1000)
"""Four windows."""


class Heard:
    """Reads the events of glasses into a list."""

    def __init__(self, glasses: OpenGlasses) -> None:
        self.events: list[GlassesEvent] = []
        self.task = asyncio.get_running_loop().create_task(self._read(glasses))

    async def _read(self, glasses: OpenGlasses) -> None:
        async for event in glasses.events():
            self.events.append(event)

    @property
    def offers(self) -> list[Offer]:
        return [event.offer for event in self.events if isinstance(event, CaptureOffered)]

    @property
    def damaged(self) -> list[str]:
        return [event.reason for event in self.events if isinstance(event, CaptureDamaged)]


@pytest.fixture(autouse=True)
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_profile, "FRAMES_A_WINDOW", FRAMES)


Opens = Callable[..., Awaitable[tuple[OpenGlasses, Heard]]]


@pytest.fixture
def opens(rig: Any, until: Any) -> Opens:
    """Opens glasses with the driver, and waits for so many offers."""

    async def opened(twin: SimulatedOpenGlasses, *, continuous: bool = False, offers: int = 0) -> tuple[OpenGlasses, Heard]:
        if twin not in rig.air.peripherals:
            await rig.air.add(twin)
        driver = OpenDriver(utc=lambda: NOW)
        glasses = await driver.open(rig.airwaves.port(rig.air.address_of(twin)), continuous=continuous)
        heard = Heard(glasses)
        rig.opened.append((glasses, heard))
        await until(lambda: len(heard.offers) >= offers)
        return glasses, heard

    return opened


def simulated(*pictures: bytes, **settings: Any) -> SimulatedOpenGlasses:
    settings = {"pace": AT_ONCE, "utc": lambda: NOW, "backlog": 1, **settings}
    return SimulatedOpenGlasses(pictures or (BIG,), **settings)


async def fetched(glasses: OpenGlasses, offer: Offer, offset: int = 0) -> bytes:
    return b"".join([piece async for piece in glasses.fetch(offer.id, offset)])


async def gathered(glasses: OpenGlasses, offer: Offer, pieces: list[bytes]) -> None:
    """As `fetched`, and what came before the trouble stays in `pieces`."""
    async for piece in glasses.fetch(offer.id):
        pieces.append(piece)


def requests(twin: SimulatedOpenGlasses, op: Op | None = None) -> list[Request]:
    written = [wire.read_request(access.value) for access in twin.accesses if access.what == "write" and access.uuid == wire.CONTROL]
    return [request for request in written if request is not None and op in (None, request.op)]


# -- what it does ---------------------------------------------------------------------------------------------------------------------


async def test_what_the_glasses_say_of_themselves(rig: Any, opens: Opens) -> None:
    twin = simulated()
    twin.charge = 77
    glasses, _ = await opens(twin, offers=1)
    assert glasses.address == rig.air.address_of(twin)
    assert (glasses.info.manufacturer, glasses.info.model, glasses.info.serial) == ("Eyelid", "Open Glasses (simulated)", "0001")
    assert glasses.capabilities.family == "open"
    assert glasses.capabilities.features == frozenset(Capability) - {Capability.WIFI}
    assert glasses.capabilities.encrypted_link
    assert glasses.capabilities.interval_seconds == 30
    assert any("microphone" in caution for caution in glasses.capabilities.cautions)
    assert (glasses.status.battery, glasses.status.battery_at) == (77, NOW)
    assert glasses.status.storage_free == twin.storage.free // 1024 * 1024
    assert glasses.status.continuous is False
    assert requests(twin)[0] == Request(Op.SET_TIME, 1, (int(NOW.timestamp() * 1000),))


async def test_capabilities_are_what_the_features_say(opens: Opens) -> None:
    glasses, _ = await opens(simulated(features=Feature.BONDING | Feature.RESUME), offers=1)
    assert glasses.capabilities.features == {Capability.BONDING, Capability.RESUME}
    assert glasses.capabilities.cautions == ()
    assert glasses.capabilities.interval_seconds is None
    assert glasses.status.battery is None
    assert glasses.status.storage_free is None
    for asked in (glasses.take_photo(), glasses.set_continuous(True), glasses.record_sound(5)):
        with pytest.raises(Unsupported):
            await asked
    await glasses.set_continuous(False)


async def test_the_scan_recognises_them(rig: Any) -> None:
    await rig.air.add(simulated())
    scan = rig.airwaves.scan(OpenDriver().service_uuids)
    heard = await anext(scan)
    await scan.aclose()
    assert OpenDriver().recognises(heard)
    assert heard.name == "Open Glasses"
    assert family_hint(heard) == "open"
    driver = driver_for(heard)
    assert isinstance(driver, OpenDriver)
    assert driver_named("open") is driver
    assert driver.service_uuids <= service_uuids()
    assert any("pairing mode" in caution for caution in driver.cautions("open"))
    assert not OpenDriver().recognises(Advertisement("F0:00:00:00:00:01", "Open Glasses", -50))


async def test_the_backlog_is_offered_and_fetched(opens: Opens) -> None:
    bodies = [picture(size, size % 251) for size in (4, 5000, 3 * WINDOW, 2 * WINDOW + 1)]
    twin = simulated(*bodies, backlog=4)
    glasses, heard = await opens(twin, offers=4)
    assert [offer.size for offer in heard.offers] == [len(body) for body in bodies]
    assert [offer.sha256 for offer in heard.offers] == [hashlib.sha256(body).digest() for body in bodies]
    assert [offer.taken_at for offer in heard.offers] == [NOW - timedelta(hours=back) for back in (4, 3, 2, 1)]
    assert {(offer.kind, offer.media_type) for offer in heard.offers} == {(CaptureKind.PHOTO, "image/jpeg")}
    assert len({offer.id for offer in heard.offers}) == 4
    for offer, body in zip(heard.offers, bodies, strict=True):
        assert await fetched(glasses, offer) == body
    assert (glasses.status.received, glasses.status.damaged) == (4, 0)
    assert twin.most_unpaid == 0
    assert len(requests(twin, Op.READ)) == 4
    assert not requests(twin, Op.ABORT)
    assert len(twin.storage.captures) == 4, "nothing is let go unasked"


async def test_progress_is_told(opens: Opens) -> None:
    glasses, heard = await opens(simulated(), offers=1)
    await fetched(glasses, heard.offers[0])
    await glasses.close()
    await heard.task
    assert CaptureProgress(len(BIG), len(BIG)) in heard.events
    assert heard.events[-1] == LinkClosed(wanted=True)


@pytest.mark.parametrize("offset", [1, 5000, WINDOW, len(BIG) - 1, len(BIG)])
async def test_fetch_from_an_offset(opens: Opens, offset: int) -> None:
    twin = simulated()
    glasses, heard = await opens(twin, offers=1)
    assert await fetched(glasses, heard.offers[0], offset) == BIG[offset:]
    assert [request.values[1] for request in requests(twin, Op.READ)] == ([offset] if offset < len(BIG) else [])


async def test_offers_and_offsets_that_do_not_exist(opens: Opens) -> None:
    glasses, heard = await opens(simulated(), offers=1)
    for offset in (-1, len(BIG) + 1):
        with pytest.raises(ProtocolFault):
            await fetched(glasses, heard.offers[0], offset)
    for asked in (anext(glasses.fetch("00000009-0011223344556677")), glasses.release("nonsense"), glasses.restore("")):
        with pytest.raises(ProtocolFault):
            await asked


async def test_a_photo_that_was_asked_for(opens: Opens, until: Any) -> None:
    bodies = [picture(3000, 1), picture(4000, 2)]
    twin = simulated(*bodies, backlog=0)
    glasses, heard = await opens(twin)
    await glasses.take_photo()
    await glasses.take_photo()
    await until(lambda: len(heard.offers) == 2)
    assert [await fetched(glasses, offer) for offer in heard.offers] == bodies
    assert heard.offers[0].taken_at == NOW


async def test_a_photo_by_the_button_is_offered(opens: Opens, until: Any) -> None:
    twin = simulated(backlog=0)
    glasses, heard = await opens(twin)
    await twin.press_button()
    await until(lambda: heard.offers)
    assert await fetched(glasses, heard.offers[0]) == BIG


async def test_a_photo_is_offered_while_another_is_fetched(opens: Opens, until: Any) -> None:
    twin = simulated(BIG, picture(100))
    glasses, heard = await opens(twin, offers=1)
    fetching = glasses.fetch(heard.offers[0].id)
    first = await anext(fetching)
    await glasses.take_photo()
    await until(lambda: len(heard.offers) == 2)
    assert first + b"".join([piece async for piece in fetching]) == BIG


async def test_two_fetches_at_once_take_turns(opens: Opens) -> None:
    bodies = [BIG, picture(WINDOW * 2, 5)]
    twin = simulated(*bodies, backlog=2)
    glasses, heard = await opens(twin, offers=2)
    assert list(await asyncio.gather(*(fetched(glasses, offer) for offer in heard.offers))) == bodies
    assert len(requests(twin, Op.READ)) == 2


async def test_continuous_capture(opens: Opens, until: Any) -> None:
    twin = simulated(backlog=0)
    glasses, heard = await opens(twin, continuous=True)
    assert glasses.status.continuous is True
    assert requests(twin, Op.CAPTURE_EVERY)[-1].values == (30,)
    await until(lambda: len(heard.offers) == 3, 100)
    await glasses.set_continuous(False)
    assert glasses.status.continuous is False
    await asyncio.sleep(100)
    assert len(heard.offers) == 3


# -- letting go -----------------------------------------------------------------------------------------------------------------------


async def test_release_moves_to_the_trash_and_may_be_repeated(opens: Opens) -> None:
    twin = simulated()
    glasses, heard = await opens(twin, offers=1)
    offer = heard.offers[0]
    await fetched(glasses, offer)
    assert not requests(twin, Op.ACKNOWLEDGE)
    assert list(twin.storage.captures) == [1]
    await glasses.release(offer.id)
    await glasses.release(offer.id)
    assert (list(twin.storage.captures), list(twin.storage.trash)) == ([], [1])
    assert requests(twin, Op.ACKNOWLEDGE)[0].values == (1, hashlib.sha256(BIG).digest()[:8])
    with pytest.raises(ProtocolFault):
        await fetched(glasses, offer)
    await glasses.restore(offer.id)
    assert await fetched(glasses, offer) == BIG


async def test_a_release_without_an_answer_is_none(opens: Opens) -> None:
    glasses, heard = await opens(simulated(faults=OpenFaults(silent=frozenset({Op.ACKNOWLEDGE}))), offers=1)
    with pytest.raises(ProtocolFault, match="did not answer"):
        await glasses.release(heard.offers[0].id)


async def test_a_link_lost_between_release_and_answer(opens: Opens) -> None:
    twin = simulated(BIG, picture(500), backlog=2, faults=OpenFaults(drop_before_answer=frozenset({Op.ACKNOWLEDGE})))
    glasses, heard = await opens(twin, offers=2)
    with pytest.raises(LinkLost):
        await glasses.release(heard.offers[0].id)
    again, later = await opens(twin, offers=1)
    assert [offer.id for offer in later.offers] == [heard.offers[1].id]
    assert list(twin.storage.trash) == [1], "in the trash, not gone"
    assert await fetched(again, later.offers[0]) == picture(500)


async def test_glasses_without_a_trash_keep_everything(opens: Opens) -> None:
    twin = simulated(features=EVERYTHING & ~Feature.RELEASE)
    glasses, heard = await opens(twin, offers=1)
    await glasses.release(heard.offers[0].id)
    assert not requests(twin, Op.ACKNOWLEDGE)
    with pytest.raises(Unsupported):
        await glasses.restore(heard.offers[0].id)


async def test_a_capture_that_is_gone_meanwhile(opens: Opens) -> None:
    twin = simulated()
    glasses, heard = await opens(twin, offers=1)
    twin.storage.captures.clear()
    with pytest.raises(ProtocolFault, match="no longer on the glasses"):
        await fetched(glasses, heard.offers[0])


async def test_full_glasses_empty_the_trash_first_and_then_say_so(opens: Opens) -> None:
    bodies = [picture(40_000, seed) for seed in range(3)]
    twin = simulated(*bodies, backlog=2, storage_bytes=100_000)
    glasses, heard = await opens(twin, offers=2)
    with pytest.raises(CameraSilent, match="full"):
        await glasses.take_photo()
    await glasses.release(heard.offers[0].id)
    await glasses.take_photo()
    with pytest.raises(ProtocolFault, match="no longer"):
        await glasses.restore(heard.offers[0].id)
    assert len(twin.storage.captures) == 2


# -- pairing --------------------------------------------------------------------------------------------------------------------------


async def test_strangers_see_the_features_and_nothing_else(rig: Any) -> None:
    twin = simulated()
    port = rig.airwaves.port(await rig.air.add(twin))
    await port.connect(lambda: None)
    assert wire.read_features(await port.read(wire.FEATURES)) is not None
    for refused in (
        port.read(wire.STATUS),
        port.read(standard.BATTERY_LEVEL),
        port.write(wire.CONTROL, Request(Op.TAKE_PHOTO, 1).pack()),
        port.subscribe(wire.DATA, lambda _: None),
        port.subscribe(wire.CONTROL, lambda _: None),
        port.subscribe(wire.STATUS, lambda _: None),
    ):
        with pytest.raises(PairingNeeded):
            await refused
    await port.write(wire.CREDIT, wire.pack_credit(1, 1), response=False)
    await port.disconnect()
    assert not requests(twin)


async def test_glasses_that_are_not_in_pairing_mode(opens: Opens, rig: Any, until: Any) -> None:
    twin = simulated(faults=OpenFaults(refuses_pairing=True))
    with pytest.raises(PairingNeeded, match="pairing mode"):
        await opens(twin)
    assert not requests(twin)
    await until(lambda: not twin.connected)
    twin.pairing_open = True
    glasses, heard = await opens(twin, offers=1)
    assert await fetched(glasses, heard.offers[0]) == BIG


async def test_a_bond_outlives_the_link_and_the_pairing_mode(opens: Opens, rig: Any, until: Any) -> None:
    twin = simulated()
    glasses, _ = await opens(twin, offers=1)
    await glasses.close()
    twin.pairing_open = False
    for _ in range(3):
        await until(lambda: not twin.connected)
        glasses, heard = await opens(twin, offers=1)
        assert await fetched(glasses, heard.offers[0]) == BIG
        await glasses.close()
    await until(lambda: not twin.connected)
    rig.air.forget_bond(rig.air.address_of(twin))
    with pytest.raises(PairingNeeded, match="pairing mode"):
        await opens(twin)


@pytest.mark.parametrize("faults", [OpenFaults(unprotected=True), OpenFaults(version=2), OpenFaults(features_cut=True)])
async def test_glasses_of_another_kind_are_refused(opens: Opens, until: Any, faults: OpenFaults) -> None:
    twin = simulated(faults=faults)
    with pytest.raises(NotGlasses):
        await opens(twin)
    await until(lambda: not twin.connected)
    assert not requests(twin)


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


# -- camera and microphone ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("faults", "error"),
    [
        (OpenFaults(camera_dead=True), CameraSilent),
        (OpenFaults(camera_silent=True), CameraSilent),
        (OpenFaults(silent=frozenset({Op.TAKE_PHOTO})), ProtocolFault),
        (OpenFaults(wrong_answer=frozenset({Op.TAKE_PHOTO})), ProtocolFault),
    ],
    ids=str,
)
async def test_a_photo_that_does_not_come(opens: Opens, faults: OpenFaults, error: type[GlassesError]) -> None:
    twin = simulated(faults=faults)
    glasses, heard = await opens(twin, offers=1)
    for _ in range(2):
        with pytest.raises(error):
            await glasses.take_photo()
    assert await fetched(glasses, heard.offers[0]) == BIG


async def test_a_number_given_twice(opens: Opens, monkeypatch: pytest.MonkeyPatch) -> None:
    twin = simulated(picture(10), backlog=3)
    glasses, heard = await opens(twin, offers=3)
    del heard.events[:]
    monkeypatch.setattr(twin.storage, "number", lambda: 0)
    with pytest.raises(ProtocolFault, match="mixed up"):
        await glasses.take_photo()


async def test_the_microphone_stays_off_unless_asked_for(opens: Opens, until: Any) -> None:
    twin = simulated()
    glasses, heard = await opens(twin, continuous=True, offers=1)
    await fetched(glasses, heard.offers[0])
    await glasses.take_photo()
    await asyncio.sleep(100)
    assert not requests(twin, Op.RECORD_SOUND)
    assert not glasses.microphone_on

    note = asyncio.get_running_loop().create_task(glasses.record_sound(5))
    await until(lambda: glasses.microphone_on)
    await note
    await until(lambda: not glasses.microphone_on)
    sound = next(offer for offer in heard.offers if offer.kind is CaptureKind.SOUND)
    assert sound.media_type == "audio/wav"
    assert (await fetched(glasses, sound))[:4] == b"RIFF"
    assert sound.size == 44 + 5 * 8000


async def test_the_microphone_goes_off_when_the_wearer_changes_their_mind(opens: Opens, until: Any) -> None:
    twin = simulated(backlog=0)
    glasses, heard = await opens(twin)
    note = asyncio.get_running_loop().create_task(glasses.record_sound(600))
    await until(lambda: glasses.microphone_on)
    note.cancel()
    with pytest.raises(asyncio.CancelledError):
        await note
    assert requests(twin, Op.RECORD_SOUND)[-1].values == (0,)
    await until(lambda: not glasses.microphone_on)
    await until(lambda: heard.offers)
    for seconds in (0, 601, -1):
        with pytest.raises(ValueError, match="seconds"):
            await glasses.record_sound(seconds)


async def test_the_microphone_goes_off_with_the_link(opens: Opens, until: Any) -> None:
    twin = simulated(backlog=0)
    glasses, _ = await opens(twin)
    note = asyncio.get_running_loop().create_task(glasses.record_sound(600))
    await until(lambda: glasses.microphone_on)
    await twin.drop_link()
    with pytest.raises(LinkLost):
        await note
    await until(lambda: twin.storage.captures)
    assert not twin.storage.status().flags & wire.StatusFlag.MICROPHONE_ON


# -- the simulated glasses as a reference ---------------------------------------------------------------------------------------------


async def paired_port(rig: Any, twin: SimulatedOpenGlasses) -> tuple[Any, list[bytes], list[bytes]]:
    """A port past pairing, and what Control and Data bring."""
    port = rig.airwaves.port(await rig.air.add(twin))
    answers: list[bytes] = []
    data: list[bytes] = []
    await port.connect(lambda: None)
    await port.pair()
    await port.subscribe(wire.CONTROL, answers.append)
    await port.subscribe(wire.DATA, data.append)
    return port, answers, data


async def test_every_request_is_answered_whatever_it_is(rig: Any, until: Any) -> None:
    twin = simulated(picture(30))
    port, answers, _ = await paired_port(rig, twin)
    noise = hashlib.shake_128(b"noise").digest(4000)
    asked = [bytes([op]) + noise[at : at + at % 19] for at, op in enumerate([*range(0x20), 0x55, 0x7F] * 3)]
    for request in asked:
        answers.clear()
        await port.write(wire.CONTROL, request)
        await until(lambda: answers)
        assert answers[0][0] == request[0] | 0x80
        assert answers[0][1:2] == (request[1:2] or b"\0")
        assert answers[0][2] in set(Result)
    await port.disconnect()


@pytest.mark.parametrize(
    ("request_", "result"),
    [
        (Request(Op.LIST, 1, (0, 0)), Result.BAD_REQUEST),
        (Request(Op.READ, 1, (99, 0, 10)), Result.NO_SUCH_CAPTURE),
        (Request(Op.READ, 1, (1, 30, 10)), Result.BAD_REQUEST),
        (Request(Op.READ, 1, (1, 0, 0)), Result.BAD_REQUEST),
        (Request(Op.ABORT, 1, (9,)), Result.OK),
        (Request(Op.SET_TIME, 1, (2**63 - 1,)), Result.BAD_REQUEST),
        (Request(Op.SET_TIME, 1, (-1,)), Result.BAD_REQUEST),
        (Request(Op.RECORD_SOUND, 1, (601,)), Result.BAD_REQUEST),
        (Request(Op.ACKNOWLEDGE, 1, (99, bytes(8))), Result.NO_SUCH_CAPTURE),
        (Request(Op.ACKNOWLEDGE, 1, (1, bytes(8))), Result.DIGEST_DIFFERS),
        (Request(Op.RESTORE, 1, (1, hashlib.sha256(picture(30)).digest()[:8])), Result.OK),
    ],
)
async def test_requests_are_turned_down_for_a_reason(rig: Any, until: Any, request_: Request, result: Result) -> None:
    twin = simulated(picture(30))
    port, answers, _ = await paired_port(rig, twin)
    await port.write(wire.CONTROL, request_.pack())
    await until(lambda: answers)
    assert wire.read_answer(answers[0]) == Answer(request_.op, 1, result)
    assert list(twin.storage.captures) == [1]
    await port.disconnect()


async def test_a_second_read_takes_the_place_of_the_first(rig: Any, until: Any) -> None:
    twin = simulated()
    port, _, data = await paired_port(rig, twin)
    await port.write(wire.CONTROL, Request(Op.READ, 5, (1, 0, 1000)).pack())
    await until(lambda: sum(value[0] == 5 for value in data) == 8)
    await port.write(wire.CREDIT, wire.pack_credit(6, 5000), response=False)
    await port.write(wire.CREDIT, wire.pack_credit(5, 100), response=False)
    await asyncio.sleep(1)
    ends = [parsed.end for value in data if isinstance(parsed := read_data(value), Mark)]
    assert ends == [1000, 2000, 3000, 4000], "it went on without credit"
    await port.write(wire.CREDIT, wire.pack_credit(5, 4600), response=False)
    await until(lambda: len(data) == 13)
    await port.write(wire.CONTROL, Request(Op.READ, 6, (1, len(BIG) - 10, 1000)).pack())
    await port.write(wire.CREDIT, wire.pack_credit(5, 90000), response=False)
    await until(lambda: len(data) == 15)
    await asyncio.sleep(1)
    assert len(data) == 15
    await port.disconnect()


async def test_little_of_what_is_sent_is_not_payload(rig: Any, opens: Opens, monkeypatch: pytest.MonkeyPatch) -> None:
    """The speed that can be had is what the link carries: at least 97 of 100 bytes, requests and credit counted in."""
    body = picture(600_000)
    monkeypatch.setattr(open_profile, "FRAMES_A_WINDOW", FRAMES_A_WINDOW)
    twin = simulated(body)
    glasses, heard = await opens(twin, offers=1)
    carried = 0
    notify = twin.notify

    async def counted(uuid: str, value: bytes) -> None:
        nonlocal carried
        carried += 514  # whatever its length, a notification takes a turn
        await notify(uuid, value)

    monkeypatch.setattr(twin, "notify", counted)
    before = len(twin.accesses)
    assert await fetched(glasses, heard.offers[0]) == body
    carried += 514 * (len(twin.accesses) - before)
    assert len(body) / carried >= 0.97


# -- a system's own ways --------------------------------------------------------------------------------------------------------------


class Odd:
    """A port that does one thing its own way."""

    def __init__(self, port: Any, **ways: Any) -> None:
        self._port = port
        self._ways = ways

    def __getattr__(self, name: str) -> Any:
        return self._ways.get(name) or getattr(self._port, name)


def failing(error: BaseException) -> Any:
    async def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


async def test_a_system_that_pairs_by_itself(rig: Any) -> None:
    twin = simulated()
    port = rig.airwaves.port(await rig.air.add(twin))

    async def pair() -> None:
        await port.pair()  # the system does it, at the first use of what is protected
        raise PairsByItself

    glasses = await OpenDriver().open(Odd(port, pair=pair), continuous=False)
    await glasses.close()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RadioOff("off"), RadioOff),
        (PairingNeeded("no"), PairingNeeded),
        (ProtocolFault("odd"), PairingNeeded),
        (LinkLost("gone"), PairingNeeded),
        (TimeoutError(), PairingNeeded),
    ],
)
async def test_a_pairing_that_goes_wrong(rig: Any, until: Any, error: Exception, expected: type[GlassesError]) -> None:
    twin = simulated()
    port = rig.airwaves.port(await rig.air.add(twin))
    with pytest.raises(expected):
        await OpenDriver().open(Odd(port, pair=failing(error)), continuous=False)
    await until(lambda: not twin.connected)


async def test_out_of_range_while_pairing(rig: Any) -> None:
    twin = simulated()
    port = rig.airwaves.port(await rig.air.add(twin))

    async def pair() -> None:
        await twin.drop_link()
        await asyncio.sleep(1)
        raise LinkLost("The link was lost.")

    with pytest.raises(LinkLost):
        await OpenDriver().open(Odd(port, pair=pair), continuous=False)


async def test_information_and_battery_that_cannot_be_read(rig: Any) -> None:
    twin = simulated()
    port = rig.airwaves.port(await rig.air.add(twin))
    optional = {standard.MODEL, standard.BATTERY_LEVEL}

    async def read(uuid: str) -> bytes:
        if uuid in optional:
            raise ProtocolFault("refused")
        value: bytes = await port.read(uuid)
        return value

    async def subscribe(uuid: str, callback: Any) -> None:
        if uuid in optional:
            raise ProtocolFault("refused")
        await port.subscribe(uuid, callback)

    glasses = await OpenDriver().open(Odd(port, read=read, subscribe=subscribe), continuous=False)
    assert (glasses.info.model, glasses.info.firmware) == ("", "1.0.0")
    assert glasses.status.battery is None
    await glasses.close()


@pytest.mark.parametrize("what", [standard.MODEL, standard.BATTERY_LEVEL, wire.STATUS])
async def test_out_of_range_while_getting_to_know_each_other(rig: Any, what: str) -> None:
    twin = simulated()
    port = rig.airwaves.port(await rig.air.add(twin))

    async def read(uuid: str) -> bytes:
        if uuid == what:
            await twin.drop_link()
            await asyncio.sleep(1)
        value: bytes = await port.read(uuid)
        return value

    with pytest.raises(LinkLost):
        await OpenDriver().open(Odd(port, read=read), continuous=False)


async def test_out_of_range_while_subscribing_to_the_battery(rig: Any) -> None:
    twin = simulated()
    port = rig.airwaves.port(await rig.air.add(twin))
    with pytest.raises(LinkLost):
        await OpenDriver().open(Odd(port, subscribe=failing(LinkLost("gone"))), continuous=False)


async def test_another_device_with_the_same_service(rig: Any) -> None:
    port = rig.airwaves.port(await rig.air.add(simulated()))
    with pytest.raises(NotGlasses):
        await OpenDriver().open(Odd(port, services=lambda: {wire.SERVICE: frozenset({wire.FEATURES})}), continuous=False)
    with pytest.raises(NotGlasses):
        await OpenDriver().open(Odd(port, services=dict), continuous=False)


async def test_data_that_comes_before_the_answer(rig: Any, until: Any) -> None:
    """On some systems the notifications of one characteristic overtake those of another."""
    twin = simulated()
    port = rig.airwaves.port(await rig.air.add(twin))
    loop = asyncio.get_running_loop()

    async def subscribe(uuid: str, callback: Any) -> None:
        late = (lambda value: loop.call_later(0.5, callback, value)) if uuid == wire.CONTROL else callback
        await port.subscribe(uuid, late)

    glasses = await OpenDriver().open(Odd(port, subscribe=subscribe), continuous=False)
    heard = Heard(glasses)
    await until(lambda: heard.offers)
    assert await fetched(glasses, heard.offers[0]) == BIG
    await glasses.take_photo()
    twin.faults = OpenFaults(camera_dead=True)
    with pytest.raises(CameraSilent, match="failed"):
        await glasses.take_photo()
    assert len(requests(twin, Op.READ)) == 1
    await glasses.close()
    await heard.task


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


@pytest.mark.parametrize("result", list(Result))
def test_every_refusal_is_an_error_for_people(result: Result) -> None:
    error = refusal(result)
    assert error.what.endswith(".")
    assert error.why.endswith(".")
    assert error.action.endswith(".")
