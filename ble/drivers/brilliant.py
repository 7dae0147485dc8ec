"""The driver for Brilliant Labs Frame and Halo; see `ble/PROTOCOLS.md`.

Owns one link, the camera app it puts on the glasses, and the photos that came until they are released. Never touches `main.lua`, nor
firmware update, nor the microphone; of the control bytes it sends only break and reset.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

from ble.drivers import brilliant_profile as profile
from ble.drivers.brilliant_link import BrilliantLink
from ble.drivers.brilliant_session import BrilliantSession
from ble.drivers.brilliant_setup import connect, set_up
from ble.drivers.connected import ConnectedHolding
from ble.drivers.session import utc_now
from ble.errors import GlassesError, Unsupported
from ble.port import GattPort
from ble.types import Advertisement, Capabilities, Capability

_CAUTIONS = (
    "The glasses keep no photos: what does not arrive here is gone.",
    "Pairing is without a code, so pair where nobody else can interfere.",
    "No light on the glasses tells people nearby that a photo is taken.",
)
_BEFORE_PAIRING = {
    profile.FAMILY_FRAME: (
        "A Frame knows one computer or phone at a time; to change it, hold the button in its pin hole for 3 seconds on the powered cradle."
    ),
    profile.FAMILY_HALO: (
        "A Halo that knows a phone or computer lets in another only after its button was held for 5 seconds, until the chime. "
        "15 seconds would reset it."
    ),
}
_NO_APP = "These glasses could not store Eyelid's camera program, so a photo that loses a part on its way may not be noticed."


class BrilliantGlasses(ConnectedHolding[BrilliantSession]):
    """A connected pair. See `ble.glasses.Glasses`; made by `BrilliantDriver.open`."""

    def __init__(self, link: BrilliantLink) -> None:
        super().__init__(link.port, link.session)
        self._link = link
        self._ordering = asyncio.Lock()

    @property
    def capabilities(self) -> Capabilities:
        features = {Capability.TAKE_PHOTO, Capability.BATTERY, Capability.BONDING}
        if self._link.own_app:
            features.add(Capability.CONTINUOUS_CAPTURE)
        return Capabilities(
            family=self._link.model.family,
            features=frozenset(features),
            encrypted_link=True,
            cautions=_CAUTIONS if self._link.own_app else (*_CAUTIONS, _NO_APP),
            interval_seconds=profile.INTERVAL_SECONDS if self._link.own_app else None,
        )

    async def take_photo(self) -> None:
        """See `ble.glasses.Glasses`. On Frame the first takes some 3 seconds longer, which the exposure needs to settle."""
        async with self._ordering:
            await self._link.photo()

    async def set_continuous(self, on: bool) -> None:
        """See `ble.glasses.Glasses`. Raises Unsupported where the glasses could not store our app."""
        self._session.check()
        if on and not self._link.own_app:
            raise Unsupported("These glasses can't take photos by themselves.", _NO_APP, "Free some space on the glasses.")
        await self._link.set_interval(profile.INTERVAL_SECONDS if on else 0)
        self._session.change(replace(self._session.status, continuous=on))

    async def close(self) -> None:
        """Let a photo that is on its way arrive, end the app, which lets the camera sleep, and leave."""
        await self._link.leave()


class BrilliantDriver:
    """See `ble.glasses.Driver`. `own_app` False makes it use the stock stream even where our app could run, to measure and try it."""

    def __init__(self, *, own_app: bool = True) -> None:
        self._own_app = own_app

    @property
    def family(self) -> str:
        """The name of the driver; whether a pair is a Frame or a Halo shows in its capabilities once connected."""
        return profile.FAMILY_FRAME

    def cautions(self, family: str) -> tuple[str, ...]:
        return (_BEFORE_PAIRING[family], *_CAUTIONS) if family in _BEFORE_PAIRING else _CAUTIONS

    @property
    def service_uuids(self) -> frozenset[str]:
        """Those of the glasses, and that of a Frame waiting for new firmware, which is told what it is and refused."""
        return frozenset({profile.LUA_SERVICE, profile.DFU_SERVICE})

    def recognises(self, advertisement: Advertisement) -> bool:
        return profile.LUA_SERVICE in advertisement.service_uuids or self.awaits_firmware(advertisement.name)

    def awaits_firmware(self, name: str) -> bool:
        """See `ble.glasses.Updatable`. A Frame does, under a name that is the same for all; a Halo keeps its own."""
        return name == profile.DFU_NAME

    async def open(self, port: GattPort, *, continuous: bool) -> BrilliantGlasses:
        """See `ble.glasses.Driver`. Pairs where the glasses ask for it; raises PairingNeeded if they refuse this computer."""
        session = BrilliantSession(utc_now)
        link = BrilliantLink(port, session)
        try:
            await connect(link)
            session.info = await set_up(link, own_app=self._own_app)
            glasses = BrilliantGlasses(link)
            await glasses.set_continuous(continuous and link.own_app)
            return glasses
        except BaseException:
            with contextlib.suppress(GlassesError):
                await port.disconnect()
            raise
