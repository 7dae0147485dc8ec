"""Imports through the window over a real vault, library and import desk: chosen, dropped, stopped, locked; the report and the originals."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from app.imports import watch
from app.imports.phones import Phone
from app.vault.types import LockState
from tests.ui.hands import press
from tests.ui.import_window import chosen, drop, imported, photo, told
from ui.dialogs import Question
from ui.main_window import MainWindow


async def test_a_folder_that_was_chosen_comes_in_and_the_report_says_all_of_it(
    real: MainWindow, folder: Path, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = real.imports.page
    QTest.keyClick(real.captures, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    await until(page.isVisible)
    assert QApplication.focusWidget() is page.files
    page.only_glasses.click()
    page.take([folder])
    await until(lambda: page.report.report is not None)
    assert "3 captures are in the vault now." in told(real)
    assert "Nothing says that glasses made this." in page.report.files.toPlainText()
    page.only_glasses.click()
    chosen(monkeypatch, folder)
    page.report.clear()
    page.folder.click()
    await until(lambda: page.report.report is not None)
    assert "1 capture is in the vault now." in told(real)
    assert "3 were in the vault already." in told(real)
    assert "1 file was passed over." in told(real)
    assert "Recognised as: other cameras (1)" in told(real)
    assert "notes.txt: This is no picture" in page.report.files.toPlainText()
    page.report.copy_list()
    assert QGuiApplication.clipboard().text().endswith(page.report.files.toPlainText())
    assert len(list(folder.iterdir())) == 5
    assert not page.running.isVisible()

    page.take([folder])
    await until(lambda: page.report.report is not None)
    assert "4 were in the vault already." in told(real)
    press(page, "Back")
    assert real.captures.isVisible()
    await until(lambda: real.captures.model.rowCount() == 4)
    box = real.captures.filters.glasses
    await until(box.isVisible)
    box.setCurrentIndex(box.findText("From glasses"))
    box.activated.emit(box.currentIndex())
    await until(lambda: real.captures.model.rowCount() == 3)


async def test_what_is_dropped_on_captures_comes_in_while_one_stays_there(
    real: MainWindow, folder: Path, tmp_path: Path, until: Any
) -> None:
    drop(real, real.captures, folder)
    await until(lambda: real.captures.model.rowCount() == 4)
    await until(lambda: real.banners.shown())
    assert real.captures.isVisible()
    assert "4 captures are in the vault now." in real.banners.shown()[0].said.what
    recognised = "Recognised as: Ray-Ban Meta (3), other cameras (1)"
    press(real.banners, "Report…")
    assert real.imports.page.isVisible()
    assert real.imports.page.report.isVisible()
    assert recognised in told(real)
    drop(real, real.imports.page, folder)
    await until(lambda: "4 were in the vault already." in told(real))

    more = tmp_path / "more.jpg"
    more.write_bytes(photo(77))
    real.imports.take([folder])
    real.imports.take([more])  # waits its turn
    await until(lambda: real.imports.page.report.report is not None)
    report = real.imports.page.report.report
    assert report is not None
    assert len(report.outcomes) == 6
    assert not real.imports.work.running


async def test_a_run_is_paused_stopped_cut_off_by_the_lock_and_gone_on_with(
    real: MainWindow, folder: Path, tmp_path: Path, until: Any
) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(30):
        (many / f"{number:02}.jpg").write_bytes(photo(number))
    page = real.imports.page
    real.imports.show_page()
    page.take([many])
    assert page.running.isVisible()
    await until(lambda: page.work.progress is not None)
    page.running.pause.click()
    assert (page.running.title.text(), page.running.pause.text()) == ("Paused", "Go on")
    assert page.running.bar.accessibleName() == page.running.words.text()
    page.running.stop.click()
    await until(lambda: page.report.report is not None)
    assert "Stopped. Going on takes only what is missing" in told(real)
    assert page.report.go_on.isVisible()
    page.report.go_on.click()
    await until(lambda: page.report.report is not None)
    assert not page.report.go_on.isVisible()
    assert len(real.context.services.vault.vault.ids()) == 30

    services = real.context.services
    page.take([folder])
    await until(lambda: page.report.report is not None)
    (folder / "new.jpg").write_bytes(photo(99))
    page.take([folder])
    page.running.pause.click()
    real.lock()
    await until(lambda: services.vault.state is LockState.LOCKED)
    assert real.rooms.currentWidget() is real.lock_page
    assert "worn" not in " ".join(each.text() for each in real.findChildren(QLabel))
    assert page.report.files.toPlainText() == ""
    await until(lambda: not page.work.running)
    await services.vault.unlock("words")
    await until(lambda: real.captures.isVisible())
    real.imports.show_page()
    assert "interrupted when the vault locked" in page.interrupted.text
    press(page.interrupted, "Go on")
    await until(lambda: page.report.report is not None)
    assert not page.interrupted.isVisible()
    assert len(services.vault.vault.ids()) == 35


async def test_a_drive_that_is_pulled_out_is_said_and_gone_on_with(real: MainWindow, folder: Path, until: Any) -> None:
    page, away = real.imports.page, folder.with_name("away")
    for number in range(30):
        (folder / f"{number:02}.jpg").write_bytes(photo(100 + number))
    real.imports.show_page()
    page.work._calm.setInterval(0)

    def pull() -> None:
        if page.work.progress is not None:
            page.work.moved.disconnect(pull)
            folder.rename(away)

    page.work.moved.connect(pull)
    page.take([folder])
    await until(lambda: page.report.report is not None)
    assert page.report.title.text() == "Import stopped"
    assert "The drive or folder is not there any more." in told(real)
    away.rename(folder)
    page.report.go_on.click()
    await until(lambda: page.report.report is not None)
    assert page.report.title.text() == "Import finished"
    assert len(real.context.services.vault.vault.ids()) == 34


async def test_originals_go_only_when_asked_and_only_what_the_vault_has(real: MainWindow, folder: Path, until: Any) -> None:
    page = real.imports.page
    await imported(real, until, folder)
    (folder / "worn0.jpg").write_bytes(photo(200))
    page.report.remove.click()
    await until(lambda: real.findChildren(Question))
    question = real.findChildren(Question)[0]
    assert question.windowTitle() == "Delete 4 originals?"
    assert "to the last byte" in question.accessibleDescription()
    assert QApplication.focusWidget().text() == "Keep the originals"
    question.reject()
    await until(lambda: not real.tasks.running("import remove"))
    assert len(list(folder.iterdir())) == 5
    await asyncio.sleep(0)
    page.report.remove.click()
    await until(lambda: [each for each in real.findChildren(Question) if each.isVisible()])
    press(next(each for each in real.findChildren(Question) if each.isVisible()), "Compare, then delete")
    await until(lambda: "3 originals were deleted." in told(real))
    assert "1 was left where it is:" in told(real)
    assert "worn0.jpg: It differs from what the vault has." in told(real)
    assert {path.name for path in folder.iterdir()} == {"worn0.jpg", "notes.txt"}
    assert not page.report.remove.isVisible()


async def test_the_watched_folder_is_chosen_shown_and_left_and_phones_are_listed(
    real: MainWindow, folder: Path, tmp_path: Path, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "SECONDS", 0.0)
    sync, page = tmp_path / "sync", real.imports.page
    sync.mkdir()
    (sync / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(20))
    real.imports.show_page()
    assert not page.watched.stop.isVisible()
    chosen(monkeypatch, sync)
    page.watched.choose.click()
    await until(page.watched.stop.isVisible)
    assert page.watched.badge.text == "Watching"
    assert page.watched.folder.text() == str(sync)
    (sync / "a.jpg").write_bytes(photo(1))

    def came() -> str:
        page._show_watched()
        return page.watched.came.text()

    await until(lambda: came().startswith("1 capture came from it today."))
    (sync / "a.jpg").unlink()
    for path in sync.iterdir():
        path.unlink()
    sync.rmdir()
    await until(lambda: (came(), page.watched.badge.text == "Not there")[1])
    assert "goes on looking" in page.watched.state.text()
    page.watched.stop.click()
    assert real.context.services.imports.watched is None
    assert page.watched.choose.text() == "Choose a folder to watch…"

    found: list[Phone] = []

    async def phones() -> tuple[Phone, ...]:
        return tuple(found)

    monkeypatch.setattr(real.context.services.imports, "phones", phones)
    real.imports.show_page()
    await until(page.phones.by_hand.isVisible)
    found.append(Phone("Pixel 8\n\u202e", (folder,)))
    page.phones.again.click()
    await until(lambda: not page.phones.by_hand.isVisible() and page.phones.rows.count())
    bring = next(each for each in page.phones.findChildren(QPushButton) if each.text() == "Import")
    assert bring.accessibleName() == "Import from Pixel 8"
    bring.click()
    await until(lambda: "4 captures are in the vault now." in told(real))
