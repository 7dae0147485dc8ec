"""The driver for Omi Glass and OpenGlass, two generations of one protocol; see `ble/PROTOCOLS.md`.

Owns one link and the photos that came over it until they are released. Never touches the microphone, nor the firmware update service,
which anybody in range could misuse and which on necklaces are settings.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

from ble.drivers import omi_profile as profile
from ble.drivers import standard
from ble.drivers.connected import ConnectedHolding
from ble.drivers.omi_session import OmiSession
from ble.drivers.session import utc_now
from ble.errors import GlassesError, NotGlasses
from ble.port import GattPort
from ble.types import Advertisement, Capabilities, Capability, DeviceInfo

_LEAVE_SECONDS = 15.0
"""Longest wait for a running upload before leaving; a big OpenGlass photo takes about 13 s."""

_CAUTIONS = (
    "The link to these glasses is not encrypted: anybody near can receive the photos, and connect to the glasses.",
    "The glasses keep no photos: what does not arrive here is gone.",
)
_SMALL_PAYLOAD = (
    "This computer's Bluetooth says it carries only {size} bytes at a time, and photos need 202. Photos may arrive damaged; "
    "another Bluetooth adapter may help."
)


class OmiGlasses(ConnectedHolding[OmiSession]):
    """A connected pair. See `ble.glasses.Glasses`; made by `OmiDriver.open`."""

    def __init__(self, port: GattPort, session: OmiSession, family: str, payload: int, continuous: bool) -> None:
        super().__init__(port, session)
        self._family = family
        self._payload = payload
        self._continuous = continuous
        self._ordering = asyncio.Lock()

    @property
    def capabilities(self) -> Capabilities:
        omi = self._family == profile.FAMILY_OMI
        small = self._payload < profile.CHUNK_BYTES and self._session.status.received == 0
        return Capabilities(
            family=self._family,
            features=frozenset({Capability.TAKE_PHOTO, Capability.CONTINUOUS_CAPTURE, Capability.BATTERY}),
            encrypted_link=False,
            cautions=(*_CAUTIONS, _SMALL_PAYLOAD.format(size=self._payload)) if small else _CAUTIONS,
            interval_seconds=profile.OMI_INTERVAL_SECONDS if omi else profile.OPENGLASS_INTERVAL_SECONDS,
        )

    async def take_photo(self) -> None:
        """See `ble.glasses.Glasses`. While photos come at intervals the order restarts the interval, because a single one would end it."""
        async with self._ordering:
            waiting = self._session.order()
            try:
                await self._port.write(profile.PHOTO_CONTROL, profile.START_CAPTURE if self._continuous else profile.SINGLE_PHOTO)
                await waiting
            finally:
                self._session.forget_order()

    async def set_continuous(self, on: bool) -> None:
        self._session.check()
        await self._port.write(profile.PHOTO_CONTROL, profile.START_CAPTURE if on else profile.STOP_CAPTURE)
        self._continuous = on
        self._session.change(replace(self._session.status, continuous=on))

    async def close(self) -> None:
        """Stop capture unless the wearer wants it to go on, let a running upload end, and leave."""
        self._session.leaves()
        if self._session.open:
            try:
                if not self._continuous:
                    await self._port.write(profile.PHOTO_CONTROL, profile.STOP_CAPTURE)
                await self._session.until_quiet(_LEAVE_SECONDS)
                await self._port.unsubscribe(profile.PHOTO_DATA)
            except GlassesError:
                pass  # the link went first; there is nobody left to tell
        with contextlib.suppress(GlassesError):
            await self._port.disconnect()
        self._session.ended()


class OmiDriver:
    """See `ble.glasses.Driver`."""

    @property
    def family(self) -> str:
        """The name of the driver; which generation a pair is of shows in its capabilities once connected."""
        return profile.FAMILY_OMI

    @property
    def service_uuids(self) -> frozenset[str]:
        return frozenset({profile.OMI_SERVICE})

    def cautions(self, family: str) -> tuple[str, ...]:
        return _CAUTIONS

    def recognises(self, advertisement: Advertisement) -> bool:
        """By the service; necklaces advertise it too and are refused once their characteristics can be seen."""
        return profile.OMI_SERVICE in advertisement.service_uuids

    async def open(self, port: GattPort, *, continuous: bool) -> OmiGlasses:
        """See `ble.glasses.Driver`. Nothing is written before the device has shown itself to be glasses."""
        session = OmiSession(utc_now)
        try:
            await port.connect(session.ended)
            return await self._set_up(port, session, continuous)
        except BaseException:
            with contextlib.suppress(GlassesError):
                await port.disconnect()
            raise

    async def _set_up(self, port: GattPort, session: OmiSession, continuous: bool) -> OmiGlasses:
        services = port.services()
        _require_glasses(services.get(profile.OMI_SERVICE, frozenset()))
        payload = await port.payload_size(profile.CHUNK_BYTES)
        session.info = await standard.read_information(port)
        family = _family(session.info, update_service=profile.OTA_SERVICE in services)
        session.starts(family, payload)
        await standard.watch_battery(port, session.battery_notified)
        await port.subscribe(profile.PHOTO_DATA, session.notified)
        glasses = OmiGlasses(port, session, family, payload, continuous)
        await glasses.set_continuous(continuous)
        return glasses


def _require_glasses(characteristics: frozenset[str]) -> None:
    if profile.PHOTO_DATA not in characteristics:
        raise NotGlasses(
            "This is not a pair of camera glasses.",
            "It has no camera; Omi necklaces announce themselves the same way.",
            "Choose another device.",
        )
    if profile.PHOTO_CONTROL not in characteristics:
        raise NotGlasses(
            "These glasses run firmware that Eyelid can't talk to.",
            "They have a camera but no way to operate it.",
            "Install current firmware on the glasses.",
        )


def _family(info: DeviceInfo, *, update_service: bool) -> str:
    """By the model they state; if they state none, by the update service, which only Omi Glass has."""
    model = info.model.replace(" ", "").casefold()
    if "openglass" in model:
        return profile.FAMILY_OPENGLASS
    return profile.FAMILY_OMI if "omi" in model or update_service else profile.FAMILY_OPENGLASS
