"""Imports through the window over a real vault, library and import desk: chosen, dropped, stopped, locked; the report and the originals."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QPushButton

from app.desks import LibraryDesk, VaultDesk
from app.errors import Explanation
from app.events import ItemsChanged
from app.imports import watch
from app.imports.desk import META_AI, ImportDesk
from app.imports.phones import Phone
from app.imports.types import Fate, Outcome, Report
from app.lanes import Lanes
from app.library.library import Library
from app.library.types import ThumbSize
from app.media.samples import clip
from app.settings import WATCH_FOLDER
from app.sharing.types import PolicyClass
from app.vault.files import Files
from app.vault.types import LockState
from app.vault.vault import Vault
from tests.ui.hands import press
from ui.dialogs import Question
from ui.main_window import MainWindow
from ui.pages import importing
from ui.widgets.badge import Badge
from ui.widgets.card_sheet import CardSheet
from ui.widgets.import_report import MOST_LINES, ReportCard

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
def until() -> Callable[[Callable[[], object]], Awaitable[None]]:
    """Wait for what involves a real vault, however busy the machine."""

    async def wait(condition: Callable[[], object]) -> None:
        async with asyncio.timeout(25):
            while not condition():
                await asyncio.sleep(0.005)

    return wait


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


def archive(path: Path, *pictures: bytes) -> Path:
    """An archive as Meta makes them, whose conversations name the pictures."""
    said = [{"timestamp_value": 1_767_000_000, "media": [{"uri": f"media/{number}.jpg"}]} for number in range(len(pictures))]
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("your_activity/messages/ai_conversations.json", json.dumps([{"label_values": said}]))
        for number, data in enumerate(pictures):
            made.writestr(f"media/{number}.jpg", data)
    return path


def meta_card(fake: Any) -> Any:
    return replace(fake.card(PolicyClass.TRAINS), id=META_AI, title="Meta AI app")


async def seen(real: MainWindow, until: Any, name: str) -> str:
    """All words of the details of the capture that came from a file of this name."""
    vault = real.context.services.vault.vault
    item = next(each for each in vault.ids() if vault.meta(each).new.original_name == name)
    details = real.viewer.details

    def words() -> list[str]:
        return [each.text() for each in details.findChildren(QLabel) if each.isVisibleTo(details)]

    real.view(item)
    await until(lambda: real.viewer._meta is not None and real.viewer._meta.id == item)
    await until(lambda: "From" in words() and "Taken" in words())  # what is added to a layout shows a turn of the loop later
    return " ".join(words())


async def test_details_say_what_a_file_was_taken_for_and_what_nobody_can_know(
    real: MainWindow, folder: Path, tmp_path: Path, until: Any, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(real.context.services.sharing, "cards", lambda: (meta_card(fake),))
    (folder / "plain.jpg").write_bytes(photo(60))
    (folder / "photo-7_singular_display_fullPicture.jpg").write_bytes(photo(61))
    await imported(real, until, folder)
    said = await seen(real, until, "worn0.jpg")
    assert "Ray-Ban Meta, the file says so" in said
    assert "The file names its maker: Meta AI." in said
    assert "can't know whether this was shared with Meta AI from the phone" in said
    press(real.viewer.details, "What Meta AI may do with it")
    await until(lambda: [each for each in real.findChildren(CardSheet) if each.isVisible()])
    next(each for each in real.findChildren(CardSheet) if each.isVisible()).reject()
    assert "Meta glasses, likely" in await seen(real, until, "photo-7_singular_display_fullPicture.jpg")
    said = await seen(real, until, "other.jpg")
    assert "Apple iPhone 17" in said
    assert "No glasses that are known here" in said
    assert "Meta AI" not in said
    said = await seen(real, until, "plain.jpg")
    assert "Unknown glasses or camera" in said
    assert "Nothing in the file, its name or its folder says what made it." in said

    page = real.imports.page
    real.imports.show_page()
    chosen(monkeypatch, archive(tmp_path / "meta.zip", (folder / "worn0.jpg").read_bytes(), photo(123)))
    page.archive.choose.click()
    await until(lambda: "Each is marked" in page.archive.told.text)
    assert "1 capture here was shared with Meta AI. 1 more was taken in" in page.archive.told.text
    chosen(monkeypatch, folder / "notes.txt")
    page.archive.choose.click()
    await until(lambda: "no archive that can be read" in page.archive.told.text)
    assert page.archive.choose.isEnabled()
    said = await seen(real, until, "worn0.jpg")
    assert "Shared with Meta" in said
    assert "as Meta's archive says. There is no receipt." in said
    assert "can't know" not in said
    assert not [each for each in real.viewer.details.findChildren(QPushButton) if each.text().startswith("Receipt")]
    real.go("captures")
    real.captures.filters.chips["shared"].click()
    await until(lambda: real.captures.model.rowCount() == 2)
    real.go("shared")
    real.shared.turn_to("items")
    rows = real.shared.items
    await until(lambda: "Shared with Meta AI from the phone or the glasses" in [each.text() for each in rows.findChildren(QLabel)])
    assert sum("As Meta's archive says, on" in each.text() for each in rows.findChildren(QLabel)) == 2
    assert {real.captures.model.tile(row).status_words for row in range(2)} == {"Shared with Meta"}
    real.go("shared")
    for side in real.shared.tabs:
        real.shared.turn_to(side)
        await until(lambda: not real.tasks.running("receipts"))


async def test_a_still_leads_to_its_clip_and_back_and_each_is_deleted_on_its_own(real: MainWindow, tmp_path: Path, until: Any) -> None:
    pair = tmp_path / "pair"
    pair.mkdir()
    (pair / "IMG_1.jpg").write_bytes(photo(1))
    (pair / "IMG_1.mov").write_bytes(clip())
    (pair / "IMG_2.jpg").write_bytes(photo(2))
    await imported(real, until, pair)
    real.go("captures")
    await until(lambda: real.captures.model.rowCount() == 3)
    await seen(real, until, "IMG_2.jpg")
    assert not real.viewer.partner.isVisible()
    await seen(real, until, "IMG_1.jpg")
    partner = real.viewer.partner
    await until(partner.isVisible)
    assert partner.accessibleName() == "Play the clip"
    still = real.viewer._item
    partner.click()
    await until(lambda: partner.text() == "Show the photo")
    assert real.viewer._item != still
    partner.click()
    await until(lambda: partner.text() == "Play the clip")
    assert real.viewer._item == still
    real.viewer.trash()
    await until(lambda: real.banners.shown())
    assert "What was taken together with it stays." in real.banners.shown()[0].said.what
    assert len(await real.context.services.library.tiles(real.captures.query)) == 2


async def test_the_glasses_page_names_those_that_do_not_pair_and_leads_to_the_import(real: MainWindow, until: Any) -> None:
    real.go("glasses")
    names = [each.accessibleName() for each in real.glasses.findChildren(Badge) if each.isVisible()]
    assert {"Ray-Ban Meta", "Oakley Meta", "Snap Spectacles"} <= set(names)
    assert "Mentra Live" not in names
    press(real.glasses, "Import captures…")
    assert real.imports.page.isVisible()
    press(real.imports.page, "Back")
    assert real.glasses.isVisible()

    page = real.imports.page
    real.imports.show_page()
    reached = set()
    for _ in range(40):
        reached.add(QApplication.focusWidget())
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    wanted = {page.files, page.folder, page.only_glasses, page.phones.again, page.watched.choose, page.archive.choose}
    assert wanted <= reached
    for each in page.findChildren(QAbstractButton):
        assert each.accessibleName(), each


def test_a_long_list_is_cut_on_the_screen_only(qapp: QApplication, theme: Any) -> None:
    refused = tuple(Outcome(Path(f"/x/{number}\n.jpg"), Fate.REFUSED, why=Explanation("No.")) for number in range(MOST_LINES + 3))
    card = ReportCard(theme, lambda: None, lambda: None)
    card.show_report(Report(refused), more=False)
    assert card.files.toPlainText().count("\n") == MOST_LINES
    assert card.files.toPlainText().endswith("and 3 more; a copy of the list has them all")
    card.copy_list()
    assert QGuiApplication.clipboard().text().count(".jpg: No.") == len(refused)
    card.clear()
    assert card.files.toPlainText() == ""
    card.deleteLater()
