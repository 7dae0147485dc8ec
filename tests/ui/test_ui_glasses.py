"""Glasses on the screen: their state, what can be asked of them, import over Wi-Fi."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QPushButton

from app.errors import Explanation
from app.events import CaptureArriving, CaptureLost
from app.glasses.over_wifi import BrokenOff, Done, Invitation, Looking, Progress
from ble.errors import RadioUnavailable
from ble.types import Capabilities, Capability, GlassesStatus, LinkState, Stored
from tests.ui.hands import dialog_of, press_called, texts
from ui.dialogs import NameDialog, Question
from ui.glasses_words import abilities, storage

ADDRESS = "AA:BB:CC:DD:EE:01"


# -- their state ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def paired(window, services, fake, until):
    services.glasses.put(fake.view())
    window.go("glasses")
    await until(lambda: window.glasses._cards)
    return window


async def test_glasses_show_state_and_battery_with_its_age(paired, services, fake, until) -> None:
    await until(lambda: "Battery 62 %, 4 min ago" in texts(paired.glasses))
    assert "Connected" in texts(paired.glasses)
    trouble = Explanation("They are out of reach.", "", "Bring them nearer.")
    services.glasses.put(fake.view(LinkState.WAITING, trouble=trouble))
    await until(lambda: "They are out of reach." in texts(paired.glasses))
    assert "Out of reach" in texts(paired)


async def test_no_menu_is_taken_from_under_the_pointer(paired, services, fake, until) -> None:
    card = paired.glasses._cards[ADDRESS]
    more = next(one for one in card.findChildren(QPushButton) if one.accessibleName() == "More for Omi Glass")
    more.menu().popup(QPoint(0, 0))
    services.glasses.put(fake.view(LinkState.WAITING))
    await until(lambda: card.view.state is LinkState.WAITING)
    assert more.menu().isVisible()
    assert "Connected" in texts(card)
    more.menu().close()
    await until(lambda: "Out of reach" in texts(card))


async def test_two_pairs_have_a_card_each(paired, services, fake, until) -> None:
    one = fake.view()
    services.glasses.put(replace(one, known=replace(one.known, address="AA:BB:CC:DD:EE:02", name="Halo", family="halo")))
    await until(lambda: len(paired.glasses._cards) == 2)
    press_called(paired.glasses, "Take photo with Halo")
    await until(lambda: services.glasses.calls == [("photo", "AA:BB:CC:DD:EE:02")])


async def test_take_photo_and_capture_at_intervals(paired, services, until) -> None:
    press_called(paired.glasses, "Take photo with Omi Glass")
    await until(lambda: services.glasses.calls)
    paired.glasses.set_continuous(ADDRESS, True)
    await until(lambda: len(services.glasses.calls) == 2)
    assert services.glasses.calls == [("photo", ADDRESS), ("continuous", ADDRESS, True)]


async def test_a_silent_camera_is_said(paired, services, until) -> None:
    services.glasses.photo_error = RadioUnavailable("No photo came.", "The glasses were silent.", "Try again nearer.")
    paired.glasses.take_photo(ADDRESS)
    await until(lambda: "No photo came." in texts(paired.banners))


async def test_arriving_bytes_are_shown_with_speed_and_time_left(paired, services, until) -> None:
    services.events.publish(CaptureArriving(ADDRESS, 2000, 20000))
    await until(lambda: "A capture is arriving, 2 kB of 20 kB" in texts(paired.glasses))
    services.events.publish(CaptureArriving(ADDRESS, 4000, 20000, 1000.0, 16.0))
    await until(lambda: "4 kB of 20 kB, 1 kB a second, 0:16 left" in texts(paired.glasses))
    services.events.publish(CaptureLost(ADDRESS, "It broke."))
    await until(lambda: "is arriving" not in texts(paired.glasses))


async def test_a_new_state_takes_no_focus_from_elsewhere_and_loses_none(paired, services, fake, until) -> None:
    card = paired.glasses._cards[ADDRESS]
    button = next(one for one in card.findChildren(QPushButton) if one.accessibleName() == "Take photo with Omi Glass")
    button.setFocus()
    services.glasses.put(fake.view(status=GlassesStatus(battery=50, battery_at=fake.NOW)))
    await until(lambda: "Battery 50 %" in texts(card))
    assert QApplication.focusWidget().accessibleName() == "Take photo with Omi Glass"
    paired.glasses._pair.setFocus()
    services.glasses.put(fake.view(status=GlassesStatus(battery=40, battery_at=fake.NOW)))
    await until(lambda: "Battery 40 %" in texts(card))
    assert QApplication.focusWidget() is paired.glasses._pair


async def test_photos_are_turned_as_the_wearer_says(paired, services, fake, until) -> None:
    card = paired.glasses._cards[ADDRESS]
    more = next(one for one in card.findChildren(QPushButton) if one.accessibleName() == "More for Omi Glass")
    turns = next(action.menu() for action in more.menu().actions() if action.text() == "Turn their photos")
    assert [action.text() for action in turns.actions() if action.isChecked()] == ["As the glasses say"]
    next(action for action in turns.actions() if action.text() == "A quarter to the right").trigger()
    await until(lambda: ("turn", ADDRESS, 90) in services.glasses.calls)


async def test_a_turn_that_was_refused_is_not_shown_as_chosen(paired, services, until) -> None:
    def chosen() -> list[str]:
        more = [one for one in paired.glasses._cards[ADDRESS].findChildren(QPushButton) if one.accessibleName() == "More for Omi Glass"][-1]
        turns = next(action.menu() for action in more.menu().actions() if action.text() == "Turn their photos")
        return [action.text() for action in turns.actions() if action.isChecked()]

    async def refuse(address: str, turn: int | None) -> None:
        raise RadioUnavailable("They are not connected.", "They are away.", "Connect them.")

    services.glasses.set_turn = refuse
    paired.glasses.set_turn(ADDRESS, 90)
    await until(lambda: "They are not connected." in texts(paired.banners))
    assert chosen() == ["As the glasses say"]


async def test_the_microphone_is_off_once_the_vault_is_locked(paired, services, fake, until) -> None:
    can = Capabilities("open", frozenset({Capability.MICROPHONE}), encrypted_link=True)
    services.glasses.put(fake.view(capabilities=can))
    await until(lambda: "The microphone is off except while" in texts(paired.glasses))
    paired.glasses.record_sound(ADDRESS)
    await until(lambda: "Recording for" in texts(paired.glasses))
    paired.glasses.record_sound(ADDRESS)
    await asyncio.sleep(0)
    assert services.glasses.calls == [("sound", ADDRESS, 30)], "another press neither cuts it off nor begins a second one"
    paired.lock()
    await until(lambda: ("sound ended", ADDRESS) in services.glasses.calls)


async def test_a_voice_note_is_seen_while_it_is_recorded_and_can_be_stopped(paired, services, fake, until) -> None:
    can = Capabilities("open", frozenset({Capability.MICROPHONE}), encrypted_link=True)
    services.glasses.put(fake.view(capabilities=can))
    await until(lambda: "Voice note" in texts(paired.glasses))
    press_called(paired.glasses, "Record a voice note with Omi Glass")
    await until(lambda: "Recording for 30 seconds…" in texts(paired.glasses))
    press_called(paired.glasses, "Cancel")
    await until(lambda: services.glasses.calls == [("sound", ADDRESS, 30), ("sound ended", ADDRESS)])
    assert "Recording" not in texts(paired.glasses)


async def test_forgetting_asks_first(paired, services, fake, until) -> None:
    paired.glasses.forget_glasses(fake.view())
    dialog = await dialog_of(paired, until, Question)
    next(one for one in dialog.findChildren(QPushButton) if one.text() == "Forget").click()
    await until(lambda: "No glasses yet" in texts(paired.glasses))


async def test_glasses_are_renamed(paired, services, fake, until) -> None:
    paired.glasses.rename(fake.view())
    dialog = await dialog_of(paired, until, NameDialog)
    dialog.field.setText("Mine")
    dialog.go.click()
    await until(lambda: ("rename", ADDRESS, "Mine") in services.glasses.calls)
    await until(lambda: "Mine" in texts(paired.glasses))


def mentra(fake, **changes):
    can = Capabilities("mentra-live", frozenset({Capability.TAKE_PHOTO, Capability.WIFI, Capability.RELEASE}), encrypted_link=True)
    return fake.view(capabilities=can, **changes)


async def test_emptying_the_glasses_is_asked_about_when_switched_on(paired, services, fake, until) -> None:
    services.glasses.put(mentra(fake))
    for verb, calls in (("Keep them on the glasses", []), ("Remove them once safe", [("release", ADDRESS, True)])):
        paired.glasses.set_release(ADDRESS, True)
        dialog = await dialog_of(paired, until, Question)
        next(one for one in dialog.findChildren(QPushButton) if one.text() == verb).click()
        await until(lambda: not paired.tasks.running("release"))
        assert services.glasses.calls == calls
        await until(lambda: not [one for one in paired.findChildren(Question) if one.isVisible()])


async def test_why_they_are_not_seen_is_asked_of_the_glasses_in_question(paired, services, fake, until) -> None:
    services.glasses.put(fake.view(LinkState.WAITING, trouble=Explanation("Not seen.", "", "Wake them.")))
    await until(lambda: "Not seen." in texts(paired.glasses))
    services.glasses.air = [replace(fake.FOUND, address="AA:BB:CC:DD:EE:09")]
    press_called(paired.glasses, "Why can't I see Omi Glass?")
    await until(lambda: "The simulated glasses are not running." in paired.glasses.pairing.look.notice.text)
    assert paired.glasses.pairing.look.rows() == []


# -- import over Wi-Fi ---------------------------------------------------------------------------------------------------------


@pytest.fixture
async def wifi(paired, services, fake, until):
    """Glasses with Wi-Fi that are real, so that a network is to be joined."""
    one = mentra(fake)
    services.glasses.put(replace(one, known=replace(one.known, simulated=False)))
    await until(lambda: "Import now" in texts(paired.glasses))
    return paired


async def test_import_over_wifi_from_the_network_to_the_end(wifi, services, until) -> None:
    services.glasses.wifi_steps = [Invitation("XyGlasses", "pass 123"), Looking(), Progress(1, 4), Done(3, 1, 0)]
    press_called(wifi.glasses, "Import now from Omi Glass")
    assert "How can the glasses be reached?" in texts(wifi.glasses)
    press_called(wifi.glasses, "Over their own Wi-Fi")
    await until(lambda: "XyGlasses" in texts(wifi.glasses))
    assert "pass 123" in texts(wifi.glasses)
    assert services.glasses.calls == [("import", ADDRESS, True)]
    services.glasses.wifi_hold.clear()
    press_called(wifi.glasses, "This computer is on it")
    services.glasses.wifi_hold.set()
    await until(lambda: "3 new captures came in from Omi Glass." in texts(wifi.banners))
    assert "pass 123" not in texts(wifi.glasses)
    assert not wifi.glasses._imports[ADDRESS].isVisible()


async def test_an_import_shows_how_far_it_is_and_can_be_stopped(wifi, services, until) -> None:
    services.glasses.wifi_steps = [Progress(1, 4), Done(3, 1, 0)]
    services.glasses.wifi_hold.clear()
    press_called(wifi.glasses, "Import now from Omi Glass")
    press_called(wifi.glasses, "Over the Wi-Fi that both are on")
    await until(lambda: "1 of 4 captures are here" in texts(wifi.glasses))
    press_called(wifi.glasses, "Cancel")
    await until(lambda: not wifi.glasses._imports[ADDRESS].isVisible())
    assert wifi.banners.shown() == []
    assert services.glasses.calls == [("import", ADDRESS, False)]


async def test_an_import_that_broke_off_says_why_and_offers_another(wifi, services, until) -> None:
    services.glasses.wifi_steps = [BrokenOff(Explanation("The import was interrupted.", "The link was lost.", "Import again."))]
    press_called(wifi.glasses, "Import now from Omi Glass")
    press_called(wifi.glasses, "Over their own Wi-Fi")
    await until(lambda: "The import was interrupted." in texts(wifi.banners))
    press_called(wifi.banners, "Try again")
    assert "How can the glasses be reached?" in texts(wifi.glasses)


async def test_an_import_goes_on_while_locked_and_tells_nothing_then(wifi, services, until) -> None:
    services.glasses.wifi_steps = [Progress(1, 4), Done(3, 1, 0)]
    services.glasses.wifi_hold.clear()
    press_called(wifi.glasses, "Import now from Omi Glass")
    press_called(wifi.glasses, "Over their own Wi-Fi")
    await until(lambda: "1 of 4" in texts(wifi.glasses))
    wifi.lock()
    await until(lambda: not wifi.glasses._cards)
    await asyncio.sleep(0)
    assert wifi.glasses._imports[ADDRESS].running
    services.glasses.wifi_hold.set()
    await until(lambda: not wifi.glasses._imports[ADDRESS].running)
    assert wifi.banners.shown() == []


# -- words ---------------------------------------------------------------------------------------------------------------------


def test_what_glasses_can_do_is_said_from_their_capabilities() -> None:
    can = Capabilities("frame", frozenset({Capability.BONDING, Capability.CONTINUOUS_CAPTURE}), encrypted_link=True, interval_seconds=5)
    assert [text for _, text in abilities(can)] == ["Photos every 5 s", "Encrypted link"]
    every = Capabilities("all", frozenset(Capability), encrypted_link=False)
    assert len(abilities(every)) == len(Capability), "nothing they can do goes without a word; a bond is told by the encrypted link"


def test_what_glasses_hold_is_said_in_plain_words() -> None:
    assert storage(GlassesStatus()) == ""
    assert storage(GlassesStatus(stored=Stored(1, 2), storage_free=4_200_000_000)) == "1 photo, 2 videos on the glasses, 4.20 GB free"
