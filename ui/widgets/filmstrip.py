"""Choosing the frames of a video that go: a strip of stills, evenly spread, each switched on or off. No sound goes with them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import QDialog, QToolButton, QWidget

from app.media.frames import FRAMES, MAX_FRAMES, Frame
from app.vault.types import ItemId
from ui import words
from ui.context import Context
from ui.dialogs import opened
from ui.i18n import plural, tr
from ui.theme import Theme, set_role
from ui.tokens import GRID
from ui.widgets.basics import button, label
from ui.widgets.flow import flow
from ui.widgets.picture import decode
from ui.widgets.sheet import Sheet

EDGE = 144


class FrameButton(QToolButton):
    """One still, checked when it goes."""

    def __init__(self, frame: Frame, image: QImage, number: int, count: int) -> None:
        super().__init__()
        self.frame = frame
        set_role(self, "frame")
        self.setCheckable(True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self.setIconSize(QSize(EDGE, EDGE * 3 // 4))
        self.setIcon(QIcon(QPixmap.fromImage(image)))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._time = stamp(frame.at_ms)
        self.setText(self._time)
        self.setAccessibleName(tr("Frame {number} of {count}, at {time}", number=number, count=count, time=self._time))
        self.toggled.connect(self._say)

    def _say(self, on: bool) -> None:
        self.setText(tr("{time} ✓", time=self._time) if on else self._time)


def stamp(at_ms: int) -> str:
    """The time of a frame, to a tenth of a second: neighbours in a short clip would look the same otherwise."""
    return tr("{time}.{tenth}", time=words.duration(at_ms), tenth=at_ms % 1000 // 100)


class FilmstripSheet(Sheet):
    """`times` are those of the frames that are switched on."""

    def __init__(self, parent: QWidget, theme: Theme, frames: Sequence[Frame], images: Sequence[QImage], chosen: Sequence[int]) -> None:
        super().__init__(parent, tr("Choose the frames to send"), wide=theme.scaled(116 * GRID))
        said = tr("Only these stills can go, at most {count}. No sound goes, and nothing of the video besides.", count=MAX_FRAMES)
        self.body.addWidget(label(said, tone="muted", wrap=True))
        count = len(frames)
        self.buttons = [
            FrameButton(frame, image, number, count) for number, (frame, image) in enumerate(zip(frames, images, strict=True), 1)
        ]
        for one in self.buttons:
            one.setChecked(one.frame.at_ms in chosen)
            one.toggled.connect(lambda _on: self._count())
        self.body.addWidget(flow(*self.buttons))
        self.body.addStretch(1)
        self.said = label("", "strong")
        self.foot.insertWidget(0, self.said)
        self.foot.insertWidget(1, button(theme, tr("None"), self._none, role="quiet", name=tr("Switch all frames off")))
        keep, self.use = self.choice(tr("Cancel")), self.choice("")
        keep.clicked.connect(self.reject)
        self.use.clicked.connect(self.accept)
        keep.setDefault(True)
        self._count()

    @property
    def times(self) -> tuple[int, ...]:
        return tuple(one.frame.at_ms for one in self.buttons if one.isChecked())

    def _none(self) -> None:
        for one in self.buttons:
            one.setChecked(False)

    def _count(self) -> None:
        count = len(self.times)
        self.said.setText(tr("{count} of {all} chosen", count=count, all=len(self.buttons)))
        self.use.setText(plural(count, "Use {count} frame", "Use {count} frames"))
        self.use.setAccessibleName(self.use.text())
        self.use.setEnabled(0 < count <= MAX_FRAMES)


async def choose_frames(parent: QWidget, context: Context, item: ItemId, chosen: Sequence[int]) -> tuple[int, ...]:
    """Let the person choose frames of a video; none when they did not. `chosen` are switched on, or the usual few."""
    sharing, loop = context.services.sharing, asyncio.get_running_loop()
    frames = list(await sharing.filmstrip(item, MAX_FRAMES))
    known = {frame.at_ms for frame in frames}
    if chosen and not known.issuperset(chosen):
        # The few that go by default lie between those of the strip: they are shown too, in the place of their neighbours.
        usual = [frame for frame in await sharing.filmstrip(item, max(1, min(FRAMES, len(chosen)))) if frame.at_ms in chosen]
        frames = sorted((*usual, *frames), key=lambda frame: frame.at_ms)
        frames = _thinned(frames, {frame.at_ms for frame in usual})
    images = [await loop.run_in_executor(None, decode, frame.jpeg) for frame in frames]
    sheet = await opened(FilmstripSheet(parent, context.theme, frames, images, chosen))
    return sheet.times if sheet.result() == QDialog.DialogCode.Accepted else ()


def _thinned(frames: list[Frame], keep: set[int]) -> list[Frame]:
    """At most so many frames as may be chosen, none of `keep` left out."""
    while len(frames) > MAX_FRAMES:
        droppable = [number for number in range(1, len(frames)) if frames[number].at_ms not in keep]
        nearest = min(droppable, key=lambda number: frames[number].at_ms - frames[number - 1].at_ms)
        del frames[nearest]
    return frames
