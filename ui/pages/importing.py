"""Import: captures of glasses that pair with nothing, and any others, from files, folders, phones, a watched folder and Meta's archive.

The sources stay as they are. Only the person's own act after an import deletes originals, and only those the vault has, compared once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame

from app.errors import Explanation
from app.imports.types import Report
from app.settings import WATCH_FOLDER
from app.vault.types import LockState
from ui.context import Context
from ui.dialogs import ask, choose_files, choose_folder
from ui.i18n import plural, tr
from ui.import_work import ImportWork
from ui.pages.trail import Notice
from ui.tokens import GRID
from ui.widgets.banner import Act, Banners, announce
from ui.widgets.basics import button, card, column, heading, label, row
from ui.widgets.drop import FileDrop
from ui.widgets.flow import FlowLayout
from ui.widgets.import_report import ReportCard, deletable, summary
from ui.widgets.import_run import RunCard, progress_words
from ui.widgets.import_sources import ArchiveCard, PhonesCard, WatchCard, today
from ui.widgets.page import Page, scrolled
from ui.widgets.progress import ProgressRow
from ui.widgets.switch import Switch

KEYS = ("import", "import phones", "import archive", "import remove")
"""Work of this page that the lock ends."""
LOOK_MS = 4000
"""How often the state of the watched folder is looked at while the page is shown."""


class ImportPage(Page):
    """`left` goes back to where one came from; `report_asked` wants this page in front; `terms_asked` what is known of Meta AI."""

    left = Signal()
    report_asked = Signal()
    terms_asked = Signal()

    def __init__(self, context: Context, banners: Banners, work: ImportWork) -> None:
        super().__init__(tr("Import captures"), scrolls=True)
        self._context = context
        self._banners = banners
        self.work = work
        self._elsewhere: ProgressRow | None = None
        theme = context.theme
        self.leads_back(theme, tr("Back"), self.left.emit)
        self.running = RunCard(theme, work)
        self.report = ReportCard(theme, self.remove_originals, self._go_on)
        self.interrupted = Notice(theme)
        self.interrupted.add_button(tr("Go on"), self._go_on, icon="play")
        self.phones = PhonesCard(theme, self.look_for_phones, self.take)
        self.watched = WatchCard(theme, self.choose_watched, self.stop_watching)
        self.archive = ArchiveCard(theme, self.choose_archive, self._stop_archive, self.terms_asked.emit)
        parts = (self.running, self.report, self.interrupted, self._files(), self.phones, self.watched, self.archive, None)
        self._area = scrolled(column(*parts, gap=2 * GRID))
        self.body.addWidget(self._area, 1)
        self._look = QTimer(self, interval=LOOK_MS)
        self._look.timeout.connect(self._show_watched)
        self._drop = FileDrop(self, self.take)
        work.moved.connect(self._moved)
        work.ended.connect(self._ended)

    def _files(self) -> QFrame:
        theme, work = self._context.theme, self.work
        about = tr(
            "Photos, videos and sounds are copied into the vault, sealed, with their times and the glasses they are from. Nothing changes "
            "where they come from."
        )
        self.files = button(theme, tr("Choose files…"), self.choose_files, icon="photo", role="primary")
        self.folder = button(theme, tr("Choose a folder…"), self.choose_folder, icon="album")
        hint = label(tr("Or drop files and folders anywhere on this page."), tone="muted", wrap=True)
        self.only_glasses = Switch(theme, tr("Only from glasses"))
        self.only_glasses.clicked.connect(lambda on: setattr(work, "only_glasses", bool(on)))
        narrow = label(tr("Skips files that nothing marks as made by glasses."), tone="muted", wrap=True)
        self.only_glasses.setAccessibleDescription(narrow.text())
        switch = column(row(self.only_glasses, None), narrow, gap=0)
        parts = (label(about, tone="muted", wrap=True), FlowLayout(self.files, self.folder), hint, switch)
        return card(heading(theme, "import", tr("Files and folders")), *parts, gap=GRID + 2)

    # -- coming and going ------------------------------------------------------------------------------------------------------

    def entered(self) -> None:
        self.running.refresh()
        self._say_interrupted()
        self._show_watched()
        self._look.start()
        self.look_for_phones()
        self.archive.terms.setVisible(any(known.id == "meta-ai" for known in self._context.services.sharing.cards()))
        self.files.setFocus()
        self._area.verticalScrollBar().setValue(0)

    def forget(self) -> None:
        self._look.stop()
        for key in KEYS:
            self._context.tasks.cancel(key)
        self.work.forget()
        self.report.clear()
        self.phones.forget()
        self.archive.forget()
        self.watched.show_watch(None, True, ())
        self._elsewhere = None  # the banners are cleared with everything else

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._tell_elsewhere()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._look.stop()
        self._tell_elsewhere()

    @property
    def _unlocked(self) -> bool:
        return self._context.services.vault.state is LockState.UNLOCKED

    # -- files and folders -----------------------------------------------------------------------------------------------------

    def take(self, paths: Sequence[Path]) -> None:
        """Import these; the report of the one before goes."""
        if not self.work.running:
            self.report.clear()
        self.work.take(paths)
        if self.work.running:
            announce(self, tr("Importing"))

    def choose_files(self) -> None:
        self._context.tasks.start(self._choosing_files(), key="import")

    async def _choosing_files(self) -> None:
        self.take(await choose_files(self.window(), tr("Import photos, videos and sounds")))

    def choose_folder(self) -> None:
        self._context.tasks.start(self._choosing_folder(), key="import")

    async def _choosing_folder(self) -> None:
        if (folder := await choose_folder(self.window(), tr("Import a folder"))) is not None:
            self.take((folder,))

    def _go_on(self) -> None:
        self.report.clear()
        self.work.go_on()

    # -- how it goes -----------------------------------------------------------------------------------------------------------

    def _moved(self) -> None:
        self._say_interrupted()
        self._tell_elsewhere()

    def _say_interrupted(self) -> None:
        if not (self.work.locked_out and self.work.rest) or self.work.running:
            self.interrupted.say(None)
            return
        what = tr("The last import was interrupted when the vault locked.")
        self.interrupted.say(Explanation(what, tr("What came in is safe, and is not read again.")))

    def _tell_elsewhere(self) -> None:
        """While another page is in front, progress stands above it."""
        wanted = self.work.running and not self.isVisible() and self._unlocked
        if wanted and self._elsewhere is None:
            self._elsewhere = self._banners.working(tr("Importing"), self.work.stop)
        elif not wanted and self._elsewhere is not None:
            self._banners.worked(self._elsewhere)
            self._elsewhere = None
        if self._elsewhere is not None and (at := self.work.progress) is not None:
            self._elsewhere.at(tr("Importing: {progress}", progress=progress_words(at)), at.done, at.total or None)

    def _ended(self, report: Report) -> None:
        self.report.show_report(report, more=bool(self.work.rest))
        if self.isVisible():
            self._area.verticalScrollBar().setValue(0)
            return
        told = summary(report)
        text = " ".join(said for _, _, said in told)
        if any(tone == "warn" for _, tone, _ in told):
            self._banners.warn(Explanation(text), Act(tr("Report…"), self.report_asked.emit))
        else:
            self._banners.good(text, (tr("Report…"), self.report_asked.emit))

    # -- clearing the source ---------------------------------------------------------------------------------------------------

    def remove_originals(self) -> None:
        if self.report.report is not None:
            self._context.tasks.start(self._removing(self.report.report), key="import remove")

    async def _removing(self, report: Report) -> None:
        title = plural(deletable(report), "Delete {count} original?", "Delete {count} originals?")
        detail = tr(
            "Each file is compared with its copy in the vault first, to the last byte; one that differs stays. Deleted files do not go to "
            "this computer's wastebasket: from then on the vault is the only place they are kept, so have a backup of it."
        )
        if not await ask(self.window(), title, detail, yes=tr("Compare, then delete"), no=tr("Keep the originals")):
            return
        removal = None
        try:
            removal = await self._context.services.imports.remove_sources(report.outcomes, self.report.removing)
        finally:
            self.report.removed(removal)

    # -- phones ----------------------------------------------------------------------------------------------------------------

    def look_for_phones(self) -> None:
        if not self._context.tasks.running("import phones"):
            self.phones.looking()
            self._context.tasks.start(self._finding_phones(), key="import phones", again=self.look_for_phones)

    async def _finding_phones(self) -> None:
        self.phones.show_phones(await self._context.services.imports.phones())

    # -- the watched folder ----------------------------------------------------------------------------------------------------

    def _show_watched(self) -> None:
        if self._unlocked:
            imports = self._context.services.imports
            self.watched.show_watch(imports.watched, imports.watched_is_there, imports.came(today()))

    def choose_watched(self) -> None:
        self._context.tasks.start(self._choosing_watched(), key="import")

    async def _choosing_watched(self) -> None:
        if (folder := await choose_folder(self.window(), tr("Choose a folder to watch"))) is not None:
            self._watch(str(folder))

    def stop_watching(self) -> None:
        self._watch("")

    def _watch(self, folder: str) -> None:
        self._context.services.settings.set(WATCH_FOLDER, folder)
        self._show_watched()

    # -- Meta's archive --------------------------------------------------------------------------------------------------------

    def choose_archive(self) -> None:
        self._context.tasks.start(self._choosing_archive(), key="import archive", on_error=self.archive.told.trouble)

    async def _choosing_archive(self) -> None:
        if chosen := await choose_files(self.window(), tr("Choose Meta's archive")):
            await self._reading_archive(chosen)

    async def _reading_archive(self, parts: Sequence[Path]) -> None:
        """Mark what this archive says was shared with Meta AI; a large one comes as several files."""
        self.archive.reading()
        try:
            report = await self._context.services.imports.meta_archive(*parts)
        finally:
            self.archive.ended()
        self.archive.show_report(report)

    def _stop_archive(self) -> None:
        self._context.tasks.cancel("import archive")
