"""The whole window: rooms, pages, lock, events, errors."""

from __future__ import annotations

import asyncio

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QPushButton, QToolButton

from app.errors import Cancelled, Explanation, EyelidError
from app.events import CaptureLost, Trouble, VaultNotice
from app.vault.types import LockState, Notice, NoticeKind, SlotInfo, SlotKind
from tests.ui.hands import answer, dialog_of, texts, type_back
from ui.dialogs import Question
from ui.pages.keys import PassphraseDialog, RecoveryDialog
from ui.widgets.recovery import RecoverySheet


def started(window, work) -> asyncio.Task:
    task = window.tasks.start(work)
    assert task is not None
    return task


# -- rooms ---------------------------------------------------------------------------------------------------------------------


async def test_it_opens_on_my_captures(filled) -> None:
    assert filled.rooms.currentWidget() is filled.inside
    assert filled.stack.currentWidget() is filled.captures


async def test_the_recovery_code_unlocks_and_a_slip_can_be_mended(window, services, until, fake) -> None:
    services.vault.ways.append(SlotInfo("2", SlotKind.RECOVERY, fake.NOW))
    services.vault.become(LockState.LOCKED)
    page = window.lock_page
    await until(lambda: window.rooms.currentWidget() is page)
    page._recover.click()
    page.code.setText(fake.CODE)
    services.vault.error = EyelidError("That recovery code does not open the vault.", "Group 3 of 13 has a letter that is wrong.")
    page._open.click()
    await until(lambda: "Group 3 of 13" in texts(page))
    assert page.code.text() == fake.CODE
    services.vault.error = None
    page._open.click()
    await until(lambda: window.rooms.currentWidget() is window.inside)
    assert page.code.text() == ""
    assert services.vault.calls == [("recovery", fake.CODE)] * 2


async def test_once_a_new_code_is_forgotten_nothing_is_asked_of_it(window) -> None:
    sheet = RecoverySheet(window.context)
    sheet.show_code("AB12-CD34-EF56")
    sheet.wrote.click()
    assert sheet.fields[0].isVisibleTo(sheet)
    sheet.forget()
    assert not sheet.fields[0].isVisibleTo(sheet)


async def test_without_a_recovery_slot_its_code_is_not_asked_for(window, services, until) -> None:
    services.vault.become(LockState.LOCKED)
    await until(lambda: window.rooms.currentWidget() is window.lock_page)
    assert not window.lock_page._recover.isVisible()


async def test_ways_to_open_the_vault_are_listed_added_changed_and_removed(filled, services, until, fake) -> None:
    services.vault.trusted = True
    filled.go("settings")
    keys = filled.settings.keys
    assert "There is only one." in texts(keys)
    await until(keys.keyring.isEnabled)
    keys.keyring.click()
    await until(lambda: "Keyring of this computer" in texts(keys))
    assert not keys.keyring.isVisible()

    keys.change_passphrase()
    dialog = await dialog_of(filled, until, PassphraseDialog)
    for field, text in ((dialog.old, "the old one"), (dialog.new, fake.PASSPHRASE), (dialog.again, "different")):
        field._line.setText(text)
    assert not dialog.save.isEnabled()
    dialog.again._line.setText(fake.PASSPHRASE)
    dialog.save.click()
    await until(lambda: services.vault.calls == [("change", "the old one", fake.PASSPHRASE)])

    await until(lambda: not filled.tasks.running("keys"))
    keys.add_recovery()
    dialog = await dialog_of(filled, until, RecoveryDialog)
    dialog.reject()
    await until(lambda: "No recovery code was added." in texts(filled.banners))
    assert len(services.vault.ways) == 2
    keys.add_recovery()
    dialog = await dialog_of(filled, until, RecoveryDialog)
    type_back(dialog.sheet, fake.CODE)
    await until(lambda: "Recovery code on paper" in texts(keys))
    keys.remove(services.vault.ways[0])
    await answer(filled, until, "Remove")
    await until(lambda: [slot.kind for slot in services.vault.ways] == [SlotKind.KEYRING, SlotKind.RECOVERY])


async def test_a_vault_that_is_not_as_it_was_left_is_said_until_accepted(filled, services, until) -> None:
    older = Notice(NoticeKind.OLDER_STATE, True, "The vault is older than when this computer last saw it.", 3)
    services.events.publish(VaultNotice((older,)))
    await until(lambda: "older than when this computer last saw it" in texts(filled.banners))
    buttons = {button.text(): button for button in filled.banners.findChildren(QPushButton)}
    buttons["Tell me more"].click()
    (await dialog_of(filled, until, Question)).close()
    assert filled.banners.shown()
    buttons["Accept"].click()
    await until(lambda: services.vault.calls == [("accept",)])
    assert "older than" not in texts(filled.banners)


async def test_a_vault_that_was_not_compared_is_said_without_a_question(filled, services, until) -> None:
    services.events.publish(VaultNotice((Notice(NoticeKind.NOT_COMPARED, False, "There is no note.", 0),)))
    await until(lambda: "There is no note." in texts(filled.banners))
    assert "Accept" not in texts(filled.banners)


async def test_a_wrong_passphrase_is_said_in_three_parts_and_the_field_is_empty(window, services, until, fake) -> None:
    services.vault.become(LockState.LOCKED)
    await until(lambda: window.rooms.currentWidget() is window.lock_page)
    services.vault.error = EyelidError("That passphrase is not right.", "No key slot opens with it.", "Try again.")
    window.lock_page._field._line.setText("wrong one")
    window.lock_page._with_passphrase()
    await until(lambda: "That passphrase is not right." in texts(window.lock_page))
    assert window.lock_page._field.text == ""
    assert window.lock_page._field._line.hasFocus()
    services.vault.error = None
    window.lock_page._field._line.setText(fake.PASSPHRASE)
    window.lock_page._unlock.click()
    await until(lambda: window.rooms.currentWidget() is window.inside)


async def test_locked_shows_nothing_of_the_inside(filled, services, fake, until, qtbot) -> None:
    filled.view(fake.item_id(0))
    await until(lambda: not filled.viewer.picture.empty)
    filled.ask_about((fake.item_id(0),))
    filled.ask._question.setPlainText("a private question")
    qtbot.keyClick(filled, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert filled.rooms.currentWidget() is filled.lock_page, "at once, without waiting for the vault"
    await until(lambda: services.vault.state is LockState.LOCKED)
    assert filled.captures.model.rowCount() == 0
    assert not filled.captures.thumbs._kept
    assert filled.viewer.picture.empty
    assert filled.ask._question.toPlainText() == ""
    assert filled.ask._items == []
    assert "Omi Glass" not in texts(filled)
    assert filled.windowTitle() == "Eyelid"


async def test_enter_presses_the_button_that_has_the_focus(filled, until, qtbot) -> None:
    nav = next(each for each in filled.findChildren(QToolButton) if each.text() == "Glasses")
    nav.setFocus()
    qtbot.keyClick(nav, Qt.Key.Key_Return)
    await until(filled.glasses.isVisible)


async def test_shortcuts_do_nothing_while_locked(filled, services, until, qtbot) -> None:
    services.vault.become(LockState.LOCKED)
    await until(lambda: filled.rooms.currentWidget() is filled.lock_page)
    for key in (Qt.Key.Key_1, Qt.Key.Key_4, Qt.Key.Key_F):
        qtbot.keyClick(filled, key, Qt.KeyboardModifier.ControlModifier)
    assert filled.rooms.currentWidget() is filled.lock_page


async def test_captures_that_arrive_while_locked_show_nothing(filled, services, fake, until) -> None:
    services.vault.become(LockState.LOCKED)
    await until(lambda: filled.rooms.currentWidget() is filled.lock_page)
    services.library.add(fake.tile(99))
    services.glasses.put(fake.view())
    await asyncio.sleep(0)
    await until(lambda: not filled.captures._arrival.isActive())
    assert filled.captures.model.rowCount() == 0
    assert "Omi" not in texts(filled)


async def test_ctrl_and_a_number_goes_to_each_page(filled, qtbot) -> None:
    for number, page in enumerate(filled.pages.values(), 1):
        qtbot.keyClick(filled, Qt.Key(Qt.Key.Key_0 + number), Qt.KeyboardModifier.ControlModifier)
        assert filled.stack.currentWidget() is page


async def test_its_place_is_remembered_in_the_profile(filled, services, theme, until) -> None:
    from ui.main_window import MainWindow

    filled.resize(filled.minimumWidth(), 640)
    filled.close()
    again = MainWindow(services, theme, asyncio.get_running_loop())
    assert again.size() == filled.size()
    assert (services.profile.root / "window.ini").exists()
    again.close()
    await again.tasks.stop()
    again.deleteLater()


# -- settings --------------------------------------------------------------------------------------------------------------------


async def test_the_vault_can_be_checked(filled, until) -> None:
    filled.go("settings")
    filled.settings.verify()
    await until(lambda: "2 captures checked: all whole." in texts(filled.banners))


async def test_cards_and_banners_end_in_one_line(filled, services, fake, until) -> None:
    def right(widget) -> int:
        return widget.mapTo(filled, widget.rect().topRight()).x()

    def cards(page: str) -> list[QFrame]:
        return [one for one in filled.pages[page].findChildren(QFrame) if one.property("role") == "card" and one.isVisible()]

    banner = filled.banners.trouble(Explanation("Something is wrong."))
    for width in (filled.minimumWidth(), 1280, 1900):
        filled.resize(width, 760)
        filled.ask_about((fake.item_id(0),))
        for page in ("ask", "settings", "glasses"):
            filled.go(page)
            await until(lambda page=page: cards(page) and {right(card) for card in cards(page)} == {right(banner)})
    filled.go("captures")
    assert right(filled.captures._search) == filled.width() - 1 - 24


# -- what reaches everything ---------------------------------------------------------------------------------------------------


async def test_troubles_nobody_waits_for_become_banners(filled, services, until) -> None:
    services.events.publish(Trouble(Explanation("The disk is full.", "", "Make room.")))
    services.events.publish(CaptureLost("AA:BB:CC:DD:EE:01", "Two pieces are missing."))
    await until(lambda: "The disk is full." in texts(filled.banners) and "Two pieces are missing." in texts(filled.banners))


async def test_the_same_trouble_is_shown_once_and_at_most_three_at_all(filled) -> None:
    for number in (1, 1, 1, 2, 3, 4, 5):
        filled.banners.trouble(Explanation(f"Trouble {number}"))
    assert [banner.said.what for banner in filled.banners.shown()] == ["Trouble 5", "Trouble 4", "Trouble 3"]


async def test_good_news_does_not_leave_from_under_who_is_at_its_button(filled, until) -> None:
    banner = filled.banners.good("Moved to the trash.", ("Undo", lambda: None))
    undo = next(button for button in banner.findChildren(QPushButton) if button.text() == "Undo")
    undo.setFocus()
    await until(undo.hasFocus)
    banner.leave()
    assert not banner.gone
    undo.clearFocus()
    banner.leave()
    assert banner.gone


async def test_a_cancelled_work_is_not_an_error(filled) -> None:
    async def work():
        raise Cancelled

    await started(filled, work())
    assert filled.banners.shown() == []


async def test_an_unknown_fault_is_told_as_ours(filled) -> None:
    async def work():
        raise ZeroDivisionError

    await started(filled, work())
    assert "Something went wrong inside Eyelid." in texts(filled.banners)
