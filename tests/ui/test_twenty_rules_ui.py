"""The rules of the moment before sending that the window has to keep, one named test each; the core's own are in the tests of sharing.

The dialog is the one the program opens, over services of plain data. Whatever is not a deliberate press of Send keeps private.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QDialog, QLabel, QPushButton, QWidget

from app.media.look.boxes import Box
from app.media.look.types import Check, Findings, Part
from app.settings import AI_OFF
from app.sharing.grants import Grant, GrantSpan
from app.sharing.types import Draft, PolicyClass
from tests.ui.hands import button, shown, texts
from ui.approval import ApprovalDialog
from ui.approval.decision import ARM_MS
from ui.approval.pictures import FullSize
from ui.context import Context
from ui.memory import Memory
from ui.pages.asking import Sender
from ui.tasks import Tasks
from ui.widgets.banner import Banners
from ui.widgets.redactor import RedactorSheet

TRAINS, KEPT, LOCAL, MIRROR = PolicyClass.TRAINS, PolicyClass.KEPT, PolicyClass.LOCAL, PolicyClass.MIRROR


@dataclass
class Asker:
    """The way of a question without the window around it: the dialog is the program's own, and so is what it is opened by."""

    parent: QWidget
    services: Any
    sender: Sender
    until: Any
    fake: Any

    async def __call__(self, of: PolicyClass = KEPT, count: int = 1, *, looked: bool = True) -> ApprovalDialog:
        """Ask about so many captures at a place of this class; the dialog that opens, once it has looked."""
        self.sender.ask(Draft(tuple(self.fake.item_id(number) for number in range(count)), "What plant is this?", of.value))
        await self.until(lambda: shown(self.parent, ApprovalDialog))
        dialog = shown(self.parent, ApprovalDialog)[0]
        await self.until(lambda: dialog.proposal is not None)
        if looked:
            await self.until(lambda: "…" not in dialog.found.lines[Part.CODES].words.text())
        return dialog

    async def over(self) -> None:
        await self.until(lambda: not self.sender.busy)


@pytest.fixture
async def ask(services, fake, theme, until):
    parent = QWidget()
    parent.show()
    tasks = Tasks(asyncio.get_running_loop(), parent)
    context = Context(services, theme, tasks, Memory(services.profile.root))
    banners = Banners(theme, parent)
    await until(parent.isActiveWindow)
    yield Asker(parent, services, Sender(parent, context, banners), until, fake)
    await tasks.stop()
    parent.close()
    parent.deleteLater()
    await asyncio.sleep(0)


async def arm(dialog: ApprovalDialog, until) -> None:
    dialog._armed.setInterval(0)
    for check in dialog.checks:
        check.setChecked(True)
    dialog.wait_again()
    await until(lambda: dialog.armed)


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


async def test_rule_10_send_waits_until_all_was_seen_and_then_a_second(ask, until) -> None:
    assert ARM_MS >= 1000
    dialog = await ask()
    dialog._armed.setInterval(60_000)
    dialog.wait_again()
    await until(lambda: dialog._armed.isActive())
    assert all(tile.painted for tile in dialog.tiles)
    assert not dialog.armed
    dialog.send.click()
    assert dialog.isVisible()
    dialog.reject()


async def test_rule_10_keys_held_down_do_nothing(ask, until) -> None:
    dialog = await ask()
    await arm(dialog, until)
    dialog.send.setFocus()
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Space, Qt.Key.Key_Escape):
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            QApplication.sendEvent(dialog.send, QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier, "", True))
    assert dialog.isVisible()
    dialog.reject()


async def test_rule_11_only_the_persons_own_act_asks_and_one_at_a_time(window, services, fake, until) -> None:
    services.library.add(*(fake.tile(number) for number in range(4)))
    services.glasses.put(fake.view())
    await until(lambda: window.captures.model.rowCount() == 4)
    assert not shown(window, ApprovalDialog), "what arrives asks nothing"
    window.ask_about((fake.item_id(0),))
    window.ask._question.setPlainText("What plant is this?")
    window.ask.review()
    await until(lambda: shown(window, ApprovalDialog))
    window.ask.review()
    window.ask._send(services.sharing.drafts[0])
    assert len(shown(window, ApprovalDialog)) == 1
    shown(window, ApprovalDialog)[0].reject()


async def test_rule_13_what_may_train_wants_a_tick_at_each_picture(ask, until) -> None:
    for of, ticks in ((MIRROR, 0), (LOCAL, 0), (KEPT, 0), (TRAINS, 2)):
        dialog = await ask(of, 2)
        assert len(dialog.checks) == ticks
        dialog._armed.setInterval(0)
        dialog.wait_again()
        if ticks:
            await until(lambda shown=dialog: "Tick the box at each picture" in shown.waiting.text())
            dialog.checks[0].click()
            assert not dialog.armed
            dialog.checks[1].click()
        await until(lambda shown=dialog: shown.armed)
        dialog.reject()
        await ask.over()


async def test_rule_16_one_page_takes_back_and_the_switch_is_always_there(window, services, fake, until) -> None:
    services.sharing.standing = [Grant("g1", GrantSpan.UNTIL_OFF, fake.destination(LOCAL), fake.card(LOCAL), fake.NOW, None, None)]
    for page in window.pages:
        window.go(page)
        assert window.strip._ai.isVisible()
    window.go("shared")
    window.shared.turn_to("grants")
    await until(lambda: "Whatever you ask there, until you turn it off" in texts(window.shared))
    button(window.shared, "Take back").click()
    await until(lambda: services.sharing.revoked == ["g1"])
    await until(lambda: "cannot bring back what has left" in texts(window.shared))
    window.strip._ai.click()
    await until(lambda: services.settings.get(AI_OFF))
    window.go("shared")
    await until(lambda: "AI is switched off: nothing can be sent now." in texts(window.shared))


async def test_rule_17_while_bytes_move_it_is_said_on_every_page_and_can_be_stopped(window, services, fake, until) -> None:
    services.sharing.hold = asyncio.Event()
    services.library.add(fake.tile(0))
    window.ask.sending.ask(Draft((fake.item_id(0),), "What plant is this?", KEPT.value))
    await until(lambda: shown(window, ApprovalDialog))
    dialog = shown(window, ApprovalDialog)[0]
    await until(lambda: dialog.proposal is not None)
    await arm(dialog, until)
    dialog.send.click()
    bar = window.ask.sending.bar
    await until(lambda: "310 kB sent to OpenAI" in bar.text)
    for page in window.pages:
        window.go(page)
        assert bar.isVisible()
    QTest.keyClick(bar.stop, Qt.Key.Key_Space)
    await until(lambda: not window.ask.busy)
    assert "310 kB went to https://api.openai.com." in window.ask.conversation.turns[0].ended.text()


async def test_rule_18_people_who_were_not_asked_are_named_when_it_leaves(ask) -> None:
    for of, said in ((TRAINS, True), (KEPT, True), (LOCAL, False), (MIRROR, False)):
        dialog = await ask(of)
        assert ("People in this picture have not been asked." in texts(dialog)) is said
        dialog.reject()
        await ask.over()


async def test_rule_19_refusing_is_never_grey(ask) -> None:
    dialog = await ask(TRAINS)
    assert dialog.keep.isEnabled()
    dialog.be_busy("Making the changed copy…")
    assert dialog.keep.isEnabled()
    dialog.reject()


async def test_rule_19_nothing_nags_whoever_has_no_assistant(window, services) -> None:
    services.sharing.classes = (MIRROR,)
    for page in window.pages:
        window.go(page)
        assert "API key" not in texts(window)
    assert not shown(window, QDialog)


async def test_rule_20_it_reads_recipient_items_facts_buttons_and_names_the_recipient(ask) -> None:
    QAccessible.setActive(True)
    dialog = await ask(TRAINS)
    heard: list[str] = []

    def walk(interface) -> None:
        if name := interface.text(QAccessible.Text.Name):
            heard.append(name)
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
    places = [next(at for at, said in enumerate(heard[1:]) if said.startswith(wanted) and not said.endswith("?")) for wanted in order]
    assert places == sorted(places)
    assert dialog.accessibleName() == "Send 1 photo to Meta?"
    assert "Meta" in dialog.accessibleDescription()
    dialog.reject()


async def test_rule_20_the_keyboard_alone_ticks_and_sends(ask, services, until) -> None:
    dialog = await ask(TRAINS)
    dialog._armed.setInterval(0)
    dialog.wait_again()
    await until(lambda: "Tick the box" in dialog.waiting.text())
    seen: list[QWidget] = []
    while dialog.checks[0] not in seen:
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        assert QApplication.focusWidget() not in seen, "it goes round without coming by the tick"
        seen.append(QApplication.focusWidget())
    QTest.keyClick(dialog.checks[0], Qt.Key.Key_Space)
    await until(lambda: dialog.armed)
    while QApplication.focusWidget() is not dialog.send:
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        seen.append(QApplication.focusWidget())
    assert all(widget.accessibleName() for widget in seen)
    QTest.keyClick(dialog.send, Qt.Key.Key_Space)
    await ask.over()
    assert "send" in services.sharing.calls


async def test_rule_20_nothing_is_cut_at_twice_the_text_size(ask, services, fake, theme, until) -> None:
    theme.scale_text(200)
    services.sharing.found = {fake.item_id(0): fake.findings(faces=1)}
    dialog = await ask(TRAINS)
    await until(lambda: not dialog._busy)
    for _ in range(4):
        QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
    for label in shown(dialog, QLabel):
        if label.text() and label.wordWrap():
            assert label.height() >= label.heightForWidth(label.width()), label.text()
        elif label.text():
            assert label.width() >= label.sizeHint().width(), label.text()
    for each in (dialog.keep, dialog.send):
        assert dialog.rect().contains(QRect(each.mapTo(dialog, QPoint()), each.size()))
        assert each.width() >= each.fontMetrics().horizontalAdvance(each.text())
    dialog.reject()
