"""The ways in besides files and folders: phones and cards that are plugged in, a watched folder, and Meta's own archive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QWidget

from app.imports.desk import ArchiveReport
from app.imports.phones import Phone, by_hand
from app.imports.types import Fate, Outcome
from app.media.exif import printable, printable_name
from ui.i18n import plural, tr
from ui.i18n import said as tr_core
from ui.theme import Theme
from ui.tokens import GRID
from ui.widgets.badge import Badge
from ui.widgets.basics import Part, boxed, button, card, clear_layout, column, heading, label, noted, row, tool
from ui.widgets.flow import flow
from ui.widgets.import_report import line
from ui.widgets.progress import ProgressRow
from ui.widgets.told import Told

MOST_LINES = 5


def _card(*parts: Part) -> QFrame:
    return card(*parts, gap=GRID + 2)


class PhonesCard(QWidget):
    """What is plugged in and can be read as folders; `take` gets the folders of the one that was chosen."""

    def __init__(self, theme: Theme, look: Callable[[], object], take: Callable[[Sequence[Path]], object]) -> None:
        super().__init__()
        self._theme = theme
        self._take = take
        self.again = tool(theme, tr("Look for phones and cards again"), "refresh", look)
        self.said = label("", tone="muted", wrap=True)
        self.by_hand = label(tr_core(by_hand()), wrap=True)
        self.rows = column()
        self.setLayout(column(_card(heading(theme, "camera", tr("Phone, camera or card"), self.again), self.said, self.rows, self.by_hand)))
        self.looking()

    def looking(self) -> None:
        self.said.setText(tr("Looking for what is plugged in…"))
        self.by_hand.hide()

    def show_phones(self, found: Sequence[Phone]) -> None:
        clear_layout(self.rows)
        for phone in found:
            self.rows.addWidget(self._row(phone))
        none = tr("None is plugged in that can be read as a folder.")
        self.said.setText(tr("Only folders with pictures are looked through.") if found else none)
        self.by_hand.setVisible(not found)

    def _row(self, phone: Phone) -> QWidget:
        name = printable(tr_core(phone.label))
        folders = ", ".join(printable(folder.name) for folder in phone.folders)
        bring = button(
            self._theme, tr("Import"), partial(self._take, phone.folders), icon="import", name=tr("Import from {name}", name=name)
        )
        line = row(gap=2 * GRID)
        line.addLayout(column(label(name, "strong", wrap=True), label(folders, "small", wrap=True), gap=2), 1)
        line.addWidget(bring)
        return boxed(line)

    def forget(self) -> None:
        clear_layout(self.rows)


class WatchCard(QWidget):
    """The watched folder: which, whether it is there, and what came from it."""

    def __init__(self, theme: Theme, choose: Callable[[], object], stop: Callable[[], object]) -> None:
        super().__init__()
        self.badge = Badge(theme, "eye", tr("Watching"), "good")
        self.about = label(
            tr(
                "Let your phone's synchronisation put its pictures into a folder of this computer: what appears there is imported by "
                "itself, once it is complete. The files stay there."
            ),
            tone="muted",
            wrap=True,
        )
        self.folder = label("", "strong", wrap=True, select=True)
        self.state = label("", wrap=True)
        self.came = label("", wrap=True)
        self.refused = label("", "small", wrap=True, select=True)
        self.choose = button(theme, tr("Choose a folder to watch…"), choose, icon="eye")
        self.stop = button(theme, tr("Stop watching"), stop)
        acts = flow(self.choose, self.stop)
        head = heading(theme, "eye", tr("A folder that is watched"), self.badge)
        self.setLayout(column(_card(head, self.about, self.folder, self.state, self.came, self.refused, acts)))

    def show_watch(self, folder: Path | None, there: bool, came: Sequence[Outcome]) -> None:
        """`came`: what became of the files that appeared there."""
        watching = folder is not None
        for part in (self.badge, self.folder, self.state, self.came, self.stop):
            part.setVisible(watching)
        self.choose.setText(tr("Watch another folder…") if watching else tr("Choose a folder to watch…"))
        self.choose.setAccessibleName(self.choose.text())
        refused = [each for each in came if each.fate is Fate.REFUSED]
        self.refused.setVisible(watching and bool(refused))
        if folder is None:
            return
        self.badge.show_as("eye" if there else "warning", tr("Watching") if there else tr("Not there"), "good" if there else "warn")
        self.folder.setText(printable_name(str(folder)))
        gone = tr("This folder is not there now. Eyelid goes on looking for it; connect the drive, or choose another one.")
        self.state.setText("" if there else gone)
        self.state.setVisible(not there)
        taken = sum(each.fate is Fate.TAKEN for each in came)
        self.came.setText(_came(taken, len(refused)))
        self.refused.setText("\n".join(line(each) for each in refused[:MOST_LINES]))


def _came(taken: int, refused: int) -> str:
    if not taken and not refused:
        return tr("Nothing new came from it today.")
    said = plural(taken, "{count} capture came from it today.", "{count} captures came from it today.")
    if not refused:
        return said
    wrong = plural(refused, "{count} file could not be imported:", "{count} files could not be imported:")
    return f"{said} {wrong}"


def today() -> datetime:
    """The last midnight of this computer's zone."""
    return datetime.now(UTC).astimezone().replace(hour=0, minute=0, second=0, microsecond=0)


class ArchiveCard(QWidget):
    """What Meta's own archive says of pictures that went to Meta AI from the phone; and how to get one."""

    def __init__(self, theme: Theme, choose: Callable[[], object], stop: Callable[[], object], card_asked: Callable[[], object]) -> None:
        super().__init__()
        why = tr(
            "Pictures that you showed to Meta AI on the phone or the glasses left without Eyelid. Meta's own archive of your data lists "
            "them; Eyelid marks each one, and takes in those that are not here."
        )
        steps = (
            tr("In the Accounts Center of the Meta AI app, of Facebook or of Instagram, open “Export your information”."),
            tr("Ask for an export to your device, with your messages and Meta AI in it, in the format JSON."),
            tr(
                "Meta takes hours or days. Download the ZIP file, or all of its parts, and choose them here. They are only read, on this "
                "computer."
            ),
        )
        shown = column(*(self._step(number, text) for number, text in enumerate(steps, 1)), gap=6)
        honest = tr("Meta describes this archive nowhere, so what Eyelid finds in it may not be all.")
        self.choose = button(theme, tr("Choose Meta's archive…"), choose, icon="other")
        self.terms = button(theme, tr("What Meta AI may do with them"), card_asked, icon="info", role="link")
        self.progress = ProgressRow(theme, stop)
        self.told = Told(theme)
        acts = flow(self.choose, self.terms)
        head = heading(theme, "sent", tr("What Meta AI got already"))
        about = label(why, tone="muted", wrap=True)
        self.setLayout(column(_card(head, about, shown, noted(theme, "info", "muted", honest), acts, self.progress, self.told)))

    @staticmethod
    def _step(number: int, text: str) -> Part:
        line = row(gap=GRID + 4)
        line.addWidget(label(tr("{number}.", number=number), "strong"), 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(label(text, wrap=True), 1)
        return line

    def reading(self) -> None:
        self.told.say("")
        self.choose.setEnabled(False)
        self.progress.begin(tr("Reading the archive…"))

    def ended(self) -> None:
        self.choose.setEnabled(True)
        self.progress.end()

    def show_report(self, report: ArchiveReport) -> None:
        marked, added = len(report.marked), len(report.added)
        if not marked and not added:
            self.told.say(tr("It lists no picture that was shared with Meta AI."), "good")
            return
        said = [plural(marked, "{count} capture here was shared with Meta AI.", "{count} captures here were shared with Meta AI.")]
        if added:
            said.append(plural(added, "{count} more was taken in from the archive.", "{count} more were taken in from the archive."))
        self.told.say(" ".join((*said, tr("Each is marked, with the date."))), "warn")

    def forget(self) -> None:
        self.told.say("")
        self.ended()
