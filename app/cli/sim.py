"""`eyelid sim FAMILY --transport SPEC`: simulated glasses on a Bluetooth controller, real or virtual, for any program to talk to."""

from __future__ import annotations

import argparse

from app.cli.terminal import Exit, Terminal
from app.media.samples import pictures
from app.paths import Profile
from ble.drivers import families


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("sim", help="simulated glasses on a Bluetooth controller of your choice")
    command.add_argument("family", choices=families())
    command.add_argument(
        "--transport",
        required=True,
        metavar="SPEC",
        help="a Bumble transport: vhci, usb:0, serial:/dev/ttyACM0, tcp-client:HOST:PORT … (google.github.io/bumble)",
    )
    command.set_defaults(command=run)


async def run(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    from ble.sim.on_transport import serve  # Bumble is slow to import, and no other command needs it

    terminal.say(f"Simulated {arguments.family} on {arguments.transport}. Ctrl+C ends it.")
    await serve(arguments.family, arguments.transport, pictures(arguments.family), on_event=terminal.say)
    return Exit.DONE
