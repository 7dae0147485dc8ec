"""The timeline of captures as a list model, newest first. Holds tiles (no pictures) and keeps rows steady when captures arrive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.library.types import Tile
from app.vault.types import ItemId
from ui import words

Index = QModelIndex | QPersistentModelIndex
TILE = Qt.ItemDataRole.UserRole + 1
"""The tile itself."""

MOST_RUNS = 32
"""Changes in more places than this (another filter, say) start the view anew, which is then quicker."""


class TimelineModel(QAbstractListModel):
    """Rows of tiles. `show` moves from the tiles held to the tiles given with the fewest, batched changes."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tiles: list[Tile] = []
        self._rows: dict[ItemId, int] = {}

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        return 0 if parent.isValid() else len(self._tiles)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._tiles):
            return None
        tile = self._tiles[index.row()]
        made = _ROLES.get(role)
        return made(tile) if made is not None else None

    def tile(self, row: int) -> Tile:
        return self._tiles[row]

    def tiles(self) -> tuple[Tile, ...]:
        return tuple(self._tiles)

    def row_of(self, item: ItemId) -> int | None:
        return self._rows.get(item)

    def clear(self) -> None:
        self.beginResetModel()
        self._tiles, self._rows = [], {}
        self.endResetModel()

    def show(self, tiles: Sequence[Tile]) -> None:
        """Hold exactly `tiles`. Selection and scroll position survive, because survivors keep their rows' identity."""
        wanted = {tile.id for tile in tiles}
        survivors = [tile.id for tile in self._tiles if tile.id in wanted]
        steady = survivors == [tile.id for tile in tiles if tile.id in self._rows] and len(wanted) == len(tiles)
        gone = _runs([row for row, tile in enumerate(self._tiles) if tile.id not in wanted])
        new = _runs([row for row, tile in enumerate(tiles) if tile.id not in self._rows])
        if not steady or len(gone) + len(new) > MOST_RUNS:
            self.beginResetModel()
            self._tiles = list({tile.id: tile for tile in tiles}.values())
            self._index()
            self.endResetModel()
            return
        self._remove(gone)
        self._insert(new, tiles)
        self._refresh(tiles)

    def _remove(self, gone: Sequence[tuple[int, int]]) -> None:
        for first, last in reversed(gone):
            self.beginRemoveRows(QModelIndex(), first, last)
            del self._tiles[first : last + 1]
            self._index()
            self.endRemoveRows()

    def _insert(self, new: Sequence[tuple[int, int]], tiles: Sequence[Tile]) -> None:
        for first, last in new:
            self.beginInsertRows(QModelIndex(), first, last)
            self._tiles[first:first] = tiles[first : last + 1]
            self._index()
            self.endInsertRows()

    def _refresh(self, tiles: Sequence[Tile]) -> None:
        changed = [row for row, tile in enumerate(tiles) if tile != self._tiles[row]]
        for first, last in _runs(changed):
            self._tiles[first : last + 1] = tiles[first : last + 1]
            self.dataChanged.emit(self.index(first), self.index(last))

    def _index(self) -> None:
        self._rows = {tile.id: row for row, tile in enumerate(self._tiles)}


_ROLES: dict[int, Callable[[Tile], object]] = {
    TILE: lambda tile: tile,
    Qt.ItemDataRole.DisplayRole: lambda tile: words.when(tile.taken_at),
    Qt.ItemDataRole.ToolTipRole: lambda tile: words.tile_name(tile),
    Qt.ItemDataRole.AccessibleTextRole: lambda tile: words.tile_name(tile),
    Qt.ItemDataRole.AccessibleDescriptionRole: lambda tile: words.tile_description(tile),
}


def _runs(rows: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending row numbers as (first, last) of each unbroken run."""
    found = []
    for _, run in groupby(enumerate(rows), lambda pair: pair[1] - pair[0]):
        members = [row for _, row in run]
        found.append((members[0], members[-1]))
    return found
