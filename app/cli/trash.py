"""`eyelid trash`: captures put aside for 30 days, brought back, or deleted for good."""

from __future__ import annotations

import argparse

from app.cli.items import as_data, chosen, describe
from app.cli.terminal import Exit, Terminal, unlocked
from app.errors import EyelidError
from app.library.library import TRASH_DAYS
from app.library.types import Query
from app.paths import Profile


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("trash", help=f"captures put aside; they are deleted after {TRASH_DAYS} days")
    actions = command.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("list", help="what is in the trash").set_defaults(command=show)
    for name, call, text in (
        ("put", put, "put captures into the trash"),
        ("restore", restore, "take captures out of the trash"),
        ("purge", purge, "delete captures in the trash for good; asks first"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("items", nargs="*" if name == "purge" else "+", metavar="ID", help="the capture's id, or its first characters")
        action.set_defaults(command=call)
        if name == "purge":
            action.add_argument("--all", action="store_true", help="everything in the trash")


async def show(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with unlocked(profile, terminal) as services:
        tiles = await services.library.tiles(Query(trashed=True))
    for tile in tiles:
        terminal.say(describe(tile))
    if not tiles:
        terminal.say("The trash is empty.")
    terminal.data([as_data(tile) for tile in tiles])
    return Exit.DONE


async def put(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with unlocked(profile, terminal) as services:
        items = await chosen(services, arguments.items)
        await services.library.trash(items)
    terminal.say(f"{len(items)} in the trash; deleted after {TRASH_DAYS} days.")
    terminal.data(items)
    return Exit.DONE


async def restore(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with unlocked(profile, terminal) as services:
        items = await chosen(services, arguments.items, trashed=True)
        await services.library.restore(items)
    terminal.say(f"{len(items)} back among the captures.")
    terminal.data(items)
    return Exit.DONE


async def purge(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    if bool(arguments.items) == arguments.all:
        raise EyelidError("It is not clear what to delete.", "", "Give ids, or --all.")
    async with unlocked(profile, terminal) as services:
        if arguments.all:
            items = [tile.id for tile in await services.library.tiles(Query(trashed=True))]
        else:
            items = await chosen(services, arguments.items, trashed=True)
        what = f"{len(items)} capture{'s' if len(items) != 1 else ''}"
        if items and not await terminal.confirm(f"Delete {what} for good? [y/N]", otherwise="Nothing was deleted."):
            terminal.say("Nothing was deleted.")
            return Exit.KEPT_PRIVATE
        await services.library.purge(items)
    terminal.say(f"Deleted for good: {len(items)}. Backups may still hold them; “eyelid vault backup --prune” removes them there.")
    terminal.data(items)
    return Exit.DONE
