"""`eyelid glasses`: the radio from the terminal. With `--sim`, on simulated glasses."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
from collections.abc import Sequence

from app.cli.items import describe
from app.cli.paired import capture, news_of, paired, reached, ready, unreached, view_of
from app.cli.pairing import walk
from app.cli.terminal import Exit, Terminal, running, unlocked
from app.errors import EyelidError
from app.events import CaptureArriving
from app.glasses.over_wifi import BrokenOff, Done, Invitation, Looking, Progress, WifiStep
from app.glasses.types import FoundGlasses, GlassesView
from app.paths import Profile
from app.services import Services
from ble.types import Capability, LinkState

TELL_SECONDS = 3.0
"""How long glasses that are ready may take to say what they hold."""


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("glasses", help="find, pair and use glasses")
    actions = command.add_subparsers(required=True, metavar="ACTION")
    for name, action, help_text in (
        ("scan", scan, "list the glasses nearby"),
        ("pair", pair, "pair the glasses found, or those with ADDRESS"),
        ("status", status, "connect and say how the paired glasses are"),
        ("capture", take, "take a photo and wait until it is sealed in the vault"),
        ("record", record, "record a voice note with glasses that have a microphone; it is off otherwise"),
        ("forget", forget, "forget a pair; what it delivered stays in the vault"),
        ("turn", turn, "say by how much photos of a pair are to be turned, for glasses that are worn otherwise"),
        ("import", fetch_all, "bring in what the glasses hold, over their own Wi-Fi"),
    ):
        parser = actions.add_parser(name, help=help_text)
        parser.add_argument("--sim", action="append", default=argparse.SUPPRESS, metavar="FAMILY", help="use simulated glasses")
        if name != "scan":
            parser.add_argument("address", nargs=None if name == "forget" else "?", metavar="ADDRESS")
        if name == "scan":
            parser.add_argument("--seconds", type=float, default=10.0, metavar="N")
        if name == "record":
            parser.add_argument("--seconds", type=int, default=10, metavar="N", help="1 to 600 (10)")
        if name == "turn":
            parser.add_argument("degrees", choices=("0", "90", "180", "270", "none"), help="clockwise; none: as the glasses say")
        if name == "import":
            parser.add_argument("--same-network", action="store_true", help="the glasses are on this computer's network already")
        parser.set_defaults(command=action)


async def scan(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    heard: dict[str, dict[str, object]] = {}
    async with running(profile, sims=arguments.sim) as services, contextlib.aclosing(services.glasses.scan(arguments.seconds)) as found:
        async for glasses in found:
            if glasses.address not in heard:
                terminal.say(_line(glasses.address, glasses.name, glasses.family, glasses.rssi, _state(glasses)))
            heard[glasses.address] = _sighting(glasses.address, glasses.name, glasses.family, glasses.rssi, _state(glasses))
        # Who is linked does not advertise, and is here all the same.
        others = [view for view in services.glasses.known() if view.known.address not in heard]
    for view in others:
        state = "connected" if view.state is LinkState.READY else "paired, not heard"
        terminal.say(_line(view.known.address, view.known.name, view.known.family, None, state))
        heard[view.known.address] = _sighting(view.known.address, view.known.name, view.known.family, None, state)
    there = any(sighting["state"] != "paired, not heard" for sighting in heard.values())
    if not there:
        terminal.say("No glasses were heard. Are they out of their case, switched on, near, and not connected to a phone?")
    terminal.data(list(heard.values()))
    return Exit.DONE if there else Exit.FAILED


def _line(address: str, name: str, family: str, rssi: int | None, state: str) -> str:
    return f"{address}  {name or 'no name'}  {family}  {'- dBm' if rssi is None else f'{rssi} dBm'}  {state}"


def _state(glasses: FoundGlasses) -> str:
    return "paired" if glasses.known else "new"


def _sighting(address: str, name: str, family: str, rssi: int | None, state: str) -> dict[str, object]:
    return {"address": address, "name": name, "family": family, "rssi": rssi, "paired": state != "new", "state": state}


async def pair(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with running(profile, sims=arguments.sim) as services:
        services.vault.vault  # noqa: B018  (says that there is no vault, and what to do)
        flow = services.glasses.pairing(arguments.address)
        try:
            known = await walk(flow, terminal)
        finally:
            await flow.close()
        view = view_of(services, known.address)
    terminal.say(f"Paired: {known.name} ({known.address}).")
    terminal.data(_as_data(view))
    return Exit.DONE


async def status(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with running(profile, sims=arguments.sim) as services:
        views = [await _in_full(services, view.known.address) for view in paired(services, arguments.address)]
    for view in views:
        battery = "battery unknown" if view.status.battery is None else f"battery {view.status.battery} %"
        holds = "".join(f"  {text}" for text in _holdings(view))
        terminal.say(f"{view.known.address}  {view.known.name}  {view.state.value}  {battery}{holds}")
        if view.trouble:
            terminal.say(f"  {view.trouble}")
    terminal.data([_as_data(view) for view in views])
    return Exit.DONE if all(view.state is LinkState.READY for view in views) else Exit.FAILED


async def take(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with unlocked(profile, terminal, sims=arguments.sim) as services:
        address = paired(services, arguments.address)[0].known.address
        await reached(services, address)
        tile = await capture(services, address)
    terminal.say(describe(tile))
    terminal.data({"id": tile.id, "taken_at": tile.taken_at.isoformat()})
    return Exit.DONE


async def record(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    if not 1 <= arguments.seconds <= 600:
        raise EyelidError("A voice note of that length can't be recorded.", "It has 1 to 600 seconds.", "Give another length.")
    async with unlocked(profile, terminal, sims=arguments.sim) as services:
        address = paired(services, arguments.address)[0].known.address
        view = await reached(services, address)
        terminal.say(f"The microphone of {view.known.name} is on for {arguments.seconds} s.")
        tile = await capture(services, address, arguments.seconds)
    terminal.say(describe(tile))
    terminal.data({"id": tile.id, "taken_at": tile.taken_at.isoformat()})
    return Exit.DONE


async def forget(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with running(profile, sims=arguments.sim) as services:
        known = paired(services, arguments.address)[0].known
        await services.glasses.forget(known.address)
    terminal.say(f"Forgotten: {known.name} ({known.address}). To pair them again, they have to be found again.")
    terminal.data({"address": known.address})
    return Exit.DONE


async def turn(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with running(profile, sims=arguments.sim) as services:
        known = paired(services, arguments.address)[0].known
        degrees = None if arguments.degrees == "none" else int(arguments.degrees)
        await services.glasses.set_turn(known.address, degrees)
    said = "as the glasses say" if degrees is None else f"{degrees} degrees clockwise"
    terminal.say(f"Photos of {known.name} are upright when turned: {said}.")
    terminal.data({"address": known.address, "turn": degrees})
    return Exit.DONE


async def fetch_all(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with unlocked(profile, terminal, sims=arguments.sim) as services:
        address = await _with_wifi(services, paired(services, arguments.address))
        last: WifiStep | None = None
        counted = Progress(0, 0)
        services.events.subscribe(CaptureArriving, lambda event: terminal.progress(counted.done, counted.total, _arrival(event)))
        async with contextlib.aclosing(services.glasses.import_over_wifi(address, own_network=not arguments.same_network)) as steps:
            async for last in steps:
                counted = last if isinstance(last, Progress) else counted
                await _show_step(last, terminal)
    match last:
        case Done():
            terminal.data({"brought": last.brought, "known": last.known, "failed": last.failed})
            return Exit.FAILED if last.failed else Exit.DONE
        case BrokenOff():
            raise EyelidError(last.explanation.what, last.explanation.why, last.explanation.action)
    return Exit.FAILED


def _arrival(event: CaptureArriving) -> str:
    """What is here of the capture that comes in just now."""
    words = f"{event.received / 1e6:.1f}" + (f" of {event.total / 1e6:.1f} MB" if event.total else " MB")
    if event.rate:
        words += f", {event.rate / 1e6:.1f} MB a second"
    return words + (f", {event.seconds_left:.0f} s left" if event.seconds_left else "")


async def _with_wifi(services: Services, views: Sequence[GlassesView]) -> str:
    """The address of the first of these glasses that are here and have Wi-Fi. Raises EyelidError."""
    trouble = ""
    for view in views:
        now = await ready(services, view.known.address)
        if now.capabilities is not None and now.capabilities.can(Capability.WIFI) and now.state is LinkState.READY:
            return view.known.address
        trouble = trouble or str(now.trouble or "")
    if trouble:
        raise unreached(trouble)
    raise EyelidError("These glasses have no Wi-Fi.", "All they have comes over Bluetooth, by itself.", "Nothing needs to be done.")


async def _show_step(step: WifiStep, terminal: Terminal) -> None:
    match step:
        case Invitation(simulated=True):
            terminal.say(f"The simulated glasses opened the network “{step.name}”; nothing has to be joined.")
        case Invitation():
            terminal.say(f"The glasses opened a network of their own.\n  Name:     {step.name}\n  Password: {step.password}")
            await terminal.ask("Join it with this computer, then press Enter.", otherwise="Nothing was imported.")
        case Looking():
            terminal.say("Looking for the glasses on the network…")
        case Progress():
            terminal.progress(step.done, step.total)
        case Done():
            failed = f" {step.failed} could not be had; try again later." if step.failed else ""
            terminal.say(f"{step.brought} captures are new in the vault; {step.known} were there already.{failed}")


def _holdings(view: GlassesView) -> list[str]:
    """What is known of the room on the glasses and of what they hold, in words."""
    status, words = view.status, []
    if status.stored is not None:
        counts = {"photos": status.stored.photos, "videos": status.stored.videos, "sounds": status.stored.sounds}
        words.append("holds " + (", ".join(f"{count} {kind}" for kind, count in counts.items() if count) or "nothing"))
    if status.storage_free is not None:
        words.append(f"{status.storage_free / 1e6:.0f} MB free")
    return words


async def _in_full(services: Services, address: str) -> GlassesView:
    """As `ready`, and with what the glasses hold, if they tell soon."""
    view = await ready(services, address)
    if view.state is not LinkState.READY or view.capabilities is None or not view.capabilities.can(Capability.STORAGE):
        return view
    with news_of(services, address, lambda view: bool(_holdings(view))) as news:
        if not _holdings(view_of(services, address)):
            await news(TELL_SECONDS)
    return view_of(services, address)


def _as_data(view: GlassesView) -> dict[str, object]:
    return {
        "address": view.known.address,
        "name": view.known.name,
        "family": view.known.family,
        "state": view.state.value,
        "battery": view.status.battery,
        "received": view.status.received,
        "damaged": view.status.damaged,
        "storage_free": view.status.storage_free,
        "stored": dataclasses.asdict(view.status.stored) if view.status.stored else None,
        "model": view.info.model if view.info else None,
        "firmware": view.info.firmware if view.info else None,
        "trouble": str(view.trouble) if view.trouble else None,
    }
