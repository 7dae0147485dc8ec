"""A new recovery code: shown once in numbered groups, then two of them typed back, so that there is a paper that can be read.

Nothing here is copied, printed or kept; `forget` drops the code. To go on without one takes a second thought, in plain words.
"""

from __future__ import annotations

import secrets

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLineEdit, QWidget

from ui.context import Context
from ui.dialogs import ask
from ui.i18n import tr
from ui.tokens import GRID
from ui.widgets.basics import boxed, button, clear_layout, column, frame, label, row

ACROSS = 4
"""Groups side by side."""
ASKED = 2
"""Groups that are typed back."""
_ALIKE = str.maketrans("OIL", "011")
"""Letters that are written alike; the code itself has none of them (Crockford's base 32)."""


def same_group(typed: str, group: str) -> bool:
    """Whether `typed` is this group, as loosely as the vault reads it."""
    return "".join(typed.split()).upper().translate(_ALIKE) == group


class RecoverySheet(QWidget):
    """`confirmed` when two groups were typed back; `skipped` when the person goes on without, having been told what that means."""

    confirmed = Signal()
    skipped = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._groups: tuple[str, ...] = ()
        self._wanted: tuple[int, ...] = ()
        self._steps = (self._shown(), self._typed())
        self.setLayout(column(*self._steps))
        self._turn_to(0)

    def _turn_to(self, step: int) -> None:
        """Show one of the two; the other one takes no room."""
        for number, shown in enumerate(self._steps):
            shown.setHidden(number != step)

    def _shown(self) -> QWidget:
        why = tr(
            "It opens the vault when the passphrase is forgotten or this computer is gone. Write it on paper and keep it away from this "
            "computer. It is shown only now, and whoever has it can open everything."
        )
        self._grid = QGridLayout()
        self._grid.setSpacing(GRID)
        self.wrote = button(self._context.theme, tr("I wrote it down"), self._ask_back, icon="check", role="primary")
        skip = button(self._context.theme, tr("Go on without…"), self._skip, role="quiet")
        return boxed(
            column(
                label(tr("Your recovery code"), "lead", wrap=True),
                label(why, tone="muted", wrap=True),
                frame("well", column(self._grid, margins=(2 * GRID, GRID + 4, 2 * GRID, GRID + 4))),
                row(self.wrote, None, skip),
                gap=GRID + 4,
            )
        )

    def _typed(self) -> QWidget:
        theme = self._context.theme
        self._asked = [label("", "strong") for _ in range(ASKED)]
        self.fields = [QLineEdit() for _ in range(ASKED)]
        self._wrong = label("", tone="bad", wrap=True)
        lines = column(gap=GRID)
        for title, field in zip(self._asked, self.fields, strict=True):
            field.setMaxLength(16)
            field.setInputMethodHints(Qt.InputMethodHint.ImhSensitiveData | Qt.InputMethodHint.ImhNoPredictiveText)
            field.returnPressed.connect(self.check)
            title.setBuddy(field)
            title.setMinimumWidth(12 * GRID)
            lines.addLayout(row(title, field, None))
        done = button(theme, tr("Check"), self.check, role="primary")
        again = button(theme, tr("Show the code again"), self._show_again, role="quiet")
        hint = tr("Type two groups from your paper, to be sure that it can be read.")
        return boxed(
            column(
                label(tr("Is it on paper?"), "lead", wrap=True),
                label(hint, tone="muted", wrap=True),
                lines,
                self._wrong,
                row(done, None, again),
                None,
                gap=GRID + 4,
            )
        )

    def show_code(self, code: str) -> None:
        """Show `code`, groups parted by hyphens."""
        clear_layout(self._grid)
        self._groups = tuple(code.split("-"))
        font = self._context.theme.font(16, bold=True)
        font.setFamilies(["monospace"])
        for number, group in enumerate(self._groups):
            shown = label(group)
            shown.setFont(font)
            shown.setAccessibleName(tr("Group {n}: {letters}", n=number + 1, letters=" ".join(group)))
            pair = row(label(str(number + 1), "small"), shown, None, gap=GRID)
            self._grid.addLayout(pair, number // ACROSS, number % ACROSS)
        self._turn_to(0)
        self.wrote.setFocus()

    def forget(self) -> None:
        self._context.tasks.cancel("skip recovery")
        self._groups = ()
        clear_layout(self._grid)
        for field in self.fields:
            field.clear()
        self._wrong.clear()
        self._turn_to(0)  # there is nothing to be checked against any more

    def _ask_back(self) -> None:
        self._wanted = tuple(sorted(secrets.SystemRandom().sample(range(len(self._groups)), ASKED)))
        for number, title, field in zip(self._wanted, self._asked, self.fields, strict=True):
            title.setText(tr("Group {n}", n=number + 1))
            field.setAccessibleName(title.text())
            field.clear()
        self._wrong.clear()
        self._turn_to(1)
        self.fields[0].setFocus()

    def _show_again(self) -> None:
        self._turn_to(0)
        self.wrote.setFocus()

    def check(self) -> None:
        """Go on if both groups are right; else name the one that is not."""
        for number, field in zip(self._wanted, self.fields, strict=True):
            if not same_group(field.text(), self._groups[number]):
                self._wrong.setText(tr("Group {n} is another one on the screen. Look at your paper again.", n=number + 1))
                field.setFocus()
                field.selectAll()
                return
        self.confirmed.emit()

    def _skip(self) -> None:
        self._context.tasks.start(self._skipping(), key="skip recovery")

    async def _skipping(self) -> None:
        title = tr("Go on without a recovery code?")
        detail = tr(
            "If the other ways to open the vault are lost, the captures are lost: nobody can reset them. You can make a code later, under "
            "Settings. The code that was just shown will not work."
        )
        if await ask(self, title, detail, yes=tr("Go on without"), no=tr("Back to the code")):
            self.skipped.emit()
