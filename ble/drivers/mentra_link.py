"""The control channel of Mentra Live: messages out, answers and acknowledgements in. Owns the order and the pace of what is written.

Knows how messages travel (frames, chunks, numbers to acknowledge them by), not what they mean.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from ble.drivers import k900
from ble.drivers.k900 import Code, Json, LengthOrder
from ble.drivers.mentra_profile import CONTROL_WRITE
from ble.errors import GlassesError, ProtocolFault, link_lost
from ble.port import GattPort

PAUSE_SECONDS = 0.16
"""Between two writes; older builds lose what comes quicker."""
REPEAT_SECONDS = 2.0
"""After so long without an answer or an acknowledgement a command is sent again, with its number unchanged."""
MOST_REPEATS = 3
MOST_WAITING = 64
"""Frames waiting to be written; answers beyond that are not worth waiting for."""
_REMEMBERED = 64
_LARGEST_ID = 2**31 - 1

Wanted = Callable[[Json], bool]


class MentraLink:
    """One link. `on_message` gets each message of the glasses' application once, `on_code` those of their Bluetooth chip."""

    def __init__(self, port: GattPort, on_message: Callable[[Json], None], on_code: Callable[[Code], None]) -> None:
        self._port = port
        self._on_message = on_message
        self._on_code = on_code
        self._loop = asyncio.get_running_loop()
        self._reader = k900.FrameReader()
        self._joiner = k900.ChunkJoiner()
        self._order = LengthOrder.BIG
        self._room = k900.FRAME_ROOM
        self._heard_any = False
        self._next_id = 1
        self._outbox: deque[bytes] = deque()
        self._written = 0
        self._news = asyncio.Event()
        self._seen: deque[int] = deque(maxlen=_REMEMBERED)
        self._acknowledged: deque[int] = deque(maxlen=_REMEMBERED)
        self._waiting: list[tuple[Wanted, asyncio.Future[Json]]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = True

    def start(self, payload: int) -> None:
        """Begin to write; `payload` is what one write may carry, in bytes."""
        self._room = max(160, min(k900.FRAME_ROOM, payload - 13))
        self.spawn(self._write_out())

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` for as long as the link stands; its own errors end it in silence, since the link's end says all there is."""

        async def quietly() -> None:
            with contextlib.suppress(GlassesError):
                await work

        if not self._open:
            work.close()
            return
        task = self._loop.create_task(quietly())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def end(self) -> None:
        """The link is gone: whoever waits gets LinkLost."""
        if not self._open:
            return
        self._open = False
        for _, future in self._waiting:
            if not future.done():
                future.set_exception(link_lost())
        for task in self._tasks - {asyncio.current_task()}:
            task.cancel()

    async def ended(self) -> None:
        """Wait until nothing of the link runs any more."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def emptied(self) -> None:
        """Wait until all that is to be sent now is with the radio; what the glasses go on asking for is not. Raises LinkLost."""
        last = self._written + len(self._outbox)
        while self._written < last:
            self.check()
            await asyncio.sleep(PAUSE_SECONDS)

    def check(self) -> None:
        """Raises LinkLost when the link is gone."""
        if not self._open:
            raise link_lost()

    # -- in -------------------------------------------------------------------------------------------------------------------------

    def heard(self, notified: bytes) -> None:
        """One notification of the control characteristic."""
        for frame in self._reader.feed(notified):
            if frame.kind != k900.STRING:
                continue
            self._order, self._heard_any = frame.order, True
            match k900.unwrap(frame.payload):
                case Code() as code:
                    self._on_code(code)
                case dict() as message:
                    self._take(message)

    def _take(self, part: Json) -> None:
        message = self._joiner.feed(part)
        if message is None or not isinstance(message.get("type"), str):
            return
        number = k900.whole_number(message, "mId", _LARGEST_ID)
        if message["type"] == "msg_ack":
            if number is not None:
                self._acknowledged.append(number)
            return
        if number is not None:
            self._acknowledge(number)
            if number in self._seen:
                return
            self._seen.append(number)
        self._on_message(message)
        for wanted, future in self._waiting:
            if not future.done() and wanted(message):
                future.set_result(message)

    def _acknowledge(self, number: int) -> None:
        self.reply({"type": "msg_ack", "mId": number})

    def forget_numbers(self) -> None:
        """The glasses started anew, and count their messages from the beginning again."""
        self._seen.clear()

    # -- out ------------------------------------------------------------------------------------------------------------------------

    def tell(self, message: Json, *, wake: bool = False) -> None:
        """Send `message` without waiting for anything. Raises LinkLost."""
        self.check()
        self._put(message, wake=wake)

    def reply(self, message: Json) -> None:
        """Send what the glasses' own doing asks for, as far as there is room: they can ask for more than can ever be sent."""
        if self._open and len(self._outbox) < MOST_WAITING:
            self._put(message)

    def ask_chip(self, name: str) -> None:
        """Send a question to the Bluetooth chip. Raises LinkLost."""
        self.check()
        self._outbox.append(k900.code(name))
        self._news.set()

    async def ask(self, message: Json, wanted: Wanted, seconds: float) -> Json:
        """Send `message`, again if need be, and return the first message that is `wanted`. Raises LinkLost, ProtocolFault."""
        self.check()
        number, self._next_id = self._next_id, self._next_id + 1
        numbered = {**message, "mId": number}
        answer: asyncio.Future[Json] = self._loop.create_future()
        entry = (wanted, answer)
        self._waiting.append(entry)
        try:
            async with asyncio.timeout(seconds):
                for _ in range(MOST_REPEATS):
                    if number not in self._acknowledged:
                        self._put(numbered, number=number)
                    await asyncio.wait({answer}, timeout=REPEAT_SECONDS)
                    if answer.done():
                        break
                return await answer
        except TimeoutError:
            raise _no_answer() from None
        finally:
            self._waiting.remove(entry)
            answer.cancel()

    async def wait(self, wanted: Wanted, seconds: float) -> Json:
        """The next message that is `wanted`, without asking for it. Raises LinkLost, ProtocolFault."""
        self.check()
        answer: asyncio.Future[Json] = self._loop.create_future()
        entry = (wanted, answer)
        self._waiting.append(entry)
        try:
            async with asyncio.timeout(seconds):
                return await answer
        except TimeoutError:
            raise _no_answer() from None
        finally:
            self._waiting.remove(entry)

    def _put(self, message: Json, *, wake: bool = False, number: int | None = None) -> None:
        text, chunk_id = k900.dump(message), f"{number or 0}_{int(self._loop.time() * 1000)}_{self._next_id}"
        self._outbox.extend(k900.payloads(text, chunk_id, wake=wake, message_id=number, room=self._room))
        self._news.set()

    async def _write_out(self) -> None:
        try:
            await self._write_all()
        except GlassesError:
            # Nothing can be said on this link any more, though it may stand: who waits for it to be said must not wait for ever.
            self.end()
            await self._port.disconnect()

    async def _write_all(self) -> None:
        turns = 0
        while True:
            while not self._outbox:
                self._news.clear()
                await self._news.wait()
            # Until the glasses have said anything, which order they read is not known: each in turn.
            order = self._order if self._heard_any else (LengthOrder.BIG, LengthOrder.LITTLE)[turns // 2 % 2]
            turns += 1
            await self._port.write(CONTROL_WRITE, k900.pack(self._outbox[0], order), response=False)
            self._outbox.popleft()
            self._written += 1  # only now: see `emptied`
            await asyncio.sleep(PAUSE_SECONDS)


def _no_answer() -> ProtocolFault:
    return ProtocolFault("The glasses did not answer.", "They may be busy, or just starting up.", "Try again in a moment.")
