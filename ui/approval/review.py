"""The way to an approval: the exact request is made, shown, looked at by the finders and changed as the person wants, until it is decided.

Owns one dialog and what is done for it. Each change makes a new proposal in the place of the old one; what is approved is always the one
that is shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtWidgets import QDialog, QWidget

from app.errors import explain
from app.media.look.types import Findings, Kind, Part, not_checked
from app.sharing.grants import Grant, GrantWish
from app.sharing.types import Draft, PictureChoice, PolicyClass, Proposal
from app.vault.types import ItemId
from ui.approval.decision import ARM_MS
from ui.approval.dialog import ApprovalDialog
from ui.approval.facts import class_of
from ui.context import Context
from ui.i18n import tr
from ui.widgets.filmstrip import choose_frames
from ui.widgets.marks import Marks
from ui.widgets.redactor import redact

Key = tuple[ItemId, int | None]
"""A picture of the draft: the capture, and the time of the frame where it is a video."""

OPEN_AFTER = 0.1
"""Seconds after which the dialog opens although the request is still being made."""

_TASKS = "approval"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was decided about `proposal`. `wish` is what the person allowed besides; `grant` is what they had allowed before."""

    proposal: Proposal | None
    yes: bool
    wish: GrantWish | None = None
    grant: Grant | None = None


class Review:
    """One approval, from the draft to the decision. `proposal` is the one that stands now, for whoever has to refuse it."""

    def __init__(self, parent: QWidget, context: Context, draft: Draft, *, arm_ms: int = ARM_MS) -> None:
        self._context = context
        self._draft = draft
        self._sharing = context.services.sharing
        destination = next(each for each in self._sharing.destinations() if each.id == draft.destination_id)
        known = self._sharing.card(draft.destination_id)
        self.dialog = ApprovalDialog(parent, context.theme, destination, known, arm_ms=arm_ms)
        self._may_train = class_of(destination, known) is PolicyClass.TRAINS
        self.proposal: Proposal | None = None
        self._keys: list[Key] = []
        self._found: dict[Key, Findings] = {}
        self._marks: dict[Key, Marks] = {}
        self._shown: tuple[list[Key], dict[Key, Marks]] = ([], {})
        self._wanted: Draft | None = None
        self._making: asyncio.Task[None] | None = None
        self._advised: set[Key] = set()
        self._sheet: asyncio.Task[None] | None = None
        self.dialog.found.cover.connect(self._cover)
        self.dialog.redact.connect(self._redact)
        self.dialog.leave_out.connect(self._leave_out)
        self.dialog.choose_frames.connect(self._frames)

    # -- from the draft to the decision ----------------------------------------------------------------------------------------

    async def run(self) -> Answer:
        """Make the request, show it and wait for the decision; a grant that fits it decides at once. Raises what `prepare` raises.

        Cancelling this closes the dialog: then nothing was decided, which means no.
        """
        making = asyncio.ensure_future(self._sharing.prepare(self._draft))
        closed: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.dialog.finished.connect(lambda result: None if closed.done() else closed.set_result(result))
        try:
            # A standing grant may make the dialog needless: it is not to flash up.
            await asyncio.wait({making}, timeout=None if self._sharing.grants() else OPEN_AFTER)
            if not making.done():
                self.dialog.open()
                either: set[asyncio.Future[Any]] = {making, closed}
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if closed.done():
                return Answer(None, False)
            self.proposal = making.result()
            if (grant := self._sharing.grant_for(self.proposal)) is not None:
                return Answer(self.proposal, True, grant=grant)
            self._show(self.proposal)
            self.dialog.open()
            result = await closed
            return Answer(self.proposal, result == QDialog.DialogCode.Accepted, self.dialog.wish.wish)
        finally:
            await self._end(making)

    async def _end(self, making: asyncio.Future[Proposal]) -> None:
        """Close the dialog and leave nothing running; a request that came too late stands until it is refused."""
        if self.dialog.isVisible():
            self.dialog.reject()
        self._context.tasks.cancel(_TASKS)
        if self._sheet is not None and not self._sheet.done():
            self._sheet.cancel()  # before its sheet goes with the dialog
            await asyncio.wait({self._sheet})
        if not making.done():
            making.cancel()
            await asyncio.wait({making})
        if self.proposal is None and not making.cancelled() and making.exception() is None:
            self.proposal = making.result()
        self._wanted = None
        if self._making is not None:
            await asyncio.wait({self._making})
        self.dialog.deleteLater()

    def _show(self, proposal: Proposal) -> None:
        self._keys = [(choice.item, choice.at_ms) for choice in proposal.parcel.draft.pictures]
        self._draft = proposal.parcel.draft
        self._shown = (list(self._keys), dict(self._marks))
        self.dialog.wish.show_offer(self._sharing.grant_offer(proposal))
        self.dialog.show_proposal(proposal)
        if any(key not in self._found for key in self._keys):
            self._start(self._look(tuple(self._keys)))
        self._tell()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._context.tasks.start(work, key=_TASKS, on_error=self.dialog.told.trouble)

    # -- what is on the pictures -----------------------------------------------------------------------------------------------

    async def _look(self, keys: Sequence[Key]) -> None:
        for key in keys:
            known = self._found.get(key)
            if known is None or len(known.checks) < len(Part):
                await self._look_at(key)

    async def _look_at(self, key: Key) -> None:
        try:
            findings = await self._sharing.look(*key, told=lambda findings: self._heard(key, findings))
        except Exception as error:  # whatever keeps it from being looked at reads "not checked"
            findings = Findings(checks=not_checked(tuple(Part), explain(error).what))
        self._heard(key, findings)

    def _heard(self, key: Key, findings: Findings) -> None:
        self._found[key] = findings
        self._marks[key] = self._marks.get(key, Marks()).seen(findings)
        if key in self._keys:
            self._advise()
            self._tell()

    def _advise(self) -> None:
        """Once the faces of all pictures were looked for: where it may train, the copy with covered faces comes first."""
        if not self._may_train or self._unseen():
            return
        new = [key for key in self._keys if key not in self._advised]
        self._advised |= set(new)
        if new and any(self._found[key].has_faces for key in new):
            for key in new:
                self._marks[key] = self._marks[key].covering((Kind.FACE,), True)
            self._change()
            self.dialog.told.say(tr("Faces are covered first, because it may be used for training. You can show them again."), "good")

    def _unseen(self) -> bool:
        return any(not any(check.part is Part.FACES for check in self._found.get(key, Findings()).checks) for key in self._keys)

    def _tell(self) -> None:
        self.dialog.found.show_found([self._found.get(key) for key in self._keys], [self._marks.get(key, Marks()) for key in self._keys])
        self.dialog.must_look(self._may_train and self._unseen())

    # -- changes ---------------------------------------------------------------------------------------------------------------

    def _change(self) -> None:
        """Make the request anew with what is marked now."""
        pictures = tuple(PictureChoice(item, at_ms, self._marks.get((item, at_ms), Marks()).edit) for item, at_ms in self._keys)
        items = tuple(dict.fromkeys(item for item, _ in self._keys))
        self._wanted = replace(self._draft, items=items, pictures=pictures)
        self.dialog.be_busy(tr("Making the changed copy…"))
        if self._making is None or self._making.done():
            self._making = asyncio.ensure_future(self._remake())

    async def _remake(self) -> None:
        """One proposal after another until the last change is in; never cancelled halfway, so that the one that stands is known."""
        while self._wanted is not None:
            draft, self._wanted = self._wanted, None
            try:
                self.proposal = await self._sharing.prepare(draft, instead_of=self.proposal)
            except Exception as error:  # the change cannot be made: what is shown stays
                self._keys, self._marks = list(self._shown[0]), self._marks | self._shown[1]
                self._tell()
                self.dialog.stay(explain(error))
                continue
            if self._wanted is None and self.dialog.isVisible():
                self._show(self.proposal)

    def _cover(self, kinds: Sequence[Kind], on: bool) -> None:
        for key in self._keys:
            self._marks[key] = self._marks.get(key, Marks()).covering(tuple(kinds), on)
        self._change()
        self._tell()

    def _leave_out(self, number: int) -> None:
        if len(self._keys) > 1:
            del self._keys[number]
            self._change()

    def _open(self, work: Coroutine[Any, Any, None]) -> None:
        """Open a sheet in front of the dialog; one at a time."""
        self._sheet = self._context.tasks.start(work, key="redact", on_error=self.dialog.told.trouble)

    def _redact(self, number: int) -> None:
        self._open(self._redacting(self._keys[number]))

    async def _redacting(self, key: Key) -> None:
        frame = await self._sharing.view(*key)
        findings = self._found.get(key, Findings())
        size = (findings.width or frame.width, findings.height or frame.height)
        made = await redact(self.dialog, self._context.theme, frame.jpeg, size, self._marks.get(key, Marks()))
        if made is not None and key in self._keys:
            self._marks[key] = made
            self._change()
            self._tell()

    def _frames(self, number: int) -> None:
        self._open(self._choosing(self._keys[number][0]))

    async def _choosing(self, item: ItemId) -> None:
        chosen = tuple(at_ms for one, at_ms in self._keys if one == item and at_ms is not None)
        times = await choose_frames(self.dialog, self._context, item, chosen)
        if times:
            place = next(number for number, key in enumerate(self._keys) if key[0] == item)
            others = [key for key in self._keys if key[0] != item]
            self._keys = [*others[:place], *((item, at_ms) for at_ms in times), *others[place:]]
            self._change()
