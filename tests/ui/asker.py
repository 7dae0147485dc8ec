"""The way of a question to the dialog of approval, as the program goes it, without the window around."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtWidgets import QWidget

from app.media.look.types import Part
from app.sharing.types import Draft, PolicyClass
from tests.ui.hands import shown
from ui.approval import ApprovalDialog
from ui.pages.asking import Sender

TRAINS, KEPT, LOCAL, MIRROR = PolicyClass.TRAINS, PolicyClass.KEPT, PolicyClass.LOCAL, PolicyClass.MIRROR


@dataclass
class Asker:
    """The way of a question without the window around it: the dialog is the program's own, and so is what it is opened by."""

    parent: QWidget
    services: Any
    sender: Sender
    until: Any
    fake: Any

    async def __call__(self, of: PolicyClass = KEPT, count: int = 1, *, looked: bool = True) -> ApprovalDialog:
        """Ask about so many captures at a place of this class; the dialog that opens, once it has looked."""
        self.sender.ask(Draft(tuple(self.fake.item_id(number) for number in range(count)), "What plant is this?", of.value))
        await self.until(lambda: shown(self.parent, ApprovalDialog))
        dialog = shown(self.parent, ApprovalDialog)[0]
        await self.until(lambda: dialog.proposal is not None)
        if looked:
            await self.until(lambda: "…" not in dialog.found.lines[Part.CODES].words.text())
        return dialog

    async def over(self) -> None:
        await self.until(lambda: not self.sender.busy)


async def arm(dialog: ApprovalDialog, until) -> None:
    dialog._armed.setInterval(0)
    for check in dialog.checks:
        check.setChecked(True)
    dialog.wait_again()
    await until(lambda: dialog.armed)
