"""`eyelid doctor`: what `app.doctor` finds, at the terminal."""

from __future__ import annotations

import argparse
import asyncio

from app.cli.paired import SETTLED, ready
from app.cli.terminal import Exit, Terminal, running
from app.doctor import Finding, of_computer, of_services
from app.errors import explain
from app.paths import Profile
from ble.types import LinkState

TOLD = SETTLED | {LinkState.WAITING}
"""In each of these something can be said of a pair of glasses."""


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("doctor", help="what is in order here and what is not")
    command.set_defaults(command=run)


async def run(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    findings = of_computer(profile)
    try:
        async with running(profile) as services:
            known = services.glasses.known()
            await asyncio.gather(*(ready(services, pair.known.address, enough=TOLD) for pair in known))
            findings += await of_services(services)
    except Exception as error:
        findings.append(Finding("start", str(explain(error)), False))
    for finding in findings:
        mark = {True: "ok ", False: "NO ", None: "   "}[finding.fine]
        terminal.say(f"{mark} {finding.name:<12} {finding.text}")
    terminal.data([{"name": f.name, "text": f.text, "fine": f.fine} for f in findings])
    return Exit.FAILED if any(finding.name == "start" for finding in findings) else Exit.DONE
