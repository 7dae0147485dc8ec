"""What belongs to imports besides the page: the work itself, the card of Meta AI, and the ways between the pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.imports.desk import META_AI
from ui.context import Context
from ui.dialogs import opened
from ui.import_work import ImportWork
from ui.pages.captures import CapturesPage
from ui.pages.glasses import GlassesPage
from ui.pages.importing import ImportPage
from ui.pages.viewer import ViewerPage
from ui.widgets.banner import Banners
from ui.widgets.card_sheet import CardSheet

_TERMS = "terms of meta-ai"


class ImportWays(QObject):
    """Owns the import page and the work."""

    def __init__(self, window: QWidget, context: Context, banners: Banners) -> None:
        super().__init__(window)
        self._window = window
        self._context = context
        self._from = "captures"
        self.work = ImportWork(context, self)
        self.page = ImportPage(context, banners, self.work)

    def join(
        self, stack: QStackedWidget, go: Callable[[str], object], captures: CapturesPage, glasses: GlassesPage, viewer: ViewerPage
    ) -> None:
        """Put the page into `stack`, and lay the ways; `go` brings another page to the front by its name."""
        self._stack, self._glasses = stack, glasses
        stack.addWidget(self.page)
        captures.import_asked.connect(self.take)
        glasses.import_asked.connect(self.show_page)
        viewer.details.whence.terms_asked.connect(self.show_terms)
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
        from_glasses = self._stack.currentWidget() is self._glasses
        self._from = "glasses" if from_glasses else "captures"
        if from_glasses:
            self._glasses.left()
        self._stack.setCurrentWidget(self.page)
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
