"""The HTTP port: the little that a driver needs of HTTP to fetch media from glasses over Wi-Fi, and Wi-Fi as glasses offer it.

Nothing here opens a connection. Whoever hands a port to a driver carries its requests (in the program, the courier does). A driver only
asks it for a `Place`: an IPv4 address that the glasses announced over Bluetooth and that is a private one, or, for simulated glasses
alone, this computer itself.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final, Protocol, runtime_checkable

from ble.errors import GlassesError, ProtocolFault
from ble.types import Offer

PRIVATE: Final = tuple(ipaddress.IPv4Network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
"""RFC 1918. What glasses hand out on their own networks, and what home networks use."""
LOOPBACK: Final = ipaddress.IPv4Network("127.0.0.0/8")
_PORT = re.compile(r"[1-9][0-9]{0,4}")


class WifiTrouble(GlassesError):
    """Something went wrong on the way over Wi-Fi; trying again may help."""


class NotReachable(WifiTrouble):
    """The glasses don't answer at the address they gave."""

    def __init__(self, why: str = "This computer may not be on their network, or they switched it off.") -> None:
        super().__init__("The glasses can't be reached over Wi-Fi.", why, "Join their network, then try again.")


class CutShort(WifiTrouble):
    """The connection broke before the answer was whole."""

    def __init__(self, why: str = "The connection broke.") -> None:
        super().__init__("A transfer over Wi-Fi broke off.", why, "It goes on from there when tried again.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where glasses serve their media: a numeric private (or loopback) IPv4 address, and a port. Made by `announced_place`."""

    address: str
    port: int

    @property
    def loopback(self) -> bool:
        return ipaddress.IPv4Address(self.address) in LOOPBACK


def announced_place(text: str, port: int, *, simulated: bool) -> Place:
    """The place that glasses announced; raises ProtocolFault for anything but a plain, fitting address.

    Real glasses must be on a private network and at `port`, so that none can turn this program against services of this computer or
    of others; simulated ones must be this computer, and may add a port of their own ("127.0.0.1:41234").
    """
    host, colon, own = text.partition(":")
    if colon:
        if not simulated or not _PORT.fullmatch(own):
            raise _bad_address()
        port = int(own)
    try:
        address = ipaddress.IPv4Address(host)
    except ValueError:
        raise _bad_address() from None
    fits = address in LOOPBACK if simulated else any(address in network for network in PRIVATE)
    if not fits or port > 65535:
        raise _bad_address()
    return Place(str(address), port)


def _bad_address() -> ProtocolFault:
    return ProtocolFault(
        "The glasses gave an address that Eyelid does not go to.",
        "It is not one of a private network.",
        "If these are your glasses, restart them and try again.",
    )


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request. `path` with its query; `most`: bytes of answer that are accepted; no redirect is ever followed."""

    method: str
    place: Place
    path: str
    most: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)


class HttpAnswer(Protocol):
    """The beginning of an answer, and the way to the rest."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]:
        """By lower-case name; at least those about length, range, ETag and type, where the server sent them."""

    def pieces(self) -> AsyncIterator[bytes]:
        """The body, in order, as it comes. Raises CutShort, and ProtocolFault when it is longer than `most`."""


class HttpPort(Protocol):
    """A way to the glasses over HTTP. Used on the radio's event loop."""

    def open(self, request: HttpRequest) -> AbstractAsyncContextManager[HttpAnswer]:
        """Send `request` and hand out its answer. Raises NotReachable, CutShort, and ProtocolFault (a redirect, no HTTP)."""


async def whole(port: HttpPort, request: HttpRequest) -> tuple[int, bytes]:
    """Status and body of a small answer."""
    async with port.open(request) as answer:
        return answer.status, b"".join([piece async for piece in answer.pieces()])


class NoHttp:
    """The port of a program that has no way to fetch: everything over Wi-Fi is refused."""

    def open(self, request: HttpRequest) -> AbstractAsyncContextManager[HttpAnswer]:
        raise NotReachable("This part of Eyelid was started without its way to the network.")


@dataclass(frozen=True, slots=True)
class WifiInvitation:
    """The network that this computer has to be on before the glasses can be reached."""

    name: str
    password: str = field(repr=False)


def nothing_is_safe(_: Offer) -> bool:
    """For `look_over_wifi`: all that the glasses hold is wanted."""
    return False


@runtime_checkable
class WifiGlasses(Protocol):
    """What glasses can do besides `ble.glasses.Glasses` when their media come over Wi-Fi.

    In order: open, look, fetch what is offered, close.
    """

    async def open_wifi(self, *, own_network: bool) -> WifiInvitation | None:
        """Have the glasses make their media reachable.

        `own_network`: on a network of their own, which is returned, for a person (or the system) to join; else on the network they are
        on already, together with this computer. None: nothing to join. Raises Unsupported, ProtocolFault, LinkLost.
        """

    async def look_over_wifi(self, seconds: float = 90.0, *, skip: Callable[[Offer], bool] = nothing_is_safe) -> int:
        """Offer (as events) what the glasses hold, and return how much of it is new; waits up to `seconds` for the network to come up.

        Only a few captures are on offer at once: the next follow as these are fetched to their end, or released. So `skip` tells of
        which neither is needed, because they are safe here already (no digest is known yet then); it must be quick. Raises NotReachable,
        CutShort, ProtocolFault.
        """

    def left_over_wifi(self) -> int:
        """How many captures are still to come: on offer and not yet fetched, or waiting behind those. Failed ones need another look."""

    async def close_wifi(self) -> None:
        """Have the glasses end it; a no-op when nothing is open. Offers not fetched can't be fetched any more until it is opened again."""
