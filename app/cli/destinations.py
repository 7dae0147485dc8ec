"""`eyelid destinations`: where a question can go, and adding places of one's own. Keys go to the operating system's keyring."""

from __future__ import annotations

import argparse

from app.cli.terminal import Exit, Terminal, running, unlocked
from app.errors import EyelidError
from app.paths import Profile
from app.sharing.built_in import LOCAL_KINDS
from app.sharing.servers import choices


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("destinations", help="where a question can go")
    actions = command.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("list", help="all destinations and what their terms come to").set_defaults(command=show)
    add = actions.add_parser("add", help="add a server that speaks the OpenAI format; on this computer unless --company is given")
    add.add_argument("url", metavar="URL", help="its base address, for example http://127.0.0.1:1234/v1")
    add.add_argument("--label", required=True)
    add.add_argument("--model", required=True)
    add.add_argument("--company", help="who runs it, for a server that is not on this computer")
    add.add_argument("--kind", choices=tuple(LOCAL_KINDS), default="local-server", help="what runs on this computer")
    add.set_defaults(command=add_own)
    model = actions.add_parser("model", help="choose the model of a destination")
    model.add_argument("id", metavar="ID")
    model.add_argument("model", metavar="MODEL")
    model.set_defaults(command=choose_model)
    key = actions.add_parser("key", help="keep a destination's key in the keyring; it is asked for, never given as an argument")
    key.add_argument("id", metavar="ID")
    key.set_defaults(command=keep_key)
    models = actions.add_parser("models", help="ask a destination which models it has; no photo and no question goes along")
    models.add_argument("id", metavar="ID")
    models.add_argument("--all", action="store_true", help="also those that take no pictures")
    models.set_defaults(command=show_models)
    check = actions.add_parser("check", help="ask a destination whether it takes its key, and where what is sent there stays")
    check.add_argument("id", metavar="ID")
    check.set_defaults(command=check_one)
    remove = actions.add_parser("remove", help="remove a destination of your own, and its key")
    remove.add_argument("id", metavar="ID")
    remove.set_defaults(command=remove_own)


async def show(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with running(profile) as services:
        desk = services.sharing
        rows = [(destination, desk.card(destination.id)) for destination in desk.destinations()]
        if desk.book.trouble is not None:
            terminal.complain(str(desk.book.trouble))
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
            added = book.add_local(arguments.label, arguments.url, arguments.model, arguments.kind)
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
        key = await terminal.ask_hidden("Key (not shown):", otherwise="No key was kept.")
        if not key:
            raise EyelidError("No key was kept.", "Nothing was typed.", "Copy it from your account there, and paste it here.")
        if not book.keys.set(arguments.id, key):
            raise EyelidError("The key was not kept.", "This computer has no keyring that can be trusted with it.", "See “eyelid doctor”.")
    terminal.say("Kept in the keyring of this computer.")
    return Exit.DONE


async def show_models(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with unlocked(profile, terminal) as services:
        destination = services.sharing.book.get(arguments.id)
        found = await services.sharing.models(arguments.id)
    shown = found.models if arguments.all else choices(found, local=destination is not None and destination.local)
    for model in shown:
        terminal.say(
            f"{model.id:<40} {model.title}{'' if model.pictures is None else ' (takes pictures)' if model.pictures else ''}".rstrip()
        )
    terminal.say(f"\nAsked without a photo or a question; receipt #{found.receipt} says so.")
    terminal.data({"receipt": found.receipt, "models": [{"id": each.id, "title": each.title, "pictures": each.pictures} for each in shown]})
    return Exit.DONE


async def check_one(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with unlocked(profile, terminal) as services:
        report = await services.sharing.check_key(arguments.id)
        stays = await services.sharing.locality(arguments.id)
    terminal.say(report.text)
    terminal.say(stays.text)
    terminal.data({"good": report.good, "text": report.text, "local": stays.local, "where": stays.text, "receipt": report.receipt})
    return Exit.DONE if report.good else Exit.FAILED


async def remove_own(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with running(profile) as services:
        services.sharing.book.remove(arguments.id)
    terminal.say("Removed.")
    return Exit.DONE
