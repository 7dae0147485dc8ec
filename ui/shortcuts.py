"""The keys of the window: one list, from which they are made, and which a person can read (F1 or ?)."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtWidgets import QDialog, QFrame, QGridLayout, QScrollArea, QWidget

from ui.i18n import tr
from ui.theme import Theme, set_role
from ui.tokens import GRID
from ui.widgets.basics import button, column, label, row

WIDE, TALL = 76 * GRID, 72 * GRID


Keys = tuple[tuple[str, str], ...]
"""Keys, and what they do."""


def groups() -> tuple[tuple[str, Keys], ...]:
    """All of them, by where they count."""
    return ((tr("Everywhere"), _everywhere()), (tr("Captures"), _captures()), (tr("One capture"), _one()))


def _everywhere() -> Keys:
    return (
        ("Ctrl+1", tr("Captures")),
        ("Ctrl+2", tr("Glasses")),
        ("Ctrl+3", tr("Ask")),
        ("Ctrl+4", tr("Shared")),
        ("Ctrl+5", tr("Settings")),
        ("Ctrl+F", tr("Search captures")),
        ("Ctrl+L", tr("Lock the vault")),
        ("F1", tr("This list (? does it too)")),
        ("Shift+F1", tr("Help")),
        ("Ctrl+W", tr("Close the window")),
        ("Ctrl+Q", tr("Quit Eyelid")),
        ("Tab", tr("To the next control")),
        ("Esc", tr("Back, or close what is open")),
    )


def _captures() -> Keys:
    return (
        ("Space", tr("Open the capture")),
        ("Ctrl+A", tr("Select all")),
        ("Ctrl+Shift+A", tr("Select the whole day")),
        ("Ctrl+Up", tr("To the newer day")),
        ("Ctrl+Down", tr("To the older day")),
        ("Ctrl+E", tr("Export the selection")),
        ("Del", tr("Move to the trash")),
        ("Ctrl+Z", tr("Undo")),
        ("Ctrl++", tr("Larger tiles")),
        ("Ctrl+-", tr("Smaller tiles")),
    )


def _one() -> Keys:
    left, right = ("Right", "Left") if QGuiApplication.isRightToLeft() else ("Left", "Right")
    return (
        (left, tr("The one before")),
        (right, tr("The one after")),
        ("+", tr("Larger")),
        ("-", tr("Smaller")),
        ("0", tr("Fit to the window")),
        ("1", tr("Full size")),
        ("L", tr("Turn left")),
        ("R", tr("Turn right")),
        ("F11", tr("Full screen")),
        ("S", tr("Favourite")),
        ("I", tr("Details")),
        ("Space", tr("Play or pause a video")),
        ("Shift+Left", tr("Some seconds back in a video")),
        ("Shift+Right", tr("Some seconds on in a video")),
        (",", tr("One frame back")),
        (".", tr("One frame on")),
        ("Up", tr("Louder")),
        ("Down", tr("Quieter")),
        ("M", tr("Mute")),
    )


class ShortcutsDialog(QDialog):
    """Reads as a table: the keys, then what they do."""

    def __init__(self, parent: QWidget, theme: Theme) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Keyboard shortcuts"))
        self.setAccessibleName(self.windowTitle())
        inner = QWidget()
        set_role(inner, "plain")
        lines = column(gap=2 * GRID)
        for title, keys in groups():
            lines.addWidget(label(title, "lead"))
            lines.addLayout(self._table(keys))
        lines.addStretch(1)
        inner.setLayout(lines)
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setAccessibleName(self.windowTitle())
        area.setWidget(inner)
        close = button(theme, tr("Close"), self.accept)
        close.setAutoDefault(True)
        close.setDefault(True)
        self.setLayout(column(area, row(None, close), gap=2 * GRID, margins=(3 * GRID, 3 * GRID, 3 * GRID, 2 * GRID)))
        self.resize(WIDE, TALL)
        close.setFocus()

    @staticmethod
    def _table(keys: Keys) -> QGridLayout:
        table = QGridLayout()
        table.setHorizontalSpacing(3 * GRID)
        table.setVerticalSpacing(6)
        table.setColumnStretch(1, 1)
        for at, (key, text) in enumerate(keys):
            native = QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
            shown = label(native, "strong")
            shown.setMinimumWidth(16 * GRID)
            table.addWidget(shown, at, 0)
            said = label(text, wrap=True)
            said.setAccessibleName(tr("{keys}: {what}", keys=native, what=text))
            table.addWidget(said, at, 1)
        return table
