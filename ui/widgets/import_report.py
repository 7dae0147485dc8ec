"""What became of an import: how many of each kind, a line for each file that is not in, and only then the question about the originals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QPlainTextEdit

from app.imports.desk import Removal
from app.imports.types import Fate, Outcome, Report
from app.media.exif import printable_name
from ui import words
from ui.i18n import plural, tr
from ui.i18n import said as tr_core
from ui.theme import Theme, set_role
from ui.tokens import GRID, TYPE
from ui.widgets.banner import announce
from ui.widgets.basics import button, clear_layout, column, label, noted, row, tool
from ui.widgets.flow import flow
from ui.widgets.progress import ProgressRow

MOST_LINES = 500
"""Lines that are shown; a copy has them all."""
MOST_LEFT = 20
"""Originals left where they are that are named."""


def summary(report: Report) -> list[tuple[str, str, str]]:
    """Icon, tone and sentence of each thing to be said."""
    count = {fate: report.count(fate) for fate in Fate}
    said: list[tuple[str, str, str]] = []
    if report.why is not None:
        said.append(("warning", "warn", words.explained(report.why)))
    elif report.stopped:
        what = tr("Stopped. Going on takes only what is missing: what is in the vault is not read again.")
        said.append(("pause", "warn", what))
    if taken := count[Fate.TAKEN]:
        said.append(("good", "good", plural(taken, "{count} capture is in the vault now.", "{count} captures are in the vault now.")))
    if known := count[Fate.KNOWN]:
        said.append(("captures", "muted", plural(known, "{count} was in the vault already.", "{count} were in the vault already.")))
    if over := count[Fate.PASSED_OVER]:
        said.append(("forward", "muted", plural(over, "{count} file was passed over.", "{count} files were passed over.")))
    if refused := count[Fate.REFUSED]:
        said.append(("warning", "warn", plural(refused, "{count} file could not be imported.", "{count} files could not be imported.")))
    return said or [("info", "muted", tr("There was nothing to import."))]


def cameras(report: Report) -> str:
    """What the new captures were recognised as, the most frequent first; empty where there are none."""
    made_by = Counter(
        each.camera.label if each.camera.glasses else tr("other cameras")
        for each in report.outcomes
        if each.fate is Fate.TAKEN and each.camera is not None
    )
    named = (tr("{name} ({count})", name=tr_core(name), count=words.number(count)) for name, count in made_by.most_common(6))
    return tr("Recognised as: {cameras}", cameras=tr(", ").join(named)) if made_by else ""


def notable(report: Report) -> list[Outcome]:
    """The files with something to say of them: refused ones first, then what lies in the trash, then those passed over."""
    order = (Fate.REFUSED, Fate.KNOWN, Fate.PASSED_OVER)
    return [each for fate in order for each in report.outcomes if each.fate is fate and each.why is not None]


def line(outcome: Outcome) -> str:
    """Where the file is, and why it is not in."""
    why = words.explained(outcome.why) if outcome.why is not None else ""
    return tr("{file}: {why}", file=printable_name(str(outcome.path)), why=why)


def deletable(report: Report) -> int:
    """Files of which the vault has a copy that stays."""
    return sum(each.fate in (Fate.TAKEN, Fate.KNOWN) and each.item is not None and each.why is None for each in report.outcomes)


class ReportCard(QFrame):
    """Hidden until there is a report. `remove` is asked for the originals, `go_on` for the rest of an import that was stopped."""

    def __init__(self, theme: Theme, remove: Callable[[], object], go_on: Callable[[], object]) -> None:
        super().__init__()
        self._theme = theme
        self.report: Report | None = None
        set_role(self, "card")
        self._said = column()
        self._notable: list[Outcome] = []
        self.files = QPlainTextEdit()
        self.files.setReadOnly(True)
        self.files.setTabChangesFocus(True)
        self.files.setAccessibleName(tr("Files that were not imported, and why"))
        self.go_on = button(theme, tr("Go on"), go_on, icon="play", role="primary", name=tr("Go on with the import"))
        self.copy = button(theme, tr("Copy the list"), self.copy_list, help=tr("Copies a line for each file, with the reason"))
        self.remove = button(
            theme,
            tr("Delete the originals…"),
            remove,
            icon="trash",
            help=tr("Deletes files that are safe in the vault from where they were; asks first"),
        )
        self.progress = ProgressRow(theme)
        self.left = column()
        close = tool(theme, tr("Close the report"), "close", self.clear)
        self.acts = flow(self.go_on, self.remove, self.copy)
        self.title = label("", "lead")
        head = row(self.title, None, close)
        parts = (head, self._said, self.files, self.progress, self.left, self.acts)
        self.setLayout(column(*parts, gap=GRID + 4, margins=(2 * GRID + 4, GRID + 4, 2 * GRID + 4, 2 * GRID)))
        self.hide()
        theme.changed.connect(self._fit)

    def show_report(self, report: Report, *, more: bool) -> None:
        """Show `report`; `more`: something is left to go on with."""
        self.report = report
        self.title.setText(tr("Import stopped") if report.stopped else tr("Import finished"))
        clear_layout(self._said)
        clear_layout(self.left)
        told = summary(report)
        for icon, tone, text in told:
            self._said.addLayout(noted(self._theme, icon, tone, text))
        if made_by := cameras(report):
            self._said.addWidget(label(made_by, tone="muted", wrap=True))
        self._notable = notable(report)
        shown = [line(each) for each in self._notable[:MOST_LINES]]
        if (more_lines := len(self._notable) - MOST_LINES) > 0:
            shown.append(tr("and {count} more; a copy of the list has them all", count=words.number(more_lines)))
        self.files.setPlainText("\n".join(shown))
        self._fit()
        for part in (self.files, self.copy):
            part.setVisible(bool(shown))
        self.go_on.setVisible(more)
        self.remove.setVisible(deletable(report) > 0)
        self.acts.setVisible(more or deletable(report) > 0 or bool(shown))
        self.show()
        announce(self, " ".join(text for _, _, text in told))

    def _fit(self) -> None:
        """As tall as a few files need, most of which take two lines."""
        count = min(8, 1 + 2 * len(self._notable))
        self.files.setFixedHeight(round(self._theme.px(TYPE.body) * 1.3 * count) + 3 * GRID)

    def copy_list(self) -> None:
        QGuiApplication.clipboard().setText("\n".join(map(line, self._notable)))
        announce(self, tr("Copied."))

    def removing(self, done: int, total: int) -> None:
        """`done` of `total` originals were compared."""
        self.remove.setEnabled(False)
        self.progress.at(tr("Comparing with the vault: {done} of {total}", done=done + 1, total=total), done, total)
        self.progress.show()

    def removed(self, removal: Removal | None) -> None:
        """It has ended; None: it was cut short."""
        self.progress.end()
        self.remove.setEnabled(True)
        clear_layout(self.left)
        if removal is None:
            return
        self.remove.hide()
        count = len(removal.removed)
        text = plural(count, "{count} original was deleted.", "{count} originals were deleted.")
        self.left.addLayout(noted(self._theme, "good", "good", text))
        self._say_left(removal)
        announce(self, text)

    def _say_left(self, removal: Removal) -> None:
        """Originals that were not deleted, each with the reason."""
        if not removal.left:
            return
        text = plural(len(removal.left), "{count} was left where it is:", "{count} were left where they are:")
        self.left.addLayout(noted(self._theme, "warning", "warn", text))
        shown = [tr("{file}: {why}", file=printable_name(path.name), why=words.explained(each)) for path, each in removal.left[:MOST_LEFT]]
        if (rest := len(removal.left) - MOST_LEFT) > 0:
            shown.append(plural(rest, "and {count} more", "and {count} more"))
        self.left.addWidget(label("\n".join(shown), wrap=True, select=True))

    def clear(self) -> None:
        """Nothing of it stays on the screen."""
        self.report = None
        self._notable = []
        self.files.clear()
        clear_layout(self._said)
        clear_layout(self.left)
        self.progress.end()
        self.hide()
