"""Pairing at the terminal: the questions of `app.glasses.pairing`, one after the other, to whoever sits there."""

from __future__ import annotations

import asyncio
import contextlib

from app.cli.terminal import Terminal
from app.errors import Cancelled, EyelidError
from app.glasses.pairing import PairingState, Remedy, Stage
from app.glasses.pairing_flow import PairingFlow, is_settled
from app.glasses.types import KnownGlasses

MORE_SECONDS = 2.0
"""After the first pair was heard, others have so long to be listed too, where a person is there to choose."""


async def walk(flow: PairingFlow, terminal: Terminal) -> KnownGlasses:
    """Ask and answer until a pair is paired. Raises EyelidError with what kept it from being, Cancelled when the person leaves.

    Where nobody can be asked, the first pair heard is taken, and its cautions are only told; a code that nobody can compare is refused.
    """
    flow.start()
    await _choose(flow, terminal)
    while True:
        state = await flow.until(is_settled)
        if state.paired is not None:
            return state.paired
        if state.code:
            flow.answer(await _same(state, terminal))
        elif state.stage is Stage.CAUTIONS:
            await _heed(state, terminal)
            flow.agree()
        elif state.stage is Stage.FAILED:
            await _retry(flow, state, terminal)
        else:
            raise Cancelled


async def _choose(flow: PairingFlow, terminal: Terminal) -> None:
    state = await flow.until(lambda state: bool(state.found) or not state.searching)
    if terminal.interactive and state.searching:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(MORE_SECONDS):
                await flow.until(lambda state: not state.searching)
        state = flow.state
    if not state.found:
        raise _told(state)
    flow.choose((await _one_of(state, terminal)) if len(state.found) > 1 and terminal.interactive else state.found[0].address)


async def _one_of(state: PairingState, terminal: Terminal) -> str:
    for number, found in enumerate(state.found, 1):
        known = "  paired" if found.known else ""
        terminal.say(f"{number}  {found.name or 'no name'}  {found.address}  {found.family}  {found.rssi} dBm{known}")
    answer = await terminal.ask("Which ones? [1]")
    number = int(answer or "1") if (answer or "1").isdecimal() else 0
    if not 1 <= number <= len(state.found):
        raise EyelidError("Nothing was paired.", "That is none of the numbers listed.", "Try again.")
    return state.found[number - 1].address


async def _heed(state: PairingState, terminal: Terminal) -> None:
    for caution in state.cautions:
        terminal.say(f"Mind: {caution}")
    if terminal.interactive and not await terminal.confirm("Pair these glasses? [y/N]", otherwise="Nothing was paired."):
        raise Cancelled
    if state.namesake and not terminal.interactive:
        raise EyelidError(
            "Nothing was paired.", "A pair with the same name is paired already, and these are others.", "Pair them in a terminal."
        )


async def _same(state: PairingState, terminal: Terminal) -> bool:
    if not terminal.interactive:
        return False
    code = f"speak {' '.join(state.code)}" if state.is_spoken else f"show {state.code[:3]} {state.code[3:]}"
    return await terminal.confirm(f"Do the glasses {code}? [y/N]", otherwise="Nothing was paired.")


async def _retry(flow: PairingFlow, state: PairingState, terminal: Terminal) -> None:
    """Once more after a failure, if the person says so."""
    told = _told(state)
    if state.remedy is not Remedy.RETRY or not terminal.interactive:
        raise told
    terminal.complain(str(told))
    if not await terminal.confirm("Try again? [y/N]", otherwise="Nothing was paired."):
        raise told
    flow.again()


def _told(state: PairingState) -> EyelidError:
    failure = state.failure
    return EyelidError(failure.what, failure.why, failure.action) if failure else EyelidError("No glasses were found.")
