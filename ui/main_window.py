"""The window: which of the three rooms is shown (first run, locked, inside), the pages inside, and what reaches all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractButton, QApplication, QStackedWidget

from app import settings as declared
from app.events import GlassesChanged, GlassesForgotten, VaultChanged
from app.services import Services
from app.vault.types import ItemId, LockState
from ui.context import Context
from ui.dialogs import opened
from ui.furnished import PAGES, Furnished
from ui.i18n import tr
from ui.idle import Guard
from ui.lockwatch import LockWatch
from ui.memory import Memory
from ui.pages.door import Door, LockPage
from ui.tasks import Tasks
from ui.teller import Teller
from ui.theme import Theme
from ui.tokens import GRID
from ui.widgets.banner import Banners
from ui.widgets.basics import redress
from ui.widgets.page import WIDEST

if TYPE_CHECKING:
    from ui.interior import Interior
    from ui.pages.first_run import WelcomePage

_OPEN_WORK = (
    *("export", "import", "favourite", "trash", "forget", "pair", "receipt", "verify receipts", "export receipts", "keys"),
    *("notices", "album", "rename", "release", "shortcuts", "help", "report", "folder"),
)
"""Work that may hold a dialog open; it ends when the vault locks."""


class MainWindow(Furnished):
    """`closed` is set when the person wants to leave; whoever made the window then stops the services."""

    def __init__(self, services: Services, theme: Theme, loop: asyncio.AbstractEventLoop, watch: LockWatch | None = None) -> None:
        super().__init__()
        self._services = services
        memory = Memory(services.profile.root)
        self.tasks = Tasks(loop, self)
        self.context = Context(services, theme, self.tasks, memory)
        theme.choose(services.settings.get(declared.THEME))
        theme.scale_text(int(services.settings.get(declared.TEXT_SIZE)))
        self.setWindowTitle(tr("Eyelid"))
        self.setMinimumSize(112 * GRID, 70 * GRID)
        self.resize(150 * GRID, 100 * GRID)
        if memory.geometry is not None:
            self.restoreGeometry(memory.geometry)
        self.banners = Banners(theme)
        self.banners.setMaximumWidth(WIDEST)
        self.hides: Callable[[], bool] = lambda: False
        self._leaving = False
        self.teller = Teller(self.context, self.banners, lambda: self.here, lambda: self.unlocked)
        self.guard = Guard(services.settings, self.lock, watch or LockWatch())
        self._loop = loop
        self._make_rooms()
        self._connect()
        self._shortcuts()
        self._room()
        self.guard.start()

    def _make_rooms(self) -> None:
        self.lock_page = LockPage(self.context)
        self.rooms = QStackedWidget()
        self.rooms.addWidget(self.lock_page)
        self.setCentralWidget(self.rooms)

    def _connect(self) -> None:
        events = self._services.events
        events.subscribe(VaultChanged, self._vault_changed)
        events.subscribe(GlassesChanged, self.show_glasses)
        events.subscribe(GlassesForgotten, self.show_glasses)
        self.context.theme.changed.connect(self._new_look)

    @cached_property
    def welcome(self) -> WelcomePage:
        """The first run; most starts are without it."""
        from ui.pages.first_run import WelcomePage

        page = WelcomePage(self.context)
        page.finished.connect(self._room)
        page.pair_asked.connect(self.pair)
        self.rooms.addWidget(page)
        return page

    def new_interior(self) -> Interior:
        from ui.interior import Interior  # its modules are half of the window's; the lock page needs none of them

        return Interior(self, self._loop)

    def _shortcuts(self) -> None:
        for number, name in enumerate(PAGES, 1):
            self._key(f"Ctrl+{number}", partial(self.go, name))
        self._key("Ctrl+L", self.lock)
        self._key("Ctrl+F", self._search)
        self._key("Ctrl+E", lambda: self.captures.export_chosen() if self.unlocked and self.captures.isVisible() else None)
        self._key("Ctrl+W", self.close)
        self._key("Ctrl+Q", self.leave)
        for keys in ("F1", "?"):
            self._key(keys, self.show_shortcuts)
        self._key("Shift+F1", self.show_help)

    def _key(self, keys: str, act: object) -> None:
        QShortcut(QKeySequence(keys), self).activated.connect(act)

    @property
    def hurried(self) -> bool:
        return self._services.vault.state is LockState.UNLOCKING or self.tasks.running("tiles")

    @property
    def moving(self) -> bool:
        return self.unlocked and self.so_far is not None and self.so_far.moving

    # -- rooms and pages -------------------------------------------------------------------------------------------------------

    @property
    def unlocked(self) -> bool:
        return self._services.vault.state is LockState.UNLOCKED

    def _room(self) -> None:
        """Show the room that fits the vault. Whatever is not unlocked shows nothing of the inside, at once."""
        state = self._services.vault.state
        if state is LockState.UNLOCKED:
            if "welcome" in vars(self) and self.welcome.engaged:
                return  # the new vault's recovery code, and what else is new, comes first
            if self.context.memory.first_run_pending:
                self.rooms.setCurrentWidget(self.welcome)
                self.welcome.resume()
                return
            if self.rooms.currentWidget() is not self.inside:
                self.slow_down()
                self.rooms.setCurrentWidget(self.inside)
                self.go("captures")
                if self._services.begun:
                    self.show_glasses()
            return
        self._forget()
        door = self.welcome if state is LockState.ABSENT else self.lock_page
        if self.rooms.currentWidget() is not door or not self.isVisible():
            self.rooms.setCurrentWidget(door)
            door.entered()

    def _forget(self) -> None:
        if self.so_far is not None:
            self.so_far.forget()
        if "welcome" in vars(self):
            self.welcome.forget()
        for key in _OPEN_WORK:
            self.tasks.cancel(key)
        self.banners.clear()
        if (popup := QApplication.activePopupWidget()) is not None:
            popup.close()

    def go(self, name: str) -> None:
        """Bring a page to the front."""
        if self.unlocked:
            page = self.interior.page(name)
            self.inside.bring(page)
            self.sidebar.show_chosen(name)
            page.setFocus()
            page.entered()

    def view(self, item: str) -> None:
        self.inside.bring(self.viewer)
        self.sidebar.show_chosen("captures")
        self.viewer.open(ItemId(item))

    def ask_about(self, items: tuple[ItemId, ...]) -> None:
        self.ask.take(items)
        self.go("ask")

    def show_diagnostics(self) -> None:
        self.inside.bring(self.diagnostics)
        self.diagnostics.entered()

    def pair(self) -> None:
        self.go("glasses")
        self.glasses.open_pairing()

    def _search(self) -> None:
        self.go("captures")
        self.captures.focus_search()

    # -- what reaches everything -----------------------------------------------------------------------------------------------

    def lock(self) -> None:
        if self.unlocked:
            self._forget()
            self.rooms.setCurrentWidget(self.lock_page)
            self.lock_page.entered()
            self.tasks.start(self._services.vault.lock(), key="lock")

    def switch_ai(self, off: bool) -> None:
        self.tasks.start(self._switching_ai(off), key="ai")

    async def _switching_ai(self, off: bool) -> None:
        try:
            self._services.settings.set(declared.AI_OFF, off)
        finally:
            if self.so_far is not None:
                self.so_far.show_ai(self._services.settings.get(declared.AI_OFF))

    def _vault_changed(self, event: VaultChanged) -> None:
        if not self.closed.is_set():
            self._room()

    def show_glasses(self, _event: object = None) -> None:
        """Say at the foot of the window how the glasses are."""
        if self.so_far is not None:
            self.strip.show_glasses(self._services.glasses.known())

    @property
    def here(self) -> Banners:
        """Where a message can be seen now."""
        room = self.rooms.currentWidget()
        return room.banners if isinstance(room, Door) else self.banners

    def _new_look(self) -> None:
        redress(self.context.theme, self)
        self.show_glasses()

    # -- the window as a window ------------------------------------------------------------------------------------------------

    def show_shortcuts(self) -> None:
        self.tasks.start(self._showing_shortcuts(), key="shortcuts")

    async def _showing_shortcuts(self) -> None:
        from ui.shortcuts import ShortcutsDialog

        await opened(ShortcutsDialog(self, self.context.theme))

    def show_help(self) -> None:
        self.tasks.start(self._showing_help(), key="help")

    async def _showing_help(self) -> None:
        from ui.help import HelpSheet

        await opened(HelpSheet(self, self.context.theme))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter presses the button that has the focus, as Space does everywhere and Enter only on some desktops."""
        focused = self.focusWidget()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and isinstance(focused, QAbstractButton) and not event.isAutoRepeat():
            focused.click()
        else:
            super().keyPressEvent(event)

    def come_forward(self) -> None:
        """In front of everything, from wherever it is: hidden in the tray, small, or behind others."""
        if self.isMinimized():
            self.showNormal()
        self.show()
        self.raise_()
        self.activateWindow()

    def leave(self) -> None:
        """Close for good, not into the tray."""
        self._leaving = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.context.memory.geometry = self.saveGeometry()
        if not self._leaving and self.hides():
            event.ignore()
            self.hide()
            return
        self._forget()
        self.guard.stop()
        if self.so_far is not None:
            self.so_far.close()
        self.closed.set()
        event.accept()
