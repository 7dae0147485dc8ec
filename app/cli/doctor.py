"""`eyelid doctor`: how this computer and this Eyelid are, in lines a person can read before passing them on. No names, no addresses."""

from __future__ import annotations

import argparse
import contextlib
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib import metadata

from app import __version__
from app.cli.terminal import Exit, Terminal, running
from app.confine.memory import report
from app.errors import explain
from app.paths import Profile
from app.services import Services
from app.vault.types import LockState

PACKAGES = ("bleak", "bumble", "cryptography", "httpx2", "apsw-sqlite3mc", "keyring", "pillow", "av", "PySide6-Essentials", "qasync")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. `fine` is None for plain information."""

    name: str
    text: str
    fine: bool | None = None


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("doctor", help="what is in order here and what is not")
    command.set_defaults(command=run)


async def run(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    findings = [*_system(), _space(profile)]
    try:
        async with running(profile) as services:
            findings += [await _keyring(services), _vault(services), await _radio(services)]
            findings.append(_hardening())
            findings.append(Finding("courier", "a process of its own is running; the kernel does not confine this one yet", True))
    except Exception as error:
        findings.append(Finding("start", str(explain(error)), False))
    for finding in findings:
        mark = {True: "ok ", False: "NO ", None: "   "}[finding.fine]
        terminal.say(f"{mark} {finding.name:<12} {finding.text}")
    terminal.data([{"name": f.name, "text": f.text, "fine": f.fine} for f in findings])
    return Exit.FAILED if any(finding.name == "start" for finding in findings) else Exit.DONE


def _system() -> list[Finding]:
    versions = []
    for package in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions.append(f"{package} {metadata.version(package)}")
    return [
        Finding("eyelid", __version__),
        Finding("system", f"{platform.system()} {platform.release()} {platform.machine()}, Python {sys.version.split()[0]}"),
        Finding("packages", ", ".join(versions)),
    ]


def _space(profile: Profile) -> Finding:
    place = next(folder for folder in (profile.root, *profile.root.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    return Finding("disk", f"{free / 1e9:.1f} GB free where the vault lies", free > 1_000_000_000)


async def _keyring(services: Services) -> Finding:
    report = await services.vault.keyring_report()
    return Finding("keyring", f"{report.name}: {report.text}", report.trusted)


def _hardening() -> Finding:
    found = report()
    return Finding("memory", found.text(), found.whole)


def _vault(services: Services) -> Finding:
    if services.vault.state is LockState.ABSENT:
        return Finding("vault", "none yet")
    return Finding("vault", "format age v1, opens with: " + ", ".join(slot.kind.value for slot in services.vault.slots()), True)


async def _radio(services: Services) -> Finding:
    try:
        await services.glasses.check_radio()
    except Exception as error:
        return Finding("bluetooth", str(explain(error)), False)
    return Finding("bluetooth", "the adapter is on and may be used", True)
