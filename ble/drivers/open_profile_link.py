"""Requests and transfers on one link of the open profile: who asked for what, which notification belongs to whom, and when to give up.

Knows nothing of captures beyond their number and size; `open_profile_session` does.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncGenerator, Iterator

from ble.drivers import open_profile_wire as wire
from ble.drivers.open_profile_transfer import Piece, Receiver
from ble.drivers.open_profile_wire import Answer, Op, Record, Request, Result
from ble.errors import CameraSilent, GlassesError, PairingNeeded, ProtocolFault, Unsupported, link_lost
from ble.port import GattPort

FRAMES_A_WINDOW = 192
"""About 95 KiB on a large link, 3 KiB on the smallest: a window takes about as long on either, and its mark and credit cost it little."""
MOST_AGAIN = 4
"""How often in a row the same window is asked for again."""
ANSWER_SECONDS = 10.0
FRAME_SECONDS = 5.0
WINDOW_SECONDS = 120.0
"""Longest waits for an answer, for the next frame, and for a whole window; what `ble/OPEN_PROFILE.md` promises the glasses."""


_REFUSALS: dict[Result, tuple[type[GlassesError], str, str, str]] = {
    Result.UNSUPPORTED: (Unsupported, "These glasses can't do that.", "Their firmware does not know how.", "Update their firmware."),
    Result.NO_SUCH_CAPTURE: (
        ProtocolFault,
        "This capture is no longer on the glasses.",
        "It was removed since they told of it.",
        "Look for it in the vault.",
    ),
    Result.BUSY: (ProtocolFault, "The glasses are busy.", "They are doing something else.", "Wait a moment and try again."),
    Result.NOT_PERMITTED: (
        PairingNeeded,
        "The glasses want to be paired first.",
        "They refused as to a stranger.",
        "Pair them again.",
    ),
    Result.STORAGE_FULL: (CameraSilent, "The glasses are full.", "There is no room for another capture.", "Let captures be removed."),
    Result.CAMERA_FAILED: (CameraSilent, "The camera did not respond.", "The glasses say that it failed.", "Restart the glasses."),
    Result.BATTERY_LOW: (CameraSilent, "The battery of the glasses is too low.", "They keep it for what matters more.", "Charge them."),
    Result.DIGEST_DIFFERS: (
        ProtocolFault,
        "The glasses hold another capture under this number.",
        "Its digest is not the one they stated.",
        "Connect the glasses again.",
    ),
}


class _Again(Exception):
    """The transfer can be asked for again; says why it must."""


class _Transfer:
    """One transfer under way: its tag, what receives it, and a way to wait for it."""

    def __init__(self, tag: int, start: int, window: int, size: int | None) -> None:
        credit = start + window * (wire.WINDOWS_AHEAD if size is not None else 1)
        self.tag = tag
        self.changed = asyncio.Event()
        self.lost = False
        self.receiver = Receiver(start, window, self.changed.set, size=size, credit=credit)

    def link_lost(self) -> None:
        self.lost = True
        self.changed.set()

    async def piece(self) -> Piece:
        """The next window. Raises _Again, LinkLost, ProtocolFault."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + WINDOW_SECONDS
        while True:
            if self.receiver.pieces:
                return self.receiver.pieces.popleft()
            if self.lost:
                raise link_lost()
            verdict = self.receiver.verdict
            if verdict is not None:
                if verdict.again:
                    raise _Again(verdict.value)
                raise broken(verdict.value)
            await self._wait(deadline)

    async def _wait(self, deadline: float) -> None:
        before = self.receiver.progress
        self.changed.clear()
        try:
            async with asyncio.timeout(FRAME_SECONDS):
                await self.changed.wait()
        except TimeoutError:
            if self.receiver.progress == before:
                raise _Again("the glasses stopped sending it") from None
            if asyncio.get_running_loop().time() > deadline:
                raise broken("the glasses send it too slowly to ever end") from None


class OpenLink:
    """Lives on the radio's loop. `answered`, `arrived` and `lose` are for the port's callbacks: quick, and never raise."""

    def __init__(self, port: GattPort) -> None:
        self._port = port
        self._asking = asyncio.Lock()
        self._reading = asyncio.Lock()
        self._waiting: tuple[int, asyncio.Future[Answer]] | None = None
        self._transfers: dict[int, _Transfer] = {}
        self._last_tag = 0
        self.lost = False
        self.window = 0
        """Bytes a window; set once the size of notifications is known."""
        self.resumes = True
        """Whether the glasses can read from the middle of a capture."""

    # -- what the port hands in -----------------------------------------------------------------------------------------------------

    def answered(self, value: bytes) -> None:
        """An indication of the control point. An answer to a request that nobody waits for any more is dropped."""
        answer = wire.read_answer(value)
        if answer is None or self._waiting is None:
            return
        tag, future = self._waiting
        if answer.tag == tag and not future.done():
            future.set_result(answer)

    def arrived(self, value: bytes) -> None:
        """A data notification. Of a transfer that is over it means nothing."""
        transfer = self._transfers.get(value[0] & wire.HIGHEST_TAG) if value else None
        if transfer is not None:
            transfer.receiver.feed(value)

    def lose(self) -> None:
        """The link is gone: everything that waits for it ends now."""
        self.lost = True
        for transfer in self._transfers.values():
            transfer.link_lost()
        if self._waiting is not None and not self._waiting[1].done():
            self._waiting[1].set_exception(link_lost())

    # -- requests -------------------------------------------------------------------------------------------------------------------

    async def ask(self, op: Op, *values: int | bytes, tag: int = 0) -> tuple[int, ...]:
        """Put a request to the control point and return what its answer carries; one at a time. `tag` 0: any that is free.

        Raises ProtocolFault without an answer, the error that fits a refusal, LinkLost.
        """
        async with self._asking:
            if self.lost:
                raise link_lost()
            tag = tag or self._new_tag()
            future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            self._waiting = tag, future
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self._port.write(wire.CONTROL, Request(op, tag, values).pack())
                    answer = await future
            except TimeoutError:
                raise ProtocolFault(
                    "The glasses did not answer.", "They took a request and said nothing.", "Switch the glasses off and on again."
                ) from None
            finally:
                self._waiting = None
                if future.done() and not future.cancelled():
                    future.exception()  # seen, in case the write failed first
        if answer.op != op:
            raise ProtocolFault("The glasses answered something else.", "The answer is not to what was asked.", "Update their firmware.")
        if answer.result is not Result.OK:
            raise refusal(answer.result)
        return answer.values

    def _new_tag(self) -> int:
        for _ in range(wire.HIGHEST_TAG):
            self._last_tag = self._last_tag % wire.HIGHEST_TAG + 1
            if self._last_tag not in self._transfers:
                break
        return self._last_tag

    # -- transfers ------------------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _transfer(self, start: int, window: int, size: int | None) -> Iterator[_Transfer]:
        # Known before it is asked for: on some systems notifications of one characteristic overtake those of another.
        transfer = _Transfer(self._new_tag(), start, window, size)
        self._transfers[transfer.tag] = transfer
        try:
            yield transfer
        finally:
            del self._transfers[transfer.tag]

    async def page(self, after: int) -> tuple[int, tuple[Record, ...]]:
        """How many records remain behind this page, and the records with ids above `after`. Raises ProtocolFault, LinkLost."""
        most = wire.PAGE_BYTES // wire.RECORD_BYTES
        for _ in range(MOST_AGAIN + 1):
            with self._transfer(0, wire.PAGE_BYTES, None) as transfer:
                (remaining,) = await self.ask(Op.LIST, after, most, tag=transfer.tag)
                try:
                    piece = await transfer.piece()
                except _Again as again:
                    why = str(again)
                    continue
            return remaining, _checked(wire.read_records(piece.body), after, remaining)
        raise broken(why)

    async def read(self, number: int, size: int, start: int) -> AsyncGenerator[bytes, None]:
        """The bytes of a capture from `start` on, a window at a time, each checked. Reads one capture at a time.

        Raises ProtocolFault, LinkLost, and the error that fits a refusal.
        """
        position, failures = start, 0
        async with self._reading:
            while position < size:
                reading = self._read_once(number, size, position if self.resumes else 0)
                try:
                    async for piece in reading:
                        fresh = piece.end - position
                        if fresh > 0:
                            position, failures = piece.end, 0
                            yield piece.body[-fresh:]
                except _Again as again:
                    failures += 1
                    if failures > MOST_AGAIN:
                        raise broken(str(again)) from None
                finally:
                    await reading.aclose()

    async def _read_once(self, number: int, size: int, start: int) -> AsyncGenerator[Piece, None]:
        """One read request and its pieces, to the end or to the first trouble. Raises _Again besides what `read` raises."""
        with self._transfer(start, self.window, size) as transfer:
            (stated,) = await self.ask(Op.READ, number, start, self.window, tag=transfer.tag)
            if stated != size:
                raise broken("the glasses state two different sizes for it")
            ended = False
            try:
                while not ended:
                    piece = await transfer.piece()
                    ended = piece.last
                    yield piece
                    await self._top_up(transfer, piece.end, size)
            except _Again:
                ended = True  # the next read takes the place of this one
                raise
            finally:
                if not ended:
                    await self._abort(transfer.tag)

    async def _top_up(self, transfer: _Transfer, position: int, size: int) -> None:
        """Give credit anew once half of it is used: seldom, and early enough that the glasses need not wait for it."""
        credit = transfer.receiver.credit
        if credit < size and credit - position <= wire.WINDOWS_AHEAD // 2 * self.window:
            transfer.receiver.credit = min(size, position + wire.WINDOWS_AHEAD * self.window)
            await self._port.write(wire.CREDIT, wire.pack_credit(transfer.tag, transfer.receiver.credit), response=False)

    async def _abort(self, tag: int) -> None:
        with contextlib.suppress(GlassesError):
            await self.ask(Op.ABORT, tag)


def _checked(records: tuple[Record, ...] | None, after: int, remaining: int) -> tuple[Record, ...]:
    if records is None:
        raise broken_list("A page of it does not consist of whole records.")
    ids = [after, *(record.id for record in records)]
    if any(later <= earlier for earlier, later in itertools.pairwise(ids)):
        raise broken_list("Its numbers do not go up.")
    if remaining and not records:
        raise broken_list("It is said to go on, and does not.")
    return records


def refusal(result: Result) -> GlassesError:
    """The error for a request that the glasses turned down."""
    found = _REFUSALS.get(result)
    if found is None:
        return ProtocolFault("The glasses refused a request.", f"They answered with 0x{int(result):02X}.", "Restart the glasses.")
    kind, what, why, action = found
    return kind(what, why, action)


def broken(why: str) -> ProtocolFault:
    return ProtocolFault("A capture could not be fetched.", f"Of it, {why}.", "Connect the glasses again.")


def broken_list(why: str) -> ProtocolFault:
    return ProtocolFault("The list of captures on the glasses makes no sense.", why, "Update their firmware.")
