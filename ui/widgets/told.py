"""A line that says how something went, beside the button that asked: an icon, a sentence, and the same to a screen reader."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from app.errors import Explanation
from ui import words
from ui.theme import Theme, set_role
from ui.tokens import GRID
from ui.widgets.banner import announce
from ui.widgets.basics import dress, icon_label, label, row

_SIGNS = {"good": "good", "bad": "error", "warn": "warning", "muted": "info"}


class Told(QWidget):
    """Hidden until there is something to say."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._sign = icon_label(theme, "info", "muted", 16)
        self._words = label("", wrap=True)
        line = row(gap=GRID)
        line.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(self._words, 1)
        self.setLayout(line)
        self.hide()

    def say(self, text: str, tone: str = "muted") -> None:
        """Show `text`; `tone` is "good", "bad", "warn" or "muted". An empty text hides the line."""
        dress(self._theme, self._sign, _SIGNS[tone], tone, size=16)
        set_role(self._words, tone=tone)
        self._words.setText(text)
        self.setVisible(bool(text))
        self.setAccessibleName(text)
        if text:
            announce(self, text)

    def trouble(self, said: Explanation) -> None:
        self.say(words.explained(said), "bad")

    @property
    def text(self) -> str:
        return self._words.text()
