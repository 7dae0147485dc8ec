"""`eyelid vault`: making it, checking it, mending it, copying it, opening it elsewhere, destroying it. Keys: `app.cli.vault_keys`."""

from __future__ import annotations

import argparse
from pathlib import Path

from app.cli import vault_keys
from app.cli.terminal import Exit, Terminal, running, unlocked
from app.paths import Profile
from app.services import Services
from app.vault.erase import short_id
from app.vault.inspect import inspect


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("vault", help="make the vault, check it, mend it, copy it")
    actions = command.add_subparsers(required=True, metavar="ACTION")
    create = actions.add_parser("create", help="make a vault that opens with a passphrase")
    create.add_argument("--keyring", action="store_true", help="let this computer's keyring open it too")
    create.add_argument("--no-recovery", action="store_true", help="make no recovery code; one can be added later")
    create.set_defaults(command=create_vault)
    _add_reading(actions)
    action = actions.add_parser("backup", help="copy what is new to a folder, sealed as it is; works locked")
    action.add_argument("folder", type=Path, metavar="DIR")
    action.add_argument("--check", action="store_true", help="read what was copied earlier again, too")
    action.add_argument("--prune", action="store_true", help="delete in the backup what was deleted in the vault")
    action.set_defaults(command=back_up)
    action = actions.add_parser("restore", help="make the vault from a backup, where there is none yet")
    action.add_argument("folder", type=Path, metavar="DIR")
    action.set_defaults(command=restore)
    vault_keys.add_commands(actions)
    actions.add_parser("erase", help="destroy the vault for good; asks for its short id").set_defaults(command=erase)


def _add_reading(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    verify_it = actions.add_parser("verify", help="read and authenticate every sealed file; goes on where an interrupted run stopped")
    verify_it.add_argument("--afresh", action="store_true", help="begin at the beginning")
    verify_it.set_defaults(command=verify)
    actions.add_parser("repair", help="make again what can be made again, and put aside what can't be used").set_defaults(command=repair)
    action = actions.add_parser("notices", help="what differs from when this computer last saw the vault")
    action.add_argument("--accept", action="store_true", help="take the vault as it is now for how it should be")
    action.set_defaults(command=notices)
    action = actions.add_parser("inspect", help="what a sealed file says of itself without a key")
    action.add_argument("file", type=Path, metavar="FILE")
    action.set_defaults(command=inspect_file)
    identity = actions.add_parser(
        "identity", help="print the vault's age identity, for opening its files with any age program; keep it secret"
    )
    identity.set_defaults(command=print_identity)


async def create_vault(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    passphrase = await terminal.new_passphrase()
    wanted = not arguments.no_recovery and terminal.interactive
    async with running(profile) as services:
        code = await services.vault.create(passphrase, arguments.keyring, recovery=wanted)
        slots = [slot.kind.value for slot in services.vault.slots()]
    terminal.say(f"The vault is ready in {profile.vault}. It opens with: {', '.join(slots)}.")
    if code is not None:
        await vault_keys.show_code(code, terminal)
    elif not arguments.no_recovery:
        terminal.say("No recovery code was made, as nobody is at the terminal: “eyelid vault keys add recovery” makes one.")
    terminal.say("There is no way back in without one of these. Keep them where you will find them in ten years.")
    terminal.data({"vault": str(profile.vault), "slots": slots})
    return Exit.DONE


async def verify(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with unlocked(profile, terminal) as services:
        report = await services.vault.verify(terminal.progress, resume=not arguments.afresh)
        receipts = await services.sharing.verify_receipts()
    sound = report.sound and receipts.sound
    if report.resumed:
        terminal.say(f"Went on with an interrupted run: {report.resumed} captures were read before.")
    lines = [f"{fault.id}  {fault.what}" for fault in report.faults]
    lines += [f"{fault.file}  {fault.what}" for fault in report.files]
    lines += [f"receipts  {fault}" for fault in receipts.faults]
    for line in (*lines, *report.notes, *receipts.notes):
        terminal.say(line)
    terminal.say(f"{report.checked} captures and {report.records} records read: " + ("all sound." if sound else f"{len(lines)} faults."))
    terminal.data(
        {
            "checked": report.checked,
            "records": report.records,
            "resumed": report.resumed,
            "sound": sound,
            "faults": [{"id": fault.id, "what": fault.what} for fault in report.faults],
            "files": [{"file": fault.file, "what": fault.what} for fault in report.files],
            "receipts": list(receipts.faults),
            "notes": [*report.notes, *receipts.notes],
        }
    )
    return Exit.DONE if sound else Exit.DAMAGED


async def repair(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with unlocked(profile, terminal) as services:
        report = await services.vault.repair(terminal.progress)
    for line in report.lines():
        terminal.say(line)
    terminal.data({"items": report.items, "described": report.described, "aside": list(report.aside), "missing": list(report.missing)})
    return Exit.DAMAGED if report.missing else Exit.DONE


async def notices(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with unlocked(profile, terminal) as services:
        found = services.vault.notices()
        if arguments.accept:
            await services.vault.accept_notices()
    if not found:
        terminal.say("The vault is as this computer left it.")
    elif arguments.accept:
        terminal.say("Accepted: the vault is taken as it is now.")
    terminal.data([{"kind": each.kind.value, "serious": each.serious, "text": each.text, "count": each.count} for each in found])
    return Exit.DAMAGED if any(each.serious for each in found) and not arguments.accept else Exit.DONE


async def inspect_file(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    facts = inspect(arguments.file)
    for line in facts.lines():
        terminal.say(line)
    terminal.data(
        {
            "version": facts.version,
            "recipients": list(facts.recipients),
            "header_bytes": facts.header_bytes,
            "payload_bytes": facts.payload_bytes,
            "plain_bytes": facts.plain_bytes,
            "chunks": facts.chunks,
            "trouble": facts.trouble,
        }
    )
    return Exit.DAMAGED if facts.trouble else Exit.DONE


async def print_identity(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with unlocked(profile, terminal) as services:
        identity = services.vault.vault.identity()
    terminal.complain("whoever has the next line can open every capture of this vault")
    terminal.say(identity)
    terminal.data({"identity": identity})
    return Exit.DONE


async def back_up(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with running(profile) as services:
        report = await services.vault.backup(arguments.folder, terminal.progress, check=arguments.check, prune=arguments.prune)
    terminal.say(f"{report.copied} files copied ({report.bytes / 1e6:.1f} MB) and read back; {report.kept} were there already.")
    if report.gone:
        terminal.say(f"{report.gone} files are in the backup only; --prune deletes what was deleted in the vault.")
    for name in report.differing:
        terminal.say(f"{name}  is not what the backup has, and never changes by itself: one of the two is damaged. Run “verify”.")
    terminal.data(
        {
            "copied": report.copied,
            "kept": report.kept,
            "bytes": report.bytes,
            "gone": report.gone,
            "removed": report.removed,
            "differing": list(report.differing),
        }
    )
    return Exit.DONE if report.sound else Exit.DAMAGED


async def restore(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with running(profile) as services:
        count = await services.vault.restore(arguments.folder, terminal.progress)
    terminal.say(f"{count} files restored to {profile.vault}, each compared with the backup's list. It opens with the keys it had.")
    terminal.data({"files": count, "vault": str(profile.vault)})
    return Exit.DONE


async def erase(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with running(profile) as services:
        typed = await _erase_question(services, terminal)
        erased = await services.vault.erase(typed)
    terminal.say(f"The vault is destroyed: its keys first, then {erased.files} files. Backups and copies elsewhere are not reached.")
    for name in erased.left:
        terminal.say(f"Left in the folder, as it is not Eyelid's: {name}")
    terminal.data({"files": erased.files, "left": list(erased.left)})
    return Exit.DONE


async def _erase_question(services: Services, terminal: Terminal) -> str:
    vault = services.vault.vault
    terminal.say(f"This destroys {len(vault.ids())} captures and everything known of them, for good. Nobody can bring them back.")
    return await terminal.ask(f"Type the vault's short id, {short_id(vault)}, to erase it:", otherwise="The vault was not erased.")
