"""`eyelid look`: what is found on a capture. Nothing is sent."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from app.cli.items import chosen
from app.cli.terminal import Exit, Terminal, unlocked
from app.media.frames import FRAMES, MAX_FRAMES
from app.media.look.types import Findings, Kind, Part, Region
from app.paths import Profile
from app.services import Services
from app.sharing.looking import PART_OF
from app.vault.types import ItemId, ItemKind

_NAMES = {Part.FACES: "faces", Part.CODES: "codes", Part.TEXT: "text"}
CHECK_YOURSELF = "No finder finds everything: check yourself."


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("look", help="find faces, text and codes on a capture, and what its file tells; nothing is sent")
    add_items(command)
    command.set_defaults(command=look)


def add_items(command: argparse.ArgumentParser) -> None:
    """The captures that a command is about, and how many frames of a video."""
    command.add_argument("items", nargs="+", metavar="ID", help="the capture's id, or its first characters")
    command.add_argument("--frames", type=_frames, default=FRAMES, metavar="N", help=f"of a video, this many evenly spread ones ({FRAMES})")


def _frames(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_FRAMES:
        raise argparse.ArgumentTypeError(f"1 to {MAX_FRAMES} frames")
    return int(text)


async def look(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    found = []
    async with unlocked(profile, terminal) as services:
        for item in await chosen(services, arguments.items):
            for at_ms in await times_of(services, item, arguments.frames):
                findings = await services.sharing.look(item, at_ms)
                terminal.say(f"{item[:12]}{_moment(at_ms)}  {findings.width}x{findings.height}")
                for line in lines_of(findings):
                    terminal.say(f"  {line}")
                found.append({"id": item, "at_ms": at_ms} | findings_data(findings))
    terminal.say(CHECK_YOURSELF)
    terminal.data(found)
    return Exit.DONE


async def times_of(services: Services, item: ItemId, count: int) -> tuple[int | None, ...]:
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
