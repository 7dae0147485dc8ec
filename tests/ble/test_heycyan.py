"""HeyCyan glasses: worked examples, the gate that stops what destroys, and the driver against simulated ones, fault by fault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ble.drivers import heycyan_wire as wire
from ble.drivers.heycyan import GuardedWriter, HeycyanDriver, HeycyanGlasses
from ble.drivers.heycyan_files import read_list
from ble.drivers.heycyan_wire import BatteryLevel, Counts, Forbidden, Frame, FrameReader, Mode, ModeAnswer, Page, WifiAddress, check_write
from ble.drivers.session import MOST_HELD
from ble.errors import CameraSilent, GlassesError, LinkLost, NotGlasses, ProtocolFault, Unsupported
from ble.http_port import CutShort, HttpAnswer, HttpRequest, NotReachable, WifiGlasses, WifiInvitation
from ble.sim.faults import AT_ONCE
from ble.sim.heycyan import HeycyanFaults, SimulatedHeycyan
from ble.sim.loopback_http import Reply, asked
from ble.sim.omi import SimulatedNecklace
from ble.types import Advertisement, Capability, CaptureDamaged, CaptureKind, CaptureOffered, LinkClosed, Offer

Make = Callable[[int], bytes]


def unhex(text: str) -> bytes:
    return bytes.fromhex(text)


def one(text: str) -> Frame:
    (found,) = FrameReader().feed(unhex(text), 0.0)
    assert found.sound
    return found


# -- worked examples ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "crc"),
    [("01", 0x807E), ("020108", 0x56D0), ("0201060202", 0x9C3C), ("0100000000", 0xC019), ("0101000100", 0xAC19), ("", 0xFFFF)],
)
def test_checksums(payload: str, crc: int) -> None:
    assert wire.crc16(unhex(payload)) == crc


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (wire.ask_battery(), "bc 42 01 00 7e 80 01"),
        (wire.ask_versions(), "bc 43 01 00 7e 80 01"),
        (wire.switch(Mode.PHOTO), "bc 41 03 00 10 50 02 01 01"),
        (wire.switch(Mode.SMALL_PHOTO), "bc 41 05 00 3c 9c 02 01 06 02 02"),
        (wire.switch(Mode.TRANSFER), "bc 41 03 00 d0 53 02 01 04"),
        (wire.switch(Mode.TRANSFER_STOP), "bc 41 03 00 11 96 02 01 09"),
        (wire.switch(Mode.WIFI_RESET), "bc 41 03 00 91 94 02 01 0f"),
        (wire.ask_address(), "bc 41 02 00 40 d1 02 03"),
        (wire.ask_counts(), "bc 41 02 00 01 13 02 04"),
        (wire.ask_page(0), "bc fd 05 00 19 c0 01 00 00 00 00"),
        (wire.ask_page(1), "bc fd 05 00 19 ac 01 01 00 01 00"),
        (
            wire.set_time(datetime(2026, 3, 14, 15, 9, 26, tzinfo=timezone(timedelta(hours=1)))),
            "bc 40 09 00 a9 f8 26 03 14 15 09 26 01 03 02",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_asked(made: bytes, text: str) -> None:
    assert made == unhex(text)
    check_write(made)


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("bc 42 02 00 fe 40 57 01", BatteryLevel(87, True)),
        ("bc 73 03 00 50 01 05 40 00", BatteryLevel(64, False)),
        ("bc 41 09 00 cb a3 02 04 0c 00 03 00 01 00 00", Counts(12, 3, 1)),
        ("bc 73 08 00 91 07 01 01 00 00 00 00 00 00", Counts(1, 0, 0)),
        ("bc 41 05 00 0c 3f 02 01 01 00 04", ModeAnswer(1, False, 4)),
        (
            "bc 41 21 00 9c 00 02 01 04 ff 10 00 09 00 4d 30 31 5f 43 39 33 41 34 36 46 32 39 46 44 38 31 32 33 34 35 36 37 38 39",
            ModeAnswer(4, True, None, "M01_C93A46F29FD8", "123456789"),
        ),
        ("bc 73 05 00 b1 d1 08 c0 a8 1f 01", WifiAddress("192.168.31.1")),
        ("bc 73 05 00 2c 45 08 c0 a8 31 4f", WifiAddress("192.168.49.79")),
        ("bc 73 01 00 3e 81 02", wire.PictureReady()),
    ],
)
def test_what_is_heard(text: str, heard: wire.Heard) -> None:
    assert wire.read(one(text)) == heard


@pytest.mark.parametrize(
    "payload", [b"", b"\x02", b"\x02\x01\x04", b"\x02\x03\x01", b"\x02\x04\x01\x00", b"\x02\x09\x00\x00\x00\x00\x00\x00"]
)
def test_answers_too_short_say_nothing(payload: bytes) -> None:
    assert wire.read(Frame(wire.CONTROL, payload, True)) is None
    for opcode in (0x42, 0x43, 0x73, 0xFD, 0x99):
        assert wire.read(Frame(opcode, payload[:1] and b"\xff", True)) is None


@pytest.mark.parametrize("lengths", [b"\xff\xff\x09\x00", b"\x10\x00\xff\xff", b"\x00\x00\x00\x00"])
def test_a_network_that_does_not_fit_is_none(lengths: bytes) -> None:
    answer = wire.read(Frame(wire.CONTROL, b"\x02\x01\x04\xff" + lengths + b"M01_C93A46F29FD8123456789", True))
    assert answer == ModeAnswer(4, True)


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=600)), max_size=5), st.data())
def test_frames_split_at_any_point(frames: list[tuple[int, bytes]], data: Any) -> None:
    stream = b"".join(wire.frame(opcode, payload) for opcode, payload in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    reader = FrameReader()
    found = [f for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True) for f in reader.feed(stream[start:end], 1.0)]
    assert found == [Frame(opcode, payload, True) for opcode, payload in frames]


@given(st.lists(st.binary(max_size=10_000), max_size=6))
def test_after_any_garbage_and_a_pause_frames_are_read_again(garbage: list[bytes]) -> None:
    reader = FrameReader()
    for part in garbage:
        for found in reader.feed(part, 1.0):
            wire.read(found)
        assert len(reader._buffer) <= 2 * wire.LONGEST_PAYLOAD
    assert reader.feed(wire.ask_battery(), 100.0) == [Frame(wire.BATTERY, b"\x01", True)]


@given(st.integers(0, 255), st.binary(max_size=300))
def test_any_frame_says_something_or_nothing(opcode: int, payload: bytes) -> None:
    wire.read(Frame(opcode, payload, True))


# -- the gate -----------------------------------------------------------------------------------------------------------------------

DESTRUCTIVE = [
    wire.frame(wire.CONTROL, b"\x02\x01\x0a"),
    wire.frame(wire.CONTROL, b"\x02\x01\x0a\x00"),
    wire.frame(wire.CONTROL, b"\x02\x01\x05"),
    wire.frame(wire.CONTROL, b"\x02\x05"),
    wire.frame(wire.CONTROL, b"\x02\x05a.jpg"),
    wire.frame(0xFC, b"http://x"),
    *(wire.frame(opcode, payload) for opcode in range(1, 6) for payload in (b"", b"\x01")),
]
UNKNOWN = [
    b"",
    b"\xbc",
    b"\x01\x02\x01\x0a",
    wire.frame(wire.CONTROL),
    wire.frame(wire.CONTROL, b"\x02"),
    wire.frame(wire.CONTROL, b"\x02\x01"),
    wire.frame(wire.CONTROL, b"\x02\x01\x0e"),
    wire.frame(wire.CONTROL, b"\x02\x01\x14\x01"),
    wire.frame(wire.CONTROL, b"\x01\x01\x04"),
    wire.frame(0x49, b"\x01"),
    wire.frame(wire.SET_TIME, b"\x01"),
    wire.ask_battery() + wire.frame(wire.CONTROL, b"\x02\x01\x0a"),
    wire.ask_battery()[:-1],
    wire.ask_battery()[:4] + b"\x00\x00\x01",
    b"\xbc\x42\x02\x00\x7e\x80\x01",
]


@pytest.mark.parametrize("data", DESTRUCTIVE + UNKNOWN, ids=lambda data: data.hex())
async def test_what_destroys_or_is_unknown_never_leaves(data: bytes) -> None:
    written: list[bytes] = []

    class Port:
        async def write(self, characteristic: str, sent: bytes, *, response: bool = True) -> None:
            written.append(sent)

    with pytest.raises(Forbidden) as caught:
        await GuardedWriter(Port()).write(data)  # type: ignore[arg-type]
    assert caught.value.action
    assert written == []


@given(st.integers(0, 255), st.binary(max_size=12))
def test_whatever_passes_the_gate_is_on_the_short_list(opcode: int, payload: bytes) -> None:
    try:
        check_write(wire.frame(opcode, payload))
    except Forbidden:
        return
    assert opcode in (0x40, 0x41, 0x42, 0x43, 0xFD)
    assert not payload.startswith(wire.DENIED_CONTROL)


@given(st.binary(max_size=40))
def test_nothing_but_a_sound_frame_passes(data: bytes) -> None:
    try:
        check_write(data)
    except Forbidden:
        return
    assert data == wire.frame(data[1], data[6:])


def test_all_modes_against_the_gate() -> None:
    passed = set()
    for mode in range(256):
        try:
            check_write(wire.frame(wire.CONTROL, bytes([2, 1, mode])))
            passed.add(mode)
        except Forbidden:
            pass
    assert passed == {Mode.PHOTO, Mode.TRANSFER, Mode.SMALL_PHOTO, Mode.TRANSFER_STOP, Mode.WIFI_RESET}


# -- the driver ---------------------------------------------------------------------------------------------------------------------


@dataclass
class Answer:
    reply: Reply
    request: HttpRequest

    @property
    def status(self) -> int:
        return self.reply.status

    @property
    def headers(self) -> Mapping[str, str]:
        return {}

    async def pieces(self) -> AsyncIterator[bytes]:
        got = 0
        for piece in self.reply.pieces():
            await asyncio.sleep(0)
            got += len(piece)
            if got > min(self.request.most, 1 << 26):
                raise ProtocolFault("The glasses sent too much.")
            yield piece
        if self.reply.length is not None and got < self.reply.length:
            raise CutShort


class DirectHttp:
    """Carries requests to the twin without a network."""

    def __init__(self, twin: SimulatedHeycyan) -> None:
        self.twin = twin

    def open(self, request: HttpRequest) -> AbstractAsyncContextManager[HttpAnswer]:
        return self._open(request)

    @asynccontextmanager
    async def _open(self, request: HttpRequest) -> AsyncIterator[HttpAnswer]:
        if f"{request.place.address}:{request.place.port}" != self.twin.http.address:
            raise NotReachable
        reply = self.twin._respond(asked(request.method, request.path, {}))
        if 300 <= reply.status < 400:
            raise ProtocolFault("The glasses pointed to another place.")
        yield Answer(reply, request)


class Heard:
    def __init__(self, glasses: HeycyanGlasses) -> None:
        self.events: list[Any] = []
        self.task = asyncio.get_running_loop().create_task(self._read(glasses))

    async def _read(self, glasses: HeycyanGlasses) -> None:
        async for event in glasses.events():
            self.events.append(event)

    @property
    def offers(self) -> list[Offer]:
        return [event.offer for event in self.events if isinstance(event, CaptureOffered)]

    @property
    def damaged(self) -> list[str]:
        return [event.reason for event in self.events if isinstance(event, CaptureDamaged)]


@dataclass
class Pair:
    twin: SimulatedHeycyan
    glasses: HeycyanGlasses
    heard: Heard

    async def get(self, offer: Offer, offset: int = 0) -> bytes:
        return b"".join([piece async for piece in self.glasses.fetch(offer.id, offset)])


@pytest.fixture
async def pair(rig: Any, make_jpeg: Make) -> AsyncIterator[Callable[..., Any]]:
    twins: list[SimulatedHeycyan] = []

    async def opened(*pictures: bytes, files: dict[str, bytes] | None = None, twin: SimulatedHeycyan | None = None, **faults: Any) -> Pair:
        made = twin or SimulatedHeycyan(pictures or (make_jpeg(9000),), faults=HeycyanFaults(**faults), pace=AT_ONCE, files=files)
        if made not in rig.air.peripherals:
            await rig.air.add(made)
            twins.append(made)
        driver = HeycyanDriver(DirectHttp(made), simulated=True)
        glasses = await driver.open(rig.airwaves.port(rig.air.address_of(made)), continuous=False)
        heard = Heard(glasses)
        rig.opened.append((glasses, heard))
        return Pair(made, glasses, heard)

    yield opened
    for twin in twins:
        assert twin.destroyed == []
        for frame in twin.frames:
            check_write(frame)


async def test_the_beginning(pair: Any) -> None:
    p = await pair()
    glasses = p.glasses
    assert isinstance(glasses, WifiGlasses)
    assert glasses.status.battery == 87
    assert glasses.counts == Counts(1, 0, 0)
    assert (glasses.info.firmware, glasses.info.hardware) == ("A02E02_3.20_251014", "A02E02_V3.2")
    assert any("Experimental" in caution for caution in glasses.capabilities.cautions)
    assert HeycyanDriver().cautions("heycyan") == glasses.capabilities.cautions
    assert not {Capability.RESUME, Capability.RELEASE} & glasses.capabilities.features
    assert p.twin.frames[0][1] == wire.SET_TIME
    assert p.twin.frames[0][-1] == 2
    p.twin.charge = 60
    p.twin.say(wire.REPORT, b"\x05\x3c\x00")
    await asyncio.sleep(0.1)
    assert glasses.status.battery == 60
    p.twin.say(wire.REPORT, b"\x01\x05\x00\x01\x00\x00\x00\x00")
    await asyncio.sleep(0.1)
    assert glasses.counts == Counts(5, 1, 0)


@pytest.mark.parametrize(
    "faults",
    [
        {},
        {"split": 3},
        {"split": 7, "page_bytes": 100},
        {"stray": b"\xbcrest of something"},
        {"stray": b"\x00" * 30},
        {"bad_page_crc": 2},
        {"bad_page_crc": 10**6},
        {"bad_crc": 10**6, "bad_page_crc": 10**6},
        {"stuck_in_transfer": True},
        {"mtu": 23},
    ],
    ids=str,
)
async def test_a_small_photo(pair: Any, make_jpeg: Make, faults: dict[str, Any]) -> None:
    p = await pair(make_jpeg(9000), **faults)
    await p.glasses.take_photo()
    await asyncio.sleep(0.1)
    (offer,) = p.heard.offers
    assert (offer.kind, offer.media_type, offer.size) == (CaptureKind.PHOTO, "image/jpeg", 9000)
    assert await p.get(offer) == make_jpeg(9000)
    assert await p.get(offer, 8000) == make_jpeg(9000)[8000:]
    assert p.heard.damaged == []
    await p.glasses.release(offer.id)
    with pytest.raises(ProtocolFault):
        await p.get(offer)


@pytest.mark.parametrize(
    "faults", [{"lose_page": 3}, {"pages_stated": 60_000}, {"pages_stated": 0}, {"pages_stated": 5}, {"pages_stated": 400}], ids=str
)
async def test_a_photo_that_never_arrives_whole(pair: Any, make_jpeg: Make, faults: dict[str, Any]) -> None:
    p = await pair(make_jpeg(9000), **faults)
    with pytest.raises(ProtocolFault):
        await p.glasses.take_photo()
    await asyncio.sleep(0.1)
    assert len(p.heard.damaged) == 1
    assert p.heard.offers == []
    assert p.glasses.status.damaged == 1


async def test_a_silent_camera(pair: Any) -> None:
    p = await pair(camera_silent=True)
    with pytest.raises(CameraSilent):
        await p.glasses.take_photo()


async def test_photos_nobody_released_never_give_way(pair: Any, make_jpeg: Make) -> None:
    p = await pair(make_jpeg(300))
    for _ in range(MOST_HELD):
        await p.glasses.take_photo()
    with pytest.raises(GlassesError):
        await p.glasses.take_photo()
    assert await p.get(p.heard.offers[3]) == make_jpeg(300)
    with pytest.raises(GlassesError):
        await p.glasses.take_photo()
    await p.glasses.release(p.heard.offers[3].id)
    await p.glasses.take_photo()
    assert await p.get(p.heard.offers[0]) == make_jpeg(300)
    with pytest.raises(ProtocolFault):
        await p.get(p.heard.offers[3])


async def test_a_link_that_drops(pair: Any, make_jpeg: Make) -> None:
    p = await pair(make_jpeg(9000), lose_page=2)
    order = asyncio.get_running_loop().create_task(p.glasses.take_photo())
    await asyncio.sleep(1)
    await p.twin.drop_link()
    with pytest.raises(LinkLost):
        await order
    await p.heard.task
    assert p.heard.events[-1] == LinkClosed(wanted=False)
    for work in (p.glasses.take_photo(), p.glasses.set_continuous(False), p.glasses.open_wifi(own_network=True)):
        with pytest.raises(LinkLost):
            await work
    again = await pair(twin=p.twin)
    assert again.glasses.status.battery == 87


async def test_no_capture_at_intervals(pair: Any) -> None:
    p = await pair()
    await p.glasses.set_continuous(False)
    with pytest.raises(Unsupported):
        await p.glasses.set_continuous(True)


async def test_what_is_no_pair_of_them(rig: Any) -> None:
    necklace = SimulatedNecklace(pace=AT_ONCE)
    await rig.air.add(necklace)
    with pytest.raises(NotGlasses):
        await HeycyanDriver().open(rig.airwaves.port(rig.air.address_of(necklace)), continuous=False)


def test_recognised_by_service_or_name() -> None:
    driver = HeycyanDriver()
    assert driver.recognises(Advertisement("a", "", -50, frozenset({wire.SERVICE})))
    for name in ("CY01_1234", "M01_9FD8", "M02S_1", "O_1"):
        assert driver.recognises(Advertisement("a", name, -50))
    assert not driver.recognises(Advertisement("a", "OMI Glass", -50))


# -- Wi-Fi --------------------------------------------------------------------------------------------------------------------------

MP4 = b"\x00\x00\x00\x18ftypmp42" + bytes(70_000) + b"moov" + bytes(100_000)


async def test_files_over_wifi(pair: Any, make_jpeg: Make) -> None:
    files = {"a_1.jpg": make_jpeg(200_000), "b.mp4": MP4, "c.opus": b"\x48opus packets"}
    p = await pair(files=files)
    assert await p.glasses.open_wifi(own_network=True) == WifiInvitation("M01_C93A46F29FD8", "123456789")
    with pytest.raises(Unsupported):
        await p.glasses.take_photo()
    assert await p.glasses.look_over_wifi() == 3
    assert await p.glasses.look_over_wifi() == 0
    await asyncio.sleep(0.1)
    assert [offer.kind for offer in p.heard.offers] == [CaptureKind.PHOTO, CaptureKind.VIDEO, CaptureKind.SOUND]
    for offer in p.heard.offers:
        assert await p.get(offer) == files[offer.id]
        assert await p.get(offer, 7) == files[offer.id][7:]
        await p.glasses.release(offer.id)
    await p.glasses.close_wifi()
    assert p.twin.mode == 0
    with pytest.raises(NotReachable):
        await p.get(p.heard.offers[0])
    with pytest.raises(NotReachable):
        await p.glasses.look_over_wifi()
    await p.glasses.take_photo()


async def test_leaving_always_ends_the_transfer_mode(pair: Any) -> None:
    p = await pair()
    await p.glasses.open_wifi(own_network=True)
    assert p.twin.mode == Mode.TRANSFER
    await p.glasses.close()
    assert p.twin.mode == 0


@pytest.mark.parametrize(
    "faults",
    [
        {"deaf_to_transfer": 1},
        {"deaf_to_transfer": 2},
        {"busy": 1},
        {"no_report": True},
        {"report_first": True},
        {"list_errors": 4},
        {"cut_after": 1000, "cuts": 2},
        {"server_error": 2},
        {"wifi_fails": 1},
        {"split": 3},
    ],
    ids=str,
)
async def test_oddities_of_wifi(pair: Any, make_jpeg: Make, faults: dict[str, Any]) -> None:
    p = await pair(make_jpeg(150_000), **faults)
    await p.glasses.open_wifi(own_network=True)
    await asyncio.sleep(0.5)
    assert await p.glasses.look_over_wifi() == 1
    await asyncio.sleep(0.1)
    assert await p.get(p.heard.offers[0]) == make_jpeg(150_000)


@pytest.mark.parametrize(
    ("faults", "error"),
    [({"deaf_to_transfer": 9}, ProtocolFault), ({"busy": 9}, ProtocolFault), ({"no_network": True}, Unsupported)],
    ids=str,
)
async def test_no_wifi(pair: Any, faults: dict[str, Any], error: type[Exception]) -> None:
    p = await pair(**faults)
    with pytest.raises(error):
        await p.glasses.open_wifi(own_network=True)
    assert p.twin.mode == 0
    with pytest.raises(Unsupported):
        await p.glasses.open_wifi(own_network=False)


@pytest.mark.parametrize(
    ("faults", "error"),
    [
        ({"announced": bytes([8, 8, 8, 8])}, ProtocolFault),
        ({"announced": bytes([192, 168, 1, 1])}, ProtocolFault),
        ({"announced": bytes([127, 0, 0, 1, 0, 0])}, ProtocolFault),
        ({"announced": bytes([127, 0, 0, 1])}, NotReachable),
        ({"redirect_to": "http://10.0.0.1/"}, ProtocolFault),
        ({"list_body": b"x\n" * 10_001}, ProtocolFault),
        ({"list_body": b"x" * (1 << 20)}, ProtocolFault),
        ({"list_errors": 10**6}, NotReachable),
    ],
    ids=str,
)
async def test_hostile_or_broken_wifi(pair: Any, faults: dict[str, Any], error: type[Exception]) -> None:
    p = await pair(**faults)
    await p.glasses.open_wifi(own_network=True)
    with pytest.raises(error):
        await p.glasses.look_over_wifi()
    assert p.heard.offers == []


@pytest.mark.parametrize(
    ("files", "faults", "error"),
    [
        ({"a.jpg": b"\xff\xd8" + bytes(900)}, {}, ProtocolFault),
        ({"a.mp4": bytes(900)}, {}, ProtocolFault),
        ({"a.opus": b""}, {}, ProtocolFault),
        ({"a.jpg": b"\xff\xd8" + bytes(90_000) + b"\xff\xd9"}, {"cut_after": 1000}, CutShort),
        ({"a.jpg": b"\xff\xd8" + bytes(90_000) + b"\xff\xd9"}, {"cut_after": 1000, "cuts": 1, "changes_file": True}, ProtocolFault),
        ({"a.jpg": b""}, {"endless_file": True}, ProtocolFault),
        ({"a.jpg": b"\xff\xd8\xff\xd9"}, {"server_error": 99}, CutShort),
    ],
    ids=str,
)
async def test_files_that_never_arrive_whole(pair: Any, files: dict[str, bytes], faults: dict[str, Any], error: type[Exception]) -> None:
    p = await pair(files=files, **faults)
    await p.glasses.open_wifi(own_network=True)
    assert await p.glasses.look_over_wifi() == 1
    await asyncio.sleep(0.1)
    with pytest.raises(error):
        await p.get(p.heard.offers[0])


async def test_a_file_that_is_gone(pair: Any) -> None:
    p = await pair()
    await p.glasses.open_wifi(own_network=True)
    await p.glasses.look_over_wifi()
    await asyncio.sleep(0.1)
    p.twin.files.clear()
    with pytest.raises(ProtocolFault):
        await p.get(p.heard.offers[0])


async def test_names_that_lead_elsewhere_are_counted(pair: Any) -> None:
    body = (
        b"../../etc/passwd.jpg\r\n/a.jpg\r\na..b.jpg\r\n\r\n.h.jpg\r\nx.exe\r\na b.jpg\r\n"
        + b"y" * 300
        + b".jpg\r\ngood.jpg\r\ngood.jpg\r\n \r\n"
    )
    p = await pair(list_body=body, files={"good.jpg": b"\xff\xd8\xff\xd9"})
    await p.glasses.open_wifi(own_network=True)
    assert await p.glasses.look_over_wifi() == 1
    await p.glasses.look_over_wifi()
    await asyncio.sleep(0.1)
    assert len(p.heard.damaged) == 1
    assert "7 captures" in p.heard.damaged[0]
    assert await p.get(p.heard.offers[0]) == b"\xff\xd8\xff\xd9"


async def test_many_files_are_offered_as_others_are_fetched(pair: Any, make_jpeg: Make) -> None:
    p = await pair(files={f"{n}.jpg": make_jpeg(200) for n in range(150)})
    await p.glasses.open_wifi(own_network=True)
    assert await p.glasses.look_over_wifi() == 150
    for number in range(150):
        await asyncio.sleep(0.01)
        await p.get(p.heard.offers[number])
    assert len({offer.id for offer in p.heard.offers}) == 150


@given(st.binary(max_size=400))
def test_any_list_is_read(body: bytes) -> None:
    files, _ = read_list(body)
    assert all("/" not in file.name and ".." not in file.name for file in files)


def test_a_page_keeps_what_its_checksum_says() -> None:
    assert wire.read(Frame(wire.PICTURE, b"\x01\x02\x00\x01\x00abc", False)) == Page(2, 1, b"abc", False)
