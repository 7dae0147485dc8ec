"""The parts of the gate's pages by themselves: boxes on a picture, the bars, a live look, and the list of destinations."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QLabel, QPushButton, QWidget

from app.errors import EyelidError
from app.events import LiveChanged
from app.media.frames import Frame
from app.media.look.boxes import Box
from app.media.look.cover import covers_for
from app.media.look.types import Kind
from app.settings import LOCK_AWAY
from app.sharing.live_types import LiveProposal, LiveView
from app.sharing.types import Outcome, Picture, PolicyClass
from app.vault.types import LockState
from tests.ui.ask_bench import Lent
from tests.ui.hands import press, shown
from ui.dialogs import Question
from ui.pages.destinations import DestinationsCard
from ui.pages.live import LiveApproval, LiveLook, LiveSheet
from ui.widgets.basics import column
from ui.widgets.filmstrip import _thinned
from ui.widgets.marks import Mark, Marks, names_of
from ui.widgets.redactor import RedactorSheet


class Bench(Lent):
    """A live look and the list of destinations."""

    def __init__(self, services, theme) -> None:
        super().__init__(services, theme)
        self.live = LiveLook(self, self.context, self.banners)
        self.card = DestinationsCard(self.context, self.banners)
        self.setLayout(column(self.banners, self.live.bar, self.card))
        self.resize(1000, 700)


@pytest.fixture
async def bench(services, theme, until):
    made = Bench(services, theme)
    made.show()
    await until(made.isActiveWindow)
    yield made
    await made.tasks.stop()
    made.live.bar.end()
    made.close()
    made.deleteLater()
    await asyncio.sleep(0)


# -- boxes ---------------------------------------------------------------------------------------------------------------------


def test_marks_keep_what_the_person_did_when_more_is_found(fake) -> None:
    first = fake.findings(faces=1)
    marks = Marks().seen(first).covering((Kind.FACE,), True)
    marks = replace(marks, drawn=(Mark(Box(0, 0, 50, 50)),))
    more = marks.seen(fake.findings(faces=2))
    assert [mark.covered for mark in more.found] == [True, False]
    assert set(more.edit.covers) == {*covers_for(first), Box(0, 0, 50, 50)}
    assert names_of(more.all) == ("Face 1", "Face 2", "Your box 1")
    assert [mark.covered for mark in Marks().seen(first, cover=(Kind.FACE,)).found] == [True]


@pytest.fixture
def sheet(qtbot, theme, fake):
    image = QImage.fromData(fake.jpeg("#2f7d4f", 640, 480))
    parent = QWidget()
    qtbot.addWidget(parent)
    made = RedactorSheet(parent, theme, image, (1280, 960), Marks().seen(fake.findings(faces=1)))
    made.open()
    yield made
    parent.close()


def at(sheet: RedactorSheet, x: int, y: int) -> QPoint:
    """The point of the screen that shows this one of the picture."""
    return sheet.canvas.to_screen(Box(x, y, x, y)).topLeft().toPoint()


def drag(sheet: RedactorSheet, start: tuple[int, int], end: tuple[int, int]) -> None:
    QTest.mousePress(sheet.canvas, Qt.MouseButton.LeftButton, pos=at(sheet, *start))
    QTest.mouseMove(sheet.canvas, at(sheet, *end))
    QTest.mouseRelease(sheet.canvas, Qt.MouseButton.LeftButton, pos=at(sheet, *end))


def near(box: Box, wanted: tuple[int, int, int, int]) -> bool:
    return all(abs(one - other) <= 6 for one, other in zip((box.left, box.top, box.right, box.bottom), wanted, strict=True))


def test_a_box_is_drawn_moved_and_resized_by_mouse(sheet) -> None:
    drag(sheet, (600, 500), (800, 700))
    assert near(sheet.marks.drawn[0].box, (600, 500, 800, 700))
    drag(sheet, (700, 600), (750, 620))
    assert near(sheet.marks.drawn[0].box, (650, 520, 850, 720))
    drag(sheet, (850, 720), (950, 800))
    assert near(sheet.marks.drawn[0].box, (650, 520, 950, 800))
    drag(sheet, (1000, 900), (1003, 903))
    assert len(sheet.marks.drawn) == 1, "a click is no box"


def test_a_found_box_that_is_moved_becomes_the_persons_own(sheet) -> None:
    box = sheet.marks.found[0].box
    middle = ((box.left + box.right) // 2, (box.top + box.bottom) // 2)
    drag(sheet, middle, (middle[0] + 100, middle[1]))
    assert [mark.covered for mark in sheet.marks.found] == [False]
    assert near(sheet.marks.drawn[0].box, (box.left + 100, box.top, box.right + 100, box.bottom))


def test_the_list_covers_and_removes(sheet) -> None:
    sheet.list.item(0).setCheckState(Qt.CheckState.Checked)
    assert sheet.marks.found[0].covered
    sheet.add_box()
    assert sheet.list.item(1).data(Qt.ItemDataRole.AccessibleTextRole) == "Your box 1, covered"
    QTest.keyClick(sheet.canvas, Qt.Key.Key_PageUp)
    assert sheet.list.currentRow() == 0
    QTest.keyClick(sheet.canvas, Qt.Key.Key_PageDown)
    QTest.keyClick(sheet.canvas, Qt.Key.Key_Delete)
    assert sheet.marks.drawn == ()
    sheet.start_again()
    assert not sheet.marks.found[0].covered


def test_a_box_stays_inside_the_picture(sheet) -> None:
    sheet.add_box()
    for _ in range(60):
        QTest.keyClick(sheet.canvas, Qt.Key.Key_Left)
        QTest.keyClick(sheet.canvas, Qt.Key.Key_Up)
    box = sheet.marks.drawn[0].box
    assert (box.left, box.top) == (0, 0)
    for _ in range(60):
        QTest.keyClick(sheet.canvas, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    assert sheet.marks.drawn[0].box.height == 12


def test_of_many_frames_those_already_chosen_stay() -> None:
    frames = [Frame(100 * number, b"", 1, 1) for number in range(24)]
    left = _thinned(list(frames), {100, 1300, 2300})
    assert len(left) == 20
    assert {100, 1300, 2300} <= {frame.at_ms for frame in left}


# -- live look -----------------------------------------------------------------------------------------------------------------


def live_view(fake, **changes) -> LiveView:
    now = datetime.now(UTC)
    picture = Picture(fake.item_id(0), fake.jpeg(), 320, 240, ())
    place = fake.destination(PolicyClass.KEPT)
    made = LiveView("l1", "AA", place, True, 3, 60, 1, 120_000, now, now + timedelta(minutes=5), picture, "A street.")
    return replace(made, **changes)


async def test_the_bar_counts_and_stops_from_anywhere(bench, fake, until) -> None:
    bar = bench.live.bar
    bar.show_view(live_view(fake))
    assert bar.count.text() == "Live look: 3 of 60 frames sent to OpenAI"
    assert "120 kB so far" in bar.more.text()
    assert not bar.last.pixmap().isNull()
    stops = []
    bar.stop_asked.disconnect()
    bar.stop_asked.connect(lambda: stops.append(1))
    other = QDialog(bench)
    other.setModal(True)
    other.open()
    await until(other.isActiveWindow)
    QTest.keyClick(other.windowHandle(), Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
    assert stops == [1]
    other.reject()
    bar.show_view(live_view(fake, running=False))
    QTest.keyClick(bench.windowHandle(), Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
    assert stops == [1], "it looks at the keys while a live look runs, and no longer"
    assert bar.isHidden()
    assert bar.last.pixmap().isNull()


class FakeLive:
    def __init__(self, services, fake) -> None:
        self.calls: list[object] = []
        self._services, self._fake = services, fake

    async def prepare(self, draft):
        self.calls.append(draft)
        known = self._services.sharing.card(draft.destination_id)
        cover = bool(draft.cover_faces)
        return LiveProposal("l1", draft, self._fake.destination(known.policy_class), known, cover, 533_000, (), (), self._fake.NOW)

    async def refuse(self, proposal, reason="kept private"):
        self.calls.append(reason)

    async def start(self, proposal):
        self.calls.append("start")

    async def stop(self, why="Stopped by you."):
        self.calls.append("stop")


@pytest.mark.parametrize("yes", [False, True])
async def test_a_live_look_has_ceilings_and_an_approval_of_its_own(bench, services, fake, until, yes: bool) -> None:
    services.sharing.live = live = FakeLive(services, fake)
    services.glasses.put(fake.view())
    bench.live.begin()
    await until(lambda: shown(bench, LiveSheet))
    sheet = shown(bench, LiveSheet)[0]
    assert not sheet.go.isEnabled()
    sheet.question.setPlainText("What is in front of me?")
    sheet.to.choose("trains")
    assert sheet.cover.isChecked(), "faces are covered where it may train"
    sheet.go.click()
    await until(lambda: shown(bench, LiveApproval))
    dialog = shown(bench, LiveApproval)[0]
    said = "\n".join(each.text() for each in shown(dialog, QLabel))
    assert "60 frames, one every 5 seconds, for 5 minutes at most." in said
    assert "At most 31.98 MB in all." in said
    assert "Faces are covered in every frame" in said
    assert dialog.keep.hasFocus()
    dialog._armed.setInterval(0)
    await until(lambda: "Tick the box" in dialog.waiting.text())
    assert not dialog.armed
    dialog.check.click()
    (dialog.send if yes else dialog.keep).click()
    await until(lambda: not bench.tasks.running("live"))
    draft = live.calls[0]
    assert (draft.frames, draft.minutes, draft.every, draft.cover_faces) == (60, 5, 5, True)
    assert live.calls[1] == ("start" if yes else "kept private")


async def test_without_glasses_that_can_it_says_what_is_needed(bench, until) -> None:
    bench.live.begin()
    await until(lambda: shown(bench, Question))
    assert "needs glasses" in shown(bench, Question)[0].accessibleDescription()


async def test_its_end_is_told_once_with_the_reason(bench, services, fake, until) -> None:
    end = live_view(fake, running=False, why="The time was up.", receipt=fake.receipt(9, Outcome.ANSWERED, PolicyClass.KEPT, 9))
    for _ in range(2):
        services.events.publish(LiveChanged(end))
    await until(lambda: bench.banners.shown())
    said = [banner.said.what for banner in bench.banners.shown()]
    assert said == ["The live look has ended. The time was up. 3 frames, 120 kB in all, went to OpenAI. Receipt 9."]


async def test_whoever_leaves_the_computer_leaves_nothing_going(window, services, until) -> None:
    services.settings.set(LOCK_AWAY, False)
    services.sharing.live.stop = lambda why: asyncio.Event().wait()  # its end may take a while to be written
    window.guard.watch.away.emit()
    await until(lambda: any(call.startswith("void: ") for call in services.sharing.calls))
    assert services.sharing.live.stopped == ["The computer was left, or went to sleep."]
    assert services.vault.state is LockState.UNLOCKED


async def test_a_live_look_begins_at_the_glasses_too(window, services, fake, until) -> None:
    services.glasses.put(fake.view())
    window.go("glasses")
    await until(lambda: [each for each in shown(window.glasses, QPushButton) if each.text() == "Live look…"])
    press(window.glasses, "Live look…")
    await until(lambda: shown(window, LiveSheet))
    assert shown(window, LiveSheet)[0].glasses.currentText() == "Omi Glass"


# -- destinations --------------------------------------------------------------------------------------------------------------


async def test_destinations_are_listed_ready_ones_first_and_own_ones_can_be_removed(bench, services, fake, until) -> None:
    services.sharing.book.keys.kept.pop("kept")
    own = replace(fake.destination(PolicyClass.LOCAL), id="local-1", label="Mine")
    usual = services.sharing.destinations()
    services.sharing.destinations = lambda: (*usual, own)
    bench.card.refresh()
    card = bench.card
    await until(lambda: any(each.text() == "Not ready: no key yet" for each in shown(card, QLabel)))
    names = [each.text() for each in shown(card, QLabel) if each.property("role") == "strong"]
    assert names.index("Mine") < names.index("OpenAI API")
    press(card, "Remove Mine")
    await until(lambda: shown(bench, Question))
    press(shown(bench, Question)[0], "Remove")
    await until(lambda: services.sharing.book.gone == ["local-1"])


async def test_what_goes_wrong_in_a_sheet_is_said_there(bench, services, theme, until) -> None:
    async def check_key(destination_id):
        raise EyelidError("The server does not answer.", "", "Try again.")

    services.sharing.check_key = check_key
    bench.card.refresh()
    card = bench.card
    await until(lambda: [each for each in shown(card, QPushButton) if each.accessibleName() == "Set up OpenAI API"])
    press(card, "Set up OpenAI API")
    await until(lambda: shown(bench, QDialog))
    sheet = shown(bench, QDialog)[0]
    sheet.check.click()
    await until(lambda: sheet.key_told.text == "The server does not answer. Try again.")
    assert not bench.banners.shown()
