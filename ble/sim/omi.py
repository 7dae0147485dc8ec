"""Simulated Omi Glass and OpenGlass, and an Omi necklace to be told apart from them.

They behave as the firmware does (`omiGlass/firmware/src/app.cpp` of BasedHardware/omi, `firmware/firmware.ino` of BasedHardware/OpenGlass;
commits in `ble/PROTOCOLS.md`), its flaws included. They take pictures by sending, in turn, the JPEG files they were given.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bumble import att, core, gatt

from ble.drivers import omi_profile as profile
from ble.drivers import standard
from ble.sim.faults import NO_FAULTS, REAL_PACE, Drop, Faults, Pace, spoil
from ble.sim.peripheral import SimulatedPeripheral


@dataclass(frozen=True, slots=True)
class Model:
    """What sets the two generations apart. Times in seconds; `auto_interval` None: nothing is captured until asked for."""

    family: str
    name: str
    advertised: tuple[str, ...]
    information: tuple[tuple[str, str], ...]
    orientation: int | None
    codec: int
    auto_interval: float | None
    fixed_interval: float | None
    battery_interval: float
    measures_battery: bool
    updates_itself: bool


OMI_GLASS = Model(
    family=profile.FAMILY_OMI,
    name="OMI Glass",
    advertised=(profile.OMI_SERVICE,),
    information=(
        (standard.MANUFACTURER, "Based Hardware"),
        (standard.MODEL, "OMI Glass"),
        (standard.FIRMWARE, "2.3.2"),
        (standard.HARDWARE, "ESP32-S3-v1.0"),
        (standard.SERIAL, "0C8B95A1B2C3"),
    ),
    orientation=2,
    codec=21,
    auto_interval=profile.OMI_INTERVAL_SECONDS,
    fixed_interval=profile.OMI_INTERVAL_SECONDS,
    battery_interval=20,
    measures_battery=True,
    updates_itself=True,
)

OPENGLASS = Model(
    family=profile.FAMILY_OPENGLASS,
    name="OpenGlass",
    advertised=(standard.BATTERY_SERVICE, standard.DEVICE_INFORMATION, profile.OMI_SERVICE),
    information=(
        (standard.MANUFACTURER, "Based Hardware"),
        (standard.MODEL, "OpenGlass"),
        (standard.FIRMWARE, "1.0.1"),
        (standard.HARDWARE, "Seeed Xiao ESP32S3 Sense"),
    ),
    orientation=None,
    codec=1,
    auto_interval=None,
    fixed_interval=None,
    battery_interval=60,
    measures_battery=False,
    updates_itself=False,
)


def photo_chunks(jpeg: bytes, orientation: int | None) -> Iterator[bytes]:
    """The data notifications of a photo, without its end; `orientation` None: the older layout, which has no such byte."""
    first = b"\x00\x00" if orientation is None else bytes([0, 0, orientation])
    room = profile.CHUNK_BYTES - len(first)
    yield first + jpeg[:room]
    step = profile.CHUNK_BYTES - profile.CHUNK_HEADER_BYTES
    for index, start in enumerate(range(room, len(jpeg), step), start=1):
        yield index.to_bytes(2, "little") + jpeg[start : start + step]


class SimulatedGlasses(SimulatedPeripheral):
    """One pair of either generation. Owns the firmware's state: what is being captured, when next, and the battery."""

    model: ClassVar[Model]

    def __init__(
        self,
        pictures: Sequence[bytes],
        *,
        faults: Faults = NO_FAULTS,
        pace: Pace = REAL_PACE,
        on_event: Callable[[str], None] | None = None,
    ) -> None:
        """`pictures`: JPEG files to "see" in turn, at least one. `on_event` gets short sentences about what happens."""
        if not pictures:
            raise ValueError("simulated glasses need at least one picture to see")
        model = self.model
        super().__init__(model.name, model.advertised, mtu=faults.mtu, advertise_ms=pace.advertise_ms, on_event=on_event)
        self.faults = faults
        self.charge = 100
        """Percent the cell really holds; what is stated follows it slowly."""
        self.photos_begun = 0
        self.ota_writes: list[bytes] = []
        self._pictures = tuple(pictures)
        self._pace = pace
        self._stated = 100
        self._capturing = model.auto_interval is not None
        self._interval = model.auto_interval or 0.0
        self._last_capture = -float("inf")
        self._changed = asyncio.Event()

    @property
    def family(self) -> str:
        return self.model.family

    # -- attributes -----------------------------------------------------------------------------------------------------------------

    def services(self) -> list[gatt.Service]:
        main = [
            self.readable(profile.AUDIO_DATA, lambda: b"", notify=True),
            self.readable(profile.AUDIO_CODEC, lambda: bytes([self.model.codec])),
            self.readable(profile.PHOTO_DATA, lambda: b"", notify=True),
            self.writable(profile.PHOTO_CONTROL, self._control),
        ]
        battery = self.readable(standard.BATTERY_LEVEL, lambda: bytes([self._stated]), notify=True)
        services = [
            gatt.Service(core.UUID(profile.OMI_SERVICE), main),
            gatt.Service(core.UUID(standard.BATTERY_SERVICE[4:8]), [battery]),
            gatt.Service(core.UUID(standard.DEVICE_INFORMATION[4:8]), [self._information(*pair) for pair in self.model.information]),
        ]
        if self.model.updates_itself:
            update = [
                self.writable(profile.OTA_CONTROL, self.ota_writes.append, lambda: b"\x00\x00"),
                self.readable(profile.OTA_DATA, lambda: b"\x00\x00", notify=True),
            ]
            services.append(gatt.Service(core.UUID(profile.OTA_SERVICE), update))
        return services

    def _information(self, uuid: str, text: str) -> gatt.Characteristic[bytes]:
        stated = self.faults.firmware if uuid == standard.FIRMWARE and self.faults.firmware is not None else text

        def value() -> bytes:
            if self.faults.dis_unreadable:
                raise att.ATT_Error(att.ATT_UNLIKELY_ERROR_ERROR)
            return stated.encode()

        return self.readable(uuid, value)

    # -- firmware -------------------------------------------------------------------------------------------------------------------

    def on_connected(self) -> None:
        if not self._tasks:
            self.spawn(self._capture_loop())
            self.spawn(self._battery_loop())
        if self.model.measures_battery:
            self.spawn(self.notify_battery(self._stated))
        if self.faults.audio_babble:
            self.spawn(self._babble())
        self._changed.set()

    def _control(self, data: bytes) -> None:
        """Photo control: one signed byte; anything else is ignored without an error."""
        if len(data) != 1:
            return
        value = int.from_bytes(data, "little", signed=True)
        if value == -1:
            self._capturing, self._interval = True, 0.0
        elif value == 0:
            self._capturing, self._interval = False, 0.0
        elif value >= 5:
            self._capturing, self._interval = True, self.model.fixed_interval or float(value // 5 * 5)
            self._last_capture = -float("inf")
        else:
            return
        self.tell(f"photo control {value}")
        self._changed.set()

    async def _capture_loop(self) -> None:
        while True:
            await self._until_due()
            if self._interval == 0.0:
                self._capturing = False
            if self.faults.camera_dead:
                self.tell("the camera gave no picture")
                await asyncio.sleep(self._pace.second * 0.05)
                continue
            self._last_capture = self._now()
            await self._upload()

    async def _until_due(self) -> None:
        while True:
            self._changed.clear()
            if not (self.connected and self._capturing):
                await self._changed.wait()
                continue
            wait = self._last_capture + self._interval - self._now()
            if wait <= 0:
                return
            try:
                async with asyncio.timeout(wait * self._pace.second):
                    await self._changed.wait()
            except TimeoutError:
                pass

    async def _upload(self) -> None:
        """Send one photo to the end, whether or not the client is still there: the firmware drains its buffer into the air."""
        number = self.photos_begun
        self.photos_begun += 1
        jpeg = self._pictures[number % len(self._pictures)]
        old = self.model.orientation is None if self.faults.old_layout is None else self.faults.old_layout
        chunks = photo_chunks(jpeg, None if old else (self.model.orientation or 0))
        harmed = self.faults.times is None or number < self.faults.times
        self.tell(f"photo {number + 1} begun")
        await asyncio.sleep(self._pace.shutter)
        for step in list(spoil(chunks, self.faults if harmed else NO_FAULTS)):
            if isinstance(step, bytes):
                if self._pace.chunk:
                    await asyncio.sleep(self._pace.chunk)
                await self.notify(profile.PHOTO_DATA, step)
            elif isinstance(step, Drop):
                await self.drop_link()
            else:
                self.tell(f"photo {number + 1} stalled")
                return
        self.tell(f"photo {number + 1} sent")

    async def _battery_loop(self) -> None:
        while True:
            await asyncio.sleep(self.model.battery_interval * self._pace.second)
            if self.model.measures_battery:
                self._measure()
            await self.notify_battery(self._stated)

    def _measure(self) -> None:
        """A reading more than 5 points off the last moves what is stated by 2 only (`readBatteryLevel` in app.cpp)."""
        if abs(self.charge - self._stated) > 5:
            self._stated += 2 if self.charge > self._stated else -2
        else:
            self._stated = self.charge

    async def _babble(self) -> None:
        packet = 0
        while self.connected:
            await self.notify(profile.AUDIO_DATA, packet.to_bytes(2, "little") + bytes(161))
            packet = (packet + 1) % 65536
            await asyncio.sleep(self._pace.second * 0.03)

    def _now(self) -> float:
        """Seconds of the firmware's own clock."""
        return asyncio.get_running_loop().time() / self._pace.second


class SimulatedOmi(SimulatedGlasses):
    """A simulated Omi Glass: takes a picture every 30 seconds from the moment a client is connected."""

    model = OMI_GLASS


class SimulatedOpenGlass(SimulatedGlasses):
    """A simulated OpenGlass: takes pictures only when told to."""

    model = OPENGLASS


class SimulatedNecklace(SimulatedPeripheral):
    """An Omi necklace: advertises the service of the glasses, has no camera, and keeps its settings where they keep their updates."""

    def __init__(self, *, name: str = "Omi", on_event: Callable[[str], None] | None = None, pace: Pace = REAL_PACE) -> None:
        super().__init__(name, (profile.OMI_SERVICE,), mtu=517, advertise_ms=pace.advertise_ms, on_event=on_event)

    @property
    def family(self) -> str:
        return "omi-necklace"

    def services(self) -> list[gatt.Service]:
        led, gain = bytearray(b"\x64"), bytearray(b"\x04")
        return [
            gatt.Service(
                core.UUID(profile.OMI_SERVICE),
                [self.readable(profile.AUDIO_DATA, lambda: b"", notify=True), self.readable(profile.AUDIO_CODEC, lambda: b"\x15")],
            ),
            gatt.Service(
                core.UUID(profile.OTA_SERVICE),
                [
                    self.writable(profile.OTA_CONTROL, lambda data: led.__setitem__(slice(None), data), lambda: bytes(led)),
                    self.writable(profile.OTA_DATA, lambda data: gain.__setitem__(slice(None), data), lambda: bytes(gain)),
                ],
            ),
            gatt.Service(core.UUID(standard.BATTERY_SERVICE[4:8]), [self.readable(standard.BATTERY_LEVEL, lambda: b"\x50", notify=True)]),
        ]
