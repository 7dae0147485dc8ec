"""One live look under way: frames from the glasses, each through the gate, until the first of many reasons to end.

Owns the look from its line of intent to its end line. A frame is an ordinary capture, sealed in the vault before it is looked at here,
and marked as shared before its first byte leaves: so whatever ends the program, it is known at the next start which frames may be gone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from app.errors import EyelidError, explain
from app.lanes import Lanes
from app.media.look.boxes import Box
from app.sharing import parcel
from app.sharing.approval import Approvals
from app.sharing.errors import NotReady
from app.sharing.gate import Gate
from app.sharing.grants import SLEPT
from app.sharing.live_lines import FrameLines, line_of_look, words_of_look
from app.sharing.live_types import LiveProposal, LiveView
from app.sharing.looking import Looking
from app.sharing.receipts import Ending, ReceiptBook
from app.sharing.shaping import Space, fitted
from app.sharing.types import AnswerText, Draft, Ended, Outcome, Picture, Proposal, Receipt
from app.vault.types import ItemId, ItemKind, ItemMeta
from app.vault.vault import Vault

SPACE = Space(long_edge=1024, jpeg_bytes=384 * 1024)
"""What a frame may take: small enough for one every few seconds."""
SETBACKS = 3
"""Frames in a row that could not be prepared; then it is not bad luck, and the look ends."""
LINK_LOST, TIME_OVER, ALL_SENT = "The glasses are no longer connected.", "Its time was over.", "All its frames were sent."
_RETAKE = "Let the glasses take another one."


class FrameSource(Protocol):
    """Glasses that take photos one after the other. Sharing knows nothing else of them."""

    def check(self, glasses: str) -> None:
        """Raise NotReady unless these glasses are connected and can take photos."""
        ...

    def frames(self, glasses: str, every: int) -> AsyncGenerator[ItemId, None]:
        """Make them take a photo every so many seconds, and yield each once it is sealed; ends when the glasses are lost.

        Closing it lets them stop. Raises the errors of the glasses.
        """
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What a look works with. `tell` hears of each change, `written` of each receipt, `changed` of each capture that was marked."""

    vault: Vault
    lanes: Lanes
    gate: Gate
    approvals: Approvals
    book: ReceiptBook
    looking: Looking
    clock: Callable[[], datetime]
    elapsed: Callable[[], float]
    tell: Callable[[LiveView], None]
    written: Callable[[Receipt], None]
    changed: Callable[[tuple[ItemId, ...]], None]


class LiveLook:
    """Make it, `begin` it, `end` it at any time, and wait for `ended`. To be used on one loop."""

    def __init__(self, proposal: LiveProposal, tools: Tools) -> None:
        draft, now = proposal.draft, tools.clock()
        self._proposal = proposal
        self._tools = tools
        self._began = tools.elapsed()
        self._outcome = Outcome.CANCELLED
        self._forgotten = False
        self._newest: ItemId | None = None
        self._came = asyncio.Event()
        self._over = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.ended = asyncio.Event()
        """Set once its end is written, or it never began."""
        ends = now + timedelta(minutes=draft.minutes)
        self.view = LiveView(proposal.id, draft.glasses, proposal.destination, True, 0, draft.frames, 0, 0, now, ends)

    @property
    def stands(self) -> bool:
        """Whether a frame may still go: it has not ended, and neither its time is over nor did the computer sleep."""
        now, view = self._tools.clock(), self.view
        apart = (now - view.started_at) - timedelta(seconds=self._tools.elapsed() - self._began)
        return view.running and not view.why and view.started_at <= now < view.ends_at and abs(apart) <= SLEPT

    async def begin(self, source: FrameSource) -> None:
        """Write the line of intent, then start. Raises whatever keeps the line from being written; then nothing has happened."""
        tools, proposal = self._tools, self._proposal
        intent = await tools.lanes.vault(tools.book.add_line, line_of_look(proposal), Ending(Outcome.INTENDED, words_of_look(proposal)))
        tools.written(intent)
        lines = FrameLines(tools.vault, tools.lanes, tools.book, intent, lambda: self.stands, self._counted, tools.changed)
        tools.tell(self.view)
        self._task = asyncio.create_task(self._run(source, lines))

    def drop(self) -> None:
        """It never began."""
        self.view = replace(self.view, running=False)
        if self.view.why:
            self._tools.tell(self.view)  # of the wish to stop it was told
        self.ended.set()

    def end(self, why: str, outcome: Outcome = Outcome.CANCELLED) -> None:
        """No further frame goes, and the one on its way is stopped. The first reason counts."""
        if self.view.running and not self.view.why:
            self._outcome = outcome
            self._show(why=why)
            self._over.set()
            self._came.set()

    def forget(self) -> None:
        """Show neither picture nor answer any more."""
        self._forgotten = True
        self._show()

    def _show(self, **changes: object) -> None:
        if self._forgotten:
            changes |= {"last": None, "answer": ""}
        self.view = replace(self.view, **changes)  # type: ignore[arg-type]  # names of its own fields
        self._tools.tell(self.view)

    def _counted(self, frames: int, picture: Picture | None) -> None:
        self._show(frames=frames, last=picture or self.view.last, answer="" if picture else self.view.answer)

    # -- its life

    async def _run(self, source: FrameSource, lines: FrameLines) -> None:
        left = (self.view.ends_at - self._tools.clock()).total_seconds()
        timer = asyncio.get_running_loop().call_later(left, self.end, TIME_OVER, Outcome.ANSWERED)
        helpers = [asyncio.create_task(self._pump(source)), asyncio.create_task(self._stopper())]
        try:
            await self._send_all(lines)
        except Exception as error:  # whatever it was, the look has its end, and the book its line
            self.end(str(explain(error)), Outcome.FAILED)
        finally:
            timer.cancel()
            self.end("It was broken off.")
            helpers[0].cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            try:
                await self._close(lines)
            finally:
                self.ended.set()

    async def _pump(self, source: FrameSource) -> None:
        """Take what the glasses deliver. Only the newest frame waits; older ones are passed over, and stay in the vault."""
        draft = self._proposal.draft
        try:
            async with contextlib.aclosing(source.frames(draft.glasses, draft.every)) as frames:
                async for item in frames:
                    if self._newest is not None:
                        self._show(skipped=self.view.skipped + 1)
                    self._newest = item
                    self._came.set()
            self.end(LINK_LOST)
        except Exception as error:
            self.end(str(explain(error)))

    async def _stopper(self) -> None:
        await self._over.wait()
        await self._tools.gate.cancel_under(self._proposal.id)

    async def _close(self, lines: FrameLines) -> None:
        try:
            receipt = await lines.close(self._outcome, self.view.why)
        except (EyelidError, OSError) as error:
            # The line of intent stands, and is ended at the next unlock with what the captures tell.
            self._show(running=False, why=f"{self.view.why} {explain(error)}")
            return
        self._tools.written(receipt)
        self._show(running=False, receipt=receipt, bytes_sent=receipt.bytes_sent)

    async def _send_all(self, lines: FrameLines) -> None:
        setbacks = 0
        while not self.view.why:
            await self._came.wait()
            self._came.clear()
            item, self._newest = self._newest, None
            if item is None or self.view.why:
                continue
            try:
                frame = await self._frame(item)
            except EyelidError:
                self._show(skipped=self.view.skipped + 1)
                setbacks += 1
                if setbacks >= SETBACKS:
                    raise
                continue
            setbacks = 0
            if not self.view.why:
                await self._send(frame, lines)

    # -- one frame

    async def _frame(self, item: ItemId) -> Proposal:
        """The request of one frame. Raises NotReady and the errors of items, media and covering: then this one does not go."""
        tools, asked = self._tools, self._proposal
        meta = await tools.lanes.vault(tools.vault.meta, item)
        if meta.new.kind is not ItemKind.PHOTO or meta.trashed_at is not None:
            raise NotReady("This is not sent.", "It is no photo, or was thrown away.", _RETAKE)
        picture = await self._picture(meta)
        draft = Draft((item,), asked.draft.question, asked.destination.id)
        made = await tools.lanes.work(parcel.propose, draft, asked.destination, asked.card, [picture], tools.clock())
        if made.size > asked.frame_bytes:
            raise NotReady("This is not sent.", "It is larger than what was allowed.", _RETAKE)
        return made

    async def _picture(self, meta: ItemMeta) -> Picture:
        tools, new = self._tools, meta.new
        data = await tools.lanes.vault(tools.vault.read, meta.id)
        if self._proposal.cover_faces:
            made = await tools.looking.redacted(data, new.media_type, new.orientation, SPACE)
        else:
            made = await tools.lanes.work(fitted, data, new.media_type, new.orientation, SPACE)
        covered = tuple(Box(*place) for place in made.covered)
        return Picture(meta.id, made.jpeg, made.width, made.height, made.removed, covered=covered)

    async def _send(self, frame: Proposal, lines: FrameLines) -> None:
        """Raises GateClosed when the gate did not let it through; a bad answer ends the look too."""
        approval = self._tools.approvals.grant(frame, under=self._proposal.id)
        ended: Receipt | None = None
        answer, before = "", self.view.bytes_sent
        async for event in self._tools.gate.send(frame, approval, lines):
            if isinstance(event, AnswerText):
                answer += event.text
                self._show(answer=answer)
            elif isinstance(event, Ended):
                ended = event.receipt
            else:
                self._show(bytes_sent=before + event.sent)
        assert ended is not None, "the gate ends every sending"
        self._show(bytes_sent=before + ended.bytes_sent)
        if ended.outcome not in (Outcome.ANSWERED, Outcome.CANCELLED):
            self.end(ended.detail or "The assistant gave no answer.", Outcome.FAILED)
        elif self.view.frames >= self.view.most_frames:
            self.end(ALL_SENT, Outcome.ANSWERED)
