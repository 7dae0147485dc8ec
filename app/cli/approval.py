"""The approval, at a terminal: what would leave, to whom, under which terms; then a question that only a person may answer.

The words come from the parcel's own bytes and its policy card, as in the window.
"""

from __future__ import annotations

import hashlib

from app.cli.terminal import Exit, Terminal
from app.errors import EyelidError
from app.services import Services
from app.sharing.approval import Approval
from app.sharing.desk import SharingDesk
from app.sharing.grants import GrantSpan, GrantWish
from app.sharing.types import AnswerText, Draft, Ended, Outcome, Picture, PolicyClass, Proposal, Receipt

TALK = GrantWish(GrantSpan.CONVERSATION, minutes=15, items=5)
"""What a conversation at the terminal may be allowed without being asked for each time."""


async def ask_and_answer(services: Services, draft: Draft, terminal: Terminal, *, yes: bool, talk: bool = False) -> Exit:
    """Prepare, show, ask, and send what was approved. `yes` answers for the mirror only, which stays on this computer.

    With `talk`, further questions are asked for afterwards, which go in words alone, with what was said before.
    """
    found, receipt = await _ask_once(services.sharing, draft, terminal, yes=yes, talk=talk)
    while talk and found is Exit.DONE and receipt and (question := await terminal.ask("\nAsk further, or press Enter to end:")):
        about = draft.about or draft.items[0]
        draft = Draft((), question, draft.destination_id, earlier=(*draft.earlier, receipt.number), about=about)
        found, receipt = await _ask_once(services.sharing, draft, terminal, yes=False, talk=talk)
    return found


async def _ask_once(desk: SharingDesk, draft: Draft, terminal: Terminal, *, yes: bool, talk: bool) -> tuple[Exit, Receipt | None]:
    proposal = await desk.prepare(draft)
    if grant := desk.grant_for(proposal):
        until = f" until {grant.ends_at.astimezone():%H:%M}" if grant.ends_at else ""
        terminal.say(f"Sent under what you allowed{until}; grant {grant.id}, {grant.items_left} left before this one.")
        return await _send(desk, proposal, await desk.approve_under(proposal, grant.id), terminal)
    mirror = proposal.parcel.card.policy_class is PolicyClass.MIRROR
    if yes and not mirror:
        await desk.refuse(proposal, "--yes is not accepted for this destination")
        why = "--yes is accepted for the mirror only, which stays on this computer."
        raise EyelidError("Nothing was sent.", why, "Answer the question yourself.")
    show(proposal, terminal)
    try:
        approved = yes or await _approved(proposal, terminal)
        wish = TALK if approved and talk and await _allowed(desk, proposal, terminal) else None
    except BaseException:
        await desk.refuse(proposal, "the question was not answered")
        raise
    if not approved:
        refusal = await desk.refuse(proposal)
        return kept_private(refusal, terminal), refusal
    return await _send(desk, proposal, await desk.approve(proposal, wish), terminal)


def kept_private(refusal: Receipt, terminal: Terminal) -> Exit:
    """Say that the answer was no."""
    terminal.say(f"Kept private. Nothing left this computer; receipt #{refusal.number} says so.")
    terminal.data({"outcome": refusal.outcome.value, "receipt": refusal.number})
    return Exit.KEPT_PRIVATE


async def _allowed(desk: SharingDesk, proposal: Proposal, terminal: Terminal) -> bool:
    """Whether more of this conversation may go without being asked for; not even asked where that cannot be."""
    if GrantSpan.CONVERSATION not in desk.grant_offer(proposal).spans:
        return False
    return await terminal.confirm(f"And {TALK.items} more of this conversation, within {TALK.minutes} minutes, without asking? [y/N]")


async def _send(desk: SharingDesk, proposal: Proposal, approval: Approval, terminal: Terminal) -> tuple[Exit, Receipt]:
    answer = ""
    receipt: Receipt | None = None
    terminal.say()
    async for event in desk.send(proposal, approval):
        if isinstance(event, AnswerText):
            answer += event.text
            terminal.part(event.text)
        elif isinstance(event, Ended):
            receipt = event.receipt
    assert receipt is not None, "the gate ends every sending with a receipt"
    return _finish(answer, receipt, terminal), receipt


def _finish(answer: str, receipt: Receipt, terminal: Terminal) -> Exit:
    terminal.say(f"\n\nReceipt #{receipt.number}: {receipt.outcome.value}, {receipt.bytes_sent} bytes to {receipt.origin}.")
    if receipt.detail:
        terminal.say(receipt.detail)
    terminal.data({"outcome": receipt.outcome.value, "receipt": receipt.number, "answer": answer, "bytes_sent": receipt.bytes_sent})
    return Exit.DONE if receipt.outcome is Outcome.ANSWERED else Exit.FAILED


async def _approved(proposal: Proposal, terminal: Terminal) -> bool:
    parcel = proposal.parcel
    count = len(proposal.pictures)
    what = f"{count} picture{'s' if count != 1 else ''}" if count else "your question"
    if parcel.card.policy_class is PolicyClass.TRAINS:
        question = f"Type “send” to send {what} to {parcel.destination.company}; anything else keeps it private:"
        return await terminal.confirm(question, word="send")
    return await terminal.confirm(f"Send {what} to {parcel.destination.company}? [y/N]")


def _made(picture: Picture) -> str:
    """What was done to a picture, and what is still to be seen in it."""
    parts = [f"removed: {', '.join(picture.removed)}"] if picture.removed else []
    parts += [f"covered places: {len(picture.covered)}"] if picture.covered else []
    parts += [f"faces still found: {picture.faces}"] if picture.faces else []
    return "".join(f"; {part}" for part in parts)


def show(proposal: Proposal, terminal: Terminal) -> None:
    """Print what would leave, read back from the very bytes of the request."""
    parcel, card = proposal.parcel, proposal.parcel.card
    destination = parcel.destination
    terminal.say(f"Would be sent to:  {destination.company}, {destination.origin}, model {destination.model or 'none'}")
    for picture in proposal.pictures:
        what = "a photo:         " if picture.at_ms is None else f"a frame, {picture.at_ms / 1000:>4.1f} s: "
        digest = hashlib.sha256(picture.jpeg).hexdigest()[:16]
        terminal.say(f"  {what}{picture.width}x{picture.height}, {len(picture.jpeg)} bytes, sha256 {digest}…{_made(picture)}")
    if not proposal.pictures:
        terminal.say("  no photo:        words alone")
    terminal.say(f"  your question:   {proposal.question}")
    for turn in proposal.earlier:
        terminal.say(f"  said before:     {turn.question}")
        terminal.part(f"                   {turn.answer}\n")
    terminal.say(f"  nothing else;    {proposal.size} bytes on the wire, sha256 {parcel.sha256[:16]}…")
    terminal.say(f"Training:          {card.trains.text}")
    terminal.say(f"Kept:              {card.retention.text}")
    terminal.say(f"People looking:    {card.people.text}")
    if card.may_train:
        terminal.say("What you send may be used to train AI.")
    if not destination.local:
        who = "People in it have not been asked. " if proposal.pictures else ""
        terminal.say(f"{who}It cannot be recalled once sent.")
    for note in proposal.notes:
        terminal.say(note)
    terminal.say(f"Terms read on {card.read_on.isoformat()}.")
