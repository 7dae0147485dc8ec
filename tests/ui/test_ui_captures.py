"""My captures: what is shown, what can be done with the chosen ones, and looking at one of them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton

from app.errors import EyelidError
from app.events import PreviewsMade
from app.vault.errors import ObjectDamaged
from app.vault.types import ItemKind
from tests.ui.hands import answer, choose, dialog_of, texts
from ui.bulk import in_pieces
from ui.dialogs import NameDialog, Question
from ui.widgets.progress import ProgressRow

HEIC = Path(__file__).parents[1] / "media/samples/glasses.heic"


# -- the timeline and the selection -----------------------------------------------------------------------------------------


async def test_captures_appear_by_themselves_newest_first(filled, services, fake, until) -> None:
    services.library.add(fake.tile(-1))
    await until(lambda: filled.captures.model.rowCount() == 13)
    assert filled.captures.model.tile(0).id == fake.tile(-1).id


async def test_what_changes_while_it_is_being_asked_for_is_asked_for_again(filled, services, fake, until, monkeypatch) -> None:
    asked: list[object] = []
    tiles, go = services.library.tiles, asyncio.Event()

    async def slowly(query, **how):
        found = await tiles(query, **how)
        asked.append(how)
        await go.wait()
        return found

    monkeypatch.setattr(services.library, "tiles", slowly)
    filled.captures._calm.setInterval(0)
    await services.library.set_favourite((fake.item_id(3),), True)
    await until(lambda: asked)
    await services.library.set_favourite((fake.item_id(3),), False)
    go.set()
    await until(lambda: len(asked) > 1 and not filled.captures._waiting)
    assert not filled.captures.model.tile(filled.captures.model.row_of(fake.item_id(3))).favourite


async def test_previews_made_in_the_background_are_counted_beside_the_captures(filled, services, until) -> None:
    said = filled.captures.count
    await until(lambda: said.text() == "12 captures")
    services.events.publish(PreviewsMade(312, 500))
    await until(lambda: said.text() == "12 captures; making previews, 312 of 500")
    services.events.publish(PreviewsMade(500, 500))
    await until(lambda: said.text() == "12 captures")
    services.events.publish(PreviewsMade(1, 3))
    services.events.publish(PreviewsMade(20, 40))
    await until(lambda: said.text() == "12 captures; making previews, 20 of 40")


async def test_a_failing_library_is_said_with_a_way_to_try_again(filled, services, until) -> None:
    services.library.error = EyelidError("The index cannot be read.", "It is damaged.", "Try again.")
    filled.captures.reload()
    await until(lambda: "The index cannot be read." in texts(filled))
    services.library.error = None
    services.library.items = []
    next(button for button in filled.banners.findChildren(QPushButton) if button.text() == "Try again").click()
    await until(lambda: filled.captures.model.rowCount() == 0)


async def test_filters_and_search_ask_the_library(filled, services, fake, until) -> None:
    services.library.add(fake.tile(50, shared_with=("OpenAI",)), fake.tile(51, kind=ItemKind.VIDEO, duration_ms=1000))
    await until(lambda: filled.captures.model.rowCount() == 14)
    wanted = (("video", 1), ("shared", 0), ("video", 1), ("private", 13), ("photo", 12), ("sound", 12), ("favourite", 0), ("all", 14))
    for name, count in wanted:
        filled.captures.filters.chips[name].click()
        await until(lambda count=count: filled.captures.model.rowCount() == count)
    filled.captures._search.setText("no such glasses")
    await until(lambda: filled.captures.model.rowCount() == 0)
    assert "Nothing matches" in texts(filled.captures)


async def test_select_all_and_delete_and_undo(filled, services, qtbot, until) -> None:
    filled.captures.view.setFocus()
    qtbot.keyClick(filled.captures.view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert "12 selected" in texts(filled.captures)
    qtbot.keyClick(filled.captures.view, Qt.Key.Key_Delete)
    await until(lambda: filled.captures.model.rowCount() == 0)
    assert len(services.library.trashed) == 12
    next(button for button in filled.banners.findChildren(QPushButton) if button.text() == "Undo").click()
    await until(lambda: filled.captures.model.rowCount() == 12)


async def test_albums_are_made_filled_shown_and_emptied(filled, services, fake, until) -> None:
    page = filled.captures
    assert not page.filters.albums.isVisible()
    choose(filled, 0, 1)
    page.selection.choose_album()
    menu = QApplication.activePopupWidget()
    assert [action.text() for action in menu.actions()] == ["New album…"]
    menu.actions()[0].trigger()
    menu.close()
    dialog = await dialog_of(filled, until, NameDialog)
    assert not dialog.go.isEnabled()
    dialog.field.setText("By the river")
    dialog.go.click()
    await until(lambda: page.filters.albums.findData("By the river") == 1)
    assert page.filters.albums.isVisible()
    page.filters.albums.setCurrentIndex(1)
    page.filters.albums.activated.emit(1)
    await until(lambda: page.model.rowCount() == 2)

    page.view.clearSelection()
    choose(filled, 0)
    page.selection.choose_album()
    menu = QApplication.activePopupWidget()
    next(action for action in menu.actions() if action.text() == "Take out of By the river").trigger()
    menu.close()
    await until(lambda: page.model.rowCount() == 1)
    page.selection.take_from_album((fake.item_id(1),), "By the river")
    await until(lambda: page.model.rowCount() == 12)
    assert not page.filters.albums.isVisible(), "an album that is empty is gone, and all captures are shown again"


async def test_an_album_can_be_undone(filled, services, fake, until) -> None:
    filled.captures.selection.put_in_album((fake.item_id(0),), "Work")
    await until(lambda: "1 capture is in Work now." in texts(filled.banners))
    next(button for button in filled.banners.findChildren(QPushButton) if button.text() == "Undo").click()
    await until(lambda: services.library.in_album["Work"] == set())


async def test_deleting_for_good_asks_first(filled, services, qtbot, until) -> None:
    choose(filled, 0)
    filled.captures.selection.delete_chosen()
    await until(lambda: filled.captures.model.rowCount() == 11)
    filled.captures.filters.chips["trash"].click()
    await until(lambda: filled.captures.model.rowCount() == 1)
    choose(filled, 0)
    filled.captures.selection.delete_chosen()
    await answer(filled, until, "Keep")
    assert len(services.library.trashed) == 1
    filled.captures.selection.delete_chosen()
    await answer(filled, until, "Delete for good")
    await until(lambda: not services.library.trashed)


async def test_favourites_toggle_for_the_whole_selection(filled, services, until) -> None:
    choose(filled, 0, 1)
    filled.captures.selection.favourite_chosen()
    await until(lambda: sum(tile.favourite for tile in filled.captures.model.tiles()) == 2)
    assert filled.captures.selection.star.text() == "No favourite"


async def test_exporting_says_what_it_means_then_asks_for_a_folder(filled, services, until, tmp_path, monkeypatch) -> None:
    async def folder(parent, title):
        return tmp_path

    monkeypatch.setattr("ui.actions.choose_folder", folder)
    choose(filled, 0, 2)
    filled.captures.export_chosen()
    dialog = await dialog_of(filled, until, Question)
    assert "ordinary files" in texts(dialog)
    await answer(filled, until, "Choose a folder…")
    await until(lambda: services.library.exported)
    assert "2 captures exported" in texts(filled)


async def test_what_can_not_be_exported_is_named_and_the_rest_is_written(filled, services, until, tmp_path, monkeypatch) -> None:
    async def folder(parent, title):
        return tmp_path

    monkeypatch.setattr("ui.actions.choose_folder", folder)
    damaged = filled.captures.model.tile(2).id
    services.library.damaged[damaged] = ObjectDamaged("objects/x.age", "A part of it was changed or cut.")
    choose(filled, *range(10))  # more than one piece of work
    filled.captures.export_chosen()
    await answer(filled, until, "Choose a folder…")
    await until(lambda: "could not be exported" in texts(filled))
    assert "9 captures exported" in texts(filled)
    assert "1 capture could not be exported" in texts(filled)
    assert "The sealed file objects/x.age is damaged." in texts(filled)


@pytest.mark.parametrize("key", [Qt.Key.Key_Space, Qt.Key.Key_Return])
async def test_space_and_enter_open_and_esc_goes_back(filled, qtbot, until, key) -> None:
    view = filled.captures.view
    view.setFocus()
    view.setCurrentIndex(filled.captures.model.index(3))
    qtbot.keyClick(view, key)
    assert filled.stack.currentWidget() is filled.viewer
    await until(lambda: not filled.viewer.picture.empty)
    qtbot.keyClick(filled.viewer.picture, Qt.Key.Key_Escape)
    assert filled.stack.currentWidget() is filled.captures
    assert view.currentIndex().row() == 3, "stays where you were"


async def test_ctrl_z_takes_back_the_last_change(filled, services, qtbot, until) -> None:
    choose(filled, 0, 1)
    filled.captures.view.setFocus()
    filled.captures.selection.favourite_chosen()
    await until(lambda: "2 captures are favourites now." in texts(filled.banners))
    qtbot.keyClick(filled.captures.view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    await until(lambda: not any(tile.favourite for tile in filled.captures.model.tiles()))
    await until(lambda: not filled.tasks.running("favourite"))
    qtbot.keyClick(filled.captures.view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not filled.tasks.running("favourite"), "there is nothing more to take back"


async def test_undoing_an_album_leaves_what_was_in_it_before(filled, services, fake, until) -> None:
    services.library.in_album["Work"] = {fake.item_id(0)}
    filled.captures.selection.put_in_album((fake.item_id(0), fake.item_id(1)), "Work")
    await until(lambda: "1 capture is in Work now." in texts(filled.banners))
    filled.captures.selection.undo()
    await until(lambda: services.library.in_album["Work"] == {fake.item_id(0)})


async def test_long_work_shows_how_far_it_is_and_stops_between_pieces(filled, fake) -> None:
    done, rows = [], []

    async def act(piece) -> None:
        done.extend(piece)
        rows[:] = filled.banners.findChildren(ProgressRow)
        if len(done) == 60:
            next(one for one in rows[0].findChildren(QPushButton) if one.text() == "Cancel").click()

    items = tuple(fake.item_id(number) for number in range(100))
    assert await in_pieces(filled.banners, "Moving", items, act, piece=20) == items[:60]
    assert done == list(items[:60])
    assert not rows[0].isVisible()
    assert await in_pieces(filled.banners, "Moving", items[:5], act, piece=2) == items[:5], "a few are done without ado"


async def test_carrying_captures_out_asks_and_says_why(filled, until) -> None:
    choose(filled, 0)
    filled.captures.view.dragged_out.emit()
    dialog = await dialog_of(filled, until, Question)
    assert "readable copies behind" in texts(dialog)
    dialog.reject()


async def test_months_lead_to_their_newest_day(filled, services, fake, until) -> None:
    services.library.add(fake.tile(500, taken_at=fake.NOW - timedelta(days=70)), fake.tile(501, taken_at=fake.NOW - timedelta(days=71)))
    await until(lambda: filled.captures.model.rowCount() == 14)
    menu = filled.captures.months()
    assert [act.text() for act in menu.actions()] == ["May 2026 (12)", "March 2026 (2)"]
    menu.actions()[1].trigger()
    assert filled.captures.view.currentIndex().row() == 12


async def test_many_months_stand_in_a_menu_a_year(filled, services, fake, until) -> None:
    services.library.add(*(fake.tile(900 + number, taken_at=fake.NOW - timedelta(days=31 * number)) for number in range(1, 30)))
    await until(lambda: filled.captures.model.rowCount() == 41)
    assert [act.text() for act in filled.captures.months().actions()] == ["2026", "2025", "2024", "2023"]


async def test_what_happens_while_the_rest_is_read_is_brought_in_afterwards(filled, services, fake, until, monkeypatch) -> None:
    monkeypatch.setattr("ui.pages.captures.FIRST", 3)
    monkeypatch.setattr("ui.pages.captures.LARGEST_PAGE", 4)
    real, gate = services.library.tiles, asyncio.Event()

    async def tiles(query, **asked):
        found = await real(query, **asked)
        if asked.get("after") is not None:
            await gate.wait()
        return found

    services.library.tiles = tiles
    filled.captures.reload()
    await until(lambda: filled.captures.model.rowCount() == 3)
    await services.library.trash((fake.item_id(1), fake.item_id(8)))
    services.library.add(fake.tile(-5))
    gate.set()
    await until(lambda: filled.captures.model.row_of(fake.item_id(8)) is None and filled.captures._whole and not filled.captures._waiting)
    assert [tile.id for tile in filled.captures.model.tiles()] == [tile.id for tile in services.library.items]
