"""Steps that many tests of sharing take: approve and send, and a person at the terminal."""

from __future__ import annotations

from typing import Any

import pytest

from app.cli.terminal import NeedsTerminal, Terminal
from app.sharing.errors import GateClosed
from app.sharing.grants import GrantWish
from app.sharing.types import Ended, Outcome, Proposal, Receipt, SendEvent


async def go(room: Any, proposal: Proposal, wish: GrantWish | None = None) -> list[SendEvent]:
    """Approve and send."""
    approval = await room.desk.approve(proposal, wish)
    return [event async for event in room.desk.send(proposal, approval)]


def ended(events: list[SendEvent]) -> Receipt:
    assert isinstance(events[-1], Ended)
    return events[-1].receipt


async def receipt_of(room: Any, proposal: Proposal, wish: GrantWish | None = None) -> Receipt:
    """Approve and send; returns how it ended."""
    return ended(await go(room, proposal, wish))


async def refused(room: Any, proposal: Proposal, approval: Any) -> GateClosed:
    """The gate does not let it through."""
    with pytest.raises(GateClosed) as raised:
        [event async for event in room.desk.send(proposal, approval)]
    assert room.courier.orders == []
    return raised.value


async def outcomes(room: Any) -> list[Outcome]:
    return [receipt.outcome for receipt in await room.desk.receipts()]


class Person(Terminal):
    """A terminal whose person gives these answers, one after the other; without any, nobody is there."""

    def __init__(self, *answers: str) -> None:
        super().__init__()
        self._there = bool(answers)
        self.answers = list(answers)
        self.asked: list[str] = []
        self.said: list[str] = []

    @property
    def interactive(self) -> bool:
        return self._there

    def say(self, text: str = "") -> None:
        self.said.append(text)

    def part(self, text: str) -> None:
        self.said.append(text)

    async def ask(self, question: str, *, otherwise: str = "") -> str:
        self.asked.append(question)
        if not self._there:
            raise NeedsTerminal(otherwise)
        return self.answers.pop(0)
