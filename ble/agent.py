"""A Bluetooth agent of our own for BlueZ: the one who is asked while glasses are being paired, and only then.

BlueZ refuses even pairing without a code while nobody is there to be asked, and desktops register their agent only while their own
Bluetooth settings are open. This one answers for the one device being paired and refuses everything else (bluez/bluez
`doc/org.bluez.Agent.rst`, `doc/org.bluez.AgentManager.rst`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from ble import bluez
from ble.errors import GlassesError, PairingNeeded

if TYPE_CHECKING:
    from dbus_fast import Message

Compare = Callable[[str], Awaitable[bool]]
"""Shows a person the six digits that the glasses show too, and returns whether they are the same."""

_AGENT = "org.bluez.Agent1"
_MANAGER = "org.bluez.AgentManager1"
_REJECTED = "org.bluez.Error.Rejected"
_PATH = "/eyelid/agent"


class Agent:
    """Answers what BlueZ asks while the device at `address` is paired. Without `compare`, codes are refused: nobody is there to look."""

    def __init__(self, address: str, owner: str, send: Callable[[Message], Any], compare: Compare | None) -> None:
        """`owner` is the unique name of BlueZ on the bus: nobody else is answered. `send` puts a message on the bus."""
        self._device = "/dev_" + address.upper().replace(":", "_")
        self._bluez = owner
        self._send = send
        self._compare = compare
        self._asking: asyncio.Task[None] | None = None

    @property
    def capability(self) -> str:
        """What this computer says it can do: with both of these, devices that show nothing are paired without a code."""
        return "NoInputNoOutput" if self._compare is None else "DisplayYesNo"

    def handle(self, message: Message) -> Message | bool | None:
        """For dbus-fast's `add_message_handler`: an answer, True for one that follows later, or None for what is not for an agent."""
        from dbus_fast import Message, MessageType

        if message.message_type is not MessageType.METHOD_CALL or message.path != _PATH or message.interface != _AGENT:
            return None
        if message.sender != self._bluez:
            return Message.new_error(message, _REJECTED, "")
        if message.member in ("Release", "Cancel"):
            self.cancel()
            return Message.new_method_return(message)
        if not self._means_ours(message.body):
            return Message.new_error(message, _REJECTED, "")
        if message.member == "RequestAuthorization":  # pairing without a code that the other side, or a first access, began
            return Message.new_method_return(message)
        if message.member == "RequestConfirmation" and self._compare is not None:
            self.cancel()
            self._asking = asyncio.ensure_future(self._ask(message, self._compare))
            return True
        # Codes to type, pairing of old and permission for services: no glasses need them, so whoever asks is not what it seems.
        return Message.new_error(message, _REJECTED, "")

    def _means_ours(self, body: list[Any]) -> bool:
        return bool(body) and isinstance(body[0], str) and body[0].endswith(self._device)

    async def _ask(self, message: Message, compare: Compare) -> None:
        from dbus_fast import Message

        try:
            same = await compare(f"{int(message.body[1]):06}")
        except Exception:  # whatever went wrong while asking: it is no yes
            same = False
        self._send(Message.new_method_return(message) if same else Message.new_error(message, _REJECTED, ""))

    def cancel(self) -> None:
        """Nobody needs the answer any more."""
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None


@asynccontextmanager
async def pairing_agent(address: str, compare: Compare | None = None) -> AsyncIterator[None]:
    """Be asked about the device at `address` while the context lasts. Raises RadioOff without a bus, PairingNeeded if BlueZ wants no agent.

    It is the default agent meanwhile, since a first access to what is protected begins pairing in nobody's name.
    """
    async with bluez.system_bus() as bus:
        agent = Agent(address, await _owner(bus), bus.send, compare)
        bus.add_message_handler(agent.handle)
        try:
            await _manage(bus, "RegisterAgent", "os", _PATH, agent.capability)
            await _manage(bus, "RequestDefaultAgent", "o", _PATH)
            yield
        finally:
            agent.cancel()
            # Leaving the bus unregisters as well; asking first has BlueZ done with it before somebody pairs again.
            with contextlib.suppress(GlassesError):
                await _manage(bus, "UnregisterAgent", "o", _PATH)


async def _owner(bus: Any) -> str:
    from dbus_fast import Message

    name = "org.freedesktop.DBus"
    [owner] = await _call(bus, Message(name, "/org/freedesktop/DBus", name, "GetNameOwner", signature="s", body=[bluez.NAME]))
    return str(owner)


async def _manage(bus: Any, member: str, signature: str, *body: str) -> None:
    from dbus_fast import Message

    await _call(bus, Message(bluez.NAME, "/org/bluez", _MANAGER, member, signature=signature, body=list(body)))


async def _call(bus: Any, message: Message) -> list[Any]:
    try:
        return await bluez.call(bus, message)
    except bluez.Refused as refusal:
        raise _unprepared(refusal.said) from refusal


def _unprepared(why: str) -> PairingNeeded:
    return PairingNeeded(
        "This computer could not get ready for pairing.", why, "Pair the glasses in the system's Bluetooth settings, then try again."
    )
