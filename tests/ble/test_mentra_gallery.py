"""Mentra Live's gallery by itself: places, paths and lists of whatever kind, and answers one by one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ble.drivers import mentra_gallery as gallery
from ble.drivers.mentra_fetch import Busy, MentraShelf
from ble.errors import ProtocolFault
from ble.http_port import CutShort, HttpAnswer, HttpRequest, NotReachable, Place, WifiTrouble, announced_place
from ble.sim.loopback_http import Reply
from ble.types import CaptureKind
from tests.ble.direct_http import Answer


def test_places() -> None:
    assert announced_place("192.168.43.1", 8089, simulated=False) == Place("192.168.43.1", 8089)
    assert announced_place("172.31.0.1", 80, simulated=False) == Place("172.31.0.1", 80)
    assert announced_place("127.0.0.1:41234", 8089, simulated=True) == Place("127.0.0.1", 41234)
    assert announced_place("127.0.0.1", 8089, simulated=True).loopback
    refused = ("127.0.0.1", "127.0.0.1:80", "192.168.1.1:8089", "192.168.1.1:", "172.32.0.1", "192.168.001.1", "１92.168.1.1", "100.64.0.1")
    for text in (*refused, "224.0.0.1", "255.255.255.255", "192.168.1", "3232235777", "0xc0a80101", " 10.0.0.1"):
        with pytest.raises(ProtocolFault):
            announced_place(text, 8089, simulated=False)
    for text in ("192.168.1.1", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:1:2", "127.0.0.1: 80"):
        with pytest.raises(ProtocolFault):
            announced_place(text, 8089, simulated=True)


@given(st.text(max_size=30), st.booleans())
def test_any_text_is_a_place_or_refused(text: str, simulated: bool) -> None:
    try:
        place = announced_place(text, 80, simulated=simulated)
    except ProtocolFault:
        return
    assert place.loopback == simulated


@given(st.text(max_size=60))
def test_paths_stay_on_the_interface(text: str) -> None:
    for path in (text, "/api/" + text):
        if gallery.safe_path(path):
            assert path.startswith("/api/")
            assert ".." not in path
            assert "//" not in path
            assert "\\" not in path


@pytest.mark.parametrize(
    "path",
    [
        "http://evil/api/x",
        "//evil/api/x",
        "/etc/passwd",
        "/api/%2e%2e/x",
        "/api/..%2fx",
        "/api/x#y",
        "/api/a b",
        "/api/%2f%2fx",
        "/api/%0d%0aHost:x",
    ],
)
def test_paths_that_lead_elsewhere(path: str) -> None:
    assert not gallery.safe_path(path)


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("a.jpg") | st.just("/api/x")
files = st.dictionaries(st.sampled_from(["name", "size", "role", "etag", "download_url", "hash_url", "download"]), values)
captures = st.dictionaries(st.sampled_from(["capture_id", "timestamp", "request_id"]), values).flatmap(
    lambda capture: st.lists(files, max_size=4).map(lambda found: {**capture, "files": found})
)


@given(st.lists(captures, max_size=4), st.lists(files, max_size=4), values, values)
def test_any_list_is_read_or_refused(found: list[Any], photos: list[Any], more: object, cursor: object) -> None:
    body = json.dumps({"captures": found, "photos": photos, "has_more": more, "next_cursor": cursor, "offset": cursor}).encode()
    for read in (gallery.read_manifest, gallery.read_listing):
        try:
            page = read(body, datetime.now(UTC))
        except ProtocolFault:
            continue
        for entry in page.entries:
            assert gallery.safe_path(entry.path)
            assert 0 < entry.size <= gallery.LARGEST_FILE


@given(st.binary(max_size=200))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    for read in (gallery.read_manifest, gallery.read_listing):
        with pytest.raises(ProtocolFault):
            read(body, datetime.now(UTC))


def test_when_a_capture_was_made() -> None:
    now = datetime.now(UTC)
    listing = {
        "photos": [
            {"name": name, "size": 5, "download": "/api/x"} for name in ("IMG_20260314_150926_001_ab.jpg", "IMG_99999999_999999.jpg")
        ]
    }
    first, second = gallery.read_listing(json.dumps(listing).encode(), now).entries
    assert first.taken_at == min(datetime(2026, 3, 14, 15, 9, 26).astimezone(UTC), now)
    assert second.taken_at == now


# -- answers one by one -------------------------------------------------------------------------------------------------------------


class Script:
    """A port whose answers are written down; the last one goes on for ever."""

    def __init__(self, *replies: Reply | WifiTrouble) -> None:
        self.replies = list(replies)
        self.requests: list[HttpRequest] = []

    def open(self, request: HttpRequest) -> AbstractAsyncContextManager[HttpAnswer]:
        return self._open(request)

    @asynccontextmanager
    async def _open(self, request: HttpRequest) -> AsyncIterator[HttpAnswer]:
        self.requests.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, WifiTrouble):
            raise reply
        yield Answer(reply, request)


def shelf(*replies: Reply | WifiTrouble, version3: bool = True) -> tuple[MentraShelf, Script]:
    script = Script(*replies)
    made = MentraShelf(script, Place("127.0.0.1", 1))
    made.version3 = version3
    return made, script


ENTRY = gallery.Entry("c", "c/base.jpg", 10, CaptureKind.PHOTO, "image/jpeg", datetime.now(UTC), "/api/f", '"e"', "/api/h")
EMPTY = Reply(200, b'{"captures":[]}')


@pytest.mark.parametrize(
    ("replies", "error"),
    [
        ([Reply(403)], Busy),
        ([Reply(409)], Busy),
        ([Reply(429)], Busy),
        ([Reply(408)], Busy),
        ([Reply(503)], CutShort),
        ([Reply(404)], ProtocolFault),
        ([Reply(204)], ProtocolFault),
        ([NotReachable()], NotReachable),
        ([CutShort()], CutShort),
    ],
)
async def test_lists_that_never_come(replies: list[Any], error: type[Exception]) -> None:
    made, script = shelf(*replies)
    with pytest.raises(error):
        await made.entries()
    assert len(script.requests) <= 6


async def test_a_list_that_comes_after_all() -> None:
    made, script = shelf(NotReachable(), Reply(429), CutShort(), EMPTY)
    assert await made.entries() == ([], 0)
    assert len(script.requests) == 4


async def test_a_list_without_end() -> None:
    pages = [Reply(200, json.dumps({"captures": [], "has_more": True, "next_cursor": f"c{n}"}).encode()) for n in range(500)]
    made, script = shelf(*pages)
    assert await made.entries() == ([], 0)
    assert len(script.requests) == gallery.MOST_PAGES


@pytest.mark.parametrize(
    "replies",
    [
        [Reply(206, b"x" * 5, (("Content-Range", "bytes 0-4/10"),))],
        [Reply(206, b"x" * 5, (("Content-Range", "bytes 5-9/11"),))],
        [Reply(206, b"x" * 5)],
        [Reply(206, b"x" * 6, (("Content-Range", "bytes 5-9/10"),))],
        [Reply(200, b"x" * 10, (("ETag", '"other"'),))],
        [Reply(200, b"x" * 9)],
        [Reply(200, b"x" * 11, stated=10)],
        [Reply(416)],
        [Reply(404)],
        [Reply(204)],
        [Reply(201, b"x" * 10)],
    ],
)
async def test_parts_that_do_not_belong(replies: list[Any]) -> None:
    made, _ = shelf(*replies)
    with pytest.raises((ProtocolFault, CutShort)) as caught:
        [piece async for piece in made.fetch(ENTRY, 5)]
    assert not isinstance(caught.value, CutShort) or replies[0].status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"sha256":5}',
        b'{"sha256":"xyz"}',
        json.dumps({"sha256": "0" * 64, "size": 11}).encode(),
    ],
)
async def test_digests_that_are_none(body: bytes) -> None:
    made, _ = shelf(Reply(200, body))
    with pytest.raises(ProtocolFault):
        await made.digest(ENTRY)


async def test_a_no_to_letting_go() -> None:
    made, script = shelf(Reply(200, b'{"success":false}'))
    with pytest.raises(ProtocolFault):
        await made.trash("c")
    assert [(request.method, request.path) for request in script.requests] == [("POST", "/api/v3/ack")]
    made, _ = shelf(Reply(404))
    with pytest.raises(ProtocolFault):
        await made.trash("c")


async def test_what_can_be_done_without_version_three() -> None:
    for answer in (Reply(404), Reply(200, b"no json"), Reply(500)):
        made, _ = shelf(Reply(500), Reply(200, b"x"), Reply(200, b'{"status":"healthy"}'), answer, version3=False)
        await made.greet(30)
        assert not made.version3
