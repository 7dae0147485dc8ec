"""Ask: where it goes. Destinations, setting them up, the place one is at, and terms that forbid people."""

from __future__ import annotations

from PySide6.QtCore import Qt

from app.settings import DESTINATION, REGION
from tests.ui.ask_bench import settled
from tests.ui.hands import dialog_of, texts
from ui.approval import ApprovalDialog
from ui.pages.setup import AddSheet, SetUpSheet


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
