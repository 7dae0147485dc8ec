"""The first screen: my captures, newest first, appearing by themselves as they arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QButtonGroup, QComboBox, QFrame, QLineEdit, QMenu, QPushButton, QStackedWidget

from app.events import ItemsAdded, ItemsChanged, ItemsRemoved
from app.library.library import LONGEST_ALBUM
from app.library.types import Query, Sharing, ThumbSize, Tile
from app.vault.types import ItemId, ItemKind, LockState
from ui import words
from ui.actions import export_items
from ui.context import Context
from ui.dialogs import ask, ask_name
from ui.i18n import plural, tr
from ui.models.thumbs import Thumbs
from ui.models.timeline import TimelineModel
from ui.tokens import GRID
from ui.widgets.banner import Banners
from ui.widgets.basics import button, dress, frame, label, row
from ui.widgets.empty import Empty
from ui.widgets.flow import FlowLayout
from ui.widgets.page import GUTTER, MARGIN, Page
from ui.widgets.timeline import RING, TimelineView

CALM_MS = 1000
"""Arrivals within this time are shown in one go, because a grid lays itself out anew for each."""

SOON_MS = 60


def _filters() -> tuple[tuple[str, Query], ...]:
    return (
        (tr("All"), Query()),
        (tr("Photos"), Query(kinds=frozenset({ItemKind.PHOTO}))),
        (tr("Videos"), Query(kinds=frozenset({ItemKind.VIDEO}))),
        (tr("Favourites"), Query(favourites=True)),
        (tr("Private"), Query(sharing=Sharing.PRIVATE)),
        (tr("Shared"), Query(sharing=Sharing.SHARED)),
        (tr("Trash"), Query(trashed=True)),
    )


class CapturesPage(Page):
    """`opened` carries the item to view and the row order; `ask_about` the chosen items; `pair_asked` wants the glasses page."""

    opened = Signal(str)
    ask_about = Signal(object)
    pair_asked = Signal()

    def __init__(self, context: Context, loop: asyncio.AbstractEventLoop, banners: Banners) -> None:
        super().__init__(tr("Captures"))
        self._context = context
        self._banners = banners
        self.model = TimelineModel(self)
        self.thumbs = Thumbs(loop, lambda item: context.services.library.thumbnail(item, ThumbSize.LARGE), self)
        self.view = TimelineView(context.theme, self.thumbs, self.model)
        self._query = Query()
        self._refresh = QTimer(self, singleShot=True)
        self._refresh.timeout.connect(self._load)
        self._calm = QTimer(self, singleShot=True, interval=CALM_MS)
        self._build()
        events = context.services.events
        events.subscribe(ItemsAdded, self._items_added)
        events.subscribe(ItemsChanged, self._items_changed)
        events.subscribe(ItemsRemoved, self._items_removed)

    # -- layout ----------------------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        theme = self._context.theme
        self._search = QLineEdit()
        self._search.setPlaceholderText(tr("Search notes, dates, answers"))
        self._search.setAccessibleName(tr("Search captures"))
        self._search.setClearButtonEnabled(True)
        self._search.setMinimumWidth(34 * GRID)
        self._search.textChanged.connect(lambda _text: self._refresh.start(200))
        self.acts.addWidget(self._search)
        self._chips = QButtonGroup(self)
        # The tiles keep room for their focus ring; everything else moves so that pictures and title are in line.
        self.whole.setContentsMargins(MARGIN - RING, 2 * GRID + 4, 0, MARGIN)
        self.body.setContentsMargins(0, 0, MARGIN - RING - GUTTER, 0)
        inset = (RING, 0, RING + GUTTER, 0)
        self.head.insertSpacing(0, RING)
        chips = FlowLayout()
        for number, (name, _query) in enumerate(_filters()):
            chip = QPushButton(name)
            chip.setProperty("role", "chip")
            chip.setCheckable(True)
            chip.setAutoDefault(False)
            chip.setAccessibleName(tr("Show: {filter}", filter=name))
            self._chips.addButton(chip, number)
            chips.addWidget(chip)
        self._chips.button(0).setChecked(True)
        self._chips.idClicked.connect(self._filter)
        self._make_albums()
        chips.addWidget(self._albums)
        self._day = label("", tone="muted")
        self.head.insertSpacing(2, GRID)
        self.head.insertWidget(3, self._day)
        self.body.addLayout(row(chips, margins=inset))
        hint = tr("Photos from your glasses appear here by themselves, sealed on this computer.")
        pair = button(theme, tr("Pair glasses"), self.pair_asked.emit, icon="glasses", role="primary")
        self._empty = Empty(theme, "captures", tr("No captures yet"), hint, pair)
        self._nothing = Empty(theme, "search", tr("Nothing matches"), tr("Choose another filter or other words."))
        self._stack = QStackedWidget()
        for page in (self.view, self._empty, self._nothing):
            self._stack.addWidget(page)
        self._stack.setCurrentWidget(self._empty)
        self.body.addWidget(self._stack, 1)
        self.body.addLayout(row(self._selection_bar(), margins=inset))
        self.view.opened.connect(self.opened)
        self.view.trash_asked.connect(self.delete_chosen)
        self.view.top_changed.connect(self._top)
        self.view.customContextMenuRequested.connect(self._menu)
        self.view.selectionModel().selectionChanged.connect(lambda *_: self._selected())

    def _make_albums(self) -> None:
        """Hidden while there is no album."""
        self._albums = QComboBox()
        self._albums.setAccessibleName(tr("Album"))
        self._albums.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._albums.addItem(tr("All albums"), "")
        self._albums.activated.connect(lambda _index: self._refresh.start(0))
        self._albums.hide()

    def _selection_bar(self) -> QFrame:
        theme = self._context.theme
        self._count = label("", "strong")
        self._ask = button(theme, tr("Ask…"), self.ask_chosen, icon="ask", role="primary", help=tr("Ask an assistant about the selection"))
        self._export = button(theme, tr("Export…"), self.export_chosen, icon="export", help=tr("Write copies of the selection to a folder"))
        self._star = button(theme, tr("Favourite"), self.favourite_chosen, icon="star")
        self._restore = button(theme, tr("Restore"), self.restore_chosen, icon="restore")
        self._into = button(theme, tr("Album…"), self.choose_album, icon="album", help=tr("Put the selection into an album"))
        self._trash = button(theme, tr("Move to trash"), self.delete_chosen, icon="trash")
        clear = button(theme, tr("Clear selection"), self.view.clearSelection, role="quiet")
        acts = FlowLayout(self._restore, self._star, self._into, self._trash, self._export, self._ask, at_end=True)
        line = row(self._count, clear, gap=GRID, margins=(2 * GRID, GRID, GRID, GRID))
        line.addLayout(acts, 1)
        self._bar = frame("bar", line)
        self._bar.hide()
        return self._bar

    # -- what is shown ---------------------------------------------------------------------------------------------------------

    def entered(self) -> None:
        self._refresh.start(0)
        self.view.setFocus()

    def forget(self) -> None:
        self._refresh.stop()
        self._context.tasks.cancel("tiles")
        self.thumbs.forget()
        self.model.clear()
        self._search.clear()
        self._refresh.stop()
        self._day.clear()
        self._chips.button(0).setChecked(True)
        self._query = Query()
        self._list_albums(())
        self._stack.setCurrentWidget(self._empty)

    def focus_search(self) -> None:
        self._search.setFocus()
        self._search.selectAll()

    def _filter(self, number: int) -> None:
        self._query = _filters()[number][1]
        self.view.clearSelection()
        self._refresh.start(0)

    def _load(self) -> None:
        if self._context.services.vault.state is not LockState.UNLOCKED:
            return
        self._context.tasks.start(self._loading(), key="tiles", again=self._load)

    async def _loading(self) -> None:
        library = self._context.services.library
        self._list_albums(await library.albums())
        query = replace(self._query, text=self._search.text().strip(), album=self._album)
        self._show(await library.tiles(query), query)

    @property
    def _album(self) -> str:
        """The album that is shown; empty for all."""
        return str(self._albums.currentData() or "")

    def _list_albums(self, albums: Sequence[tuple[str, int]]) -> None:
        """Offer the albums there are now; one that has emptied is left."""
        shown = self._album
        self._albums.clear()
        self._albums.addItem(tr("All albums"), "")
        for name, count in albums:
            self._albums.addItem(self._context.theme.icon("album"), tr("{name} ({count})", name=name, count=count), name)
        self._albums.setCurrentIndex(max(0, self._albums.findData(shown)))
        self._albums.setVisible(bool(albums))

    def _show(self, tiles: Sequence[Tile], query: Query) -> None:
        at_top = self.view.verticalScrollBar().value() == 0
        self.model.show(tiles)
        if at_top:
            self.view.scrollToTop()
        first = bool(tiles) and self._stack.currentWidget() is not self.view
        whole = query == Query()
        self._stack.setCurrentWidget(self.view if tiles else self._empty if whole else self._nothing)
        if not tiles and query.trashed and not query.text:
            self._nothing.say(tr("The trash is empty"), tr("What you move here stays for 30 days, then it is deleted for good."))
        elif not tiles:
            self._nothing.say(tr("Nothing matches"), tr("Choose another filter or other words."))
        self._selected()
        if first and self.isVisible() and not self._search.hasFocus():
            self.view.setFocus()

    def _items_added(self, event: ItemsAdded) -> None:
        self._arrivals()

    def _items_removed(self, event: ItemsRemoved) -> None:
        self._refresh.start(SOON_MS)

    def _items_changed(self, event: ItemsChanged) -> None:
        self.thumbs.drop(event.ids)
        self._refresh.start(SOON_MS)

    def _arrivals(self) -> None:
        """Show the first of a burst at once, the rest together."""
        if self._refresh.isActive():
            return
        self._refresh.start(max(SOON_MS, self._calm.remainingTime()))
        self._calm.start()

    def _top(self, tile: Tile) -> None:
        self._day.setText(words.day(tile.taken_at))

    def _selected(self) -> None:
        chosen = self.view.chosen()
        self._count.setText(plural(len(chosen), "{count} selected", "{count} selected"))
        self._bar.setVisible(bool(chosen))
        trashed = self._query.trashed
        for widget in (self._star, self._into, self._export, self._ask):
            widget.setVisible(not trashed)
        self._restore.setVisible(trashed)
        self._trash.setText(tr("Delete for good…") if trashed else tr("Move to trash"))
        self._trash.setAccessibleName(self._trash.text())
        starred = bool(chosen) and all(tile.favourite for tile in chosen)
        self._star.setText(tr("No favourite") if starred else tr("Favourite"))
        self._star.setAccessibleName(self._star.text())
        dress(self._context.theme, self._star, "star-full" if starred else "star")

    # -- what can be done ------------------------------------------------------------------------------------------------------

    def _ids(self) -> tuple[ItemId, ...]:
        return tuple(tile.id for tile in self.view.chosen())

    def ask_chosen(self) -> None:
        if items := self._ids():
            self.ask_about.emit(items)

    def export_chosen(self) -> None:
        if items := self._ids():
            self._context.tasks.start(export_items(self, self._context, self._banners, items), key="export")

    def favourite_chosen(self) -> None:
        chosen = self.view.chosen()
        wanted = not all(tile.favourite for tile in chosen)
        self._context.tasks.start(self._context.services.library.set_favourite(tuple(tile.id for tile in chosen), wanted))

    def choose_album(self) -> None:
        """Offer the albums there are, a new one, and the way out of the one that is shown."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        theme, items = self._context.theme, self._ids()
        for index in range(1, self._albums.count()):
            name = str(self._albums.itemData(index))
            if name != self._album:
                menu.addAction(theme.icon("album"), name.replace("&", "&&"), partial(self.put_in_album, items, name))
        menu.addAction(theme.icon("plus"), tr("New album…"), partial(self._new_album, items))
        if self._album:
            menu.addSeparator()
            out = tr("Take out of {name}", name=self._album.replace("&", "&&"))
            menu.addAction(theme.icon("close"), out, partial(self.take_from_album, items, self._album))
        menu.popup(self._into.mapToGlobal(self._into.rect().topLeft()))

    def _new_album(self, items: tuple[ItemId, ...]) -> None:
        self._context.tasks.start(self._naming_album(items), key="album")

    async def _naming_album(self, items: tuple[ItemId, ...]) -> None:
        if name := await ask_name(self, tr("New album"), tr("Name of the album"), yes=tr("Create"), longest=LONGEST_ALBUM):
            await self._putting(items, name)

    def put_in_album(self, items: tuple[ItemId, ...], album: str) -> None:
        self._context.tasks.start(self._putting(items, album), key="album")

    async def _putting(self, items: tuple[ItemId, ...], album: str) -> None:
        await self._context.services.library.put_in_album(items, album)
        text = plural(len(items), "{count} capture is in {album} now.", "{count} captures are in {album} now.", album=album)
        self._banners.good(text, (tr("Undo"), partial(self.take_from_album, items, album)))

    def take_from_album(self, items: tuple[ItemId, ...], album: str) -> None:
        self._context.tasks.start(self._context.services.library.take_from_album(items, album), key="album")

    def delete_chosen(self) -> None:
        if items := self._ids():
            work = self._purging(items) if self._query.trashed else self._trashing(items)
            self._context.tasks.start(work, key="trash")

    async def _trashing(self, items: tuple[ItemId, ...]) -> None:
        await self._context.services.library.trash(items)
        text = plural(len(items), "{count} capture moved to the trash.", "{count} captures moved to the trash.")
        self._banners.good(text, (tr("Undo"), partial(self._undo, items)))

    def _undo(self, items: tuple[ItemId, ...]) -> None:
        self._context.tasks.start(self._restoring(items))

    def restore_chosen(self) -> None:
        if items := self._ids():
            self._context.tasks.start(self._restoring(items), key="trash")

    async def _restoring(self, items: tuple[ItemId, ...]) -> None:
        await self._context.services.library.restore(items)
        self._refresh.start(SOON_MS)

    async def _purging(self, items: tuple[ItemId, ...]) -> None:
        title = plural(len(items), "Delete {count} capture for good?", "Delete {count} captures for good?")
        detail = tr("They are erased from this computer. This cannot be undone.")
        if await ask(self, title, detail, yes=tr("Delete for good"), no=tr("Keep")):
            await self._context.services.library.purge(items)

    def _menu(self, at: QPoint) -> None:
        chosen = self.view.chosen()
        if not chosen:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        theme = self._context.theme
        if len(chosen) == 1:
            menu.addAction(theme.icon("eye"), tr("Open"), partial(self.opened.emit, chosen[0].id))
        for widget, icon in (
            (self._ask, "ask"),
            (self._export, "export"),
            (self._star, "star"),
            (self._into, "album"),
            (self._restore, "restore"),
            (self._trash, "trash"),
        ):
            if not widget.isHidden():
                menu.addAction(theme.icon(icon), widget.text(), widget.click)
        menu.popup(self.view.viewport().mapToGlobal(at))
