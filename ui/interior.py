"""The pages behind the lock and the ways between them: each is made at first use, or while nothing else is to be done."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cached_property, partial
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING

from app import settings as declared
from ui.shell import Inside
from ui.widgets.page import Page

if TYPE_CHECKING:
    from ui.gate import GateWays
    from ui.imports import ImportWays
    from ui.main_window import MainWindow
    from ui.pages.ask import AskPage
    from ui.pages.captures import CapturesPage
    from ui.pages.diagnostics import DiagnosticsPage
    from ui.pages.glasses import GlassesPage
    from ui.pages.settings import SettingsPage
    from ui.pages.shared import SharedPage
    from ui.pages.viewer import ViewerPage

PARTS = {
    "captures": ("app.library.library", "ui.pages.captures"),
    "viewer": ("ui.pages.viewer",),
    "glasses": ("ui.pages.glasses",),
    "ask": ("ui.pages.ask",),
    "shared": ("ui.pages.shared",),
    "gate": ("ui.gate",),
    "imports": ("ui.imports",),
    "settings": ("ui.pages.settings",),
    "diagnostics": ("ui.pages.diagnostics",),
}
"""In the order in which they are made while nobody asks for them, and the modules that have to be read before each."""


def _read(modules: Sequence[str]) -> None:
    """Read modules in a thread, so that the screen does not wait for them. What can't be read is told by who needs it."""
    with suppress(ImportError):
        for module in modules:
            import_module(module)


class Interior:
    """`inside` is all that is seen while the vault is open. Every other part is made when it is first looked at."""

    def __init__(self, window: MainWindow, loop: asyncio.AbstractEventLoop) -> None:
        self._window, self._context, self._banners = window, window.context, window.banners
        self._loop = loop
        self._turns = self._make()
        self.inside = Inside(self._context.theme, window.banners)
        self._lay_ways()
        window.rooms.addWidget(self.inside)

    def make_more(self, *, hurried: bool = False) -> bool:
        """Do the next small part of what is left to make, but of the captures' page alone if `hurried`; False once all is made."""
        return (hurried and "captures" in vars(self)) or next(self._turns, None) is not None

    def _make(self) -> Iterator[str]:
        for part, modules in PARTS.items():
            if part not in vars(self):
                reader = Thread(target=_read, args=(modules,), daemon=True)
                reader.start()
                while reader.is_alive():
                    yield part
                made = getattr(self, part)
                yield part
                while isinstance(made, Page) and made.make_more():
                    yield part

    @property
    def moving(self) -> bool:
        """Whether the timeline is being scrolled."""
        return "captures" in vars(self) and self.captures.view.moving

    def page(self, name: str) -> Page:
        """A page by its name, complete."""
        page: Page = getattr(self, name)
        return page.complete()

    # -- the parts -------------------------------------------------------------------------------------------------------------

    @cached_property
    def captures(self) -> CapturesPage:
        from ui.pages.captures import CapturesPage

        page = CapturesPage(self._context, self._loop, self._banners)
        page.opened.connect(self._window.view)
        page.ask_about.connect(self._window.ask_about)
        page.pair_asked.connect(self._window.pair)
        page.import_asked.connect(lambda paths: self.imports.take(paths))
        return self.inside.put(page)

    @cached_property
    def viewer(self) -> ViewerPage:
        from ui.pages.viewer import ViewerPage

        page = ViewerPage(self._context, self.captures.model, self._banners)
        page.closed.connect(partial(self._window.go, "captures"))
        page.ask_about.connect(self._window.ask_about)
        page.full_screen.connect(self.inside.give_room)
        page.receipt_asked.connect(self._show_receipt)
        page.details.whence.terms_asked.connect(lambda: self.imports.show_terms())
        return self.inside.put(page)

    @cached_property
    def glasses(self) -> GlassesPage:
        from ui.pages.glasses import GlassesPage

        page = GlassesPage(self._context, self._banners)
        page.import_asked.connect(lambda: self.imports.show_page())
        page.live_asked.connect(lambda address: self.gate.live.begin(address))
        return self.inside.put(page)

    @cached_property
    def ask(self) -> AskPage:
        from ui.pages.ask import AskPage

        page = AskPage(self._context, self._banners)
        page.choose_asked.connect(partial(self._window.go, "captures"))
        page.compare_asked.connect(lambda: self.gate.show_compare())
        page.live_asked.connect(lambda: self.gate.live.begin())
        page.receipt_asked.connect(self._show_receipt)
        self.inside.put_above(page.sending.bar)
        return self.inside.put(page)

    @cached_property
    def shared(self) -> SharedPage:
        from ui.pages.shared import SharedPage

        page = SharedPage(self._context, self._banners)
        page.choose_asked.connect(partial(self._window.go, "captures"))
        page.compare_asked.connect(lambda: self.gate.show_compare())
        return self.inside.put(page)

    @cached_property
    def gate(self) -> GateWays:
        from ui.gate import GateWays

        ways = GateWays(self._window, self._context, self._banners, self.inside)
        ways.compare.left.connect(partial(self._window.go, "ask"))
        return ways

    @cached_property
    def imports(self) -> ImportWays:
        from ui.imports import ImportWays

        return ImportWays(self._window, self._context, self._banners, self.inside, self._window.go)

    @cached_property
    def settings(self) -> SettingsPage:
        from ui.pages.settings import SettingsPage

        page = SettingsPage(self._context, self._banners, self._window.guard.watch)
        page.ai_switched.connect(self._window.switch_ai)
        page.help_asked.connect(self._window.show_help)
        page.shortcuts_asked.connect(self._window.show_shortcuts)
        page.diagnostics_asked.connect(self._window.show_diagnostics)
        return self.inside.put(page)

    @cached_property
    def diagnostics(self) -> DiagnosticsPage:
        from ui.pages.diagnostics import DiagnosticsPage

        page = DiagnosticsPage(self._context, self._banners, lambda: self._window.teller.recent)
        page.left.connect(partial(self._window.go, "settings"))
        return self.inside.put(page)

    # -- the ways --------------------------------------------------------------------------------------------------------------

    def _lay_ways(self) -> None:
        """From what stands around the pages, and for when the person leaves."""
        window, sidebar, strip = self._window, self.inside.sidebar, self.inside.strip
        sidebar.chosen.connect(window.go)
        sidebar.help_asked.connect(window.show_help)
        strip.lock_asked.connect(window.lock)
        strip.ai_switched.connect(window.switch_ai)
        strip.glasses_asked.connect(partial(window.go, "glasses"))
        strip.show_ai(self._context.services.settings.get(declared.AI_OFF))
        window.guard.watch.away.connect(lambda: self.gate.away())

    def _show_receipt(self, number: int) -> None:
        self._window.go("shared")
        self.shared.open_number(number)

    def show_ai(self, off: bool) -> None:
        """The AI switch moved, wherever that was."""
        self.inside.strip.show_ai(off)
        if "settings" in vars(self):
            self.settings.complete().show_ai(off)
        if "ask" in vars(self):
            self.ask.complete().ai_switched()

    def forget(self) -> None:
        """The vault locks. What was never made has nothing to forget."""
        for name in PARTS:
            if (part := vars(self).get(name)) is not None:
                (part.complete() if isinstance(part, Page) else part).forget()
        if "captures" in vars(self):
            self.inside.stack.setCurrentWidget(self.captures)

    def close(self) -> None:
        """The window closes."""
        if "captures" in vars(self):
            self.captures.thumbs.close()
