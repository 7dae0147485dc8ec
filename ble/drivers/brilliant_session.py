"""What happens on one link to Frame or Halo: what came of the photo stream and of commands, as state and events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from ble.drivers import brilliant_profile as profile
from ble.drivers.brilliant_stream import AppStream, Battery, Begun, Flaw, Heard, Outcome, PhotoStream, Refused, Spoilt, Whole
from ble.drivers.session import StreamSession, id_of_live_photo
from ble.errors import CameraSilent, link_lost
from ble.types import CaptureKind, Offer


class BrilliantSession(StreamSession[Outcome]):
    """State of one link. The name of an order is the token of its command; None where the stream does not name it."""

    def __init__(self, utc: Callable[[], datetime]) -> None:
        self._model = profile.FRAME
        self._photos: PhotoStream = AppStream(self._model)
        super().__init__(utc, self._photos)
        self._listening = False
        self._taken_at = utc()
        self._awaited: dict[tuple[int, int], asyncio.Future[None]] = {}
        self.on_spoilt: Callable[[int], None] = lambda _: None
        """Called with its number when a photo is given up while the glasses still send it."""

    def starts(self, model: profile.Model, stream: PhotoStream) -> None:
        """The camera program is about to run; photos may come from now on."""
        self._model = model
        self._stream = self._photos = stream
        self._listening = True
        self._arm()

    # -- what the glasses say -------------------------------------------------------------------------------------------------------

    def packet(self, value: bytes) -> None:
        """A binary notification, without its data marker."""
        if self._listening:
            self.notified(value)

    def complaint(self, text: str) -> None:
        """The program ended in an error, or reports one the only way the stock stream has."""
        if self._order is not None:
            self._refused(Refused(None, text))

    def _let_go(self) -> None:
        super()._let_go()
        self._take_in(self._photos.lost())
        for waiting in self._awaited.values():
            if not waiting.done():
                waiting.set_exception(link_lost())

    # -- what the driver asks -------------------------------------------------------------------------------------------------------

    @property
    def receiving(self) -> bool:
        return self._photos.receiving

    def expect(self, code: int, token: int) -> asyncio.Future[None]:
        """Begin to wait for the app to say that it has a command. Forget it with `unexpect`."""
        self.check()
        return self._awaited.setdefault((code, token), self._loop.create_future())

    def unexpect(self, code: int, token: int) -> None:
        waiting = self._awaited.pop((code, token), None)
        if waiting is not None and not waiting.cancel() and not waiting.cancelled():
            waiting.exception()

    def order(self, token: int | None) -> None:
        """A photo is about to be asked for; one asked for before is forgotten. Raises LinkLost."""
        self._begin_order(token, profile.FIRST_SECONDS, profile.FIRST_SECONDS + profile.LONGEST_SECONDS)

    async def ordered(self) -> None:
        """Wait for the photo that was asked for. Raises CameraSilent, LinkLost, ProtocolFault."""
        self.check()
        if self._order is not None:
            await self._order.done

    # -- from outcomes to events ----------------------------------------------------------------------------------------------------

    def _take(self, outcome: Outcome) -> None:
        match outcome:
            case Begun(token):
                self._begun(token)
            case Whole(jpeg):
                self._whole(jpeg)
            case Spoilt(flaw):
                self._given_up(flaw)
            case Refused():
                self._refused(outcome)
            case Heard(code, token):
                self._has_heard(code, token)
            case Battery(percent):
                self.battery(percent)

    def _is_ordered(self, token: int | None) -> bool:
        """Whether what names `token` belongs to the order there is; where nothing is named, it does."""
        return self._order is not None and (self._order.name is None or token is None or self._order.name == token)

    def _begun(self, token: int | None) -> None:
        self._taken_at = self._utc()
        if self._order is not None:
            self._order.begun = self._is_ordered(token)

    def _whole(self, jpeg: bytes) -> None:
        offer_id = id_of_live_photo(self._taken_at, jpeg)
        offer = Offer(offer_id, CaptureKind.PHOTO, "image/jpeg", self._taken_at, orientation=self._model.orientation)
        self._arrived(offer, jpeg, ordered=self._order_begun)

    def _given_up(self, flaw: Flaw) -> None:
        self._spoilt(flaw.value, ordered=self._order_begun)
        if flaw not in (Flaw.LINK_LOST, Flaw.GIVEN_UP) and self._photos.photo is not None:
            self.on_spoilt(self._photos.photo)

    def _refused(self, refused: Refused) -> None:
        if self._is_ordered(refused.token):
            why = f"They said: {refused.reason}." if refused.reason else "They did not say why."
            self._fail_order(CameraSilent("The glasses could not take the photo.", why, "Try again."))

    def _has_heard(self, code: int, token: int) -> None:
        waiting = self._awaited.get((code, token))
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
