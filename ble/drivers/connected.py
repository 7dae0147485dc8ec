"""What all connected pairs of glasses have in common."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from ble.drivers.session import HoldingSession, Session
from ble.port import GattPort
from ble.types import DeviceInfo, GlassesEvent, GlassesStatus

S = TypeVar("S", bound=Session)
H = TypeVar("H", bound=HoldingSession)


class Connected(Generic[S]):
    """The part of `ble.glasses.Glasses` that the port and the session of a link know by themselves."""

    def __init__(self, port: GattPort, session: S) -> None:
        self._port = port
        self._session = session

    @property
    def address(self) -> str:
        return self._port.address

    @property
    def info(self) -> DeviceInfo:
        return self._session.info

    @property
    def status(self) -> GlassesStatus:
        return self._session.status

    def events(self) -> AsyncIterator[GlassesEvent]:
        return self._session.events.read()


class ConnectedHolding(Connected[H]):
    """Glasses that keep no photos: what they offer is held here."""

    async def fetch(self, offer_id: str, offset: int = 0) -> AsyncIterator[bytes]:
        """See `ble.glasses.Glasses`; works until `release`, after the link is gone too. Raises ProtocolFault for an unknown offer."""
        async for piece in self._session.pieces(offer_id, offset):
            yield piece

    async def release(self, offer_id: str) -> None:
        self._session.release(offer_id)
