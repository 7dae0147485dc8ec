"""The driver for HeyCyan white-label glasses: experimental, since nobody published their protocol; see `ble/PROTOCOLS.md`.

Control and small photos over Bluetooth, captures over HTTP once the glasses opened a Wi-Fi network of their own. Every write passes
`heycyan_wire.check_write`, which lets through what is known to be harmless and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from ble.drivers import heycyan_wire as wire
from ble.drivers.connected import Connected
from ble.drivers.heycyan_files import File, HeycyanShelf
from ble.drivers.heycyan_session import HeycyanSession
from ble.drivers.heycyan_wire import BatteryLevel, Counts, Mode, ModeAnswer, Versions, WifiAddress
from ble.drivers.session import utc_now
from ble.drivers.shelf import Lineup
from ble.errors import GlassesError, NotGlasses, ProtocolFault, Unsupported
from ble.http_port import HttpPort, NoHttp, NotReachable, WifiInvitation, announced_place, nothing_is_safe
from ble.port import GattPort
from ble.types import Advertisement, Capabilities, Capability, CaptureOffered, Offer

TRANSFER_WAITS = (12.0, 24.0, 36.0)
"""Seconds to wait for each of three orders to open the network; before the last, the glasses' Wi-Fi is reset."""
ADDRESS_POLL_SECONDS = 5.0

_CAUTIONS = (
    "Experimental: the maker of these glasses publishes no protocol. What Eyelid knows of it was found out by others.",
    "These glasses take orders from anybody near: their Bluetooth link has no pairing and no encryption.",
    "Their Wi-Fi has the same, publicly known password on every pair: whoever is near can fetch your captures while it is on.",
    "Over Bluetooth only small pictures arrive (384 × 288); full ones come over Wi-Fi.",
)


class GuardedWriter:
    """The only way from this driver to the glasses' ears."""

    def __init__(self, port: GattPort) -> None:
        self._port = port

    async def write(self, data: bytes) -> None:
        """Write one frame. Raises Forbidden for any that is not known to be harmless, and the port's errors."""
        wire.check_write(data)
        await self._port.write(wire.WRITE, data, response=False)


class HeycyanGlasses(Connected[HeycyanSession]):
    """A connected pair. See `ble.glasses.Glasses` and `ble.http_port.WifiGlasses`; made by `HeycyanDriver.open`."""

    def __init__(self, port: GattPort, session: HeycyanSession, http: HttpPort, simulated: bool) -> None:
        super().__init__(port, session)
        self._http = http
        self._simulated = simulated
        self._ordering = asyncio.Lock()
        self._shelf: HeycyanShelf | None = None
        self._in_transfer = False
        self._known: dict[str, File] = {}
        self._lineup = Lineup()

    @property
    def capabilities(self) -> Capabilities:
        features = {Capability.TAKE_PHOTO, Capability.BATTERY, Capability.STORAGE, Capability.VIDEO, Capability.WIFI}
        return Capabilities(wire.FAMILY, frozenset(features), encrypted_link=False, cautions=_CAUTIONS)

    async def take_photo(self) -> None:
        """See `ble.glasses.Glasses`; a small picture. Not while the Wi-Fi is open: then Unsupported is raised."""
        async with self._ordering:
            self._session.check()
            if self._in_transfer:
                raise Unsupported(
                    "These glasses take no photos while their Wi-Fi is on.", "They can't do both.", "Close their Wi-Fi first."
                )
            await self._session.small_photo()

    async def set_continuous(self, on: bool) -> None:
        """These glasses have no capture at intervals; asking for none is always fine. Raises Unsupported."""
        self._session.no_interval(on)

    async def fetch(self, offer_id: str, offset: int = 0) -> AsyncIterator[bytes]:
        """See `ble.glasses.Glasses`. Small photos are here until `release`; files need open Wi-Fi, and always travel from their start."""
        if self._session.holds(offer_id):
            async for piece in self._session.pieces(offer_id, offset):
                yield piece
            return
        file = self._known.get(offer_id)
        if file is None:
            raise ProtocolFault("This capture is no longer there.", "It was released, or never offered.", "Look for captures again.")
        if self._shelf is None:
            raise NotReachable("Their Wi-Fi was closed.")
        try:
            async with contextlib.aclosing(self._shelf.fetch(file, max(0, offset))) as pieces:
                async for piece in pieces:
                    yield piece
        except BaseException:
            self._lineup.broke_off(offer_id)
            raise
        self._settled(offer_id)

    async def release(self, offer_id: str) -> None:
        """See `ble.glasses.Glasses`. Frees what is held here; the glasses keep theirs, since no safe way to delete one of them is known."""
        self._session.release(offer_id)
        if offer_id in self._known:
            self._settled(offer_id)

    def _settled(self, offer_id: str) -> None:
        self._lineup.settle(offer_id)
        self._offer_more()

    def _offer_more(self) -> None:
        while (offer := self._lineup.next()) is not None:
            self._session.events.put(CaptureOffered(offer))
            self._session.received()

    def _offer(self, file: File) -> Offer:
        return Offer(file.name, file.kind, file.media_type, utc_now(), stored=True)

    # -- Wi-Fi ----------------------------------------------------------------------------------------------------------------------

    async def open_wifi(self, *, own_network: bool) -> WifiInvitation | None:
        """See `ble.http_port.WifiGlasses`; only on a network of their own. Raises Unsupported when they name none."""
        if not own_network:
            raise Unsupported("These glasses join no network.", "They open one of their own.", "Use their own network.")
        self._session.check()
        await self.close_wifi()
        self._session.address, self._session.wifi_failed = None, False
        self._in_transfer = True
        try:
            answer = await self._enter_transfer()
            if not answer.network:
                raise Unsupported(
                    "These glasses open no Wi-Fi network that a computer can join.",
                    "They want Wi-Fi Direct, which Eyelid does not speak.",
                    "Use the maker's app, and import its files.",
                )
        except BaseException:
            with contextlib.suppress(GlassesError):
                await self.close_wifi()
            raise
        return WifiInvitation(answer.network, answer.password)

    async def _enter_transfer(self) -> ModeAnswer:
        """Three orders in all, with a reset of their Wi-Fi before the last: they often miss the first."""
        for number, seconds in enumerate(TRANSFER_WAITS, start=1):
            last = number == len(TRANSFER_WAITS)
            if last:
                with contextlib.suppress(ProtocolFault):
                    await self._session.switch(Mode.WIFI_RESET)
            waiting = self._session.expect(ModeAnswer, lambda answer: answer.mode == Mode.TRANSFER)
            try:
                await self._session.send(wire.switch(Mode.TRANSFER))
                answer: ModeAnswer = await self._session.within(waiting, seconds)
            except TimeoutError:
                continue
            finally:
                self._session.forget(waiting)
            if answer.accepted:
                return answer
            if not last:
                await asyncio.sleep(seconds)
        raise ProtocolFault("The glasses did not open their Wi-Fi.", "They may be busy, or their Wi-Fi is stuck.", "Restart the glasses.")

    async def look_over_wifi(self, seconds: float = 90.0, *, skip: Callable[[Offer], bool] = nothing_is_safe) -> int:
        """See `ble.http_port.WifiGlasses`."""
        if not self._in_transfer:
            raise NotReachable("Their Wi-Fi is not open.")
        where = await self._where(seconds)
        port = f":{where.port}" if where.port is not None and self._simulated else ""
        place = announced_place(where.address + port, wire.HTTP_PORT, simulated=self._simulated)
        shelf = HeycyanShelf(self._http, place)
        files, unsound = await shelf.files(seconds)
        self._shelf = shelf
        self._known = {file.name: file for file in files}
        new = self._lineup.add(map(self._offer, files), skip)
        self._offer_more()
        if self._lineup.worse(unsound):
            self._session.damaged(f"the glasses list {unsound} captures in a way that makes no sense")
        return new

    async def _where(self, seconds: float) -> WifiAddress:
        """The address as the glasses reported it, or else as they answer when asked."""
        until = asyncio.get_running_loop().time() + seconds
        while self._session.address is None:
            if self._session.wifi_failed:
                self._session.wifi_failed = False
                await self._session.switch(Mode.WIFI_RESET)
                await self._enter_transfer()
            with contextlib.suppress(ProtocolFault):
                return await self._session.ask(wire.ask_address(), WifiAddress, tries=1)
            if asyncio.get_running_loop().time() > until:
                raise NotReachable("They did not say where they are.")
            await asyncio.sleep(ADDRESS_POLL_SECONDS)
        return self._session.address

    def left_over_wifi(self) -> int:
        """See `ble.http_port.WifiGlasses`."""
        return self._lineup.left

    async def close_wifi(self) -> None:
        """See `ble.http_port.WifiGlasses`. Always tells them, since glasses left in this mode take no photos any more."""
        if self._shelf is not None:
            self._shelf.close()
        self._shelf = None
        self._lineup.clear()
        if not self._in_transfer:
            return
        self._in_transfer = False
        with contextlib.suppress(ProtocolFault):
            await self._session.switch(Mode.TRANSFER_STOP)

    async def close(self) -> None:
        """Close their Wi-Fi and leave."""
        self._session.leaves()
        with contextlib.suppress(GlassesError):
            await self.close_wifi()
        with contextlib.suppress(GlassesError):
            await self._port.disconnect()
        self._session.ended()
        await self._session.stopped()


class HeycyanDriver:
    """See `ble.glasses.Driver`. `http`: the way to the glasses' Wi-Fi. `simulated`: they are on this computer, and nowhere else."""

    def __init__(self, http: HttpPort | None = None, *, simulated: bool = False) -> None:
        self._http = http or NoHttp()
        self._simulated = simulated

    @property
    def family(self) -> str:
        return wire.FAMILY

    @property
    def service_uuids(self) -> frozenset[str]:
        return frozenset({wire.SERVICE})

    def cautions(self, family: str) -> tuple[str, ...]:
        return _CAUTIONS

    def recognises(self, advertisement: Advertisement) -> bool:
        """By service or name; not all firmware advertises the service."""
        named = advertisement.name.casefold().startswith(wire.NAME_PREFIXES)
        return named or wire.SERVICE in advertisement.service_uuids

    async def open(self, port: GattPort, *, continuous: bool) -> HeycyanGlasses:
        """See `ble.glasses.Driver`. `continuous` means nothing to these glasses."""
        session = HeycyanSession(utc_now, GuardedWriter(port).write)
        try:
            await port.connect(session.ended)
            if not port.services().get(wire.SERVICE, frozenset()) >= {wire.NOTIFY, wire.WRITE}:
                raise NotGlasses("These are no HeyCyan glasses.", "They lack what such glasses have.", "Choose another device.")
            await port.subscribe(wire.NOTIFY, session.notified)
            await session.send(wire.set_time(utc_now().astimezone()))
            await session.ask(wire.ask_battery(), BatteryLevel)
            for request, kind in ((wire.ask_versions(), Versions), (wire.ask_counts(), Counts)):
                with contextlib.suppress(ProtocolFault):  # good to know, and no reason to leave
                    await session.ask(request, kind, tries=1)
        except BaseException:
            session.ended()
            with contextlib.suppress(GlassesError):
                await port.disconnect()
            await session.stopped()
            raise
        return HeycyanGlasses(port, session, self._http, self._simulated)
