"""Importing at the terminal: files and folders, a watched folder, phones, and what Meta's archive tells."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.cli.terminal import Exit, Terminal, unlocked
from app.imports.families import FAMILIES, family
from app.imports.phones import by_hand
from app.imports.recognise import in_words
from app.imports.run import Choice
from app.imports.types import Camera, Confidence, Fate, Outcome, Progress, Report
from app.media.exif import printable, printable_name
from app.paths import Profile
from app.services import Services

SAME_LINES = 20
"""So many files get a line each for one and the same reason; a drive that was pulled out may have thousands."""
WATCH_SECONDS = 1.0
"""How often it is told what came from the watched folder."""


def add_commands(commands: Any) -> None:
    add = commands.add_parser("import", help="take in captures from files, folders, phones and archives")
    add.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files or folders; nothing there is changed")
    add.add_argument("--only-glasses", action="store_true", help="leave out what nothing says glasses made")
    add.add_argument("--remove", action="store_true", help="afterwards, ask whether to delete the files that are safe in the vault")
    add.add_argument("--watch", type=Path, metavar="DIR", help="import what appears in DIR, until Ctrl-C")
    add.add_argument("--phones", action="store_true", help="list phones and cards that are plugged in; with --all, import from them")
    add.add_argument("--all", action="store_true", help="with --phones: import from all of them")
    archive = "mark what Meta's archive, all parts of it, packed or unpacked, says was shared with Meta AI"
    add.add_argument("--meta-archive", type=Path, nargs="+", metavar="ZIP", help=archive)
    add.set_defaults(command=import_)


async def import_(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with unlocked(profile, terminal) as services:
        if arguments.meta_archive is not None:
            return await _archive(services, arguments.meta_archive, terminal)
        if arguments.watch is not None:
            return await _watch(services, arguments.watch, terminal)
        paths = list(arguments.paths)
        if arguments.phones:
            found = await services.imports.phones()
            for phone in found:
                terminal.say(f"{printable(phone.label)}: {', '.join(printable_name(str(folder)) for folder in phone.folders)}")
            if not found:
                terminal.say(f"No phone, camera or card can be read as a folder. {by_hand()}")
            if not arguments.all:
                terminal.data([{"label": phone.label, "folders": [str(folder) for folder in phone.folders]} for phone in found])
                return Exit.DONE
            paths += [folder for phone in found for folder in phone.folders]
        if not paths:
            _explain(terminal)
            return Exit.USAGE
        return await _import(services, paths, arguments, terminal)


def _explain(terminal: Terminal) -> None:
    terminal.complain("Nothing was named to import. Give files or folders, --phones, --watch DIR, or --meta-archive ZIP.")
    terminal.say("Glasses that pair with no computer, whose exported files are recognised:")
    terminal.say("  " + ", ".join(family.label for family in FAMILIES if not family.pairs))


async def _import(services: Services, paths: list[Path], arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    run = services.imports.run(Choice(arguments.only_glasses), lambda progress: _show(terminal, progress))
    with contextlib.suppress(NotImplementedError, RuntimeError):  # no such signals on Windows, nor outside the main thread
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, run.stop)
    report = await run.files(paths)
    with contextlib.suppress(NotImplementedError, RuntimeError):
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
    _tell(report, terminal)
    if arguments.remove:
        await _remove(services, report, terminal)
    terminal.data([_data(outcome) for outcome in report.outcomes])
    return Exit.FAILED if report.stopped or report.count(Fate.REFUSED) else Exit.DONE


def _show(terminal: Terminal, progress: Progress) -> None:
    if progress.total:
        terminal.progress(progress.done, progress.total)


def _tell(report: Report, terminal: Terminal) -> None:
    _tell_each(report.outcomes, terminal)
    counts = ", ".join(f"{report.count(fate)} {fate.value}" for fate in Fate)
    terminal.say(f"{counts}." if report.outcomes else "No files were found there.")
    if report.why is not None:
        terminal.complain(str(report.why))
    if report.stopped:
        terminal.say("Stopped; the same command goes on from here.")
    made_by = (family(each.camera.family) for each in report.outcomes if each.fate is Fate.TAKEN and each.camera is not None)
    if count := sum(each is not None and each.from_meta for each in made_by):
        terminal.say(f"From glasses of Meta's: {count}. Eyelid can't know whether those were shared with Meta AI from the phone.")
        terminal.say("“eyelid policies show meta-ai” says what may happen to what was; --meta-archive marks what Meta's archive lists.")


def _tell_each(outcomes: Iterable[Outcome], terminal: Terminal) -> None:
    """A line for each file; after `SAME_LINES` of one reason, how many more there are."""
    same = Counter[tuple[Fate, str]]()
    for outcome in outcomes:
        why = str(outcome.why) if outcome.why is not None else ""
        if outcome.fate is not Fate.TAKEN:
            same[outcome.fate, why] += 1
        if same[outcome.fate, why] <= SAME_LINES:
            tell = terminal.complain if outcome.fate is Fate.REFUSED else terminal.say
            tell(f"{printable_name(str(outcome.path))}: {_became(outcome, why)}")
    for (fate, why), count in same.items():
        if count > SAME_LINES:
            tell = terminal.complain if fate is Fate.REFUSED else terminal.say
            tell(f"… and {count - SAME_LINES} more {fate.value}{': ' if why else '.'}{why}")


def _became(outcome: Outcome, why: str) -> str:
    if outcome.fate is Fate.TAKEN and outcome.camera is not None:
        return _recognised(outcome.camera)
    words = {Fate.KNOWN: "already in the vault.", Fate.PASSED_OVER: "passed over."}.get(outcome.fate, "")
    return " ".join(part for part in (words, why) if part)


def _recognised(camera: Camera) -> str:
    """What it was taken for, how sure that is, and the reasons."""
    sure = {Confidence.STRONG: ", the file says so.", Confidence.LIKELY: ", likely."}
    if camera.confidence not in sure:
        return f"{camera.label}."
    return " ".join((f"{camera.label}{sure[camera.confidence]}", *(in_words(sign.value, text) for sign, text in camera.signs)))


async def _remove(services: Services, report: Report, terminal: Terminal) -> None:
    safe = report.count(Fate.TAKEN) + report.count(Fate.KNOWN)
    question = f"Delete the {safe} files that are in the vault now from where they were? Each is compared with the vault first. [y/N]"
    if safe and await terminal.confirm(question, otherwise="Nothing was deleted."):
        removal = await services.imports.remove_sources(report.outcomes)
        for path, why in removal.left:
            terminal.complain(f"{printable_name(str(path))}: {why}")
        terminal.say(f"Deleted: {len(removal.removed)}. Left: {len(removal.left)}.")


def _data(outcome: Outcome) -> dict[str, object]:
    camera = outcome.camera
    return {
        "path": str(outcome.path),
        "fate": outcome.fate.name.lower(),
        "item": outcome.item,
        "family": camera.family if camera else None,
        "label": camera.label if camera else None,
        "confidence": camera.confidence.value if camera else None,
        "signs": [[sign.value, text] for sign, text in camera.signs] if camera else [],
        "why": str(outcome.why) if outcome.why else None,
    }


async def _watch(services: Services, folder: Path, terminal: Terminal) -> Exit:
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, RuntimeError):
            asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    services.imports.watch(folder)
    terminal.say(f"Importing what appears in {printable_name(str(folder))}, until Ctrl-C.")
    stopping, told, there = asyncio.ensure_future(stopped.wait()), datetime.now(UTC), True
    refused = set[tuple[Path, str]]()  # each is tried some times
    try:
        while not stopping.done():
            await asyncio.wait({stopping}, timeout=WATCH_SECONDS)
            told, since = datetime.now(UTC), told
            came = [each for each in services.imports.came(since) if (each.path, str(each.why)) not in refused]
            refused.update((each.path, str(each.why)) for each in came if each.fate is Fate.REFUSED)
            _tell_each(came, terminal)
            if there and not services.imports.watched_is_there:
                terminal.complain("The folder is not there. Looking for it goes on.")
            there = services.imports.watched_is_there
    finally:
        stopping.cancel()
        services.imports.watch(None)
    return Exit.DONE


async def _archive(services: Services, parts: list[Path], terminal: Terminal) -> Exit:
    report = await services.imports.meta_archive(*parts)
    terminal.say(f"Marked as shared with Meta AI: {len(report.marked)} that were in the vault, {len(report.added)} taken from the archive.")
    terminal.data({"marked": list(report.marked), "added": list(report.added)})
    return Exit.DONE
