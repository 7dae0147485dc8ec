"""The window on a furnished profile, brought into each state that a picture is taken of, and the taking. For `screenshots.py`."""

from __future__ import annotations

import asyncio
import contextlib
import io
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QBuffer, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap
from PySide6.QtWidgets import QDialog, QScrollArea

from app.imports.types import Fate
from app.media.samples import clip, pictures
from app.vault.types import ItemId, ItemKind, LockState, NewItem, Origin, Share
from ble.types import LinkState
from tests.waiting import until
from ui.approval import ApprovalDialog
from ui.dialogs import Question
from ui.help import HelpSheet
from ui.i18n import plural, tr
from ui.main_window import MainWindow
from ui.pages.keys import PassphraseDialog
from ui.pages.live import LiveSheet, able
from ui.pages.setup import AddSheet, SetUpSheet
from ui.shortcuts import ShortcutsDialog
from ui.tokens import Palette, rgb
from ui.widgets.card_sheet import CardSheet
from ui.widgets.receipt_sheet import ReceiptSheet

MOST_BYTES = 250_000
PASSPHRASE = "a passphrase for these pictures"
TRAINS, KEPT = "meta-unpaid", "openai"
QUESTION = "Which rocket is this, and where does it stand?"
CODE = "7K2QA-9M4TD-X0RGB-2FH8W-P5NVC-6JY1E-ZQ3SK-8D0MT-C4WAH-1XG7R-V9B2N-5EPJ6-T0KQ8"


def save_small(shot: QPixmap, path: Path, look: Palette) -> None:
    """As a PNG with a palette: the window's own colours exactly, and as many for the photographs as fit into the size allowed."""
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    shot.save(buffer, "PNG")
    picture = Image.open(io.BytesIO(bytes(buffer.data().data()))).convert("RGB")
    own = [
        channel
        for name in ("surface", "window", "text", "accent", "selected", "sent", "good", "bad")
        for channel in rgb(getattr(look, name))
    ]
    mine = [own[at : at + 3] for at in range(0, len(own), 3)]
    for colours in (256, 192, 128, 96, 64):
        found = picture.quantize(colours - len(own) // 3, method=Image.Quantize.MEDIANCUT).getpalette() or []
        each = [found[at : at + 3] for at in range(0, len(found), 3)]
        # Pillow takes whichever is nearest by and large, so nothing may stand close to a colour of the window's own.
        seen = [
            value
            for one in each
            if all(sum(map(abs, map(int.__sub__, one, kept))) > (20 if kept in mine[:2] else 8) for kept in mine)
            for value in one
        ]
        palette = Image.new("P", (1, 1))
        palette.putpalette((own + seen)[: 3 * colours])
        picture.quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size < MOST_BYTES:
            return


def forgetting(window: MainWindow) -> Question:
    detail = tr("Eyelid stops connecting to these glasses. Captures already here stay in the vault.")
    return Question(window, tr("Forget {name}?", name="Halo"), detail, tr("Forget"), tr("Keep"))


def fields(meta: object) -> dict[str, object]:
    return {name: getattr(meta, name) for name in type(meta).__slots__}


class Studio:
    """A window on a furnished profile, and what takes its pictures."""

    def __init__(self, window: MainWindow, folder: Path) -> None:
        self.window = window
        self.services = window.context.services
        self.folder = folder
        self.look = "light"
        self.readme: dict[str, Path] = {}
        self.items: list[ItemId] = []

    async def settle(self) -> None:
        await until(lambda: not self.window.captures.thumbs._busy)
        for _ in range(30):
            await asyncio.sleep(0.01)

    async def take(self, name: str, dialog: QDialog | None = None) -> None:
        """Save the window, with `dialog` in front of it as a window manager would put it."""
        await self.settle()
        shot = self.window.grab()
        if dialog is not None:
            self.lay_over(shot, dialog.grab())
        if name in self.readme:
            save_small(shot, self.readme[name], self.window.context.theme.palette)
        else:
            path = self.folder / self.look / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            shot.save(str(path))

    @staticmethod
    def lay_over(shot: QPixmap, front: QPixmap) -> None:
        painter = QPainter(shot)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(shot.rect(), QColor(10, 12, 20, 110))
        at = QRect((shot.width() - front.width()) // 2, max(0, (shot.height() - front.height()) // 2), front.width(), front.height())
        painter.setPen(Qt.PenStyle.NoPen)
        for width in range(12, 0, -2):
            painter.setBrush(QColor(0, 0, 0, 14))
            painter.drawRoundedRect(at.adjusted(-width, -width + 4, width, width + 4), 8, 8)
        painter.drawPixmap(at, front)
        painter.end()

    # -- what is in it ---------------------------------------------------------------------------------------------------------

    async def furnish(self) -> None:
        """Ten captures of two days, one shared, one a favourite, one a video."""
        vault, now = self.services.vault.vault, datetime.now(UTC).replace(second=0, microsecond=0)
        seen = [("omi-glass", "Omi Glass", 3, 640, 480), ("frame", "Frame", 8, 720, 720)]
        shots = [(*one, data) for one in seen for data in pictures(one[0])]
        order = [0, 3, 2, 9, 4, 5, 1, 6, 8]
        for number, which in enumerate(order):
            family, name, turned, width, height, data = shots[which]
            at = now - timedelta(minutes=7 * number + 1, days=number // 5)
            origin = Origin(family, f"D0:00:00:00:00:{number:02X}", name, simulated=True)
            # One byte more behind the picture each time: the vault holds every capture once.
            new = NewItem(ItemKind.PHOTO, "image/jpeg", at, origin, width, height, orientation=turned)
            self.items.append(vault.add(data + bytes(number), new).id)
        origin = Origin("mentra-live", "D0:00:00:00:01:00", "Mentra Live", simulated=True)
        film = NewItem(ItemKind.VIDEO, "video/mp4", now - timedelta(minutes=3), origin, 320, 240, 3000)
        self.items.insert(0, vault.add(clip(), film).id)
        for item in self.items:
            await self.services.library.arrived(item)
        share = Share("openai", "OpenAI", now, 1, leaves_computer=True)
        vault.change(self.items[5], lambda meta: type(meta)(**{**fields(meta), "shares": (share,)}))
        await self.services.library.set_favourite((self.items[1],), True)
        self.window.captures.entered()
        await until(lambda: self.window.captures.model.rowCount() == len(self.items))

    async def pair(self) -> None:
        for family in ("omi-glass", "halo"):
            await self.services.glasses.start_simulated(family)
            async with contextlib.aclosing(self.services.glasses.scan(20)) as heard:
                async for found in heard:
                    if not found.known:
                        break
            await self.services.glasses.pair(found)
        await until(lambda: all(view.state is LinkState.READY for view in self.services.glasses.known()))

    # -- scenes ----------------------------------------------------------------------------------------------------------------

    async def captures(self) -> None:
        self.window.go("captures")
        await until(lambda: len(self.window.captures.thumbs._kept) >= min(10, len(self.items)))
        await self.take("captures")

    async def captures_small(self) -> None:
        self.window.go("captures")
        view = self.window.captures.view
        view.set_tile_size(0)
        await self.take("captures-small")
        view.set_tile_size(2)
        await self.take("captures-large")
        view.set_tile_size(1)

    async def selected(self) -> None:
        self.window.go("captures")
        captures = self.window.captures
        flags = captures.view.selectionModel().SelectionFlag.Select
        for row in (1, 2):
            captures.view.selectionModel().select(captures.model.index(row), flags)
        captures.view.setFocus()
        captures.view.keyboard_used = True
        captures.view.selectionModel().setCurrentIndex(captures.model.index(3), captures.view.selectionModel().SelectionFlag.NoUpdate)
        said = plural(1, "{count} capture moved to the trash.", "{count} captures moved to the trash.")
        self.window.banners.good(said, (tr("Undo"), lambda: None))
        await self.take("captures-selected")
        captures.view.clearSelection()
        self.window.banners.clear()

    async def nothing(self) -> None:
        self.window.go("captures")
        self.window.captures.filters.chips["sound"].click()
        await until(lambda: self.window.captures.model.rowCount() == 0)
        await self.take("captures-nothing")
        self.window.captures.filters.chips["trash"].click()
        await self.take("trash-empty")
        self.window.captures.filters.chips["all"].click()
        await until(lambda: self.window.captures.model.rowCount() == len(self.items))

    async def viewer(self) -> None:
        self.window.view(self.items[5])
        await until(lambda: not self.window.viewer.picture.empty)
        await self.take("viewer")

    async def video(self) -> None:
        self.window.view(self.items[0])
        await until(lambda: self.window.viewer.video._seen)
        await self.take("video")
        self.window.go("captures")

    async def glasses(self) -> None:
        self.window.go("glasses")
        await until(lambda: len(self.window.glasses._cards) == 2)
        await until(lambda: not any(card.progress.isVisible() for card in self.window.glasses._cards.values()))
        await self.take("glasses")

    async def importing(self) -> None:
        """The import page, then the report of a folder with a picture, one that is there already, and what is none."""
        page = self.window.imports.page
        page.report.clear()
        self.window.imports.show_page()
        await until(lambda: page.phones.by_hand.isVisible())
        await self.take("import")
        with tempfile.TemporaryDirectory(prefix="eyelid-import-") as folder:
            for number, data in enumerate((*pictures("omi-glass")[:2], b"no picture")):
                (Path(folder) / f"IMG_{number}.jpg").write_bytes(data)
            page.take([Path(folder)])
            await until(lambda: page.report.report is not None)
            await self.take("import-report")
        self.items += [each.item for each in page.report.report.outcomes if each.fate is Fate.TAKEN]
        self.window.go("captures")

    async def pairing(self) -> None:
        self.window.pair()
        await self.take("pairing")
        self.window.go("captures")

    def draft(self, destination: str = TRAINS, *items: ItemId) -> None:
        """The unpaid Meta Model API trains on what it is sent; the picture is of a rocket, and the box for that is ticked."""
        book = self.services.sharing.book
        for known, model in ((TRAINS, "muse-spark-1.3"), (KEPT, "gpt-5-mini")):
            book.keys.set(known, "not-a-real-key")
            if not book.get(known).model:
                book.set_model(known, model)
        ask = self.window.ask
        self.window.ask_about(items or (self.items[5],))
        ask._question.setPlainText(QUESTION)
        ask._to.choose(destination)
        ask._moved()
        ask._no_people.setChecked(True)

    async def ask(self) -> None:
        self.draft()
        await self.take("ask")

    async def approval(self) -> None:
        self.draft()
        await self.decide("approval")

    async def approval_many(self) -> None:
        self.draft(KEPT, *self.items[1:5])
        await self.decide("approval-many")

    async def decide(self, name: str) -> None:
        ask = self.window.ask
        ask.review()
        await until(lambda: self.window.findChildren(ApprovalDialog), 90)
        dialog = self.window.findChildren(ApprovalDialog)[0]
        try:
            dialog._armed.setInterval(0)
            await until(lambda: dialog.proposal is not None, 90)
            for box in dialog.checks:
                box.setChecked(True)
            await until(lambda: dialog.armed)
            looking = {tr("Looking for faces…"), tr("Looking for text, screens and papers…"), tr("Looking for QR and bar codes…")}
            await until(lambda: looking.isdisjoint(line.words.text() for line in dialog.found.lines.values()), 90)
            dialog.keep.setFocus()
            await self.take(name, dialog)
        finally:
            dialog.reject()
            await until(lambda: not ask.busy)

    async def shared(self) -> None:
        self.window.go("shared")
        await until(lambda: not self.window.tasks.running("receipts"))
        await self.take("shared")

        self.window.gate.show_compare()
        await self.take("compare")
        for side in ("items", "grants"):
            self.window.go("shared")
            self.window.shared.turn_to(side)
            await self.take(f"shared-{side}")
        self.window.shared.turn_to("receipts")

    async def diagnostics(self) -> None:
        self.window.show_diagnostics()
        await until(lambda: not self.window.tasks.running("report"))
        await self.take("diagnostics")
        self.window.go("captures")

    async def dialogs(self) -> None:
        """Those that stand in front of a page."""
        window, context, theme = self.window, self.window.context, self.window.context.theme
        sharing = self.services.sharing
        destination = next(each for each in sharing.destinations() if each.id == KEPT)
        live = LiveSheet(window, context, able(self.services.glasses.known()), "")
        await live.fill()
        receipts = await sharing.receipts()
        window.go("settings")
        for name, made in (
            ("set-up", SetUpSheet(window, context, destination)),
            ("add", AddSheet(window, context)),
            ("terms", CardSheet(window, theme, sharing.card(TRAINS))),
            *((("receipt", ReceiptSheet(window, theme, receipts[:1], "")),) if receipts else ()),
            ("passphrase", PassphraseDialog(window, context, tr("Add a passphrase"), change=False)),
            ("live", live),
            ("question", forgetting(window)),
            ("shortcuts", ShortcutsDialog(window, theme)),
        ):
            made.open()
            await self.take(f"dialog-{name}", made)
            made.reject()
            made.deleteLater()

    async def settings(self) -> None:
        self.window.go("settings")
        await self.take("settings-1")
        bar = max(self.window.settings.findChildren(QScrollArea), key=lambda area: area.height()).verticalScrollBar()
        for number in range(2, 6):
            if bar.value() >= bar.maximum():
                break
            bar.setValue(bar.value() + bar.pageStep() - 40)
            await self.take(f"settings-{number}")
        bar.setValue(0)

    async def help(self) -> None:
        self.window.show_help()
        await until(lambda: any(sheet.isVisible() for sheet in self.window.findChildren(HelpSheet)))
        sheet = next(sheet for sheet in self.window.findChildren(HelpSheet) if sheet.isVisible())
        await self.take("help", sheet)
        sheet.reject()
        await until(lambda: not self.window.tasks.running("help"))

    async def locked(self) -> None:
        self.window.lock()
        await until(lambda: self.window.rooms.currentWidget() is self.window.lock_page)
        await self.take("locked")
        self.window.lock_page._ask_code()
        await self.take("locked-code")
        await until(lambda: self.services.vault.state is LockState.LOCKED)
        await self.services.vault.unlock(PASSPHRASE)
        await until(lambda: self.window.rooms.currentWidget() is self.window.inside)
        await until(lambda: self.window.captures.model.rowCount() == len(self.items))

    async def first_run(self) -> None:
        self.window.rooms.setCurrentWidget(self.window.welcome)
        try:
            for step in range(5):
                self.window.welcome._go(step)
                await self.take(f"first-run-{step + 1}")
            self.window.welcome._go(1)
            self.window.welcome._show(CODE)
            await self.take("recovery-1")
            self.window.welcome.recovery.wrote.click()
            await self.take("recovery-2")
        finally:
            self.window.welcome.forget()
            self.window.context.memory.first_run = 0
            self.window.rooms.setCurrentWidget(self.window.inside)

    async def empty(self) -> None:
        """The pages before there is anything: of the vault without captures."""
        for page in ("captures", "glasses", "ask", "shared"):
            self.window.go(page)
            await self.take(f"empty-{page}")
