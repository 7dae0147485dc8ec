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


class Furnished(QMainWindow):
    """`so_far` is the interior as far as it is made; every other way to a page makes all that is left of it first."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = asyncio.Event()
        self.so_far: Interior | None = None
        self._idle = QTimer(self, interval=0)
        self._idle.timeout.connect(self._make_more)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.furnished and not self._idle.isActive():
            self._idle.start()

    @property
    def furnished(self) -> bool:
        """Whether all pages are made."""
        return self.so_far is not None and self.so_far.made

    def _begin(self) -> Interior:
        """The interior as far as it is made."""
        if self.so_far is None:
            self.so_far = self.new_interior()
        return self.so_far

    def _make_more(self) -> None:
        if self.furnished or self.closed.is_set():
            self._idle.stop()
        elif self.so_far is None:
            self._begin()
        else:
            self.so_far.advance()

    def new_interior(self) -> Interior:
        raise NotImplementedError

    @property
    def interior(self) -> Interior:
        """The whole of it."""
        interior = self._begin()
        interior.finish()
        return interior

    @property
    def pages(self) -> dict[str, Page]:
        return self.interior.pages

    @property
    def captures(self) -> CapturesPage:
        return self.interior.captures

    @property
    def viewer(self) -> ViewerPage:
        return self.interior.viewer

    @property
    def glasses(self) -> GlassesPage:
        return self.interior.glasses

    @property
    def ask(self) -> AskPage:
        return self.interior.ask

    @property
    def shared(self) -> SharedPage:
        return self.interior.shared

    @property
    def settings(self) -> SettingsPage:
        return self.interior.settings

    @property
    def diagnostics(self) -> DiagnosticsPage:
        return self.interior.diagnostics

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
