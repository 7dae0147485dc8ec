"""What is written of a sending, and when. The gate calls these at the moments that count, and sends nothing unless `intend` returned."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from app.errors import EyelidError
from app.lanes import Lanes
from app.sharing.approval import Approval
from app.sharing.receipts import Ending, ReceiptBook
from app.sharing.types import Outcome, Proposal, Receipt

After = Callable[[Proposal, Receipt, str], Awaitable[None]]


class Lines(Protocol):
    """What the gate writes of one sending."""

    async def intend(self, proposal: Proposal, approval: Approval) -> None:
        """Durable when it returns; raises whatever keeps it from being written, and then nothing is sent."""
        ...

    async def end(self, proposal: Proposal, approval: Approval, ending: Ending, answer: str) -> Receipt:
        """How it ended, after `intend`."""
        ...

    async def withheld(self, proposal: Proposal, approval: Approval, ending: Ending) -> None:
        """The gate did not let it through, before `intend`. Never raises what would hide the reason for that."""
        ...


class BookLines:
    """A line of intent and a line of the end for each sending, in the book of receipts."""

    def __init__(self, book: ReceiptBook, lanes: Lanes, after: After) -> None:
        """`after` is awaited with each receipt, and with the last one the answer."""
        self._book = book
        self._lanes = lanes
        self._after = after

    async def intend(self, proposal: Proposal, approval: Approval) -> None:
        intent = await self._lanes.vault(self._book.add, proposal, Ending(Outcome.INTENDED, approval.note), approval.grant)
        await self._after(proposal, intent, "")

    async def end(self, proposal: Proposal, approval: Approval, ending: Ending, answer: str) -> Receipt:
        receipt = await self._lanes.vault(self._book.add, proposal, ending, approval.grant)
        await self._after(proposal, receipt, answer)
        return receipt

    async def withheld(self, proposal: Proposal, approval: Approval, ending: Ending) -> None:
        try:
            receipt = await self._lanes.vault(self._book.add, proposal, ending, approval.grant)
        except (EyelidError, OSError):
            return
        await self._after(proposal, receipt, "")
