"""`eyelid live`: a live look at the terminal. What may leave at most is said and asked for first; Ctrl-C stops it at once."""

from __future__ import annotations

import argparse
import asyncio

from app.cli.approval import kept_private
from app.cli.paired import paired, reached
from app.cli.terminal import Exit, Terminal, unlocked
from app.events import LiveChanged
from app.paths import Profile
from app.services import Services
from app.sharing.live_lines import number_of
from app.sharing.live_types import MOST_FRAMES, MOST_MINUTES, SLOWEST, LiveDraft, LiveProposal, LiveView
from app.sharing.types import Outcome


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("live", help="let an assistant see one photo after the other, for some minutes at most")
    command.add_argument(
        "--to", default="mirror", metavar="DEST", help="a destination (see “eyelid destinations list”); the mirror by default"
    )
    command.add_argument("--question", required=True, metavar="TEXT", help="goes with each photo")
    command.add_argument("--glasses", metavar="ADDRESS", help="which glasses, where several are paired")
    command.add_argument("--frames", type=int, default=20, metavar="N", help=f"at most so many, up to {MOST_FRAMES}")
    command.add_argument("--minutes", type=int, default=2, metavar="N", help=f"at most so long, up to {MOST_MINUTES}")
    command.add_argument("--every", type=int, default=5, metavar="SECONDS", help=f"one photo in so many seconds, up to {SLOWEST}")
    command.add_argument("--cover", choices=("faces", "none"), help="by default faces are covered where AI may be trained with them")
    command.add_argument("--sim", action="append", default=argparse.SUPPRESS, metavar="FAMILY", help="use simulated glasses")
    command.set_defaults(command=run)


async def run(profile: Profile, arguments: argparse.Namespace, terminal: Terminal) -> Exit:
    async with unlocked(profile, terminal, sims=arguments.sim) as services:
        address = paired(services, arguments.glasses)[0].known.address
        await reached(services, address)
        cover = {None: None, "faces": True, "none": False}[arguments.cover]
        draft = LiveDraft(address, arguments.question, arguments.to, arguments.frames, arguments.minutes, arguments.every, cover)
        return await look(services, draft, terminal)


async def look(services: Services, draft: LiveDraft, terminal: Terminal) -> Exit:
    """Ask, and follow the look to its end."""
    live = services.sharing.live
    proposal = await live.prepare(draft)
    show(proposal, terminal)
    try:
        approved = await _approved(proposal, terminal)
    except BaseException:
        await live.refuse(proposal, "the question was not answered")
        raise
    if not approved:
        return kept_private(await live.refuse(proposal), terminal)
    follow = _Follower(terminal)
    end = services.events.subscribe(LiveChanged, follow.changed)
    try:
        follow.take(await live.start(proposal))
        await follow.over.wait()
    finally:
        end()
        await live.stop()
    return _finish(live.view, terminal)


class _Follower:
    """Says what changed: each frame, and its answer as it comes in."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._frames = 0
        self._answer = ""
        self.over = asyncio.Event()

    def changed(self, event: LiveChanged) -> None:
        self.take(event.view)

    def take(self, view: LiveView) -> None:
        if view.frames > self._frames:
            self._frames, self._answer = view.frames, ""
            self._terminal.say(f"\nframe {view.frames} of at most {view.most_frames}, {view.bytes_sent} bytes so far; Ctrl-C stops")
        self._terminal.part(view.answer[len(self._answer) :])
        self._answer = view.answer
        if not view.running:
            self.over.set()


def show(proposal: LiveProposal, terminal: Terminal) -> None:
    """Print what may leave at most, to whom, and under which terms."""
    draft, card, place = proposal.draft, proposal.card, proposal.destination
    terminal.say(f"Would be sent to:  {place.company}, {place.origin}, model {place.model or 'none'}")
    most = f"{number_of(draft.frames, 'photo')} in {number_of(draft.minutes, 'minute')}"
    terminal.say(f"  live:            at most {most}, one in {number_of(draft.every, 'second')} at most")
    terminal.say(f"  at most:         {proposal.most_bytes} bytes in all; faces {'covered' if proposal.cover_faces else 'NOT covered'}")
    terminal.say(f"  your question:   {draft.question} (with each photo)")
    terminal.say(f"Training:          {card.trains.text}")
    terminal.say(f"Kept:              {card.retention.text}")
    terminal.say(f"People looking:    {card.people.text}")
    if card.may_train:
        terminal.say("What you send may be used to train AI.")
    if not place.local:
        terminal.say("People who come into view have not been asked. It cannot be recalled once sent.")
    for note in proposal.notes:
        terminal.say(note)
    terminal.say(f"Terms read on {card.read_on.isoformat()}.")


async def _approved(proposal: LiveProposal, terminal: Terminal) -> bool:
    what = f"up to {number_of(proposal.draft.frames, 'photo')} to {proposal.destination.company}"
    if proposal.card.may_train:
        return await terminal.confirm(f"Type “send” to send {what}; anything else keeps them private:", word="send")
    return await terminal.confirm(f"Send {what}? [y/N]")


def _finish(view: LiveView | None, terminal: Terminal) -> Exit:
    assert view is not None, "it was started"
    terminal.say(
        f"\n\n{view.why}\n{view.frames} frames, {view.bytes_sent} bytes to {view.destination.origin}; {view.skipped} were not sent."
    )
    receipt = view.receipt
    if receipt is not None:
        terminal.say(f"Receipt #{receipt.number}: {receipt.outcome.value}.")
    number = receipt.number if receipt else None
    terminal.data({"frames": view.frames, "skipped": view.skipped, "bytes_sent": view.bytes_sent, "why": view.why, "receipt": number})
    return Exit.FAILED if receipt is None or receipt.outcome in (Outcome.FAILED, Outcome.NOT_SENT) else Exit.DONE
