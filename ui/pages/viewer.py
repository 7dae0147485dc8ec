"""One capture: the picture, what is known of it, and where it has been."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import BinaryIO

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QImage, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QStackedWidget, QWidget

from app.errors import Explanation, EyelidError, explain
from app.events import ItemsChanged, ItemsRemoved
from app.library.types import ThumbSize
from app.vault.types import ItemId, ItemKind, ItemMeta
from ui import words
from ui.actions import export_items
from ui.context import Context
from ui.i18n import said as tr_core
from ui.i18n import tr
from ui.models.timeline import TimelineModel
from ui.pages.details import DetailsPanel
from ui.tokens import GRID
from ui.widgets.badge import StatusBadge
from ui.widgets.banner import Banners, announce
from ui.widgets.basics import button, dress, frame, label, row, tool
from ui.widgets.empty import Empty
from ui.widgets.flow import FlowLayout, flow
from ui.widgets.page import MARGIN, Page
from ui.widgets.picture import PictureView, decode
from ui.widgets.video import SEEK_MS, CannotPlay, VideoView
from ui.widgets.whence import PartnerButton

NARROW = 104 * GRID
"""Width of the page below which the tools have no room beside the title."""

Acts = dict[Qt.Key, Callable[[], object]]

AHEAD_PIXELS = 30_000_000
"""A neighbour larger than this is not decoded before it is wanted: it would take more than 120 MB."""


class ViewerPage(Page):
    """Walks the timeline it was opened from. `closed` goes back to it; `ask_about` takes this item along.

    `full_screen` tells that the window is given to the capture alone, or back; `receipt_asked` asks for the receipt of that number.
    """

    closed = Signal()
    ask_about = Signal(object)
    full_screen = Signal(bool)
    receipt_asked = Signal(int)
    _film_ready = Signal(object, object)

    def __init__(self, context: Context, timeline: TimelineModel, banners: Banners) -> None:
        super().__init__(tr("Capture"))
        self._context = context
        self._timeline = timeline
        self._banners = banners
        self._item: ItemId | None = None
        self._meta: ItemMeta | None = None
        self._ahead: dict[ItemId, QImage] = {}
        self._onwards = 1
        self.filling = False
        self._build()
        context.services.events.subscribe(ItemsChanged, self._items_changed)
        context.services.events.subscribe(ItemsRemoved, self._items_removed)

    def _build(self) -> None:
        self._make_stage()
        self._make_head()
        self._make_tools()
        self._seat_tools()
        self._context.theme.changed.connect(self._seat_tools)
        self.details = DetailsPanel(self._context)
        self.details.receipt_asked.connect(self.receipt_asked)
        self._info.toggled.connect(self.details.setVisible)
        middle = row(self._before, gap=GRID)
        middle.addWidget(self._stack, 3)
        middle.addWidget(self._after)
        middle.addWidget(self.details, 2)
        self.body.addLayout(middle, 1)

    def _make_stage(self) -> None:
        """What shows the capture, and the ways to its neighbours."""
        theme = self._context.theme
        self.picture, self.video = PictureView(), VideoView(theme)
        self.picture.zoomed.connect(self._zoomed)
        self.video.failed.connect(self._cannot_play)
        self._film_ready.connect(self._play, Qt.ConnectionType.QueuedConnection)
        self._plain = Empty(theme, "other", "", "", button(theme, tr("Export…"), self.export, icon="export"))
        self._stack = QStackedWidget()
        for part in (self.picture, self._plain, self.video):
            self._stack.addWidget(part)
        left, right = ("Right", "Left") if self.isRightToLeft() else ("Left", "Right")
        self._before = tool(theme, tr("Newer capture"), "back", partial(self.step, -1), shortcut=left)
        self._after = tool(theme, tr("Older capture"), "forward", partial(self.step, 1), shortcut=right)

    def _make_tools(self) -> None:
        theme = self._context.theme
        self._star = tool(theme, tr("Favourite"), "star", self.toggle_favourite)
        self._zoom = label("", "small")
        self._fit = tool(theme, tr("Fit to the window"), "zoom-fit", self.picture.fit, shortcut="0")
        self._full = tool(theme, tr("Full size"), "zoom-full", self.picture.full, shortcut="1")
        self._left = tool(theme, tr("Turn left"), "turn-left", partial(self.turn, -1), shortcut="L")
        self._right = tool(theme, tr("Turn right"), "turn-right", partial(self.turn, 1), shortcut="R")
        whole = tool(theme, tr("Full screen"), "full-screen", self.toggle_full_screen, shortcut="F11")
        self._info = tool(theme, tr("Details"), "info", shortcut="I")
        dress(theme, self._info, "info", on="accent")
        self._info.setCheckable(True)
        self._info.setChecked(True)
        export = tool(theme, tr("Export…"), "export", self.export)
        trash = tool(theme, tr("Move to trash"), "trash", self.trash, shortcut="Delete")
        ask = button(theme, tr("Ask…"), self.ask, icon="ask", role="primary", help=tr("Ask an assistant about this capture"))
        self.partner = PartnerButton(self._context)
        self.partner.opened.connect(self.open)
        self._looking = frame("plain", row(self._zoom, self._fit, self._full, self._left, self._right, gap=2))
        shown, kept = (frame("plain", row(*tools, gap=2)) for tools in ((whole, self._info), (self._star, export, trash)))
        self._tools = QWidget()
        self._tools.setLayout(FlowLayout(self.partner, self._looking, shown, kept, ask, gap=GRID + 4, at_end=True))

    def _make_head(self) -> None:
        """The way back, the title, and beside it whether the capture was shared."""
        self.status = StatusBadge(self._context.theme)
        self._back = self.leads_back(self._context.theme, tr("Back to all captures"), self.closed.emit, shortcut="Esc")
        self._named = flow(self.title, self.status)
        self.head.insertWidget(1, self._named)

    def _seat_tools(self) -> None:
        """Beside the title, or below it (as the badge) where the text is so large, or the window so narrow, that they would be squeezed."""
        below = self._context.theme.large or 0 < self.width() < NARROW
        self._named.setSizePolicy(QSizePolicy.Policy.Preferred if below else QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        if below:
            self.body.insertWidget(0, self._tools)
        else:
            self.head.addWidget(self._tools, 1)
            self.head.setStretchFactor(self.acts, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if (event.oldSize().width() < NARROW) != (event.size().width() < NARROW):
            self._seat_tools()

    # -- showing ---------------------------------------------------------------------------------------------------------------

    def open(self, item: ItemId) -> None:
        """Show `item`; the picture of another one is gone at once."""
        self._item, self._meta = item, None
        self.picture.forget()
        self.video.close_film()
        self._stack.setCurrentWidget(self.picture)
        self._zoomable(on=True)
        self.picture.setFocus()
        self._steps()
        self._context.tasks.start(self._opening(item), key="viewer", on_error=self._cannot_open)

    async def _opening(self, item: ItemId) -> None:
        library = self._context.services.library
        meta = await library.details(item)
        if meta.new.kind in (ItemKind.VIDEO, ItemKind.SOUND):
            self._describe(meta)
            await self._opening_film(item, sound=meta.new.kind is ItemKind.SOUND)
            return
        if meta.new.kind is not ItemKind.PHOTO:
            self._describe(meta)
            self._cannot(tr("A file from your glasses"), tr("It is safe in the vault. Export it to open it in another program."))
            return
        self._describe(meta)
        image = self._ahead.pop(item, None) or await self._decoded(item)
        if self._item != item:
            return
        if image.isNull():
            self._cannot(
                tr("This picture cannot be shown"), tr("The bytes are as the glasses sent them. Export it to try another program.")
            )
            return
        self.picture.show_image(image, meta.new.orientation)
        await self._look_ahead()

    async def _decoded(self, item: ItemId) -> QImage:
        data = await self._context.services.library.preview(item)
        return await asyncio.get_running_loop().run_in_executor(None, decode, data)

    async def _look_ahead(self) -> None:
        """Have the next picture in the direction of walking ready; of others nothing is kept."""
        at = self._timeline.row_of(self._item) if self._item is not None else None
        row = at + self._onwards if at is not None else -1
        wanted = self._timeline.tile(row) if 0 <= row < self._timeline.rowCount() else None
        self._ahead = {item: image for item, image in self._ahead.items() if wanted is not None and item == wanted.id}
        if wanted is None or wanted.kind is not ItemKind.PHOTO or wanted.id in self._ahead:
            return
        if (wanted.width or 0) * (wanted.height or 0) <= AHEAD_PIXELS:
            with contextlib.suppress(EyelidError):  # said when it is opened itself
                image = await self._decoded(wanted.id)
                if not image.isNull():
                    self._ahead[wanted.id] = image

    async def _opening_film(self, item: ItemId, *, sound: bool) -> None:
        """Show the poster at once; the player is made in a slot of its own, because Qt's players do not like coroutines."""
        library = self._context.services.library
        self.video.expect(sound=sound)
        self._stack.setCurrentWidget(self.video)
        self._zoomable(on=False)
        self.video.setFocus()
        if not sound and (poster := await library.thumbnail(item, ThumbSize.LARGE)):
            self.video.film.show_poster(await asyncio.get_running_loop().run_in_executor(None, decode, poster))
        self._film_ready.emit(item, await library.open_media(item))

    def _play(self, item: ItemId, reader: BinaryIO) -> None:
        if self._item != item:
            reader.close()
            return
        try:
            self.video.open(reader)
        except CannotPlay as error:
            self._cannot_play(explain(error))

    def _cannot_play(self, said: Explanation) -> None:
        self.video.close_film()
        self._cannot_open(said)
        announce(self, words.explained(said))

    def _zoomable(self, *, on: bool) -> None:
        self._looking.setVisible(on)

    def _describe(self, meta: ItemMeta) -> None:
        if self._meta is not None and meta.revision < self._meta.revision:  # asked for before the change, and answered after it
            return
        self._meta = meta
        self.title.setText(words.title_when(meta.new.taken_at))
        shared = tuple(dict.fromkeys(tr_core(share.company) for share in meta.shares if share.leaves_computer))
        self.status.set_shared(shared)
        name = tr("{kind}, {when}, {status}", kind=words.kind(meta.new.kind), when=self.title.text(), status=self.status.text)
        self.picture.setAccessibleName(name)
        self.video.film.setAccessibleName(name)
        star = tr("No favourite any more") if meta.favourite else tr("Favourite")
        self._star.setAccessibleName(star)
        self._star.setToolTip(star)
        dress(self._context.theme, self._star, "star-full" if meta.favourite else "star", "accent" if meta.favourite else "text")
        self.details.show_meta(meta)
        self.partner.show_meta(meta)
        announce(self, self.picture.accessibleName())

    def _cannot_open(self, said: Explanation) -> None:
        self._cannot(tr_core(said.what), " ".join(tr_core(part) for part in (said.why, said.action) if part))

    def _cannot(self, title: str, hint: str) -> None:
        self.picture.forget()
        self._plain.say(title, hint)
        self._stack.setCurrentWidget(self._plain)

    def _steps(self) -> None:
        at = self._timeline.row_of(self._item) if self._item is not None else None
        self._before.setEnabled(at is not None and at > 0)
        self._after.setEnabled(at is not None and at < self._timeline.rowCount() - 1)

    def _zoomed(self, percent: int, fitted: bool) -> None:
        self._zoom.setText("" if self.picture.empty or fitted else tr("{percent} %", percent=percent))

    def forget(self) -> None:
        self._context.tasks.cancel("viewer")
        self._ahead.clear()
        self._fill(on=False)
        self._item = self._meta = None
        self.picture.forget()
        self.video.close_film()
        self.details.forget()
        self.partner.clear()
        self.title.setText(tr("Capture"))
        self.status.set_shared(())
        self._zoom.clear()
        self.picture.setAccessibleName(tr("Picture"))

    def _items_changed(self, event: ItemsChanged) -> None:
        if self._item in event.ids:
            self._context.tasks.start(self._again(self._item), key="viewer-meta")

    async def _again(self, item: ItemId) -> None:
        meta = await self._context.services.library.details(item)
        if self._item != item:  # another one was opened meanwhile, or the vault locked
            return
        if self._meta is not None and meta.new.orientation != self._meta.new.orientation:
            self.picture.turn(meta.new.orientation)
        self._describe(meta)

    def _items_removed(self, event: ItemsRemoved) -> None:
        if self._item in event.ids and self.isVisible():
            self.closed.emit()

    # -- doing -----------------------------------------------------------------------------------------------------------------

    def step(self, by: int) -> None:
        at = self._timeline.row_of(self._item) if self._item is not None else None
        if at is not None and 0 <= at + by < self._timeline.rowCount():
            self._onwards = by
            self.open(self._timeline.tile(at + by).id)

    def ask(self) -> None:
        if self._item is not None:
            self.ask_about.emit((self._item,))

    def export(self) -> None:
        if self._item is not None:
            self._context.tasks.start(export_items(self, self._context, self._banners, (self._item,)), key="export")

    def trash(self) -> None:
        if self._item is not None:
            self._context.tasks.start(self._trashing(self._item), key="trash")

    async def _trashing(self, item: ItemId) -> None:
        said = self.partner.after_trash()
        await self._context.services.library.trash((item,))
        self._banners.good(said, (tr("Undo"), partial(self._undo, item)))

    def _undo(self, item: ItemId) -> None:
        self._context.tasks.start(self._context.services.library.restore((item,)))

    def turn(self, quarters: int) -> None:
        """Turn the picture clockwise by quarters. Only what is known of it changes, not its bytes."""
        if self._item is not None and self._stack.currentWidget() is self.picture and not self.picture.empty:
            self._context.tasks.start(self._context.services.library.rotate(self._item, quarters), key="rotate")

    def toggle_full_screen(self) -> None:
        self._fill(on=not self.filling)

    def _fill(self, *, on: bool) -> None:
        """Leave out everything but the capture, on all of the screen."""
        if on == self.filling:
            return
        self.filling = on
        for part in (self._back, self.title, self.status, self._tools, self._before, self._after):
            part.setHidden(on)
        self.details.setHidden(on or not self._info.isChecked())
        margin = 0 if on else MARGIN
        self.margins.set((margin, margin and 2 * GRID + 4, 0, margin))
        self.body_margins.set((0, 0, margin, 0))
        self.full_screen.emit(on)
        state, full = self.window().windowState(), Qt.WindowState.WindowFullScreen
        self.window().setWindowState(state | full if on else state & ~full)

    def hideEvent(self, event: QHideEvent) -> None:
        """Another page came to the front."""
        self._fill(on=False)
        super().hideEvent(event)

    def toggle_favourite(self) -> None:
        if self._meta is not None:
            self._context.tasks.start(self._context.services.library.set_favourite((self._meta.id,), not self._meta.favourite))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        shifted = event.modifiers() == Qt.KeyboardModifier.ShiftModifier
        playing = self._stack.currentWidget() is self.video
        acts = self._keys() | (self._film_keys() if playing else {}) if plain else self._seek_keys() if shifted and playing else {}
        act = acts.get(Qt.Key(event.key()))
        if act is not None:
            act()
        else:
            super().keyPressEvent(event)

    def _film_keys(self) -> Acts:
        return {
            Qt.Key.Key_Space: self.video.toggle,
            Qt.Key.Key_Comma: partial(self.video.step, -1),
            Qt.Key.Key_Period: partial(self.video.step, 1),
            Qt.Key.Key_Up: partial(self.video.louder, 5),
            Qt.Key.Key_Down: partial(self.video.louder, -5),
            Qt.Key.Key_M: self.video.toggle_sound,
        }

    def _seek_keys(self) -> Acts:
        return {
            Qt.Key.Key_Left: partial(self.video.seek_by, -SEEK_MS),
            Qt.Key.Key_Right: partial(self.video.seek_by, SEEK_MS),
        }

    def _keys(self) -> Acts:
        right = -1 if self.isRightToLeft() else 1  # towards the older ones, the way the timeline is written
        return {
            Qt.Key.Key_Escape: self.toggle_full_screen if self.filling else self.closed.emit,
            Qt.Key.Key_Backspace: self.closed.emit,
            Qt.Key.Key_Left: partial(self.step, -right),
            Qt.Key.Key_Right: partial(self.step, right),
            Qt.Key.Key_Space: partial(self.step, 1),
            Qt.Key.Key_Delete: self.trash,
            Qt.Key.Key_0: self.picture.fit,
            Qt.Key.Key_1: self.picture.full,
            Qt.Key.Key_Plus: partial(self.picture.zoom, 1.25),
            Qt.Key.Key_Minus: partial(self.picture.zoom, 0.8),
            Qt.Key.Key_I: self._info.click,
            Qt.Key.Key_L: partial(self.turn, -1),
            Qt.Key.Key_R: partial(self.turn, 1),
            Qt.Key.Key_F: self.toggle_full_screen,
            Qt.Key.Key_F11: self.toggle_full_screen,
            Qt.Key.Key_S: self.toggle_favourite,
        }
