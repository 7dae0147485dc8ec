"""Boxes: what they hold after growing, scaling and merging."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.media.look.boxes import Box, hidden, merged, overlap

edges = st.integers(-50, 250)
boxes = st.builds(
    lambda left, top, width, height: Box(left, top, left + width, top + height), edges, edges, st.integers(0, 90), st.integers(0, 90)
)


def holds(outer: Box, inner: Box) -> bool:
    return not inner.area or (
        outer.left <= inner.left and outer.top <= inner.top and outer.right >= inner.right and outer.bottom >= inner.bottom
    )


@given(st.lists(boxes, max_size=12))
def test_merging_loses_nothing_and_is_done_at_once(many: list[Box]) -> None:
    few = merged(many)
    assert all(any(holds(box, each) for box in few) for each in many if each.area)
    assert merged(few) == few
    assert merged(reversed(few)) == few
    assert len(few) <= sum(1 for box in many if box.area)


small = st.integers(0, 9)
small_boxes = st.builds(Box, small, small, small, small)


@given(st.builds(lambda box: Box(box.left, box.top, box.left + 5, box.top + 4), small_boxes), st.lists(small_boxes, max_size=5))
def test_what_several_cover_together_is_counted_once(box: Box, covers: list[Box]) -> None:
    pixels = [(x, y) for x in range(box.left, box.right) for y in range(box.top, box.bottom)]
    covered = [(x, y) for x, y in pixels if any(each.left <= x < each.right and each.top <= y < each.bottom for each in covers)]
    assert hidden(box, covers) == len(covered) / len(pixels)


def test_only_what_lies_together_is_merged() -> None:
    box, inside, beside, far = Box(0, 0, 100, 100), Box(10, 10, 20, 20), Box(10, 0, 110, 100), Box(300, 300, 310, 310)
    assert merged([inside, box]) == (box,)
    assert merged([box, beside]) == (Box(0, 0, 110, 100),)
    assert merged([far, box]) == (box, far)
    corner = Box(90, 90, 190, 190)  # one box around both would cover a third more than they do
    assert merged([box, corner]) == (box, corner)
    assert merged([Box(5, 5, 5, 9), Box(9, 9, 3, 3)]) == ()


@given(boxes, st.floats(0.01, 4), st.floats(0.01, 4))
def test_scaling_rounds_outwards(box: Box, across: float, down: float) -> None:
    made = box.scaled(across, down)
    assert made.left <= box.left * across
    assert made.right >= box.right * across
    assert made.top <= box.top * down
    assert made.bottom >= box.bottom * down


@given(boxes)
def test_the_grid(box: Box) -> None:
    made = box.on_grid(16)
    assert holds(made, box)
    assert made.on_grid(16) == made
    assert all(edge % 16 == 0 for edge in (made.left, made.top, made.right, made.bottom))
    assert made.width < box.width + 32


@given(boxes, boxes)
def test_shared_area_is_symmetric(one: Box, other: Box) -> None:
    assert one.shared(other) == other.shared(one) <= min(one.area, other.area)
    assert 0 <= overlap(one, other) <= 1


def test_overlap() -> None:
    assert overlap(Box(0, 0, 10, 10), Box(0, 0, 10, 10)) == 1
    assert overlap(Box(0, 0, 10, 10), Box(5, 0, 15, 10)) == 50 / 150
    assert overlap(Box(0, 0, 10, 10), Box(10, 0, 20, 10)) == 0


@given(boxes)
def test_within_a_picture(box: Box) -> None:
    part = box.within(200, 100)
    assert part.area == box.shared(Box(0, 0, 200, 100))
    assert Box(10, 10, 20, 20).moved(-10, 5).grown(1) == Box(-1, 14, 11, 26)
