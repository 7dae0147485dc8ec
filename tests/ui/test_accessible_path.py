"""A person's whole path by accessible names alone: what Qt tells a screen reader is all that is looked at and acted on."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QAccessible, QAccessibleInterface

from tests.ui.eyes import Eyes, earlier, real_window
from tests.ui.path_walk import walk

PRESS = ("Press", "Toggle")


class Names(Eyes):
    """Acts through the tree's own actions, as assistive technology does."""

    def _usable(self, name: str) -> QAccessibleInterface | None:
        fits = (one for one in self.all() if self.name(one).startswith(name) and not one.state().disabled)
        return next((one for one in fits if one.role() in (QAccessible.Role.Button, QAccessible.Role.CheckBox)), None)

    async def press(self, name: str) -> None:
        actions = (await self.until(lambda: self._usable(name))).actionInterface()
        actions.doAction(next(action for action in PRESS if action in actions.actionNames()))

    async def write(self, name: str, text: str) -> None:
        def field() -> QAccessibleInterface | None:
            roles = (QAccessible.Role.EditableText,)
            return next((one for one in self.all() if self.name(one).startswith(name) and one.role() in roles), None)

        found = await self.until(field)
        found.editableTextInterface().insertText(0, text)

    async def go(self, page: str) -> None:
        await self.press(page)

    async def pick(self, part: str) -> None:
        def item() -> QAccessibleInterface | None:
            return next((one for one in self.all() if part in self.name(one) and one.role() == QAccessible.Role.ListItem), None)

        found = await self.until(item)
        found.parent().selectionInterface().select(found)

    async def lock(self) -> None:
        await self.press("Lock the vault")


@pytest.mark.timeout(240)  # a whole vault, finders and all: seconds, but many on a busy computer
async def test_the_whole_path_by_accessible_names_alone(tmp_path: Path, theme, until, quick_slots) -> None:
    async with real_window(tmp_path, theme) as window:
        await until(window.isActiveWindow)
        await walk(Names(window), lambda: earlier(window))
