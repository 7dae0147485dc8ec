"""A person's whole path by keyboard alone, through the window over the real services and simulated glasses."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from tests.ui.eyes import Eyes, earlier, real_window
from tests.ui.path_walk import walk

PAGES = {"Captures": Qt.Key.Key_1, "Glasses": Qt.Key.Key_2, "Ask": Qt.Key.Key_3, "Shared": Qt.Key.Key_4}
NO_FURTHER = 400
"""Tabs after which something counts as out of reach."""


class Keys(Eyes):
    """Presses keys on whatever has the focus, and nothing else."""

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(self.focus, key, modifier)

    @property
    def focus(self) -> QWidget:
        return QApplication.focusWidget() or self.roots()[0]

    async def _awake(self) -> None:
        """A desktop gives the keyboard to the window in front, also when a dialog closes; here that is done by hand."""
        front = self.roots()[0]
        if not front.isActiveWindow():
            front.activateWindow()
            await self.until(front.isActiveWindow)

    async def _tab_to(self, name: str) -> QWidget:
        """Tab until the focus is on what is called so."""
        await self._awake()
        for _ in range(NO_FURTHER):
            if self.focus.accessibleName().startswith(name):
                return self.focus
            self.key(Qt.Key.Key_Tab)
            await asyncio.sleep(0)
        raise AssertionError(f"Tab never comes by “{name}”")

    def _there(self, name: str) -> bool:
        """Whether something of this name can be used now."""
        return any(self.name(one).startswith(name) and not one.state().disabled and one.state().focusable for one in self.all())

    async def press(self, name: str) -> None:
        await self.until(lambda: self._there(name))
        at = await self._tab_to(name)
        assert isinstance(at, QAbstractButton)
        self.key(Qt.Key.Key_Space)

    async def write(self, name: str, text: str) -> None:
        await self.until(lambda: self._there(name))
        await self._tab_to(name)
        QTest.keyClicks(self.focus, text)

    async def go(self, page: str) -> None:
        await self._awake()
        self.key(PAGES[page], Qt.KeyboardModifier.ControlModifier)

    async def pick(self, part: str) -> None:
        """Day by day down the list, then select with the keyboard."""
        await self.see(part)
        await self._tab_to("Captures, newest first")
        for _ in range(NO_FURTHER):
            focused = QAccessible.queryAccessibleInterface(self.focus).focusChild()
            if focused is not None and part in self.name(focused):
                break
            self.key(Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
        else:
            raise AssertionError(f"nothing of “{part}” in the list")
        self.key(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)

    async def lock(self) -> None:
        await self._awake()
        self.key(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)


@pytest.mark.timeout(240)  # a whole vault, finders and all: seconds, but many on a busy computer
async def test_the_whole_path_by_keyboard_alone(tmp_path: Path, theme, until, quick_slots) -> None:
    async with real_window(tmp_path, theme) as window:
        await until(window.isActiveWindow)
        await walk(Keys(window), lambda: earlier(window))
