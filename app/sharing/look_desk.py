"""What a front end asks of captures before anything is made of them: what is on them, and pictures to choose from and draw upon."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.media.frames import FRAMES, Frame
from app.media.look.types import Findings
from app.media.shape import LONG_EDGE
from app.sharing.destination_desk import DestinationDesk
from app.sharing.looking import THUMB_EDGE, Advice, Looking, Told, advise
from app.vault.types import ItemId


class LookDesk(DestinationDesk):
    """The part of the sharing desk that looks. Nothing leaves through it."""

    looking: Looking

    async def warm(self) -> None:
        """Start the finders, so that the first picture need not wait for them. Never raises."""
        await self.looking.warm()

    async def look(self, item: ItemId, at_ms: int | None = None, told: Told | None = None) -> Findings:
        """See `Looking.look`: `told` hears what is found, as it is found."""
        return await self.looking.look(item, at_ms, told)

    async def filmstrip(
        self, item: ItemId, count: int = FRAMES, long_edge: int = THUMB_EDGE, told: Callable[[Frame], None] | None = None
    ) -> tuple[Frame, ...]:
        """See `Looking.filmstrip`: `told` hears of each frame as soon as it is there."""
        return await self.looking.filmstrip(item, count, long_edge, told)

    async def view(self, item: ItemId, at_ms: int | None = None, long_edge: int = LONG_EDGE) -> Frame:
        """See `Looking.view`."""
        return await self.looking.view(item, at_ms, long_edge)

    def advice(self, destination_id: str, findings: Sequence[Findings]) -> Advice:
        """How pictures on which this was found are to be offered to a destination."""
        return advise(self.card(destination_id), findings)
