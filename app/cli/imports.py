"""Importing at the terminal: files and folders, a watched folder, phones, and what Meta's archive tells."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
from pathlib import Path
from typing import Any

from app.cli.terminal import Exit, Terminal, unlocked
from app.imports.families import FAMILIES
from app.imports.phones import by_hand
from app.imports.run import Choice
from app.imports.types import Fate, Outcome, Progress, Report
from app.media.exif import printable
from app.paths import Profile
from app.services import Services


def add_commands(commands: Any) -> None:
    add = commands.add_parser("import", help="take in captures from files, folders, phones and archives")
    add.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files or folders; nothing there is changed")
    add.add_argument("--only-glasses", action="store_true", help="leave out what nothing says glasses made")
    add.add_argument("--remove", action="store_true", help="afterwards, ask whether to delete the files that are safe in the vault")
    add.add_argument("--watch", type=Path, metavar="DIR", help="import what appears in DIR, until Ctrl-C")
    add.add_argument("--phones", action="store_true", help="list phones and cards that are plugged in; with --all, import from them")
    add.add_argument("--all", action="store_true", help="with --phones: import from all of them")
    add.add_argument("--meta-archive", type=Path, metavar="ZIP", help="mark what Meta's archive says was shared with Meta AI")
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
                terminal.say(f"{phone.label}: {', '.join(str(folder) for folder in phone.folders)}")
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
    for outcome in report.outcomes:
        if outcome.fate is Fate.REFUSED:
            terminal.complain(f"{printable(str(outcome.path))}: {outcome.why}")
        elif outcome.fate is Fate.TAKEN and outcome.camera is not None:
            sure = "" if outcome.camera.glasses else ", not known as glasses"
            terminal.say(f"{printable(outcome.path.name)}: {outcome.camera.label} ({outcome.camera.confidence.value}{sure})")
    counts = ", ".join(f"{report.count(fate)} {fate.value}" for fate in Fate)
    terminal.say(f"{counts}." + (" Stopped; the same command goes on from here." if report.stopped else ""))


async def _remove(services: Services, report: Report, terminal: Terminal) -> None:
    safe = report.count(Fate.TAKEN) + report.count(Fate.KNOWN)
    question = f"Delete the {safe} files that are in the vault now from where they were? Each is compared with the vault first. [y/N]"
    if safe and await terminal.confirm(question, otherwise="Nothing was deleted."):
        removal = await services.imports.remove_sources(report.outcomes)
        for path, why in removal.left:
            terminal.complain(f"{printable(str(path))}: {why}")
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
    terminal.say(f"Importing what appears in {folder}, until Ctrl-C.")
    await stopped.wait()
    services.imports.watch(None)
    return Exit.DONE


async def _archive(services: Services, path: Path, terminal: Terminal) -> Exit:
    report = await services.imports.meta_archive(path)
    terminal.say(f"Marked as shared with Meta AI: {len(report.marked)} that were in the vault, {len(report.added)} taken from the archive.")
    terminal.data({"marked": list(report.marked), "added": list(report.added)})
    return Exit.DONE
