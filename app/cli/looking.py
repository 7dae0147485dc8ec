"""`eyelid look` and `eyelid ask`: what is found on a capture, and asking about it with that covered, or a part of it only."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from app.cli.asking import ask_and_answer
from app.cli.items import chosen
from app.cli.terminal import Exit, Terminal, unlocked
from app.errors import EyelidError
from app.media.frames import FRAMES, MAX_FRAMES
from app.media.look.boxes import Box
from app.media.look.cover import Edit, covers_for
from app.media.look.types import Findings, Kind, Part, Region
from app.paths import Profile
from app.services import Services
from app.sharing.looking import PART_OF
from app.sharing.types import Draft, PictureChoice
from app.vault.types import ItemId, ItemKind

_COVER = {"faces": (Kind.FACE,), "text": (Kind.TEXT, Kind.DOCUMENT), "codes": (Kind.CODE,), "all": tuple(Kind), "none": ()}
_NAMES = {Part.FACES: "faces", Part.CODES: "codes", Part.TEXT: "text"}
CHECK_YOURSELF = "No finder finds everything: check yourself."


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("look", help="find faces, text and codes on a capture, and what its file tells; nothing is sent")
    command.add_argument("items", nargs="+", metavar="ID", help="the capture's id, or its first characters")
    command.add_argument("--frames", type=_frames, default=FRAMES, metavar="N", help=f"of a video, this many evenly spread ones ({FRAMES})")
    command.set_defaults(command=look)

    command = commands.add_parser("ask", help="ask an assistant about a capture; shows what would leave, and asks you first")
    command.add_argument("items", nargs="+", metavar="ID", help="the capture's id, or its first characters")
    command.add_argument(
        "--to", default="mirror", metavar="DEST", help="a destination (see “eyelid destinations list”); the mirror if not given"
    )
    command.add_argument("--question", required=True, metavar="TEXT")
    command.add_argument("--cover", type=_kinds, metavar="WHAT", help="cover what is found: faces, text, codes (with commas), all, or none")
    command.add_argument("--crop", type=_crop, metavar="X,Y,W,H", help="send this part of the upright picture only, in its pixels")
    command.add_argument(
        "--frames", type=_frames, default=FRAMES, metavar="N", help=f"of a video, this many evenly spread frames ({FRAMES})"
    )
    command.add_argument("--further", action="store_true", help="go on from what was asked there about it before, in words alone")
    command.add_argument("--talk", action="store_true", help="ask further questions afterwards, in words alone; needs a terminal")
    command.add_argument("--no-people", action="store_true", help="you say that nobody is to be seen in it, where terms forbid people")
    command.add_argument("--yes", action="store_true", help="answer the question with yes; for the mirror only")
    command.set_defaults(command=ask)


def _frames(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_FRAMES:
        raise argparse.ArgumentTypeError(f"1 to {MAX_FRAMES} frames")
    return int(text)


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


async def look(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    found = []
    async with unlocked(profile, terminal) as services:
        for item in await chosen(services, arguments.items):
            for at_ms in await _times(services, item, arguments.frames):
                findings = await services.sharing.look(item, at_ms)
                terminal.say(f"{item[:12]}{_moment(at_ms)}  {findings.width}x{findings.height}")
                for line in lines_of(findings):
                    terminal.say(f"  {line}")
                found.append({"id": item, "at_ms": at_ms} | findings_data(findings))
    terminal.say(CHECK_YOURSELF)
    terminal.data(found)
    return Exit.DONE


async def _times(services: Services, item: ItemId, count: int) -> tuple[int | None, ...]:
    """The times of evenly spread frames of a video; None for what is one picture, or none."""
    if (await services.library.details(item)).new.kind is not ItemKind.VIDEO:
        return (None,)
    return tuple(frame.at_ms for frame in await services.sharing.filmstrip(item, count))


def _moment(at_ms: int | None) -> str:
    return "" if at_ms is None else f" at {at_ms / 1000:.1f} s"


def lines_of(findings: Findings) -> Iterable[str]:
    """A line about each part that was looked for: what was found, or why it was not looked for."""
    reasons = {check.part: check.reason for check in findings.unchecked}
    if Part.METADATA in reasons:
        yield f"in the file: not checked. {reasons[Part.METADATA]}"
    else:
        yield f"in the file: {', '.join(findings.traces) or 'nothing found'}{'; none of it is ever sent' if findings.traces else ''}"
    for part, name in _NAMES.items():
        if part in reasons:
            yield f"{name}: not checked. {reasons[part]}"
            continue
        regions = [region for region in findings.regions if PART_OF[region.kind] is part]
        yield f"{name}: {len(regions) or 'none'} found"
        for region in regions:
            yield f"  {_words(region)}"


def _words(region: Region) -> str:
    box = region.box
    what = region.note or (f"a document or screen, {region.lines} lines" if region.kind is Kind.DOCUMENT else region.kind.value)
    return f"{what} at {box.left},{box.top},{box.width},{box.height}{'' if region.sure else ' (unsure)'}"


def findings_data(findings: Findings) -> dict[str, object]:
    """The same for a script; boxes are left, top, width, height."""
    return {
        "width": findings.width,
        "height": findings.height,
        "in_the_file": list(findings.traces),
        "checks": {check.part.value: check.reason or "checked" for check in findings.checks},
        "regions": [
            {
                "kind": region.kind.value,
                "box": [region.box.left, region.box.top, region.box.width, region.box.height],
                "confidence": region.confidence,
                "sure": region.sure,
                "lines": region.lines,
                "note": region.note,
            }
            for region in findings.regions
        ],
    }


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
    chosen_ones = [PictureChoice(item, at) for item in items for at in await _times(services, item, arguments.frames)]
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
