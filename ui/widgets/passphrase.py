"""A field for a passphrase, and an honest word about how strong it is. The text never leaves the field but to its caller."""

from __future__ import annotations

import math
from itertools import pairwise

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from ui.i18n import tr
from ui.theme import Theme, set_role
from ui.widgets.basics import column, hide_if, label, row, tool

SHORTEST = 8


def guess_bits(passphrase: str) -> float:
    """A careful estimate of the strength in bits: repeats and runs count little, words count by their letters' variety.

    Deliberately lower than length times alphabet; no dictionary is carried, so common words are only caught by being short.
    """
    if not passphrase:
        return 0.0
    pool = sum(
        size
        for size, found in (
            (26, any(c.islower() for c in passphrase)),
            (26, any(c.isupper() for c in passphrase)),
            (10, any(c.isdigit() for c in passphrase)),
            (20, any(not c.isalnum() for c in passphrase)),
        )
        if found
    )
    fresh = 1 + sum(1 for before, after in pairwise(passphrase) if abs(ord(after) - ord(before)) > 1)
    variety = len(set(passphrase)) / len(passphrase)
    return min(fresh, len(passphrase)) * math.log2(max(pool, 2)) * (0.4 + 0.3 * variety)


def strength(passphrase: str) -> tuple[str, str]:
    """(words, tone) for a passphrase."""
    if not passphrase:
        return "", "muted"
    if len(passphrase) < SHORTEST:
        return tr("Too short: use at least {n} characters.", n=SHORTEST), "bad"
    bits = guess_bits(passphrase)
    if bits < 35:
        return tr("Weak: somebody with your disk could guess it. Add more words."), "bad"
    if bits < 55:
        return tr("Fair: good against curious people. One more word makes it strong."), "warn"
    return tr("Strong: guessing it would take longer than anybody has."), "good"


class PassphraseField(QWidget):
    """A line with a show/hide button; with `judge`, words about the strength below it."""

    changed = Signal()
    entered = Signal()

    def __init__(self, theme: Theme, name: str, *, judge: bool = False) -> None:
        super().__init__()
        self._line = QLineEdit()
        self._line.setEchoMode(QLineEdit.EchoMode.Password)
        self._line.setAccessibleName(name)
        self._line.setMaxLength(1024)
        self._line.setInputMethodHints(Qt.InputMethodHint.ImhSensitiveData | Qt.InputMethodHint.ImhNoPredictiveText)
        self._eye = tool(theme, tr("Show the passphrase"), "eye")
        self._eye.setCheckable(True)
        self._eye.toggled.connect(self._show)
        title = label(name, "strong")
        title.setBuddy(self._line)
        self._words = label("", "small", wrap=True)
        hide_if(self._words, not judge)
        self._judge = judge
        field = row(gap=4)
        field.addWidget(self._line, 1)
        field.addWidget(self._eye)
        self.setLayout(column(title, field, self._words, gap=6))
        self.setFocusProxy(self._line)
        self._line.textChanged.connect(self._typed)
        self._line.returnPressed.connect(self.entered)

    @property
    def text(self) -> str:
        return self._line.text()

    @property
    def long_enough(self) -> bool:
        return len(self.text) >= SHORTEST

    def clear(self) -> None:
        self._line.clear()
        self._eye.setChecked(False)

    def _show(self, shown: bool) -> None:
        self._line.setEchoMode(QLineEdit.EchoMode.Normal if shown else QLineEdit.EchoMode.Password)

    def _typed(self) -> None:
        if self._judge:
            text, tone = strength(self.text)
            self._words.setText(text)
            set_role(self._words, tone=tone)
            self._line.setAccessibleDescription(text)
        self.changed.emit()
