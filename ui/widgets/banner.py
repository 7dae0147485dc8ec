"""The one banner: what is wrong (or done), why, and one thing to do about it. It stays until closed; good news leaves by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QApplication, QFrame, QWidget

from app.errors import Explanation
from ui import words
from ui.i18n import tr, translated
from ui.phrases import together
from ui.theme import Theme, set_role
from ui.tokens import GRID
from ui.widgets.basics import button, column, frame, icon_label, label, row, tool
from ui.widgets.progress import ProgressRow

GOOD_NEWS_MS = 8000
"""How long good news stays, at least."""
MOST = 3
"""Banners that are shown at once."""


@dataclass(frozen=True, slots=True)
class Act:
    """A button of a banner: what it says, what it does, and whether the banner is done with then."""

    text: str
    do: Callable[[], object]
    closes: bool = True


class Banner(QFrame):
    """One message, in the person's language already. `tone` is "bad", "warn" or "good"."""

    closed = Signal()

    def __init__(self, theme: Theme, said: Explanation, tone: str, acts: Sequence[Act]) -> None:
        super().__init__()
        self.said = said
        self.gone = False
        set_role(self, "banner", tone)
        self.setAccessibleName(words.explained(said))
        icon = {"bad": "error", "warn": "warning"}.get(tone, "good")
        text = column(label(said.what, "strong", wrap=True), gap=2)
        if detail := together((said.why, said.action)):
            text.addWidget(label(detail, wrap=True))
        line = row(gap=GRID + 4, margins=(GRID + 4, GRID, GRID + 4, GRID))
        line.addWidget(icon_label(theme, icon, tone))
        line.addLayout(text, 1)
        for act in acts:
            line.addWidget(button(theme, act.text, partial(self._act, act)))
        line.addWidget(tool(theme, tr("Close this message"), "close", self.close_down))
        self.setLayout(line)

    def _act(self, act: Act) -> None:
        if act.closes:
            self.close_down()
        act.do()

    def leave(self) -> None:
        """Go by itself, but not from under somebody's hand: who is at its buttons, by pointer or keyboard, is given as long again."""
        focus = QApplication.focusWidget()
        if self.underMouse() or (focus is not None and self.isAncestorOf(focus)):
            QTimer.singleShot(GOOD_NEWS_MS, self, self.leave)
        else:
            self.close_down()

    def close_down(self) -> None:
        if not self.gone:
            self.gone = True
            self.hide()
            self.closed.emit()
            self.deleteLater()


class Banners(QWidget):
    """Shows the newest few banners, newest on top, and says each of them to a screen reader."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._works: dict[ProgressRow, QFrame] = {}
        self._stack = column(margins=(0, 2 * GRID, 0, 0))
        self.setLayout(self._stack)
        self.hide()

    def trouble(self, said: Explanation, again: Callable[[], object] | None = None) -> Banner:
        """A failure, with a button to try again where that makes sense."""
        return self._add(said, "bad", (Act(tr("Try again"), again),) if again is not None else ())

    def warn(self, said: Explanation, *acts: Act) -> Banner:
        return self._add(said, "warn", acts)

    def good(self, text: str, act: tuple[str, Callable[[], object]] | None = None) -> Banner:
        """Something went well; `act` may undo it."""
        banner = self._add(Explanation(text), "good", (Act(*act),) if act is not None else ())
        QTimer.singleShot(GOOD_NEWS_MS, banner, banner.leave)
        return banner

    def working(self, what: str, stop: Callable[[], object]) -> ProgressRow:
        """Show long work with its progress and a way to stop it, until `worked`."""
        work = ProgressRow(self._theme, stop)
        box = frame("bar", column(work, margins=(2 * GRID, GRID, 2 * GRID, GRID)))
        self._works[work] = box
        self._stack.insertWidget(0, box)
        work.begin(what)
        self.show()
        announce(self, what)
        return work

    def worked(self, work: ProgressRow) -> None:
        """It has ended, however it did."""
        if (box := self._works.pop(work, None)) is not None:
            box.hide()
            box.deleteLater()
        self._tidy()

    def clear(self) -> None:
        for banner in self.shown():
            banner.close_down()
        for work in tuple(self._works):
            self.worked(work)
        self.hide()

    def shown(self) -> list[Banner]:
        found = (self._stack.itemAt(index) for index in range(self._stack.count()))
        return [banner for item in found if item is not None and isinstance(banner := item.widget(), Banner) and not banner.gone]

    def _add(self, said: Explanation, tone: str, acts: Sequence[Act]) -> Banner:
        """Put it on top, in place of one that says the same, and of the oldest where there are too many."""
        said = translated(said)
        for banner in self.shown():
            if banner.said == said:
                banner.close_down()
        for banner in self.shown()[MOST - 1 :]:
            banner.close_down()
        banner = Banner(self._theme, said, tone, acts)
        banner.closed.connect(self._tidy)
        self._stack.insertWidget(len(self._works), banner)
        self.show()
        announce(self, words.explained(said))
        return banner

    def _tidy(self) -> None:
        self.setVisible(bool(self.shown() or self._works))


def announce(widget: QWidget, text: str) -> None:
    """Have a screen reader, if there is one, say `text` now."""
    if QAccessible.isActive():
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, text))
