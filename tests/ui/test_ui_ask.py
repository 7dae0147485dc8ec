"""Ask: what is chosen, where it goes, the approval in between, and the conversation that comes of it."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWidget

from app.errors import EyelidError
from app.settings import AI_OFF, DESTINATION, REGION
from app.sharing.grants import Grant, GrantSpan
from app.sharing.types import Outcome, PolicyClass
from app.vault.types import Exchange, ItemKind, LockState
from tests.ui.hands import dialog_of, texts
from ui.approval import ApprovalDialog
from ui.context import Context
from ui.memory import Memory
from ui.pages.ask import AskPage
from ui.pages.setup import AddSheet, SetUpSheet
from ui.tasks import Tasks
from ui.widgets.banner import Banners
from ui.widgets.basics import column
from ui.widgets.filmstrip import FilmstripSheet


class Bench(QWidget):
    """The page by itself, with what the window lends it; that is much sooner made than a window."""

    def __init__(self, services, theme) -> None:
        super().__init__()
        self.tasks = Tasks(asyncio.get_running_loop(), self)
        self.context = Context(services, theme, self.tasks, Memory(services.profile.root))
        self.banners = Banners(theme)
        self.tasks.failed.connect(lambda said, again: self.banners.trouble(said))
        self.ask = AskPage(self.context, self.banners).complete()
        self.setLayout(column(self.banners, self.ask.sending.bar, self.ask))
        self.resize(1000, 700)

    def ask_about(self, items) -> None:
        self.ask.take(items)
        self.ask.entered()


@pytest.fixture
async def bench(services, theme, fake, until):
    services.library.add(*(fake.tile(number) for number in range(4)))
    made = Bench(services, theme)
    made.show()
    await until(made.isActiveWindow)
    yield made
    await made.tasks.stop()
    made.close()
    made.deleteLater()
    await asyncio.sleep(0)


@pytest.fixture
async def asking(bench, fake, until):
    """Asking about two captures, the question written."""
    return await begun(bench, fake, until)


@pytest.fixture
async def whole(window, services, fake, until):
    """The same in the whole window."""
    services.library.add(*(fake.tile(number) for number in range(4)))
    return await begun(window, fake, until)


async def begun(window, fake, until):
    window.context.memory.region_asked = True
    window.ask_about((fake.item_id(0), fake.item_id(1)))
    window.ask._question.setPlainText("What plant is this?")
    await until(lambda: not window.tasks.running("ask ready"))
    return window


async def press_send(window, until) -> None:
    dialog = await dialog_of(window, until, ApprovalDialog)
    dialog._armed.setInterval(0)
    for check in dialog.checks:
        check.setChecked(True)
    await until(lambda: dialog.armed)
    dialog.send.click()


async def settled(window, until) -> None:
    await until(lambda: not window.ask.busy)


# -- where it goes -------------------------------------------------------------------------------------------------------------


async def test_the_mirror_is_the_default_and_each_destination_says_its_class(asking) -> None:
    page = asking.ask
    assert page._chosen_destination().id == "mirror"
    assert page._class.text == "Mirror on this computer"
    page._to.choose("trains")
    assert page._class.text == "May be used for training"
    said = [page._to.itemData(row, Qt.ItemDataRole.AccessibleTextRole) for row in range(page._to.count())]
    assert said[2] == "OpenAI API: Kept for a while"
    assert all(not page._to.itemIcon(row).isNull() for row in range(4))


async def test_the_usual_destination_is_a_setting(bench, services, fake) -> None:
    services.settings.set(DESTINATION, "kept")
    bench.ask_about((fake.item_id(0),))
    assert bench.ask._chosen_destination().label == "OpenAI API"


async def test_what_is_not_ready_comes_last_and_can_be_set_up_here(asking, services, until) -> None:
    del services.sharing.book.keys.kept["kept"]
    asking.ask.entered()
    page = asking.ask
    await until(lambda: page._to.findText("To be set up first") == 3)
    assert page._to.itemText(4) == "OpenAI API"
    page._to.choose("kept")
    assert "no key yet" in page._lacking.text()
    assert not page._review.isEnabled()
    page.set_up()
    sheet = await dialog_of(asking, until, SetUpSheet)
    sheet.key.setText("sk-secret")
    sheet.check.click()
    await until(lambda: "It accepts the key. (Receipt 7)" in sheet.key_told.text)
    assert sheet.key.text() == ""
    assert services.sharing.book.keys.kept["kept"] == "sk-secret"
    sheet.list_models()
    await until(lambda: sheet.model.count() == 1)
    sheet.model.hidePopup()
    assert sheet.model.itemText(0) == "sees-well"
    sheet.model.setEditText("sees-well")
    sheet.save.click()
    await until(lambda: page._review.isEnabled())
    assert services.sharing.book.models == {"kept": "sees-well"}


async def test_a_server_is_added_by_its_kind_and_what_is_wrong_is_said_there(asking, until) -> None:
    asking.ask.add_destination()
    sheet = await dialog_of(asking, until, AddSheet)
    assert sheet.url.text() == "http://127.0.0.1:11434"
    sheet.url.setText("http://example.org/v1")
    sheet.add.click()
    await until(lambda: "That server is not on this computer." in sheet.told.text)
    sheet.url.setText("http://127.0.0.1:1234/v1")
    sheet.add.click()
    assert isinstance(await dialog_of(asking, until, SetUpSheet), SetUpSheet)


async def test_a_local_destination_can_be_proven_local(asking, services, until) -> None:
    asking.ask._to.choose("local")
    asking.ask.set_up()
    sheet = await dialog_of(asking, until, SetUpSheet)
    assert not sheet.key.isVisible()
    sheet.prove.click()
    await until(lambda: sheet.place_told.text == "The model lies on this computer.")


async def test_where_i_am_is_asked_once_and_kept(bench, services, fake, until) -> None:
    bench.ask_about((fake.item_id(0),))
    card = bench.ask.region
    assert card.isVisible()
    card.box.lineEdit().setText("united states, tex")
    card.box.lineEdit().editingFinished.emit()
    assert card.box.code == "", "half a name is no place"
    card.box.lineEdit().setText("united states, texas")
    card.box.lineEdit().editingFinished.emit()
    card.answered.emit(card.box.code)
    assert services.settings.get(REGION) == "US-TX"
    assert not card.isVisible()
    services.settings.set(REGION, "")
    bench.ask.entered()
    assert not card.isVisible(), "whoever would rather not say is not asked again"


async def test_terms_that_forbid_people_are_said_and_asked_about(asking, services, fake, until) -> None:
    services.sharing.forbids = "The terms forbid pictures of people."
    asking.ask.entered()
    page, tick = asking.ask, asking.ask._no_people
    assert not tick.isVisible()
    page._to.choose("trains")
    assert tick.isVisible()
    assert not tick.isChecked()
    assert "The terms forbid pictures of people." in texts(page)
    page.review()
    await until(lambda: "Use the mirror or a local server instead." in texts(asking.banners))
    await settled(asking, until)
    tick.setChecked(True)
    page.review()
    (await dialog_of(asking, until, ApprovalDialog)).keep.click()
    await settled(asking, until)
    assert [draft.no_people for draft in services.sharing.drafts] == [False, True]
    tick.setChecked(True)
    page._to.choose("mirror")
    page._to.choose("trains")
    assert not tick.isChecked(), "said of one destination, not of the next"
    tick.setChecked(True)
    asking.ask_about((fake.item_id(3),))
    assert not tick.isChecked(), "said of some pictures, not of others"


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
