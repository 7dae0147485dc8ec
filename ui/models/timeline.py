"""The timeline of captures as a list model, newest first. Holds tiles (no pictures), and keeps rows steady while captures come and go.

Built for a hundred thousand rows: changes touch only what changed, and days are found by bisection, never by a walk over all of it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import groupby

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.library.types import Tile
from app.vault.types import ItemId
from ui import words

Index = QModelIndex | QPersistentModelIndex
TILE = Qt.ItemDataRole.UserRole + 1
"""The tile itself."""

MOST_RUNS = 500
"""Changes in more places than this start the view anew, which is then quicker (a change in one place takes 25 to 65 µs)."""


@dataclass(frozen=True, slots=True)
class Day:
    """The rows of one day on this computer's clock."""

    date: date
    first: int
    count: int


class TimelineModel(QAbstractListModel):
    """Rows of tiles. `show` starts anew, `extend` adds older ones at the end, `update` brings single ones up to date."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tiles: list[Tile] = []
        self._places: list[float] = []
        self._held: dict[ItemId, Tile] = {}
        self._days: list[Day] | None = None

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        return 0 if parent.isValid() else len(self._tiles)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._tiles):
            return None
        made = _ROLES.get(role)
        return made(self._tiles[index.row()]) if made is not None else None

    def tile(self, row: int) -> Tile:
        return self._tiles[row]

    def tiles(self) -> tuple[Tile, ...]:
        return tuple(self._tiles)

    def row_of(self, item: ItemId) -> int | None:
        tile = self._held.get(item)
        if tile is None:
            return None
        row = bisect_left(self._places, _place(tile))
        while self._tiles[row].id != item:  # others of the same moment
            row += 1
        return row

    def days(self) -> Sequence[Day]:
        """The days there are, newest first."""
        if self._days is None:
            self._days = _days(self._tiles, self._places)
        return self._days

    # -- changing --------------------------------------------------------------------------------------------------------------

    def clear(self) -> None:
        self.show(())

    def show(self, tiles: Iterable[Tile]) -> None:
        """Hold exactly `tiles` (newest first). Selection and place are lost: it is another view of the captures."""
        self.beginResetModel()
        self._held = {tile.id: tile for tile in tiles}
        self._tiles = list(self._held.values())
        self._places = [_place(tile) for tile in self._tiles]
        self._days = None
        self.endResetModel()

    def extend(self, tiles: Iterable[Tile]) -> None:
        """Add older captures at the end; those held already are passed over."""
        new = [tile for tile in tiles if tile.id not in self._held]
        if new:
            self._insert(len(self._tiles), new)

    def update(self, asked: Iterable[ItemId], tiles: Sequence[Tile]) -> None:
        """Of the items `asked` for, `tiles` (newest first) are those that belong here now: add, change and remove as needed."""
        wanted = {tile.id: tile for tile in tiles}
        moved = {item for item, tile in wanted.items() if (held := self._held.get(item)) and held.taken_at != tile.taken_at}
        gone = [row for item in dict.fromkeys(asked) if item not in wanted or item in moved if (row := self.row_of(item)) is not None]
        gone_runs = _runs(sorted(gone))
        new = [tile for tile in tiles if tile.id not in self._held or tile.id in moved]
        places = groupby(new, lambda tile: bisect_left(self._places, _place(tile)))
        new_runs = [(row, list(run)) for row, run in places]
        if len(gone_runs) + len(new_runs) > MOST_RUNS:
            rest = [wanted.get(tile.id, tile) for row, tile in _without(self._tiles, gone_runs)]
            self.show(sorted([*new, *rest], key=_place))
            return
        for item, tile in wanted.items():
            if item not in moved and (held := self._held.get(item)) is not None and held != tile:
                self._replace(tile)
        for first, last in reversed(gone_runs):
            self._remove(first, last)
        for _, run in reversed(new_runs):
            self._insert(bisect_left(self._places, _place(run[0])), run)

    def _replace(self, tile: Tile) -> None:
        row = self.row_of(tile.id)
        assert row is not None
        self._tiles[row] = self._held[tile.id] = tile
        self.dataChanged.emit(self.index(row), self.index(row))

    def _remove(self, first: int, last: int) -> None:
        self.beginRemoveRows(QModelIndex(), first, last)
        for tile in self._tiles[first : last + 1]:
            del self._held[tile.id]
        del self._tiles[first : last + 1], self._places[first : last + 1]
        self._days = None
        self.endRemoveRows()

    def _insert(self, row: int, tiles: Sequence[Tile]) -> None:
        self.beginInsertRows(QModelIndex(), row, row + len(tiles) - 1)
        self._tiles[row:row] = tiles
        self._places[row:row] = map(_place, tiles)
        self._held.update((tile.id, tile) for tile in tiles)
        self._days = None
        self.endInsertRows()


_ROLES: dict[int, Callable[[Tile], object]] = {
    TILE: lambda tile: tile,
    Qt.ItemDataRole.DisplayRole: lambda tile: words.when(tile.taken_at),
    Qt.ItemDataRole.ToolTipRole: lambda tile: words.tile_name(tile),
    Qt.ItemDataRole.AccessibleTextRole: lambda tile: words.tile_name(tile),
    Qt.ItemDataRole.AccessibleDescriptionRole: lambda tile: words.tile_description(tile),
}


def _place(tile: Tile) -> float:
    """What the rows are sorted by, ascending."""
    return -tile.taken_at.timestamp()


def _days(tiles: Sequence[Tile], places: Sequence[float]) -> list[Day]:
    found, row = [], 0
    while row < len(tiles):
        that = words.local(tiles[row].taken_at).date()
        midnight = words.local(datetime.combine(that, time()))
        after = max(row + 1, bisect_right(places, -midnight.timestamp(), lo=row))
        found.append(Day(that, row, after - row))
        row = after
    return found


def _without(tiles: Sequence[Tile], runs: Sequence[tuple[int, int]]) -> list[tuple[int, Tile]]:
    out = {row for first, last in runs for row in range(first, last + 1)}
    return [(row, tile) for row, tile in enumerate(tiles) if row not in out]


def _runs(rows: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending row numbers as (first, last) of each unbroken run."""
    found = []
    for _, run in groupby(enumerate(rows), lambda pair: pair[1] - pair[0]):
        members = [row for _, row in run]
        found.append((members[0], members[-1]))
    return found
