"""What belongs to the gate besides its own pages: the comparison, a live look, and what ends when the person leaves."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.errors import EyelidError
from ui.context import Context
from ui.pages.compare import ComparePage
from ui.pages.live import LiveLook
from ui.shell import Inside
from ui.widgets.banner import Banners

LEFT = "The computer was left, or went to sleep."
"""Why a permission or a live look ended; kept in receipts, so in English."""


class GateWays(QObject):
    """Owns the comparison and the live look, and puts both where they belong in `inside`."""

    def __init__(self, window: QWidget, context: Context, banners: Banners, inside: Inside) -> None:
        super().__init__(window)
        self._context = context
        self._inside = inside
        self.compare = inside.put(ComparePage(context))
        self.live = LiveLook(window, context, banners)
        inside.put_above(self.live.bar)

    def show_compare(self) -> None:
        """What happens to what I send."""
        self._inside.bring(self.compare)
        self.compare.entered()

    def away(self) -> None:
        """Whatever the setting for locking says: nothing goes by itself while nobody is there."""
        self._context.tasks.start(self._leaving())

    async def _leaving(self) -> None:
        try:
            sharing = self._context.services.sharing
        except EyelidError:
            return  # there is no vault yet, and nothing to end
        await sharing.void_grants(LEFT)  # ends a live look too, and waits for nothing before

    def forget(self) -> None:
        """The vault locks."""
        self.compare.forget()
        self.live.forget()
