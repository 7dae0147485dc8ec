"""Ask: what is chosen, the approval in between, and the conversation that comes of it."""

from __future__ import annotations

import asyncio

from PySide6.QtWidgets import QPushButton

from app.errors import EyelidError
from app.settings import AI_OFF
from app.sharing.grants import Grant, GrantSpan
from app.sharing.types import Outcome, PolicyClass
from app.vault.types import Exchange, ItemKind, LockState
from tests.ui.ask_bench import press_send, settled
from tests.ui.hands import dialog_of, texts
from ui.approval import ApprovalDialog
from ui.widgets.filmstrip import FilmstripSheet

# -- the way to an answer ------------------------------------------------------------------------------------------------------


async def test_the_whole_way_to_an_answer(asking, services, until) -> None:
    asking.ask.review()
    await press_send(asking, until)
    await until(lambda: "Receipt 2" in texts(asking.ask))
    assert [call for call in services.sharing.calls if call != "warm"] == ["prepare", "approve", "send"]
    assert asking.ask.conversation.turns[0].answer.toPlainText().strip() == "A fern."
    assert asking.ask.conversation.turns[0].question == "What plant is this?"


async def test_a_request_that_takes_long_to_make_is_waited_for_in_the_open_dialog(asking, services, until) -> None:
    services.sharing.slow = asyncio.Event()
    asking.ask.review()
    dialog = await dialog_of(asking, until, ApprovalDialog)
    assert dialog.proposal is None
    assert "Preparing exactly what would be sent" in texts(dialog)
    dialog.keep.click()
    await settled(asking, until)
    assert not [call for call in services.sharing.calls if call.startswith(("refuse", "approve"))], "there was nothing to refuse yet"


async def test_a_further_question_goes_in_words_alone_unless_wanted_otherwise(asking, services, fake, until) -> None:
    page = asking.ask
    page.review()
    await press_send(asking, until)
    await settled(asking, until)
    assert page._goes.currentData() == "words"
    page._question.setPlainText("And how old is it?")
    page.review()
    dialog = await dialog_of(asking, until, ApprovalDialog)
    draft = services.sharing.drafts[-1]
    assert (draft.items, draft.earlier, draft.about) == ((), (2,), fake.item_id(0))
    assert dialog.windowTitle() == "Send this question to Mirror (this computer, no AI)?"
    dialog.keep.click()
    await settled(asking, until)
    page._goes.setCurrentIndex(page._goes.findData("again"))
    page.review()
    (await dialog_of(asking, until, ApprovalDialog)).keep.click()
    await settled(asking, until)
    draft = services.sharing.drafts[-1]
    assert (len(draft.items), draft.earlier, draft.about) == (2, (2,), None)


async def test_what_was_asked_before_is_shown_and_can_be_gone_on_from(bench, services, fake, until) -> None:
    services.sharing.exchanges[fake.item_id(0)] = (Exchange(fake.NOW, "Mirror", "What is it?", "A cup.", 5),)
    bench.ask_about((fake.item_id(0),))
    await until(lambda: bench.ask.conversation.turns)
    assert "A cup." in texts(bench.ask)
    assert bench.ask._goes.currentData() == "new", "nothing said before goes again by itself"


async def test_a_grant_makes_the_dialog_needless_and_says_so(asking, services, fake, until) -> None:
    place = fake.destination(PolicyClass.MIRROR)
    services.sharing.standing = [
        Grant("g1", GrantSpan.CONVERSATION, place, fake.card(PolicyClass.MIRROR), fake.NOW, fake.NOW, 5),
    ]
    asking.ask.review()
    await settled(asking, until)
    assert "approve under g1" in services.sharing.calls
    said = texts(asking.banners)
    assert "without asking, because you allowed it" in said
    assert "3 more photos may go." in said
    next(button for button in asking.banners.findChildren(QPushButton) if button.text() == "Stop this").click()
    await until(lambda: services.sharing.revoked == ["g1"])


async def test_a_sending_is_seen_everywhere_and_can_be_cancelled(whole, services, until) -> None:
    services.sharing.hold = asyncio.Event()
    whole.ask.review()
    await press_send(whole, until)
    bar = whole.ask.sending.bar
    await until(lambda: "sent to Mirror" in bar.text)
    whole.go("captures")
    assert bar.isVisible()
    bar.stop.click()
    await settled(whole, until)
    assert "cancel" in services.sharing.calls
    assert not bar.isVisible()
    turn = whole.ask.conversation.turns[0]
    assert turn.ended.text().startswith("Cancelled. 310 kB went to")
    assert not turn.retry.isHidden()


async def test_choosing_other_captures_while_an_answer_comes_is_no_harm(asking, services, fake, until) -> None:
    services.sharing.hold = asyncio.Event()
    asking.ask.review()
    await press_send(asking, until)
    await until(lambda: asking.ask.conversation.turns)
    assert not asking.ask._to.isEnabled(), "where it goes is settled while it goes"
    asking.ask_about((fake.item_id(3),))
    assert asking.ask.conversation.turns == []
    services.sharing.hold.set()
    await settled(asking, until)
    assert asking.ask._to.isEnabled()
    assert not asking.banners.shown()


async def test_sending_again_is_a_new_approval(asking, services, until) -> None:
    services.sharing.hold = asyncio.Event()
    asking.ask.review()
    await press_send(asking, until)
    await until(lambda: "send" in services.sharing.calls)
    asking.ask.cancel()
    await settled(asking, until)
    asking.ask.conversation.turns[0].retry.click()
    dialog = await dialog_of(asking, until, ApprovalDialog)
    assert services.sharing.calls.count("approve") == 1
    dialog.keep.click()
    await settled(asking, until)
    assert services.sharing.calls[-1] == "refuse: kept private"


async def test_keeping_private_sends_nothing(asking, services, until) -> None:
    asking.ask.review()
    (await dialog_of(asking, until, ApprovalDialog)).keep.click()
    await settled(asking, until)
    assert [call for call in services.sharing.calls if call != "warm"] == ["prepare", "refuse: kept private"]
    assert "Kept private" in texts(asking)


async def test_locking_while_the_dialog_is_open_sends_nothing(whole, services, until) -> None:
    whole.ask.review()
    await dialog_of(whole, until, ApprovalDialog)
    services.vault.become(LockState.LOCKED)
    await settled(whole, until)
    assert "approve" not in services.sharing.calls
    assert services.sharing.calls[-1].startswith("refuse: ")
    assert not [one for one in whole.findChildren(ApprovalDialog) if one.isVisible()]
    assert whole.ask._question.toPlainText() == ""
    assert whole.ask.conversation.turns == []


async def test_closing_the_window_while_the_dialog_is_open_sends_nothing(whole, services, until) -> None:
    whole.ask.review()
    await dialog_of(whole, until, ApprovalDialog)
    whole.close()
    await settled(whole, until)
    assert "approve" not in services.sharing.calls


async def test_only_one_dialog_at_a_time(asking, until) -> None:
    asking.ask.review()
    asking.ask.review()
    await dialog_of(asking, until, ApprovalDialog)
    asking.ask.review()
    assert len(asking.findChildren(ApprovalDialog)) == 1
    assert not asking.ask._review.isEnabled()


async def test_ai_off_closes_the_way_in_both_places(whole, services, until) -> None:
    whole.strip._ai.click()
    await until(lambda: services.settings.get(AI_OFF))
    assert not whole.ask._review.isEnabled()
    assert "AI is switched off" in texts(whole.ask)
    whole.strip._ai.click()
    await until(lambda: not services.settings.get(AI_OFF))
    assert whole.ask._review.isEnabled()


async def test_an_answer_without_end_is_bounded(asking, services, until, monkeypatch) -> None:
    monkeypatch.setattr("ui.widgets.turns.LONGEST_ANSWER", 1000)
    services.sharing.answer = "word " * 1000
    asking.ask.review()
    await press_send(asking, until)
    await settled(asking, until)
    assert len(asking.ask.conversation.turns[0].answer.toPlainText()) <= 1000


async def test_an_error_while_preparing_is_said(asking, services, until) -> None:
    services.sharing.prepare_error = EyelidError("This cannot be sent as it is.", "There is no key.", "Enter one in the settings.")
    asking.ask.review()
    await until(lambda: "There is no key. Enter one in the settings." in texts(asking.banners))
    await until(asking.ask._review.isEnabled)
    assert not [one for one in asking.findChildren(ApprovalDialog) if one.isVisible()]


# -- videos --------------------------------------------------------------------------------------------------------------------


async def test_the_frames_of_a_video_are_chosen_on_a_strip(bench, services, fake, until) -> None:
    services.library.add(fake.tile(9, kind=ItemKind.VIDEO, duration_ms=20_000))
    bench.context.memory.region_asked = True
    bench.ask_about((fake.item_id(9),))
    bench.ask._question.setPlainText("What happens here?")
    await until(lambda: [one for one in bench.ask.shelf.findChildren(QPushButton) if one.text() == "Frames…"])
    bench.ask._pick_frames(fake.item_id(9))
    sheet = await dialog_of(bench, until, FilmstripSheet)
    assert len(sheet.buttons) == 20
    assert len(sheet.times) == 4, "the usual few are on"
    sheet._none()
    assert not sheet.use.isEnabled()
    sheet.buttons[3].click()
    sheet.buttons[7].click()
    wanted = sheet.times
    sheet.use.click()
    await until(lambda: bench.ask._times.get(fake.item_id(9)) == wanted)
    bench.ask.review()
    (await dialog_of(bench, until, ApprovalDialog)).keep.click()
    await settled(bench, until)
    assert tuple(choice.at_ms for choice in services.sharing.drafts[0].pictures) == wanted


async def test_the_end_of_a_receipt_says_what_left(asking, services, until) -> None:
    asking.ask.review()
    await press_send(asking, until)
    await settled(asking, until)
    assert services.sharing.book_receipts[-1].outcome is Outcome.ANSWERED
    assert "310 kB went to http://127.0.0.1:40001." in asking.ask.conversation.turns[0].ended.text()
