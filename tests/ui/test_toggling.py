"""Buttons that are toggled by assistive technology do what they do when pressed."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QLineEdit

from app.library.types import Query, Sharing
from app.vault.types import ItemKind
from ui.widgets.chips import ChipRow
from ui.widgets.filters import FilterBar
from ui.widgets.passphrase import PassphraseField
from ui.widgets.switch import Switch
from ui.widgets.toggling import TogglePush, ToggleTool


def toggle(widget) -> None:
    QAccessible.queryAccessibleInterface(widget).actionInterface().doAction("Toggle")


@pytest.fixture(params=["switch", "page", "chip"])
def button(request, qtbot, theme):
    made = {"switch": lambda: Switch(theme, "AI off"), "page": ToggleTool, "chip": TogglePush}[request.param]()
    made.setCheckable(True)
    qtbot.addWidget(made)
    made.show()
    return made


def test_every_way_to_change_it_is_told_once(button, qtbot) -> None:
    told = []
    button.clicked.connect(lambda on: told.append(on))
    toggle(button)
    assert told == [True]
    assert button.isChecked()
    button.setChecked(False)
    assert told == [True], "what the program sets is no press"
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert told == [True, True]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert told == [True, True, False]


async def test_a_page_is_reached_and_ai_switched_off_by_toggling(window, services, until) -> None:
    toggle(window.sidebar._buttons["settings"])
    assert window.stack.currentWidget() is window.settings
    toggle(window.settings.rows["lock_away"].field)
    await until(lambda: services.settings.value(window.settings.rows["lock_away"].setting) is False)
    window.go("settings")
    toggle(window.strip._ai)
    await until(lambda: window.settings.rows["ai_off"].field.isChecked())


def test_a_side_of_a_page_is_chosen_by_toggling_and_told_once(qtbot) -> None:
    told: list[str] = []
    line = ChipRow([(key, key, key) for key in ("one", "two", "three")], told.append)
    qtbot.addWidget(line)
    toggle(line.chips["two"])
    toggle(line.chips["three"])
    assert told == ["two", "three"], "that another one goes out is no press"
    assert [key for key, chip in line.chips.items() if chip.isChecked()] == ["three"]
    toggle(line.chips["three"])
    qtbot.mouseClick(line.chips["one"], Qt.MouseButton.LeftButton)
    assert told == ["two", "three", "one"]


def test_captures_are_filtered_by_toggling(qtbot, theme) -> None:
    bar = FilterBar(theme)
    qtbot.addWidget(bar)
    found: list[Query] = []
    bar.changed.connect(lambda: found.append(bar.query))
    for key in ("photo", "private", "shared", "trash", "all"):
        toggle(bar.chips[key])
    photos = frozenset({ItemKind.PHOTO})
    wanted = [Query(photos), Query(photos, Sharing.PRIVATE), Query(photos, Sharing.SHARED), Query(trashed=True), Query()]
    assert found == wanted
    toggle(bar.chips["all"])
    assert bar.query == Query()
    assert bar.chips["all"].isChecked(), "there is no state in which nothing is shown"


def test_a_passphrase_is_shown_and_hidden_by_toggling(qtbot, theme) -> None:
    field = PassphraseField(theme, "Passphrase")
    qtbot.addWidget(field)
    modes = QLineEdit.EchoMode
    assert field._line.echoMode() is modes.Password
    toggle(field._eye)
    assert field._line.echoMode() is modes.Normal
    field.clear()
    assert field._line.echoMode() is modes.Password


async def test_details_are_put_away_by_toggling(window, services, fake, until) -> None:
    services.library.add(fake.tile(0))
    await until(lambda: window.captures.model.rowCount() == 1)
    window.view(fake.item_id(0))
    await until(lambda: not window.viewer.picture.empty)
    assert window.viewer.details.isVisible()
    toggle(window.viewer._info)
    assert not window.viewer.details.isVisible()
