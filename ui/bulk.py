"""Work on many captures, piece by piece: with progress, a way to stop between pieces, and what was done can be undone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from app.vault.types import ItemId
from ui.widgets.banner import Banners

PIECE = 25
"""Captures to one call: each is written to the disk for good, which takes some milliseconds."""

FEW = 50
"""Up to so many are done without showing progress."""

Act = Callable[[tuple[ItemId, ...]], Awaitable[object]]


async def in_pieces(banners: Banners, what: str, items: Sequence[ItemId], act: Act, *, piece: int = PIECE) -> tuple[ItemId, ...]:
    """Do `act` with all of `items`, and return those it was done with: all, unless the person pressed Cancel."""
    if len(items) <= FEW:
        for start in range(0, len(items), piece):
            await act(tuple(items[start : start + piece]))
        return tuple(items)
    stopped, done = False, 0

    def stop() -> None:
        nonlocal stopped
        stopped = True

    row = banners.working(what, stop)
    try:
        while done < len(items) and not stopped:
            await act(tuple(items[done : done + piece]))
            done = min(len(items), done + piece)
            row.at(what, done, len(items))
    finally:
        banners.worked(row)
    return tuple(items[:done])
