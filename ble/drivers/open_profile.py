"""The driver for glasses that speak the open profile (`ble/OPEN_PROFILE.md`).

The glasses hold the captures and this reads them, checked window by window, from any offset on; nothing is removed from the glasses but by
`release`. The link is always encrypted and bonded: glasses that do without are refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime

from ble.drivers import open_profile_wire as wire
from ble.drivers import standard
from ble.drivers.connected import Connected
from ble.drivers.open_profile_link import FRAMES_A_WINDOW, OpenLink
from ble.drivers.open_profile_session import OpenSession
from ble.drivers.open_profile_wire import DIGEST_HEAD_BYTES, Feature, Features, Op
from ble.drivers.session import utc_now
from ble.errors import GlassesError, LinkLost, NotGlasses, PairingNeeded, PairsByItself, ProtocolFault, RadioUnavailable, Unsupported
from ble.port import GattPort
from ble.types import Advertisement, Capabilities, Capability, CaptureProgress

_WANTED_PAYLOAD = 244
"""One link-layer packet at its longest, less the headers. More is taken where there is more, but not waited for."""
_PAIRING_SECONDS = 60.0
"""Somebody may have to compare codes."""
_BEFORE_PAIRING = (
    "Put the glasses in pairing mode first; their maker says how.",
    "Anybody can build such glasses. Pair only with glasses from somebody you trust.",
)
_MICROPHONE = "These glasses have a microphone. It stays off until you ask for a voice note."


class OpenGlasses(Connected[OpenSession]):
    """A connected pair. See `ble.glasses.Glasses`; made by `OpenDriver.open`."""

    def __init__(self, port: GattPort, session: OpenSession, features: Features) -> None:
        super().__init__(port, session)
        self._features = features
        self._ordering = asyncio.Lock()

    @property
    def microphone_on(self) -> bool:
        """See `ble.glasses.VoiceGlasses`."""
        return self._session.microphone_on

    @property
    def capabilities(self) -> Capabilities:
        can = self._features.features
        return Capabilities(
            family=wire.FAMILY,
            features=frozenset(Capability[feature.name] for feature in Feature if feature in can and feature.name),
            encrypted_link=True,
            cautions=(_MICROPHONE,) if Feature.MICROPHONE in can else (),
            interval_seconds=self._features.interval if Feature.CONTINUOUS_CAPTURE in can else None,
        )

    async def take_photo(self) -> None:
        """See `ble.glasses.Glasses`. Raises Unsupported too, for glasses that take photos by their own button only."""
        self._require(Feature.TAKE_PHOTO)
        async with self._ordering:
            (number,) = await self._session.link.ask(Op.TAKE_PHOTO)
            await self._session.until_offered(number)

    async def record_sound(self, seconds: int) -> None:
        """See `ble.glasses.VoiceGlasses`."""
        if not 1 <= seconds <= wire.LONGEST_SOUND:
            raise ValueError(f"a voice note lasts 1 to {wire.LONGEST_SOUND} seconds")
        self._require(Feature.MICROPHONE)
        async with self._ordering:
            (number,) = await self._session.link.ask(Op.RECORD_SOUND, seconds)
            try:
                await self._session.until_offered(number, seconds)
            except BaseException:
                with contextlib.suppress(GlassesError):
                    await self._session.link.ask(Op.RECORD_SOUND, 0)
                raise

    async def set_continuous(self, on: bool) -> None:
        """See `ble.glasses.Glasses`. Raises Unsupported when switched on for glasses that can't."""
        if Feature.CONTINUOUS_CAPTURE in self._features.features:
            await self._session.link.ask(Op.CAPTURE_EVERY, max(1, self._features.interval) if on else 0)
            self._session.change(replace(self._session.status, continuous=on))
        elif on:
            self._require(Feature.CONTINUOUS_CAPTURE)

    async def fetch(self, offer_id: str, offset: int = 0) -> AsyncIterator[bytes]:
        """See `ble.glasses.Glasses`. Every piece has passed its checksum, and the last one of a fetch from 0 the digest of the whole.

        A fetch from elsewhere leaves the digest to the caller, who holds the beginning. Raises ProtocolFault, LinkLost.
        """
        record = self._session.held(offer_id).record
        if not 0 <= offset <= record.size:
            raise ProtocolFault("The capture has no such part.", f"It is {record.size} bytes long.", "Fetch it from its beginning.")
        digest = hashlib.sha256() if offset == 0 else None
        position = offset
        reading = self._session.link.read(record.id, record.size, offset)
        try:
            async for piece in reading:
                position += len(piece)
                if digest is not None:
                    digest.update(piece)
                if position == record.size and digest is not None and digest.digest() != record.sha256:
                    raise ProtocolFault("A capture arrived changed.", "Its digest is not the one the glasses stated.", "Take it again.")
                self._session.events.put(CaptureProgress(position, record.size))
                yield piece
            self._session.received()
        except ProtocolFault as error:
            self._session.damaged(error.why)
            raise
        finally:
            await reading.aclose()

    async def release(self, offer_id: str) -> None:
        """See `ble.glasses.Glasses`: the glasses put the capture in their trash. Glasses that can't, keep it. May be repeated."""
        record = self._session.held(offer_id).record
        if Feature.RELEASE in self._features.features:
            await self._session.link.ask(Op.ACKNOWLEDGE, record.id, record.sha256[:DIGEST_HEAD_BYTES])

    async def close(self) -> None:
        """End the link. What the glasses capture goes on as last set; their microphone stops by itself."""
        self._session.leaves()
        with contextlib.suppress(GlassesError):
            await self._port.disconnect()
        self._session.ended()

    def _require(self, feature: Feature) -> None:
        if feature not in self._features.features:
            raise Unsupported("These glasses can't do that.", "They do not state this ability.", "Use the buttons on the glasses.")


class OpenDriver:
    """See `ble.glasses.Driver`. `utc` tells the time of day; replaced in tests."""

    def __init__(self, utc: Callable[[], datetime] = utc_now) -> None:
        self._utc = utc

    @property
    def family(self) -> str:
        return wire.FAMILY

    @property
    def service_uuids(self) -> frozenset[str]:
        return frozenset({wire.SERVICE})

    def cautions(self, family: str) -> tuple[str, ...]:
        return _BEFORE_PAIRING

    def recognises(self, advertisement: Advertisement) -> bool:
        return wire.SERVICE in advertisement.service_uuids

    async def open(self, port: GattPort, *, continuous: bool) -> OpenGlasses:
        """See `ble.glasses.Driver`. Pairs if the two are not paired yet. Raises PairingNeeded too, when the glasses won't pair."""
        session = OpenSession(OpenLink(port), self._utc)
        try:
            await port.connect(session.ended)
            return await self._set_up(port, session, continuous)
        except BaseException:
            with contextlib.suppress(GlassesError):
                await port.disconnect()
            session.ended()
            raise

    async def _set_up(self, port: GattPort, session: OpenSession, continuous: bool) -> OpenGlasses:
        services = port.services()
        _require_profile(services.get(wire.SERVICE, frozenset()))
        features = _supported(wire.read_features(await port.read(wire.FEATURES)))
        await self._secure(port, session, features)
        session.link.window = FRAMES_A_WINDOW * (max(20, await port.payload_size(_WANTED_PAYLOAD)) - wire.FRAME_HEAD_BYTES)
        session.link.resumes = Feature.RESUME in features.features
        session.info = await standard.read_information(port)
        if Feature.BATTERY in features.features:
            await standard.watch_battery(port, session.battery_notified)
        await port.subscribe(wire.CONTROL, session.link.answered)
        await port.subscribe(wire.DATA, session.link.arrived)
        await port.subscribe(wire.STATUS, session.status_notified)
        await session.link.ask(Op.SET_TIME, int(self._utc().timestamp() * 1000))
        glasses = OpenGlasses(port, session, features)
        if continuous or Feature.CONTINUOUS_CAPTURE in features.features:
            await glasses.set_continuous(continuous)
        session.starts(features.features)
        session.status_notified(await port.read(wire.STATUS))
        return glasses

    async def _secure(self, port: GattPort, session: OpenSession, features: Features) -> None:
        """Bond, or use the bond there is. Raises PairingNeeded, RadioUnavailable, LinkLost."""
        try:
            async with asyncio.timeout(_PAIRING_SECONDS):
                await port.pair()
        except PairsByItself:
            pass
        except RadioUnavailable:
            raise
        except (GlassesError, TimeoutError) as error:
            if not session.open and features.pairing_open and isinstance(error, LinkLost):
                raise
            raise _not_paired(features.pairing_open) from error


def _not_paired(pairing_open: bool) -> PairingNeeded:
    if pairing_open:
        return PairingNeeded("The glasses could not be paired.", "The pairing was called off or went wrong.", "Pair them again.")
    return PairingNeeded(
        "The glasses do not want to be paired now.", "They are not in pairing mode.", "Put the glasses in pairing mode and try again."
    )


def _require_profile(characteristics: frozenset[str]) -> None:
    if not {wire.FEATURES, wire.CONTROL, wire.CREDIT, wire.DATA, wire.STATUS} <= characteristics:
        raise NotGlasses(
            "This is not a pair of glasses that Eyelid can talk to.",
            "It announces the open glasses profile but lacks a part of it.",
            "Update its firmware, or choose another device.",
        )


def _supported(features: Features | None) -> Features:
    if features is None or features.version != wire.VERSION:
        raise NotGlasses(
            "These glasses speak another version of the open profile.",
            f"This program speaks version {wire.VERSION}.",
            "Update Eyelid, or the firmware of the glasses.",
        )
    if Feature.BONDING not in features.features:
        raise NotGlasses(
            "These glasses do not protect what they send.",
            "They let anybody near connect, which the open profile does not allow.",
            "Switch bonding on in their firmware.",
        )
    return features
