"""The captures that a question is about: a strip of small pictures, each of which can be left out, and of a video the frames chosen."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QWidget

from app.library.types import ThumbSize
from app.vault.types import ItemId, ItemKind
from ui import words
from ui.context import Context
from ui.i18n import plural, tr
from ui.models.thumbs import decode_cover
from ui.theme import set_role
from ui.tokens import GRID
from ui.widgets.basics import boxed, button, clear_layout, column, picture_well, row, tool
from ui.widgets.page import GUTTER

EDGE = 96


class Shelf(QScrollArea):
    """`left_out` carries the capture to leave out, `frames_asked` the video whose frames are to be chosen."""

    left_out = Signal(str)
    frames_asked = Signal(str)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.strip: QHBoxLayout = row(gap=GRID)
        inner = QWidget()
        set_role(inner, "plain")
        inner.setLayout(self.strip)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setWidget(inner)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def clear(self) -> None:
        clear_layout(self.strip)

    async def fill(self, items: Sequence[ItemId], times: Mapping[ItemId, Sequence[int]]) -> None:
        """Show these; `times` has the frames chosen of videos."""
        library = self._context.services.library
        videos = False
        made = []
        for number, item in enumerate(items, 1):
            meta, data = await library.details(item), await library.thumbnail(item, ThumbSize.SMALL)
            name = tr("{kind} {number}, {when}", kind=words.kind(meta.new.kind), number=number, when=words.when(meta.new.taken_at))
            image = await asyncio.get_running_loop().run_in_executor(None, decode_cover, data, EDGE) if data else None
            picture = self._picture(item, number, name)
            if image is not None:
                picture.setPixmap(QPixmap.fromImage(image))
            film = meta.new.kind is ItemKind.VIDEO
            videos = videos or film
            made.append(self._with_frames(picture, item, number, times.get(item, ())) if film else picture)
        self.clear()
        for each in made:
            self.strip.addWidget(each, 0, Qt.AlignmentFlag.AlignTop)
        self.strip.addStretch(1)
        self.setFixedHeight(EDGE + GUTTER + (self._context.theme.scaled(5 * GRID) if videos else 0))

    def _picture(self, item: ItemId, number: int, name: str) -> QLabel:
        picture = picture_well(QSize(EDGE, EDGE))
        picture.setAccessibleName(name)
        picture.setToolTip(name)
        remove = tool(
            self._context.theme,
            tr("Leave out capture {number}", number=number),
            "close",
            partial(self.left_out.emit, str(item)),
            on_picture=True,
        )
        remove.setParent(picture)
        remove.ensurePolished()
        remove.move(EDGE - remove.sizeHint().width() - 4, 4)
        return picture

    def _with_frames(self, picture: QLabel, item: ItemId, number: int, times: Sequence[int]) -> QWidget:
        """A video is never sent whole: its frames are."""
        text = plural(len(times), "{count} frame…", "{count} frames…") if times else tr("Frames…")
        name = tr("Choose the frames of video {number}", number=number)
        choose = button(self._context.theme, text, partial(self.frames_asked.emit, str(item)), role="link", name=name)
        return boxed(column(picture, choose, gap=2))
