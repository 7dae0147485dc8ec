"""A virtual air: Bumble's link between software controllers, with simulated devices on it and bleak back ends to reach them by."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import secrets
from typing import Any

from bumble import core, ll
from bumble.controller import Controller
from bumble.device import Device, DeviceConfiguration
from bumble.hci import (
    Address,
    HCI_Command_Complete_Event,
    HCI_Command_Status_Event,
    HCI_ErrorCode,
    HCI_LE_Connection_Complete_Event,
    HCI_LE_Create_Connection_Cancel_Command,
    HCI_LE_Enhanced_Connection_Complete_Event,
    HCI_Packet,
    HCI_StatusReturnParameters,
    Role,
)
from bumble.host import Host
from bumble.keys import MemoryKeyStore
from bumble.link import LocalLink
from bumble.transport.common import AsyncPipeSink

from ble.sim.peripheral import SimulatedPeripheral


class AirLink(LocalLink):
    """Bumble's local link, mended where a central meets these peripherals."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def send_acl_data(
        self, sender_controller: Controller, destination_address: Address, transport: core.PhysicalTransport, data: bytes
    ) -> None:
        """As upstream, but names the sender by the address the connection was made with.

        Upstream names it by its random address always; the data of a central that connected by its public address (BlueZ does) are
        then dropped by the receiver (bumble/link.py of google/bumble 0.0.236).
        """
        if transport != core.PhysicalTransport.LE:
            super().send_acl_data(sender_controller, destination_address, transport, data)
            return
        receiver = self.find_le_controller(destination_address)
        connection = sender_controller.le_connections.get(destination_address)
        if receiver is not None and connection is not None:
            asyncio.get_running_loop().call_soon(receiver.on_link_acl_data, connection.self_address, transport, data)

    def find_le_controller(self, address: Address) -> Controller | None:
        """By its own address first: upstream looks among connections first, and two links of one device would answer for each other."""
        for controller in self.controllers:
            if address in (controller.random_address, controller.public_address):
                return controller
        return super().find_le_controller(address)

    def send_advertising_pdu(self, sender_controller: Controller, packet: ll.AdvertisingPdu) -> None:
        """As upstream, with the scan response joined to the advertisement: upstream's scanners report it never."""
        if isinstance(packet, ll.AdvInd):
            packet = dataclasses.replace(packet, data=packet.data + sender_controller.le_legacy_advertiser.scan_response_data)
        elif isinstance(packet, ll.AdvExtInd):
            responses = (
                s.scan_response_data for s in sender_controller.advertising_sets.values() if s.address == packet.advertiser_address
            )
            packet = dataclasses.replace(packet, data=packet.data + bytes(next(responses, b"")))
        super().send_advertising_pdu(sender_controller, packet)


class AirController(Controller):
    """Bumble's software controller, with longer data packets and a connection attempt that can be called off."""

    le_acl_data_packet_length: int = 251
    acl_data_packet_length: int = 251

    def on_hci_le_create_connection_cancel_command(self, _command: HCI_LE_Create_Connection_Cancel_Command) -> HCI_StatusReturnParameters:
        """Core specification, volume 4, part E, 7.8.13: the attempt ends with an event that says so. Upstream goes on waiting."""
        pending, self.pending_le_connection = self.pending_le_connection, None
        if pending is None:
            return HCI_StatusReturnParameters(HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        self.send_hci_packet(
            HCI_LE_Connection_Complete_Event(
                status=HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
                connection_handle=0,
                role=Role.CENTRAL,
                peer_address_type=pending.peer_address.address_type,
                peer_address=pending.peer_address,
                connection_interval=0,
                peripheral_latency=0,
                supervision_timeout=0,
                central_clock_accuracy=0,
            )
        )
        return HCI_StatusReturnParameters(HCI_ErrorCode.SUCCESS)


class KernelController(AirController):
    """A controller for the Linux kernel to drive.

    It says that it has LL Privacy and extended advertising, and then owes a host that asked for it LE Enhanced Connection Complete (core
    specification, volume 4, part E, 7.7.65.10). Upstream sends the older event: the kernel (`use_enhanced_conn_complete` in
    torvalds/linux `include/net/bluetooth/hci_core.h`) waits on, its commands stand still for seconds, and links stay open in the air.
    """

    def send_hci_packet(self, packet: HCI_Packet) -> None:
        asked_for = self.le_event_mask >> (HCI_LE_Enhanced_Connection_Complete_Event.subevent_code - 1) & 1
        if asked_for and isinstance(packet, HCI_LE_Connection_Complete_Event):
            packet = _enhanced(packet)
        super().send_hci_packet(packet)


def _enhanced(event: HCI_LE_Connection_Complete_Event) -> HCI_LE_Enhanced_Connection_Complete_Event:
    return HCI_LE_Enhanced_Connection_Complete_Event(
        status=event.status,
        connection_handle=event.connection_handle,
        role=event.role,
        peer_address_type=event.peer_address_type,
        peer_address=event.peer_address,
        local_resolvable_private_address=Address.ANY,
        peer_resolvable_private_address=Address.ANY,
        connection_interval=event.connection_interval,
        peripheral_latency=event.peripheral_latency,
        supervision_timeout=event.supervision_timeout,
        central_clock_accuracy=event.central_clock_accuracy,
    )


class AirHost(Host):
    """Bumble's host, mended where a command is called off in the very turn of the loop in which its answer comes."""

    def on_command_processed(self, event: HCI_Command_Complete_Event[Any] | HCI_Command_Status_Event) -> None:
        """As upstream, but an answer that nobody waits for any more is none of anybody's: upstream raises InvalidStateError."""
        if self.pending_response is None or not self.pending_response.done():
            super().on_command_processed(event)


def device_on(link: AirLink, name: str, address: Address) -> tuple[AirController, Device]:
    """A Bumble device with a software controller of its own on `link`."""
    controller = AirController(name, link=link, public_address=made_up_public())
    # The static address is the identity here: it is what the other side meets again.
    configuration = DeviceConfiguration(name=name, address=address, keystore=None, identity_address_type=Address.RANDOM_DEVICE_ADDRESS)
    device = Device(config=configuration, host=AirHost(controller, AsyncPipeSink(controller)))
    return controller, device


def random_static() -> Address:
    """A random static address (core specification, volume 6, part B, 1.3.2.1)."""
    return Address.generate_static_address()


def made_up_public() -> Address:
    """A public address for a software controller that belongs to nobody."""
    raw = bytearray(secrets.token_bytes(6))
    raw[5] = 0x02  # locally administered, so that it is nobody's
    return Address(bytes(raw), Address.PUBLIC_DEVICE_ADDRESS)


def hush_bumble() -> None:
    """Keep Bumble's log to errors: it reports each notification nobody asked for, and these glasses send such by design."""
    logging.getLogger("bumble").setLevel(logging.ERROR)


class Air:
    """A virtual air and all that is on it. Lives on the event loop it was made on; `close` leaves nothing running."""

    def __init__(self) -> None:
        hush_bumble()
        self.link = AirLink()
        self.radio_on = True
        """False: this computer's own Bluetooth is switched off, for scans and links made from then on."""
        self._devices: dict[SimulatedPeripheral, tuple[AirController, str]] = {}
        self._faces: dict[str, tuple[Address, MemoryKeyStore]] = {}

    async def add(self, peripheral: SimulatedPeripheral, address: str | None = None) -> str:
        """Switch `peripheral` on and return its address; `address` fixes a random static one ("F0:12:34:56:78:9A")."""
        own = Address(address, Address.RANDOM_DEVICE_ADDRESS) if address else random_static()
        controller, device = device_on(self.link, peripheral.name, own)
        text = own.to_string(with_type_qualifier=False)
        self._devices[peripheral] = (controller, text)
        await peripheral.switch_on(device)
        return text

    async def remove(self, peripheral: SimulatedPeripheral) -> None:
        """Switch `peripheral` off, as if its battery had run out."""
        controller, _ = self._devices.pop(peripheral)
        await peripheral.switch_off()
        self.take_off(controller)

    def address_of(self, peripheral: SimulatedPeripheral) -> str:
        return self._devices[peripheral][1]

    @property
    def peripherals(self) -> tuple[SimulatedPeripheral, ...]:
        return tuple(self._devices)

    def hears(self, address: str) -> bool:
        """Whether a device with this address is on the air."""
        return any(text.upper() == address.upper() for _, text in self._devices.values())

    def face_for(self, address: str) -> tuple[Address, MemoryKeyStore]:
        """The address this computer shows to the device at `address`, always the same one, and the bonds it keeps with it.

        One for each device, because every link has a controller of its own here, and two with one address would answer for each other.
        """
        return self._faces.setdefault(address.upper(), (random_static(), MemoryKeyStore()))

    def forget_bond(self, address: str) -> None:
        """As if the person had the system forget the device at `address`; to that device this computer stays the one it was."""
        own, _ = self.face_for(address)
        self._faces[address.upper()] = own, MemoryKeyStore()

    def take_off(self, controller: AirController) -> None:
        for advertiser in controller.advertising_sets.values():
            advertiser.stop()
        controller.le_legacy_advertiser.stop()
        self.link.controllers.discard(controller)

    async def close(self) -> None:
        for peripheral in self.peripherals:
            await self.remove(peripheral)
