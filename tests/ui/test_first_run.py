"""First run: five short steps, each with a way on; what was not done is offered again, and nothing is shown after locking."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel

from app.vault.types import LockState, SlotKind
from ble.errors import RadioUnavailable
from tests.ui.hands import answer, press, texts, type_back
from ui import i18n
from ui.pages import door
from ui.pages.first_run import BLUETOOTH, GLASSES, KEY, PROTECTS, VAULT, step_names
from ui.pages.trail import Trail


@pytest.fixture
async def page(window, services, until):
    """The first page, with no vault yet."""
    services.vault.become(LockState.ABSENT)
    await until(lambda: window.rooms.currentWidget() is window.welcome)
    return window.welcome


async def make(page, until, fake) -> None:
    """Go on to the recovery code."""
    press(page, "Continue")
    page._first._line.setText(fake.PASSPHRASE)
    page._second._line.setText(fake.PASSPHRASE)
    page._create.click()
    await until(page.recovery.isVisible)


async def test_all_five_steps_in_order(window, page, services, until, fake) -> None:
    services.vault.trusted = True
    assert page.trail.words == "Step 1 of 5: Protection"
    assert "What you send to an assistant is out of your hands" in texts(page)
    press(page, "Continue")
    assert not page._create.isEnabled()
    page._first._line.setText("short")
    page._second._line.setText("short")
    assert not page._create.isEnabled()
    page._first._line.setText(fake.PASSPHRASE)
    page._second._line.setText("something else")
    assert not page._create.isEnabled()
    assert "differ" in texts(page)
    page._second._line.setText(fake.PASSPHRASE)
    page._create.click()
    await until(page.recovery.isVisible)
    assert window.rooms.currentWidget() is page, "the code comes before everything else"
    assert page._first.text == page._second.text == ""
    await until(lambda: all(group in texts(page) for group in fake.CODE.split("-")))
    type_back(page.recovery, fake.CODE)
    assert page.at == KEY
    assert fake.CODE[:5] not in texts(page)
    await until(page._add_keyring.isVisible)
    press(page, "Also unlock with the keyring")
    await until(lambda: "The keyring of this computer opens the vault." in texts(page))
    press(page, "Continue")
    assert "The system may ask you to allow it" in texts(page), "the reason comes before the question"
    services.glasses.scan_error = RadioUnavailable("Bluetooth is off.", "", "Switch it on.")
    press(page, "Allow and check Bluetooth")
    await until(lambda: "Bluetooth is off. Switch it on." in texts(page))
    services.glasses.scan_error = None
    press(page, "Allow and check Bluetooth")
    await until(lambda: "Bluetooth works." in texts(page))
    press(page, "Continue")
    press(page, "Pair or try glasses")
    await until(lambda: window.stack.currentWidget() is window.glasses)
    assert window.rooms.currentWidget() is window.inside
    assert window.glasses.pairing.isVisible()
    assert not window.context.memory.first_run_pending
    assert [slot.kind for slot in services.vault.ways if slot.kind is not SlotKind.PASSPHRASE] == [SlotKind.RECOVERY, SlotKind.KEYRING]


async def test_what_was_not_done_is_offered_after_the_next_unlock(window, page, services, until, fake, qtbot) -> None:
    await make(page, until, fake)
    type_back(page.recovery, fake.CODE)
    press(page, "Continue")
    assert page.at == BLUETOOTH
    qtbot.keyClick(window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    await until(lambda: services.vault.state is LockState.LOCKED)
    assert window.rooms.currentWidget() is window.lock_page
    await services.vault.unlock(fake.PASSPHRASE)
    await until(lambda: window.rooms.currentWidget() is page and page.at == BLUETOOTH)
    press(page, "Skip the rest")
    assert window.rooms.currentWidget() is window.inside
    await services.vault.lock()
    await until(lambda: window.rooms.currentWidget() is window.lock_page)
    await services.vault.unlock(fake.PASSPHRASE)
    await until(lambda: window.rooms.currentWidget() is window.inside)


async def test_going_on_without_a_recovery_code_takes_a_second_thought(window, page, services, until, fake) -> None:
    await make(page, until, fake)
    press(page, "Go on without…")
    await answer(window, until, "Back to the code")
    assert fake.CODE[:5] in texts(page)
    await until(lambda: not window.tasks.running("skip recovery"))
    press(page, "Go on without…")
    await answer(window, until, "Go on without")
    await until(lambda: page.at == KEY and page._steps[KEY].isVisible())
    assert [slot.kind for slot in services.vault.ways] == [SlotKind.PASSPHRASE], "a code that nobody has opens nothing"


async def test_locking_while_the_code_is_shown_hides_it(window, page, services, until, fake, qtbot) -> None:
    await make(page, until, fake)
    qtbot.keyClick(window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert window.rooms.currentWidget() is window.lock_page
    await until(lambda: services.vault.state is LockState.LOCKED)
    assert page.recovery._groups == ()


async def test_a_keyring_that_cannot_be_trusted_is_said_and_not_offered(window, page, until, fake) -> None:
    await make(page, until, fake)
    type_back(page.recovery, fake.CODE)
    await until(lambda: "no keyring that can be trusted" in texts(page))
    assert not page._add_keyring.isVisible()
    page._go(VAULT)
    assert not page._keyring_only.isVisible()


async def test_each_step_can_be_gone_back_from_and_has_its_focus(page) -> None:
    for step, focus in ((VAULT, page._first._line), (BLUETOOTH, page._radio), (GLASSES, page._pair), (PROTECTS, page._onward)):
        page._go(step)
        assert QApplication.focusWidget() is focus
    page._go(GLASSES)
    press(page, "Back")
    assert page.at == BLUETOOTH


async def test_a_backup_takes_the_place_of_a_new_vault(window, page, services, until, tmp_path, monkeypatch) -> None:
    restored = []

    async def choose(parent, title):
        return tmp_path

    async def restore(folder, progress):
        restored.append(folder)
        services.vault.become(LockState.LOCKED)
        return 3

    monkeypatch.setattr("ui.pages.first_run.choose_folder", choose)
    monkeypatch.setattr(services.vault, "restore", restore, raising=False)
    press(page, "Continue")
    press(page, "I have a backup…")
    await until(lambda: window.rooms.currentWidget() is window.lock_page)
    assert restored == [tmp_path]


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_the_row_of_steps_is_one_line(theme, language) -> None:
    """Of a letter a tenth wider, too: another desktop has other fonts."""
    i18n.use(language)
    try:
        trail = Trail(theme, step_names())
        for step in range(len(step_names())):
            trail.show_step(step)
            for text in trail.findChildren(QLabel):
                text.ensurePolished()
            assert trail.layout().sizeHint().width() * 1.1 <= door.WIDTH, (step, step_names())
    finally:
        i18n.use(i18n.ENGLISH)
