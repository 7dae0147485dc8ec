"""Simulated Brilliant Labs Frame and Halo: the Lua service, bonding, and a camera; and a Frame that waits for new firmware.

They behave as the firmware does (brilliantlabsAR/frame-codebase, brilliantlabsAR/halo-firmware; commits in `ble/PROTOCOLS.md`). They take
pictures by sending, in turn, the JPEG files they were given.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar

from bumble import att, core, data_types, device, gatt, hci
from bumble.keys import MemoryKeyStore, PairingKeys
from bumble.pairing import PairingConfig, PairingDelegate

from ble.drivers import brilliant_profile as profile
from ble.drivers import standard
from ble.sim.brilliant_apps import Apps
from ble.sim.brilliant_camera import Camera
from ble.sim.brilliant_faults import NO_BRILLIANT_FAULTS, BrilliantFaults
from ble.sim.brilliant_firmware import Firmware, QueueFull
from ble.sim.faults import REAL_PACE, Pace
from ble.sim.peripheral import CCCD, NOTIFY, READABLE, WRITE, WRITEABLE, Access, SimulatedPeripheral

WRITE_AT_ONCE = gatt.Characteristic.Properties.WRITE_WITHOUT_RESPONSE

FRAME_BONDS = 1
HALO_BONDS = 5
PAIRING_WINDOW_SECONDS = 60.0
_REFUSAL_SECONDS = 0.2
_STRANGER = "F0:00:00:00:00:01"
_FIRMWARE = {profile.FAMILY_FRAME: "v25.080.0838", profile.FAMILY_HALO: "0.8.9"}
_HARDWARE = {profile.FAMILY_FRAME: "Frame", profile.FAMILY_HALO: "halo"}


class Bonds(MemoryKeyStore):
    """The bonds of the glasses, oldest use first; beyond `most` the oldest is forgotten."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    async def update(self, name: str, keys: PairingKeys) -> None:
        if keys.ltk is None:
            # A peripheral is asked for the key that it gave out; Bumble files that one as the central's, and looks for the other.
            keys.ltk_peripheral = keys.ltk_central
        self.all_keys.pop(name, None)
        self.all_keys[name] = keys
        while len(self.all_keys) > self._most:
            del self.all_keys[next(iter(self.all_keys))]

    async def get(self, name: str) -> PairingKeys | None:
        keys = self.all_keys.get(name)
        if keys is not None:
            self.all_keys[name] = self.all_keys.pop(name)
        return keys


class _Door(PairingDelegate):
    """Just Works: nobody is asked anything, but not everybody is let in."""

    def __init__(self, opens: Callable[[], bool]) -> None:
        super().__init__(PairingDelegate.NO_OUTPUT_NO_INPUT)
        self._opens = opens

    async def accept(self) -> bool:
        return self._opens()


class SimulatedBrilliant(SimulatedPeripheral):
    """One pair of either kind. Owns bonds, battery, camera and firmware."""

    model: ClassVar[profile.Model]

    def __init__(
        self,
        pictures: Sequence[bytes],
        *,
        faults: BrilliantFaults = NO_BRILLIANT_FAULTS,
        pace: Pace = REAL_PACE,
        on_event: Callable[[str], None] | None = None,
    ) -> None:
        """`pictures`: JPEG files to "see" in turn, at least one; square for Frame and 640 x 480 for Halo, as those make no others."""
        if not pictures:
            raise ValueError("simulated glasses need at least one picture to see")
        model = self.model
        self.halo = model.family == profile.FAMILY_HALO
        mtu = faults.mtu or (profile.HALO_MTU if self.halo else profile.FRAME_MTU)
        super().__init__(model.label, (profile.LUA_SERVICE,), mtu=mtu, advertise_ms=pace.advertise_ms, on_event=on_event)
        self.faults = faults
        self.bonds = Bonds(HALO_BONDS if self.halo else FRAME_BONDS)
        if faults.bonded_elsewhere:
            self.bonds.all_keys[_STRANGER] = PairingKeys()
        self.camera = Camera(model.family, pictures, faults)
        self.smp_writes: list[bytes] = []
        self._pace = pace
        self._window: asyncio.TimerHandle | None = None
        values = {
            "frame.HARDWARE_VERSION": faults.hardware or _HARDWARE[model.family],
            "frame.FIRMWARE_VERSION": faults.firmware or _FIRMWARE[model.family],
            "frame.GIT_TAG": "d309634",
            "frame.battery_level()": "87" if self.halo else "87.0",
        }
        self.firmware = Firmware(model.family, self.camera, faults, pace, self, values)
        self.firmware.lua.programs = Apps(self.firmware)

    @property
    def family(self) -> str:
        return self.model.family

    @property
    def payload(self) -> int:
        """See `ble.sim.brilliant_firmware.Wire`. A Frame whose client never exchanged MTUs has none to go by."""
        if self._connection is None:
            return 0
        mtu = int(self._connection.att_mtu)
        return 0 if mtu == att.ATT_DEFAULT_MTU and not self.halo else min(mtu - 3, 512)

    # -- attributes -----------------------------------------------------------------------------------------------------------------

    def services(self) -> list[gatt.Service]:
        lua = [self._written(profile.LUA_WRITE, self._lua_written), self._notifies(profile.LUA_NOTIFY)]
        if not self.halo:
            return [gatt.Service(core.UUID(profile.LUA_SERVICE), lua)]
        lua += [
            self._notifies(profile.HALO_VIDEO),
            self._written(profile.HALO_SPEAKER, lambda _: None),
            self._notifies(profile.HALO_MICROPHONE),
        ]
        smp = [self._written(profile.SMP_CHARACTERISTIC, self.smp_writes.append)]
        battery = self.readable(standard.BATTERY_LEVEL, lambda: bytes([87]), notify=True)
        return [
            gatt.Service(core.UUID(profile.LUA_SERVICE), lua),
            gatt.Service(core.UUID(standard.BATTERY_SERVICE[4:8]), [battery]),
            gatt.Service(core.UUID(profile.SMP_SERVICE), smp),
        ]

    def _written(self, uuid: str, written: Callable[[bytes], None]) -> gatt.Characteristic[bytes]:
        def write(connection: device.Connection, data: bytes) -> None:
            self._check(connection)
            self.accesses.append(Access("write", uuid, bytes(data)))
            written(bytes(data))

        return gatt.Characteristic(core.UUID(uuid), WRITE | WRITE_AT_ONCE, WRITEABLE, att.AttributeValue(write=write))

    def _notifies(self, uuid: str) -> gatt.Characteristic[bytes]:
        """With a CCCD that is off at the start of each link, and which Halo guards as it guards the rest."""
        self._cccds[uuid] = b"\0\0"

        def read(_: device.Connection) -> bytes:
            return self._cccds[uuid]

        def write(connection: device.Connection, data: bytes) -> None:
            if self.halo:
                self._check(connection)
            self.accesses.append(Access("cccd", uuid, bytes(data)))
            self._cccds[uuid] = bytes(data)

        cccd = gatt.Descriptor(CCCD, READABLE | WRITEABLE, att.AttributeValue(read, write))
        made: gatt.Characteristic[bytes] = gatt.Characteristic(core.UUID(uuid), NOTIFY, READABLE, b"", [cccd])
        self._characteristics[uuid] = made
        return made

    def _check(self, connection: device.Connection) -> None:
        if not connection.is_encrypted:
            raise att.ATT_Error(att.ATT_INSUFFICIENT_AUTHENTICATION_ERROR if self.halo else att.ATT_INSUFFICIENT_ENCRYPTION_ERROR)

    def _lua_written(self, data: bytes) -> None:
        try:
            self.firmware.written(data)
        except QueueFull:
            raise att.ATT_Error(att.ATT_INSUFFICIENT_RESOURCES_ERROR) from None

    async def send(self, value: bytes) -> None:
        """A notification of the Lua service; nothing goes out in the clear."""
        if self._connection is not None and self._connection.is_encrypted:
            await self.notify(profile.LUA_NOTIFY, value)

    # -- who may come in ------------------------------------------------------------------------------------------------------------

    def open_pairing_window(self) -> None:
        """As when the button of a Halo is held for 5 seconds. On a Frame: as its pin-hole button, which forgets the one bond."""
        if not self.halo:
            self.bonds.all_keys.clear()
            return
        self._close_window()
        self._window = asyncio.get_running_loop().call_later(PAIRING_WINDOW_SECONDS * self._pace.second, self._close_window)

    def _close_window(self) -> None:
        if self._window is not None:
            self._window.cancel()
            self._window = None

    def _lets_pair(self) -> bool:
        if not self.bonds.all_keys or self._window is not None:
            return True
        self.tell("pairing refused")
        self.spawn(self._leave(hci.HCI_ErrorCode.REMOTE_USER_TERMINATED_CONNECTION_ERROR))
        return False

    async def _leave(self, reason: int) -> None:
        connection = self._connection
        await asyncio.sleep(_REFUSAL_SECONDS * self._pace.second)
        if connection is not None and self._connection is connection:
            try:
                await connection.disconnect(reason)
            except (core.BaseBumbleError, hci.HCI_Error):
                pass  # the client was quicker

    # -- life -----------------------------------------------------------------------------------------------------------------------

    async def switch_on(self, lent: device.Device) -> None:
        shown = lent.random_address.to_string(with_type_qualifier=False).split(":")
        self.name = f"{self.model.label} {shown[3] if self.halo else shown[0]}"
        lent.keystore = self.bonds
        lent.pairing_config_factory = lambda _: PairingConfig(
            sc=self.halo,
            mitm=False,
            bonding=True,
            delegate=_Door(self._lets_pair),
            identity_address_type=PairingConfig.AddressType.RANDOM,
        )
        await super().switch_on(lent)
        self.spawn(self.firmware.serve())

    async def switch_off(self) -> None:
        self._close_window()
        await super().switch_off()

    def on_connected(self) -> None:
        connection = self._connection
        assert connection is not None
        for uuid in (profile.LUA_NOTIFY, profile.HALO_VIDEO, profile.HALO_MICROPHONE):
            self._cccds[uuid] = b"\0\0"
        connection.on(connection.EVENT_PAIRING, lambda _keys: self._close_window())
        if not self.halo:
            connection.device.request_pairing(connection)
            return
        known = str(connection.peer_address) in self.bonds.all_keys
        if known and self._window is not None:
            self.spawn(self._leave(hci.HCI_ErrorCode.REMOTE_USER_TERMINATED_CONNECTION_ERROR))
        elif not known and self.bonds.all_keys and self._window is None:
            self.spawn(self._leave(hci.HCI_ErrorCode.AUTHENTICATION_FAILURE_ERROR))

    def _advertisement(self) -> list[core.DataType]:
        return [*super()._advertisement(), data_types.CompleteLocalName(self.name)]


class SimulatedFrame(SimulatedBrilliant):
    """A simulated Frame."""

    model = profile.FRAME


class SimulatedHalo(SimulatedBrilliant):
    """A simulated Halo."""

    model = profile.HALO


class SimulatedFrameUpdate(SimulatedPeripheral):
    """A Frame whose update was begun: Nordic's bootloader, which takes signed firmware from anybody. Remembers whatever is written."""

    def __init__(self, *, pace: Pace = REAL_PACE, on_event: Callable[[str], None] | None = None) -> None:
        super().__init__(profile.DFU_NAME, (profile.DFU_SERVICE,), mtu=profile.FRAME_MTU, advertise_ms=pace.advertise_ms, on_event=on_event)
        self.dfu_writes: list[bytes] = []

    @property
    def family(self) -> str:
        return "frame-update"

    def services(self) -> list[gatt.Service]:
        control = self.writable("8ec90001-f315-4f60-9fb8-838830daea50", self.dfu_writes.append)
        packet = self.writable("8ec90002-f315-4f60-9fb8-838830daea50", self.dfu_writes.append)
        return [gatt.Service(core.UUID(profile.DFU_SERVICE[4:8]), [control, packet])]
