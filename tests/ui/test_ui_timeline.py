"""The timeline: a model that keeps its rows, and thumbnails that come visible first and leave nothing behind."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester

from app.vault.types import ItemKind
from ui.models.receipts import ReceiptsModel
from ui.models.thumbs import AT_ONCE, Thumbs, decode_cover
from ui.models.timeline import MOST_RUNS, TILE, TimelineModel


@pytest.fixture
def model(qapp):
    made = TimelineModel()
    tester = QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal)
    yield made
    del tester


CHANGE = st.tuples(st.integers(0, 12), st.sampled_from(["add", "remove", "star", "move"]))


@given(start=st.sets(st.integers(0, 12)), steps=st.lists(st.lists(CHANGE, max_size=6), max_size=4), runs=st.sampled_from([0, 3, 32]))
def test_the_model_holds_what_the_library_holds(fake_tile, start, steps, runs) -> None:
    """Whatever happens to single captures, the rows are those of the library, newest first."""
    made = TimelineModel()
    tester = QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal)
    library = {number: fake_tile(number) for number in start}

    def in_order(numbers) -> list:
        return sorted((library[number] for number in numbers), key=lambda tile: tile.taken_at, reverse=True)

    made.show(in_order(library))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ui.models.timeline.MOST_RUNS", runs)
        for step in steps:
            for number, what in step:
                if what == "add":
                    library.setdefault(number, fake_tile(number))
                elif what == "remove":
                    library.pop(number, None)
                elif number in library:
                    moved = library[number].taken_at + timedelta(days=3, seconds=number)
                    library[number] = replace(library[number], **({"favourite": True} if what == "star" else {"taken_at": moved}))
            asked = {number for number, _ in step}
            made.update([fake_tile(number).id for number in asked], in_order(asked & library.keys()))
            assert list(made.tiles()) == in_order(library)
            assert [made.row_of(tile.id) for tile in in_order(library)] == list(range(len(library)))
            assert [tile for day in made.days() for tile in made.tiles()[day.first : day.first + day.count]] == in_order(library)
    del tester


def test_days_follow_this_computers_clock(model, fake) -> None:
    morning = datetime(2026, 5, 12, 9).astimezone()
    times = [morning, morning.replace(hour=0), morning - timedelta(hours=10), morning - timedelta(days=9)]
    model.show([fake.tile(number, taken_at=at) for number, at in enumerate(times)])
    assert [(day.date, day.first, day.count) for day in model.days()] == [
        (date(2026, 5, 12), 0, 2),
        (date(2026, 5, 11), 2, 1),
        (date(2026, 5, 3), 3, 1),
    ]


def test_captures_of_one_moment_are_told_apart(model, fake) -> None:
    same = [fake.tile(number, taken_at=fake.NOW) for number in range(5)]
    model.show(same)
    assert [model.row_of(tile.id) for tile in same] == [0, 1, 2, 3, 4]
    model.update([same[3].id], [])
    assert model.row_of(same[4].id) == 3
    assert model.row_of(same[3].id) is None


@pytest.fixture(scope="session")
def fake_tile():
    from datetime import UTC, datetime, timedelta

    from app.library.types import Tile
    from app.vault.types import ItemId

    def make(number: int) -> Tile:
        at = datetime(2026, 5, 12, tzinfo=UTC) - timedelta(minutes=number)
        return Tile(ItemId(f"{number:032x}"), ItemKind.PHOTO, at, 4, 3, None, False, (), "", 0)

    return make


def test_arrivals_on_top_move_nothing_else(model, fake) -> None:
    model.show([fake.tile(number) for number in (5, 6, 7)])
    kept = QPersistentModelIndex(model.index(1))
    inserted = []
    model.rowsInserted.connect(lambda _parent, first, last: inserted.append((first, last)))
    model.update([fake.item_id(1), fake.item_id(2)], [fake.tile(1), fake.tile(2)])
    assert inserted == [(0, 1)]
    assert kept.row() == 3
    assert kept.data(TILE).id == fake.item_id(6)


def test_removals_are_batched_in_runs(model, fake) -> None:
    model.show([fake.tile(number) for number in range(8)])
    removed = []
    model.rowsRemoved.connect(lambda _parent, first, last: removed.append((first, last)))
    model.update([fake.item_id(number) for number in (6, 1, 2, 3, 5)], [])
    assert removed == [(5, 6), (1, 3)]


def test_many_changes_start_anew_instead_of_crumbling(model, fake) -> None:
    count = 2 * MOST_RUNS + 204
    model.show([fake.tile(number) for number in range(count)])
    resets, removed = [], []
    model.modelReset.connect(lambda: resets.append(True))
    model.rowsRemoved.connect(lambda *_: removed.append(True))
    model.update([fake.item_id(number) for number in range(1, 200, 2)], [])
    assert (len(resets), len(removed)) == (0, 100), "what is selected, and where the view stands, outlives an import from many years"
    model.update([fake.item_id(number) for number in range(201, count, 2)], [])
    assert (len(resets), len(removed)) == (1, 100)
    assert model.row_of(fake.item_id(count - 2)) == count // 2 - 1


def test_a_change_touches_only_its_row(model, fake) -> None:
    model.show([fake.tile(number) for number in range(4)])
    changed = []
    model.dataChanged.connect(lambda first, last, roles: changed.append((first.row(), last.row())))
    model.update([fake.item_id(1), fake.item_id(2)], [fake.tile(1), fake.tile(2, favourite=True)])
    assert changed == [(2, 2)]


def test_every_item_says_what_it_is_and_whether_it_was_shared(model, fake) -> None:
    model.show([fake.tile(0), fake.tile(1, shared_with=("OpenAI", "Mistral"), favourite=True, kind=ItemKind.VIDEO, duration_ms=61_000)])
    first, second = model.index(0), model.index(1)
    assert first.data(Qt.ItemDataRole.AccessibleTextRole).startswith("Photo, ")
    assert first.data(Qt.ItemDataRole.AccessibleTextRole).endswith(", Private")
    assert second.data(Qt.ItemDataRole.AccessibleTextRole).endswith(", Shared with OpenAI, Mistral")
    assert second.data(Qt.ItemDataRole.AccessibleDescriptionRole).startswith("Favourite, from Omi Glass, 320 by 240 pixels, length 1:01")


def test_the_receipts_model_is_sound(qapp, theme, fake) -> None:
    from app.sharing.types import Outcome, PolicyClass

    made = ReceiptsModel(theme)
    tester = QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal)
    made.show([fake.receipt(number, Outcome.ANSWERED, PolicyClass.KEPT, 10) for number in (1, 3, 2)])
    assert [made.index(row, 0).data() for row in range(3)] == ["3", "2", "1"]
    assert made.index(0, 4).data(Qt.ItemDataRole.AccessibleTextRole) == "How it ended: Sent and answered"
    del tester


# -- thumbnails ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "height"), [(320, 240), (240, 320), (20, 30), (320, 2)])
def test_a_thumbnail_fills_its_square(fake, width: int, height: int) -> None:
    image = decode_cover(fake.jpeg(width=width, height=height), 100)
    assert (image.width(), image.height()) == (100, 100)


def test_what_is_no_picture_is_no_thumbnail() -> None:
    assert decode_cover(b"nonsense", 100).isNull()
    assert decode_cover(b"", 100).isNull()


class Store:
    """Hands out thumbnails when told to."""

    def __init__(self, data: bytes) -> None:
        self.asked: list[str] = []
        self.gate = asyncio.Event()
        self.data = data

    async def fetch(self, item, edge) -> bytes | None:
        self.asked.append(item)
        data = self.data
        await self.gate.wait()
        return data


@pytest.fixture
async def store(fake):
    return Store(fake.jpeg())


@pytest.fixture
async def thumbs(store):
    made = Thumbs(asyncio.get_running_loop(), store.fetch)
    yield made
    made.close()
    await asyncio.sleep(0)


async def test_thumbnails_arrive_and_are_counted(thumbs, store, fake, until, monkeypatch) -> None:
    monkeypatch.setattr("ui.models.thumbs.DRAIN_BUDGET", 60)
    thumbs._drain.setInterval(60_000)
    store.gate.set()
    told = []
    thumbs.arrived.connect(lambda: told.append(True))
    thumbs.want([fake.item_id(number) for number in range(10)], 64, soon=True)
    await until(lambda: len(thumbs._ready) == 10)
    assert thumbs._drain.isActive()
    thumbs._drain.start(0)
    await until(lambda: all(thumbs.get(fake.item_id(number)) is not None for number in range(10)))
    assert store.asked == [fake.item_id(number) for number in range(10)]
    assert len(told) == 1, "several thumbnails are told in one go"


async def test_what_scrolled_away_is_not_fetched(thumbs, store, fake, until) -> None:
    thumbs.want([fake.item_id(number) for number in range(50)], 64, soon=True)
    await until(lambda: len(store.asked) == AT_ONCE)
    thumbs.want([fake.item_id(number) for number in range(900, 904)], 64, soon=True)
    store.gate.set()
    await until(lambda: thumbs.get(fake.item_id(903)) is not None)
    assert store.asked == [fake.item_id(number) for number in (*range(AT_ONCE), *range(900, 904))]


async def test_a_jump_waits_until_the_scrolling_rests(thumbs, store, fake, until) -> None:
    store.gate.set()
    for start in (0, 100, 200):
        thumbs.want([fake.item_id(start)], 64)
    await until(lambda: thumbs.get(fake.item_id(200)) is not None)
    assert store.asked == [fake.item_id(200)]


async def test_a_lock_leaves_nothing_and_nothing_comes_late(thumbs, store, fake, until) -> None:
    store.gate.set()
    thumbs.want([fake.item_id(0)], 64, soon=True)
    await until(lambda: thumbs.get(fake.item_id(0)) is not None)
    store.gate.clear()
    thumbs.want([fake.item_id(1)], 64, soon=True)
    await until(lambda: len(store.asked) == 2)
    thumbs.forget()
    store.gate.set()
    await asyncio.sleep(0)
    assert not thumbs._kept
    assert not thumbs._ready
    assert not thumbs._busy


async def test_a_fault_makes_a_plain_tile_and_is_not_asked_for_again(fake, until) -> None:
    asked = []

    async def fetch(item, edge):
        asked.append(item)
        raise OSError("gone")

    thumbs = Thumbs(asyncio.get_running_loop(), fetch)
    thumbs.want([fake.item_id(0)], 64, soon=True)
    await until(lambda: fake.item_id(0) in thumbs._failed)
    thumbs.want([fake.item_id(0)], 64, soon=True)
    assert len(asked) == 1
    thumbs.changed([fake.item_id(0)])
    thumbs.want([fake.item_id(0)], 64, soon=True)
    await until(lambda: len(asked) == 2)
    thumbs.close()


async def test_what_changed_is_fetched_anew_and_the_old_picture_shown_meanwhile(thumbs, store, fake, until) -> None:
    store.gate.set()
    thumbs.want([fake.item_id(0)], 64, soon=True)
    await until(lambda: thumbs.get(fake.item_id(0)) is not None)
    old = thumbs.get(fake.item_id(0)).cacheKey()
    thumbs.changed([fake.item_id(0), fake.item_id(1)])
    thumbs.want([fake.item_id(0)], 64, soon=True)
    assert thumbs.get(fake.item_id(0)).cacheKey() == old
    await until(lambda: thumbs.get(fake.item_id(0)).cacheKey() != old)
    thumbs.want([fake.item_id(0)], 64, soon=True)
    assert len(store.asked) == 2


async def test_what_changed_while_it_was_under_way_is_fetched_anew(thumbs, store, fake, until) -> None:
    thumbs.want([fake.item_id(0)], 64, soon=True)
    await until(lambda: store.asked)
    store.data = None
    store.gate.set()
    thumbs.changed([fake.item_id(0)])
    await until(lambda: fake.item_id(0) in thumbs._failed)
    store.data = fake.jpeg()
    thumbs._drain.setInterval(60_000)  # no sooner than it is told to, however busy the computer is
    thumbs.changed([fake.item_id(0)])
    thumbs.want([fake.item_id(0)], 64, soon=True)
    await until(lambda: thumbs._ready)
    thumbs.changed([fake.item_id(0)])
    assert not thumbs._ready
    thumbs._drain.start(0)
    await until(lambda: thumbs.get(fake.item_id(0)) is not None)
    assert len(store.asked) == 4


async def test_memory_is_bounded(thumbs, store, fake, until, monkeypatch) -> None:
    monkeypatch.setattr("ui.models.thumbs.KEPT_BYTES", 5 * 64 * 64 * 4)
    store.gate.set()
    thumbs.want([fake.item_id(number) for number in range(12)], 64, soon=True)
    await until(lambda: len(store.asked) == 12 and not thumbs._busy and not thumbs._ready)
    assert len(thumbs._kept) == 5


async def test_a_new_size_is_fetched_anew_and_the_old_one_shown_meanwhile(thumbs, store, fake, until) -> None:
    store.gate.set()
    thumbs.want([fake.item_id(0)], 64, soon=True)
    await until(lambda: thumbs.get(fake.item_id(0)) is not None)
    store.gate.clear()
    thumbs.want([fake.item_id(0)], 96, soon=True)
    assert thumbs.get(fake.item_id(0)).width() == 64
    store.gate.set()
    await until(lambda: thumbs.get(fake.item_id(0)).width() == 96)


async def test_ten_thousand_captures_ask_for_what_is_seen_only(window, services, fake, until) -> None:
    services.library.items = [fake.tile(number) for number in range(10_000)]
    asked = []

    async def thumbnail(item, size):
        asked.append(item)

    services.library.thumbnail = thumbnail
    window.captures.reload()
    await until(lambda: window.captures.model.rowCount() == 10_000 and len(asked) >= 10)
    await until(lambda: not window.captures.thumbs._busy)
    assert len(asked) < 100
    assert asked[0] == fake.item_id(0)
    assert replace(fake.tile(0)) == window.captures.model.tile(0)
