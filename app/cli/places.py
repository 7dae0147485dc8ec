"""`eyelid destinations`: where a question can go, and adding places of one's own. Keys go to the operating system's keyring."""

from __future__ import annotations

import argparse
import getpass

from app.cli.terminal import Exit, Terminal, running
from app.errors import EyelidError
from app.paths import Profile


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("destinations", help="where a question can go")
    actions = command.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("list", help="all destinations and what their terms come to").set_defaults(command=show)
    add = actions.add_parser("add", help="add a server that speaks the OpenAI format; on this computer unless --company is given")
    add.add_argument("url", metavar="URL", help="its base address, for example http://127.0.0.1:1234/v1")
    add.add_argument("--label", required=True)
    add.add_argument("--model", required=True)
    add.add_argument("--company", help="who runs it, for a server that is not on this computer")
    add.set_defaults(command=add_own)
    model = actions.add_parser("model", help="choose the model of a destination")
    model.add_argument("id", metavar="ID")
    model.add_argument("model", metavar="MODEL")
    model.set_defaults(command=choose_model)
    key = actions.add_parser("key", help="keep a destination's key in the keyring; it is asked for, never given as an argument")
    key.add_argument("id", metavar="ID")
    key.set_defaults(command=keep_key)
    remove = actions.add_parser("remove", help="remove a destination of your own, and its key")
    remove.add_argument("id", metavar="ID")
    remove.set_defaults(command=remove_own)


async def show(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with running(profile) as services:
        desk = services.sharing
        rows = [(destination, desk.card(destination.id)) for destination in desk.destinations()]
    for destination, card in rows:
        terminal.say(f"{destination.id:<16} {destination.label}: {destination.origin}, model {destination.model or 'not chosen'}")
        terminal.say(f"{'':<16} {card.trains.text}")
    terminal.data(
        [
            {"id": d.id, "label": d.label, "company": d.company, "origin": d.origin, "model": d.model, "class": card.policy_class.value}
            for d, card in rows
        ]
    )
    return Exit.DONE


async def add_own(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with running(profile) as services:
        book = services.sharing.book
        if arguments.company:
            added = book.add_custom(arguments.label, arguments.company, arguments.url, arguments.model)
        else:
            added = book.add_local(arguments.label, arguments.url, arguments.model)
    terminal.say(f"Added as {added.id}.")
    terminal.data({"id": added.id})
    return Exit.DONE


async def choose_model(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with running(profile) as services:
        changed = services.sharing.book.set_model(arguments.id, arguments.model)
    terminal.say(f"{changed.label} is asked with {changed.model}.")
    return Exit.DONE


async def keep_key(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with running(profile) as services:
        book = services.sharing.book
        if book.get(arguments.id) is None:
            raise EyelidError("There is no such destination.", "", "Look it up with “eyelid destinations list”.")
        if not book.keys.set(arguments.id, getpass.getpass("Key (not shown): ").strip()):
            raise EyelidError("The key was not kept.", "This computer has no keyring that can be trusted with it.", "See “eyelid doctor”.")
    terminal.say("Kept in the keyring of this computer.")
    return Exit.DONE


async def remove_own(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with running(profile) as services:
        services.sharing.book.remove(arguments.id)
    terminal.say("Removed.")
    return Exit.DONE
