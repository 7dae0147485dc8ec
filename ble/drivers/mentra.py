"""The driver for Mentra Live: control over Bluetooth, media over HTTP, photos over Bluetooth as the last resort; see `ble/PROTOCOLS.md`.

Owns the way from a port to a connected pair, and its beginning anew when the application on the glasses does.
"""

from __future__ import annotations

import asyncio
import contextlib

from ble.drivers import mentra_profile as profile
from ble.drivers.mentra_glasses import ANSWER_SECONDS, CAUTIONS, POLL_SECONDS, MentraGlasses, answers
from ble.drivers.mentra_link import MentraLink
from ble.drivers.mentra_session import MentraSession
from ble.drivers.session import utc_now
from ble.errors import GlassesError, NotGlasses, ProtocolFault
from ble.http_port import HttpPort, NoHttp
from ble.port import GattPort
from ble.types import Advertisement

READY_SECONDS = 50.0
"""The application on the glasses takes tens of seconds to start, while their Bluetooth chip answers at once."""
HEARTBEAT_SECONDS = 30.0


class MentraDriver:
    """See `ble.glasses.Driver`. `http`: the way to the glasses' Wi-Fi. `simulated`: they are on this computer, and nowhere else."""

    def __init__(self, http: HttpPort | None = None, *, simulated: bool = False) -> None:
        self._http = http or NoHttp()
        self._simulated = simulated

    @property
    def family(self) -> str:
        return profile.FAMILY

    @property
    def service_uuids(self) -> frozenset[str]:
        return frozenset({profile.SERVICE})

    def cautions(self, family: str) -> tuple[str, ...]:
        return CAUTIONS

    def recognises(self, advertisement: Advertisement) -> bool:
        """By service, name or maker: not all firmware advertises all of them."""
        known = profile.SERVICE in advertisement.service_uuids or profile.is_name(advertisement.name)
        return known or profile.COMPANY in advertisement.manufacturer_data

    async def open(self, port: GattPort, *, continuous: bool) -> MentraGlasses:
        """See `ble.glasses.Driver`. `continuous` means nothing to these glasses."""
        opening = _Opening(port)
        try:
            await port.connect(opening.lost)
            await opening.set_up()
        except BaseException:
            opening.lost()
            with contextlib.suppress(GlassesError):
                await port.disconnect()
            await opening.link.ended()
            raise
        return MentraGlasses(port, opening.link, opening.session, self._http, self._simulated)


class _Opening:
    """Brings link and session up, and again whenever the application on the glasses starts anew."""

    def __init__(self, port: GattPort) -> None:
        self._port = port
        self._mtu = 0
        self._restarts = 0
        self.session = MentraSession(utc_now, lambda message: self.link.reply(message), self._restarted)
        self.link = MentraLink(port, self.session.message_heard, self.session.code_heard)

    def lost(self) -> None:
        self.link.end()
        self.session.ended()

    def _restarted(self) -> None:
        self.link.forget_numbers()
        self._restarts += 1
        if self._restarts == 1:
            self.link.spawn(self._introduce_again())

    async def _introduce_again(self) -> None:
        """Once for however many restarts came meanwhile, and never quicker than the words go out."""
        while self._restarts:
            self._restarts = 1
            await self.link.emptied()
            await self._introduce()
            self._restarts -= 1

    async def set_up(self) -> None:
        there = self._port.services().get(profile.SERVICE, frozenset())
        if not there >= {profile.CONTROL_NOTIFY, profile.CONTROL_WRITE, profile.FILE_NOTIFY}:
            raise NotGlasses("These are no Mentra Live glasses.", "They lack what such glasses have.", "Choose another device.")
        payload = await self._port.payload_size(profile.LARGEST_MTU - 3)
        self._mtu = min(payload + 3, profile.LARGEST_MTU)
        await self._port.subscribe(profile.CONTROL_NOTIFY, self.link.heard)
        await self._port.subscribe(profile.FILE_NOTIFY, self.session.notified)
        self.link.start(payload)
        self.link.ask_chip("cs_batv")
        await self._until_ready()
        await self._introduce()
        self.link.spawn(self._heartbeat())

    async def _until_ready(self) -> None:
        ready = asyncio.ensure_future(self.link.wait(answers("glasses_ready"), READY_SECONDS))
        try:
            while not ready.done():
                self.link.tell({"type": "phone_ready"}, wake=True)
                await asyncio.wait({ready}, timeout=POLL_SECONDS)
            await ready
        finally:
            ready.cancel()

    async def _introduce(self) -> None:
        """Say how large the link is before anything else: until then files come in packets that may not fit it."""
        self.link.tell({"type": "set_ble_mtu", "mtu": self._mtu})
        self.link.tell({"type": "set_system_time", "timestamp_ms": int(utc_now().timestamp() * 1000)})
        with contextlib.suppress(ProtocolFault):  # the chip may have told already, and it is no reason to leave
            await self.link.ask({"type": "request_battery_state"}, answers("battery_status"), ANSWER_SECONDS)
        self.link.tell({"type": "request_version"})
        self.link.tell({"type": "query_gallery_status"})

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            self.link.tell({"type": "ping"})
