"""Questions to a server that carry nothing of the person's: which models there are, whether a key is good, whether it hands on.

They pass the same switches as a parcel (AI off, lock) and leave receipts of their own kind, written before the question goes. They have
no body, so there is nothing in them to approve; the courier sees to it that they stay so.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.assistants import WireError, wire
from app.courier.pipe import Answer, End, Send, Status
from app.courier.pipe import Ending as Carried
from app.errors import EyelidError
from app.lanes import Lanes
from app.sharing.errors import CourierGone, DestinationError, GateClosed
from app.sharing.gate import CONNECT_SECONDS, Carrier, Lockable, Present
from app.sharing.receipts import Ending, ReceiptBook, line_about
from app.sharing.types import Destination, Outcome, Receipt, ReceiptKind
from app.vault.types import LockState

MAX_REPLY = 4 * 1024 * 1024
IDLE_SECONDS, TOTAL_SECONDS = 20.0, 60.0
METHOD = "GET"
_NOTHING = hashlib.sha256(b"").hexdigest()
_WHAT = "No photo and no question went along."


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the HTTP status, the answer's bytes, the receipt's number, and the server's word on zero retention (see `Status`)."""

    status: int
    body: bytes
    receipt: int
    zero_retention: str = ""


@dataclass(slots=True)
class _Heard:
    """What is known of an answer so far."""

    body: bytearray
    request_id: str = ""
    zero_retention: str = ""


class Errands:
    """Owns the questions under way. Each is a task of its own, so that a window that closes cannot lose its end."""

    def __init__(
        self,
        vault: Lockable,
        lanes: Lanes,
        courier: Carrier,
        book: ReceiptBook,
        present: Present,
        closed: Callable[[], bool],
        after: Callable[[Receipt], None],
        clock: Callable[[], datetime],
    ) -> None:
        """`closed` says whether AI is switched off; `after` hears of each receipt."""
        self._vault = vault
        self._lanes = lanes
        self._courier = courier
        self._book = book
        self._present = present
        self._off = closed
        self._after = after
        self._clock = clock
        self._tasks: dict[str, asyncio.Task[Reply]] = {}
        self._stopped: set[str] = set()
        self._closed = False

    async def ask(self, destination: Destination, path: str) -> Reply:
        """Ask `destination` at `path`. Raises GateClosed, DestinationError (with the reason), VaultLocked, CourierGone."""
        parcel_id = secrets.token_hex(16)
        task = asyncio.create_task(self._make(parcel_id, destination, path))
        self._tasks[parcel_id] = task
        task.add_done_callback(lambda _: self._forget(parcel_id))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_seen)
            await self._stop(parcel_id)
            raise

    def _forget(self, parcel_id: str) -> None:
        del self._tasks[parcel_id]
        self._stopped.discard(parcel_id)

    async def _stop(self, parcel_id: str) -> None:
        self._stopped.add(parcel_id)  # the courier may not have heard of it yet
        await self._courier.cancel(parcel_id)

    def under_way(self) -> frozenset[str]:
        """Those whose end is not written yet; safe from any thread."""
        return frozenset(tuple(self._tasks))

    async def cancel_all(self) -> None:
        for parcel_id in tuple(self._tasks):
            await self._stop(parcel_id)

    async def close(self) -> None:
        """Stop every question and wait until its end is written. Nothing is asked afterwards."""
        self._closed = True
        await self.cancel_all()
        while self._tasks:
            await asyncio.wait(tuple(self._tasks.values()))

    async def _make(self, parcel_id: str, destination: Destination, path: str) -> Reply:
        card = self._present.card(destination.card_id, destination.model)
        line = line_about(parcel_id, destination, card, self._clock())
        line = replace(line, model="", kind=ReceiptKind.MODELS)  # it is the place that is asked, not a model
        await self._check(destination)
        self._after(await self._lanes.vault(self._book.add_line, line, Ending(Outcome.INTENDED, _WHAT)))
        heard = _Heard(bytearray())
        try:
            order = self._order(parcel_id, destination, path, await self._check(destination))
            if parcel_id in self._stopped:
                raise GateClosed("Nothing was asked.", "Stopped before anything was sent.", "Ask again.")
            end = await self._carry(order, heard)
        except EyelidError as error:
            await self._end(line, Ending(Outcome.NOT_SENT, str(error)))
            raise
        except Exception as error:
            await self._end(line, Ending(Outcome.FAILED, f"A fault inside Eyelid ({type(error).__name__})."))
            raise
        outcome = {Carried.DONE: Outcome.ANSWERED, Carried.CANCELLED: Outcome.CANCELLED}.get(end.ending, Outcome.FAILED)
        ending = Ending(outcome, f"{_WHAT} {end.detail}".strip(), 0, end.status, heard.request_id)
        receipt = await self._end(line, ending)
        if end.ending is not Carried.DONE or end.status is None:
            raise DestinationError(f"{destination.label} did not answer.", end.detail, _action(destination))
        return Reply(end.status, bytes(heard.body), receipt.number, heard.zero_retention)

    async def _carry(self, order: Send, heard: _Heard) -> End:
        async for message in self._courier.send(order):
            if isinstance(message, Status):
                heard.request_id, heard.zero_retention = message.request_id, message.zero_retention
            if isinstance(message, Answer) and len(heard.body) <= MAX_REPLY:
                heard.body += message.body
            if isinstance(message, End):
                return message
        raise CourierGone("The courier fell silent.")

    async def _end(self, line: Receipt, ending: Ending) -> Receipt:
        receipt = await self._lanes.vault(self._book.add_line, line, ending)
        self._after(receipt)
        return receipt

    async def _check(self, destination: Destination) -> str:
        """Raise GateClosed unless the gate is open; returns the key, read last."""
        key = await self._lanes.work(self._present.key, destination.id) if destination.needs_key else ""
        if self._closed:
            raise GateClosed("Nothing was asked.", "Eyelid is ending.", "Start it again.")
        if self._off():
            raise GateClosed("Nothing was asked.", "AI is switched off.", "Switch it on in the settings first.")
        if self._vault.state is not LockState.UNLOCKED:
            raise GateClosed("Nothing was asked.", "The vault is locked.", "Unlock it first.")
        if self._present.destination(destination.id) != destination:
            raise GateClosed("Nothing was asked.", "The destination has changed meanwhile.", "Try again.")
        return key

    def _order(self, parcel_id: str, destination: Destination, path: str, key: str) -> Send:
        try:
            headers = dict(wire(destination.wire).headers(key)) | {"accept": "application/json"}
        except WireError as error:
            raise DestinationError("Nothing was asked.", f"The reason: {error}.", "Enter the key again.") from error
        del headers["content-type"]
        return Send(
            parcel_id=parcel_id,
            approval_id=parcel_id,
            approved_sha256=_NOTHING,
            approved_size=0,
            approved_origin=destination.origin,
            approved_method=METHOD,
            approved_path=path,
            expires_at=(self._clock() + timedelta(seconds=TOTAL_SECONDS)).timestamp(),
            origin=destination.origin,
            method=METHOD,
            path=path,
            headers=tuple(headers.items()),
            loopback_only=destination.local,
            max_answer=MAX_REPLY,
            connect_timeout=CONNECT_SECONDS,
            idle_timeout=IDLE_SECONDS,
            total_timeout=TOTAL_SECONDS,
            body=b"",
        )


def _seen(task: asyncio.Task[Reply]) -> None:
    """Nobody waits any more: take note of how it ended, so that it is not called lost."""
    if not task.cancelled():
        task.exception()


def _action(destination: Destination) -> str:
    return "Start it, or check its address in the settings." if destination.local else "Check the connection and try again."
