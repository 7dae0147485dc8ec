"""The simulated glasses of the open profile as a reference, and its driver over ports that have their own ways."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest

from ble.drivers import open_profile, standard
from ble.drivers import open_profile_wire as wire
from ble.drivers.open_profile import OpenDriver
from ble.drivers.open_profile_link import FRAMES_A_WINDOW, refusal
from ble.drivers.open_profile_wire import Answer, Mark, Op, Request, Result, read_data
from ble.errors import CameraSilent, GlassesError, LinkLost, NotGlasses, PairingNeeded, PairsByItself, ProtocolFault, RadioOff
from ble.sim.open_profile import SimulatedOpenGlasses
from ble.sim.open_profile_stream import OpenFaults
from tests.ble.driving import Listener, fetched
from tests.ble.open_twins import BIG, Opens, picture, requests, simulated

pytestmark = pytest.mark.usefixtures("small_windows")


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
    heard = Listener(glasses)
    await until(lambda: heard.offers)
    assert await fetched(glasses, heard.offers[0]) == BIG
    await glasses.take_photo()
    twin.faults = OpenFaults(camera_dead=True)
    with pytest.raises(CameraSilent, match="failed"):
        await glasses.take_photo()
    assert len(requests(twin, Op.READ)) == 1
    await glasses.close()
    await heard.task


@pytest.mark.parametrize("result", list(Result))
def test_every_refusal_is_an_error_for_people(result: Result) -> None:
    error = refusal(result)
    assert error.what.endswith(".")
    assert error.why.endswith(".")
    assert error.action.endswith(".")
