"""Dialogs to await. They are opened, never run in a nested event loop, because under qasync that would stop every other task.

Cancelling the awaiting task, closing the window or locking closes the dialog with the answer that changes nothing.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from ui.i18n import tr
from ui.theme import set_role
from ui.tokens import GRID

D = TypeVar("D", bound=QDialog)


async def opened(dialog: D) -> D:
    """Open `dialog`, wait until it is closed, and return it; read its result and fields afterwards. It is deleted soon after."""
    closed: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def settle(result: int) -> None:
        if not closed.done():
            closed.set_result(result)

    dialog.finished.connect(settle)
    dialog.open()
    try:
        await closed
    finally:
        if dialog.isVisible():
            dialog.reject()
        dialog.deleteLater()
    return dialog


async def read(dialog: QDialog) -> None:
    """Open what is only to be read, and wait until it is closed."""
    await opened(dialog)


class Question(QDialog):
    """One sentence, some detail, and two verbs. The safe verb has the focus and is the answer to Esc; Enter presses what has the focus."""

    def __init__(self, parent: QWidget, title: str, detail: str, yes: str, no: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setModal(True)
        self.setMinimumWidth(52 * GRID)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 2 * GRID)
        layout.setSpacing(2 * GRID)
        heading, text = QLabel(title), QLabel(detail)
        set_role(heading, "lead")
        for label in (heading, text):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            layout.addWidget(label)
        text.setVisible(bool(detail))
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        buttons.addStretch(1)
        keep, go = QPushButton(no), QPushButton(yes)
        keep.setVisible(bool(no))
        for button in (keep, go):
            set_role(button, "choice")
            button.setAutoDefault(True)
            buttons.addWidget(button)
        keep.clicked.connect(self.reject)
        go.clicked.connect(self.accept)
        layout.addLayout(buttons)
        safe = keep if no else go
        safe.setDefault(True)
        safe.setFocus()
        self.setAccessibleName(title)
        self.setAccessibleDescription(detail)


class NameDialog(QDialog):
    """Asks for one short name."""

    def __init__(self, parent: QWidget, title: str, what: str, yes: str, longest: int) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.setModal(True)
        self.setMinimumWidth(48 * GRID)
        self.field = QLineEdit()
        self.field.setMaxLength(longest)
        self.field.setAccessibleName(what)
        self.field.setPlaceholderText(what)
        keep, self.go = QPushButton(tr("Cancel")), QPushButton(yes)
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        buttons.addStretch(1)
        for button in (keep, self.go):
            set_role(button, "choice")
            buttons.addWidget(button)
        self.go.setDefault(True)
        self.go.setEnabled(False)
        self.field.textChanged.connect(lambda text: self.go.setEnabled(bool(text.strip())))
        keep.clicked.connect(self.reject)
        self.go.clicked.connect(self.accept)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 2 * GRID)
        layout.setSpacing(2 * GRID)
        layout.addWidget(self.field)
        layout.addLayout(buttons)
        self.field.setFocus()


async def ask_name(parent: QWidget, title: str, what: str, *, yes: str, longest: int = 60) -> str:
    """Ask for a name; empty when the person gave none."""
    dialog = await opened(NameDialog(parent, title, what, yes, longest))
    return dialog.field.text().strip() if dialog.result() == QDialog.DialogCode.Accepted else ""


async def ask(parent: QWidget, title: str, detail: str, *, yes: str, no: str = "") -> bool:
    """Ask one question; anything but pressing `yes` means no."""
    dialog = await opened(Question(parent, title, detail, yes, no or tr("Cancel")))
    return dialog.result() == QDialog.DialogCode.Accepted


async def tell(parent: QWidget, title: str, detail: str, *, close: str = "") -> None:
    """Show one message with one button."""
    await opened(Question(parent, title, detail, close or tr("Close"), ""))


async def choose_folder(parent: QWidget, title: str) -> Path | None:
    """Let a person pick a folder; None when they did not."""
    dialog = QFileDialog(parent, title)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly, True)
    return await _picked(dialog)


async def choose_files(parent: QWidget, title: str) -> tuple[Path, ...]:
    """Let a person pick files; none when they did not."""
    dialog = QFileDialog(parent, title)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    await opened(dialog)
    return tuple(map(Path, dialog.selectedFiles())) if dialog.result() == QDialog.DialogCode.Accepted else ()


async def choose_save(parent: QWidget, title: str, name: str) -> Path | None:
    """Let a person name a file to write; None when they did not."""
    dialog = QFileDialog(parent, title)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.selectFile(name)
    return await _picked(dialog)


async def _picked(dialog: QFileDialog) -> Path | None:
    await opened(dialog)
    files = dialog.selectedFiles()
    return Path(files[0]) if dialog.result() == QDialog.DialogCode.Accepted and files else None
