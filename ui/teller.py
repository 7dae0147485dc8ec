"""What goes wrong somewhere with nobody waiting for it, said where the person can see it now."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from app.errors import Explanation
from app.events import CaptureLost, Trouble, VaultNotice
from ui.actions import say_notices
from ui.context import Context
from ui.i18n import tr
from ui.widgets.banner import Banners

MOST = 20


class Teller(QObject):
    """`here` gives the banners of the room in front. `recent` keeps the first sentence of the last troubles, for the report."""

    def __init__(self, context: Context, inside: Banners, here: Callable[[], Banners], unlocked: Callable[[], bool]) -> None:
        super().__init__()
        self._context = context
        self._inside = inside
        self._here = here
        self._unlocked = unlocked
        self.recent: list[str] = []
        events = context.services.events
        events.subscribe(CaptureLost, self._capture_lost)
        events.subscribe(Trouble, self._trouble)
        events.subscribe(VaultNotice, self._noticed)
        context.tasks.failed.connect(self.failed)

    def failed(self, said: Explanation, again: object) -> None:
        """Say it in a banner, with a way to try again where there is one."""
        self.recent = [*self.recent[1 - MOST :], said.what]
        self._here().trouble(said, again if callable(again) else None)

    def _capture_lost(self, event: CaptureLost) -> None:
        self.failed(Explanation(tr("A capture arrived damaged."), event.reason, tr("Stay near the computer and take it again.")), None)

    def _trouble(self, event: Trouble) -> None:
        self.failed(event.explanation, None)

    def _noticed(self, event: VaultNotice) -> None:
        if self._unlocked():
            say_notices(self._inside, self._context, self._inside, event.notices)
