"""`eyelid demo`: the whole main job on simulated glasses, step by step, in a throw-away profile.

Nothing is faked but the glasses: the Bluetooth packets, the vault, the approval, the courier and the receipt are the ordinary ones.
"""

from __future__ import annotations

import argparse
import contextlib
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

from app.cli.approval import ask_and_answer
from app.cli.items import describe
from app.cli.paired import capture, first_found, view_of
from app.cli.terminal import Exit, Terminal, running
from app.paths import Profile
from app.services import Services
from app.sharing.types import Draft

FAMILY = "omi-glass"
QUESTION = "What can you see of this picture?"


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("demo", help="the whole main job, on simulated glasses, here in the terminal")
    command.add_argument("--yes", action="store_true", help="answer the approval with yes; it goes to the mirror on this computer only")
    command.set_defaults(command=run)


async def run(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    with _profile(profile, given=arguments.profile is not None) as place:
        async with running(place) as services:
            return await _main_job(services, terminal, yes=arguments.yes)


@contextlib.contextmanager
def _profile(profile: Profile, *, given: bool) -> Iterator[Profile]:
    """The profile asked for, or one that is removed afterwards."""
    if given:
        yield profile
    else:
        with tempfile.TemporaryDirectory(prefix="eyelid-demo-") as folder:
            yield Profile(Path(folder))


async def _main_job(services: Services, terminal: Terminal, *, yes: bool) -> Exit:
    terminal.say("1  A vault. Its key is sealed with a passphrase made for this run only.")
    await services.vault.create(secrets.token_urlsafe(24), keyring=False)

    terminal.say("2  Simulated Omi Glass on a virtual link; looking for them as for real ones…")
    await services.glasses.start_simulated(FAMILY)
    found = await first_found(services)
    terminal.say(f"   found: {found.name}, {found.rssi} dBm")

    pair = await services.glasses.pair(found)
    view = view_of(services, pair.address)
    for caution in view.capabilities.cautions if view.capabilities else ():
        terminal.say(f"   mind: {caution}")
    battery = "unknown" if view.status.battery is None else f"{view.status.battery} %"
    terminal.say(f"3  Paired: {pair.name}, battery {battery}. Taking a photo…")

    tile = await capture(services, pair.address)
    terminal.say("4  Arrived, checked, sealed, and read back. In the vault now:")
    terminal.say(f"   {describe(tile)}")

    terminal.say(f"5  Asking about it: “{QUESTION}” Nothing has left the vault yet. This is what would:\n")
    outcome = await ask_and_answer(services, Draft((tile.id,), QUESTION, "mirror"), terminal, yes=yes)

    report = await services.sharing.verify_receipts()
    verified = await services.vault.verify()
    terminal.say(f"6  Receipts: {report.count}, {_word(report.sound)}. Captures: {verified.checked}, {_word(verified.sound)}.")
    return outcome if report.sound and verified.sound else Exit.DAMAGED


def _word(sound: bool) -> str:
    return "sound" if sound else "DAMAGED"
