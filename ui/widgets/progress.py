"""The one progress row: what is being done, how far it is, and a way to stop it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QProgressBar, QWidget

from ui.i18n import tr
from ui.theme import Theme
from ui.tokens import GRID
from ui.widgets.basics import button, column, label, row


def move(bar: QProgressBar, done: int, total: int | None) -> None:
    """Show `done` of `total` on a bar; a total of None, or of nothing, shows movement without an end."""
    bar.setRange(0, 1000 if total else 0)
    bar.setValue(min(1000, done * 1000 // total) if total else 0)


def meter() -> QProgressBar:
    """A bar with no number on it: the words beside it say how far it is, in a way that can be read aloud."""
    bar = QProgressBar()
    bar.setTextVisible(False)
    return bar


class Progress(QWidget):
    """Words and a bar below them. Hidden until `begin`; `end` hides it again. Where the two stand is laid out by what is made of it."""

    def __init__(self) -> None:
        super().__init__()
        self._what = label(wrap=True)
        self._bar = meter()
        self.hide()

    def begin(self, what: str) -> None:
        self.at(what, 0, None)
        self.show()

    def at(self, what: str, done: int, total: int | None) -> None:
        """Show `done` of `total`; a total of None shows movement without an end."""
        self._what.setText(what)
        self._bar.setAccessibleName(what)
        move(self._bar, done, total)

    def end(self) -> None:
        self.hide()
        self._bar.setRange(0, 1000)

    @property
    def text(self) -> str:
        return self._what.text()


class ProgressRow(Progress):
    """`stop` is called by the Cancel button; without it there is none."""

    def __init__(self, theme: Theme, stop: Callable[[], object] | None = None) -> None:
        super().__init__()
        line = row(gap=2 * GRID)
        line.addLayout(column(self._what, self._bar, gap=6), 1)
        if stop is not None:
            line.addWidget(button(theme, tr("Cancel"), stop))
        self.setLayout(line)
