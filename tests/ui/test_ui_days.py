"""The view of the days: headings that stick, selection by every way there is, places kept, and what a screen reader gets."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QImage, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from ui.models.thumbs import Thumbs
from ui.models.timeline import TimelineModel
from ui.widgets.daylist import SIZES
from ui.widgets.timeline import TimelineView

PER_DAY = (7, 1, 12, 3, 40, 5)


@pytest.fixture
def tiles(fake):
    """Some days, newest first, all of them at noon on this computer's clock."""
    noon = fake.NOW.astimezone().replace(hour=12, minute=0)
    return [
        fake.tile(100 * day + number, taken_at=noon - timedelta(days=day, minutes=number))
        for day, count in enumerate(PER_DAY)
        for number in range(count)
    ]


@pytest.fixture
async def view(theme, tiles, qtbot, until):
    async def fetch(item, edge):
        return None

    model = TimelineModel()
    thumbs = Thumbs(asyncio.get_running_loop(), fetch)
    made = TimelineView(theme, thumbs, model)
    qtbot.addWidget(made)
    made.resize(900, 600)
    made.show()
    model.show(tiles)
    made.executeDelayedItemsLayout()
    await until(lambda: not thumbs._wanted and not thumbs._busy)
    yield made
    thumbs.close()
    await asyncio.sleep(0)


def chosen(view) -> list[int]:
    return [row for first, last in view.runs() for row in range(first, last + 1)]


def middle(view, row: int) -> QPoint:
    return view.visualRect(view.model().index(row)).center()


def point_at(view, point: QPoint, button: Qt.MouseButton = Qt.MouseButton.NoButton) -> None:
    port, where = view.viewport(), QPointF(point)
    move = QMouseEvent(
        QMouseEvent.Type.MouseMove, where, port.mapToGlobal(where), Qt.MouseButton.NoButton, button, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(port, move)


def drag(view, start: QPoint, *way: QPoint) -> None:
    port = view.viewport()
    QTest.mousePress(port, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    for point in way:
        point_at(view, point, Qt.MouseButton.LeftButton)
    QTest.mouseRelease(port, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, way[-1])


async def test_the_heading_of_the_day_sticks_and_is_pushed_out_by_the_next(view) -> None:
    grid, bar = view._grid, view.verticalScrollBar()
    bar.setValue(grid.top(2) + 50)
    assert view._heading_y(2) == 0
    assert view._heading_at(QPoint(10, 5)) == 2
    bar.setValue(grid.top(3) - 10)
    assert view._heading_y(2) == 10 - grid.head
    assert view._heading_y(3) == 10
    assert not view.indexAt(QPoint(40, 2)).isValid(), "what lies under a heading cannot be pressed through it"


async def test_a_heading_selects_its_day_and_again_takes_it_back(view) -> None:
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(60, 10))
    assert chosen(view) == list(range(PER_DAY[0]))
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(60, 10))
    assert chosen(view) == []


async def test_the_tick_of_a_tile_adds_it_to_the_selection(view) -> None:
    for row in (1, 3):
        disc = view._paint.disc_in(view._paint.picture_in(view.visualRect(view.model().index(row))))
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, disc.center())
    assert chosen(view) == [1, 3]


async def test_shift_selects_from_one_to_the_other_over_days(view) -> None:
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle(view, 5))
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, middle(view, 7))
    assert chosen(view) == [5, 6, 7]
    QTest.keyClick(view, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert chosen(view) == [5, 6, 7, 8]
    QTest.keyClick(view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(chosen(view)) == sum(PER_DAY)
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert chosen(view) == []


async def test_a_rubber_band_selects_what_it_touches(view) -> None:
    columns = view._grid.columns
    beside = view.visualRect(view.model().index(PER_DAY[0] - 1)).topRight() + QPoint(60, 20)
    drag(view, beside, beside - QPoint(30, 10), middle(view, 0))
    first = view._grid.runs(*[view.visualRect(view.model().index(0)).center().x(), 0, beside.x(), beside.y()])
    assert chosen(view)[0] == 0
    assert PER_DAY[0] - 1 in chosen(view)
    assert columns > 1
    assert first


async def test_carrying_the_selection_out_of_the_window_asks(view) -> None:
    asked = []
    view.dragged_out.connect(lambda: asked.append(chosen(view)))
    drag(view, middle(view, 2), middle(view, 2))
    assert chosen(view) == [2]
    drag(view, middle(view, 2), middle(view, 4))
    assert asked == [], "inside the window nothing happens"
    drag(view, middle(view, 2), QPoint(-200, -200))
    assert asked == [[2]]


async def test_keys_walk_lines_days_and_ends(view) -> None:
    view.setCurrentIndex(view.model().index(0))
    steps = [
        (Qt.Key.Key_Right, 0, 1),
        (Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier, 7),
        (Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier, 8),
        (Qt.Key.Key_End, 0, sum(PER_DAY) - 1),
        (Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier, sum(PER_DAY) - 5),
        (Qt.Key.Key_Home, 0, 0),
    ]
    for key, modifier, row in steps:
        QTest.keyClick(view, key, modifier or Qt.KeyboardModifier.NoModifier)
        assert view.currentIndex().row() == row
        box = view.visualRect(view.currentIndex())
        assert view._grid.head <= box.top() + 1
        assert box.bottom() <= view.viewport().height()
    QTest.keyClick(view, Qt.Key.Key_PageDown)
    assert view.currentIndex().row() > 5


async def test_what_is_seen_stays_when_captures_arrive_above(view, tiles, fake, until) -> None:
    bar = view.verticalScrollBar()
    bar.setValue(view._grid.top(4) + 30)
    view.look()
    row = view.visible_rows().start
    seen, at = view.model().tile(row).id, view.visualRect(view.model().index(row)).y()
    new = [fake.tile(5000 + number, taken_at=tiles[0].taken_at + timedelta(minutes=number)) for number in range(30, 0, -1)]
    view.model().update([one.id for one in new], new)
    view.executeDelayedItemsLayout()
    assert view.visualRect(view.model().index(view.model().row_of(seen))).y() == at
    view.resize(640, 600)
    view.executeDelayedItemsLayout()
    assert abs(view.visualRect(view.model().index(view.model().row_of(seen))).y() - at) <= 1


async def test_a_selection_moves_with_its_captures(view, tiles, fake) -> None:
    view.selectionModel().select(view.model().index(9), view.selectionModel().SelectionFlag.Select)
    before = [tile.id for tile in view.chosen()]
    new = fake.tile(5000, taken_at=tiles[0].taken_at + timedelta(minutes=1))
    view.model().update([new.id], [new])
    assert chosen(view) == [10]
    assert [tile.id for tile in view.chosen()] == before


async def test_tiles_have_three_sizes(view) -> None:
    sizes, edges = [], [view.edge]
    view.sized.connect(sizes.append)
    QTest.keyClick(view, Qt.Key.Key_Minus, Qt.KeyboardModifier.ControlModifier)
    edges.insert(0, view.edge)
    for _ in range(3):
        point = QPointF(100, 100)
        wheel = QWheelEvent(
            point,
            view.mapToGlobal(point),
            QPoint(0, 0),
            QPoint(0, 120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.ControlModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(view.viewport(), wheel)
    edges.append(view.edge)
    assert edges == sorted(edges)
    assert sizes == [0, 1, 2]
    assert view.tile_size == len(SIZES) - 1


async def test_a_screen_reader_finds_a_list_and_follows_the_focus(view) -> None:
    QAccessible.setActive(True)
    interface = QAccessible.queryAccessibleInterface(view)
    assert interface.role() == QAccessible.Role.List
    assert interface.childCount() == sum(PER_DAY)
    item = interface.child(8)
    assert item.role() == QAccessible.Role.ListItem
    assert item.text(QAccessible.Text.Name).startswith("Photo, ")
    box = view.visualRect(view.model().index(8))
    assert item.rect().size() == box.size()
    view.setFocus()
    view.setCurrentIndex(view.model().index(8))
    assert interface.focusChild() is None or interface.indexOfChild(interface.focusChild()) == 8


async def test_from_right_to_left_the_first_tile_stands_at_the_right(view, theme) -> None:
    left = view.visualRect(view.model().index(0)).left()
    view.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    view.lay_out()
    right = view.visualRect(view.model().index(0))
    assert left < 10
    picture = view._paint.picture_in(right)
    assert picture.right() == view.viewport().width() - 1 - left - 4, "as far from its edge as from the other one before"
    view.setCurrentIndex(view.model().index(0))
    QTest.keyClick(view, Qt.Key.Key_Left)
    assert view.currentIndex().row() == 1
    view.grab()


async def test_painting_asks_for_no_more_than_what_is_seen(view, monkeypatch) -> None:
    painted = []
    real = view._paint.tile
    monkeypatch.setattr(view._paint, "tile", lambda painter, cell, tile, state: (painted.append(tile.id), real(painter, cell, tile, state)))
    view.verticalScrollBar().setValue(view._grid.top(4))
    view.viewport().grab()
    assert len(set(painted)) <= len(view.visible_rows()) + view._grid.columns
    assert len(painted) < sum(PER_DAY)


def on_screen(view) -> QImage:
    """What stands on the screen once what is due was painted."""
    QApplication.sendPostedEvents(view, QEvent.Type.UpdateRequest)
    return view.screen().grabWindow(view.winId()).toImage()


async def test_a_step_of_the_wheel_paints_what_came_into_view_and_leaves_nothing_stale(view, monkeypatch) -> None:
    view.resize(900, 1400)
    point_at(view, QPoint(60, 700))
    on_screen(view)
    painted = []
    real = view._paint.tile
    monkeypatch.setattr(view._paint, "tile", lambda painter, cell, tile, state: (painted.append(tile.id), real(painter, cell, tile, state)))
    bar = view.verticalScrollBar()
    for step in (40, 40, 3, -25, 60, 300, -90):
        painted.clear()
        bar.setValue(bar.value() + step)
        seen = on_screen(view)
        assert 0 < len(set(painted)) <= (4 if step < 100 else 5) * view._grid.columns < len(view.visible_rows()) + view._grid.columns
        view.viewport().repaint()
        assert seen == on_screen(view)
