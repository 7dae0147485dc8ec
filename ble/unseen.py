"""Why a pair of glasses is not seen, and the one thing to do about it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from ble.errors import GlassesError


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known when glasses were looked for and not heard.

    `radio_trouble`: what kept the scan from running, if anything. `others_heard`: how many other devices of the same kind were;
    `awaiting_firmware`: some wait for new firmware, and nobody can tell whose those are. The next three are what is remembered of these
    glasses: when they were last heard or linked, how strong (dBm), and their battery (percent). `devices_heard`: how many devices of
    whatever kind were heard, None if nobody counted. `held_here`: this computer's system has a link to the glasses itself, which nobody
    in Eyelid made.
    """

    seconds: float
    now: datetime
    radio_trouble: GlassesError | None = None
    simulated: bool = False
    others_heard: int = 0
    awaiting_firmware: bool = False
    last_seen: datetime | None = None
    last_rssi: int | None = None
    last_battery: int | None = None
    devices_heard: int | None = None
    held_here: bool = False


class Why(NamedTuple):
    """For a person: what is the case, why, and one thing to do."""

    what: str
    why: str
    action: str


_LOW_BATTERY = 10
_WEAK_RSSI = -85
_JUST_NOW = timedelta(minutes=5)
_LONG_AGO = timedelta(days=3)
"""Longer than any of these glasses runs without being charged."""

_UNSEEN = "Your glasses were not seen."


def why_unseen(facts: Facts) -> Why:
    """The likeliest reason first; each reason comes with exactly one action."""
    if facts.radio_trouble is not None:
        return Why(facts.radio_trouble.what, facts.radio_trouble.why, facts.radio_trouble.action)
    if facts.simulated:
        return Why(
            "The simulated glasses are not running.",
            "They exist only while Eyelid simulates them.",
            "Start them again on the Glasses page.",
        )
    if facts.held_here:
        return Why(
            _UNSEEN,
            "Another program on this computer, or its Bluetooth settings, is connected to them, which hides them from Eyelid.",
            "Disconnect the glasses in the system's Bluetooth settings.",
        )
    if facts.devices_heard == 0:
        return Why(
            "This computer hears no Bluetooth devices at all.",
            f"In {facts.seconds:.0f} seconds there was not a single one, which is rare: its Bluetooth may be stuck.",
            "Switch Bluetooth off and on again.",
        )
    if facts.awaiting_firmware:
        return Why(
            _UNSEEN,
            "Glasses of this kind that wait for new firmware were heard. They may be yours: until that is over, they go by another name.",
            "Finish the update with the glasses' own app, or wait five minutes until they give it up.",
        )
    return _of_what_is_remembered(facts)


def _of_what_is_remembered(facts: Facts) -> Why:
    if facts.last_battery is not None and facts.last_battery <= _LOW_BATTERY:
        return Why(
            _UNSEEN, f"Their battery was at {facts.last_battery} % when they were last heard; it may be empty.", "Charge the glasses."
        )
    if facts.last_rssi is not None and facts.last_rssi <= _WEAK_RSSI:
        return Why(_UNSEEN, "Their signal was very weak when they were last heard.", "Bring the glasses closer to this computer.")
    if facts.last_seen is not None and facts.now - facts.last_seen <= _JUST_NOW:
        return Why(
            _UNSEEN,
            "They were here a moment ago: they may be connected to a phone, which hides them from everybody else.",
            "Close the glasses' app on the phone, or switch the phone's Bluetooth off.",
        )
    if facts.others_heard:
        return Why(
            _UNSEEN,
            "Other glasses of this kind were heard, but not the ones you paired. Their address changes when their firmware is replaced.",
            "If these are yours, pair them anew.",
        )
    if facts.last_seen is not None and facts.now - facts.last_seen > _LONG_AGO:
        return Why(
            _UNSEEN,
            f"They were last heard {(facts.now - facts.last_seen).days} days ago; their battery may be empty.",
            "Charge the glasses.",
        )
    return Why(
        _UNSEEN,
        f"Nothing was heard of them in {facts.seconds:.0f} seconds: they are switched off, out of range, or connected to a phone.",
        "Switch the glasses on and hold them near this computer.",
    )
