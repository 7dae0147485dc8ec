"""A word with an icon on a soft ground: the private-or-shared status, a policy class, a state. Never colour alone."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QSizePolicy

from app.sharing.types import PolicyClass
from ble.types import LinkState
from ui import words
from ui.theme import Theme, set_role
from ui.widgets.basics import dress, icon_label, label, row

POLICY_LOOK: dict[PolicyClass, tuple[str, str]] = {
    PolicyClass.TRAINS: ("trains", "bad"),
    PolicyClass.KEPT: ("kept", "warn"),
    PolicyClass.LOCAL: ("local", "good"),
    PolicyClass.MIRROR: ("mirror", "good"),
}
"""Icon and tone of each policy class."""

LINK_LOOK: dict[LinkState, tuple[str, str]] = {
    LinkState.READY: ("good", "good"),
    LinkState.BLOCKED: ("warning", "bad"),
    LinkState.LOST: ("warning", "warn"),
    LinkState.WAITING: ("interval", "warn"),
}
"""Icon and tone of a link state; any other state is quiet."""


WIDEST = 280
"""Pixels of text before it is shortened; the whole of it stays in the name and the tool tip."""


class Badge(QFrame):
    """An icon and a word."""

    def __init__(self, theme: Theme, icon: str, text: str, tone: str = "") -> None:
        super().__init__()
        self._theme = theme
        set_role(self, "badge")
        self._icon = icon_label(theme, icon, tone or "muted", 16)
        self._text = label(text)
        self.setLayout(row(self._icon, self._text, gap=6, margins=(8, 3, 10, 3)))
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)
        self.show_as(icon, text, tone)

    def show_as(self, icon: str, text: str, tone: str = "") -> None:
        dress(self._theme, self._icon, icon, tone or "muted", size=16)
        self._full = text
        set_role(self, tone=tone)
        set_role(self._text, tone=tone or "muted")
        self._text.ensurePolished()
        short = self._text.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, self._theme.scaled(WIDEST))
        self._text.setText(short)
        self.setToolTip(text if short != text else "")
        self.setAccessibleName(text)

    @property
    def text(self) -> str:
        return self._full


class StatusBadge(Badge):
    """ "Private" or "Shared with X"."""

    def __init__(self, theme: Theme, shared_with: tuple[str, ...] = ()) -> None:
        super().__init__(theme, "private", words.status(()))
        self.set_shared(shared_with)

    def set_shared(self, shared_with: tuple[str, ...]) -> None:
        self.show_as("sent" if shared_with else "private", words.status(shared_with), "sent" if shared_with else "")


def policy_badge(theme: Theme, of: PolicyClass) -> Badge:
    icon, tone = POLICY_LOOK[of]
    return Badge(theme, icon, words.policy(of), tone)


def link_badge(theme: Theme, state: LinkState) -> Badge:
    icon, tone = LINK_LOOK.get(state, ("glasses", ""))
    return Badge(theme, icon, words.link(state), tone)
