"""The pages behind the lock, made one after another: the lock page is on the screen before the first of them is begun."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from app import settings as declared
from ui.gate import GateWays
from ui.imports import ImportWays
from ui.pages.ask import AskPage
from ui.pages.captures import CapturesPage
from ui.pages.diagnostics import DiagnosticsPage
from ui.pages.glasses import GlassesPage
from ui.pages.settings import SettingsPage
from ui.pages.shared import SharedPage
from ui.pages.viewer import ViewerPage
from ui.shell import Inside
from ui.widgets.page import Page

if TYPE_CHECKING:
    from ui.main_window import MainWindow


class Interior:
    """Its parts are there once `made`. `advance` makes the next one, `finish` all that are left."""

    captures: CapturesPage
    viewer: ViewerPage
    glasses: GlassesPage
    ask: AskPage
    shared: SharedPage
    settings: SettingsPage
    diagnostics: DiagnosticsPage
    gate: GateWays
    imports: ImportWays
    inside: Inside

    def __init__(self, window: MainWindow, loop: asyncio.AbstractEventLoop) -> None:
        self._window = window
        self.pages: dict[str, Page] = {}
        self.made = False
        self._begun = False
        self._steps = self._make(loop)

    def advance(self) -> None:
        """Make the next part."""
        self._begun = True
        self.made = self.made or next(self._steps, self) is self

    def finish(self) -> None:
        """Make all that is left."""
        while not self.made:
            self.advance()

    def _make(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        window, context, banners = self._window, self._window.context, self._window.banners
        self.captures = CapturesPage(context, loop, banners)
        yield
        self.viewer = ViewerPage(context, self.captures.model, banners)
        yield
        self.glasses = GlassesPage(context, banners)
        yield
        self.ask = AskPage(context, banners)
        yield
        self.shared = SharedPage(context, banners)
        yield
        self.gate = GateWays(window, context, banners, self.ask, self.shared)
        self.imports = ImportWays(window, context, banners)
        yield
        self.settings = SettingsPage(context, banners, window.guard.watch)
        yield
        self.diagnostics = DiagnosticsPage(context, banners, lambda: window.teller.recent)
        yield
        self._join()

    def _join(self) -> None:
        window = self._window
        self.pages |= {
            "captures": self.captures,
            "glasses": self.glasses,
            "ask": self.ask,
            "shared": self.shared,
            "settings": self.settings,
        }
        self.inside = Inside(window.context.theme, self.pages, (self.viewer, self.diagnostics), (window.banners, *self.gate.bars))
        self.gate.join(self.inside.stack, window.go)
        window.guard.watch.away.connect(self.gate.away)
        self.imports.join(self.inside.stack, window.go, self.captures, self.glasses, self.viewer)
        self._lay_ways()
        window.rooms.addWidget(self.inside)

    def _lay_ways(self) -> None:
        """From page to page, and from what stands around them."""
        window, sidebar, strip = self._window, self.inside.sidebar, self.inside.strip
        sidebar.chosen.connect(window.go)
        sidebar.help_asked.connect(window.show_help)
        strip.lock_asked.connect(window.lock)
        strip.ai_switched.connect(window.switch_ai)
        strip.glasses_asked.connect(partial(window.go, "glasses"))
        self.settings.ai_switched.connect(window.switch_ai)
        self.settings.help_asked.connect(window.show_help)
        self.settings.shortcuts_asked.connect(window.show_shortcuts)
        self.settings.diagnostics_asked.connect(window.show_diagnostics)
        self.diagnostics.left.connect(partial(window.go, "settings"))
        self.captures.opened.connect(window.view)
        self.captures.ask_about.connect(window.ask_about)
        self.captures.pair_asked.connect(window.pair)
        self.viewer.closed.connect(partial(window.go, "captures"))
        self.viewer.ask_about.connect(window.ask_about)
        self.viewer.full_screen.connect(sidebar.setHidden)
        self.viewer.full_screen.connect(strip.setHidden)
        self.viewer.receipt_asked.connect(lambda _number: window.go("shared"))
        self.viewer.receipt_asked.connect(self.shared.open_number)
        for page in (self.ask, self.shared):
            page.choose_asked.connect(partial(window.go, "captures"))
        strip.show_ai(window.context.services.settings.get(declared.AI_OFF))

    def forget(self) -> None:
        """The vault locks. What was never made has nothing to forget."""
        if self.made:
            for page in (*self.pages.values(), self.viewer, self.diagnostics):
                page.forget()
            self.gate.forget()
            self.imports.forget()
            self.inside.stack.setCurrentWidget(self.captures)

    def close(self) -> None:
        """The window closes."""
        if self._begun:
            self.captures.thumbs.close()
