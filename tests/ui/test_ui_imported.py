"""What the window says of captures that were imported: details, stills and their clips, those that do not pair, long reports."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QPushButton

from app.errors import Explanation
from app.imports.desk import META_AI
from app.imports.types import Fate, Outcome, Report
from app.media.samples import clip
from app.sharing.types import PolicyClass
from tests.ui.hands import press
from tests.ui.import_window import chosen, imported, photo
from ui.main_window import MainWindow
from ui.widgets.badge import Badge
from ui.widgets.card_sheet import CardSheet
from ui.widgets.import_report import MOST_LINES, ReportCard, summary


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
    assert "worn0.jpg" in said
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


def test_what_ended_an_import_is_said_in_place_of_the_stop() -> None:
    assert [text for _, _, text in summary(Report(stopped=True, why=Explanation("The drive is gone.")))] == ["The drive is gone."]


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
