"""The pairing agent: it answers for one device, to BlueZ alone, while it is paired; against a bus that only remembers."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest

dbus = pytest.importorskip("dbus_fast")

from ble import agent as agents  # noqa: E402
from ble import bluez  # noqa: E402
from ble.agent import Agent, pairing_agent  # noqa: E402
from ble.bleak_port import BleakAirwaves  # noqa: E402
from ble.errors import GlassesError, PairingNeeded, RadioOff  # noqa: E402

ADDRESS = "F0:11:22:33:44:55"
DEVICE = "/org/bluez/hci0/dev_F0_11_22_33_44_55"
OTHER = "/org/bluez/hci0/dev_F0_11_22_33_44_56"
BLUEZ = ":1.7"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="BlueZ is Linux's")


def asked(member: str, *body: Any, sender: str = BLUEZ, **more: Any) -> Any:
    told = {"path": "/eyelid/agent", "interface": "org.bluez.Agent1", **more}
    signature = "o" + "u" * (len(body) - 1) if body else ""
    return dbus.Message(destination=":1.9", member=member, signature=signature, body=list(body), sender=sender, serial=5, **told)


def is_yes(answer: Any) -> bool:
    assert isinstance(answer, dbus.Message)
    return answer.message_type is dbus.MessageType.METHOD_RETURN


async def yes(_: str) -> bool:
    return True


def an_agent(compare: Any = None) -> tuple[Agent, asyncio.Queue[Any]]:
    sent: asyncio.Queue[Any] = asyncio.Queue()
    return Agent(ADDRESS.lower(), BLUEZ, sent.put_nowait, compare), sent


async def test_pairing_without_a_code_is_granted_to_the_device_being_paired_only() -> None:
    agent, _ = an_agent()
    assert is_yes(agent.handle(asked("RequestAuthorization", DEVICE)))
    for other in (OTHER, DEVICE + "/x", "/"):
        answer = agent.handle(asked("RequestAuthorization", other))
        assert (is_yes(answer), answer.error_name) == (False, "org.bluez.Error.Rejected")


async def test_only_bluez_is_answered() -> None:
    agent, _ = an_agent(yes)
    assert not is_yes(agent.handle(asked("RequestAuthorization", DEVICE, sender=":1.66")))
    assert not is_yes(agent.handle(asked("RequestConfirmation", DEVICE, 1, sender=":1.66")))
    assert agent.handle(asked("RequestAuthorization", DEVICE, path="/else")) is None
    assert agent.handle(asked("RequestAuthorization", DEVICE, interface="org.bluez.Else")) is None
    assert agent.handle(dbus.Message.new_method_return(asked("RequestAuthorization", DEVICE))) is None


@pytest.mark.parametrize("member", ["RequestPinCode", "RequestPasskey", "DisplayPinCode", "DisplayPasskey", "AuthorizeService", "Whatever"])
async def test_everything_else_is_refused(member: str) -> None:
    agent, _ = an_agent(yes)
    assert not is_yes(agent.handle(asked(member, DEVICE)))
    assert not is_yes(agent.handle(asked(member, DEVICE, 3)))


async def test_a_code_is_compared_by_a_person_with_all_its_digits() -> None:
    shown: list[str] = []
    answers = iter([True, False])

    async def compare(code: str) -> bool:
        shown.append(code)
        return next(answers)

    agent, sent = an_agent(compare)
    for expected in (True, False):
        assert agent.handle(asked("RequestConfirmation", DEVICE, 1234)) is True
        assert is_yes(await asyncio.wait_for(sent.get(), 5)) is expected
    assert shown == ["001234", "001234"]


async def test_a_failing_comparison_is_a_no() -> None:
    async def broken(_: str) -> bool:
        raise RuntimeError("the window is gone")

    agent, sent = an_agent(broken)
    agent.handle(asked("RequestConfirmation", DEVICE, 1))
    assert not is_yes(await asyncio.wait_for(sent.get(), 5))


async def test_with_nobody_to_look_a_code_is_refused() -> None:
    agent, _ = an_agent()
    assert agent.capability == "NoInputNoOutput"
    assert an_agent(yes)[0].capability == "DisplayYesNo"
    assert not is_yes(agent.handle(asked("RequestConfirmation", DEVICE, 1)))


@pytest.mark.parametrize("member", ["Cancel", "Release"])
async def test_when_bluez_calls_it_off_the_person_is_no_longer_asked(member: str) -> None:
    asking, left = asyncio.Event(), asyncio.Event()

    async def compare(_: str) -> bool:
        asking.set()
        try:
            await asyncio.Future()
        finally:
            left.set()
        return True

    agent, sent = an_agent(compare)
    agent.handle(asked("RequestConfirmation", DEVICE, 1))
    await asyncio.wait_for(asking.wait(), 5)
    assert is_yes(agent.handle(asked(member)))
    await asyncio.wait_for(left.wait(), 5)
    assert sent.empty()


class Bus:
    """A system bus that remembers what was called; `refuses` names the calls that fail."""

    def __init__(self, *refuses: str) -> None:
        self.refuses = refuses
        self.calls: list[tuple[str, list[Any]]] = []
        self.handlers: list[Callable[[Any], Any]] = []
        self.left = False
        self.send = self.calls.append

    async def connect(self) -> Bus:
        return self

    async def call(self, message: Any) -> Any:
        self.calls.append((message.member, message.body))
        message.serial = 1
        if message.member in self.refuses:
            return dbus.Message.new_error(message, "org.bluez.Error.AlreadyExists", "/org/secret/path")
        if message.member == "GetNameOwner":
            return dbus.Message.new_method_return(message, "s", [BLUEZ])
        return dbus.Message.new_method_return(message)

    def add_message_handler(self, handler: Callable[[Any], Any]) -> None:
        self.handlers.append(handler)

    def disconnect(self) -> None:
        self.left = True

    async def wait_for_disconnect(self) -> None:
        assert self.left


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Any]:
    def put(bus: Any) -> Any:
        monkeypatch.setattr("dbus_fast.aio.MessageBus", lambda **_: bus)
        return bus

    return put


async def test_it_is_there_only_while_pairing(use: Any) -> None:
    bus = use(Bus())
    async with pairing_agent(ADDRESS):
        assert [name for name, _ in bus.calls] == ["GetNameOwner", "RegisterAgent", "RequestDefaultAgent"]
        assert bus.calls[1][1] == ["/eyelid/agent", "NoInputNoOutput"]
        assert is_yes(bus.handlers[0](asked("RequestAuthorization", DEVICE)))
        assert not bus.left
    assert bus.calls[-1][0] == "UnregisterAgent"
    assert bus.left


async def test_it_leaves_after_an_error_too(use: Any) -> None:
    bus = use(Bus("UnregisterAgent"))
    with pytest.raises(PairingNeeded, match="kept"):
        async with pairing_agent(ADDRESS, yes):
            raise PairingNeeded("kept")
    assert bus.calls[-1][0] == "UnregisterAgent"
    assert bus.left


@pytest.mark.parametrize("call", ["GetNameOwner", "RegisterAgent", "RequestDefaultAgent"])
async def test_a_bluez_that_wants_no_agent_is_told_without_its_paths(use: Any, call: str) -> None:
    bus = use(Bus(call))
    with pytest.raises(PairingNeeded, match="AlreadyExists") as caught:
        async with pairing_agent(ADDRESS):
            raise AssertionError("not reached")
    assert "secret" not in str(caught.value)
    assert bus.left


async def test_a_bus_that_hangs_up_is_an_error_that_says_so(use: Any) -> None:
    class Deaf(Bus):
        async def call(self, message: Any) -> Any:
            raise EOFError

    bus = use(Deaf())
    with pytest.raises(PairingNeeded):
        async with pairing_agent(ADDRESS):
            raise AssertionError("not reached")
    assert bus.left


async def test_without_a_bus_bluetooth_is_off(use: Any) -> None:
    class Nowhere(Bus):
        async def connect(self) -> Bus:
            raise FileNotFoundError

    use(Nowhere())
    with pytest.raises(RadioOff):
        async with pairing_agent(ADDRESS):
            raise AssertionError("not reached")


async def test_the_port_pairs_with_an_agent_on_bluez_only(monkeypatch: pytest.MonkeyPatch, use: Any) -> None:
    bus = use(Bus())
    airwaves = BleakAirwaves()
    port = airwaves.port(ADDRESS)

    class Client:
        is_connected = True

        async def pair(self) -> None:
            paired.append(bus.calls[-1][0] if bus.calls else "")

    paired: list[str] = []
    port._client = Client()  # type: ignore[assignment]
    await port.pair()
    assert paired == ["RequestDefaultAgent"]
    assert bus.calls[1][1][1] == "NoInputNoOutput"
    bus.calls.clear()
    async with airwaves.pairing(ADDRESS.lower(), yes):
        assert bus.calls[1][1][1] == "DisplayYesNo"
        before = len(bus.calls)
        await port.pair()
        assert len(bus.calls) == before, "one agent is enough"
    assert bus.calls[-1][0] == "UnregisterAgent"

    bus.calls.clear()
    monkeypatch.setattr(sys, "platform", "darwin")
    async with airwaves.pairing(ADDRESS):
        await port.pair()
    assert bus.calls == []


def test_its_errors_are_for_people() -> None:
    error = agents._unprepared("x")
    assert isinstance(error, GlassesError)
    assert error.what
    assert error.action


class Known(Bus):
    """A bus on which BlueZ knows one device."""

    def __init__(self, address: str, connected: bool) -> None:
        super().__init__()
        self.device = {"Address": dbus.Variant("s", address), "Connected": dbus.Variant("b", connected)}

    async def call(self, message: Any) -> Any:
        message.serial = 1
        objects = {"/org/bluez/hci0": {"org.bluez.Adapter1": {}}, DEVICE: {"org.bluez.Device1": self.device}}
        return dbus.Message.new_method_return(message, "a{oa{sa{sv}}}", [objects])


@pytest.mark.parametrize(
    ("address", "connected", "held"), [(ADDRESS, True, True), (ADDRESS, False, False), ("00:11:22:33:44:55", True, False)]
)
async def test_who_has_a_link_is_asked_of_bluez(use: Any, address: str, connected: bool, held: bool) -> None:
    bus = use(Known(address, connected))
    assert await bluez.is_connected(ADDRESS.lower()) is held
    assert await BleakAirwaves().held_here(ADDRESS) is held
    assert bus.left


async def test_where_nobody_can_be_asked_no_link_is_known_of(use: Any) -> None:
    class Nowhere(Bus):
        async def connect(self) -> Bus:
            raise FileNotFoundError

    for bus in (Nowhere(), Bus("GetManagedObjects"), Bus()):
        use(bus)
        assert not await bluez.is_connected(ADDRESS)
