"""An import that is under way: how far it is, how fast, how long it still takes; to pause and to stop."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame

from app.imports.types import Progress
from ui import words
from ui.i18n import tr
from ui.import_work import ImportWork
from ui.theme import Theme, set_role
from ui.tokens import GRID
from ui.widgets.basics import CARD, button, column, dress, hide_if, label
from ui.widgets.flow import FlowLayout
from ui.widgets.progress import meter, move


def progress_words(at: Progress | None) -> str:
    """How far it is, with as much as is known."""
    if at is None:
        return tr("Looking for files…")
    said = tr(
        "{done} of {total} files, {size} of {whole}",
        done=words.number(at.done),
        total=words.number(at.total),
        size=words.size(at.bytes_done),
        whole=words.size(at.bytes_total),
    )
    if at.rate:
        said = tr("{what}, {rate} a second", what=said, rate=words.size(int(at.rate)))
    if at.seconds_left is not None and at.seconds_left >= 1:
        said = tr("{what}, {time} left", what=said, time=words.duration(int(at.seconds_left * 1000)))
    return said


class RunCard(QFrame):
    """Hidden while nothing runs."""

    def __init__(self, theme: Theme, work: ImportWork) -> None:
        super().__init__()
        self._theme = theme
        self._work = work
        set_role(self, "card")
        self.title = label(tr("Importing"), "lead")
        self.words = label("", wrap=True)
        self.bar = meter()
        self.pause = button(theme, tr("Pause"), work.pause, icon="pause")
        self.stop = button(theme, tr("Stop"), work.stop, icon="close", help=tr("What is in the vault stays; you can go on later"))
        hint = label(tr("You can go on working: captures appear as they come in. The files stay where they are."), tone="muted", wrap=True)
        line = FlowLayout(self.pause, self.stop)
        self.setLayout(column(self.title, self.words, self.bar, hint, line, gap=GRID + 2, margins=CARD))
        work.moved.connect(self.refresh)
        hide_if(self, not work.running)

    def refresh(self) -> None:
        """Show how far it is."""
        work, at = self._work, self._work.progress
        self.setVisible(work.running)
        self.words.setText(progress_words(at))
        self.bar.setAccessibleName(self.words.text())
        size = (at.bytes_total or at.total) if at is not None else 0
        done = (at.bytes_done if at.bytes_total else at.done) if at is not None else 0
        move(self.bar, done, size)
        self.title.setText(tr("Paused") if work.paused else tr("Importing"))
        text = tr("Go on") if work.paused else tr("Pause")
        if self.pause.text() != text:
            self.pause.setText(text)
            self.pause.setAccessibleName(text)
            dress(self._theme, self.pause, "play" if work.paused else "pause")
