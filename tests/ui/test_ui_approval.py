"""The rules of the approval dialog, one test each. Whatever is not a deliberate press of Send keeps private."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QDialog, QLabel, QPushButton, QWidget

from app.sharing.types import PolicyClass
from ui import approval
from ui import words as spoken
from ui.approval import ApprovalDialog, pictures

TRAINS, KEPT, LOCAL, MIRROR = PolicyClass.TRAINS, PolicyClass.KEPT, PolicyClass.LOCAL, PolicyClass.MIRROR


@pytest.fixture
def parent(qtbot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def opened(qtbot, theme, fake, parent):
    def make(of: PolicyClass = KEPT, count: int = 1, arm_ms: int = 0, **card_changes) -> ApprovalDialog:
        made = fake.proposal(of, count, **card_changes)
        dialog = ApprovalDialog(parent, theme, made.parcel.destination, made.parcel.card, arm_ms=arm_ms)
        dialog.show_proposal(made)
        dialog.open()
        qtbot.waitUntil(dialog.isActiveWindow)
        return dialog

    return make


@pytest.fixture
def armed(opened, qtbot):
    def make(of: PolicyClass = KEPT, **more) -> ApprovalDialog:
        dialog = opened(of, **more)
        for check in dialog.checks:
            check.setChecked(True)
        qtbot.waitUntil(lambda: dialog.armed)
        return dialog

    return make


def words(dialog: QDialog) -> str:
    return "\n".join(label.text() for label in dialog.findChildren(QLabel) if not label.isHidden())


def kept_private(dialog: ApprovalDialog) -> bool:
    return dialog.isHidden() and dialog.result() == QDialog.DialogCode.Rejected


# -- what is shown -------------------------------------------------------------------------------------------------------------


def test_the_picture_is_rendered_from_the_bytes_in_the_parcel(opened, fake, qtbot) -> None:
    dialog = opened()
    qtbot.waitUntil(lambda: dialog.tiles[0].painted)
    sent = approval.picture_image(fake.proposal().pictures[0], pictures.ALONE)
    other = approval.picture_image(replace(fake.proposal().pictures[0], jpeg=fake.jpeg("#ff0000")), pictures.ALONE)
    shown = dialog.tiles[0].shown.pixmap().toImage()
    assert shown == sent.convertToFormat(shown.format())
    assert shown != other.convertToFormat(shown.format())


def test_a_picture_that_cannot_be_shown_cannot_be_sent(theme, fake, parent, qtbot) -> None:
    made = fake.proposal(KEPT)
    broken = replace(made, pictures=(replace(made.pictures[0], jpeg=b"no picture"),))
    dialog = ApprovalDialog(parent, theme, made.parcel.destination, made.parcel.card, arm_ms=0)
    dialog.show_proposal(broken)
    dialog.open()
    qtbot.waitUntil(lambda: not dialog._paint_check.isActive() and not dialog._armed.isActive())
    assert not dialog.armed
    assert "cannot be shown" in words(dialog)
    dialog.reject()


def test_it_names_company_host_and_model(opened) -> None:
    shown = words(opened(KEPT))
    assert "OpenAI at https://api.openai.com, model gpt-5-mini" in shown


def test_it_says_how_many_bytes_go_over_the_wire(opened) -> None:
    assert "310 kB on the wire" in words(opened())


def test_it_shows_the_question_and_that_nothing_else_goes(opened) -> None:
    shown = words(opened())
    assert "What plant is this?" in shown
    assert "Nothing else goes with it" in shown


def test_what_is_to_be_said_of_this_request_is_said(theme, fake, parent) -> None:
    noted = replace(fake.proposal(KEPT), notes=("The same picture goes to OpenAI again.", "The terms have changed."))
    dialog = ApprovalDialog(parent, theme, noted.parcel.destination, noted.parcel.card, arm_ms=0)
    dialog.show_proposal(noted)
    assert "The same picture goes to OpenAI again." in words(dialog)
    assert "The terms have changed." in words(dialog)
    dialog.reject()


def test_it_says_what_was_removed(opened) -> None:
    assert "Removed before sending: camera serial number, location." in words(opened())


@pytest.mark.parametrize("of", PolicyClass)
def test_three_facts_with_icon_and_word_of_the_class(opened, of: PolicyClass) -> None:
    dialog = opened(of)
    assert [fact.accessibleName().split(":")[0] for fact in dialog.facts] == ["Training", "Kept", "People"]
    assert spoken.policy(of) in words(dialog)


def test_trains_says_used_to_train_and_cannot_be_recalled(opened) -> None:
    warning = opened(TRAINS).warning
    assert not warning.isHidden()
    assert "may be used to train" in warning.text()
    assert "cannot be recalled once sent" in warning.text()


@pytest.mark.parametrize(("of", "leaves"), [(TRAINS, True), (KEPT, True), (LOCAL, False), (MIRROR, False)])
def test_bystanders_are_named_whenever_it_leaves_the_computer(opened, of: PolicyClass, leaves: bool) -> None:
    dialog = opened(of)
    assert dialog.facts_part.bystanders.isHidden() is not leaves
    assert ("cannot be recalled" in words(dialog)) is leaves


def test_the_day_the_terms_were_read_is_shown(opened) -> None:
    assert "Terms read on 1 May 2026." in words(opened())


def test_terms_too_old_count_as_the_worst(opened) -> None:
    dialog = opened(KEPT, expired=True)
    assert "May be used for training" in words(dialog)
    assert len(dialog.checks) == 1


# -- how it is decided ---------------------------------------------------------------------------------------------------------


def test_send_names_the_recipient_and_the_number(opened) -> None:
    dialog = opened(TRAINS, count=2)
    assert dialog.send.text() == "Send 2 photos to Meta"
    assert dialog.send.accessibleName() == dialog.send.text()
    assert dialog.keep.text() == "Keep private"


@pytest.mark.parametrize("of", PolicyClass)
def test_both_buttons_have_equal_size_and_look(opened, of: PolicyClass) -> None:
    dialog = opened(of)
    assert dialog.keep.size() == dialog.send.size()
    assert dialog.keep.property("role") == dialog.send.property("role") == "choice"


def test_keep_private_is_default_and_focused(opened) -> None:
    dialog = opened()
    assert dialog.keep.isDefault()
    assert dialog.keep.hasFocus()
    assert not any(button.isDefault() or button.autoDefault() for button in dialog.findChildren(QPushButton) if button is not dialog.keep)


def test_pressing_send_sends(armed, qtbot) -> None:
    dialog = armed()
    qtbot.mouseClick(dialog.send, Qt.MouseButton.LeftButton)
    assert dialog.result() == QDialog.DialogCode.Accepted


def test_space_on_send_sends(armed, qtbot) -> None:
    dialog = armed()
    dialog.send.setFocus()
    qtbot.keyClick(dialog.send, Qt.Key.Key_Space)
    assert dialog.result() == QDialog.DialogCode.Accepted


def test_keep_private_keeps(armed, qtbot) -> None:
    dialog = armed()
    qtbot.mouseClick(dialog.keep, Qt.MouseButton.LeftButton)
    assert kept_private(dialog)


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_enter_anywhere_keeps_private(armed, qtbot, key: Qt.Key) -> None:
    def reachable(dialog: QDialog) -> list[QWidget]:
        return [w for w in dialog.findChildren(QWidget) if w.focusPolicy() & Qt.FocusPolicy.TabFocus and w.isVisibleTo(dialog)]

    for number in range(len(reachable(armed(TRAINS)))):
        dialog = armed(TRAINS)
        field = reachable(dialog)[number]
        field.setFocus()
        qtbot.keyClick(field, key)
        assert kept_private(dialog), field


def test_esc_keeps_private(armed, qtbot) -> None:
    dialog = armed()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert kept_private(dialog)


def test_closing_keeps_private(armed) -> None:
    dialog = armed()
    dialog.close()
    assert kept_private(dialog)


def test_quitting_keeps_private(armed, qapp: QApplication) -> None:
    dialog = armed()
    qapp.aboutToQuit.emit()
    assert kept_private(dialog)


def test_accept_from_anything_but_send_keeps_private(armed) -> None:
    dialog = armed()
    dialog.accept()
    assert kept_private(dialog)


def test_clicking_a_dead_send_does_nothing(opened, qtbot) -> None:
    dialog = opened(arm_ms=60_000)
    qtbot.mouseClick(dialog.send, Qt.MouseButton.LeftButton)
    dialog.send.click()
    assert dialog.isVisible()
    dialog.reject()


def test_send_waits_a_second_after_the_picture_was_painted(opened, qtbot) -> None:
    assert approval.ARM_MS >= 1000
    dialog = opened(arm_ms=120)
    qtbot.waitUntil(lambda: dialog._armed.isActive())
    assert all(tile.painted for tile in dialog.tiles)
    assert not dialog.armed
    qtbot.waitUntil(lambda: dialog.armed)
    dialog.reject()


def test_losing_the_focus_disarms_and_coming_back_waits_again(armed, parent, qtbot) -> None:
    dialog = armed()
    dialog._armed.setInterval(60_000)
    QApplication.sendEvent(dialog, QEvent(QEvent.Type.WindowDeactivate))
    dialog._paint_check.start()
    qtbot.waitUntil(lambda: dialog._armed.isActive())
    assert not dialog.armed
    dialog.reject()


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Space, Qt.Key.Key_Escape])
def test_a_key_held_down_is_ignored(armed, key: Qt.Key) -> None:
    dialog = armed()
    dialog.send.setFocus()
    for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        QApplication.sendEvent(dialog.send, QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier, "", True))
    assert dialog.isVisible()
    dialog.reject()


def test_trains_needs_a_tick_that_starts_empty_at_each_picture(opened, qtbot) -> None:
    dialog = opened(TRAINS, count=2)
    first, second = dialog.checks
    assert not first.isChecked()
    assert not second.isChecked()
    qtbot.waitUntil(lambda: not dialog._paint_check.isActive() and not dialog._armed.isActive())
    assert not dialog.armed
    first.click()
    assert not dialog.armed
    second.click()
    assert dialog.armed
    first.click()
    assert not dialog.armed
    dialog.reject()


@pytest.mark.parametrize("of", PolicyClass)
def test_nothing_is_ever_remembered(opened, of: PolicyClass) -> None:
    boxes = [box for box in opened(of).findChildren(QCheckBox) if not box.isHidden()]
    assert [box.text() for box in boxes] == (["I checked who is in this picture"] if of is TRAINS else [])


def test_reading_order_is_recipient_items_facts_buttons(opened) -> None:
    QAccessible.setActive(True)
    dialog = opened(TRAINS)
    heard: list[str] = []

    def walk(interface) -> None:
        if interface.text(QAccessible.Text.Name):
            heard.append(interface.text(QAccessible.Text.Name))
        for number in range(interface.childCount()):
            walk(interface.child(number))

    walk(QAccessible.queryAccessibleInterface(dialog))
    order = [
        "Meta at https://api.meta.ai",
        "Photo 1 as it would be sent",
        "Training:",
        "Kept:",
        "People:",
        "Keep private",
        "Send 1 photo to Meta",
    ]
    heard = heard[1:]  # the first is the dialog's own name
    places = [next(place for place, said in enumerate(heard) if said.startswith(wanted) and not said.endswith("?")) for wanted in order]
    assert places == sorted(places)


def test_the_keyboard_reaches_everything_and_ends_at_the_buttons(armed) -> None:
    dialog = armed(TRAINS)
    seen: list[QWidget] = []
    dialog.keep.setFocus()
    for _ in range(30):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        seen.append(QApplication.focusWidget())
    assert {dialog.keep, dialog.send, *dialog.checks} <= set(seen)
    assert all(widget.accessibleName() for widget in seen)
    first = seen[: seen.index(dialog.keep)]
    assert first.index(dialog.send) == 0 if dialog.send in first else True
    dialog.reject()


def test_large_text_still_fits_the_buttons(opened, theme) -> None:
    theme.scale_text(200)
    dialog = opened(TRAINS)
    for button in (dialog.keep, dialog.send):
        assert button.width() >= button.fontMetrics().horizontalAdvance(button.text()) + 16
        assert button.height() >= button.fontMetrics().height()
    assert not dialog.keep.geometry().intersects(dialog.send.geometry())
    for button in (dialog.keep, dialog.send):
        assert dialog.rect().contains(QRect(button.mapTo(dialog, QPoint()), button.size()))
    dialog.reject()
