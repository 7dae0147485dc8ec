"""The arithmetic of the timeline against the plain way: place every tile, then look."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ui.models.timeline import Day
from ui.widgets.grid import Box, Grid

HEAD, CELL, STEP = 5, 10, 7


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    counts = draw(st.lists(st.integers(1, 9), min_size=1, max_size=6))
    columns = draw(st.integers(1, 4))
    days, row = [], 0
    for number, count in enumerate(counts):
        days.append(Day(date(2026, 5, 12) - timedelta(days=number), row, count))
        row += count
    width, left = columns * STEP + draw(st.integers(0, columns - 1)), draw(st.integers(-6, 3))
    return Grid(days, width, columns, CELL, HEAD, draw(st.booleans()), left)


def placed(grid: Grid) -> tuple[list[Box], list[tuple[int, int]], int]:
    """The box of every tile, the heights of every heading, and the height of all."""
    boxes, heads, y = [], [], 0
    for day in grid.days:
        heads.append((y, y + HEAD))
        y += HEAD
        for place in range(day.count):
            column = place % grid.columns
            x = grid.left + (grid.columns - 1 - column if grid.mirrored else column) * STEP
            boxes.append(Box(x, y + place // grid.columns * CELL, STEP, CELL))
        y += (day.count - 1) // grid.columns * CELL + CELL
    return boxes, heads, y


def touched(boxes: list[Box], left: int, top: int, right: int, bottom: int) -> list[int]:
    return [
        row for row, box in enumerate(boxes)
        if box.x <= right and box.x + box.width > left and box.y <= bottom and box.y + box.height > top
    ]  # fmt: skip


@given(grid=grids())
def test_boxes_are_where_counting_puts_them(grid: Grid) -> None:
    boxes, heads, height = placed(grid)
    assert [grid.box(row) for row in range(len(boxes))] == boxes
    assert grid.height == height
    assert [grid.top(number) for number in range(len(heads) + 1)] == [top for top, _ in heads] + [height]


@given(grid=grids(), x=st.integers(-3, 40), y=st.integers(-3, 300))
def test_a_point_finds_its_tile_and_no_heading(grid: Grid, x: int, y: int) -> None:
    boxes, _, _ = placed(grid)
    assert grid.row_at(x, y) == next(iter(touched(boxes, x, y, x, y)), None)


@given(grid=grids(), top=st.integers(-20, 300), height=st.integers(0, 90))
def test_what_is_in_view_is_exactly_what_touches_it(grid: Grid, top: int, height: int) -> None:
    boxes, _, _ = placed(grid)
    assert list(grid.rows(top, top + height)) == (touched(boxes, -1000, top, 1000, top + height - 1) if height else [])


@given(grid=grids(), left=st.integers(-5, 40), top=st.integers(-5, 300), width=st.integers(0, 40), height=st.integers(0, 90))
def test_a_rectangle_touches_what_it_covers(grid: Grid, left: int, top: int, width: int, height: int) -> None:
    boxes, _, _ = placed(grid)
    right, bottom = left + width, top + height
    found = [row for first, last in grid.runs(left, top, right, bottom) for row in range(first, last + 1)]
    assert found == touched(boxes, left, top, right, bottom)


@given(grid=grids())
def test_up_and_down_go_one_line_and_keep_the_column(grid: Grid) -> None:
    boxes, _, _ = placed(grid)
    lines = sorted({box.y for box in boxes})
    for row, box in enumerate(boxes):
        line = lines.index(box.y)
        for to, wanted in ((grid.up(row), line - 1), (grid.down(row), line + 1)):
            if not 0 <= wanted < len(lines):
                assert to == row
                continue
            there = [other for other, one in enumerate(boxes) if one.y == lines[wanted]]
            same = [other for other in there if boxes[other].x == box.x]
            assert to == (same[0] if same else there[-1])
