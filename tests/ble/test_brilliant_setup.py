"""The driver over a port made of answers: what simulated glasses can't be made to do, and glasses that mean harm."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping

import pytest

from ble.drivers import brilliant_lua as lua
from ble.drivers import brilliant_profile as profile
from ble.drivers import standard
from ble.drivers.brilliant import BrilliantDriver, BrilliantGlasses
from ble.drivers.session import MOST_HELD
from ble.errors import CameraSilent, LinkLost, NotGlasses, PairingNeeded, PairsByItself, ProtocolFault, RadioOff
from ble.types import Advertisement, CaptureDamaged, CaptureOffered, LinkClosed

_PRINTS = re.compile(r"print\('(\d+)='(?:\.\.tostring\((.*)\))?\)$")
_LUA = frozenset({profile.LUA_WRITE, profile.LUA_NOTIFY})
PICTURE = b"\xff\xd8\xff\xc0\x00\x11\x08\x01\x00\x01\x00\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01" + bytes(200) + b"\xff\xd9"


class Port:
    """Glasses as good as gold, until something is put in `fails` or `values`."""

    def __init__(self, services: Mapping[str, frozenset[str]] | None = None) -> None:
        self.address = "D4:12:34:56:78:9A"
        self.table = services or {profile.LUA_SERVICE: _LUA}
        self.values: dict[str, str] = {
            "1": "1",
            "frame.HARDWARE_VERSION": "Frame",
            "frame.FIRMWARE_VERSION": "v25.080.0838",
            "frame.battery_level()": "55.0",
            f"require('{lua.MARKER_MODULE}')": lua.VERSION,
        }
        self.fails: dict[str, list[Exception]] = {}
        self.done: list[str] = []
        self.notify: Callable[[bytes], None] = lambda _: None
        self.on_lost: Callable[[], None] = lambda: None
        self.answers_orders = True

    def _step(self, name: str) -> None:
        self.done.append(name)
        if self.fails.get(name):
            raise self.fails[name].pop(0)

    async def connect(self, on_lost: Callable[[], None]) -> None:
        self.on_lost = on_lost
        self._step("connect")

    def services(self) -> Mapping[str, frozenset[str]]:
        return self.table

    async def payload_size(self, wanted: int) -> int:
        return wanted

    async def read(self, characteristic: str) -> bytes:
        raise AssertionError("nothing needs reading")

    async def write(self, characteristic: str, data: bytes, *, response: bool = True) -> None:
        assert response
        self._step("write")
        if data[0] == profile.DATA and self.answers_orders:
            self.notify(bytes([1, profile.HEARD, *data[1:3]]))
        elif data == f"require('{lua.MODULE}')".encode():
            self.notify(f"{lua.READY} frame".encode())
        elif match := _PRINTS.search(data.decode("latin-1")):
            value = self.values.get(match[2], '[string "x"]:1: unknown') if match[2] else ""
            self.notify((value if "]:" in value else f"{match[1]}={value}").encode())

    async def subscribe(self, characteristic: str, callback: Callable[[bytes], None]) -> None:
        self._step(f"subscribe {characteristic[4:8]}")
        if characteristic == profile.LUA_NOTIFY:
            self.notify = callback

    async def unsubscribe(self, characteristic: str) -> None: ...

    async def pair(self) -> None:
        self._step("pair")

    async def disconnect(self) -> None:
        self._step("disconnect")


async def opened(port: Port) -> BrilliantGlasses:
    return await BrilliantDriver().open(port, continuous=False)


def send_photo(port: Port, token: int, *, photo: int = 1, picture: bytes = PICTURE) -> None:
    number = photo.to_bytes(2, "big")
    port.notify(b"\x01\x20" + number + bytes([token]) + b"\x01\x00")
    port.notify(b"\x01\x21\x00\x00" + picture)
    port.notify(b"\x01\x22" + number + b"\x00\x01" + len(picture).to_bytes(4, "big"))


async def test_all_well() -> None:
    port = Port()
    glasses = await opened(port)
    assert glasses.status.battery == 55
    assert port.done[:4] == ["connect", "pair", "subscribe 0003", "write"]
    await glasses.close()
    await glasses.close()
    assert [event async for event in glasses.events()][-1] == LinkClosed(wanted=True)


@pytest.mark.parametrize(
    ("services", "words"),
    [
        ({standard.BATTERY_SERVICE: frozenset({standard.BATTERY_LEVEL})}, "not a Frame or a Halo"),
        ({profile.LUA_SERVICE: frozenset({profile.LUA_WRITE})}, "not a Frame or a Halo"),
        ({profile.DFU_SERVICE: frozenset({"8ec90001-f315-4f60-9fb8-838830daea50"})}, "waiting for new firmware"),
    ],
)
async def test_what_is_none_of_them_is_neither_written_nor_subscribed(services: Mapping[str, frozenset[str]], words: str) -> None:
    port = Port(services)
    with pytest.raises(NotGlasses, match=words):
        await opened(port)
    assert port.done == ["connect", "disconnect"]


async def test_a_link_that_never_comes_up() -> None:
    port = Port()
    port.fails["connect"] = [LinkLost("No.", "", "")]
    with pytest.raises(LinkLost, match="chime"):
        await opened(port)
    assert port.done == ["connect", "disconnect"]


@pytest.mark.parametrize("access", ["pair", "subscribe 0003", "write"])
async def test_pairing_that_is_refused(access: str) -> None:
    port = Port()
    port.fails[access] = [PairingNeeded("Pair first.")]
    with pytest.raises(PairingNeeded, match="powered cradle"):
        await opened(port)
    assert port.done[-1] == "disconnect"


async def test_pairing_that_the_system_has_no_call_for_or_no_radio_for() -> None:
    port = Port()
    port.fails["pair"] = [PairsByItself()]
    await (await opened(port)).close()
    port.fails["pair"] = [LinkLost("Gone.")]
    with pytest.raises(PairingNeeded, match="powered cradle"):
        await opened(port)
    port.fails["pair"] = [RadioOff("Off.")]
    with pytest.raises(RadioOff):
        await opened(port)


async def test_a_link_that_ends_at_once() -> None:
    port = Port()
    port.fails["subscribe 0003"] = [LinkLost("Gone.")]
    with pytest.raises(LinkLost, match="do not know this computer"):
        await opened(port)


@pytest.mark.parametrize("battery", ["nil", "nan", "inf", "-3", "101", "soon", "[string]:1: nothing"])
async def test_glasses_that_do_not_know_themselves(battery: str) -> None:
    port = Port()
    port.values |= {"frame.HARDWARE_VERSION": "nil", "frame.FIRMWARE_VERSION": "[string]:1: nothing", "frame.battery_level()": battery}
    glasses = await opened(port)
    assert (glasses.info.model, glasses.info.firmware, glasses.status.battery) == ("Frame", "", None)
    await glasses.close()


async def test_the_battery_service_is_welcome_and_not_needed() -> None:
    for error in (None, ProtocolFault("No."), LinkLost("Gone.")):
        port = Port({profile.LUA_SERVICE: _LUA | {profile.HALO_SPEAKER}, standard.BATTERY_SERVICE: frozenset({standard.BATTERY_LEVEL})})
        if error is not None:
            port.fails["subscribe 2a19"] = [error]
        if isinstance(error, LinkLost):
            with pytest.raises(LinkLost):
                await opened(port)
        else:
            glasses = await opened(port)
            assert glasses.capabilities.family == "halo"
            await glasses.close()


async def test_an_app_that_never_answers_is_started_anew_once() -> None:
    port = Port()
    glasses = await opened(port)
    port.answers_orders = False
    before = len(port.done)
    with pytest.raises(CameraSilent, match="does not answer"):
        await glasses.take_photo()
    assert port.done.count("write") - before < 20
    port.answers_orders = True
    await glasses.close()


async def test_the_link_goes_while_waiting() -> None:
    port = Port()
    glasses = await opened(port)
    for waits_for_answer in (True, False):
        port.answers_orders = waits_for_answer
        order = asyncio.get_running_loop().create_task(glasses.take_photo())
        await asyncio.sleep(0.1)
        port.on_lost()
        with pytest.raises(LinkLost):
            await order
        port = Port()
        glasses = await opened(port)
    await glasses.close()


async def test_the_link_goes_while_setting_up() -> None:
    port = Port()
    del port.values["1"]
    port.values["1"] = ""
    task = asyncio.get_running_loop().create_task(opened(port))
    await asyncio.sleep(0.05)
    port.on_lost()
    port.fails["write"] = [LinkLost("Gone.")] * 99
    with pytest.raises(LinkLost):
        await task


async def test_more_photos_than_anybody_fetches() -> None:
    port = Port()
    glasses = await opened(port)
    for number in range(MOST_HELD + 3):
        send_photo(port, 0, photo=number, picture=PICTURE[:-2] + number.to_bytes(2, "big") + b"\xff\xd9")
    assert (glasses.status.received, glasses.status.damaged) == (MOST_HELD, 3)
    await glasses.close()
    events = [event async for event in glasses.events()]
    assert sum(isinstance(event, CaptureOffered) for event in events) == MOST_HELD
    assert [event.reason for event in events if isinstance(event, CaptureDamaged)] == ["64 photos are already waiting to be stored"] * 3


async def test_a_flood_is_borne() -> None:
    port = Port()
    glasses = await opened(port)
    for number in range(5000):
        port.notify(b"\x01\x20" + (number % 65536).to_bytes(2, "big") + b"\x00\x01\x00")
        port.notify(b"\x01\x21\x00\x07" + bytes(200))
        port.notify(b"x" * 244)
        port.notify(b"")
        port.notify(b"\x01")
    assert glasses.status.damaged == 5000
    order = asyncio.get_running_loop().create_task(glasses.take_photo())
    await asyncio.sleep(0.1)
    token = 0
    while not order.done():
        token += 1
        send_photo(port, token % 256, photo=token)
        await asyncio.sleep(0)
    await order
    assert len(asyncio.all_tasks()) < 5
    await glasses.close()
    assert len([event async for event in glasses.events()]) <= 1024


async def test_an_endless_photo_ends() -> None:
    port = Port()
    glasses = await opened(port)
    port.notify(b"\x01\x20\x00\x01\x00\x01\x00")
    for number in range(2000):
        port.notify(b"\x01\x21" + number.to_bytes(2, "big") + PICTURE)
    assert glasses.status.damaged == 1
    await glasses.close()


def test_who_is_recognised() -> None:
    driver = BrilliantDriver()
    services = frozenset({profile.LUA_SERVICE})
    assert driver.recognises(Advertisement("a", "Frame D4", -50, services))
    assert driver.recognises(Advertisement("a", "", -50, services))
    assert driver.recognises(Advertisement("a", profile.DFU_NAME, -50, frozenset({profile.DFU_SERVICE})))
    assert not driver.recognises(Advertisement("a", "Some watch", -50, frozenset({profile.DFU_SERVICE})))
    assert not driver.recognises(Advertisement("a", "Frame D4", -50))
    assert driver.cautions("nothing we know")
