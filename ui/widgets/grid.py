"""Where each tile and each day's heading stands: arithmetic over days, never a list of places. Pure; pixels of the whole content.

A heading, then lines of square tiles with their captions, day after day. A hundred thousand tiles cost as much as their days.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from ui.models.timeline import Day


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: left, top, width, height."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Grid:
    """`width` is that of the content, `cell` the height of a tile with caption and gap, `head` that of a heading; `mirrored` fills each
    line from the right; `left` is where the leftmost column begins."""

    days: Sequence[Day] = ()
    width: int = 1
    columns: int = 1
    cell: int = 1
    head: int = 0
    mirrored: bool = False
    left: int = 0
    _tops: list[int] = field(init=False)
    _firsts: list[int] = field(init=False)
    height: int = field(init=False)

    def __post_init__(self) -> None:
        tops, y = [], 0
        for day in self.days:
            tops.append(y)
            y += self.head + -(-day.count // self.columns) * self.cell
        for name, value in (("_tops", tops), ("_firsts", [day.first for day in self.days]), ("height", y)):
            object.__setattr__(self, name, value)

    @property
    def step(self) -> int:
        """Width of a tile with its gap."""
        return self.width // self.columns

    def day_of(self, row: int) -> int:
        return bisect_right(self._firsts, row) - 1

    def day_at(self, y: int) -> int:
        """The day that is at `y`; the last one below the end. There must be one."""
        return max(0, bisect_right(self._tops, y) - 1)

    def top(self, day: int) -> int:
        """Where the heading of a day begins; of the day after the last one, where the content ends."""
        return self._tops[day] if day < len(self._tops) else self.height

    def box(self, row: int) -> Box:
        number = self.day_of(row)
        line, column = divmod(row - self.days[number].first, self.columns)
        x = self.left + (self.columns - 1 - column if self.mirrored else column) * self.step
        return Box(x, self._tops[number] + self.head + line * self.cell, self.step, self.cell)

    def row_at(self, x: int, y: int) -> int | None:
        """The tile at a point, gaps included; None on headings, beside the last tile of a day, and outside."""
        x -= self.left
        if not self.days or not 0 <= y < self.height or not 0 <= x < self.step * self.columns:
            return None
        number = self.day_at(y)
        below = y - self._tops[number] - self.head
        if below < 0:
            return None
        column = x // self.step
        place = below // self.cell * self.columns + (self.columns - 1 - column if self.mirrored else column)
        return self.days[number].first + place if place < self.days[number].count else None

    def rows(self, top: int, bottom: int) -> range:
        """The tiles with any part between two heights; empty where there is none."""
        if not self.days or bottom <= top:
            return range(0)
        return range(self._after(top, whole=False), self._after(bottom, whole=True))

    def _after(self, y: int, *, whole: bool) -> int:
        """The first tile that is not above `y`: as a whole, or with its lower edge at least."""
        number = self.day_at(y)
        day = self.days[number]
        below = max(0, y - self._tops[number] - self.head)
        lines = -(-below // self.cell) if whole else below // self.cell
        return day.first + min(day.count, lines * self.columns)

    def runs(self, left: int, top: int, right: int, bottom: int) -> list[tuple[int, int]]:
        """The tiles touched by a rectangle, as (first, last) of each line's part."""
        found: list[tuple[int, int]] = []
        first, last = max(0, (left - self.left) // self.step), min(self.columns - 1, (right - self.left) // self.step)
        if self.mirrored:
            first, last = self.columns - 1 - last, self.columns - 1 - first
        rows = self.rows(top, bottom + 1)
        if first > last or not rows:
            return found
        for number in range(self.day_of(rows.start), self.day_of(rows.stop - 1) + 1):
            day = self.days[number]
            start = day.first + (max(rows.start, day.first) - day.first) // self.columns * self.columns
            for line in range(start, min(rows.stop, day.first + day.count), self.columns):
                end = min(line + last, day.first + day.count - 1)
                if line + first <= end:
                    found.append((line + first, end))
        return found

    def up(self, row: int) -> int:
        """The tile above, in the day before if need be; the same where there is none."""
        number = self.day_of(row)
        place = row - self.days[number].first
        if place >= self.columns:
            return row - self.columns
        if number == 0:
            return row
        above = self.days[number - 1]
        line = (above.count - 1) // self.columns * self.columns
        return above.first + min(above.count - 1, line + place % self.columns)

    def down(self, row: int) -> int:
        """The tile below, in the day after if need be; the same where there is none."""
        number = self.day_of(row)
        day = self.days[number]
        place = row - day.first
        if place // self.columns < (day.count - 1) // self.columns:
            return day.first + min(day.count - 1, place + self.columns)
        if number + 1 == len(self.days):
            return row
        under = self.days[number + 1]
        return under.first + min(under.count - 1, place % self.columns)
