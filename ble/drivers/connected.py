"""What all connected pairs of glasses have in common."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from ble.drivers.session import Session
from ble.port import GattPort
from ble.types import DeviceInfo, GlassesEvent, GlassesStatus

S = TypeVar("S", bound=Session)


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
