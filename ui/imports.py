"""What belongs to imports besides the page: the work itself, and the card of Meta AI."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.imports.desk import META_AI
from ui.context import Context
from ui.dialogs import opened
from ui.import_work import ImportWork
from ui.pages.importing import ImportPage
from ui.shell import Inside
from ui.widgets.banner import Banners
from ui.widgets.card_sheet import CardSheet

_TERMS = "terms of meta-ai"


class ImportWays(QObject):
    """Owns the import page and the work; puts the page into `inside`."""

    def __init__(self, window: QWidget, context: Context, banners: Banners, inside: Inside, go: Callable[[str], object]) -> None:
        """`go` brings another page to the front by its name."""
        super().__init__(window)
        self._window = window
        self._context = context
        self._inside = inside
        self._from = "captures"
        self.work = ImportWork(context, self)
        self.page = inside.put(ImportPage(context, banners, self.work))
        self.page.left.connect(lambda: go(self._from))
        self.page.report_asked.connect(self.show_page)
        self.page.terms_asked.connect(self.show_terms)

    def take(self, paths: Sequence[Path]) -> None:
        """Import these while the person stays where they are; without any, show the page where they can choose."""
        if paths:
            self.page.take(paths)
        else:
            self.show_page()

    def show_page(self) -> None:
        """The import page; its way back leads to where one is now."""
        self._from = "glasses" if self._inside.sidebar.now == "glasses" else "captures"
        self._inside.bring(self.page)
        self.page.entered()

    def show_terms(self) -> None:
        """What is known of Meta AI's terms."""
        known = next((each for each in self._context.services.sharing.cards() if each.id == META_AI), None)
        if known is not None:
            self._context.tasks.start(_read(CardSheet(self._window, self._context.theme, known)), key=_TERMS)

    def forget(self) -> None:
        """The vault locks."""
        self._context.tasks.cancel(_TERMS)
        self.page.forget()


async def _read(sheet: CardSheet) -> None:
    await opened(sheet)
