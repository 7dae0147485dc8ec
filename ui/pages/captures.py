"""The first screen: my captures, newest first, appearing by themselves as they arrive."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QLineEdit, QMenu, QStackedWidget, QToolButton

from app.events import ItemsAdded, ItemsChanged, ItemsRemoved, PreviewsMade
from app.library.types import Query, ThumbSize
from app.vault.types import ItemId, LockState
from ui import words
from ui.context import Context
from ui.i18n import plural, tr
from ui.models.thumbs import Thumbs
from ui.models.timeline import TimelineModel
from ui.pages.selection import SelectionBar
from ui.tokens import GRID
from ui.widgets.banner import Banners
from ui.widgets.basics import button, label, row, tool
from ui.widgets.drop import FileDrop
from ui.widgets.empty import Empty
from ui.widgets.filters import FilterBar
from ui.widgets.page import GUTTER, MARGIN, Mirrored, Page
from ui.widgets.tiles import RING
from ui.widgets.timeline import TimelineView

CALM_MS = 500
"""Arrivals within this time are shown in one go."""
MANY_PREVIEWS = 20
"""From so many on it is said that they are being made: fewer are there before anybody could read it."""

SOON_MS = 30
TYPED_MS = 200
FIRST, LARGEST_PAGE = 200, 4000
"""So many tiles at once: a screen or two, then the rest by and by in growing pieces, so that nothing waits for the whole of it."""

FEW_MONTHS = 18
"""Up to so many stand in one menu; more are put into one menu a year."""


class CapturesPage(Page):
    """`opened` carries the item to view; `ask_about` the chosen items; `pair_asked` wants the glasses page.

    `import_asked` carries paths that were dropped, or none, to choose.
    """

    opened = Signal(str)
    ask_about = Signal(object)
    pair_asked = Signal()
    import_asked = Signal(object)

    def __init__(self, context: Context, loop: asyncio.AbstractEventLoop, banners: Banners) -> None:
        super().__init__(tr("Captures"))
        self._context = context
        self._banners = banners
        self.model = TimelineModel(self)
        self.thumbs = Thumbs(loop, self._thumbnail, self)
        self.view = TimelineView(context.theme, self.thumbs, self.model)
        self.view.set_tile_size(context.memory.tile_size)
        self.filters = FilterBar(context.theme)
        self.selection = SelectionBar(context, banners, self.view)
        self._whole = False
        self._previews: PreviewsMade | None = None
        self._waiting: dict[ItemId, ItemsAdded | ItemsChanged | ItemsRemoved] = {}  # with the last that was heard of each
        self._refresh = QTimer(self, singleShot=True)
        self._refresh.timeout.connect(self.reload)
        self._arrival = QTimer(self, singleShot=True)
        self._arrival.timeout.connect(self._bring_in)
        self._calm = QTimer(self, singleShot=True, interval=CALM_MS)
        self._build()
        self._shortcuts()
        events = context.services.events
        events.subscribe(ItemsAdded, self._items)
        events.subscribe(ItemsChanged, self._items)
        events.subscribe(ItemsRemoved, self._items)
        events.subscribe(PreviewsMade, self._previews_made)

    # -- layout ----------------------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self._make_head()
        self._make_places()
        # The tiles keep room for their focus ring; everything else moves so that pictures and title are in line.
        self.margins.set((MARGIN - RING, 2 * GRID + 4, 0, 0))
        self.body_margins.set((0, 0, MARGIN - RING - GUTTER, 0))
        above, below = row(self.filters), row(self.selection)
        for line in (above, below):
            Mirrored(self, line, (RING, 0, RING + GUTTER, 0))
        self.body.addLayout(above)
        self.body.addWidget(self._stack, 1)
        self.body.addLayout(below)
        self.filters.changed.connect(self._filtered)
        self.view.opened.connect(self.opened)
        self.view.sized.connect(lambda size: setattr(self._context.memory, "tile_size", size))
        self.selection.ask_about.connect(self.ask_about)
        self.selection.shown.connect(self._make_room)
        self._context.theme.changed.connect(self._make_room)
        FileDrop(self, self.import_asked.emit)

    def _make_room(self) -> None:
        """Large text leaves no room for all of it: the days tell their counts, and the filters give way to what is to be done."""
        large = self._context.theme.large
        self.count.setHidden(large)
        self.filters.setHidden(large and not self.selection.isHidden())

    def _make_head(self) -> None:
        """The count beside the title, and what can be done with all of it."""
        theme = self._context.theme
        self.count = label("", tone="muted")
        self.head.insertSpacing(0, RING)
        self.head.insertSpacing(2, GRID)
        self.head.insertWidget(3, self.count)
        self._search = QLineEdit()
        self._search.setPlaceholderText(tr("Search notes, dates, answers"))
        self._search.setAccessibleName(tr("Search captures"))
        self._search.setClearButtonEnabled(True)
        self._search.setMinimumWidth(34 * GRID)
        self._search.textChanged.connect(lambda _text: self._refresh.start(TYPED_MS))
        self._jump = tool(theme, tr("Go to a month"), "calendar", self.choose_month, shortcut="Ctrl+G")
        self._sizes = tool(theme, tr("Size of the pictures"), "size", self._choose_size, shortcut="Ctrl++, Ctrl+-")
        bring = tool(theme, tr("Import captures…"), "import", self.import_captures, shortcut="Ctrl+I")
        for widget in (bring, self._jump, self._sizes, self._search):
            self.acts.addWidget(widget)

    def _make_places(self) -> None:
        """The timeline, and what stands in its place while there is nothing in it."""
        theme = self._context.theme
        hint = tr("Photos from your glasses appear here by themselves, sealed on this computer.")
        pair = button(theme, tr("Pair glasses"), self.pair_asked.emit, icon="glasses", role="primary")
        files = button(theme, tr("Import captures…"), self.import_captures, icon="import")
        self._empty = Empty(theme, "captures", tr("No captures yet"), hint, pair, files)
        all_again = button(theme, tr("Show all"), self._show_all)
        self._nothing = Empty(theme, "search", tr("Nothing matches"), tr("Choose another filter or other words."), all_again)
        self._stack = QStackedWidget()
        for page in (self.view, self._empty, self._nothing):
            self._stack.addWidget(page)
        self._stack.setCurrentWidget(self._empty)
        self._stack.setMinimumHeight(10 * GRID)

    def _shortcuts(self) -> None:
        self.selection.watch_undo(self)
        for keys, act in (("Ctrl+G", self.choose_month), ("Ctrl+I", self.import_captures), ("F5", self.reload)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(act)

    # -- what is shown ---------------------------------------------------------------------------------------------------------

    def entered(self) -> None:
        if not self._whole:
            self.reload()
        self.view.setFocus()

    def forget(self) -> None:
        for timer in (self._refresh, self._arrival):
            timer.stop()
        for key in ("tiles", "arrivals"):
            self._context.tasks.cancel(key)
        self._whole = False
        self._waiting.clear()
        self.thumbs.forget()
        self.model.clear()
        self._search.clear()
        self._refresh.stop()
        self._previews = None
        self.count.clear()
        self.filters.clear()
        self.selection.forget()
        self._stack.setCurrentWidget(self._empty)

    def focus_search(self) -> None:
        self._search.setFocus()
        self._search.selectAll()

    def export_chosen(self) -> None:
        self.selection.export_chosen()

    @property
    def query(self) -> Query:
        """What is to be shown now."""
        return replace(self.filters.query, text=self._search.text().strip())

    def _filtered(self) -> None:
        self.view.clearSelection()
        self._refresh.start(0)

    def _show_all(self) -> None:
        self._search.clear()
        self.filters.chips["all"].click()

    def reload(self) -> None:
        """Ask the library for all of it anew."""
        self._refresh.stop()
        if self._context.services.vault.state is LockState.UNLOCKED:
            self._context.tasks.start(self._loading(self.query), key="tiles", again=self.reload)

    async def _loading(self, query: Query) -> None:
        """A first page at once, then the others; what happens meanwhile is brought in afterwards."""
        library = self._context.services.library
        self._whole = False
        self._waiting.clear()
        page = await library.tiles(query, limit=FIRST)
        self.model.show(page)
        self.view.scrollToTop()
        self._shown(query)
        await self._list(query)
        size = FIRST
        while len(page) == size:
            size = min(4 * size, LARGEST_PAGE)
            page = await library.tiles(query, after=page[-1].id, limit=size)
            self.model.extend(page)
        self._whole = True
        self._say_count()
        if self._waiting:
            self._arrival.start(SOON_MS)

    async def _list(self, query: Query) -> None:
        """Offer the albums and glasses there are; when the album shown has emptied, all is shown again."""
        library = self._context.services.library
        albums = await library.albums()
        self.filters.list_albums(albums)
        self.filters.list_glasses(await library.glasses())
        self.selection.shows(query, [name for name, _count in albums])
        if self.query != query:
            self._refresh.start(0)

    def _items(self, event: ItemsAdded | ItemsChanged | ItemsRemoved) -> None:
        """Captures came, went or changed. The first of a burst is shown at once, the rest together."""
        if isinstance(event, ItemsChanged):
            self.thumbs.changed(event.ids)
        self._waiting.update(dict.fromkeys(event.ids, event))
        if not self._arrival.isActive():
            self._arrival.start(max(SOON_MS, self._calm.remainingTime()))

    def _bring_in(self) -> None:
        if self._whole and self._waiting and self._context.services.vault.state is LockState.UNLOCKED:
            self._calm.start()
            self._context.tasks.start(self._updating(self.query), key="arrivals", again=self.reload)

    async def _updating(self, query: Query) -> None:
        waiting = dict(self._waiting)
        found = await self._context.services.library.tiles(query, among=tuple(waiting))
        if query == self.query and self._whole:
            # What was heard of again meanwhile is asked for again: the answer may be older.
            self._waiting = {item: event for item, event in self._waiting.items() if event is not waiting.get(item)}
            at_top = self.view.verticalScrollBar().value() == 0
            self.model.update(waiting, found)
            if at_top:
                self.view.scrollToTop()
            self._shown(query)
            await self._list(query)

    def _shown(self, query: Query) -> None:
        """There are captures, or the page says why not and what to do."""
        tiles = self.model.rowCount()
        first = bool(tiles) and self._stack.currentWidget() is not self.view
        self._stack.setCurrentWidget(self.view if tiles else self._empty if query == Query() else self._nothing)
        if not tiles and query.trashed and not query.text:
            text = tr("What you move here stays for 30 days, then it is deleted for good.")
            self._nothing.say(tr("The trash is empty"), text, icon="trash")
        elif not tiles:
            self._nothing.say(tr("Nothing matches"), tr("Choose another filter or other words."), icon="search")
        self.selection.refresh()
        self._say_count()
        if first and self.isVisible() and not self._search.hasFocus():
            self.view.setFocus()

    def _previews_made(self, event: PreviewsMade) -> None:
        """Said beside the count while it goes on, if it goes on for a while."""
        self._previews = event if MANY_PREVIEWS <= event.total != event.done else None
        self._say_count()

    def _say_count(self) -> None:
        count, made = self.model.rowCount(), self._previews
        captures = plural(count, "{count} capture", "{count} captures") if count and self._whole else ""
        if captures and made is not None:
            done, total = words.number(made.done), words.number(made.total)
            captures = tr("{captures}; making previews, {done} of {total}", captures=captures, done=done, total=total)
        self.count.setText(captures)
        self._jump.setEnabled(count > 0)

    async def _thumbnail(self, item: ItemId, edge: int) -> bytes | None:
        size = ThumbSize.SMALL if edge <= ThumbSize.SMALL * 3 // 4 else ThumbSize.LARGE
        return await self._context.services.library.thumbnail(item, size)

    # -- going there -----------------------------------------------------------------------------------------------------------

    def choose_month(self) -> None:
        """Offer the months that have captures; choosing one brings its newest day to the top."""
        self.months().popup(self._jump.mapToGlobal(self._jump.rect().bottomLeft()))

    def months(self) -> QMenu:
        """A menu of the months in the timeline, in one menu a year where there are many."""
        menu = self._menu(self._jump)
        found: dict[tuple[int, int], tuple[int, int]] = {}
        for day in self.model.days():
            first, count = found.get((day.date.year, day.date.month), (day.first, 0))
            found[day.date.year, day.date.month] = (first, count + day.count)
        inside: dict[int, QMenu] = {}
        for (year, month), (first, count) in found.items():
            if len(found) > FEW_MONTHS and year not in inside:
                inside[year] = menu.addMenu(str(year))
            inside.get(year, menu).addAction(words.month(year, month, count), partial(self.view.go_to_row, first))
        return menu

    def _choose_size(self) -> None:
        menu = self._menu(self._sizes)
        for size, text in enumerate((tr("Small"), tr("Medium"), tr("Large"))):
            act = menu.addAction(text, partial(self.view.set_tile_size, size))
            act.setCheckable(True)
            act.setChecked(size == self.view.tile_size)
        menu.popup(self._sizes.mapToGlobal(self._sizes.rect().bottomLeft()))

    def _menu(self, above: QToolButton) -> QMenu:
        menu = QMenu(above)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.aboutToHide.connect(above.setFocus)
        return menu

    def import_captures(self) -> None:
        """Let a person choose what to take in. (Or drop it anywhere on the page.)"""
        self.import_asked.emit(())
