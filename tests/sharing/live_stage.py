"""A room with a pair of glasses in it, for live looks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any

from app.events import LiveChanged
from app.sharing.errors import NotReady
from app.sharing.live_types import LiveDraft, LiveProposal, LiveView
from app.sharing.types import Receipt, ReceiptKind
from app.vault.types import ItemId

GLASSES = "C0:00:00:00:00:01"


@dataclass
class Pair:
    """A simulated pair: `queue` holds the captures it delivers, None for the loss of the link."""

    queue: asyncio.Queue[ItemId | Exception | None] = field(default_factory=asyncio.Queue)
    opened: list[tuple[str, int]] = field(default_factory=list)
    closed: int = 0
    absent: bool = False

    def check(self, glasses: str) -> None:
        if self.absent:
            raise NotReady("Those glasses are not here.", "", "")

    async def frames(self, glasses: str, every: int) -> AsyncGenerator[ItemId, None]:
        self.opened.append((glasses, every))
        try:
            while (item := await self.queue.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self.closed += 1


@dataclass
class Stage:
    """A room with a pair of glasses in it."""

    room: Any
    tools: Any
    pair: Pair
    views: list[LiveView]

    def draft(self, **changes: Any) -> LiveDraft:
        values: dict[str, Any] = {"frames": 3, "minutes": 2, "every": 5, "destination_id": self.room.local.id} | changes
        return LiveDraft(GLASSES, values.pop("question", "What is ahead?"), **values)

    async def start(self, **changes: Any) -> LiveProposal:
        proposal = await self.room.desk.live.prepare(self.draft(**changes))
        await self.room.desk.live.start(proposal)
        return proposal

    def shoot(self, colour: int = 90) -> ItemId:
        """A photo is taken, sealed and delivered."""
        item: ItemId = self.room.vault.add(self.tools.photo(colour), self.tools.new_item()).id
        self.pair.queue.put_nowait(item)
        return item

    async def until(self, holds: Callable[[LiveView], bool]) -> LiveView:
        """Wait for a view of which this holds."""
        seen = asyncio.Event()
        end = self.room.desk._events.subscribe(LiveChanged, lambda event: seen.set())
        while not holds(self.view):
            await seen.wait()
            seen.clear()
        end()
        return self.view

    async def over(self) -> LiveView:
        return await self.until(lambda view: not view.running)

    @property
    def view(self) -> LiveView:
        view: LiveView = self.room.desk.live.view
        return view

    async def lines(self) -> list[Receipt]:
        return [line for line in await self.room.desk.receipts() if line.kind is ReceiptKind.LIVE]
