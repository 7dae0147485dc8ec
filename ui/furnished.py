"""A window whose pages are made at first use, or while nothing else is to be done after its first paint."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QMainWindow, QStackedWidget

if TYPE_CHECKING:
    from ui.gate import GateWays
    from ui.imports import ImportWays
    from ui.interior import Interior
    from ui.pages.ask import AskPage
    from ui.pages.captures import CapturesPage
    from ui.pages.diagnostics import DiagnosticsPage
    from ui.pages.glasses import GlassesPage
    from ui.pages.settings import SettingsPage
    from ui.pages.shared import SharedPage
    from ui.pages.viewer import ViewerPage
    from ui.shell import Inside, Sidebar, Strip
    from ui.widgets.page import Page


PAGES = ("captures", "glasses", "ask", "shared", "settings")
"""Those of the sidebar, in its order, which is that of Ctrl+1 to Ctrl+5."""
PAUSE_MS, CALM_MS = 10, 100
"""Between two parts made while nothing else is to be done, so that what comes meanwhile is done first: behind the lock, and in use."""


class Furnished(QMainWindow):
    """`so_far` is the interior once it is begun; every other way to a page begins it, and makes that page.

    `made` is set when nothing is left to be made by and by.
    """

    def __init__(self) -> None:
        super().__init__()
        self.closed = asyncio.Event()
        self.so_far: Interior | None = None
        self.made = asyncio.Event()
        self._idle = QTimer(self, interval=PAUSE_MS)
        self._idle.timeout.connect(self._make_more)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.made.is_set() and not self._idle.isActive():
            self._idle.start()

    @property
    def hurried(self) -> bool:
        """Whether somebody waits for the captures, so that nothing but their page is to be made now."""
        return False

    @property
    def moving(self) -> bool:
        """Whether something moves on the screen, so that nothing but what was asked for is to be made now."""
        return False

    def slow_down(self) -> None:
        """Somebody uses the window from now on."""
        self._idle.setInterval(CALM_MS)

    def _make_more(self) -> None:
        if self.so_far is None and not self.closed.is_set():
            self._begin()
        elif self.moving and not self.closed.is_set():
            return
        elif self.closed.is_set() or self.so_far is None or not self.so_far.make_more(hurried=self.hurried):
            self.made.set()
            self._idle.stop()

    def _begin(self) -> Interior:
        self.so_far = self.new_interior()
        return self.so_far

    def new_interior(self) -> Interior:
        raise NotImplementedError

    @property
    def interior(self) -> Interior:
        return self.so_far or self._begin()

    @property
    def pages(self) -> dict[str, Page]:
        """Those of the sidebar, by their names."""
        return {name: self.interior.page(name) for name in PAGES}

    @property
    def captures(self) -> CapturesPage:
        return self.interior.captures.complete()

    @property
    def viewer(self) -> ViewerPage:
        return self.interior.viewer.complete()

    @property
    def glasses(self) -> GlassesPage:
        return self.interior.glasses.complete()

    @property
    def ask(self) -> AskPage:
        return self.interior.ask.complete()

    @property
    def shared(self) -> SharedPage:
        return self.interior.shared.complete()

    @property
    def settings(self) -> SettingsPage:
        return self.interior.settings.complete()

    @property
    def diagnostics(self) -> DiagnosticsPage:
        return self.interior.diagnostics.complete()

    @property
    def gate(self) -> GateWays:
        return self.interior.gate

    @property
    def imports(self) -> ImportWays:
        return self.interior.imports

    @property
    def inside(self) -> Inside:
        return self.interior.inside

    @property
    def sidebar(self) -> Sidebar:
        return self.interior.inside.sidebar

    @property
    def strip(self) -> Strip:
        return self.interior.inside.strip

    @property
    def stack(self) -> QStackedWidget:
        return self.interior.inside.stack
