"""Where the person is: a box to choose a country or a state of the United States by a part of its name, and the question for it."""

from __future__ import annotations

from PySide6.QtCore import QCollator, Qt, Signal
from PySide6.QtWidgets import QComboBox, QCompleter, QFrame

from app.sharing.regions import COUNTRIES, PLACES, US_STATES
from ui.i18n import said as tr_core
from ui.i18n import tr
from ui.theme import Theme, set_role
from ui.tokens import GRID
from ui.widgets.basics import button, column, icon_label, label, row
from ui.widgets.flow import FlowLayout


class RegionBox(QComboBox):
    """`picked` carries the code of the place, or an empty text for "not said". What is typed and is no place changes nothing."""

    picked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setMinimumContentsLength(28)
        self.setMinimumWidth(20 * GRID)
        self.setMaxVisibleItems(14)
        self.setAccessibleName(tr("Country, or state of the United States"))
        self.addItem(tr("Not said"), "")
        names = {code: tr_core(name) for code, name in PLACES.items()}
        alphabet = QCollator()
        for place in (COUNTRIES, US_STATES):
            for code in sorted(place, key=lambda code: alphabet.sortKey(names[code])):
                self.addItem(names[code], code)
        finder = QCompleter(self.model(), self)
        finder.setFilterMode(Qt.MatchFlag.MatchContains)
        finder.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.setCompleter(finder)
        edit = self.lineEdit()
        assert edit is not None
        edit.setPlaceholderText(tr("Type a part of the name"))
        edit.setAccessibleName(self.accessibleName())
        edit.editingFinished.connect(self._settle)
        finder.activated.connect(lambda _text: self._settle())
        self.activated.connect(lambda _index: self.picked.emit(self.code))

    @property
    def code(self) -> str:
        return str(self.currentData() or "")

    def show_code(self, code: str) -> None:
        self.setCurrentIndex(max(0, self.findData(code)))

    def _settle(self) -> None:
        """Take what was typed if it names a place; else go back to what was chosen."""
        at = self.findText(self.currentText(), Qt.MatchFlag.MatchFixedString)
        if at < 0:
            self.setEditText(self.itemText(self.currentIndex()))
        elif at != self.currentIndex():
            self.setCurrentIndex(at)
            self.picked.emit(self.code)


class RegionCard(QFrame):
    """The question, asked at first use of Ask. `answered` carries the code; an empty one means: rather not say."""

    answered = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        set_role(self, "banner")
        self.box = RegionBox()
        said = tr(
            "Terms differ by country, and in the United States by state. Your answer stays on this computer and can be changed in Settings."
        )
        keep = button(theme, tr("Use this"), lambda: self.answered.emit(self.box.code), name=tr("Use this place"))
        skip = button(theme, tr("Rather not say"), lambda: self.answered.emit(""), role="quiet")
        words = column(label(tr("Where are you?"), "strong"), label(said, tone="muted", wrap=True), gap=2)
        words.addSpacing(4)
        words.addLayout(FlowLayout(self.box, keep, skip))
        line = row(gap=GRID + 4, margins=(2 * GRID, GRID + 4, 2 * GRID, GRID + 4))
        line.addWidget(icon_label(theme, "info", "accent"), 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(words, 1)
        self.setLayout(line)
        self.setAccessibleName(tr("Where are you?"))
        self.setAccessibleDescription(said)
