"""What commands need of glasses: those that are heard or paired, their link up, and a capture of them in the vault."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator

from app.errors import EyelidError
from app.events import CaptureLost, GlassesChanged, ItemsAdded
from app.glasses.types import FoundGlasses, GlassesView
from app.library.types import Query, Tile
from app.services import Services
from app.vault.types import ItemId, ItemKind
from ble.types import LinkState

SETTLED = frozenset({LinkState.READY, LinkState.BLOCKED})
SETTLE_SECONDS = 20.0
ARRIVE_SECONDS = 60.0
"""Most captures of simulated and of real glasses are here long before."""


async def first_found(services: Services, seconds: float = 20, *, address: str | None = None) -> FoundGlasses:
    """The first pair heard (with this address, if one is given). Raises EyelidError when none is heard in time."""
    async with contextlib.aclosing(services.glasses.scan(seconds)) as heard:
        async for found in heard:
            if address is None or found.address.lower() == address.lower():
                return found
    raise EyelidError("No glasses were found.", "None were heard nearby.", "Take them out of their case, switch them on, and try again.")


def paired(services: Services, address: str | None = None) -> list[GlassesView]:
    """The pairs that are known, or the one with this address. Raises EyelidError where there is none."""
    views = [view for view in services.glasses.known() if address is None or view.known.address.lower() == address.lower()]
    if not views:
        raise EyelidError("No such glasses are paired.", "", "Pair them with “eyelid glasses pair”.")
    return views


def view_of(services: Services, address: str) -> GlassesView:
    """How a pair that is known is now."""
    return next(view for view in services.glasses.known() if view.known.address == address)


async def reached(services: Services, address: str) -> GlassesView:
    """A pair that is known, with its link up. Raises EyelidError where it can't be had."""
    view = await ready(services, address)
    if view.state is not LinkState.READY:
        raise unreached(str(view.trouble or ""))
    return view


def unreached(why: str) -> EyelidError:
    return EyelidError("The glasses could not be reached.", why, "")


async def ready(
    services: Services, address: str, seconds: float = SETTLE_SECONDS, *, enough: frozenset[LinkState] = SETTLED
) -> GlassesView:
    """How the glasses are once they are ready, or (by what is `enough`) clearly won't be, or after `seconds`."""
    with news_of(services, address, lambda view: view.state in enough) as news:
        if view_of(services, address).state is not LinkState.READY:
            await services.glasses.connect(address)
            await news(seconds)
    return view_of(services, address)


@contextlib.contextmanager
def news_of(services: Services, address: str, wanted: Callable[[GlassesView], bool]) -> Iterator[Callable[[float], Awaitable[None]]]:
    """Listen from now on; what is yielded waits, so many seconds at most, until the glasses have told what is `wanted`."""
    told = asyncio.Event()

    def changed(event: GlassesChanged) -> None:
        if event.view.known.address == address and wanted(event.view):
            told.set()

    async def wait(seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await told.wait()

    end = services.events.subscribe(GlassesChanged, changed)
    try:
        yield wait
    finally:
        end()


async def capture(services: Services, address: str, voice_seconds: int | None = None) -> Tile:
    """Take one photo, or record a voice note, and wait until it is in the vault.

    Raises the glasses' errors, or EyelidError when it arrived damaged or not in time.
    """
    # Glasses that store captures may hand over older ones first.
    wanted = None if voice_seconds is None else ItemKind.SOUND
    with _arrivals(services) as arrived:
        if voice_seconds is None:
            await services.glasses.take_photo(address)
        else:
            await services.glasses.record_sound(address, voice_seconds)
        try:
            async with asyncio.timeout(ARRIVE_SECONDS):
                item = await _first_of(services, arrived, wanted)
        except TimeoutError as error:
            why, action = "It was taken, but has not arrived yet.", "Leave the glasses near: it comes when Eyelid runs again."
            raise EyelidError("The capture is not in the vault.", why, action) from error
    tiles = await services.library.tiles(Query())
    return next(tile for tile in tiles if tile.id == item)


async def _first_of(services: Services, arrived: asyncio.Queue[ItemId | CaptureLost], wanted: ItemKind | None) -> ItemId:
    while True:
        item = await arrived.get()
        if isinstance(item, CaptureLost):
            raise EyelidError("The capture arrived damaged.", item.reason, "Take another one.")
        if wanted is None or (await services.library.details(item)).new.kind is wanted:
            return item


@contextlib.contextmanager
def _arrivals(services: Services) -> Iterator[asyncio.Queue[ItemId | CaptureLost]]:
    """What arrives from now on, and what is lost."""
    arrived: asyncio.Queue[ItemId | CaptureLost] = asyncio.Queue()

    def added(event: ItemsAdded) -> None:
        for item in event.ids:
            arrived.put_nowait(item)

    ends = (services.events.subscribe(ItemsAdded, added), services.events.subscribe(CaptureLost, arrived.put_nowait))
    try:
        yield arrived
    finally:
        for end in ends:
            end()
