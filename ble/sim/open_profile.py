"""Simulated open glasses: the reference implementation of `ble/OPEN_PROFILE.md`, as a firmware would be built, and its faults on demand.

The camera "sees" the JPEG files it was given, in turn; the microphone hears silence.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from bumble import att, core, gatt

from ble.drivers import open_profile_wire as wire
from ble.drivers import standard
from ble.drivers.open_profile_wire import Answer, Feature, Features, Op, Request, Result, Trouble
from ble.sim.faults import REAL_PACE, Drop, Pace, Stall
from ble.sim.open_profile_bonded import INDICATE, BondedPeripheral
from ble.sim.open_profile_storage import Storage, silence
from ble.sim.open_profile_stream import NO_OPEN_FAULTS, OpenFaults, end_of, spoil, transfer
from ble.sim.peripheral import NOTIFY, READ, WRITE

NAME = "Open Glasses"
EVERYTHING = Feature(sum(Feature))
INTERVAL_SECONDS = 30
_INFORMATION = (
    (standard.MANUFACTURER, "Eyelid"),
    (standard.MODEL, "Open Glasses (simulated)"),
    (standard.FIRMWARE, "1.0.0"),
    (standard.HARDWARE, "virtual"),
    (standard.SERIAL, "0001"),
)
_BABBLE_SECONDS = 0.01


class _Read:
    """A read under way: how far the host lets it go."""

    def __init__(self, tag: int, credit: int) -> None:
        self.tag = tag
        self.credit = credit
        self.changed = asyncio.Event()


class SimulatedOpenGlasses(BondedPeripheral):
    """One pair. Owns what a firmware owns: the captures and the trash, the one read that may be under way, the camera, the microphone."""

    def __init__(
        self,
        pictures: Sequence[bytes],
        *,
        backlog: int = 2,
        features: Feature = EVERYTHING,
        page_records: int = wire.PAGE_BYTES // wire.RECORD_BYTES,
        storage_bytes: int = 64 << 20,
        faults: OpenFaults = NO_OPEN_FAULTS,
        pace: Pace = REAL_PACE,
        utc: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_event: Callable[[str], None] | None = None,
    ) -> None:
        """`pictures`: JPEG files to "see" in turn, at least one; the first `backlog` times the shutter was released before anybody came.

        `page_records`: most records on a page of the list. `storage_bytes`: room for captures, trash included.
        """
        if not pictures:
            raise ValueError("simulated glasses need at least one picture to see")
        super().__init__(NAME, (wire.SERVICE,), mtu=faults.mtu, advertise_ms=pace.advertise_ms, on_event=on_event)
        self.faults = faults
        self.pairing_open = not faults.refuses_pairing
        self.protected = not faults.unprotected
        self.charge = 100
        self.reads = 0
        """Read requests so far."""
        self.most_unpaid = 0
        """Most bytes ever sent beyond the credit; 0 in glasses that keep to the profile."""
        self.storage = Storage(pictures, storage_bytes, faults)
        self._features = features if not faults.unprotected else features & ~Feature.BONDING
        self._page_records = page_records
        self._pace = pace
        self._utc = utc
        self._clock_offset = timedelta(0)
        self._serving = asyncio.Lock()
        self._read: _Read | None = None
        self._continuous: asyncio.Task[None] | None = None
        self._sound: asyncio.Task[None] | None = None
        self._dropped = False
        self._shuffled = False
        self._pages_lost = 0
        for number in range(backlog):
            self.storage.keep_picture(self._now() - (backlog - number) * 3_600_000)

    @property
    def family(self) -> str:
        return wire.FAMILY

    # -- attributes -----------------------------------------------------------------------------------------------------------------

    def services(self) -> list[gatt.Service]:
        unanswered = gatt.Characteristic.Properties.WRITE_WITHOUT_RESPONSE
        own = [
            self.readable(wire.FEATURES, self._features_value),
            self.guarded(wire.CONTROL, WRITE | INDICATE, written=self._requested),
            self.guarded(wire.CREDIT, unanswered, written=self._credited),
            self.guarded(wire.DATA, NOTIFY),
            self.guarded(wire.STATUS, READ | NOTIFY, value=self._status_value),
        ]
        battery = self.guarded(standard.BATTERY_LEVEL, READ | NOTIFY, value=lambda: bytes([self.charge]))
        return [
            gatt.Service(core.UUID(wire.SERVICE), own),
            gatt.Service(core.UUID(standard.BATTERY_SERVICE[4:8]), [battery]),
            gatt.Service(core.UUID(standard.DEVICE_INFORMATION[4:8]), [self._text(*pair) for pair in _INFORMATION]),
        ]

    def _text(self, uuid: str, text: str) -> gatt.Characteristic[bytes]:
        return self.readable(uuid, text.encode)

    def _features_value(self) -> bytes:
        value = Features(self.faults.version, 0, self._features, INTERVAL_SECONDS, self.pairing_open).pack()
        return value[:4] if self.faults.features_cut else value

    def _status_value(self) -> bytes:
        return self.storage.status().pack()

    # -- life -----------------------------------------------------------------------------------------------------------------------

    def on_connected(self) -> None:
        super().on_connected()
        if self.faults.babble:
            self.on_link(self._babble())

    def on_disconnected(self) -> None:
        """Nothing of a link outlives it: no read, no credit, no order to listen."""
        self._read = None
        super().on_disconnected()
        if self._sound is not None:
            self._sound.cancel()

    # -- the control point ----------------------------------------------------------------------------------------------------------

    def _requested(self, data: bytes) -> None:
        self.on_link(self._serve(data))

    async def _serve(self, data: bytes) -> None:
        async with self._serving:
            request = wire.read_request(data)
            if request is None:
                known = len(data) > 1 and data[0] in set(Op)
                await self._answer(data[:2].ljust(2, b"\0"), Result.BAD_REQUEST if known else Result.UNSUPPORTED)
                return
            self.tell(f"request {request.op.name.lower()}")
            await getattr(self, f"_serve_{request.op.name.lower()}")(request)

    async def _answer(self, head: bytes | Request, result: Result, *values: int) -> None:
        op, tag = (head.op, head.tag) if isinstance(head, Request) else (head[0] & 0x7F, head[1])
        if op in self.faults.silent:
            return
        if op in self.faults.drop_before_answer and not self._dropped:
            self._dropped = True
            await self.drop_link()
            return
        if op in self.faults.wrong_answer:
            op, result, values = Op.ABORT, Result.OK, ()
        await self.indicate(wire.CONTROL, Answer(op, tag, result, values).pack())

    async def _serve_list(self, request: Request) -> None:
        after, most = int(request.values[0]), int(request.values[1])
        if most == 0:
            await self._answer(request, Result.BAD_REQUEST)
            return
        page, remaining = self.storage.page(after, min(most, self._page_records))
        await self._answer(request, Result.OK, remaining)
        lost, self._pages_lost = int(self._pages_lost < self.faults.list_pages_lost), self._pages_lost + 1
        for notification in itertools.islice(transfer(request.tag, page, 0, wire.PAGE_BYTES, self._payload()), lost, None):
            await self.notify(wire.DATA, notification)
        if self.faults.list_changes and not self._shuffled:
            self._shuffled = True
            self.storage.shuffle(self._now())
            await self._tell_status()

    async def _serve_read(self, request: Request) -> None:
        number, offset, window = (int(value) for value in request.values)
        capture = self.storage.captures.get(number)
        if capture is None:
            await self._answer(request, Result.NO_SUCH_CAPTURE)
        elif window == 0 or offset >= len(capture.body) or (offset and Feature.RESUME not in self._features):
            await self._answer(request, Result.BAD_REQUEST)
        else:
            size = len(capture.body) if self.faults.read_size is None else self.faults.read_size
            if self._read is not None:
                self._stop(self._read)
            self._read = _Read(request.tag, offset + wire.WINDOWS_AHEAD * window)
            await self._answer(request, Result.OK, size)
            self.on_link(self._send(self._read, capture.body, offset, window))

    async def _serve_abort(self, request: Request) -> None:
        if self._read is not None and self._read.tag == request.values[0]:
            self._stop(self._read)
        await self._answer(request, Result.OK)

    async def _serve_acknowledge(self, request: Request) -> None:
        await self._trash(request, self.storage.acknowledge)

    async def _serve_restore(self, request: Request) -> None:
        await self._trash(request, self.storage.restore)

    async def _trash(self, request: Request, act: Callable[[int, bytes], Result]) -> None:
        number, head = request.values
        if Feature.RELEASE not in self._features or not isinstance(head, bytes):
            await self._answer(request, Result.UNSUPPORTED)
            return
        await self._answer(request, act(int(number), head))
        await self._tell_status()

    async def _serve_set_time(self, request: Request) -> None:
        told = int(request.values[0])
        if not 0 < told <= wire.LATEST_MS:
            await self._answer(request, Result.BAD_REQUEST)
            return
        self._clock_offset = timedelta(milliseconds=told - self._now(set_by_host=False))
        await self._answer(request, Result.OK)

    async def _serve_take_photo(self, request: Request) -> None:
        if Feature.TAKE_PHOTO not in self._features:
            await self._answer(request, Result.UNSUPPORTED)
            return
        number = self.storage.number()
        await self._answer(request, Result.OK, number)
        self.spawn(self._shoot(number))

    async def _serve_capture_every(self, request: Request) -> None:
        if Feature.CONTINUOUS_CAPTURE not in self._features:
            await self._answer(request, Result.UNSUPPORTED)
            return
        if self._continuous is not None:
            self._continuous.cancel()
        seconds = int(request.values[0])
        self._continuous = self.spawn(self._capture_every(seconds)) if seconds else None
        self.storage.flag(wire.StatusFlag.CONTINUOUS, seconds > 0)
        await self._answer(request, Result.OK)
        await self._tell_status()

    async def _serve_record_sound(self, request: Request) -> None:
        if Feature.MICROPHONE not in self._features:
            await self._answer(request, Result.UNSUPPORTED)
            return
        seconds = int(request.values[0])
        if seconds == 0:
            if self._sound is not None:
                self._sound.cancel()
            await self._answer(request, Result.OK, 0)
        elif seconds > wire.LONGEST_SOUND:
            await self._answer(request, Result.BAD_REQUEST)
        elif self._sound is not None:
            await self._answer(request, Result.BUSY)
        else:
            number = self.storage.number()
            await self._answer(request, Result.OK, number)
            self._sound = self.spawn(self._listen(number, seconds))
            self._sound.add_done_callback(self._listened)

    # -- sending --------------------------------------------------------------------------------------------------------------------

    def _payload(self) -> int:
        return (self._connection.att_mtu if self._connection is not None else att.ATT_DEFAULT_MTU) - 3

    async def _send(self, read: _Read, body: bytes, offset: int, window: int) -> None:
        harmed = self.faults.times is None or self.reads < self.faults.times
        self.reads += 1
        faults = self.faults if harmed else NO_OPEN_FAULTS
        for step in spoil(transfer(read.tag, body, offset, window, self._payload()), faults, len(body), window):
            if isinstance(step, Drop):
                await self.drop_link()
                return
            if isinstance(step, Stall):
                return
            if end_of(step) > read.credit and not await self._paid(read, end_of(step), faults.ignores_credit):
                return
            if self._read is not read:
                return
            if self._pace.chunk:
                await asyncio.sleep(self._pace.chunk)
            await self.notify(wire.DATA, step)
        self._stop(read)

    async def _paid(self, read: _Read, end: int, anyway: bool) -> bool:
        """Wait for credit up to `end`; False if the read has ended meanwhile."""
        while self._read is read and end > read.credit:
            if anyway:
                self.most_unpaid = max(self.most_unpaid, end - read.credit)
                return True
            read.changed.clear()
            await read.changed.wait()
        return self._read is read

    def _stop(self, read: _Read) -> None:
        if self._read is read:
            self._read = None
        read.changed.set()

    def _credited(self, data: bytes) -> None:
        credit = wire.read_credit(data)
        if credit is not None and self._read is not None and self._read.tag == credit[0]:
            self._read.credit = max(self._read.credit, credit[1])
            self._read.changed.set()

    async def _tell_status(self) -> None:
        await self.notify(wire.STATUS, self._status_value())

    async def _babble(self) -> None:
        while True:
            await self.notify(wire.DATA, b"")
            await self.notify(wire.DATA, b"\x7e\x00\x00\x00\x00not for you")
            await self.notify(wire.STATUS, b"\xff\xff")
            await self.notify(wire.STATUS, self._status_value())
            await self.indicate(wire.CONTROL, b"\x82\x00\x01\xff\xff\xff\xff")
            await self.indicate(wire.CONTROL, b"?")
            await asyncio.sleep(_BABBLE_SECONDS)

    # -- camera and microphone ------------------------------------------------------------------------------------------------------

    def _now(self, *, set_by_host: bool = True) -> int:
        """ms since 1970."""
        return int((self._utc() + (self._clock_offset if set_by_host else timedelta(0))).timestamp() * 1000)

    async def press_button(self) -> None:
        """The wearer takes a photo by the button on the glasses."""
        await self._shoot(self.storage.number())

    async def _shoot(self, number: int) -> None:
        await asyncio.sleep(self._pace.shutter)
        if self.faults.camera_silent:
            return
        if self.faults.camera_dead:
            self.storage.fail(number, Trouble.CAMERA)
        else:
            self.storage.keep_picture(self._now(), number)
        self.tell(f"photo {number}")
        await self._tell_status()

    async def _capture_every(self, seconds: int) -> None:
        while True:
            await asyncio.sleep(seconds * self._pace.second)
            await self._shoot(self.storage.number())

    async def _listen(self, number: int, seconds: int) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        self.storage.flag(wire.StatusFlag.MICROPHONE_ON, True)
        try:
            await self._tell_status()
            await asyncio.sleep(seconds * self._pace.second)
        finally:
            self.storage.flag(wire.StatusFlag.MICROPHONE_ON, False)
            heard = min(float(seconds), (loop.time() - began) / self._pace.second if self._pace.second else float(seconds))
            self.storage.keep(number, 0x31, silence(heard), self._now())

    def _listened(self, _: asyncio.Task[None]) -> None:
        self._sound = None
        if self._device is not None and self.connected:
            self.spawn(self._tell_status())
