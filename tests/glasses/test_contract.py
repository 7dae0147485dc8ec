"""The contract of every family of glasses, on its twin: from being heard to being forgotten, through the desk and a real vault."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from app.errors import EyelidError
from app.events import CaptureSealed
from app.glasses import airs
from app.glasses.types import FoundGlasses, KnownGlasses
from app.media.samples import pictures
from ble.drivers import driver_named
from ble.errors import GlassesError, LinkLost, Unsupported
from ble.sim.catalogue import FAMILIES
from ble.sim.peripheral import SimulatedPeripheral
from ble.types import Capability, LinkState
from tests.waiting import until

NAMES = [family for family, _ in FAMILIES]
every_family = pytest.mark.parametrize("family", NAMES)


async def paired(bench: Any, family: str) -> KnownGlasses:
    await bench.desk.start_simulated(family)
    async with contextlib.aclosing(bench.desk.scan(20)) as heard:
        async for found in heard:
            if found.family == family:
                known: KnownGlasses = await bench.desk.pair(found)
                return known
    raise AssertionError("the glasses were not heard")


def view(bench: Any, known: KnownGlasses) -> Any:
    return next(view for view in bench.desk.known() if view.known.address == known.address)


async def sealed_after_a_photo(bench: Any, known: KnownGlasses) -> list[bytes]:
    before = len(bench.sealed)
    await bench.desk.take_photo(known.address)
    await bench.until(lambda: len(bench.sealed) > before)
    return [bench.vault.read(meta.id) for meta in bench.sealed]


def cut_after(twin: SimulatedPeripheral, notifications: int) -> asyncio.Event:
    """The link drops once the twin has sent so much more; told by the event."""
    dropped, send, left = asyncio.Event(), twin.notify, notifications
    home = asyncio.get_running_loop()

    async def counted(uuid: str, value: bytes) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            twin.spawn(twin.drop_link())
            home.call_soon_threadsafe(dropped.set)
        if left > 0 or dropped.is_set():
            await send(uuid, value)

    twin.notify = counted  # type: ignore[method-assign]
    return dropped


def is_a_sentence(text: str) -> bool:
    return text.strip() == text and text[0].isupper() and text.endswith(".")


@every_family
async def test_from_being_heard_to_being_forgotten(bench: Any, family: str) -> None:
    await bench.desk.start_simulated(family)
    found = await bench.found()
    assert (found.family, found.known, found.simulated) == (family, False, True)
    assert found.name
    assert -128 <= found.rssi <= 20
    cautions = bench.desk.cautions(family)
    assert cautions
    assert all(is_a_sentence(caution) for caution in cautions)

    known = await bench.desk.pair(found)
    assert (known.family, known.address, known.release, known.continuous) == (family, found.address, False, False)
    seen = view(bench, known)
    assert seen.state is LinkState.READY
    assert seen.trouble is None
    assert seen.capabilities.family == family
    assert all(is_a_sentence(caution) for caution in seen.capabilities.cautions)
    assert seen.info.model or seen.info.manufacturer
    if seen.capabilities.can(Capability.BATTERY):
        await bench.until(lambda: view(bench, known).status.battery is not None)
        assert 0 <= view(bench, known).status.battery <= 100
        assert view(bench, known).status.battery_at is not None
    else:
        assert seen.status.battery is None

    assert set(await sealed_after_a_photo(bench, known)) <= set(pictures(family))
    meta = bench.sealed[-1]
    assert (meta.new.origin.family, meta.new.origin.address, meta.new.origin.simulated) == (family, known.address, True)
    assert bench.told(CaptureSealed)[-1].address == known.address

    await bench.desk.forget(known.address)
    assert bench.desk.known() == ()
    with pytest.raises(EyelidError):
        await bench.desk.take_photo(known.address)
    assert not (await bench.found()).known


@every_family
async def test_capabilities_are_honest(bench: Any, twins: list[Any], family: str) -> None:
    known = await paired(bench, family)
    can = view(bench, known).capabilities.can
    assert can(Capability.TAKE_PHOTO)
    driver = driver_named(family)
    assert driver is not None
    if can(Capability.CONTINUOUS_CAPTURE):
        assert (view(bench, known).capabilities.interval_seconds or 1) > 0
        await bench.desk.set_continuous(known.address, True)
        await bench.until(lambda: view(bench, known).status.continuous is True)
        assert view(bench, known).known.continuous
        await bench.desk.set_continuous(known.address, False)
        await bench.until(lambda: view(bench, known).status.continuous is False)
    else:
        with pytest.raises(Unsupported):
            await bench.desk.set_continuous(known.address, True)
        assert not view(bench, known).known.continuous
        await bench.desk.set_continuous(known.address, False)  # asking for none is always fine
    if not can(Capability.WIFI):
        with pytest.raises(Unsupported):
            await companion(bench).wifi()
    else:
        await companion(bench).wifi()
    if can(Capability.STORAGE):
        await bench.until(lambda: view(bench, known).status.storage_free is not None or view(bench, known).status.stored is not None)


def companion(bench: Any) -> Any:
    [one] = bench.desk._companions.values()
    return one


@every_family
async def test_after_a_drop_in_the_middle_they_come_back_by_themselves(
    bench: Any, twins: list[Any], family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ble.sim.mentra.CONFIRMATION_SECONDS", 0.1)  # so long Mentra Live go on sending to nobody, and are busy
    known = await paired(bench, family)
    dropped = cut_after(twins[0], 4)
    with contextlib.suppress(GlassesError):  # told, or gone on with after the drop
        await bench.desk.take_photo(known.address)
    await asyncio.wait_for(dropped.wait(), 40)
    await bench.until(lambda: view(bench, known).state is not LinkState.READY)
    await bench.until(lambda: view(bench, known).state is LinkState.READY)  # by itself
    bodies = await sealed_after_a_photo(bench, known)
    assert set(bodies) <= set(pictures(family))
    assert len(set(bench.vault.ids())) == len(bodies)


@every_family
async def test_captures_are_released_only_where_chosen_and_offered(bench: Any, family: str) -> None:
    """Of what the glasses store; what only this computer holds is let go of as soon as it is safe."""
    known = await paired(bench, family)
    keeper = companion(bench)._held
    released: list[str] = []
    stored: set[str] = set()
    release, pass_on = keeper.release, keeper._pass_on

    async def watched(offer_id: str) -> None:
        assert bench.vault.ids(), "released before it was safe"
        released.append(offer_id)
        await release(offer_id)

    def noted(glasses: Any, event: Any) -> None:
        if hasattr(event, "offer") and event.offer.stored:
            stored.add(event.offer.id)
        pass_on(glasses, event)

    keeper.release, keeper._pass_on = watched, noted
    await sealed_after_a_photo(bench, known)
    await bench.desk.take_photo(known.address)
    await bench.until(lambda: not companion(bench).busy)
    assert not stored & set(released)
    if not stored:
        assert not view(bench, known).capabilities.can(Capability.RELEASE)
        assert released
        return
    await bench.desk.set_release(known.address, True)
    await sealed_after_a_photo(bench, known)
    await until(lambda: stored & set(released))


async def test_without_a_link_what_is_asked_is_refused_with_a_reason(bench: Any) -> None:
    known = await paired(bench, "halo")
    await bench.desk.disconnect(known.address)
    await bench.until(lambda: view(bench, known).state is LinkState.IDLE)
    with pytest.raises(LinkLost) as refusal:
        await bench.desk.take_photo(known.address)
    assert refusal.value.what
    assert refusal.value.action


async def test_two_families_at_once(bench: Any) -> None:
    one, other = await paired(bench, "openglass"), await paired(bench, "frame")
    await asyncio.gather(bench.desk.take_photo(one.address), bench.desk.take_photo(other.address))
    await bench.until(lambda: {meta.new.origin.family for meta in bench.sealed} == {"openglass", "frame"})
    for meta in bench.sealed:
        assert bench.vault.read(meta.id) in pictures(meta.new.origin.family)
        assert meta.new.origin.address == (one if meta.new.origin.family == "openglass" else other).address


async def test_a_scan_lists_every_family_at_once(bench: Any) -> None:
    for family in NAMES:
        await bench.desk.start_simulated(family)
    listed: dict[str, FoundGlasses] = {}
    async with contextlib.aclosing(bench.desk.scan(30)) as heard:
        async for found in heard:
            listed[found.address] = found
            if len(listed) == len(NAMES):
                break
    assert sorted(found.family for found in listed.values()) == sorted(NAMES)
    assert all(found.name and found.rssi < 20 and not found.known for found in listed.values())
    enrolled = next(found for found in listed.values() if found.family == "omi-glass")
    await bench.desk.pair(enrolled)
    await bench.desk.disconnect(enrolled.address)
    async with contextlib.aclosing(bench.desk.scan(30)) as heard:
        async for found in heard:
            if found.address == enrolled.address:
                assert found.known
                break


@pytest.mark.parametrize("family", ["mentra-live", "heycyan"])
async def test_glasses_that_advertise_no_service_are_found_by_their_name_or_maker(
    bench: Any, monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    simulated = airs.simulated

    def shy(which: str, *listen: Any) -> SimulatedPeripheral:
        twin = simulated(which, *listen)
        twin._advertised = ()
        return twin

    monkeypatch.setattr(airs, "simulated", shy)
    await bench.desk.start_simulated(family)
    found = await bench.found()
    assert found.family == family
    assert (await bench.desk.pair(found)).family == family


async def test_the_maker_alone_tells_mentra_live(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    simulated = airs.simulated

    def nameless(which: str, *listen: Any) -> SimulatedPeripheral:
        twin = simulated(which, *listen)
        twin._advertised, twin.name = (), "?"
        return twin

    monkeypatch.setattr(airs, "simulated", nameless)
    await bench.desk.start_simulated("mentra-live")
    assert (await bench.found()).family == "mentra-live"
