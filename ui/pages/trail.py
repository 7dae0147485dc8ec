"""Where one is in a short course of steps, and the box that says what is wrong in the middle of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QPushButton, QWidget

from app.errors import Explanation
from ui import words
from ui.i18n import said as tr_core
from ui.i18n import tr
from ui.theme import Theme, set_role
from ui.tokens import GRID
from ui.widgets.basics import button, clear_layout, column, icon_label, label, row
from ui.widgets.flow import FlowLayout


class Trail(QWidget):
    """The names of all steps in order; the present one stands out, those done have a tick. Read aloud as one sentence."""

    def __init__(self, theme: Theme, names: Sequence[str]) -> None:
        super().__init__()
        self._theme = theme
        self._names = tuple(names)
        self._flow = FlowLayout(gap=GRID + 4)
        self.setLayout(self._flow)
        self.at = -1
        self.show_step(0)

    def show_step(self, at: int) -> None:
        """Step `at`, from 0, is the present one."""
        if at == self.at:
            return
        self.at = at
        clear_layout(self._flow)
        for number, name in enumerate(self._names):
            self._flow.addWidget(self._step(number, name))
        self.setAccessibleName(self.words)

    @property
    def words(self) -> str:
        """ "Step 2 of 5: Create the vault"."""
        return tr("Step {n} of {all}: {name}", n=self.at + 1, all=len(self._names), name=self._names[self.at])

    def _step(self, number: int, name: str) -> QWidget:
        if number < self.at:
            mark: QWidget = icon_label(self._theme, "good", "good", 16)
        else:
            mark = label(str(number + 1), "" if number > self.at else "strong", "muted" if number > self.at else "accent")
        text = label(name, "strong" if number == self.at else "", "accent" if number == self.at else "muted")
        box = QWidget()
        box.setLayout(row(mark, text, gap=4))
        return box


class Notice(QFrame):
    """What is the case, why, and one thing to do, in the place it is about; hidden until there is something to say."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        set_role(self, "banner", "warn")
        self._what, self._why, self._action = label("", "strong", wrap=True), label("", wrap=True), label("", "strong", wrap=True)
        self._later = label("", "small")
        self._line = row(gap=GRID + 4, margins=(GRID + 4, GRID, GRID + 4, GRID))
        self._line.addWidget(icon_label(theme, "warning", "warn"), 0, Qt.AlignmentFlag.AlignTop)
        self._line.addLayout(column(self._what, self._why, self._action, self._later, gap=2), 1)
        self.setLayout(self._line)
        self.hide()

    def add_button(self, text: str, pressed: Callable[[], object], icon: str = "", name: str = "") -> QPushButton:
        made = button(self._theme, text, pressed, icon=icon, name=name)
        self._line.addWidget(made)
        return made

    def say(self, said: Explanation | None, later: str = "") -> None:
        """Show `said`, and what comes `later` by itself; None hides the box."""
        self._later.setText(later)
        self._later.setVisible(bool(later))
        if said is not None:
            for part, text in ((self._what, said.what), (self._why, said.why), (self._action, said.action)):
                part.setText(tr_core(text))
                part.setVisible(bool(text))
            self.setAccessibleName(words.explained(said))
        self.setVisible(said is not None)

    @property
    def text(self) -> str:
        return "" if self.isHidden() else " ".join(part.text() for part in (self._what, self._why, self._action) if part.text())
