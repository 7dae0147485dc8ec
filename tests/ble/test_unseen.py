"""Why glasses are not seen: each reason names one thing to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ble.errors import RadioOff
from ble.unseen import Facts, why_unseen

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOTHING = Facts(seconds=15, now=NOW)


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        (NOTHING, "switched off"),
        (replace(NOTHING, others_heard=2), "Other glasses"),
        (replace(NOTHING, awaiting_firmware=True), "wait for new firmware"),
        (replace(NOTHING, awaiting_firmware=True, others_heard=1, last_battery=3, last_seen=NOW), "wait for new firmware"),
        (replace(NOTHING, awaiting_firmware=True, simulated=True), "simulates"),
        (replace(NOTHING, last_seen=NOW - timedelta(minutes=1)), "phone"),
        (replace(NOTHING, last_seen=NOW - timedelta(days=1)), "switched off"),
        (replace(NOTHING, last_rssi=-90, last_seen=NOW), "weak"),
        (replace(NOTHING, last_rssi=-50), "switched off"),
        (replace(NOTHING, last_battery=3, last_rssi=-90), "battery"),
        (replace(NOTHING, last_battery=80), "switched off"),
        (replace(NOTHING, simulated=True, last_battery=3), "simulates"),
        (replace(NOTHING, devices_heard=0, last_battery=3), "stuck"),
        (replace(NOTHING, devices_heard=1), "switched off"),
        (replace(NOTHING, simulated=True, devices_heard=0), "simulates"),
        (replace(NOTHING, held_here=True, devices_heard=0), "Another program"),
        (replace(NOTHING, last_seen=NOW - timedelta(days=9)), "9 days ago"),
        (replace(NOTHING, last_seen=NOW - timedelta(days=9), others_heard=1), "Other glasses"),
        (replace(NOTHING, radio_trouble=RadioOff("Bluetooth is switched off.", "So it is.", "Switch it on."), simulated=True), "So it is"),
    ],
)
def test_reasons(facts: Facts, word: str) -> None:
    why = why_unseen(facts)
    assert word in why.why
    assert why.what
    assert why.action.endswith(".")
