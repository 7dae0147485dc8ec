"""What happens on one link to Omi Glass or OpenGlass: what came of the photo stream, as state and events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from ble.drivers import omi_profile as profile
from ble.drivers.omi_photo import Begun, Flaw, Outcome, PhotoAssembler, Spoilt, Whole
from ble.drivers.session import StreamSession, id_of_live_photo
from ble.types import EXIF_OF_TURNS, CaptureKind, Offer

CAMERA_SECONDS = 5.0
"""How long a warm camera may take from the order to the first chunk."""
ORDER_SECONDS = 90.0
"""An order never waits longer than this, whatever keeps coming: a photo under way, and then ours."""

_EXIF_OLD_LAYOUT = {profile.FAMILY_OPENGLASS: 8, profile.FAMILY_OMI: 3}
"""OpenGlass's web client turns by 270 degrees (its `sources/modules/imaging.ts`), the Omi app turns pictures of old firmware by 180."""

_SMALL_LINK = "parts were cut short because this computer's Bluetooth carries only {size} bytes at a time"


class OmiSession(StreamSession[Outcome]):
    """State of one link. An order has begun once the first chunk of a photo came; one already under way when it was given is not it."""

    def __init__(self, utc: Callable[[], datetime]) -> None:
        self._assembler = PhotoAssembler(asyncio.get_running_loop().time())
        super().__init__(utc, self._assembler)
        self._family = profile.FAMILY_OMI
        self._payload = 0
        self._taken_at = utc()
        self._orientation = 1

    def starts(self, family: str, payload: int) -> None:
        """The glasses were recognised; photos may come from now on."""
        self._family = family
        self._payload = payload
        self._stream = self._assembler = PhotoAssembler(self._loop.time())
        self._arm()

    def order(self) -> asyncio.Future[None]:
        """Begin to wait for a photo about to be asked for. The future fails with CameraSilent, LinkLost or ProtocolFault."""
        return self._begin_order(None, CAMERA_SECONDS, ORDER_SECONDS)

    def _let_go(self) -> None:
        super()._let_go()
        self._take_in(self._assembler.lost())

    def _take(self, outcome: Outcome) -> None:
        match outcome:
            case Begun():
                self._begun(outcome)
            case Whole():
                self._whole(outcome)
            case Spoilt():
                self._spoilt(self._in_words(outcome.flaw), ordered=self._order_begun)

    def _begun(self, begun: Begun) -> None:
        self._taken_at = self._utc()
        self._orientation = _EXIF_OLD_LAYOUT[self._family] if begun.turns is None else EXIF_OF_TURNS[90 * begun.turns]
        if self._order is not None:
            self._order.begun = True

    def _whole(self, photo: Whole) -> None:
        offer_id = id_of_live_photo(self._taken_at, photo.jpeg)
        offer = Offer(offer_id, CaptureKind.PHOTO, "image/jpeg", self._taken_at, orientation=self._orientation)
        self._arrived(offer, photo.jpeg, ordered=self._order_begun)

    def _in_words(self, flaw: Flaw) -> str:
        if flaw is Flaw.CHUNK_SHORT and self._payload < profile.CHUNK_BYTES:
            return _SMALL_LINK.format(size=self._payload)
        return flaw.value
