"""Pairing, screen by screen: what is nearby, what to know before, codes, what went wrong, and the new pair."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from ble.errors import NotGlasses, PairingNeeded, RadioUnavailable
from tests.ui.hands import press_called, texts

ADDRESS = "AA:BB:CC:DD:EE:01"


@pytest.fixture
async def looking(window, services, fake, until):
    """The pairing panel with one pair heard."""
    services.glasses.air = [fake.FOUND]
    window.pair()
    await until(lambda: window.glasses.pairing.look.rows())
    return window.glasses.pairing


async def test_pairing_lists_the_nearest_first_and_says_what_to_know_before(window, services, fake, until) -> None:
    services.glasses.air = [replace(fake.FOUND, address="AA:BB:CC:DD:EE:09", name="Far", rssi=-90), fake.FOUND]
    window.pair()
    panel = window.glasses.pairing
    await until(lambda: len(panel.look.rows()) == 2)
    assert [row.found.name for row in panel.look.rows()] == ["Omi Glass", "Far"]
    assert "Why can't I see mine?" in texts(panel)
    assert "Ray-Ban Meta" in texts(panel)
    press_called(panel, "Pair Omi Glass, Strong signal")
    assert "not encrypted" in texts(panel)
    assert QApplication.focusWidget() is panel.before.not_now, "no haste says yes"
    assert not services.glasses.views
    press_called(panel, "Pair these glasses")
    await until(lambda: "Omi Glass is paired" in texts(panel))
    assert list(services.glasses.views) == [ADDRESS]
    await until(lambda: "Photos every 30 s" in texts(panel))
    assert panel.trail.words == "Step 4 of 4: Ready"


async def test_not_now_pairs_nothing_and_goes_back_to_the_list(looking, services, until) -> None:
    press_called(looking, "Pair Omi Glass, Strong signal")
    press_called(looking, "Not now")
    await until(lambda: looking.look.rows())
    assert looking.trail.words.startswith("Step 1")
    assert not services.glasses.views


@pytest.mark.parametrize("same", [True, False])
async def test_codes_are_compared_and_the_wary_answer_has_the_focus(looking, services, until, same: bool) -> None:
    services.glasses.code = "123456"
    press_called(looking, "Pair Omi Glass, Strong signal")
    press_called(looking, "Pair these glasses")
    await until(lambda: "123 456" in texts(looking))
    assert QApplication.focusWidget() is looking.link.differs
    assert looking.link.code.accessibleName() == "Code 1 2 3 4 5 6"
    assert not services.glasses.views
    press_called(looking, "They show the same" if same else "They show another code")
    await until(lambda: ("is paired" if same else "Somebody may be between them") in texts(looking))
    assert bool(services.glasses.views) is same


async def test_what_went_wrong_comes_with_one_thing_to_do(looking, services, until) -> None:
    services.glasses.pair_error = PairingNeeded("They do not know this computer.", "They were reset.", "Make them forget it.")
    press_called(looking, "Pair Omi Glass, Strong signal")
    press_called(looking, "Pair these glasses")
    await until(lambda: "They do not know this computer." in texts(looking))
    assert "They were reset." in texts(looking)
    assert "have to forget it first" in texts(looking)
    services.glasses.pair_error = NotGlasses("That is a necklace.", "It has no camera.", "Choose others.")
    press_called(looking, "Try again")
    await until(lambda: "That is a necklace." in texts(looking))
    services.glasses.pair_error = None
    press_called(looking, "Choose others")
    await until(lambda: looking.look.rows())
    press_called(looking, "Pair Omi Glass, Strong signal")
    press_called(looking, "Pair these glasses")
    await until(lambda: services.glasses.views)


async def test_others_of_the_same_name_are_not_taken_for_mine(window, services, fake, until) -> None:
    services.glasses.put(fake.view())
    services.glasses.air = [replace(fake.FOUND, address="AA:BB:CC:DD:EE:09")]
    window.pair()
    panel = window.glasses.pairing
    await until(lambda: panel.look.rows())
    press_called(panel, "Pair Omi Glass, Strong signal")
    assert "these are others: their address differs" in texts(panel)
    assert "Pair them all the same" in texts(panel)


async def test_esc_goes_back_one_screen_then_leaves(looking, window, qtbot, until) -> None:
    press_called(looking, "Pair Omi Glass, Strong signal")
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    await until(lambda: looking.trail.words.startswith("Step 1"))
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert "No glasses yet" in texts(window.glasses)


async def test_enter_presses_what_has_the_focus(looking, services, qtbot, until) -> None:
    looking.look.rows()[0].pair.setFocus()
    for _ in ("pair", "not now"):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Space)
    await until(lambda: looking.trail.words.startswith("Step 1"))
    assert not services.glasses.views


async def test_every_family_can_be_tried_and_an_experimental_one_says_so(window, services, until) -> None:
    services.glasses.simulated_families = lambda: (("omi-glass", "Omi Glass"), ("heycyan", "HeyCyan"))
    window.pair()
    panel = window.glasses.pairing
    await until(lambda: panel.look.offered)
    assert "HeyCyan (experimental)" in texts(panel)
    press_called(panel, "Start simulated Omi Glass")
    await until(lambda: panel.look.rows())


async def test_a_radio_that_is_off_is_said_once_in_its_place_until_it_is_on(window, services, fake, until) -> None:
    services.glasses.scan_error = RadioUnavailable("Bluetooth is off.", "The adapter is switched off.", "Switch it on.")
    window.pair()
    panel = window.glasses.pairing
    await until(lambda: panel.look.notice.text == "Bluetooth is off. The adapter is switched off. Switch it on.")
    assert window.banners.shown() == []
    assert panel.look.search.isEnabled()
    assert panel._retry.isActive()
    services.glasses.scan_error, services.glasses.air = None, [fake.FOUND]
    panel._retry.timeout.emit()  # nobody pressed anything
    await until(lambda: panel.look.rows())
    assert panel.look.notice.text == ""


async def test_leaving_the_page_ends_the_search(looking, window, services) -> None:
    press_called(looking, "Pair Omi Glass, Strong signal")
    window.go("captures")
    assert looking._flow is None
    assert looking.look.rows() == []
    assert not services.glasses.views


async def test_new_glasses_are_called_what_the_person_likes(looking, services, until) -> None:
    press_called(looking, "Pair Omi Glass, Strong signal")
    press_called(looking, "Pair these glasses")
    await until(lambda: "is paired" in texts(looking))
    looking.ready.name.setText("Blue ones")
    looking.ready.name.editingFinished.emit()
    await until(lambda: "Blue ones is paired" in texts(looking))
    press_called(looking, "Take a first photo")
    await until(lambda: ("photo", ADDRESS) in services.glasses.calls)
