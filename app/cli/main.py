"""Arguments in, exit code out. Each command lives in the module named after what it is about."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from app import __version__
from app.cli import ask, demo, destinations, doctor, glasses, imports, items, live, look, policies, receipts, settings, sim, trash, vault
from app.cli.terminal import Exit, Terminal
from app.errors import Cancelled, Explained, explain
from app.paths import Profile
from ble.drivers import families

Command = Callable[[Profile, argparse.Namespace, Terminal], Coroutine[Any, Any, Exit]]

EPILOG = """exit codes:
  0  done
  1  it could not be done; the reason is on standard error
  2  the command line is not right
  3  a question was not answered with yes: nothing was sent, paired or deleted
  4  locked: no passphrase, or a wrong one
  5  damage was found (verify)
"""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="eyelid",
        description="The companion for camera glasses: captures sealed in a local vault, nothing sent to an AI without your yes.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"eyelid {__version__}")
    top.add_argument("--profile", type=Path, metavar="DIR", help="keep everything in DIR instead of the usual place")
    top.add_argument("--json", action="store_true", help="print JSON, for scripts")
    top.add_argument("--passphrase-fd", type=int, metavar="N", help="read the passphrase from file descriptor N, up to the first line end")
    top.add_argument("--recovery", action="store_true", help="unlock with the recovery code (asked for, or from --passphrase-fd)")
    top.add_argument(
        "--sim", action="append", default=[], metavar="FAMILY", help=f"put simulated glasses on the air: {', '.join(families())}"
    )
    commands = top.add_subparsers(metavar="COMMAND")
    for module in (demo, glasses, imports, items, look, ask, live, receipts, trash, destinations, policies, settings, vault, doctor, sim):
        module.add_commands(commands)
    return top


def main(argv: Sequence[str] | None = None, window: Callable[[Profile, Sequence[str]], int] | None = None) -> int:
    """Run one command; without one, open the `window`, or do the main job in the terminal where there is none."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # what this terminal has no letters for is better told in another form than not at all
        sys.stdout.reconfigure(errors="backslashreplace")
    arguments = parser().parse_args(argv)
    profile = Profile(arguments.profile.expanduser().absolute()) if arguments.profile else Profile.default()
    command: Command | None = getattr(arguments, "command", None)
    terminal = Terminal(json=arguments.json, passphrase_fd=arguments.passphrase_fd, recovery=arguments.recovery)
    if command is None:
        if window is not None:
            return window(profile, arguments.sim)
        terminal.say("No display was found, so Eyelid runs its main job here in the terminal, on simulated glasses.\n")
        # With nobody at the terminal only the mirror, which stays on this computer, may be answered for.
        arguments.yes = not sys.stdin.isatty()
        command = demo.run
    return int(_run(command, profile, arguments, terminal))


def _run(command: Command, profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    try:
        return asyncio.run(_stoppable(command(profile, arguments, terminal)))
    except Cancelled:
        return Exit.KEPT_PRIVATE
    except (KeyboardInterrupt, asyncio.CancelledError):
        terminal.complain("Stopped.")
        return Exit.FAILED
    except BrokenPipeError:
        _nobody_reads()
        return Exit.FAILED
    except Exception as error:
        if not isinstance(error, Explained | OSError) and os.environ.get("EYELID_DEBUG"):
            raise
        terminal.complain(str(explain(error)))
        return terminal.exit_for(error)


async def _stoppable(work: Coroutine[Any, Any, Exit]) -> Exit:
    """Do `work`; SIGTERM calls it off as Ctrl-C does.

    Only a handler of its own has signals wake the loop: else one that comes just before it begins to wait is noticed at the next event.
    """
    task = asyncio.current_task()
    assert task is not None
    with contextlib.suppress(NotImplementedError, RuntimeError):  # Windows wakes its loops by itself; other threads get no signals
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work


def _nobody_reads() -> None:
    """Whoever read along (`eyelid list | head`) has seen enough. What is still to be written would be a traceback at the very end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
