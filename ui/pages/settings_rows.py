"""One line of the settings page, made from a declared setting: name, help, field, reset, and what it is called at the terminal."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QComboBox, QLineEdit, QWidget

from app.settings import AnySetting
from ui.i18n import said as tr_core
from ui.i18n import tr
from ui.theme import Theme, set_role
from ui.tokens import GRID
from ui.widgets.basics import button, column, hide_if, label, row, tool
from ui.widgets.switch import Switch

Choices = Callable[[], list[tuple[str, str]]]
"""Value and words of each choice there is now."""

FIELD, WIDEST_FIELD = 30 * GRID, 44 * GRID


class SettingRow(QWidget):
    """`changed` carries the value a person chose; `show_value` shows one without telling anybody."""

    changed = Signal(object)
    reset = Signal()
    browse = Signal()

    def __init__(self, theme: Theme, setting: AnySetting, choices: Choices | None = None, *, folder: bool = False) -> None:
        super().__init__()
        self.setting = setting
        self._theme = theme
        self._choices = choices or (self._declared if setting.choices else None)
        title, help = label(tr_core(setting.title), "strong", wrap=True), label(tr_core(setting.help), tone="muted", wrap=True)
        title.setToolTip(tr("At the terminal: eyelid settings {key}", key=setting.key))
        self.note = label("", tone="muted", wrap=True)
        hide_if(self.note, True)
        self.field = self._make_field()
        title.setBuddy(self.field)
        self.field.setAccessibleName(tr_core(setting.title))
        self.field.setAccessibleDescription(f"{tr_core(setting.help)} {title.toolTip()}")
        self.back = tool(theme, tr("Reset {setting}", setting=tr_core(setting.title)), "restore", self.reset.emit)
        self._controls = row(self.back, self.field, gap=GRID)
        if folder:
            name = tr("Choose a folder: {setting}", setting=tr_core(setting.title))
            self._controls.addWidget(button(theme, tr("Choose…"), self.browse.emit, name=name))
        self._line = row(gap=GRID)
        self._line.addLayout(column(title, help, self.note, gap=2), 1)
        self._line.addLayout(self._controls)
        self.setLayout(self._line)
        self._resize()
        theme.changed.connect(self._resize)
        said = (setting.key, tr_core(setting.title), tr_core(setting.help), *(tr_core(word) for word in setting.words[:12]))
        self._words = " ".join(said).casefold()

    def _declared(self) -> list[tuple[str, str]]:
        setting = self.setting
        words = setting.words or setting.choices
        said = [tr_core(word) for word in words]
        return [(value, word[:1].upper() + word[1:]) for value, word in zip(setting.choices, said, strict=True)]

    def _make_field(self) -> QWidget:
        if isinstance(self.setting.default, bool):
            made = Switch(self._theme, "")
            made.clicked.connect(lambda on: self.changed.emit(bool(on)))
            return made
        if self._choices is not None:
            box = QComboBox()
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.activated.connect(lambda _index: self.changed.emit(str(box.currentData())))
            return box
        line = QLineEdit()
        line.setMaxLength(1000)
        line.setPlaceholderText(tr("None"))
        line.editingFinished.connect(lambda: self.changed.emit(line.text().strip()))
        return line

    def _resize(self) -> None:
        """Wider with larger text; large text leaves no room for it beside the words, so it stands below them."""
        large = self._theme.large
        kept = self.back.sizePolicy()
        kept.setRetainSizeWhenHidden(not large)
        self.back.setSizePolicy(kept)
        self._line.setDirection(QBoxLayout.Direction.TopToBottom if large else QBoxLayout.Direction.LeftToRight)
        self._line.setAlignment(self._controls, Qt.AlignmentFlag.AlignLeading if large else Qt.AlignmentFlag.AlignVCenter)
        if not isinstance(self.field, Switch):
            self.field.setFixedWidth(min(self._theme.scaled(FIELD), WIDEST_FIELD))

    def show_value(self, value: bool | str, *, default: bool) -> None:
        """The value in force, and whether it is the default."""
        if isinstance(self.field, Switch):
            self.field.setChecked(bool(value))
        elif isinstance(self.field, QComboBox):
            self._fill(self.field, str(value))
        elif isinstance(self.field, QLineEdit) and not self.field.hasFocus():
            self.field.setText(str(value))
        self.back.setVisible(not default)

    def _fill(self, box: QComboBox, value: str) -> None:
        assert self._choices is not None
        there = self._choices()
        if [box.itemData(index) for index in range(box.count())] != [each for each, _ in there]:
            box.clear()
            for each, words in there:
                box.addItem(words, each)
        box.setCurrentIndex(box.findData(value))
        box.setToolTip(box.currentText())

    def say(self, text: str, tone: str = "muted") -> None:
        """A sentence below the help that depends on the value or on this computer."""
        self.note.setText(text)
        set_role(self.note, tone=tone)
        self.note.setVisible(bool(text))

    def fits(self, words: list[str]) -> bool:
        """Whether all of these (in small letters) are said of this setting."""
        return all(word in self._words for word in words)
