"""A connected pair of Mentra Live: what may be asked of it, over Bluetooth and over Wi-Fi.

Owns one link, the photos that came over it until they are released, and the list of what the glasses hold while their Wi-Fi is open. Never
gives the glasses an address to upload to: what is taken on them comes here or stays there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from ble.drivers import mentra_profile as profile
from ble.drivers.connected import Connected
from ble.drivers.k900 import Json, text_of
from ble.drivers.mentra_fetch import MentraShelf
from ble.drivers.mentra_gallery import Entry
from ble.drivers.mentra_link import MentraLink
from ble.drivers.mentra_session import MentraSession, request_id
from ble.drivers.session import utc_now
from ble.drivers.shelf import Lineup
from ble.errors import GlassesError, ProtocolFault, Unsupported
from ble.http_port import HttpPort, NotReachable, Place, WifiInvitation, WifiTrouble, announced_place, nothing_is_safe
from ble.port import GattPort
from ble.types import Capabilities, Capability, CaptureOffered, Offer

POLL_SECONDS = 2.5
ANSWER_SECONDS = 8.0
HOTSPOT_SECONDS = 30.0
SAVED_SECONDS = 45.0
"""How long a photo may take to show up in the gallery."""

CAUTIONS = (
    "Whether these glasses encrypt their Bluetooth link is not known: somebody near may be able to listen in.",
    "While the glasses share their captures over Wi-Fi, anybody on that network can look at them and delete them; "
    "Eyelid ends the sharing as soon as it is done.",
)


class MentraGlasses(Connected[MentraSession]):
    """A connected pair. See `ble.glasses.Glasses` and `ble.http_port.WifiGlasses`; made by `MentraDriver.open`."""

    def __init__(self, port: GattPort, link: MentraLink, session: MentraSession, http: HttpPort, simulated: bool) -> None:
        super().__init__(port, session)
        self._link = link
        self._http = http
        self._simulated = simulated
        self._ordering = asyncio.Lock()
        self._orders = 0
        self._shelf: MentraShelf | None = None
        self._place: Place | None = None
        self._own_network = False
        self._sharing = False
        """Whether they were told to share, and not yet to end it."""
        self._known: dict[str, Entry] = {}
        self._lineup = Lineup()
        self._stated: dict[str, bytes] = {}
        self._kept: dict[str, set[str]] = {}
        self._skip: Callable[[Offer], bool] = nothing_is_safe

    @property
    def capabilities(self) -> Capabilities:
        features = {Capability.TAKE_PHOTO, Capability.BATTERY, Capability.STORAGE, Capability.VIDEO, Capability.WIFI}
        if self._shelf is not None and self._shelf.version3:
            features |= {Capability.RESUME, Capability.RELEASE}
        return Capabilities(profile.FAMILY, frozenset(features), encrypted_link=False, cautions=CAUTIONS)

    # -- photos ---------------------------------------------------------------------------------------------------------------------

    async def take_photo(self) -> None:
        """See `ble.glasses.Glasses`. With Wi-Fi open the photo goes to the gallery and is offered in full from there."""
        async with self._ordering:
            self._link.check()
            self._orders += 1
            stamp = f"{int(utc_now().timestamp()) % 10**10:010d}{self._orders % 1000:03d}"
            name = f"I{stamp}"
            order = {
                "type": "take_photo",
                "requestId": request_id(name),
                "transferMethod": "ble",
                "bleImgId": name,
                "size": "medium",
                "mode": "photo",
                "compress": "none",
                "save": self._shelf is not None,
                "flash": True,
                "sound": True,
            }
            waiting = self._session.order(name)
            try:
                self._link.tell(order)
                await (waiting if self._shelf is None else self._saved_or_sent(request_id(name), waiting))
            finally:
                self._session.forget_order()

    async def _saved_or_sent(self, request: str, sent: asyncio.Future[None]) -> None:
        """Newer builds only save a photo that is to be saved, older ones send it as well: whichever comes first."""
        until = asyncio.get_running_loop().time() + SAVED_SECONDS
        while not sent.done():
            if self._shelf is None or asyncio.get_running_loop().time() > until:
                break
            await asyncio.wait({sent}, timeout=POLL_SECONDS)
            if not sent.done():
                with contextlib.suppress(WifiTrouble):
                    await self._list_new()
                if any(entry.request_id == request for entry in self._known.values()):
                    return
        await sent

    async def set_continuous(self, on: bool) -> None:
        """These glasses have no capture at intervals; asking for none is always fine. Raises Unsupported."""
        self._session.no_interval(on)

    # -- captures -------------------------------------------------------------------------------------------------------------------

    async def fetch(self, offer_id: str, offset: int = 0) -> AsyncIterator[bytes]:
        """See `ble.glasses.Glasses`. Photos that came over Bluetooth are here until `release`; others need open Wi-Fi."""
        if self._session.holds(offer_id):
            async for piece in self._session.pieces(offer_id, offset):
                yield piece
            return
        shelf, entry = self._on_shelf(offer_id)
        try:
            async with contextlib.aclosing(shelf.fetch(entry, max(0, offset), self._stated.get(offer_id))) as pieces:
                async for piece in pieces:
                    yield piece
        except BaseException:
            self._lineup.broke_off(offer_id)
            raise
        await self._settled(offer_id)

    async def release(self, offer_id: str) -> None:
        """See `ble.glasses.Glasses`. A capture goes to the glasses' trash once all of its files were released; older builds keep theirs."""
        self._session.release(offer_id)
        entry = self._known.get(offer_id)
        if entry is None:
            return
        await self._settled(offer_id)
        if self._shelf is None or not self._shelf.version3:
            return
        kept = self._kept.setdefault(entry.capture, set())
        kept.add(offer_id)
        if entry.all_read and kept == {known.id for known in self._known.values() if known.capture == entry.capture}:
            await self._shelf.trash(entry.capture)
            del self._kept[entry.capture]

    def _on_shelf(self, offer_id: str) -> tuple[MentraShelf, Entry]:
        entry = self._known.get(offer_id)
        if entry is None:
            raise ProtocolFault("This capture is no longer there.", "It was released, or never offered.", "Look for new captures again.")
        if self._shelf is None:
            raise NotReachable("Their Wi-Fi was closed.")
        return self._shelf, entry

    async def _settled(self, offer_id: str) -> None:
        self._lineup.settle(offer_id)
        self._stated.pop(offer_id, None)
        await self._offer_more()

    async def _offer_more(self) -> None:
        """Put the next captures on offer, each with its digest, by which it can be checked however it was fetched."""
        while (offer := self._lineup.next()) is not None:
            try:
                stated = await self._digest_of(offer.id)
            except BaseException:
                self._lineup.broke_off(offer.id)  # nobody was told of it
                raise
            if stated is not None:
                self._stated[offer.id] = stated
            self._session.events.put(CaptureOffered(replace(offer, sha256=stated)))
            self._session.received()

    async def _digest_of(self, offer_id: str) -> bytes | None:
        """The digest that the glasses state; None where they don't, or can't just now: it is asked for again when it is fetched."""
        if self._shelf is None or offer_id not in self._known:
            return None
        with contextlib.suppress(WifiTrouble, ProtocolFault):
            return await self._shelf.digest(self._known[offer_id])
        return None

    # -- Wi-Fi ----------------------------------------------------------------------------------------------------------------------

    async def open_wifi(self, *, own_network: bool) -> WifiInvitation | None:
        """See `ble.http_port.WifiGlasses`."""
        await self.close_wifi()
        self._own_network = own_network
        try:
            if own_network:
                return await self._open_hotspot()
            await self._open_gallery()
        except BaseException:
            # They may share all the same, and have said so too late, or named a place where nobody looks for them.
            with contextlib.suppress(GlassesError):
                await self.close_wifi()
            raise
        return None

    async def _open_gallery(self) -> None:
        await self._link.ask({"type": "request_wifi_status"}, answers("wifi_status"), ANSWER_SECONDS)
        if not self._session.local_address:
            raise Unsupported("The glasses are on no Wi-Fi network.", "They can't be reached that way.", "Use their own network instead.")
        self._sharing = True
        answer = await self._link.ask(_gallery_server(on=True), _is_gallery_server, ANSWER_SECONDS)
        if answer.get("listening") is not True:
            raise ProtocolFault("The glasses did not open their gallery.", "They said no.", "Use their own network instead.")
        self._place = self._place_in(text_of(answer, "url"))

    async def _open_hotspot(self) -> WifiInvitation:
        self._sharing = True
        for attempt in range(2):  # some builds turn it on and never say so: asked again, they tell
            try:
                answer = await self._link.ask(_hotspot(on=True), _is_hotspot, HOTSPOT_SECONDS)
                break
            except ProtocolFault:
                if attempt:
                    raise
        hotspot = self._session.hotspot
        if answer.get("type") == "hotspot_error" or hotspot is None:
            raise ProtocolFault("The glasses could not open a network of their own.", "They gave an error.", "Try again.")
        self._place = announced_place(hotspot.gateway, profile.HTTP_PORT, simulated=self._simulated)
        return WifiInvitation(hotspot.name, hotspot.password)

    def _place_in(self, url: str) -> Place:
        host = url.removeprefix("http://").removesuffix("/")
        if not self._simulated:
            host = host.removesuffix(f":{profile.HTTP_PORT}")
        return announced_place(host, profile.HTTP_PORT, simulated=self._simulated)

    async def look_over_wifi(self, seconds: float = 90.0, *, skip: Callable[[Offer], bool] = nothing_is_safe) -> int:
        """See `ble.http_port.WifiGlasses`. The latest word of the glasses about their network counts."""
        if self._own_network and self._session.hotspot is not None:
            self._place = announced_place(self._session.hotspot.gateway, profile.HTTP_PORT, simulated=self._simulated)
        if self._place is None:
            raise NotReachable("Their Wi-Fi is not open.")
        shelf = MentraShelf(self._http, self._place)
        await shelf.greet(seconds)
        self._shelf = shelf
        self._skip = skip
        try:
            return await self._list_new()
        except ProtocolFault:
            self._shelf = None
            raise

    async def _list_new(self) -> int:
        if self._shelf is None:
            raise NotReachable("Their Wi-Fi is not open.")
        entries, unsound = await self._shelf.entries()
        self._known = {entry.id: entry for entry in entries}
        new = self._lineup.add(map(_offer, self._known.values()), self._skip)
        await self._offer_more()
        if self._lineup.worse(unsound):
            self._session.damaged(f"the glasses list {unsound} captures in a way that makes no sense")
        return new

    def left_over_wifi(self) -> int:
        """See `ble.http_port.WifiGlasses`."""
        return self._lineup.left

    async def close_wifi(self) -> None:
        """See `ble.http_port.WifiGlasses`."""
        if self._shelf is not None:
            self._shelf.close()
        self._place, self._shelf = None, None
        self._lineup.clear()
        self._stated.clear()
        if self._sharing:
            self._sharing = False
            self._link.tell(_hotspot(on=False) if self._own_network else _gallery_server(on=False))

    # -- the link -------------------------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """End the sharing over Wi-Fi, let the last word go out, and leave."""
        self._session.leaves()
        with contextlib.suppress(GlassesError):
            await self.close_wifi()
            await self._link.emptied()
        with contextlib.suppress(GlassesError):
            await self._port.disconnect()
        self._link.end()
        await self._link.ended()
        self._session.ended()


def _offer(entry: Entry) -> Offer:
    return Offer(entry.id, entry.kind, entry.media_type, entry.taken_at, size=entry.size, stored=True)


def answers(kind: str) -> Callable[[Json], bool]:
    """Whether a message is of this kind."""
    return lambda message: message.get("type") == kind


def _hotspot(*, on: bool) -> Json:
    return {"type": "set_hotspot_state", "enabled": on}


def _gallery_server(*, on: bool) -> Json:
    return {"type": "set_gallery_server_enabled", "request_id": "eyelid", "enabled": on}


def _is_hotspot(message: Json) -> bool:
    enabled = message.get("type") == "hotspot_status_update" and message.get("hotspot_enabled") is True
    return enabled or message.get("type") == "hotspot_error"


def _is_gallery_server(message: Json) -> bool:
    return message.get("type") == "settings_ack" and message.get("setting") == "gallery_server"
