"""`eyelid list` and `export`: what is in the vault."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from app.cli.terminal import Exit, Terminal, unlocked
from app.errors import EyelidError
from app.library.export import ExportAs, ExportFailed
from app.library.types import Query, Tile
from app.paths import Profile
from app.services import Services
from app.vault.types import ItemId
from app.vault.words import local_time


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("list", help="the captures in the vault, newest first")
    command.set_defaults(command=list_items)

    command = commands.add_parser("export", help="write captures to a folder, as they came from the glasses, readable by anybody")
    command.add_argument("items", nargs="*", metavar="ID", help="the capture's id, or its first characters")
    command.add_argument("--all", action="store_true", help="every capture that is not in the trash")
    command.add_argument("--album", metavar="NAME", help="every capture of an album")
    command.add_argument("--to", type=Path, required=True, metavar="DIR")
    command.add_argument("--by-date", action="store_true", help="into folders of year and day")
    command.add_argument("--upright", action="store_true", help="say in the file how the picture is turned, if the glasses did not")
    command.add_argument(
        "--without-location", action="store_true", help="JPEGs lose all but picture, orientation and time; other files are left out"
    )
    command.set_defaults(command=export)


async def list_items(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with unlocked(profile, terminal) as services:
        tiles = await services.library.tiles(Query())
    for tile in tiles:
        terminal.say(describe(tile))
    if not tiles:
        terminal.say("No captures yet. Pair your glasses with “eyelid glasses pair”, or try “eyelid demo”.")
    terminal.data([as_data(tile) for tile in tiles])
    return Exit.DONE


def describe(tile: Tile) -> str:
    """One line about one capture."""
    size = f"{tile.width}x{tile.height}" if tile.width and tile.height else "size unknown"
    when = local_time(tile.taken_at).strftime("%Y-%m-%d %H:%M:%S")
    return f"{tile.id[:12]}  {when}  {tile.kind.value:<5}  {size:>10}  {tile.status_words}  from {tile.from_name or 'an import'}"


def as_data(tile: Tile) -> dict[str, object]:
    """The same for a script."""
    return {
        "id": tile.id,
        "kind": tile.kind.value,
        "taken_at": tile.taken_at.isoformat(),
        "width": tile.width,
        "height": tile.height,
        "status": tile.status_words,
        "from": tile.from_name,
    }


async def chosen(services: Services, prefixes: list[str], *, trashed: bool = False) -> list[ItemId]:
    """The captures whose ids begin so. Raises EyelidError when one of them is not known, or not the only one."""
    known = [tile.id for tile in await services.library.tiles(Query(trashed=trashed))]
    found = []
    for prefix in prefixes:
        matches = [item for item in known if item.startswith(prefix.lower())]
        if len(matches) != 1:
            how_many = "No capture has" if not matches else f"{len(matches)} captures have"
            raise EyelidError(f"{how_many} an id beginning with “{prefix}”.", "", "Look it up with “eyelid list”.")
        found += matches
    return found


async def _to_export(services: Services, arguments: argparse.Namespace) -> list[ItemId]:
    if bool(arguments.items) + arguments.all + bool(arguments.album) != 1:
        raise EyelidError("It is not clear what to export.", "", "Give ids, or --album NAME, or --all.")
    if arguments.items:
        return await chosen(services, arguments.items)
    tiles = await services.library.tiles(Query(album=arguments.album or ""))
    if not tiles:
        raise EyelidError("There is nothing to export.", "No capture is in there.", "Look with “eyelid list”.")
    return [tile.id for tile in reversed(tiles)]


async def export(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with unlocked(profile, terminal) as services:
        how = ExportAs(arguments.upright, arguments.without_location, arguments.by_date)
        items = await _to_export(services, arguments)
        try:
            _tell_written(terminal, await services.library.export(items, arguments.to, how, terminal.progress))
        except ExportFailed as error:
            _tell_written(terminal, error.written)
            raise
    return Exit.DONE


def _tell_written(terminal: Terminal, paths: Sequence[Path]) -> None:
    for path in paths:
        terminal.say(f"Written, readable by anybody who can read that folder: {path}")
    terminal.data([str(path) for path in paths])
