"""Shared: the receipt book. What was asked for, what left, and what was kept private."""

from __future__ import annotations

import asyncio

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QStackedWidget, QTableView

from app.errors import Explanation
from app.events import ReceiptAdded
from app.files import replace_file
from app.sharing.types import Receipt
from ui import words
from ui.context import Context
from ui.dialogs import choose_save, tell
from ui.i18n import plural, tr
from ui.models.receipts import ReceiptsModel
from ui.tokens import GRID
from ui.widgets.banner import Banners
from ui.widgets.basics import button, label
from ui.widgets.empty import Empty
from ui.widgets.page import Page


class SharedPage(Page):
    compare_asked = Signal()

    def __init__(self, context: Context, banners: Banners) -> None:
        super().__init__(tr("Shared"))
        self._context = context
        self._banners = banners
        theme = context.theme
        self._verify = button(theme, tr("Verify all"), self.verify, icon="check", help=tr("Check that no receipt was changed or taken out"))
        self._export = button(
            theme, tr("Export…"), self.export, icon="export", help=tr("Write the receipts to a file that other programs can check")
        )
        self.acts.addWidget(self._verify)
        self.acts.addWidget(self._export)
        said = tr(
            "One receipt for every time something was about to leave, also when you kept it private. What was sent cannot be recalled."
        )
        self.body.addWidget(label(said, tone="muted", wrap=True))
        self.model = ReceiptsModel(theme, self)
        self.table = QTableView()
        self.table.setModel(self.model)
        self.table.setAccessibleName(tr("Receipts, newest first"))
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setShowGrid(False)
        self.table.setTabKeyNavigation(False)
        self.table.setWordWrap(False)
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setHighlightSections(False)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.table.horizontalHeader().setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        self.table.activated.connect(lambda index: self.open_row(index.row()))
        self._empty = Empty(
            theme, "receipt", tr("Nothing has been shared"), tr("When you ask an assistant, a receipt of what left appears here.")
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self.table)
        self.body.addWidget(self._stack, 1)
        context.services.events.subscribe(ReceiptAdded, self._added)

    def entered(self) -> None:
        self.table.verticalHeader().setDefaultSectionSize(max(5 * GRID, self.table.fontMetrics().height() + 3 * GRID))
        self._load()
        self.table.setFocus()

    def forget(self) -> None:
        self._context.tasks.cancel("receipts")
        self._show(())

    def _added(self, event: ReceiptAdded) -> None:
        if self.isVisible():
            self._load()

    def _load(self) -> None:
        self._context.tasks.start(self._loading(), key="receipts", again=self._load)

    async def _loading(self) -> None:
        self._show(await self._context.services.sharing.receipts())

    def _show(self, receipts: tuple[Receipt, ...]) -> None:
        self.model.show(receipts)
        self._stack.setCurrentWidget(self.table if receipts else self._empty)
        self._verify.setEnabled(bool(receipts))
        self._export.setEnabled(bool(receipts))

    def open_row(self, row: int) -> None:
        """Show what the book says of one parcel, with the number of each of its lines."""
        numbers = [str(line.number) for line in self.model.lines(row)]
        several = tr("Receipts {first} and {last}", first=", ".join(numbers[:-1]), last=numbers[-1])
        title = several if len(numbers) > 1 else tr("Receipt {n}", n=numbers[0])
        self._context.tasks.start(tell(self, title, self._words(row)), key="receipt")

    def open_number(self, number: int) -> None:
        """Show the receipt of this number."""

    def _words(self, row: int) -> str:
        receipt = self.model.receipt(row)
        lines = (
            *(
                tr("{number}: {outcome}, {when}", number=line.number, outcome=words.written(line.outcome), when=words.short_when(line.at))
                for line in self.model.lines(row)
            ),
            tr("To: {company}, {origin}", company=receipt.company, origin=receipt.origin),
            tr("Model: {model}", model=receipt.model or tr("none")),
            tr("Terms: {card}, version {version}", card=receipt.policy_card, version=receipt.policy_version[:16]),
            tr("Request: {size} bytes, SHA-256 {digest}", size=receipt.body_size, digest=receipt.body_sha256),
            tr("Bytes sent: {count}", count=receipt.bytes_sent),
            tr("Server's answer: {status}", status=receipt.http_status) if receipt.http_status is not None else "",
            receipt.detail,
        )
        return "\n".join(line for line in lines if line)

    def verify(self) -> None:
        self._context.tasks.start(self._verifying(), key="verify receipts")

    async def _verifying(self) -> None:
        report = await self._context.services.sharing.verify_receipts()
        if report.sound:
            self._banners.good(plural(report.count, "{count} receipt checked: unbroken.", "{count} receipts checked: all unbroken."))
        else:
            what = tr("The receipt book is not as it was written.")
            self._banners.trouble(Explanation(what, " ".join(report.faults[:3]), tr("Restore it from a backup to compare.")))

    def export(self) -> None:
        self._context.tasks.start(self._exporting(), key="export receipts")

    async def _exporting(self) -> None:
        book = await self._context.services.sharing.export_receipts()
        path = await choose_save(self, tr("Export receipts"), "eyelid-receipts.json")
        if path is not None:
            await asyncio.get_running_loop().run_in_executor(None, replace_file, path, book)
            self._banners.good(tr("The receipts were written to {name}.", name=path.name))
