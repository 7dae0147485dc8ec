"""Imports through the window over a real vault, library and import desk: chosen, dropped, stopped, locked; the report and the originals."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import zipfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from app.desks import LibraryDesk, VaultDesk
from app.events import ItemsChanged
from app.imports import watch
from app.imports.desk import ImportDesk
from app.imports.phones import Phone
from app.lanes import Lanes
from app.library.library import Library
from app.library.types import ThumbSize
from app.settings import WATCH_FOLDER
from app.vault.files import Files
from app.vault.types import LockState
from app.vault.vault import Vault
from ui.dialogs import Question
from ui.main_window import MainWindow
from ui.pages import importing

GLASSES = "Ray-Ban Meta Smart Glasses"


class FastFiles(Files):
    """The real disk without waiting for it."""

    def sync(self, file: io.FileIO) -> None:
        pass

    def sync_folder(self, path: Path) -> None:
        pass


def photo(number: int, make: str = "", model: str = "") -> bytes:
    exif = Image.Exif()
    exif.update({tag: text for tag, text in ((0x010F, make), (0x0110, model)) if text})
    out = io.BytesIO()
    Image.new("RGB", (32, 24), (number * 7 % 256, number % 256, 90)).save(out, "JPEG", quality=90, exif=exif.tobytes() if make else b"")
    return out.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "phone"
    made.mkdir()
    for number in range(3):
        (made / f"worn{number}.jpg").write_bytes(photo(number, "Meta AI", GLASSES))
    (made / "other.jpg").write_bytes(photo(50, "Apple", "iPhone 17"))
    (made / "notes.txt").write_text("no picture")
    return made


@pytest.fixture
async def real(services: Any, tmp_path: Path, theme: Any, until: Any) -> AsyncIterator[MainWindow]:
    """A window whose vault, library and imports are real."""
    lanes = Lanes()
    vault = Vault.create(tmp_path / "vault", passphrase="words", keyring=False, work_factor=1, files=FastFiles())

    async def purged(items: object) -> None:
        pass

    async def arrived(meta: Any, thumbs: Any) -> None:
        if vault.state is LockState.UNLOCKED:
            await services.library.arrived(meta.id, thumbs)

    services.vault = VaultDesk(tmp_path / "vault", lanes, services.events, on_vault=lambda _vault: None)
    services.vault._adopt(vault)
    services.library = LibraryDesk(Library(vault), lanes, services.events, purged)
    services.imports = ImportDesk(
        vault,
        lanes,
        services.profile.root,
        tuple(ThumbSize),
        arrived,
        lambda items: services.events.publish(ItemsChanged(items)),
        lambda why: None,
    )

    def changed(key: str) -> None:
        if key == WATCH_FOLDER.key:
            services.imports.watch(Path(services.settings.get(WATCH_FOLDER)) if services.settings.get(WATCH_FOLDER) else None)

    services.settings.on_change(changed)
    window = MainWindow(services, theme, asyncio.get_running_loop())
    window.show()
    await until(window.isActiveWindow)
    # pytest-qt lets Qt work between set-up and test, outside of the loop: nothing may be under way then.
    await until(lambda: not window.tasks.running("tiles"))
    yield window
    window.close()
    await window.tasks.stop()
    await services.imports.close()
    await services.vault.close()
    lanes.close()
    window.deleteLater()
    await asyncio.sleep(0)
    gc.collect()


def chosen(monkeypatch: pytest.MonkeyPatch, *paths: Path) -> None:
    """What the person picks in the next file dialogs."""

    async def files(parent: object, title: str) -> Sequence[Path]:
        return paths

    async def one(parent: object, title: str) -> Path | None:
        return paths[0] if paths else None

    monkeypatch.setattr(importing, "choose_files", files)
    monkeypatch.setattr(importing, "choose_folder", one)


def drop(window: MainWindow, page: Any, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    entering = QDragEnterEvent(QPointF(9, 9).toPoint(), copy, data, left, none)
    QApplication.sendEvent(page, entering)
    assert entering.isAccepted()
    assert page.property("target")
    QApplication.sendEvent(page, QDropEvent(QPointF(9, 9), copy, data, left, none))
    assert not page.property("target")


def told(window: MainWindow) -> str:
    """All words of the report."""
    card = window.imports.page.report
    return " ".join(each.text() for each in card.findChildren(QLabel) if each.isVisibleTo(card))


def press(parent: Any, text: str) -> None:
    next(each for each in parent.findChildren(QPushButton) if each.text() == text and each.isVisible()).click()


async def imported(window: MainWindow, until: Any, *paths: Path) -> None:
    window.imports.show_page()
    window.imports.page.take(paths)
    await until(lambda: window.imports.page.report.report is not None)


async def test_a_folder_that_was_chosen_comes_in_and_the_report_says_all_of_it(
    real: MainWindow, folder: Path, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = real.imports.page
    QTest.keyClick(real.captures, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    await until(page.isVisible)
    assert QApplication.focusWidget() is page.files
    chosen(monkeypatch, folder)
    page.folder.click()
    await until(lambda: page.report.report is not None)
    assert "4 captures are in the vault now." in told(real)
    assert "1 file was passed over." in told(real)
    assert "Recognised as: Ray-Ban Meta (3), other cameras (1)" in told(real)
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


async def test_only_from_glasses_here_and_in_captures(real: MainWindow, folder: Path, until: Any) -> None:
    page = real.imports.page
    real.imports.show_page()
    page.only_glasses.click()
    page.take([folder])
    await until(lambda: page.report.report is not None)
    assert "3 captures are in the vault now." in told(real)
    assert "Nothing says that glasses made this." in page.report.files.toPlainText()
    page.only_glasses.click()
    page.take([folder])
    await until(lambda: page.report.report is not None)
    real.go("captures")
    await until(lambda: real.captures.model.rowCount() == 4)
    chip = real.captures.filters.chips["glasses"]
    assert chip.accessibleName() == "Show: Only from glasses"
    chip.click()
    await until(lambda: real.captures.model.rowCount() == 3)


async def test_what_is_dropped_on_captures_comes_in_while_one_stays_there(real: MainWindow, folder: Path, until: Any) -> None:
    drop(real, real.captures, folder)
    await until(lambda: real.captures.model.rowCount() == 4)
    await until(lambda: real.banners.shown())
    assert real.captures.isVisible()
    assert "4 captures are in the vault now." in real.banners.shown()[0].said.what
    press(real.banners, "Report…")
    assert real.imports.page.isVisible()
    assert real.imports.page.report.isVisible()
    drop(real, real.imports.page, folder)
    await until(lambda: "4 were in the vault already." in told(real))


async def test_a_run_can_be_paused_stopped_and_gone_on_with(real: MainWindow, tmp_path: Path, until: Any) -> None:
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


async def test_what_comes_while_one_runs_waits_its_turn(real: MainWindow, folder: Path, tmp_path: Path, until: Any) -> None:
    more = tmp_path / "more.jpg"
    more.write_bytes(photo(77))
    real.imports.take([folder])
    real.imports.take([more])
    await until(lambda: real.imports.page.report.report is not None)
    report = real.imports.page.report.report
    assert report is not None
    assert len(report.outcomes) == 6
    assert not real.imports.work.running


async def test_a_lock_ends_the_run_shows_no_names_and_it_can_go_on(real: MainWindow, folder: Path, until: Any) -> None:
    page, services = real.imports.page, real.context.services
    real.imports.show_page()
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
    assert len(services.vault.vault.ids()) == 5


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


async def test_the_watched_folder_is_chosen_shown_and_left(
    real: MainWindow, tmp_path: Path, until: Any, monkeypatch: pytest.MonkeyPatch
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


async def test_phones_are_listed_and_imported_or_the_steps_are_told(
    real: MainWindow, folder: Path, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Phone] = []

    async def phones() -> tuple[Phone, ...]:
        return tuple(found)

    monkeypatch.setattr(real.context.services.imports, "phones", phones)
    page = real.imports.page
    real.imports.show_page()
    await until(page.phones.by_hand.isVisible)
    found.append(Phone("Pixel 8\n\u202e", (folder,)))
    page.phones.again.click()
    await until(lambda: not page.phones.by_hand.isVisible() and page.phones.rows.count())
    bring = next(each for each in page.phones.findChildren(QPushButton) if each.text() == "Import")
    assert bring.accessibleName() == "Import from Pixel 8"
    bring.click()
    await until(lambda: "4 captures are in the vault now." in told(real))


def archive(path: Path, *pictures: bytes) -> Path:
    """An archive as Meta makes them, whose conversations name the pictures."""
    said = [{"timestamp_value": 1_767_000_000, "media": [{"uri": f"media/{number}.jpg"}]} for number in range(len(pictures))]
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("your_activity/messages/ai_conversations.json", json.dumps([{"label_values": said}]))
        for number, data in enumerate(pictures):
            made.writestr(f"media/{number}.jpg", data)
    return path


async def test_metas_archive_marks_what_left_and_nothing_breaks_without_a_receipt(
    real: MainWindow, folder: Path, tmp_path: Path, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = real.imports.page
    await imported(real, until, folder)
    chosen(monkeypatch, archive(tmp_path / "meta.zip", (folder / "worn1.jpg").read_bytes(), photo(123)))
    page.archive.choose.click()
    await until(lambda: "Each is marked" in page.archive.told.text)
    assert "1 capture here was shared with Meta AI. 1 more was taken in" in page.archive.told.text
    chosen(monkeypatch, folder / "notes.txt")
    page.archive.choose.click()
    await until(lambda: "no archive that can be read" in page.archive.told.text)
    assert page.archive.choose.isEnabled()
    real.go("captures")
    real.captures.filters.chips["shared"].click()
    await until(lambda: real.captures.model.rowCount() == 2)
    assert {real.captures.model.tile(row).status_words for row in range(2)} == {"Shared with Meta"}
    real.go("shared")
    for side in real.shared.tabs:
        real.shared.turn_to(side)
        await until(lambda: not real.tasks.running("receipts"))
