"""Covering and cropping one picture by hand: boxes to add, move, resize and remove, by mouse and by keyboard."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QImage, QKeyEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QListWidget, QListWidgetItem, QWidget

from app.media.look.boxes import Box
from app.media.look.types import Kind
from ui.dialogs import opened
from ui.i18n import plural, tr
from ui.theme import Theme
from ui.tokens import GRID
from ui.widgets.banner import announce
from ui.widgets.basics import boxed, button, column, label, row
from ui.widgets.canvas import Canvas
from ui.widgets.flow import flow
from ui.widgets.marks import Mark, Marks, names_of
from ui.widgets.picture import decode
from ui.widgets.sheet import Sheet

_WRITING = (Kind.TEXT, Kind.DOCUMENT, Kind.CODE)
"""All that can be read, as one button covers it."""


class RedactorSheet(Sheet):
    """`marks` is what the person made of it. Boxes are listed beside the picture: the list says of each whether it is covered."""

    def __init__(self, parent: QWidget, theme: Theme, image: QImage, size: tuple[int, int], marks: Marks) -> None:
        super().__init__(parent, tr("Cover or crop"), wide=theme.scaled(150 * GRID))
        self._size = size
        self._first = marks
        self.marks = marks
        self.canvas = Canvas(theme, image, size)
        self.canvas.chosen.connect(self._choose)
        self.canvas.changed.connect(self._moved)
        self.canvas.drawn.connect(self._drawn)
        self.canvas.removed.connect(self.remove)
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Boxes on the picture"))
        self.list.currentRowChanged.connect(self._row_chosen)
        self.list.itemChanged.connect(self._ticked)
        said = tr(
            "Covered parts become solid black in the copy that is sent. Draw a box with the mouse, or add one and move it with the arrow "
            "keys; Shift and the arrows change its size, Ctrl makes the steps small, Delete removes it."
        )
        self.help = label(said, "small", wrap=True)
        self.body.addLayout(self._make(theme), 1)
        self.said = label("", tone="muted")
        self.foot.insertWidget(0, self.said)
        keep, self.use = self.choice(tr("Cancel")), self.choice(tr("Use this copy"))
        keep.clicked.connect(self.reject)
        self.use.clicked.connect(self.accept)
        keep.setDefault(True)
        self._refresh()
        self.setMinimumHeight(60 * GRID)

    def _make(self, theme: Theme) -> QHBoxLayout:
        self.faces = button(theme, tr("Cover all faces"), self.cover_faces, icon="people")
        self.texts = button(theme, tr("Cover all text and codes"), self.cover_text, icon="info")
        self.add = button(theme, tr("Add a box"), self.add_box, icon="plus")
        self.away = button(theme, tr("Remove the box"), self.remove, icon="trash")
        self.crop = button(theme, tr("Crop"), self.toggle_crop, icon="zoom-fit")
        self.undo = button(theme, tr("Undo all"), self.start_again, icon="restore", role="quiet")
        one = flow(self.add, self.away)
        panel = boxed(column(self.faces, self.texts, one, self.crop, self.list, self.undo, self.help))
        panel.setFixedWidth(min(theme.scaled(42 * GRID), 64 * GRID))
        self.list.setMinimumHeight(15 * GRID)
        self.help.ensurePolished()
        self.help.setMinimumHeight(self.help.heightForWidth(panel.width()))  # a layout of fixed width does not ask for it
        whole = row(gap=2 * GRID)
        whole.addWidget(self.canvas, 1)
        whole.addWidget(panel)
        return whole

    # -- the boxes -------------------------------------------------------------------------------------------------------------

    @property
    def _current(self) -> int:
        """The chosen mark's place in `marks.all`; that behind the last is the crop; -1 when none is chosen."""
        return self.list.currentRow()

    def _refresh(self, choose: int | None = None) -> None:
        """Show the marks anew, in the list and on the picture."""
        at = self._current if choose is None else choose
        all_marks = self.marks.all
        blocked = QSignalBlocker(self.list)
        self.list.clear()
        for mark, name in zip(all_marks, names_of(all_marks), strict=True):
            item = QListWidgetItem(name)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if mark.covered else Qt.CheckState.Unchecked)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, tr("{name}, covered", name=name) if mark.covered else name)
            self.list.addItem(item)
        if self.marks.crop is not None:
            self.list.addItem(QListWidgetItem(tr("The part to keep")))
        self.list.setCurrentRow(min(at, self.list.count() - 1))
        blocked.unblock()
        self._show()

    def _show(self) -> None:
        self.canvas.show_marks(self.marks.all, self.marks.crop, self._current)
        covered = sum(mark.covered for mark in self.marks.all)
        self.said.setText(plural(covered, "{count} place covered", "{count} places covered"))
        faces, texts = self.marks.of((Kind.FACE,)), self.marks.of(_WRITING)
        self.faces.setEnabled(any(not mark.covered for mark in faces))
        self.texts.setEnabled(any(not mark.covered for mark in texts))
        self.crop.setText(tr("Crop") if self.marks.crop is None else tr("Keep the whole picture"))
        self.crop.setAccessibleName(self.crop.text())
        self.away.setEnabled(self._current >= 0)

    def _row_chosen(self, _row: int) -> None:
        self._show()

    def _ticked(self, item: QListWidgetItem) -> None:
        at = self.list.row(item)
        if at < len(self.marks.all):
            self._put(at, replace(self.marks.all[at], covered=item.checkState() is Qt.CheckState.Checked))
            self._refresh(at)

    def _put(self, at: int, mark: Mark | None) -> None:
        """Replace the mark at a place, or take it away."""
        found, drawn = list(self.marks.found), list(self.marks.drawn)
        part, place = (found, at) if at < len(found) else (drawn, at - len(found))
        part[place : place + 1] = [mark] if mark is not None else []
        self.marks = replace(self.marks, found=tuple(found), drawn=tuple(drawn))

    def _choose(self, at: int) -> None:
        self.list.setCurrentRow(at)

    def _moved(self, at: int, box: Box) -> None:
        if at == len(self.marks.all):
            self.marks = replace(self.marks, crop=box)
        else:
            mark = self.marks.all[at]
            # A found box that was moved by hand is the person's own from then on: the finder's would come back by itself.
            if mark.kind is not None:
                self._put(at, replace(mark, covered=False))
                self.marks = replace(self.marks, drawn=(*self.marks.drawn, Mark(box)))
                self._refresh(len(self.marks.all) - 1)
                return
            self._put(at, replace(mark, box=box))
        self._show()

    def _drawn(self, box: Box) -> None:
        self.marks = replace(self.marks, drawn=(*self.marks.drawn, Mark(box)))
        self._refresh(len(self.marks.all) - 1)
        announce(self, tr("A box was added; it is covered."))

    # -- what can be pressed ---------------------------------------------------------------------------------------------------

    def cover_faces(self) -> None:
        """Cover every face that was found."""
        self.marks = self.marks.covering((Kind.FACE,), True)
        self._refresh()

    def cover_text(self) -> None:
        self.marks = self.marks.covering(_WRITING, True)
        self._refresh()

    def add_box(self) -> None:
        """Put a box into the middle, to be moved from there."""
        width, height = self._size
        self._drawn(Box(width * 3 // 8, height * 3 // 8, width * 5 // 8, height * 5 // 8))
        self.canvas.setFocus()

    def remove(self) -> None:
        """Take the chosen box away; one that was found is only left uncovered."""
        at = self._current
        if at == len(self.marks.all):
            self.marks = replace(self.marks, crop=None)
        elif at >= 0:
            mark = self.marks.all[at]
            self._put(at, None if mark.kind is None else replace(mark, covered=False))
        self._refresh()

    def toggle_crop(self) -> None:
        """Begin with nine tenths of the picture, or keep the whole."""
        width, height = self._size
        whole = self.marks.crop is not None
        self.marks = replace(self.marks, crop=None if whole else Box(width // 20, height // 20, width * 19 // 20, height * 19 // 20))
        self._refresh(None if whole else len(self.marks.all))
        if not whole:
            self.canvas.setFocus()

    def start_again(self) -> None:
        self.marks = self._first
        self._refresh()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete:
            self.remove()
        else:
            super().keyPressEvent(event)


async def redact(parent: QWidget, theme: Theme, jpeg: bytes, size: tuple[int, int], marks: Marks) -> Marks | None:
    """Let the person cover and crop; None when they changed nothing. `size` is that of the upright original, which `jpeg` shows smaller."""
    image = await asyncio.get_running_loop().run_in_executor(None, decode, jpeg)
    sheet = await opened(RedactorSheet(parent, theme, image, size, marks))
    return sheet.marks if sheet.result() == QDialog.DialogCode.Accepted and sheet.marks != marks else None
