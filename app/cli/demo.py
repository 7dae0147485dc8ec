"""`eyelid demo`: the whole main job on simulated glasses, step by step, in a throw-away profile.

Nothing is faked but the glasses: the Bluetooth packets, the vault, the approval, the courier and the receipt are the ordinary ones.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

from app.cli.approval import ask_and_answer
from app.cli.items import describe
from app.cli.terminal import Exit, Terminal, running
from app.errors import EyelidError
from app.events import CaptureLost, ItemsAdded
from app.glasses.types import FoundGlasses
from app.library.types import Query, Tile
from app.paths import Profile
from app.services import Services
from app.sharing.types import Draft
from app.vault.types import ItemId, ItemKind

FAMILY = "omi-glass"
QUESTION = "What can you see of this picture?"


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("demo", help="the whole main job, on simulated glasses, here in the terminal")
    command.add_argument("--yes", action="store_true", help="answer the approval with yes; it goes to the mirror on this computer only")
    command.set_defaults(command=run)


async def run(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    with _profile(profile, given=arguments.profile is not None) as place:
        async with running(place) as services:
            return await _main_job(services, terminal, yes=arguments.yes)


@contextlib.contextmanager
def _profile(profile: Profile, *, given: bool) -> Iterator[Profile]:
    """The profile asked for, or one that is removed afterwards."""
    if given:
        yield profile
    else:
        with tempfile.TemporaryDirectory(prefix="eyelid-demo-") as folder:
            yield Profile(Path(folder))


async def _main_job(services: Services, terminal: Terminal, *, yes: bool) -> Exit:
    terminal.say("1  A vault. Its key is sealed with a passphrase made for this run only.")
    await services.vault.create(secrets.token_urlsafe(24), keyring=False)

    terminal.say("2  Simulated Omi Glass on a virtual link; looking for them as for real ones…")
    await services.glasses.start_simulated(FAMILY)
    found = await first_found(services)
    terminal.say(f"   found: {found.name}, {found.rssi} dBm")

    pair = await services.glasses.pair(found)
    view = next(view for view in services.glasses.known() if view.known.address == pair.address)
    for caution in view.capabilities.cautions if view.capabilities else ():
        terminal.say(f"   mind: {caution}")
    battery = "unknown" if view.status.battery is None else f"{view.status.battery} %"
    terminal.say(f"3  Paired: {pair.name}, battery {battery}. Taking a photo…")

    tile = await capture(services, pair.address)
    terminal.say("4  Arrived, checked, sealed, and read back. In the vault now:")
    terminal.say(f"   {describe(tile)}")

    terminal.say(f"5  Asking about it: “{QUESTION}” Nothing has left the vault yet. This is what would:\n")
    outcome = await ask_and_answer(services, Draft((tile.id,), QUESTION, "mirror"), terminal, yes=yes)

    report = await services.sharing.verify_receipts()
    verified = await services.vault.verify()
    terminal.say(f"6  Receipts: {report.count}, {_word(report.sound)}. Captures: {verified.checked}, {_word(verified.sound)}.")
    return outcome if report.sound and verified.sound else Exit.DAMAGED


def _word(sound: bool) -> str:
    return "sound" if sound else "DAMAGED"


async def first_found(services: Services, seconds: float = 20, *, address: str | None = None) -> FoundGlasses:
    """The first pair heard (with this address, if one is given). Raises EyelidError when none is heard in time."""
    async with contextlib.aclosing(services.glasses.scan(seconds)) as heard:
        async for found in heard:
            if address is None or found.address.lower() == address.lower():
                return found
    raise EyelidError("No glasses were found.", "None were heard nearby.", "Take them out of their case, switch them on, and try again.")


async def capture(services: Services, address: str, voice_seconds: int | None = None) -> Tile:
    """Take one photo, or record a voice note, and wait until it is in the vault.

    Raises the glasses' errors, or EyelidError when it arrived damaged.
    """
    with _arrivals(services) as arrived:
        if voice_seconds is None:
            await services.glasses.take_photo(address)
        else:
            await services.glasses.record_sound(address, voice_seconds)
        # Glasses that store captures may hand over older ones first.
        wanted = None if voice_seconds is None else ItemKind.SOUND
        async with asyncio.timeout(60):
            while True:
                item = await arrived.get()
                if isinstance(item, CaptureLost):
                    raise EyelidError("The photo arrived damaged.", item.reason, "Take another one.")
                if wanted is None or (await services.library.details(item)).new.kind is wanted:
                    break
    tiles = await services.library.tiles(Query())
    return next(tile for tile in tiles if tile.id == item)


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
