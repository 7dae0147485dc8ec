"""What of the window a screen reader would find, and the window itself over real services; for the tests of a person's whole path."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QApplication, QWidget

from app.media.samples import pictures
from app.paths import Profile
from app.services import Services
from app.vault.types import ItemKind, NewItem, Origin
from ui import words
from ui.main_window import MainWindow
from ui.theme import Theme

PATIENCE = 40.0


class Eyes:
    """What is on the screen, as a screen reader would find it."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window

    def roots(self) -> list[QWidget]:
        """The dialog in front, which is all there is while it is open, or the window."""
        modal = QApplication.activeModalWidget()
        return [modal] if modal is not None else [self.window]

    def all(self) -> list[QAccessibleInterface]:
        found: list[QAccessibleInterface] = []
        for root in self.roots():
            self._below(QAccessible.queryAccessibleInterface(root), found)
        return found

    def _below(self, one: QAccessibleInterface | None, found: list[QAccessibleInterface]) -> None:
        if one is None or not one.isValid() or one.state().invisible:
            return
        found.append(one)
        for number in range(min(one.childCount(), 400)):
            self._below(one.child(number), found)

    @staticmethod
    def name(one: QAccessibleInterface) -> str:
        return one.text(QAccessible.Text.Name)

    async def until(self, look):
        """What `look` finds, once it finds something. What is never found fails with what was on the screen instead."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not (found := look()):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError([self.name(one) for one in self.all()]) from None
        return found

    async def see(self, part: str) -> str:
        return await self.until(lambda: next((said for one in self.all() for said in self._said(one) if part in said), ""))

    def _said(self, one: QAccessibleInterface) -> tuple[str, ...]:
        """What is read of it: its name, its value, and its text where it has one."""
        text = one.textInterface()
        long = text.text(0, text.characterCount()) if text is not None else ""
        return self.name(one), one.text(QAccessible.Text.Value), long

    async def names(self, begin: str, *, fields: bool = False) -> list[str]:
        roles = (QAccessible.Role.EditableText,) if fields else (QAccessible.Role.StaticText, QAccessible.Role.ListItem)
        return [self.name(one) for one in self.all() if self.name(one).startswith(begin) and one.role() in roles]


@asynccontextmanager
async def real_window(folder: Path, theme: Theme) -> AsyncIterator[MainWindow]:
    """A window over real services on a fresh profile."""
    QAccessible.setActive(True)
    services = await Services.start(Profile(folder / "profile"))
    window = MainWindow(services, theme, asyncio.get_running_loop())
    window.resize(1400, 1000)
    window.show()
    try:
        yield window
    finally:
        window.leave()
        await window.tasks.stop()
        await services.stop()
        window.deleteLater()
        await asyncio.sleep(0)
        gc.collect()


async def earlier(window: MainWindow) -> str:
    """A capture of three days ago, as if it had come in then."""
    services = window.context.services
    at = datetime.now(UTC) - timedelta(days=3)
    origin = Origin("frame", "D0:00:00:00:00:01", "Frame", simulated=True)
    meta = services.vault.vault.add(pictures("frame")[0], NewItem(ItemKind.PHOTO, "image/jpeg", at, origin, 720, 720))
    await services.library.arrived(meta.id)
    return words.day(at)
