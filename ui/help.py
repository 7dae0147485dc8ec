"""The help: what Eyelid protects, how to ask, and answers to what people ask. Shown from the file that ships; nothing is fetched."""

from __future__ import annotations

from importlib import resources

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QTextCursor, QTextDocument
from PySide6.QtWidgets import QDialog, QFrame, QTextBrowser, QWidget

from ui import i18n
from ui.i18n import tr
from ui.theme import Theme, set_role
from ui.tokens import GRID
from ui.widgets.basics import button, column, label, row

WIDE, TALL = 88 * GRID, 80 * GRID
_READING = Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
"""To be read and copied from, by keyboard too; a link is text like any other."""


def text() -> str:
    """All of it, in Markdown and the person's language; in English where it was not translated."""
    own = resources.files("resources") / f"help.{i18n.language()}.md"
    return (own if own.is_file() else resources.files("resources") / "help.md").read_text("utf-8")


class HelpText(QTextBrowser):
    """The help as it is read. Opens no link and loads no file."""

    def __init__(self) -> None:
        super().__init__()
        self.setOpenLinks(False)
        self.setTextInteractionFlags(_READING)
        self.setTabChangesFocus(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(tr("Help"))
        set_role(self, "answer")
        features = QTextDocument.MarkdownFeature
        self.document().setMarkdown(text(), features.MarkdownDialectGitHub | features.MarkdownNoHTML)
        self.document().setDocumentMargin(2 * GRID)
        self.moveCursor(QTextCursor.MoveOperation.Start)

    def loadResource(self, type: int, name: QUrl | str) -> object:
        """Pictures and style sheets that the text might name stay where they are."""
        return None


class HelpSheet(QDialog):
    """The help over the window, so that one comes back to where one was."""

    def __init__(self, parent: QWidget, theme: Theme) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Help"))
        self.setAccessibleName(self.windowTitle())
        self.text = HelpText()
        close = button(theme, tr("Close"), self.accept)
        close.setAutoDefault(True)
        close.setDefault(True)
        head = label(self.windowTitle(), "title")
        self.setLayout(column(head, self.text, row(None, close), gap=2 * GRID, margins=(3 * GRID, 3 * GRID, 3 * GRID, 2 * GRID)))
        room = self.screen().availableGeometry()
        self.resize(min(theme.scaled(WIDE), room.width() - 4 * GRID), min(theme.scaled(TALL), room.height() - 8 * GRID))
        self.text.setFocus()
