"""The approval dialog by itself: what it is made of, and its odd cases. The rules it keeps are tested one by one beside this."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QWidget

from app.sharing.types import PolicyClass
from ui import approval
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


def test_what_is_to_be_said_of_this_request_is_said(theme, fake, parent) -> None:
    noted = replace(fake.proposal(KEPT), notes=("The same picture goes to OpenAI again.", "The terms have changed."))
    dialog = ApprovalDialog(parent, theme, noted.parcel.destination, noted.parcel.card, arm_ms=0)
    dialog.show_proposal(noted)
    assert "The same picture goes to OpenAI again." in words(dialog)
    assert "The terms have changed." in words(dialog)
    dialog.reject()


def test_terms_too_old_count_as_the_worst(opened) -> None:
    dialog = opened(KEPT, expired=True)
    assert "May be used for training" in words(dialog)
    assert len(dialog.checks) == 1


# -- how it is decided ---------------------------------------------------------------------------------------------------------


def test_pressing_send_sends(armed, qtbot) -> None:
    dialog = armed()
    qtbot.mouseClick(dialog.send, Qt.MouseButton.LeftButton)
    assert dialog.result() == QDialog.DialogCode.Accepted


def test_space_on_send_sends(armed, qtbot) -> None:
    dialog = armed()
    dialog.send.setFocus()
    qtbot.keyClick(dialog.send, Qt.Key.Key_Space)
    assert dialog.result() == QDialog.DialogCode.Accepted


def test_enter_anywhere_keeps_private(armed, qtbot) -> None:
    def reachable(dialog: QDialog) -> list[QWidget]:
        return [w for w in dialog.findChildren(QWidget) if w.focusPolicy() & Qt.FocusPolicy.TabFocus and w.isVisibleTo(dialog)]

    for number in range(len(reachable(armed(TRAINS)))):
        dialog = armed(TRAINS)
        field = reachable(dialog)[number]
        field.setFocus()
        qtbot.keyClick(field, Qt.Key.Key_Enter)
        assert kept_private(dialog), field


def test_clicking_a_dead_send_does_nothing(opened, qtbot) -> None:
    dialog = opened(arm_ms=60_000)
    qtbot.mouseClick(dialog.send, Qt.MouseButton.LeftButton)
    dialog.send.click()
    assert dialog.isVisible()
    dialog.reject()


def test_losing_the_focus_disarms_and_coming_back_waits_again(armed, parent, qtbot) -> None:
    dialog = armed()
    dialog._armed.setInterval(60_000)
    QApplication.sendEvent(dialog, QEvent(QEvent.Type.WindowDeactivate))
    dialog._paint_check.start()
    qtbot.waitUntil(lambda: dialog._armed.isActive())
    assert not dialog.armed
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


def _stays_in_view(dialog, part) -> bool:
    """Whether all of it is on the dialog and it cannot be scrolled away."""
    return dialog.rect().contains(QRect(part.mapTo(dialog, QPoint()), part.size())) and not dialog.area.isAncestorOf(part)


def test_with_the_largest_text_what_decides_is_never_scrolled_away(opened, theme, monkeypatch) -> None:
    theme.scale_text(200)
    dialog = opened(TRAINS)
    monkeypatch.setattr(dialog, "screen", lambda: SimpleNamespace(availableGeometry=lambda: QRect(0, 0, 1024, 640)))
    dialog.fit()
    QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
    assert all(_stays_in_view(dialog, part) for part in (dialog.title, dialog.warning, dialog.keep, dialog.send))
    assert dialog.area.height() >= 150
    dialog.reject()


@pytest.mark.parametrize(("wide", "tall"), [(1024, 640), (1366, 768)])
def test_the_whole_decision_is_seen_at_once_on_a_small_screen(opened, monkeypatch, wide: int, tall: int) -> None:
    dialog = opened(TRAINS)
    monkeypatch.setattr(dialog, "screen", lambda: SimpleNamespace(availableGeometry=lambda: QRect(0, 0, wide, tall)))
    dialog.fit()
    QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
    view = dialog.area.viewport()
    for part in (dialog.tiles[0], dialog.question, *dialog.facts):
        assert view.rect().contains(QRect(part.mapTo(view, QPoint()), part.size())), part
    assert all(_stays_in_view(dialog, part) for part in (dialog.title, dialog.recipient, dialog.warning, dialog.keep, dialog.send))
    assert dialog.width() <= wide
    assert dialog.height() <= tall
