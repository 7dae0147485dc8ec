"""`eyelid vault keys`: the ways to open the vault, listed, added, changed, removed."""

from __future__ import annotations

import argparse
import secrets

from app.cli.terminal import Exit, Terminal, running, unlocked
from app.paths import Profile
from app.vault.types import SlotInfo, SlotKind


def add_commands(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = actions.add_parser("keys", help="the ways to open the vault")
    keys = command.add_subparsers(required=True, metavar="ACTION")
    keys.add_parser("list", help="all of them; works locked").set_defaults(command=show)
    add = keys.add_parser("add", help="one more way to open it")
    add.add_argument("kind", choices=[kind.value for kind in SlotKind])
    add.set_defaults(command=add_key)
    remove = keys.add_parser("remove", help="remove a way to open it; never the last")
    remove.add_argument("id", metavar="ID")
    remove.set_defaults(command=remove_key)
    change = keys.add_parser("change", help="change the passphrase")
    change.add_argument("kind", choices=[SlotKind.PASSPHRASE.value])
    change.set_defaults(command=change_passphrase)
    hybrid = keys.add_parser("hybrid", help="seal new captures to a post-quantum key; age programs before 1.3 cannot open those")
    hybrid.set_defaults(command=add_hybrid)


async def show(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with running(profile) as services:
        slots = services.vault.slots()
    for slot in slots:
        terminal.say(_line(slot))
    if len(slots) < 2:
        terminal.say("There is only one. Add another, so that losing it does not lose the vault: “eyelid vault keys add recovery”.")
    terminal.data([_data(slot) for slot in slots])
    return Exit.DONE


async def add_key(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    kind = SlotKind(arguments.kind)
    code = ""
    async with unlocked(profile, terminal) as services:
        if kind is SlotKind.PASSPHRASE:
            slot = await services.vault.add_passphrase(await terminal.new_passphrase())
        elif kind is SlotKind.KEYRING:
            slot = await services.vault.add_keyring()
        else:
            slot, code = await services.vault.add_recovery()
    terminal.say(f"Added: {_line(slot)}")
    if code:
        await show_code(code, terminal)
    terminal.data(_data(slot) | ({"code": code} if code else {}))
    return Exit.DONE


async def show_code(code: str, terminal: Terminal) -> None:
    """Show a recovery code, once, and see that it was written down: two of its groups are typed back."""
    groups = code.split("-")
    terminal.say("\nYour recovery code. Write it down now; it is shown only this once, and opens the vault when all else is lost:\n")
    for at in range(0, len(groups), 5):
        terminal.say("    " + "   ".join(f"{at + place + 1:>2}: {group}" for place, group in enumerate(groups[at : at + 5])))
    terminal.say()
    if not terminal.interactive:
        return
    for place in sorted(secrets.SystemRandom().sample(range(len(groups)), 2)):
        while (typed := await terminal.ask(f"Type group {place + 1} from your paper:")).upper() != groups[place]:
            if not typed:
                terminal.say("Not checked. If it is not on paper, add a new one with “eyelid vault keys add recovery”.")
                return
            terminal.say("That is not it. Look again, or press Enter to skip this.")
    terminal.say("Both are right.")


async def remove_key(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with unlocked(profile, terminal) as services:
        await services.vault.remove_slot(arguments.id)
    terminal.say("Removed. A copy of the vault made before still opens with it.")
    return Exit.DONE


async def change_passphrase(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    """The old one is asked for even where the keyring could unlock: only who knows it may change it."""
    async with running(profile) as services:
        old = await terminal.passphrase()
        await services.vault.unlock(old)
        slot = await services.vault.change_passphrase(old, await terminal.new_passphrase())
    terminal.say("Changed. A copy of the vault made before still opens with the old one.")
    terminal.data(_data(slot))
    return Exit.DONE


async def add_hybrid(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    """Every way in has to be opened once, since the new key goes behind each of them."""
    async with running(profile) as services:
        passphrase = await terminal.passphrase()
        await services.vault.unlock(passphrase)
        codes = [await terminal.code() for slot in services.vault.slots() if slot.kind is SlotKind.RECOVERY]
        await services.vault.add_hybrid([passphrase], codes)
    terminal.say("Done: captures from now on are sealed to a post-quantum key (mlkem768x25519). Those before stay as they are.")
    terminal.data({"hybrid": True})
    return Exit.DONE


def _line(slot: SlotInfo) -> str:
    made = slot.created_at.astimezone().strftime("%Y-%m-%d")
    return f"{slot.id}  {slot.kind.value:<10}  made {made}" + (f"  in {slot.keyring}" if slot.keyring else "")


def _data(slot: SlotInfo) -> dict[str, str]:
    return {"id": slot.id, "kind": slot.kind.value, "created": slot.created_at.isoformat(), "keyring": slot.keyring}
