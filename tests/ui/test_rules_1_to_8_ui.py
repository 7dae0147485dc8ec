"""Rules 1 to 8 of the moment before sending that the window has to keep, one named test each; the core's own are in the tests of sharing.

The dialog is the one the program opens, over services of plain data. Whatever is not a deliberate press of Send keeps private.
"""

from __future__ import annotations

import asyncio

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QLabel, QPushButton

from app.media.look.boxes import Box
from app.media.look.types import Check, Findings, Part
from app.sharing.grants import GrantSpan
from app.sharing.types import PolicyClass
from tests.ui.asker import KEPT, TRAINS, arm
from tests.ui.hands import button, shown, texts
from ui.approval.pictures import FullSize
from ui.widgets.redactor import RedactorSheet


async def test_rule_01_every_way_out_but_send_keeps_private(ask, services, until) -> None:
    """Lock and the closed window are in the tests of Ask, where there is a window."""
    ways = {
        "escape": lambda dialog: QTest.keyClick(dialog, Qt.Key.Key_Escape),
        "enter": lambda dialog: QTest.keyClick(dialog, Qt.Key.Key_Return),
        "close": lambda dialog: dialog.close(),
        "keep": lambda dialog: dialog.keep.click(),
        "accept": lambda dialog: dialog.accept(),
        "quit": lambda dialog: QApplication.instance().aboutToQuit.emit(),
    }
    for name, way in ways.items():
        dialog = await ask()
        await arm(dialog, until)
        way(dialog)
        await ask.over()
        assert services.sharing.calls[-1] == "refuse: kept private", name
    assert not {"approve", "send"} & set(services.sharing.calls)


async def test_rule_01_the_focus_lost_takes_the_send_button_away(ask, until) -> None:
    dialog = await ask()
    await arm(dialog, until)
    dialog._armed.setInterval(60_000)
    QApplication.sendEvent(dialog, QEvent(QEvent.Type.WindowDeactivate))
    assert not dialog.armed
    dialog.reject()


async def test_rule_02_keep_private_is_default_and_has_the_focus(ask, services, until) -> None:
    for of in PolicyClass:
        dialog = await ask(of)
        assert dialog.keep.isDefault()
        assert dialog.keep.hasFocus()
        others = [each for each in dialog.findChildren(QPushButton) if each is not dialog.keep]
        assert not [each for each in others if each.isDefault() or each.autoDefault()]
        await arm(dialog, until)
        dialog.send.setFocus()
        QTest.keyClick(dialog.send, Qt.Key.Key_Return)
        await ask.over()
        assert "approve" not in services.sharing.calls, "Enter keeps private even on Send"


async def test_rule_02_also_where_the_desktop_lets_enter_press_buttons(ask, services, until) -> None:
    """As Qt's theme for GNOME does (`ButtonPressKeys`): no button of the dialog may get to see the key."""
    dialog = await ask(TRAINS)
    await arm(dialog, until)
    seen: list[int] = []

    class Send(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.KeyPress:
                seen.append(1)
            return False

    first = Send()
    for each in (dialog.send, *dialog.checks):
        each.removeEventFilter(dialog)
        each.installEventFilter(first)  # installed before the dialog's own, so asked after it
        each.installEventFilter(dialog)
    QTest.keyClick(dialog.send, Qt.Key.Key_Enter)
    await ask.over()
    assert seen == []
    assert "approve" not in services.sharing.calls


async def test_rule_03_the_buttons_say_the_deed_and_the_recipient_and_weigh_the_same(ask, until) -> None:
    dialog = await ask(KEPT, 2)
    assert (dialog.keep.text(), dialog.send.text()) == ("Keep private", "Send 2 photos to OpenAI")
    assert dialog.keep.size() == dialog.send.size()
    assert dialog.keep.property("role") == dialog.send.property("role")
    assert not {"Yes", "No", "OK", "Cancel"} & {each.text() for each in shown(dialog, QPushButton)}
    dialog.reject()


async def test_rule_04_each_picture_is_the_one_in_the_request_and_opens_in_full_size(ask, until) -> None:
    dialog = await ask(KEPT, 2)
    await until(lambda: all(tile.painted for tile in dialog.tiles))
    assert [tile.picture.jpeg for tile in dialog.tiles] == [picture.jpeg for picture in dialog.proposal.pictures]
    said = texts(dialog)
    for wanted in ("OpenAI at https://api.openai.com, model gpt-5-mini", "What plant is this?", "310 kB on the wire"):
        assert wanted in said
    assert "Removed before sending: camera serial number, location." in said
    assert "Nothing else goes with it" in said
    button(dialog, "Show photo 2 in full size").click()
    await until(lambda: shown(dialog, FullSize))
    shown(dialog, FullSize)[0].reject()
    dialog.reject()


async def test_rule_05_three_facts_stand_in_the_same_place_for_every_destination(ask) -> None:
    places = []
    for of in PolicyClass:
        dialog = await ask(of)
        assert [fact.accessibleName().partition(":")[0] for fact in dialog.facts] == ["Training", "Kept", "People"]
        assert "Terms read on 1 May 2026." in texts(dialog)
        card = dialog.facts_part
        places.append([fact.mapTo(card, QPoint()).x() for fact in dialog.facts])
        icon = next(each for each in card.findChildren(QLabel) if each.property("tintIcon"))
        assert icon.property("tintIcon") in ("trains", "kept", "local", "mirror")
        dialog.reject()
        await ask.over()
    assert len({tuple(each) for each in places}) == 1


async def test_rule_06_where_it_may_train_the_warning_says_so(ask) -> None:
    dialog = await ask(TRAINS)
    assert "may be used to train" in dialog.warning.text()
    assert "cannot be recalled once sent" in dialog.warning.text()
    assert dialog.warning.isVisible()
    dialog.reject()


async def test_rule_07_leaving_one_out_makes_another_request_and_starts_the_delay_anew(ask, services, until) -> None:
    dialog = await ask(TRAINS, 2)
    await arm(dialog, until)
    before = dialog.proposal
    dialog._armed.setInterval(60_000)
    button(dialog, "Leave out photo 1").click()
    assert not dialog.armed, "nothing can be sent while the copy is being changed"
    await until(lambda: dialog.proposal is not before)
    assert dialog.proposal.parcel.sha256 != before.parcel.sha256
    assert [len(draft.items) for draft in services.sharing.drafts] == [2, 1]
    assert services.sharing.instead[-1] is before
    assert dialog.send.text() == "Send 1 photo to Meta"
    assert not dialog.armed
    assert [check.isChecked() for check in dialog.checks] == [True], "the other picture is the same to the byte"
    dialog.reject()


async def test_rule_07_all_faces_are_covered_with_one_click_and_shown_again(ask, services, fake, until) -> None:
    services.sharing.found = {fake.item_id(0): fake.findings(faces=2)}
    dialog = await ask(KEPT)
    line = dialog.found.lines[Part.FACES]
    assert line.words.text() == "2 faces found"
    before = dialog.proposal.parcel.sha256
    line.act.click()
    await until(lambda: dialog.proposal.parcel.sha256 != before)
    assert len(services.sharing.drafts[-1].pictures[0].edit.covers) == 2
    assert line.words.text() == "2 faces found, covered"
    assert "2 places covered" in texts(dialog)
    line.act.click()
    await until(lambda: dialog.proposal.parcel.sha256 == before)
    dialog.reject()


async def test_rule_07_where_it_may_train_the_copy_with_covered_faces_comes_first(ask, services, fake, until) -> None:
    services.sharing.found = {fake.item_id(1): fake.findings(faces=1)}
    services.sharing.looking = asyncio.Event()
    dialog = await ask(TRAINS, 2, looked=False)
    await until(lambda: dialog.found.lines[Part.FACES].words.text() == "Looking for faces…")
    dialog._armed.setInterval(0)
    for check in dialog.checks:
        check.setChecked(True)
    await until(lambda: "Waiting for the look at faces" in dialog.waiting.text())
    services.sharing.looking.set()
    await until(lambda: len(dialog.proposal.pictures[1].covered) == 1)
    assert "Faces are covered first" in dialog.told.text
    assert [check.isChecked() for check in dialog.checks] == [True, False], "another picture has to be looked at anew"
    assert "Check yourself" in dialog.found.caution.text()
    dialog.reject()


async def test_rule_07_a_look_that_failed_reads_not_checked(ask, services, fake, until) -> None:
    services.sharing.found = {fake.item_id(0): Findings(checks=tuple(Check(part, False, "It took too long.") for part in Part))}
    dialog = await ask(TRAINS)
    assert dialog.found.lines[Part.FACES].words.text() == "Faces not checked. It took too long."
    await arm(dialog, until)
    dialog.reject()


async def test_rule_07_boxes_and_a_crop_are_set_by_keyboard(ask, services, fake, until) -> None:
    services.sharing.found = {fake.item_id(0): fake.findings(faces=1)}
    dialog = await ask(KEPT)
    button(dialog, "Cover parts of photo 1, or crop it").click()
    await until(lambda: shown(dialog, RedactorSheet))
    sheet = shown(dialog, RedactorSheet)[0]
    button(sheet, "Add a box").click()
    first = sheet.marks.drawn[0].box
    QTest.keyClick(sheet.canvas, Qt.Key.Key_Right)
    QTest.keyClick(sheet.canvas, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    moved = sheet.marks.drawn[0].box
    assert (moved.left - first.left, moved.bottom - first.bottom, moved.top - first.top) == (12, 12, 0)
    button(sheet, "Crop").click()
    QTest.keyClick(sheet.canvas, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier)
    assert sheet.marks.crop == Box(64, 48, 1215, 912)
    sheet.use.click()
    await until(lambda: len(services.sharing.drafts) == 2)
    edit = services.sharing.drafts[1].pictures[0].edit
    assert (edit.covers, edit.crop) == ((moved,), Box(64, 48, 1215, 912))
    dialog.reject()


async def test_rule_07_a_change_that_cannot_be_made_is_said_and_changes_nothing(ask, services, until) -> None:
    dialog = await ask(KEPT, 2)
    before = dialog.proposal
    services.sharing.prepare_error = ValueError("something inside")
    button(dialog, "Leave out photo 1").click()
    await until(lambda: dialog.told.text)
    assert dialog.proposal is before
    assert len(dialog.tiles) == 2
    dialog.reject()


async def test_rule_08_nothing_is_ticked_or_chosen_beforehand(ask) -> None:
    for of in PolicyClass:
        dialog = await ask(of, 2)
        assert not any(box.isChecked() for box in shown(dialog, QCheckBox))
        choices = shown(dialog, QComboBox)
        assert len(choices) == (0 if of is TRAINS else 1), "where it may train there is no choice at all"
        assert dialog.wish.wish is None
        assert "remember" not in texts(dialog).lower()
        dialog.reject()
        await ask.over()


async def test_rule_08_the_only_extra_choice_is_bounded_and_goes_with_the_yes(ask, services, until) -> None:
    dialog = await ask(KEPT)
    offered = [dialog.wish.box.itemText(row) for row in range(dialog.wish.box.count())]
    assert offered == ["only this once", "this conversation, for 15 minutes and 5 photos"]
    dialog.wish.box.setCurrentIndex(1)
    await arm(dialog, until)
    dialog.send.click()
    await ask.over()
    wish = services.sharing.wishes[-1]
    assert (wish.span, wish.minutes, wish.items) == (GrantSpan.CONVERSATION, 15, 5)
