"""What belongs to the gate besides its own pages: the comparison, a live look, the ways to them, and what ends when the person leaves."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.errors import EyelidError
from ui.context import Context
from ui.pages.ask import AskPage
from ui.pages.compare import ComparePage
from ui.pages.glasses import GlassesPage
from ui.pages.live import LiveLook
from ui.pages.shared import SharedPage
from ui.widgets.banner import Banners

LEFT = "The computer was left, or went to sleep."
"""Why a permission or a live look ended; kept in receipts, so in English."""


class GateWays(QObject):
    """Owns the comparison and the live look; `bars` are to stand above the pages."""

    def __init__(self, window: QWidget, context: Context, banners: Banners, ask: AskPage, shared: SharedPage) -> None:
        super().__init__(window)
        self._context = context
        self._ask, self._shared = ask, shared
        self.compare = ComparePage(context)
        self.live = LiveLook(window, context, banners)
        self.bars = (ask.sending.bar, self.live.bar)

    def join(self, stack: QStackedWidget, go: Callable[[str], object]) -> None:
        """Put the comparison into `stack`, and lay the ways; `go` brings a page to the front by its name."""
        self._stack, self._go = stack, go
        stack.addWidget(self.compare)
        self._ask.compare_asked.connect(self.show_compare)
        self._shared.compare_asked.connect(self.show_compare)
        self._ask.live_asked.connect(self.live.begin)
        for glasses in stack.findChildren(GlassesPage):
            glasses.live_asked.connect(self.live.begin)
        self._ask.receipt_asked.connect(self.show_receipt)
        self.compare.left.connect(partial(go, "ask"))

    def show_compare(self) -> None:
        """What happens to what I send."""
        self._stack.setCurrentWidget(self.compare)
        self.compare.entered()

    def show_receipt(self, number: int) -> None:
        self._go("shared")
        self._shared.open_number(number)

    def away(self) -> None:
        """Whatever the setting for locking says: nothing goes by itself while nobody is there."""
        self._context.tasks.start(self._leaving())

    async def _leaving(self) -> None:
        try:
            sharing = self._context.services.sharing
        except EyelidError:
            return  # there is no vault yet, and nothing to end
        await sharing.live.stop(LEFT)
        await sharing.void_grants(LEFT)

    def forget(self) -> None:
        """The vault locks."""
        self.compare.forget()
        self.live.forget()
