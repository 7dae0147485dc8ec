"""Diagnostics: what `app.doctor` finds on this computer, and a report of it that is read here before it is saved anywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout

from app.doctor import Finding, of_computer, of_services
from app.files import replace_file
from ui.context import Context
from ui.dialogs import choose_save
from ui.i18n import plural, tr
from ui.i18n import said as tr_core
from ui.tokens import GRID
from ui.widgets.banner import Banners, announce
from ui.widgets.basics import button, card, clear_layout, column, hide_if, icon_label, label, row
from ui.widgets.page import Page, scrolled
from ui.widgets.progress import ProgressRow

FILE = "eyelid-report.txt"
KEY = "report"


def report(findings: Sequence[Finding], troubles: Sequence[str]) -> str:
    """The report as plain text: a line a finding, then the first sentences of what went wrong lately. For whoever helps, so in English."""
    marks = {True: "ok", False: "NO", None: "  "}
    lines = [f"{marks[finding.fine]}  {finding.name:<12} {finding.text}" for finding in findings]
    lines += [f"    {'trouble':<12} {trouble}" for trouble in troubles]
    return "\n".join(("Eyelid report", *lines)) + "\n"


def of_screen() -> Finding:
    """What Qt says of itself and of the screen."""
    screen = QGuiApplication.primaryScreen()
    size = f", {screen.size().width()} x {screen.size().height()} at {screen.devicePixelRatio():g}" if screen is not None else ""
    return Finding("window", f"Qt {qVersion()}, {QGuiApplication.platformName()}{size}")


class DiagnosticsPage(Page):
    """`left` when the person is done. `troubles` gives the first sentences of what went wrong since the start."""

    left = Signal()

    def __init__(self, context: Context, banners: Banners, troubles: Callable[[], Sequence[str]]) -> None:
        super().__init__(tr("Diagnostics"), scrolls=True)
        self._context = context
        self._banners = banners
        self._troubles = troubles
        theme = context.theme
        self.again = button(theme, tr("Look again"), self.look, icon="refresh")
        self.back = self.leads_back(theme, tr("Back to Settings"), self.left.emit)
        self.acts.addWidget(self.again)
        self.progress = ProgressRow(theme, lambda: context.tasks.cancel(KEY))
        self.summary = label("", "strong", wrap=True)
        self._lines = QVBoxLayout()
        self._lines.setSpacing(GRID)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName(tr("The report, as it would be saved"))
        self.text.setMinimumHeight(26 * GRID)
        self.text.setProperty("role", "report")
        font = self.text.font()
        font.setFamilies(["monospace"])
        self.text.setFont(font)
        self.save = button(theme, tr("Save the report…"), self._save, icon="export", role="primary")
        why = tr(
            "This is all that is in it. It names no captures, files, people or places; your glasses stand in it by family, with an id "
            "that is made up anew for each report. Nothing is sent: you save it, and give it to whom you like."
        )
        self._report = card(
            label(tr("Report for whoever helps you"), "lead", wrap=True),
            label(why, tone="muted", wrap=True),
            self.text,
            row(self.save, None),
        )
        hide_if(self._report, True)
        found = card(label(tr("This computer and Eyelid"), "lead", wrap=True), self.progress, self.summary, self._lines)
        self.body.addWidget(scrolled(column(found, self._report, None, gap=2 * GRID)), 1)

    def entered(self) -> None:
        self.look()
        self.back.setFocus()

    def forget(self) -> None:
        self._context.tasks.cancel(KEY)
        clear_layout(self._lines)
        self.text.clear()
        self.summary.clear()
        self._report.hide()
        self.progress.end()

    def look(self) -> None:
        """Look at everything anew."""
        self.again.setEnabled(False)
        self.progress.begin(tr("Looking; listening to the radio for a moment…"))
        self._context.tasks.start(self._looking(), key=KEY, then=self._looked)

    async def _looking(self) -> None:
        services = self._context.services
        found = [*of_computer(services.profile), of_screen(), *await of_services(services)]
        clear_layout(self._lines)
        for finding in found:
            self._lines.addLayout(self._line(finding))
        wrong = sum(finding.fine is False for finding in found)
        said = tr("Everything that was looked at is in order.")
        if wrong:
            said = plural(wrong, "{count} thing is not as it could be.", "{count} things are not as they could be.")
        self.summary.setText(said)
        self.text.setPlainText(report(found, self._troubles()))
        self._report.show()
        announce(self, said)

    def _looked(self) -> None:
        self.progress.end()
        self.again.setEnabled(True)

    def _line(self, finding: Finding) -> QVBoxLayout:
        icon, tone = {True: ("good", "good"), False: ("warning", "warn"), None: ("info", "muted")}[finding.fine]
        mark = icon_label(self._context.theme, icon, tone, 16)
        title = tr_core(finding.name)
        name = label(title[:1].upper() + title[1:], "strong")
        name.setMinimumWidth(self._context.theme.scaled(12 * GRID))
        line = row(gap=GRID + 4)
        for part in (mark, name):
            line.addWidget(part, 0, Qt.AlignmentFlag.AlignTop)
        said = label(tr_core(finding.text), wrap=True, select=True)
        state = {True: tr("in order"), False: tr("not in order"), None: tr("information")}[finding.fine]
        said.setAccessibleName(tr("{name}, {state}: {text}", name=name.text(), state=state, text=tr_core(finding.text)))
        line.addWidget(said, 1)
        return column(line)

    def _save(self) -> None:
        self._context.tasks.start(self._saving(self.text.toPlainText()), key=KEY)

    async def _saving(self, text: str) -> None:
        path: Path | None = await choose_save(self, tr("Save the report"), FILE)
        if path is not None:
            replace_file(path, text.encode())
            self._banners.good(tr("The report was saved as {name}.", name=path.name))
