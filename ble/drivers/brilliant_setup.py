"""From a fresh link to glasses that take photos: recognise, pair, take over the prompt, see that our app is there, start it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ble.drivers import brilliant_lua as lua
from ble.drivers import brilliant_profile as profile
from ble.drivers import standard
from ble.drivers.brilliant_link import BrilliantLink
from ble.drivers.brilliant_repl import LuaError, NoAnswer
from ble.errors import GlassesError, LinkLost, NotGlasses, PairingNeeded, PairsByItself, ProtocolFault, RadioUnavailable
from ble.types import DeviceInfo

_UPLOADS = 2
_FIRMWARE = re.compile(r"v(\d+)\.(\d+)\.(\d+)")

_HOW_TO_PAIR = {
    profile.FAMILY_FRAME: (
        "A Frame knows one computer or phone at a time. Put the glasses on their powered cradle, hold the button in its pin hole for "
        "3 seconds, forget the glasses in this computer's Bluetooth settings, and pair again."
    ),
    profile.FAMILY_HALO: (
        "Hold the button of the glasses for 5 seconds, until the chime (not for 15, which resets them), forget the glasses in this "
        "computer's Bluetooth settings, and pair again within a minute."
    ),
}

_PERHAPS_UNPAIRED = (
    "Bring the glasses closer. If they are not paired with this computer yet: hold the button of a Halo for 5 seconds, until the chime; "
    "put a Frame on its powered cradle and hold the button in its pin hole for 3 seconds."
)


async def connect(link: BrilliantLink) -> None:
    """Make the link. Raises LinkLost, also where a Halo ends it at once because it does not know this computer."""
    try:
        await link.port.connect(link.lost)
    except LinkLost as error:
        raise LinkLost(error.what, error.why, _PERHAPS_UNPAIRED) from error


async def set_up(link: BrilliantLink, *, own_app: bool) -> DeviceInfo:
    """Make `link`, connected, ready for photos. Raises NotGlasses, PairingNeeded, ProtocolFault, LinkLost."""
    services = link.port.services()
    link.model = _recognise(services)
    await _secure(link)
    payload = await link.port.payload_size(profile.WANTED_PAYLOAD)
    if payload < profile.SMALLEST_PAYLOAD:
        raise ProtocolFault(
            "This computer's Bluetooth carries too little at a time for these glasses.",
            f"It says it carries {payload} bytes; {profile.SMALLEST_PAYLOAD} are needed.",
            "Another Bluetooth adapter may help.",
        )
    await link.repl.take_over()
    info = await _read_information(link)
    await _read_battery(link)
    if own_app:
        await _own_app(link, min(payload, profile.WANTED_PAYLOAD))
    else:
        await link.start_fallback()
    await standard.watch_battery(link.port, link.session.battery_notified, read=False)  # the app tells it every minute, too
    return info


def _recognise(services: Mapping[str, frozenset[str]]) -> profile.Model:
    there = services.get(profile.LUA_SERVICE, frozenset())
    if {profile.LUA_WRITE, profile.LUA_NOTIFY} <= there:
        return profile.HALO if profile.HALO_SPEAKER in there else profile.FRAME
    if profile.DFU_SERVICE in services:
        raise NotGlasses(
            "These glasses are waiting for new firmware.",
            "Frame does so after an update was begun; Eyelid never installs firmware.",
            "Wait five minutes, or finish the update with Brilliant Labs' own app.",
        )
    raise NotGlasses(
        "This is not a Frame or a Halo.", "It lacks the service that such glasses are operated through.", "Choose another device."
    )


async def _secure(link: BrilliantLink) -> None:
    """Pair, which does nothing where the two are paired already, then touch what only paired computers may.

    In this order: at a refused first access BlueZ begins to pair by itself, in nobody's name, and waits for an answer that nobody gives.
    """
    how = _HOW_TO_PAIR[link.model.family]
    refused = PairingNeeded("The glasses do not accept this computer.", "Pairing was refused.", how)
    try:
        await link.port.pair()
    except PairsByItself:
        pass
    except RadioUnavailable:
        raise
    except GlassesError as error:
        raise refused from error
    try:
        await link.knock()
    except LinkLost as error:
        raise LinkLost(error.what, "The glasses ended the link at once; perhaps they do not know this computer.", how) from error
    except PairingNeeded as error:
        raise refused from error


async def _read_information(link: BrilliantLink) -> DeviceInfo:
    hardware, firmware = await _value(link, "frame.HARDWARE_VERSION"), await _value(link, "frame.FIRMWARE_VERSION")
    version = _FIRMWARE.fullmatch(firmware)
    if link.model is profile.FRAME and version and tuple(map(int, version.groups())) < profile.FIRST_FIRMWARE:
        raise NotGlasses(
            "The firmware of these glasses is too old.",
            f"They run {firmware}.",
            "Update them with Brilliant Labs' own app, then try again.",
        )
    return DeviceInfo(manufacturer="Brilliant Labs", model=hardware or link.model.label, firmware=firmware)


async def _value(link: BrilliantLink, name: str) -> str:
    """A value the driver can do without; empty if the glasses don't know it. Raises NoAnswer, LinkLost."""
    try:
        value = await link.repl.ask_twice(name)
    except LuaError:
        return ""
    return "" if value == "nil" else value


async def _read_battery(link: BrilliantLink) -> None:
    try:
        link.session.battery(int(float(await _value(link, "frame.battery_level()"))))
    except (ValueError, OverflowError):
        pass  # no reading


async def _own_app(link: BrilliantLink, payload: int) -> None:
    """Start our app, uploading it first unless it is there; if it can't be made to run, settle for the fallback."""
    for again in range(_UPLOADS):
        try:
            if again:
                await link.repl.take_over()
            if again or not await _app_is_there(link):
                await _upload(link, payload)
            await link.start_app()
            return
        except (LuaError, NoAnswer):
            continue
    await link.repl.take_over()
    await link.start_fallback()


async def _app_is_there(link: BrilliantLink) -> bool:
    try:
        return await link.repl.ask_twice(f"require('{lua.MARKER_MODULE}')") == lua.VERSION
    except LuaError:
        return False


async def _upload(link: BrilliantLink, payload: int) -> None:
    await link.repl.remove(lua.MARKER_MODULE)
    await link.repl.upload(lua.MODULE, lua.APP, payload)
    await link.repl.upload(lua.MARKER_MODULE, lua.MARKER, payload)
