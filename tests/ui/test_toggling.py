"""Buttons that are toggled by assistive technology do what they do when pressed."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible

from ui.widgets.switch import Switch
from ui.widgets.toggling import ToggleTool


@pytest.fixture(params=["switch", "page"])
def button(request, qtbot, theme):
    made = Switch(theme, "AI off") if request.param == "switch" else ToggleTool()
    made.setCheckable(True)
    qtbot.addWidget(made)
    made.show()
    return made


def test_every_way_to_change_it_is_told_once(button, qtbot) -> None:
    told = []
    button.clicked.connect(lambda on: told.append(on))
    actions = QAccessible.queryAccessibleInterface(button).actionInterface()
    actions.doAction("Toggle")
    assert told == [True]
    assert button.isChecked()
    button.setChecked(False)
    assert told == [True], "what the program sets is no press"
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert told == [True, True]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert told == [True, True, False]


async def test_a_page_is_reached_and_ai_switched_off_by_toggling(window, services, until) -> None:
    def toggle(widget) -> None:
        QAccessible.queryAccessibleInterface(widget).actionInterface().doAction("Toggle")

    toggle(window.sidebar._buttons["settings"])
    assert window.stack.currentWidget() is window.settings
    toggle(window.settings.rows["lock_away"].field)
    await until(lambda: services.settings.value(window.settings.rows["lock_away"].setting) is False)
    window.go("settings")
    toggle(window.strip._ai)
    await until(lambda: window.settings.rows["ai_off"].field.isChecked())
