"""What a person reads in the window, and does with it, for tests that play one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from PySide6.QtWidgets import QAbstractButton, QCheckBox, QDialog, QLabel, QPlainTextEdit, QPushButton, QWidget

from tests import waiting
from ui.dialogs import Question

W = TypeVar("W", bound=QWidget)
Until = Callable[[Callable[[], object]], Awaitable[None]]


async def until(condition: Callable[[], object]) -> None:
    """Let the loop run until `condition` holds, and then until the screen has followed.

    Qt shows a widget put into a layout only at the next turn of its loop, so what stands on the screen may be read a turn too early.
    """
    await waiting.until(condition)
    for _ in range(3):
        await asyncio.sleep(0.002)


def shown(widget: QWidget, kind: type[W]) -> list[W]:
    """What of this kind can be seen inside."""
    return [each for each in widget.findChildren(kind) if each.isVisible()]


def texts(widget: QWidget) -> str:
    """All that can be read, a line each."""
    said = [each.text() for kind in (QLabel, QPushButton, QCheckBox) for each in shown(widget, kind)]
    return "\n".join((*said, *(each.toPlainText() for each in shown(widget, QPlainTextEdit))))


def button(widget: QWidget, text: str) -> QAbstractButton:
    """The first button with this text or name."""
    return next(each for each in shown(widget, QAbstractButton) if text in (each.text(), each.accessibleName()))


def press(widget: QWidget, text: str) -> None:
    found = button(widget, text)
    assert found.isEnabled(), f"“{text}” cannot be pressed"
    found.click()


def press_called(widget: QWidget, name: str) -> None:
    """Press the one button that a screen reader calls `name`."""
    found = [each for each in shown(widget, QPushButton) if each.accessibleName() == name]
    assert len(found) == 1, (name, [each.accessibleName() for each in shown(widget, QPushButton)])
    assert found[0].isEnabled(), f"“{name}” cannot be pressed"
    found[0].click()


def choose(window: Any, *rows: int) -> None:
    """Select these captures, too."""
    selection = window.captures.view.selectionModel()
    for row in rows:
        selection.select(window.captures.model.index(row), selection.SelectionFlag.Select)


async def dialog_of(window: QWidget, until: Until, kind: type[Any] = QDialog) -> Any:
    """The dialog of this kind, once it is open."""
    await until(lambda: shown(window, kind))
    return shown(window, kind)[0]


async def answer(window: QWidget, until: Until, verb: str) -> None:
    """Press `verb` in the question that comes."""
    press(await dialog_of(window, until, Question), verb)


def type_back(sheet: Any, code: str) -> None:
    """The recovery code as from paper: small letters, and a slip first."""
    sheet.wrote.click()
    groups = code.split("-")
    assert len(set(sheet._wanted)) == 2
    for number, field in zip(sheet._wanted, sheet.fields, strict=True):
        field.setText(groups[number].lower().replace("0", "o"))
    good = sheet.fields[1].text()
    sheet.fields[1].setText("wrong")
    sheet.check()
    assert f"Group {sheet._wanted[1] + 1} is another one" in texts(sheet)
    sheet.fields[1].setText(good)
    sheet.check()
