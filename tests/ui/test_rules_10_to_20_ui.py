"""Rules 10 to 20 of the moment before sending that the window has to keep, one named test each; the core's own are in the tests of sharing.

The dialog is the one the program opens, over services of plain data. Whatever is not a deliberate press of Send keeps private.
"""

from __future__ import annotations

import asyncio

from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QWidget

from app.settings import AI_OFF
from app.sharing.grants import Grant, GrantSpan
from app.sharing.types import Draft
from tests.ui.asker import KEPT, LOCAL, MIRROR, TRAINS, arm
from tests.ui.hands import button, shown, texts
from ui.approval import ApprovalDialog
from ui.approval.decision import ARM_MS


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
