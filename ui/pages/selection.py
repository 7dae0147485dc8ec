"""What can be done with the chosen captures: the bar below the timeline, its menu, and a way back from each of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractButton, QBoxLayout, QMenu, QWidget

from app.library.library import LONGEST_ALBUM
from app.library.types import Query, Tile
from app.vault.types import ItemId
from ui import words
from ui.actions import carry_out, export_items
from ui.bulk import in_pieces
from ui.context import Context
from ui.dialogs import ask, ask_name
from ui.i18n import plural, tr
from ui.tokens import GRID
from ui.widgets.banner import Banners, announce
from ui.widgets.basics import button, column, dress, frame, label, row
from ui.widgets.flow import FlowLayout
from ui.widgets.page import MARGIN
from ui.widgets.timeline import TimelineView

Undo = Callable[[], object]


class SelectionBar(QWidget):
    """Hidden while nothing is selected. `ask_about` carries the chosen items; `shown` tells that it came or went."""

    ask_about = Signal(object)
    shown = Signal()

    def __init__(self, context: Context, banners: Banners, view: TimelineView) -> None:
        super().__init__()
        self._context = context
        self._banners = banners
        self._view = view
        self._albums: tuple[str, ...] = ()
        self._query = Query()
        self._last: Undo | None = None
        self._build()
        self.hide()
        view.trash_asked.connect(self.delete_chosen)
        view.dragged_out.connect(self._carry_out)
        view.customContextMenuRequested.connect(self._menu)
        view.selectionModel().selectionChanged.connect(lambda *_: self.refresh())

    def _build(self) -> None:
        theme = self._context.theme
        self.count = label("", "strong")
        self._ask = button(theme, tr("Ask…"), self.ask_chosen, icon="ask", role="primary", help=tr("Ask an assistant about the selection"))
        self._export = button(theme, tr("Export…"), self.export_chosen, icon="export", help=tr("Write copies of the selection to a folder"))
        self.star = button(theme, tr("Favourite"), self.favourite_chosen, icon="star")
        self._restore = button(theme, tr("Restore"), self.restore_chosen, icon="restore")
        self._into = button(theme, tr("Album…"), self.choose_album, icon="album", help=tr("Put the selection into an album"))
        self._trash = button(theme, tr("Move to trash"), self.delete_chosen, icon="trash")
        clear = button(theme, tr("Clear selection"), self._view.clearSelection, role="quiet")
        acts = FlowLayout(self._restore, self.star, self._into, self._trash, self._export, self._ask, at_end=True)
        self._line = row(row(self.count, clear, None, gap=GRID), gap=GRID, margins=(2 * GRID, GRID, GRID, GRID))
        self._line.addLayout(acts, 1)
        self.setLayout(column(frame("bar", self._line), margins=(0, 0, 0, MARGIN)))
        theme.changed.connect(self._arrange)

    def _arrange(self) -> None:
        """What can be done stands below the count where large text leaves no room beside it."""
        directions = QBoxLayout.Direction
        self._line.setDirection(directions.TopToBottom if self._context.theme.large else directions.LeftToRight)

    def watch_undo(self, page: QWidget) -> None:
        """Ctrl+Z on `page` takes back the last change made here."""
        shortcut = QShortcut(QKeySequence(QKeySequence.StandardKey.Undo), page)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(self.undo)

    def shows(self, query: Query, albums: Sequence[str]) -> None:
        """What the timeline shows now, and which albums there are."""
        self._query, self._albums = query, tuple(albums)
        self.refresh()

    def refresh(self) -> None:
        """Say how many are chosen, and offer what can be done with them."""
        count, trashed = self._view.count_chosen(), self._query.trashed
        self.count.setText(plural(count, "{count} selected", "{count} selected"))
        for widget in (self.star, self._into, self._export, self._ask):
            widget.setVisible(not trashed)
        self._restore.setVisible(trashed)
        self._trash.setText(tr("Delete for good…") if trashed else tr("Move to trash"))
        self._trash.setAccessibleName(self._trash.text())
        starred = count > 0 and all(tile.favourite for tile in self._view.chosen())
        self.star.setText(tr("No favourite") if starred else tr("Favourite"))
        self.star.setAccessibleName(self.star.text())
        dress(self._context.theme, self.star, "star-full" if starred else "star")
        if self.isHidden() is (count > 0):
            self.setVisible(count > 0)
            self.shown.emit()

    def forget(self) -> None:
        """The vault locks."""
        self._last = None
        self.shows(Query(), ())

    def _ids(self) -> tuple[ItemId, ...]:
        return tuple(tile.id for tile in self._view.chosen())

    # -- a way back ------------------------------------------------------------------------------------------------------------

    def _done(self, text: str, undo: Undo, *, quiet: bool = False) -> None:
        """Say what was done, with a button that takes it back. `quiet`: it can be seen anyhow, so only say it to who listens."""
        self._last = undo
        if quiet:
            announce(self, text)
        else:
            self._banners.good(text, (tr("Undo"), self.undo))

    def undo(self) -> None:
        """Take back the last change."""
        last, self._last = self._last, None
        if last is not None:
            last()

    # -- what can be done ------------------------------------------------------------------------------------------------------

    def ask_chosen(self) -> None:
        if items := self._ids():
            self.ask_about.emit(items)

    def export_chosen(self) -> None:
        if items := self._ids():
            self._context.tasks.start(export_items(self.window(), self._context, self._banners, items), key="export")

    def _carry_out(self) -> None:
        if items := self._ids():
            self._context.tasks.start(carry_out(self.window(), self._context, self._banners, items), key="export")

    def favourite_chosen(self) -> None:
        chosen = tuple(self._view.chosen())
        wanted = not all(tile.favourite for tile in chosen)
        changing = tuple(tile.id for tile in chosen if tile.favourite != wanted)
        if changing:
            self._context.tasks.start(self._favouring(changing, wanted), key="favourite")

    async def _favouring(self, items: tuple[ItemId, ...], wanted: bool) -> None:
        library = self._context.services.library
        what = tr("Marking as favourites") if wanted else tr("Taking from the favourites")
        done = await in_pieces(self._banners, what, items, lambda piece: library.set_favourite(piece, wanted))
        if wanted:
            text = plural(len(done), "{count} capture is a favourite now.", "{count} captures are favourites now.")
        else:
            text = plural(len(done), "{count} capture is no favourite any more.", "{count} captures are no favourites any more.")
        self._done(text, partial(self._unfavour, done, wanted), quiet=len(done) == 1)

    def _unfavour(self, items: tuple[ItemId, ...], wanted: bool) -> None:
        library = self._context.services.library
        work = in_pieces(self._banners, tr("Undoing"), items, lambda piece: library.set_favourite(piece, not wanted))
        self._context.tasks.start(_only(work), key="favourite")

    # -- albums

    def choose_album(self) -> None:
        """Offer the albums there are, a new one, and the way out of the one that is shown."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        theme, items, shown = self._context.theme, self._ids(), self._query.album
        for name in self._albums:
            if name != shown:
                menu.addAction(theme.icon("album"), name.replace("&", "&&"), partial(self.put_in_album, items, name))
        menu.addAction(theme.icon("plus"), tr("New album…"), partial(self._new_album, items))
        if shown:
            menu.addSeparator()
            out = tr("Take out of {name}", name=shown.replace("&", "&&"))
            menu.addAction(theme.icon("close"), out, partial(self.take_from_album, items, shown))
        menu.popup(self._into.mapToGlobal(self._into.rect().topLeft()))

    def _new_album(self, items: tuple[ItemId, ...]) -> None:
        self._context.tasks.start(self._naming_album(items), key="album")

    async def _naming_album(self, items: tuple[ItemId, ...]) -> None:
        name = await ask_name(self.window(), tr("New album"), tr("Name of the album"), yes=tr("Create"), longest=LONGEST_ALBUM)
        if name:
            await self._putting(items, name)

    def put_in_album(self, items: tuple[ItemId, ...], album: str) -> None:
        self._context.tasks.start(self._putting(items, album), key="album")

    async def _putting(self, items: tuple[ItemId, ...], album: str) -> None:
        library = self._context.services.library
        there = {tile.id for tile in await library.tiles(Query(album=album), among=items)}
        new = tuple(item for item in items if item not in there)
        done = await in_pieces(self._banners, tr("Putting into the album"), new, lambda piece: library.put_in_album(piece, album))
        text = plural(len(done), "{count} capture is in {album} now.", "{count} captures are in {album} now.", album=album)
        self._done(text, partial(self._start_taking, done, album))

    def take_from_album(self, items: tuple[ItemId, ...], album: str) -> None:
        self._context.tasks.start(self._taking(items, album), key="album")

    async def _taking(self, items: tuple[ItemId, ...], album: str) -> None:
        library = self._context.services.library
        done = await in_pieces(self._banners, tr("Taking out of the album"), items, lambda piece: library.take_from_album(piece, album))
        text = plural(len(done), "{count} capture taken out of {album}.", "{count} captures taken out of {album}.", album=album)
        self._done(text, partial(self.put_in_album, done, album))

    def _start_taking(self, items: tuple[ItemId, ...], album: str) -> None:
        work = self._context.services.library.take_from_album(items, album)
        self._context.tasks.start(work, key="album")

    # -- the trash

    def delete_chosen(self) -> None:
        if items := self._ids():
            work = self._purging(items) if self._query.trashed else self._trashing(items)
            self._context.tasks.start(work, key="trash")

    async def _trashing(self, items: tuple[ItemId, ...]) -> None:
        done = await in_pieces(self._banners, tr("Moving to the trash"), items, self._context.services.library.trash)
        text = plural(len(done), "{count} capture moved to the trash.", "{count} captures moved to the trash.")
        self._done(text, partial(self._start_restoring, done))

    def restore_chosen(self) -> None:
        if items := self._ids():
            self._start_restoring(items)

    def _start_restoring(self, items: tuple[ItemId, ...]) -> None:
        self._context.tasks.start(self._restoring(items), key="trash")

    async def _restoring(self, items: tuple[ItemId, ...]) -> None:
        done = await in_pieces(self._banners, tr("Restoring"), items, self._context.services.library.restore)
        text = plural(len(done), "{count} capture restored.", "{count} captures restored.")
        announce(self, text)

    async def _purging(self, items: tuple[ItemId, ...]) -> None:
        title = plural(len(items), "Delete {count} capture for good?", "Delete {count} captures for good?")
        detail = tr("They are erased from this computer. This cannot be undone.")
        if await ask(self.window(), title, detail, yes=tr("Delete for good"), no=tr("Keep")):
            await in_pieces(self._banners, tr("Deleting for good"), items, self._context.services.library.purge)

    # -- the menu

    def _menu(self, at: QPoint) -> None:
        if chosen := tuple(self._view.chosen()):
            self.menu(chosen).popup(self._view.viewport().mapToGlobal(at))

    def menu(self, chosen: Sequence[Tile]) -> QMenu:
        """The same as the bar, beside the pointer."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        theme = self._context.theme
        if len(chosen) == 1:
            menu.addAction(theme.icon("eye"), tr("Open"), partial(self._view.opened.emit, chosen[0].id))
        day = tr("Select all of {day}", day=words.day(chosen[0].taken_at))
        for icon, text, act in (
            *((icon, part.text(), part.click) for part, icon in self._parts() if not part.isHidden()),
            ("check", day, self._view.select_current_day),
        ):
            menu.addAction(theme.icon(icon), text, act)
        return menu

    def _parts(self) -> tuple[tuple[QAbstractButton, str], ...]:
        return (
            (self._ask, "ask"),
            (self._export, "export"),
            (self.star, "star"),
            (self._into, "album"),
            (self._restore, "restore"),
            (self._trash, "trash"),
        )


async def _only(work: Awaitable[object]) -> None:
    """Await for the doing alone."""
    await work
