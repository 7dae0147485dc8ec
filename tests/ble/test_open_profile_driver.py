"""The open profile's driver against its simulated glasses, through the real bleak API: what they do, and how they are paired."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from typing import Any

import pytest

from ble.drivers import driver_for, driver_named, family_hint, service_uuids, standard
from ble.drivers import open_profile_wire as wire
from ble.drivers.open_profile import OpenDriver, OpenGlasses
from ble.drivers.open_profile_wire import Feature, Op, Request
from ble.errors import CameraSilent, GlassesError, LinkLost, NotGlasses, PairingNeeded, ProtocolFault, Unsupported
from ble.sim.open_profile import EVERYTHING
from ble.sim.open_profile_stream import OpenFaults
from ble.types import (
    Advertisement,
    Capability,
    CaptureKind,
    CaptureProgress,
    LinkClosed,
    Offer,
)
from tests.ble.driving import fetched
from tests.ble.open_twins import BIG, NOW, WINDOW, Opens, picture, requests, simulated

pytestmark = pytest.mark.usefixtures("small_windows")


async def restore(glasses: OpenGlasses, offer: Offer) -> None:
    """Have the glasses take it out of their trash again, which the driver never does."""
    record = glasses._session.held(offer.id).record
    await glasses._session.link.ask(Op.RESTORE, record.id, record.sha256[: wire.DIGEST_HEAD_BYTES])


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
    for asked in (anext(glasses.fetch("00000009-0011223344556677")), glasses.release("nonsense")):
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
    await restore(glasses, offer)
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
        await restore(glasses, heard.offers[0])


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
        await restore(glasses, heard.offers[0])
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
