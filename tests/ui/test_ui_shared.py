"""Shared: the receipts and their filters, both sides of what left, the permissions, and the page that compares what becomes of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from app.settings import REGION
from app.sharing.grants import Grant, GrantSpan
from app.sharing.types import Outcome, PolicyClass, ReceiptKind
from tests.ui.hands import dialog_of, press, texts
from ui.context import Context
from ui.memory import Memory
from ui.pages.shared import SharedPage
from ui.tasks import Tasks
from ui.widgets.banner import Banners
from ui.widgets.basics import column
from ui.widgets.card_sheet import CardSheet
from ui.widgets.receipt_sheet import ReceiptSheet


class Bench(QWidget):
    """The page by itself, with what the window lends it."""

    def __init__(self, services, theme) -> None:
        super().__init__()
        self.tasks = Tasks(asyncio.get_running_loop(), self)
        context = Context(services, theme, self.tasks, Memory(services.profile.root))
        self.banners = Banners(theme)
        self.shared = SharedPage(context, self.banners)
        self.setLayout(column(self.banners, self.shared))
        self.resize(1000, 700)


@pytest.fixture
async def shared(services, theme, fake, until):
    """The page with four sendings in the book."""
    services.library.add(fake.tile(0))
    services.sharing.book_receipts = [
        fake.receipt(1, Outcome.REFUSED, PolicyClass.TRAINS),
        fake.receipt(2, Outcome.INTENDED, PolicyClass.KEPT, parcel="a"),
        fake.receipt(3, Outcome.INTENDED, PolicyClass.MIRROR, parcel="b"),
        fake.receipt(4, Outcome.ANSWERED, PolicyClass.KEPT, 310_000, parcel="a"),
        fake.receipt(5, Outcome.ANSWERED, PolicyClass.MIRROR, 310_000, parcel="b"),
        replace(fake.receipt(6, Outcome.ANSWERED, PolicyClass.KEPT), kind=ReceiptKind.MODELS, items=(), item_digests=()),
    ]
    bench = Bench(services, theme)
    bench.show()
    await until(bench.isActiveWindow)
    bench.shared.entered()
    await until(lambda: bench.shared.model.rowCount() == 4)
    yield bench.shared
    await bench.tasks.stop()
    bench.close()
    bench.deleteLater()
    await asyncio.sleep(0)


def ended(page) -> list[str]:
    return [page.model.index(row, 4).data() for row in range(page.model.rowCount())]


async def test_a_sending_is_one_row_with_how_it_ended(shared) -> None:
    assert [shared.model.index(row, 0).data() for row in range(4)] == ["6", "5", "4", "1"]
    assert ended(shared) == ["Sent and answered", "Sent and answered", "Sent and answered", "Kept private"]
    assert shared.model.index(0, 3).data() == "models asked for, no picture"
    assert shared.model.index(2, 3).data() == "1 picture"


async def test_filters_choose_and_can_be_taken_off(shared, until) -> None:
    shared.how.setCurrentIndex(2)
    await until(lambda: ended(shared) == ["Kept private"])
    shared.how.setCurrentIndex(1)
    shared.search.setText("openai")
    await until(lambda: [shared.model.receipt(row).company for row in range(shared.model.rowCount())] == ["OpenAI", "OpenAI"])
    shared.search.setText("nobody")
    await until(lambda: "No receipt fits" in texts(shared))
    press(shared, "Show all")
    await until(lambda: shared.model.rowCount() == 4)
    assert not shared.unfilter.isVisible()


async def test_a_receipt_says_all_and_gives_the_way_to_deletion(shared, until) -> None:
    shared.open_number(2)
    sheet = await dialog_of(shared.window(), until, ReceiptSheet)
    assert sheet.windowTitle() == "Receipts 2 and 4"
    said = texts(sheet)
    assert "Written before sending" in said
    assert "OpenAI, https://api.openai.com" in said
    assert " ".join(["cdcdcdcd"] * 8) in said
    assert "310000 of 310000" in said
    press(sheet, "Copy")
    assert QGuiApplication.clipboard().text() == f"Write to OpenAI and name {'cd' * 32}."


async def test_of_what_stayed_there_is_nothing_to_delete(shared, until) -> None:
    shared.open_number(1)
    sheet = await dialog_of(shared.window(), until, ReceiptSheet)
    assert "Kept private" in texts(sheet)
    assert "deletion" not in texts(sheet)


async def test_by_destination_and_by_capture(shared, until) -> None:
    press(shared, "By destination")
    await until(lambda: "1 sending, 1 capture, 310 kB in all" in texts(shared))
    assert "Mirror at http://127.0.0.1:40001" not in texts(shared) or "OpenAI" in texts(shared)
    press(shared, "By capture")
    await until(lambda: "Sent 2 times to OpenAI, Mirror (this computer, no AI)" in texts(shared))
    press(shared.items, "Receipts…")
    await until(lambda: shared.table.isVisible() and shared.model.rowCount() == 3)


async def test_permissions_are_listed_and_taken_back(shared, services, fake, until) -> None:
    place = fake.destination(PolicyClass.KEPT)
    services.sharing.standing = [Grant("g1", GrantSpan.CONVERSATION, place, fake.card(PolicyClass.KEPT), fake.NOW, fake.NOW, 5, 2)]
    press(shared, "Permissions")
    await until(lambda: "3 photos left" in texts(shared.grants))
    assert shared.tabs["grants"].text() == "Permissions (1)"
    assert "cannot bring back what has left" in texts(shared.grants)
    press(shared.grants, "Take back")
    await until(lambda: services.sharing.revoked == ["g1"])
    await until(lambda: "no permission stands" in texts(shared.grants))


async def test_the_book_is_checked_exported_and_made_a_page(shared, until, tmp_path, monkeypatch) -> None:
    async def save(parent, title, name):
        return tmp_path / name

    monkeypatch.setattr("ui.pages.shared.choose_save", save)
    shared._verify.click()
    await until(lambda: "6 receipts checked" in texts(shared.window()))
    shared._export.click()
    await until(lambda: (tmp_path / "eyelid-receipts.json").exists())
    shared._print.click()
    await until(lambda: (tmp_path / "eyelid-receipts.html").exists())


async def test_a_broken_book_is_said(shared, services, until) -> None:
    async def verify():
        return SimpleNamespace(sound=False, count=1, faults=("Line 1 was changed.",), notes=())

    services.sharing.verify_receipts = verify
    shared.verify()
    await until(lambda: "Line 1 was changed." in texts(shared.window()))


async def test_locking_empties_the_page(shared, services, until) -> None:
    shared.forget()
    assert shared.model.rowCount() == 0
    assert shared.items.rows.count() == 0


# -- what happens to what I send -----------------------------------------------------------------------------------------------


async def test_every_place_is_compared_and_says_its_words(window, services, until) -> None:
    window.go("shared")
    press(window.shared, "What happens to what I send")
    page = window.gate.compare
    assert page.isVisible()
    assert page.model.rowCount() == 4
    assert page.model.index(0, 0).data().startswith("Terms of mirror")
    press(page, "Show only: May be used for training")
    assert page.model.rowCount() == 1
    page.open_chosen()
    sheet = await dialog_of(window, until, CardSheet)
    said = texts(sheet)
    assert "“a quotation”" in said
    assert "https://example.test/terms; read on 1 May 2026" in said
    assert "Can I have it deleted?" in said
    sheet.reject()
    page.region.picked.emit("DE")
    assert services.settings.get(REGION) == "DE"
