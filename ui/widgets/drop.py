"""Files dragged in from outside: a page takes them, and shows while they hover that it would."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QWidget


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
            self._show(on=False)
        elif isinstance(event, QDropEvent) and (paths := files(event)):  # a drag that enters is one, too
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self._show(on=event.type() != QEvent.Type.Drop)
            if event.type() == QEvent.Type.Drop:
                self._take(paths)
            return True
        return False

    def _show(self, *, on: bool) -> None:
        if bool(self._page.property("target")) != on:
            self._page.setProperty("target", on)
            self._page.style().unpolish(self._page)
            self._page.style().polish(self._page)


def files(event: QDropEvent) -> list[Path]:
    """The files and folders of this computer that are dragged."""
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
