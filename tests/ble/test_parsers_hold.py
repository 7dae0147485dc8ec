"""Whatever glasses send, no parser raises and none grows: each session and reader fed with what hypothesis thinks of.

And frames of others' captures that the drivers never send, as vectors for the framing alone.
"""

from __future__ import annotations

import asyncio
import string
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ble.drivers import heycyan_wire, mentra_profile
from ble.drivers.brilliant_link import BrilliantLink
from ble.drivers.brilliant_session import BrilliantSession
from ble.drivers.heycyan_session import HeycyanSession
from ble.drivers.k900 import LONGEST_MESSAGE, MOST_PARTIAL, ChunkJoiner, Code
from ble.drivers.mentra_packets import picture_type
from ble.drivers.mentra_session import MentraSession
from ble.drivers.omi_session import OmiSession
from ble.drivers.open_profile_link import OpenLink
from ble.drivers.open_profile_session import OpenSession

few = settings(max_examples=40)

# ebowwa/HeyCyanSmartGlassesSDK (Android sample and QCSDK headers) and josephsamela/heycyan-python.
CAPTURED = """
    bc42020001b00000 bc41030050510201 02 bc41030091910201 03 bc410300d0560201 08 bc410300d1950201 0c bc410500bf3e0201060404
    bc4106001dd0020106020202 bc41040096ac02010b01 bc410300105502010d bc47020000200100 bcfd03002000010000 bcfd03002190010100
    bc400900e9f926031415092601 0301
"""


def captured() -> list[bytes]:
    return [bytes.fromhex("bc" + rest) for rest in CAPTURED.replace(" ", "").replace("\n", "").split("bc") if rest]


def test_there_are_as_many_as_were_written_down() -> None:
    assert len(captured()) == 13


@pytest.mark.parametrize("frame", captured(), ids=bytes.hex)
def test_the_framing_is_that_of_captured_frames(frame: bytes) -> None:
    assert heycyan_wire.frame(frame[1], frame[6:]) == frame
    [read] = heycyan_wire.FrameReader().feed(frame, 0.0)
    assert (read.opcode, read.payload, read.sound) == (frame[1], frame[6:], True)


values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([0xB822, 0, 0x4C]), st.binary(max_size=30), max_size=3))
def test_any_advertisement_of_mentra_is_read(manufacturer: dict[int, bytes]) -> None:
    said = mentra_profile.pairing_advert(manufacturer)
    assert said.code == "" or (len(said.code) == 4 and set(said.code) <= set(string.hexdigits))


@given(st.binary(max_size=80) | st.binary(max_size=60).map(lambda rest: b"\x00\x00\x00\x0cftypavif" + rest))
def test_any_picture_is_one_or_none(data: bytes) -> None:
    assert picture_type(data) in ("", "image/jpeg", "image/avif")


chunks = st.fixed_dictionaries(
    {
        "t": st.sampled_from(["ck", "ck", "x"]) | values,
        "id": st.sampled_from(["a", "b", "c", "d" * 200]) | values,
        "c": st.integers(0, 5) | values,
        "n": st.integers(1, 5) | values,
        "d": st.text(max_size=30) | values,
    },
    optional={"mId": values, "type": st.just("chunked_msg")},
)


@given(st.lists(chunks, max_size=30))
def test_any_chunks_join_to_something_or_nothing(parts: list[dict[str, Any]]) -> None:
    joiner = ChunkJoiner()
    for part in parts:
        joined = joiner.feed(part)
        assert joined is None or isinstance(joined, dict)
    assert len(joiner._partial) <= MOST_PARTIAL
    assert sum(len(text) for held in joiner._partial.values() for text in held.values()) <= MOST_PARTIAL * LONGEST_MESSAGE


def in_a_loop(work: Callable[[], None]) -> None:
    """Sessions need a loop; nothing in it may fail either."""

    async def done() -> None:
        faults: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        work()
        await asyncio.sleep(0)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)
        assert faults == []

    asyncio.run(done())


def utc() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)


async def nothing(_: bytes) -> None: ...


KINDS = [
    "glasses_ready",
    "battery_status",
    "gallery_status",
    "hotspot_status_update",
    "wifi_status",
    "version_info_3",
    "photo_status",
    "photo_response",
    "transfer_failed",
    "file_announce",
]
FIELDS = [
    "sid",
    "percent",
    "photos",
    "videos",
    "total_size",
    "hotspot_ssid",
    "hotspot_enabled",
    "requestId",
    "fileName",
    "totalPackets",
    "fileSize",
    "status",
]
messages = st.fixed_dictionaries({"type": st.sampled_from(KINDS) | values}, optional=dict.fromkeys(FIELDS, values))


@few
@given(st.lists(messages, max_size=12), st.dictionaries(st.text(max_size=6), values, max_size=3))
def test_any_messages_of_mentra_are_borne(said: list[dict[str, Any]], body: dict[str, Any]) -> None:
    def work() -> None:
        session = MentraSession(utc, lambda _: None, lambda: None)
        session.order("I1")
        for message in said:
            session.message_heard(message)
        session.code_heard(Code("sr_batv", body))
        session.ended()
        session.forget_order()

    in_a_loop(work)


@few
@given(st.lists(st.binary(max_size=60) | st.binary(max_size=40).map(lambda rest: b"\x01" + rest), max_size=20))
def test_any_notifications_of_frame_are_borne(said: list[bytes]) -> None:
    def work() -> None:
        link = BrilliantLink(None, BrilliantSession(utc))  # type: ignore[arg-type]
        link._running = link.session._listening = True
        link.session.order(7)
        for value in said:
            link.notified(value)
        link.lost()
        link.session.forget_order()

    in_a_loop(work)


@few
@given(st.lists(st.binary(max_size=80) | st.builds(heycyan_wire.frame, st.integers(0, 255), st.binary(max_size=40)), max_size=12))
def test_any_notifications_of_heycyan_are_borne(said: list[bytes]) -> None:
    def work() -> None:
        session = HeycyanSession(utc, nothing)
        for value in said:
            session.notified(value)
        session.ended()

    in_a_loop(work)


@few
@given(st.lists(st.binary(max_size=210), max_size=20), st.binary(max_size=3))
def test_any_notifications_of_omi_are_borne(said: list[bytes], battery: bytes) -> None:
    def work() -> None:
        session = OmiSession(utc)
        session.starts("omi-glass", 244)
        session.order()
        for value in said:
            session.notified(value)
        session.battery_notified(battery)
        assert session.status.battery is None or 0 <= session.status.battery <= 100
        session.ended()
        session.forget_order()

    in_a_loop(work)


@few
@given(st.lists(st.binary(max_size=40), max_size=20))
def test_any_notifications_of_open_glasses_are_borne(said: list[bytes]) -> None:
    def work() -> None:
        link = OpenLink(None)  # type: ignore[arg-type]
        session = OpenSession(link, utc)
        with link._transfer(0, 4096, None):
            for value in said:
                link.answered(value)
                link.arrived(value)
                session.status_notified(value)
            session.ended()

    in_a_loop(work)
