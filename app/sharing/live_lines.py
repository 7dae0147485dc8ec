"""What is written of a live look: one line of intent, a mark on each capture before its first byte, and one line that counts them all."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from app.errors import EyelidError
from app.lanes import Lanes
from app.sharing import marks
from app.sharing.approval import Approval
from app.sharing.errors import GateClosed
from app.sharing.live_types import LiveProposal
from app.sharing.receipts import Ending, ReceiptBook, line_about, line_of
from app.sharing.types import Outcome, Picture, Proposal, Receipt, ReceiptKind
from app.vault.types import ItemId
from app.vault.vault import Vault


def line_of_look(proposal: LiveProposal) -> Receipt:
    """The line of a live look before it began: sizes and frames are the most that was asked for, no captures yet."""
    line = line_about(proposal.id, proposal.destination, proposal.card, proposal.created_at)
    return replace(line, kind=ReceiptKind.LIVE, frames=proposal.draft.frames, body_size=proposal.most_bytes)


def number_of(count: int, noun: str) -> str:
    """A number and what it counts: 1 photo, 2 photos."""
    return f"{count} {noun}{'s' if count != 1 else ''}"


def words_of_look(proposal: LiveProposal) -> str:
    """What was asked for, as a sentence."""
    draft = proposal.draft
    most, each = number_of(draft.frames, "frame"), number_of(draft.every, "second")
    return (
        f"A live look: at most {most} in {number_of(draft.minutes, 'minute')}, one in {each} at most, "
        f"none larger than {proposal.frame_bytes} bytes. {'Faces are covered.' if proposal.cover_faces else 'Faces are not covered.'}"
    )


def digest_over(bodies: list[str]) -> str:
    """SHA-256 over the SHA-256 of each frame's request, in hex and each with a newline, in the order in which they went."""
    return hashlib.sha256("".join(f"{each}\n" for each in bodies).encode()).hexdigest()


@dataclass(slots=True)
class FrameLines:
    """The gate's `Lines` of the frames of one look. `counted` hears of each frame that is about to go; `changed` of each capture marked."""

    vault: Vault
    lanes: Lanes
    book: ReceiptBook
    intent: Receipt
    may_go: Callable[[], bool]
    counted: Callable[[int, Picture | None], None]
    changed: Callable[[tuple[ItemId, ...]], None]
    sent: list[tuple[Proposal, Receipt]] = field(default_factory=list)
    about_to: int = 0

    async def intend(self, proposal: Proposal, approval: Approval) -> None:
        """The capture says that it is shared, durably, before the first byte of it leaves."""
        if not self.may_go() or self.about_to >= self.intent.frames:
            raise GateClosed("Nothing was sent.", "The live look has ended.", "Start another one.")
        if not await self.lanes.vault(marks.mark, self.vault, self._line(proposal), proposal.question, ""):
            raise GateClosed("Nothing was sent.", "The capture is gone.", "Let the glasses take another one.")
        self.about_to += 1
        self.counted(self.about_to, proposal.pictures[0])

    async def end(self, proposal: Proposal, approval: Approval, ending: Ending, answer: str) -> Receipt:
        """Count what left; where nothing did, the capture is private again. What it returns is in no book."""
        line = self._line(proposal)
        line = replace(line, outcome=ending.outcome, detail=ending.detail, bytes_sent=ending.bytes_sent)
        line = replace(line, http_status=ending.http_status, request_id=ending.request_id)
        if ending.bytes_sent:
            self.sent.append((proposal, line))
        else:
            self.about_to -= 1
            self.counted(self.about_to, None)
        # Locked meanwhile: the end line names what left, and the captures are marked from it at the next unlock.
        with contextlib.suppress(EyelidError, OSError):
            if not ending.bytes_sent:
                await self.lanes.vault(marks.unmark, self.vault, line)
            elif answer:
                await self.lanes.vault(marks.mark, self.vault, line, proposal.question, answer)
            self.changed(line.items)
        return line

    async def withheld(self, proposal: Proposal, approval: Approval, ending: Ending) -> None:
        """Nothing: the look ends with it, and its end line says why."""

    def _line(self, proposal: Proposal) -> Receipt:
        return replace(line_of(proposal), number=self.intent.number)

    async def close(self, outcome: Outcome, why: str) -> Receipt:
        """Write the end line, and let the captures name it. Raises what keeps it from being written."""
        receipt = await self.lanes.vault(self.book.add_line, self._end_line(), self._ending(outcome, why))
        with contextlib.suppress(EyelidError, OSError):
            self.changed(await self.lanes.vault(marks.renumber, self.vault, receipt, self.intent.number))
        return receipt

    def _end_line(self) -> Receipt:
        return replace(
            self.intent,
            items=tuple(item for proposal, _ in self.sent for item in proposal.parcel.draft.items),
            item_digests=tuple(digest for _, line in self.sent for digest in line.item_digests),
            body_sha256=digest_over([proposal.parcel.sha256 for proposal, _ in self.sent]),
            body_size=sum(proposal.size for proposal, _ in self.sent),
            frames=len(self.sent),
        )

    def _ending(self, outcome: Outcome, why: str) -> Ending:
        last = self.sent[-1][1] if self.sent else None
        return Ending(
            outcome if self.sent else Outcome.NOT_SENT,
            why,
            sum(line.bytes_sent for _, line in self.sent),
            last.http_status if last else None,
            last.request_id if last else "",
        )
