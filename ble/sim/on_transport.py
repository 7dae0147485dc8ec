"""Simulated glasses on any transport Bumble knows: a USB dongle, a serial controller, or `vhci`, where the Linux kernel finds them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from bumble.device import Device
from bumble.hci import Address
from bumble.transport import open_transport
from bumble.transport.common import BaseSource, Transport

from ble.sim.air import AirLink, KernelController, device_on, hush_bumble, made_up_public, random_static
from ble.sim.catalogue import make
from ble.sim.faults import NO_FAULTS, Faults
from ble.sim.open_profile_bonded import BondedPeripheral

_CONTROLLER_SIDE = frozenset({"vhci"})
"""Transports whose other end is a host (the kernel) that needs a controller; at all others a controller waits for a host."""
_FAREWELL_SECONDS = 5.0


async def serve(
    family: str,
    transport: str,
    pictures: Sequence[bytes],
    *,
    faults: Faults = NO_FAULTS,
    address: str | None = None,
    shows_code: bool = False,
    on_event: Callable[[str], None] | None = None,
) -> None:
    """Be simulated glasses on a Bumble transport ("vhci", "usb:0", "serial:/dev/ttyACM0,1000000") until cancelled or the transport ends.

    `address` is a random static address. `shows_code`: glasses of the open profile have a display, so that codes are compared while
    pairing; those of other families have none. `on_event` gets short sentences. Raises ValueError for an unknown family, and whatever the
    transport raises when it can't be opened.
    """
    peripheral = make(family, pictures, faults=faults, on_event=on_event)
    if isinstance(peripheral, BondedPeripheral):
        peripheral.shows_code = shows_code
    own = Address(address, Address.RANDOM_DEVICE_ADDRESS) if address else random_static()
    hush_bumble()
    async with await open_transport(transport) as opened:
        if transport.split(":", 1)[0] in _CONTROLLER_SIDE:
            lent = _behind_a_controller(opened, peripheral.name, own)
        else:
            lent = Device.with_hci(peripheral.name, own, opened.source, opened.sink)
        try:
            await peripheral.switch_on(lent)
            await _end_of(opened)
        finally:
            # A controller that is gone answers no farewell.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FAREWELL_SECONDS):
                    await peripheral.switch_off()


async def _end_of(opened: Transport) -> None:
    if isinstance(opened.source, BaseSource):
        await opened.source.wait_for_termination()
    else:
        await asyncio.get_running_loop().create_future()


def _behind_a_controller(opened: Transport, name: str, own: Address) -> Device:
    """Give the host at the other end a software controller, and put the glasses on the air it hears."""
    link = AirLink()
    KernelController("host side", host_source=opened.source, host_sink=opened.sink, link=link, public_address=made_up_public())
    return device_on(link, name, own)[1]
