"""Files dragged in from outside: a page takes them, and shows while they hover that it would."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QWidget

from ui.theme import set_state


class FileDrop(QObject):
    """Hands the paths that are dropped on `page` to `take`. The property "target" is set while files hover above it."""

    def __init__(self, page: QWidget, take: Callable[[Sequence[Path]], object]) -> None:
        super().__init__(page)
        self._page = page
        self._take = take
        page.setAcceptDrops(True)
        page.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DragLeave:
            set_state(self._page, "target", False)
        elif isinstance(event, QDropEvent) and (paths := files(event)):  # a drag that enters is one, too
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            set_state(self._page, "target", event.type() != QEvent.Type.Drop)
            if event.type() == QEvent.Type.Drop:
                self._take(paths)
            return True
        return False


def files(event: QDropEvent) -> list[Path]:
    """The files and folders of this computer that are dragged."""
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
