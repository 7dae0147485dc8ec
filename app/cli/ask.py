"""`eyelid ask`: asking about captures, with what is found on them covered, or about a part of one only."""

from __future__ import annotations

import argparse

from app.cli.approval import ask_and_answer
from app.cli.items import chosen
from app.cli.look import add_items, times_of
from app.cli.terminal import Exit, Terminal, unlocked
from app.errors import EyelidError
from app.media.look.boxes import Box
from app.media.look.cover import Edit, covers_for
from app.media.look.types import Kind
from app.paths import Profile
from app.services import Services
from app.sharing.looking import PART_OF
from app.sharing.types import Draft, PictureChoice
from app.vault.types import ItemId

_COVER = {"faces": (Kind.FACE,), "text": (Kind.TEXT, Kind.DOCUMENT), "codes": (Kind.CODE,), "all": tuple(Kind), "none": ()}


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("ask", help="ask an assistant about a capture; shows what would leave, and asks you first")
    add_items(command)
    command.add_argument(
        "--to", default="mirror", metavar="DEST", help="a destination (see “eyelid destinations list”); the mirror if not given"
    )
    command.add_argument("--question", required=True, metavar="TEXT")
    command.add_argument("--cover", type=_kinds, metavar="WHAT", help="cover what is found: faces, text, codes (with commas), all, or none")
    command.add_argument("--crop", type=_crop, metavar="X,Y,W,H", help="send this part of the upright picture only, in its pixels")
    command.add_argument("--further", action="store_true", help="go on from what was asked there about it before, in words alone")
    command.add_argument("--talk", action="store_true", help="ask further questions afterwards, in words alone; needs a terminal")
    command.add_argument("--no-people", action="store_true", help="you say that nobody is to be seen in it, where terms forbid people")
    command.add_argument("--yes", action="store_true", help="answer the question with yes; for the mirror only")
    command.set_defaults(command=ask)


def _kinds(text: str) -> frozenset[Kind]:
    try:
        return frozenset(kind for word in text.split(",") for kind in _COVER[word.strip().lower()])
    except KeyError as error:
        raise argparse.ArgumentTypeError(f"one or more of {', '.join(_COVER)}") from error


def _crop(text: str) -> Box:
    try:
        left, top, width, height = (int(part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError("four whole numbers: left, top, width, height") from error
    if min(left, top) < 0 or min(width, height) < 1:
        raise argparse.ArgumentTypeError("a part of the picture: left and top from 0 on, width and height from 1 on")
    return Box(left, top, left + width, top + height)


async def ask(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with unlocked(profile, terminal) as services:
        items = await chosen(services, arguments.items)
        draft = await (_further if arguments.further else _draft)(services, items, arguments, terminal)
        return await ask_and_answer(services, draft, terminal, yes=arguments.yes, talk=arguments.talk)


async def _further(services: Services, items: list[ItemId], arguments: argparse.Namespace, terminal: Terminal) -> Draft:
    before = await services.sharing.conversation(items[0], arguments.to)
    if len(items) != 1 or not before:
        raise EyelidError("There is nothing to go on from.", "Nothing was asked there about this capture.", "Ask without --further.")
    earlier = tuple(exchange.receipt for exchange in before)
    return Draft((), arguments.question, arguments.to, arguments.no_people, earlier, about=items[0])


async def _draft(services: Services, items: list[ItemId], arguments: argparse.Namespace, terminal: Terminal) -> Draft:
    chosen_ones = [PictureChoice(item, at) for item in items for at in await times_of(services, item, arguments.frames)]
    kinds = arguments.cover
    if kinds is None:
        kinds = await _offered(services, chosen_ones, arguments.to, terminal)
    if arguments.crop and len(items) != 1:
        raise EyelidError("Nothing was sent.", "A crop is a part of one picture, and several were chosen.", "Ask about one at a time.")
    pictures = tuple([await _edited(services, choice, kinds, arguments.crop) for choice in chosen_ones])
    return Draft(tuple(items), arguments.question, arguments.to, arguments.no_people, pictures=pictures)


async def _offered(services: Services, choices: list[PictureChoice], to: str, terminal: Terminal) -> frozenset[Kind]:
    """Where it may be used for training, and faces are found, the covered copy is offered first: anything but no covers them."""
    if not services.sharing.card(to).may_train:
        return frozenset()
    findings = [await services.sharing.look(choice.item, choice.at_ms) for choice in choices]
    if not services.sharing.advice(to, findings).cover_first:
        return frozenset()
    count = sum(len(each.of(Kind.FACE)) for each in findings)
    answer = await terminal.ask(
        f"Faces found: {count}. What you send may be used to train AI. Cover them? [Y/n]", otherwise="Nothing was sent."
    )
    return frozenset() if answer.lower() in {"n", "no"} else frozenset({Kind.FACE})


async def _edited(services: Services, choice: PictureChoice, kinds: frozenset[Kind], crop: Box | None) -> PictureChoice:
    covers: tuple[Box, ...] = ()
    if kinds:
        findings = await services.sharing.look(choice.item, choice.at_ms)
        for check in findings.unchecked:
            if check.part in {PART_OF[kind] for kind in kinds}:
                raise EyelidError("Nothing was sent.", f"Not checked: {check.part.value}. {check.reason}", "Ask without --cover, or crop.")
        covers = covers_for(findings, kinds)
    return PictureChoice(choice.item, choice.at_ms, Edit(covers, crop))
