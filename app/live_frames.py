"""Frames for live looks, from paired glasses: photos taken one after the other, handed on as soon as they are sealed in the vault.

Owns no capture and no connection: it asks the glasses desk for photos, and listens to what it tells.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta

from app.events import EventHub, GlassesChanged, GlassesForgotten
from app.glasses.desk import GlassesDesk
from app.glasses.types import GlassesView
from app.sharing.errors import NotReady
from app.vault.types import ItemId, ItemKind, ItemMeta
from ble.types import Capability, LinkState

_WHAT = "This live look cannot begin."
_LEEWAY = timedelta(seconds=2)
"""A photo counts as taken since the start although the clocks of glasses and computer differ by so much."""

Word = ItemId | Exception | None
"""What is heard of the glasses: a capture, why they took none, or None for the loss of the link."""


class GlassesFrames:
    """See `app.sharing.live.FrameSource`. `sealed` is to be told of each capture that is safe."""

    def __init__(self, glasses: GlassesDesk, events: EventHub, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._glasses = glasses
        self._events = events
        self._clock = clock
        self._waiting: dict[str, tuple[datetime, asyncio.Queue[Word]]] = {}

    def check(self, glasses: str) -> None:
        """Raise NotReady unless these glasses are connected and can take photos."""
        self._able(glasses)

    def _able(self, glasses: str) -> GlassesView:
        view = next((each for each in self._glasses.known() if each.known.address == glasses), None)
        if view is None or view.state is not LinkState.READY or view.capabilities is None:
            raise NotReady(_WHAT, "Those glasses are not connected.", "Connect them first.")
        if not (view.capabilities.can(Capability.TAKE_PHOTO) or view.capabilities.can(Capability.CONTINUOUS_CAPTURE)):
            raise NotReady(_WHAT, "Those glasses take no photos by themselves.", "Choose other glasses.")
        return view

    def sealed(self, meta: ItemMeta) -> None:
        """A capture is safe in the vault. One that was taken earlier, and only arrives now, is no frame."""
        since, queue = self._waiting.get(meta.new.origin.address, (None, None))
        if since and queue and meta.new.kind is ItemKind.PHOTO and meta.new.taken_at >= since - _LEEWAY:
            queue.put_nowait(meta.id)

    async def frames(self, glasses: str, every: int) -> AsyncGenerator[ItemId, None]:
        """See the protocol."""
        view = self._able(glasses)
        queue: asyncio.Queue[Word] = asyncio.Queue()
        self._waiting[glasses] = (self._clock(), queue)

        def lost(event: GlassesChanged | GlassesForgotten) -> None:
            address = event.view.known.address if isinstance(event, GlassesChanged) else event.address
            if address == glasses and not (isinstance(event, GlassesChanged) and event.view.state is LinkState.READY):
                queue.put_nowait(None)

        ends = [self._events.subscribe(GlassesChanged, lost), self._events.subscribe(GlassesForgotten, lost)]
        shooter = asyncio.create_task(self._shoot(view, every, queue))
        try:
            while (word := await queue.get()) is not None:
                if isinstance(word, Exception):
                    raise word
                yield word
        finally:
            del self._waiting[glasses]
            for end in ends:
                end()
            shooter.cancel()
            await asyncio.gather(shooter, return_exceptions=True)

    async def _shoot(self, view: GlassesView, every: int, queue: asyncio.Queue[Word]) -> None:
        """Let them take photos until cancelled: one by one where they can, else at the interval that is theirs."""
        address = view.known.address
        assert view.capabilities is not None, "checked before"
        try:
            if view.capabilities.can(Capability.TAKE_PHOTO):
                while True:
                    await self._glasses.take_photo(address)
                    await asyncio.sleep(every)
            await self._at_their_interval(view)
        except Exception as error:  # whoever takes the frames is to hear of it
            queue.put_nowait(error)

    async def _at_their_interval(self, view: GlassesView) -> None:
        address = view.known.address
        await self._glasses.set_continuous(address, True)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            if not view.known.continuous:
                with contextlib.suppress(Exception):  # lost meanwhile: at the next connection they do what is kept for them
                    await asyncio.shield(self._glasses.set_continuous(address, False))
