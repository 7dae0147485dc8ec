"""The window: which of the three rooms is shown (first run, locked, inside), the pages inside, and what reaches all of them."""

from __future__ import annotations

import asyncio
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QMainWindow, QStackedWidget, QWidget

from app import settings as declared
from app.errors import Explanation
from app.events import CaptureLost, GlassesChanged, GlassesForgotten, Trouble, VaultChanged, VaultNotice
from app.services import Services
from app.vault.types import ItemId, LockState
from ui.actions import say_notices
from ui.context import Context
from ui.gate import GateWays
from ui.i18n import tr
from ui.idle import Guard
from ui.imports import ImportWays
from ui.lockwatch import LockWatch
from ui.memory import Memory
from ui.pages.ask import AskPage
from ui.pages.captures import CapturesPage
from ui.pages.door import LockPage
from ui.pages.first_run import WelcomePage
from ui.pages.glasses import GlassesPage
from ui.pages.settings import SettingsPage
from ui.pages.shared import SharedPage
from ui.pages.viewer import ViewerPage
from ui.shell import Sidebar, Strip
from ui.tasks import Tasks
from ui.theme import Theme
from ui.tokens import GRID
from ui.widgets.banner import Banners
from ui.widgets.basics import column, redress, row
from ui.widgets.page import MARGIN, WIDEST, Page

_OPEN_WORK = (
    "export",
    "import",
    "favourite",
    "trash",
    "forget",
    "pair",
    "receipt",
    "verify receipts",
    "export receipts",
    "keys",
    "notices",
    "album",
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
        theme.scale_text(memory.text_percent)
        self.setWindowTitle(tr("Eyelid"))
        self.setMinimumSize(112 * GRID, 70 * GRID)
        self.resize(150 * GRID, 100 * GRID)
        if memory.geometry is not None:
            self.restoreGeometry(memory.geometry)
        self.banners = Banners(theme)
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
        theme = self.context.theme
        self.sidebar = Sidebar(theme, [(name, page.title.text()) for name, page in self.pages.items()])
        self.strip = Strip(theme)
        self.stack = QStackedWidget()
        for page in (*self.pages.values(), self.viewer):
            self.stack.addWidget(page)
        self.gate.join(self.stack, self.go)
        self.imports.join(self.stack, self.go, self.captures, self.glasses)
        self.banners.setMaximumWidth(WIDEST)
        above = column(self.banners, *self.gate.bars, margins=(MARGIN, 0, MARGIN, 0))
        right = column(gap=0)
        right.addLayout(above)
        right.addWidget(self.stack, 1)
        across = row(self.sidebar, gap=0)
        across.addLayout(right, 1)
        inside = column(gap=0)
        inside.addLayout(across, 1)
        inside.addWidget(self.strip)
        self.inside = QWidget()
        self.inside.setProperty("role", "window")
        self.inside.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.inside.setLayout(inside)
        self.rooms = QStackedWidget()
        for room in (self.welcome, self.lock_page, self.inside):
            self.rooms.addWidget(room)
        self.setCentralWidget(self.rooms)

    def _connect(self) -> None:
        events, theme = self._services.events, self.context.theme
        events.subscribe(VaultChanged, self._vault_changed)
        events.subscribe(GlassesChanged, self._glasses_changed)
        events.subscribe(GlassesForgotten, self._glasses_changed)
        events.subscribe(CaptureLost, self._capture_lost)
        events.subscribe(Trouble, self._trouble)
        events.subscribe(VaultNotice, self._noticed)
        self.tasks.failed.connect(self._failed)
        theme.changed.connect(self._new_look)
        self.sidebar.chosen.connect(self.go)
        self.strip.lock_asked.connect(self.lock)
        self.strip.ai_switched.connect(self.switch_ai)
        self.strip.glasses_asked.connect(partial(self.go, "glasses"))
        self.settings.ai_switched.connect(self.switch_ai)
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
        self._key("Ctrl+Q", self.close)

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
        for page in (*self.pages.values(), self.viewer):
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

    def _glasses_changed(self, event: GlassesChanged | GlassesForgotten) -> None:
        self._show_glasses()

    def _show_glasses(self) -> None:
        self.strip.show_glasses(self._services.glasses.known())

    def _capture_lost(self, event: CaptureLost) -> None:
        self._trouble(Trouble(Explanation(tr("A capture arrived damaged."), event.reason, tr("Stay near the computer and take it again."))))

    def _trouble(self, event: Trouble) -> None:
        self._failed(event.explanation, None)

    def _noticed(self, event: VaultNotice) -> None:
        if self.unlocked:
            say_notices(self, self.context, self.banners, event.notices)

    def _failed(self, said: Explanation, again: object) -> None:
        self.here.trouble(said, again if callable(again) else None)

    @property
    def here(self) -> Banners:
        """Where a message can be seen now."""
        room = self.rooms.currentWidget()
        return room.banners if isinstance(room, WelcomePage | LockPage) else self.banners

    def _new_look(self) -> None:
        redress(self.context.theme, self)
        self._show_glasses()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.context.memory.geometry = self.saveGeometry()
        self._forget()
        self.guard.stop()
        self.captures.thumbs.close()
        self.closed.set()
        event.accept()
