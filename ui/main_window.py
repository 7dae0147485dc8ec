"""The window: which of the three rooms is shown (first run, locked, inside), the pages inside, and what reaches all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QMainWindow, QStackedWidget

from app import settings as declared
from app.events import GlassesChanged, GlassesForgotten, VaultChanged
from app.services import Services
from app.vault.types import ItemId, LockState
from ui.context import Context
from ui.dialogs import opened
from ui.gate import GateWays
from ui.i18n import tr
from ui.idle import Guard
from ui.imports import ImportWays
from ui.lockwatch import LockWatch
from ui.memory import Memory
from ui.pages.ask import AskPage
from ui.pages.captures import CapturesPage
from ui.pages.diagnostics import DiagnosticsPage
from ui.pages.door import LockPage
from ui.pages.first_run import WelcomePage
from ui.pages.glasses import GlassesPage
from ui.pages.settings import SettingsPage
from ui.pages.shared import SharedPage
from ui.pages.viewer import ViewerPage
from ui.shell import Inside
from ui.shortcuts import ShortcutsDialog
from ui.tasks import Tasks
from ui.teller import Teller
from ui.theme import Theme
from ui.tokens import GRID
from ui.widgets.banner import Banners
from ui.widgets.basics import redress
from ui.widgets.page import WIDEST, Page

_OPEN_WORK = (
    *("export", "import", "favourite", "trash", "forget", "pair", "receipt", "verify receipts", "export receipts", "keys"),
    *("notices", "album", "rename", "release", "shortcuts", "report", "folder"),
)
"""Work that may hold a dialog open; it ends when the vault locks."""


class MainWindow(QMainWindow):
    """`closed` is set when the person wants to leave; whoever made the window then stops the services."""

    def __init__(self, services: Services, theme: Theme, loop: asyncio.AbstractEventLoop, watch: LockWatch | None = None) -> None:
        super().__init__()
        self.closed = asyncio.Event()
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
        self._make_pages(loop)
        self._make_rooms()
        self._connect()
        self._shortcuts()
        self._room()
        self.guard.start()

    def _make_pages(self, loop: asyncio.AbstractEventLoop) -> None:
        context, banners = self.context, self.banners
        self.welcome, self.lock_page = WelcomePage(context), LockPage(context)
        self.captures = CapturesPage(context, loop, banners)
        self.viewer = ViewerPage(context, self.captures.model, banners)
        self.glasses = GlassesPage(context, banners)
        self.ask = AskPage(context, banners)
        self.shared = SharedPage(context, banners)
        self.gate = GateWays(self, context, banners, self.ask, self.shared)
        self.imports = ImportWays(self, context, banners)
        self.settings = SettingsPage(context, banners, self.guard.watch)
        self.pages: dict[str, Page] = {
            "captures": self.captures,
            "glasses": self.glasses,
            "ask": self.ask,
            "shared": self.shared,
            "settings": self.settings,
        }

    def _make_rooms(self) -> None:
        self.diagnostics = DiagnosticsPage(self.context, self.banners, lambda: self.teller.recent)
        self._others = (self.viewer, self.diagnostics)
        self.inside = Inside(self.context.theme, self.pages, self._others, (self.banners, *self.gate.bars))
        self.sidebar, self.strip, self.stack = self.inside.sidebar, self.inside.strip, self.inside.stack
        self.gate.join(self.stack, self.go)
        self.guard.watch.away.connect(self.gate.away)
        self.imports.join(self.stack, self.go, self.captures, self.glasses, self.viewer)
        self.rooms = QStackedWidget()
        for room in (self.welcome, self.lock_page, self.inside):
            self.rooms.addWidget(room)
        self.setCentralWidget(self.rooms)

    def _connect(self) -> None:
        events, theme = self._services.events, self.context.theme
        events.subscribe(VaultChanged, self._vault_changed)
        events.subscribe(GlassesChanged, self._show_glasses)
        events.subscribe(GlassesForgotten, self._show_glasses)
        theme.changed.connect(self._new_look)
        self.sidebar.chosen.connect(self.go)
        self.strip.lock_asked.connect(self.lock)
        self.strip.ai_switched.connect(self.switch_ai)
        self.strip.glasses_asked.connect(partial(self.go, "glasses"))
        self.settings.ai_switched.connect(self.switch_ai)
        self.settings.shortcuts_asked.connect(self.show_shortcuts)
        self.settings.diagnostics_asked.connect(self._show_diagnostics)
        self.diagnostics.left.connect(partial(self.go, "settings"))
        self.captures.opened.connect(self.view)
        self.captures.ask_about.connect(self.ask_about)
        self.captures.pair_asked.connect(self._pair)
        self.viewer.closed.connect(partial(self.go, "captures"))
        self.viewer.ask_about.connect(self.ask_about)
        self.viewer.full_screen.connect(self.sidebar.setHidden)
        self.viewer.full_screen.connect(self.strip.setHidden)
        self.viewer.receipt_asked.connect(lambda _number: self.go("shared"))
        self.viewer.receipt_asked.connect(self.shared.open_number)
        self.ask.choose_asked.connect(partial(self.go, "captures"))
        self.welcome.finished.connect(self._room)
        self.welcome.pair_asked.connect(self._pair)
        self.strip.show_ai(self._services.settings.get(declared.AI_OFF))

    def _shortcuts(self) -> None:
        for number, name in enumerate(self.pages, 1):
            self._key(f"Ctrl+{number}", partial(self.go, name))
        self._key("Ctrl+L", self.lock)
        self._key("Ctrl+F", self._search)
        self._key("Ctrl+E", lambda: self.captures.export_chosen() if self.captures.isVisible() else None)
        self._key("Ctrl+W", self.close)
        self._key("Ctrl+Q", self.leave)
        for keys in ("F1", "?"):
            self._key(keys, self.show_shortcuts)

    def _key(self, keys: str, act: object) -> None:
        QShortcut(QKeySequence(keys), self).activated.connect(act)

    # -- rooms and pages -------------------------------------------------------------------------------------------------------

    @property
    def unlocked(self) -> bool:
        return self._services.vault.state is LockState.UNLOCKED

    def _room(self) -> None:
        """Show the room that fits the vault. Whatever is not unlocked shows nothing of the inside, at once."""
        state = self._services.vault.state
        if state is LockState.UNLOCKED:
            if self.welcome.engaged:
                return  # the new vault's recovery code, and what else is new, comes first
            if self.welcome.pending:
                self.rooms.setCurrentWidget(self.welcome)
                self.welcome.resume()
                return
            if self.rooms.currentWidget() is not self.inside:
                self.rooms.setCurrentWidget(self.inside)
                self.go("captures")
                self._show_glasses()
            return
        self._forget()
        self.welcome.forget()
        door = self.welcome if state is LockState.ABSENT else self.lock_page
        if self.rooms.currentWidget() is not door or not self.isVisible():
            self.rooms.setCurrentWidget(door)
            door.entered()

    def _forget(self) -> None:
        for page in (*self.pages.values(), *self._others):
            page.forget()
        self.gate.forget()
        self.imports.forget()
        for key in _OPEN_WORK:
            self.tasks.cancel(key)
        self.banners.clear()
        if (popup := QApplication.activePopupWidget()) is not None:
            popup.close()
        self.stack.setCurrentWidget(self.captures)

    def go(self, name: str) -> None:
        """Bring a page to the front."""
        if self.unlocked:
            page = self.pages[name]
            if self.stack.currentWidget() is self.glasses and page is not self.glasses:
                self.glasses.left()
            self.stack.setCurrentWidget(page)
            self.sidebar.show_chosen(name)
            page.setFocus()
            page.entered()

    def view(self, item: str) -> None:
        self.stack.setCurrentWidget(self.viewer)
        self.sidebar.show_chosen("captures")
        self.viewer.open(ItemId(item))

    def ask_about(self, items: tuple[ItemId, ...]) -> None:
        self.ask.take(items)
        self.go("ask")

    def _show_diagnostics(self) -> None:
        self.stack.setCurrentWidget(self.diagnostics)
        self.diagnostics.entered()

    def _pair(self) -> None:
        self.go("glasses")
        self.glasses.open_pairing()

    def _search(self) -> None:
        self.go("captures")
        self.captures.focus_search()

    # -- what reaches everything -----------------------------------------------------------------------------------------------

    def lock(self) -> None:
        if self.unlocked:
            self._forget()
            self.welcome.forget()
            self.rooms.setCurrentWidget(self.lock_page)
            self.lock_page.entered()
            self.tasks.start(self._services.vault.lock(), key="lock")

    def switch_ai(self, off: bool) -> None:
        self.tasks.start(self._switching_ai(off), key="ai")

    async def _switching_ai(self, off: bool) -> None:
        try:
            self._services.settings.set(declared.AI_OFF, off)
        finally:
            now = self._services.settings.get(declared.AI_OFF)
            self.strip.show_ai(now)
            self.settings.show_ai(now)
            self.ask.ai_switched()

    def _vault_changed(self, event: VaultChanged) -> None:
        if not self.closed.is_set():
            self._room()

    def _show_glasses(self, _event: object = None) -> None:
        self.strip.show_glasses(self._services.glasses.known())

    @property
    def here(self) -> Banners:
        """Where a message can be seen now."""
        room = self.rooms.currentWidget()
        return room.banners if isinstance(room, WelcomePage | LockPage) else self.banners

    def _new_look(self) -> None:
        redress(self.context.theme, self)
        self._show_glasses()

    # -- the window as a window ------------------------------------------------------------------------------------------------

    def show_shortcuts(self) -> None:
        self.tasks.start(self._showing_shortcuts(), key="shortcuts")

    async def _showing_shortcuts(self) -> None:
        await opened(ShortcutsDialog(self, self.context.theme))

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
        self.captures.thumbs.close()
        self.closed.set()
        event.accept()
