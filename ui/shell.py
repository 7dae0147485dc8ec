"""What stands around the pages: the sidebar and the status strip."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TypeVar

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QLabel, QSizePolicy, QStackedWidget, QToolButton, QWidget

from app.glasses.types import GlassesView
from ble.types import LinkState
from ui import words
from ui.i18n import plural, tr
from ui.theme import Theme, set_role
from ui.tokens import GRID
from ui.widgets.badge import LINK_LOOK
from ui.widgets.basics import button, column, dress, label, row
from ui.widgets.page import MARGIN, Page
from ui.widgets.switch import Switch
from ui.widgets.toggling import ToggleTool

AGE_MS = 30_000
P = TypeVar("P", bound=Page)


def page_titles() -> tuple[tuple[str, str], ...]:
    """The pages of the sidebar, in the order of Ctrl+1 to Ctrl+5: the name of each, and what a person reads."""
    return (
        ("captures", tr("Captures")),
        ("glasses", tr("Glasses")),
        ("ask", tr("Ask")),
        ("shared", tr("Shared")),
        ("settings", tr("Settings")),
    )


class Sidebar(QFrame):
    """One button a page, in the order of Ctrl+1 to Ctrl+5, and the help at its foot."""

    chosen = Signal(str)
    help_asked = Signal()

    def __init__(self, theme: Theme, pages: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        set_role(self, "sidebar")
        self.setAccessibleName(tr("Pages"))
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QToolButton] = {}
        mark = QLabel()
        mark.setPixmap(theme.app_pixmap(28, mark.devicePixelRatioF()))
        brand = row(mark, label(tr("Eyelid"), "lead"), None, gap=GRID + 2, margins=(GRID, GRID, GRID, 2 * GRID))
        stack = column(brand, gap=4, margins=(GRID + 4, GRID, GRID + 4, GRID + 4))
        for number, (name, title) in enumerate(pages, 1):
            made = self._line(theme, ToggleTool(), title, name)
            made.setCheckable(True)
            made.setToolTip(tr("{name} ({keys})", name=title, keys=words.keys(f"Ctrl+{number}")))
            made.clicked.connect(partial(self.chosen.emit, name))
            self._group.addButton(made)
            self._buttons[name] = made
            stack.addWidget(made)
        stack.addStretch(1)
        self.help = self._line(theme, QToolButton(), tr("Help"), "question")
        self.help.setToolTip(tr("{name} ({keys})", name=self.help.text(), keys=words.keys("Shift+F1")))
        self.help.clicked.connect(lambda _on=False: self.help_asked.emit())
        stack.addWidget(self.help)
        self.setLayout(stack)
        stack.addStrut(21 * GRID)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)

    @staticmethod
    def _line(theme: Theme, made: QToolButton, text: str, icon: str) -> QToolButton:
        """One line of the bar: an icon and a word."""
        set_role(made, "nav")
        made.setText(text)
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        made.setAccessibleName(text)
        dress(theme, made, icon, on="accent")
        return made

    def show_chosen(self, name: str) -> None:
        self._buttons[name].setChecked(True)

    @property
    def now(self) -> str:
        """The name of the page that is marked as chosen; empty before any was."""
        return next((name for name, made in self._buttons.items() if made.isChecked()), "")


class Strip(QFrame):
    """Glasses with the age of their battery reading, the AI switch, and the lock."""

    lock_asked = Signal()
    ai_switched = Signal(bool)
    glasses_asked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        set_role(self, "strip")
        self.setAccessibleName(tr("Status"))
        self._theme = theme
        self._views: tuple[GlassesView, ...] = ()
        self._said = ""
        self._glasses = button(theme, "", self.glasses_asked.emit, icon="glasses", role="quiet", help=tr("Show the glasses page"))
        self._ai = Switch(theme, tr("AI off"))
        self._ai.setToolTip(tr("Closes the gate: nothing can be sent to any assistant"))
        self._ai.setAccessibleDescription(self._ai.toolTip())
        self._ai.clicked.connect(self.ai_switched)
        self._lock = button(
            theme,
            tr("Lock"),
            self.lock_asked.emit,
            icon="lock",
            role="quiet",
            name=tr("Lock the vault"),
            help=tr("{name} ({keys})", name=tr("Lock the vault"), keys=words.keys("Ctrl+L")),
        )
        self.setLayout(row(self._glasses, None, self._ai, GRID, self._lock, gap=GRID, margins=(GRID + 4, 4, GRID + 4, 4)))
        self._age = QTimer(self, interval=AGE_MS)
        self._age.timeout.connect(self._say)
        self._age.start()
        self._say()

    def show_ai(self, off: bool) -> None:
        self._ai.setChecked(off)

    def show_glasses(self, views: tuple[GlassesView, ...]) -> None:
        self._views = views
        self._say()

    def _say(self) -> None:
        icon, tone, text = "glasses", "muted", tr("No glasses paired")
        if self._views:
            best = min(self._views, key=lambda view: (view.state is not LinkState.READY, view.known.name))
            icon, tone = LINK_LOOK.get(best.state, ("glasses", "muted"))
            parts = [tr("{name}: {state}", name=best.known.name, state=words.link(best.state))]
            if best.status.battery is not None:
                parts.append(tr("battery {battery}", battery=words.battery(best.status.battery, best.status.battery_at)))
            if len(self._views) > 1:
                parts.append(plural(len(self._views) - 1, "and {count} more", "and {count} more"))
            text = tr(", ").join(parts)
        self._said = text
        self._glasses.setAccessibleName(tr("Glasses: {state}", state=text))
        self._fit()
        dress(self._theme, self._glasses, icon, tone or "muted")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Shorten what is said of the glasses where there is no room for it; a screen reader has the whole of it."""
        beside = self._ai.sizeHint().width() + self._lock.sizeHint().width() + self._theme.scaled(20) + 12 * GRID
        room = self.width() - beside if self.isVisible() else 1 << 20
        self._glasses.setText(self._glasses.fontMetrics().elidedText(self._said, Qt.TextElideMode.ElideRight, room))


class Inside(QWidget):
    """All that is seen while the vault is open: sidebar, messages above, one page at a time, and the strip below."""

    def __init__(self, theme: Theme, banners: QWidget) -> None:
        super().__init__()
        set_role(self, "window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.sidebar = Sidebar(theme, page_titles())
        self.strip = Strip(theme)
        self.stack = QStackedWidget()
        self._above = column(banners, margins=(MARGIN, 0, MARGIN, 0))
        right = column(self._above, gap=0)
        right.addWidget(self.stack, 1)
        across = row(self.sidebar, gap=0)
        across.addLayout(right, 1)
        whole = column(gap=0)
        whole.addLayout(across, 1)
        whole.addWidget(self.strip)
        self.setLayout(whole)

    def put(self, page: P) -> P:
        """Have room for `page`, behind what is seen now."""
        self.stack.addWidget(page)
        return page

    def put_above(self, bar: QWidget) -> None:
        """Have `bar` stand above all pages whenever it is shown."""
        self._above.addWidget(bar)

    def bring(self, page: Page) -> None:
        """Show `page` in place of the one that is seen now."""
        before = self.stack.currentWidget()
        if isinstance(before, Page) and before is not page:
            before.leave()
        self.stack.setCurrentWidget(page)

    def give_room(self, all_of_it: bool) -> None:
        """Give the page the whole window, or put back what stands around it."""
        self.sidebar.setHidden(all_of_it)
        self.strip.setHidden(all_of_it)
