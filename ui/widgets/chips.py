"""Chips, and rows of them of which exactly one is on: the sides of a page, or one choice out of a few."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtWidgets import QButtonGroup, QWidget

from ui.theme import set_role
from ui.widgets.flow import FlowLayout
from ui.widgets.toggling import TogglePush


class Chip(TogglePush):
    """A toggle with a name for a screen reader; Enter presses no other button of a dialog while it has the focus."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        set_role(self, "chip")
        self.setCheckable(True)
        self.setAutoDefault(False)
        self.setAccessibleName(name)


class ChipRow(QWidget):
    """`chosen` is called with the key of the chip that was pressed; the first is on at the start. What is given besides stands behind."""

    def __init__(self, chips: Sequence[tuple[str, str, str]], chosen: Callable[[str], None], *besides: QWidget) -> None:
        """`chips` are key, text, and the name for a screen reader."""
        super().__init__()
        self.chips: dict[str, Chip] = {}
        group = QButtonGroup(self)
        for key, text, name in chips:
            chip = self.chips[key] = Chip(text, name)
            chip.clicked.connect(partial(_call, chosen, key))
            group.addButton(chip)
        next(iter(self.chips.values())).setChecked(True)
        self.setLayout(FlowLayout(*self.chips.values(), *besides))


def _call(chosen: Callable[[str], None], key: str, _checked: bool = False) -> None:
    chosen(key)
