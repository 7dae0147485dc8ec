"""A transfer that breaks off in the middle goes on from there at the next link where the glasses can, not from the start."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from app.events import CaptureArriving
from app.glasses import intake
from app.glasses.ingest import AHEAD
from app.glasses.over_wifi import BrokenOff, Done
from app.media.samples import pictures
from ble.drivers import mentra_fetch, mentra_link
from ble.sim.faults import AT_ONCE
from ble.sim.loopback_http import Reply
from ble.sim.mentra import SimulatedMentra
from ble.sim.open_profile import SimulatedOpenGlasses
from ble.sim.open_profile_stream import OpenFaults
from ble.types import LinkState
from tests.glasses.driving import film, imported, paired
from tests.waiting import until


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits between tries, and each piece is told of."""
    for module, name in ((mentra_fetch, "LONGEST_PAUSE"), (mentra_fetch, "PROBE_SECONDS"), (mentra_link, "PAUSE_SECONDS")):
        monkeypatch.setattr(module, name, 0.01)
    monkeypatch.setattr(intake, "TELL_SECONDS", 0.0)


async def test_a_file_over_wifi(wifi_bench: Any, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The link is lost while a file comes over Wi-Fi, and the glasses' Wi-Fi with it."""
    video = film(AHEAD * 4)
    twin = SimulatedMentra(pictures("mentra-live"), stored=0, pace=AT_ONCE)
    shot = twin.shelf.add(video, datetime.now(UTC), video=True)
    address = await paired(wifi_bench, monkeypatch, twin)
    twin.http._rate = 8e6
    arriving: list[CaptureArriving] = []

    async def leave() -> None:
        await twin.http.stop()
        await twin.drop_link()

    def arrived(event: CaptureArriving) -> None:
        arriving.append(event)
        if event.received > AHEAD * 2 and len(left) == 0:
            left.append(wifi_bench.desk._airs.radio.call_soon(lambda: twin.spawn(leave())))

    left: list[object] = []
    wifi_bench.events.subscribe(CaptureArriving, arrived)
    assert isinstance(await imported(wifi_bench, address), BrokenOff)
    assert wifi_bench.vault.ids() == ()
    await wifi_bench.until(lambda: wifi_bench.desk.known()[0].state is LinkState.READY)

    twin.http._rate, twin.shelf.asked = 0.0, []
    arriving.clear()
    assert await imported(wifi_bench, address) == Done(brought=1, known=0, failed=0)
    [asked] = [request for request in twin.shelf.asked if request.path == "/api/v3/download"]
    assert int(asked.headers["range"].removeprefix("bytes=").removesuffix("-")) > AHEAD
    assert arriving[0].received > AHEAD
    assert (arriving[-1].received, arriving[-1].total) == (len(video), len(video))
    [item] = wifi_bench.vault.ids()
    assert wifi_bench.vault.read(item) == video
    assert shot.id in {known.id for known in twin.shelf.shots}  # nobody chose to remove it


async def test_an_import_that_is_called_off(wifi_bench: Any, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends at once, though the glasses would go on for minutes; what came counts at the next one."""
    monkeypatch.setattr(mentra_fetch, "LONGEST_PAUSE", 60.0)
    video = film(AHEAD * 4)
    twin = SimulatedMentra(pictures("mentra-live"), stored=0, pace=AT_ONCE)
    twin.shelf.add(video, datetime.now(UTC), video=True)
    address = await paired(wifi_bench, monkeypatch, twin)
    twin.http._rate = 2e6
    enough = asyncio.Event()
    wifi_bench.events.subscribe(CaptureArriving, lambda event: enough.set() if event.received > AHEAD else None)
    running = asyncio.create_task(imported(wifi_bench, address))
    await enough.wait()
    running.cancel()
    await asyncio.wait({running})
    await until(lambda: not wifi_bench.desk._companions[address].busy)
    assert wifi_bench.vault.ids() == ()
    twin.http._rate, twin.shelf.asked = 0.0, []
    assert await imported(wifi_bench, address) == Done(brought=1, known=0, failed=0)
    [asked] = [request for request in twin.shelf.asked if request.path == "/api/v3/download"]
    assert "range" in asked.headers


async def test_glasses_that_do_not_let_go_are_asked_again(wifi_bench: Any, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    twin = SimulatedMentra(pictures("mentra-live"), pace=AT_ONCE)
    address = await paired(wifi_bench, monkeypatch, twin)
    await wifi_bench.desk.set_release(address, True)
    with monkeypatch.context() as stubborn:
        stubborn.setattr(twin.shelf, "_acknowledge", lambda _: Reply(500))
        assert await imported(wifi_bench, address) == Done(brought=2, known=0, failed=0)
    assert len(twin.shelf.shots) == 2
    assert await imported(wifi_bench, address) == Done(brought=0, known=2, failed=0)
    assert len(twin.shelf.trashed) == 2


async def test_a_photo_of_open_glasses(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "TELL_SECONDS", 0.0)
    photo = pictures("open")[0] + bytes(300_000)  # of several windows: what is in a window not yet whole does not count
    twin = SimulatedOpenGlasses([photo], backlog=1, faults=OpenFaults(drop_link_at=len(photo) // 2, times=1), pace=AT_ONCE)
    offsets: list[int] = []
    send = twin._send

    async def sent(read: Any, body: bytes, offset: int, window: int) -> None:
        offsets.append(offset)
        await send(read, body, offset, window)

    monkeypatch.setattr(twin, "_send", sent)
    await paired(bench, monkeypatch, twin)
    await bench.until(lambda: len(bench.sealed) == 1)
    assert offsets[0] == 0
    assert offsets[-1] > 0
    assert bench.vault.read(bench.sealed[0].id) == photo
