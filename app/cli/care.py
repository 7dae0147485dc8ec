"""`eyelid vault create`, `vault verify` and `vault identity`."""

from __future__ import annotations

import argparse

from app.cli.terminal import Exit, Terminal, running, unlocked
from app.errors import EyelidError
from app.paths import Profile


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("vault", help="make the vault, or check it")
    actions = command.add_subparsers(required=True, metavar="ACTION")
    create = actions.add_parser("create", help="make a vault that opens with a passphrase")
    create.add_argument("--keyring", action="store_true", help="let this computer's keyring open it too")
    create.set_defaults(command=create_vault)
    actions.add_parser("verify", help="read and authenticate every capture").set_defaults(command=verify)
    identity = actions.add_parser(
        "identity", help="print the vault's age identity, for opening its files with any age program; keep it secret"
    )
    identity.set_defaults(command=print_identity)


async def create_vault(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    passphrase = terminal.passphrase(new=True)
    if not passphrase:
        raise EyelidError("An empty passphrase protects nothing.", "", "Choose a longer one.")
    async with running(profile) as services:
        await services.vault.create(passphrase, arguments.keyring)
        slots = [slot.kind.value for slot in services.vault.slots()]
    terminal.say(f"The vault is ready in {profile.vault}. It opens with: {', '.join(slots)}.")
    terminal.say("There is no way back in without that. Keep the passphrase where you will find it in ten years.")
    terminal.data({"vault": str(profile.vault), "slots": slots})
    return Exit.DONE


async def verify(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with unlocked(profile, terminal) as services:
        report = await services.vault.verify()
    for fault in report.faults:
        terminal.say(f"{fault.id}  {fault.what}")
    terminal.say(f"{report.checked} captures read: " + ("all sound." if report.sound else f"{len(report.faults)} damaged."))
    terminal.data({"checked": report.checked, "sound": report.sound, "faults": [{"id": f.id, "what": f.what} for f in report.faults]})
    return Exit.DONE if report.sound else Exit.DAMAGED


async def print_identity(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with unlocked(profile, terminal) as services:
        identity = services.vault.vault.identity()
    terminal.complain("whoever has the next line can open every capture of this vault")
    terminal.say(identity)
    terminal.data({"identity": identity})
    return Exit.DONE
