"""Shared: everything that ever left or was about to, by receipt, by destination and by capture; and the permissions that stand."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLineEdit,
    QScrollArea,
    QStackedWidget,
    QTableView,
    QWidget,
)

from app import settings as declared
from app.errors import Explanation
from app.events import GrantsChanged, ReceiptAdded
from app.files import replace_file
from app.imports.desk import META, META_AI
from app.library.types import Query, Sharing
from app.sharing.grants import GrantEnded
from app.sharing.receipt_views import ReceiptFilter
from app.sharing.types import Outcome
from app.vault.types import ItemMeta
from ui.context import Context
from ui.dialogs import choose_save, read
from ui.i18n import plural, tr
from ui.i18n import said as tr_core
from ui.models.receipts import ReceiptsModel
from ui.tokens import GRID
from ui.widgets.banner import Banners
from ui.widgets.basics import button, choice, column, label
from ui.widgets.chips import ChipRow
from ui.widgets.empty import Empty
from ui.widgets.flow import flow
from ui.widgets.page import Page, scrolled
from ui.widgets.receipt_sheet import ReceiptSheet
from ui.widgets.shared_lists import GrantList, ItemList, PlaceList

NUMBER, TO, BYTES = 0, 2, 6
"""Columns of the receipts."""
ALL_COLUMNS = 110 * GRID
"""Width of the page from which on all of them are shown."""

LEAST = 20 * GRID
"""What is listed has at least so much room; where that does not fit, the page scrolls."""

RECEIPTS, PLACES, ITEMS, GRANTS = "receipts", "places", "items", "grants"
_ENDINGS: tuple[frozenset[Outcome], ...] = (
    frozenset(),
    frozenset({Outcome.ANSWERED, Outcome.CANCELLED, Outcome.FAILED, Outcome.INTENDED}),
    frozenset({Outcome.REFUSED}),
    frozenset({Outcome.NOT_SENT}),
)
"""What the choices of "how it ended" stand for."""


class SharedPage(Page):
    """`compare_asked` goes to what becomes of what is sent, `choose_asked` to the captures."""

    compare_asked = Signal()
    choose_asked = Signal()

    def __init__(self, context: Context, banners: Banners) -> None:
        super().__init__(tr("Shared"), scrolls=True)
        self._context = context
        self._banners = banners
        self._item = ""
        self._view = RECEIPTS
        theme = context.theme
        self._verify = button(theme, tr("Verify all"), self.verify, icon="check", help=tr("Check that no receipt was changed or taken out"))
        self._print = button(theme, tr("Page to print…"), self.save_page, icon="receipt", help=tr("Write the receipts shown as a page"))
        self._export = button(
            theme, tr("Export…"), self.export, icon="export", help=tr("Write the receipts to a file that other programs can check")
        )
        for act in (self._verify, self._print, self._export):
            self.acts.addWidget(act)
        self._build()
        context.services.events.subscribe(ReceiptAdded, self._added)
        context.services.events.subscribe(GrantsChanged, self._grants_changed)

    def _build(self) -> None:
        theme = self._context.theme
        said = tr(
            "One receipt for every time something was about to leave, also when you kept it private. What was sent cannot be recalled."
        )
        self._ai = label(tr("AI is switched off: nothing can be sent now."), "strong", "warn", wrap=True)
        parts = (label(said, tone="muted", wrap=True), self._ai, self._tabs(), self._filters())
        self._filter_row.hide()
        self._ai.hide()
        self.model = ReceiptsModel(theme, self)
        self.table = self._table()
        self._choose = button(theme, tr("Choose captures…"), self.choose_asked.emit, icon="captures")
        self._empty = Empty(theme, "receipt", tr("Nothing has been shared"), _nothing_yet(), self._choose)
        self.places = PlaceList(theme, self._show_place)
        self.items = ItemList(self._context, self._show_item)
        self.grants = GrantList(theme, self.revoke)
        self._stack = QStackedWidget()
        self._sides = {"empty": self._empty, RECEIPTS: self.table} | {
            name: _scrolling(part) for name, part in ((PLACES, self.places), (ITEMS, self.items), (GRANTS, self.grants))
        }
        for side in self._sides.values():
            self._stack.addWidget(side)
        self._stack.setMinimumHeight(theme.scaled(LEAST))
        whole = column(*parts, self._stack, gap=2 * GRID)
        whole.setStretch(len(parts), 1)
        self.body.addWidget(scrolled(whole), 1)

    def _tabs(self) -> ChipRow:
        compare = button(self._context.theme, tr("What happens to what I send"), self.compare_asked.emit, icon="info", role="link")
        sides = (
            (RECEIPTS, tr("Every receipt")),
            (PLACES, tr("By destination")),
            (ITEMS, tr("By capture")),
            (GRANTS, tr("Permissions")),
        )
        made = ChipRow([(key, text, text) for key, text in sides], self.turn_to, compare)
        self.tabs = made.chips
        return made

    def _filters(self) -> QWidget:
        theme = self._context.theme
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Company, address or model"))
        self.search.setAccessibleName(tr("Find receipts by company, address or model"))
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(theme.scaled(30 * GRID))
        self.search.textChanged.connect(lambda _text: self._load())
        ends = ((tr("However it ended"), 0), (tr("What left"), 1), (tr("Kept private"), 2), (tr("Not sent"), 3))
        days = ((tr("At any time"), 0), (tr("Last 24 hours"), 1), (tr("Last 7 days"), 7), (tr("Last 30 days"), 30))
        self.how, self.when = choice(tr("How it ended"), ends), choice(tr("When"), days)
        for box in (self.how, self.when):
            box.currentIndexChanged.connect(lambda _index: self._load())
        self.unfilter = button(theme, tr("Show all"), self._clear_filters, icon="close", role="quiet", name=tr("Take the filters off"))
        self._filter_row = flow(self.search, self.how, self.when, self.unfilter)
        return self._filter_row

    def _table(self) -> QTableView:
        table = QTableView()
        table.setModel(self.model)
        table.setAccessibleName(tr("Receipts, newest first"))
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setShowGrid(False)
        table.setTabKeyNavigation(False)
        table.setWordWrap(False)
        table.verticalHeader().hide()
        header = table.horizontalHeader()
        header.setAccessibleName(tr("Columns of the receipts"))
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(TO, QHeaderView.ResizeMode.Stretch)
        table.activated.connect(lambda index: self.open_row(index.row()))
        return table

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow window the number and the size stand on the receipt alone, so that the recipient can be read."""
        super().resizeEvent(event)
        for section in (NUMBER, BYTES):
            self.table.setColumnHidden(section, self.width() < self._context.theme.scaled(ALL_COLUMNS))

    # -- what is shown ---------------------------------------------------------------------------------------------------------

    def entered(self) -> None:
        self.table.verticalHeader().setDefaultSectionSize(max(5 * GRID, self.table.fontMetrics().height() + 3 * GRID))
        edge = self._context.theme.scaled(16)
        self.table.setIconSize(QSize(edge, edge))
        self.table.horizontalHeader().setMinimumSectionSize(self._context.theme.scaled(9 * GRID))
        self._ai.setVisible(self._context.services.settings.get(declared.AI_OFF))
        self._load()
        self.table.setFocus()

    def forget(self) -> None:
        for key in ("receipts", "receipt", "receipt open"):
            self._context.tasks.cancel(key)
        self.model.show(())
        self.places.show_places(())
        self.items.clear()
        self.grants.forget()
        self._item = ""
        self.search.clear()

    def turn_to(self, name: str) -> None:
        """Show one of the sides: every receipt, by destination, by capture, or the permissions."""
        self._view = name
        self.tabs[name].setChecked(True)
        self._load()

    def _added(self, event: ReceiptAdded) -> None:
        if self.isVisible():
            self._load()

    def _grants_changed(self, event: GrantsChanged) -> None:
        self._show_grants(event.ended)

    def _show_grants(self, ended: tuple[GrantEnded, ...] = ()) -> None:
        grants = self._context.services.sharing.grants()
        self.grants.show_grants(grants, ended)
        self.tabs[GRANTS].setText(tr("Permissions ({count})", count=len(grants)) if grants else tr("Permissions"))
        self.tabs[GRANTS].setAccessibleName(self.tabs[GRANTS].text())

    @property
    def where(self) -> ReceiptFilter:
        """What the filters choose."""
        days = int(self.when.currentData())
        since = datetime.now(UTC) - timedelta(days=days) if days else None
        return ReceiptFilter(self.search.text().strip(), self._item, _ENDINGS[int(self.how.currentData())], since=since)

    def _load(self) -> None:
        if self._context.services.vault.state.value == "unlocked":
            self._context.tasks.start(self._loading(), key="receipts", again=self._load)

    async def _loading(self) -> None:
        sharing, where = self._context.services.sharing, self.where
        receipts = await sharing.receipts()
        self.model.show(receipts, where)
        for act in (self._verify, self._export, self._print):
            act.setEnabled(bool(receipts))
        self._filter_row.setVisible(self._view == RECEIPTS and bool(receipts))
        self.unfilter.setVisible(where != ReceiptFilter())
        if self._view == PLACES:
            self.places.show_places(await sharing.shared_by_destination())
        elif self._view == ITEMS:
            await self.items.fill(await sharing.shared_by_item(), await self._without_receipt())
        self._show_grants()
        self._stack.setCurrentWidget(self._sides[self._side()])

    async def _without_receipt(self) -> list[ItemMeta]:
        """The captures of which Meta's own archive says that they went to Meta AI; newest first."""
        library = self._context.services.library
        shared = await library.tiles(Query(sharing=Sharing.SHARED))
        metas = [await library.details(tile.id) for tile in shared if META in tile.shared_with]
        return [meta for meta in metas if any(share.destination == META_AI and not share.receipt for share in meta.shares)]

    def _side(self) -> str:
        """Which side there is something to see on."""
        rows = {RECEIPTS: self.model.rowCount(), PLACES: self.places.rows.count() - 1, ITEMS: self.items.rows.count() - 1}
        if rows.get(self._view, 1):
            return self._view
        filtered = self._view == RECEIPTS and self.where != ReceiptFilter()
        self._choose.setHidden(filtered)
        self._empty.say(*((tr("No receipt fits"), tr("Take the filters off to see all.")) if filtered else (_nothing(), _nothing_yet())))
        return "empty"

    def _clear_filters(self) -> None:
        self._item = ""
        for box in (self.how, self.when):
            box.setCurrentIndex(0)
        self.search.clear()
        self._load()

    def _show_place(self, name: str) -> None:
        self._clear_filters()
        self.search.setText(name)
        self.turn_to(RECEIPTS)

    def _show_item(self, item: str) -> None:
        self._clear_filters()
        self._item = item
        self.turn_to(RECEIPTS)

    # -- what can be done ------------------------------------------------------------------------------------------------------

    def open_row(self, row: int) -> None:
        """Show all that the book says of one sending."""
        lines = self.model.lines(row)
        sheet = ReceiptSheet(self.window(), self._context.theme, lines, self._context.services.sharing.deletion(self.model.receipt(row)))
        self._context.tasks.start(read(sheet), key="receipt")

    def open_number(self, number: int) -> None:
        """Show the sending that has the receipt of this number."""
        self._context.tasks.start(self._opening(number), key="receipt open")

    async def _opening(self, number: int) -> None:
        self._clear_filters()
        self.turn_to(RECEIPTS)
        self.model.show(await self._context.services.sharing.receipts())
        if (row := self.model.row_of(number)) >= 0:
            self.table.selectRow(row)
            self.open_row(row)

    def revoke(self, grant_id: str) -> None:
        """Take a permission back, and stop what is on its way under it."""
        self._context.tasks.start(self._revoking(grant_id), key="revoke")

    async def _revoking(self, grant_id: str) -> None:
        await self._context.services.sharing.revoke(grant_id)
        self._banners.good(tr("Taken back. From now on you are asked each time."))
        self._show_grants()

    def verify(self) -> None:
        self._context.tasks.start(self._verifying(), key="verify receipts")

    async def _verifying(self) -> None:
        report = await self._context.services.sharing.verify_receipts()
        if report.sound:
            self._banners.good(
                " ".join(
                    (
                        plural(report.count, "{count} receipt checked: unbroken.", "{count} receipts checked: all unbroken."),
                        *map(tr_core, report.notes),
                    )
                )
            )
        else:
            what = tr("The receipt book is not as it was written.")
            self._banners.trouble(Explanation(what, " ".join(map(tr_core, report.faults[:3])), tr("Restore it from a backup to compare.")))

    def export(self) -> None:
        """Write the whole book as JSON."""
        self._context.tasks.start(self._exporting(), key="export receipts")

    async def _exporting(self) -> None:
        book = await self._context.services.sharing.export_receipts()
        await self._write(book, tr("Export receipts"), "eyelid-receipts.json")

    def save_page(self) -> None:
        """Write the receipts that are shown as a page to print."""
        self._context.tasks.start(self._saving_page(), key="export receipts")

    async def _saving_page(self) -> None:
        page = await self._context.services.sharing.receipts_page(self.where if self._view == RECEIPTS else None)
        await self._write(page, tr("Save a page to print"), "eyelid-receipts.html")

    async def _write(self, data: bytes, title: str, name: str) -> None:
        path = await choose_save(self, title, name)
        if path is not None:
            await asyncio.get_running_loop().run_in_executor(None, replace_file, path, data)
            self._banners.good(tr("The receipts were written to {name}.", name=path.name))


def _nothing() -> str:
    return tr("Nothing has been shared")


def _nothing_yet() -> str:
    return tr("When you ask an assistant, a receipt of what left appears here.")


def _scrolling(part: QWidget) -> QScrollArea:
    """A list that ends where the rest of the page does, and scrolls when it must."""
    content = column(part)
    area = scrolled(content)
    content.setContentsMargins(0, 0, 2, 0)
    area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
    return area
