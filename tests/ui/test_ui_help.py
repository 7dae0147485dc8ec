"""The help inside the program: reached from the foot of the sidebar and by keyboard, whole, and opening nothing by itself."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QAccessible, QTextDocument
from PySide6.QtWidgets import QPushButton

from app.vault.types import LockState
from ui import help, i18n
from ui.help import HelpSheet, HelpText


def shown(window) -> list[HelpSheet]:
    return [one for one in window.findChildren(HelpSheet) if one.isVisible()]


@pytest.mark.parametrize("way", ["sidebar", "keys"])
async def test_it_is_reached_and_left_by_keyboard(window, qtbot, until, way) -> None:
    if way == "sidebar":
        window.sidebar.help.setFocus()
        qtbot.keyClick(window.sidebar.help, Qt.Key.Key_Space)
    else:
        qtbot.keyClick(window, Qt.Key.Key_F1, Qt.KeyboardModifier.ShiftModifier)
    await until(lambda: shown(window))
    sheet = shown(window)[0]
    await until(sheet.text.hasFocus)
    assert sheet.text.verticalScrollBar().maximum() > sheet.text.verticalScrollBar().value() == 0, "from the beginning"
    qtbot.keyClick(sheet.text, Qt.Key.Key_Tab)
    assert isinstance(sheet.focusWidget(), QPushButton), "no trap: Tab leads on from the text"
    qtbot.keyClick(sheet.text, Qt.Key.Key_Escape)
    await until(lambda: not shown(window))


async def test_it_closes_when_the_vault_locks(window, until) -> None:
    window.show_help()
    await until(lambda: shown(window))
    window.lock()
    await until(lambda: not shown(window))


async def test_it_can_be_read_at_the_lock_page(window, services, qtbot, until) -> None:
    window.lock()
    await until(lambda: services.vault.state is LockState.LOCKED and not window.tasks.running("lock"))
    await until(window.lock_page.isVisible)
    for _ in range(10):  # the lock is told to the window some turns of the loop later, and ends whatever is open
        await asyncio.sleep(0)
    qtbot.keyClick(window, Qt.Key.Key_F1, Qt.KeyboardModifier.ShiftModifier)
    await until(lambda: shown(window))


def test_every_chapter_and_question_is_shown(qtbot, theme) -> None:
    sheet = HelpSheet(None, theme)
    qtbot.addWidget(sheet)
    document = sheet.text.document()
    lines = help.text().splitlines()
    chapters = [line.removeprefix("## ") for line in lines if line.startswith("## ")]
    block, headings = document.begin(), []
    while block.isValid():
        if block.blockFormat().headingLevel():
            headings.append(block.text())
        block = block.next()
    assert headings == chapters
    assert len(chapters) >= 3
    plain = sheet.text.toPlainText()
    assert "**" not in plain
    questions = [line.split("**")[1] for line in lines if line.startswith("**")]
    assert [question for question in questions if question not in plain] == []
    assert " ".join(lines[-1].split()) in " ".join(plain.split())


def test_a_screen_reader_reads_its_name_and_its_text(qtbot, theme) -> None:
    sheet = HelpSheet(None, theme)
    qtbot.addWidget(sheet)
    read = QAccessible.queryAccessibleInterface(sheet.text)
    assert read.text(QAccessible.Text.Name) == "Help"
    assert "What it protects" in read.textInterface().text(0, 200)
    assert QAccessible.queryAccessibleInterface(sheet).text(QAccessible.Text.Name) == "Help"


def test_nothing_is_opened_or_loaded(qtbot) -> None:
    made = HelpText()
    qtbot.addWidget(made)
    assert not made.openLinks()
    assert not made.openExternalLinks()
    flags = Qt.TextInteractionFlag
    assert not made.textInteractionFlags() & (flags.LinksAccessibleByMouse | flags.LinksAccessibleByKeyboard)
    kind = QTextDocument.ResourceType
    for place in (help.__file__, "help.md"):
        assert made.loadResource(int(kind.ImageResource.value), QUrl.fromLocalFile(place)) is None


@pytest.mark.parametrize(("code", "begins"), [("de", "Was geschützt ist"), ("zh_CN", "它保护什么"), (i18n.PSEUDO, "What it protects")])
def test_it_is_in_the_language_of_the_window(qtbot, theme, code, begins) -> None:
    i18n.use(code)
    try:
        sheet = HelpSheet(None, theme)
        qtbot.addWidget(sheet)
        assert sheet.text.toPlainText().startswith(begins)
    finally:
        i18n.use(i18n.ENGLISH)
