"""Importing over the glasses' own Wi-Fi: through the desk, the courier and the twins' web servers, into a real vault."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.glasses import over_wifi
from app.glasses.ledger import CaptureState, Ledger
from app.glasses.over_wifi import BrokenOff, Done, Invitation, Looking, Progress, WifiStep
from app.media.samples import clip, pictures
from app.vault.types import ItemId
from ble.errors import ProtocolFault
from ble.http_port import HttpAnswer, HttpPort, HttpRequest
from ble.types import Capability, CaptureKind, LinkState, Offer
from tests.waiting import until

LOOKS_WHOLE = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + bytes(900) + b"\xff\xd9"
"""Begins and ends as a picture does, and is none."""
WIFI_FAMILIES = ("mentra-live", "heycyan")


async def paired(bench: Any, family: str) -> str:
    await bench.desk.start_simulated(family)
    known = await bench.desk.pair(await bench.found())
    assert bench.desk.known()[0].capabilities.can(Capability.WIFI)
    return str(known.address)


async def imported(bench: Any, address: str) -> list[WifiStep]:
    async with contextlib.aclosing(bench.desk.import_over_wifi(address)) as steps:
        return [step async for step in steps]


def sealed(bench: Any) -> list[bytes]:
    return sorted(bench.vault.read(item) for item in bench.vault.ids())


@pytest.mark.parametrize("family", WIFI_FAMILIES)
async def test_all_that_the_glasses_hold_comes_in_once(wifi_bench: Any, twins: list[Any], family: str) -> None:
    address = await paired(wifi_bench, family)
    held = sorted(pictures(family)[:2])
    steps = await imported(wifi_bench, address)
    assert isinstance(steps[0], Invitation)
    assert steps[0].name
    assert steps[0].simulated
    assert isinstance(steps[1], Looking)
    progress = [step for step in steps if isinstance(step, Progress)]
    assert [step.done for step in progress] == sorted(step.done for step in progress)
    assert progress[-1] == Progress(2, 2)
    assert steps[-1] == Done(brought=2, known=0, failed=0)
    assert sealed(wifi_bench) == held
    await until_closed(twins[0])

    items = wifi_bench.vault.ids()
    served = len(requests_for_media(twins[0]))
    steps = await imported(wifi_bench, address)
    assert steps[-1] == Done(brought=0, known=0, failed=0)
    assert wifi_bench.vault.ids() == items
    assert len(requests_for_media(twins[0])) == served  # not even asked for


async def until_closed(twin: Any) -> None:
    """Their Wi-Fi is closed once the order arrived."""
    await until(lambda: not twin.http.address)


def requests_for_media(twin: Any) -> list[str]:
    asked = twin.shelf.asked if hasattr(twin, "shelf") else twin.asked
    return [request.path for request in asked if "download" in request.path or request.path.endswith(".jpg")]


async def test_videos_come_too(wifi_bench: Any, twins: list[Any]) -> None:
    address = await paired(wifi_bench, "mentra-live")
    twins[0].shelf.add(clip(), datetime.now(UTC), video=True)
    assert (await imported(wifi_bench, address))[-1] == Done(brought=3, known=0, failed=0)
    assert clip() in sealed(wifi_bench)


async def test_the_glasses_lose_nothing_unless_the_wearer_chose_so(wifi_bench: Any, twins: list[Any]) -> None:
    address = await paired(wifi_bench, "mentra-live")
    await imported(wifi_bench, address)
    assert not twins[0].shelf.trashed
    await wifi_bench.desk.set_release(address, True)
    assert (await imported(wifi_bench, address))[-1] == Done(brought=0, known=2, failed=0)
    assert len(twins[0].shelf.trashed) == 2
    assert not twins[0].shelf.shots


@pytest.mark.parametrize("family", WIFI_FAMILIES)
async def test_whoever_does_not_join_leaves_no_network_open(wifi_bench: Any, twins: list[Any], family: str) -> None:
    address = await paired(wifi_bench, family)
    steps = wifi_bench.desk.import_over_wifi(address)
    assert isinstance(await anext(steps), Invitation)
    assert twins[0].http.address
    await steps.aclose()
    await until_closed(twins[0])
    await wifi_bench.desk.take_photo(address)  # they can do other things again
    assert not requests_for_media(twins[0])


async def test_two_imports_at_once_are_one_too_many(wifi_bench: Any, twins: list[Any]) -> None:
    address = await paired(wifi_bench, "mentra-live")
    first = wifi_bench.desk.import_over_wifi(address)
    await anext(first)
    [refusal] = await imported(wifi_bench, address)
    assert isinstance(refusal, BrokenOff)
    assert [step async for step in first][-1] == Done(brought=2, known=0, failed=0)


async def test_glasses_without_wifi_say_so(bench: Any) -> None:
    await bench.desk.start_simulated("omi-glass")
    known = await bench.desk.pair(await bench.found())
    [refusal] = await imported(bench, known.address)
    assert isinstance(refusal, BrokenOff)
    assert "no Wi-Fi" in refusal.explanation.what


class Unsteady:
    """A way to the glasses on which the first transfers of media go wrong."""

    def __init__(self, port: HttpPort, breaks: int, word: str) -> None:
        self._port = port
        self._word = word
        self.breaks = breaks

    def open(self, request: HttpRequest) -> AbstractAsyncContextManager[HttpAnswer]:
        return self._open(request)

    @asynccontextmanager
    async def _open(self, request: HttpRequest) -> AsyncIterator[HttpAnswer]:
        if self._word in request.path and self.breaks > 0:
            self.breaks -= 1
            raise ProtocolFault("The glasses answered nonsense.")
        async with self._port.open(request) as answer:
            yield answer


async def test_what_failed_is_tried_again_in_the_same_import(wifi_bench: Any, twins: list[Any]) -> None:
    unsteady = Unsteady(wifi_bench.desk._http, 2, ".jpg")
    wifi_bench.desk._http = unsteady
    address = await paired(wifi_bench, "heycyan")
    steps = await imported(wifi_bench, address)
    assert unsteady.breaks == 0
    assert steps[-1] == Done(brought=2, known=0, failed=0)
    assert sealed(wifi_bench) == sorted(pictures("heycyan")[:2])


async def test_what_keeps_failing_is_counted_and_the_rest_arrives(
    wifi_bench: Any, twins: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(over_wifi, "MOST_LOOKS", 2)
    address = await paired(wifi_bench, "heycyan")
    twins[0].files["20260314_150999.jpg"] = LOOKS_WHOLE
    steps = await imported(wifi_bench, address)
    assert steps[-1] == Done(brought=2, known=0, failed=1)
    assert sealed(wifi_bench) == sorted(pictures("heycyan")[:2])
    assert wifi_bench.desk.known()[0].status.damaged == 1


async def test_a_lost_link_breaks_it_off_and_the_next_import_brings_the_rest(wifi_bench: Any, twins: list[Any]) -> None:
    address = await paired(wifi_bench, "mentra-live")
    steps = wifi_bench.desk.import_over_wifi(address)
    heard: list[WifiStep] = [await anext(steps)]
    await wifi_bench.desk._airs.radio.run(twins[0].drop_link())
    await wifi_bench.until(lambda: wifi_bench.desk.known()[0].state is not LinkState.READY)
    heard += [step async for step in steps]
    assert isinstance(heard[-1], BrokenOff)
    await wifi_bench.until(lambda: wifi_bench.desk.known()[0].state is LinkState.READY)
    again = await imported(wifi_bench, address)
    assert isinstance(again[-1], Done)
    assert again[-1].failed == 0
    assert sealed(wifi_bench) == sorted(pictures("mentra-live")[:2])


def test_settled_is_what_needs_no_fetching(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    address, here, gone = "F0:11:22:33:44:55", ItemId("a" * 32), ItemId("b" * 32)
    offers = {state: Offer(state.value, CaptureKind.PHOTO, "image/jpeg", datetime.now(UTC)) for state in CaptureState}
    for state, offer in offers.items():
        ledger.note(address, offer, state, item=here)
    missing = Offer("missing", CaptureKind.PHOTO, "image/jpeg", datetime.now(UTC))
    ledger.note(address, missing, CaptureState.SEALED, item=gone)
    settled = ledger.settled(address, {here})
    assert {state for state, offer in offers.items() if settled(offer)} == {
        CaptureState.SEALED,
        CaptureState.RELEASED,
        CaptureState.DISCARDED,
    }
    assert not settled(missing)
    assert not ledger.settled("F0:00:00:00:00:00", {here})(offers[CaptureState.SEALED])
    ledger.close()
