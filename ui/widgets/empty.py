"""What a page shows when it has nothing yet: what will be here, and the next step."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from ui.theme import Theme
from ui.tokens import GRID
from ui.widgets.basics import icon_label, label, row


class Empty(QWidget):
    """An icon, a sentence, a hint, and at most two buttons."""

    def __init__(self, theme: Theme, icon: str, title: str, hint: str, *buttons: QPushButton) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 6 * GRID)
        layout.setSpacing(GRID)
        self.title, self.hint = label(title, "title"), label(hint, tone="muted", wrap=True)
        self.title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.title.setWordWrap(True)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self.hint.setFixedWidth(52 * GRID)
        layout.addStretch(1)
        layout.addWidget(icon_label(theme, icon, "control", 56), 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(GRID)
        layout.addWidget(self.title)
        layout.addLayout(row(None, self.hint, None))
        if buttons:
            layout.addSpacing(GRID)
            layout.addLayout(row(None, *buttons, None))
        layout.addStretch(1)

    def say(self, title: str, hint: str) -> None:
        self.title.setText(title)
        self.hint.setText(hint)
